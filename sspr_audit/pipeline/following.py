"""Whose sign-ins a report needs, of which time, and in which questions. Nothing here asks.

A reset at the sign-in screen is worth something only if its new password opens the device. So the
time from the end of such a flow on tells: whether the person signed in to Windows, where, and
whether the password worked in the cloud meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sspr_audit.model import Window
from sspr_audit.store.contexts import Followed

AFTER: Final = timedelta(hours=24)
"""How long after a flow sign-ins matter. Whether the device was opened shows in 4 hours; from where
it was opened at last, and whether the person had to reset again, within a day.
"""

CHANGING: Final = timedelta(hours=2)
"""How long a sign-in may still change: the service adds what the second factor came to.

https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reports-faq
"""

EXTENT: Final = timedelta(days=2)
"""How much time one question may span: what lies between the flows of its people comes in vain."""


@dataclass(frozen=True, slots=True)
class Question:
    """A few people's sign-ins in a span of time."""

    window: Window
    spans: tuple[Followed, ...]
    """What of it is wanted."""

    @property
    def people(self) -> frozenset[str]:
        """Whom it is about, by object id or user principal name in lower case."""
        return frozenset(one.person for one in self.spans)

    def wants(self, people: Iterable[str], time: datetime) -> bool:
        """Say whether a sign-in at that time, of the person with these names, is wanted."""
        names = set(people)
        return any(
            one.person in names and one.span.start <= time < one.span.end for one in self.spans
        )


def due(
    flows: Iterable[tuple[str, datetime]],
    known: Iterable[Followed],
    *,
    now: datetime,
    kept: timedelta,
) -> list[Followed]:
    """Return the spans to ask for, as they would be asked for now: the newest first.

    `flows` are the person and the end of each flow; `kept` is how long the service keeps sign-ins.
    What was asked for when it could still change is asked for again.
    """
    settled = {
        (one.person, one.span.start) for one in known if one.asked >= one.span.end + CHANGING
    }
    wanted = {
        (person, end)
        for person, end in flows
        if now - kept <= end < now and (person, end) not in settled
    }
    newest_first = sorted(wanted, key=lambda one: (one[1], one[0]), reverse=True)
    return [Followed(person, Window(end, end + AFTER), now) for person, end in newest_first]


def questions(spans: Iterable[Followed], *, most: int) -> list[Question]:
    """Return few questions that together ask for the spans, each about at most so many people."""
    groups: list[list[Followed]] = []
    people: set[str] = set()
    for one in spans:
        fits = bool(groups) and len(people | {one.person}) <= most
        if not (fits and groups[-1][0].span.end - one.span.start <= EXTENT):
            groups.append([])
            people = set()
        groups[-1].append(one)
        people.add(one.person)
    return [_question(group) for group in groups]


def _question(group: list[Followed]) -> Question:
    start = min(one.span.start for one in group)
    end = min(max(one.span.end for one in group), group[0].asked)
    return Question(Window(start, end), tuple(group))
