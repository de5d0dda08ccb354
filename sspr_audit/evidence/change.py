"""Whether a change in the tenant helped: people before and after it, by site and by client.

A person counts once a side and place, by the last flow there that had an end. Sides are compared
as if nobody stood on both; who does makes them more alike, so a verdict is rather too late than
too soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import proportions
from sspr_audit.evidence.material import SCREENS
from sspr_audit.model import Change, Comparison, Lack, Share, Verdict, Window

if TYPE_CHECKING:
    import pandas as pd

WEEKENDS: Final = 0.1
"""From which difference in their share of weekend the sides are compared on working days too."""

_MONDAY_TO_FRIDAY: Final = 5
_NEEDED: Final = ["flow_id", "person", "start_utc", "outcome", "client", "site"]


def measured(flows: pd.DataFrame, *, at: datetime, first: datetime, end: datetime) -> Change:
    """Return what changed at `at`, with first < at < end, in UTC.

    `flows` has the columns of FLOWS. The span before is as long as the one after, unless the data
    begin later than that, at `first`.
    """
    after = Window(at, end)
    begin = at - (end - at)
    before = Window(max(first, begin), at)
    grows = first < begin
    ended = _ended(flows, Window(before.start, end), at)
    known = ended[ended["person"].notna()]
    seen = bool(known["at_screen"].any())
    by_site = _pairs(known, "site", "good")
    by_client = _pairs(known, "client", "good")
    at_screen = _pairs(known, "site", "at_screen") if seen else ()
    places = _judged((*by_site, *by_client, *at_screen), grows=grows)
    cut = len(by_site), len(by_site) + len(by_client)
    weekends = _weekend(before), _weekend(after)
    uneven = abs(weekends[0] - weekends[1]) > WEEKENDS
    return Change(
        at=at,
        before=before,
        after=after,
        total=_in_all(known, grows=grows),
        by_site=places[: cut[0]],
        by_client=places[cut[0] : cut[1]],
        at_signin_screen=places[cut[1] :],
        tested=sum(one.p is not None for one in places),
        weekend_before=weekends[0],
        weekend_after=weekends[1],
        on_weekdays=_in_all(known[known["is_weekday"]], grows=grows) if uneven else None,
        nobody=len(ended) - len(known),
    )


def _ended(flows: pd.DataFrame, window: Window, at: datetime) -> pd.DataFrame:
    """Return the flows of both sides that have an end, oldest first, with what is counted."""
    here = flows[_NEEDED]
    here = here[(here["start_utc"] >= window.start) & (here["start_utc"] < window.end)]
    here = here[here["outcome"].ne("open")].sort_values(["start_utc", "flow_id"])
    return here.assign(
        after=here["start_utc"] >= at,
        good=here["outcome"].eq("succeeded"),
        at_screen=here["client"].isin(SCREENS),
        is_weekday=here["start_utc"].dt.day_of_week < _MONDAY_TO_FRIDAY,
    )


def _in_all(flows: pd.DataFrame, *, grows: bool) -> Comparison:
    """Return the comparison of everybody, which stands alone and needs no correction."""
    pairs = _pairs(flows.assign(everywhere=None), "everywhere", "good")
    return _judged(pairs or (pair(None, (0, 0), (0, 0)),), grows=grows)[0]


def ended_well(flows: pd.DataFrame, before: Window, after: Window) -> Comparison:
    """Return everybody's comparison of two spans that touch: whose last flow there ended well."""
    ended = _ended(flows, Window(before.start, after.end), after.start)
    return _in_all(ended[ended["person"].notna()], grows=False)


def _pairs(flows: pd.DataFrame, place: str, hit: str) -> tuple[Comparison, ...]:
    """Return both sides of each place, not judged yet; most people first, then by name."""
    last = flows.drop_duplicates([place, "after", "person"], keep="last")
    counted = last.groupby([place, "after"], dropna=False, sort=False)[hit].agg(["sum", "size"])
    sides: dict[str | None, dict[bool, tuple[int, int]]] = {}
    for (name, is_after), hits, people in counted.itertuples(name=None):
        known = name if isinstance(name, str) else None
        sides.setdefault(known, {})[bool(is_after)] = (int(hits), int(people))
    pairs = [
        pair(name, *(found.get(side, (0, 0)) for side in (False, True)))
        for name, found in sides.items()
    ]
    return tuple(
        sorted(
            pairs,
            key=lambda one: (-one.before.people - one.after.people, one.name is None, one.name),
        )
    )


def pair(name: str | None, first: tuple[int, int], second: tuple[int, int]) -> Comparison:
    """Return both sides, each a count of so many people, with their difference; not judged yet."""
    before, after = _share(*first), _share(*second)
    both = Comparison(name, before, after)
    if not (before.people and after.people):
        return both
    low, high = proportions.newcombe(before.count, before.people, after.count, after.people)
    difference = after.count / after.people - before.count / before.people
    return replace(both, difference=difference, low=low, high=high)


def _share(count: int, people: int) -> Share:
    low, high = proportions.wilson(count, people)
    return Share(count, people, count / people if people else None, low, high)


def _judged(pairs: Sequence[Comparison], *, grows: bool) -> tuple[Comparison, ...]:
    """Return the pairs with their verdicts."""
    chances = corrected(pairs)
    tests = max(1, sum(one is not None for one in chances))
    return tuple(
        _told(one, chance, tests=tests, grows=grows)
        for one, chance in zip(pairs, chances, strict=True)
    )


def corrected(pairs: Sequence[Comparison]) -> list[float | None]:
    """Return Fisher's p of each pair, corrected for how many could have had one by chance.

    None where no number of hits could show a difference: a place too small to show any cannot
    mislead, and is not corrected for.
    """
    chances = {}
    for place, one in enumerate(pairs):
        if one.difference is not None:
            sides = one.before.count, one.before.people, one.after.count, one.after.people
            chance, least = proportions.fisher(*sides)
            if least <= proportions.ALPHA:
                chances[place] = chance
    adjusted = dict(zip(chances, proportions.holm([*chances.values()]), strict=True))
    return [adjusted.get(place) for place in range(len(pairs))]


def _told(one: Comparison, chance: float | None, *, tests: int, grows: bool) -> Comparison:
    if chance is not None and chance <= proportions.ALPHA and one.difference:
        verdict = Verdict.BETTER if one.difference > 0 else Verdict.WORSE
        return replace(one, p=chance, verdict=verdict, lacks=None)
    lacks, more = _lack(one, tests=tests, grows=grows)
    return replace(one, p=chance, lacks=lacks, needed=more)


def _lack(one: Comparison, *, tests: int, grows: bool) -> tuple[Lack, int | None]:
    """Return what is missing to tell, and how many people where it is people after the change."""
    margin = proportions.MARGIN
    if one.low is not None and one.high is not None and -margin < one.low <= one.high < margin:
        return Lack.DIFFERENCE, None
    sides = (one.before.count, one.before.people), (one.after.count, one.after.people)
    more = proportions.needed(*sides, tests=tests, grows=grows)
    return (Lack.PEOPLE_BEFORE, None) if more is None else (Lack.PEOPLE_AFTER, more)


def _weekend(window: Window) -> float:
    """Return the share of the span that is Saturday or Sunday, UTC."""
    free, start = timedelta(0), window.start
    while start < window.end:
        midnight = datetime.combine(start.date() + timedelta(days=1), time(), UTC)
        end = min(midnight, window.end)
        if start.weekday() >= _MONDAY_TO_FRIDAY:
            free += end - start
        start = end
    return free / (window.end - window.start)
