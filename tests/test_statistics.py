"""Promises of the exact tests: they are what counting every case gives."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from material import NUMBERS

from sspr_audit.evidence import statistics

COUNTS = some.integers(0, 12)


def close(found, exact):
    return float(found) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


def rising(start, steps):
    """Return start times start + 1 and so on, as an exact number."""
    product = Fraction(1)
    for step in range(steps):
        product *= Fraction(start) + step
    return product


def betabinomial(k, n, a, b):
    return comb(n, k) * rising(a, k) * rising(b, n - k) / rising(a + b, n)


@given(COUNTS, COUNTS, some.fractions(0, 1, max_denominator=50))
def test_a_binomial_tail_is_the_sum_of_its_cases(hits, tries, share):
    """The p of a binomial is the sum over all outcomes that are no smaller."""
    ways = (comb(tries, k) * share**k * (1 - share) ** (tries - k) for k in range(hits, tries + 1))
    exact = sum(ways, Fraction(0))

    assert close(statistics.binomial_upper(hits, tries, float(share)), exact)


@given(COUNTS, COUNTS, some.integers(1, 30), some.integers(1, 30))
def test_a_betabinomial_tail_is_the_sum_of_its_cases(hits, tries, a, b):
    """The p of a beta-binomial is the sum over all outcomes that are no smaller."""
    exact = sum((betabinomial(k, tries, a, b) for k in range(hits, tries + 1)), Fraction(0))

    assert close(statistics.betabinomial_upper(hits, tries, a, b), exact)


@given(COUNTS, some.integers(1, 30), some.integers(1, 30))
def test_no_hit_is_the_first_case(tries, a, b):
    """That nobody of so many hits is the beta-binomial's case of 0."""
    assert close(statistics.none_of(tries, a, b), betabinomial(0, tries, a, b))


@given(some.data(), some.integers(1, 12), some.integers(1, 12))
def test_fisher_counts_every_table_of_the_same_margins(data, tries, others):
    """Fisher's p is the share of all ways to draw that give the place as many hits or more."""
    hits, other = data.draw(some.integers(0, tries)), data.draw(some.integers(0, others))
    total = hits + other
    ways = (
        Fraction(comb(tries, k) * comb(others, total - k), comb(tries + others, total))
        for k in range(hits, min(tries, total) + 1)
        if total - k <= others
    )
    exact = sum(ways, Fraction(0))

    assert close(statistics.fisher_upper(hits, tries, other, others), exact)


def test_fisher_is_what_drawing_by_hand_gives():
    """Of 6 people, 3 of whom are at a place and 3 hit, all draws of 3 are as likely."""
    draws = list(combinations(range(6), 3))
    both = sum(len({0, 1, 2} & set(draw)) >= 2 for draw in draws)

    assert close(statistics.fisher_upper(2, 3, 1, 3), Fraction(both, len(draws)))


@pytest.mark.parametrize(
    ("test", "arguments"),
    [
        (statistics.binomial_upper, 3),
        (statistics.betabinomial_upper, 4),
        (statistics.none_of, 3),
        (statistics.fisher_upper, 4),
    ],
)
def test_no_rows_give_no_rows(test, arguments):
    """With no places to test, there is no p."""
    assert test(*[np.array([])] * arguments).shape == (0,)


def test_nobody_is_no_evidence():
    """Where nobody tried, chance explains everything."""
    assert statistics.binomial_upper(0, 0, 0.3) == 1
    assert statistics.betabinomial_upper(0, 0, 1, 2) == 1
    assert statistics.none_of(0, 1, 2) == 1
    assert statistics.fisher_upper(0, 0, 3, 9) == 1
    assert statistics.fisher_upper(3, 9, 0, 0) == 1


@given(some.floats(0, 1), some.integers(1, 1_000))
def test_a_share_is_no_surer_than_the_people_it_was_counted_on(share, people):
    """Nor than shares of places are alike."""
    sure = statistics.prior(share, 0.3, people)

    assert sure < min(people, statistics.alike(share, 0.3))
    assert statistics.prior(share, 0.3, 1e9) == pytest.approx(statistics.alike(share, 0.3))


