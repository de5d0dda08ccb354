"""Everything, everywhere, at once: an incident of the service, and the flows that lie in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import absent, onset, scan, statistics
from sspr_audit.evidence.material import Material
from sspr_audit.evidence.wording import counted, day, percent, several
from sspr_audit.model import Few, Kind, Scope, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

TARGET: Final = "service-incident"

HOURS: Final = (1, 2, 4, 8, 24)
"""Lengths of the spans that are looked at; each begins at every half of its length."""
_BEFORE: Final = timedelta(days=3)
"""How far back its places must have been well."""
_ROOM: Final = timedelta(hours=36)
"""How far around a span its beginning and end are looked for."""
_SERVICE: Final = (
    *("aadsts-120008", "aadsts-120011", "aadsts-120020", "aadsts-120021"),
    *("short-async-job-state-terminated", "short-async-upn-inference-failed"),
)
"""Reasons that say no more than that the service failed."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of some hours in which far more people failed than usual."""

    start: pd.Timestamp
    end: pd.Timestamp
    people: int
    hits: int
    usual: float
    p: float
    """Corrected for all spans looked at."""


def tested(material: Material) -> Tested:
    """Return when people failed in every place and client at once."""
    units = failures(material)
    if units["person"].nunique() < material.numbers["least_people"]:
        few = Few(TARGET, Scope(), "more people: any who reset")
        return Tested(Kind.TIME, 1, few=(few,))
    found = _apart(_spans(units, material))
    raised = [_suspicion(one, units, material) for one in found]
    return Tested(Kind.TIME, 1, tuple(one for one in raised if one))


def failures(material: Material) -> pd.DataFrame:
    """Return every ended flow as a unit that hits if it came to nothing and no reason says why."""
    flows = material.flows
    flows = flows[flows["outcome"].ne("open") & flows["person"].notna()]
    nothing = flows["outcome"].eq("abandoned") | (
        flows["outcome"].eq("failed")
        & (flows["reason_key"].isna() | flows["reason_key"].isin(_SERVICE))
    )
    return flows.assign(hit=nothing)


def during(material: Material, incidents: Iterable[Suspicion]) -> pd.Series[str]:
    """Return the id of every flow that began in an incident, whatever became of it."""
    import pandas as pd

    flows = material.flows
    inside = pd.Series(data=False, index=flows.index)
    for one in incidents:
        inside |= flows["start_utc"].between(one.first_seen, one.last_seen)
    return flows.loc[inside, "flow_id"]


def _spans(units: pd.DataFrame, material: Material) -> Iterator[_Span]:
    """Yield the spans in which people failed everywhere, with p over all that were looked at."""
    import pandas as pd

    window = material.window
    inside = units[units["start_utc"] < window.end]
    overall = (inside["hit"].sum() + 0.5) / (len(inside) + 1)
    table = inside.groupby("stratum")["hit"].agg(["sum", "size"])
    share = (table["sum"] + scan.SHRINK * overall) / (table["size"] + scan.SHRINK)
    units = inside.assign(usual=inside["stratum"].map(share))
    past = inside[inside["start_utc"] < window.start]  # what is looked for must not blur the usual
    daily = past.groupby(past["start_utc"].dt.floor("D"))["hit"].agg(["sum", "size"])
    alike = absent.how_alike(daily["sum"], daily["size"], material)
    recent = units[units["start_utc"] >= window.start - max(HOURS) * timedelta(hours=1)]
    cut = [
        (hours, hours * part, *_cut(recent, hours, hours * part, material))
        for hours in HOURS
        for part in (0.0, 0.5)
    ]
    # Spans with too few people were not looked at, whatever became of them.
    looks = sum(len(sums) for *_, sums in cut)
    rough_of = [_p(sums["k"], sums["n"], sums["e"], alike) * looks for *_, sums in cut]
    # One place in trouble for long raises many spans; that others are hit too is asked of each.
    asked = sum(int((rough <= material.numbers["raises"]).sum()) for rough in rough_of)
    for (hours, shift, once, sums), rough in zip(cut, rough_of, strict=True):
        off = pd.Timedelta(hours=shift)
        for start in sums.index[rough <= material.numbers["raises"]]:
            rows = once[once["bin"] == start]
            p, one = float(rough[start]), sums.loc[start]
            n, k = int(one["n"]), int(one["k"])
            if _everywhere(rows, units, material, alike) * asked <= material.numbers["spoils"]:
                end = start + off + pd.Timedelta(hours=hours)
                yield _Span(start + off, end, n, k, one["e"] / n, p)


