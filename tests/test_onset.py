"""Promises of the dating: intervals hold the truth, and chance is rarely taken for a beginning."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from material import END, ago, made, usual
from report_factory import event

from sspr_audit.evidence import onset
from sspr_audit.model import State


def sequence(hits):
    """Return one observation an hour, ending with the window."""
    times = pd.Series(pd.date_range(end=END, periods=len(hits), freq="h"))
    return times, pd.Series(hits, dtype=bool)


def drawn(seed, before, after, at, size):
    """Return a sequence whose share changes at one place."""
    rng = np.random.default_rng(seed)
    shares = np.full(size, before)
    shares[at:] = after
    return sequence(rng.random(size) < shares)


def test_a_clear_beginning_is_dated():
    """Twenty misses and then twenty hits began at the first hit, and may go on."""
    times, hits = sequence([False] * 20 + [True] * 20)

    found = onset.dated(times, hits)

    assert found.begin == times[20]
    assert found.between[0] <= times[20] <= found.between[1]
    assert found.ended is None
    assert found.p < 1e-6


def test_a_recovery_is_dated():
    """What hit only in the middle of the sequence ended with the last hit."""
    times, hits = sequence([False] * 25 + [True] * 15 + [False] * 25)

    found = onset.dated(times, hits)

    assert (found.begin, found.last) == (times[25], times[39])
    assert found.ended[0] <= times[40] <= found.ended[1]


def test_a_fall_is_dated_as_a_rise_of_its_opposite():
    """Looking for fewer hits gives what looking for more misses gives."""
    times, hits = drawn(3, 0.5, 0.05, 60, 100)

    assert onset.dated(times, hits, rises=False) == onset.dated(times, ~hits)


@pytest.mark.parametrize(("before", "after"), [(0.05, 0.8), (0.1, 0.5), (0.3, 0.9)])
def test_the_interval_holds_the_beginning_19_times_of_20(before, after):
    """Of 200 sequences with a known beginning, the interval holds it in 19 of 20, give or take."""
    held = 0
    for seed in range(200):
        at = 20 + seed % 60
        times, hits = drawn(seed, before, after, at, 100)
        low, high = onset.dated(times, hits).between
        held += low <= times[at] <= high

    assert held >= 180  # 190 expected; 180 or fewer happens once in 1,000 tries


@pytest.mark.parametrize("share", [0.03, 0.1, 0.4])
def test_chance_is_rarely_taken_for_a_beginning(share):
    """Where nothing changed, p is 0.05 or less in no more than one of 20 sequences."""
    alarms = 0
    for seed in range(200):
        times, hits = drawn(seed, share, share, 0, 120)
        alarms += onset.dated(times, hits).p <= 0.05

    assert alarms <= 10


def test_nothing_hit_is_no_beginning():
    """A sequence without hits, or of hits alone, has no beginning in it."""
    for one in (False, True):
        times, hits = sequence([one] * 30)

        assert onset.dated(times, hits).p == 1


def test_one_observation_and_a_long_sequence_are_dated():
    """A single observation says nothing; tens of thousands are dated to a small part of them."""
    times, hits = drawn(1, 0.05, 0.6, 20_000, 30_000)

    assert onset.dated(*sequence([True])).p == 1
    assert abs(onset.dated(times, hits).begin - times[20_000]) < timedelta(hours=200)


def test_no_observations_are_refused():
    """Nobody can date nothing."""
    with pytest.raises(ValueError, match="no observations"):
        onset.dated(*sequence([]))


def change(number, days, **columns):
    return event(
        number,
        None,
        0,
        time_utc=ago(days),
        activity="Update conditional access policy",
        role="policy",
        actor="admin@example.com",
        **columns,
    )


BEGUN = (ago(3), ago(2.9))


def test_a_change_just_before_is_named():
    """A rare policy change in the 24 hours before the beginning is told: what, who and when."""
    found = onset.changed_before(made(usual(), changes=[change(1, 3.1)]), BEGUN)

    assert found.state is State.FIRED
    assert "Update conditional access policy" in found.statement
    assert "admin@example.com" in found.statement


def test_a_change_long_before_or_after_is_none():
    """Changes outside of the 24 hours before do not count."""
    material = made(usual(), changes=[change(1, 5), change(2, 1)])

    assert onset.changed_before(material, BEGUN).state is State.QUIET


def test_daily_changes_are_no_evidence():
    """Where policies change every day, one the day before may be chance."""
    changes = [change(number, number + 0.2) for number in range(59)]

    found = onset.changed_before(made(usual(), changes=changes), BEGUN)

    assert found.state is State.QUIET
    assert found.p > 0.5


def test_changes_before_the_baseline_are_not_held_against_it():
    """They are no part of the time that the rest is counted over."""
    long_ago = [change(number, 100 + number) for number in range(40)]
    few, many = (
        onset.changed_before(made(usual(), changes=[change(99, 3.1), *more]), BEGUN)
        for more in ([], long_ago)
    )

    assert (many.state, many.p) == (few.state, few.p) == (State.FIRED, few.p)


def test_without_policy_events_nothing_is_known():
    """Where the data hold no policy change at all, silence about them means nothing."""
    found = onset.changed_before(made(usual()), BEGUN)

    assert found.state is State.UNKNOWN
    assert found.needs
