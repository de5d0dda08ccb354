"""A Report to JSON, schema sspr-audit-report/1, and the JSON Schema that describes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from numbers import Integral
from typing import Any, Final

from sspr_audit.model import (
    CONTEXT_KINDS,
    OUTCOMES,
    Account,
    Acts,
    Address,
    Change,
    Comparison,
    Coverage,
    Finding,
    Gone,
    Group,
    Progress,
    Report,
    Scope,
    Share,
    Statement,
    TextCount,
    Totals,
    Window,
)
from sspr_audit.report import harmless

SCHEMA: Final = "sspr-audit-report/1"
"""Changes with every change that could break who reads the report."""


def render(report: Report) -> str:
    """Return the report as JSON text; equal reports give equal text.

    Times are UTC with milliseconds, cut. Characters that a terminal would obey or a reader not see
    are written as escapes, so any parser gives the full text back.
    """
    document = json.dumps(_report(report), indent=2, ensure_ascii=False, allow_nan=False)
    return harmless.json(document) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what `render` writes."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _report(report: Report) -> dict[str, Any]:
    told = _all_but_changed(report)
    if report.changed is not None:
        told["changed"] = _changed(report.changed)
    if report.progress is not None:
        told["progress"] = _progress(report.progress)
    if report.is_pseudonymized:
        told["pseudonymized"] = True
    return told


def _all_but_changed(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tool": {"name": "sspr-audit", "version": report.version},
        "generated_at": _time(report.generated_at),
        "window": _window(report.window),
        "baseline": _window(report.baseline),
        "tenant": {"id": report.tenant_id, "cloud": report.cloud},
        "inputs": _inputs(report.account),
        "coverage": _coverage(report.coverage),
        "totals": {
            **_totals(report.totals),
            "previous": None if report.previous is None else _totals(report.previous),
        },
        **_groups(report),
        "reasons": [
            {"reason": one.reason, "key": one.key, "flows": one.flows, "users": one.users}
            for one in report.reasons
        ],
        "unrecognized": {
            "reasons": _texts(report.unrecognized.reasons),
            "client_types": _texts(report.unrecognized.client_types),
            "activities": _texts(report.unrecognized.activities),
        },
        "findings": [_followed(finding) for finding in report.findings],
        "unobservable": [
            {"cause": one.cause, "needs": list(one.needs)} for one in report.unobservable
        ],
    }


def _changed(change: Change) -> dict[str, Any]:
    on_weekdays = change.on_weekdays
    return {
        "at": _time(change.at),
        "before": _window(change.before),
        "after": _window(change.after),
        "tested": change.tested,
        "flows_of_nobody": change.nobody,
        "weekend": {
            "before": _rounded(change.weekend_before),
            "after": _rounded(change.weekend_after),
        },
        "all": _comparison(change.total),
        "on_weekdays": None if on_weekdays is None else _comparison(on_weekdays),
        "by_site": [{"site": one.name, **_comparison(one)} for one in change.by_site],
        "by_client": [{"client": one.name, **_comparison(one)} for one in change.by_client],
        "at_signin_screen": [
            {"site": one.name, **_comparison(one)} for one in change.at_signin_screen
        ],
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "before": _share(one.before),
        "after": _share(one.after),
        "difference": _rounded(one.difference),
        "low": _rounded(one.low),
        "high": _rounded(one.high),
        "p": None if one.p is None else float(f"{one.p:.4g}"),
        "verdict": one.verdict.value,
        "lacks": None if one.lacks is None else one.lacks.value,
        "needed": one.needed,
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "count": share.count,
        "people": share.people,
        "share": _rounded(share.share),
        "low": _rounded(share.low),
        "high": _rounded(share.high),
    }


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "before": _window(progress.before),
        "known": progress.is_known,
        "ended_well": None if progress.ended_well is None else _comparison(progress.ended_well),
        "gone_known": progress.gone_is_known,
        "gone": [_gone(one) for one in progress.gone],
    }


def _gone(one: Gone) -> dict[str, Any]:
    past = one.past
    return {
        "id": past.identity,
        "cause": past.cause,
        "family": past.family,
        "title": past.title,
        "scope": {"sites": [*past.sites], "ips": [*past.ips], "clients": [*past.clients]},
        "users": past.users,
        "flows": past.flows,
        "since": _time(past.since),
        "last_seen": _time(past.last_seen),
        "people": None if one.people is None else _comparison(one.people),
    }


def _rounded(value: float | None) -> float | None:
    """Return six digits after the point, which every machine works out alike."""
    return None if value is None else round(value, 6)


def _time(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _window(window: Window) -> dict[str, str]:
    return {"start": _time(window.start), "end": _time(window.end)}


def _inputs(account: Account) -> dict[str, Any]:
    return {
        "records_read": account.records_read,
        "events": account.events,
        "other_records": account.other_records,
        "context_records": _in_order(account.context_records, CONTEXT_KINDS),
        "outside_window": account.outside_window,
        "duplicates": account.duplicates,
        "id_conflicts": account.id_conflicts,
        "skipped": [
            {"reason": one.reason, "count": one.count, "example": one.example}
            for one in account.skipped
        ],
        "files_ignored": list(account.files_ignored),
        "filter": account.filter,
    }


def _in_order(counts: Mapping[str, int], names: tuple[str, ...]) -> dict[str, int]:
    """Return the counts by the order of `names`, whatever order they were counted in."""
    return {name: counts[name] for name in names if name in counts}


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "complete": coverage.complete,
        "spans": [[_time(start), _time(end)] for start, end in coverage.spans],
        "gaps": [
            {"start": _time(gap.start), "end": _time(gap.end), "reason": gap.reason}
            for gap in coverage.gaps
        ],
        "settling": None if coverage.settling is None else [*map(_time, coverage.settling)],
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "flows": totals.flows,
        "users": totals.users,
        "outcomes": _in_order(totals.outcomes, OUTCOMES),
        "acts": _acts(totals.acts),
    }


def _acts(acts: Acts) -> dict[str, Any]:
    return {
        "password_changes": {
            "succeeded": acts.password_changes_succeeded,
            "failed": acts.password_changes_failed,
        },
        "admin_resets": {
            "succeeded": acts.admin_resets_succeeded,
            "failed": acts.admin_resets_failed,
        },
        "registrations": acts.registrations,
    }


def _groups(report: Report) -> dict[str, Any]:
    def counts(one: Group | Address) -> dict[str, Any]:
        return {
            "flows": one.flows,
            "users": one.users,
            "outcomes": _in_order(one.outcomes, OUTCOMES),
        }

    return {
        "by_client": [{"client": one.name, **counts(one)} for one in report.by_client],
        "by_site": [{"site": one.name, **counts(one)} for one in report.by_site],
        "by_day": [
            {"day": one.day, "flows": one.flows, "outcomes": _in_order(one.outcomes, OUTCOMES)}
            for one in report.by_day
        ],
        "by_ip": [
            {
                "ip": one.ip,
                "site": one.site,
                "flows": one.flows,
                "users": one.users,
                "clients": _most_first(one.clients),
                "outcomes": _in_order(one.outcomes, OUTCOMES),
            }
            for one in report.by_ip
        ],
    }


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _texts(texts: tuple[TextCount, ...]) -> list[dict[str, Any]]:
    return [{"text": one.text, "count": one.count} for one in texts]


def _followed(finding: Finding) -> dict[str, Any]:
    told = _finding(finding)
    if finding.identity:
        told["id"] = finding.identity
    if finding.trend is not None:
        trend = finding.trend
        told["trend"] = {
            "course": trend.course.value,
            "since": None if trend.since is None else _time(trend.since),
            "weeks": trend.weeks,
            "last_before": None if trend.last_before is None else _time(trend.last_before),
            "people": None if trend.people is None else _comparison(trend.people),
        }
    return told


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "family": finding.family,
        "title": finding.title,
        "layer": finding.layer,
        "confidence": finding.confidence.value,
        "scope": _scope(finding.scope),
        "users": finding.users,
        "flows": finding.flows,
        "first_seen": _time(finding.first_seen),
        "last_seen": _time(finding.last_seen),
        "evidence": [_statement(one) for one in finding.evidence],
        "against": [_statement(one) for one in finding.against],
        "rivals": [{"cause": one.cause, "why": one.why} for one in finding.rivals],
        "confirm_with": list(finding.confirm_with),
        "who_can_fix": finding.who_can_fix,
        "remedy": {
            "summary": finding.remedy.summary,
            "commands": list(finding.remedy.commands),
            "hosts": list(finding.remedy.hosts),
        },
        "sources": [{"title": one.title, "url": one.url} for one in finding.sources],
        "events": finding.events,
        "event_ids": list(finding.event_ids),
    }


def _scope(scope: Scope) -> dict[str, list[str]]:
    return {
        "sites": list(scope.sites),
        "ips": list(scope.ips),
        "clients": list(scope.clients),
        "users": list(scope.users),
        "devices": list(scope.devices),
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "signal": statement.signal,
        "statement": statement.statement,
        "value": _value(statement.value),
    }


def _value(value: float | str | None) -> float | str | None:
    """Return the value as JSON can hold it; what is no number (a share of none) is null."""
    match value:
        case None | str():
            return value
        case Integral():  # a frame's own number types too
            return int(value)
        case _:
            return float(value) if math.isfinite(value) else None
