"""What is known about Entra, as frozen values: activities, reasons, families and causes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sspr_audit import model
from sspr_audit.knowledge import clouds as places
from sspr_audit.knowledge.clouds import Cloud

STAGES: Final[Mapping[str, str]] = {
    "S0": "link offered at the sign-in screen",
    "S1": "temporary account signs in",
    "S2": "portal page loads",
    "S3": "user ID accepted, eligibility checked",
    "S4": "methods offered",
    "S5": "method started",
    "S6": "method completed",
    "S7": "all methods completed",
    "S8": "new password submitted",
    "S9": "written back and committed",
    "S10": "reset succeeded",
    "S11": "new password used for the first time",
}
"""How a reset goes, in words; a cause names the one or the span where it stops a reset."""


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity that belongs to password reset."""

    name: str
    role: str
    """flow, change, admin-reset, registration, echo, note or policy."""
    person_from: str
    """`user`: the target, else who initiated it; `target`: the target alone."""
    standing: str
    source: str
    service: str | None = None
    rank: int | None = None
    """Sorts events of equal time where the reason gives no rank."""
    outcome_stage: int | None = None
    """How far a flow had got when this is written."""
    blocked: bool = False
    """Whether it says, whatever its result, that the person was throttled."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A row of the one table of reasons."""

    key: str
    text: str
    """As it is written; `<method>` stands for any method."""
    match: str
    """exact, prefix, contains or pattern."""
    on: str
    """What is compared: folded, or a regular expression for folded texts."""
    rank: int
    meaning: str
    """step, succeeded, blocked, failed, cancelled or abandoned."""
    standing: str
    """seen, documented or inferred; what is inferred carries a finding to `likely` at most."""
    source: str
    stage: int | None = None
    """How far the flow had got, 10 to 80; None where the text does not say."""
    causes: tuple[str, ...] = ()
    family: str | None = None
    alone: str = "note"
    """What a record of no known activity is by this reason alone: flow, note or nothing."""

    def found_in(self, folded: str) -> re.Match[str] | bool:
        """Say whether the folded text is this reason; for a pattern, give what was found."""
        match self.match:
            case "exact":
                return folded == self.on
            case "prefix":
                return folded.startswith(self.on) and _word_ends(folded, len(self.on))
            case "contains":
                at = folded.find(self.on)
                return at >= 0 and _word_ends(folded, at + len(self.on))
            case _:
                return re.search(self.on, folded) or False


@dataclass(frozen=True, slots=True)
class ReasonMatch:
    """The row that a text is, and the verification method that the text names."""

    reason: Reason
    method: str | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a cause or family shows without any text: by which signals, and what speaks against it.

    Every signal is one that a module of evidence makes, by its id.
    """

    kind: str
    """The family of signals that raises it: stalled, absent, aftermath, time or people."""
    needs: tuple[str, ...]
    """Every one must have fired."""
    supports: tuple[str, ...] = ()
    """One of another family must have fired before it is likely."""
    spoilers: tuple[str, ...] = ()
    """While one has fired or is unknown, it is possible at most."""
    settles: str = ""
    """The one observation that would tell the rivals apart."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of judgement, as the calibration wrote them."""

    written: str
    """When and from which simulated tenants."""
    numbers: Mapping[str, float]
    """Thresholds, by name."""
    likely: Mapping[str, float]
    """The least score of a likely finding, by cause or family."""
    signals: Mapping[str, Mapping[str, float]]
    """How much a signal that fired adds to the score, by cause or family; a spoiler takes away."""


@dataclass(frozen=True, slots=True)
class Family:
    """Causes that one text, or one pattern in the data, cannot tell apart."""

    id: str
    kind: str
    """`text`: reasons name it; `pattern`: it is found without a text."""
    title: str
    lead: str
    """The member to name first."""
    members: tuple[str, ...]
    sources: tuple[str, ...]
    pattern: Pattern | None = None
    background: tuple[str, ...] = ()
    """How that works which fails here; may name facts of the cloud: read it through `in_cloud`."""

    def in_cloud(self, cloud: Cloud | None, clouds: Mapping[str, Cloud]) -> Family:
        """Return the family with its background told in `cloud`; in every cloud if it is None."""
        return replace(
            self, background=tuple(places.told(one, cloud, clouds) for one in self.background)
        )