def _cut(
    units: pd.DataFrame, hours: int, shift: float, material: Material
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the first unit of each person in each span of this length, and the sums of spans.

    Only spans with enough people are summed.
    """
    import pandas as pd

    bins = (units["start_utc"] - pd.Timedelta(hours=shift)).dt.floor(f"{hours}h")
    once = units.assign(bin=bins).drop_duplicates(["bin", "person"])
    by_bin = once.groupby("bin")
    sums = pd.DataFrame({"n": by_bin.size(), "k": by_bin["hit"].sum(), "e": by_bin["usual"].sum()})
    return once, sums[sums["n"] >= material.numbers["least_people"]]


def _p(
    k: pd.Series[float], n: pd.Series[float], expected: pd.Series[float], alike: float
) -> pd.Series[float]:
    import pandas as pd

    share = expected / n.clip(lower=1)
    p = statistics.betabinomial_upper(k, n, share * alike, (1 - share) * alike)
    return pd.Series(p, n.index)


def _everywhere(rows: pd.DataFrame, units: pd.DataFrame, material: Material, alike: float) -> float:
    """Return the p without the place that is hit most; 1 if too few places or clients are hit."""
    import pandas as pd

    hit = rows[rows["hit"]]
    places = hit["place"].nunique()
    if places < min(material.numbers["incident_places"], max(2, units["place"].nunique())):
        return 1.0
    used = units["client"].value_counts(normalize=True)
    clients = used.index[used >= material.numbers["incident_client_share"]]
    # The place, or the client, that is hit most must not be all of it.
    parts = [rows[rows[name] != hit[name].mode().iloc[0]] for name in ("place", "client")]
    sums = pd.DataFrame(
        [(part["hit"].sum(), len(part), part["usual"].sum()) for part in parts],
        columns=["k", "n", "e"],
    ).astype(float)
    place, client = _p(sums["k"], sums["n"], sums["e"], alike)
    if len(clients) > 1 and client > material.numbers["corroborates"]:
        return 1.0
    return float(place)


def _apart(found: Iterable[_Span]) -> list[_Span]:
    """Return the surest spans that do not touch one another."""
    kept: list[_Span] = []
    for one in sorted(found, key=lambda one: (one.p, one.end - one.start, one.start)):
        if all(one.end < other.start or one.start > other.end for other in kept):
            kept.append(one)
    return kept


def _suspicion(one: _Span, units: pd.DataFrame, material: Material) -> Suspicion | None:
    near = units["start_utc"].between(one.start - _ROOM, one.end + _ROOM)
    around = units[near]
    hour = around["start_utc"].dt.floor("h")
    around = around[~around.assign(hour=hour).duplicated(["person", "hour"])]
    begun = onset.dated(around["start_utc"], around["hit"])
    clear = (
        begun.p <= material.numbers["raises"] and begun.last >= one.start and begun.begin < one.end
    )
    start, end = (begun.begin, begun.last) if clear else (one.start, one.end)
    rows = units[units["start_utc"].between(start, end)]
    hits = rows[rows["hit"]]
    if hits.empty or hits["start_utc"].max() < material.window.start:
        return None
    signals = (
        failing_at_once(one, rows),
        everywhere(rows, units),
        onset.sudden(begun, material.numbers["corroborates"]),
        was_so_before(one, rows, units, material),
        own_reasons(rows),
        one_method_only(rows, material.numbers["common_share"]),
    )
    return Suspicion(
        target=TARGET,
        kind=Kind.TIME,
        p=min(1.0, one.p),
        scope=Scope(),
        users=int(hits["person"].nunique()),
        flows=len(hits),
        first_seen=hits["start_utc"].min().to_pydatetime(warn=False),
        last_seen=hits["start_utc"].max().to_pydatetime(warn=False),
        signals=signals,
        flow_ids=tuple(hits["flow_id"]),
        onset=begun.between if clear else None,
        over=clear and begun.ended is not None,
    )


def failing_at_once(one: _Span, rows: pd.DataFrame) -> Signal:
    """Far more people than usual came to nothing, all within hours."""
    hours = (rows["start_utc"].max() - rows["start_utc"].min()).total_seconds() / 3600
    text = (
        f"From {day(one.start)} to {day(one.end)}, {one.hits} of"
        f" {counted(one.people)} came to nothing ({percent(one.hits / one.people)}; usual"
        f" {percent(one.usual)}); it lasted {hours:.1f} h"
    )
    value = round(100 * one.hits / one.people)
    return Signal("failing-at-once", Kind.TIME, State.FIRED, text, value, one.people, one.p)


def everywhere(rows: pd.DataFrame, units: pd.DataFrame) -> Signal:
    """It showed in several places and clients that share nothing else."""
    hits = rows[rows["hit"]]
    places, clients = hits["place"].nunique(), hits["client"].nunique()
    used = several(units["client"].nunique(), "client")
    text = f"It showed in {several(places, 'place')} and with {clients} of {used}"
    people = int(hits["person"].nunique())
    return Signal("everywhere", Kind.PEOPLE, State.FIRED, text, places, people)


def was_so_before(
    one: _Span, rows: pd.DataFrame, units: pd.DataFrame, material: Material
) -> Signal:
    """People came to nothing there in the days before as well: a trouble of places, not an hour."""
    start = rows["start_utc"].min()
    days = units["start_utc"].between(start - _BEFORE, start, inclusive="left")
    before = units[days & units["place"].isin(rows.loc[rows["hit"], "place"])]
    before = before.drop_duplicates("person")
    people, hits = len(before), int(before["hit"].sum())
    p = float(statistics.binomial_upper(hits, people, one.usual)) if people else 1.0
    lasting = people > 0 and hits / people >= one.hits / one.people / 2
    state = State.of(lasting or material.spoils(p))
    share = percent(hits / people) if people else "nobody"
    text = f"In the three days before, {hits} of {people} people there came to nothing ({share})"
    return Signal("was-so-before", Kind.STALLED, state, text, hits, people, p)


def own_reasons(rows: pd.DataFrame) -> Signal:
    """Reasons of their own explain the failures of that time."""
    stated = rows["outcome"].isin(["failed", "blocked"]) & ~rows["hit"]
    people = int(rows.loc[stated, "person"].nunique())
    failed = int(rows.loc[rows["hit"] | stated, "person"].nunique())
    text = f"{people} of {counted(failed)} who failed in that time met a reason of their own"
    state = State.of(2 * people >= failed)
    return Signal("own-reasons", Kind.EXPLICIT, state, text, people, failed)


def one_method_only(rows: pd.DataFrame, most: float) -> Signal:
    """Nearly all of it stopped at one verification method."""
    hits = rows[rows["hit"]].drop_duplicates("person")
    at_gate = hits[hits["stage"].isin([30, 40])]
    counts = at_gate["methods"].value_counts()
    people = int(counts.iloc[0]) if len(counts) else 0
    text = f"{people} of {counted(len(hits))} stopped at the same verification method"
    state = State.of(people >= most * len(hits))
    return Signal("one-method-only", Kind.STALLED, state, text, people, len(hits))
