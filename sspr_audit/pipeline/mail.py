"""`mail`: an analysis becomes a letter, the letter stands in the outbox, and leaves it once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sspr_audit.deliver import channels as by_channel
from sspr_audit.deliver import graph as by_graph
from sspr_audit.deliver import message, outbox, smtp
from sspr_audit.deliver.errors import InDoubt, NotNow, NotTaken
from sspr_audit.deliver.outbox import WAITING, Entry, Outbox, State, Way
from sspr_audit.errors import AccessDenied, ServiceUnreachable, SettingsError, SsprAuditError
from sspr_audit.knowledge import Cloud
from sspr_audit.model import Attachment, Envelope, Letter, Window
from sspr_audit.pipeline import report
from sspr_audit.pipeline.analysis import Analysis
from sspr_audit.pipeline.connecting import USUAL_CLOUD, Connection, Outside, connected

__all__ = [
    "Attempt",
    "Entry",
    "State",
    "Way",
    "addressed",
    "box",
    "channels",
    "composed",
    "envelope",
    "needs_key",
    "sent",
    "unmailed",
    "waiting",
    "way",
]

if TYPE_CHECKING:
    from sspr_audit.settings import Settings
    from sspr_audit.settings.model import Mail

OUTLOOK: Final = {
    "usgov-gcchigh": "https://outlook.office365.us",
    "usgov-dod": "https://outlook-dod.office365.us",
    "china-21vianet": "https://partner.outlook.cn",
}
"""Whose token Exchange Online takes at its SMTP door, where it is not the worldwide one:
https://learn.microsoft.com/en-us/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
"""
USUAL_OUTLOOK: Final = "https://outlook.office365.com"

PAUSES: Final = (60.0, 300.0)
"""Seconds between tries: not every scheduler tries again by itself."""

ROOM: Final = 250_000
"""Bytes of a mail that are kept for all but its attachments: text, page and pictures."""

_BASE64: Final = 1.4
"""How much longer a file becomes in a mail, line ends and head included."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one letter in this run."""

    entry: Entry
    error: SsprAuditError | None = None
    """None: it was sent."""
    refused: tuple[str, ...] = ()
    """Recipients that were refused for good, while others were not."""


def envelope(settings: Settings, window: Window) -> Envelope:
    """Return who writes to whom about which time. Raises SettingsError without [mail]."""
    ours = _mail(settings)
    return Envelope(ours.sender, ours.to, window)


def addressed(about: Envelope, channels: Iterable[str]) -> list[Envelope]:
    """Return the envelopes of a period: the channels', and the mail's own as the last."""
    return [*(replace(about, to=(name,)) for name in channels), about]


def box(settings: Settings) -> Outbox:
    """Return the outbox, which lies beside the store and is locked apart from it."""
    path = settings.store.path
    return Outbox(path.with_name(f"{path.name}.outbox"))


def needs_key(settings: Settings) -> bool:
    """Say whether pseudonyms stand for people in the mail. Raises SettingsError without [mail]."""
    return _mail(settings).pseudonymize


def composed(
    done: Analysis,
    about: Envelope,
    timezone: str | None,
    key: bytes | None,
    channels: Iterable[str] = (),
) -> list[tuple[Envelope, str, bytes]]:
    """Return envelope, id and bytes of each letter about an analysis, the mail as the last.

    Its presence in the outbox says that those of the channels are there. `key` is that of
    pseudonyms; None: names stay. Raises SettingsError for an address or a zone.
    """
    from sspr_audit.report import mail

    if key is not None:
        done = report.pseudonymized(done, key)
    glance = mail.glance(done.report, timezone=timezone).encode()
    *posts, ours = addressed(about, channels)
    whole = message.composed(letter(done, timezone), ours, done.report.generated_at)
    return [*((one, one.to[0], glance) for one in posts), (ours, *whole)]


def letter(done: Analysis, timezone: str | None) -> Letter:
    """Return the letter, with as many of its attachments as a mail may bear."""
    from sspr_audit.report import mail

    kept: list[Attachment] = []
    left_out: list[str] = []
    room = message.LARGEST - ROOM
    for one in _files(done, timezone):
        size = int(len(one.content) * _BASE64)
        if size <= room:
            kept.append(one)
            room -= size
        else:
            left_out.append(f"{one.name} ({len(one.content) / 1e6:,.1f} MB)")
    return mail.letter(
        done.report, done.flows, timezone=timezone, attachments=kept, left_out=left_out
    )


def unmailed(box: Outbox, about: Envelope) -> Window | None:
    """Return the time between this letter and the last before it to the same people, if any."""
    ends = [
        one.envelope.window.end
        for one in box.entries()
        if _same(one, about.to) and one.envelope.window.start < about.window.start
    ]
    if not ends or max(ends) >= about.window.start:
        return None
    return Window(max(ends), about.window.start)


