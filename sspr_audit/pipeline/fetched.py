"""What a fetch is asked for, what it tells on its way, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sspr_audit.knowledge import Knowledge
from sspr_audit.model import Gap
from sspr_audit.pipeline.arriving import Late
from sspr_audit.pipeline.narrowing import Verdict


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to fetch. Times are UTC."""

    knowledge: Knowledge
    tenant_id: str
    since: datetime
    until: datetime | None = None
    """None: up to now."""
    all_audits: bool = False
    """Every record, instead of what the report knows."""
    now: datetime | None = None
    """From when spans were counted back: when the command began. None: when the fetch does."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far a fetch has come."""

    done: timedelta
    total: timedelta
    """Of time to be read; it grows or shrinks where the query changes."""
    records: int
    requests: int
    waited: float
    """Seconds, for the pace and for what the service asked."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did."""

    records: int
    """That came, repeats included."""
    new: int
    windows: int
    pages: int
    needed: int
    """Requests that the windows could not have done without: full pages."""
    requests: Mapping[str, int]
    """By kind: the collection's name, and `probe` for what the test of the filter cost."""
    waited: float
    """Seconds, for the pace and for what the service asked."""
    gaps: tuple[Gap, ...]
    """What is missing of the time that was wanted."""
    late: Late | None
    filter: str
    """What the service was asked beside the time; "" for nothing."""
    verdict: Verdict | None
    """On the narrow query; None where every record was wanted."""
    skipped: Mapping[str, int]
    """Records that cannot be read, by reason."""

    @property
    def repeats(self) -> int:
        """Records that the store had already."""
        return self.records - self.new - sum(self.skipped.values())
