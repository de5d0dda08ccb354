"""`mail` over real sockets: once a period, whatever happens on the way."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fetch import DAY, NOW
from mail_desk import desk_with, mailing, outbox, quiet_store, sending, smtp_from, states
from mail_server import PASSWORD, USER

from sspr_audit.cli import mail
from sspr_audit.deliver import message
from sspr_audit.errors import UsageError

TO = "helpdesk@example.com"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return quiet_store(tmp_path_factory.mktemp("first"))


@pytest.fixture
def at_desk(tmp_path, monkeypatch, store):
    with desk_with(store, tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture
def by_smtp(at_desk):
    with smtp_from(at_desk) as one:
        yield one


@pytest.fixture
def by_graph(at_desk):
    """A desk from which mail goes through Graph."""
    mailing(at_desk, transport="graph", **{"from": USER, "to": TO})
    return SimpleNamespace(
        tenant=at_desk.tenant, folder=at_desk.folder, send=sending(at_desk), desk=at_desk
    )


def test_a_week_is_sent_once(by_smtp):
    """The second run of the day sends nothing and says so; next week's is another mail."""
    code, out, err = by_smtp.send()
    again, _, said = by_smtp.send()
    by_smtp.desk.tenant.clock.advance(7 * 24 * 3600)
    later, *_ = by_smtp.send()  # about days that were never fetched: it goes out all the same

    assert (code, out, again, later) == (0, "", 0, 3)
    assert f"sent to {TO}" in err
    assert "sent before, so nothing is sent" in said
    assert sorted(by_smtp.server.periods.values()) == [1, 1]
    assert states(by_smtp.desk) == ["sent", "sent"]


def test_the_mail_is_about_whole_days(by_smtp):
    """Those before today, so that the same day always gives the same week."""
    by_smtp.send()
    (one,) = by_smtp.server.messages
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)

    assert (
        one[message.PERIOD]
        == f"{midnight - 7 * DAY:%Y-%m-%dT%H:%M:%SZ}/{midnight:%Y-%m-%dT%H:%M:%SZ}"
    )
    assert (one["From"], one["To"]) == (USER, TO)
    assert one["Auto-Submitted"] == "auto-generated"


def test_a_dry_run_writes_what_would_be_sent_and_sends_nothing(by_smtp, tmp_path):
    """Byte for byte, to stdout or a file; nothing stands in the outbox afterwards."""
    by_smtp.desk.environ(SOURCE_DATE_EPOCH=str(int(NOW.timestamp())))
    code, out, _ = by_smtp.send("--dry-run")
    target = tmp_path / "week.eml"
    by_smtp.send("--dry-run", "--output", target)

    assert code == 0
    assert by_smtp.server.mails == []
    assert not outbox(by_smtp.desk).exists()
    by_smtp.send()
    assert by_smtp.server.mails == [out.encode()]
    assert target.read_bytes() == out.encode()


