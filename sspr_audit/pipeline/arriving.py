"""The records of one window on their way into the store: all of them with their coverage, or none.

The database is open for that one transaction only; until then they wait in a scratch database and
in a spool.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Batch, Form, Layout
from sspr_audit.normalize import events as normalize
from sspr_audit.normalize import records
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.pipeline.spool import Spool
from sspr_audit.pipeline.storing import fetch_rivals, move_audit, set_aside
from sspr_audit.store import NoStore, coverage
from sspr_audit.store.times import naive

if TYPE_CHECKING:
    import duckdb

TOGETHER: Final = 10_000
"""Records that are taken apart in one go: few enough for memory, enough to be quick."""

TOGETHER_BYTES: Final = 32 << 20
"""The same in bytes: a record of changed policies can be a thousand times as long as others."""


@dataclass(frozen=True, slots=True)
class Late:
    """Records that came after their time had been covered, and how late after it they were."""

    count: int
    least: timedelta
    """None of them was there sooner than this after it was written."""
    most: timedelta
    """All of them were there when this had passed."""

    def __or__(self, other: Late | None) -> Late:
        if other is None:
            return self
        least, most = min(self.least, other.least), max(self.most, other.most)
        return Late(self.count + other.count, least, most)


@dataclass(slots=True)
class Arriving:
    """The records of a window, before anything of it is in the store."""

    connection: duckdb.DuckDBPyConnection
    spool: Spool
    taken: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    """Records that cannot be read, by reason."""
    waiting: list[bytes] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many records came so far."""
        return self.taken + len(self.waiting)

    def add(self, texts: Iterable[bytes]) -> None:
        """Take the records of a page. Raises LocalTrouble or OSError where the disk is full."""
        self.waiting += texts
        is_much = sum(map(len, self.waiting)) >= TOGETHER_BYTES
        if is_much or len(self.waiting) >= TOGETHER:
            self._take_apart()

    def _take_apart(self) -> None:
        import pyarrow as pa

        count = len(self.waiting)
        numbers = pa.array(range(self.taken, self.taken + count), pa.int64())
        texts = pa.array(self.waiting, pa.binary()).cast(pa.string())
        files = pa.repeat(pa.scalar(0, pa.int32()), count)
        batch = Batch(Layout(Form.GRAPH), texts, numbers, files, numbers)
        self.waiting = []
        self.taken += count
        misread, misfits = records.add(self.connection, self.spool.keeping([batch]))
        self.skipped.update([fault.reason for _, fault in misread])
        self.skipped.update([why for *_, why in misfits])

    def land(
        self, keeper: Keeper, entry: coverage.Entry, earlier: Sequence[coverage.Entry]
    ) -> tuple[int, Late | None]:
        """Store what is new, with the entry, in one transaction; return how many, and the late.

        `earlier` is what had arrived before this run. For who holds the store's lock.
        Raises LocalTrouble.
        """
        if not self.count:
            with keeper.store.writing() as store:
                coverage.add(store, entry)
            return 0, None
        if self.waiting:
            self._take_apart()
        with suppress(NoStore):
            fetch_rivals(self.connection, keeper)
        self.connection.execute(
            "CREATE TABLE known AS SELECT DISTINCT record_id FROM audit WHERE file < 0"
        )
        normalize.drop_repeats(self.connection)
        late = _late(self.connection, entry, earlier)
        set_aside(self.connection, self.spool)
        with keeper.store.writing() as store:
            new = move_audit(self.connection, self.spool, store)
            coverage.add(store, entry)
        return new, late


@contextmanager
def arriving() -> Iterator[Arriving]:
    """Yield what takes the records of a window; what has not landed at the end is gone."""
    with engine.scratch() as connection, Spool() as spool:
        records.prepare(connection)
        yield Arriving(connection, spool)


_LATE: Final = """
WITH new AS (
    SELECT a.time_utc::TIMESTAMP AS written, max(e.fetched_utc) AS asked
    FROM audit a JOIN earlier e ON a.time_utc >= e.start_utc AND a.time_utc < e.end_utc
    WHERE a.file >= 0
        AND a.record_id NOT IN (FROM known)  -- what replaces a shorter text is not new
    GROUP BY a.seq, written)
SELECT count(*), min(asked - written), $fetched - min(written) FROM new
"""


def _late(
    connection: duckdb.DuckDBPyConnection,
    entry: coverage.Entry,
    earlier: Sequence[coverage.Entry],
) -> Late | None:
    """Return which of the new records an earlier fetch should have brought, had they been there."""
    import pyarrow as pa

    near = [
        one
        for one in earlier
        if one.answers(entry.filter) and one.start < entry.read_to and entry.start < one.end
    ]
    if not near:
        return None
    kind = pa.timestamp("us")
    times = {
        "start_utc": pa.array([naive(one.start) for one in near], kind),
        "end_utc": pa.array([naive(one.end) for one in near], kind),
        "fetched_utc": pa.array([naive(one.fetched) for one in near], kind),
    }
    with engine.lent(connection, earlier=pa.table(times)):
        ((count, least, most),) = engine.rows(connection, _LATE, {"fetched": naive(entry.fetched)})
    return Late(count, least, most) if count else None
