"""Cases that reasons and codes make, and the catalogue → findings, and what could not be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sspr_audit.knowledge import Cause, Cloud, Knowledge
from sspr_audit.model import Case, Confidence, Finding, Rival, Unobservable


def findings(
    cases: Iterable[Case], knowledge: Knowledge, *, cloud: Cloud | None
) -> tuple[Finding, ...]:
    """Return a finding for each case; texts are told in `cloud`, in every cloud where it is None.

    A text that names one cause confirms it, unless that the text is written so is only inferred.
    A text that names a family makes the family likely and says nothing of its members.
    """
    return tuple(_finding(case, knowledge, cloud) for case in cases)


def unobservable(
    knowledge: Knowledge, *, cloud: Cloud | None, found: Iterable[Finding] = ()
) -> tuple[Unobservable, ...]:
    """Return the causes that no known text names, with what data would show each."""
    stated = {id_ for row in knowledge.reasons for id_ in knowledge.named_by(row)}
    stated |= {finding.cause for finding in found}
    return tuple(
        Unobservable(cause.id, cause.in_cloud(cloud, knowledge.clouds).needs_data)
        for cause in knowledge.causes.values()
        if cause.id not in stated and cause.applies_in(cloud)
    )


def _finding(case: Case, knowledge: Knowledge, cloud: Cloud | None) -> Finding:
    family = knowledge.families.get(case.target)
    lead = knowledge.causes[family.lead if family else case.target]
    told = lead.in_cloud(cloud, knowledge.clouds)
    if family or case.standing == "inferred":
        confidence = Confidence.LIKELY
    else:
        confidence = Confidence.CONFIRMED
    rivals = tuple(_rivals(lead, knowledge, cloud, family.members if family else ()))
    keys = dict.fromkeys([*(family.sources if family else ()), *lead.sources])
    return Finding(
        cause=lead.id,
        family=family.id if family else None,
        title=family.title if family else told.title,
        layer=lead.layer,
        confidence=confidence,
        scope=case.scope,
        users=case.users,
        flows=case.flows,
        first_seen=case.first_seen,
        last_seen=case.last_seen,
        evidence=case.evidence,
        against=case.against,
        rivals=rivals,
        confirm_with=tuple(_confirm_with(told, rivals, knowledge, cloud)),
        who_can_fix=lead.who_can_fix,
        remedy=told.remedy,
        sources=tuple(knowledge.sources[key] for key in keys),
        events=case.events,
        event_ids=case.event_ids,
    )


def _rivals(
    lead: Cause, knowledge: Knowledge, cloud: Cloud | None, members: tuple[str, ...]
) -> Iterator[Rival]:
    for id_ in dict.fromkeys([*members, *lead.rivals]):
        rival = knowledge.causes[id_]
        if id_ != lead.id and rival.applies_in(cloud):
            title = rival.in_cloud(cloud, knowledge.clouds).title
            why = "the same text is written for it" if id_ in members else "it can lie behind this"
            yield Rival(id_, f"{title}: {why}")


def _confirm_with(
    told: Cause, rivals: tuple[Rival, ...], knowledge: Knowledge, cloud: Cloud | None
) -> Iterator[str]:
    """Yield what would prove the cause, then the first thing that would prove each rival."""
    yield from told.evidence_elsewhere
    for rival in rivals:
        other = knowledge.causes[rival.cause].in_cloud(cloud, knowledge.clouds)
        for evidence in other.evidence_elsewhere[:1]:
            if evidence not in told.evidence_elsewhere:
                yield f"{evidence} (speaks for {rival.cause})"
