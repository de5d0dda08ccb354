"""Flows, acts and changes made by hand, as the modules of evidence get them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from report_factory import frame

from sspr_audit.evidence.material import Material, material
from sspr_audit.knowledge import load
from sspr_audit.model import Context, Window
from sspr_audit.tables import ACTS, EVENTS, FLOWS, SIGN_INS

END = datetime(2026, 3, 9, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=7), END)
BASELINE = Window(END - timedelta(days=60), END)
NUMBERS = load().weights.numbers
ADDRESSES = {"Malmö": "203.0.113.1", "Lund": "203.0.113.2", "Ystad": "203.0.113.3"}


def ago(days: float) -> datetime:
    """Return the time so many days before the window's end."""
    return END - timedelta(days=days)


def flow(name: str, person: str, days: float, **changes: Any) -> dict[str, Any]:
    """Return a flow that succeeded in the browser at Malmö, so many days before the end."""
    start = changes.pop("start_utc", ago(days))
    place = changes.pop("place", "Malmö")
    row = {
        "flow_id": name,
        "person": person,
        "upn": f"{person}@example.com",
        "start_utc": start,
        "end_utc": start + timedelta(seconds=changes.get("length_s", 90.0)),
        "length_s": 90.0,
        "outcome": "succeeded",
        "stage": 80,
        "methods": "mobile SMS",
        "client": "browser",
        "client_assumed": False,
        "client_mixed": False,
        "password_tries": 1,
        "events": 7,
        "site": place if place in ADDRESSES else None,
        "ip": ADDRESSES.get(place, place),
        "ip_group": ADDRESSES.get(place, place),
    }
    return row | changes


STOPPED = {"outcome": "abandoned", "stage": 20, "length_s": 30.0, "methods": None}
NO_CODE = {"outcome": "abandoned", "stage": 30}


def usual(days: int = 60, a_day: int = 6, every: int = 17) -> list[dict[str, Any]]:
    """Return an ordinary history: people of three sites, of whom one in `every` stops."""
    rows = []
    sites = list(ADDRESSES)
    for number in range(days * a_day):
        day, nth = divmod(number, a_day)
        changes: dict[str, Any] = {"place": sites[number % 3]}
        changes["client"] = "windows-signin" if number % 4 == 0 else "browser"
        changes["methods"] = "email" if number % 5 == 0 else "mobile SMS"
        if number % every == every // 2:
            changes |= STOPPED
        when = days - day - 0.3 - nth / (3 * a_day)
        rows.append(flow(f"usual{number}", f"person{number}", when, **changes))
    return rows


def made(
    rows: Iterable[dict[str, Any]],
    acts: Iterable[dict[str, Any]] = (),
    changes: Iterable[dict[str, Any]] = (),
    context: Context | None = None,
) -> Material:
    """Return the material of these rows."""
    return material(
        frame(FLOWS, list(rows)),
        frame(ACTS, list(acts)),
        frame(EVENTS, list(changes)),
        context=context or Context(),
        sites={},
        window=WINDOW,
        baseline=BASELINE,
        numbers=NUMBERS,
    )


def signed_in(*rows: dict[str, Any]) -> Context:
    """Return a context that knows these sign-ins and no others."""
    return Context(sign_ins=frame(SIGN_INS, [{"succeeded": True, **row} for row in rows]))


def shuffled(one: Material, seed: int) -> Material:
    """Return the material as if its flows had come in another order."""
    mixed = one.flows.drop(columns="place").sample(frac=1, random_state=seed)
    return material(
        mixed,
        one.acts,
        one.changes,
        context=one.context,
        sites=one.sites,
        window=one.window,
        baseline=one.baseline,
        numbers=one.numbers,
    )


def signal(suspicion: Any, name: str) -> Any:
    """Return the suspicion's signal of this name."""
    (found,) = [one for one in suspicion.signals if one.id == name]
    return found


def as_set(tested: Any) -> set[Any]:
    """Return what is to stay the same whatever the order of rows."""
    return {(one.target, one.scope, round(one.p, 12), one.flow_ids) for one in tested.suspicions}
