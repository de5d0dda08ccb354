"""Everything, everywhere, at once: an incident of the service, and the flows that lie in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import onset, ordinary, outage
from sspr_audit.evidence.material import NOT_ALONE, Material
from sspr_audit.evidence.ordinary import Ordinary
from sspr_audit.evidence.outage import Outage, Span
from sspr_audit.model import Few, Kind, Scope, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

TARGET: Final = "service-incident"

HOURS: Final = (1, 2, 3, 4, 6, 12, 24)
"""Lengths of the spans that are looked at; few people tell only where a span fits closely."""
_STEPS: Final = 3
"""Each begins at every such part of its length."""
_ROOM: Final = timedelta(hours=36)
"""How far around a span its beginning and end are looked for."""
_SERVICE: Final = (
    *("aadsts-120008", "aadsts-120011", "aadsts-120020", "aadsts-120021"),
    *("short-async-job-state-terminated", "short-async-upn-inference-failed"),
)
"""Reasons that say no more than that the service failed."""


def tested(material: Material) -> Tested:
    """Return when people failed in every place and client at once."""
    units = failures(material)
    if units["person"].nunique() < material.numbers["least_people"]:
        few = Few(TARGET, Scope(), "more people: any who reset")
        return Tested(Kind.TIME, 1, few=(few,))
    units = units[units["start_utc"] < material.window.end]
    known = ordinary.ordinary(units, material)
    raised = [_suspicion(one, units, known, material) for one in _spans(known, material)]
    return Tested(Kind.TIME, 1, tuple(one for one in raised if one))


def failures(material: Material) -> pd.DataFrame:
    """Return the ended flows as units that hit if they came to nothing and no reason says why.

    What failed for a reason of its own tells nothing of whether the service worked.
    """
    flows = material.flows
    flows = flows[flows["outcome"].ne("open") & flows["person"].notna()]
    nothing = flows["outcome"].eq("abandoned") | (
        flows["outcome"].eq("failed")
        & (flows["reason_key"].isna() | flows["reason_key"].isin(_SERVICE))
    )
    stated = flows["outcome"].isin(["failed", "blocked"]) & ~nothing
    return flows.assign(hit=nothing)[~stated]


def undoubted(one: Suspicion) -> bool:
    """Say whether it was everywhere for some hours, and nothing speaks against an incident.

    The first hours of a trouble that lasts must not be left out of the search for it.
    """
    states = {signal.id: signal.state for signal in one.signals}
    shown = all(states[name] is State.FIRED for name in outage.FOR)
    return shown and all(states[name] is not State.FIRED for name in outage.AGAINST)


def during(material: Material, incidents: Iterable[Suspicion]) -> pd.Series[str]:
    """Return the id of every flow that began in an incident, whatever became of it."""
    import pandas as pd

    flows = material.flows
    inside = pd.Series(data=False, index=flows.index)
    for one in incidents:
        inside |= flows["start_utc"].between(one.first_seen, one.last_seen)
    return flows.loc[inside, "flow_id"]


def _spans(known: Ordinary, material: Material) -> Iterator[Span]:
    """Yield the surest spans in which people failed in more than one place; they do not touch."""
    import pandas as pd

    numbers = material.numbers
    cut = [
        (hours, shift, *_cut(known, hours, shift, material))
        for hours in HOURS
        for shift in (hours * step / _STEPS for step in range(_STEPS))
    ]
    # Spans with too few people were not looked at, whatever became of them.
    looks = sum(len(sums) for *_, sums in cut)
    found = []
    for hours, shift, once, sums in cut:
        rough = known.p_of(sums["k"], sums["n"], sums["e"]) * looks
        for at, p in enumerate(rough):
            if p > numbers["raises"]:
                continue
            start, one = sums.index[at] + pd.Timedelta(hours=shift), sums.iloc[at]
            n, k, end = int(one["n"]), int(one["k"]), start + pd.Timedelta(hours=hours)
            found.append((Span(start, end, n, k, one["e"] / n, float(p)), once))
    # One place in trouble for long raises many spans; that others are hit too is asked of each.
    asked = _apart(found)
    for span, once in asked:
        rows = once[once["start_utc"].between(span.start, span.end, inclusive="left")]
        elsewhere = _elsewhere(rows, known, material) * len(asked)
        if elsewhere <= numbers["corroborates"]:
            yield replace(span, elsewhere=elsewhere)


def _cut(
    known: Ordinary, hours: int, shift: float, material: Material
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what became of each person in each span of this length, and the sums of spans.

    Only spans with enough people that reach into the window are summed.
    """
    import pandas as pd

    off, length = pd.Timedelta(hours=shift), pd.Timedelta(hours=hours)
    once = known.once((known.units["start_utc"] - off).dt.floor(f"{hours}h"))
    once = once[once["bin"] + off + length > material.window.start]
    by_bin = once.groupby("bin")
    sums = pd.DataFrame({"n": by_bin.size(), "k": by_bin["hit"].sum(), "e": by_bin["usual"].sum()})
    return once, sums[sums["n"] >= material.numbers["least_people"]]


