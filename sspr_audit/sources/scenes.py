"""What one password reset looks like in Graph's audit records, with made-up people.

The order and the timings of the steps follow flows that were published; the demo tenant, the
fixtures and the benchmark are played from these scenes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final, TypeVar

Record = dict[str, Any]
"""An audit record in the form of Graph's `directoryAudit`."""

T = TypeVar("T")

SSPR: Final = "Self-service Password Management"
CORE: Final = "Core Directory"
REGISTRATION: Final = "Authentication Methods"
PREFIXES: Final = {SSPR: "SSPR", REGISTRATION: "IAMUX", "Self-service Group Management": "SSGM"}
"""How record ids of a service begin; all others begin with Directory."""

PROGRESS: Final = "Self-service password reset flow activity progress"
PROGRESS_OLD: Final = "Self-serve password reset flow activity progress"
RESET: Final = "Reset password (self-service)"
ADMIN_RESET: Final = "Reset password (by admin)"
CHANGE: Final = "Change password (self-service)"
UNLOCK: Final = "Unlock user account (self-service)"
BLOCKED: Final = "Blocked from self-service password reset"
CORE_RESET: Final = "Reset user password"
CORE_CHANGE: Final = "Change user password"
CORE_TOKENS: Final = "Update StsRefreshTokenValidFrom Timestamp"

USER_ID: Final = "User submitted their user ID"
OPTIONS: Final = "User was presented with verification options"
VERIFIED: Final = "User completed all verification steps required to reset their password"
PASSWORD: Final = "User submitted a new password"  # noqa: S105 - what the log says of one
REFUSED: Final = "FuzzyPolicyViolationInvalidPassword"

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
WRITER: Final = "fim_password_service@support.onmicrosoft.com"
"""Microsoft's own account, in whose name the directory stores a reset."""
SYNC: Final = "Sync_SYNC01_000000000001@example.com"
"""The account of the server that synchronizes password hashes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def ticks(moment: datetime) -> int:
    """Return a time as Entra counts it: in units of 100 nanoseconds, here since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def wire_time(at: int) -> str:
    """Return ticks as Graph writes them: UTC, 0 to 7 digits, without trailing zeros."""
    seconds, fraction = divmod(at, 10_000_000)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    return f"{text}.{fraction:07d}".rstrip("0").rstrip(".") + "Z"


