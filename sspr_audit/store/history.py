"""What earlier reports found: which windows were looked at, and one row a finding and window."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Past, Told, Window
from sspr_audit.store.times import aware, naive

if TYPE_CHECKING:
    import duckdb

SLACK: Final = 10
"""Windows touch if not more than this part of their length lies between or in both: a report that
runs every week begins some seconds sooner or later."""

_EARLIER: Final = f"""
SELECT start_utc, end_utc, complete FROM reports
WHERE start_utc < $start
    AND abs(epoch_us(end_utc) - epoch_us($start)) * {SLACK} <= $length
    AND abs(epoch_us(end_utc) - epoch_us(start_utc) - $length) * {SLACK} <= $length
ORDER BY end_utc DESC, start_utc DESC LIMIT 1
"""  # noqa: S608 - a number of ours


def earlier(connection: duckdb.DuckDBPyConnection, window: Window) -> Told | None:
    """Return what the report on the period before a window found; None where there was none.

    It is one on as long a window, which ended about where this one starts: a report on the same
    window, or on a part of it, says nothing of the time before.
    """
    length = (window.end - window.start).total_seconds() * 1_000_000
    values = {"start": naive(window.start), "length": length}
    for start, end, complete in engine.rows(connection, _EARLIER, values):
        return Told(Window(aware(start), aware(end)), complete, _found(connection, start, end))
    return None


def _found(
    connection: duckdb.DuckDBPyConnection, start: datetime, end: datetime
) -> tuple[Past, ...]:
    rows = engine.rows(
        connection,
        "SELECT identity, cause, family, title, places, users, flows, since_utc, seen_utc"
        " FROM found WHERE start_utc = $start AND end_utc = $end ORDER BY identity",
        {"start": start, "end": end},
    )
    return tuple(
        Past(
            identity=identity,
            cause=cause,
            family=family,
            title=title,
            users=users,
            flows=flows,
            since=aware(since),
            last_seen=aware(seen),
            **{name: tuple(places) for name, places in json.loads(told).items()},
        )
        for identity, cause, family, title, told, users, flows, since, seen in rows
    )


def at(connection: duckdb.DuckDBPyConnection, window: Window) -> Told | None:
    """Return what an earlier report on this very window found; None where there was none."""
    span = window.naive
    query = "SELECT complete FROM reports WHERE start_utc = $start AND end_utc = $end"
    for (complete,) in engine.rows(connection, query, span):
        return Told(window, complete, _found(connection, span["start"], span["end"]))
    return None


def remember(connection: duckdb.DuckDBPyConnection, told: Told) -> None:
    """Write down what a report found, in place of an earlier one on the same window."""
    span = told.window.naive
    for table in ("reports", "found"):
        connection.execute(
            f"DELETE FROM {table} WHERE start_utc = $start AND end_utc = $end",  # noqa: S608
            span,
        )
    connection.execute(
        "INSERT INTO reports VALUES ($start, $end, $complete)", {**span, "complete": told.complete}
    )
    for one in told.findings:
        places = {"sites": one.sites, "ips": one.ips, "clients": one.clients}
        connection.execute(
            "INSERT INTO found VALUES ($start, $end, $identity, $cause, $family, $title, $places,"
            " $users, $flows, $since, $seen)",
            {
                **span,
                "identity": one.identity,
                "cause": one.cause,
                "family": one.family,
                "title": one.title,
                "places": json.dumps(places),
                "users": one.users,
                "flows": one.flows,
                "since": naive(one.since),
                "seen": naive(one.last_seen),
            },
        )


def prune(connection: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Drop what reports on windows that ended before a time (UTC, no zone) found."""
    for table in ("reports", "found"):
        connection.execute(f"DELETE FROM {table} WHERE end_utc <= $before", {"before": before})  # noqa: S608


def forget(
    connection: duckdb.DuckDBPyConnection,
    names: Iterable[str],
    seen: tuple[datetime, datetime] | None,
) -> None:
    """Drop each finding that can tell of one person, and say that its report is not complete.

    That is one in which a name (in lower case) stands, and one about a single person whose window
    holds some of the time in which the forgotten one was `seen` (UTC, no zone).
    """
    first, last = seen or (datetime.max, datetime.min)  # noqa: DTZ901 - as the engine has them
    dropped = engine.rows(
        connection,
        "DELETE FROM found WHERE (users <= 1 AND start_utc <= $last AND end_utc > $first)"
        " OR list_bool_or([contains(lower(places || title), name) FOR name IN $names])"
        " RETURNING start_utc, end_utc",
        {"names": list(names), "first": first, "last": last},
    )
    for start, end in dropped:
        connection.execute(
            "UPDATE reports SET complete = false WHERE start_utc = $start AND end_utc = $end",
            {"start": start, "end": end},
        )
