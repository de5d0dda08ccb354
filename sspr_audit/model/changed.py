"""Whether a change in the tenant helped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sspr_audit.model.records import Window


class Verdict(StrEnum):
    """What became of a place after a change."""

    BETTER = "better"
    WORSE = "worse"
    CANNOT_TELL = "cannot-tell-yet"


class Lack(StrEnum):
    """What is missing for a verdict on a change."""

    PEOPLE_AFTER = "people-after"
    """More people after the change would do."""
    PEOPLE_BEFORE = "people-before"
    """Too few stand before it, and no number after it would do."""
    DIFFERENCE = "difference"
    """There are enough people, and no difference worth a word."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many people, with an interval of 95 %; `share` is None for nobody."""

    count: int
    people: int
    share: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One place before and after a change; `name` is None for everybody, or where unknown."""

    name: str | None
    before: Share
    after: Share
    difference: float | None = None
    """The share after less the share before; None where nobody stands on a side."""
    low: float | None = None
    high: float | None = None
    """An interval of 95 % for the difference, by itself."""
    p: float | None = None
    """That chance makes such a difference, corrected for all places; None where none can show."""
    verdict: Verdict = Verdict.CANNOT_TELL
    lacks: Lack | None = Lack.PEOPLE_AFTER
    """None where there is a verdict."""
    needed: int | None = None
    """About how many people more, where these are what is missing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the resets after something was changed in the tenant."""

    at: datetime
    before: Window
    after: Window
    total: Comparison
    by_site: tuple[Comparison, ...]
    by_client: tuple[Comparison, ...]
    at_signin_screen: tuple[Comparison, ...]
    """By site, the share of people at the sign-in screen; empty where no client says it is one."""
    tested: int
    """For how many places `p` is corrected."""
    weekend_before: float
    weekend_after: float
    """The share of Saturday and Sunday, UTC, in each span."""
    on_weekdays: Comparison | None
    """`total` on Monday to Friday alone, where the spans differ much in their weekends."""
    nobody: int
    """Flows that name no person, and are not counted."""