def _same(entry: Entry, to: tuple[str, ...]) -> bool:
    return {one.lower() for one in entry.envelope.to} == {one.lower() for one in to}


def _files(done: Analysis, timezone: str | None) -> Iterator[Attachment]:
    from sspr_audit.report import clock
    from sspr_audit.report.mail import content

    about = "-to-".join(content.days(done.report.window, clock.clock(timezone)))
    forms = {"html": ("report", "text/html"), "csv": ("flows", "text/csv")}
    for form, (name, kind) in forms.items():
        text = report.rendered(done, form, timezone=timezone)
        yield Attachment(f"sspr-{name}-{about}.{form}", kind, text.encode())


def waiting(box: Outbox, to: tuple[str, ...], *, in_doubt: bool = False) -> list[Entry]:
    """Return the letters to these recipients that are to go out, or those in doubt, oldest first.

    A letter to other recipients stays: who was taken off the list gets nothing any more.
    """
    states = (State.UNCONFIRMED,) if in_doubt else WAITING
    return [entry for entry in box.entries() if _same(entry, to) and entry.state in states]


def sent(entries: Sequence[Entry], way: Way, outside: Outside) -> Iterator[Attempt]:
    """Send letters, for who holds the outbox; yield each attempt as soon as it is over."""
    for entry in entries:
        try:
            yield Attempt(entry, refused=_posted(entry, way, outside))
        except (NotTaken, InDoubt, AccessDenied, ServiceUnreachable) as error:
            yield Attempt(entry, error)


def _posted(entry: Entry, way: Way, outside: Outside) -> tuple[str, ...]:
    """Send one letter, again after a pause where that may help. Raises as the way does."""
    for pause in PAUSES:
        try:
            return outbox.post(entry, way)
        except NotNow as error:
            outside.note(f"{error}; the next try is in {pause:.0f} s")
            outside.clock.sleep(pause)
    return outbox.post(entry, way)


def channels(outside: Outside) -> dict[str, Way]:
    """Return the way to each channel, by its name. Raises SettingsError; nobody is asked yet."""
    addresses = outside.secret("channels")
    return {} if addresses is None else by_channel.ways(addresses.get_secret_value())


@contextmanager
def way(settings: Settings, clouds: Mapping[str, Cloud], outside: Outside) -> Iterator[Way]:
    """Yield the way out that [mail] names; nobody is asked anything yet. Raises SettingsError."""
    ours = _mail(settings)
    if ours.transport == "graph":
        with connected(settings, clouds, outside) as connection:
            yield _by_graph(connection, ours, outside)
        return
    password = outside.secret("smtp_password")
    server = smtp.Server(
        host=ours.smtp_host or "",
        port=ours.smtp_port or smtp.PORTS[ours.smtp_security],
        security=ours.smtp_security,
        user=ours.smtp_user,
        password=None if password is None else password.get_secret_value,
    )
    if ours.smtp_user is None or password is not None:
        yield partial(smtp.delivered, server)
        return
    if settings.tenant.id is None:
        msg = (
            "[mail] smtp_user wants SSPR_AUDIT_SMTP_PASSWORD, or a [tenant] that signs in with"
            " XOAUTH2"
        )
        raise SettingsError(msg)
    with connected(settings, clouds, outside) as connection:
        token = _outlook_token(connection, settings.tenant.cloud or USUAL_CLOUD, outside)
        yield partial(smtp.delivered, replace(server, token=token))


def _by_graph(connection: Connection, ours: Mail, outside: Outside) -> Way:
    from sspr_audit.sources.graph.app import INTERACTIVE
    from sspr_audit.sources.graph.client import Graph
    from sspr_audit.sources.graph.pace import Pace

    client = Graph(
        connection.http,
        connection.sign_in,
        connection.app.graph,
        Pace(outside.clock),  # not the fetches' own: that is for who holds the store
        outside.clock,
        note=outside.note,
        dice=outside.dice,
    )
    as_person = connection.app.auth in INTERACTIVE
    return partial(by_graph.delivered, client, by_graph.path(None if as_person else ours.sender))


def _outlook_token(connection: Connection, cloud: str, outside: Outside) -> Callable[[], str]:
    """Return what gives a token for Exchange Online, by the app that Graph is asked with."""
    from sspr_audit.sources.graph.auth import SignIn

    app = replace(connection.app, graph=OUTLOOK.get(cloud, USUAL_OUTLOOK))
    sign_in = SignIn(app, connection.http, outside.clock, outside.prompt, outside.environment)
    return sign_in.token


def _mail(settings: Settings) -> Mail:
    if settings.mail is None:
        msg = "[mail] is missing in the settings: transport, from and to say how the mail leaves"
        raise SettingsError(msg)
    return settings.mail
