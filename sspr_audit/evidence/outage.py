"""Signals about one stretch of hours in which people came to nothing: an incident, or a trouble.

Each takes the Outage and the material; its first line is what it tells the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import ordinary
from sspr_audit.evidence.material import NOT_ALONE
from sspr_audit.evidence.wording import counted, day, percent, several
from sspr_audit.model import Kind, Signal, State

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material
    from sspr_audit.evidence.ordinary import Ordinary

FOR: Final = ("failing-at-once", "everywhere")
AGAINST: Final = ("was-so-before", "went-on", "own-reasons", "one-method-only")
"""Signals that must have fired, and that must not, before nothing but an incident fits."""

_AROUND: Final = timedelta(days=3)
"""How far before and after it people must have been well."""
_INSTANT: Final = timedelta(microseconds=1)
_LONGEST: Final = timedelta(hours=24)
"""What lasts longer is a trouble of something, and no incident."""
_PART: Final = 0.5
"""The part of the surplus of those hours that makes the days around them alike."""
_SURE_PART: Final = 0.25
"""The same, where chance hardly ever makes as much."""
_METHOD: Final = (30, 40)
"""Stages at which a verification method was started, or one of several was completed."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of some hours in which far more people failed than usual."""

    start: pd.Timestamp
    end: pd.Timestamp
    people: int
    hits: int
    usual: float
    p: float
    """Corrected for all spans looked at."""
    elsewhere: float = 1.0
    """The same without the place that is hit most, over all spans that this was asked of."""

    @property
    def surplus(self) -> float:
        """The share of people who came to nothing beyond the usual."""
        return self.hits / self.people - self.usual


@dataclass(frozen=True, slots=True)
class Outage:
    """A span, as long as it lasted, and what was ordinary."""

    span: Span
    rows: pd.DataFrame
    """The units of the outage, in order of time."""
    units: pd.DataFrame
    """Those of the whole baseline."""
    known: Ordinary

    @property
    def start(self) -> datetime:
        """When its first unit began."""
        moment: datetime = self.rows["start_utc"].min()
        return moment

    @property
    def end(self) -> datetime:
        """When its last unit began."""
        moment: datetime = self.rows["start_utc"].max()
        return moment

    @property
    def once(self) -> pd.DataFrame:
        """What became of each person."""
        return self.known.between(self.start, self.end + _INSTANT)


def signals(one: Outage, material: Material) -> Iterator[Signal]:
    """Yield every signal that is looked for, whatever became of it."""
    yield failing_at_once(one)
    yield everywhere(one, material)
    yield was_so_before(one, material)
    yield went_on(one, material)
    yield own_reasons(one, material)
    yield one_method_only(one, material)


def failing_at_once(one: Outage) -> Signal:
    """Far more people than usual came to nothing, all within hours."""
    span, lasted = one.span, one.end - one.start
    hours = lasted.total_seconds() / 3600
    text = (
        f"From {day(span.start)} to {day(span.end)}, {span.hits} of"
        f" {counted(span.people)} came to nothing ({percent(span.hits / span.people)}; usual there"
        f" {percent(span.usual)}); it lasted {hours:.1f} h"
    )
    value = round(100 * span.hits / span.people)
    state = State.of(lasted <= _LONGEST)
    return Signal("failing-at-once", Kind.TIME, state, text, value, span.people, span.p)


def everywhere(one: Outage, material: Material) -> Signal:
    """Most places where people tried, and every client that is much used, were hit.

    And it is no chance without the place that is hit most: that one alone may be in trouble.
    """
    once = one.once
    hit = once[once["hit"]]
    places, of = hit["place"].nunique(), once["place"].nunique()
    used = one.known.units["client"].value_counts(normalize=True)
    often = used.index[used >= material.numbers["incident_client_share"]]
    spared = [client for client in often if _spared(once[once["client"] == client], one, material)]
    text = (
        f"It showed in {places} of {several(of, 'place')} where people tried, and with"
        f" {hit['client'].nunique()} of {several(once['client'].nunique(), 'client')}"
    )
    sure = material.spoils(one.span.elsewhere)
    text += "" if sure else "; but it is mostly at one place, and may be chance elsewhere"
    state = State.of(sure and 2 * places >= of and not spared)
    return Signal("everywhere", Kind.PEOPLE, state, text, places, int(hit["person"].nunique()))


