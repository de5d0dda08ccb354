"""Batches of raw records → rows of the table `audit`, one SQL file an export form."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Batch, Form, Layout, Misread
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

VERSION: Final = 1
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

Misfit = tuple[int, int, str, str]
"""A text that is not of the form of its batch: its file, its place, itself, and what was wrong."""

LONGEST: Final = csv.field_size_limit()
"""Characters of the longest field of a CSV that is read."""

_COLUMNS: Final = ", ".join(("seq", "file", "place", *AUDIT))
_ALWAYS: Final = ("seq", "file", "place", "text")
"""Columns of every batch: our number of the record, its file, its place there, its text."""

_PORTAL_READ: Final = (
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
_LOG_ANALYTICS_READ: Final = (
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
)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `audit` and the macros that the forms share."""
    connection.execute(engine.sql("sspr_audit.normalize", "macros.sql"))
    columns = ", ".join(f"{name} {kind}" for name, kind in AUDIT.items())
    connection.execute(f"CREATE TABLE audit (seq BIGINT, file INTEGER, place BIGINT, {columns})")


def add(
    connection: duckdb.DuckDBPyConnection, batch: Batch
) -> tuple[list[tuple[int, Misread]], list[Misfit]]:
    """Add a batch to `audit`.

    Returns what could not be used, as (file, Misread), and what may be of use in another form.
    """
    form = Form(batch.layout.form)
    table, misread = _as_table(batch)
    if not table.num_rows:
        return misread, []
    form_sql = engine.sql("sspr_audit.normalize", _SQL[form])
    normal_sql = engine.sql("sspr_audit.normalize", "normal.sql")
    rows = f"WITH batch AS ({_source(table, form)}), found AS ({form_sql}) {normal_sql}"
    values = {"zoneless_utc": batch.layout.zoneless_utc}
    with engine.lent(connection, arrived=table):
        # Materialized, or the filter would be worked out apart and every text be parsed twice.
        insert = (
            f"INSERT INTO audit WITH normal AS MATERIALIZED ({rows})"  # noqa: S608 - our own texts
            f" SELECT {_COLUMNS} FROM normal WHERE left_over IS NULL"
        )
        ((added,),) = engine.rows(connection, insert, values)
        if added == table.num_rows:
            return misread, []
        query = (
            f"WITH normal AS MATERIALIZED ({rows}) SELECT file, place, left_over, fits, why"  # noqa: S608
            " FROM normal WHERE left_over IS NOT NULL ORDER BY file, place"
        )
        left_over = engine.rows(connection, query, values)
    misfits = []
    for file, place, text, fits, why in left_over:
        if fits or batch.layout.columns:
            misread.append((file, Misread(why or "no time", place, text[:80])))
        else:
            misfits.append((file, place, text, why or "not a record of a known form"))
    return misread, misfits


def _source(table: pa.Table, form: Form) -> str:
    """Return the query that gives the form's SQL its `batch`: a CSV's row becomes an object."""
    if form is not Form.LOG_ANALYTICS or table.num_columns == len(_ALWAYS):
        return "SELECT *, text AS body FROM arrived"
    packed = ", ".join(f'"{name}" := "{name}"' for name in table.column_names[len(_ALWAYS) :])
    return f"SELECT seq, file, place, text, to_json(struct_pack({packed})) AS body FROM arrived"  # noqa: S608


def _as_table(batch: Batch) -> tuple[pa.Table, list[tuple[int, Misread]]]:
    """Return the batch in pieces that DuckDB's threads can share."""
    import pyarrow as pa

    if batch.layout.columns:
        table, misread = _parsed(batch)
    else:
        arrays = (batch.numbers, batch.files, batch.places, batch.texts)
        table, misread = pa.table(dict(zip(_ALWAYS, arrays, strict=True))), []
    return pa.Table.from_batches(table.to_batches(max_chunksize=2048), table.schema), misread


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
    portal = batch.layout.form == Form.PORTAL_CSV
    names = batch.layout.columns
    by_column = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    arrays = (batch.numbers, batch.files, batch.places, batch.texts)
    columns = {name: array.take(kept) for name, array in zip(_ALWAYS, arrays, strict=True)}
    for name in _PORTAL_READ if portal else _LOG_ANALYTICS_READ:
        if name in by_column:
            columns[name] = pa.array(by_column[name], pa.string())
        elif portal:
            columns[name] = pa.nulls(len(rows), pa.string())
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
