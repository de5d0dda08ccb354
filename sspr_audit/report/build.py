"""Flows, acts and findings to the one Report that every renderer takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import (
    OUTCOMES,
    Account,
    Acts,
    Address,
    Change,
    Coverage,
    Day,
    Finding,
    Group,
    Progress,
    ReasonCount,
    Report,
    TextCount,
    Totals,
    Unobservable,
    Unrecognized,
    Window,
)

if TYPE_CHECKING:
    import pandas as pd

EVENT_IDS: Final = 100
"""How many event ids a finding carries; its `events` counts all."""

_COUNTED: Final = ["person", "start_utc", "outcome", "client", "ip_group", "site"]
"""The columns of FLOWS that the counts need; cutting rows out of all of them takes long."""

_GROUPED: Final = ["person", "outcome", "client", "ip_group", "site"]
"""Those in which texts come again; they are told apart once, and then counted by number."""


def build(  # noqa: PLR0913 -- one argument for each thing that a report holds
    *,
    version: str,
    now: datetime,
    window: Window,
    baseline: Window,
    tenant_id: str | None,
    cloud: str | None,
    flows: pd.DataFrame,
    acts: pd.DataFrame,
    reasons: tuple[ReasonCount, ...],
    account: Account,
    coverage: Coverage,
    previous: Window | None,
    unrecognized: Unrecognized,
    findings: Iterable[Finding],
    unobservable: Iterable[Unobservable],
    changed: Change | None = None,
    progress: Progress | None = None,
) -> Report:
    """Return the report on `window`.

    The frames have the columns of FLOWS and ACTS and may reach beyond the window on both
    sides: a flow counts where it starts, an act where its first event lies. `previous` is the span
    before, counted too where it is given. The order of rows does not matter.
    """
    here = _within(flows, window)
    return Report(
        version=version,
        generated_at=now,
        window=window,
        baseline=baseline,
        tenant_id=tenant_id,
        cloud=cloud,
        account=account,
        coverage=coverage,
        totals=_totals(here, within(acts, "time_utc", window)),
        previous=None if previous is None else _before(flows, acts, previous),
        by_client=_groups(here, "client"),
        by_site=_groups(here, "site"),
        by_day=_days(here),
        by_ip=_addresses(here),
        reasons=reasons,
        unrecognized=_ordered(unrecognized),
        findings=tuple(sorted((_bounded(finding) for finding in findings), key=_weightiest)),
        unobservable=tuple(sorted(unobservable, key=lambda one: (one.cause, one.needs))),
        changed=changed,
        progress=progress,
    )


def within(frame: pd.DataFrame, time: str, window: Window) -> pd.DataFrame:
    """Return the rows whose column `time` lies in the window, its start in and its end out."""
    return frame[(frame[time] >= window.start) & (frame[time] < window.end)]


def _before(flows: pd.DataFrame, acts: pd.DataFrame, previous: Window) -> Totals:
    return _totals(_within(flows, previous), within(acts, "time_utc", previous))


def _within(flows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Return what the counts need of the flows that start in the window."""
    here = within(flows[_COUNTED], "start_utc", window)
    return here.astype(dict.fromkeys(_GROUPED, "category"))


def _totals(flows: pd.DataFrame, acts: pd.DataFrame) -> Totals:
    return Totals(
        flows=len(flows),
        users=int(flows["person"].nunique()),
        outcomes={outcome: int(flows["outcome"].eq(outcome).sum()) for outcome in OUTCOMES},
        acts=_acts(acts),
    )


def _acts(acts: pd.DataFrame) -> Acts:
    def count(kind: str, outcome: str) -> int:
        return int((acts["kind"].eq(kind) & acts["outcome"].eq(outcome)).sum())

    return Acts(
        password_changes_succeeded=count("password-change", "succeeded"),
        password_changes_failed=count("password-change", "failed"),
        admin_resets_succeeded=count("admin-reset", "succeeded"),
        admin_resets_failed=count("admin-reset", "failed"),
        registrations=int(acts["kind"].eq("registration").sum()),
    )


