"""Promises about outsiders: probes and takeovers are told apart from offices in trouble."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
import tenant
from material import (
    NO_CODE,
    NUMBERS,
    STOPPED,
    ago,
    as_set,
    made,
    named,
    shuffled,
    signed_in,
    usual,
)
from material import signal as of

from sspr_audit.evidence import patterns, people, takeover
from sspr_audit.model import Scope, State, Window

STRANGE = "192.0.2.77"


def only(tested):
    (found,) = tested.suspicions
    return found


def probe(count=30, seconds=40, **changes):
    """Return one flow each of many people of the tenant, from one address in quick order."""
    columns = {"place": STRANGE} | STOPPED | changes
    return [
        named(
            f"p{n}",
            f"person{n * 7}",
            0,
            start_utc=ago(2) + timedelta(seconds=seconds * n),
            **columns,
        )
        for n in range(count)
    ]


def returning(rows):
    """Return a history in which people who stop come back within the hour and get through."""
    again = [
        row
        | {
            "flow_id": f"{row['flow_id']}again",
            "start_utc": row["start_utc"] + timedelta(minutes=20),
            "end_utc": row["end_utc"] + timedelta(minutes=20),
            "outcome": "succeeded",
            "stage": 80,
        }
        for row in rows
        if row["outcome"] == "abandoned"
    ]
    return [*rows, *again]


ORDINARY = returning(usual())


def test_an_ordinary_tenant_has_no_probe():
    """People of sites and homes are no strangers, and nor is nobody."""
    assert people.tested(made(ORDINARY)).suspicions == ()
    assert people.tested(made([])).suspicions == ()


def test_a_walk_through_user_ids_is_found():
    """Many people from one unknown address, in minutes, none of whom gets further."""
    found = only(people.tested(made([*ORDINARY, *probe()])))

    assert found.target == "sspr-enumeration"
    assert found.scope.ips == (STRANGE,)
    assert found.users == 30
    assert of(found, "everybody-stops").state is State.FIRED
    assert of(found, "nobody-returns").state is State.FIRED
    assert of(found, "faster-than-tenant").state is State.FIRED


def test_a_slow_walk_is_found_by_those_who_never_return():
    """One user ID every three hours is no crowd, but nobody comes back."""
    rows = probe(seconds=0)
    rows = [
        row | {"start_utc": ago(5.9 - n / 8), "end_utc": ago(5.9 - n / 8)}
        for n, row in enumerate(rows)
    ]

    found = only(people.tested(made([*ORDINARY, *rows])))

    assert of(found, "nobody-returns").state is State.FIRED
    assert of(found, "faster-than-tenant").state is State.QUIET


def test_many_addresses_of_one_block_are_one_probe():
    """A walk that changes its address within a /24 is found by the block."""
    rows = [
        row | {"ip": f"192.0.2.{n % 10}", "ip_group": f"192.0.2.{n % 10}"}
        for n, row in enumerate(probe())
    ]

    assert len(only(people.tested(made([*ORDINARY, *rows]))).scope.ips) == 10


def test_an_office_in_trouble_is_no_probe():
    """An office behind an unknown address whose people try again and again is an outage."""
    rows = probe(seconds=1800)
    again = [
        row
        | {
            "flow_id": f"{row['flow_id']}b",
            "start_utc": row["start_utc"] + timedelta(minutes=3),
            "end_utc": row["end_utc"] + timedelta(minutes=3),
        }
        for n, row in enumerate(rows)
        if n % 2
    ]

    assert people.tested(made([*ORDINARY, *rows, *again])).suspicions == ()


def test_an_office_that_worked_before_is_no_probe():
    """Where people once got further, they belong there."""
    before = [named(f"b{n}", f"staff{n}", 30 - n, place=STRANGE) for n in range(10)]

    assert people.tested(made([*ORDINARY, *before, *probe()])).suspicions == ()


def test_the_sign_in_screen_is_no_probe():
    """A flow from a device's sign-in screen comes from a device."""
    rows = probe(client="windows-signin")

    assert people.tested(made([*ORDINARY, *rows])).suspicions == ()


def test_a_conference_is_no_probe():
    """Many people of all sites behind one address, who get through, are guests."""
    rows = probe(seconds=600, outcome="succeeded", stage=80)

    assert people.tested(made([*ORDINARY, *rows])).suspicions == ()


