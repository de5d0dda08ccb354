"""Batches of records in the store: raw texts in one compressed blob, and a row for each."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.store.texts import pack, unpack
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

COLUMNS: Final = ", ".join(AUDIT)


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch as the store keeps it: raw texts, and a row for each in the same order."""

    layout: str
    """JSON of model.Layout."""
    texts: pa.StringArray
    rows: pa.Table
    """Columns: sha256, and those of tables.AUDIT, or `kind` for context."""

    @property
    def is_context(self) -> bool:
        """Say whether these are no audit records."""
        return "kind" in self.rows.column_names

    def only(self, mask: pa.BooleanArray) -> Stored:
        """Return the records for which `mask` is true."""
        return Stored(self.layout, self.texts.filter(mask), self.rows.filter(mask))


def fill(connection: duckdb.DuckDBPyConnection, stream: Iterator[Stored]) -> int:
    """Add batches, however many, in little memory; return the number of records.

    One statement takes all rows: DuckDB keeps what each statement of a transaction added in memory
    to its end, but writes out the rows of one as they come.
    """
    kept = 0
    with tempfile.TemporaryFile() as blobs:
        ((number,),) = engine.rows(connection, "SELECT COALESCE(max(batch), 0) FROM raw")
        written: list[tuple[int, str, int]] = []

        def rows(of_context: bool) -> Iterator[pa.RecordBatch]:  # noqa: FBT001
            nonlocal kept
            for stored in stream if not of_context else context:
                if stored.is_context and not of_context:
                    context.append(stored)
                    continue
                at = number + len(written) + 1
                written.append((at, stored.layout, blobs.write(pack(stored.texts))))
                kept += len(stored.texts)
                yield _numbered(stored, at)

        context: list[Stored] = []
        _insert(connection, "audit", COLUMNS, rows(of_context=False))
        _insert(connection, "context", "kind", rows(of_context=True))
        blobs.seek(0)
        raw = (_blob(at, layout, blobs.read(size)) for at, layout, size in written)
        _insert(connection, "raw", "layout, texts", raw)
    return kept


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Iterator[pa.RecordBatch]
) -> None:
    import pyarrow as pa

    first = next(rows, None)
    if first is None:
        return
    columns = f"batch, {columns}" if table == "raw" else f"batch, place, sha256, {columns}"
    stream = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], rows))
    with engine.lent(connection, arrived=stream):
        connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM arrived")  # noqa: S608


def _numbered(stored: Stored, batch: int) -> pa.RecordBatch:
    """Return the rows of a batch with its number, and their places in it."""
    import pyarrow as pa

    count = len(stored.texts)
    table = stored.rows.append_column("place", pa.array(range(count), pa.int32()))
    table = table.append_column("batch", pa.repeat(pa.scalar(batch, pa.int64()), count))
    return table.combine_chunks().to_batches()[0]


def _blob(batch: int, layout: str, texts: bytes) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.record_batch({"batch": [batch], "layout": [layout], "texts": [texts]})


def numbers(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Return the numbers of all batches, oldest first."""
    return [number for (number,) in engine.rows(connection, "SELECT batch FROM raw ORDER BY 1")]


def read(connection: duckdb.DuckDBPyConnection, number: int) -> Stored:
    """Return a batch with those of its texts that are still in use.

    Its rows have the columns that they were made with, which may be an older version's.
    """
    where = {"batch": number}
    ((layout, blob),) = engine.rows(
        connection, "SELECT layout, texts FROM raw WHERE batch = $batch", where
    )
    for table, ours in (("audit", "record, batch"), ("context", "batch")):
        rows = engine.fetch(
            connection,
            f"SELECT * EXCLUDE ({ours}) FROM {table} WHERE batch = $batch ORDER BY place",  # noqa: S608
            where,
        )
        if rows.num_rows:
            break
    texts = unpack(blob).take(rows["place"].combine_chunks())
    return Stored(layout, texts, rows.drop_columns(["place"]))
