"""What context is asked for, what is told on the way, and what became of each collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sspr_audit.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class ContextWishes:
    """What context is wanted. Times are UTC."""

    knowledge: Knowledge
    tenant_id: str
    since: datetime
    """Sign-ins are followed from flows that ended between this and `until`."""
    until: datetime | None = None
    """None: up to now."""
    client_types: Mapping[str, str] = field(default_factory=dict)
    """As in the settings: what else is the sign-in screen."""
    flow_timeout: timedelta = timedelta(minutes=20)
    again: bool = False
    """Ask for every collection, even if it came a short while ago."""


class State(StrEnum):
    """What became of a collection."""

    CAME = "came"
    FRESH = "fresh"
    """It was not asked for, because it came less than a day ago."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ContextResult:
    """What became of one collection in this run."""

    name: str
    state: State
    records: int = 0
    """That came, or that had come."""
    requests: int = 0
    reason: str = ""
    """Why it was skipped, or why people were left out: one line."""
    without: str = ""
    """What the report lacks where it was skipped; ends a sentence."""
    people: int = 0
    """Of sign-ins: whose were asked for."""
    left_out: int = 0
    """Of sign-ins: people whose were wanted and were not had."""

    @property
    def remark(self) -> str | None:
        """What a person should hear of this, in one line; None for nothing."""
        if self.state is State.SKIPPED:
            cost = "" if self.without in self.reason else f"; {self.without}"
            return f"{self.name} skipped: {self.reason}{cost}"
        if self.left_out:
            return f"{self.name}: {self.left_out:,} people left out: {self.reason}"
        return None


@dataclass(frozen=True, slots=True)
class ContextSoFar:
    """How far the fetching of context has come."""

    name: str
    records: int
    """Of this collection so far."""
    requests: int
    waited: float
    """Seconds, for the pace and for what the service asked."""