def how_alike(hits, tries):
    return statistics.how_alike(hits, tries, NUMBERS["variation"], least=NUMBERS["least_people"])


@pytest.mark.parametrize("alike", [3, 10, 40])
def test_how_alike_places_are_is_found_again(alike):
    """Places drawn from one Beta prior, small and large ones, give its size back."""
    dice = np.random.default_rng(7)
    tries = pd.Series(dice.integers(5, 200, 2_000).astype(float))
    shares = dice.beta(0.3 * alike, 0.7 * alike, len(tries))
    hits = pd.Series(dice.binomial(tries.astype(int), shares).astype(float))

    assert how_alike(hits, tries) == pytest.approx(alike, rel=0.15)


def test_small_places_hardly_change_how_alike_all_are():
    """One place of fifteen people tells about as much as its three parts of five."""
    tries = pd.Series([60.0, 80.0, 120.0, 15.0])
    hits = pd.Series([20.0, 24.0, 41.0, 5.0])
    parts = pd.Series([60.0, 80.0, 120.0, 5.0, 5.0, 5.0]), pd.Series([20.0, 24, 41, 0, 3, 2])

    whole = how_alike(hits, tries)
    assert how_alike(*reversed(parts)) == pytest.approx(whole, rel=0.25)


def test_a_place_of_most_people_makes_the_others_no_more_alike():
    """The share of all is nearly its own, but the others differ from it all the same."""
    dice = np.random.default_rng(7)
    tries = np.append(dice.integers(20, 200, 2_000).astype(float), 1e6)
    shares = np.append(dice.beta(3, 7, 2_000), 0.3 + np.sqrt(0.3 * 0.7 / 11))
    hits = dice.binomial(tries.astype(int), shares)

    assert how_alike(hits, tries) == pytest.approx(10, rel=0.15)


def test_where_nobody_is_known_times_are_not_alike():
    """Without a past, days are believed to differ as they do at even chances, where they may most.

    So it is where a window holds all that there is.
    """
    assert how_alike([], []) == pytest.approx(statistics.alike(0.5, NUMBERS["variation"]))
    assert how_alike([], []) < how_alike([30], [100])


def others_alike(hits, tries, spread=0.3):
    return statistics.others_alike(hits, tries, spread, least=NUMBERS["least_people"])


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_where_nothing_tells_the_odds_of_places_differ_as_much_as_is_believed(share):
    """Drawn by their log odds, places have shares that differ as the Beta prior's do."""
    odds = np.random.default_rng(7).normal(np.log(share / (1 - share)), 0.3, 20_000)
    shares = 1 / (1 + np.exp(-odds))
    mean = shares.mean()
    alike = mean * (1 - mean) / shares.var() - 1

    assert others_alike([1.0, 100 * mean], [100.0, 100.0])[0] == pytest.approx(alike, rel=0.1)


def test_how_alike_the_others_are_does_not_hang_on_the_place_that_is_tested():
    """One place that is unlike the others leaves them as alike as they are."""
    tries = pd.Series([100.0, 90, 120, 80, 250])
    like, unlike = pd.Series([50.0, 46, 60, 39, 125]), pd.Series([50.0, 46, 60, 39, 2])

    assert others_alike(unlike, tries)[4] == others_alike(like, tries)[4]
    assert others_alike(unlike, tries)[0] < others_alike(like, tries)[0] / 5


@given(some.floats(0.01, 0.99), some.floats(1, 500), some.floats(0.01, 0.99))
def test_a_prior_of_one_share_is_carried_to_others_by_their_odds(share, size, other):
    """The same deviation gives the prior back, and a surer one where something is rarer."""
    spread = statistics.spread(share, size)

    assert statistics.alike(share, spread) == pytest.approx(min(size, 999), rel=0.01)
    rarer = other * (1 - other) < share * (1 - share)
    assert (statistics.alike(other, spread) > statistics.alike(share, spread) * 0.999) or not rarer
