"""What a reader wants to know of any suspicion: how far people got, when it began, which flows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence.wording import counted, day, listed, percent
from sspr_audit.model import Kind, Signal, State, Suspicion

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material

_STEPS: Final = {
    10: "user ID",
    20: "options",
    30: "method started",
    50: "verified",
    60: "new password",
    80: "done",
}
"""The steps that the funnel tells, by their rank."""

_EXAMPLES: Final = 3


def explained(suspicion: Suspicion, material: Material) -> Suspicion:
    """Return the suspicion with what explains it put after its signals."""
    more = (
        how_far(suspicion, material),
        onset(suspicion),
        not_named(suspicion, material),
        examples(suspicion),
    )
    return replace(suspicion, signals=(*suspicion.signals, *(one for one in more if one)))


def how_far(suspicion: Suspicion, material: Material) -> Signal | None:
    """How far these people got, beside how far people got in all other flows.

    The same people are in both where they reset elsewhere, or before it began.
    """
    flows = material.flows.dropna(subset=["person"])
    mine = flows["flow_id"].isin(suspicion.flow_ids)
    here, other = _reached(flows[mine]), _reached(flows[~mine])
    if here.empty:
        return None
    steps = []
    for rank, name in _STEPS.items():
        beside = f" ({percent(float((other >= rank).mean()))})" if len(other) else ""
        steps.append(f"{name} {percent(float((here >= rank).mean()))}{beside}")
    who = counted(len(here))
    beside = f" ({counted(len(other))} in other flows)" if len(other) else ""
    text = f"How far {who} got{beside}: {', '.join(steps)}"
    return Signal("how-far", Kind.STALLED, State.FIRED, text, None, len(here))


def _reached(flows: pd.DataFrame) -> pd.Series[int]:
    """Return the furthest step of each person."""
    return flows.groupby("person")["stage"].max()


def onset(suspicion: Suspicion) -> Signal | None:
    """Between which times it began, 19 times of 20, and whether it is over."""
    if suspicion.onset is None:
        return None
    first, last = suspicion.onset
    over = f"; it is over since {day(suspicion.last_seen)}" if suspicion.over else ""
    text = f"It began between {day(first)} and {day(last)} (19 times of 20){over}"
    if first == last:
        text = f"It began at {day(first)}{over}"
    return Signal("began", Kind.TIME, State.FIRED, text)


def not_named(suspicion: Suspicion, material: Material) -> Signal | None:
    """Addresses that nobody named count as the site by whose addresses the same people come."""
    flows = material.flows[material.flows["flow_id"].isin(suspicion.flow_ids)]
    named = material.flows["site"].dropna().unique()
    taken = flows[flows["site"].isna() & flows["place"].isin(named)]
    found = taken.groupby("place")["ip_group"].unique()
    if found.empty:
        return None
    text = "; ".join(
        f"No name covers {listed(sorted(addresses))}: counted as {place}, by whose networks the"
        " same people come"
        for place, addresses in found.items()
    )
    return Signal("not-named", Kind.PEOPLE, State.FIRED, text, len(found))


def examples(suspicion: Suspicion) -> Signal | None:
    """The latest flows of it, to look at one by one."""
    ids = suspicion.flow_ids[-_EXAMPLES:]
    if not ids:
        return None
    text = f"For example {listed(list(ids))}: `sspr-audit flow ID` tells one"
    return Signal("examples", Kind.EXPLICIT, State.FIRED, text)
