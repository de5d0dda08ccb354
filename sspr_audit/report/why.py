"""How the verdict on one cause came about in this data, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sspr_audit.model import Few, Finding, Judgement, Scope, Signal, State, Tested
from sspr_audit.report import plain, words

if TYPE_CHECKING:
    from sspr_audit.knowledge import Knowledge

_STATE: Final = {
    State.FIRED: "yes",
    State.QUIET: "no",
    State.FEW: "too few to tell",
    State.UNKNOWN: "not known",
}
_SHOWN: Final = 5
"""How many judgements, and places that were too small, are told in full."""


def page(
    wanted: str,
    knowledge: Knowledge,
    *,
    findings: Iterable[Finding],
    tested: Sequence[Tested],
    judgements: Sequence[Judgement],
) -> str:
    """Return why the cause or family `wanted` is a finding here, or why it is none."""
    families = (
        [one.id for one in knowledge.families_of(wanted)] if wanted in knowledge.causes else []
    )
    targets = {wanted, *families}
    found = [one for one in findings if {one.cause, one.family} & targets]
    lines = plain.wrapped(f"Why {wanted}, in this data")
    if families:
        lines += plain.wrapped(f"It is judged with its family: {', '.join(families)}.")
    stated = [one for one in found if any(each.signal == "reason-stated" for each in one.evidence)]
    raised = [one for one in judgements if one.suspicion.target in targets]
    for finding in stated:
        lines += _stated(finding)
    for judged in raised[:_SHOWN]:
        lines += _judged(judged, knowledge)
    if len(raised) > _SHOWN:
        lines += ["", f"{len(raised) - _SHOWN:,} weaker suspicions are left out."]
    if not raised and not stated:
        lines += _nothing(targets, knowledge, tested)
    few = [few for one in tested for few in one.few if few.target in targets]
    lines += _too_few(few)
    return "\n".join([*lines, ""])


def _stated(one: Finding) -> Iterator[str]:
    yield from plain.section(
        f"{one.confidence.upper()}: the log names it",
        [statement.statement for statement in (*one.evidence, *one.against)],
        mark="- ",
    )


def _judged(one: Judgement, knowledge: Knowledge) -> Iterator[str]:
    suspicion, pattern = one.suspicion, knowledge.pattern(one.suspicion.target)
    heading = one.confidence.upper() if one.confidence else "No finding"
    yield from ("", f"{heading}: {_where(suspicion.scope)}")
    yield from plain.section("Decided by", one.because, mark="- ")
    groups = {
        "Needed": pattern.needs,
        "Supports it": pattern.supports,
        "Against it": pattern.spoilers,
    }
    by_id = {signal.id: signal for signal in suspicion.signals}
    for name, ids in groups.items():
        yield from plain.section(name, (_signal(id_, by_id.get(id_)) for id_ in ids), mark="- ")
    rest = [one for one in suspicion.signals if not any(one.id in ids for ids in groups.values())]
    yield from plain.section("Beside it", (signal.statement for signal in rest), mark="- ")


def _signal(id_: str, signal: Signal | None) -> str:
    if signal is None:
        return f"{id_}: not known. Nothing in this data could tell."
    p = (
        f" (p = {signal.p:.2g})"
        if signal.p is not None and signal.state is not State.UNKNOWN
        else ""
    )
    needs = f"; would tell: {signal.needs}" if signal.needs else ""
    return f"{id_}: {_STATE[signal.state]}{p}. {signal.statement}{needs}"


def _where(scope: Scope) -> str:
    return words.place(scope) or "everywhere"


def _nothing(targets: set[str], knowledge: Knowledge, tested: Sequence[Tested]) -> Iterator[str]:
    kinds = {
        known.pattern.kind
        for target in targets
        if (known := knowledge.families.get(target) or knowledge.causes.get(target))
        and known.pattern
    }
    tests = sum(one.tests for one in tested if one.kind in kinds)
    if kinds:
        told = (
            f"Its pattern was looked for ({', '.join(sorted(kinds))}; {tests:,} tests of that kind)"
            " and nothing stood out from chance."
        )
    else:
        told = "No reason names it here, and no pattern of the audit log would show it."
    yield from plain.section("No finding", [told])


def _too_few(few: Sequence[Few]) -> Iterator[str]:
    shown = [one.needs for one in few[:_SHOWN]]
    if len(few) > _SHOWN:
        shown.append(f"and {len(few) - _SHOWN:,} more places")
    yield from plain.section("Not enough data; what would do", shown, mark="- ")
