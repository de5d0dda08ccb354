"""Events → flows and acts. Works on any set of events that is closed under flow id."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sspr_audit import engine
from sspr_audit.model import ReasonCount

if TYPE_CHECKING:
    import duckdb


def make(
    connection: duckdb.DuckDBPyConnection,
    *,
    data_start: datetime,
    edge: datetime,
    flow_timeout: timedelta,
) -> None:
    """Make the tables `flows` and `acts` from `events`.

    `data_start` and `edge` are naive UTC: where the data begin, and up to where an end event would
    have been seen. A flow without an end whose last event is less than `flow_timeout` before the
    edge is open; one without a head as close to the start began earlier and is left out.
    """
    connection.execute(engine.sql("sspr_audit.flows", "echoes.sql"))
    connection.execute(
        engine.sql("sspr_audit.flows", "flows.sql"),
        {"edge": edge, "data_start": data_start, "flow_timeout": flow_timeout},
    )
    connection.execute(engine.sql("sspr_audit.flows", "acts.sql"))


def reasons(
    connection: duckdb.DuckDBPyConnection, start: datetime, end: datetime
) -> tuple[ReasonCount, ...]:
    """Count the reasons that flows which start in the window give, most flows first.

    `start` and `end` are naive UTC.
    """
    query = engine.sql("sspr_audit.flows", "reasons.sql")
    found = engine.rows(connection, query, {"start": start, "end": end})
    return tuple(ReasonCount(*row) for row in found)
