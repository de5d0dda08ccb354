"""The table `audit`, however it was filled → one Report, and the frames behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import sspr_audit
from sspr_audit import engine, flows, tables
from sspr_audit.errors import UsageError
from sspr_audit.evidence import change
from sspr_audit.evidence.material import material
from sspr_audit.knowledge import Cloud, Knowledge
from sspr_audit.model import (
    Account,
    Change,
    Coverage,
    Report,
    Site,
    Skipped,
    Told,
    Window,
)
from sspr_audit.normalize import contexts, locations
from sspr_audit.normalize import events as normalize
from sspr_audit.normalize.contexts import Beside
from sspr_audit.pipeline import judging, progress
from sspr_audit.pipeline.judging import Judged
from sspr_audit.report import build

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

BASELINE: Final = timedelta(days=90)
"""How far before the window's end judgement may look."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings and the command line say about how to read and judge."""

    knowledge: Knowledge
    now: datetime
    generated_at: datetime
    """What the report says of its own making; `now`, unless the environment fixes it."""
    start: datetime | None = None
    end: datetime | None = None
    sites: tuple[Site, ...] = ()
    client_types: Mapping[str, str] = field(default_factory=dict)
    flow_timeout: timedelta = timedelta(minutes=20)
    tenant_id: str | None = None
    cloud: Cloud | None = None
    tell_events: bool = False
    """Whether the events themselves are wanted, for a time line; a report does without."""
    changed: datetime | None = None
    """When something was changed, if the report is to say whether that helped."""


@dataclass(frozen=True, slots=True)
class Read:
    """What filled `audit`: counts that only the reading knows."""

    records_read: int
    context_records: Mapping[str, int]
    duplicates: int
    skipped: tuple[Skipped, ...] = ()
    files_ignored: tuple[str, ...] = ()
    faulty: bool = False
    """Whether something that was asked for could not be read whole."""
    remarks: tuple[str, ...] = ()
    """What the person should hear about files that were not read."""
    beside: Beside = field(default_factory=Beside)
    """What filled `context`."""
    told: Told | None = None
    """What a report on the period before found, where the store knows of one."""


@dataclass(frozen=True, slots=True, repr=False)
class Analysis:
    """A report with the frames it was made from."""

    report: Report
    events: pd.DataFrame | None
    """Only where `tell_events` was asked for."""
    flows: pd.DataFrame
    acts: pd.DataFrame
    options: Options
    """By which it was read and judged."""
    data: Span
    """Where the data lie."""
    complete: bool
    """Whether nothing that was asked for is missing."""
    remarks: tuple[str, ...] = ()
    judged: Judged = field(default_factory=Judged)

    def __repr__(self) -> str:
        totals, window = self.report.totals, self.report.window
        span = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC"
        return f"<Analysis {span}: {totals.flows} flows, {len(self.report.findings)} findings>"

    def _repr_html_(self) -> str:
        """Return the verdict and the findings, for a notebook."""
        from sspr_audit.report import glance

        return glance.html(self.report)


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last time of the audit records, UTC; the window that a report covers."""

    first: datetime
    last: datetime
    window: Window
    covered: tuple[tuple[datetime, datetime], ...] = ()
    """From the first to the last record; nothing where there is none."""
    fetched: Coverage | None = None
    """What the ledger of a store says instead; None for files, and where nothing was fetched."""
    filter: str | None = None
    """What the service was asked beside the time for some of it."""
    holds_before: bool | None = None
    """Whether the ledger covers all of the period before the window; None where there is none."""


def located(options: Options, texts: Iterable[str]) -> Options:
    """Return the options with the sites of named locations, which come after the settings' own."""
    return replace(options, sites=(*options.sites, *locations.sites(texts)))


def span(connection: duckdb.DuckDBPyConnection, options: Options) -> Span:
    """Return where the data lie and which window to report; raises UsageError for an empty one.

    Unless the options say otherwise, the window goes from the first record, floored to the second,
    to the last plus one second.
    """
    ((first, last),) = engine.rows(
        connection,
        # Cut, where a cast would round.
        "SELECT make_timestamp(epoch_ns(min(time_utc)) // 1000),"
        " make_timestamp(epoch_ns(max(time_utc)) // 1000) FROM audit",
    )
    start, end = options.start, options.end
    if first is None:
        end = end or options.now
        window = Window(start or end - timedelta(days=7), end)
        return Span(window.start, window.end, window)
    first, last = first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    start, end = start or first.replace(microsecond=0), end or last + timedelta(seconds=1)
    if start >= end:
        msg = f"--until lies before the first record ({first:%Y-%m-%dT%H:%M:%SZ})"
        raise UsageError(msg)
    return Span(first, last, Window(start, end), ((first, last),))


def derive(connection: duckdb.DuckDBPyConnection, options: Options, data: Span) -> None:
    """Make the tables `events`, `flows` and `acts` from `audit`."""
    normalize.make(
        connection, options.knowledge, sites=options.sites, client_types=options.client_types
    )
    flows.make(
        connection,
        data_start=data.first.replace(tzinfo=None),
        edge=data.last.replace(tzinfo=None),
        flow_timeout=options.flow_timeout,
    )


