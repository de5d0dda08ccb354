"""What a report says of a change: the sentences and tables that every page for people shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sspr_audit.model import Change, Comparison, Lack, Share, Verdict
from sspr_audit.report import words
from sspr_audit.report.clock import Clock, length

TITLE: Final = "Before and after the change"

HEADINGS: Final = ("verdict", "before", "after", "points", "95 %")
"""Of the tables, after the place."""

NOWHERE: Final = {"site": "(no named site)", "client": "-"}
"""What stands for a place without a name."""

_SCREEN: Final = "People who reset at the Windows sign-in screen, by site"


def sentences(change: Change, clock: Clock) -> Iterator[str]:
    """Yield what became of everybody, what was compared, and what to know of it."""
    yield f"In all: {verdict(change.total)}. {told(change.total)}"
    yield f"Changed {clock.moment(change.at)}; {_compared(change)}"
    if change.on_weekdays is not None:
        yield (
            f"The spans differ in their weekends ({_percent(change.weekend_before)} and "
            f"{_percent(change.weekend_after)} of the time, UTC). On Monday to Friday alone: "
            f"{verdict(change.on_weekdays)}. {told(change.on_weekdays)}"
        )
    yield (
        "Each person counts once a span and place, by the last attempt that came to an end. What "
        "else happened at the same time counts as the change."
    )
    if change.nobody:
        yield f"{words.several(change.nobody, 'flow')} with no known person could not be counted."


def tables(change: Change) -> Iterator[tuple[str, str, tuple[Comparison, ...]]]:
    """Yield each table that has places: its title, their heading, and the places."""
    found = (
        ("Ended well, by site", "site", change.by_site),
        ("Ended well, by client", "client", change.by_client),
        (_SCREEN, "site", change.at_signin_screen),
    )
    return (one for one in found if one[2])


def cells(one: Comparison) -> list[str]:
    """Return what stands under HEADINGS."""
    known = one.difference is not None
    return [
        verdict(one),
        f"{one.before.count:,}/{one.before.people:,}",
        f"{one.after.count:,}/{one.after.people:,}",
        _points(one.difference or 0) if known else "-",
        _interval(one) if known else "-",
    ]


def corrected(change: Change) -> str:
    """Return how the verdicts of places allow for their number."""
    told = (
        f"The verdicts on places allow for {words.several(change.tested, 'comparison')} (Fisher's "
        "exact test, Holm), so that chance seldom makes one; intervals are of 95 %, each by "
        "itself. The people who are needed would show a difference as large as now, or of 10 "
        "points where it is less."
    )
    if change.at_signin_screen:
        return told
    return f"{told} No flow was at the Windows sign-in screen, so no share there is compared."


def verdict(one: Comparison) -> str:
    """Return the verdict in words, and what is missing for one."""
    if one.verdict is not Verdict.CANNOT_TELL:
        return one.verdict.value
    if one.lacks is Lack.DIFFERENCE:
        return "cannot tell: hardly any difference"
    if one.lacks is Lack.PEOPLE_BEFORE:
        return "cannot tell: too few people before"
    return f"cannot tell yet: about {words.people(one.needed or 0)} more needed"


def told(one: Comparison) -> str:
    """Return both shares and their difference as a sentence."""
    before, after = (side(one.before), "before"), (side(one.after), "after")
    sides = " and ".join(f"{side} {when}" for side, when in (before, after))
    if one.difference is None:
        return f"Ended well: {sides}."
    return f"Ended well: {sides}, {_points(one.difference)} points ({_interval(one)}; 95 %)."


def _compared(change: Change) -> str:
    before = change.before.end - change.before.start
    after = change.after.end - change.after.start
    if before < after:
        return (
            f"the {length(after)} after it are compared with the {length(before)} before it, "
            "where the data begin."
        )
    return f"the {length(after)} after it are compared with as long before it."


def side(share: Share) -> str:
    """Return a share in words, such as `3 of 10 people (30 %)`."""
    if share.share is None:
        return "nobody"
    return f"{share.count:,} of {words.people(share.people)} ({_percent(share.share)})"


def _interval(one: Comparison) -> str:
    return f"{_points(one.low or 0)} to {_points(one.high or 0)}"


def _points(part: float) -> str:
    return f"{round(100 * part):+}"


def _percent(part: float) -> str:
    """Return a share in whole hundredths, never as 0 or 100 where it is neither."""
    whole = round(100 * part)
    if whole in {0, 100} and 0 < part < 1:
        return "under 1 %" if whole == 0 else "over 99 %"
    return f"{whole} %"
