"""The store's DuckDB file: opened for one short transaction at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.errors import LocalTrouble, UsageError
from sspr_audit.store import batches, schema
from sspr_audit.store.batches import COLUMNS, Stored

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PAUSE_S: Final = 0.1
"""Seconds between two tries to open a file that another process has open."""

TRIES: Final = 300
"""How often to try: nobody has the file open for longer than one transaction."""

_OTHERS: Final = (
    *("imports", "coverage", "gaps", "fetches", "meta"),
    *("collections", "followed", "reset_links", "reports", "found"),
)
"""The tables that hold no records."""

Change = Callable[[Stored], Stored]
"""What becomes of a batch: fewer records, or other rows for the same texts."""


class NoStore(UsageError):
    """There is no store at the path, or nothing ever came to be in it."""


def files(store: Path) -> tuple[Path, ...]:
    """Return the file of a store, and all that can lie beside it."""
    suffixes = [
        *(new + suffix for new in ("", ".new") for suffix in engine.SUFFIXES),
        *(".lock", ".holder"),
    ]
    return tuple(store.with_name(store.name + suffix) for suffix in suffixes)


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
class Store:
    """A store at a path. Reading needs no lock; writing is for who holds it (see `held`)."""

    path: Path
    made_by: str
    """Names the code that derives rows from raw texts; rows of another are made anew."""
    sleep: Callable[[float], None] = time.sleep
    """Waits so many seconds."""

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection inside one transaction: all of it lands, or nothing."""
        if not self.path.exists():
            self._create()
        with self._opened(read_only=False) as connection:
            connection.execute("BEGIN")
            # Where anything fails before the end, closing takes all of it back.
            schema.migrate(connection, made_by=self.made_by)
            engine.tidy()
            yield connection
            engine.tidy()  # DuckDB needs room for what it has not written yet
            connection.execute("COMMIT")

    def _create(self) -> None:
        """Make the file beside and move it: one that was begun and not ended cannot be opened."""
        beside = self._beside(".new")
        try:
            _remove(*self._leftovers())
            with engine.database(beside, read_only=False, beside=(self.path,)) as connection:
                connection.execute("BEGIN")  # or each statement would be written by itself
                schema.migrate(connection, made_by=self.made_by)
                connection.execute("COMMIT")
            beside.replace(self.path)
        except OSError as error:
            msg = f"{self.path} cannot be made: {error.strerror}; choose another [store] path"
            raise LocalTrouble(msg) from error

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection that cannot write.

        Raises NoStore, Outdated for a store of an older version, LocalTrouble for a newer one.
        """
        with self._standing() as connection:
            if not schema.is_current(connection, made_by=self.made_by):
                msg = f"{self.path} was made by an older version; run an import to upgrade it"
                raise schema.Outdated(msg)
            yield connection

    @contextmanager
    def _standing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection that cannot write, to a store of whatever version."""
        msg = (
            f"there is no store at {self.path}; fill one with `sspr-audit fetch` or `import`, or"
            " name files with --input"
        )
        if not self.path.exists():
            raise NoStore(msg)
        with self._opened(read_only=True) as connection:
            if not schema.standing(connection):
                raise NoStore(msg)
            yield connection

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file, waiting for another process to be done with it.

        Raises StoreBusy, and LocalTrouble for what is no file: a pipe would be waited for forever.
        """
        if not self.path.is_file():
            msg = f"{self.path} is no file that can be a store; choose another [store] path"
            raise LocalTrouble(msg)
        with ExitStack() as stack:
            for left in reversed(range(TRIES)):
                try:
                    opened = engine.database(self.path, read_only=read_only, beside=self._other())
                    connection = stack.enter_context(opened)
                    break
                except engine.StoreBusy:
                    if not left:
                        raise
                    self.sleep(PAUSE_S)
            yield connection

    def info(self) -> Info:
        """Return what the store holds. Raises NoStore."""
        with self._standing() as connection:
            return self.told(connection)

    def told(self, connection: duckdb.DuckDBPyConnection) -> Info:
        """Return what the store holds, from a connection to it."""
        ((records, first, last),) = engine.rows(
            connection,
            # Cut, where a cast would round.
            "SELECT count(*), make_timestamp(epoch_ns(min(time_utc)) // 1000),"
            " make_timestamp(epoch_ns(max(time_utc)) // 1000) FROM audit",
        )
        kinds = engine.rows(
            connection, "SELECT kind, count(*) FROM context GROUP BY kind ORDER BY kind"
        )
        ((imports,),) = engine.rows(connection, "SELECT count(*) FROM imports")
        tenant = schema.meta(connection, "tenant_id")
        size = self.path.stat().st_size
        return Info(self.path, size, tenant, records, tuple(kinds), first, last, imports)

    def batches(self) -> Iterator[Stored]:
        """Yield all that the store holds, a batch at a time. Raises as `reading` does."""
        with self.reading() as connection:
            for table in batches.TABLES:
                yield from batches.stored(connection, table)

    def remake(
        self,
        change: Change,
        then: Callable[[duckdb.DuckDBPyConnection], None] = lambda _: None,
    ) -> tuple[int, int]:
        """Make the file anew: `change` gets every batch and says what becomes of it.

        `then` may change what else the new file holds. It takes the old one's place in one step,
        so that nothing of a dropped record stays behind in freed pages. Returns how many records
        stayed and went.
        """
        beside, log = self._beside(".new"), self._beside(".wal")
        try:
            _remove(*self._leftovers())  # of a run that was ended
            with self.writing():
                pass  # a log that was left behind becomes part of the file
            _without(log)
            new_store = Store(beside, self.made_by, self.sleep)
            with self._standing() as old, new_store.writing() as new:
                for name in _OTHERS:
                    with engine.lent(new, arrived=engine.fetch(old, f"FROM {name}")):
                        new.execute(f"DELETE FROM {name}")  # noqa: S608
                        new.execute(f"INSERT INTO {name} FROM arrived")
                schema.set_meta(new, "made_by", self.made_by)
                came = 0

                def changed(table: str) -> Iterator[Stored]:
                    nonlocal came
                    for before in batches.stored(old, table):
                        came += before.rows.num_rows
                        after = change(before)
                        if len(after.texts):
                            yield after

                stayed = sum(batches.fill(new, changed(table)) for table in batches.TABLES)
                then(new)
            _without(self._beside(".new.wal"))
            beside.replace(self.path)
        except OSError as error:
            msg = f"{self.path} could not be made anew: {error.strerror}; free space, run again"
            raise LocalTrouble(msg) from error
        finally:
            with suppress(OSError):
                _remove(*self._leftovers())
        return stayed, came - stayed

    def _leftovers(self) -> list[Path]:
        """Return what a run that was ended can have left of the file that is made anew."""
        return [self._beside(f".new{suffix}") for suffix in engine.SUFFIXES]

    def _other(self) -> tuple[Path, ...]:
        """Return the file that is open in turn with ours while one takes the other's place."""
        name = self.path.name
        new = name.endswith(".new")
        return (self.path.with_name(name.removesuffix(".new") if new else f"{name}.new"),)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def copy_audit(
    store: duckdb.DuckDBPyConnection,
    into: duckdb.DuckDBPyConnection,
    *,
    start: datetime,
    end: datetime,
) -> None:
    """Copy the audit rows with `start ≤ time < end` (UTC, no zone) into a scratch `audit`."""
    _copy(
        store,
        into,
        f"SELECT record AS seq, 0::INTEGER AS file, record AS place, {COLUMNS} FROM audit"  # noqa: S608
        " WHERE time_utc >= $start AND time_utc < $end",
        start=start,
        end=end,
    )


