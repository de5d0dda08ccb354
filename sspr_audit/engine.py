"""Opens every DuckDB connection, safely. The only module that imports duckdb."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.errors import LocalTrouble

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY_LIMIT: Final = "256MiB"
"""What DuckDB may hold before it spills; leaves room for Python under the 700 MiB of an import."""

STORE_LIMIT: Final = "96MiB"
"""The same for a database file. At every sixth or so of many small commits DuckDB writes all rows
of a table anew, and takes as much memory for that as it is given.
"""

THREADS: Final = min(4, os.cpu_count() or 1)
"""Each holds rows of its own: of 16, MEMORY_LIMIT could not bear a few hundred thousand records."""

SETTINGS: Final[Mapping[str, str | bool | int]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": THREADS,
    "preserve_insertion_order": False,
}

_KIND: Final = re.compile(r"^(?:[\w ]+ Error: )+")
"""DuckDB begins its messages with the kind of error, sometimes two."""


class StoreBusy(LocalTrouble):
    """Another process has the database file open."""


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection whose data spill into a private folder, which is gone afterwards.

    Raises LocalTrouble where the disk is full or no temporary folder can be made.
    """
    with _opened(Path(":memory:"), read_only=False, limit=MEMORY_LIMIT) as connection:
        yield connection


@contextmanager
def database(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to the database file `path`, which only its owner may read.

    Raises StoreBusy where another process has it open, LocalTrouble for what else this machine
    refuses.
    """
    with _private(path), _opened(path, read_only=read_only, limit=STORE_LIMIT) as connection:
        yield connection


@contextmanager
def _opened(path: Path, *, read_only: bool, limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    with _spill() as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            **SETTINGS,
            "memory_limit": limit,
            "temp_directory": str(folder),
        }
        try:
            connection = duckdb.connect(path, read_only=read_only, config=config)
        except duckdb.Error as error:
            raise _not_opened(path, error) from error
        try:
            # From here on no query reaches any other file, whatever a record makes it say.
            connection.execute("SET TimeZone = 'UTC'")
            _without_bar(connection)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
        except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException) as error:
            raise _trouble(error) from error
        except duckdb.TransactionException as error:  # the disk is full, or the transaction wrong
            if "Failed to commit" in str(error):
                raise _trouble(error) from error
            raise
        except RuntimeError as error:  # what DuckDB makes of Ctrl-C
            if "Query interrupted" in str(error):
                connection.interrupt()  # its threads still work on it, and closing would wait
                raise KeyboardInterrupt from error
            raise
        finally:
            connection.close()


def _without_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Switch off the progress bar, which writes between our lines.

    In a notebook without ipywidgets it is off, and DuckDB then refuses even to be told so.
    """
    ((is_on,),) = rows(connection, "SELECT current_setting('enable_progress_bar')")
    if is_on:
        connection.execute("SET enable_progress_bar = false")


@contextmanager
def _spill() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="sspr-audit-"))  # 0700 by mkdtemp's promise
    except OSError as error:
        raise _trouble(error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
            raise _trouble(error) from error
        yield
    finally:
        os.umask(before)


def _not_opened(path: Path, error: Exception) -> LocalTrouble:
    """Say why a database file could not be opened: DuckDB has one error for all of it."""
    said = str(error)
    if "Could not set lock" in said or "used by another process" in said:
        return StoreBusy(f"{path} is open in another process; wait for it to end")
    foreign = ("not a valid DuckDB", "version number", "replaying WAL")
    if type(error).__name__ == "IOException" and not any(word in said for word in foreign):
        return _trouble(error)
    msg = f"{path} is not a store that this version can open; move it away or restore it"
    return LocalTrouble(msg)


def _trouble(error: Exception) -> LocalTrouble:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    first = _KIND.sub("", lines[0]).strip(": ")
    return LocalTrouble(f"this machine refused: {first}; free space or rights, then run again")


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
