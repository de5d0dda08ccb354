"""A Report to text for a terminal: the verdict first, readable at 80 columns without colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Final

from sspr_audit.model import OUTCOMES, Change, Finding, Group, Report, Statement
from sspr_audit.report import basis, changed, harmless, progress, verdict, words
from sspr_audit.report.clock import Clock, clock

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

NARROWEST: Final = 40
"""Columns; on less than this the page is laid out as if it had so many."""

WIDE: Final = 110
"""Columns from which tables carry full headings and the clients of each address."""

_ROOMY: Final = 70
"""Columns from which the tables of a change carry their intervals."""

ADDRESSES: Final = 10
DAYS: Final = 14
KINDS: Final = 6
ROWS: Final = 12
RIVALS: Final = 5
"""How many addresses, days, kinds of missing data, rows of other lists, and rivals of a finding
stand on the page unless all are asked for."""

_SENTENCE: Final = 600
"""Characters of one sentence of evidence or advice."""

_LABELS: Final = 13
"""Columns that stand before the sentences of a finding."""

_HEADINGS: Final = ("succ", "block", "fail", "canc", "aband", "open")
"""OUTCOMES where there is no room to write them out."""

_COLOURS: Final = {"confirmed": "bold red", "likely": "bold yellow", "possible": "bold cyan"}


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
    page = _Page(width, colour=colour)
    when = clock(timezone)
    for sentence in verdict.sentences(report, when):
        page.paragraph(sentence, style="bold" if page.is_blank else "")
    others = [(f"{number}.", one) for number, one in verdict.overview(report)]
    if others:
        page.paragraph("Also found:")
    page.pairs(others if verbose else others[:ROWS], labels=3)
    page.more(0 if verbose else len(others) - ROWS, "more findings")
    _progress(page, report, when, verbose=verbose)
    if report.changed is not None:
        _changed(page, report.changed, when, verbose=verbose)
    page.heading("Data")
    page.pairs(basis.data(report, when))
    _findings(page, report, when, verbose=verbose)
    _totals(page, report)
    _tables(page, report, local=when.is_local, verbose=verbose)
    _texts(page, report, verbose=verbose)
    _unobservable(page, report, verbose=verbose)
    return page.text()


class _Page:
    """Lays text out on lines. Every text goes through `_shown`, and none is read as markup."""

    def __init__(self, width: int, *, colour: bool) -> None:
        from rich.console import Console

        self._out = StringIO()
        self.width = max(width, NARROWEST)
        self._console = Console(
            file=self._out,
            width=self.width,
            force_terminal=colour,
            force_jupyter=False,
            color_system="standard" if colour else None,
            no_color=not colour,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ={},  # what the page looks like is handed in, never taken from outside
        )

    @property
    def is_blank(self) -> bool:
        return not self._out.tell()

    def text(self) -> str:
        return "".join(f"{one.rstrip(' ')}\n" for one in self._out.getvalue().splitlines())

    def _shown(self, text: str, style: str = "") -> Text:
        from rich.text import Text

        return Text(harmless.line(text, bound=None), style, overflow="fold")

    def _put(self, what: RenderableType, indent: int = 0) -> None:
        from rich.padding import Padding

        self._console.print(Padding(what, (0, 0, 0, indent)))

    def heading(self, text: str) -> None:
        self._console.print()
        self._put(self._shown(text.upper(), "bold"))

    def title(self, number: int, word: str, text: str) -> None:
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_row(
            self._shown(f"{number}. {word.upper()}", _COLOURS[word]), self._shown(text, "bold")
        )
        self._console.print()
        self._put(table)

    def paragraph(self, text: str, *, indent: int = 0, style: str = "") -> None:
        self._put(self._shown(text, style), indent)

    def verbatim(self, text: str, *, indent: int = 4) -> None:
        """Write the lines as they are, however long, with nothing but blanks before them."""
        for one in harmless.lines(text):
            shown = self._shown(" " * indent + one)
            self._console.print(shown, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)

    def pairs(self, rows: Iterable[tuple[str, str]], *, labels: int = 9) -> None:
        """Write labels and sentences side by side; a label is not repeated."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True, width=labels)
        table.add_column(overflow="fold")
        before = ""
        for label, sentence in rows:
            table.add_row(
                self._shown("" if label == before else label, "bold"), self._shown(sentence)
            )
            before = label
        if table.row_count:
            self._put(table, 2)

    def table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        names: int,
        gap: int = 2,
    ) -> None:
        """Write a table whose first `names` columns are text and the others numbers."""
        from rich.table import Table

        table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
        for place, heading in enumerate(headings):
            if place < names:
                table.add_column(self._shown(heading), overflow="fold")
            else:
                table.add_column(self._shown(heading), justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*(self._shown(one) for one in row))
        self._put(table, 2)

    def more(self, left_out: int, what: str = "more") -> None:
        if left_out > 0:
            self.paragraph(f"+{left_out:,} {what}", indent=2)


def _progress(page: _Page, report: Report, when: Clock, *, verbose: bool) -> None:
    summary = progress.summary(report, when)
    if not summary:
        return
    page.heading(progress.TITLE)
    for sentence in filter(None, (summary, progress.of_totals(report), *progress.notes(report))):
        page.paragraph(sentence, indent=2)
    rows = [(one.word.capitalize(), one.sentence) for one in progress.gone(report, when)]
    page.pairs(rows if verbose else rows[:ROWS])
    page.more(0 if verbose else len(rows) - ROWS)


def _changed(page: _Page, change: Change, when: Clock, *, verbose: bool) -> None:
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


def _findings(page: _Page, report: Report, when: Clock, *, verbose: bool) -> None:
    page.heading(f"Findings ({len(report.findings):,})")
    if not report.findings:
        page.paragraph("None. What that means stands at the top of this page.", indent=2)
    for number, finding in enumerate(verdict.in_order(report), start=1):
        _finding(page, number, finding, report, when, verbose=verbose)


def _finding(  # noqa: PLR0913 -- what a finding is told with
    page: _Page, number: int, finding: Finding, report: Report, when: Clock, *, verbose: bool
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
    return [word for word in text.split() if "://" in word and len(word) > width - _LABELS]


def _about(
    finding: Finding, report: Report, when: Clock, *, verbose: bool
) -> Iterable[tuple[str, str]]:
    scope, most = finding.scope, None if verbose else 3
    yield "Concerns", f"{words.people(finding.users)}, {words.several(finding.flows, 'flow')}"
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


def _totals(page: _Page, report: Report) -> None:
    page.heading("Totals")
    now = words.counts(report.totals)
    before = words.counts(report.previous) if report.previous else None
    headings = ["", "this window", *(["span before"] if before else [])]
    rows = [
        [what, f"{count:,}", *([f"{before[what]:,}"] if before else [])]
        for what, count in now.items()
    ]
    page.table(headings, rows, names=1)


def _tables(page: _Page, report: Report, *, local: bool, verbose: bool) -> None:
    if not report.totals.flows:
        return
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


def _outcome_headings(page: _Page) -> Sequence[str]:
    return OUTCOMES if page.width >= WIDE else _HEADINGS


def _outcomes(outcomes: Mapping[str, int]) -> list[str]:
    return [f"{outcomes[outcome]:,}" for outcome in OUTCOMES]


def _groups(page: _Page, heading: str, groups: Sequence[Group], nobody: str, *, most: int) -> None:
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


def _addresses(page: _Page, report: Report, *, most: int) -> None:
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


def _texts(page: _Page, report: Report, *, verbose: bool) -> None:
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


def _unobservable(page: _Page, report: Report, *, verbose: bool) -> None:
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
