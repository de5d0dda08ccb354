"""The tables that stand in the page itself: by client, site and address, reasons, days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sspr_audit.model import OUTCOMES, Group, Report
from sspr_audit.report import harmless, words

ROWS: Final = 300
"""How many rows a table shows, those with the most flows; the JSON report has all."""

_REASON: Final = 300
"""Characters of a reason as written."""

_COUNTS: Final = ("flows", "people", *OUTCOMES)


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose texts are harmless; after `names` columns come numbers."""

    id: str
    title: str
    headings: tuple[str, ...]
    rows: list[list[str]]
    names: int
    left: int = 0
    """How many rows were left out."""
    note: str = ""


def tables(report: Report, *, local: bool) -> list[Table]:
    """Return every table that has rows, in the order of the page."""
    found = [
        _table("clients", "By client", ["client"], _groups(report.by_client, "not-recorded")),
        _table("sites", "By site", ["site"], _groups(report.by_site, "(no named site)")),
        _addresses(report),
        _table(
            "reasons",
            "Reasons given",
            ["reason, as Entra wrote it", "known as"],
            [
                [
                    harmless.line(one.reason, bound=_REASON),
                    words.name(one.key or "(not recognized)"),
                    f"{one.flows:,}",
                    f"{one.users:,}",
                ]
                for one in report.reasons
            ],
            counts=("flows", "people"),
        ),
        _days(report, local=local),
        *(
            _table(
                f"unknown-{place}",
                f"Not recognized: {what}",
                ["text, as written"],
                [[harmless.line(one.text, bound=_REASON), f"{one.count:,}"] for one in texts],
                counts=("events",),
            )
            for place, (what, texts) in enumerate(words.unrecognized(report))
        ),
    ]
    return [one for one in found if one.rows]


def _table(  # noqa: PLR0913 -- what a table is made of
    id_: str,
    title: str,
    names: Sequence[str],
    rows: Sequence[list[str]],
    *,
    counts: Sequence[str] = _COUNTS,
    note: str = "",
) -> Table:
    left = max(0, len(rows) - ROWS)
    return Table(id_, title, (*names, *counts), [*rows[:ROWS]], len(names), left, note)


def _groups(groups: Iterable[Group], nobody: str) -> list[list[str]]:
    return [
        [
            nobody if one.name is None else words.name(one.name),
            f"{one.flows:,}",
            f"{one.users:,}",
            *_outcomes(one.outcomes),
        ]
        for one in groups
    ]


def _addresses(report: Report) -> Table:
    rows = [
        [
            words.name(one.ip or "(none recorded)"),
            words.name(one.site or "(no named site)"),
            _clients(one.clients),
            f"{one.flows:,}",
            f"{one.users:,}",
            *_outcomes(one.outcomes),
        ]
        for one in report.by_ip[:ROWS]
    ]
    left = max(0, len(report.by_ip) - ROWS)
    headings = ("address", "site", "clients", *_COUNTS)
    return Table("addresses", "By IP address", headings, rows, 3, left)


def _clients(clients: Mapping[str, int]) -> str:
    ordered = sorted(clients.items(), key=lambda one: (-one[1], one[0]))
    return words.listed([f"{client} {count:,}" for client, count in ordered], most=4)


def _days(report: Report, *, local: bool) -> Table:
    newest = reversed(report.by_day)
    rows = [[one.day, f"{one.flows:,}", *_outcomes(one.outcomes)] for one in newest]
    note = words.UTC_DAYS if local else ""
    return _table("days", "By day (UTC)", ["day"], rows, counts=("flows", *OUTCOMES), note=note)


def _outcomes(outcomes: Mapping[str, int]) -> list[str]:
    return [f"{outcomes[outcome]:,}" for outcome in OUTCOMES]
