"""Promises about ways out: one site, or several that nobody can tell apart."""

from __future__ import annotations

import pytest
from material import (
    NO_CODE,
    STOPPED,
    WINDOW,
    ago,
    habits,
    home,
    made,
    named,
    on_day,
    reset,
    signal,
    signed_in,
    usual,
)

from sspr_audit.evidence import gates, sharing, stalled
from sspr_audit.model import Scope, Site, State


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


@pytest.mark.parametrize(("said", "told"), [(False, State.QUIET), (True, State.FIRED)])
def test_somebody_who_knows_it_can_say_so(said, told):
    """Of a company with one site nothing in the data tells that it has no other."""
    sites = (Site("Malmö", ("198.51.100.0/24",), shared=said),)

    assert state("Malmö", everybody("Malmö")) is State.UNKNOWN
    assert state("Malmö", everybody("Malmö"), sites=sites) is told


@pytest.mark.parametrize(("every", "told"), [(2, State.UNKNOWN), (25, State.QUIET)])
def test_ways_out_that_everybody_takes_at_random_are_one(every, told):
    """Where somebody named one of its addresses, the rest is no site beside it; a visit is one."""
    address = "198.51.100.9"
    moved = {"site": None, "ip": address, "ip_group": address}
    mixed = [
        row | moved if number * 7 // 3 % every == 0 else row
        for number, row in enumerate(habits("Malmö", 60, 0.3, every=5))
    ]
    there = habits(address, 30, 0.3) if every > 2 else []

    assert state("Malmö", [*mixed, *there]) is told


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


def small_beside(people=4, share=1.0):
    """Return flows of a large named site and a small one."""
    return [*habits("Malmö", 60, 0.3), *habits("Lund", people, share)]


def test_a_small_site_beside_shows_that_the_networks_of_each_were_written_down():
    """Where both are named; a small place that nobody named may be anything."""
    unnamed = [row | {"site": None} if row["site"] == "Lund" else row for row in small_beside()]

    assert state("Malmö", small_beside()) is State.QUIET
    assert state("Malmö", unnamed) is State.UNKNOWN


@pytest.mark.parametrize("people", [4, 30])
def test_a_site_is_told_by_the_devices_that_are_opened_there(people):
    """Nobody is at the sign-in screen of a silent site; devices are opened there all the same."""
    opened = [
        {"person": f"lund-{n}", "time_utc": ago(9), "site": "Lund", "of_windows": True}
        for n in range(2)
    ]
    elsewhere = [row | {"site": "Malmö"} for row in opened]
    flows = small_beside(people, 0.0)

    assert state("Malmö", flows) is State.UNKNOWN
    assert state("Malmö", flows, known=signed_in(*elsewhere)) is State.UNKNOWN
    assert state("Malmö", flows, known=signed_in(*opened)) is State.QUIET


@pytest.mark.parametrize(
    ("others", "told"), [(["Lund"], State.UNKNOWN), (["Lund", "Ystad"], State.QUIET)]
)
def test_where_nothing_tells_of_a_tunnel_two_other_sites_must_be_named(others, told):
    """Nobody is seen at a sign-in screen: of one other place, nobody knows whether it is one."""
    flows = [
        row | {"client": "not-recorded"}
        for place in ("Malmö", *others)
        for row in habits(place, 30, 0.3)
    ]

    assert state("Malmö", flows) is told


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


def test_a_client_that_stops_at_the_only_way_out_may_be_that_of_one_site():
    """What is told of a client, and seen at one place alone, is told with the same doubt."""
    screen = {"client": "windows-signin"}
    usually = [row | {"site": None, "ip_group": "198.51.100.9"} for row in usual()]
    out = [
        named(f"out{n}", f"victim{n}", 3 - n / 9, place="198.51.100.9", **STOPPED, **screen)
        for n in range(24)
    ]
    abroad = [row | {"ip_group": home(n)} for n, row in enumerate(out)]

    (here,) = stalled.tested(made([*usually, *out])).suspicions
    (anywhere,) = stalled.tested(made([*usually, *abroad])).suspicions

    assert here.scope.clients == anywhere.scope.clients == ("windows-signin",)
    assert signal(here, "shared-way-out").state is State.UNKNOWN
    assert signal(anywhere, "shared-way-out").state is State.QUIET


