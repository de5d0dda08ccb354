"""A Report and its flows to an Excel workbook: one sheet a table, dates that Excel can reckon with.

Every text is written as text, and marked so that it stays one when somebody edits the cell. Rows
leave memory as they are written, since flows can be many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import OUTCOMES, Finding, Report, Window
from sspr_audit.report import basis, flows_csv, harmless, progress, verdict, words
from sspr_audit.report.build import within
from sspr_audit.report.clock import Clock, clock
from sspr_audit.tables import FLOWS, TIME

if TYPE_CHECKING:
    import pandas as pd

ROWS: Final = 1_048_575
"""Rows of a sheet under its heading; Excel takes no more."""

_DATE: Final = "yyyy-mm-dd hh:mm:ss"
_WIDTHS: Final = {
    **dict.fromkeys(("About", "Site", "Sites", "Client", "Fixed by", "Known as"), 28),
    **dict.fromkeys(("Address", "Cause", "Family", "User principal name"), 28),
    **dict.fromkeys(("Flow", "Person (object id)", "Networks", "Clients", "Who", "Devices"), 38),
    **dict.fromkeys(("Finding", "Since the period before", "For", "Against", "Or else"), 60),
    **dict.fromkeys(("To settle", "What to do", "Commands", "Hosts", "Sources"), 60),
    **dict.fromkeys(("Reason, as written", "Furthest step", "Verification methods"), 40),
    "What there is to say": 120,
}
"""Characters, by heading; other columns are as wide as their heading."""

Cell = str | int | float | bool | datetime | None
"""A datetime has no zone: it is written as it reads."""


def render(report: Report, flows: pd.DataFrame, *, timezone: str | None) -> bytes:
    """Return the workbook; equal reports and flows give equal bytes.

    Times are in the zone, which the headings name; flows have UTC beside it. Raises SettingsError
    for an unknown time zone.
    """
    import xlsxwriter

    when = clock(timezone)
    out = BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    book.set_properties(
        {
            "title": "Self-service password reset: what failed, and why",
            "comments": f"Written by sspr-audit {harmless.typed(report.version)}",
            "created": report.generated_at.replace(tzinfo=None),
        }
    )
    made = _Book(book)
    made.sheet("Summary", ("About", "What there is to say"), _summary(report, when))
    made.sheet("Findings", _finding_headings(when), _findings(report, when))
    for title, headings, rows in _groups(report):
        made.sheet(title, headings, rows)
    made.sheet("Reasons", ("Reason, as written", "Known as", "Flows", "People"), _reasons(report))
    here = _here(report.window, flows)
    made.sheet("Flows", _flow_headings(when), _flows(here, when))
    book.close()
    return out.getvalue()


class _Book:
    """Writes sheets, each row once and in order."""

    def __init__(self, book: Any) -> None:  # noqa: ANN401 - XlsxWriter has no types
        self._book = book
        self._heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._date = book.add_format({"num_format": _DATE})
        self._text = book.add_format({"quote_prefix": True})

    def sheet(
        self,
        title: str,
        headings: Sequence[str],
        rows: Iterable[Sequence[Cell]],
    ) -> None:
        """Write one table under frozen headings, with a filter over them."""
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for column, heading in enumerate(headings):
            sheet.set_column(column, column, _WIDTHS.get(heading) or max(12, len(heading) + 2))
            sheet.write_string(0, column, harmless.typed(heading), self._heading)
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                self._write(sheet, last, column, cell)
        sheet.autofilter(0, 0, last, len(headings) - 1)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:  # noqa: ANN401
        match cell:
            case None | "":
                pass
            case str():
                sheet.write_string(row, column, *self._shown(cell))
            case bool():
                sheet.write_string(row, column, "yes" if cell else "no")
            case datetime():
                sheet.write_datetime(row, column, cell, self._date)
            case _:
                sheet.write_number(row, column, cell)

    def _shown(self, text: str) -> tuple[str, ...] | tuple[str, Any]:
        shown = harmless.typed(text)
        if harmless.is_formula(text) or harmless.is_formula(shown):
            return shown, self._text
        return (shown,)


def _summary(report: Report, when: Clock) -> Iterator[tuple[Cell, ...]]:
    for sentence in verdict.sentences(report, when):
        yield "Verdict", sentence
    told = (progress.summary(report, when), progress.of_totals(report), *progress.notes(report))
    for sentence in filter(None, told):
        yield progress.TITLE, sentence
    for part in progress.gone(report, when):
        yield "Gone", part.sentence
    for label, sentence in basis.data(report, when):
        yield label, sentence
    for what, count in words.counts(report.totals).items():
        yield what.strip().capitalize(), count
    if report.totals.flows > ROWS:
        yield "Flows", f"a sheet holds {ROWS:,} rows; --format csv has all"


def _finding_headings(when: Clock) -> tuple[str, ...]:
    return (
        *("No.", "Finding", "Confidence", "Cause", "Family", "Layer", "People", "Flows"),
        *(f"First seen ({when.name})", f"Last seen ({when.name})", "Since the period before"),
        *("Sites", "Networks", "Clients", "Who", "Devices", "For", "Against", "Or else"),
        *("To settle", "Fixed by", "What to do", "Commands", "Hosts", "Sources", "Id"),
    )


def _findings(report: Report, when: Clock) -> Iterator[tuple[Cell, ...]]:
    for number, one in enumerate(verdict.in_order(report), start=1):
        scope, part = one.scope, progress.of_finding(one, report, when)
        yield (
            *(number, one.title, one.confidence.value, one.cause, one.family),
            *(words.LAYER.get(one.layer, one.layer), one.users, one.flows),
            *(_local(one.first_seen, when), _local(one.last_seen, when)),
            f"{part.word}: {part.sentence}" if part else None,
            *(", ".join(names) for names in (scope.sites, scope.ips, scope.clients)),
            *(", ".join(names) for names in (scope.users, scope.devices)),
            *("; ".join(each.statement for each in side) for side in (one.evidence, one.against)),
            "; ".join(f"{each.cause}: {each.why}" for each in one.rivals),
            "; ".join(one.confirm_with),
            words.WHO.get(one.who_can_fix, one.who_can_fix),
            one.remedy.summary,
            " | ".join(one.remedy.commands),
            ", ".join(one.remedy.hosts),
            "; ".join(_sources(one)),
            one.identity,
        )


def _sources(finding: Finding) -> Iterator[str]:
    for one in finding.sources:
        yield f"{one.title}: {one.url}" if one.url else one.title


def _groups(report: Report) -> Iterator[tuple[str, tuple[str, ...], Iterable[tuple[Cell, ...]]]]:
    counts = ("Flows", "People", *(outcome.capitalize() for outcome in OUTCOMES))
    for word, groups, nobody in (
        ("site", report.by_site, "(no named site)"),
        ("client", report.by_client, "not-recorded"),
    ):
        rows: list[tuple[Cell, ...]] = [
            (nobody if one.name is None else one.name, one.flows, one.users, *_ends(one.outcomes))
            for one in groups
        ]
        yield f"By {word}", (word.capitalize(), *counts), rows
    yield "By IP address", ("Address", "Site", "Clients", *counts), _addresses(report)


def _addresses(report: Report) -> Iterator[tuple[Cell, ...]]:
    for one in report.by_ip[:ROWS]:
        clients = ", ".join(f"{name} {count:,}" for name, count in sorted(one.clients.items()))
        known = (one.ip or "(none recorded)", one.site, clients)
        yield (*known, one.flows, one.users, *_ends(one.outcomes))


def _ends(outcomes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(outcomes[outcome] for outcome in OUTCOMES)


def _reasons(report: Report) -> Iterator[tuple[Cell, ...]]:
    for one in report.reasons[:ROWS]:
        yield one.reason, one.key or "(not recognized)", one.flows, one.users


def _here(window: Window, flows: pd.DataFrame) -> pd.DataFrame:
    here = within(flows, "start_utc", window)
    return here.sort_values(["start_utc", "flow_id"]).head(ROWS)


def _flow_headings(when: Clock) -> tuple[str, ...]:
    local = () if not when.is_local else (f"Start ({when.name})",)
    return (*local, *(flows_csv.HEADINGS[name] for name in FLOWS.columns))


def _flows(flows: pd.DataFrame, when: Clock) -> Iterator[tuple[Cell, ...]]:
    columns = [_column(flows[name], column.dtype) for name, column in FLOWS.columns.items()]
    if when.is_local:
        columns.insert(0, _times(flows["start_utc"], when.zone))
    return zip(*columns, strict=True)


def _column(values: pd.Series[Any], dtype: str) -> list[Cell]:
    """Return a column's cells: None for what is not known."""
    if dtype == TIME:
        return _times(values, UTC)
    return values.astype(object).where(values.notna(), None).tolist()


def _times(values: pd.Series[Any], zone: tzinfo) -> list[Cell]:
    """Return times in a zone as they read there, cut to milliseconds, as Excel keeps them."""
    import pandas as pd

    cut = values.dt.tz_convert("UTC").dt.floor("ms").dt.tz_convert(zone).dt.tz_localize(None)
    return [None if one is pd.NaT else one.to_pydatetime() for one in cut.tolist()]


def _local(time: datetime, when: Clock) -> datetime:
    cut = time.microsecond // 1_000 * 1_000
    return time.astimezone(when.zone).replace(tzinfo=None, microsecond=cut)
