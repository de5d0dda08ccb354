"""What the catalogue says of a cause or family, told in one cloud, as part of a finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from sspr_audit.knowledge import Cause, Cloud, Family, Knowledge
from sspr_audit.model import Confidence, Finding, Rival, Scope, Statement


def finding(  # noqa: PLR0913 - what the data say of it
    target: str,
    knowledge: Knowledge,
    cloud: Cloud | None,
    *,
    confidence: Confidence,
    scope: Scope,
    users: int,
    flows: int,
    first_seen: datetime,
    last_seen: datetime,
    evidence: tuple[Statement, ...],
    against: tuple[Statement, ...],
    events: int,
    event_ids: tuple[str, ...],
    flow_ids: tuple[str, ...],
    pattern: tuple[str, ...] | None = None,
    missing: tuple[str, ...] = (),
) -> Finding:
    """Return the finding that `target`, a cause or a family, is; its texts are told in `cloud`.

    `pattern` is where a pattern shows it, and None where a text or code names it. `missing` names
    data that would make it surer. They come first among what would confirm it, after the one
    observation that tells a pattern's rivals apart.
    """
    family = knowledge.families.get(target)
    lead = knowledge.causes[family.lead if family else target]
    told = lead.in_cloud(cloud, knowledge.clouds)
    others = tuple(_rivals(lead, knowledge, cloud, family))
    keys = dict.fromkeys([*(family.sources if family else ()), *lead.sources])
    known = (family or lead).pattern
    settles = (known.settles,) if known and known.settles else ()
    return Finding(
        cause=lead.id,
        family=family.id if family else None,
        title=family.title if family else told.title,
        layer=lead.layer,
        confidence=confidence,
        scope=scope,
        users=users,
        flows=flows,
        first_seen=first_seen,
        last_seen=last_seen,
        evidence=evidence,
        against=against,
        rivals=others,
        confirm_with=(*settles, *missing, *_confirm_with(told, others, knowledge, cloud)),
        who_can_fix=lead.who_can_fix,
        remedy=knowledge.remedy(target, cloud),
        sources=tuple(knowledge.sources[key] for key in keys),
        events=events,
        event_ids=event_ids,
        flow_ids=flow_ids,
        identity=identity(target, pattern),
    )


def identity(target: str, where: tuple[str, ...] | None) -> str:
    """Return what names this finding in every report, as 12 hexadecimal digits.

    What a text names, `where` is None, is one finding, wherever it is. A pattern is one for each
    product, place or network that shows it, at each client. People and counts take no part.
    """
    told = json.dumps(["stated" if where is None else "shown", target, *(where or ())])
    return sha256(told.encode()).hexdigest()[:12]


def _rivals(
    lead: Cause, knowledge: Knowledge, cloud: Cloud | None, family: Family | None
) -> Iterator[Rival]:
    members = family.members if family else ()
    same = "text is written for" if family and family.kind == "text" else "picture is left by"
    for id_ in dict.fromkeys([*members, *lead.rivals]):
        rival = knowledge.causes[id_]
        if id_ != lead.id and rival.applies_in(cloud):
            title = rival.in_cloud(cloud, knowledge.clouds).title
            why = f"the same {same} it" if id_ in members else "it can lie behind this"
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