def _counted(flows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return flows, users and one column an outcome for each value of `by`, null included.

    Ordered by most flows, then by name, null last.
    """
    import numpy as np
    import pandas as pd

    group = flows.groupby(by, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    numbers, first = np.unique(group, return_index=True)
    outcome = pd.Index(OUTCOMES).get_indexer(pd.Index(flows["outcome"]))
    person, people = pd.factorize(flows["person"])
    each = np.unique((group * (len(people) + 1) + person)[person >= 0]) // (len(people) + 1)
    cells = np.bincount(group * len(OUTCOMES) + outcome, minlength=len(numbers) * len(OUTCOMES))
    counts = pd.DataFrame(
        cells.reshape(len(numbers), len(OUTCOMES)), columns=list(OUTCOMES), index=first
    )
    named = flows[by].iloc[first].set_axis(first)
    users = np.bincount(each, minlength=len(numbers))
    return named.assign(flows=counts.sum(axis=1), users=users, **counts).sort_values(
        ["flows", *by], ascending=[False, *[True] * len(by)], na_position="last", kind="stable"
    )


def _groups(flows: pd.DataFrame, by: str) -> tuple[Group, ...]:
    return tuple(
        Group(_text(row[by]), int(row["flows"]), int(row["users"]), _outcomes(row))
        for row in _counted(flows, [by]).to_dict("records")
    )


def _days(flows: pd.DataFrame) -> tuple[Day, ...]:
    dated = flows.assign(day=flows["start_utc"].dt.floor("D"))
    return tuple(
        Day(f"{row['day']:%Y-%m-%d}", int(row["flows"]), _outcomes(row))
        for row in _counted(dated, ["day"]).sort_values("day").to_dict("records")
    )


def _addresses(flows: pd.DataFrame) -> tuple[Address, ...]:
    keys = ["ip_group", "site"]
    size = flows.groupby([*keys, "client"], dropna=False, sort=False).size()
    by_client = size.reset_index(name="flows").sort_values(
        ["flows", "client"], ascending=[False, True], kind="stable"
    )
    clients: dict[tuple[str | None, str | None], dict[str, int]] = {}
    # As many rows as addresses: columns are lists at once, where rows would be frames each.
    for ip, site, client, count in zip(*_columns(by_client), strict=True):
        clients.setdefault((_text(ip), _text(site)), {})[str(client)] = count
    counted = _counted(flows, keys)
    outcomes = zip(*_columns(counted[list(OUTCOMES)]), strict=True)
    places = zip(*_columns(counted[[*keys, "flows", "users"]]), strict=True)
    return tuple(
        Address(
            ip=_text(ip),
            site=_text(site),
            flows=count,
            users=users,
            clients=clients[_text(ip), _text(site)],
            outcomes=dict(zip(OUTCOMES, counts, strict=True)),
        )
        for (ip, site, count, users), counts in zip(places, outcomes, strict=True)
    )


def _columns(frame: pd.DataFrame) -> list[list[Any]]:
    return [frame[name].tolist() for name in frame.columns]


def _outcomes(row: dict[Any, Any]) -> dict[str, int]:
    return {outcome: int(row[outcome]) for outcome in OUTCOMES}


def _text(value: object) -> str | None:
    """Return the cell as text; a frame's null, whatever its kind, is None."""
    return value if isinstance(value, str) else None


def _ordered(unrecognized: Unrecognized) -> Unrecognized:
    def most_first(texts: tuple[TextCount, ...]) -> tuple[TextCount, ...]:
        return tuple(sorted(texts, key=lambda one: (-one.count, one.text)))

    return Unrecognized(
        reasons=most_first(unrecognized.reasons),
        client_types=most_first(unrecognized.client_types),
        activities=most_first(unrecognized.activities),
    )


def _bounded(finding: Finding) -> Finding:
    return replace(finding, event_ids=finding.event_ids[:EVENT_IDS])


def _weightiest(finding: Finding) -> tuple[object, ...]:
    """Most certain first, then most users; the rest only makes the order certain."""
    scope = finding.scope
    return (
        finding.confidence.rank,
        -finding.users,
        -finding.flows,
        finding.first_seen,
        finding.cause,
        scope.sites,
        scope.ips,
        scope.clients,
        scope.users,
        scope.devices,
    )
