"""A sign-in screen that fell silent is seen, by its people; a small or a usual place is not."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from material import (
    ADDRESSES,
    DAY,
    END,
    HOUR,
    MONDAY,
    WEEKS,
    act,
    framed,
    habits,
    made,
    on_day,
    reset,
    signal,
)

from sspr_audit import tables
from sspr_audit.evidence import absent, explaining
from sspr_audit.evidence.material import SCREEN
from sspr_audit.model import Context, Kind, Site, State

LAST_WEEK = range((WEEKS - 1) * 7, WEEKS * 7)
SILENT_FROM = 28
"""The day on which Malmö falls silent, four weeks before the end."""
USUAL = [one for place in ("Oslo", "Turku", "Reims") for one in habits(place, 40, 0.4)]
SPOKE = list(habits("Malmö", 40, 0.4, days=range(SILENT_FROM)))
SILENT = list(habits("Malmö", 40, 0.0, days=range(SILENT_FROM, WEEKS * 7)))
SCREEN_OR_NOT = ("not-recorded", SCREEN)


def suspicion(flows, *more, **words):
    """Return the one suspicion that these flows raise."""
    (found,) = absent.tested(made(flows, *more, **words)).suspicions
    return found


@pytest.fixture(scope="module")
def malmo():
    return suspicion([*USUAL, *SPOKE, *SILENT])


def test_a_place_that_fell_silent_is_named(malmo):
    """By its site, its addresses, its people and flows since it fell silent."""
    assert malmo.target == "signin-screen-silent-at-site"
    assert (malmo.scope.sites, malmo.scope.ips) == (("Malmö",), (ADDRESSES["Malmö"],))
    assert malmo.users == len({one["person"] for one in SILENT})
    assert len(SILENT) <= malmo.flows <= len(SILENT) + 3  # and the last before it
    assert malmo.p < 1e-6
    assert not malmo.over


def test_when_it_began_is_estimated(malmo):
    """The onset lies in its interval, and the interval is days, not weeks."""
    began, surely = malmo.onset
    onset = MONDAY + timedelta(days=SILENT_FROM)
    assert began <= onset <= surely
    assert surely - began < timedelta(days=14)
    assert began <= malmo.first_seen <= surely


def test_its_own_past_agrees(malmo):
    """That people there used the sign-in screen before is a signal of another family."""
    found = signal(malmo, "fell-silent")
    assert (found.state, found.kind) == (State.FIRED, Kind.TIME)


def test_working_places_raise_nothing():
    """Where people use the sign-in screen as everywhere, nothing is suspected."""
    found = absent.tested(made([*USUAL, *SPOKE]))
    assert not found.suspicions
    assert found.tests >= 3


def test_a_place_that_never_spoke_is_suspected_without_a_past():
    """The link may never have been deployed there: nothing of another family says more."""
    found = suspicion([*USUAL, *habits("Malmö", 40, 0.0)])
    assert signal(found, "fell-silent").state is not State.FIRED
    assert signal(found, "no-devices-there").state is State.UNKNOWN


def test_what_never_spoke_has_no_beginning():
    """The data's first day is not the day on which it began, nor are its changes to blame."""
    found = suspicion([*USUAL, *habits("Malmö", 40, 0.0)])

    assert found.onset is None
    assert signal(found, "changed-before").state is State.UNKNOWN


def test_a_place_that_is_over_says_so():
    """A silence that ended inside the window is told with its end."""
    again = [on_day(f"malmö-{n}", 53, "Malmö", client="windows-signin") for n in range(9)]
    found = suspicion(
        [
            *USUAL,
            *SPOKE,
            *(one for one in SILENT if one["start_utc"] < again[0]["start_utc"]),
            *again,
        ]
    )
    assert found.over
    assert found.last_seen < again[0]["start_utc"]


@pytest.mark.parametrize(("day", "of"), [(50, 15), (53, 4)])
def test_a_visitor_ends_no_silence(day, of):
    """Who brings a device of another site uses its link; the people of the place still do not.

    That is told, whether many came since then or hardly anybody.
    """
    visitor = on_day("oslo-7", day, "Malmö", hour=6, client="windows-signin")
    found = suspicion([*USUAL, *SPOKE, *SILENT, visitor])
    told = signal(found, "signin-screen-silent").statement

    assert not found.over
    assert " until " not in told
    assert f" none at the sign-in screen, but 1 of {of} people from 2026-10-" in told


