"""Two shares of people beside each other: test, intervals, and how many more people would tell.

Plain arithmetic: Fisher's test decides, intervals are Wilson's score interval for one share, and
Newcombe's, which is made of two of them, for a difference (R. G. Newcombe, Interval estimation for
the difference between independent proportions, 1998, method 10).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

ALPHA: Final = 0.05
"""How often chance alone may make a difference; intervals hold 1 less this."""
POWER: Final = 0.8
"""How often the people who are said to be needed would show the difference."""
MARGIN: Final = 0.1
"""The smallest difference of two shares that is worth waiting for."""
MOST: Final = 100_000
"""People; what needs more than these is not worth waiting for."""

_SLACK: Final = 1e-7
"""Of logarithms: tables as rare as each other differ by less, for no number here is exact."""


def wilson(hits: int, of: int, *, alpha: float = ALPHA) -> tuple[float, float]:
    """Return the score interval of a share; all from 0 to 1 where there is nobody."""
    if not of:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf(1 - alpha / 2) ** 2
    middle = (hits + z2 / 2) / (of + z2)
    half = math.sqrt(z2 * (hits * (of - hits) / of + z2 / 4)) / (of + z2)
    return (
        0.0 if hits == 0 else max(0.0, middle - half),
        1.0 if hits == of else min(1.0, middle + half),
    )


def newcombe(
    hits: int, of: int, later: int, later_of: int, *, alpha: float = ALPHA
) -> tuple[float, float]:
    """Return the interval of the later share less the first; neither side may be empty."""
    first, second = hits / of, later / later_of
    low, high = wilson(hits, of, alpha=alpha)
    later_low, later_high = wilson(later, later_of, alpha=alpha)
    return (
        second - first - math.hypot(second - later_low, high - first),
        second - first + math.hypot(later_high - second, first - low),
    )


def fisher(hits: int, of: int, later: int, later_of: int) -> tuple[float, float]:
    """Return Fisher's p that the two shares are one, and the least p that so many hits can give.

    Two-sided: the chance of every table that is no more likely than this one.
    """
    total, everybody = hits + later, of + later_of
    lowest, highest = max(0, total - later_of), min(total, of)
    logs = [_weight(one, total, of, everybody) for one in range(lowest, highest + 1)]
    peak = max(logs)
    whole = math.fsum(math.exp(one - peak) for one in logs)

    def chance(bound: float) -> float:
        rare = (math.exp(one - peak) for one in logs if one <= bound + _SLACK)
        return min(1.0, math.fsum(rare) / whole)

    return chance(logs[hits - lowest]), chance(min(logs[0], logs[-1]))


def _weight(hits: int, total: int, of: int, everybody: int) -> float:
    """Return the logarithm of how likely the table is, but for what all of its kind share."""
    cells = (hits, total - hits, of - hits, everybody - total - of + hits)
    return -math.fsum(math.lgamma(one + 1) for one in cells)


def holm(chances: Sequence[float]) -> list[float]:
    """Return each p as it is after Holm's correction for all of them, in the same order."""
    adjusted = [1.0] * len(chances)
    so_far = 0.0
    ordered = sorted(range(len(chances)), key=chances.__getitem__)
    for rank, place in enumerate(ordered):
        so_far = max(so_far, min(1.0, (len(chances) - rank) * chances[place]))
        adjusted[place] = so_far
    return adjusted


def needed(
    before: tuple[int, int], after: tuple[int, int], *, tests: int, grows: bool
) -> int | None:
    """Return about how many people more it takes after the change to tell; None for too many.

    Sides are hits and people. What is looked for is the difference as it stands, or MARGIN where
    it is less. `grows` says whether the span before gets longer with the one after.
    """
    hits, of = before
    later, later_of = after
    if not of:
        return None
    first = hits / of
    second = _sought(first, later / later_of if later_of else first)
    ratio = of / max(later_of, 1) if grows else 0.0

    def enough(people: int) -> bool:
        return _power(first, max(of, of + ratio * (people - later_of)), second, people, tests)

    low, high = later_of, max(2 * later_of, 2)
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high - later_of


def _sought(first: float, second: float) -> float:
    """Return the later share that is looked for: this one, or the nearest worth a word."""
    if abs(second - first) >= MARGIN:
        return second
    up = first < MARGIN or (second >= first and first <= 1 - MARGIN)
    return first + MARGIN if up else first - MARGIN


def _power(first: float, of: float, second: float, people: int, tests: int) -> bool:
    """Say whether so many people would show the difference, as often as POWER says.

    The usual approximation to Fisher's test: two normal shares, with a correction for whole people.
    """
    if not people:
        return False
    each = 1 / of + 1 / people
    pooled = (first * of + second * people) / (of + people)
    bar = NormalDist().inv_cdf(1 - ALPHA / tests / 2) * math.sqrt(pooled * (1 - pooled) * each)
    spread = math.sqrt(first * (1 - first) / of + second * (1 - second) / people)
    return abs(second - first) - each / 2 - bar >= NormalDist().inv_cdf(POWER) * spread
