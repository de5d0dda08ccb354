"""Successes from outside that are followed by need show devices that cannot take the password."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import (
    DAY,
    END,
    HOUR,
    MINUTE,
    NUMBERS,
    OFFICE,
    SITES,
    START,
    act,
    at_screen,
    context,
    device,
    home,
    made,
    sign_in,
)

from sspr_audit import knowledge
from sspr_audit.evidence import aftermath, reach, successes
from sspr_audit.model import Context, Site, State

TARGET = "hybrid-device-off-network"
KNOWN = knowledge.load()


class Tenant:
    """People who reset: 20 outside of whom some come back, 20 inside and 40 in a browser."""

    def __init__(self, *, back=12, outside=20, inside=20, browser=40, trust="hybrid"):
        self.flows, self.acts, self.sign_ins, self.devices = [], [], [], []
        self.trust = trust
        for n in range(outside):
            self.reset(n, n < back)
        for n in range(100, 100 + inside):
            self.reset(n, ip=OFFICE)
        for n in range(200, 200 + browser):
            self.reset(n, client="browser")

    def reset(self, n, again=False, *, ip=None, client="windows-signin"):  # noqa: FBT002
        """A reset; who is back could not open the device at home, and does at the office."""
        at = END - 3 * DAY + n * 5 * MINUTE
        ip = ip or home(n)
        self.flows.append(at_screen(n, at, ip=ip, client=client))
        self.devices.append(device(n, self.trust))
        self.sign_ins.append(sign_in(n, at - DAY, ip=OFFICE, trust=self.trust))
        if again:
            self.flows.append(at_screen(n, at + 2 * HOUR, ip=ip, client=client))
            self.sign_ins.append(sign_in(n, at + 20 * HOUR, ip=OFFICE, trust=self.trust))
        else:
            self.sign_ins.append(sign_in(n, at + 10 * MINUTE, ip=ip, trust=self.trust))

    def known(self, **changed):
        return context(**{"sign_ins": self.sign_ins, "devices": self.devices, **changed})

    def material(self, known=None, **fields):
        return made(self.flows, self.acts, known=known or self.known(), **fields)


def mixed():
    """Who is back, and half of those inside, are on hybrid devices; all others are not."""
    tenant = Tenant()
    hybrid = {*range(12), *range(100, 110)}
    tenant.devices = [
        one if int(one["device_id"][3:]) in hybrid else {**one, "trust": "joined"}
        for one in tenant.devices
    ]
    return tenant


def found(material, target=TARGET):
    return [one for one in aftermath.tested(material).suspicions if one.target == target]


def states(suspicion):
    return {one.id: one.state for one in suspicion.signals}


# What raises it


def test_people_who_are_back_after_a_success_outside_raise_it_once():
    """One suspicion for the tenant, about those people, their devices and addresses."""
    (one,) = found(Tenant().material())

    assert one.users == one.flows == len(one.flow_ids) == 12
    assert one.scope.users == tuple(sorted(f"p{n}@example.com" for n in range(12)))
    assert one.scope.devices == tuple(sorted(f"pc-{n}" for n in range(12)))
    assert set(one.scope.ips) == {home(n) for n in range(12)}
    assert not one.scope.sites
    assert one.p < 0.001


def test_the_sentence_tells_both_sides_and_what_came_after():
    (one,) = found(Tenant().material())

    assert one.signals[0].statement == (
        "12 of 20 people whose reset at the sign-in screen succeeded outside were in need again"
        " within 24 hours (12 reset again), beside 0 % of 20 people inside and 0 % of 40 people in"
        " a browser"
    )


@pytest.mark.parametrize("side", ["inside", "browser"])
def test_where_others_are_back_as_often_there_is_nothing(side):
    """The same share inside, or in a browser, says that it is not the place."""
    tenant = Tenant(**{side: 0})
    start = {"inside": 100, "browser": 200}[side]
    where = {"inside": {"ip": OFFICE}, "browser": {"client": "browser"}}[side]
    for n in range(start, start + 40):
        tenant.reset(n, n % 5 < 3, **where)

    assert not found(tenant.material())


@pytest.mark.parametrize(
    "how",
    [
        lambda n, at: [at_screen(n, at, outcome="blocked", stage=10)],
        lambda n, at: [at_screen(n, at, outcome="failed", stage=60)],
        lambda n, at: [act(f"id-{n}", at)],
    ],
    ids=["block", "refused password", "administrator"],
)
def test_a_block_a_refused_password_and_an_administrator_count(how):
    tenant = Tenant(back=0)
    for n in range(12):
        for one in how(n, END - 3 * DAY + n * 5 * MINUTE + 5 * HOUR):
            (tenant.acts if "act_id" in one else tenant.flows).append(one)

    assert [one.users for one in found(tenant.material())] == [12]


@pytest.mark.parametrize(
    "what",
    [
        lambda n, at: at_screen(n, at, outcome="abandoned", stage=20),
        lambda n, at: act(f"id-{n}", at, outcome="failed"),
        lambda n, at: act(f"id-{n}", at, kind="registration"),
        lambda n, at: act(f"id-{n}", at + 30 * HOUR),
    ],
    ids=["look", "failed help", "registration", "days later"],
)
def test_other_things_do_not_count(what):
    """A look at the portal, a failed help, a registration, and what comes days later."""
    tenant = Tenant(back=0)
    for n in range(12):
        one = what(n, END - 3 * DAY + n * 5 * MINUTE + 5 * HOUR)
        (tenant.acts if "act_id" in one else tenant.flows).append(one)

    assert not found(tenant.material())


def test_one_person_who_comes_back_ever_again_is_one_person():
    tenant = Tenant(back=0)
    for n in range(40):
        tenant.flows.append(at_screen(1, END - 50 * DAY + n * DAY))

    assert not found(tenant.material())


def test_what_lies_past_the_end_of_the_data_is_not_counted():
    """A success of the last day may still be followed by need: it says nothing yet."""
    tenant = Tenant()
    for n in range(300, 320):
        tenant.flows.append(at_screen(n, END - HOUR))
    (one,) = found(tenant.material())

    assert one.signals[0].support == 20


def test_what_is_over_is_not_reported():
    tenant = Tenant()
    for one in tenant.flows:
        one["start_utc"], one["end_utc"] = (one[k] - 20 * DAY for k in ("start_utc", "end_utc"))

    assert not found(tenant.material())
    assert found(tenant.material(days=30))


def test_what_began_lately_is_seen_through_a_long_calm():
    """Hundreds of good days of the same people do not hide a week of bad ones."""
    tenant = Tenant()
    for n in range(20):
        tenant.flows.append(at_screen(n, END - 50 * DAY))

    assert [one.users for one in found(tenant.material())] == [12]


def test_a_look_that_is_not_sure_enough_alone_gives_no_sure_one_away():
    """Four of six of late are a greater share than all there ever were, but prove less."""
    tenant = Tenant(back=4, outside=6, inside=50, browser=42)
    for n in range(300, 460):
        at = END - 50 * DAY + n * MINUTE
        client = "browser" if n >= 400 else "windows-signin"
        ip = OFFICE if n >= 330 else home(n)
        tenant.flows.append(at_screen(n, at, ip=ip, client=client))
        if n < 310:
            tenant.flows.append(at_screen(n, at + 2 * HOUR, ip=ip))

    (one,) = found(tenant.material())

    assert one.users == 14
    assert one.p < 1e-6


# Inside and outside


def few(material):
    return [one.needs for one in aftermath.tested(material).few if one.target == TARGET]


def test_where_nobody_says_what_is_inside_devices_tell():
    """Three people whose hybrid devices took the new password at the office show that it is."""
    tenant = Tenant()
    sites = (Site("Malmö", ("198.51.100.0/24",)),)

    assert [one.users for one in found(tenant.material(sites=sites))] == [12]
    assert not found(tenant.material(tenant.known(sign_ins=None), sites=sites))


@pytest.mark.parametrize(
    "sites",
    [
        (),
        (Site("Malmö", ("198.51.100.0/24",)),),
        (Site("Malmö", ("198.51.100.0/24",), trusted=False),),
    ],
    ids=["no site", "no word", "not trusted"],
)
def test_where_nobody_says_what_is_inside_it_is_unknown(sites):
    tested = aftermath.tested(Tenant().material(Context(), sites=sites))

    assert not tested.suspicions
    assert tested.few[0].needs.startswith("named locations: trusted ones, or dc_reachable")


def test_a_trusted_named_location_is_inside_as_far_as_anybody_said():
    assert found(Tenant().material(sites=(Site("Malmö", ("198.51.100.0/24",), trusted=True),)))


def test_a_site_without_a_domain_controller_is_outside():
    """It is told by its name, and its addresses are not listed."""
    tenant = Tenant()
    for one in tenant.flows:
        if one["ip"] != OFFICE and int(one["person"][3:]) < 20:
            one["site"] = "Lund"
    sites = (*SITES, Site("Lund", ("203.0.113.0/24",), dc_reachable=False))
    (one,) = found(tenant.material(sites=sites))

    assert (one.scope.sites, one.scope.ips) == (("Lund",), ())


def test_an_address_of_several_people_may_be_an_office_that_nobody_named():
    tenant = Tenant()
    for one in tenant.flows:
        if int(one["person"][3:]) < 20:
            one["ip"] = one["ip_group"] = "192.0.2.99"

    assert not found(tenant.material())


def test_too_few_people_outside_are_told_with_how_many_would_do():
    assert few(Tenant(back=2, outside=3).material()) == [
        "more people: 2 who reset at a sign-in screen outside (3 of 5)"
    ]


def test_where_there_is_nobody_to_compare_with_it_is_told():
    assert few(Tenant(inside=2, browser=1).material()) == [
        "more people: 3 who reset inside or in a browser, to compare with (2 of 5)"
    ]


def test_a_tenant_without_the_sign_in_screen_has_nothing_to_tell():
    tenant = Tenant(outside=0, inside=0)

    assert aftermath.tested(tenant.material()).suspicions == ()
    assert few(tenant.material()) == ["ClientType: no success of this data names a sign-in screen"]


def test_nothing_at_all_is_nothing():
    assert aftermath.tested(made([])).suspicions == ()
    assert aftermath.tested(made([], known=context(sign_ins=[], devices=[]))).suspicions == ()


# What supports it, and what speaks against it


def test_with_all_data_every_signal_that_should_fire_does():
    """Devices that were opened inside at last; no signal against it fires."""
    tenant = mixed()
    for n in range(12):
        at = END - 3 * DAY + n * 5 * MINUTE
        tenant.sign_ins += [
            sign_in(n, at + 30 * MINUTE, error=50126),
            sign_in(n, at + 40 * MINUTE, app="Mail", device_id=None),
        ]
    (one,) = found(tenant.material())

    assert states(one) == {
        "trouble-after-success-outside": State.FIRED,
        "hybrid-device": State.FIRED,
        "device-not-opened": State.FIRED,
        "opened-inside-at-last": State.FIRED,
        "stale-device-credential": State.FIRED,
        "new-password-worked-in-cloud": State.FIRED,
        "joined-devices-too": State.QUIET,
        "opened-outside": State.QUIET,
        "healed-within-minutes": State.QUIET,
        "place-reaches-dc": State.QUIET,
    }


def test_without_context_all_else_is_unknown_and_names_its_data():
    (one,) = found(Tenant().material(known=Context()))

    assert {s.state for s in one.signals[1:]} == {State.UNKNOWN}
    assert all(s.needs for s in one.signals[1:])


def test_joined_devices_that_show_the_same_speak_against_it():
    (one,) = found(Tenant(trust="joined").material())

    assert states(one)["joined-devices-too"] is State.FIRED
    assert states(one)["hybrid-device"] is State.QUIET


def a_few_hybrid_devices(slips):
    """Eight people outside on hybrid devices, six of them back; 60 on others, some of them back."""
    tenant = Tenant(back=6, outside=8)
    for n in range(8, 68):
        tenant.reset(n, again=n < 8 + slips)
    others = {f"pc-{n}" for n in range(8, 68)}
    for rows in (tenant.devices, tenant.sign_ins):
        rows[:] = [one | {"trust": "joined"} if one["device_id"] in others else one for one in rows]
    return tenant.material()


def test_a_few_hybrid_devices_do_not_drown_among_others():
    """They are held against everybody else, and are told of alone."""
    (one,) = found(a_few_hybrid_devices(slips=2))

    assert one.scope.devices == tuple(sorted(f"pc-{n}" for n in range(6)))
    assert "6 of 8 people whose reset at the sign-in screen succeeded outside on hybrid" in (
        one.signals[0].statement
    )
    assert states(one)["device-not-opened"] is State.FIRED
    assert states(one)["joined-devices-too"] is State.QUIET


def test_others_outside_who_need_no_domain_controller_make_it_surer():
    """They are at home as well, at the same screen, and spared."""

    def least(others):
        tenant = Tenant(back=6, outside=8, inside=2, browser=0)
        for n in range(200, 300):
            tenant.reset(n, n % 8 == 0, client="browser")
        for n in range(8, 8 + others):
            tenant.reset(n)
            tenant.devices[-1]["trust"] = tenant.sign_ins[-1]["trust"] = "joined"
            tenant.sign_ins[-2]["trust"] = "joined"
        (one,) = found(tenant.material())
        return one.p

    assert least(others=30) < least(others=0)


def test_others_who_are_back_as_often_speak_against_hybrid_devices():
    """Where half of the others are back as well, it is not for want of a domain controller."""
    (one,) = found(a_few_hybrid_devices(slips=30))

    assert states(one)["joined-devices-too"] is State.FIRED


def test_where_all_devices_are_hybrid_that_says_nothing():
    (one,) = found(Tenant().material())

    assert states(one)["hybrid-device"] is State.FEW


def test_devices_that_open_where_the_reset_was_made_speak_against_it():
    tenant = Tenant()
    for n in range(12):
        tenant.sign_ins.append(sign_in(n, END - 3 * DAY + n * 5 * MINUTE + 20 * MINUTE))
    (one,) = found(tenant.material())

    assert states(one)["opened-outside"] is State.FIRED
    assert states(one)["device-not-opened"] is State.QUIET


def test_another_device_of_the_person_does_not_open_this_one():
    tenant = Tenant()
    for n in range(12):
        at = END - 3 * DAY + n * 5 * MINUTE + 20 * MINUTE
        tenant.sign_ins.append(sign_in(n, at, device_id=f"other-{n}", trust="joined"))
    (one,) = found(tenant.material())

    assert states(one)["opened-outside"] is State.QUIET


def test_a_password_that_works_minutes_later_speaks_against_it():
    tenant = Tenant()
    for n in range(12):
        end = END - 3 * DAY + n * 5 * MINUTE + 3 * MINUTE
        tenant.sign_ins += [
            sign_in(n, end + MINUTE, error=50126),
            sign_in(n, end + 4 * MINUTE),
        ]
    (one,) = found(tenant.material())

    assert states(one)["healed-within-minutes"] is State.FIRED


def test_a_place_where_devices_take_the_password_speaks_against_it():
    """Settings say that Lund reaches no domain controller; its devices show that it does."""
    tenant = Tenant(back=12)
    for one in (*tenant.flows, *tenant.sign_ins):
        if int(one["person"][3:]) < 20 and one["ip"] != OFFICE:
            one.update(site="Lund", ip="192.0.2.99", ip_group="192.0.2.99")
    sites = (*SITES, Site("Lund", ("192.0.2.99/32",), dc_reachable=False))
    (one,) = found(tenant.material(sites=sites))

    assert states(one)["place-reaches-dc"] is State.FIRED


def test_sign_ins_of_nobody_followed_are_not_all_that_there_were():
    """What a store holds of others says nothing of these people's silence."""
    tenant = Tenant()
    (one,) = found(tenant.material(tenant.known(watched=[])))

    assert states(one)["device-not-opened"] is State.UNKNOWN
    assert states(one)["opened-outside"] is State.UNKNOWN