def test_both_transports_send_the_very_same_bytes(by_smtp, at_desk):
    """What differs is the way alone."""
    at_desk.environ(SOURCE_DATE_EPOCH=str(int(NOW.timestamp())))
    by_smtp.send()
    mailing(at_desk, transport="graph", **{"from": USER, "to": [TO]})
    for file in sorted(outbox(at_desk).rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    code, *_ = sending(at_desk)()

    assert code == 0
    assert at_desk.tenant.mail.mails == [(USER, by_smtp.server.mails[0])]


@pytest.mark.parametrize("trouble", [{"mail": "451 later"}, {"data": "554 spam"}, {"cut": "rcpt"}])
def test_a_refused_mail_goes_out_with_the_next_run(trouble, by_smtp):
    """Exit 6 until then, and nothing is composed anew."""
    for name, value in trouble.items():
        setattr(by_smtp.server.rules, name, value)
    code, _, err = by_smtp.send()
    by_smtp.server.rules.mail = by_smtp.server.rules.data = "250 OK"
    by_smtp.server.rules.cut = ""
    by_smtp.desk.tenant.clock.advance(60)
    again, *_ = by_smtp.send()

    assert (code, again) == (6, 0)
    assert "was not delivered" in err
    assert list(by_smtp.server.periods.values()) == [1]


def test_a_server_that_is_busy_is_asked_again_within_the_run(by_smtp):
    """After a minute and after five: cron would not come back before next week."""
    before = by_smtp.desk.tenant.clock.now()
    by_smtp.server.rules.busy = 2
    code, _, err = by_smtp.send("--verbose")

    assert code == 0
    assert (by_smtp.desk.tenant.clock.now() - before).total_seconds() >= 360
    assert err.count("the next try is in") == 2
    assert list(by_smtp.server.periods.values()) == [1]


def test_a_server_that_will_never_take_it_is_asked_once(by_smtp):
    """A no for good is no better in five minutes."""
    by_smtp.server.rules.mail = "550 5.7.1 not from you"
    before = by_smtp.desk.tenant.clock.now()

    assert by_smtp.send()[0] == 6
    assert (by_smtp.desk.tenant.clock.now() - before).total_seconds() < 60


def test_a_refused_mail_of_last_week_goes_out_with_this_weeks(by_smtp):
    """The oldest first; none is lost."""
    by_smtp.server.rules.mail = "451 later"
    by_smtp.send()
    by_smtp.server.rules.mail = "250 OK"
    by_smtp.desk.tenant.clock.advance(7 * 24 * 3600)

    assert by_smtp.send()[0] == 3
    periods = [one[message.PERIOD] for one in by_smtp.server.messages]
    assert len(periods) == 2
    assert periods == sorted(periods)


def test_days_between_two_mails_are_named(by_smtp):
    """A scheduler that slept for a fortnight leaves days that nobody was told about."""
    _, _, first = by_smtp.send()
    by_smtp.desk.tenant.clock.advance(10 * 24 * 3600)
    _, _, err = by_smtp.send()

    assert "no mail is about" not in first
    assert "no mail is about 2026-11-20T00:00Z to 2026-11-23T00:00Z: `sspr-audit mail" in err


def test_who_was_taken_off_the_list_gets_nothing_that_was_left(by_smtp):
    """A mail to other recipients stays where it is, and doctor tells of it."""
    by_smtp.server.rules.mail = "451 later"
    by_smtp.send()
    by_smtp.server.rules.mail = "250 OK"
    mailing(by_smtp.desk, **by_smtp.server.settings(to=["new@example.com"]))
    by_smtp.send()
    _, out, _ = by_smtp.run("doctor")

    assert [one["To"] for one in by_smtp.server.messages] == ["new@example.com"]
    assert out.count("fail  mail") == 1


def test_a_mail_in_doubt_is_not_sent_again_by_itself(by_smtp):
    """Doctor names it; --resend sends it again under the Message-ID that it had."""
    by_smtp.server.rules.cut = "dot"
    first, _, err = by_smtp.send()
    by_smtp.server.rules.cut = ""
    second, *_ = by_smtp.send()
    ill, told, _ = by_smtp.run("doctor")

    assert (first, second, ill) == (6, 6, 6)
    assert list(by_smtp.server.periods.values()) == [1]
    message_id = by_smtp.server.messages[0]["Message-ID"]
    assert message_id in err
    assert f"fail  mail        {message_id}: the mail about" in told
    assert by_smtp.send("--resend")[0] == 0
    assert list(by_smtp.server.periods.values()) == [2]
    code, _, said = by_smtp.send("--resend")
    assert (code, "nothing was sent again" in said) == (0, True)
    assert len(by_smtp.server.mails) == 2
    assert "pass  mail" in by_smtp.run("doctor")[1]


def test_recipients_that_are_not_known_are_named(by_smtp):
    """The others have it, and it is not sent again."""
    mailing(by_smtp.desk, **by_smtp.server.settings(to=[TO, "gone@example.com"]))
    by_smtp.server.rules.rcpt["gone@example.com"] = "550 5.1.1 unknown"
    code, _, err = by_smtp.send()

    assert code == 6
    assert "not taken for gone@example.com" in err
    assert by_smtp.send()[0] == 0
    assert len(by_smtp.server.mails) == 1


def test_exchange_online_is_signed_in_to_with_a_token_of_its_own(by_smtp):
    """Without a password, by the app that Graph is asked with."""
    by_smtp.desk.environ(SSPR_AUDIT_SMTP_PASSWORD=None)
    by_smtp.server.rules.sign_in = "xoauth2"
    tokens = by_smtp.desk.tenant.sign_in.tokens
    by_smtp.server.rules.tokens = Good(tokens)

    assert by_smtp.send()[0] == 0
    assert len(by_smtp.server.mails) == 1


class Good:
    """The tokens that Exchange Online takes: its own, and not Graph's."""

    def __init__(self, tokens):
        self.tokens = tokens

    def __contains__(self, token):
        return "outlook" in self.tokens[token].audience


def test_a_sign_in_that_is_refused_is_exit_4(by_smtp):
    """And the mail waits."""
    by_smtp.desk.environ(SSPR_AUDIT_SMTP_PASSWORD="canary-wrong")  # noqa: S106
    code, _, err = by_smtp.send()

    assert code == 4
    assert "canary" not in err
    assert states(by_smtp.desk) == ["refused"]


def test_a_user_without_a_proof_is_a_fault_of_the_settings(by_smtp):
    """Neither a password nor a tenant."""
    by_smtp.desk.run("fetch")
    by_smtp.desk.environ(SSPR_AUDIT_SMTP_PASSWORD=None)
    text = by_smtp.desk.config.read_text()
    by_smtp.desk.config.write_text(text.replace(f'id = "{by_smtp.desk.tenant.id}"', "", 1))
    code, _, err = by_smtp.send()

    assert code == 2
    assert "SSPR_AUDIT_SMTP_PASSWORD" in err


def test_graph_takes_the_mail_from_the_mailbox_of_the_settings(by_graph):
    """As the app: /users/{from}/sendMail, and once."""
    assert by_graph.send()[0] == 0
    assert by_graph.send()[0] == 0
    assert [mailbox for mailbox, _ in by_graph.tenant.mail.mails] == [USER]


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        ({"kind": 403}, "refused", 4),
        ({"kind": 400}, "refused", 6),
        ({"kind": 413}, "refused", 6),
        ({"kind": 504}, "unconfirmed", 6),
        ({"kind": 500}, "unconfirmed", 6),
        ({"kind": "reset"}, "unconfirmed", 6),
        ({"kind": "portal", "times": 3}, "refused", 6),
    ],
    ids=lambda one: str(one.get("kind")) if isinstance(one, dict) else None,
)
def test_what_graph_says_decides_what_is_known(fault, state, code, by_graph):
    """A clear no is tried again next time; what may have been taken is not."""
    kind = fault.pop("kind")
    by_graph.tenant.fault(kind, on="sendMail", **fault)
    first, _, err = by_graph.send()
    sent = len(by_graph.tenant.asked("sendMail"))

    assert (first, states(by_graph), sent) == (code, [state], fault.get("times", 1))
    assert by_graph.send()[0] == (0 if state == "refused" else 6)
    assert len(by_graph.tenant.mail.mails) == (state == "refused")
    assert "Traceback" not in err


