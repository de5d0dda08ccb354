"""What a fetch still has to ask for, whatever filter it may use by now. Nothing here asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sspr_audit.model import Gap, Window
from sspr_audit.sources.graph import windows
from sspr_audit.sources.graph.windows import Plan
from sspr_audit.store.coverage import Entry

SLACK: Final = timedelta(minutes=5)
"""How far the oldest record may have moved on in a run before a window there counts as lost."""


class Outstanding:
    """The spans that are wanted, and what became of them. Times are UTC."""

    def __init__(
        self,
        wanted: Window,
        earlier: Iterable[Entry],
        *,
        now: datetime,
        kept: timedelta,
        again: timedelta,
    ) -> None:
        """`kept` and `again` as in windows.plan; `earlier` is what arrived before this run."""
        self.wanted, self.now, self.kept, self.again = wanted, now, kept, again
        self.earlier = tuple(earlier)
        self.here: list[Entry] = []
        """What arrived in this run."""
        self._unhad: list[Gap] = []
        self.edge = now - windows.SETTLE

    def covered(self, what: str) -> tuple[Window, ...]:
        """Return the times that are covered for a query with the filter `what`."""
        return covered([*self.earlier, *self.here], what)

    def whole(self) -> tuple[Window, ...]:
        """Return the times of which every record is in the store that the service still keeps."""
        return windows.common(self.covered(""), [Window(self.now - self.kept, self.now)])

    def left(self, what: str, now: datetime) -> tuple[Window, ...]:
        """Return what is still to be asked for, oldest first; `now` is later than at the start.

        What the service has dropped meanwhile is noted as a gap.
        """
        done = [one.read for one in self.here if one.answers(what)]
        todo = windows.missing(self._plan(what).ask, [*done, *map(window_of, self._unhad)])
        kept_from = now - self.kept
        if todo and todo[0].start < kept_from - SLACK:
            for window in windows.common(todo, [Window(todo[0].start, kept_from)]):
                self.fail(window, self._too_old)
            todo = windows.missing(todo, map(window_of, self._unhad))
        return todo

    def land(self, entry: Entry) -> None:
        """Note that a window arrived whole."""
        self.here.append(entry)

    def fail(self, window: Window, reason: str) -> None:
        """Note that a window cannot be had in this run."""
        self._unhad.append(Gap(window.start, window.end, reason))

    def gaps(self, what: str) -> tuple[Gap, ...]:
        """Return what is missing of the settled time that was wanted, oldest first."""
        there = self.covered(what)
        unhad = [*self._unhad, *(_gap(one, self._too_old) for one in self._plan(what).lost)]
        left = [left for gap in unhad for left in without(gap, there)]
        settled = (cut(gap, self.edge) for gap in left)
        return tuple(sorted((gap for gap in settled if gap), key=lambda gap: gap.start))

    def _plan(self, what: str) -> Plan:
        return windows.plan(
            self.wanted, self.covered(what), now=self.now, kept=self.kept, again=self.again
        )

    @property
    def _too_old(self) -> str:
        return f"older than the {self.kept.days} days that the service keeps"


def covered(entries: Iterable[Entry], what: str) -> tuple[Window, ...]:
    """Return the times that entries cover for a query with the filter `what`."""
    return windows.merged(one for entry in entries if entry.answers(what) for one in entry.covered)


def window_of(gap: Gap) -> Window:
    """Return the time of a gap."""
    return Window(gap.start, gap.end)


def without(gap: Gap, spans: Iterable[Window]) -> tuple[Gap, ...]:
    """Return what is left of a gap outside of the spans, with its reason."""
    return tuple(_gap(one, gap.reason) for one in windows.missing([window_of(gap)], spans))


def cut(gap: Gap, end: datetime) -> Gap | None:
    """Return the part of a gap before `end`, with its reason; None where there is none."""
    left = windows.until(window_of(gap), end)
    return _gap(left, gap.reason) if left else None


def _gap(window: Window, reason: str) -> Gap:
    return Gap(window.start, window.end, reason)
