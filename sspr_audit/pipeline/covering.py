"""What of a report's window the store has whole, as its ledger says: contract §3 and §4.3."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sspr_audit.knowledge import Knowledge
from sspr_audit.model import Coverage, Gap, Window
from sspr_audit.pipeline.outstanding import covered, window_of
from sspr_audit.sources.graph import queries, windows
from sspr_audit.sources.graph.collections import AUDITS
from sspr_audit.store import coverage
from sspr_audit.store.coverage import Entry

if TYPE_CHECKING:
    import duckdb

NOT_YET = "not fetched yet"
UNSETTLED = "read before late records had time to come"
NEVER = "not fetched"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What arrived in the store from Graph, and what could not be had."""

    entries: tuple[Entry, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Covering:
    """What a report on a window may say of its data."""

    coverage: Coverage
    filter: str | None
    """What the service was asked beside the time for some of it; None for nothing."""
    runs: tuple[Window, ...]
    """All that is covered, in the window and outside of it, oldest first."""

    @property
    def edge(self) -> datetime | None:
        """Where what is covered ends: the edge that decides whether a flow is still open."""
        return self.runs[-1].end if self.runs else None

    def start(self, window: Window) -> datetime | None:
        """Return where the data begin that hold the window's first covered moment."""
        return next((run.start for run in self.runs if run.end > window.start), None)

    def holds(self, window: Window) -> bool:
        """Say whether all of a window is covered, so that its counts can be compared."""
        return not windows.missing([window], self.runs)


def ledger(store: duckdb.DuckDBPyConnection) -> Ledger:
    """Return the ledger of a store, to be read from the same connection as the records."""
    name = AUDITS.name
    return Ledger(coverage.entries(store, name), coverage.gaps(store, name))


def covering(
    window: Window, known: Ledger, *, now: datetime, knowledge: Knowledge
) -> Covering | None:
    """Return what of the window is covered; None where nothing was ever fetched."""
    if not known.entries:
        return None
    narrow = queries.narrow(queries.clauses(knowledge))
    runs = covered(known.entries, narrow)
    wanted = windows.until(window, now)
    there = [] if wanted is None else [wanted]
    settling = windows.common(there, _settling(known.entries, narrow, now))
    spans = windows.missing(windows.common(there, runs), settling)
    holes = windows.missing(there, [*spans, *settling])
    gaps = tuple(gap for hole in holes for gap in _explained(hole, known, runs, narrow))
    return Covering(
        coverage=Coverage(
            complete=not gaps,
            spans=tuple((one.start, one.end) for one in spans),
            gaps=gaps,
            settling=(settling[-1].start, settling[-1].end) if settling else None,
        ),
        filter=narrow if windows.missing(spans, covered(known.entries, "")) else None,
        runs=runs,
    )


def _settling(entries: Iterable[Entry], narrow: str, now: datetime) -> tuple[Window, ...]:
    """Return what was read of the time before `now` that may still be joined by late records."""
    read = [one.read for one in entries if one.answers(narrow)]
    return windows.common(read, [Window(now - windows.SETTLE, now)])[-1:]


def _explained(
    hole: Window, known: Ledger, runs: tuple[Window, ...], narrow: str
) -> tuple[Gap, ...]:
    """Return the pieces of a hole in the coverage, each with why it is one."""
    told = [
        Gap(one.start, one.end, gap.reason)
        for gap in known.gaps
        for one in windows.common([hole], [window_of(gap)])
    ]
    rest = windows.missing([hole], map(window_of, told))
    read = [one.read for one in known.entries if one.answers(narrow)]
    early = windows.common(rest, read)
    told += [Gap(one.start, one.end, UNSETTLED) for one in early]
    for one in windows.missing(rest, early):
        is_new = not runs or one.start >= runs[-1].end
        told.append(Gap(one.start, one.end, NOT_YET if is_new else NEVER))
    return tuple(sorted(told, key=lambda gap: gap.start))
