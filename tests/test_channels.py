"""Posts to channels over real sockets: once each, and their addresses stay secret."""

import hashlib
import http.server
import json
import logging
import re
import sys
import threading
from dataclasses import replace

import pytest
import report_factory
import report_hostile
from mail_desk import desk_with, outbox, quiet_store, smtp_from, states

from sspr_audit.deliver.outbox import Outbox
from sspr_audit.model import Scope
from sspr_audit.report import mail

SECRET = "canary-token-0123456789"  # noqa: S105 - planted, to be looked for
WEEK_S = 7 * 24 * 3600


class Hook(http.server.ThreadingHTTPServer):
    """A webhook that keeps what it is told, and answers as `status` says for each path."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts, self.status = [], {}

    def url(self, scheme, name=""):
        return f"{scheme}://127.0.0.1:{self.server_port}/{SECRET}{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    """One post to it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path.strip("/"), body.decode()))
        self.send_response(self.server.status.get(self.path.strip("/"), 200))
        self.end_headers()
        self.wfile.write(f"you posted to {self.path}".encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    with Hook() as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return quiet_store(tmp_path_factory.mktemp("first"))


@pytest.fixture
def by_smtp(tmp_path, monkeypatch, store):
    """A desk from which mail goes by SMTP, and no channel yet."""
    with desk_with(store, tmp_path, monkeypatch) as at_desk, smtp_from(at_desk) as one:
        yield one


@pytest.fixture
def posting(by_smtp, hook):
    """The same, with one channel."""
    to(by_smtp, hook.url("json"))
    return by_smtp


def to(one, *addresses):
    one.desk.environ(SSPR_AUDIT_CHANNELS="\n ".join(addresses))


def name(address):
    """Return what a channel is called, worked out apart from the program."""
    scheme = address.partition("://")[0]
    return f"{scheme}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"


def test_a_week_is_posted_once_beside_its_mail(posting, hook):
    """The second run of the day posts nothing and says so; next week's is another post."""
    code, out, err = posting.send()
    again, _, said = posting.send()
    posts = list(hook.posts)
    posting.desk.tenant.clock.advance(WEEK_S)
    posting.send()

    assert (code, out, again) == (0, "", 0)
    assert f"sent to {name(hook.url('json'))}: the post about" in err
    assert said.count("sent before, so nothing is sent") == 2
    (post,) = posts
    message = json.loads(post[1])["message"]
    assert message.startswith("There is no password reset event in this window")
    assert message.endswith("The mail has the rest.")
    assert len(hook.posts) == 2
    assert states(posting.desk) == ["sent"] * 4


def test_a_dry_run_shows_the_mail_only_and_needs_no_channel(by_smtp, hook):
    """What needs no secret does not fail over one."""
    to(by_smtp, hook.url("json"), "no-address")
    code, out, _ = by_smtp.send("--dry-run")

    assert (code, out.count("Message-ID")) == (0, 1)
    assert hook.posts == []


def test_a_post_that_failed_goes_out_again_only_by_resend(posting, hook):
    """Apprise does not say whether it was refused or lost; doctor names the channel."""
    hook.status[SECRET] = 500
    first, _, err = posting.send()
    hook.status.clear()
    second, _, said = posting.send()
    _, told, _ = posting.run("doctor")
    channel = name(hook.url("json"))

    assert (first, second, len(hook.posts)) == (6, 6, 1)
    assert f"it goes out again only by --resend ({channel})" in err
    assert f"look whether {channel} shows it" in said
    assert f"fail  mail        {channel}: the post about" in told
    assert f"look whether {channel} shows it" in told
    assert posting.send("--resend")[0] == 0
    assert posting.send("--resend")[0] == 0
    assert len(hook.posts) == 2
    assert len(posting.server.mails) == 1


@pytest.mark.parametrize("more", ["", "?retry=3&wait=0&optional=yes"])
def test_a_broken_channel_keeps_nothing_back(more, by_smtp, hook):
    """Nor does it get more than one try, or pass for well, whatever its address asks for."""
    to(by_smtp, hook.url("json", f"/broken{more}"), hook.url("xml", "/well"))
    hook.status[f"{SECRET}/broken"] = 503
    code, *_ = by_smtp.send()

    assert code == 6
    assert sorted(path for path, _ in hook.posts) == [f"{SECRET}/broken", f"{SECRET}/well"]
    assert len(by_smtp.server.mails) == 1
    assert sorted(states(by_smtp.desk)) == ["sent", "sent", "unconfirmed"]


def test_a_mail_that_is_refused_does_not_keep_the_post_back(posting, hook):
    """And is not doubled by it, when the mail goes out at last."""
    posting.server.rules.data = "554 no"
    first, *_ = posting.send()
    posting.server.rules.data = "250 OK"
    second, *_ = posting.send()

    assert (first, second) == (6, 0)
    assert (len(hook.posts), len(posting.server.mails)) == (1, 1)
    assert states(posting.desk) == ["sent", "sent"]


def test_a_channel_that_was_added_or_taken_away_changes_no_period_that_was_told(by_smtp, hook):
    """A new one begins with the next; what waits for one that is gone stays where it is."""
    by_smtp.send()
    to(by_smtp, hook.url("json"))
    assert by_smtp.send()[0] == 0
    assert hook.posts == []
    by_smtp.desk.tenant.clock.advance(WEEK_S)
    hook.status[SECRET] = 500
    by_smtp.send()
    by_smtp.desk.environ(SSPR_AUDIT_CHANNELS=None)
    by_smtp.send("--resend")

    assert len(hook.posts) == 1
    assert states(by_smtp.desk).count("unconfirmed") == 1


def test_a_run_that_ends_between_the_letters_loses_and_doubles_nothing(posting, hook, monkeypatch):
    """The channel's is there first: the mail's presence says that all is there."""
    add = Outbox.add

    def ends(box, envelope, *letter):
        if "@" in envelope.to[0]:
            raise KeyboardInterrupt
        return add(box, envelope, *letter)

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "add", ends)
        assert posting.send()[0] == 130
    left = states(posting.desk)
    code, *_ = posting.send()

    assert (left, code) == (["ready"], 0)
    assert (len(hook.posts), len(posting.server.mails)) == (1, 1)
    assert states(posting.desk) == ["sent", "sent"]


