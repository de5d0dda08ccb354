"""Evidence, then judgement: material → signals → findings, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sspr_audit import engine
from sspr_audit.evidence import explicit, patterns
from sspr_audit.judge import explicit as stating
from sspr_audit.judge import patterns as showing
from sspr_audit.knowledge import Cloud, Knowledge
from sspr_audit.model import Finding, Judgement, Tested, Unobservable

if TYPE_CHECKING:
    import duckdb

    from sspr_audit.evidence.material import Material


@dataclass(frozen=True, slots=True)
class Judged:
    """What judgement says, and how it came to it."""

    findings: tuple[Finding, ...] = ()
    unobservable: tuple[Unobservable, ...] = ()
    tested: tuple[Tested, ...] = ()
    """What each family of signals looked for without any text."""
    judgements: tuple[Judgement, ...] = ()
    """What became of what they found, findings or not."""


def judged(
    connection: duckdb.DuckDBPyConnection,
    material: Material,
    knowledge: Knowledge,
    *,
    cloud: Cloud | None,
) -> Judged:
    """Return what the tables `events` and `flows` and the material beside them show."""
    cases = explicit.cases(connection, knowledge, material.flows, material.window)
    stated = stating.findings(cases, knowledge, cloud=cloud)
    tested = tuple(patterns(material))
    judgements = showing.judgements(tested, knowledge)
    shown = showing.findings(
        judgements, knowledge, cloud=cloud, events=_event_ids(connection, judgements)
    )
    few = [few for one in tested for few in one.few]
    return Judged(
        (*stated, *shown),
        stating.unobservable(knowledge, cloud=cloud, found=(*stated, *shown), few=few),
        tested,
        judgements,
    )


def _event_ids(
    connection: duckdb.DuckDBPyConnection, judgements: Iterable[Judgement]
) -> dict[str, list[str]]:
    """Return the event ids of the flows that the judgements are about, oldest first."""
    flows = sorted(
        {flow for one in judgements if one.confidence for flow in one.suspicion.flow_ids}
    )
    if not flows:
        return {}
    found = engine.rows(
        connection,
        "SELECT flow_id, list(event_id ORDER BY time_utc, rank, event_id) FROM events"
        " WHERE flow_id IN (SELECT unnest($flows)) GROUP BY flow_id",
        {"flows": flows},
    )
    return dict(found)
