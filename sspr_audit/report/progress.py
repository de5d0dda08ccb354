"""What changed since the period before, in words that every page and mail shares.

Each function returns plain text or small parts; nothing is laid out or escaped here but names.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from sspr_audit.model import Comparison, Course, Finding, Gone, Progress, Report, Scope, Verdict
from sspr_audit.report import harmless, verdict, words
from sspr_audit.report.changed import side
from sspr_audit.report.clock import Clock, length

TITLE = "Since the period before"

_ORDER = (Course.NEW, Course.WORSE, Course.BETTER, Course.CONTINUING, Course.NOT_KNOWN)
_WORDS = {
    Course.NEW: "new",
    Course.WORSE: "worse",
    Course.BETTER: "better",
    Course.CONTINUING: "continuing",
    Course.NOT_KNOWN: "not known whether new",
}


class Part(NamedTuple):
    """What is said of one finding: a word for a label, and a sentence that stands by itself."""

    course: str
    """A value of Course, or `gone`: to colour by."""
    word: str
    sentence: str


def summary(report: Report, clock: Clock) -> str:
    """Return what changed in one sentence: how many findings are new, worse, … and gone.

    Empty where nobody looked.
    """
    progress = report.progress
    if progress is None:
        return ""
    against = f"Compared with the {_period(progress)} before ({_span(progress, clock)})"
    if not progress.is_known and not _known(report):
        return f"{against}: nothing is known of that time, so nothing is called new."
    courses = [one.trend.course for one in report.findings if one.trend]
    counts = [(courses.count(one), _WORDS[one]) for one in _ORDER]
    if progress.gone_is_known:
        counts.append((len(progress.gone), "gone"))
    told = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    return f"{against}: {told or 'no finding then or now'}."


def of_totals(report: Report) -> str:
    """Return how people ended then and now, with what a test says; empty where nothing is known."""
    compared = report.progress.ended_well if report.progress else None
    if compared is None or not (compared.before.people and compared.after.people):
        return ""
    return (
        f"Ended well: {side(compared.after)}, {side(compared.before)} before: "
        f"{_verdict(compared)} ({_interval(compared)})."
    )


def named(report: Report) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Yield the words new, worse and better, each with number and title of the findings that are.

    The numbers are those of verdict.in_order.
    """
    numbered = [*enumerate(verdict.in_order(report), start=1)]
    for course in _ORDER[:3]:
        found = [
            (number, harmless.line(one.title).rstrip("."))
            for number, one in numbered
            if one.trend and one.trend.course is course
        ]
        if found:
            yield _WORDS[course], found


def of_finding(finding: Finding, report: Report, clock: Clock) -> Part | None:
    """Return what became of a finding; None where nobody looked, or nothing is known of any."""
    trend, whole = finding.trend, report.progress
    if trend is None or whole is None or not (whole.is_known or _known(report)):
        return None
    match trend.course:
        case Course.NOT_KNOWN:
            sentence = "no earlier report tells of the period before"
        case Course.NEW if trend.last_before:
            sentence = f"not in the period before; last seen {clock.moment(trend.last_before)}"
        case Course.NEW:
            sentence = "not in the period before"
        case _:
            sentence = _there(trend.since, trend.weeks, clock)
    if trend.people and trend.people.difference is not None and trend.course is not Course.NEW:
        sentence += f"; {_met(trend.people)}"
    return Part(trend.course.value, _WORDS[trend.course], sentence)


def gone(report: Report, clock: Clock) -> Iterator[Part]:
    """Yield what the period before showed and this window does not."""
    for one in report.progress.gone if report.progress else ():
        yield Part("gone", "gone", _gone(one, clock))


def notes(report: Report) -> Iterator[str]:
    """Yield what to know before relying on the comparison."""
    progress = report.progress
    if progress is None or not (progress.is_known or _known(report)):
        return
    if not progress.gone_is_known:
        yield "What is gone is not told: this window's data have gaps, or nobody tried."
    if not progress.is_known:
        yield "The records hold only part of the period before."


def _known(report: Report) -> bool:
    return any(one.trend and one.trend.course is not Course.NOT_KNOWN for one in report.findings)


def _there(since: datetime | None, weeks: int | None, clock: Clock) -> str:
    if since is None:
        return "in the period before, too"
    lasting = f"for {words.several(weeks, 'week')}, " if weeks else ""
    return f"{lasting}since {clock.moment(since)}"


def _met(compared: Comparison) -> str:
    told = f"{side(compared.after)} who tried met it, {side(compared.before)} before"
    if compared.verdict is Verdict.CANNOT_TELL:
        return f"{told}: no difference that chance would not make"
    return f"{told} ({_interval(compared)})"


def _gone(one: Gone, clock: Clock) -> str:
    past = one.past
    where = words.place(Scope(past.sites, past.ips, past.clients))
    told = f"{harmless.line(past.title).rstrip('.')}{f', {where}' if where else ''}"
    told += f": {words.people(past.users)} then, last seen {clock.moment(past.last_seen)}"
    if one.people and one.people.verdict is Verdict.CANNOT_TELL:
        told += "; so few that it may be chance"
    return told


def _verdict(compared: Comparison) -> str:
    if compared.verdict is Verdict.CANNOT_TELL:
        return "no difference that chance would not make"
    return compared.verdict.value


def _interval(compared: Comparison) -> str:
    difference, low, high = (
        round(100 * (one or 0)) for one in (compared.difference, compared.low, compared.high)
    )
    return f"{difference:+} points, {low:+} to {high:+}; 95 %"


def _period(progress: Progress) -> str:
    span = progress.before.end - progress.before.start
    days, rest = divmod(span, timedelta(days=1))
    return words.several(days, "day") if days and not rest else length(span)


def _span(progress: Progress, clock: Clock) -> str:
    return clock.span(progress.before.start, progress.before.end)
