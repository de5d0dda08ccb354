"""Findings to CSV that is filled in: what to do, and empty columns for who does it and when."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Final

from sspr_audit.model import Finding, Report
from sspr_audit.report import harmless, progress, verdict, words
from sspr_audit.report.clock import Clock, clock

HEADINGS: Final = (
    *("No.", "Finding", "Confidence", "Where", "People", "Flows"),
    *("First seen ({zone})", "Last seen ({zone})", "Since the period before"),
    *("Fixed by", "What to do", "What would settle it", "Cause", "Id"),
    *("Owner", "Date", "Decision"),
)
"""The last three are for the reader to fill in."""

_EMPTY: Final = ("", "", "")


def render(report: Report, *, timezone: str | None) -> str:
    """Return the findings as CSV, in the order in which to read them.

    The text begins with a byte order mark, so that Excel reads UTF-8, and lines end in CRLF. A text
    that a spreadsheet would take for a formula gets an apostrophe before it; control characters are
    left out. Raises SettingsError for an unknown time zone.
    """
    when = clock(timezone)
    out = StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([one.format(zone=harmless.cell(when.name)) for one in HEADINGS])
    for number, finding in enumerate(verdict.in_order(report), start=1):
        cells = _cells(number, finding, report, when)
        writer.writerow([*map(harmless.cell, cells), *_EMPTY])
    return out.getvalue()


def _cells(number: int, finding: Finding, report: Report, when: Clock) -> Iterator[str]:
    yield str(number)
    yield finding.title
    yield finding.confidence.value
    yield words.place(finding.scope)
    yield str(finding.users)
    yield str(finding.flows)
    yield from (when.minute(time) for time in (finding.first_seen, finding.last_seen))
    part = progress.of_finding(finding, report, when)
    yield f"{part.word}: {part.sentence}" if part else ""
    yield words.WHO.get(finding.who_can_fix, finding.who_can_fix)
    yield finding.remedy.summary
    yield "; ".join(finding.confirm_with)
    yield finding.cause
    yield finding.identity
