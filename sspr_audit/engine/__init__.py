"""Opens every DuckDB connection, safely. The only package that imports duckdb."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.engine.instance import (
    MEMORY_LIMIT,
    STORE_LIMIT,
    Instance,
    close,
    drop,
    lent_instance,
    trouble,
)
from sspr_audit.errors import LocalTrouble

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["MEMORY_LIMIT", "STORE_LIMIT", "close"]  # beside what is defined here

SUFFIXES: Final = ("", ".wal", ".wal.checkpoint", ".wal.recovery")
"""What DuckDB adds to the name of a database file for those it writes beside it."""


SCRATCH: Final = ":memory:"

DAMAGED: Final = ("Corrupt database file", "Could not read enough bytes")
"""How DuckDB says that what it wrote into a file is no longer there, or another."""


class StoreBusy(LocalTrouble):
    """Another process has the database file open."""


_numbers: Final = itertools.count(1)


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection whose data spill into a private folder, and are gone afterwards.

    Raises LocalTrouble where the disk is full or no temporary folder can be made.
    """
    with (
        lent_instance(MEMORY_LIMIT, ()) as instance,
        _connected(SCRATCH, instance) as connection,
    ):
        yield connection


@contextmanager
def database(
    path: Path, *, read_only: bool, beside: Iterable[Path] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to the database file `path`, which only its owner may read.

    `beside` are files that are opened in turn with it: to name them all at once is faster. Raises
    StoreBusy where something else has the file open, LocalTrouble for what else this machine
    refuses.
    """
    whole = path.absolute()
    files = {whole, *(one.absolute() for one in beside)}
    reached = tuple(sorted(f"{file}{suffix}" for file in files for suffix in SUFFIXES))
    with (
        _private(path),
        lent_instance(STORE_LIMIT, reached) as instance,
        _connected(str(whole), instance, read_only=read_only) as connection,
    ):
        yield connection


@contextmanager
def _connected(
    path: str, instance: Instance, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach the database at `path`, and yield a connection that sees it and nothing else."""
    import duckdb

    name = f"d{next(_numbers)}"
    connection = instance.root.cursor()
    quoted = path.replace("'", "''")
    try:
        try:
            connection.execute(f"ATTACH '{quoted}' AS {name}{' (READ_ONLY)' * read_only}")
        except duckdb.Error as error:
            raise _not_opened(path, error) from error
        connection.execute(f"USE {name}")
        yield connection
    except duckdb.Error as error:
        told = _no_fault_of_ours(path, error)
        if told is None:
            raise
        drop(instance)
        raise told from error
    except RuntimeError as error:  # what DuckDB makes of Ctrl-C
        if "Query interrupted" in str(error):
            connection.interrupt()  # its threads still work on it, and closing would wait
            drop(instance)
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.close()  # takes back a transaction that was not ended
        try:
            with instance.root.cursor() as root:
                root.execute(f"DETACH DATABASE IF EXISTS {name}")
        except duckdb.Error:
            # What was committed and could not be written into the file yet is in its log, which
            # whoever opens the file next makes part of it.
            drop(instance)


@contextmanager
def _private(path: Path) -> Iterator[None]:
    """See that only the owner may read the file and what DuckDB writes beside it."""
    before = os.umask(0o077)  # the write-ahead log is made by DuckDB, not by us
    try:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() and path.stat().st_mode & 0o077:
                path.chmod(0o600)
        except OSError as error:
            raise trouble(error) from error
        yield
    finally:
        os.umask(before)


def _no_fault_of_ours(path: str, error: duckdb.Error) -> LocalTrouble | None:
    """Say what the file or the machine did to a query; None where the query itself is wrong.

    What is wrong with a file while scratch data are made from it, its own connection tells.
    """
    said, kind = str(error), type(error).__name__
    if any(words in said for words in DAMAGED):
        msg = f"{path} is damaged, and a part of it cannot be read; move it away or restore it"
        return None if path == SCRATCH else LocalTrouble(msg)
    full = kind == "TransactionException" and "Failed to commit" in said
    refused = kind in {"IOException", "OutOfMemoryException", "FatalException"}
    return trouble(error) if full or refused else None


def _not_opened(path: str, error: Exception) -> LocalTrouble:
    """Say why a database file could not be opened: DuckDB has one error for all of it."""
    said = str(error)
    if any(word in said for word in ("Could not set lock", "used by another", "already attached")):
        return StoreBusy(f"{path} is open in another process; wait for it to end")
    foreign = ("not a valid DuckDB", "version number", "replaying WAL", *DAMAGED)
    if type(error).__name__ == "IOException" and not any(word in said for word in foreign):
        return trouble(error)
    msg = f"{path} is not a store that this version can open; move it away or restore it"
    return LocalTrouble(msg)


def tidy() -> None:
    """Give back to the system the memory that Arrow has freed, and would keep for later."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def sql(package: str, name: str) -> str:
    """Return the text of the SQL file `name` that ships with `package`."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def fetch(
    connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None
) -> pa.Table:
    """Return the rows of `query` as an Arrow table; values go in as `$name`."""
    return connection.sql(query, params=values or None).to_arrow_table()


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Return the rows of `query`, for few rows; times come without a zone and are UTC."""
    return connection.execute(query, values or None).fetchall()


def stream(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    values: Mapping[str, Any] | None = None,
    **batches: tuple[pa.Schema, Iterator[pa.RecordBatch]],
) -> None:
    """Run `query`, which reads batches by their names while they are made.

    DuckDB's threads make them, one after another; what goes wrong there is raised as itself.
    """
    import pyarrow as pa

    failed: list[BaseException] = []

    def watched(made: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from made
        except BaseException as error:
            failed.append(error)
            raise

    readers = {
        name: pa.RecordBatchReader.from_batches(schema, watched(made))
        for name, (schema, made) in batches.items()
    }
    with lent(connection, **readers):
        try:
            connection.execute(query, values or None)
        except Exception as error:
            if failed:
                raise failed[0] from error
            raise


@contextmanager
def lent(
    connection: duckdb.DuckDBPyConnection, **tables: pa.Table | pa.RecordBatchReader
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Let queries read the Arrow tables by their names while the block runs."""
    for name, table in tables.items():
        connection.register(name, table)
    try:
        yield connection
    except BaseException:
        # What went wrong has ended the transaction, and then DuckDB refuses this, too.
        with suppress(Exception):
            _unregister(connection, tables)
        raise
    _unregister(connection, tables)


def _unregister(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    for name in names:
        connection.unregister(name)
