"""Data leaves: to stdout, or all at once into a file that nobody else needs."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sspr_audit.cli.run import Run
from sspr_audit.errors import LocalTrouble, UsageError


def target(here: Run, output: str | None, inputs: Sequence[str]) -> Path | None:
    """Return the file that --output names, wherever a link leads; None is stdout.

    To be asked before the work begins. Raises UsageError for what must not be written over,
    LocalTrouble where nothing can be written.
    """
    if output is None:
        return None
    if not output:
        msg = "--output is empty; name a file, or leave it out for stdout"
        raise UsageError(msg)
    named, real = Path(output), Path(os.path.realpath(output))
    try:
        if named.is_dir():
            msg = f"{output} is a folder; name a file in it"
            raise LocalTrouble(msg)
        if _is_device(named):
            return named
        if not real.parent.is_dir():
            msg = f"{output} cannot be written: {real.parent} is no folder; choose another place"
            raise LocalTrouble(msg)
        from sspr_audit.pipeline import outputs

        what = outputs.needed(
            real,
            inputs=inputs,
            store_path=here.settings.store.path,
            settings_file=here.settings.file,
        )
    except OSError as error:
        raise _trouble(output, error) from error
    if what:
        msg = f"--output {output} is {what}, which it would destroy; choose another place"
        raise UsageError(msg)
    return real


def write(what: str | bytes, output: Path | None = None) -> None:
    """Write to stdout, or beside `output` and then move it there. Raises LocalTrouble."""
    raw = what.encode("utf-8", "backslashreplace") if isinstance(what, str) else what
    try:
        if output is None and isinstance(what, str):
            sys.stdout.write(what)
            sys.stdout.flush()
        elif output is None:
            sys.stdout.buffer.write(raw)
            sys.stdout.buffer.flush()
        elif _is_device(output):
            output.write_bytes(raw)
        else:
            _replace(output, raw)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _trouble(str(output or "the output"), error) from error


def _replace(file: Path, raw: bytes) -> None:
    """Put the bytes in the place of `file`, with its rights; a new one is only for its owner."""
    handle, name = tempfile.mkstemp(".new", ".sspr-audit-", file.parent)  # 0600 by its promise
    beside = Path(name)
    try:
        with open(handle, "wb") as opened:  # noqa: PTH123 - a handle has no path
            opened.write(raw)
        if file.exists():
            beside.chmod(stat.S_IMODE(file.stat().st_mode))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """Say whether this is a device or a pipe: it has nothing to lose, and must not be replaced."""
    return path.exists() and not path.is_file()


def _trouble(what: str, error: OSError) -> LocalTrouble:
    return LocalTrouble(f"{what} cannot be written: {error.strerror}; choose another place")
