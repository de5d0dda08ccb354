"""The sentences to read first: what failed, for whom, where, since when, why, and how surely."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sspr_audit.model import Finding, Report
from sspr_audit.report import basis, harmless, words
from sspr_audit.report.clock import Clock

_DAY: Final = timedelta(days=1)

_IN_THE_END: Final = "all-succeeded-in-the-end"
"""The signal that everything which met the cause succeeded all the same."""

_CROWD: Final = 10
"""From how many people on an address is pointed to, from which nobody succeeded."""


def sentences(report: Report, clock: Clock) -> tuple[str, ...]:
    """Return the verdict: what failed, for whom, where, since when and why."""
    if not report.findings:
        return tuple(_no_verdict(report, clock))
    first = in_order(report)[0]
    if first.who_can_fix == "user":
        why = f"Nothing here needs an administrator. Most often: {_titled(first)}{_whom(first)}."
    else:
        why = f"{_trouble(first, report, clock)} {_why(first)}"
    return (why, words.counted(report.totals), *_crowds(report), *basis.doubts(report, clock))


def headline(report: Report, clock: Clock) -> tuple[str, ...]:
    """Return the first sentence of the verdict in parts: what for whom, then why, then when."""
    if not report.findings:
        return (next(_no_verdict(report, clock)),)
    first = in_order(report)[0]
    if first.who_can_fix == "user":
        return (
            "Nothing here needs an administrator.",
            f"Most often: {_titled(first)}{_whom(first)}.",
        )
    when = seen(first, report, clock)
    return f"{_what(first, report)}.", _why(first), f"{when[0].upper()}{when[1:]}."


def _whom(finding: Finding) -> str:
    return f", for {words.people(finding.users)}" if finding.users else ""


def in_order(report: Report) -> tuple[Finding, ...]:
    """Return the findings in the order in which to read them.

    Findings stand by certainty, and users' own slips are the most certain and the most of them;
    what somebody else must mend comes first here, the most people first.
    """
    return tuple(sorted(report.findings, key=lambda one: (one.who_can_fix == "user", -one.users)))


def overview(report: Report, clock: Clock) -> list[tuple[int, str]]:
    """Return every finding but the first to read in one sentence, with its number."""

    def said(one: Finding) -> str:
        whom = f"{words.people(one.users)}: " if one.users else ""
        past = f"; not seen since {clock.day(one.last_seen)}" if _is_over(one, report) else ""
        return f"{whom}{_titled(one)}{past}"

    others = in_order(report)[1:]
    return [(number, said(one)) for number, one in enumerate(others, start=2)]


def _titled(finding: Finding) -> str:
    sure = finding.confidence.value
    if any(one.signal == _IN_THE_END for one in finding.against):
        sure += "; all succeeded in the end"
    return f"{harmless.line(finding.title).rstrip('.')} ({sure})"


def _why(finding: Finding) -> str:
    """Return the cause; of a family, whose title is what all of its causes look like, that."""
    if finding.family:
        return f"Found: {_titled(finding)}. Which of several causes it has, the log cannot tell."
    return f"Cause: {_titled(finding)}."


def means(finding: Finding) -> str:
    """Return what the confidence of this finding rests on."""
    stated = any(one.signal == "reason-stated" for one in finding.evidence)
    match finding.confidence.value:
        case "confirmed":
            return "a reason, code or device reading names this very cause"
        case "likely" if stated and finding.family:
            return "a text names the family, and not which member of it"
        case "likely" if stated:
            return "a text names it; that the text means this is known by inference only"
        case "likely":
            return "signs of two kinds agree, and nothing was found that would explain it otherwise"
        case _:
            return "it fits, but other causes fit too"


def _trouble(finding: Finding, report: Report, clock: Clock) -> str:
    comma = "," if words.place(finding.scope) or not (finding.users or finding.flows) else ""
    return f"{_what(finding, report)}{comma} {seen(finding, report, clock)}."


def _what(finding: Finding, report: Report) -> str:
    """Return what is wrong, for whom and where, without a full stop."""
    over = _is_over(finding, report)
    where = words.place(finding.scope)
    where = f" {where}" if where else ""
    if not finding.users and not finding.flows:
        return f"Something {'stood' if over else 'stands'} out{where}"
    whom = words.people(finding.users) if finding.users else words.several(finding.flows, "flow")
    if finding.layer == "security":
        may, it = ("may have been", "concerned") if over else ("may be", "concerns")
        return f"Password reset {may} misused: it {it} {whom}{where}"
    return f"Password reset {'gave' if over else 'gives'} trouble to {whom}{where}"


def concerns(finding: Finding, report: Report) -> str:
    """Return how many people and flows it concerns, and whether not only those of the window."""
    told = f"{words.people(finding.users)}, {words.several(finding.flows, 'flow')}"
    return told + " since it began, before this window" * (finding.first_seen < report.window.start)


def seen(finding: Finding, report: Report, clock: Clock) -> str:
    """Return when a finding was first and last seen, and whether it is over.

    "Since" is said where the window begins with the records, or an estimated onset lies before it.
    Otherwise, with records before it, the cause may have been there earlier: what a text states is
    not looked for before the window.
    """
    first, last = clock.moment(finding.first_seen), clock.moment(finding.last_seen)
    begun = min([report.baseline.start, *(start for start, _ in report.coverage.spans)])
    # A pattern may have begun before the window; then its onset is known.
    before = begun < report.window.start <= finding.first_seen
    if _is_over(finding, report):
        span = f"on {first}" if first == last else f"from {first} to {last}"
        return f"{'in this window ' if before else ''}{span}; not seen since"
    first = f"first seen in this window {first}" if before else f"since {first}"
    return f"{first}; last seen {last}"


def _is_over(finding: Finding, report: Report) -> bool:
    """Say whether a finding has been silent for more than a day, and for longer than it lasted.

    The silence ends where the window or its last record does. What came and went for three weeks
    is not over after two days; an outage of one day is.
    """
    spans = report.coverage.spans
    end = min(report.window.end, spans[-1][1]) if spans else report.window.end
    silence = end - finding.last_seen
    return silence > max(_DAY, finding.last_seen - finding.first_seen)


def rivals(finding: Finding) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return why other causes fit too, and with each reason the causes that share it.

    A cause stands with its title. A reason that only one has stays with it, and its own is empty.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in finding.rivals:
        title, _, why = one.why.rpartition(": ")
        groups.setdefault(why, []).append((one.cause, title))
    return [
        (why, found) if len(found) > 1 else ("", [(found[0][0], _joined(found[0][1], why))])
        for why, found in groups.items()
    ]


def _joined(title: str, why: str) -> str:
    return f"{title}: {why}" if title else why


def _crowds(report: Report) -> list[str]:
    """Return a pointer to each address from which many people came and nobody succeeded.

    Most of these flows stopped without an end, so that no reason names a cause, and no pattern was
    found that would; it is only where to look.
    """
    told = {ip for one in report.findings for ip in one.scope.ips}
    found = [
        f"Look at {words.name(one.ip)}: {words.several(one.flows, 'flow')} for"
        f" {words.people(one.users)}, none succeeded, {one.outcomes['abandoned']:,} stopped without"
        " an end."
        for one in report.by_ip
        if one.ip
        and one.ip not in told
        and one.users >= _CROWD
        and not one.outcomes["succeeded"]
        and one.outcomes["abandoned"] * 2 > one.flows
    ]
    if len(found) <= words.NAMED:
        return found
    more = words.several(len(found) - words.NAMED, "more address", "more addresses")
    return [*found[: words.NAMED], f"So it is with {more}."]


def _no_verdict(report: Report, clock: Clock) -> Iterator[str]:
    totals, account = report.totals, report.account
    if not (account.events or account.other_records or account.outside_window):
        yield "There is no audit record here, so nothing can be judged."
        yield from basis.why_empty(report)
    elif not account.events:
        yield "There is no password reset event in this window, so nothing can be judged."
        yield from basis.why_empty(report)
    elif not totals.flows:
        yield (
            "No password reset began in this window; "
            f"{words.several(account.events, 'event')} of other kinds were counted."
        )
    else:
        without = words.fruitless(totals)
        ended = (
            f"{words.several(without, 'flow')} ended without one" if without else "all ended well"
        )
        yield f"No cause is named by a reason in these records; {ended}."
        yield words.counted(totals)
        yield from _crowds(report)
        yield (
            "That is no all-clear: an attempt that never reached the reset page leaves no record."
        )
    yield from basis.doubts(report, clock)
