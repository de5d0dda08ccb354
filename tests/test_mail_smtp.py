"""Mail by SMTP: handed over to a real server, signed in and encrypted, and nothing in doubt."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from mail_server import PASSWORD, USER, MailServer, trusted

from sspr_audit.deliver import message, smtp
from sspr_audit.deliver.errors import InDoubt, NotAllowed, NotTaken
from sspr_audit.model import Attachment, Envelope, Letter, Picture, Window

START = datetime(2026, 3, 2, tzinfo=UTC)
TO = ("helpdesk@example.com", "it@example.com")
ABOUT = Envelope(USER, TO, Window(START, START + timedelta(days=7)))
LETTER = Letter(
    subject="Trouble at Malmö",
    text="one\n.\n..two\nlast",
    page="<p>one</p>\n.\n<p>Malmö</p>",
    pictures=(Picture("chart", "Chart", b"\x89PNG\r\n\x1a\n", "a chart"),),
    attachments=(Attachment("flows.csv", "text/csv", "\ufeffå\r\n".encode()),),
)


def composed(letter=LETTER, about=ABOUT, made=START):
    return message.composed(letter, about, made)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server with STARTTLS and sign-in, whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", trusted(tmp_path))
    with MailServer() as one:
        yield one


def at(server, **changes):
    """Return where the server is, and how to sign in there."""
    usual = smtp.Server(
        "localhost",
        server.port,
        "starttls",
        USER,
        lambda: PASSWORD,
        patience=10.0,
        last_patience=10.0,
    )
    return replace(usual, **changes)


def deliver(where, mail=None, about=ABOUT):
    """Hand a mail over; return who was refused, and how often it could have been taken."""
    committed = []
    mail = composed()[1] if mail is None else mail
    refused = smtp.delivered(where, mail, about, lambda: committed.append(1))
    assert committed == [1]
    return refused


def test_a_mail_arrives_as_it_was_composed(server):
    """Byte for byte, over STARTTLS and with the password; lines that are dots stay lines."""
    message_id, mail = composed()

    assert deliver(at(server), mail) == ()
    assert server.mails == [mail]
    (one,) = server.messages
    assert (one["Message-ID"], one["Subject"]) == (message_id, "Trouble at Malmö")
    text = one.get_body(("plain",)).get_content()
    assert text.splitlines() == ["one", ".", "..two", "last"]
    html = one.get_body(("html",)).get_content()
    assert html.splitlines() == LETTER.page.splitlines()


def test_a_picture_is_found_by_the_page_and_a_file_is_attached(server):
    """The picture stands beside the page, under the name by which that shows it."""
    deliver(at(server))
    (one,) = server.messages
    kinds = [part.get_content_type() for part in one.walk()]
    (picture,) = [part for part in one.walk() if part.get_content_type() == "image/png"]
    (file,) = one.iter_attachments()

    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/csv",
    ]
    assert (picture["Content-ID"], picture.get_content()) == ("<chart>", b"\x89PNG\r\n\x1a\n")
    assert (file.get_filename(), file.get_content().encode()) == (
        "flows.csv",
        "\ufeffå\r\n".encode(),
    )


def test_equal_letters_are_equal_bytes_and_all_ascii():
    """Whatever server takes it needs no extension; a mail of another minute has another id."""
    first, again, later = composed(), composed(), composed(made=START + timedelta(minutes=1))

    assert first == again
    assert first[0] != later[0]
    assert first[1].isascii()
    assert first[1].endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n", first[1])
    assert max(map(len, first[1].split(b"\r\n"))) <= 998


@pytest.mark.parametrize("kind", ["tls", "none"])
def test_the_other_kinds_of_connection_work(kind, tmp_path, monkeypatch):
    """TLS from the first byte; and none where somebody asked for none, without a sign-in."""
    monkeypatch.setenv("SSL_CERT_FILE", trusted(tmp_path))
    with MailServer(implicit_tls=kind == "tls", plain=kind == "none") as server:
        user = USER if kind == "tls" else None
        deliver(at(server, security=kind, user=user))

        assert len(server.mails) == 1


@pytest.mark.parametrize("way", ["password", "login", "xoauth2"])
def test_each_way_to_sign_in_works(way, server):
    """By PLAIN, by LOGIN alone, and by a token; a password may hold any letter."""
    server.rules.sign_in = way
    server.rules.tokens.add("good")
    token = (lambda: "good") if way == "xoauth2" else None
    deliver(at(server, token=token))

    assert len(server.mails) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"password": lambda: "canary-wrong"}, {"token": lambda: "canary-stale"}],
    ids=["password", "token"],
)
def test_a_wrong_proof_is_told_without_the_proof(wrong, server):
    """Who may mend it is named; the secret is not, in words or in a traceback's values."""
    if "token" in wrong:
        server.rules.sign_in = "xoauth2"
    with pytest.raises(NotAllowed, match=r"check smtp_user") as caught:
        deliver(at(server, **wrong))

    assert "canary" not in str(caught.value)
    assert server.mails == []
    assert "canary" not in repr(at(server, **wrong))


def test_nothing_is_said_in_clear_to_a_server_without_starttls(server):
    """Neither a mail nor a password."""
    server.rules.starttls = False

    with pytest.raises(NotTaken, match="offers no STARTTLS"):
        deliver(at(server))


