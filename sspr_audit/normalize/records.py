"""Batches of raw records → rows of the table `audit`, one SQL file an export form."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Batch, Form, Layout, Misread
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

VERSION: Final = 3
"""Rises whenever the same record would come out differently, so that stores are rebuilt."""

DAY_FIRST: Final = "day-first date"
"""The fault that condemns a whole file: its other slashed dates may mean anything."""

_SQL: Final = {
    Form.GRAPH: "graph.sql",
    Form.DIAGNOSTIC: "diagnostic.sql",
    Form.LOG_ANALYTICS: "log_analytics.sql",
    Form.PORTAL_CSV: "portal_csv.sql",
}
NO_JSON: Final = "not valid JSON"
_UNKNOWN: Final = "not a record of a known form"

Misfit = tuple[int, int, str, str]
"""A text that is not of the form of its batch: its file, its place, itself, and what was wrong."""

LONGEST: Final = csv.field_size_limit()
"""Characters of the longest field of a CSV that is read."""

_COLUMNS: Final = ", ".join(("seq", "file", "place", *AUDIT))
_CONTEXT: Final = """
CREATE TABLE context (
    file INTEGER, place BIGINT, kind VARCHAR, sha256 VARCHAR, body VARCHAR)
"""
_PIECE: Final = 2048
"""Rows that DuckDB's threads take at a time."""
_ALWAYS: Final = ("seq", "file", "place", "text")
"""Columns of every batch: our number of the record, its file, its place there, its text."""

_LOG_ANALYTICS: Final = (
    "Id",
    "ActivityDateTime",
    "TimeGenerated",
    "ActivityDisplayName",
    "OperationName",
    "ResultReason",
    "ResultDescription",
    "Result",
    "ResultType",
    "LoggedByService",
    "Category",
    "CorrelationId",
    "AADTenantId",
    "InitiatedBy",
    "TargetResources",
    "AdditionalDetails",
    "Type",
)
_PORTAL: Final = (
    "Date (UTC)",
    "CorrelationId",
    "Service",
    "Category",
    "Activity",
    "Result",
    "ResultReason",
    "ActorType",
    "ActorDisplayName",
    "ActorObjectId",
    "ActorUserPrincipalName",
    "IPAddress",
    *(f"Target{n}{part}" for n in (1, 2, 3) for part in ("Type", "ObjectId", "UserPrincipalName")),
    *(f"AdditionalDetail{k}{part}" for k in range(1, 7) for part in ("Key", "Value")),
)
_SIGN_IN: Final = ("AppDisplayName", "ConditionalAccessStatus", "DeviceDetail")
"""What tells a row of SigninLogs."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `audit` and `context` and the macros that the forms share."""
    connection.execute(engine.sql("sspr_audit.normalize", "macros.sql"))
    columns = ", ".join(f"{name} {kind}" for name, kind in AUDIT.items())
    connection.execute(f"CREATE TABLE audit (seq BIGINT, file INTEGER, place BIGINT, {columns})")
    connection.execute(_CONTEXT)


