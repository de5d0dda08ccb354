"""`doctor`: whether everything that a fetch needs is there, one check after the other.

Asks Graph for one record of each collection at most, under the store's lock and at its pace. A
permission that is only missing is no fault: a report is then poorer by a sentence.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sspr_audit.engine import StoreBusy
from sspr_audit.errors import LocalTrouble, SettingsError, SsprAuditError
from sspr_audit.knowledge import Cloud
from sspr_audit.pipeline import keeping
from sspr_audit.pipeline import mail as mailing
from sspr_audit.pipeline.connecting import Connection, Outside, connected
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.sources.graph.collections import AUDITS, CONTEXT, SIGN_INS, Collection
from sspr_audit.sources.graph.errors import NotOffered, Refused
from sspr_audit.sources.graph.refusals import NON_PREMIUM
from sspr_audit.sources.graph.windows import FREE_RETENTION, RETENTION
from sspr_audit.store import NoStore

if TYPE_CHECKING:
    from sspr_audit.settings import Settings

KIND: Final = "doctor"
"""The kind under which these requests are counted."""

ROOM: Final = 256 * 2**20
"""Bytes that should be free beside the store."""


class Topic(StrEnum):
    """What is looked at, in this order."""

    STORE = "store"
    PRIVACY = "privacy"
    SPACE = "space"
    MAIL = "mail"
    LOCK = "lock"
    PACE = "pace"
    NETWORK = "network"
    CLOCK = "clock"
    SIGN_IN = "sign-in"
    PERMISSION = "permission"
    LICENCE = "licence"


OF_SERVICE: Final = tuple(Topic)[tuple(Topic).index(Topic.PACE) :]
"""What cannot be looked at without a tenant."""


class State(StrEnum):
    """How a check ended."""

    PASSED = "pass"
    FAILED = "fail"
    SKIPPED = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    topic: Topic
    state: State = State.PASSED
    subject: str = ""
    """A path, a host, or a permission with what it is asked for."""
    found: int | timedelta | None = None
    """What there is: records, free bytes, the clock's distance, days of retention; of the pace,
    how long until the next request may go out."""
    reason: str = ""
    """Why it failed or was skipped; ends a sentence."""
    without: str = ""
    """What a report lacks by that."""
    wants_consent: bool = False
    """Whether an administrator's consent would change it."""
    exit_code: int = 0
    """Of the contract; 0 unless it failed."""


def examined(
    settings: Settings, keeper: Keeper, clouds: Mapping[str, Cloud], outside: Outside
) -> Iterator[Check]:
    """Yield each check as soon as it is done. `keeper` should not wait for another process."""
    yield from _of_store(keeper)
    yield from _of_mail(settings)
    if settings.tenant.id is None:
        yield from _skipped((Topic.LOCK, *OF_SERVICE), "the settings name no [tenant] id")
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(keeper.held("doctor"))
        except StoreBusy as error:
            reason = str(error).partition(";")[0]
            yield from _skipped((Topic.LOCK,), reason)
            yield from _skipped(OF_SERVICE, "requests are for the process that has the store")
            return
        except LocalTrouble as error:
            yield _failed(Topic.LOCK, error)
            yield from _skipped(OF_SERVICE, "the pace of requests is kept beside the store")
            return
        yield Check(Topic.LOCK)
        try:
            way = stack.enter_context(connected(settings, clouds, outside, guarded=False))
        except SettingsError as error:
            yield _failed(Topic.SIGN_IN, error)
            others = (topic for topic in OF_SERVICE if topic is not Topic.SIGN_IN)
            yield from _skipped(others, "the settings come first")
            return
        yield from _of_service(way, outside.clock.now)


def _of_store(keeper: Keeper) -> Iterator[Check]:
    path = keeper.path
    privacy = _privacy(path)  # before it is opened, which makes it private again
    try:
        yield Check(Topic.STORE, subject=str(path), found=keeping.info(keeper).records)
    except NoStore:
        yield Check(Topic.STORE, State.SKIPPED, str(path), reason="the first fetch makes it")
    except SsprAuditError as error:
        yield _failed(Topic.STORE, error)
    yield privacy
    yield _space(path)


def _of_mail(settings: Settings) -> Iterator[Check]:
    """Look for mails that did not leave, or that nobody can tell of."""
    well = True
    try:
        for one in mailing.box(settings).entries():
            if (said := _stuck(one)) is not None:
                well = False
                yield _failed(Topic.MAIL, said, one.message_id)
    except LocalTrouble as error:
        well = False
        yield _failed(Topic.MAIL, error)
    if well:
        yield Check(Topic.MAIL)


def _stuck(one: mailing.Entry) -> LocalTrouble | None:
    """Return what to say of a mail that is not where it should be."""
    window, state, why = one.envelope.window, one.state, f" ({one.why})" if one.why else ""
    about = f"about {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
    match state:
        case mailing.State.UNCONFIRMED | mailing.State.SENDING:
            said = f"may have arrived: {one.proof}, then `sspr-audit mail --resend` or delete"
        case mailing.State.REFUSED | mailing.State.READY:
            said = (
                "was not delivered: the next `sspr-audit mail` tries again; to give it up, delete"
            )
        case _:
            return None
    return LocalTrouble(f"the {one.noun} {about} {said} {one.folder}{why}")


