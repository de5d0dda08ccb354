"""What fills, reports, thins out and describes the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from sspr_audit import engine
from sspr_audit.errors import NothingReadError
from sspr_audit.model import Batch, Layout, Window
from sspr_audit.normalize import events as normalize
from sspr_audit.normalize import records
from sspr_audit.pipeline import analysis, covering, stored_context
from sspr_audit.pipeline.analysis import Analysis, Options, Read, Span
from sspr_audit.pipeline.covering import Covering
from sspr_audit.pipeline.ingest import Ingested, ingest
from sspr_audit.pipeline.spool import Spool
from sspr_audit.store import (
    Info,
    NoStore,
    Outdated,
    Store,
    Stored,
    claim,
    contexts,
    fill,
    held,
    history,
)
from sspr_audit.store.batches import KEY
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH: Final = 20_000
"""Records that the store keeps in one compressed text."""

AROUND: Final = timedelta(days=1)
"""How far past either end of what counts to read: flows lie across both."""

MADE_BY: Final = " ".join([str(records.VERSION), *(f"{n} {kind}" for n, kind in AUDIT.items())])
"""What a store says of how its rows were derived: by which rules, into which columns."""

_FAR: Final = (
    "the store's records lie between {:%Y-%m-%d %H:%M} and {:%Y-%m-%d %H:%M} UTC; none is near the"
    " window"
)

Talk = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keeper:
    """The store, and how to get hold of it."""

    path: Path
    now: datetime
    talk: Talk
    wait: timedelta = timedelta(minutes=10)

    @property
    def store(self) -> Store:
        """The store itself; reading needs no more."""
        return Store(self.path, MADE_BY)

    def held(self, doing: str) -> AbstractContextManager[None]:
        """Hold the store's lock for a `with` block."""
        return held(self.path, wait=self.wait, doing=doing, now=self.now, talk=self.talk)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    records: int
    kept: int
    repeats: int
    context: int
    ingested: Ingested


def import_files(keeper: Keeper, paths: Sequence[str], *, tenant_id: str | None) -> Imported:
    """Bring what `paths` hold into the store: all of it, or nothing where the run is ended.

    Raises NothingReadError, SettingsError for another tenant's records, StoreBusy.
    """
    with keeper.held("import"), engine.scratch() as connection, Spool() as spool:
        done = ingest(connection, paths, spool=spool)
        if done.nothing:
            raise NothingReadError(done.nothing)
        with suppress(NoStore):
            _fetch_rivals(connection, keeper)
        ((records_read,),) = engine.rows(connection, "SELECT count(*) FROM audit WHERE file >= 0")
        ((context_read,),) = engine.rows(connection, "SELECT count(*) FROM context")
        tenants = engine.rows(
            connection,
            "SELECT DISTINCT lower(tenant_id) FROM audit WHERE file >= 0 AND tenant_id"
            " <> '00000000-0000-0000-0000-000000000000' ORDER BY 1",
        )
        repeats = dict(normalize.drop_repeats(connection))
        repeats.pop(-1, None)
        by_file = dict(engine.rows(connection, "SELECT file, count(*) FROM audit GROUP BY file"))
        _set_aside(connection, spool)
        with keeper.store.writing() as store:
            claim(store, [tenant for (tenant,) in tenants], tenant_id)
            kept = _move_audit(connection, spool, store)
            context = fill(store, iter([*_new_context(connection, store)]))
            _log(store, done, by_file, repeats, keeper.now)
        skipped = sum(s.count for s in done.skipped())
        total = records_read + context_read + skipped
        return Imported(total, kept, sum(repeats.values()) + context_read - context, context, done)


def from_store(keeper: Keeper, options: Options) -> Analysis:
    """Return the report on what the store holds; raises UsageError where that is nothing."""
    end = options.end or options.now
    start = options.start or end - timedelta(days=7)
    earliest = min(end - analysis.BASELINE, start - (end - start))
    with engine.scratch() as connection:
        records.prepare(connection)
        # Before the records: a fetch may add to both meanwhile, and none may seem covered first.
        ledger = _current(keeper, covering.ledger, keeper.held("upgrade"))
        held_there = _current(
            keeper,
            lambda store: store.copy_audit(
                connection,
                start=(earliest - AROUND).replace(tzinfo=None),
                end=(end + AROUND).replace(tzinfo=None),
            ),
            keeper.held("upgrade"),
        )
        with keeper.store.reading() as store:
            options = analysis.located(options, contexts.texts(store, "namedLocations"))
            beside = stored_context.bring(connection, store, Window(earliest, end))
            told = history.earlier(store, Window(start, end))
        window = Window(start, end)
        found = covering.covering(window, ledger, now=options.now, knowledge=options.knowledge)
        data = _in_store(held_there, window)
        if found:
            data = _as_fetched(data, found, earliest)
        elif not data.covered:
            msg = f"{held_there.path} holds no audit records; import some first"
            raise NothingReadError(msg)
        ((count,),) = engine.rows(connection, "SELECT count(*) FROM audit")
        kinds = dict(held_there.context)
        read = Read(
            records_read=count + sum(kinds.values()),
            context_records=kinds,
            duplicates=0,
            beside=beside,
            told=told,
            remarks=() if count or ledger.entries else (_FAR.format(data.first, data.last),),
        )
        analysis.derive(connection, options, data)
        return analysis.analysed(connection, options, read, data)


def _in_store(held_there: Info, window: Window) -> Span:
    """Return where the store's records lie: what was copied may end long before that, and only
    the store tells which flows can still go on.
    """
    if held_there.first is None or held_there.last is None:
        return Span(window.start, window.end, window)
    first, last = held_there.first.replace(tzinfo=UTC), held_there.last.replace(tzinfo=UTC)
    return Span(first, last, window, ((first, last),))


