"""The store's tables: numbered migrations, and the few facts that it keeps about itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.errors import LocalTrouble, SettingsError
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_SEQUENCE: Final = "record_number"
"""What the first migration makes, and only a store has."""


class Outdated(LocalTrouble):
    """The store was made by an older version, and must be brought up to date before it is read."""


def migrations() -> list[str]:
    """Return the names of the migrations, in the order in which they run."""
    folder = resources.files("sspr_audit.store").joinpath("migrations")
    return sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))


def migrate(connection: duckdb.DuckDBPyConnection, *, made_by: str) -> None:
    """Bring the tables to this version's, inside the caller's transaction.

    The columns that are derived from the raw texts are of no migration: they are made anew from
    the texts wherever `made_by`, which names the code that derives them, is not the store's.
    """
    done = standing(connection)
    if done == len(migrations()):
        return
    connection.execute("CREATE TABLE IF NOT EXISTS meta (key VARCHAR PRIMARY KEY, value VARCHAR)")
    audit = ",\n    ".join(f"{name} {kind}" for name, kind in AUDIT.items())
    for name in migrations()[done:]:
        text = engine.sql("sspr_audit.store", f"migrations/{name}").replace("{audit}", audit)
        connection.execute(text)
    set_meta(connection, "schema", str(len(migrations())))
    if not done:
        set_meta(connection, "made_by", made_by)


def standing(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many migrations the store has had; 0 where there are no tables yet.

    Raises LocalTrouble if it is newer than us, or no store at all.
    """
    # A store's own sequence: to list tables, DuckDB first makes all its views, which takes as long
    # as opening the file.
    sequences = engine.rows(connection, "SELECT sequence_name FROM duckdb_sequences()")
    is_store = (_SEQUENCE,) in sequences
    if not is_store:
        if engine.rows(connection, "SELECT table_name FROM duckdb_tables() LIMIT 1"):
            msg = f"{_file(connection)} is a database, but no store; choose another [store] path"
            raise LocalTrouble(msg)
        return 0
    said = meta(connection, "schema") or ""
    done = int(said) if re.fullmatch(r"[1-9]\d{0,8}", said) else 0
    if not done:
        msg = f"{_file(connection)} was changed by another program; move it away or restore it"
        raise LocalTrouble(msg)
    if done > len(migrations()):
        msg = f"{_file(connection)} was made by a newer sspr-audit; upgrade this one"
        raise LocalTrouble(msg)
    return done


def _file(connection: duckdb.DuckDBPyConnection) -> str:
    ((path,),) = engine.rows(
        connection, "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
    )
    return str(path)


def is_current(connection: duckdb.DuckDBPyConnection, *, made_by: str) -> bool:
    """Say whether both tables and rows are of this version."""
    return standing(connection) == len(migrations()) and meta(connection, "made_by") == made_by


def meta(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """Return what the store says of itself under `key`."""
    found = engine.rows(connection, "SELECT value FROM meta WHERE key = $key", {"key": key})
    return str(found[0][0]) if found else None


def set_meta(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Write down what the store says of itself under `key`."""
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES ($key, $value)", {"key": key, "value": value}
    )


def agree(held: str | None, wanted: str | None) -> None:
    """Raise SettingsError where the store holds another tenant than the settings name.

    A domain name takes no part: nothing here knows whose it is.
    """
    if not (held and wanted and _ID.fullmatch(wanted.lower())) or held == wanted.lower():
        return
    msg = (
        f"the store holds tenant {held}, and the settings name {wanted.lower()};"
        " use another [store] path for each tenant"
    )
    raise SettingsError(msg)


def claim(
    connection: duckdb.DuckDBPyConnection, tenants: Sequence[str], wanted: str | None
) -> None:
    """See that all records are of the store's one tenant; the first ones decide which.

    `tenants` are in lower case. A tenant's domain name takes no part, whoever gives it: records
    carry ids, and nothing here knows whose a domain is. Raises SettingsError.
    """
    held = meta(connection, "tenant_id")
    agree(held, wanted)
    named = (held, wanted and wanted.lower())
    ours = next((one for one in named if one and _ID.fullmatch(one)), None)
    theirs = [one for one in tenants if _ID.fullmatch(one)]
    foreign = [one for one in theirs if ours and one != ours]
    if foreign or len(theirs) > 1:
        of = f"tenant {ours}" if ours else "one tenant"
        msg = (
            f"the records are of tenant {(foreign or theirs)[0]}, the store of {of};"
            " use another [store] path for each tenant"
        )
        raise SettingsError(msg)
    if ours or theirs:
        set_meta(connection, "tenant_id", ours or theirs[0])