def test_people_who_were_followed_one_by_one_are_known():
    tenant = mixed()
    spans = [
        {"person": one["person"], "start_utc": one["end_utc"], "end_utc": one["end_utc"] + DAY}
        for one in tenant.flows
    ]
    (one,) = found(tenant.material(tenant.known(watched=spans)))

    assert states(one)["device-not-opened"] is State.FIRED
    assert states(one)["opened-outside"] is State.QUIET


# Passwords that have not arrived yet


def refused_at_first(early, *, later=20):
    tenant = Tenant(back=0)
    tenant.sign_ins = []
    for n in range(early + later):
        end = tenant.flows[n]["end_utc"]
        tries = (
            [sign_in(n, end + MINUTE, error=50126), sign_in(n, end + 5 * MINUTE)]
            if n < early
            else [sign_in(n, end + 30 * MINUTE)]
        )
        tenant.sign_ins += [{**one, "person": tenant.flows[n]["person"]} for one in tries]
    return tenant


def test_refusals_of_the_first_minutes_that_heal_are_a_password_on_its_way():
    (one,) = found(refused_at_first(12).material(), "phs-catch-up-delay")

    assert one.users == 12
    assert one.signals[0].state is State.FIRED


def tried_at_once(tenant, *numbers):
    """Let the people of these flows be accepted by their first try, on their own devices."""
    for flow in (tenant.flows[n] for n in numbers):
        who = int(flow["person"].removeprefix("id-"))
        tenant.sign_ins.append(sign_in(who, flow["end_utc"] + MINUTE, ip=flow["ip"]))
    return tenant