def test_a_silence_ends_with_whoever_comes_at_the_same_instant():
    """Log times are coarse: the last who could not and the first who could may share one."""
    flows = [*USUAL, *SPOKE, *SILENT]
    last = max(one["start_utc"] for one in SILENT)
    both = [
        reset(f"malmö-{n}", last, "Malmö", client="windows-signin", flow_id=f"last of all {n}")
        for n in range(2)
    ]

    assert not suspicion(flows).over
    assert suspicion([*flows, *both]).over


def test_a_place_does_not_hide_itself_by_being_unlike_the_others():
    """One visitor among many people makes p hardly greater than none does."""
    visitor = on_day("oslo-7", 53, "Malmö", client="windows-signin")
    never = [*USUAL, *habits("Malmö", 40, 0.0)]

    assert suspicion([*never, visitor]).p < 10 * suspicion(never).p


def test_others_who_always_use_it_were_counted_on_so_many():
    """Where all of six people elsewhere use the sign-in screen, a silence is no impossibility."""
    always = [
        on_day(f"oslo-{n}", 3 + 7 * (n % 7), "Oslo", client="windows-signin") for n in range(6)
    ]
    silent = [on_day(f"malmö-{n}", 50 + n % 4, "Malmö") for n in range(6)]

    assert suspicion([*always, *silent]).p > 1e-5


def test_each_at_the_sign_in_screen_could_have_begun_a_silence():
    """The longest of ten silences was looked for, even if nobody came between the other nine."""
    silent = [one for one in SILENT if one["start_utc"] < MONDAY + timedelta(days=53)]
    once, often = (
        [on_day(f"guest-{n}", 53, "Malmö", client="windows-signin") for n in range(count)]
        for count in (1, 9)
    )
    first, tenth = (suspicion([*USUAL, *SPOKE, *silent, *again]).p for again in (once, often))

    assert tenth == pytest.approx(first * 10 / 2)


def test_the_last_before_a_silence_tells_nothing_of_how_usual_the_screen_was():
    """Any silence that began has one before it: of a place that just opened nothing is known."""
    never = [*USUAL, *habits("Malmö", 40, 0.0)]
    last = on_day("guest", 0, "Malmö", hour=0, client="windows-signin")

    assert suspicion([*never, last]).p == pytest.approx(suspicion(never).p)


def test_small_places_where_nobody_happened_to_use_it_count():
    """Where six of 200 people of twenty small offices use it, it is no wonder if none of 120 do."""
    small = [
        {**one, "site": f"{number}", "person": f"{number}-{one['person']}"}
        for number in range(20)
        for one in habits("Lund", 10, 0.1 if number < 6 else 0.0)
    ]
    silent = list(habits("Malmö", 120, 0.0))

    assert all(one.p > 0.005 for one in absent.tested(made([*small, *silent])).suspicions)


def test_most_people_at_one_other_place_show_how_that_place_is():
    """What is usual is less sure from one large place and one small than from two alike."""
    silent = list(habits("Malmö", 40, 0.0))
    even, uneven = (
        [*habits("Oslo", large, 0.4), *habits("Turku", small, 0.4), *silent]
        for large, small in ((100, 100), (190, 10))
    )

    assert suspicion(uneven).p > 1.5 * suspicion(even).p


def test_a_silence_that_ended_before_the_window_is_past():
    """Only what is active in the window is suspected."""
    again = list(habits("Malmö", 40, 0.4, days=range(42, WEEKS * 7)))
    before = [one for one in SILENT if one["start_utc"] < MONDAY + timedelta(days=42)]
    assert not absent.tested(made([*USUAL, *SPOKE, *before, *again])).suspicions


def test_a_silence_that_the_next_to_come_could_have_ended_is_past():
    """Where two came in the window before the screen spoke, it may have been well by then."""
    before = [one for one in SILENT if one["start_utc"] < MONDAY + timedelta(days=49)]
    later = [on_day(f"malmö-{n}", 49, "Malmö") for n in range(2)]
    again = list(habits("Malmö", 40, 0.4, days=range(50, WEEKS * 7)))

    assert not absent.tested(made([*USUAL, *SPOKE, *before, *later, *again])).suspicions
    assert absent.tested(made([*USUAL, *SPOKE, *before, *later])).suspicions  # it goes on


@pytest.mark.parametrize("shared", [True, False])
def test_at_what_sites_share_a_screen_must_have_spoken(shared):
    """Nobody is at a sign-in screen behind a VPN; an office of its own may never have had one."""
    sites = (Site("Malmö", ("198.51.100.0/24",), shared=shared),)
    found = absent.tested(made([*USUAL, *habits("Malmö", 40, 0.0)], sites=sites))

    assert bool(found.suspicions) is not shared


