"""The tables on a terminal's page: totals, clients, sites, days, addresses, and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sspr_audit.model import OUTCOMES, Group, Report
from sspr_audit.report import harmless, words
from sspr_audit.report.terminal.layout import ROWS, Page

WIDE: Final = 110
"""Columns from which tables carry full headings and the clients of each address."""

ADDRESSES: Final = 10
DAYS: Final = 14
"""How many addresses and days stand on the page unless all are asked for."""

_HEADINGS: Final = ("succ", "block", "fail", "canc", "aband", "open")
"""OUTCOMES where there is no room to write them out."""


def write(page: Page, report: Report, *, local: bool, verbose: bool) -> None:
    """Write every table, all of its rows if `verbose`; `local` is whether times are not in UTC."""
    _totals(page, report)
    if report.totals.flows:
        _flows(page, report, local=local, verbose=verbose)
    _texts(page, report, verbose=verbose)


def _totals(page: Page, report: Report) -> None:
    page.heading("Totals")
    now = words.counts(report.totals)
    before = words.counts(report.previous) if report.previous else None
    headings = ["", "this window", *(["span before"] if before else [])]
    rows = [
        [what, f"{count:,}", *([f"{before[what]:,}"] if before else [])]
        for what, count in now.items()
    ]
    page.table(headings, rows, names=1)


def _flows(page: Page, report: Report, *, local: bool, verbose: bool) -> None:
    for heading, groups, nobody in (
        ("client", report.by_client, "not-recorded"),
        ("site", report.by_site, "(no named site)"),
    ):
        page.heading(f"By {heading}")
        _groups(page, heading, groups, nobody, most=len(groups) if verbose else ROWS)
        if heading == "client":
            page.paragraph(words.CLIENTS, indent=2)
    page.heading("By day (UTC)")
    if local:
        page.paragraph(words.UTC_DAYS, indent=2)
    days = report.by_day if verbose else report.by_day[-DAYS:]
    page.more(len(report.by_day) - len(days), "days before")
    page.table(
        ["day", "flows", *_outcome_headings(page)],
        [[one.day, f"{one.flows:,}", *_outcomes(one.outcomes)] for one in days],
        names=1,
    )
    _addresses(page, report, most=len(report.by_ip) if verbose else ADDRESSES)


def _outcome_headings(page: Page) -> Sequence[str]:
    return OUTCOMES if page.width >= WIDE else _HEADINGS


def _outcomes(outcomes: Mapping[str, int]) -> list[str]:
    return [f"{outcomes[outcome]:,}" for outcome in OUTCOMES]


def _groups(page: Page, heading: str, groups: Sequence[Group], nobody: str, *, most: int) -> None:
    rows = [
        [
            nobody if one.name is None else words.name(one.name),
            f"{one.flows:,}",
            f"{one.users:,}",
            *_outcomes(one.outcomes),
        ]
        for one in groups[:most]
    ]
    page.table([heading, "flows", "people", *_outcome_headings(page)], rows, names=1)
    page.more(len(groups) - most)


def _addresses(page: Page, report: Report, *, most: int) -> None:
    wide = page.width >= WIDE
    page.heading("By IP address")
    headings = ["address", "site", *(["clients"] if wide else [])]
    rows: list[list[str]] = []
    for one in report.by_ip[:most]:
        clients = sorted(one.clients.items(), key=lambda pair: (-pair[1], pair[0]))
        used = words.listed([f"{client} {count:,}" for client, count in clients], most=3)
        known = [words.name(one.ip or "(none recorded)"), words.name(one.site or "-")]
        numbers = [f"{one.flows:,}", f"{one.users:,}", *_outcomes(one.outcomes)]
        rows.append([*known, *([used] if wide else []), *numbers])
    page.table(
        [*headings, "flows", "people", *_outcome_headings(page)], rows, names=len(headings), gap=1
    )
    page.more(len(report.by_ip) - most)


def _texts(page: Page, report: Report, *, verbose: bool) -> None:
    most = None if verbose else ROWS
    if report.reasons:
        page.heading("Reasons given")
        wide = page.width >= WIDE
        rows = [
            [
                harmless.line(one.reason),
                *([one.key or "(not recognized)"] if wide else []),
                f"{one.flows:,}",
                f"{one.users:,}",
            ]
            for one in report.reasons[:most]
        ]
        names = ["reason, as written", *(["known as"] if wide else [])]
        page.table([*names, "flows", "people"], rows, names=len(names))
        page.more(len(report.reasons) - len(rows))
    for what, texts in words.unrecognized(report):
        page.heading(f"Not recognized: {what}")
        shown = texts[:most]
        page.table(
            ["text, as written", "events"],
            [[harmless.line(one.text), f"{one.count:,}"] for one in shown],
            names=1,
        )
        page.more(len(texts) - len(shown))
