"""Promises about incidents: everything, everywhere, at once, and nothing less."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from material import NO_CODE, STOPPED, WINDOW, ago, as_set, made, named, shuffled, usual
from material import signal as of

from sspr_audit.evidence import incident
from sspr_audit.model import Kind, State, Window

PLACES = ("Malmö", "Lund", "Ystad", "198.51.100.1", "198.51.100.2")
BEGAN = ago(3.6)
HOURS = 3


def outage(count=30, clients=("browser", "windows-signin"), places=PLACES, **changes):
    """Return flows of different people that come to nothing within three hours."""
    rows = []
    for n in range(count):
        columns = STOPPED if n % 2 else NO_CODE | {"methods": ("email", "mobile SMS")[n % 4 // 2]}
        columns = {"place": places[n % len(places)], "client": clients[n % len(clients)]} | columns
        start = BEGAN + timedelta(hours=HOURS * n / count)
        rows.append(named(f"out{n}", f"victim{n}", 0, start_utc=start, **(columns | changes)))
    return rows


def only(tested):
    (found,) = tested.suspicions
    return found


def at_once(material):
    """What is found in the window."""
    return incident.tested(material)[0]


def test_an_ordinary_tenant_has_no_incident():
    """Days on which some people stop are no incident, and nor are no days at all."""
    assert at_once(made(usual())).suspicions == ()
    assert at_once(made([])).suspicions == ()


def test_everything_everywhere_at_once_is_an_incident():
    """Three hours in which nobody gets through anywhere are found, with their begin and end."""
    found = only(at_once(made([*usual(), *outage()])))

    assert found.target == "service-incident"
    assert found.p < 1e-4
    assert found.onset[0] <= BEGAN <= found.onset[1]
    assert abs(found.first_seen - BEGAN) < timedelta(hours=1)
    assert abs(found.last_seen - BEGAN - timedelta(hours=HOURS)) < timedelta(hours=1)
    assert found.over
    assert of(found, "everywhere").state is State.FIRED
    assert of(found, "was-so-before").state is State.QUIET


def test_places_that_were_not_well_before_speak_against_it():
    """Where people came to nothing for days, an hour of it is no incident of the service."""
    lasting = [
        row | {"flow_id": f"{row['flow_id']}-{day}", "person": f"{row['person']}-{day}", **shifted}
        for day in (1, 2)
        for row in outage(count=20)
        for shifted in [{key: row[key] - timedelta(days=day) for key in ("start_utc", "end_utc")}]
    ]
    found = at_once(made([*usual(), *lasting, *outage()])).suspicions

    last = max(found, key=lambda one: one.last_seen)
    assert of(last, "was-so-before").state is State.FIRED


def shifted(rows, days, name):
    """Return the same flows of other people, so many days later."""
    return [
        row
        | {"flow_id": f"{name}-{row['flow_id']}", "person": f"{name}-{row['person']}"}
        | {key: row[key] + timedelta(days=days) for key in ("start_utc", "end_utc")}
        for row in rows
    ]


def test_what_begins_and_stays_is_no_incident():
    """People who come to nothing on the days after as well are in a trouble that is not over."""
    rows = [*usual(), *outage()]
    for day in (1, 2, 3):
        rows += shifted(outage(count=20), day, f"day{day}")
    found = at_once(made(rows)).suspicions

    first = min(found, key=lambda one: abs(one.first_seen - BEGAN))
    assert of(first, "went-on").state is State.FIRED
    assert not incident.undoubted(first)


def test_an_incident_that_is_over_did_not_go_on():
    """Where people get through afterwards, nothing speaks against it."""
    found = only(at_once(made([*usual(), *outage()])))

    assert of(found, "went-on").state is State.QUIET
    assert incident.undoubted(found)


def test_what_may_not_be_over_is_not_yet_told():
    """With nobody seen since, whether it goes on is not known."""
    rows = [*usual(), *shifted(outage(), 3.45, "now")]

    found = only(at_once(made(rows)))

    assert of(found, "went-on").state is State.FEW


def test_a_place_in_trouble_for_weeks_is_held_against_itself():
    """What its own days have shown for weeks is nothing new on one of them, whoever else stops."""
    lasting = [
        named(f"bad{n}", f"stuck{n}", 30 - n / 8, place="Lund", **STOPPED) for n in range(232)
    ]
    hours = outage(count=24, places=(*["Lund"] * 4, *PLACES[2:]))

    alone = at_once(made([*usual(), *hours])).suspicions
    found = at_once(made([*usual(), *lasting, *hours])).suspicions

    assert len(alone) == 1
    assert all(one.p > 1e3 * alone[0].p for one in found)


def test_whoever_tries_again_and_gets_through_came_to_something():
    """It is no incident where all of these people succeed a quarter of an hour later."""
    rows = outage()
    again = [
        named(
            f"again{n}",
            row["person"],
            0,
            start_utc=row["start_utc"] + timedelta(minutes=15),
            place=row["site"] or row["ip"],
        )
        for n, row in enumerate(rows)
    ]

    assert at_once(made([*usual(), *rows, *again])).suspicions == ()


def test_places_that_work_speak_against_everywhere():
    """Where people get through in most places, it is not everywhere."""
    works = [
        named(
            f"ok{n}",
            f"fine{n}",
            0,
            start_utc=BEGAN + timedelta(minutes=20 * n),
            place=f"203.0.113.{n}",
        )
        for n in range(9)
    ]

    found = only(at_once(made([*usual(), *outage(count=40), *works])))

    assert of(found, "everywhere").state is State.QUIET
    assert not incident.undoubted(found)


def test_the_flows_of_all_but_one_method_must_stand_out():
    """Where only text messages are lost and the rest get through, it is the messages' matter."""
    lost = outage(count=40, stage=30, outcome="abandoned", methods="mobile SMS")
    works = [
        named(
            f"mail{n}",
            f"reader{n}",
            0,
            start_utc=BEGAN + timedelta(minutes=10 * n),
            place=PLACES[n % 5],
            client=("browser", "windows-signin")[n % 2],
            methods="email",
        )
        for n in range(18)
    ]

    found = at_once(made([*usual(), *lost, *works])).suspicions

    assert found
    assert all(of(one, "one-method-only").state is State.FIRED for one in found)


