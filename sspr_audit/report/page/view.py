"""What stands on the page, as plain values that its template only lays out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sspr_audit.model import (
    OUTCOMES,
    Change,
    Comparison,
    Finding,
    Report,
    Scope,
    Totals,
    Verdict,
)
from sspr_audit.report import basis, changed, harmless, progress, verdict, words
from sspr_audit.report.clock import Clock
from sspr_audit.report.page.tables import ROWS, tables

PER_DAY: Final = ("Flows per day", "How the flows that began on each UTC day ended.")
HEAT_MAP: Final = (
    "Ended without success, by site and client",
    "The share of ended flows that did not succeed. A pair without any flow can be the finding.",
)
FUNNEL: Final = (
    "How far flows got, by client",
    "How many flows reached each step. Where a bar drops, people stopped.",
)
ADDRESSES: Final = (
    "Flows by IP address",
    "The addresses with the most flows, and how those ended.",
)
"""The charts: title, and what they show."""

_SCREEN: Final = "windows-signin"

NAMES: Final = 100
"""How many names of one kind a finding lists; the JSON report has all."""

_SENTENCE: Final = 600
"""Characters of one sentence of evidence or advice."""

_NAMED: Final = 5
"""How many new (worse, better) findings the first screen names."""

_FEW_CLIENTS: Final = 2
"""Up to how many clients the head of a finding names; below it all stand."""

_NOT_WHOLE: Final = ("Gap", "Skipped", "Not whole")
"""Labels of basis.data that the first screen shows; settling and conflicts lose nothing."""

_DOTS: Final = {"confirmed": "●●●", "likely": "●●○", "possible": "●○○"}
"""Confidence for whoever sees no colours and reads no words yet."""


def page(report: Report, when: Clock, *, since: Change | None) -> dict[str, Any]:
    """Return everything that the template names, but for charts, flows and its own parts."""
    ordered = verdict.in_order(report)
    first, *why = verdict.headline(report, when)
    others = verdict.sentences(report, when)[1:]
    doubts = [*basis.doubts(report, when)]
    told = [*basis.data(report, when)]
    findings = [_finding(place, one, report, when) for place, one in enumerate(ordered, start=1)]
    return {
        "title": f"Password resets: {first}",
        "verdict": first,
        "why": why,
        "sentences": [one for one in others if one not in doubts],
        "notices": doubts,
        "not_whole": [pair for pair in told if _is_fault(pair)],
        "tenant": ", ".join(words.name(one) for one in (report.tenant_id, report.cloud) if one),
        "window": when.span(report.window.start, report.window.end),
        "tiles": _tiles(report.totals, report.previous),
        "since": _since(report, since, when),
        "findings": [one for one in findings if not one["own"]],
        "own": [one for one in findings if one["own"]],
        "changed": None if report.changed is None else _changed(report.changed, when),
        "tables": tables(report, local=when.is_local),
        "data": told,
        "unobservable": words.needs(report.unobservable),
        "version": harmless.line(report.version),
        "generated": when.moment(report.generated_at),
        "zone": when.name,
        "pseudonyms": report.is_pseudonymized,
    }


def silent_site(report: Report) -> str | None:
    """Return the site of the first finding that is about one site's sign-in screen, if any is."""
    scopes = (one.scope for one in verdict.in_order(report))
    named = (one.sites for one in scopes if one.clients == (_SCREEN,) and len(one.sites) == 1)
    return next((site for (site,) in named), None)


def at_screen(site: str) -> tuple[str, str]:
    """Return title and sentence of the chart about that site."""
    return (
        f"At the Windows sign-in screen, at {words.name(site)}",
        "Flows from there on each UTC day that was read, before this window too.",
    )


def _is_fault(pair: tuple[str, str]) -> bool:
    return pair[0] in _NOT_WHOLE or pair[1].startswith("not complete")


def _tiles(now: Totals, before: Totals | None) -> list[dict[str, str]]:
    """Return the counts to see first, each with the same count of the span before."""
    usual = ("succeeded", "failed", "blocked", "abandoned")
    shown = [one for one in OUTCOMES if one in usual or now.outcomes[one]]
    counts = [
        ("people", now.users, before.users if before else None),
        ("flows", now.flows, before.flows if before else None),
        *((one, now.outcomes[one], before.outcomes[one] if before else None) for one in shown),
    ]
    return [
        {
            "label": label,
            "count": f"{count:,}",
            "before": "" if earlier is None else f"{earlier:,} before",
            "kind": label if label in shown else "",
        }
        for label, count, earlier in counts
    ]


def _since(report: Report, since: Change | None, when: Clock) -> dict[str, Any] | None:
    """Return what changed since the span before: sentences, what is gone, and a table of places.

    None where nothing is known of that span.
    """
    summary = progress.summary(report, when)
    if since is None and not summary:
        return None
    ended = report.progress.ended_well if report.progress else None
    total = ended or (since.total if since else None)
    tone = total.verdict if total else Verdict.CANNOT_TELL
    leads = {
        Verdict.WORSE: "Worse than the period before",
        Verdict.BETTER: "Better than the period before",
    }
    told = progress.of_totals(report) or (changed.told(since.total) if since else "")
    differ = [] if since is None else [_differ(since, one) for one in leads]
    return {
        "tone": tone.value,
        "lead": leads.get(tone, progress.TITLE),
        "sentences": [*filter(None, (told, summary, *differ, *progress.notes(report)))],
        "named": [
            (word.capitalize(), found[:_NAMED], len(found[_NAMED:]))
            for word, found in progress.named(report)
        ],
        "gone": [one.sentence for one in progress.gone(report, when)],
        "headings": changed.HEADINGS,
        "tables": [
            {"title": title, "word": word, "rows": _places(places, word)}
            for title, word, places in (changed.tables(since) if since else ())
        ],
        "corrected": changed.corrected(since) if since else "",
    }


