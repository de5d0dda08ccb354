"""Shares and their differences: every promise is counted out over all that can happen."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit.evidence import proportions

GRID = [place / 20 for place in range(1, 20)]
SIDES = [(3, 3), (5, 5), (8, 4), (10, 20)]
PEOPLE = st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


def chances(of, share):
    """Return how likely each number of hits is."""
    return [comb(of, hits) * share**hits * (1 - share) ** (of - hits) for hits in range(of + 1)]


def exact(hits, of, later, later_of):
    """Return Fisher's p, worked out in whole numbers."""
    total = hits + later

    def ways(one):
        return comb(of, one) * comb(later_of, total - one)

    every = [ways(one) for one in range(max(0, total - later_of), min(total, of) + 1)]
    return sum(one for one in every if one <= ways(hits)) / sum(every)


def power(before, share, after, later_share):
    """Return how often two sides of so many people differ by Fisher's test."""
    return sum(
        one * other
        for hits, one in enumerate(chances(before, share))
        for later, other in enumerate(chances(after, later_share))
        if proportions.fisher(hits, before, later, after)[0] <= proportions.ALPHA
    )


@pytest.mark.parametrize("of", [2, 5, 10, 30])
def test_the_interval_of_a_share_holds_it(of: int) -> None:
    """In 95 of 100 cases over all shares, and never in much fewer for one of them."""
    bounds = [proportions.wilson(hits, of) for hits in range(of + 1)]
    covered = [
        sum(
            chance
            for chance, (low, high) in zip(chances(of, share), bounds, strict=True)
            if low <= share <= high
        )
        for share in GRID
    ]

    assert sum(covered) / len(covered) > 0.93
    assert min(covered) > 0.8


@pytest.mark.parametrize(("of", "later_of"), SIDES)
def test_the_interval_of_a_difference_holds_it(of: int, later_of: int) -> None:
    """As that of a share, over all pairs of shares."""
    bounds = {
        (hits, later): proportions.newcombe(hits, of, later, later_of)
        for hits, later in product(range(of + 1), range(later_of + 1))
    }
    covered = []
    for first, second in product(GRID[::2], repeat=2):
        here, there = chances(of, first), chances(later_of, second)
        covered.append(
            sum(
                here[hits] * there[later]
                for (hits, later), (low, high) in bounds.items()
                if low <= second - first <= high
            )
        )

    assert sum(covered) / len(covered) > 0.94
    assert min(covered) > 0.85


@given(PEOPLE, PEOPLE)
def test_intervals_hold_what_was_seen(before: tuple[int, int], after: tuple[int, int]) -> None:
    """And turning the sides round turns the interval round."""
    low, high = proportions.newcombe(*before, *after)
    turned = proportions.newcombe(*after, *before)
    seen = after[0] / after[1] - before[0] / before[1]

    assert -1 - 1e-9 <= low <= seen + 1e-9
    assert seen - 1e-9 <= high <= 1 + 1e-9
    assert turned == pytest.approx((-high, -low))
    assert 0 <= proportions.wilson(*before)[0] <= before[0] / before[1]


def test_nobody_can_be_anything() -> None:
    """Of no people every share is possible, and people more make it narrower."""
    assert proportions.wilson(0, 0) == (0.0, 1.0)
    assert proportions.wilson(0, 10)[1] > proportions.wilson(0, 100)[1]
    assert proportions.wilson(10, 10)[1] == 1.0


@pytest.mark.parametrize(("of", "later_of"), [*SIDES, (1, 9), (12, 12)])
def test_the_test_is_exact(of: int, later_of: int) -> None:
    """It gives what whole numbers give, and with it the least that so many hits can give."""
    for hits, later in product(range(of + 1), range(later_of + 1)):
        chance, least = proportions.fisher(hits, of, later, later_of)
        total = hits + later
        others = range(max(0, total - later_of), min(total, of) + 1)

        assert chance == pytest.approx(exact(hits, of, later, later_of))
        assert least == pytest.approx(min(exact(k, of, total - k, later_of) for k in others))