def _privacy(path: Path) -> Check:
    """Look whether others may read the store: it holds names and addresses."""
    if os.name != "posix":
        reason = "this system has no file modes; its folder decides"
        return Check(Topic.PRIVACY, State.SKIPPED, reason=reason)
    if not path.exists():
        return Check(Topic.PRIVACY, State.SKIPPED, reason="there is no store yet")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        msg = (
            f"others could open {path} until now ({mode:04o}): it is private again, so find out"
            " what opened it to them"
        )
        return _failed(Topic.PRIVACY, LocalTrouble(msg))
    return Check(Topic.PRIVACY, subject=str(path))


def _space(path: Path) -> Check:
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    size = path.stat().st_size if path.exists() else 0
    free, wanted = shutil.disk_usage(folder).free, max(ROOM, 2 * size)  # prune writes it anew
    if free < wanted:
        msg = f"{folder} has {free >> 20:,} MiB free, and {wanted >> 20:,} are wanted: free some"
        return _failed(Topic.SPACE, LocalTrouble(msg))
    return Check(Topic.SPACE, subject=str(folder), found=free)


def _of_service(way: Connection, now: Callable[[], datetime]) -> Iterator[Check]:
    pause = max(way.pace.pauses().values())
    yield Check(Topic.PACE, found=timedelta(seconds=pause))
    silent = False
    dates: dict[str, str | None] = {}
    for host, reach in _hosts(way):
        try:
            dates[host] = reach()
            yield Check(Topic.NETWORK, subject=host)
        except SsprAuditError as error:
            silent = True
            yield _failed(Topic.NETWORK, error, host)
    yield _clock(dates, now())
    later = (Topic.PERMISSION, Topic.LICENCE)
    if silent:
        yield from _skipped((Topic.SIGN_IN, *later), "the network comes first")
        return
    try:
        way.sign_in.token()
    except SsprAuditError as error:
        yield replace(_failed(Topic.SIGN_IN, error), wants_consent=_code(error) == "AADSTS65001")
        yield from _skipped(later, "the sign-in comes first")
        return
    yield Check(Topic.SIGN_IN, subject=way.app.auth)
    yield from _rights(way)


def _hosts(way: Connection) -> Iterator[tuple[str, Callable[[], str | None]]]:
    from sspr_audit.sources.graph import reaching

    if way.app.auth != "managed-identity":  # which signs in at its own machine
        yield _host(way.app.authority), lambda: reaching.authority(way.app, way.http)

    def graph() -> str | None:
        way.pace.wait("directory")
        return reaching.graph(way.app, way.http)

    yield _host(way.app.graph), graph


def _host(root: str) -> str:
    return root.removeprefix("https://")


def _clock(dates: Mapping[str, str | None], now: datetime) -> Check:
    from sspr_audit.sources.graph import skew

    for host, date in dates.items():
        found = skew.skew(date, now)
        if found is not None:
            if abs(found) > skew.BEARABLE:
                return _failed(Topic.CLOCK, skew.wrong(found, host))
            return Check(Topic.CLOCK, subject=host, found=found)
    return Check(Topic.CLOCK, State.SKIPPED, reason="no service told the time")


def _rights(way: Connection) -> Iterator[Check]:
    """Ask for one record of each collection, and see what the licence is by the answers."""
    licence = Check(Topic.LICENCE, State.SKIPPED, reason="only the sign-in log would show it")
    for collection in (AUDITS, *CONTEXT):
        check, code = _right(way, collection)
        yield check
        if collection is SIGN_INS and check.state is State.PASSED:
            licence = Check(Topic.LICENCE, found=RETENTION)
        elif collection is SIGN_INS and code == NON_PREMIUM:
            licence = Check(Topic.LICENCE, found=FREE_RETENTION)
    yield licence


def _right(way: Connection, collection: Collection) -> tuple[Check, str]:
    """Return whether a collection can be read, and Graph's code where it cannot."""
    small = collection if collection.page_size is None else replace(collection, page_size=1)
    here = Check(Topic.PERMISSION, subject=f"{collection.permission} ({collection.name})")
    try:
        next(way.graph.pages(small, small.query, kind=KIND))
    except (Refused, NotOffered) as error:
        lacks = isinstance(error, Refused) and error.code != NON_PREMIUM
        here = replace(here, without=collection.without, wants_consent=lacks)
        if collection is AUDITS:
            failed = replace(here, state=State.FAILED, reason=str(error))
            return replace(failed, exit_code=error.exit_code), error.code
        why = "not granted" if lacks else "not offered here"
        if error.code == NON_PREMIUM:
            why = "needs a licence for Entra ID P1 or P2"
        reason = f"{why} ({error.code})"
        return replace(here, state=State.SKIPPED, reason=reason), error.code
    except SsprAuditError as error:
        return _failed(Topic.PERMISSION, error, here.subject), ""
    return here, ""


def _code(error: SsprAuditError) -> str:
    return error.code if isinstance(error, Refused) else ""


def _failed(topic: Topic, error: SsprAuditError, subject: str = "") -> Check:
    return Check(topic, State.FAILED, subject, reason=str(error), exit_code=error.exit_code)


def _skipped(topics: Iterator[Topic] | tuple[Topic, ...], reason: str) -> Iterator[Check]:
    for topic in topics:
        yield Check(topic, State.SKIPPED, reason=reason)
