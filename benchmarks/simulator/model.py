"""What a simulated tenant is made of, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sspr_audit.sources.scenes import Dice, Person, Record

KINDS = ("explicit", "stalled", "absent", "aftermath", "time", "people")
"""Classes of causes, by the signals that show them."""

SECOND = 10_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Lengths of time in ticks, as scenes.py counts."""


class Chances(Dice):
    """Dice with a few more throws; as repeatable as these."""

    def unit(self) -> float:
        """Return a number from 0 to below 1."""
        return self._next()

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`, all equally likely."""
        return low + (high - low) * self._next()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both inside."""
        return low + int(self._next() * (high - low + 1))

    def bell(self) -> float:
        """Return a number that lies about zero with a deviation of one, as a normal one does."""
        return sum(self._next() for _ in range(12)) - 6


@dataclass(frozen=True, slots=True)
class Device:
    """A person's own Windows computer."""

    id: str
    name: str
    trust: str
    """As the directory writes it: ServerAd, AzureAd or Workplace."""
    version: str
    model: str

    @property
    def takes_resets(self) -> bool:
        """Whether the sign-in screen offers a reset: only joined devices have the link."""
        return self.trust != "Workplace"


@dataclass(frozen=True, slots=True)
class Place:
    """A site and how its people reach the internet."""

    name: str
    headcount: int
    egress: tuple[str, ...]
    listed: tuple[str, ...]
    """The addresses that the admin wrote down for it."""
    zone_h: int
    """Hours that its clocks are ahead of UTC."""
    kind: str = "office"
    """`office`; `kiosk`: nobody has a device; `phones`: most people use their phone."""
    odds: float = 1.0
    """Habits of the site: how many times the usual odds, a reset begins at the sign-in screen."""


@dataclass(frozen=True, slots=True)
class Human:
    """A person with habits."""

    person: Person
    place: Place
    device: Device | None
    habit: float
    """In which share of resets this person begins at the sign-in screen."""
    home_share: float
    """On which share of working days this person works at home."""
    registered: bool = True

    @property
    def upn(self) -> str:
        """The user principal name, in lower case."""
        return self.person.upn


@dataclass(slots=True)
class Attempt:
    """Somebody sets out to reset a password, whether or not the log will ever show it."""

    human: Human
    at: int
    where: str
    """`office`, `home`, `vpn`, `mobile` or `away`."""
    ip: str
    screen: bool
    """Whether it is tried at the sign-in screen."""
    own: bool = True
    """Whether it is tried on the person's own computer, not on a phone."""
    depth: int = 0
    """How many attempts went before it on account of the same need."""
    shown: bool = False
    """Whether the log shows a flow for it."""
    recorded: str | None = None
    """The ClientType that the log shows."""
    trouble: str = ""
    """What was planted that it ran into."""
    stage: int = 0
    """How far its flow got."""


@dataclass(frozen=True, slots=True)
class Label:
    """A planted cause: what a report should say, and how much of it the data can carry."""

    target: str
    """A cause or a family of the catalogue: as much as can honestly be said."""
    kind: str
    since: datetime
    until: datetime
    sites: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    observable: bool = True
    why_not: str = ""
    blind: bool = False
    """Whether what is missing is a kind of data, so that no number of people would show it."""
    rivals: tuple[str, ...] = ()
    """Causes that this data cannot tell from the planted one."""
    planted: str = ""
    """What was really planted, which the data need not tell."""
    support: float = 0.0
    """The number of people that `observable` hangs on, counted or expected."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A tenant: its data, its settings, and the truth about it."""

    name: str
    records: tuple[Record, ...]
    """Audit records in Graph's form, oldest first."""
    context: Mapping[str, list[dict[str, Any]]]
    settings: str
    """The admin's settings file."""
    now: datetime
    window: tuple[datetime, datetime]
    """The week to report; the records reach back further."""
    labels: tuple[Label, ...]
    stated: tuple[tuple[datetime, str], ...]
    """When the records state a cause or family in its own words, and which."""
    traits: Mapping[str, Any]
    """What was drawn for it, for tables."""
