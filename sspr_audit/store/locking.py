"""One writer a store, and a word on who it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sspr_audit.engine import StoreBusy
from sspr_audit.errors import LocalTrouble


@contextmanager
def held(
    store: Path, *, wait: timedelta, doing: str, now: datetime, talk: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of `store` while the block runs.

    Where another process has it, say who once, and wait. Raises StoreBusy after `wait`, and
    LocalTrouble where nothing can be locked. Not for network shares, whose locks nobody can trust.
    """
    import filelock

    lock_path, holder = _beside(store, ".lock"), _beside(store, ".holder")
    card = {"process": os.getpid(), "doing": doing, "since": now.isoformat(timespec="seconds")}
    with ExitStack() as stack:
        try:
            store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = filelock.FileLock(lock_path, mode=0o600)
            stack.callback(lock.release)
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                if wait:
                    talk(f"{store} is in use by {_name(holder)}; waiting up to {_words(wait)}")
                lock.acquire(timeout=wait.total_seconds())
            holder.write_text(json.dumps(card), encoding="utf-8")
            stack.callback(holder.unlink, missing_ok=True)
        except filelock.Timeout:
            longer = "wait longer with --wait (import, fetch, store)"
            msg = f"{store} is in use by {_name(holder)}; let it end, or {longer}"
            raise StoreBusy(msg) from None
        except (OSError, NotImplementedError) as error:
            why = getattr(error, "strerror", None) or "the file system has no locks"
            msg = f"{lock_path} cannot be locked: {why}; choose a [store] path where you may write"
            raise LocalTrouble(msg) from None
        yield


def _beside(store: Path, suffix: str) -> Path:
    return store.with_name(store.name + suffix)


def _words(length: timedelta) -> str:
    """Say a length of time in the largest unit that leaves nothing over."""
    seconds = length.total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count, rest = divmod(seconds, size)
        if count and not rest:
            return f"{count:.0f} {unit}{'s' * (count != 1)}"
    return f"{seconds:g} seconds"


def _name(holder: Path) -> str:
    """Describe who holds the lock; a card can be missing for a moment, or be cut."""
    try:
        card: dict[str, Any] = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {card['process']} ({card['doing']}, since {card['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
