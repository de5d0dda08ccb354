"""What comes out: the counts of a report, and the report itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sspr_audit.model.changed import Change
from sspr_audit.model.judged import Finding, Unobservable
from sspr_audit.model.progress import Progress
from sspr_audit.model.records import Account, Coverage, Window

OUTCOMES = ("succeeded", "blocked", "failed", "cancelled", "abandoned", "open")
"""How a flow can end, strongest first: the first that any event of a flow shows is its outcome."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What belongs to the same people but is not a flow."""

    password_changes_succeeded: int = 0
    password_changes_failed: int = 0
    admin_resets_succeeded: int = 0
    admin_resets_failed: int = 0
    registrations: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over one window. `outcomes` has every key of OUTCOMES."""

    flows: int
    users: int
    outcomes: Mapping[str, int]
    acts: Acts


@dataclass(frozen=True, slots=True)
class Group:
    """Flows that share a client or a site; `name` is None for networks nobody named."""

    name: str | None
    flows: int
    users: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Day:
    """Flows that began on one UTC day, written YYYY-MM-DD."""

    day: str
    flows: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Address:
    """Flows from one address: IPv4 plain, IPv6 as its /64; None where no event recorded one."""

    ip: str | None
    site: str | None
    flows: int
    users: int
    clients: Mapping[str, int]
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a reason was given; `key` names its row in reasons.toml, None if unrecognized."""

    reason: str
    key: str | None
    flows: int
    users: int


@dataclass(frozen=True, slots=True)
class TextCount:
    """A text that the program does not know, and in how many events it stands."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Unrecognized:
    """Reported by text and count, never dropped."""

    reasons: tuple[TextCount, ...] = ()
    client_types: tuple[TextCount, ...] = ()
    activities: tuple[TextCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a renderer needs; nothing is computed after this. Times are UTC."""

    version: str
    generated_at: datetime
    window: Window
    baseline: Window
    tenant_id: str | None
    cloud: str | None
    account: Account
    coverage: Coverage
    totals: Totals
    previous: Totals | None
    by_client: tuple[Group, ...] = ()
    by_site: tuple[Group, ...] = ()
    by_day: tuple[Day, ...] = ()
    by_ip: tuple[Address, ...] = ()
    reasons: tuple[ReasonCount, ...] = ()
    unrecognized: Unrecognized = field(default_factory=Unrecognized)
    findings: tuple[Finding, ...] = ()
    unobservable: tuple[Unobservable, ...] = ()
    changed: Change | None = None
    """Only where a change was asked about."""
    progress: Progress | None = None
    """What changed since the period before; None where nobody looked."""
    is_pseudonymized: bool = False
    """Whether pseudonyms stand for people, devices and texts that nobody knows."""
