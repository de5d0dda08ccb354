"""Clocks for tests: time passes only when somebody sleeps or a test says so."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that only tests and sleepers move. Safe to share between threads."""

    def __init__(self, now=NOW):
        self._now, self._lock = now, threading.Lock()
        self.slept = []
        """The seconds of each sleep, in order."""

    def now(self):
        """Return the time in UTC."""
        with self._lock:
            return self._now

    def sleep(self, seconds):
        """Let the time pass at once, and note that somebody waited."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds):
        """Let the time pass while nobody waits."""
        with self._lock:
            self._now += timedelta(seconds=seconds)


class SharedClock(Clock):
    """One clock for several processes, kept in a file; it outlives the death of any of them."""

    def __init__(self, path, now=NOW):
        super().__init__(now)
        self._path, self._lock = Path(path), FileLock(f"{path}.lock")
        with self._lock:
            if not self._path.exists():
                self._path.write_text(now.isoformat(), encoding="utf-8")

    def now(self):
        with self._lock:
            return datetime.fromisoformat(self._path.read_text("utf-8"))

    def advance(self, seconds):
        with self._lock:
            later = self.now() + timedelta(seconds=seconds)
            beside = self._path.with_suffix(".new")
            beside.write_text(later.isoformat(), encoding="utf-8")
            beside.replace(self._path)  # a process that dies here leaves the old time or the new
