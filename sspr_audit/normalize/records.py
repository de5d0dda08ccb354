"""Batches of raw records → rows of the table `audit`, one SQL file an export form."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final

from sspr_audit import engine
from sspr_audit.model import Batch, Form, Misread
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
) -> tuple[list[tuple[int, Misread]], list[tuple[int, int, str]]]:
    """Add a batch to `audit`.

    Returns what could not be used, as (file, Misread), and the (file, place, text) of records that
    are of another form than the batch.
    """
    form = Form(batch.layout.form)
    table, misread = _as_table(batch)
    if not table.num_rows:
        return misread, []
    form_sql = engine.sql("sspr_audit.normalize", _SQL[form])
    normal_sql = engine.sql("sspr_audit.normalize", "normal.sql")
    rows = f"WITH batch AS ({_source(table, form)}), found AS ({form_sql}) {normal_sql}"  # noqa: S608 - our own texts
    values = {"zoneless_utc": batch.layout.zoneless_utc}
    with engine.lent(connection, arrived=table):
        # Materialized, or the filter would be worked out apart and every text be parsed twice.
        insert = (
            f"INSERT INTO audit WITH normal AS MATERIALIZED ({rows})"
            f" SELECT {_COLUMNS} FROM normal WHERE left_over IS NULL"
        )
        ((added,),) = engine.rows(connection, insert, values)
        if added == table.num_rows:
            return misread, []
        query = (
            f"WITH normal AS MATERIALIZED ({rows}) SELECT file, place, left_over, fits, why"
            " FROM normal WHERE left_over IS NOT NULL ORDER BY file, place"
        )
        faults, misfits = _left_over(engine.rows(connection, query, values))
    return misread + faults, misfits


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


def _parsed(batch: Batch) -> tuple[pa.Table, list[tuple[int, Misread]]]:
    """Parse CSV rows into the columns that the form's SQL reads; absent ones are null."""
    import pyarrow as pa

    layout = batch.layout
    portal = layout.form == Form.PORTAL_CSV
    wanted = _PORTAL_READ if portal else _LOG_ANALYTICS_READ
    rows, kept, misread = [], [], []
    arrived = zip(
        batch.texts.to_pylist(), batch.files.to_pylist(), batch.places.to_pylist(), strict=True
    )
    for at, (text, file, place) in enumerate(arrived):
        try:
            row = next(csv.reader([text], delimiter=layout.delimiter, strict=True), [])
        except csv.Error:
            misread.append((file, Misread("a quoted field without its end", place, text[:80])))
            continue
        if len(row) != len(layout.columns):
            reason = "another number of columns than the header"
            misread.append((file, Misread(reason, place, text[:80])))
            continue
        rows.append(row)
        kept.append(at)
    by_column = dict(zip(layout.columns, zip(*rows, strict=True), strict=True)) if rows else {}
    arrays = (batch.numbers, batch.files, batch.places, batch.texts)
    columns = {
        name: array.take(pa.array(kept, pa.int64()))
        for name, array in zip(_ALWAYS, arrays, strict=True)
    }
    for name in wanted:
        column = by_column.get(name)
        if column is not None:
            columns[name] = pa.array(column, pa.string())
        elif portal:
            columns[name] = pa.nulls(len(rows), pa.string())
    return pa.table(columns), misread


def _left_over(
    rows: list[tuple[int, int, str, bool | None, str]],
) -> tuple[list[tuple[int, Misread]], list[tuple[int, int, str]]]:
    """Part the rows that cannot be used into faults and records of another form."""
    faults, misfits = [], []
    for file, place, text, fits, fault in rows:
        if fits or fault == NO_JSON:
            faults.append((file, Misread(fault, place, text[:80])))
        else:
            misfits.append((file, place, text))
    return faults, misfits
