"""A Report to GitHub-flavoured Markdown, in which no stranger's text comes alive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sspr_audit.model import OUTCOMES, Change, Finding, Report, Scope
from sspr_audit.report import basis, changed, harmless, progress, verdict, words
from sspr_audit.report.clock import Clock, clock

ROWS: Final = 100
"""How many rows a table shows; the JSON report has all."""

_SENTENCE: Final = 600
"""Characters of one sentence of evidence or advice."""


def render(report: Report, *, timezone: str | None) -> str:
    """Return the report as Markdown. Raises SettingsError for an unknown time zone."""
    return "\n".join([*_page(report, clock(timezone)), ""])


def _page(report: Report, when: Clock) -> Iterator[str]:
    yield "# Self-service password reset: what failed, and why"
    for sentence in verdict.sentences(report, when):
        yield from ("", _said(sentence, bound=None))
    others = [
        f"{number}. {_said(one, bound=None)}" for number, one in verdict.overview(report, when)
    ]
    if others:
        yield from ("", "Also found:", "", *others)
    yield from _progress(report, when)
    if report.changed is not None:
        yield from _changed(report.changed, when)
    yield from ("", "## Data", "")
    yield from _table(
        ("", ""),
        [(label, _said(sentence, bound=None)) for label, sentence in basis.data(report, when)],
    )
    yield from ("", "## Findings", "")
    if not report.findings:
        yield "None. What that means stands at the top of this page."
    for number, finding in enumerate(verdict.in_order(report), start=1):
        if number > 1:
            yield ""
        yield from _finding(number, finding, report, when)
    yield from _totals(report)
    yield from _groups(report, local=when.is_local)
    yield from _texts(report)
    yield from _unobservable(report)
    version = harmless.markdown(report.version)
    yield from ("", f"Written by sspr-audit {version}, {when.moment(report.generated_at)}.")


def _progress(report: Report, when: Clock) -> Iterator[str]:
    summary = progress.summary(report, when)
    if not summary:
        return
    yield from ("", f"## {progress.TITLE}")
    for sentence in filter(None, (summary, progress.of_totals(report), *progress.notes(report))):
        yield from ("", _said(sentence, bound=None))
    gone = [_said(one.sentence) for one in progress.gone(report, when)]
    yield from _list("Gone", gone[:ROWS])
    if len(gone) > ROWS:
        yield from ("", f"+{len(gone) - ROWS:,} more")


def _changed(change: Change, when: Clock) -> Iterator[str]:
    yield from ("", f"## {changed.TITLE}")
    for sentence in changed.sentences(change, when):
        yield from ("", _said(sentence, bound=None))
    for title, word, places in changed.tables(change):
        rows = [
            [_or(one.name, changed.NOWHERE[word]), *changed.cells(one)] for one in places[:ROWS]
        ]
        yield from ("", f"### {title}", "")
        yield from _table([word, *changed.HEADINGS], rows, names=2)
        if len(places) > ROWS:
            yield from ("", f"+{len(places) - ROWS:,} more")
    yield from ("", changed.corrected(change))


def _said(text: str, *, bound: int | None = _SENTENCE) -> str:
    return harmless.markdown(text, bound=bound)


def _finding(number: int, finding: Finding, report: Report, when: Clock) -> Iterator[str]:
    word = finding.confidence.value
    yield from (f"### {number}. {word.capitalize()}: {_said(finding.title)}", "")
    yield from _table(("", ""), _about(finding, report, when))
    yield from ("", "**What to do**", "")
    yield _said(finding.remedy.summary, bound=_SENTENCE * 4) or "Nothing is known."
    yield from _block(finding.remedy.commands)
    yield from _list("Hosts", (harmless.code(host) for host in finding.remedy.hosts))
    yield from _list("Evidence for", (_said(one.statement) for one in finding.evidence))
    against = [_said(one.statement) for one in finding.against]
    yield from _list("Evidence against", against or ["Nothing in these records."])
    for shared, found in verdict.rivals(finding):
        rivals = (f"{harmless.code(cause)}: {_said(told)}" for cause, told in found)
        because = f" ({_said(shared)})" if shared else ""
        yield from _list(f"What else it could be{because}", rivals)
    yield from _list("What would settle it", (_said(one) for one in finding.confirm_with))
    yield from _list("Sources", (_source(one.title, one.url) for one in finding.sources))


def _about(finding: Finding, report: Report, when: Clock) -> list[tuple[str, str]]:
    family = f", of the family {harmless.code(finding.family)}" if finding.family else ""
    return [
        ("Concerns", verdict.concerns(finding, report)),
        *_scope(finding.scope),
        ("When", verdict.seen(finding, report, when)),
        *_course(finding, report, when),
        ("Fixed by", words.WHO.get(finding.who_can_fix, _said(finding.who_can_fix))),
        ("Cause", harmless.code(finding.cause) + family),
        ("Layer", words.LAYER.get(finding.layer, _said(finding.layer))),
        ("Means", verdict.means(finding)),
        ("Events", f"{finding.events:,}{_names(finding.event_ids, most=3, before=': ')}"),
    ]


def _course(finding: Finding, report: Report, when: Clock) -> list[tuple[str, str]]:
    part = progress.of_finding(finding, report, when)
    return [("Course", _said(f"{part.word}: {part.sentence}"))] if part else []


def _scope(scope: Scope) -> list[tuple[str, str]]:
    places = {
        "Sites": scope.sites,
        "Networks": scope.ips,
        "Clients": scope.clients,
        "People": scope.users,
        "Devices": scope.devices,
    }
    return [(label, _names(names, most=20)) for label, names in places.items() if names]


def _names(names: Sequence[str], *, most: int, before: str = "") -> str:
    if not names:
        return ""
    more = f" (+{len(names) - most:,} more)" if len(names) > most else ""
    return before + ", ".join(harmless.code(one) for one in names[:most]) + more


def _source(title: str, url: str | None) -> str:
    """Return a link where the address is one that a link may hold, else only words."""
    if url and re.fullmatch(r"https?://[\w.~:/?#@!$&'*+,;=%-]+", url, re.ASCII):
        return f"{_said(title)} <{url}>"
    return _said(title) if url is None else f"{_said(title)} {harmless.code(url)}"


def _block(commands: Sequence[str]) -> Iterator[str]:
    if not commands:
        return
    written = [one for command in commands for one in harmless.lines(command)]
    longest = max(len(run) for one in written for run in re.findall("`*", one))
    fence = "`" * max(3, longest + 1)
    yield from ("", f"{fence}text", *written, fence)


def _list(heading: str, items: Iterable[str]) -> Iterator[str]:
    written = [f"- {item}" for item in items if item]
    if written:
        yield from ("", f"**{heading}**", "", *written)


def _table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, names: int | None = None
) -> Iterator[str]:
    """Yield a table whose cells are harmless already; after `names` columns, numbers."""
    names = len(headings) if names is None else names
    yield f"| {' | '.join(headings)} |"
    marks = ["---" if place < names else "--:" for place in range(len(headings))]
    yield f"| {' | '.join(marks)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _counted(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, names: int
) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"## {title}", "")
    yield from _table(headings, rows[:ROWS], names=names)
    if len(rows) > ROWS:
        yield from ("", f"+{len(rows) - ROWS:,} more")


def _totals(report: Report) -> Iterator[str]:
    now = words.counts(report.totals)
    before = words.counts(report.previous) if report.previous else None
    rows = [
        [what.strip(), f"{count:,}", *([f"{before[what]:,}"] if before else [])]
        for what, count in now.items()
    ]
    headings = ["", "this window", *(["span before"] if before else [])]
    yield from _counted("Totals", headings, rows, names=1)


def _groups(report: Report, *, local: bool) -> Iterator[str]:
    counts = ["flows", "people", *OUTCOMES]
    for word, groups, nobody in (
        ("client", report.by_client, "not recorded"),
        ("site", report.by_site, "no named site"),
    ):
        rows = [
            [_or(one.name, nobody), f"{one.flows:,}", f"{one.users:,}", *_outcomes(one.outcomes)]
            for one in groups
        ]
        yield from _counted(f"By {word}", [word, *counts], rows, names=1)
        if rows and word == "client":
            yield from ("", words.CLIENTS)
    days = [[one.day, f"{one.flows:,}", *_outcomes(one.outcomes)] for one in report.by_day]
    yield from _counted("By day (UTC)", ["day", "flows", *OUTCOMES], days, names=1)
    if days and local:
        yield from ("", words.UTC_DAYS)
    addresses = [
        [
            _or(one.ip, "none recorded"),
            _or(one.site, "no named site"),
            _clients(one.clients),
            f"{one.flows:,}",
            f"{one.users:,}",
            *_outcomes(one.outcomes),
        ]
        for one in report.by_ip
    ]
    yield from _counted(
        "By IP address", ["address", "site", "clients", *counts], addresses, names=3
    )


def _or(name: str | None, nobody: str) -> str:
    return nobody if name is None else harmless.code(name)


def _clients(clients: Mapping[str, int]) -> str:
    ordered = sorted(clients.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{harmless.code(client)} {count:,}" for client, count in ordered)


def _outcomes(outcomes: Mapping[str, int]) -> list[str]:
    return [f"{outcomes[outcome]:,}" for outcome in OUTCOMES]


def _texts(report: Report) -> Iterator[str]:
    reasons = [
        [
            harmless.code(one.reason),
            _or(one.key, "not recognized"),
            f"{one.flows:,}",
            f"{one.users:,}",
        ]
        for one in report.reasons
    ]
    headings = ["reason, as written", "known as", "flows", "people"]
    yield from _counted("Reasons given", headings, reasons, names=2)
    for what, texts in words.unrecognized(report):
        rows = [[harmless.code(one.text), f"{one.count:,}"] for one in texts]
        yield from _counted(
            f"Not recognized: {what}", ["text, as written", "events"], rows, names=1
        )


def _unobservable(report: Report) -> Iterator[str]:
    rows = [
        [_said(need), _names(causes, most=5), f"{len(causes):,}"]
        for need, causes in words.needs(report.unobservable)
    ]
    headings = ["what would show them", "which", "causes"]
    yield from _counted("Not observable in this data", headings, rows, names=2)