def _as_fetched(data: Span, found: Covering, earliest: datetime) -> Span:
    """Return where the data lie by the ledger: a quiet hour is covered, too.

    What was imported may reach further back.
    """
    begin, end = found.start(data.window), found.edge
    first = data.first if begin is None else min(data.first, max(begin, earliest))
    last = end if end and found.coverage.spans else data.last
    return replace(
        data,
        first=first,
        last=last,
        fetched=found.coverage,
        filter=found.filter,
        holds_before=found.holds(data.window.before),
    )


def info(keeper: Keeper) -> Info:
    """Return what the store holds; raises UsageError where there is none."""
    return keeper.store.info()


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


def _current(keeper: Keeper, read: Callable[[Store], T], held: AbstractContextManager[None]) -> T:
    """Return what `read` does, after an upgrade under the lock where the store needs one."""
    try:
        return read(keeper.store)
    except Outdated:
        with held:
            upgrade(keeper)
        return read(keeper.store)


def _fetch_rivals(connection: duckdb.DuckDBPyConnection, keeper: Keeper) -> None:
    """Copy what the new records may repeat from the store: of their time, and nothing else of it.

    Raises NoStore.
    """
    ids = engine.fetch(connection, "SELECT DISTINCT record_id AS key FROM audit")
    correlations = engine.fetch(
        connection,
        # A row without id can repeat, or be repeated by, any row of its correlationId.
        "SELECT DISTINCT COALESCE(lower(trim(correlation_id)), '') AS key FROM audit",
    )
    # Repeats are of one second: those cut to fewer digits have the second at least.
    second = "COALESCE(make_timestamp(epoch_ns({}(time_utc)) // 1000000000 * 1000000), 'epoch')"
    ((first, last),) = engine.rows(
        connection,
        f"SELECT {second.format('min')}, {second.format('max')} FROM audit",  # noqa: S608
    )
    _current(
        keeper,
        lambda store: store.copy_rivals(
            connection,
            ids=ids,
            correlations=correlations,
            start=first,
            end=last + timedelta(seconds=1),
        ),
        nullcontext(),
    )


def _set_aside(connection: duckdb.DuckDBPyConnection, spool: Spool) -> None:
    """Put the rows that stay beside their texts, and drop the scratch table.

    So an import holds the rows of one database at a time: first the scratch's, then the store's.
    """
    query = f"SELECT seq, {', '.join(AUDIT)} FROM seqs JOIN audit USING (seq) ORDER BY seq"  # noqa: S608
    for number, seqs in enumerate(spool.numbers()):
        with engine.lent(connection, seqs=seqs):
            spool.keep_rows(number, engine.fetch(connection, query))
    connection.execute("DROP TABLE audit")


def _move_audit(
    connection: duckdb.DuckDBPyConnection, spool: Spool, store: duckdb.DuckDBPyConnection
) -> int:
    """Move what was set aside into the store; drop there what it replaces."""
    replaced = engine.fetch(connection, "SELECT -1 - row AS record FROM repeats WHERE row < 0")
    if replaced.num_rows:
        with engine.lent(store, replaced=replaced):
            store.execute("DELETE FROM audit WHERE record IN (FROM replaced)")
    return fill(store, (_hashed(*kept) for kept in spool.kept()))


def _hashed(layout: str, texts: pa.StringArray, rows: pa.Table) -> Stored:
    """Return texts and rows with the hash of each text."""
    import pyarrow as pa

    # A loop, as DuckDB's sha256 is three times as slow: it does not use the processor's own.
    hashes = [sha256(text).hexdigest() for text in texts.cast(pa.binary()).to_pylist()]
    return Stored(layout, texts, rows.append_column("sha256", pa.array(hashes, pa.string())))


def _new_context(
    connection: duckdb.DuckDBPyConnection, store: duckdb.DuckDBPyConnection
) -> Iterator[Stored]:
    """Yield the context records that the store does not hold yet."""
    import pyarrow as pa

    known = engine.fetch(store, "SELECT DISTINCT sha256 FROM context")
    kinds = engine.rows(connection, "SELECT DISTINCT kind FROM context ORDER BY kind")
    for (kind,) in kinds:
        with engine.lent(connection, known=known):
            table = engine.fetch(
                connection,
                "SELECT min(body) AS text, sha256, kind,"  # noqa: S608
                f" {KEY.format('min(body)')} AS key FROM context WHERE kind = $kind"
                " AND sha256 NOT IN (FROM known) GROUP BY sha256, kind ORDER BY sha256",
                {"kind": kind},
            )
        layout = json.dumps({"form": kind})
        for batch in table.to_batches(max_chunksize=BATCH):
            rows = pa.Table.from_batches([batch])
            yield Stored(layout, batch.column("text"), rows.drop_columns(["text"]))


def _log(
    store: duckdb.DuckDBPyConnection,
    done: Ingested,
    kept: dict[int, int],
    repeats: dict[int, int],
    now: datetime,
) -> None:
    """Write down what came from which file; `kept` and `repeats` count by its number."""
    unread = {one.file for one in done.not_read}
    for number, file in enumerate(done.files):
        if number in unread:
            continue
        skipped = sum(m.count for f, m in done.misread if f == number)
        new, again = kept.get(number, 0), repeats.get(number, 0)
        store.execute(
            "INSERT INTO imports VALUES ($at, $name, $records, $kept, $repeats, $skipped)",
            {
                "at": now.replace(tzinfo=None),
                "name": file.name,
                "records": new + again + skipped,
                "kept": new,
                "repeats": again,
                "skipped": skipped,
            },
        )