def test_a_place_that_could_never_show_a_silence_is_no_test():
    """Twenty homes cost the sites nothing; each is told how many more people it takes."""
    homes = [
        {**one, "site": f"home-{number}", "person": f"{number}-{one['person']}"}
        for number in range(20)
        for one in habits("Lund", 4, 0.5)
    ]
    alone, beside = (absent.tested(made([*USUAL, *SPOKE, *SILENT, *rows])) for rows in ([], homes))

    assert beside.tests == alone.tests
    assert len(beside.few) > len(alone.few)


def test_few_people_make_no_verdict():
    """A small place is not suspected; how many people more would do is said."""
    found = absent.tested(made([*USUAL, *habits("Malmö", 4, 0.0)]))
    assert not found.suspicions
    (few,) = (one for one in found.few if one.scope.sites == ("Malmö",))
    assert few.needs.startswith("more people: ")
    assert "who reset at Malmö (4 of " in few.needs


def test_since_when_people_are_counted_is_said():
    """Many reset there, but only those since the last one at the screen make the silence."""
    later = [one for one in SILENT if one["person"] in {"malmö-1", "malmö-2", "malmö-4"}]
    found = absent.tested(made([*USUAL, *SPOKE, *later]))

    (few,) = (one for one in found.few if one.scope.sites == ("Malmö",))
    assert "who reset at Malmö since the last one at its sign-in screen (" in few.needs


def test_many_flows_of_few_people_are_few():
    """People are counted, not flows: one clumsy person proves nothing."""
    clumsy = [
        on_day(f"malmö-{n % 3}", day, "Malmö", hour=8 + n % 8)
        for day in LAST_WEEK
        for n in range(30)
    ]
    assert not absent.tested(made([*USUAL, *clumsy])).suspicions


def test_no_client_recorded_anywhere_is_blindness():
    """Where no event names the sign-in screen, absence is not seen, and that is said."""
    found = absent.tested(made([{**one, "client": "not-recorded"} for one in USUAL]))
    assert (found.tests, found.suspicions) == (0, ())
    assert found.few[0].needs.startswith("ClientType: ")


def test_no_flows_at_all():
    """An empty log suspects nothing and does not break."""
    assert absent.tested(made([])).suspicions == ()


def test_failing_browsers_speak_against_it():
    """Where browsers fail as well, it is not the sign-in screen."""
    broken = [{**one, "outcome": "abandoned", "stage": 20} for one in SILENT]
    found = suspicion([*USUAL, *SPOKE, *broken])
    assert signal(found, "browser-fails-too").state is State.FIRED


def test_who_had_longer_to_try_again_is_no_better():
    """Where three in ten fail at first, a place of one try each does no worse than others."""
    once = list({one["person"]: one for one in SILENT}.values())
    failing = {"outcome": "failed", "stage": 60}

    def tried(flows):
        return [one | failing if n % 10 in {2, 5, 8} else one for n, one in enumerate(flows)]

    found = suspicion([*tried(USUAL), *SPOKE, *tried(once)])
    assert signal(found, "browser-fails-too").state is State.QUIET


def test_the_same_people_elsewhere_agree():
    """Who uses the sign-in screen at another office, and never here, has device and habit."""
    travels = [on_day(one["person"], 50, "Oslo", client="windows-signin") for one in SILENT[:40]]
    found = suspicion([*USUAL, *SILENT, *travels])
    assert signal(found, "same-people-elsewhere").state is State.FIRED
    assert signal(found, "no-devices-there").state is State.UNKNOWN  # a VPN looks the same


def test_help_from_administrators_agrees():
    """People who can no longer help themselves are helped."""
    helped = [
        act(one["person"], MONDAY + day * DAY + 12 * HOUR)
        for day, one in zip(range(40, 52), SILENT, strict=False)
    ]
    found = suspicion([*USUAL, *SPOKE, *SILENT], helped)
    assert signal(found, "help-instead").state is State.FIRED


def test_clients_that_are_not_recorded_there_speak_against_it():
    """A place whose clients the log stopped to name may well use the sign-in screen."""
    hidden = [{**one, "client": "not-recorded"} for one in SILENT]
    found = suspicion([*USUAL, *SPOKE, *hidden])
    assert signal(found, "client-not-recorded").state is State.FIRED


def test_where_no_browser_names_its_client_a_silent_place_names_none():
    """Only the sign-in screen is named in some tenants: that nothing is, is the silence itself."""

    def named_at_screens_alone(flows):
        return [one | {"client": SCREEN_OR_NOT[one["client"] == SCREEN]} for one in flows]

    found = suspicion(named_at_screens_alone([*USUAL, *SPOKE, *SILENT]))
    assert signal(found, "client-not-recorded").state is State.QUIET


