"""What somebody could tell from the log who knew where, when and whom a planted cause strikes.

Nobody who has to find that out can tell more by the same comparison, so this is what a report is
held against: Fisher's exact test of the people it strikes beside everybody else, each counted once
by their first attempt; and where it is one place that differs, no habit of a place may do as much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from .model import Attempt

Is = Callable[[Attempt], bool]

RATE: Final = 0.005
"""How often all tests of one report together may err."""
TESTS: Final = 50
"""Places, clients, methods and kinds of device that a report on a tenant of some sites tests."""
HOURS: Final = 168
"""Hours of a week: what is over within hours may have begun in any of them."""
SECOND: Final = 0.05
"""How often a second sign, beside one that is sure, may be chance."""
FEW: Final = 5
"""Fewer people than these are told one by one; no share of them is one."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do differs by place, and so tells of a place what is usual there."""

    here: Is
    """Whether an attempt tells of the habits of this place: those of its people, in its past."""
    unlike: float
    """How places differ: deviation of log odds."""


def lacks(  # noqa: PLR0913 - what is held against what, and how strictly
    log: Iterable[Attempt],
    mine: Is,
    hits: Is,
    *,
    week: int,
    tests: int = TESTS,
    habits: Habits | None = None,
) -> str:
    """Say why the log cannot show that those who are `mine` hit more often; "" where it can.

    `week` is when the week began that is reported: what hit nobody since is nothing to report.
    """
    attempts = sorted(log, key=lambda one: one.at)
    if not any(one.at >= week and mine(one) and hits(one) for one in attempts):
        return "it shows in nobody in the week that is reported"
    (hit, of), (other, among) = (
        _people([one for one in attempts if mine(one) is inside], hits) for inside in (True, False)
    )
    if hit < FEW:
        return f"it shows in {hit} people"
    found = chance(hit, of, other, among)
    if habits:
        past, elsewhere = (
            _people([one for one in attempts if not mine(one) and habits.here(one) is inside], hits)
            for inside in (True, False)
        )
        found = max(found, by_habit(hit, of, past, elsewhere, habits.unlike))
    if found > RATE / tests:
        return f"chance alone shows it in as many people {found:.0e} of the time"
    return ""


def only_at(log: Iterable[Attempt], mine: Is, hits: Is, where: Callable[[Attempt], str]) -> str:
    """Say why the log cannot show that it hit more than one place; "" where it can.

    Without the place where most were hit, the others must have hit more often, too.
    """
    attempts = sorted(log, key=lambda one: one.at)
    hit_at = Counter(where(one) for one in attempts if mine(one) and hits(one))
    worst = max(hit_at, key=lambda place: hit_at[place])
    rest = [one for one in attempts if where(one) != worst]
    (hit, of), (other, among) = (
        _people([one for one in rest if mine(one) is inside], hits) for inside in (True, False)
    )
    found = chance(hit, of, other, among)
    return f"but for one place, chance shows it {found:.0e} of the time" if found > SECOND else ""


def _people(attempts: Iterable[Attempt], hits: Is) -> tuple[int, int]:
    """Return how many people hit by their first attempt, and how many there are."""
    first: dict[str, bool] = {}
    for one in attempts:
        first.setdefault(one.human.upn, hits(one))
    return sum(first.values()), len(first)


def by_habit(
    hit: int, of: int, past: tuple[int, int], elsewhere: tuple[int, int], unlike: float
) -> float:
    """Return how often the habit of a place makes at least so many hit, given its `past`."""
    other, among = elsewhere
    share = (other + 0.5) / (among + 1)
    size = 1 / (1 / (among + 1) + unlike**2 * share * (1 - share))
    a, b = share * size + past[0], (1 - share) * size + past[1] - past[0]

    def beta(one: float, two: float) -> float:
        return math.lgamma(one) + math.lgamma(two) - math.lgamma(one + two)

    def exactly(k: int) -> float:
        ways = -beta(k + 1, of - k + 1) - math.log(of + 1)
        return math.exp(ways + beta(k + a, of - k + b) - beta(a, b))

    return sum(map(exactly, range(hit, of + 1)))


def chance(hit: int, of: int, other: int, among: int) -> float:
    """Return how often chance puts at least `hit` of all who hit among these, not the others."""
    every, total = of + among, hit + other
    ways = math.comb(every, total)
    more = range(hit, min(of, total) + 1)
    return sum(math.comb(of, one) * math.comb(among, total - one) / ways for one in more)
