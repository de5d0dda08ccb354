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
_OVERLAP: Final = 7
"""Spans lie over and inside of others: so many of them are as one look. If each is counted, what
chance shows once a week by that count shows in 1 clean week of 14 of simulated tenants; this leaves
half of it as a margin."""
_ASKED: Final = 30
"""Spans of which it is asked at most whether more than one place was hit."""
_ROOM: Final = timedelta(hours=36)
"""How far around a span its beginning and end are looked for."""
_SERVICE: Final = (
    *("aadsts-120008", "aadsts-120011", "aadsts-120020", "aadsts-120021"),
    *("short-async-job-state-terminated", "short-async-upn-inference-failed"),
)
"""Reasons that say no more than that the service failed."""


def tested(material: Material) -> tuple[Tested, Tested]:
    """Return when people failed in every place and client at once: in the window, and ever."""
    units = failures(material)
    if units["person"].nunique() < material.numbers["least_people"]:
        few = Few(TARGET, Scope(), "more people: any who reset")
        return Tested(Kind.TIME, 1, few=(few,)), Tested(Kind.TIME, 1)
    here = _Search(material, ordinary.ordinary(units, material))
    ever = here
    if material.baseline.start < material.window.start:
        longer = replace(material, window=material.baseline)
        ever = _Search(longer, ordinary.ordinary(units, longer))
    for length, once in _cuts(here.known):
        here.look(length, once)
        if ever is not here:
            ever.look(length, once)
    return here.tested(units), ever.tested(units)


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


def _cuts(known: Ordinary) -> Iterator[tuple[timedelta, pd.DataFrame]]:
    """Yield lengths of spans, with what became of each person in each; `bin` is a span's start."""
    import pandas as pd

    start = known.units["start_utc"]
    for hours in HOURS:
        for step in range(_STEPS):
            shift = pd.Timedelta(hours=hours * step / _STEPS)
            bins = (start - shift).dt.floor(f"{hours}h") + shift
            yield pd.Timedelta(hours=hours), known.once(bins)


class _Search:
    """The spans of a window in which people failed."""

    def __init__(self, material: Material, known: Ordinary) -> None:
        self.material, self.known = material, known
        self.looks = 0
        self.found: list[tuple[Span, pd.DataFrame]] = []
        """Spans with their people; p is of each span alone."""

    def look(self, length: timedelta, once: pd.DataFrame) -> None:
        """Look at all spans of one length that reach into the window and have enough people.

        People stand in order of time, and so those of a span one after another.
        """
        import numpy as np

        numbers = self.material.numbers
        once = once[once["bin"] + length > self.material.window.start]
        first = np.flatnonzero(~once["bin"].duplicated().to_numpy())
        n = np.diff(first, append=len(once))
        # Spans with too few people were not looked at, whatever became of them.
        enough = n >= numbers["least_people"]
        self.looks += int(enough.sum())
        k, e = (np.add.reduceat(once[name].to_numpy(float), first) for name in ("hit", "usual"))
        more = np.flatnonzero(enough & (k > e))
        for at, p in zip(more, self.known.p_of(k[more], n[more], e[more]), strict=True):
            if p <= numbers["raises"]:
                rows = once.iloc[first[at] : first[at] + n[at]]
                start = rows["bin"].iloc[0]
                span = Span(start, start + length, len(rows), int(k[at]), e[at] / n[at], float(p))
                self.found.append((span, rows))

    def tested(self, units: pd.DataFrame) -> Tested:
        """Return when people failed in more than one place: the surest spans, which do not touch.

        `units` are all people's flows.
        """
        looks = max(1.0, self.looks / _OVERLAP)
        surest = [(replace(span, p=span.p * looks), rows) for span, rows in self.found]
        raises = self.material.numbers["raises"]
        everywhere = self._everywhere([one for one in surest if one[0].p <= raises])
        raised = [_suspicion(span, units, self.known, self.material) for span in everywhere]
        return Tested(Kind.TIME, 1, tuple(one for one in raised if one))

    def _everywhere(self, found: Iterable[tuple[Span, pd.DataFrame]]) -> Iterator[Span]:
        """Yield the surest spans that do not touch and in which more than one place was hit.

        One place in trouble for long raises many spans: of each that is asked more is wanted than
        of those before, so that all together err as seldom as one.
        """
        kept: list[Span] = []
        asked = 0
        for span, rows in sorted(found, key=lambda one: _surest(one[0])):
            if asked >= _ASKED or any(_touch(span, other) for other in kept):
                continue
            asked += 1
            elsewhere = _elsewhere(rows, self.known, self.material) * asked * (asked + 1)
            if elsewhere <= self.material.numbers["corroborates"]:
                kept.append(span)
                yield replace(span, elsewhere=elsewhere)


def _elsewhere(rows: pd.DataFrame, known: Ordinary, material: Material) -> float:
    """Return the p without the place that is hit most; 1 if too few places or clients are hit."""
    hit = rows[rows["hit"]]
    every = max(NOT_ALONE, known.units["place"].nunique())
    if hit["place"].nunique() < min(material.numbers["incident_places"], every):
        return 1.0
    # The place, or the client, that is hit most must not be all of it.
    place, client = (rows[rows[name] != hit[name].mode().iloc[0]] for name in ("place", "client"))
    few = len(client) < material.numbers["least_people"]
    # A few with other clients are no proof either way: they must be hit as well.
    spared = client["hit"].mean() < rows["hit"].mean() / 2
    chance = known.p(client) > material.numbers["corroborates"]
    if len(client) >= NOT_ALONE and chance and (spared or not few):
        return 1.0
    return known.p(place)


def _touch(one: Span, other: Span) -> bool:
    return one.end >= other.start and one.start <= other.end


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
