"""Cases that reasons and codes make, and the catalogue → findings, and what could not be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sspr_audit.judge import telling
from sspr_audit.knowledge import Cloud, Knowledge
from sspr_audit.model import Case, Confidence, Few, Finding, Unobservable


def findings(
    cases: Iterable[Case], knowledge: Knowledge, *, cloud: Cloud | None
) -> tuple[Finding, ...]:
    """Return a finding for each case; texts are told in `cloud`, in every cloud where it is None.

    A text that names one cause confirms it, unless that the text is written so is only inferred.
    A text that names a family makes the family likely and says nothing of its members.
    """
    return tuple(_finding(case, knowledge, cloud) for case in cases)


def unobservable(
    knowledge: Knowledge,
    *,
    cloud: Cloud | None,
    found: Iterable[Finding] = (),
    few: Iterable[Few] = (),
) -> tuple[Unobservable, ...]:
    """Return the causes that this data could not show, with what data would show each.

    A cause that a text names, or whose pattern was looked for everywhere, could have been seen;
    `few` are the places that were too small to look at.
    """
    lacking: dict[str, dict[str, None]] = defaultdict(dict)
    for one in few:
        lacking[one.target][one.needs] = None
    stated = {id_ for row in knowledge.reasons for id_ in knowledge.named_by(row)}
    for finding in found:  # of a family that was found, none is unseen, if not told apart
        members = knowledge.families[finding.family].members if finding.family else ()
        stated |= {finding.cause, *members}
    told = []
    for cause in knowledge.causes.values():
        if cause.id in stated or not cause.applies_in(cloud):
            continue
        families = knowledge.families_of(cause.id)
        looked = [family.id for family in families if family.pattern]
        looked += [cause.id] if cause.pattern else []
        needs = [need for target in looked for need in lacking[target]]
        if needs or not looked:
            needs += cause.in_cloud(cloud, knowledge.clouds).needs_data
            told.append(Unobservable(cause.id, tuple(needs)))
    return tuple(told)


def _finding(case: Case, knowledge: Knowledge, cloud: Cloud | None) -> Finding:
    family = knowledge.families.get(case.target)
    if family or case.standing == "inferred":
        confidence = Confidence.LIKELY
    else:
        confidence = Confidence.CONFIRMED
    return telling.finding(
        case.target,
        knowledge,
        cloud,
        confidence=confidence,
        scope=case.scope,
        users=case.users,
        flows=case.flows,
        first_seen=case.first_seen,
        last_seen=case.last_seen,
        evidence=case.evidence,
        against=case.against,
        events=case.events,
        event_ids=case.event_ids,
        flow_ids=case.flow_ids,
    )
