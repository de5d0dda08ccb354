"""Sign-ins of people who reset their password at the sign-in screen, from Graph into the store."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Clock
from sspr_audit.normalize import records
from sspr_audit.pipeline import analysis, following
from sspr_audit.pipeline.analysis import Options
from sspr_audit.pipeline.context_results import ContextResult, ContextWishes, State
from sspr_audit.pipeline.following import Question
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.sources.graph import windows
from sspr_audit.sources.graph.collections import SIGN_INS
from sspr_audit.sources.graph.errors import ChainBroken, TooHeavy
from sspr_audit.store import contexts, copy_audit
from sspr_audit.store.times import aware, naive

if TYPE_CHECKING:
    from sspr_audit.sources.graph.client import Graph

BUDGET: Final = timedelta(minutes=10)
"""How long this may take: about 240 questions, each about at most 15 people."""

KEPT: Final = windows.RETENTION - timedelta(hours=1)
"""What is older may be gone by the time that it is asked for."""

BEFORE: Final = timedelta(days=1)
"""How far before the first flow's end records are read, to see the flow whole."""

_NAMED: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[^\s@]+@[^\s@]+")
"""Object ids and user principal names."""

_FLOWS: Final = """
SELECT lower(person), make_timestamp(epoch_ns(end_utc) // 1000) FROM flows
WHERE outcome = 'succeeded' AND client IN ('windows-signin', 'windows7-addin')
    AND person IS NOT NULL AND end_utc >= $since AND end_utc < $until
"""


def brought(
    keeper: Keeper,
    graph: Graph,
    clock: Clock,
    wishes: ContextWishes,
    told: Callable[[int], None],
) -> ContextResult:
    """Bring the sign-ins that are due, the newest flows first, until the budget is spent.

    For who holds the store's lock. What lands, lands question by question. Raises what
    sources.graph.following.read does; ChainBroken or TooHeavy only where nothing came.
    """
    from sspr_audit.sources.graph.following import PEOPLE

    begun = clock.now().astimezone(UTC)
    flows, known = _flows(keeper, wishes, begun)
    askable = [flow for flow in flows if _NAMED.fullmatch(flow[0])]
    left_out = {person for person, _ in flows} - {person for person, _ in askable}
    reason = "the log does not say who they are" if left_out else ""
    people: set[str] = set()
    count = 0
    trouble: TooHeavy | ChainBroken | None = None
    spans = following.due(askable, known, now=begun, kept=KEPT)
    for question in following.questions(spans, most=PEOPLE):
        try:
            texts = _answered(graph, question, lambda: clock.now() - begun >= BUDGET)
        except (TooHeavy, ChainBroken) as error:
            left_out |= question.people
            reason, trouble = str(error), error
            continue
        if texts is None:
            left_out |= question.people
            reason = f"their sign-ins take longer than {BUDGET.seconds // 60} minutes"
            continue
        count += _landed(keeper, texts, question)
        people |= question.people
        told(count)
    if trouble and not people:
        raise trouble
    with keeper.store.writing() as store:
        contexts.came(store, SIGN_INS.name, begun, count)
    return ContextResult(
        SIGN_INS.name,
        State.CAME,
        count,
        reason=reason,
        people=len(people),
        left_out=len(left_out),
    )


def _flows(
    keeper: Keeper, wishes: ContextWishes, now: datetime
) -> tuple[list[tuple[str, datetime]], list[contexts.Followed]]:
    """Return person and end of each flow whose aftermath matters and may still be had.

    Beside them comes what was followed before.
    """
    since = max(wishes.since, now - windows.RETENTION)
    until = min(wishes.until or now, now)
    if since >= until:
        return [], []
    options = Options(
        wishes.knowledge,
        now,
        now,
        start=since,
        end=until,
        client_types=wishes.client_types,
        flow_timeout=wishes.flow_timeout,
    )
    bounds = {"since": naive(since), "until": naive(until)}
    with engine.scratch() as connection:
        records.prepare(connection)
        with keeper.store.reading() as store:
            copy_audit(store, connection, start=bounds["since"] - BEFORE, end=bounds["until"])
            known = contexts.followed(store)
        data = analysis.span(connection, options)
        analysis.derive(connection, options, data)
        found = engine.rows(connection, _FLOWS, bounds)
    return [(person, aware(end)) for person, end in found], known


def _answered(graph: Graph, question: Question, is_late: Callable[[], bool]) -> list[bytes] | None:
    """Return the sign-ins that are wanted; None where the time is up before all have come."""
    from sspr_audit.sources.graph import following as asking

    wanted: list[bytes] = []
    if is_late():
        return None
    for part in asking.read(graph, question.people, question.window):
        wanted += [one.text for one in part.sign_ins if question.wants(one.people, one.time)]
        if is_late() and not part.is_last:
            return None
    return wanted


def _landed(keeper: Keeper, texts: list[bytes], question: Question) -> int:
    """Store the sign-ins with whose they are, in one transaction; return how many."""
    import pyarrow as pa

    kind = SIGN_INS.name
    came = pa.array(texts, pa.binary()).cast(pa.string())
    stored = [contexts.stored(kind, came)] if texts else []
    with keeper.store.writing() as store:
        kept = contexts.add(store, iter(stored))
        contexts.follow(store, question.spans)
    return kept