def _differ(since: Change, verdict: Verdict) -> str:
    """Return a sentence that names the sites and clients with this verdict, if there are any."""
    parts = []
    for word, places, nobody in (
        ("at", since.by_site, "addresses of no named site"),
        ("with", since.by_client, "-"),
    ):
        names = [one.name or nobody for one in places if one.verdict is verdict]
        if names:
            parts.append(f"{word} {words.listed(names, most=5)}")
    return f"{verdict.value.capitalize()} {'; '.join(parts)}." if parts else ""


def _places(places: Sequence[Comparison], word: str) -> list[list[str]]:
    return [
        [words.name(one.name or changed.NOWHERE[word]), *changed.cells(one)]
        for one in places[:ROWS]
    ]


def _changed(change: Change, when: Clock) -> dict[str, Any]:
    return {
        "title": changed.TITLE,
        "sentences": [*changed.sentences(change, when)],
        "headings": changed.HEADINGS,
        "tables": [
            {"title": title, "word": word, "rows": _places(places, word)}
            for title, word, places in changed.tables(change)
        ],
        "corrected": changed.corrected(change),
    }


def _finding(number: int, finding: Finding, report: Report, when: Clock) -> dict[str, Any]:
    word = finding.confidence.value
    part = progress.of_finding(finding, report, when)
    return {
        "number": number,
        "title": _said(finding.title),
        "confidence": word,
        "dots": _DOTS[word],
        "means": verdict.means(finding),
        "course": None if part is None else part._asdict(),
        "own": finding.who_can_fix == "user",
        "facts": [*_facts(finding, report, when)],
        "flows": len(finding.flow_ids),
        "elsewhere": _elsewhere(finding),
        "layer": words.LAYER.get(finding.layer, finding.layer),
        "summary": harmless.line(finding.remedy.summary, bound=_SENTENCE * 4),
        "commands": [one for command in finding.remedy.commands for one in harmless.lines(command)],
        "hosts": [harmless.line(host) for host in finding.remedy.hosts],
        "evidence": [_said(one.statement) for one in finding.evidence],
        "against": [_said(one.statement) for one in finding.against],
        "rivals": [
            (_said(shared), [(cause, _said(told)) for cause, told in found])
            for shared, found in verdict.rivals(finding)
        ],
        "settle": [_said(one) for one in finding.confirm_with],
        "sources": [(harmless.line(one.title), _address(one.url)) for one in finding.sources],
        "scope": [*_scope(finding.scope)],
        "cause": finding.cause,
        "family": finding.family or "",
        "events": f"{finding.events:,}",
        "event_ids": [words.name(one) for one in finding.event_ids],
    }


def _elsewhere(finding: Finding) -> str:
    """Return where to look for a finding of which the page holds no flow."""
    if finding.flow_ids:
        since = f"sspr-audit report --since {finding.first_seen:%Y-%m-%d}"
        return f"Its flows began before this window; {since} opens them."
    if finding.events:
        return "No flow shows it: its events stand by themselves, and their ids under Trace."
    why = f"sspr-audit causes {finding.cause} --why"
    return f"No flow shows what is missing; {why} tells what was looked for, and what was found."


def _said(text: str) -> str:
    return harmless.line(text, bound=_SENTENCE)


def _facts(finding: Finding, report: Report, when: Clock) -> Iterator[tuple[str, str]]:
    scope = finding.scope
    yield "Concerns", verdict.concerns(finding, report)
    where = words.listed(scope.sites or scope.ips, most=4)
    few = len(scope.clients) <= _FEW_CLIENTS
    clients = (
        "; ".join(words.client(one) for one in scope.clients)
        if few
        else words.several(len(scope.clients), "client")
    )
    yield "Where", "; ".join(one for one in (where, clients) if one) or "no one place"
    yield "When", verdict.seen(finding, report, when)
    yield "Fixed by", words.WHO.get(finding.who_can_fix, finding.who_can_fix)


def _scope(scope: Scope) -> Iterator[tuple[str, list[str], int]]:
    """Yield each kind of name, the names, and how many more there are."""
    kinds: Mapping[str, Sequence[str]] = {
        "Sites": scope.sites,
        "Networks": scope.ips,
        "Clients": scope.clients,
        "People": scope.users,
        "Devices": scope.devices,
    }
    for kind, names in kinds.items():
        if names:
            yield kind, [words.name(one) for one in names[:NAMES]], max(0, len(names) - NAMES)


def _address(url: str | None) -> str:
    """Return an address that a link may hold, or nothing."""
    if url and re.fullmatch(r"https?://[\w.~:/?#@!$&'*+,;=%-]+", url, re.ASCII):
        return url
    return ""
