"""`fetch`: what the store lacks of the tenant's audit log, window by window, the newest first.

Each window lands with its coverage in one transaction, so that Ctrl-C or a crash costs the window
in flight and nothing else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sspr_audit.errors import UsageError
from sspr_audit.model import Clock, Window
from sspr_audit.pipeline import narrowing
from sspr_audit.pipeline.arriving import Late, arriving
from sspr_audit.pipeline.fetched import Fetched, SoFar, Wishes
from sspr_audit.pipeline.keeping import Keeper, upgrade
from sspr_audit.pipeline.narrowing import PROBE, Verdict, Word
from sspr_audit.pipeline.outstanding import Outstanding, window_of, without
from sspr_audit.pipeline.pieces import Pieces
from sspr_audit.sources.graph import queries, windows
from sspr_audit.sources.graph.collections import AUDITS
from sspr_audit.sources.graph.errors import ChainBroken, NotOffered, TooHeavy
from sspr_audit.store import NoStore, claim, coverage

__all__ = ["Fetched", "SoFar", "Wishes", "fetch"]

if TYPE_CHECKING:
    from sspr_audit.sources.graph.client import Graph


def fetch(
    keeper: Keeper,
    graph: Graph,
    clock: Clock,
    wishes: Wishes,
    tell: Callable[[SoFar], None] = lambda _: None,
) -> Fetched:
    """Bring into the store what it lacks of the audit records that are wanted.

    Raises UsageError for an empty span, SettingsError for another tenant's store, StoreBusy, and
    what client.Graph.pages and reading.read raise; what had landed by then stays.
    """
    now = (wishes.now or clock.now()).astimezone(UTC)
    until = min(wishes.until or now, now)
    if wishes.since >= until:
        msg = f"nothing lies between {wishes.since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC"
        raise UsageError(msg)
    with keeper.held("fetch"):
        with suppress(NoStore):
            upgrade(keeper)
        run = _Run(keeper, graph, clock, wishes, tell)
        run.go(Window(wishes.since, until), now)
        return run.ended()


class _Run:
    """One fetch: what it may ask, and what came of it so far."""

    outstanding: Outstanding

    def __init__(
        self,
        keeper: Keeper,
        graph: Graph,
        clock: Clock,
        wishes: Wishes,
        tell: Callable[[SoFar], None],
    ) -> None:
        self.keeper, self.graph, self.clock, self.tell = keeper, graph, clock, tell
        self.tenant_id, self.collection = wishes.tenant_id, AUDITS
        self.clauses = () if wishes.all_audits else queries.clauses(wishes.knowledge)
        self.narrow = queries.narrow(self.clauses)
        self.verdict: Verdict | None = None
        self.is_tested = False
        """Whether the verdict is of this run."""
        self.pieces = Pieces()
        self.records = self.new = self.pages = self.needed = 0
        self.late: Late | None = None
        self.skipped: Counter[str] = Counter()
        self.requests_before, self.waited_before = Counter(graph.requests), graph.waited

    @property
    def filter(self) -> str:
        """The filter that may be used by now."""
        is_proved = self.verdict is not None and self.verdict.word is Word.PROVED
        return self.narrow if is_proved else ""

    @property
    def requests(self) -> Counter[str]:
        """What this run has sent, by kind."""
        return Counter(self.graph.requests) - self.requests_before

    def go(self, wanted: Window, now: datetime) -> None:
        """Ask for window after window until nothing is left to ask for."""
        self._begin(wanted, now)
        while left := self.outstanding.left(self.filter, self.clock.now()):
            window = self.pieces.newest(left[-1])
            used, rows = self.filter, self._brought(window, left)
            # Without a verdict, each whole window is a chance of one; and a narrow query that
            # brings nothing is in doubt, once a run.
            is_open = self.verdict is not None and self.verdict.word is Word.UNDECIDED
            if rows is not None and (is_open or (used and not rows and not self.is_tested)):
                self._test()
            if self.filter != used:
                self.pieces.begin_anew()

    def _begin(self, wanted: Window, now: datetime) -> None:
        name = self.collection.name
        with self.keeper.store.writing() as store:
            claim(store, [self.tenant_id.lower()], self.tenant_id)
            earlier = coverage.entries(store, name)
            self.verdict = narrowing.kept(store, name) if self.clauses else None
            daily = coverage.last_reread(store, name, windows.DAILY / timedelta(hours=1))
        is_due = daily is None or not timedelta() <= now - daily < timedelta(days=1)
        self.outstanding = Outstanding(
            wanted,
            earlier,
            now=now,
            kept=windows.RETENTION,
            again=windows.DAILY if is_due else windows.OVERLAP,
        )
        self.outstanding.kept = self._retention(now)
        if self.clauses and not (self.verdict and self.verdict.stands(self.narrow, now)):
            self._test()

    def _retention(self, now: datetime) -> timedelta:
        """Return how long the service keeps this tenant's records, where that matters here."""
        from sspr_audit.sources.graph import reading

        hour = timedelta(hours=1)  # the service is not exact about its oldest record
        old = Window(now - windows.RETENTION, now - windows.FREE_RETENTION - hour)
        left = self.outstanding.left(self.narrow, now)
        if windows.common(left, [old]):
            with suppress(TooHeavy):
                if not reading.has_any(self.graph, old, kind=PROBE):
                    return windows.FREE_RETENTION
        return windows.RETENTION

    def _test(self) -> None:
        """Hold the narrow query against what is known whole, and keep what that shows."""
        whole = self.outstanding.whole()
        verdict = narrowing.tested(self.graph, self.keeper, self.clauses, whole, self.clock.now())
        self.is_tested = verdict.word is not Word.UNDECIDED
        if self.is_tested:
            self._decided(verdict)
        else:
            self.verdict = verdict  # kept when the run ends, which opens the store anyway

    def _decided(self, verdict: Verdict) -> None:
        """Keep a verdict at once: what is asked for, and what is covered, follows from it."""
        with self.keeper.store.writing() as store:
            narrowing.keep(store, self.collection.name, verdict)
        self.verdict = verdict

    def _brought(self, window: Window, left: tuple[Window, ...]) -> int | None:
        """Bring a window into the store; return its records, None where it did not come whole."""
        try:
            return self._arrived(window, left)
        except (TooHeavy, ChainBroken) as error:
            if not self.pieces.failed(window, error):
                self.outstanding.fail(window, str(error))
        except NotOffered as error:
            if not self.filter:
                raise
            why = f"Graph does not take it any more ({error.status} {error.code})"
            self._decided(Verdict(self.narrow, Word.REFUTED, why, self.clock.now()))
        return None

    def _arrived(self, window: Window, left: tuple[Window, ...]) -> int | None:
        from sspr_audit.sources.graph import reading

        asked = self.clock.now()
        clauses = self.clauses if self.filter else ()
        request_ids: list[str] = []
        with arriving() as records:
            for number, part in enumerate(reading.read(self.graph, window, clauses), 1):
                self.pages += 1
                self.pieces.gave_page()
                begins = number == 1 and not part.is_last
                if begins and part.reached and self.pieces.is_too_long(window, part.reached):
                    return None
                records.add(part.texts)
                request_ids.append(part.request_id or "")
                self._told(window, part.reached, left, records.count)
            settled = windows.until(window, self.outstanding.edge)
            entry = coverage.Entry(
                collection=self.collection.name,
                filter=self.filter,
                start=window.start,
                end=settled.end if settled else window.start,
                read_to=window.end,
                fetched=asked,
                rows=records.count,
                pages=len(request_ids),
                request_ids=tuple(request_ids),
            )
            new, late = records.land(self.keeper, entry, self.outstanding.earlier)
        self.outstanding.land(entry)
        self.pieces.came(window, entry.pages)
        self.records += entry.rows
        self.new += new
        self.needed += max(1, math.ceil(entry.rows / (self.collection.page_size or 1)))
        self.late = late | self.late if late else self.late
        self.skipped += records.skipped
        return entry.rows

    def _told(
        self, window: Window, reached: datetime | None, left: tuple[Window, ...], records: int
    ) -> None:
        done = sum((one.read_to - one.start for one in self.outstanding.here), timedelta())
        ahead = sum((one.end - one.start for one in left), timedelta())
        self.tell(
            SoFar(
                done=done + (reached - window.start if reached else timedelta()),
                total=done + ahead,
                records=self.records + records,
                requests=self.requests.total(),
                waited=self.graph.waited - self.waited_before,
            )
        )

    def ended(self) -> Fetched:
        """Write down what was done, and return it."""
        name, requests, late = self.collection.name, self.requests, self.late
        gaps = self.outstanding.gaps(self.filter)
        known = [*self.outstanding.covered(self.filter), *map(window_of, gaps)]
        is_reread = self.outstanding.wanted.end > self.outstanding.edge
        done = coverage.Fetch(
            at=self.outstanding.now,
            collection=name,
            filter=self.filter,
            reread_h=self.outstanding.again / timedelta(hours=1) if is_reread else 0.0,
            records=self.records,
            kept=self.new,
            late=late.count if late else 0,
            late_least_s=late.least.total_seconds() if late else None,
            late_most_s=late.most.total_seconds() if late else None,
            requests=requests,
        )
        with self.keeper.store.writing() as store:
            still = [left for old in coverage.gaps(store, name) for left in without(old, known)]
            coverage.keep_gaps(store, name, [*still, *gaps])
            if self.verdict and self.verdict.word is Word.UNDECIDED:
                narrowing.keep(store, name, self.verdict)
            coverage.log(store, done)
        return Fetched(
            records=self.records,
            new=self.new,
            windows=len(self.outstanding.here),
            pages=self.pages,
            needed=self.needed,
            requests=requests,
            waited=self.graph.waited - self.waited_before,
            gaps=gaps,
            late=late,
            filter=self.filter,
            verdict=self.verdict,
            skipped=self.skipped,
        )