def _elsewhere(rows: pd.DataFrame, known: Ordinary, material: Material) -> float:
    """Return the p without the place that is hit most; 1 if too few places or clients are hit."""
    hit = rows[rows["hit"]]
    every = max(NOT_ALONE, known.units["place"].nunique())
    if hit["place"].nunique() < min(material.numbers["incident_places"], every):
        return 1.0
    # The place, or the client, that is hit most must not be all of it.
    place, client = (rows[rows[name] != hit[name].mode().iloc[0]] for name in ("place", "client"))
    if len(client) >= NOT_ALONE and known.p(client) > material.numbers["corroborates"]:
        return 1.0
    return known.p(place)


def _apart(
    found: Iterable[tuple[Span, pd.DataFrame]],
) -> list[tuple[Span, pd.DataFrame]]:
    """Return the surest spans that do not touch one another, with what they come with."""
    kept: list[tuple[Span, pd.DataFrame]] = []
    for one, once in sorted(found, key=lambda each: _surest(each[0])):
        if all(one.end < other.start or one.start > other.end for other, _ in kept):
            kept.append((one, once))
    return kept


def _surest(one: Span) -> tuple[object, ...]:
    return one.p, one.end - one.start, one.start


def _suspicion(
    span: Span, units: pd.DataFrame, known: Ordinary, material: Material
) -> Suspicion | None:
    near = units["start_utc"].between(span.start - _ROOM, span.end + _ROOM)
    around = units[near]
    hour = around["start_utc"].dt.floor("h")
    around = around[~around.assign(hour=hour).duplicated(["person", "hour"], "last")]
    begun = onset.dated(around["start_utc"], around["hit"])
    clear = begun.p <= material.numbers["raises"]
    clear &= begun.last >= span.start and begun.begin < span.end
    start, end = (begun.begin, begun.last) if clear else (span.start, span.end)
    rows = units[units["start_utc"].between(start, end)]
    hits = rows[rows["hit"]]
    if hits.empty or hits["start_utc"].max() < material.window.start:
        return None
    over = clear and begun.ended is not None
    told = tuple(outage.signals(Outage(span, rows, units, known), material))
    return Suspicion(
        target=TARGET,
        kind=Kind.TIME,
        p=min(1.0, span.p),
        scope=Scope(),
        users=int(hits["person"].nunique()),
        flows=len(hits),
        first_seen=hits["start_utc"].min().to_pydatetime(warn=False),
        last_seen=hits["start_utc"].max().to_pydatetime(warn=False),
        signals=(
            *told,
            onset.sudden(begun, material.numbers["corroborates"]),
        ),
        flow_ids=tuple(hits["flow_id"]),
        onset=begun.between if clear else None,
        over=over,
    )
