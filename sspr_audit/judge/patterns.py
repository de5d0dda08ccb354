"""Suspicions and the catalogue → judgements and findings: what no reason or code in the log states.

A suspicion becomes a finding where chance hardly ever makes as much, over everything that was
looked at, and every signal that its pattern needs has fired. It is likely where a signal of another
kind agrees, every spoiler was looked for and none fired, and the score reaches what the
calibration asks for; otherwise it is possible. What a second sign alone made rarer than chance is
possible, too, for that sign is none beside. What is unknown never adds and never clears.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sspr_audit.judge import discovery, telling
from sspr_audit.knowledge import Cloud, Knowledge
from sspr_audit.knowledge.catalogue import Pattern
from sspr_audit.model import (
    Confidence,
    Finding,
    Judgement,
    Signal,
    State,
    Statement,
    Suspicion,
    Tested,
)

_SAME = 0.7
"""From which share of its flows on a suspicion is part of another of the same target."""

_UNTOLD = (State.FEW, State.UNKNOWN)


def judgements(tested: Sequence[Tested], knowledge: Knowledge) -> tuple[Judgement, ...]:
    """Return a judgement for each suspicion that is no part of another.

    The most certain stand first, then those of the most people.
    """
    judged = []
    for one in tested:
        # Every look has its own part of the rate, so that one which lacks its data gives nothing
        # away to the others.
        rates, alone = (
            [min(1.0, float(q) / one.part) for q in discovery.false_discovery(p, one.tests)]
            for p in (
                [each.p for each in one.suspicions],
                [each.p if each.alone is None else each.alone for each in one.suspicions],
            )
        )
        judged += [
            _judged(suspicion, q, q_alone, one.tests, knowledge)
            for suspicion, q, q_alone in zip(one.suspicions, rates, alone, strict=True)
        ]
    return tuple(_whole(judged))


def findings(
    judged: Iterable[Judgement],
    knowledge: Knowledge,
    *,
    cloud: Cloud | None,
    events: Mapping[str, Sequence[str]],
) -> tuple[Finding, ...]:
    """Return the judgements that are findings; `events` are the event ids of each flow."""
    return tuple(
        _finding(one, one.confidence, knowledge, cloud, events) for one in judged if one.confidence
    )


def _judged(
    suspicion: Suspicion, q: float, q_alone: float, tests: int, knowledge: Knowledge
) -> Judgement:
    pattern = knowledge.pattern(suspicion.target)
    weights = knowledge.weights
    score = _score(suspicion, pattern, weights.signals.get(suspicion.target, {}))
    limit = weights.numbers["false_discovery"]
    looked = f"over {tests:,} tests like it and those of the other kinds"
    because = [f"Chance alone: q = {q:.2g} {looked}, {limit:g} is asked for."]
    lacking = [name for name in pattern.needs if _state(suspicion, name) is not State.FIRED]
    if lacking:
        because.append(f"It needs {', '.join(lacking)}, which did not fire.")
    if q > limit or lacking:
        return Judgement(suspicion, q, score, None, (*because, "So it is no finding."))
    short = list(_short_of_likely(suspicion, pattern, score, weights.likely))
    if q_alone > limit:
        short.append(f"Without the second sign it may be chance: q = {q_alone:.2g}.")
    confidence = Confidence.POSSIBLE if short else Confidence.LIKELY
    because += short or [
        "Signs of two kinds agree; what would explain it otherwise was looked for, and not found."
    ]
    return Judgement(suspicion, q, score, confidence, (*because, f"So it is {confidence}."))


def _short_of_likely(
    suspicion: Suspicion, pattern: Pattern, score: float, likely: Mapping[str, float]
) -> Iterator[str]:
    """Say what keeps it from being likely."""
    agree = [
        one.id
        for one in suspicion.signals
        if one.id in pattern.supports and one.state is State.FIRED and one.kind != pattern.kind
    ]
    if not agree:
        yield f"No sign of another kind agrees: {', '.join(pattern.supports) or 'none known'}."
    for name in pattern.spoilers:
        state = _state(suspicion, name)
        if state is not State.QUIET:
            yield f"Against it: {name} {'fired' if state is State.FIRED else f'is {state}'}."
    wanted = likely.get(suspicion.target, 0.0)
    if score < wanted:
        yield f"Its score is {score:.1f}, {wanted:g} is asked for."


def _state(suspicion: Suspicion, name: str) -> State:
    """Return what became of a signal; what nobody looked for is unknown."""
    return next((one.state for one in suspicion.signals if one.id == name), State.UNKNOWN)


def _score(suspicion: Suspicion, pattern: Pattern, weights: Mapping[str, float]) -> float:
    """Return the weights of what fired; a signal without a weight of its own counts 1."""
    fired = [one.id for one in suspicion.signals if one.state is State.FIRED]
    speaks = sum(weights.get(one, 1.0) for one in fired if one in pattern.needs + pattern.supports)
    return speaks - sum(abs(weights.get(one, 1.0)) for one in fired if one in pattern.spoilers)


def _whole(judged: Iterable[Judgement]) -> Iterator[Judgement]:
    """Leave out what is part of a surer or larger one: the same target, mostly the same flows."""
    kept: dict[str, list[set[str]]] = defaultdict(list)
    for one in sorted(judged, key=_order):
        flows = set(one.suspicion.flow_ids)
        mine = kept[one.suspicion.target]
        if not any(len(flows & other) >= _SAME * len(flows) for other in mine):
            mine.append(flows)
            yield one


def _order(one: Judgement) -> tuple[object, ...]:
    rank = one.confidence.rank if one.confidence else len(Confidence)
    return rank, -one.suspicion.users, one.q, one.suspicion.target, str(one.suspicion.scope)


def _finding(
    one: Judgement,
    confidence: Confidence,
    knowledge: Knowledge,
    cloud: Cloud | None,
    events: Mapping[str, Sequence[str]],
) -> Finding:
    suspicion = one.suspicion
    spoilers = knowledge.pattern(suspicion.target).spoilers
    fired = [signal for signal in suspicion.signals if signal.state is State.FIRED]
    ids = [id_ for flow in suspicion.flow_ids for id_ in events.get(flow, ())]
    return telling.finding(
        suspicion.target,
        knowledge,
        cloud,
        confidence=confidence,
        scope=suspicion.scope,
        users=suspicion.users,
        flows=suspicion.flows,
        first_seen=suspicion.first_seen,
        last_seen=suspicion.last_seen,
        evidence=tuple(_statement(signal) for signal in fired if signal.id not in spoilers),
        against=tuple(_statement(signal) for signal in fired if signal.id in spoilers),
        events=len(ids),
        event_ids=tuple(ids),
        flow_ids=suspicion.flow_ids,
        pattern=(suspicion.where, *suspicion.scope.clients),
        missing=tuple(
            f"{signal.needs} (would tell: {signal.id})"
            for signal in suspicion.signals
            if signal.id in spoilers and signal.state in _UNTOLD and signal.needs
        ),
    )


def _statement(signal: Signal) -> Statement:
    return Statement(signal.id, signal.statement, signal.value, signal.quotes)
