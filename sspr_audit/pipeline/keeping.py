"""The store: how to get hold of it, to bring it up to date, to describe it and to thin it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Batch, Layout
from sspr_audit.normalize import records
from sspr_audit.pipeline import stored_context
from sspr_audit.store import Info, Outdated, Store, Stored, agree, held, history
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MADE_BY: Final = " ".join([str(records.VERSION), *(f"{n} {kind}" for n, kind in AUDIT.items())])
"""What a store says of how its rows were derived: by which rules, into which columns."""

Talk = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Keeper:
    """The store, and how to get hold of it."""

    path: Path
    now: datetime
    talk: Talk
    wait: timedelta = timedelta(minutes=10)
    tenant: str | None = None
    """Whose records it must hold, as the settings name the tenant."""

    @property
    def store(self) -> Store:
        """The store itself; reading needs no more."""
        return Store(self.path, MADE_BY)

    def held(self, doing: str) -> AbstractContextManager[None]:
        """Hold the store's lock for a `with` block."""
        return held(self.path, wait=self.wait, doing=doing, now=self.now, talk=self.talk)


def info(keeper: Keeper) -> Info:
    """Return what the store holds; raises UsageError where there is none.

    Raises SettingsError where that is another tenant's.
    """
    found = keeper.store.info()
    agree(found.tenant_id, keeper.tenant)
    return found


def prune(keeper: Keeper, *, keep: timedelta) -> tuple[int, int]:
    """Drop audit records and sign-ins older than `keep`; return how many stayed and went.

    What else is known of the tenant has no time, and stays. Raises UsageError for no store.
    """
    before = (keeper.now - keep).replace(tzinfo=None)

    def young(batch: Stored) -> Stored:
        import pyarrow as pa
        import pyarrow.compute as pc

        if batch.is_context:
            days = pc.struct_field(pc.extract_regex(batch.texts, stored_context.SIGN_IN_DAY), "day")
            signin = pc.equal(batch.rows["kind"].combine_chunks(), "signIns")
            old = pc.and_(signin, pc.less(days, before.date().isoformat()))
        else:
            limit = pa.scalar(before, pa.timestamp("ns"))
            old = pc.less(batch.rows["time_utc"].combine_chunks(), limit)
        return batch.only(pc.invert(pc.fill_null(old, False)))  # noqa: FBT003

    def uncover(store: duckdb.DuckDBPyConnection) -> None:
        store.execute("DELETE FROM coverage WHERE end_utc <= $before", {"before": before})
        store.execute("DELETE FROM followed WHERE start_utc < $before", {"before": before})
        store.execute(
            "UPDATE coverage SET start_utc = greatest(start_utc, $before)", {"before": before}
        )
        history.prune(store, before)

    with keeper.held("prune"):
        upgrade(keeper)
        return keeper.store.remake(young, uncover)


def upgrade(keeper: Keeper) -> None:
    """Derive the rows anew from the raw texts, where an older version of this program did.

    For who holds the lock. Raises NoStore.
    """
    try:
        with keeper.store.reading():
            return
    except Outdated:
        keeper.talk(f"{keeper.path} was filled by an older version; reading its records again")
    lost = 0

    def again(batch: Stored) -> Stored:
        nonlocal lost
        if batch.is_context:
            return batch
        derived = _derived(batch)
        lost += derived.column("time_utc").null_count
        return Stored(batch.layout, batch.texts, derived)

    keeper.store.remake(again)
    if lost:
        keeper.talk(f"{lost:,} records cannot be read by this version; their texts are kept")


def _derived(batch: Stored) -> pa.Table:
    """Return the rows of the batch's texts; one that cannot be read has an id and nothing else."""
    import pyarrow as pa

    count = len(batch.texts)
    numbers = pa.array(range(count), pa.int64())
    layout = json.loads(batch.layout)
    layout["columns"] = tuple(layout["columns"])
    files = pa.nulls(count, pa.int32()).fill_null(0)
    hashes = batch.rows.select(["sha256"]).append_column("seq", numbers)
    columns = ", ".join(name for name in AUDIT if name not in ("record_id", "has_id", "facts"))
    with engine.scratch() as connection:
        records.prepare(connection)
        records.add(connection, [Batch(Layout(**layout), batch.texts, numbers, files, numbers)])
        with engine.lent(connection, hashes=hashes):
            rows = engine.fetch(
                connection,
                f"SELECT seq, sha256, {columns}, COALESCE(facts, 0)::UTINYINT AS facts,"  # noqa: S608
                " COALESCE(has_id, false) AS has_id,"
                " COALESCE(record_id, 'content:' || substr(sha256, 1, 16)) AS record_id"
                " FROM hashes LEFT JOIN audit USING (seq) ORDER BY seq",
            )
    return rows.drop_columns(["seq"])


@contextmanager
def reading(keeper: Keeper, *, is_held: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that cannot write, after an upgrade where the store needs one.

    That takes the lock, unless the caller has it: `is_held`. Raises NoStore.
    """
    with ExitStack() as stack:
        try:
            store = stack.enter_context(keeper.store.reading())
        except Outdated:
            with nullcontext() if is_held else keeper.held("upgrade"):
                upgrade(keeper)
            store = stack.enter_context(keeper.store.reading())
        agree(keeper.store.told(store).tenant_id, keeper.tenant)
        yield store
