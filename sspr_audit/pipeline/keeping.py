"""What fills, reports, thins out and describes the store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.errors import NothingReadError, UsageError
from sspr_audit.model import Batch, Layout
from sspr_audit.normalize import events as normalize
from sspr_audit.normalize import records
from sspr_audit.pipeline import analysis
from sspr_audit.pipeline.analysis import Analysis, Options, Read
from sspr_audit.pipeline.ingest import Ingested, ingest
from sspr_audit.pipeline.report import nothing
from sspr_audit.store import Info, Store, Stored, add, claim, held, set_meta
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb

BATCH: Final = 20_000
"""Records that the store keeps in one compressed text."""

LATER: Final = timedelta(days=1)
"""How far past the window's end a flow that began inside may go on."""

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Talk = Callable[[str], None]


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
        return Store(self.path)

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
    with keeper.held("import"), engine.scratch() as connection:
        done = ingest(connection, paths, keep_texts=True)
        if len(done.not_read) == len(done.files):
            raise NothingReadError(nothing(done))
        if keeper.store.exists():
            _upgrade(keeper)
            _fetch_rivals(connection, keeper.store)
        ((records_read,),) = engine.rows(connection, "SELECT count(*) FROM audit WHERE file >= 0")
        ((context_read,),) = engine.rows(connection, "SELECT count(*) FROM context")
        tenants = engine.rows(
            connection,
            "SELECT DISTINCT lower(tenant_id) FROM audit WHERE file >= 0 AND tenant_id"
            " <> '00000000-0000-0000-0000-000000000000' ORDER BY 1",
        )
        repeats = dict(normalize.drop_repeats(connection))
        repeats.pop(-1, None)
        with keeper.store.writing() as store:
            claim(store, [tenant for (tenant,) in tenants], tenant_id)
            set_meta(store, "normalized_by", str(records.VERSION))
            kept = _move_audit(connection, store)
            context = _move_context(connection, store)
            _log(connection, store, done, repeats, keeper.now)
        skipped = sum(s.count for s in done.skipped())
        total = records_read + context_read + skipped
        return Imported(total, kept, sum(repeats.values()) + context_read - context, context, done)


def from_store(keeper: Keeper, options: Options) -> Analysis:
    """Return the report on what the store holds; raises UsageError where there is none."""
    store = keeper.store
    if not store.exists():
        msg = f"there is no store at {store.path}; name files with --input, or import them first"
        raise UsageError(msg)
    if store.normalized_by() != str(records.VERSION):
        with keeper.held("upgrade"):
            _upgrade(keeper)
    with engine.scratch() as connection:
        records.prepare(connection)
        end = options.end or options.now
        start = options.start or end - timedelta(days=7)
        earliest = min(end - analysis.BASELINE, start - (end - start))
        count = store.copy_audit(
            connection,
            start=earliest.replace(tzinfo=None),
            end=(end + LATER).replace(tzinfo=None),
        )
        normalize.fold_reasons(connection)
        kinds = store.context_counts()
        read = Read(records_read=count + sum(kinds.values()), context_records=kinds, duplicates=0)
        data = analysis.span(connection, options, start=start, end=end)
        analysis.derive(connection, options, data)
        return analysis.analysed(connection, options, read, data)


def info(keeper: Keeper) -> Info:
    """Return what the store holds; raises UsageError where there is none."""
    _there(keeper)
    return keeper.store.info()


def prune(keeper: Keeper, *, keep: timedelta) -> tuple[int, int]:
    """Drop audit records and sign-ins older than `keep`; return how many stayed and went."""
    _there(keeper)
    before = (keeper.now - keep).replace(tzinfo=None)

    def young(batch: Stored) -> Stored:
        import pyarrow as pa
        import pyarrow.compute as pc

        if batch.is_context:
            found = pc.extract_regex(batch.texts, r'"createdDateTime"\s*:\s*"(?P<day>[0-9-]{10})')
            days = pc.struct_field(found, "day")
            old = pc.less(days, before.date().isoformat())
            return batch.only(pc.invert(pc.fill_null(old, False)))  # noqa: FBT003
        limit = pa.scalar(before, pa.timestamp("ns"))
        return batch.only(pc.greater_equal(batch.rows["time_utc"].combine_chunks(), limit))

    with keeper.held("prune"):
        return keeper.store.remake(young)


def forget(keeper: Keeper, user: str) -> tuple[int, int]:
    """Drop every record that names the person, in any field; return how many stayed and went.

    `user` is a user principal name or an object id. Raises UsageError for anything else: a part of
    a name would take other people's records along.
    """
    _there(keeper)
    if "@" not in user and not _GUID.fullmatch(user.lower()):
        msg = f"{user!r} is neither a user principal name nor an object id; give one of these"
        raise UsageError(msg)

    with keeper.held("forget"):
        names = sorted(keeper.store.identities(user))

        def without(batch: Stored) -> Stored:
            import pyarrow.compute as pc

            named = None
            for name in names:
                hit = pc.match_substring(batch.texts, name, ignore_case=True)
                named = hit if named is None else pc.or_(named, hit)
            return batch.only(pc.invert(named))

        return keeper.store.remake(without)


