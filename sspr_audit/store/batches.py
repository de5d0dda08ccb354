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

TABLES: Final = {"audit": COLUMNS, "context": "kind, key"}
"""What lies in batches, and the columns that say more of a record than where its text is."""

KEY: Final = "json_extract_string({}, '$.id')"
"""The service's own id of a context record in Graph's form, from valid JSON. The same thing in
another form is another record, which an import counts and keeps."""

PIECE: Final = 2_000
"""Bytes of a blob in one row. DuckDB takes 2,048 rows into memory together: in pieces, so that a
commit needs no more for a million records than for a thousand. Nor does it write all old texts
again for each new one, as it does with texts longer than 4 kB."""

_OLDER: Final = """
DELETE FROM context WHERE (batch, place) IN (
    SELECT (batch, place) FROM (
        SELECT batch, place,
            row_number() OVER (PARTITION BY kind, key ORDER BY batch DESC, place DESC) AS nth
        FROM context WHERE key IS NOT NULL
            AND kind IN (SELECT kind FROM context WHERE batch > $before))
    WHERE nth > 1)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch as the store keeps it: raw texts, and a row for each in the same order."""

    layout: str
    """JSON of model.Layout."""
    texts: pa.StringArray
    rows: pa.Table
    """Columns: sha256, and those of tables.AUDIT, or `kind` and `key` for context."""

    @property
    def is_context(self) -> bool:
        """Say whether these are no audit records."""
        return "kind" in self.rows.column_names

    def only(self, mask: pa.BooleanArray) -> Stored:
        """Return the records for which `mask` is true."""
        return Stored(self.layout, self.texts.filter(mask), self.rows.filter(mask))


def fill(connection: duckdb.DuckDBPyConnection, batches: Iterator[Stored]) -> int:
    """Add batches, all of one table of TABLES, in little memory; return the number of records.

    Of context records with one id only the last stays: sign-ins change after they were written.
    One statement takes all rows: DuckDB keeps what each statement of a transaction added in memory
    to its end, but writes out the rows of one as they come.
    """
    first = next(batches, None)
    if first is None:
        return 0
    table = "context" if first.is_context else "audit"
    ((last,),) = engine.rows(connection, "SELECT COALESCE(max(batch), 0) FROM raw")
    layouts: list[tuple[int, str, int]] = []
    with tempfile.TemporaryFile() as blobs:

        def numbered() -> Iterator[pa.RecordBatch]:
            for number, stored in enumerate(itertools.chain([first], batches), last + 1):
                layouts.append((number, stored.layout, blobs.write(pack(stored.texts))))
                yield _numbered(stored, number)

        kept = _insert(connection, table, f"batch, place, sha256, {TABLES[table]}", numbered())
        if first.is_context:
            connection.execute(_OLDER, {"before": last})
            of_new = "SELECT count(*) FROM context WHERE batch > $before"
            ((kept,),) = engine.rows(connection, of_new, {"before": last})
        blobs.seek(0)
        raw = (_pieces(number, layout, blobs.read(size)) for number, layout, size in layouts)
        _insert(connection, "raw", "batch, part, layout, texts", raw)
    return kept


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Iterator[pa.RecordBatch]
) -> int:
    """Add rows, of which there is at least one batch; return how many there were."""
    import pyarrow as pa

    first = next(rows)
    stream = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], rows))
    insert = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM arrived"  # noqa: S608
    with engine.lent(connection, arrived=stream):
        ((count,),) = engine.rows(connection, insert)
    return int(count)


def _numbered(stored: Stored, batch: int) -> pa.RecordBatch:
    """Return the rows of a batch with its number, and their places in it."""
    import pyarrow as pa

    count = len(stored.texts)
    table = stored.rows.append_column("place", pa.array(range(count), pa.int32()))
    table = table.append_column("batch", pa.repeat(pa.scalar(batch, pa.int64()), count))
    return table.combine_chunks().to_batches()[0]


def _pieces(batch: int, layout: str, texts: bytes) -> pa.RecordBatch:
    import pyarrow as pa

    pieces = [texts[at : at + PIECE] for at in range(0, len(texts), PIECE)]
    parts = pa.array(range(len(pieces)), pa.int32())
    same = {"batch": pa.scalar(batch, pa.int64()), "layout": pa.scalar(layout)}
    repeated = {name: pa.repeat(value, len(pieces)) for name, value in same.items()}
    return pa.record_batch({**repeated, "part": parts, "texts": pieces})


def raw_texts(connection: duckdb.DuckDBPyConnection, batch: int) -> tuple[str, pa.StringArray]:
    """Return the layout of a batch and all its texts, be they still in use or not."""
    pieces = engine.rows(
        connection,
        "SELECT layout, texts FROM raw WHERE batch = $batch ORDER BY part",
        {"batch": batch},
    )
    return pieces[0][0], unpack(b"".join(piece for _, piece in pieces))


def stored(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[Stored]:
    """Yield the batches of a table of TABLES, oldest first, with the texts still in use.

    Their rows have the columns that they were made with, which may be an older version's.
    """
    ours = "record, batch" if table == "audit" else "batch"
    numbers = engine.rows(connection, f"SELECT DISTINCT batch FROM {table} ORDER BY 1")  # noqa: S608
    for (number,) in numbers:
        layout, texts = raw_texts(connection, number)
        rows = engine.fetch(
            connection,
            f"SELECT * EXCLUDE ({ours}) FROM {table} WHERE batch = $batch ORDER BY place",  # noqa: S608
            {"batch": number},
        )
        used = texts.take(rows["place"].combine_chunks())
        yield Stored(layout, used, rows.drop_columns(["place"]))
