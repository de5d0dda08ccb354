"""What a letter says, in sentences and rows that both of its forms show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from textwrap import shorten
from typing import Final

from sspr_audit.model import Attachment, Finding, Report, Window
from sspr_audit.report import basis, harmless, progress, verdict, words
from sspr_audit.report.clock import Clock

ROWS: Final = 10
"""Findings that a letter lists."""

DATA: Final = 5
"""Sentences on what is missing."""

GONE: Final = 3
"""Findings that are gone, and named."""

_NAMED: Final = 3
"""New (worse, better) findings that are named."""

_SUBJECT: Final = 140
"""Characters of a subject; most readers show less."""
_TITLE: Final = 20
"""Characters of its title that a subject keeps, however long the place is."""
_REMEDY: Final = 400
"""Characters; a family's begins with which of its causes to look for."""

_OF_COMPLETENESS: Final = ("Covered", "Gap", "Skipped", "Not whole", "Conflict", "Settling")
"""Labels of basis.data that say how far the data can be trusted."""

_INSTANT: Final = timedelta(microseconds=1)


class Days(Clock):
    """Writes days without a time of day: who wants that opens the report."""

    def moment(self, time: datetime, *, seconds: bool = False) -> str:
        """Return weekday and date, such as `Tue 2026-03-03`."""
        del seconds
        return self.day(time)

    def span(self, start: datetime, end: datetime) -> str:
        """Return the first and the last day in it: a span ends where the next day begins."""
        first, last = self.day(start), self.day(end - _INSTANT)
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True, slots=True)
class Tile:
    """One count, with that of the span before where there is one."""

    label: str
    value: str
    before: str

    @property
    def line(self) -> str:
        """The tile as a line."""
        return f"{self.label}: {self.value}{f' ({self.before})' if self.before else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """One finding."""

    number: int
    confidence: str
    heading: str
    course: str
    """Whether it is new, worse and so on; empty where nobody looked."""
    about: str
    """For whom, where, when, and who can mend it."""
    remedy: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that a letter says; a stranger's words in it are harmless and short."""

    subject: str
    preheader: str
    """What a list of mails shows beside the subject."""
    period: str
    state: str
    """The colour of the verdict: trouble, doubt or calm."""
    headline: str
    sentences: tuple[str, ...]
    data: tuple[str, ...]
    """How complete the data is; never empty."""
    is_complete: bool
    tiles: tuple[Tile, ...]
    changed: tuple[str, ...]
    """What became of things since the period before."""
    found: str
    rows: tuple[Row, ...]
    more: str
    """About findings that have no row; empty where all have."""
    files: tuple[str, ...]
    """What is attached, and what is not."""
    notes: tuple[str, ...]


def contents(
    report: Report, clock: Clock, attachments: Sequence[Attachment], left_out: Sequence[str]
) -> Content:
    """Return what a letter about this report says."""
    first, *others = (*verdict.headline(report, clock), *verdict.sentences(report, clock)[1:])
    found = verdict.in_order(report)
    days = Days(clock.zone, clock.name)
    more = len(found) - ROWS
    return Content(
        subject=subject(report, clock),
        preheader=words.counted(report.totals),
        period=_period(report, clock),
        state=_state(report),
        headline=first,
        sentences=tuple(others),
        data=tuple(_data(report, clock)),
        is_complete=report.coverage.complete is not False and not report.account.skipped,
        tiles=tuple(_tiles(report)),
        changed=tuple(_changed(report, days)),
        found=words.several(len(found), "finding"),
        rows=tuple(_row(number, one, report, days) for number, one in enumerate(found[:ROWS], 1)),
        more=f"{words.several(more, 'more finding')} in the report." if more > 0 else "",
        files=tuple(_files(attachments, left_out)),
        notes=tuple(_notes(report, clock)),
    )


def _period(report: Report, clock: Clock) -> str:
    """Return the time that the letter is about; whole days by their names alone."""
    start, end = report.window.start, report.window.end
    if any(one.astimezone(clock.zone).time() != time() for one in (start, end)):
        return clock.span(start, end)
    return f"{Days(clock.zone, clock.name).span(start, end)} ({clock.name})"


def subject(report: Report, clock: Clock) -> str:
    """Return the verdict in one line, and the days it is about: what a phone shows of a letter."""
    first, last = days(report.window, clock)
    when = f"[{first}]" if first == last else f"[{first} to {last}]"
    doubt = "Data incomplete. " if report.coverage.complete is False else ""
    said = harmless.line(doubt + _verdict(report, _SUBJECT - len(doubt)), bound=None)
    return f"{cut(said, _SUBJECT)} {when}"


def days(window: Window, clock: Clock) -> tuple[str, str]:
    """Return the first and the last day of a window, by that clock."""
    first, last = clock.day(window.start), clock.day(window.end - _INSTANT)
    return first.partition(" ")[2], last.partition(" ")[2]