def analysed(
    connection: duckdb.DuckDBPyConnection, options: Options, read: Read, data: Span
) -> Analysis:
    """Return the report on the window, from `events`, `flows` and `acts`."""
    window = data.window
    baseline = Window(min(max(data.first, window.end - BASELINE), window.start), window.end)
    bounds = window.naive
    until = {"end": bounds["end"]}
    of_flows = tables.FLOWS.shape(engine.fetch(connection, _FLOWS, until))
    at = options.changed
    changed = compared(at, of_flows, data) if at else None  # a wrong time is told before the work
    acts = tables.ACTS.shape(engine.fetch(connection, _ACTS, until))
    events = None
    if options.tell_events:
        events = tables.EVENTS.shape(engine.fetch(connection, _EVENTS, bounds))
    before = window.before
    context = contexts.frames(
        connection, sites=options.sites, baseline=baseline, beside=read.beside
    )
    judged = judging.judged(
        connection,
        material(
            of_flows,
            acts,
            tables.EVENTS.shape(engine.fetch(connection, _CHANGES, until)),
            context=context,
            sites=locations.by_name(options.sites),
            window=window,
            baseline=baseline,
            until=min(window.end, data.last),
            numbers=options.knowledge.weights.numbers,
        ),
        options.knowledge,
        cloud=options.cloud,
    )
    # One old record is no proof of all that came between: the ledger goes first.
    is_whole = data.first <= before.start if data.holds_before is None else data.holds_before
    judged, changes = progress.followed(
        connection,
        options.knowledge,
        judged,
        of_flows,
        window,
        cloud=options.cloud,
        first=baseline.start,
        is_whole=is_whole,
        has_gaps=read.faulty or bool(data.fetched and data.fetched.complete is False),
        told=read.told,
    )
    report = build.build(
        version=sspr_audit.__version__,
        now=options.generated_at,
        window=window,
        baseline=baseline,
        tenant_id=options.tenant_id or _tenant(connection),
        cloud=options.cloud.name if options.cloud else None,
        flows=of_flows,
        acts=acts,
        reasons=flows.reasons(connection, **bounds),
        account=_account(connection, window, _without_unread(read, context.unread), data.filter),
        coverage=data.fetched or Coverage(complete=None, spans=data.covered),
        previous=before if is_whole else None,
        unrecognized=normalize.unrecognized(connection, **bounds),
        findings=judged.findings,
        unobservable=judged.unobservable,
        changed=changed,
        progress=changes,
    )
    whole = not (read.faulty or report.account.skipped)
    complete = whole and report.coverage.complete is not False
    return Analysis(report, events, of_flows, acts, options, data, complete, read.remarks, judged)


def compared(at: datetime, of_flows: pd.DataFrame, data: Span) -> Change:
    """Return whether a change helped; raises UsageError where nothing was read before or after."""
    # A store may hold more than was asked of it.
    first = max(data.first, data.window.end - BASELINE) if data.fetched else data.first
    last = data.last if data.fetched else data.last + timedelta(seconds=1)  # a record's own second
    end = min(data.window.end, last)
    if not first < at < end:
        there, *edges = (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (at, first, end))
        if there in edges:  # it lies outside by less than a second
            there, *edges = (one.isoformat().replace("+00:00", "Z") for one in (at, first, end))
        msg = f"--changed {there} must lie inside what is read ({edges[0]} to {edges[1]})"
        raise UsageError(msg)
    return change.measured(of_flows, at=at, first=first, end=end)


_FLOWS: Final = "SELECT * FROM flows WHERE start_utc < $end"
_CHANGES: Final = "SELECT * FROM events WHERE role = 'policy' AND time_utc < $end"
_ACTS: Final = "SELECT * FROM acts WHERE time_utc < $end"
_EVENTS: Final = """
SELECT * FROM events
WHERE flow_id IN (SELECT flow_id FROM flows WHERE start_utc >= $start AND start_utc < $end)
    OR (flow_id IS NULL AND time_utc >= $start AND time_utc < $end)
ORDER BY time_utc, rank, event_id
"""


def _without_unread(read: Read, unread: Mapping[str, int]) -> Read:
    """Return what was read with sign-ins of which nothing can be used among the skipped.

    Devices without an id are many, and none of ours.
    """
    lost = unread.get("signIns", 0)
    if not lost:
        return read
    kept = {**read.context_records, "signIns": read.context_records["signIns"] - lost}
    told = Skipped("signIns: no time that is understood, or nobody who signed in", lost, "")
    return replace(read, context_records=kept, skipped=(*read.skipped, told))


def _account(
    connection: duckdb.DuckDBPyConnection, window: Window, read: Read, asked: str | None
) -> Account:
    here, total = _counts(connection, "audit", window)
    events, _ = _counts(connection, "events", window)
    return Account(
        records_read=read.records_read,
        events=events,
        other_records=here - events,
        context_records=read.context_records,
        outside_window=total - here,
        duplicates=read.duplicates,
        id_conflicts=normalize.id_conflicts(connection),
        skipped=read.skipped,
        files_ignored=read.files_ignored,
        filter=asked,
    )


def _counts(connection: duckdb.DuckDBPyConnection, table: str, window: Window) -> tuple[int, int]:
    """Count the rows of `table` inside the window, and all."""
    query = (
        f"SELECT count(*) FILTER (time_utc >= $start AND time_utc < $end), count(*) FROM {table}"  # noqa: S608
    )
    ((here, total),) = engine.rows(connection, query, window.naive)
    return int(here), int(total)


def _tenant(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return the tenant that the records name, if they name exactly one."""
    rows = engine.rows(
        connection,
        "SELECT DISTINCT lower(tenant_id) FROM audit WHERE tenant_id IS NOT NULL LIMIT 2",
    )
    return str(rows[0][0]) if len(rows) == 1 else None
