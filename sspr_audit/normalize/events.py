"""The table `audit` → the table `events`: few distinct values, each told once in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from sspr_audit import engine
from sspr_audit.knowledge import Knowledge, fold
from sspr_audit.model import Site, TextCount, Unrecognized

if TYPE_CHECKING:
    import duckdb

Tell = Callable[[str], tuple[Any, ...]]
"""Gives what there is to tell of a value."""

_MAPS: Final[Mapping[str, Mapping[str, str]]] = {
    "activity": {
        "word": "word",
        "known_as": "word",
        "role": "word",
        "person_from": "word",
        "rank": "BIGINT",
        "outcome_stage": "BIGINT",
        "blocked": "BOOLEAN",
    },
    "reason": {
        "word": "word",
        "says": "BOOLEAN",
        "reason_key": "word",
        "stage": "BIGINT",
        "rank": "BIGINT",
        "meaning": "word",
        "method": "word",
        "alone": "word",
    },
    "ip_text": {"ip": "word", "ip_group": "word", "site": "word"},
    "client_type": {"word": "word", "client": "word", "assumed": "BOOLEAN"},
    "result": {"word": "word"},
    "service": {"word": "word", "ours": "BOOLEAN"},
    "agent": {"word": "word"},
}
"""What is told of the distinct values of columns of `audit`: the value itself as `word`, and more.
Column → DuckDB type. The type `word` holds every text that is told as a number, because texts are
what takes long to write and to group."""

_WORDS: Final = ("blocked", "failed", "note", "succeeded")
"""Words that events.sql says by itself."""

_SERVICE: Final = "self-service password management"

_COUNTS: Final = """
SELECT {column} AS text, count(*)::BIGINT AS n FROM events
WHERE {column} IS NOT NULL AND {where} AND time_utc >= $start AND time_utc < $end
GROUP BY ALL ORDER BY n DESC, text
"""


def drop_repeats(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Delete from `audit` what says again what another row says; return (file, count) of it."""
    folded = told(connection, "reason", lambda text: (fold(text),))
    keep(connection, "reason_fold", {"reason": "VARCHAR", "folded": "VARCHAR"}, folded)
    connection.execute(engine.sql("sspr_audit.normalize", "repeats.sql"))
    counts = engine.rows(
        connection,
        "SELECT file, count(*) FROM audit WHERE seq IN (FROM repeats) GROUP BY file ORDER BY file",
    )
    if counts:
        connection.execute("DELETE FROM audit WHERE seq IN (FROM repeats)")
    return counts


def id_conflicts(connection: duckdb.DuckDBPyConnection) -> int:
    """Count the rows that share an id with another although they differ."""
    ((count,),) = engine.rows(
        connection,
        "SELECT COALESCE(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n FROM audit WHERE has_id"
        " GROUP BY record_id HAVING count(*) > 1)",
    )
    return int(count)


def make(
    connection: duckdb.DuckDBPyConnection,
    knowledge: Knowledge,
    *,
    sites: Iterable[Site],
    client_types: Mapping[str, str],
) -> None:
    """Make the table `events` from `audit`; its texts of few values are of the type `word`."""
    tells: dict[str, Tell] = {
        "activity": lambda text: (text, *_activity(knowledge, text)),
        "reason": lambda text: (text, *_reason(knowledge, text)),
        "ip_text": address_teller(sites),
        "client_type": lambda text: (text, *knowledge.client(text, client_types)),
        "result": lambda text: (text,),
        "service": lambda text: (text, text.strip().lower() == _SERVICE),
        "agent": lambda text: (text,),
    }
    known = {name: told(connection, name, tell) for name, tell in tells.items()}
    cells = (cell for rows in known.values() for row in rows for cell in row)
    words = sorted({*_WORDS, *(cell for cell in cells if isinstance(cell, str))})
    connection.execute(
        "CREATE OR REPLACE TEMP TYPE word AS ENUM (SELECT unnest($words))", {"words": words}
    )
    for name, rows in known.items():
        keep(connection, f"{name}_map", {"text": "VARCHAR", **_MAPS[name]}, rows)
    connection.execute(engine.sql("sspr_audit.normalize", "events.sql"))
    # An UPDATE costs as much as making the table, even where it changes nothing: asked for first.
    for question, answer in (
        ("by_name", "names.sql"),
        ("starts_with(flow_id, 'event:')", "namesakes.sql"),
    ):
        if engine.rows(connection, f"SELECT 1 FROM events WHERE {question} LIMIT 1"):  # noqa: S608
            connection.execute(engine.sql("sspr_audit.normalize", answer))


