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
    import pyarrow as pa

_COUNTS: Final = """
SELECT {column} AS text, count(*)::BIGINT AS n FROM events
WHERE {column} IS NOT NULL AND {where} AND time_utc >= $start AND time_utc < $end
GROUP BY ALL ORDER BY n DESC, text
"""


def drop_repeats(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Delete from `audit` what says again what another row says; return (file, count) of it."""
    _map(connection, "reason", "reason_fold", ("reason", "folded"), lambda t: (fold(t),))
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
    """Make the table `events` from `audit`."""
    _map(
        connection,
        "activity",
        "activity_map",
        ("text", "known_as", "role", "person_from", "rank", "outcome_stage", "blocked"),
        lambda text: _activity(knowledge, text),
    )
    _map(
        connection,
        "reason",
        "reason_map",
        ("text", "says", "reason_key", "stage", "rank", "meaning", "method", "alone"),
        lambda text: _reason(knowledge, text),
    )
    find_site = _site_finder(sites)
    _map(
        connection,
        "ip_text",
        "ip_map",
        ("text", "ip", "ip_group", "site"),
        lambda text: _address(text, find_site),
    )
    _map(
        connection,
        "client_type",
        "client_map",
        ("text", "client", "assumed"),
        lambda text: knowledge.client(text, client_types),
    )
    connection.execute(engine.sql("sspr_audit.normalize", "events.sql"))


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


def _map(
    connection: duckdb.DuckDBPyConnection,
    column: str,
    name: str,
    columns: tuple[str, ...],
    tell: Callable[[str], tuple[Any, ...]],
) -> None:
    """Make the table `name` with a row for each distinct value of `column` in `audit`."""
    import pyarrow as pa

    found = engine.fetch(
        connection,
        f"SELECT DISTINCT {column} AS text FROM audit WHERE {column} IS NOT NULL ORDER BY 1",  # noqa: S608
    )
    texts = found["text"].to_pylist()
    rows = [(text, *tell(text)) for text in texts]
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    table = pa.table({c: pa.array(v, _type(c)) for c, v in zip(columns, values, strict=True)})
    with engine.lent(connection, told=table):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM told")  # noqa: S608


def _type(column: str) -> pa.DataType:
    import pyarrow as pa

    if column in ("rank", "stage", "outcome_stage"):
        return pa.int64()
    return pa.bool_() if column in ("assumed", "blocked", "says") else pa.string()


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


def _address(
    text: str, find_site: Callable[[IPv4Address | IPv6Address], str | None]
) -> tuple[str | None, str | None, str | None]:
    """Return the address in its shortest form, its group and its site."""
    address = parsed_address(text)
    if address is None:
        return None, None, None
    group = str(address)
    if isinstance(address, IPv6Address):
        group = f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address), group, find_site(address)


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
