"""The store's DuckDB file: opened for one short transaction at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sspr_audit import engine
from sspr_audit.errors import LocalTrouble, SettingsError
from sspr_audit.store.texts import pack, unpack
from sspr_audit.tables import AUDIT

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_COLUMNS: Final = ", ".join(AUDIT)


@dataclass(frozen=True, slots=True)
class Info:
    """What a store holds. Times are UTC without a zone; None in an empty store."""

    path: Path
    size_bytes: int
    tenant_id: str | None
    records: int
    context: tuple[tuple[str, int], ...]
    first: datetime | None
    last: datetime | None
    imports: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch as the store keeps it: raw texts, and a row for each in the same order."""

    layout: str
    """JSON of model.Layout."""
    texts: pa.StringArray
    rows: pa.Table
    """Columns: sha256, and those of tables.AUDIT, or `kind` for context."""

    @property
    def is_context(self) -> bool:
        """Say whether these are no audit records."""
        return "kind" in self.rows.column_names

    def only(self, mask: pa.BooleanArray) -> Stored:
        """Return the records for which `mask` is true."""
        return Stored(self.layout, self.texts.filter(mask), self.rows.filter(mask))


Change = Callable[[Stored], Stored]
"""What becomes of a batch: fewer records, or other rows for the same texts."""


class Store:
    """A store at a path. Reading needs no lock; writing is for who holds it (see `held`)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Say whether there is a store; one whose first import was ended has no tables yet."""
        if not self.path.is_file():
            return False
        with engine.database(self.path, read_only=True) as connection:
            return _check_version(connection) > 0

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection inside one transaction: all of it lands, or nothing."""
        with engine.database(self.path, read_only=False) as connection:
            connection.execute("BEGIN")
            try:
                _migrate(connection)
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection that cannot write. Raises LocalTrouble for a store of a newer version."""
        with engine.database(self.path, read_only=True) as connection:
            _check_version(connection)
            yield connection

    def copy_audit(self, into: duckdb.DuckDBPyConnection, *, start: datetime, end: datetime) -> int:
        """Copy the audit rows with `start ≤ time < end` (UTC, no zone) into a scratch `audit`.

        Returns their number.
        """
        with self.reading() as connection:
            reader = connection.sql(
                f"SELECT record AS seq, 0::INTEGER AS file, record AS place, {_COLUMNS} FROM audit"  # noqa: S608
                " WHERE time_utc >= $start AND time_utc < $end",
                params={"start": start, "end": end},
            ).to_arrow_reader(50_000)
            with engine.lent(into, arrived=reader):
                into.execute("INSERT INTO audit SELECT * FROM arrived")
        ((count,),) = engine.rows(into, "SELECT count(*) FROM audit")
        return int(count)

    def info(self) -> Info:
        """Return what the store holds."""
        with self.reading() as connection:
            ((records, first, last),) = engine.rows(
                connection,
                "SELECT count(*), CAST(min(time_utc) AS TIMESTAMP),"
                " CAST(max(time_utc) AS TIMESTAMP) FROM audit",
            )
            kinds = engine.rows(
                connection, "SELECT kind, count(*) FROM context GROUP BY kind ORDER BY kind"
            )
            ((imports,),) = engine.rows(connection, "SELECT count(*) FROM imports")
            tenant = _meta(connection, "tenant_id")
        size = self.path.stat().st_size
        return Info(self.path, size, tenant, records, tuple(kinds), first, last, imports)

    def copy_rivals(
        self, into: duckdb.DuckDBPyConnection, *, ids: pa.Table, correlations: pa.Table
    ) -> None:
        """Copy the rows that new records may repeat into a scratch `audit`.

        They come as file -1, numbered -1 - record. `ids` and `correlations` have one column, `key`.
        """
        with self.reading() as connection, engine.lent(connection, ids=ids, cors=correlations):
            reader = connection.sql(
                f"SELECT -1 - record AS seq, -1::INTEGER AS file, record AS place, {_COLUMNS}"  # noqa: S608
                " FROM audit WHERE record_id IN (FROM ids)"
                " OR COALESCE(correlation_id, '') IN (FROM cors)"
            ).to_arrow_reader(50_000)
            with engine.lent(into, arrived=reader):
                into.execute("INSERT INTO audit SELECT * FROM arrived")

    def known_context(self) -> pa.Table:
        """Return the hashes of all context records (column sha256)."""
        with self.reading() as connection:
            return engine.fetch(connection, "SELECT DISTINCT sha256 FROM context")

    def context_counts(self) -> dict[str, int]:
        """Count the context records by kind."""
        with self.reading() as connection:
            query = "SELECT kind, count(*) FROM context GROUP BY kind ORDER BY kind"
            return dict(engine.rows(connection, query))

    def identities(self, user: str) -> set[str]:
        """Return the names and ids, in lower case, that the records give to one person."""
        with self.reading() as connection:
            found = engine.rows(
                connection,
                "SELECT DISTINCT unnest([lower(id), lower(upn)]) FROM ("
                " SELECT target_id AS id, target_upn AS upn FROM audit"
                " UNION SELECT initiator_id, initiator_upn FROM audit)"
                " WHERE lower(id) = $user OR lower(upn) = $user",
                {"user": user.lower()},
            )
        zero = "00000000-0000-0000-0000-000000000000"
        return {user.lower(), *(value for (value,) in found if value and value != zero)}

    def normalized_by(self) -> str | None:
        """Return the version of the code that made the store's audit rows."""
        with self.reading() as connection:
            return _meta(connection, "normalized_by")

    def remake(self, change: Change, **meta: str) -> tuple[int, int]:
        """Make the file anew: `change` gets every batch and says what becomes of it.

        A new file takes the old one's place in one step, so that nothing of a dropped record stays
        behind in freed pages. Returns how many records stayed and went.
        """
        beside = self.path.with_name(self.path.name + ".new")
        beside.unlink(missing_ok=True)
        stayed = went = 0
        try:
            with self.reading() as old, Store(beside).writing() as new:
                for name in ("imports", "coverage", "meta"):
                    with engine.lent(new, arrived=engine.fetch(old, f"FROM {name}")):
                        new.execute(f"DELETE FROM {name}")  # noqa: S608
                        new.execute(f"INSERT INTO {name} FROM arrived")  # noqa: S608
                for key, value in meta.items():
                    set_meta(new, key, value)
                for (number,) in engine.rows(old, "SELECT batch FROM raw ORDER BY batch"):
                    before = _batch(old, number)
                    after = change(before) if before.rows.num_rows else before
                    if len(after.texts):
                        add(new, after)
                    stayed += len(after.texts)
                    went += before.rows.num_rows - len(after.texts)
            beside.replace(self.path)
        except OSError as error:
            msg = f"{self.path} could not be made anew: {error.strerror}; free space, run again"
            raise LocalTrouble(msg) from error
        finally:
            beside.unlink(missing_ok=True)
        return stayed, went