@pytest.mark.parametrize("status", [200, 404, "away"])
def test_the_address_is_nowhere(status, posting, hook, caplog):
    """Not in what is said, logged at its most talkative, or written to any file."""
    caplog.set_level(logging.DEBUG)
    for one in ("apprise", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=one)
    if status == "away":
        to(posting, f"json://user:{SECRET}@127.0.0.1:9/{SECRET}")
    hook.status[SECRET] = status
    said = [posting.send("--verbose"), posting.send("--resend", "--verbose"), posting.run("doctor")]
    files = [one for one in posting.desk.folder.rglob("*") if one.is_file()]

    assert any(outbox(posting.desk) in one.parents for one in files)
    assert SECRET not in f"{said} {caplog.text}"
    assert [one for one in files if SECRET.encode() in one.read_bytes()] == []
    assert logging.root.manager.disable == logging.NOTSET


@pytest.mark.parametrize(
    "address",
    [
        SECRET,
        f"nobody://{SECRET}",
        f"slack://{SECRET}",
        f"json://127.0.0.1:9/{SECRET} discord://{SECRET}",
        f"https://{SECRET}.example.com/hook",
        f"[{SECRET}",
        f"json://[{SECRET}",
    ],
)
def test_an_address_that_nobody_understands_is_told_before_anything_happens(
    address, by_smtp, caplog
):
    """By its number: a part of it may be the secret."""
    caplog.set_level(logging.DEBUG)
    to(by_smtp, address)
    code, out, err = by_smtp.send()

    assert code == 2
    assert f"its address {len(address.split())} is none" in err
    assert SECRET not in out + err + caplog.text
    assert (by_smtp.server.mails, outbox(by_smtp.desk).exists()) == ([], False)


def test_a_missing_package_is_told_with_what_brings_it(posting, hook, monkeypatch):
    """Before anything is composed or sent."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    code, _, err = posting.send()

    assert code == 2
    assert "pip install 'sspr-audit[channels]'" in err
    assert (posting.server.mails, hook.posts, outbox(posting.desk).exists()) == ([], [], False)


def test_a_file_may_hold_the_addresses(by_smtp, hook, tmp_path):
    """One a line; written twice, it is one channel all the same."""
    file = tmp_path / "channels"
    file.write_text(f"{hook.url('json')}\n{hook.url('json')}\n")
    by_smtp.desk.environ(SSPR_AUDIT_CHANNELS_FILE=str(file))

    assert by_smtp.send()[0] == 0
    assert len(hook.posts) == 1


def glance(**finding):
    one = report_factory.finding(**finding)
    return mail.glance(report_factory.report(findings=(one,)), timezone=None)


def test_a_post_tells_what_was_found_how_surely_and_for_whom():
    """In the words of the mail."""
    said = glance(title="Nobody passes the proxy")

    assert re.search(r"^1\. Nobody passes the proxy \(likely\)$", said, re.MULTILINE)
    assert "Mon 2026-03-02 to Sun 2026-03-08 (UTC)" in said
    assert said.endswith("1 finding in all; the mail has the rest.")


LIVE = (
    "@channel @here @everyone <!channel> <!here|x> <@U012AB3CD> <#C1> <@&1> <at>x</at> &lt;!x&gt;"
    " [x](https://evil.example.com) <https://evil.example.com|x> https://evil.example.com/x"
    " www.evil.example.com mailto:a@example.com javascript:x discord.gg/x **b** __u__ ~~s~~ `c`"
    " ||s|| # h > q :tada: 12:100: $x$ \\*x\\* #tag"
)
COME_ALIVE = re.compile(r"[@<>\[\]`*_~|#\\&$]|:\S*:|\w:\w*[^\W\d]|://|\w\.[^\W\d]")


@pytest.mark.parametrize("kind", [*report_hostile.TEXTS, "live"])
def test_a_strangers_text_is_only_text_and_short(kind):
    """In every field that a stranger can reach: no mention, link, emoji or markup of any chat."""
    text = (report_hostile.TEXTS | {"live": LIVE})[kind]
    scope = Scope(sites=(text,), clients=(f"other:{text}",))
    for said in (
        mail.glance(report_hostile.poisoned(text), timezone=None),
        glance(title=text, scope=scope),
        glance(title=f"a{text}" * 3, who_can_fix=text),
    ):
        assert COME_ALIVE.findall(said) == []
        assert len(said) < 1_600
        assert all(line.isprintable() for line in said.split("\n"))
        assert "likely" in said or "possible" in said or "confirmed" in said


def test_times_and_networks_stay_readable():
    """Only what would come alive changes."""
    scope = Scope(ips=("203.0.113.7",))

    assert "203.0.113.7" in glance(scope=scope)
    assert "07:30:15 UTC" in glance(title="Since 07:30:15 UTC")


def test_what_is_missing_is_told():
    """A post about half a week does not pass for one about the whole."""
    half = report_factory.report()
    covered = replace(half.coverage, complete=True, gaps=())
    whole = replace(half, coverage=covered, account=replace(half.account, skipped=()))

    assert "\nData incomplete. Gap" in mail.glance(half, timezone=None)
    assert "incomplete" not in mail.glance(whole, timezone=None)
