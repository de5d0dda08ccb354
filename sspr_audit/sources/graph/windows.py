"""Which spans of time to ask for, and in pieces of what length. Nothing here asks.

Time windows, not cursors: the service has no field for when a record came to be readable, and a
next link leads nowhere after some minutes. All times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sspr_audit.model import Window

SETTLE: Final = timedelta(minutes=30)
"""Records younger than this may still be joined by late ones, so they never count as covered."""

OVERLAP: Final = timedelta(hours=2)
"""What is read again in every run, before the settling time: a record can be later than usual."""

DAILY: Final = timedelta(hours=48)
"""What is read again once a day."""

RETENTION: Final = timedelta(days=30)
"""How long the service keeps records for a tenant with Entra ID P1 or P2.

https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-reports-data-retention
"""

FREE_RETENTION: Final = timedelta(days=7)
"""The same for a tenant without."""

PAGES: Final = 20
"""Pages of a window that is neither small nor long: what is lost when a chain of pages breaks."""

SHORTEST: Final = timedelta(minutes=1)
"""No window is halved any further."""

GROWTH: Final = 4
"""How many times as long as the last window the next one may be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run asks for. The spans of each are apart from each other, oldest first."""

    ask: tuple[Window, ...]
    lost: tuple[Window, ...]
    """Wanted, not covered, and older than what the service keeps."""
    edge: datetime
    """Up to here an answer counts as covered."""


def plan(
    wanted: Window, covered: Iterable[Window], *, now: datetime, kept: timedelta, again: timedelta
) -> Plan:
    """Return what to ask for so that `wanted` is covered.

    `kept` is how long the service keeps records. Where `wanted` reaches into the settling time,
    the span of length `again` before it is read once more, as far as it is wanted or covered.
    What lies after `now` is not there yet, and is left out.
    """
    covered = merged(covered)
    edge, oldest = now - SETTLE, now - kept
    there = common([wanted], [Window(oldest, now)])
    before = missing([wanted], [Window(oldest, max(now, wanted.end))])
    ask = missing(there, covered)
    if there and there[0].end > edge:
        late = Window(max(edge - again, oldest), there[0].end)
        ask = merged([*ask, *common([late], [*covered, *there])])
    return Plan(ask, missing(before, covered), edge)


def merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Return the same times as few windows, oldest first."""
    found: list[Window] = []
    for window in sorted(windows):
        if found and window.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, window.end))
        else:
            found.append(window)
    return tuple(found)


def missing(wanted: Iterable[Window], covered: Iterable[Window]) -> tuple[Window, ...]:
    """Return the times that are wanted and not covered, oldest first."""
    holes = list(merged(wanted))
    for one in merged(covered):
        left = []
        for hole in holes:
            before, after = min(hole.end, one.start), max(hole.start, one.end)
            left += [Window(hole.start, before)] if hole.start < before else []
            left += [Window(after, hole.end)] if after < hole.end else []
        holes = left
    return tuple(holes)


def common(some: Iterable[Window], others: Iterable[Window]) -> tuple[Window, ...]:
    """Return the times that are in both, oldest first."""
    some = merged(some)
    return missing(some, missing(some, others))


def until(window: Window, end: datetime) -> Window | None:
    """Return the part of a window before `end`; None where there is none."""
    return Window(window.start, min(window.end, end)) if window.start < end else None


def newest(span: Window, length: timedelta | None) -> Window:
    """Return the last part of a span that is at most so long; None: all of it."""
    if length is None or length >= span.end - span.start:
        return span
    return Window(span.end - length, span.end)


def too_long(window: Window, reached: datetime) -> timedelta | None:
    """Return how long a window of PAGES pages would be, where this one has more than twice that.

    `reached` is the time of the last record on the first of several pages in order of time.
    """
    a_page, length = reached - window.start, window.end - window.start
    if a_page * (2 * PAGES) >= length or length <= SHORTEST:
        return None
    return max(SHORTEST, a_page * PAGES)


def next_length(window: Window, pages: int) -> timedelta:
    """Return how long the next window should be, after one that came whole in so many pages."""
    length = window.end - window.start
    return max(SHORTEST, min(length / max(pages, 1) * PAGES, length * GROWTH))


def shorter(window: Window, *, parts: int = 2) -> timedelta | None:
    """Return a part of its length, for a window that the service did not bear; None: no less."""
    length = window.end - window.start
    return max(SHORTEST, length / parts) if length > SHORTEST else None