def _spared(rows: pd.DataFrame, one: Outage, material: Material) -> bool:
    """Say whether most of these people got through, as they usually do."""
    most = len(rows) >= NOT_ALONE and 2 * rows["hit"].sum() < len(rows)
    return most and one.known.p(rows) > material.numbers["corroborates"]


def was_so_before(one: Outage, material: Material) -> Signal:
    """People came to nothing in the days before as well: a trouble of longer, not an hour."""
    name, before = "was-so-before", one.known.between(one.start - _AROUND, one.start)
    return _alike(name, Kind.STALLED, before, one, material, when="before")


def went_on(one: Outage, material: Material) -> Signal:
    """People came to nothing in the days after as well: it began then and is not over."""
    name, past = "went-on", one.end + _INSTANT
    after = one.known.between(past, past + _AROUND)
    # The hours themselves must not count as usual by then.
    after = after.assign(usual=one.span.usual)
    return _alike(name, Kind.STALLED, after, one, material, when="after")


def _alike(  # noqa: PLR0913 - what the days before and after are called and hold
    name: str, kind: Kind, rows: pd.DataFrame, one: Outage, material: Material, *, when: str
) -> Signal:
    """Return whether people beside the outage did as badly, without the place that did worst."""
    surplus = (rows["hit"] - rows["usual"]).groupby(rows["place"], observed=True).sum()
    if len(surplus) > NOT_ALONE:
        rows = rows[rows["place"] != surplus.idxmax()]
    people, hits = len(rows), int(rows["hit"].sum())
    share = percent(hits / people) if people else "nobody"
    text = f"In the three days {when}, {hits} of {counted(people)} came to nothing ({share})"
    if people < material.numbers["least_people"]:
        state, needs = State.FEW, f"more people in the three days {when}"
        return Signal(name, kind, state, text, hits, people, needs=needs)
    p, part = one.known.p(rows), (hits - rows["usual"].sum()) / people / one.span.surplus
    state = State.of(part >= _PART or (part >= _SURE_PART and material.spoils(p)))
    return Signal(name, kind, state, text, hits, people, p)


def own_reasons(one: Outage, material: Material) -> Signal:
    """Reasons of their own explain the failures of that time."""
    flows = material.flows
    flows = flows[flows["start_utc"].between(one.start, one.end)]
    hit = flows["flow_id"].isin(one.rows.loc[one.rows["hit"], "flow_id"])
    stated = flows["outcome"].isin(["failed", "blocked"]) & ~hit
    people = int(flows.loc[stated, "person"].nunique())
    failed = int(flows.loc[hit | stated, "person"].nunique())
    text = f"{people} of {counted(failed)} who failed in that time met a reason of their own"
    state = State.of(2 * people >= failed)
    return Signal("own-reasons", Kind.EXPLICIT, state, text, people, failed)


def one_method_only(one: Outage, material: Material) -> Signal:
    """Nearly all of it stopped at one verification method, or nothing stands out without it."""
    hits = one.rows[one.rows["hit"]].drop_duplicates("person")
    counts = hits.loc[hits["stage"].isin(_METHOD), "methods"].value_counts()
    people = int(counts.iloc[0]) if len(counts) else 0
    text = f"{people} of {counted(len(hits))} stopped at the same verification method"
    only = people >= material.numbers["common_share"] * len(hits)
    p = None
    if people and not only:
        method = str(counts.index[0])
        p = _without(one, method, material)
        only = p > material.numbers["corroborates"]
        text += f"; without {method}, " + ("it does not stand out" if only else "it stands out too")
    return Signal("one-method-only", Kind.STALLED, State.of(only), text, people, len(hits), p)


def _without(one: Outage, method: str, material: Material) -> float:
    """Return how often chance makes as much among the flows that did not use a method."""
    units = one.units
    rest = units[~units["methods"].fillna("").str.contains(method, regex=False)]
    known = ordinary.ordinary(rest, material)
    return known.p(known.between(one.start, one.end + _INSTANT))
