"""A cohort that stands out: its people and flows, when it began, and what to report of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import egress, onset, scan
from sspr_audit.evidence.material import Material
from sspr_audit.evidence.scan import Standout
from sspr_audit.evidence.wording import several
from sspr_audit.model import Few, Kind, Scope, Signal, Suspicion

if TYPE_CHECKING:
    import pandas as pd

PEOPLE_OF: Final = "people of a place"
"""The dimension that follows people out of the place where they are seen most."""

_OF_CLIENT: Final = " and client"
"""Ends the name of a dimension whose cohorts are of a client, too."""

EVERYBODY: Final = 0.5
"""What is wrong for everybody stops at least so many: fewer are a part of them, not yet told."""

_MOST: Final = 0.8
_PURER: Final = 0.1
"""About the same flows: this part of them. A clearly greater share: by this much."""

_NAMED: Final = 2
"""A wider cohort names no place where fewer of its people hit."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A cohort in its span, as units: flows with whether they hit."""

    found: Standout
    own: pd.DataFrame
    """Everything of the cohort, in order of time."""
    outside: pd.DataFrame
    """Everything else in the tenant."""
    onset: onset.Onset
    dated: bool
    """Whether the onset stands out from chance and lies in or before the span."""

    @property
    def begin(self) -> datetime:
        """When it began, as well as is known."""
        return self.onset.begin if self.dated else self.found.start

    @property
    def inside(self) -> pd.DataFrame:
        """The cohort's units in the span, the first of each person."""
        return _between(self.own, self.found.start, self.found.end).drop_duplicates("person")

    @property
    def hits(self) -> pd.DataFrame:
        """Every unit of the cohort that hit since it began."""
        times = self.own["start_utc"]
        here = times.between(self.found.start, self.found.end)
        if self.dated:
            here = times >= self.onset.begin
        if self.dated and self.onset.ended is not None:
            here &= times <= self.onset.last
        return self.own[here & self.own["hit"]]

    @property
    def client(self) -> str:
        """The client, where the cohort is one of something and a client; else empty."""
        return str(self.own["client"].iloc[0]) if self.found.dimension.endswith(_OF_CLIENT) else ""

    @property
    def what(self) -> str:
        """The place, client or product, without the client of one that is of both.

        Whoever named it may have written a bar into the name, and into that of the client.
        """
        return self.found.cohort.removesuffix(f"|{self.client}" if self.client else "")

    @property
    def at(self) -> str:
        """Where or with what it is, to begin a sentence."""
        if self.found.dimension == "tenant":
            return "In the whole tenant"
        return f"{'At' if self.found.dimension.startswith('place') else 'With'} {self.name}"

    @property
    def name(self) -> str:
        """The cohort in words."""
        at = f" (client {self.client})" if self.client else ""
        match self.found.dimension:
            case "tenant":
                return "the whole tenant"
            case "place" | "place and client":
                return f"{self.what}{at}"
            case dimension if dimension == PEOPLE_OF:
                return f"{self.what}, wherever its people were"
            case dimension:
                return f"{dimension.removesuffix(_OF_CLIENT)} {self.what}{at}"