def test_a_few_early_refusals_among_many_good_tries_are_slips_of_the_hand():
    tenant = tried_at_once(refused_at_first(12, later=30), *range(12, 30))

    assert not found(tenant.material(), "phs-catch-up-delay")


def joined_to_entra_alone(tenant, *numbers):
    theirs = {tenant.flows[n]["person"].replace("id", "pc") for n in numbers}
    changed = {"trust": "joined"}
    for rows in (tenant.devices, tenant.sign_ins):
        rows[:] = [one | changed if one["device_id"] in theirs else one for one in rows]
    return tenant


def test_a_password_on_its_way_is_seen_though_most_people_have_none_to_wait_for():
    """The same slips on every device are slips; refused hybrid devices among others are not."""
    others = range(12, 30)
    alike = tried_at_once(refused_at_first(12, later=30), *others)
    apart = tried_at_once(refused_at_first(12, later=30), *others)
    joined_to_entra_alone(apart, *others)
    (one,) = found(apart.material(), "phs-catch-up-delay")

    assert not found(alike.material(), "phs-catch-up-delay")
    assert one.users == 12
    assert states(one)["others-spared"] is State.FIRED


def test_where_nobody_has_a_hybrid_device_nothing_is_on_its_way():
    """There is nobody then of whom more could be refused than of the others."""
    tenant = tried_at_once(refused_at_first(12, later=40), *range(12, 30))
    joined_to_entra_alone(tenant, *range(52))

    assert not found(tenant.material(), "phs-catch-up-delay")


