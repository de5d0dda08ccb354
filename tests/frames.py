"""Frames made by hand: flows, acts and context in their declared columns, from few words."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from sspr_audit import knowledge, tables
from sspr_audit.evidence.material import material
from sspr_audit.model import Context, Site, Window

END = datetime(2026, 11, 22, tzinfo=UTC)
START = END - timedelta(days=60)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFFICE = "198.51.100.10"
NUMBERS = knowledge.load().weights.numbers
SITES = (Site("Malmö", ("198.51.100.0/24",), dc_reachable=True),)


def table(shape, rows):
    """Return rows as a frame of the declared columns; what is not said is null or nothing."""
    made = pd.DataFrame(rows, columns=list(shape.columns))
    for name, column in shape.columns.items():
        if column.dtype == tables.TIME:
            made[name] = pd.to_datetime(made[name], utc=True).astype(tables.TIME)
        elif column.dtype in {"bool", "int64", "float64"}:
            made[name] = made[name].fillna(0).astype(column.dtype)
        else:
            made[name] = made[name].astype(column.dtype)
    return made


def home(person):
    """Return the address of somebody's home: nobody else's."""
    return f"203.0.113.{person % 250}" if person < 250 else f"192.0.2.{person - 250}"


def flow(person, at, **fields):
    """Return a reset at the sign-in screen at home, which succeeded in three minutes."""
    ip = fields.pop("ip", home(person))
    end = at + 3 * MINUTE
    usual = {
        "flow_id": f"f-{person}-{int(at.timestamp())}",
        "person": f"id-{person}",
        "upn": f"p{person}@example.com",
        "start_utc": at,
        "end_utc": end,
        "outcome": "succeeded",
        "stage": 80,
        "client": "windows-signin",
        "ip": ip,
        "ip_group": ip,
        "site": "Malmö" if ip == OFFICE else None,
        "events": 8,
    }
    return {**usual, **fields}


def act(person, at, kind="admin-reset", **fields):
    usual = {"act_id": f"a-{person}-{int(at.timestamp())}", "kind": kind, "time_utc": at}
    return {**usual, "outcome": "succeeded", "person": f"id-{person}", "events": 1, **fields}


def sign_in(person, at, **fields):
    """Return a success of Windows Sign In on the person's hybrid device at home."""
    ip = fields.pop("ip", home(person))
    error = fields.pop("error", 0)
    usual = {
        "sign_in_id": f"s-{person}-{int(at.timestamp())}-{error}-{fields.get('app', '')}",
        "time_utc": at,
        "person": f"id-{person}",
        "app": "Windows Sign In",
        "of_windows": fields.get("app", "Windows Sign In") == "Windows Sign In",
        "interactive": True,
        "succeeded": error == 0,
        "error": error,
        "device_id": f"pc-{person}",
        "trust": "hybrid",
        "os": "Windows 11",
        "ip": ip,
        "ip_group": ip,
        "site": "Malmö" if ip == OFFICE else None,
    }
    return {**usual, **fields}


def device(person, trust="hybrid", **fields):
    usual = {"device_id": f"pc-{person}", "trust": trust, "os": "Windows"}
    return {**usual, "os_version": "10.0.26100.1", "owner": f"id-{person}", **fields}


def context(*, sign_ins=None, devices=None, managed=None, watched="all"):
    """Return context; a kind that is not given is unknown."""
    if watched == "all":
        watched = [{"start_utc": START - DAY, "end_utc": END + 2 * DAY}]
    return Context(
        sign_ins=None if sign_ins is None else table(tables.SIGN_INS, sign_ins),
        watched=None if sign_ins is None else table(tables.WATCHED, watched),
        devices=None if devices is None else table(tables.DEVICES, devices),
        managed=None if managed is None else table(tables.MANAGED, managed),
    )


def made(flows, acts=(), *, known=None, sites=SITES, days=7):
    """Return the material of a tenant, with a window of so many days."""
    return material(
        table(tables.FLOWS, flows),
        table(tables.ACTS, acts),
        table(tables.EVENTS, []),
        context=known or Context(),
        sites={site.name: site for site in sites},
        window=Window(END - days * DAY, END),
        baseline=Window(START, END),
        numbers=NUMBERS,
    )