def _between(units: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    return units[units["start_utc"].between(start, end, inclusive="left")]


def dimensions(units: pd.DataFrame) -> dict[str, pd.Series[str]]:
    """Return the cohorts that every family looks at: place, client, both, the tenant."""
    import pandas as pd

    return {
        "tenant": pd.Series("tenant", units.index),
        "client": units["client"],
        "place": units["place"],
        "place and client": units["place"] + "|" + units["client"],
    }


def stretch(
    found: Standout, units: pd.DataFrame, cohorts: pd.Series[str], corroborates: float
) -> Stretch:
    """Return the cohort of `found` with its units and its beginning."""
    mine = cohorts.eq(found.cohort).fillna(value=False)
    own = units[mine]
    daily = own[~own.assign(day=own["start_utc"].dt.floor("D")).duplicated(["person", "day"])]
    begun = onset.dated(daily["start_utc"], daily["hit"])
    clear = begun.p <= corroborates and begun.last >= found.start and begun.begin < found.end
    return Stretch(found, own, units[~mine], begun, clear)


def stands_out(found: Standout, numbers: Mapping[str, float]) -> bool:
    """Say whether chance rarely shows as much, and whether it is enough to trouble people."""
    least = EVERYBODY if found.dimension in scan.WIDE else numbers["stands_out_share"]
    share = max(least, numbers["stands_out_times"] * found.usual)
    enough = found.people >= numbers["least_people"]
    return enough and found.p <= numbers["raises"] and found.share >= share


def suspicion(
    target: str, kind: Kind, one: Stretch, signals: Iterable[Signal], window_start: datetime
) -> Suspicion | None:
    """Return what to pass to judgement; None where nothing of it lies in the window."""
    hits = one.hits
    if hits.empty or hits["start_utc"].max() < window_start:
        return None
    return Suspicion(
        target=target,
        kind=kind,
        p=one.found.p,
        scope=_scope(one, hits),
        where=_where(one),
        users=int(hits["person"].nunique()),
        flows=len(hits),
        first_seen=hits["start_utc"].min().to_pydatetime(warn=False),
        last_seen=hits["start_utc"].max().to_pydatetime(warn=False),
        signals=tuple(signals),
        flow_ids=tuple(hits["flow_id"]),
        onset=one.onset.between if one.dated else None,
        over=one.dated and one.onset.ended is not None,
    )


def _where(one: Stretch) -> str:
    """Return the place or product that the cohort is of; the client stands in its scope."""
    dimension = one.found.dimension
    if dimension in scan.WIDE:
        return ""
    if dimension.startswith("place") or dimension == PEOPLE_OF:
        return egress.first(one.what)
    return f"{dimension.removesuffix(_OF_CLIENT)} {one.what}"


def _scope(one: Stretch, hits: pd.DataFrame) -> Scope:
    dimension, place, client = one.found.dimension, one.what, one.client
    if dimension.startswith("place"):
        named = hits["site"].notna().any()
        clients = (client,) if client else ()
        if named:
            return Scope(sites=(place,), clients=clients)
        return Scope(ips=tuple(sorted(hits["ip_group"].dropna().unique())), clients=clients)
    if dimension == PEOPLE_OF:
        there = one.own[one.own["place"].eq(place)]
        if there.empty or there["site"].notna().any():
            return Scope(sites=(place,))
        return Scope(ips=tuple(sorted(there["ip_group"].unique())))
    inside = one.inside
    # What follows people is told of where they work, not of a tunnel that some of them came by.
    base = inside["base"].where(inside["base"].isin(inside["site"])) if "base" in inside else None
    sites = _often(one, inside["site"] if base is None else base)
    ips = _often(one, inside["ip_group"].where(inside["site"].isna()))
    if dimension == "client":
        return Scope(sites=sites, ips=ips, clients=(place,))
    kind = dimension.removesuffix(_OF_CLIENT)
    devices = () if dimension == "tenant" else (f"{kind} {place}",)
    return Scope(sites=sites, ips=ips, clients=(client,) if client else (), devices=devices)


def _often(one: Stretch, places: pd.Series[str]) -> tuple[str, ...]:
    """Return the places where clearly more of its people hit than everywhere hit anyway."""
    at = one.inside.groupby(places)["hit"].agg(["sum", "mean"])
    named = (at["sum"] >= _NAMED) & (at["mean"] >= (one.found.share + one.found.usual) / 2)
    return tuple(sorted(at.index[named]))


def unexplained(found: Iterable[tuple[Suspicion, float]]) -> tuple[Suspicion, ...]:
    """Return the suspicions, surest first, without those whose flows are mostly in surer ones.

    Each comes with the share of its people who hit: of two that are about the same flows, the one
    with the clearly greater share describes them better, however sure the other is.
    """
    kept: list[tuple[Suspicion, float]] = []
    for one, share in sorted(found, key=_surest):
        mine = set(one.flow_ids)
        others = [set(other.flow_ids) for other, _ in kept]
        if 2 * len(mine.intersection(set().union(*others))) < len(mine):
            kept.append((one, share))
            continue
        for at, flows in enumerate(others):
            if len(mine & flows) >= _MOST * len(flows) and share >= kept[at][1] + _PURER:
                kept[at] = (one, share)
                break
    return tuple(one for one, _ in kept)


def _surest(pair: tuple[Suspicion, float]) -> tuple[object, ...]:
    one, share = pair
    return one.p, -share, -one.users, one.scope.sites, one.scope.ips, one.scope.clients


def too_few(
    target: str, found: Iterable[Standout], wanted: float, units: pd.DataFrame, material: Material
) -> tuple[Few, ...]:
    """Return the places where as many people again, or fewer, would decide: p would be `wanted`."""
    sites = set(units["site"].dropna())
    numbers = material.numbers
    few = []
    for one in found:
        if one.dimension != "place" or one.share < numbers["stands_out_share"]:
            continue
        if stands_out(one, numbers):
            continue
        more = scan.missing_people(one, numbers["least_people"], wanted)
        if more is not None:
            scope = Scope(sites=(one.cohort,)) if one.cohort in sites else Scope(ips=(one.cohort,))
            who = several(more, "who tries", "who try")
            needs = f"more people: {who} at {one.cohort} ({one.people:,} so far)"
            few.append(Few(target, scope, needs))
    return tuple(few)


def nobody(target: str, who: str, material: Material) -> Few:
    """Return that no cohort at all had people enough to be looked at."""
    least = int(material.numbers["least_people"])
    return Few(target, Scope(), f"more people: at least {least:,} {who}")


def against_rest(
    one: Stretch, hits: pd.Series[bool], units: pd.DataFrame, variation: float
) -> tuple[int, int, float, float]:
    """Return people who hit otherwise in the stretch, of how many, the share else, and p.

    `hits` says for `units` what else may have happened; everybody's first unit counts.
    """
    from sspr_audit.evidence import statistics

    inside = units.index.isin(one.own.index)
    here = _between(units[inside], one.found.start, one.found.end).drop_duplicates("person")
    rest = units[~inside].drop_duplicates("person")
    k, n = int(hits[here.index].sum()), len(here)
    m, total = int(hits[rest.index].sum()), len(rest)
    usual = (m + 0.5) / (total + 1)
    return k, n, usual, statistics.against(k, n, m, total, variation)