def test_slips_of_the_hand_spare_no_kind_of_device():
    """People whose passwords are in the cloud alone are refused, too; fewer of them by chance."""
    tenant = joined_to_entra_alone(refused_at_first(12), *range(6))
    tried_at_once(tenant, *range(12, 20))
    joined_to_entra_alone(tenant, *range(12, 18))
    (mixed_up,) = found(tenant.material(), "phs-catch-up-delay")
    (hybrid_alone,) = found(refused_at_first(12).material(), "phs-catch-up-delay")
    (unknown,) = found(
        tenant.material(tenant.known(devices=None, sign_ins=without_devices(tenant))),
        "phs-catch-up-delay",
    )

    assert states(mixed_up)["others-spared"] is State.QUIET
    assert states(hybrid_alone)["others-spared"] is State.FEW
    assert states(unknown)["others-spared"] is State.UNKNOWN


def test_hands_that_slip_at_the_same_time_are_not_told_of():
    """Where most are refused, those on other devices are left out once they are refused less."""
    tenant = tried_at_once(refused_at_first(18, later=40), *range(18, 30))
    (one,) = found(joined_to_entra_alone(tenant, *range(12, 30)).material(), "phs-catch-up-delay")

    assert set(one.flow_ids) == {tenant.flows[n]["flow_id"] for n in range(12)}
    assert one.signals[0].statement.startswith("12 of 12 people on hybrid devices")


