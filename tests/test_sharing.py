"""Promises about ways out: one site, or several that nobody can tell apart."""

from __future__ import annotations

import pytest
from material import STOPPED, habits, home, made, named, on_day, signal, usual

from sspr_audit.evidence import sharing, stalled
from sspr_audit.model import Site, State


def state(place, flows, **words):
    return sharing.shared_way_out(place, made(flows, **words)).state


def everybody(place="198.51.100.9"):
    """Return flows of an office where nearly everybody is, and some from home."""
    homes = [on_day(f"p{n}", n % 40, home(n), client="windows-signin") for n in range(60)]
    return [*habits(place, 60, 0.3), *homes]


def test_sites_beside_each_other_are_told_apart():
    """Where people also work at other sites, a trouble of one is its own."""
    flows = [*habits("Malmö", 30, 0.3), *habits("Lund", 20, 0.3)]

    assert state("Malmö", flows) is State.QUIET
    assert state("Lund", flows) is State.QUIET


def test_the_only_way_out_may_be_that_of_many_sites():
    """Where nobody works anywhere else, one site and many look the same."""
    assert state("198.51.100.9", everybody()) is State.UNKNOWN
    assert state("Malmö", habits("Malmö", 60, 0.3)) is State.UNKNOWN


@pytest.mark.parametrize(
    ("people", "share"),
    [(30, 0.0), (3, 0.3)],
    ids=["a tunnel, where nobody is at a sign-in screen", "a handful of people"],
)
def test_not_every_other_address_is_a_site(people, share):
    """A tunnel or a shared flat beside the one way out shows no other site."""
    beside = habits("203.0.113.250", people, share)

    assert state("198.51.100.9", [*everybody(), *beside]) is State.UNKNOWN


def test_where_no_client_is_recorded_any_other_place_of_work_counts():
    """Nobody is seen at a sign-in screen then, so that says nothing of a tunnel."""
    flows = [
        row | {"client": "not-recorded"}
        for row in (*habits("Malmö", 30, 0.3), *habits("Lund", 20, 0.3))
    ]

    assert state("Malmö", flows) is State.QUIET


def test_two_names_of_one_network_share_it():
    """A finding at one of them may be about the other."""
    sites = (
        Site("Malmö", ("198.51.100.201/32",)),
        Site("Hall 2", ("198.51.100.201/32", "198.51.100.7/32")),
        Site("Lund", ("198.51.100.202/32",)),
    )
    flows = [*habits("Malmö", 30, 0.3), *habits("Lund", 20, 0.3)]

    assert state("Malmö", flows, sites=sites) is State.FIRED
    assert state("Lund", flows, sites=sites) is State.QUIET


def test_a_place_that_nobody_reset_at_is_asked_in_vain():
    """A site known from sign-ins alone breaks nothing."""
    assert state("Oslo", habits("Malmö", 30, 0.3)) is State.QUIET


def test_a_stall_says_whether_its_place_is_one():
    """What stops at the only way out is told with the doubt which site it is."""
    out = [named(f"out{n}", f"victim{n}", 3 - n / 5, place="Lund", **STOPPED) for n in range(14)]
    homes = [row | {"site": None, "ip_group": home(n)} for n, row in enumerate(usual())]
    alone = [row if row["site"] == "Lund" else homes[n] for n, row in enumerate(usual())]

    (here,) = stalled.tested(made([*usual(), *out])).suspicions
    (there,) = stalled.tested(made([*alone, *out])).suspicions

    assert here.scope.sites == ("Lund",)
    assert signal(here, "shared-way-out").state is State.QUIET
    assert signal(there, "shared-way-out").state is State.UNKNOWN
