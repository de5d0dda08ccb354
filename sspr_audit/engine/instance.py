"""DuckDB itself, kept for all that is opened in turn: the limits, and what queries may reach."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sspr_audit.errors import LocalTrouble

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT: Final = "256MiB"
"""What DuckDB may hold before it spills; leaves room for Python under the 700 MiB of an import."""

STORE_LIMIT: Final = "96MiB"
"""The same for a database file. At every sixth or so of many small commits DuckDB writes all rows
of a table anew, and takes as much memory for that as it is given.
"""

THREADS: Final = min(
    4, len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0))
)
"""Each holds rows of its own: of 16, MEMORY_LIMIT could not bear a few hundred thousand records."""

SETTINGS: Final[Mapping[str, str | bool | int]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": THREADS,
    "preserve_insertion_order": False,
}

_KIND: Final = re.compile(r"^(?:[\w ]+ Error: )+")
"""DuckDB begins its messages with the kind of error, sometimes two."""


_LOCK: Final = threading.Lock()
_standing: dict[str, Instance] = {}
"""DuckDB in this process, by memory limit: one for scratch data, one for the store in use."""


@atexit.register
def close() -> None:
    """Give back what DuckDB holds in this process; what is opened afterwards makes it anew."""
    for instance in list(_standing.values()):
        drop(instance)


class Instance:
    """DuckDB itself. To make one takes 35 ms, to attach a database to it one."""

    def __init__(self, limit: str, files: tuple[str, ...]) -> None:
        import duckdb

        self.files = files
        """All that its queries may reach, whatever a record makes them say."""
        self.users = 0
        try:
            self._folder = tempfile.mkdtemp(prefix="sspr-audit-")  # 0700 by mkdtemp's promise
        except OSError as error:
            raise trouble(error) from error
        config: dict[str, str | bool | int | float | list[str]] = {
            **SETTINGS,
            "memory_limit": limit,
            "temp_directory": self._folder,
        }
        try:
            self.root = duckdb.connect(":memory:", config=config)
            self.root.execute("SET GLOBAL TimeZone = 'UTC'")
            _without_bar(self.root)
            self.root.execute("SET allowed_paths = $files", {"files": list(files)})
            self.root.execute("SET enable_external_access = false")
            self.root.execute("SET lock_configuration = true")
        except BaseException as error:  # Ctrl-C too leaves no folder behind
            shutil.rmtree(self._folder, ignore_errors=True)
            if isinstance(error, duckdb.Error):
                raise trouble(error) from error
            raise

    def close(self) -> None:
        """End it, and remove what it spilled."""
        self.root.close()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def lent_instance(limit: str, files: tuple[str, ...]) -> Iterator[Instance]:
    """Lend the instance that stands, where it reaches just these files; else make it."""
    with _LOCK:
        found = _standing.get(limit)
        if found is None or found.files != files:
            made = Instance(limit, files)
            if found:
                _forget(found)
            found = _standing[limit] = made
        found.users += 1
    try:
        yield found
    finally:
        with _LOCK:
            found.users -= 1
            if not found.users and found not in _standing.values():
                found.close()


def drop(instance: Instance) -> None:
    """See that nobody else gets the instance, and that it ends with its last user."""
    with _LOCK:
        _forget(instance)


def _forget(instance: Instance) -> None:
    for limit in [limit for limit, one in _standing.items() if one is instance]:
        del _standing[limit]
        if not instance.users:
            instance.close()


def _without_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Switch off the progress bar, which writes between our lines.

    In a notebook without ipywidgets it is off, and DuckDB then refuses even to be told so.
    """
    query = connection.execute("SELECT current_setting('enable_progress_bar')")
    if query.fetchall() == [(True,)]:
        connection.execute("SET enable_progress_bar = false")


def trouble(error: Exception) -> LocalTrouble:
    """Say in one line what the machine refused."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    first = _KIND.sub("", lines[0]).strip(": ")
    return LocalTrouble(f"this machine refused: {first}; free space or rights, then run again")