def _there(keeper: Keeper) -> None:
    if not keeper.store.exists():
        msg = f"there is no store at {keeper.path}; import records first"
        raise UsageError(msg)


def _upgrade(keeper: Keeper) -> None:
    """Derive the rows anew from the raw texts, where an older version of this program did."""
    if keeper.store.normalized_by() == str(records.VERSION):
        return
    keeper.talk(f"{keeper.path} was filled by another version; reading its records again")

    def again(batch: Stored) -> Stored:
        import pyarrow as pa

        if batch.is_context:
            return batch
        count = len(batch.texts)
        numbers = pa.array(range(count), pa.int64())
        layout = json.loads(batch.layout)
        layout["columns"] = tuple(layout["columns"])
        files = pa.nulls(count, pa.int32()).fill_null(0)
        with engine.scratch() as connection:
            records.prepare(connection)
            records.add(connection, Batch(Layout(**layout), batch.texts, numbers, files, numbers))
            columns = ", ".join(AUDIT)
            rows = engine.fetch(connection, f"SELECT seq, {columns} FROM audit ORDER BY seq")  # noqa: S608
        chosen = rows["seq"].combine_chunks()
        hashes = batch.rows["sha256"].combine_chunks().take(chosen)
        table = rows.drop_columns(["seq"]).append_column("sha256", hashes)
        return Stored(batch.layout, batch.texts.take(chosen), table)

    keeper.store.remake(again, normalized_by=str(records.VERSION))


def _fetch_rivals(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    ids = engine.fetch(connection, "SELECT DISTINCT record_id AS key FROM audit")
    correlations = engine.fetch(
        connection,
        # A row without id can repeat, or be repeated by, any row of its correlationId.
        "SELECT DISTINCT COALESCE(correlation_id, '') AS key FROM audit",
    )
    store.copy_rivals(connection, ids=ids, correlations=correlations)


def _move_audit(connection: duckdb.DuckDBPyConnection, store: duckdb.DuckDBPyConnection) -> int:
    """Move the new rows with their texts into the store; drop there what they replace."""
    import pyarrow as pa

    replaced = engine.fetch(connection, "SELECT -1 - row AS record FROM repeats WHERE row < 0")
    if replaced.num_rows:
        with engine.lent(store, replaced=replaced):
            store.execute("DELETE FROM audit WHERE record IN (FROM replaced)")
    kept = 0
    columns = ", ".join(AUDIT)
    layouts = engine.rows(connection, "SELECT DISTINCT layout FROM texts ORDER BY layout")
    for (layout,) in layouts:
        query = (
            f"SELECT text, sha256(text) AS sha256, {columns} FROM audit JOIN texts USING (seq)"  # noqa: S608
            " WHERE layout = $layout ORDER BY seq"
        )
        reader = connection.sql(query, params={"layout": layout}).to_arrow_reader(BATCH)
        for batch in reader:
            rows = pa.Table.from_batches([batch])
            add(store, Stored(layout, batch.column("text"), rows.drop_columns(["text"])))
            kept += batch.num_rows
    return kept


def _move_context(connection: duckdb.DuckDBPyConnection, store: duckdb.DuckDBPyConnection) -> int:
    """Move context records that the store does not hold yet; return their number."""
    import pyarrow as pa

    kept = 0
    known = engine.fetch(store, "SELECT DISTINCT sha256 FROM context")
    kinds = engine.rows(connection, "SELECT DISTINCT kind FROM context ORDER BY kind")
    for (kind,) in kinds:
        with engine.lent(connection, known=known):
            table = engine.fetch(
                connection,
                "SELECT min(body) AS text, sha256, kind FROM context WHERE kind = $kind"
                " AND sha256 NOT IN (FROM known) GROUP BY sha256, kind ORDER BY sha256",
                {"kind": kind},
            )
        layout = json.dumps({"form": kind})
        for batch in table.to_batches(max_chunksize=BATCH):
            rows = pa.Table.from_batches([batch])
            add(store, Stored(layout, batch.column("text"), rows.drop_columns(["text"])))
            kept += batch.num_rows
    return kept


def _log(
    connection: duckdb.DuckDBPyConnection,
    store: duckdb.DuckDBPyConnection,
    done: Ingested,
    repeats: dict[int, int],
    now: datetime,
) -> None:
    """Write down what came from which file."""
    kept = dict(engine.rows(connection, "SELECT file, count(*) FROM audit GROUP BY file"))
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
