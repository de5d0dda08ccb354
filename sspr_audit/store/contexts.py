"""What the store knows of a tenant beside its audit records, and how fresh that is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sspr_audit import engine
from sspr_audit.model import CONTEXT_KINDS, ResetLink, Window
from sspr_audit.store.batches import KEY, Stored, fill, raw_texts
from sspr_audit.store.times import aware, naive

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a collection when it was last asked for. Times are UTC."""

    tried: datetime
    came: datetime | None
    """When it last came whole; None for never."""
    records: int
    """That came then."""
    skipped: str | None
    """Why it did not come at `tried`; None where it did."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A span of one person's time whose sign-ins the store holds, as of `asked`. Times are UTC."""

    person: str
    span: Window
    asked: datetime


def stored(kind: str, texts: pa.StringArray) -> Stored:
    """Return records of a kind, which are valid JSON, as the store keeps them."""
    import pyarrow as pa

    arrived = pa.table({"nth": pa.array(range(len(texts)), pa.int64()), "text": texts})
    with engine.scratch() as scratch, engine.lent(scratch, arrived=arrived):
        rows = engine.fetch(
            scratch,
            f"SELECT text, sha256(text) AS sha256, $kind AS kind, {KEY.format('text')} AS key"  # noqa: S608
            " FROM arrived ORDER BY nth",
            {"kind": kind},
        )
    layout = json.dumps({"form": kind})
    return Stored(layout, rows["text"].combine_chunks(), rows.drop_columns(["text"]))


def replace(connection: duckdb.DuckDBPyConnection, kind: str, stream: Iterator[Stored]) -> int:
    """Put records in the place of all others of their kind; return how many."""
    connection.execute("DELETE FROM context WHERE kind = $kind", {"kind": kind})
    return add(connection, stream)


def add(connection: duckdb.DuckDBPyConnection, stream: Iterator[Stored]) -> int:
    """Add records, each in the place of what has its id; return how many."""
    kept = fill(connection, stream)
    connection.execute(
        "DELETE FROM raw WHERE json_extract_string(layout, '$.form') IN (SELECT unnest($kinds))"
        " AND batch NOT IN (SELECT batch FROM context)",
        {"kinds": list(CONTEXT_KINDS)},
    )
    return kept


def texts(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    """Return the records of a kind, in the order in which they came; for few records."""
    found = engine.rows(
        connection,
        "SELECT batch, list(place ORDER BY place) FROM context WHERE kind = $kind GROUP BY batch"
        " ORDER BY batch",
        {"kind": kind},
    )
    taken = (raw_texts(connection, batch)[1].take(places) for batch, places in found)
    return [text for texts in taken for text in texts.to_pylist()]


def records(
    connection: duckdb.DuckDBPyConnection, kinds: Sequence[str]
) -> Iterator[tuple[int, pa.Table, pa.StringArray]]:
    """Yield the records of these kinds, a batch at a time, the oldest first.

    That is the batch's number, rows with place, kind and sha256, and the texts in the same order.
    """
    where = "WHERE kind IN (SELECT unnest($kinds))"
    numbers = engine.rows(
        connection,
        f"SELECT DISTINCT batch FROM context {where} ORDER BY 1",  # noqa: S608
        {"kinds": list(kinds)},
    )
    for (number,) in numbers:
        rows = engine.fetch(
            connection,
            f"SELECT place, kind, sha256 FROM context {where} AND batch = $batch ORDER BY place",  # noqa: S608
            {"kinds": list(kinds), "batch": number},
        )
        _, whole = raw_texts(connection, number)
        yield number, rows, whole.take(rows["place"].combine_chunks())


def standing(connection: duckdb.DuckDBPyConnection) -> dict[str, Standing]:
    """Return what became of each collection that was ever asked for, by its name."""
    query = "SELECT collection, tried_utc, came_utc, records, skipped FROM collections ORDER BY 1"
    return {
        name: Standing(aware(tried), came and aware(came), records or 0, skipped)
        for name, tried, came, records, skipped in engine.rows(connection, query)
    }


def came(connection: duckdb.DuckDBPyConnection, collection: str, at: datetime, count: int) -> None:
    """Write down that a collection came whole: in the transaction that stores it."""
    connection.execute(
        "INSERT OR REPLACE INTO collections VALUES ($name, $at, $count, $at, NULL)",
        {"name": collection, "at": naive(at), "count": count},
    )


def skipped(connection: duckdb.DuckDBPyConnection, collection: str, at: datetime, why: str) -> None:
    """Write down why a collection did not come; what came of it before stays."""
    connection.execute(
        "INSERT INTO collections VALUES ($name, NULL, NULL, $at, $why) ON CONFLICT (collection)"
        " DO UPDATE SET tried_utc = excluded.tried_utc, skipped = excluded.skipped",
        {"name": collection, "at": naive(at), "why": why},
    )


def follow(connection: duckdb.DuckDBPyConnection, done: Iterable[Followed]) -> None:
    """Write down whose sign-ins came: in the transaction that stores them."""
    for one in done:
        values = {
            "person": one.person,
            "start": naive(one.span.start),
            "end": naive(one.span.end),
            "asked": naive(one.asked),
        }
        connection.execute(
            "DELETE FROM followed WHERE person = $person AND start_utc = $start",
            {name: values[name] for name in ("person", "start")},
        )
        connection.execute("INSERT INTO followed VALUES ($person, $start, $end, $asked)", values)


def followed(connection: duckdb.DuckDBPyConnection) -> list[Followed]:
    """Return whose sign-ins of which time the store holds."""
    query = "SELECT person, start_utc, end_utc, asked_utc FROM followed ORDER BY ALL"
    return [
        Followed(person, Window(aware(start), aware(end)), aware(asked))
        for person, start, end, asked in engine.rows(connection, query)
    ]


def keep_links(
    connection: duckdb.DuckDBPyConnection, collection: str, links: Iterable[ResetLink]
) -> None:
    """Put what Intune says of the reset link in the place of what it said before."""
    connection.execute("DELETE FROM reset_links WHERE collection = $name", {"name": collection})
    for one in links:
        connection.execute(
            "INSERT INTO reset_links VALUES ($name, $id, $title, $value)",
            {"name": collection, "id": one.id, "title": one.name, "value": one.value},
        )


def links(connection: duckdb.DuckDBPyConnection) -> list[ResetLink]:
    """Return what Intune says of the reset link."""
    query = "SELECT collection, id, name, value FROM reset_links ORDER BY ALL"
    return [ResetLink(*row) for row in engine.rows(connection, query)]


def forget(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Drop what says whose sign-ins came of people with these names and ids, in lower case."""
    connection.execute(
        "DELETE FROM followed WHERE lower(person) IN (SELECT unnest($names))",
        {"names": list(names)},
    )