def test_a_site_is_never_a_stranger():
    """What the tenant named is its own."""
    rows = probe(place="Lund")

    assert people.tested(made([*ORDINARY, *rows])).suspicions == ()


def test_people_who_sign_in_from_there_speak_against_it():
    """Sign-ins from the address show that it is theirs; without sign-ins that is unknown."""
    rows = [*ORDINARY, *probe()]
    seen = signed_in(
        *({"person": f"person{n * 7}", "ip_group": STRANGE, "time_utc": ago(9)} for n in range(9))
    )

    unknown = of(only(people.tested(made(rows))), "was-used-before")
    fired = of(only(people.tested(made(rows, known=seen))), "was-used-before")

    assert unknown.state is State.UNKNOWN
    assert unknown.needs
    assert fired.state is State.FIRED


WEEK = tenant.window(-5 * 86_400, 2 * 86_400)


def only_probe(analysis):
    (one,) = (
        each.suspicion
        for each in analysis.judged.judgements
        if each.suspicion.target == people.ENUMERATION
    )
    return one


def test_who_had_no_time_to_come_back_has_not_stayed_away():
    """Minutes after people stopped, that none of them tried again says nothing yet."""
    at_once = probe(seconds=1)
    now = [row | {"start_utc": ago(0.01) + (row["start_utc"] - ago(2))} for row in at_once]

    (early,) = people.tested(made([*ORDINARY, *now])).suspicions
    late = only(people.tested(made([*ORDINARY, *at_once])))

    assert of(early, "nobody-returns").state is State.FEW
    assert of(late, "nobody-returns").state is State.FIRED


def test_what_came_after_the_data_end_is_not_known(tmp_path):
    """Days of the window after the last record are days that nobody has seen yet."""
    needy = [
        tenant.steps(
            *(tenant.USER_ID, tenant.OPTIONS),
            at=60 * n - 86_400 * (n % 20 + 1) + later,
            who=f"n{n}",
            flow=f"n{n} {later}",
            ip=f"203.0.113.{n}",
        )
        for n in range(30)
        for later in (0, 7_200)
    ]
    others = [
        tenant.success(at=-30_000 * n, who=f"o{n}", flow=f"o{n}", ip=f"198.51.100.{n}")
        for n in range(1, 60)
    ]
    walked = [
        tenant.steps(
            tenant.USER_ID, tenant.OPTIONS, at=20 * n, who=f"w{n}", flow=f"w{n}", ip="192.0.2.77"
        )
        for n in range(30)
    ]
    rows = [one for flow in (*needy, *others, *walked) for one in flow]
    states = [
        of(
            only_probe(tenant.analysed(tmp_path, [*rows, tenant.other(end)], **WEEK)),
            "nobody-returns",
        )
        for end in (3_000, 100_000)
    ]

    assert [one.state for one in states] == [State.FEW, State.FIRED]


def test_networks_where_people_got_further_are_tests_too():
    """Chance had them all to choose from, so all of them are corrected for."""
    guests = probe(outcome="succeeded", stage=80)
    none, one = (people.tested(made([*ORDINARY, *rows])) for rows in ([], guests))

    assert one.suspicions == ()
    assert one.tests > none.tests


def test_people_who_once_worked_there_are_not_left_out_of_the_search_for_outages():
    """An office that nobody named is no probe, so what cuts its resets off is looked for."""
    rows = [*ORDINARY, *probe()]
    seen = signed_in(
        *({"person": f"person{n * 7}", "ip_group": STRANGE, "time_utc": ago(9)} for n in range(9))
    )

    def stalled(context):
        every = list(patterns(made(rows, known=context)))
        return [one.scope for each in every for one in each.suspicions if one.kind == "stalled"]

    assert stalled(None) == []
    assert Scope(ips=(STRANGE,)) in stalled(seen)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(seed):
    """Rows in another order give the same probe."""
    material = made([*ORDINARY, *probe()])

    assert as_set(people.tested(shuffled(material, seed))) == as_set(people.tested(material))


def attempt(tries=3, **changes):
    """Return failed flows of one person from a strange address, and then a success by phone."""
    rows = [
        named(f"t{n}", "person9", 2.1 - n / 100, place=STRANGE, methods="mobile SMS", **NO_CODE)
        for n in range(tries)
    ]
    return [*rows, named("taken", "person9", 2, place=STRANGE, **changes)]


def registration(days=1.99, person="person9"):
    return {
        "act_id": "r1",
        "kind": "registration",
        "time_utc": ago(days),
        "person": person,
        "outcome": "succeeded",
        "ip_group": STRANGE,
        "events": 1,
    }


