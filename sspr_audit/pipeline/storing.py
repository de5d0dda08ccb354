"""What is new in a scratch `audit` → the store: by import and by fetch alike."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from sspr_audit import engine
from sspr_audit.pipeline.keeping import Keeper, reading
from sspr_audit.pipeline.spool import Spool
from sspr_audit.store import Stored, copy_rivals, fill
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def fetch_rivals(connection: duckdb.DuckDBPyConnection, keeper: Keeper) -> None:
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
    with reading(keeper, is_held=True) as store:
        copy_rivals(
            store,
            connection,
            ids=ids,
            correlations=correlations,
            start=first,
            end=last + timedelta(seconds=1),
        )


def set_aside(connection: duckdb.DuckDBPyConnection, spool: Spool) -> None:
    """Put the rows that stay beside their texts, and drop the scratch table.

    So an import holds the rows of one database at a time: first the scratch's, then the store's.
    """
    query = f"SELECT seq, {', '.join(AUDIT)} FROM seqs JOIN audit USING (seq) ORDER BY seq"  # noqa: S608
    for number, seqs in enumerate(spool.numbers()):
        with engine.lent(connection, seqs=seqs):
            spool.keep_rows(number, engine.fetch(connection, query))
    connection.execute("DROP TABLE audit")


def move_audit(
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