@pytest.mark.parametrize("kind", [429, 503, 401])
def test_what_graph_did_not_take_for_certain_is_tried_again_at_once(kind, by_graph):
    """When it says so: busy until a time, or a token that is spent."""
    more = {} if kind == 401 else {"retry_after": "7"}
    by_graph.tenant.fault(kind, on="sendMail", **more)

    assert by_graph.send()[0] == 0
    assert len(by_graph.tenant.mail.mails) == 1


def test_an_app_that_may_not_use_the_mailbox_is_told_who_can_help(by_graph):
    """Scoped by Exchange: the administrator of Exchange grants it."""
    by_graph.tenant.mail.scope = {"other@example.com"}
    code, _, err = by_graph.send()

    assert code == 4
    assert "lacks Mail.Send, or Exchange does not let it use this mailbox" in err


def test_no_secret_stays_anywhere(by_smtp):
    """Neither in the outbox nor in what is said."""
    by_smtp.server.rules.data = "554 no"
    _, out, err = by_smtp.send("--verbose")
    files = [one for one in outbox(by_smtp.desk).rglob("*") if one.is_file()]
    written = b"".join(one.read_bytes() for one in files)

    assert len(files) > 3
    for canary in {PASSWORD, *by_smtp.desk.tenant.canaries}:
        assert canary not in out + err
        assert canary.encode() not in written


