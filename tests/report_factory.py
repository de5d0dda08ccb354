"""Reports and frames made by hand, for the tests of the report stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from sspr_audit import engine
from sspr_audit import flows as stage
from sspr_audit.model import (
    Account,
    Confidence,
    Coverage,
    Finding,
    Gap,
    ReasonCount,
    Remedy,
    Report,
    Rival,
    Scope,
    Skipped,
    Source,
    Statement,
    TextCount,
    Unobservable,
    Unrecognized,
    Window,
)
from sspr_audit.report.build import build
from sspr_audit.tables import ACTS, EVENTS, FLOWS, TIME, Table

START = datetime(2026, 3, 2, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=7))
PREVIOUS = Window(START - timedelta(days=7), START)
BASELINE = Window(START - timedelta(days=28), WINDOW.end)
NOW = datetime(2026, 3, 9, 3, 0, 0, 123999, tzinfo=UTC)
PROXY_COMMANDS = (
    r'reg load "hku\Default" "C:\Users\Default\NTUSER.DAT"',
    r'reg add "hku\Default\Internet Settings" /v ProxyServer /t REG_SZ /d "<your proxy:port>" /f',
)


def at(hours: float) -> datetime:
    """Return the time so many hours after the window's start."""
    return START + timedelta(hours=hours)