@pytest.mark.parametrize(
    ("address", "people", "none", "some"),
    [
        (ADDRESSES["Malmö"], 30, State.QUIET, State.FIRED),
        (ADDRESSES["Malmö"], 4, State.QUIET, State.QUIET),
        ("203.0.113.9", 30, State.FIRED, State.QUIET),
    ],
)
def test_windows_sign_ins_show_whether_devices_are_opened_there(address, people, none, some):
    """At an office people open their devices; through a VPN, or at a kiosk, nobody does.

    Where enough do, how others reset is a measure for a place that never spoke, too.
    """
    rows = [
        {
            "sign_in_id": str(n),
            "time_utc": END - timedelta(days=2),
            "person": f"malmö-{n}",
            "of_windows": True,
            "interactive": True,
            "succeeded": True,
            "trust": "joined",
            "ip_group": address,
        }
        for n in range(people)
    ]
    flows = [*USUAL, *habits("Malmö", 40, 0.0)]
    found = suspicion(flows, known=Context(sign_ins=framed(tables.SIGN_INS, rows)))
    assert signal(found, "no-devices-there").state is none
    assert signal(found, "devices-there").state is some


@pytest.mark.parametrize("kind", ["sign_ins", "devices", "managed", "registered", "watched"])
def test_what_is_missing_changes_no_test(kind):
    """A context that is not there moves no p and clears no spoiler."""
    empty = {
        "sign_ins": tables.SIGN_INS,
        "devices": tables.DEVICES,
        "managed": tables.MANAGED,
        "registered": tables.REGISTERED,
        "watched": tables.WATCHED,
    }[kind]
    flows = [*USUAL, *SPOKE, *SILENT]
    with_it = suspicion(flows, known=Context(**{kind: framed(empty, [])}))
    without = suspicion(flows)
    assert without.p == with_it.p
    states = {one.id: one.state for one in with_it.signals}
    for one in without.signals:
        assert one.state in {states[one.id], State.UNKNOWN}


@settings(max_examples=5)
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_flows_does_not_matter(order):
    """Equal flows in any order raise equal suspicions, but for the numbers of the flows."""
    flows = [{"flow_id": str(n), **one} for n, one in enumerate([*USUAL, *SPOKE, *SILENT])]
    mixed = list(flows)
    order.shuffle(mixed)
    assert absent.tested(made(mixed)) == absent.tested(made(flows))


def test_how_far_people_got_is_told_beside_all_other_flows(malmo):
    """The funnel names its control group, and does not call the same people others."""
    told = explaining.explained(malmo, made([*USUAL, *SPOKE, *SILENT]))
    text = signal(told, "how-far").statement
    assert text.startswith(f"How far {malmo.users} people got (1")
    assert " people in other flows): user ID" in text
    assert "done 100 % (100 %)" in text
    assert signal(told, "began").statement.startswith("It began between 2026-")
    assert malmo.flow_ids[-1] in signal(told, "examples").statement


# What a place is


def kinds(flows):
    return made(flows).places["kind"].to_dict()


def test_an_address_is_what_its_people_make_it():
    """Offices, homes, visits and shared egresses are told apart without a name."""
    office = [
        {**one, "site": None, "ip": "198.51.100.9", "ip_group": "198.51.100.9"}
        for one in habits("Turku", 20, 0.3)
    ]
    home = [on_day("oslo-1", day, "203.0.113.5", hour=20) for day in range(0, 50, 9)]
    visit = [on_day(f"oslo-{n}", 30 + n % 2, "203.0.113.77") for n in range(12)]
    found = kinds([*habits("Oslo", 30, 0.3), *office, *home, *visit])
    assert found["Oslo"] == "site"
    assert found["198.51.100.9"] == "office"
    assert found["203.0.113.5"] == "home"
    assert found["203.0.113.77"] == "visit"


def test_neighbours_by_which_the_same_people_come_are_one_place():
    """A site with two ways out is one place, whoever named it; a stranger beside it is not."""
    flows = [
        {**one, "site": None, "ip": ip, "ip_group": ip}
        for number, one in enumerate(habits("Turku", 20, 0.3, every=5))
        for ip in [f"198.51.100.{9 + number % 2}"]
    ]
    beside = [on_day(f"guest-{n}", 3 * n, "198.51.100.12", hour=9 + n % 5) for n in range(9)]
    found = kinds([*habits("Oslo", 30, 0.3), *flows, *beside])
    assert found["198.51.100.9 (+1 beside it)"] == "office"
    assert "198.51.100.10" not in found
    assert "198.51.100.12" in found


