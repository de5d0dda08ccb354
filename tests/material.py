"""Flows and what is known beside them, made by hand for the signals."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from sspr_audit import knowledge, tables
from sspr_audit.evidence.material import material
from sspr_audit.model import Context, Site, Window

MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
"""The first day of the data; the window is the last of its weeks."""
WEEKS = 8
NOW = MONDAY + timedelta(weeks=WEEKS)
KNOWN = knowledge.load()
SITES = ("Oslo", "Malmö", "Turku", "Reims")


def flow(person, day, place="Oslo", *, hour=9.0, client="browser", **words):
    """Return a flow of this person on this day; what is not said went well."""
    start = MONDAY + timedelta(days=day, hours=hour)
    named = place in SITES
    ip = f"192.0.2.{SITES.index(place) + 1}" if named else place
    return {
        "person": person,
        "upn": f"{person}@example.com",
        "start_utc": start,
        "end_utc": start + timedelta(minutes=3),
        "length_s": 180.0,
        "outcome": "succeeded",
        "step": "",
        "stage": 80,
        "password_tries": 1,
        "client": client,
        "client_assumed": False,
        "client_mixed": False,
        "ip": ip,
        "ip_group": ip,
        "site": place if named else None,
        "events": 8,
        **words,
    }


def act(person, day, kind="admin-reset", *, hour=12.0, outcome="succeeded", **words):
    """Return an act about this person on this day."""
    return {
        "act_id": f"act-{person}-{day}-{hour}",
        "kind": kind,
        "time_utc": MONDAY + timedelta(days=day, hours=hour),
        "outcome": outcome,
        "person": person,
        "upn": f"{person}@example.com",
        "events": 1,
        **words,
    }


def framed(table, rows):
    """Return the rows with exactly the columns of the table; what is missing is null."""
    rows = list(rows)
    frame = pd.DataFrame(rows).reindex(columns=list(table.columns))
    for name, column in table.columns.items():
        if column.dtype == tables.TIME:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype(tables.TIME)
        else:
            frame[name] = frame[name].astype(pd.api.types.pandas_dtype(column.dtype))
    return frame


def made(flows, acts=(), changes=(), *, context=None, start=MONDAY, numbers=None, sites=()):  # noqa: PLR0913
    """Return the material; flows are numbered in their order."""
    rows = [{"flow_id": f"flow-{number}", **row} for number, row in enumerate(flows)]
    return material(
        framed(tables.FLOWS, rows),
        framed(tables.ACTS, acts),
        framed(tables.EVENTS, changes),
        context=context or Context(),
        sites={site.name: site for site in sites} or {name: Site(name, ()) for name in SITES},
        window=Window(NOW - timedelta(days=7), NOW),
        baseline=Window(start, NOW),
        numbers={**KNOWN.weights.numbers, **(numbers or {})},
    )


def habits(place, people, share, *, days=range(WEEKS * 7), client="browser", every=11):  # noqa: PLR0913
    """Yield flows of so many people at a place, this share of them at the sign-in screen.

    Each comes on every `every`-th weekday or so, in working hours, and keeps to their habit.
    """
    for number in range(people):
        person = f"{place.lower()}-{number}"
        screen = (number * 7919) % people < share * people
        for day in days:
            if day % 7 < 5 and (day + number * 3) % every == 0:
                used = "windows-signin" if screen else client
                yield flow(person, day, place, hour=7 + (number + day) % 9, client=used)


def signal(suspicion, wanted):
    """Return the one signal of this id."""
    (found,) = (one for one in suspicion.signals if one.id == wanted)
    return found
