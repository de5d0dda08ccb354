"""Flows, acts and what is known beside them, made by hand for the modules of evidence."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from sspr_audit import knowledge, tables
from sspr_audit.evidence.material import material
from sspr_audit.model import Context, Site, Window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
WEEKS = 8
END = MONDAY + timedelta(weeks=WEEKS)
START = END - 60 * DAY
WINDOW = Window(END - 7 * DAY, END)
KNOWN = knowledge.load()
NUMBERS = KNOWN.weights.numbers
ADDRESSES = {
    "Malmö": "198.51.100.201",
    "Lund": "198.51.100.202",
    "Ystad": "198.51.100.203",
    "Oslo": "198.51.100.204",
    "Turku": "198.51.100.205",
    "Reims": "198.51.100.206",
}
OFFICE = ADDRESSES["Malmö"]
SITES = (Site("Malmö", ("198.51.100.0/24",), dc_reachable=True),)

STOPPED = {"outcome": "abandoned", "stage": 20, "length_s": 30.0, "methods": None}
NO_CODE = {"outcome": "abandoned", "stage": 30}


def ago(days):
    """Return the time so many days before the window's end."""
    return END - timedelta(days=days)


def home(person):
    """Return the address of somebody's home: nobody else's."""
    return f"203.0.113.{person % 250}" if person < 250 else f"192.0.2.{person - 250}"


def reset(person, at, place="Malmö", **fields):
    """Return a flow that succeeded in the browser, at a site of ADDRESSES or an address."""
    address = ADDRESSES.get(place, place)
    length = fields.get("length_s", 90.0)
    return {
        "person": person,
        "upn": f"{person}@example.com",
        "start_utc": at,
        "end_utc": at + timedelta(seconds=length),
        "length_s": length,
        "outcome": "succeeded",
        "stage": 80,
        "methods": "mobile SMS",
        "password_tries": 1,
        "client": "browser",
        "site": place if place in ADDRESSES else None,
        "ip": address,
        "ip_group": address,
        "events": 8,
        **fields,
    }


def on_day(person, day, place="Oslo", *, hour=9.0, **fields):
    """Return a flow on this day since MONDAY."""
    return reset(person, MONDAY + timedelta(days=day, hours=hour), place, **fields)


def named(name, person, days, **fields):
    """Return a flow of this id, so many days before the end or at its `start_utc`."""
    start = fields.pop("start_utc", ago(days))
    return reset(person, start, flow_id=name, **fields)


def at_screen(person, at, *, ip=None, **fields):
    """Return a flow of a numbered person at the sign-in screen at home, or at the OFFICE."""
    usual = {
        "flow_id": f"f-{person}-{int(at.timestamp())}",
        "upn": f"p{person}@example.com",
        "length_s": 180.0,
        "client": "windows-signin",
    }
    place = "Malmö" if ip == OFFICE else ip or home(person)
    return reset(f"id-{person}", at, place, **{**usual, **fields})


def act(person, at, kind="admin-reset", **fields):
    """Return an act about this person."""
    usual = {"act_id": f"a-{person}-{int(at.timestamp())}", "kind": kind, "time_utc": at}
    return {**usual, "outcome": "succeeded", "person": person, "events": 1, **fields}


def sign_in(person, at, *, ip=None, **fields):
    """Return a success of Windows Sign In on the person's hybrid device at home."""
    address = ip or home(person)
    error = fields.get("error", 0)
    app = fields.get("app", "Windows Sign In")
    usual = {
        "sign_in_id": f"s-{person}-{int(at.timestamp())}-{error}-{fields.get('app', '')}",
        "time_utc": at,
        "person": f"id-{person}",
        "app": app,
        "of_windows": app == "Windows Sign In",
        "interactive": True,
        "succeeded": error == 0,
        "error": error,
        "device_id": f"pc-{person}",
        "trust": "hybrid",
        "os": "Windows 11",
        "ip": address,
        "ip_group": address,
        "site": "Malmö" if address == OFFICE else None,
    }
    return {**usual, **fields}


def device(person, trust="hybrid", **fields):
    """Return the device that belongs to a numbered person."""
    usual = {"device_id": f"pc-{person}", "trust": trust, "os": "Windows"}
    return {**usual, "os_version": "10.0.26100.1", "owner": f"id-{person}", **fields}


def framed(table, rows):
    """Return rows as a frame of the declared columns; what is not said is null or nothing."""
    frame = pd.DataFrame(list(rows), columns=list(table.columns))
    for name, column in table.columns.items():
        if column.dtype == tables.TIME:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype(tables.TIME)
        elif column.dtype in {"bool", "int64", "float64"}:
            frame[name] = frame[name].fillna(0).astype(column.dtype)
        else:
            frame[name] = frame[name].astype(column.dtype)
    return frame


def context(*, sign_ins=None, devices=None, managed=None, watched="all"):
    """Return context; a kind that is not given is unknown."""
    if watched == "all":
        watched = [{"start_utc": START - DAY, "end_utc": END + 2 * DAY}]
    return Context(
        sign_ins=None if sign_ins is None else framed(tables.SIGN_INS, sign_ins),
        watched=None if sign_ins is None else framed(tables.WATCHED, watched),
        devices=None if devices is None else framed(tables.DEVICES, devices),
        managed=None if managed is None else framed(tables.MANAGED, managed),
    )


def signed_in(*rows):
    """Return a context that knows these sign-ins, which succeeded, and nothing else."""
    return context(sign_ins=[{"succeeded": True, **row} for row in rows], watched=[])


def made(flows, acts=(), changes=(), *, known=None, sites=SITES, days=7):  # noqa: PLR0913
    """Return the material, with a window of so many days; flows without an id are numbered."""
    rows = [{"flow_id": f"flow-{number}", **row} for number, row in enumerate(flows)]
    return material(
        framed(tables.FLOWS, rows),
        framed(tables.ACTS, acts),
        framed(tables.EVENTS, changes),
        context=known or Context(),
        sites={site.name: site for site in sites},
        window=Window(END - days * DAY, END),
        baseline=Window(START, END),
        numbers=NUMBERS,
    )


def shuffled(one, seed):
    """Return the material as if its flows had come in another order."""
    return material(
        one.flows.drop(columns="place").sample(frac=1, random_state=seed),
        one.acts,
        one.changes,
        context=one.context,
        sites=one.sites,
        window=one.window,
        baseline=one.baseline,
        numbers=one.numbers,
    )


def usual(days=60, a_day=6, every=17):
    """Return an ordinary history: people of three sites, of whom one in `every` stops."""
    rows = []
    sites = ("Malmö", "Lund", "Ystad")
    for number in range(days * a_day):
        day, nth = divmod(number, a_day)
        changes = {"place": sites[number % 3]}
        changes["client"] = "windows-signin" if number % 4 == 0 else "browser"
        changes["methods"] = "email" if number % 5 == 0 else "mobile SMS"
        if number % every == every // 2:
            changes |= STOPPED
        when = days - day - 0.3 - nth / (3 * a_day)
        rows.append(named(f"usual{number}", f"person{number}", when, **changes))
    return rows


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
                yield on_day(person, day, place, hour=7 + (number + day) % 9, client=used)


def signal(suspicion, wanted):
    """Return the one signal of this id."""
    (found,) = (one for one in suspicion.signals if one.id == wanted)
    return found


def as_set(tested):
    """Return what is to stay the same whatever the order of rows."""
    return {(one.target, one.scope, round(one.p, 12), one.flow_ids) for one in tested.suspicions}