def test_a_server_with_another_name_on_its_certificate_gets_nothing(server, monkeypatch, tmp_path):
    """Nor one that an unknown authority vouches for."""
    nobody = tmp_path / "empty"
    nobody.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(nobody / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(nobody))

    with pytest.raises(NotTaken, match=r"not trusted.*SSL_CERT_FILE"):
        deliver(at(server))
    assert server.mails == []


@pytest.mark.parametrize("answer", ["451 4.3.0 come later", "554 5.7.1 no thanks"])
@pytest.mark.parametrize("where", ["mail", "data"])
def test_a_refusal_is_certain(where, answer, server):
    """With the server's own words; nobody has the mail."""
    setattr(server.rules, where, answer)

    with pytest.raises(NotTaken, match=re.escape(answer)):
        deliver(at(server))
    assert server.mails == []


def test_one_recipient_that_is_unknown_does_not_cost_the_others_their_mail(server):
    """The others get it, and the unknown one is named."""
    server.rules.rcpt[TO[1]] = "550 5.1.1 who is that"

    assert deliver(at(server)) == (TO[1],)
    assert len(server.mails) == 1


def test_one_recipient_that_is_put_off_puts_all_off(server):
    """Else the others would have it twice when it goes out again."""
    server.rules.rcpt[TO[1]] = "450 4.2.1 greylisted"

    with pytest.raises(NotTaken, match=r"it@example\.com now \(450"):
        deliver(at(server))
    assert server.mails == []


def test_a_mail_that_nobody_may_have_goes_nowhere(server):
    """Each refusal is told."""
    server.rules.rcpt = dict.fromkeys(TO, "550 no")

    with pytest.raises(NotTaken, match=r"nobody.*helpdesk@example\.com: 550 no"):
        deliver(at(server))


@pytest.mark.parametrize("where", ["connect", "rcpt", "data"])
def test_a_connection_that_is_cut_before_the_dot_leaves_nothing_in_doubt(where, server):
    """The server cannot have taken what it was not given whole; it is more than fits on the way."""
    server.rules.cut = where
    large = Attachment("flows.csv", "text/csv", bytes(20_000_000 * (where == "data")))

    with pytest.raises(NotTaken):
        deliver(at(server), composed(replace(LETTER, attachments=(large,)))[1])
    assert server.mails == []


def test_a_connection_that_is_cut_after_the_dot_leaves_doubt(server):
    """The server has it, and nobody but this test knows."""
    server.rules.cut = "dot"

    with pytest.raises(InDoubt, match="did not say whether"):
        deliver(at(server))
    assert len(server.mails) == 1


def test_a_server_that_thinks_too_long_leaves_doubt(server):
    """Trying again would be a second mail."""
    server.rules.pause = 1.0

    with pytest.raises(InDoubt, match="no answer in time"):
        deliver(at(server, last_patience=0.2))


@pytest.mark.parametrize(("where", "error"), [("mail", NotTaken), ("data", InDoubt)])
def test_a_server_that_rambles_is_cut_short(where, error, server):
    """A line of 10 MB is not read to its end, nor repeated to anybody."""
    setattr(server.rules, where, "250 " + "x" * 10_000_000)

    with pytest.raises(error) as raised:
        deliver(at(server))
    assert len(str(raised.value)) < 300


def test_a_goodbye_that_fails_changes_nothing(server):
    """The mail was taken before."""
    server.rules.cut = "quit"

    assert deliver(at(server)) == ()
    assert len(server.mails) == 1


def test_a_server_that_is_not_there_is_named(server):
    """With the port, so that whoever runs the network knows what to open."""
    with pytest.raises(NotTaken, match=r"localhost:1 cannot be reached"):
        deliver(at(server, port=1))


def test_what_fails_before_the_dot_goes_no_further(server):
    """Where the outbox cannot note that the mail leaves, it does not leave."""

    def full_disk():
        msg = "no space left"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError):
        smtp.delivered(at(server), composed()[1], ABOUT, full_disk)
    assert server.mails == []


@pytest.mark.parametrize(
    "subject",
    ["a\r\nBcc: stranger@example.com", "a\nX: y", "a\r\rb", "a\x00b", "\u2028Bcc: x@example.com"],
)
def test_no_subject_adds_a_header(subject):
    """The stranger's line end is refused, or is a letter like any other."""
    try:
        _, mail = composed(replace(LETTER, subject=subject))
    except ValueError:
        return
    head = mail.partition(b"\r\n\r\n")[0]

    assert not re.search(rb"(?im)^(bcc|x):", head)


@pytest.mark.parametrize(
    "address",
    ["a\x00b@example.com", "(c)@example.com", "a..b@example.com", "ä@example.com", "x@[1\\]"],
)
def test_an_address_that_no_head_can_bear_is_a_fault_of_the_settings(address):
    """Before anything is sent."""
    from sspr_audit.errors import SettingsError

    with pytest.raises(SettingsError, match=r"\[mail\]"):
        composed(about=replace(ABOUT, to=(address,)))


def test_a_domain_of_other_letters_is_written_as_servers_know_it():
    """In the head and to the server alike."""
    _, mail = composed(about=replace(ABOUT, to=("help@malmö.example",)))

    assert b"To: help@xn--malm-8qa.example\r\n" in mail
    assert message.routed("help@malmö.example") == "help@xn--malm-8qa.example"
