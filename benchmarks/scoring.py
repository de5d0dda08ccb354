"""Hold findings against labels: what is right, what claims too much, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from benchmarks.simulator import Label

LEVELS: Final = ("confirmed", "likely", "possible")
STATED: Final = "reason-stated"
"""The signal of a finding whose cause the log states in words."""
SLACK: Final = timedelta(hours=1)

KIND_OF: Final = {
    "signin-screen-silent-at-site": "absent",
    "stalled-before-verification": "stalled",
    "phone-code-not-arriving": "stalled",
    "email-not-received": "stalled",
    "hybrid-device-off-network": "aftermath",
    "phs-catch-up-delay": "aftermath",
    "service-incident": "time",
    "sspr-enumeration": "people",
    "sspr-takeover-attempt": "people",
}
"""Class of a target that no text names; members of a family go with it, the rest is `other`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in plain values, so that it can pass between processes."""

    cause: str
    family: str | None
    confidence: str
    sites: tuple[str, ...]
    ips: tuple[str, ...]
    users: tuple[str, ...]
    clients: tuple[str, ...]
    people: int
    first_seen: datetime
    last_seen: datetime
    signals: tuple[tuple[str, Any], ...]
    against: tuple[tuple[str, Any], ...]
    rivals: tuple[str, ...]
    states: tuple[tuple[str, str], ...] = ()
    """What became of every signal that was looked for, where a pattern told it."""
    flows: frozenset[str] = frozenset()
    """What it is about, where a pattern told it."""

    @property
    def explicit(self) -> bool:
        """Whether the log itself states the cause."""
        return any(name == STATED for name, _ in self.signals)

    @property
    def target(self) -> str:
        """What the finding's confidence is about."""
        return self.family or self.cause

    @property
    def firm(self) -> bool:
        """Whether it is `likely` or above."""
        return self.confidence != "possible"

    def as_row(self) -> dict[str, Any]:
        """Return it for a file."""
        row = {name: value for name, value in asdict(self).items() if name != "flows"}
        more = {"states": dict(self.states), "explicit": self.explicit, "target": self.target}
        return row | more


@dataclass(frozen=True, slots=True)
class Scored:
    """A finding held against the labels of its tenant."""

    found: Found
    kind: str
    right: bool
    over: tuple[str, ...]
    """What it claims beyond what can honestly be said."""


def kind_of(found: Found, families: Mapping[str, Sequence[str]]) -> str:
    """Return the class of what a finding names."""
    if found.explicit:
        return "explicit"
    names = [found.target, *(f for f, members in families.items() if found.cause in members)]
    return next((KIND_OF[name] for name in names if name in KIND_OF), "other")


def names(found: Found, label: Label, families: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a finding names the planted cause, or a family it belongs to, or a member."""
    if found.explicit is not (label.kind == "explicit"):
        return False
    about, meant = found.target, label.target
    return about == meant or meant in families.get(about, ()) or about in families.get(meant, ())


def in_time(found: Found, label: Label) -> bool:
    """Say whether the times of a finding and a label overlap."""
    return found.first_seen <= label.until + SLACK and found.last_seen >= label.since - SLACK


def in_scope(found: Found, label: Label) -> bool:
    """Say whether the place or the people of a finding are those of the label.

    An aftermath, or what follows a group of devices, is told by its people: at least half of those
    that the finding names must be the label's.
    """
    if label.kind in ("explicit", "time"):
        return True
    if label.sites or label.ips:
        places = set(found.sites) & set(label.sites) or set(found.ips) & set(label.ips)
        if places or found.sites or found.ips:
            return bool(places)
    if found.users and label.users:
        return 2 * len(set(found.users) & set(label.users)) >= len(found.users)
    return not (label.sites or label.ips)


def matches(found: Found, label: Label, families: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a finding tells of a planted cause."""
    same = names(found, label, families)
    return same and in_time(found, label) and in_scope(found, label)


def scored(
    found: Found,
    labels: Sequence[Label],
    stated: frozenset[str],
    families: Mapping[str, Sequence[str]],
) -> Scored:
    """Hold one finding against a tenant. What the records state in words is never a false alarm."""
    hits = [label for label in labels if matches(found, label, families)]
    in_words = {found.cause, found.family} | {
        family for family, members in families.items() if found.cause in members
    }
    right = bool(hits) or (found.explicit and bool(in_words & stated))
    over = tuple(_over(found, labels, hits, families))
    return Scored(found, kind_of(found, families), right, over)


def _over(
    found: Found,
    labels: Sequence[Label],
    hits: Sequence[Label],
    families: Mapping[str, Sequence[str]],
) -> Iterable[str]:
    if found.explicit:
        return
    patterns = {one for one in families if one in KIND_OF}
    if found.confidence == "confirmed":
        yield "confirmed without a text"
    if not found.firm:
        return
    if found.family is None and any(found.cause in families[one] for one in patterns):
        yield "one member of a family above possible"
    if hits and all(label.blind for label in hits):
        yield f"likely although {hits[0].why_not}"
    elsewhere = [one for one in labels if names(found, one, families) and in_time(found, one)]
    if elsewhere and not hits:
        yield "wrong scope"
    beyond = {site for label in hits for site in label.sites}
    # What is planted everywhere shows at whatever sites its people are.
    if all(label.sites for label in hits) and beyond and set(found.sites) - beyond:
        yield "a site too many"


def interval(right: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, from 0 to 1 where there is nothing to go by."""
    if not total:
        return 0.0, 1.0
    z = 1.959964
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * ((share * (1 - share) + spread / 4) / total) ** 0.5 / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(right: int, total: int) -> str:
    """Return a share with its count and its interval, as the tables print it."""
    if not total:
        return f"{'-':>5}  0/0"
    low, high = interval(right, total)
    return f"{right / total:5.2f}  {right}/{total} [{low:.2f}-{high:.2f}]"
