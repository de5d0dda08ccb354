"""Pages to test: of reports made by hand, of many flows, and of hostile names."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import report_factory as factory
import report_hostile
import test_progress

from sspr_audit.evidence import change
from sspr_audit.model import Change, Coverage, Report
from sspr_audit.report import page
from sspr_audit.tables import EVENTS, FLOWS

STEPS = (
    ("User submitted their user ID", "step", 10),
    ("User was presented with verification options", "step", 20),
    ("User started the mobile SMS verification option", "step", 30),
    ("User completed the mobile SMS verification option", "step", 40),
    ("OnPremisesConnectivityError", "failed", 60),
)
"""What each of many flows goes through."""


def since(flows: pd.DataFrame) -> Change:
    """Return the window of the factory compared with the span before it."""
    window = factory.WINDOW
    return change.measured(flows, at=window.start, first=factory.PREVIOUS.start, end=window.end)


def rendered(report: Report, **changes: Any) -> str:
    """Return the page of a report with the factory's frames."""
    flows = factory.flows()
    given: dict[str, Any] = {
        "flows": flows,
        "events": factory.events(),
        "since": since(flows),
        "timezone": "Europe/Stockholm",
    }
    given.update(changes)
    return page.render(report, given.pop("flows"), given.pop("events"), **given)


@cache
def broken() -> str:
    """Return a page with something in every field: gaps, skipped records, findings of each kind."""
    return rendered(test_progress.told_report())


@cache
def quiet() -> str:
    """Return a page of files in which nothing went wrong."""
    flows = factory.frame(FLOWS, [factory.flow(number, number) for number in range(40)])
    report = factory.report(
        flows=flows,
        findings=(),
        unobservable=(),
        coverage=Coverage(
            complete=True,
            spans=((factory.at(0), factory.at(167.5)),),
            settling=(factory.at(167.5), factory.at(168)),
        ),
        account=factory.account(skipped=(), files_ignored=(), id_conflicts=0, filter=None),
        previous=None,
    )
    return rendered(report, flows=flows, since=None, timezone=None)


@cache
def empty() -> str:
    """Return a page without any flow."""
    nothing, none = factory.frame(FLOWS, []), factory.frame(EVENTS, [])
    return rendered(factory.empty(), flows=nothing, events=none, since=None)


@cache
def hostile(name: str) -> str:
    """Return a page with a hostile text in every field, and in every column of its frames."""
    text = report_hostile.TEXTS[name]
    typed = text.encode("utf-8", "replace").decode()  # what a frame can hold
    columns = ("upn", "client", "client_type", "site", "ip", "ip_group", "reason", "step")
    flows = factory.flows().assign(**dict.fromkeys(columns, typed))
    events = factory.events().assign(reason=typed, activity=typed, method=typed)
    return rendered(report_hostile.poisoned(text), flows=flows, events=events, since=since(flows))


def many(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return so many flows, one in eight of which fails, and their events."""
    one = factory.frame(FLOWS, [factory.flow(1, 0)])
    number = pd.Series(range(count))
    ids = number.map(lambda one: f"{one * 2654435761 % 2**32:08x}-0000-4000-8000-{one:012x}")
    starts = one["start_utc"].iloc[0] + pd.to_timedelta(number * (600_000 / count), "s")
    flows = (
        one.loc[[0] * count]
        .reset_index(drop=True)
        .assign(
            flow_id=ids,
            upn=number.map(lambda one: f"firstname.lastname{one % (count * 2 // 3)}@example.com"),
            person=number.map(str),
            start_utc=starts.astype(one["start_utc"].dtype),
            outcome=number.mod(8).map({0: "failed"}).fillna("succeeded"),
            ip=number.map(lambda one: f"198.51.{one % 250}.{one % 3}"),
        )
    )
    events = pd.concat(
        [
            factory.frame(EVENTS, [factory.event(1, None, 0, reason=reason, meaning=what)])
            .loc[[0] * count]
            .reset_index(drop=True)
            .assign(
                flow_id=ids,
                event_id=number.map(lambda one, place=place: f"SSPR_{place}_{one}"),
                time_utc=flows["start_utc"] + pd.to_timedelta(number.mod(97) + place * 13, "s"),
                stage=stage,
                method="mobile SMS",
            )
            for place, (reason, what, stage) in enumerate(STEPS)
        ],
        ignore_index=True,
    )
    return flows, events
