"""When the next request may go out: Graph's limits, kept before it has to name them.

The limits are per app and tenant, or per tenant for all apps, so parallel requests gain nothing:
https://learn.microsoft.com/en-us/graph/throttling-limits. The times of the last requests can be
kept in a file, so that the next process goes on where this one stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sspr_audit.errors import LocalTrouble
from sspr_audit.model import Clock


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests in any so many seconds."""

    requests: int
    seconds: float


LIMITS: Final[Mapping[str, Limit]] = {
    "reports": Limit(4, 10.0),  # Microsoft's is 5; a request can arrive later than it was sent
    "conditional-access": Limit(1, 1.2),  # one a second, for all apps of the tenant
    "directory": Limit(100, 10.0),  # thousands are allowed; nobody here needs them
    "intune": Limit(100, 10.0),
    "mail": Limit(30, 60.0),  # what Exchange Online sends for one mailbox
}


@dataclass(slots=True)
class _Queue:
    """The requests of one bucket, oldest first, and how long the service wants none."""

    limit: Limit
    sent: list[datetime] = field(default_factory=list)
    held: tuple[datetime, datetime] | None = None
    """When the service said so, and until when."""
    lock: Lock = field(default_factory=Lock)

    def free_at(self, now: datetime) -> datetime:
        """Return when the next request may go out. What lies in the future was written before
        the clock was set back, and counts as nothing: else one correction could cost hours.
        """
        since = now - timedelta(seconds=self.limit.seconds)
        self.sent = [one for one in self.sent if since < one <= now][-self.limit.requests :]
        free = now
        if len(self.sent) == self.limit.requests:
            free = self.sent[0] + timedelta(seconds=self.limit.seconds)
        if self.held and self.held[0] <= now:
            free = max(free, self.held[1])
        return free


class Pace:
    """Lets requests pass one after the other, bucket by bucket, no faster than the limits."""

    def __init__(
        self, clock: Clock, state: Path | None = None, limits: Mapping[str, Limit] = LIMITS
    ) -> None:
        """`state` is the file to go on from and to keep; None: keep nothing."""
        self._clock = clock
        self._state = state
        self._is_recalled = False
        self._write = Lock()
        self._queues = {bucket: _Queue(limit) for bucket, limit in limits.items()}

    def recall(self) -> None:
        """Go on from the file, once: at the first request, when no other process asks any more."""
        with self._write:
            past = {} if self._is_recalled else _read(self._state)
            self._is_recalled = True
            for bucket, (sent, held) in past.items():
                if bucket in self._queues:
                    self._queues[bucket].sent, self._queues[bucket].held = sent, held

    def pauses(self) -> dict[str, float]:
        """Return the seconds until the next request of each bucket may go out, 0 for at once."""
        self.recall()
        return {bucket: max(0.0, self._pause(queue)) for bucket, queue in self._queues.items()}

    def wait(self, bucket: str) -> float:
        """Wait until a request may go out and note that it does; return the seconds slept.

        Raises KeyError for a bucket without a limit, LocalTrouble where the file cannot be
        written.
        """
        self.recall()
        queue, slept = self._queues[bucket], 0.0
        with queue.lock:
            while (pause := self._pause(queue)) > 0:
                self._clock.sleep(pause)
                slept += pause
            queue.sent.append(self._clock.now())
        self._keep()
        return slept

    def hold(self, bucket: str, seconds: float) -> None:
        """Let no request of the bucket pass for so many seconds from now, or longer where it
        is held already. Raises as `wait` does.
        """
        now, queue = self._clock.now(), self._queues[bucket]
        until = now + timedelta(seconds=seconds)
        queue.held = (now, max(until, queue.free_at(now)))
        self._keep()

    def _pause(self, queue: _Queue) -> float:
        now = self._clock.now()
        return (queue.free_at(now) - now).total_seconds()

    def _keep(self) -> None:
        if self._state is None:
            return
        text = json.dumps({bucket: _written(queue) for bucket, queue in self._queues.items()})
        beside = self._state.with_name(f"{self._state.name}.new")
        try:
            with self._write:
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - takes a handle
                    file.write(text)
                beside.replace(self._state)
        except OSError as error:
            why = f"{self._state} cannot be written: {error.strerror}"
            msg = f"{why}; free space there, or choose another [store] path"
            raise LocalTrouble(msg) from None


def _written(queue: _Queue) -> dict[str, Any]:
    return {
        "sent": [one.isoformat() for one in queue.sent],
        "held": [one.isoformat() for one in queue.held or ()],
    }


_Past = dict[str, tuple[list[datetime], tuple[datetime, datetime] | None]]


def _read(state: Path | None) -> _Past:
    """Return what the file says. One that is missing or broken says nothing: at worst the
    service answers 429 once, and that is answered well.
    """
    if state is None:
        return {}
    try:
        raw = json.loads(state.read_text(encoding="utf-8"))
        return {bucket: _past(one["sent"], one["held"]) for bucket, one in raw.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _past(
    sent: list[str], held: list[str]
) -> tuple[list[datetime], tuple[datetime, datetime] | None]:
    # astimezone would read a time without a zone as local; ours always have one
    times = [datetime.fromisoformat(one).astimezone(UTC) for one in sent]
    match [datetime.fromisoformat(one).astimezone(UTC) for one in held]:
        case [said, until]:
            return times, (said, until)
        case _:
            return times, None