def frame(table: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows with the declared columns; what a row leaves out is null."""
    columns = {}
    for name, column in table.columns.items():
        values = [row.get(name) for row in rows]
        if column.dtype == TIME:
            columns[name] = pd.Series(pd.to_datetime(values, utc=True)).astype(TIME)
        else:
            columns[name] = pd.Series(values, dtype=column.dtype)
    return pd.DataFrame(columns)


def flow(number: int, hours: float, **changes: Any) -> dict[str, Any]:
    """Return one row of FLOWS that starts so many hours into the window."""
    row: dict[str, Any] = {
        "flow_id": f"00000000-0000-0000-0000-{number:012}",
        "person": f"00000000-0000-0000-0001-{number:012}",
        "upn": f"user{number}@example.com",
        "start_utc": at(hours),
        "end_utc": at(hours) + timedelta(seconds=95),
        "length_s": 95.0,
        "outcome": "succeeded",
        "step": "done",
        "stage": 80,
        "methods": "mobile SMS",
        "password_tries": 1,
        "client": "browser",
        "client_assumed": False,
        "client_mixed": False,
        "ip": "192.0.2.10",
        "ip_group": "192.0.2.10",
        "site": "Malmö",
        "events": 7,
    }
    return row | changes


def event(number: int, flow_id: str | None, hours: float, **changes: Any) -> dict[str, Any]:
    """Return one row of EVENTS."""
    row: dict[str, Any] = {
        "event_id": f"SSPR_{number:06}",
        "time_utc": at(hours),
        "activity": "Self-service password reset flow activity progress",
        "role": "flow",
        "result": "success",
        "meaning": "step",
        "rank": 10,
        "stage": 10,
        "flow_id": flow_id,
        "correlation_id": flow_id,
        "service": "Self-service Password Management",
    }
    return row | changes


def act(number: int, hours: float, **changes: Any) -> dict[str, Any]:
    """Return one row of ACTS."""
    row: dict[str, Any] = {
        "act_id": f"Directory_{number:06}",
        "kind": "admin-reset",
        "time_utc": at(hours),
        "outcome": "succeeded",
        "person": f"00000000-0000-0000-0001-{number:012}",
        "upn": f"user{number}@example.com",
        "actor": "admin@example.com",
        "events": 1,
    }
    return row | changes


def flows() -> pd.DataFrame:
    """Return flows in, before and after the window, with nulls where nulls can be."""
    rows = [
        flow(0, -100, site=None, outcome="failed"),  # the span before
        flow(1, -0.001),  # a moment too early
        flow(2, 0),  # the first moment
        flow(3, 1, outcome="failed", reason="OnPremisesConnectivityError", client="windows-signin"),
        flow(4, 30, person=None, upn=None, outcome="abandoned", client="not-recorded"),
        flow(5, 31, outcome="abandoned", ip=None, ip_group=None, site=None),
        flow(6, 32, ip="2001:db8::7", ip_group="2001:db8::/64", site=None, outcome="blocked"),
        flow(7, 100, ip="198.51.100.7", ip_group="198.51.100.7", site="Lund", outcome="cancelled"),
        flow(8, 100, person="00000000-0000-0000-0001-000000000007", client="other:Kiosk 9"),
        flow(9, 167.9, outcome="open"),
        flow(10, 168),  # a moment too late
    ]
    return frame(FLOWS, rows)


def events() -> pd.DataFrame:
    """Return events of those flows, one beyond the window's end."""
    ids = flows()["flow_id"].tolist()
    insufficient = {"reason_key": "insufficient-methods", "meaning": "failed"}
    rows = [
        event(1, ids[3], 1, reason="User submitted their user ID", reason_key="user-id"),
        event(2, ids[4], 30, reason="User submitted their user ID", reason_key="user-id"),
        event(3, ids[5], 31, reason="user submitted their user ID", reason_key="user-id"),
        event(4, ids[3], 1.01, reason="OnPremisesConnectivityError", reason_key="onprem"),
        event(5, ids[9], 168.1, reason="Not enough methods.", **insufficient),
        event(6, ids[9], 168.1, reason="Not enough methods", **insufficient),
        event(7, ids[1], -0.001, reason="of a flow before the window"),
        event(8, None, 5, reason="of no flow", role="change"),
        event(9, ids[6], 32, reason="Something Microsoft wrote last night"),
        event(10, ids[6], 32.01),
    ]
    return frame(EVENTS, rows)


def acts() -> pd.DataFrame:
    """Return acts in and before the window."""
    rows = [
        act(3, 2),
        act(5, 40, outcome="failed"),
        act(6, 41, kind="registration", actor="user6@example.com"),
        act(7, 42, kind="password-change", outcome="failed", reason="FuzzyPolicyViolation"),
        act(8, -50, kind="password-change"),
        act(9, 168),
    ]
    return frame(ACTS, rows)


def finding(**changes: Any) -> Finding:
    """Return a likely finding about an authenticated proxy at one site."""
    made = Finding(
        cause="authenticated-proxy",
        family="silent-at-sign-in-screen",
        title="Proxy demands user authentication, which the temporary local account cannot give",
        layer="network",
        confidence=Confidence.LIKELY,
        scope=Scope(sites=("Malmö",), clients=("windows-signin",)),
        users=31,
        flows=44,
        first_seen=at(32.2),
        last_seen=at(160),
        evidence=(
            Statement(
                "coverage-hole",
                "None of 44 flows at Malmö came from the sign-in screen; 18 would be expected from "
                "the share at the other sites.",
                0.0004,
            ),
            Statement("clean-browser", "Browser flows at Malmö end as well as elsewhere.", 0.97),
        ),
        against=(
            Statement("link-unknown", "Whether the link is deployed there is not known.", None),
        ),
        rivals=(
            Rival("dot1x-prelogon-sso", "the same picture from the cloud"),
            Rival("signin-reset-not-enabled", "the link may never have been deployed there"),
        ),
        confirm_with=(
            "The proxy's log: HTTP 407 for the portal host without a user, or with defaultuser1.",
            "The assignment of AllowAadPasswordReset in Intune.",
        ),
        who_can_fix="device-admin",
        remedy=Remedy(
            "Give the machine a proxy path that needs no user: per-machine proxy policy, proxy "
            "bypass for the portal hosts, or the proxy written into the Default profile hive.",
            PROXY_COMMANDS,
            ("passwordreset.microsoftonline.com", "ajax.aspnetcdn.com", "ocsp.digicert.com"),
        ),
        sources=(
            Source(
                "Self-service password reset at the Windows sign-in screen",
                "https://learn.microsoft.com/en-us/entra/identity/authentication/howto-sspr-windows",
            ),
            Source("Known from the field", None),
        ),
        events=310,
        event_ids=tuple(f"SSPR_{number:06}" for number in range(100)),
        flow_ids=tuple(flow(number, 0)["flow_id"] for number in (1, 3, 4)),
    )
    return replace(made, **changes)


def findings() -> tuple[Finding, ...]:
    """Return findings of every confidence, weakest first."""
    return (
        finding(
            cause="user-gave-up",
            family=None,
            title="People stop at the options page",
            layer="user",
            confidence=Confidence.POSSIBLE,
            scope=Scope(users=tuple(f"user{number}@example.com" for number in range(9))),
            users=9,
            flows=9,
            rivals=(),
            against=(),
            who_can_fix="user",
            remedy=Remedy("Tell people what to expect."),
            sources=(),
        ),
        finding(),
        finding(
            cause="writeback-unreachable",
            family=None,
            title="Password writeback cannot reach the sync server",
            layer="on-prem-writeback",
            confidence=Confidence.CONFIRMED,
            scope=Scope(),
            users=4,
            flows=6,
            who_can_fix="on-premises-admin",
        ),
    )


def unobservable() -> tuple[Unobservable, ...]:
    """Return as many causes as a report from audit records alone has."""
    needs = (("device readings",), ("devices", "signIns"), ("writeback server events",))
    return tuple(
        Unobservable(f"silent-cause-{number:02}", needs[number % 3]) for number in range(80)
    )


def account(**changes: Any) -> Account:
    """Return an account that adds up."""
    made = Account(
        records_read=1_239,
        events=60,
        other_records=1_100,
        context_records={"devices": 40, "signIns": 20},
        outside_window=12,
        duplicates=4,
        id_conflicts=1,
        skipped=(Skipped("not JSON", 3, "audit.json, record 17: Expecting value"),),
        files_ignored=("notes.txt",),
        filter="loggedByService eq 'Self-service Password Management'",
    )
    return replace(made, **changes)


def coverage(**changes: Any) -> Coverage:
    """Return a coverage with a gap and a settling end."""
    made = Coverage(
        complete=False,
        spans=((at(0), at(50)), (at(52.5), at(168))),
        gaps=(Gap(at(50), at(52.5), "the service answered 503 six times"),),
        settling=(at(167.5), at(168)),
    )
    return replace(made, **changes)


def report(**changes: Any) -> Report:
    """Return a report that has something in every field."""
    given: dict[str, Any] = {
        "version": "1.2.3",
        "now": NOW,
        "window": WINDOW,
        "baseline": BASELINE,
        "tenant_id": "00000000-0000-0000-0000-000000000001",
        "cloud": "global",
        "events": events(),
        "flows": flows(),
        "acts": acts(),
        "account": account(),
        "coverage": coverage(),
        "previous": PREVIOUS,
        "unrecognized": Unrecognized(
            reasons=(TextCount("Something Microsoft wrote last night", 1),),
            client_types=(TextCount("Kiosk 9", 4), TextCount("Other", 7)),
        ),
        "findings": findings(),
        "unobservable": unobservable(),
    }
    wanted = given | changes
    wanted["reasons"] = reasons(wanted.pop("events"), wanted["flows"], wanted["window"])
    return build(**wanted)


def reasons(
    events: pd.DataFrame, of_flows: pd.DataFrame, window: Window
) -> tuple[ReasonCount, ...]:
    """Count the reasons of frames as those of tables are counted."""
    start, end = window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)
    tables = {
        "events": events[["flow_id", "reason", "reason_key", "method"]],
        "flows": of_flows.assign(start_utc=of_flows["start_utc"].dt.tz_localize(None)),
    }
    arrow = {name: pa.Table.from_pandas(table) for name, table in tables.items()}
    with engine.scratch() as connection, engine.lent(connection, **arrow):
        return stage.reasons(connection, start, end)


def empty(**changes: Any) -> Report:
    """Return a report on records of which none is about password reset."""
    nothing: dict[str, Any] = {
        "events": frame(EVENTS, []),
        "flows": frame(FLOWS, []),
        "acts": frame(ACTS, []),
        "account": account(records_read=1_179, events=0),
        "unrecognized": Unrecognized(),
        "findings": (),
    }
    return report(**(nothing | changes))
