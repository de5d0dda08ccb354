"""All that is known about Entra at once, and what is looked up in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sspr_audit import model
from sspr_audit.knowledge.catalogue import (
    Activity,
    Cause,
    ClientPattern,
    Family,
    Pattern,
    Reason,
    ReasonMatch,
    Weights,
)
from sspr_audit.knowledge.clouds import Cloud
from sspr_audit.knowledge.folding import fold
from sspr_audit.knowledge.wordings import Wording


@dataclass(frozen=True)  # no slots: the look-ups below are worked out once and kept beside it
class Knowledge:
    """All that is known about Entra, in the order of its files."""

    activities: tuple[Activity, ...]
    reasons: tuple[Reason, ...]
    methods: tuple[str, ...]
    """Verification methods as Entra spells them."""
    causes: Mapping[str, Cause]
    """By id, in the order of the ids."""
    families: Mapping[str, Family]
    clouds: Mapping[str, Cloud]
    sources: Mapping[str, model.Source]
    client_patterns: tuple[ClientPattern, ...]
    weights: Weights
    wordings: tuple[Wording, ...] = ()

    def pattern(self, target: str) -> Pattern:
        """Return how the cause or family shows without any text. Raises KeyError for one that
        does not.
        """
        known = self.families.get(target) or self.causes[target]
        if known.pattern is None:
            raise KeyError(target)
        return known.pattern

    def remedy(self, target: str, cloud: Cloud | None) -> model.Remedy:
        """Return what to do about a cause or family, told in `cloud`; in every cloud if it is None.

        A remedy mends one cause. That of a family begins with which of them to look for: alone, it
        would claim to know it.
        """
        family = self.families.get(target)
        told = self.causes[family.lead if family else target].in_cloud(cloud, self.clouds)
        alike = family.members if family else ()
        causes = sum(self.causes[one].applies_in(cloud) for one in alike)
        if causes <= 1:
            return told.remedy
        which = f"First see whether it is this one of {causes} causes: {told.title}."
        return replace(told.remedy, summary=f"{which} If so: {told.remedy.summary}")

    def activity(self, text: str | None) -> Activity | None:
        """Return the activity that `text` names; None where it is not one of ours."""
        return self._activities.get(fold(text) or "")

    def reason(self, text: str | None) -> ReasonMatch | None:
        """Return the row that `text` is. None for no reason (`fold(text) is None`) and for one
        that is not recognized.
        """
        folded = fold(text)
        if folded is None:
            return None
        if folded in self._exact:
            return ReasonMatch(self._exact[folded], None)
        for row in self._searched:
            if found := row.found_in(folded):
                method = None if found is True else found.groupdict().get("method")
                return ReasonMatch(row, method and self._methods.get(method, method))
        return None

    def client(self, raw: str, overrides: Mapping[str, str]) -> tuple[str, bool]:
        """Return the client that a ClientType stands for, and whether that is assumed.

        `overrides` are exact values from the settings and go first.
        """
        if raw in overrides:
            return overrides[raw], False
        folded = raw.casefold()
        for one in self.client_patterns:
            if re.search(one.pattern, folded):
                return one.client, True
        return f"other:{raw}", False

    def families_of(self, cause: str) -> tuple[Family, ...]:
        """Return the families that the cause belongs to."""
        return tuple(family for family in self.families.values() if cause in family.members)

    def named_by(self, reason: Reason) -> tuple[str, ...]:
        """Return the causes that the reason states: its own, or its family's, the lead first."""
        if reason.family is None:
            return reason.causes
        family = self.families[reason.family]
        return (family.lead, *(one for one in family.members if one != family.lead))

    def reasons_for(self, cause: str) -> tuple[Reason, ...]:
        """Return the rows that state the cause, alone or in a family."""
        return tuple(row for row in self.reasons if cause in self.named_by(row))

    @cached_property
    def _activities(self) -> dict[str, Activity]:
        return {fold(one.name) or "": one for one in self.activities}

    @cached_property
    def _exact(self) -> dict[str, Reason]:
        return {row.on: row for row in reversed(self.reasons) if row.match == "exact"}

    @cached_property
    def _searched(self) -> tuple[Reason, ...]:
        return tuple(row for row in self.reasons if row.match != "exact")

    @cached_property
    def _methods(self) -> dict[str, str]:
        return {fold(one) or "": one for one in self.methods}
