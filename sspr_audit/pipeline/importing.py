"""Files → the store: all that is new in them, or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sspr_audit import engine
from sspr_audit.errors import NothingReadError
from sspr_audit.normalize import events as normalize
from sspr_audit.pipeline.ingest import Ingested, ingest
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.pipeline.spool import BATCH, Spool
from sspr_audit.pipeline.storing import fetch_rivals, move_audit, set_aside
from sspr_audit.store import NoStore, Stored, claim, fill
from sspr_audit.store.batches import KEY

if TYPE_CHECKING:
    import duckdb


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
            fetch_rivals(connection, keeper)
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
        set_aside(connection, spool)
        with keeper.store.writing() as store:
            claim(store, [tenant for (tenant,) in tenants], tenant_id)
            kept = move_audit(connection, spool, store)
            context = fill(store, iter([*_new_context(connection, store)]))
            _log(store, done, by_file, repeats, keeper.now)
        skipped = sum(s.count for s in done.skipped())
        total = records_read + context_read + skipped
        return Imported(total, kept, sum(repeats.values()) + context_read - context, context, done)


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
