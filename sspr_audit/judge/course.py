"""Findings and what is known of the period before → what became of each, and which are gone.

The records tell how reasons named a cause before the window. Of patterns an earlier report tells,
or the pattern's own onset. Nothing is new, better or gone where the period before is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sspr_audit.judge import telling
from sspr_audit.model import (
    Course,
    Finding,
    Gone,
    Met,
    Past,
    Told,
    Trend,
    Verdict,
    Window,
)

_WEEK: Final = timedelta(days=7)
_APART: Final = timedelta(days=1)
"""What ended longer ago than this, and began anew, is another one."""
_STATED: Final = "reason-stated"
_ONSET: Final = "sudden-onset"
_COURSES: Final = {
    Verdict.WORSE: Course.WORSE,
    Verdict.BETTER: Course.BETTER,
    Verdict.CANNOT_TELL: Course.CONTINUING,
}


def followed(
    findings: Iterable[Finding],
    met: Iterable[Met],
    told: Told | None,
    *,
    window: Window,
    is_whole: bool,
) -> tuple[Finding, ...]:
    """Return the findings with what became of them.

    `told` is the report on the period before; `is_whole` says whether the records hold all of it.
    """
    known = {one.target: one for one in met}
    rows = {one.identity: one for one in told.findings} if told else {}

    def trend(finding: Finding) -> Trend:
        row = rows.get(finding.identity)
        if is_stated(finding):
            return _stated(known.get(_target(finding)), row, told, window, is_whole=is_whole)
        return _shown(finding, row, told, window, is_whole=is_whole)

    return tuple(replace(one, trend=trend(one)) for one in findings)


def gone(
    findings: Sequence[Finding],
    before: Iterable[Finding],
    met: Iterable[Met],
    told: Told | None,
    *,
    is_whole: bool,
) -> tuple[Gone, ...]:
    """Return what the period before showed and the window does not, the most people first.

    `before` are the findings that reasons state in that period. Where the records hold all of it,
    they tell of reasons, and the earlier report of patterns alone.
    """
    here = {one.identity for one in findings}
    people = {one.target: one.people for one in met}
    found = {one.identity: Gone(past(one), people.get(_target(one))) for one in before}
    for row in told.findings if told else ():
        if not (is_whole and _is_stated(row)):
            found.setdefault(row.identity, Gone(row, None))
    left = [one for identity, one in found.items() if identity not in here]
    return tuple(sorted(left, key=lambda one: (-one.past.users, one.past.identity)))


def past(finding: Finding) -> Past:
    """Return what a later report may know of the finding; no person is named in it.

    The places of what a text names are wherever its people were, and are left out.
    """
    scope, trend = finding.scope, finding.trend
    since = trend.since if trend and trend.since else finding.first_seen
    everywhere = is_stated(finding)
    return Past(
        identity=finding.identity,
        cause=finding.cause,
        family=finding.family,
        title=finding.title,
        sites=() if everywhere else scope.sites,
        ips=() if everywhere or scope.sites else scope.ips,
        clients=() if everywhere else scope.clients,
        users=finding.users,
        flows=finding.flows,
        since=since,
        last_seen=finding.last_seen,
    )


def is_stated(finding: Finding) -> bool:
    """Say whether a text or code names it, and no pattern."""
    return any(one.signal == _STATED for one in finding.evidence)


def _is_stated(row: Past) -> bool:
    return row.identity == telling.identity(row.family or row.cause, None)


def _target(finding: Finding) -> str:
    return finding.family or finding.cause


def _stated(
    met: Met | None, row: Past | None, told: Told | None, window: Window, *, is_whole: bool
) -> Trend:
    """Return what became of what reasons name: the records go before an earlier report."""
    if met is not None and met.seen and met.since is not None:
        older = row is not None and met.reaches
        since = min(met.since, row.since) if older and row else met.since
        verdict = met.people.verdict if met.people else Verdict.CANNOT_TELL
        return _there(_COURSES[verdict], since, window, met)
    if is_whole:
        return Trend(Course.NEW, last_before=met.last_before if met else None)
    return _reported(row, told, window)


def _shown(
    finding: Finding, row: Past | None, told: Told | None, window: Window, *, is_whole: bool
) -> Trend:
    """Return what became of a pattern: its own onset goes before an earlier report."""
    if finding.first_seen < window.start:
        since = min(finding.first_seen, row.since) if row else finding.first_seen
        return _there(Course.CONTINUING, since, window)
    if _began_here(finding, window):
        if row is None and is_whole:
            return Trend(Course.NEW)
        if row is not None and finding.first_seen - row.last_seen > _APART:
            return Trend(Course.NEW, last_before=row.last_seen)
    return _reported(row, told, window)


def _reported(row: Past | None, told: Told | None, window: Window) -> Trend:
    if row is not None:
        return _there(Course.CONTINUING, row.since, window)
    return Trend(Course.NEW if told and told.complete else Course.NOT_KNOWN)


def _there(course: Course, since: datetime, window: Window, met: Met | None = None) -> Trend:
    weeks = (window.end - since) // _WEEK
    return Trend(course, since, weeks, people=met.people if met else None)


def _began_here(finding: Finding, window: Window) -> bool:
    """Say whether a beginning inside the window stands out from chance."""
    begun = [str(one.value) for one in finding.evidence if one.signal == _ONSET]
    return any(datetime.fromisoformat(one) >= window.start for one in begun)