@pytest.mark.parametrize("hidden", [True, False])
def test_pseudonyms_are_made_unless_the_settings_say_otherwise(hidden, by_smtp):
    """Their key is made at the first mail, beside the settings."""
    mailing(by_smtp.desk, **by_smtp.server.settings(pseudonymize=hidden))

    assert by_smtp.send()[0] == 0
    assert (by_smtp.desk.folder / "pseudonyms.key").exists() is hidden


def test_a_fetch_that_fails_does_not_keep_the_mail_back(by_smtp):
    """It says what is missing; the exit code is that of a gap."""
    by_smtp.desk.tenant.clock.advance(7 * 24 * 3600)
    by_smtp.desk.tenant.fault(403, on="directoryAudits", times=None)
    code, *_ = by_smtp.run("mail")
    (one,) = by_smtp.server.messages

    assert code == 3
    assert one["Subject"].startswith("Data incomplete.")


def test_without_a_mail_section_nothing_is_sent(at_desk):
    """And the settings are named."""
    code, _, err = at_desk.run("mail")

    assert code == 2
    assert "[mail] is missing" in err


@pytest.mark.parametrize(
    "options", [["--output", "x"], ["--resend", "--dry-run"], ["--since", "x"], ["--demo"]]
)
def test_options_that_make_no_sense_are_usage(options, by_smtp):
    assert by_smtp.send(*options)[0] == 2


def here(now, timezone=None):
    return SimpleNamespace(now=now, timezone=timezone)


@pytest.mark.parametrize(
    ("since", "timezone", "now", "start", "end"),
    [
        ("7d", None, "2026-03-09T07:00", "2026-03-02T00:00", "2026-03-09T00:00"),
        ("7d", None, "2026-03-09T23:59", "2026-03-02T00:00", "2026-03-09T00:00"),
        ("1d", "Europe/Stockholm", "2026-03-08T23:30", "2026-03-07T23:00", "2026-03-08T23:00"),
        ("7d", "Europe/Stockholm", "2026-03-30T06:00", "2026-03-22T23:00", "2026-03-29T22:00"),
        ("7d", "Pacific/Auckland", "2026-03-08T18:00", "2026-03-01T11:00", "2026-03-08T11:00"),
        ("36h", None, "2026-03-09T07:31", "2026-03-07T19:00", "2026-03-09T07:00"),
        ("90m", None, "2026-03-09T07:31", "2026-03-09T06:01", "2026-03-09T07:31"),
        ("2026-03-01", None, "2026-03-09T07:31", "2026-03-01T00:00", "2026-03-09T00:00"),
    ],
)
def test_a_period_is_whole(since, timezone, now, start, end):
    """Days are those of the people who read it, over a change of clocks too."""
    found = mail._window(since, here(datetime.fromisoformat(now).replace(tzinfo=UTC), timezone))  # noqa: SLF001

    assert f"{found.start:%Y-%m-%dT%H:%M}" == start
    assert f"{found.end:%Y-%m-%dT%H:%M}" == end


def test_a_period_of_nothing_is_usage():
    """Today has no whole day yet."""
    with pytest.raises(UsageError, match="no whole day"):
        mail._window("2026-03-09", here(datetime(2026, 3, 9, 7, tzinfo=UTC)))  # noqa: SLF001