def test_a_takeover_is_found():
    """Failed tries, a success by phone from a strange address, and new security info after it."""
    found = only(takeover.tested(made([*usual(), *attempt()], [registration()])))

    assert found.target == "sspr-takeover-attempt"
    assert found.scope.users == ("person9@example.com",)
    assert set(found.flow_ids) == {"t0", "t1", "t2", "taken"}
    assert of(found, "strange-network").state is State.FIRED
    assert of(found, "registered-after").state is State.FIRED
    assert of(found, "network-used-again").state is State.UNKNOWN


@pytest.mark.parametrize(
    "changes", [{"methods": "email"}, {"place": "Lund"}, {"outcome": "cancelled"}]
)
def test_what_a_takeover_is_not(changes):
    """A verification by other means, a known site, or no success at all is no takeover."""
    row = named("taken", "person9", 2, **({"place": STRANGE} | changes))

    assert (
        takeover.tested(made([*usual(), *attempt()[:-1], row], [registration()])).suspicions == ()
    )


def test_a_network_that_was_used_before_is_no_stranger():
    """Who was there before, or somebody else, makes the network no stranger."""
    for person in ("person9", "person10"):
        before = named("before", person, 20, place=STRANGE)

        rows = [*usual(), before, *attempt()]
        assert takeover.tested(made(rows, [registration()])).suspicions == ()


def test_nobody_knows_when_an_address_of_the_first_day_was_first_seen():
    """An export begins some day, and with it every address that people use anyway."""
    whole = made([*usual(), *attempt()], [registration()])
    late = replace(whole, baseline=Window(ago(2.2), whole.baseline.end))

    assert takeover.tested(whole).suspicions
    assert not takeover.tested(late).suspicions


def test_many_odd_resets_of_one_address_are_reckoned_with():
    """However many ways there are to choose them from all."""
    assert takeover.together(pd.Series([0.9] * 400), 2_000) == 1.0
    assert takeover.together(pd.Series([1e-9] * 3), 5) == pytest.approx(10 * 1e-27)


def test_several_victims_of_one_address_are_one_takeover():
    """An address that takes over one account after another is told once, with all of them."""
    rows, acts = [], []
    for n in range(4):
        who = {"person": f"victim{n}", "upn": f"victim{n}@example.com"}
        rows += [row | who | {"flow_id": f"{row['flow_id']}-{n}"} for row in attempt(tries=1)]
        acts.append(registration(person=f"victim{n}") | {"act_id": f"r{n}"})

    found = only(takeover.tested(made([*usual(), *rows], acts)))

    assert found.users == 4
    assert found.scope.ips == (STRANGE,)
    assert found.p < 1e-6


def test_one_unlucky_guest_of_a_conference_is_no_takeover():
    """Behind an address with many new guests, one who tried twice before is no news."""
    guests = [named(f"g{n}", f"guest{n}", 2 - n / 100, place=STRANGE) for n in range(40)]

    found = takeover.tested(made([*usual(), *guests, *attempt(tries=2)])).suspicions
    assert all(one.p > NUMBERS["false_discovery"] for one in found)


def test_a_sign_in_before_makes_it_their_own():
    """A success from there before, in the sign-ins, is as good as a flow."""
    seen = signed_in({"person": "person9", "ip_group": STRANGE, "time_utc": ago(20)})

    found = takeover.tested(made([*usual(), *attempt()], [registration()], known=seen))

    assert found.suspicions == ()


def test_a_registration_of_somebody_else_or_much_later_is_none():
    """Only the person's own security info, within the hour, counts."""
    for act in (registration(person="person10"), registration(days=1.9)):
        found = only(takeover.tested(made([*usual(), *attempt()], [act])))

        assert of(found, "registered-after").state is State.QUIET


def test_a_reset_by_an_administrator_is_told():
    """The help desk that resets it again two hours later is evidence."""
    act = registration(days=1.9) | {"kind": "admin-reset"}

    found = only(takeover.tested(made([*usual(), *attempt()], [act])))

    assert of(found, "reset-by-admin-after").state is State.FIRED


def test_an_ordinary_tenant_has_no_takeover():
    """People at sites are not suspected, and nor is nobody."""
    assert takeover.tested(made(usual())).suspicions == ()
    assert takeover.tested(made([])).suspicions == ()