def add(
    connection: duckdb.DuckDBPyConnection, batches: Iterable[Batch]
) -> tuple[list[tuple[int, Misread]], list[Misfit]]:
    """Add batches of one layout to `audit`; they are held until all have come.

    Returns what could not be used, as (file, Misread), and what may be of use in another form.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    batches = iter(batches)
    first = next(batches)
    layout = first.layout
    schema = _as_table(first)[0].schema
    misread: list[tuple[int, Misread]] = []
    held: list[pa.RecordBatch] = []

    def arriving() -> Iterator[pa.RecordBatch]:
        for batch in itertools.chain([first], batches):
            table, unread = _as_table(batch)
            misread.extend(unread)
            for piece in table.to_batches(max_chunksize=_PIECE):
                held.append(piece)
                yield piece

    values = {"zoneless_utc": layout.zoneless_utc}
    insert = f"INSERT INTO audit {_query(layout, _COLUMNS)}"
    engine.stream(connection, insert, values, arrived=(schema, arriving()))
    # A row without a time is one that cannot be used. Only then is it asked what it was and why.
    left_over = engine.fetch(connection, "SELECT seq FROM audit WHERE time_utc IS NULL")["seq"]
    if not left_over:
        return misread, []
    connection.execute("DELETE FROM audit WHERE time_utc IS NULL")
    table = pa.Table.from_batches(held)
    with engine.lent(connection, arrived=table.filter(pc.is_in(table["seq"], left_over))):
        query = f"{_query(layout, 'file, place, text, fits, why')} ORDER BY file, place"
        rows = engine.rows(connection, query, values)
    misfits = []
    for file, place, text, fits, why in rows:
        if fits:
            misread.append((file, Misread(why or "no time", place, text[:80])))
        elif layout.columns:  # a row has no other form
            misread.append((file, Misread(_UNKNOWN, place, text[:80])))
        else:
            misfits.append((file, place, text, why or _UNKNOWN))
    return misread, misfits


def _query(layout: Layout, columns: str) -> str:
    """Return the query that makes `columns` of what is lent as `arrived`."""
    batch = "SELECT *, false AS no_json FROM arrived"
    if layout.form == Form.LOG_ANALYTICS and not layout.columns:
        # One list of paths, as that parses a text once.
        names = (*_LOG_ANALYTICS, *_SIGN_IN)
        paths = ", ".join(f"'$.{name}'" for name in names)
        parts = ", ".join(f'said[{n}] AS "{name}"' for n, name in enumerate(names, start=1))
        batch = (
            f"SELECT *, {parts}, no_json(text, said) AS no_json"  # noqa: S608 - our own texts
            f" FROM (SELECT *, TRY(json_extract_string(text, [{paths}])) AS said FROM arrived)"
        )
    form_sql = engine.sql("sspr_audit.normalize", _SQL[Form(layout.form)])
    normal_sql = engine.sql("sspr_audit.normalize", "normal.sql")
    return (
        f"WITH batch AS ({batch}), found AS ({form_sql}), normal AS ({normal_sql})"  # noqa: S608
        f" SELECT {columns} FROM normal"
    )


def _as_table(batch: Batch) -> tuple[pa.Table, list[tuple[int, Misread]]]:
    import pyarrow as pa

    if batch.layout.columns:
        return _parsed(batch)
    arrays = (batch.numbers, batch.files, batch.places, batch.texts)
    return pa.table(dict(zip(_ALWAYS, arrays, strict=True))), []


def as_objects(batch: Batch) -> tuple[Batch, list[tuple[int, Misread]]]:
    """Return a batch of JSON objects: itself, or each row of a CSV by its column names."""
    import pyarrow as pa

    if not batch.layout.columns:
        return batch, []
    rows, kept, misread = _rows(batch)
    texts = [
        json.dumps(dict(zip(batch.layout.columns, row, strict=True)), ensure_ascii=False)
        for row in rows
    ]
    arrays = (array.take(kept) for array in (batch.numbers, batch.files, batch.places))
    return Batch(Layout(batch.layout.form), pa.array(texts, pa.string()), *arrays), misread


def _parsed(batch: Batch) -> tuple[pa.Table, list[tuple[int, Misread]]]:
    """Parse CSV rows into the columns that the form's SQL reads; absent ones are null."""
    import pyarrow as pa

    rows, kept, misread = _rows(batch)
    names = batch.layout.columns
    by_column = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    arrays = (batch.numbers, batch.files, batch.places, batch.texts)
    columns = {name: array.take(kept) for name, array in zip(_ALWAYS, arrays, strict=True)}
    portal = batch.layout.form == Form.PORTAL_CSV
    for name in _PORTAL if portal else _LOG_ANALYTICS:
        found = by_column.get(name)
        columns[name] = pa.array(found, pa.string()) if found else pa.nulls(len(rows), pa.string())
    if not portal:
        columns |= {name: pa.nulls(len(rows), pa.string()) for name in _SIGN_IN}
    return pa.table(columns), misread


def _rows(
    batch: Batch,
) -> tuple[list[list[str]], pa.Int64Array, list[tuple[int, Misread]]]:
    """Return the cells of each CSV row, the rows' numbers in the batch, and what is no row."""
    import pyarrow as pa

    layout = batch.layout
    rows, kept, misread = [], [], []
    arrived = zip(
        batch.texts.to_pylist(), batch.files.to_pylist(), batch.places.to_pylist(), strict=True
    )
    for at, (text, file, place) in enumerate(arrived):
        fault = "another number of columns than the header"
        try:
            row = next(csv.reader([text], delimiter=layout.delimiter, strict=True), [])
        except csv.Error as error:
            too_long = "field limit" in str(error)
            fault = f"a field longer than {LONGEST >> 10} KiB" if too_long else "misplaced quotes"
            row = []
        if len(row) == len(layout.columns):
            rows.append(row)
            kept.append(at)
        else:
            misread.append((file, Misread(fault, place, text[:80])))
    return rows, pa.array(kept, pa.int64()), misread