def without_devices(tenant):
    return [one | {"device_id": None, "trust": None} for one in tenant.sign_ins]


def test_an_earlier_reset_without_sign_ins_does_not_hide_a_later_one():
    """Sign-ins are kept for a month, resets for longer."""
    tenant = refused_at_first(12)
    tenant.flows += [at_screen(n, START + n * MINUTE, ip=home(n)) for n in range(12)]

    assert [one.users for one in found(tenant.material(), "phs-catch-up-delay")] == [12]


def test_without_sign_ins_it_is_said_and_no_other_test_counts_for_more():
    """What is missing must not raise a finding: as many tests are corrected for."""
    tenant = refused_at_first(12)
    known, without = (
        aftermath.tested(tenant.material(tenant.known(**words)))
        for words in ({}, {"sign_ins": None})
    )

    assert known.tests == without.tests
    assert [one.needs.partition(":")[0] for one in without.few] == ["sign-ins"]


def test_later_refusals_are_slips_of_the_hand():
    """Who mistypes does so at any time."""
    tenant = refused_at_first(12)
    for one in list(tenant.sign_ins):
        if one["time_utc"].minute % 5 == 3 and one["error"] == 0:
            tenant.sign_ins.append(
                {
                    **one,
                    "sign_in_id": f"{one['sign_in_id']}-slip",
                    "time_utc": one["time_utc"] - MINUTE,
                    "error": 50126,
                    "succeeded": False,
                }
            )

    assert not found(tenant.material(), "phs-catch-up-delay")


