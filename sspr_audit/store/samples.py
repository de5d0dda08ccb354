"""Records of a span that the store knows whole, to hold a narrower query against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sspr_audit import engine
from sspr_audit.model import Window
from sspr_audit.store.times import aware

if TYPE_CHECKING:
    import duckdb

_HERE: Final = """
    FROM audit WHERE has_id AND time_utc >= $start AND time_utc < $end AND batch IN (
        SELECT batch FROM raw WHERE json_extract_string(layout, '$.form') = 'graph')
"""
"""Other exports may spell what they hold in another way than the service was asked in."""

_COUNTS: Final = f"""
SELECT part, count(*), min(written) FILTER (n <= $enough) FROM (
    SELECT part, make_timestamp(epoch_ns(time_utc) // 1000) AS written,
        row_number() OVER (PARTITION BY part ORDER BY time_utc DESC) AS n
    FROM (SELECT service, activity, time_utc {_HERE}) a JOIN fitting f
        ON f.service IS NOT DISTINCT FROM a.service
        AND f.activity IS NOT DISTINCT FROM a.activity)
GROUP BY part
"""  # noqa: S608 - our own texts

_IDS: Final = f"""
SELECT record_id, min(part) FROM (SELECT record_id, service, activity {_HERE}) a JOIN fitting f
    ON f.service IS NOT DISTINCT FROM a.service AND f.activity IS NOT DISTINCT FROM a.activity
GROUP BY record_id ORDER BY record_id
"""  # noqa: S608

Kind = tuple[str | None, str | None]
"""The service and the activity of a record, as written."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many records of a span fit a part of a query."""

    count: int
    since: datetime
    """The time of the oldest of the newest few, cut to the microsecond."""


def kinds(connection: duckdb.DuckDBPyConnection, span: Window) -> list[Kind]:
    """Return every pair of service and activity in a span."""
    query = f"SELECT DISTINCT service, activity {_HERE} ORDER BY ALL"
    return [(service, activity) for service, activity in engine.rows(connection, query, span.naive)]


def counts(
    connection: duckdb.DuckDBPyConnection,
    span: Window,
    fitting: Mapping[int, Iterable[Kind]],
    *,
    newest: int,
) -> dict[int, Count]:
    """Count the records of a span by the part of a query that they fit, and date the newest few.

    `fitting` says which kinds fit which part; one that nothing fits is left out.
    """
    with engine.lent(connection, fitting=_table(fitting)):
        found = engine.rows(connection, _COUNTS, {**span.naive, "enough": newest})
    return {part: Count(count, aware(since)) for part, count, since in found}


def ids(
    connection: duckdb.DuckDBPyConnection, span: Window, fitting: Mapping[int, Iterable[Kind]]
) -> dict[str, int]:
    """Return the ids of the records of a span that fit a part of a query, each with the first."""
    with engine.lent(connection, fitting=_table(fitting)):
        return dict(engine.rows(connection, _IDS, span.naive))


def _table(fitting: Mapping[int, Iterable[Kind]]) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa

    rows = [(part, *kind) for part, fit in fitting.items() for kind in fit]
    parts, services, activities = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "part": pa.array(parts, pa.int64()),
            "service": pa.array(services, pa.string()),
            "activity": pa.array(activities, pa.string()),
        }
    )