def unrecognized(
    connection: duckdb.DuckDBPyConnection,
    start: datetime,
    end: datetime,
) -> Unrecognized:
    """Return the texts in the events of a window that no rule knows, most frequent first.

    `start` and `end` are naive UTC.
    """

    def counted(column: str, where: str) -> tuple[TextCount, ...]:
        query = _COUNTS.format(column=column, where=where)
        rows = engine.rows(connection, query, {"start": start, "end": end})
        return tuple(TextCount(*row) for row in rows)

    return Unrecognized(
        reasons=counted("reason", "reason_key IS NULL"),
        client_types=counted("client_type", "client LIKE 'other:%'"),
        activities=counted("activity", "known_as IS NULL"),
    )


def told(
    connection: duckdb.DuckDBPyConnection, column: str, tell: Tell, *, table: str = "audit"
) -> list[tuple[Any, ...]]:
    """Return each distinct value of `column` in `table`, with what there is to tell of it."""
    found = engine.rows(
        connection,
        f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1",  # noqa: S608
    )
    return [(text, *tell(text)) for (text,) in found]


def keep(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, str],
    rows: list[tuple[Any, ...]],
) -> None:
    """Make the table `name` of rows of these columns (name → DuckDB type)."""
    import pyarrow as pa

    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    table = pa.table({c: pa.array(v) for c, v in zip(columns, values, strict=True)})
    cast = ", ".join(f"{column}::{kind} AS {column}" for column, kind in columns.items())
    with engine.lent(connection, told=table):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {cast} FROM told")  # noqa: S608


def _activity(knowledge: Knowledge, text: str) -> tuple[Any, ...]:
    match = knowledge.activity(text)
    if match is None:
        return (None,) * 6
    return (
        match.name,
        match.role,
        match.person_from,
        match.rank,
        match.outcome_stage,
        match.blocked,
    )


def _reason(knowledge: Knowledge, text: str) -> tuple[Any, ...]:
    says, match = fold(text) is not None, knowledge.reason(text)
    if match is None:
        return (says, *(None,) * 6)
    row = match.reason
    return says, row.key, row.stage, row.rank, row.meaning, match.method, row.alone


def address_teller(sites: Iterable[Site]) -> Tell:
    """Return a function that gives an address in its shortest form, its group and its site."""
    find_site = _site_finder(sites)

    def tell(text: str) -> tuple[str | None, str | None, str | None]:
        address = parsed_address(text)
        if address is None:
            return None, None, None
        shown = group = str(address)
        if isinstance(address, IPv6Address):
            group = f"{IPv6Address(int(address) >> 64 << 64)}/64"
        return shown, group, find_site(address)

    return tell


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as logs write it, with zone or port; None where none can be used."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return None if address.is_unspecified else address


def _site_finder(
    sites: Iterable[Site],
) -> Callable[[IPv4Address | IPv6Address], str | None]:
    """Return a function that names the site of an address: the longest prefix, then the first."""
    by_prefix: dict[tuple[int, int], dict[int, str]] = {}
    for site in sites:
        for text in site.networks:
            network = ip_network(text, strict=False)
            known = by_prefix.setdefault((network.version, network.prefixlen), {})
            known.setdefault(int(network.network_address), site.name)
    longest_first = sorted(by_prefix.items(), key=lambda item: -item[0][1])

    def find(address: IPv4Address | IPv6Address) -> str | None:
        for (version, length), known in longest_first:
            if version == address.version:
                shift = address.max_prefixlen - length
                name = known.get(int(address) >> shift << shift)
                if name is not None:
                    return name
        return None

    return find
