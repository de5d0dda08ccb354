"""A Report to text for a terminal: the verdict first, readable at 80 columns without colour."""

from __future__ import annotations

from typing import Final

from sspr_audit.model import Change, Report
from sspr_audit.report import basis, changed, progress, verdict, words
from sspr_audit.report.clock import Clock, clock
from sspr_audit.report.terminal import findings, tables
from sspr_audit.report.terminal.layout import ROWS, Page

KINDS: Final = 6
"""How many kinds of missing data stand on the page unless all are asked for."""

_ROOMY: Final = 70
"""Columns from which the tables of a change carry their intervals."""


def render(
    report: Report,
    *,
    width: int,
    colour: bool,
    timezone: str | None,
    verbose: bool = False,
) -> str:
    """Return the report for a terminal of `width` columns.

    No line is wider, but for commands and addresses, which stand on lines of their own and are
    never broken. Without `colour` there is no escape at all; `verbose` shows every row. Raises
    SettingsError for an unknown time zone.
    """
    page = Page(width, colour=colour)
    when = clock(timezone)
    for sentence in verdict.sentences(report, when):
        page.paragraph(sentence, style="bold" if page.is_blank else "")
    others = [(f"{number}.", one) for number, one in verdict.overview(report, when)]
    if others:
        page.paragraph("Also found:")
    page.pairs(others if verbose else others[:ROWS], labels=3)
    page.more(0 if verbose else len(others) - ROWS, "more findings")
    _progress(page, report, when, verbose=verbose)
    if report.changed is not None:
        _changed(page, report.changed, when, verbose=verbose)
    page.heading("Data")
    page.pairs(basis.data(report, when))
    findings.write(page, report, when, verbose=verbose)
    tables.write(page, report, local=when.is_local, verbose=verbose)
    _unobservable(page, report, verbose=verbose)
    return page.text()


def _progress(page: Page, report: Report, when: Clock, *, verbose: bool) -> None:
    summary = progress.summary(report, when)
    if not summary:
        return
    page.heading(progress.TITLE)
    for sentence in filter(None, (summary, progress.of_totals(report), *progress.notes(report))):
        page.paragraph(sentence, indent=2)
    rows = [(one.word.capitalize(), one.sentence) for one in progress.gone(report, when)]
    page.pairs(rows if verbose else rows[:ROWS])
    page.more(0 if verbose else len(rows) - ROWS)


def _changed(page: Page, change: Change, when: Clock, *, verbose: bool) -> None:
    page.heading(changed.TITLE)
    for sentence in changed.sentences(change, when):
        page.paragraph(sentence, indent=2)
    columns = 1 + len(changed.HEADINGS) - (page.width < _ROOMY)  # the interval is left out first
    for title, word, places in changed.tables(change):
        page.heading(title)
        shown = places if verbose else places[:ROWS]
        rows = [
            [words.name(one.name or changed.NOWHERE[word]), *changed.cells(one)][:columns]
            for one in shown
        ]
        page.table([word, *changed.HEADINGS][:columns], rows, names=2, gap=1)
        page.more(len(places) - len(shown))
    page.paragraph(changed.corrected(change), indent=2)


def _unobservable(page: Page, report: Report, *, verbose: bool) -> None:
    if not report.unobservable:
        return
    groups = words.needs(report.unobservable)
    shown = groups if verbose else groups[:KINDS]
    page.heading("Not observable")
    causes = words.several(len(report.unobservable), "cause")
    page.paragraph(f"{causes} could not show in this data. What would show them:", indent=2)
    for need, found in shown:
        listed = words.listed(found, most=None if verbose else 4)
        page.paragraph(f"- {need}: {words.several(len(found), 'cause')}", indent=2)
        page.paragraph(listed, indent=4)
    if len(groups) > len(shown):
        page.more(len(groups) - len(shown), "kinds of data; --verbose shows all")