class Dice:
    """Repeatable chance.

    All of it comes from `random.random` and plain arithmetic, because that sequence is the one
    that Python promises to keep for a seed.
    """

    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - not a secret
        self._number = 10_000_000

    def chance(self, share: float) -> bool:
        """Say yes in this share of cases."""
        return self._next() < share

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self._next() * len(choices))]

    def sample(self, choices: Sequence[T], count: int) -> list[T]:
        """Return `count` different choices."""
        left = list(choices)
        return [left.pop(int(self._next() * len(left))) for _ in range(count)]

    def span(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`, nearer to `low` more often."""
        draw = self._next()
        return low + (high - low) * draw * draw

    def guid(self) -> str:
        """Return a correlation id: a well-formed GUID that is plainly not a real one."""
        return f"00000000-0000-4000-8000-{int(self._next() * 2**48):012x}"

    def record_id(self, service: str, correlation: str) -> str:
        """Return an id such as `SSPR_<correlation>_P1CQE_10000123`, never the same twice."""
        self._number += 1 + int(self._next() * 40)
        code = "".join(self.pick(_LETTERS) for _ in range(5))
        return f"{PREFIXES.get(service, 'Directory')}_{correlation}_{code}_{self._number}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    id: str
    name: str
    upn: str
    site: str
    home: str
    """Address at home: an IPv4 address or, ending in `::`, an IPv6 /64."""
    hybrid: bool
    """Whether the account comes from an on-premises directory, so that resets are written back."""
    gates: tuple[str, ...]
    """The methods that this person verifies with."""


@dataclass(frozen=True, slots=True)
class Visit:
    """From where and with what somebody comes."""

    ip: str | None
    client_type: str | None = None
    typed: str | None = None
    """The user name as typed in, if not as stored."""


class Stage(IntEnum):
    """How far a flow gets."""

    USER_ID = 10
    OPTIONS = 20
    STARTED = 30
    COMPLETED = 40
    VERIFIED = 50
    PASSWORD = 60
    DONE = 80


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a flow stops, and what is then still written."""

    stage: Stage = Stage.DONE
    text: str = ""
    result: str = "success"
    activity: str = PROGRESS
    after_s: float = 0.2
    refusals: int = 0
    """How many new passwords the banned-password list refuses first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit record, before it gets its id."""

    at: int
    service: str
    activity: str
    correlation: str
    user: Mapping[str, str | None] | None
    targets: list[Record]
    reason: str = ""
    result: str = "success"
    details: list[Record] = field(default_factory=list)
    category: str = "UserManagement"
    operation: str = "Update"
    app: str | None = None

    def record(self, dice: Dice) -> Record:
        """Return the record as Graph v1.0 gives it."""
        names = ("appId", "displayName", "servicePrincipalId", "servicePrincipalName")
        app = dict.fromkeys(names) | {"displayName": self.app} if self.app else None
        return {
            "id": dice.record_id(self.service, self.correlation),
            "category": self.category,
            "correlationId": self.correlation,
            "result": self.result,
            "resultReason": self.reason,
            "activityDisplayName": self.activity,
            "activityDateTime": wire_time(self.at),
            "loggedByService": self.service,
            "operationType": self.operation,
            "initiatedBy": {"user": self.user, "app": app},
            "targetResources": self.targets,
            "additionalDetails": self.details,
        }


def actor(object_id: str, upn: str, ip: str | None = None) -> dict[str, str | None]:
    """Return `initiatedBy.user`."""
    blank = dict.fromkeys(("userType", "homeTenantId", "homeTenantName"))
    known = {"id": object_id, "displayName": None, "userPrincipalName": upn, "ipAddress": ip}
    return known | blank


def target(person: Person, *, stored: bool = False) -> list[Record]:
    """Return `targetResources` for one person, as a service names it or as the directory does."""
    change = {"displayName": "Included Updated Properties", "oldValue": None}
    change["newValue"] = '"LastPasswordChangeTimestamp"'
    return [
        {
            "id": person.id,
            "displayName": None if stored else person.name,
            "type": "User",
            "userPrincipalName": person.upn,
            "groupType": None,
            "modifiedProperties": [change] if stored else [],
        }
    ]


@dataclass(frozen=True, slots=True)
class _Step:
    after_s: float
    reason: str = ""
    activity: str = PROGRESS
    result: str = "success"
    thread: int = 0
    """0 the reset service, 1 the directory storing it, 2 the hash synchronization."""


def flow(
    dice: Dice, person: Person, start: int, visit: Visit, ending: Ending = Ending()
) -> Iterator[Entry]:
    """Yield what one attempt leaves behind, oldest first, with its echoes in the directory."""
    threads = (dice.guid(), dice.guid(), dice.guid())
    who = actor(person.id, visit.typed or person.upn, visit.ip)
    details = [{"key": "ClientType", "value": visit.client_type}] if visit.client_type else []
    spelling = PROGRESS_OLD if dice.chance(0.01) else PROGRESS
    at = start
    for step in _steps(dice, person, ending):
        at += int(step.after_s * 10_000_000)
        thread, whom = threads[step.thread], target(person, stored=step.thread > 0)
        if step.thread:
            system = actor(NOBODY, WRITER if step.thread == 1 else SYNC)
            yield Entry(at, CORE, step.activity, thread, system, whom)
        else:
            written = spelling if step.activity == PROGRESS else step.activity
            yield Entry(at, SSPR, written, thread, who, whom, step.reason, step.result, details)


def _steps(dice: Dice, person: Person, ending: Ending) -> Iterator[_Step]:
    yield from _way(dice, person.gates, ending)
    if ending.stage is Stage.DONE:
        yield from _commit(dice, hybrid=person.hybrid)
    elif ending.text or ending.activity != PROGRESS:
        yield _Step(ending.after_s, ending.text, ending.activity, ending.result)


def _way(dice: Dice, gates: Sequence[str], ending: Ending) -> Iterator[_Step]:
    """Yield the steps up to the stage where the flow ends, at most to the new password."""
    yield _Step(0.0, USER_ID)
    if ending.stage <= Stage.USER_ID:
        return
    yield _Step(dice.span(0.025, 0.06), OPTIONS)
    if ending.stage <= Stage.OPTIONS:
        return
    for left, method in zip(reversed(range(len(gates))), gates, strict=True):
        yield _Step(dice.span(2, 15), f"User started the {method} verification option")
        if ending.stage <= Stage.STARTED and (not left or dice.chance(0.6)):
            return
        yield _Step(dice.span(7, 60), f"User completed the {method} verification option")
        if ending.stage <= Stage.COMPLETED and left:
            return
    yield _Step(0.0 if dice.chance(0.6) else 0.005, VERIFIED)
    if ending.stage <= Stage.VERIFIED:
        return
    for _ in range(ending.refusals):
        yield _Step(dice.span(8, 50), PASSWORD)
        yield _Step(dice.span(0.2, 0.6), REFUSED, RESET, "failure")
    yield _Step(dice.span(6, 45), PASSWORD)


def _commit(dice: Dice, *, hybrid: bool) -> Iterator[_Step]:
    """Yield what follows an accepted password: it is stored, success is said twice."""
    yield _Step(dice.span(1.4, 4.0) if hybrid else dice.span(0.15, 0.3), "", CORE_RESET, thread=1)
    yield _Step(0.005, "", CORE_TOKENS, thread=1)
    yield _Step(dice.span(0.06, 0.2), "Successfully completed reset.", RESET)
    yield _Step(dice.span(0.005, 0.011), "User successfully reset password")
    if hybrid and dice.chance(0.7):
        yield _Step(dice.span(24, 60), "", CORE_CHANGE, thread=2)
        yield _Step(0.0, "", CORE_TOKENS, thread=2)


def admin_reset(dice: Dice, admin: Person, person: Person, start: int, ip: str) -> Iterator[Entry]:
    """Yield a reset by an administrator; three in five show their echo in the directory."""
    agent = "Microsoft Entra Connect" if person.hybrid else "None"
    reason = "None" if dice.chance(0.8) else "Successfully completed reset."
    if dice.chance(0.6):
        early, system = start - int(dice.span(0.05, 0.3) * 10_000_000), actor(NOBODY, WRITER)
        yield Entry(early, CORE, CORE_RESET, dice.guid(), system, target(person, stored=True))
    who, details = actor(admin.id, admin.upn, ip), [{"key": "OnPremisesAgent", "value": agent}]
    whom = target(person)
    yield Entry(start, SSPR, ADMIN_RESET, dice.guid(), who, whom, reason, details=details)


def registration(dice: Dice, person: Person, start: int, ip: str) -> Iterator[Entry]:
    """Yield how somebody registers the methods to verify with."""
    correlation, who, at = dice.guid(), actor(person.id, person.upn, ip), start
    words = [("User started security info registration", "")]
    words += [("User registered security info", f"User registered {m}") for m in METHODS]
    words += [("User registered all required security info", "")]
    for activity, reason in words:
        at += int(dice.span(12, 60) * 10_000_000)
        whom = target(person)
        yield Entry(at, REGISTRATION, activity, correlation, who, whom, reason, operation="Add")


METHODS: Final = ("Mobile Phone SMS", "Authenticator App with Notification and Code")
"""Names of methods in reasons of a registration."""


def other(dice: Dice, admin: Person, person: Person, at: int) -> Entry:
    """Return one of the many audit records that have nothing to do with passwords."""
    service, category, activity, operation, kind = dice.pick(OTHERS)
    thing = {
        "id": f"00000000-0000-0000-0009-{int(dice.span(1, 400)):012d}",
        "displayName": f"{kind} {int(dice.span(1, 90))}",
        "type": kind,
        "userPrincipalName": None,
        "groupType": "unifiedGroups" if kind == "Group" else None,
        "modifiedProperties": [
            {"displayName": f"{kind}.DisplayName", "oldValue": None, "newValue": f'"{kind}, new"'},
            {"displayName": "TargetId.UserType", "oldValue": None, "newValue": '"Member"'},
        ],
    }
    whom = target(person) if category == "GroupManagement" else []
    who = None if kind == "Device" else actor(admin.id, admin.upn)
    app = "Device Registration Service" if kind == "Device" else None
    entry = Entry(at, service, activity, dice.guid(), who, [*whom, thing], app=app)
    return replace(entry, category=category, operation=operation)


OTHERS: Final = (
    (CORE, "GroupManagement", "Add member to group", "Assign", "Group"),
    (CORE, "GroupManagement", "Remove member from group", "Unassign", "Group"),
    (CORE, "ApplicationManagement", "Update application", "Update", "Application"),
    (CORE, "ApplicationManagement", "Update service principal", "Update", "ServicePrincipal"),
    ("Device Registration Service", "Device", "Register device", "Add", "Device"),
    (CORE, "Device", "Update device", "Update", "Device"),
    ("Conditional Access", "Policy", "Update conditional access policy", "Update", "Policy"),
)
"""Service, category, activity, operation and kind of target of unrelated records."""
