"""The ledger: for which spans of time every page has arrived, by collection and filter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sspr_audit import engine
from sspr_audit.model import Gap, Window
from sspr_audit.store.schema import meta, set_meta
from sspr_audit.store.times import aware, naive

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Entry:
    """A window that arrived whole. Times are UTC."""

    collection: str
    filter: str
    """As the service was asked, beside the time; "" for every record."""
    start: datetime
    end: datetime
    """The end of what counts as covered; `start` where nothing had settled yet."""
    read_to: datetime
    """The end of what was read."""
    fetched: datetime
    rows: int
    pages: int
    request_ids: tuple[str, ...] = ()

    @property
    def read(self) -> Window:
        """What was read, be it settled or not."""
        return Window(self.start, self.read_to)

    @property
    def covered(self) -> tuple[Window, ...]:
        """What this covers: a window, or nothing."""
        return (Window(self.start, self.end),) if self.start < self.end else ()

    def answers(self, wanted: str) -> bool:
        """Say whether this holds all that a query with another filter would bring."""
        return self.filter in ("", wanted)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One fetch that came to its end, as it is written down; see migrations/0002.sql."""

    at: datetime
    collection: str
    filter: str
    reread_h: float
    records: int
    kept: int
    late: int
    late_least_s: float | None
    late_most_s: float | None
    requests: Mapping[str, int]


def add(connection: duckdb.DuckDBPyConnection, entry: Entry) -> None:
    """Write down that a window arrived: in the transaction that stores its records."""
    connection.execute(
        "INSERT INTO coverage (collection, filter, start_utc, end_utc, read_to_utc, fetched_utc,"
        " rows, pages, request_ids) VALUES ($collection, $filter, $start, $end, $read_to,"
        " $fetched, $rows, $pages, $request_ids)",
        {
            "collection": entry.collection,
            "filter": entry.filter,
            "start": naive(entry.start),
            "end": naive(entry.end),
            "read_to": naive(entry.read_to),
            "fetched": naive(entry.fetched),
            "rows": entry.rows,
            "pages": entry.pages,
            "request_ids": json.dumps(entry.request_ids),
        },
    )


def entries(connection: duckdb.DuckDBPyConnection, collection: str) -> tuple[Entry, ...]:
    """Return the windows of a collection that arrived, oldest first."""
    found = engine.rows(
        connection,
        "SELECT filter, start_utc, end_utc, read_to_utc, fetched_utc, rows, pages, request_ids"
        " FROM coverage WHERE collection = $collection AND fetched_utc IS NOT NULL"
        " ORDER BY start_utc, end_utc, filter, fetched_utc",
        {"collection": collection},
    )
    return tuple(
        Entry(
            collection,
            what,
            aware(start),
            aware(end),
            aware(read_to),
            aware(fetched),
            rows,
            pages,
            tuple(json.loads(request_ids)),
        )
        for what, start, end, read_to, fetched, rows, pages, request_ids in found
    )


def withdraw(connection: duckdb.DuckDBPyConnection, collection: str, what: str) -> None:
    """Take back what a filter covered that was found out to lose records."""
    connection.execute(
        "DELETE FROM coverage WHERE collection = $collection AND filter = $filter",
        {"collection": collection, "filter": what},
    )


def keep_gaps(connection: duckdb.DuckDBPyConnection, collection: str, gaps: Iterable[Gap]) -> None:
    """Write down what could not be had, in place of what an earlier fetch said."""
    connection.execute("DELETE FROM gaps WHERE collection = $name", {"name": collection})
    for gap in gaps:
        connection.execute(
            "INSERT INTO gaps VALUES ($collection, $start, $end, $reason)",
            {
                "collection": collection,
                "start": naive(gap.start),
                "end": naive(gap.end),
                "reason": gap.reason,
            },
        )


def gaps(connection: duckdb.DuckDBPyConnection, collection: str) -> tuple[Gap, ...]:
    """Return what the last fetches could not get, oldest first."""
    found = engine.rows(
        connection,
        "SELECT start_utc, end_utc, reason FROM gaps WHERE collection = $collection ORDER BY ALL",
        {"collection": collection},
    )
    return tuple(Gap(aware(start), aware(end), reason) for start, end, reason in found)


def log(connection: duckdb.DuckDBPyConnection, fetch: Fetch) -> None:
    """Write down what a fetch did."""
    connection.execute(
        "INSERT INTO fetches VALUES ($at, $collection, $filter, $reread_h, $records, $kept,"
        " $late, $least, $most, $requests)",
        {
            "at": naive(fetch.at),
            "collection": fetch.collection,
            "filter": fetch.filter,
            "reread_h": fetch.reread_h,
            "records": fetch.records,
            "kept": fetch.kept,
            "late": fetch.late,
            "least": fetch.late_least_s,
            "most": fetch.late_most_s,
            "requests": json.dumps(dict(sorted(fetch.requests.items()))),
        },
    )


def last_reread(
    connection: duckdb.DuckDBPyConnection, collection: str, hours: float
) -> datetime | None:
    """Return when a fetch last read so many hours again; None for never."""
    ((at,),) = engine.rows(
        connection,
        "SELECT max(at_utc) FROM fetches WHERE collection = $collection AND reread_h >= $hours",
        {"collection": collection, "hours": hours},
    )
    return None if at is None else aware(at)


def verdict(connection: duckdb.DuckDBPyConnection, collection: str) -> dict[str, Any] | None:
    """Return what `keep_verdict` kept of a collection's filter; None for nothing."""
    text = meta(connection, f"filter of {collection}")
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found


def keep_verdict(
    connection: duckdb.DuckDBPyConnection, collection: str, what: Mapping[str, Any]
) -> None:
    """Keep what a test of the collection's filter showed."""
    set_meta(connection, f"filter of {collection}", json.dumps(dict(what)))
