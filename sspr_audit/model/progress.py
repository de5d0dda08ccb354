"""What became of findings since the period before: the span of equal length before the window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sspr_audit.model.changed import Comparison
from sspr_audit.model.records import Window


class Course(StrEnum):
    """What became of a finding since the period before."""

    NEW = "new"
    """It was not there in the period before, which is known."""
    WORSE = "worse"
    """It was there, and an exact test says that more people of those who tried meet it now."""
    BETTER = "better"
    CONTINUING = "continuing"
    """It was there, and no test tells a difference."""
    NOT_KNOWN = "not-known"
    """Neither records nor an earlier report tell of the period before."""


@dataclass(frozen=True, slots=True)
class Trend:
    """What is known of one finding's past."""

    course: Course
    since: datetime | None = None
    """From when on it was there in every period that is known; None where nothing is."""
    weeks: int | None = None
    """Whole weeks from `since` to the window's end."""
    last_before: datetime | None = None
    """When a finding that is new again was last there, earlier than the period before."""
    people: Comparison | None = None
    """Of those who tried to reset, how many met it, before and now; None where no exact test
    applies: a pattern's people are counted from its onset on, and two periods share them."""


@dataclass(frozen=True, slots=True)
class Met:
    """How reasons named one cause or family before the window, as the records have it."""

    target: str
    seen: bool
    """Whether any did in the period before."""
    since: datetime | None
    """The first time in the periods without a pause up to the window."""
    reaches: bool
    """Whether these are all periods that the records hold, so that it may be older."""
    last_before: datetime | None
    """The last time before the period before."""
    people: Comparison | None
    """None where the records do not hold the whole period before."""


@dataclass(frozen=True, slots=True)
class Past:
    """One finding of an earlier report. It names places and clients, and never a person."""

    identity: str
    cause: str
    family: str | None
    title: str
    sites: tuple[str, ...]
    ips: tuple[str, ...]
    clients: tuple[str, ...]
    users: int
    flows: int
    since: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What an earlier report found."""

    window: Window
    complete: bool
    """Whether no gap was in its data: only then is absence a fact."""
    findings: tuple[Past, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A finding of the period before that this window does not show."""

    past: Past
    people: Comparison | None
    """As in Trend; `better` where chance hardly makes it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What changed since the period before."""

    before: Window
    is_known: bool
    """Whether records or an earlier report tell of all of it."""
    ended_well: Comparison | None
    """People whose last flow ended well, before and now; None where the records do not reach."""
    gone: tuple[Gone, ...] = ()
    gone_is_known: bool = True
    """Whether the window's data have no gap, and anybody tried: else nothing is said to be gone."""