def test_codes_lost_at_home_may_be_those_of_one_site():
    """They follow the phone: where everybody works behind one way out, nothing tells whose."""
    usually = [row | {"site": None, "ip_group": "198.51.100.9"} for row in usual()]
    sms = NO_CODE | {"methods": "mobile SMS"}
    lost = [
        named(f"lost{n}", f"person{9 * n}", 3 - n / 14, place=home(n), **sms) for n in range(40)
    ]

    (found,) = gates.phone(made([*usually, *lost])).suspicions

    assert signal(found, "shared-way-out").state is State.UNKNOWN


def neighbours(known=None):
    """Return the places of an office whose people each reset by one of two addresses."""
    flows = [
        on_day(f"p{n}", n % 40, f"198.51.100.{9 + n % 2}", client="windows-signin")
        for n in range(30)
    ]
    return set(made(flows, known=known).flows["place"])


def test_sign_ins_tell_which_neighbours_are_one_way_out():
    """Who resets once comes by one address; signing in every day shows them by both."""
    by_both = [
        {"person": f"p{n}", "time_utc": ago(9), "ip_group": f"198.51.100.{9 + other}"}
        for n in range(12)
        for other in (0, 1)
    ]

    assert neighbours() == {"198.51.100.9", "198.51.100.10"}
    assert neighbours(signed_in(*by_both)) == {"198.51.100.9 (+1 beside it)"}


def test_who_signs_in_minutes_after_a_reset_came_once():
    """The sign-in that a reset is made for goes the same way, and says nothing of others."""
    at = [(f"p{n}", f"198.51.100.{9 + n % 2}", n % 40) for n in range(30)]
    flows = [on_day(person, day, ip, client="windows-signin") for person, ip, day in at]
    by_both = [{"person": f"p{n}", "ip_group": f"198.51.100.{10 - n % 2}"} for n in range(6)]
    later = [row | {"time_utc": ago(2)} for row in by_both]
    soon = [
        {"person": row["person"], "ip_group": row["ip_group"], "time_utc": row["end_utc"]}
        for row in flows
    ]
    known = signed_in(*later, *soon)

    assert set(made(flows, known=known).flows["place"]) == {"198.51.100.9 (+1 beside it)"}


def test_sign_ins_of_others_are_no_way_out():
    """Addresses from which nobody resets make no place."""
    elsewhere = [
        {"person": f"p{n}", "time_utc": ago(9), "ip_group": f"198.51.100.{9 + 3 * (n % 2)}"}
        for n in range(12)
    ]

    assert neighbours(signed_in(*elsewhere)) == {"198.51.100.9", "198.51.100.10"}


def test_people_belong_to_an_office_that_nobody_named():
    """Who is mostly seen at a learned office is of it, and who is only seen at home of none."""
    office = [row | {"person": f"of-{row['person']}"} for row in habits("203.0.113.9", 20, 0.3)]
    at_home = on_day("of-203.0.113.9-1", 3, home(7))
    alone = on_day("alone", 3, home(8))

    bases = made([*habits("Lund", 20, 0.3), *office, at_home, alone]).bases

    assert bases["lund-1"] == "Lund"
    assert bases["of-203.0.113.9-1"] == "203.0.113.9"
    assert "alone" not in bases


def test_codes_lost_by_people_of_an_unnamed_office_name_its_addresses():
    """Codes follow phones home, and the finding names the office, not the homes."""
    office = "203.0.113.9"
    ordinary = [
        reset(row["person"], row["start_utc"], office, client=row["client"])
        for row in habits("Lund", 30, 0.3)
    ]
    began = WINDOW.start
    lost = [
        named(
            f"lost{n}",
            f"lund-{n}",
            0,
            start_utc=began + (WINDOW.end - began) * (n + 1) / 32,
            place=home(n) if n % 2 else office,
            **NO_CODE,
        )
        for n in range(30)
    ]
    before = [row for row in ordinary if row["start_utc"] < began]

    found = gates.phone(made([*usual(), *before, *lost])).suspicions

    assert Scope(ips=(office,)) in [one.scope for one in found]
