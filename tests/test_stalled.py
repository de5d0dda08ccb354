"""Promises about flows that stop before any verification, and codes that do not arrive."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from material import (
    HOUR,
    NO_CODE,
    STOPPED,
    ago,
    as_set,
    home,
    made,
    named,
    shuffled,
    signal,
    signed_in,
    usual,
)

from sspr_audit.evidence import cohorts, gates, scan, stalled
from sspr_audit.model import Kind, Scope, State


def outage(count=12, since=3.0, until=0.1, **changes):
    """Return flows of different people at Lund that stopped, evenly over these days."""
    when = np.linspace(since, until, count)
    columns = {"place": "Lund"} | STOPPED | changes
    return [named(f"out{n}", f"victim{n}", day, **columns) for n, day in enumerate(when)]


def only(tested):
    (found,) = tested.suspicions
    return found


def test_an_ordinary_tenant_is_silent():
    """People who stop now and then, everywhere, are no suspicion."""
    assert stalled.tested(made(usual())).suspicions == ()


def test_nothing_happened_is_right_too():
    """No flows at all: no tests, no suspicions, and a word of what it takes."""
    found = stalled.tested(made([]))

    assert (found.tests, found.suspicions) == (0, ())
    assert [one.needs.partition(":")[0] for one in found.few] == ["more people"]


def test_a_place_that_stops_is_found():
    """A site where everybody stops at the options since three days is named, with its people."""
    found = only(stalled.tested(made([*usual(), *outage()])))

    assert found.target == "stalled-before-verification"
    assert found.scope.sites == ("Lund",)
    assert found.p < 1e-4
    assert found.users >= 12
    assert signal(found, "stops-before-verification").state is State.FIRED
    assert not found.over


def test_its_beginning_is_dated():
    """The interval of the onset holds when the first of them stopped."""
    found = only(stalled.tested(made([*usual(), *outage()])))

    assert signal(found, "sudden-onset").state is State.FIRED
    assert found.onset[0] <= ago(3) <= found.onset[1]


def test_an_outage_that_is_over_is_found_and_said_to_be_over():
    """Two days of trouble in the middle of the week are seen although the place works again."""
    healed = [named(f"ok{n}", f"healed{n}", 2.5 - n / 8, place="Lund") for n in range(19)]
    rows = [*usual(), *outage(since=5.5, until=3.5), *healed]

    found = only(stalled.tested(made(rows)))

    assert found.scope.sites == ("Lund",)
    assert found.over


def test_one_clumsy_person_is_no_outage():
    """One person who stops twenty times counts once."""
    rows = outage(count=20)
    rows = [row | {"person": "clumsy"} for row in rows]

    assert stalled.tested(made([*usual(), *rows])).suspicions == ()


def test_open_flows_do_not_count():
    """Flows that may still go on have not stopped."""
    rows = outage(outcome="open")

    assert stalled.tested(made([*usual(), *rows])).suspicions == ()


def test_stops_after_a_method_are_another_matter():
    """People who started a method got past the options, whatever became of it."""
    rows = outage(stage=30, methods="mobile SMS")

    assert stalled.tested(made([*usual(), *rows])).suspicions == ()


def test_one_client_alone_is_named():
    """Where only the sign-in screen stops, the scope says so."""
    works = [named(f"ok{n}", f"works{n}", 3 - n / 4, place="Lund") for n in range(11)]

    found = only(stalled.tested(made([*usual(), *outage(client="windows-signin"), *works])))

    assert found.scope.clients == ("windows-signin",)


def test_a_device_cohort_is_found_across_places():
    """Devices of one model that stop in every place are named instead of the places."""
    rows = [
        row | {"site": None, "ip_group": f"198.51.100.{n % 6}"}
        for n, row in enumerate(outage(count=18))
    ]
    ordinary = usual()
    devices = (
        pd.DataFrame(
            [(row["flow_id"], "Slate 7") for row in rows]
            + [
                (row["flow_id"], "Slate 7" if n % 5 == 0 else "Desk 2")
                for n, row in enumerate(ordinary)
            ],
            columns=["flow_id", "model"],
        )
        .assign(maker=None, os_version=None)
        .astype("str")
    )

    found = only(stalled.by_device(made([*ordinary, *rows]), devices))

    assert found.scope.devices == ("model Slate 7",)
    assert signal(found, "devices-in-several-places").state is State.FIRED


def slates(rows, ordinary):
    """Return which of these flows were made on a Slate 7, as the join of devices tells it."""
    return pd.DataFrame(
        [(row["flow_id"], "Slate 7") for row in rows]
        + [(row["flow_id"], "Desk 2") for row in ordinary],
        columns=["flow_id", "model"],
    ).assign(maker=None, os_version=None)


@pytest.mark.parametrize(
    ("client", "state"), [(None, State.QUIET), ("not-recorded", State.UNKNOWN)]
)
def test_who_was_at_a_device_is_not_known_where_no_client_is_named(client, state):
    """Owners of one model may have stopped on their phones."""
    changes = {"client": client} if client else {}
    rows = [row | changes for row in outage(count=18)]
    ordinary = [row | changes for row in usual()]

    on_devices = only(stalled.by_device(made([*ordinary, *rows]), slates(rows, ordinary)))
    at_a_place = only(stalled.tested(made([*ordinary, *rows])))

    assert on_devices.scope.devices
    assert signal(on_devices, "not-at-computers").state is state
    assert signal(at_a_place, "not-at-computers").state is State.QUIET


def test_a_bar_in_the_name_of_a_site_is_part_of_the_name():
    """A site is named whole, whoever wrote the sign into it that joins a place and a client."""
    renamed = {"Lund": "Lund | Annex"}
    rows = [row | {"site": renamed.get(row["site"], row["site"])} for row in [*usual(), *outage()]]

    found = only(stalled.tested(made(rows)))

    assert found.scope.sites == ("Lund | Annex",)
    told = signal(found, "stops-before-verification").statement
    assert told.startswith("At Lund | Annex (client browser),")


def test_a_bar_in_the_name_of_a_client_is_part_of_the_name():
    """What a client calls itself is told whole: half a name is another, and has no pseudonym."""
    kiosk = "other:kiosk|north"
    stops = [row | {"site": f"S{n % 4}"} for n, row in enumerate(outage(count=24, client=kiosk))]

    found = only(stalled.tested(made([*usual(), *stops])))

    assert found.scope.clients == (kiosk,)
    assert f"With client {kiosk}," in signal(found, "stops-before-verification").statement


def test_a_client_that_stops_names_the_places_where_it_does():
    """A site where people stop now and then, as everywhere, is not drawn into it."""
    screen = {"client": "windows-signin"}
    stops = [row for place in ("Lund", "Ystad") for row in outage(count=14, place=place, **screen)]
    well = [
        named(f"well{n}", f"well{n}", 3 - n / 10, place="Malmö", **screen, **changes)
        for n, changes in enumerate([STOPPED] * 2 + [{}] * 18)
    ]
    rows = [row | {"flow_id": f"s{n}", "person": f"s{n}"} for n, row in enumerate(stops)]

    found = stalled.tested(made([*usual(), *rows, *well])).suspicions
    (wide,) = (one for one in found if len(one.scope.sites) > 1)

    assert wide.scope.clients == ("windows-signin",)
    assert wide.scope.sites == ("Lund", "Ystad")


def test_devices_whose_screens_alone_stop_are_found():
    """Browsers of the same model that get through do not hide its sign-in screens."""
    rows = [
        row | {"site": None, "ip_group": f"198.51.100.{n % 6}"}
        for n, row in enumerate(outage(client="windows-signin"))
    ]
    works = [named(f"web{n}", f"user{n}", 3 - n / 20, place="Lund") for n in range(50)]
    ordinary = usual()
    devices = slates([*rows, *works], ordinary)

    found = only(stalled.by_device(made([*ordinary, *works, *rows]), devices))

    assert (found.scope.devices, found.scope.clients) == (("model Slate 7",), ("windows-signin",))


def test_without_devices_their_models_are_unknown():
    """What nobody gave is unknown, not absent."""
    found = only(stalled.tested(made([*usual(), *outage()])))

    assert signal(found, "devices-in-several-places").state is State.UNKNOWN


def test_people_who_try_again_within_minutes_support_it():
    """Short flows again and again, of the same person from the same address, are told."""
    rows = outage()
    again = [
        named(f"again{n}", f"victim{n}", 0, start_utc=row["end_utc"], place="Lund", **STOPPED)
        for n, row in enumerate(rows)
    ]

    found = only(stalled.tested(made([*usual(), *rows, *again])))

    assert signal(found, "retry-burst").state is State.FIRED


def tried_again(rows, every=1):
    """Return another stop of every so many of these people, right after the first."""
    return [
        row | {"flow_id": f"{row['flow_id']}-again", "start_utc": row["end_utc"]}
        for row in rows[::every]
    ]


def test_many_stops_alone_are_no_burst():
    """Who stops here tries again no more often than who stops elsewhere: it tells nothing more."""
    rows = outage(count=40)
    elsewhere = [named(f"away{n}", f"away{n}", 20 - n, place="Ystad", **STOPPED) for n in range(8)]
    again = [*tried_again(rows, 4), *tried_again(elsewhere, 2)]

    found = only(stalled.tested(made([*usual(), *rows, *elsewhere, *again])))

    assert signal(found, "retry-burst").state is State.QUIET


def test_who_tries_again_makes_few_stops_surer_and_never_less_sure():
    """What stands by both alone says what it would be without."""
    rows = outage(count=5)
    plain = only(stalled.tested(made([*usual(), *rows])))
    both = only(stalled.tested(made([*usual(), *rows, *tried_again(rows)])))

    assert plain.p == plain.alone
    assert both.p < both.alone / 10
    assert both.alone == pytest.approx(plain.alone)


def test_people_who_get_through_elsewhere_support_it():
    """The same people succeed in another network."""
    rows = outage()
    home = [named(f"home{n}", f"victim{n}", 0.05, place=f"198.51.100.{n}") for n in range(8)]

    found = only(stalled.tested(made([*usual(), *rows, *home])))

    assert signal(found, "works-elsewhere").state is State.FIRED


def test_trouble_further_on_speaks_against_it():
    """Where people who start a method fail as well, the stop is not before verification alone."""
    later = [named(f"later{n}", f"late{n}", 3 - n / 4, place="Lund", **NO_CODE) for n in range(11)]

    found = only(stalled.tested(made([*usual(), *outage(count=20), *later])))

    assert signal(found, "stops-later-too").state is State.FIRED


def two_at_once():
    """Return how Malmö stops with ninety people, and Lund beside it with eleven of sixteen."""
    great = [
        row | {"flow_id": f"great{n}", "person": f"great{n}"}
        for n, row in enumerate(outage(count=90, place="Malmö"))
    ]
    works = [named(f"ok{n}", f"works{n}", 2.8 - n / 2, place="Lund") for n in range(5)]
    return [*usual(), *great, *outage(count=11), *works]


def test_a_great_trouble_hides_no_smaller_one():
    """What everybody else does is not told by the place where hardly anybody gets through."""
    found = stalled.tested(made(two_at_once())).suspicions

    assert [one.scope.sites for one in found] == [("Malmö",), ("Lund",)]
    assert all(signal(one, "everywhere-at-once").state is State.QUIET for one in found)
    assert "but for Malmö" in signal(found[1], "everywhere-at-once").statement


def test_the_same_everywhere_speaks_against_a_place():
    """Where every place stops at once, no place alone is suspected without a word of it."""
    rows = [*usual(), *outage(count=24)]
    for place in ("Malmö", "Ystad"):
        rows += [
            row | {"flow_id": place + row["flow_id"], "person": place + row["person"]}
            for row in outage(count=24, place=place)
        ]

    found = stalled.tested(made(rows)).suspicions

    assert all(
        not one.scope.sites or signal(one, "everywhere-at-once").state is State.FIRED
        for one in found
        if len(one.scope.sites) == 1
    )
    assert any(len(one.scope.sites) != 1 for one in found)


@pytest.mark.parametrize(("others", "state"), [(True, State.FIRED), (False, State.FEW)])
def test_strangers_are_told(others, state):
    """Who never comes back may be a name that a stranger typed, as far as others do come back."""
    rows = [*usual(), *(coming_back() if others else ()), *outage(place="192.0.2.77")]
    found = only(stalled.tested(made(rows)))

    assert found.scope.ips == ("192.0.2.77",)
    assert signal(found, "strangers-only").state is state


def test_people_who_work_there_are_no_strangers():
    """An office that nobody named is known by the sign-ins of its people, who may ask for help."""
    rows = [*usual(), *coming_back(), *outage(place="192.0.2.77")]
    signs = ({"person": f"victim{n}", "ip_group": "192.0.2.77", "time_utc": ago(9)} for n in (1, 2))

    found = only(stalled.tested(made(rows, known=signed_in(*signs))))

    assert signal(found, "strangers-only").state is State.QUIET


def test_strangers_are_told_whatever_stands_out():
    """At a quiet time, the stops of one network are those of a client or of everybody."""
    rows = [*usual(), *coming_back(), *outage(place="192.0.2.77", client="not-recorded")]
    material = made(rows)
    units = stalled.stops(material)
    wide = scan.Standout(
        "client", "not-recorded", ago(4), ago(0), 12, 12, usual=0.1, concentration=50, part=1, p=0
    )
    stretch = cohorts.stretch(wide, units, units["client"], 0.05)

    assert stalled.strangers_only(stretch, units, material).state is State.FIRED


def in_an_hour(place, *, again, count=20):
    """Yield people who stop at a place within an hour, and were seen elsewhere weeks before."""
    for number in range(count):
        who, at = f"walked{number}", 1.0 - number / 500
        yield named(f"before{number}", who, 20 + number, place=home(number))
        yield named(f"stop{number}", who, at, place=place, **STOPPED)
        if number < again:
            yield named(f"again{number}", who, at - 0.1, place=home(number))


def coming_back(count=20):
    """Yield people who stop at home on various days, and get through hours later."""
    for number in range(count):
        who, at, place = f"needy{number}", 10.0 + number, home(100 + number)
        yield named(f"first{number}", who, at, place=place, **STOPPED)
        yield named(f"then{number}", who, at - 0.2, place=place)


@pytest.mark.parametrize(("again", "state"), [(2, State.FIRED), (12, State.QUIET)])
def test_people_who_do_not_try_again_as_others_do_are_told(again, state):
    """Whose name a stranger typed is seen elsewhere by chance, and in no hurry to come back."""
    flows = [*usual(), *coming_back(), *in_an_hour("192.0.2.77", again=again)]
    suspicions = stalled.tested(made(flows)).suspicions
    (found,) = (one for one in suspicions if one.scope.ips == ("192.0.2.77",))

    assert signal(found, "strangers-only").state is state


def test_too_few_people_say_how_many_more_would_do():
    """Four of four people who stop are no verdict; as many more as are told would do."""
    found = stalled.tested(made([*usual(), *outage(count=4, place="192.0.2.8")]))

    assert found.suspicions == ()
    assert [one.scope for one in found.few] == [Scope(ips=("192.0.2.8",))]
    assert found.few[0].needs == "more people: 2 who try at 192.0.2.8 (4 so far)"
    material = made([*usual(), *outage(count=6, place="192.0.2.8")])
    more = stalled.tested(material)
    assert any(one.p <= material.limit(Kind.STALLED, more.tests) for one in more.suspicions)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(seed):
    """Rows in another order give the same suspicions."""
    material = made([*usual(), *outage()])

    assert as_set(stalled.tested(shuffled(material, seed))) == as_set(stalled.tested(material))


@pytest.mark.parametrize("more", [10, 60])
def test_more_people_elsewhere_do_not_raise_it(more):
    """Ordinary people of another place never make a place that works suspect."""
    others = [named(f"more{n}", f"other{n}", 6 - n / 20, place="Ystad") for n in range(more)]

    assert stalled.tested(made([*usual(), *others])).suspicions == ()


def codes(count=14, method="mobile SMS", place="Lund", **changes):
    columns = NO_CODE | {"methods": method} | changes
    return [
        named(f"code{n}", f"caller{n}", 3 - n / 5, place=place, **columns) for n in range(count)
    ]


def test_codes_that_do_not_arrive_are_found():
    """A place where text messages are never answered is named, with the method."""
    found = only(gates.phone(made([*usual(), *codes()])))

    assert found.target == "phone-code-not-arriving"
    assert found.scope.sites == ("Lund",)
    assert "mobile SMS" in signal(found, "code-not-entered").statement


def test_codes_that_follow_the_people_of_a_place_are_told_of_it():
    """People of a place who get no code at home, each from another address, are its people."""
    known = [named(f"seen{n}", f"caller{n}", 50 - n, place="Lund") for n in range(14)]
    away = [
        row | {"site": None, "ip_group": f"198.51.100.{n}"} for n, row in enumerate(codes(count=14))
    ]

    found = only(gates.phone(made([*usual(), *known, *away])))

    assert found.scope.sites == ("Lund",)
    assert found.users == 14


def test_who_is_seen_at_no_place_is_no_measure_for_one():
    """People who miss codes at home may be of the place as well: they make it no less sure."""
    known = [named(f"seen{n}", f"caller{n}", 50 - n, place="Lund") for n in range(9)]
    homes = [{"site": None} | dict.fromkeys(("place", "ip_group"), f"home {n}") for n in range(49)]
    away = [row | home for row, home in zip(codes(count=9), homes, strict=False)]
    sms = NO_CODE | {"methods": "mobile SMS"}
    unknown = [named(f"u{n}", f"u{n}", 1.5 * n, **sms) | homes[9 + n] for n in range(40)]

    alone = only(gates.phone(made([*usual(), *known, *away])))
    beside = only(gates.phone(made([*usual(), *known, *away, *unknown])))

    assert beside.scope.sites == ("Lund",)
    assert beside.p == alone.p


def test_codes_that_nobody_gets_are_told_of_everybody():
    """Where all codes fail since a day, with no one left to compare with, the past is enough."""
    late = [
        row | NO_CODE | {"methods": "mobile SMS"} if row["start_utc"] > ago(6) else row
        for row in usual(a_day=12)
    ]

    found = only(gates.phone(made(late)))

    assert found.scope.clients == ()
    assert "whole tenant" in signal(found, "code-not-entered").statement


def test_what_follows_people_is_told_of_where_they_work():
    """A tunnel that somebody named is not in trouble because the people who come by it are."""
    late = [
        row | NO_CODE | {"methods": "mobile SMS"} if row["start_utc"] > ago(6) else row
        for row in usual(a_day=12)
    ]
    opened = {"site": "Lund", "ip_group": "198.51.100.202", "of_windows": True}
    signs = (
        opened | {"person": row["person"], "time_utc": row["start_utc"] + number * HOUR}
        for row in late
        if row["site"] == "Ystad"
        for number in (1, 2)
    )

    bare = only(gates.phone(made(late)))
    told = only(gates.phone(made(late, known=signed_in(*signs))))

    assert bare.scope.sites == ("Lund", "Malmö", "Ystad")
    assert told.scope.sites == ("Lund", "Malmö")
    assert told.users == bare.users


def test_a_tenant_in_part_is_not_the_whole():
    """A place that stops makes more people stop in all; that is told of the place alone."""
    found = only(stalled.tested(made([*usual(), *outage(count=30)])))

    assert found.scope.sites == ("Lund",)


def test_the_longer_a_place_is_known_the_surer_its_trouble():
    """People who got through there before make the same stops more telling."""
    rows = [*usual(), *outage(place="192.0.2.8")]
    before = [named(f"past{n}", f"guest{n}", 55 - n, place="192.0.2.8") for n in range(40)]

    new, known = (only(stalled.tested(made(one))) for one in (rows, [*rows, *before]))

    assert known.p < new.p / 2


def test_mail_is_a_cause_of_its_own():
    """Mail that is not answered is found by the mail's test and not by the phone's."""
    material = made([*usual(), *codes(method="email")])

    assert only(gates.mail(material)).target == "email-not-received"
    assert gates.phone(material).suspicions == ()


def test_codes_of_one_person_are_no_outage():
    """One person whose code never comes counts once."""
    rows = [row | {"person": "caller"} for row in codes()]

    assert gates.phone(made([*usual(), *rows])).suspicions == ()


def test_a_completed_first_method_is_no_stop():
    """Who completed text messages and then waits for a mail is a case of the mail."""
    rows = codes(method="mobile SMS, email", stage=40)
    material = made([*usual(), *rows])

    assert gates.phone(material).suspicions == ()
    assert len(gates.mail(material).suspicions) == 1


def test_other_methods_that_stop_speak_against_it():
    """Where nobody completes anything, it is not the phone."""
    others = [
        row | {"flow_id": f"x{n}", "person": f"x{n}"}
        for n, row in enumerate(codes(method="mobile app notification"))
    ]

    found = only(gates.phone(made([*usual(), *codes(), *others])))

    assert signal(found, "other-methods-stop-too").state is State.FIRED


def test_wrong_codes_speak_against_it():
    """A code that was wrong had arrived."""
    wrong = [
        named(
            f"w{n}",
            f"wrong{n}",
            3 - n / 3,
            place="Lund",
            outcome="blocked",
            stage=30,
            reason_key="blocked-sms",
        )
        for n in range(8)
    ]

    found = only(gates.phone(made([*usual(), *codes(), *wrong])))

    assert signal(found, "wrong-codes").state is State.FIRED


def test_another_method_that_works_supports_it():
    """The same people get through by the authenticator."""
    app = "mobile app notification"
    through = [named(f"t{n}", f"caller{n}", 0.05, place="Lund", methods=app) for n in range(8)]

    found = only(gates.phone(made([*usual(), *codes(), *through])))

    assert signal(found, "other-way-works").state is State.FIRED