@dataclass(frozen=True, slots=True)
class ClientPattern:
    """A regular expression for case-folded values of ClientType, and the client it stands for."""

    client: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause. Its texts may name facts of the cloud: read them through `in_cloud`."""

    id: str
    title: str
    layer: str
    clouds: tuple[str, ...]
    clients: tuple[str, ...]
    os: str
    visibility: str
    """explicit, partial, silent or success-then-failure."""
    stage: str
    """Where it stops a reset: one of STAGES, a span of them, any, setup, reporting or none."""
    signature: str
    """How it shows in the audit log."""
    evidence_elsewhere: tuple[str, ...]
    needs_data: tuple[str, ...]
    """What data would show or settle it."""
    rivals: tuple[str, ...]
    """Causes that fit the same data."""
    who_can_fix: str
    confidence: str
    """How well the cause itself is known: documented, tool, reported or inferred."""
    on_signin_page: bool
    """Whether Microsoft's page on the sign-in screen states it, or what it rests on."""
    sources: tuple[str, ...]
    fits: tuple[str, ...]
    """Reason texts that must name it, alone or in a family."""
    must_not: tuple[str, ...]
    """Reason texts that must not name it."""
    remedy: model.Remedy
    """Its `hosts` are names of fields of Cloud until `in_cloud` gives their values."""
    commands_in: Mapping[str, tuple[str, ...]]
    """Commands that are known for one cloud only, by its name."""
    registry: tuple[str, ...] = ()
    confounders: tuple[str, ...] = ()
    known_gaps: str = ""
    user_sees: str | None = None
    pattern: Pattern | None = None

    def applies_in(self, cloud: Cloud | None) -> bool:
        """Say whether the cause can occur there; yes where the cloud is not known."""
        return cloud is None or cloud.name in self.clouds or cloud.name not in KNOWN_CLOUDS

    def in_cloud(self, cloud: Cloud | None, clouds: Mapping[str, Cloud]) -> Cause:
        """Return the cause with every text told in `cloud`.

        Where it is None, the facts of each of `clouds` in which the cause occurs are given,
        labelled with the clouds' names.
        """
        here = {name: one for name, one in clouds.items() if self.applies_in(one)}

        def tell(text: str) -> str:
            return places.told(text, cloud, here)

        def tell_all(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(tell(text) for text in texts)

        return replace(
            self,
            os=tell(self.os),
            user_sees=self.user_sees and tell(self.user_sees),
            signature=tell(self.signature),
            evidence_elsewhere=tell_all(self.evidence_elsewhere),
            needs_data=tell_all(self.needs_data),
            confounders=tell_all(self.confounders),
            known_gaps=tell(self.known_gaps),
            remedy=self._remedy(cloud, here, tell),
            commands_in={},
        )

    def _remedy(
        self, cloud: Cloud | None, clouds: Mapping[str, Cloud], tell: Callable[[str], str]
    ) -> model.Remedy:
        if cloud is None:
            only = tuple(
                f"{command}  # {name}"
                for name in clouds
                for command in self.commands_in.get(name, ())
            )
        else:
            only = self.commands_in.get(cloud.name, ())
        return model.Remedy(
            summary=tell(self.remedy.summary),
            commands=(*only, *places.commands(self.remedy.commands, cloud, clouds)),
            hosts=places.hosts(self.remedy.hosts, cloud, clouds),
        )


KNOWN_CLOUDS: Final = ("global", "usgov-gcchigh", "usgov-dod", "china-21vianet")
"""The clouds that a cause can name. One from the settings is taken to have every cause."""


def _word_ends(text: str, at: int) -> bool:
    return at == len(text) or not text[at].isalnum()