def by_two_addresses(place, *sites, every=5):
    """Return flows of a place whose people come by either of two neighbours, with their sites."""
    return [
        {**one, "site": sites[number % 2], "ip": ip, "ip_group": ip}
        for number, one in enumerate(habits(place, 20, 0.3, every=every))
        for ip in [f"198.51.100.{9 + number % 2}"]
    ]


def test_a_neighbour_that_nobody_named_is_the_site_of_its_people():
    """Names are seldom complete: a way out of a site that they lack is that site all the same."""
    flows = [*habits("Oslo", 30, 0.3), *by_two_addresses("Turku", "Turku", None)]
    places = made(flows).flows.groupby("ip_group")["place"].unique()

    assert list(places["198.51.100.9"]) == list(places["198.51.100.10"]) == ["Turku"]


def test_a_neighbour_of_two_sites_is_neither():
    """Where the same people come by both of them, nothing tells whose it is."""
    named = by_two_addresses("Turku", "Turku", "Reims")
    between = [
        {**one, "site": None, "ip": "198.51.100.11", "ip_group": "198.51.100.11"}
        for one in habits("Turku", 20, 0.3)
    ]
    places = made([*habits("Oslo", 30, 0.3), *named, *between]).flows.groupby("ip_group")["place"]

    assert list(places.unique()["198.51.100.11"]) == ["198.51.100.11"]


def test_a_vpn_beside_a_site_is_not_the_site():
    """Its owner's people come by it as well as by their office, and so do those of other places."""
    vpn = [
        {**one, "ip": "198.51.100.10", "ip_group": "198.51.100.10"}
        for one in once_by_vpn("Turku", "Oslo", "Reims")
        if one["site"] is None
    ]
    office = [
        {**one, "ip": "198.51.100.9", "ip_group": "198.51.100.9"}
        for one in habits("Turku", 30, 0.3)
    ]
    flows = [*habits("Oslo", 30, 0.3), *habits("Reims", 30, 0.3), *office, *vpn]

    assert kinds(flows)["198.51.100.10"] == "shared"


def test_what_no_name_covers_is_said():
    """Whoever reads of the site must hear which addresses were counted to it."""
    silent = [
        {**one, "site": None, "ip": "198.51.100.10", "ip_group": "198.51.100.10"}
        if number % 2
        else {**one, "ip": "198.51.100.9", "ip_group": "198.51.100.9"}
        for number, one in enumerate([*SPOKE, *SILENT])
    ]
    flows = [*USUAL, *silent]
    told = explaining.explained(suspicion(flows), made(flows))

    assert told.scope.sites == ("Malmö",)
    text = signal(told, "not-named").statement
    assert text.startswith("No name covers 198.51.100.10: counted as Malmö")


def test_an_egress_of_many_places_is_shared():
    """People of two offices behind one address, day and night: a VPN or a cloud proxy."""
    vpn = [
        on_day(f"{place.lower()}-{n}", (n * 3 + week * 7) % 56, "203.0.113.200", hour=(n * 5) % 24)
        for place in ("Oslo", "Turku")
        for n in range(10)
        for week in range(4)
    ]
    assert (
        kinds([*habits("Oslo", 30, 0.3), *habits("Turku", 30, 0.3), *vpn])["203.0.113.200"]
        == "shared"
    )


def once_by_vpn(*places):
    """Return a flow of each of their people by one address; every third is seen at work, too."""
    for place in places:
        people = [f"{place.lower()}-{n}" for n in range(30)]
        for n, person in enumerate(people):
            yield on_day(person, (n * 3) % 50, "203.0.113.200", hour=8 + n % 9)
            if n % 3 == 0:
                yield on_day(person, (n * 3 + 4) % 50, place)


def test_an_egress_is_known_by_its_few_who_are_seen_twice():
    """Most people reset once; those who were seen again were seen at work, each at his own."""
    found = kinds(list(once_by_vpn("Oslo", "Turku", "Reims")))
    assert found["203.0.113.200"] == "shared"


def test_who_is_elsewhere_at_one_other_place_is_at_home_in_his_own():
    """An office whose people come by a VPN as well is an office; so is a VPN of one office."""
    flows = [
        {**one, "site": None} if one["site"] == "Oslo" else one
        for one in once_by_vpn("Oslo", "Turku", "Reims")
    ]
    assert kinds(flows)[ADDRESSES["Oslo"]] == "office"
    assert kinds(list(once_by_vpn("Oslo")))["203.0.113.200"] == "office"