# What must hold whatever the data


def without(known, *kinds):
    gone = dict.fromkeys(kinds)
    return replace(known, **gone, **({"watched": None} if "sign_ins" in kinds else {}))


@settings(max_examples=10)  # two tenants each
@given(st.sets(st.sampled_from(["sign_ins", "devices"])), st.integers(0, 16))
def test_missing_context_never_lowers_p_nor_makes_the_unknown_fire(gone, back):
    tenant = Tenant(back=back)
    whole, less = tenant.known(), without(tenant.known(), *gone)
    before = {one.target: one for one in aftermath.tested(tenant.material(whole)).suspicions}
    after = {one.target: one for one in aftermath.tested(tenant.material(less)).suspicions}

    assert after.keys() <= before.keys()
    for target, one in after.items():
        assert one.p == before[target].p
        was = states(before[target])
        assert all(
            was[name] is not State.UNKNOWN or state is State.UNKNOWN
            for name, state in states(one).items()
        )


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(dice):
    tenant = mixed()
    for rows in (tenant.flows, tenant.sign_ins, tenant.devices):
        dice.shuffle(rows)

    assert aftermath.tested(tenant.material()) == WHOLE


WHOLE = aftermath.tested(mixed().material())


@settings(max_examples=10)
@given(st.integers(0, 20), st.integers(0, 20))
def test_more_who_are_back_never_make_it_less_sure(fewer, more):
    def p(back):
        material = Tenant(back=back).material(known=Context())
        return next((one.p for one in found(material)), 1.0)

    fewer, more = sorted((fewer, more))
    assert p(more) <= p(fewer)


def test_every_signal_of_a_pattern_is_made():
    """A slip of the pen in the catalogue would otherwise be a signal for ever unknown."""
    (one,) = found(Tenant().material())
    pattern = KNOWN.pattern(TARGET)
    late = KNOWN.pattern("phs-catch-up-delay")
    (other,) = found(refused_at_first(12).material(), "phs-catch-up-delay")

    assert set(states(one)) == {*pattern.needs, *pattern.supports, *pattern.spoilers}
    assert set(states(other)) == {*late.needs, *late.supports, *late.spoilers}


# Reach


def proved(*rows):
    heads = pd.DataFrame(rows, columns=["place", "person", "trust", "opened"])
    return list(reach.proved(heads, NUMBERS["reached"]))


def test_three_people_whose_hybrid_devices_opened_show_that_a_place_reaches():
    rows = [("Lund", f"id-{n}", "hybrid", True) for n in range(3)]
    nowhere = [(None, f"id-{n}", "hybrid", True) for n in range(3)]

    assert proved(*rows, ("Lund", "id-9", "joined", False)) == [True] * 4
    assert proved(*rows[:2], rows[0]) == [False] * 3
    assert proved(*nowhere) == [False] * 3


def test_an_office_with_two_ways_out_that_nobody_named_is_inside():
    """Devices that open by either of its addresses show it, and so do sign-ins by either."""
    out = ("198.51.100.9", "198.51.100.10")
    at = START + 30 * DAY
    flows, opened = [], []
    for n in range(8):
        flows.append(at_screen(n, at + n * HOUR, ip=out[n % 2]))
        opened += [sign_in(n, at + n * HOUR + 9 * MINUTE, ip=out[n % 2])]
        opened += [sign_in(n, at + n * HOUR + DAY, ip=out[1 - n % 2])]
    here = made(flows, known=context(sign_ins=opened), sites=())

    assert set(reach.sided(here, here.flows["place"])) == {reach.INSIDE}
    assert set(reach.at(here, here.context.sign_ins)) == {reach.INSIDE}


def test_devices_that_need_no_domain_controller_show_nothing_of_a_place():
    assert not any(proved(*(("Lund", f"id-{n}", "joined", True) for n in range(5))))


def test_a_success_that_follows_another_is_no_beginning():
    """Of three resets in two days the first counts; one a week later counts again."""
    at = START + DAY
    rows = [at_screen(1, at + hours * HOUR) for hours in (0, 20, 40, 240)]
    beginnings = successes.heads(made(rows))

    assert list(beginnings["flow_id"]) == [rows[0]["flow_id"], rows[3]["flow_id"]]
    assert list(beginnings["hit"]) == [True, False]