def add(connection: duckdb.DuckDBPyConnection, stored: Stored) -> None:
    """Add a batch of records."""
    import pyarrow as pa

    ((batch,),) = engine.rows(connection, "SELECT nextval('batch_number')")
    connection.execute(
        "INSERT INTO raw VALUES ($batch, $layout, $texts)",
        {"batch": batch, "layout": stored.layout, "texts": pack(stored.texts)},
    )
    places = pa.array(range(len(stored.texts)), pa.int32())
    table, columns = ("context", "kind") if stored.is_context else ("audit", _COLUMNS)
    with engine.lent(connection, arrived=stored.rows.append_column("place", places)):
        connection.execute(
            f"INSERT INTO {table} (batch, place, sha256, {columns})"  # noqa: S608
            f" SELECT $batch, place, sha256, {columns} FROM arrived ORDER BY place",
            {"batch": batch},
        )


def claim(
    connection: duckdb.DuckDBPyConnection, tenants: Sequence[str], wanted: str | None
) -> None:
    """See that all records are of the store's one tenant; the first ones decide which.

    Raises SettingsError.
    """
    ours = _meta(connection, "tenant_id") or wanted
    foreign = [tenant for tenant in tenants if ours and tenant != ours.lower()]
    if foreign or len(tenants) > 1:
        of = f"tenant {ours}" if ours else "one tenant"
        msg = (
            f"the records are of tenant {(foreign or tenants)[0]}, the store of {of};"
            " use another [store] path for each tenant"
        )
        raise SettingsError(msg)
    if tenants or ours:
        set_meta(connection, "tenant_id", (ours or tenants[0]).lower())


def _batch(connection: duckdb.DuckDBPyConnection, number: int) -> Stored:
    """Return a batch with those of its texts that are still in use."""
    where = {"batch": number}
    ((layout, blob),) = engine.rows(
        connection, "SELECT layout, texts FROM raw WHERE batch = $batch", where
    )
    rows = engine.fetch(
        connection,
        f"SELECT place, sha256, {_COLUMNS} FROM audit WHERE batch = $batch ORDER BY place",  # noqa: S608
        where,
    )
    if not rows.num_rows:
        query = "SELECT place, sha256, kind FROM context WHERE batch = $batch ORDER BY place"
        rows = engine.fetch(connection, query, where)
    texts = unpack(blob).take(rows["place"].combine_chunks())
    return Stored(layout, texts, rows.drop_columns(["place"]))


def _migrations() -> list[str]:
    folder = resources.files("sspr_audit.store").joinpath("migrations")
    return sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the store to this version's schema, inside the caller's transaction."""
    connection.execute("CREATE TABLE IF NOT EXISTS meta (key VARCHAR PRIMARY KEY, value VARCHAR)")
    done = _check_version(connection)
    audit = ",\n    ".join(f"{name} {kind}" for name, kind in AUDIT.items())
    for number, name in enumerate(_migrations()[done:], done + 1):
        text = engine.sql("sspr_audit.store", f"migrations/{name}").replace("{audit}", audit)
        connection.execute(text)
        set_meta(connection, "schema", str(number))


def _check_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many migrations the store has had; raises LocalTrouble if it is newer than us."""
    tables = engine.rows(
        connection, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'"
    )
    done = int(_meta(connection, "schema") or 0) if tables[0][0] else 0
    if done > len(_migrations()):
        msg = "the store was made by a newer sspr-audit; upgrade this one"
        raise LocalTrouble(msg)
    return done


def _meta(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    found = engine.rows(connection, "SELECT value FROM meta WHERE key = $key", {"key": key})
    return str(found[0][0]) if found else None


def set_meta(connection: duckdb.DuckDBPyConnection, key: str, value: Any) -> None:  # noqa: ANN401
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES ($key, $value)", {"key": key, "value": str(value)}
    )
