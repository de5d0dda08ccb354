"""A report in a notebook: the verdict and a table of the findings, as a small piece of HTML.

It has no style of its own but what keeps a table readable, so that it fits light and dark.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from sspr_audit.model import Finding, Report
from sspr_audit.report import harmless, verdict, words
from sspr_audit.report.clock import Clock, clock

_HEAD = ("People", "Cause", "How sure", "Where", "When")


def html(report: Report, *, timezone: str | None = None) -> str:
    """Return the verdict and the findings; all that a stranger wrote is escaped."""
    times = clock(timezone)
    first, *more = verdict.sentences(report, times)
    window = times.span(report.window.start, report.window.end)
    return "".join(
        [
            f"<p><strong>{escape(first)}</strong></p>",
            *(f"<p>{escape(one)}</p>" for one in more),
            *_table(report, times),
            f"<p><small>{escape(window)}</small></p>",
        ]
    )


def _table(report: Report, times: Clock) -> Iterator[str]:
    found = verdict.in_order(report)
    if not found:
        return
    yield "<table><thead><tr>"
    yield from (f'<th scope="col" style="text-align:left">{name}</th>' for name in _HEAD)
    yield "</tr></thead><tbody>"
    for one in found:
        cells = "".join(
            f'<td style="text-align:left">{escape(cell)}</td>' for cell in _cells(one, times)
        )
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"


def _cells(one: Finding, times: Clock) -> tuple[str, ...]:
    return (
        f"{one.users:,}",
        harmless.line(one.title),
        one.confidence.value,
        words.place(one.scope) or "no one place",
        times.span(one.first_seen, one.last_seen),
    )