@pytest.mark.parametrize(("of", "later_of"), [*SIDES, (15, 15)])
def test_chance_alone_seldom_differs(of: int, later_of: int) -> None:
    """Whatever share both sides have, at most 5 in 100 cases are taken for a difference."""
    for share in GRID:
        assert power(of, share, later_of, share) <= proportions.ALPHA


@pytest.mark.parametrize(("of", "later_of"), [*SIDES, (13, 15), (20, 20)])
def test_a_difference_lies_in_its_interval_alone(of: int, later_of: int) -> None:
    """Where the test tells the sides apart, the interval that stands beside it excludes none."""
    for hits, later in product(range(of + 1), range(later_of + 1)):
        if proportions.fisher(hits, of, later, later_of)[0] <= proportions.ALPHA:
            low, high = proportions.newcombe(hits, of, later, later_of)
            assert low > 0 or high < 0


def test_a_great_many_people_are_counted() -> None:
    """Numbers whose factorials no machine can hold."""
    chance, least = proportions.fisher(30_000, 60_000, 30_600, 60_000)

    assert 0.0004 < chance < 0.0006
    assert 0 <= least < 1e-300


@given(st.lists(st.floats(0, 1), max_size=30))
def test_many_tests_are_corrected_for(found: list[float]) -> None:
    """Never less than by itself nor more than times their number, and in the same order."""
    adjusted = proportions.holm(found)

    for chance, after in zip(found, adjusted, strict=True):
        assert chance <= after <= min(1, chance * len(found))
    pairs = sorted(zip(found, adjusted, strict=True))
    assert [after for _, after in pairs] == sorted(adjusted)
    if found:
        assert min(adjusted) == min(1, len(found) * min(found))


def test_the_correction_is_holms() -> None:
    """The least is taken times three, the next times two, and none below the one before."""
    assert proportions.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@pytest.mark.parametrize(
    ("before", "after"), [((6, 20), (12, 20)), ((15, 30), (24, 30)), ((30, 40), (8, 20))]
)
def test_the_people_who_are_needed_show_the_difference(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    """With them in both spans it is told in about 4 of 5 cases, and with half of them in fewer."""
    more = proportions.needed(before, after, tests=1, grows=True)
    shares = before[0] / before[1], after[0] / after[1]

    def told(people):
        larger = round(before[1] * (after[1] + people) / after[1])
        return power(larger, shares[0], after[1] + people, shares[1])

    assert more is not None
    assert 0.75 < told(more) < 0.95
    assert told(more // 2) < told(more)


def test_more_tests_and_smaller_differences_need_more_people() -> None:
    """And a difference that is hardly there is not waited for: 10 points are."""
    one = proportions.needed((30, 100), (45, 100), tests=1, grows=True)
    many = proportions.needed((30, 100), (45, 100), tests=20, grows=True)
    small = proportions.needed((30, 100), (42, 100), tests=1, grows=True)
    none = proportions.needed((30, 100), (30, 100), tests=1, grows=True)
    little = proportions.needed((30, 100), (31, 100), tests=1, grows=True)

    assert None not in {one, many, small, none}
    assert one < many
    assert one < small
    assert none == little


@pytest.mark.parametrize("before", [(0, 0), (2, 4)])
def test_some_spans_before_are_too_short_for_any_number(before: tuple[int, int]) -> None:
    """Nobody, or hardly anybody, before the change: no number after it would do."""
    assert proportions.needed(before, (6, 10), tests=1, grows=False) is None


@pytest.mark.parametrize("grows", [True, False])
@given(PEOPLE, PEOPLE)
def test_needed_is_at_least_one(grows, before, after) -> None:
    """Or nothing; it never asks for fewer people than there are."""
    more = proportions.needed(before, after, tests=3, grows=grows)

    assert more is None or 1 <= more <= proportions.MOST