def copy_rivals(  # noqa: PLR0913 - what a new record may repeat
    store: duckdb.DuckDBPyConnection,
    into: duckdb.DuckDBPyConnection,
    *,
    ids: pa.Table,
    correlations: pa.Table,
    start: datetime,
    end: datetime,
) -> None:
    """Copy the rows with `start ≤ time < end` that new records may repeat into a scratch `audit`.

    The times are what keeps this from reading the whole store. The rows come as file -1, numbered
    -1 - record. `ids` and `correlations` have one column, `key`; a correlationId is trimmed and in
    lower case, and empty where there is none.
    """
    with engine.lent(store, ids=ids, cors=correlations):
        _copy(
            store,
            into,
            f"SELECT -1 - record AS seq, -1::INTEGER AS file, record AS place, {COLUMNS}"  # noqa: S608
            " FROM audit WHERE time_utc >= $start AND time_utc < $end"
            " AND (record_id IN (FROM ids)"
            " OR COALESCE(lower(trim(correlation_id)), '') IN (FROM cors))",
            start=start,
            end=end,
        )


def _copy(
    store: duckdb.DuckDBPyConnection,
    into: duckdb.DuckDBPyConnection,
    query: str,
    **values: datetime,
) -> None:
    reader = store.sql(query, params=values).to_arrow_reader(50_000)
    with engine.lent(into, arrived=reader):
        into.execute("INSERT INTO audit SELECT * FROM arrived")


def _without(log: Path) -> None:
    """Raise LocalTrouble where the file still has a log: it could not be made part of it."""
    if log.exists():
        msg = f"{log.with_suffix('')} cannot be written; free space and run again"
        raise LocalTrouble(msg)


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