def cut(text: str, most: int) -> str:
    """Return at most so many characters of a text, with a mark where it goes on."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}\u2026"


def _verdict(report: Report, most: int) -> str:
    """Return the verdict; its title gives way where it would be longer, how sure it is does not."""
    totals = report.totals
    if not report.findings:
        if not report.account.events:
            return "Password reset: no records to judge"
        if not totals.flows:
            return "Password reset: nobody tried"
        of = words.several(totals.flows, "attempt")
        count = f"{words.fruitless(totals):,} of {of}"
        return f"Password reset: no cause named; {count} ended without success"
    first = verdict.in_order(report)[0]
    if first.who_can_fix == "user":
        succeeded = totals.outcomes["succeeded"]
        of = words.several(totals.flows, "attempt")
        return f"Password reset: nothing for administrators; {succeeded:,} of {of} succeeded"
    sure = f" ({first.confidence.value})"
    trouble = f"{cut(_trouble(first), most - _TITLE - len(sure))}: "
    title = harmless.line(first.title, bound=None).rstrip(".")
    return f"{trouble}{cut(title, most - len(trouble) - len(sure))}{sure}"


def _trouble(finding: Finding) -> str:
    """Return what is wrong, for whom and where, in as few words as can be."""
    place = words.place(finding.scope)
    where = f" {place}" if place else ""
    whom = words.people(finding.users) if finding.users else "nobody yet"
    if finding.layer == "security":
        return f"Password reset may be misused: {whom}{where}"
    return f"Password reset trouble for {whom}{where}"


def _state(report: Report) -> str:
    """Return how the letter looks at first sight; the words beside it say the same."""
    if any(one.who_can_fix != "user" for one in report.findings):
        return "trouble"
    if report.coverage.complete is False or report.account.skipped or not report.account.events:
        return "doubt"
    return "calm"


def _data(report: Report, clock: Clock) -> Iterator[str]:
    said = [(label, text) for label, text in basis.data(report, clock) if label in _OF_COMPLETENESS]
    shown = said[:DATA]
    for label, text in shown:
        yield f"{label}: {text}."
    if len(said) > len(shown):
        more = words.several(len(said) - len(shown), "more line")
        yield f"And {more} of this kind in the report."
    if not said:
        yield "Covered: nothing was collected."


def _tiles(report: Report) -> Iterator[Tile]:
    now, before = report.totals, report.previous
    rows = (
        ("attempts", now.flows, before and before.flows),
        ("people", now.users, before and before.users),
        ("succeeded", now.outcomes["succeeded"], before and before.outcomes["succeeded"]),
        ("without success", words.fruitless(now), before and words.fruitless(before)),
    )
    for label, count, earlier in rows:
        yield Tile(label, f"{count:,}", "" if earlier is None else f"before: {earlier:,}")


def _changed(report: Report, clock: Clock) -> Iterator[str]:
    for word, found in progress.named(report):
        names = "; ".join(f"{number}. {title}" for number, title in found[:_NAMED])
        more = f" (+{len(found) - _NAMED} more)" if len(found) > _NAMED else ""
        yield f"{word.capitalize()}: {names}{more}."
    yield from filter(None, (progress.of_totals(report), progress.summary(report, clock)))
    lost = [one.sentence for one in progress.gone(report, clock)]
    for sentence in lost[:GONE]:
        yield f"Gone: {sentence}."
    if len(lost) > GONE:
        yield f"And {words.several(len(lost) - GONE, 'more finding')} gone."


def _row(number: int, finding: Finding, report: Report, clock: Clock) -> Row:
    place = words.place(finding.scope)
    whom = words.people(finding.users) if finding.users else words.several(finding.flows, "flow")
    who = words.WHO.get(finding.who_can_fix, harmless.line(finding.who_can_fix))
    about = [f"{whom} {place}".strip(), verdict.seen(finding, report, clock), f"fixed by {who}"]
    part = progress.of_finding(finding, report, clock)
    return Row(
        number=number,
        confidence=finding.confidence.value,
        heading=harmless.line(finding.title).rstrip("."),
        course="" if part is None else part.word,
        about=f"{'; '.join(about)}.",
        remedy=_remedy(finding.remedy.summary),
    )


def _remedy(summary: str) -> str:
    """Return what to do, cut between words: who needs the rest opens the report."""
    told = harmless.line(summary, bound=None) or "Nothing is known to do."
    return shorten(told, _REMEDY, placeholder=" \u2026 (the report has all)")


def _files(attachments: Sequence[Attachment], left_out: Sequence[str]) -> Iterator[str]:
    if attachments:
        yield f"Attached: {', '.join(one.name for one in attachments)}."
    for name in left_out:
        yield f"Not attached, because the mail would be too large: {name}."


def _notes(report: Report, clock: Clock) -> Iterator[str]:
    window = report.window
    since, until = (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (window.start, window.end))
    yield f"The whole report: sspr-audit report --since {since} --until {until}"
    made = clock.moment(report.generated_at)
    yield f"Written by sspr-audit {harmless.line(report.version)}, {made}."