def test_a_few_with_another_client_prove_nothing_either_way():
    """One of two at the sign-in screen got through: no reason to say that only browsers failed."""
    rows = outage(count=12, clients=("browser",))
    other = {"client": "windows-signin", "start_utc": BEGAN + timedelta(minutes=90)}
    two = [
        named("fine", "fine", 0, place="Lund", **other),
        named("hit", "hit", 0, place="Ystad", **other | STOPPED),
    ]
    found = only(at_once(made([*usual(), *rows, *two])))

    assert of(found, "everywhere").state is State.FIRED


def test_one_place_is_no_incident():
    """A site where nobody gets through is the site's own trouble."""
    rows = outage(places=("Lund",))

    assert at_once(made([*usual(), *rows])).suspicions == ()


def test_few_people_show_an_incident_whenever_it_begins():
    """Ten people who come to nothing within three hours are enough, at any time of day."""
    for minutes in range(0, 180, 40):
        rows = outage(count=10, places=("Malmö", "Lund", "Ystad", "198.51.100.1"))
        moved = shifted(rows, minutes / 1440, "few")
        material = made([*usual(), *moved])
        found = only(at_once(material))

        assert found.p <= material.limit(Kind.TIME, 1)
        assert of(found, "everywhere").state is State.FIRED


def test_hardly_anybody_elsewhere_may_be_chance():
    """Two people beside a place in trouble raise the question, and do not answer it."""
    rows = outage(count=14, places=("Malmö",) * 5 + ("198.51.100.1",) + ("Malmö",) + ("Lund",))
    material = made([*usual(), *rows])
    found = only(at_once(material))

    assert found.p <= material.limit(Kind.TIME, 1)
    assert of(found, "everywhere").state is State.QUIET


def test_one_client_is_no_incident():
    """Where browsers get through as usual, it is no incident of the service."""
    works = [
        named(
            f"ok{n}", f"fine{n}", 0, start_utc=BEGAN + timedelta(minutes=6 * n), place=PLACES[n % 5]
        )
        for n in range(30)
    ]
    rows = [*usual(), *outage(clients=("windows-signin",)), *works]

    assert at_once(made(rows)).suspicions == ()


def test_one_person_is_no_incident():
    """One person who fails thirty times counts once."""
    rows = [row | {"person": "unlucky"} for row in outage()]

    assert at_once(made([*usual(), *rows])).suspicions == ()


def test_reasons_of_their_own_are_no_incident():
    """Failures that say why are the matter of that reason."""
    rows = outage(outcome="failed", stage=60, reason_key="on-premises-unreachable")

    assert at_once(made([*usual(), *rows])).suspicions == ()


def test_reasons_at_the_same_time_speak_against_it():
    """Where half of the failures say why, the rest may have the same cause."""
    said = [
        row | {"flow_id": f"said{n}", "person": f"told{n}"}
        for n, row in enumerate(
            outage(count=40, outcome="failed", stage=60, reason_key="on-premises-unreachable")
        )
    ]

    found = at_once(made([*usual(), *outage(count=40), *said])).suspicions

    assert all(of(one, "own-reasons").state is State.FIRED for one in found)


def test_codes_of_one_method_speak_against_it():
    """Where all stop at the text message, it is the phone's matter first."""
    rows = outage(stage=30, methods="mobile SMS")

    found = only(at_once(made([*usual(), *rows])))

    assert of(found, "one-method-only").state is State.FIRED


def test_flows_in_an_incident_can_be_left_out():
    """Every flow that began inside is named, also those that got through, and no other."""
    material = made([*usual(), *outage()])
    found = at_once(material).suspicions

    left = material.without(incident.during(material, found)).flows

    inside = left["start_utc"].between(found[0].first_seen, found[0].last_seen)
    assert not inside.any()
    assert len(left) >= len(usual()) - 6
    assert incident.during(material, ()).empty


def test_an_incident_before_the_window_is_none_of_it():
    """What was over before the window is not reported, unless the window reaches back to it."""
    material = made([*usual(), *outage()])
    later = replace(material, window=Window(ago(2), WINDOW.end))

    assert at_once(later).suspicions == ()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(seed):
    """Rows in another order give the same incident."""
    material = made([*usual(), *outage()])

    assert as_set(at_once(shuffled(material, seed))) == as_set(at_once(material))
