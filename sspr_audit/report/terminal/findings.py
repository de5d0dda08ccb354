"""The findings on a terminal's page, each in full."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sspr_audit.model import Finding, Report, Statement
from sspr_audit.report import harmless, progress, verdict, words
from sspr_audit.report.clock import Clock
from sspr_audit.report.terminal.layout import LABELS, Page

RIVALS: Final = 5
"""How many rivals of a finding, and what would settle it, stand on the page unless all are asked
for."""

_SENTENCE: Final = 600
"""Characters of one sentence of evidence or advice."""


def write(page: Page, report: Report, when: Clock, *, verbose: bool) -> None:
    """Write the findings in the order of the verdict; all of each if `verbose`."""
    page.heading(f"Findings ({len(report.findings):,})")
    if not report.findings:
        page.paragraph("None. What that means stands at the top of this page.", indent=2)
    for number, finding in enumerate(verdict.in_order(report), start=1):
        _finding(page, number, finding, report, when, verbose=verbose)


def _finding(  # noqa: PLR0913 -- what a finding is told with
    page: Page, number: int, finding: Finding, report: Report, when: Clock, *, verbose: bool
) -> None:
    page.title(number, finding.confidence.value, harmless.line(finding.title, bound=_SENTENCE))
    page.pairs(_about(finding, report, when, verbose=verbose))
    page.pairs([("Do", harmless.line(finding.remedy.summary, bound=_SENTENCE * 4))])
    for address in _long_addresses(finding.remedy.summary, page.width):
        page.verbatim(address)
    for command in finding.remedy.commands:
        page.verbatim(command)
    page.pairs(("Hosts", harmless.line(host)) for host in finding.remedy.hosts)
    page.pairs(_signs(finding, verbose=verbose))
    page.pairs([("Sources", "")] if finding.sources else [])
    for source in finding.sources:
        page.paragraph(harmless.line(source.title), indent=4)
        if source.url:
            page.verbatim(source.url, indent=4)
    page.pairs([("Events", _events(finding, verbose=verbose))])


def _long_addresses(text: str, width: int) -> list[str]:
    """Return the addresses that a paragraph would break, to be written out whole as well."""
    return [word for word in text.split() if "://" in word and len(word) > width - LABELS]


def _about(
    finding: Finding, report: Report, when: Clock, *, verbose: bool
) -> Iterable[tuple[str, str]]:
    scope, most = finding.scope, None if verbose else 3
    yield "Concerns", verdict.concerns(finding, report)
    if scope.sites:
        yield "Sites", words.listed(scope.sites, most=most)
    if scope.ips:
        yield "Networks", words.listed(scope.ips, most=most)
    if scope.clients:
        yield "Clients", "; ".join(words.client(one) for one in scope.clients)
    if scope.users:
        yield "People", words.listed(scope.users, most=most)
    if scope.devices:
        yield "Devices", words.listed(scope.devices, most=most)
    yield "When", verdict.seen(finding, report, when)
    if part := progress.of_finding(finding, report, when):
        yield "Course", f"{part.word}: {part.sentence}"


def _signs(finding: Finding, *, verbose: bool) -> Iterable[tuple[str, str]]:
    yield "Fixed by", words.WHO.get(finding.who_can_fix, finding.who_can_fix)
    yield "Cause", f"{finding.cause}, {words.LAYER.get(finding.layer, finding.layer)}"
    if finding.family:
        yield "", f"leads the family {finding.family}; the confidence is about the family"
    yield "Means", verdict.means(finding)
    for one in finding.evidence:
        yield "For", _statement(one, verbose=verbose)
    for one in finding.against:
        yield "Against", _statement(one, verbose=verbose)
    if not finding.against:
        yield "Against", "- nothing in these records speaks against it"
    most = len(finding.rivals) + len(finding.confirm_with) if verbose else RIVALS
    left = most
    for shared, found in verdict.rivals(finding):
        if shared and left:
            yield "Or else", f"{harmless.line(shared, bound=_SENTENCE)}:"
        for cause, told in found[:left]:
            yield "Or else", f"- {cause}: {harmless.line(told, bound=_SENTENCE)}"
        left -= len(found[:left])
    yield from _others("Or else", len(finding.rivals) - most)
    for settle in finding.confirm_with[:most]:
        yield "To settle", f"- {harmless.line(settle, bound=_SENTENCE)}"
    yield from _others("To settle", len(finding.confirm_with) - most)


def _others(label: str, left_out: int) -> Iterable[tuple[str, str]]:
    if left_out > 0:
        yield label, f"+{left_out:,} more; --verbose shows all"


def _statement(one: Statement, *, verbose: bool) -> str:
    sentence = f"- {harmless.line(one.statement, bound=_SENTENCE)}"
    value = "" if one.value is None else f" = {harmless.line(str(one.value))}"
    return f"{sentence} [{words.name(one.signal)}{value}]" if verbose else sentence


def _events(finding: Finding, *, verbose: bool) -> str:
    most = None if verbose else 2
    ids = words.listed(finding.event_ids, most=most) if finding.event_ids else ""
    return f"{finding.events:,}{': ' if ids else ''}{ids}"
