"""What a letter says, for a channel: a glance, in which no chat finds anything to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sspr_audit.report.mail.content import Content, cut

FINDINGS: Final = 3
"""Findings that a post tells; some 1,500 characters in all, whatever they are called."""

_HEADLINE: Final = 260
_HEADING: Final = 120
_ABOUT: Final = 150
_DATA: Final = 150
"""Characters of each."""

_ALIVE: Final = re.compile(
    r"[@<>\[\]`*_~|#\\&$^{}]"
    r"|:(?=\S)(?!(?<=\d\d:)\d\d(?!\d|:(?!\d\d\b)))"  # of an address or emoji, not of a time
    r"|\.(?=[^\W\d])"  # some chats make a link of every name with a dot
)
"""What Slack, Teams, Discord and others may turn into a mention, a link, an emoji or markup. They
differ in how it is escaped, and an address may ask for Markdown, so none of it is left."""

_WIDE: Final = 0xFEE0
"""From an ASCII letter to its full-width form, which reads the same and does nothing."""


def text(said: Content) -> str:
    """Return headline, period, the first findings, and how far the data can be trusted."""
    return "\n".join(_lines(said))


def _lines(said: Content) -> Iterator[str]:
    yield _told(said.headline, _HEADLINE)
    yield _told(said.period)
    for row in said.rows[:FINDINGS]:
        marks = ", ".join(filter(None, (row.confidence, row.course)))
        yield f"{row.number}. {_told(row.heading, _HEADING)} ({marks})"
        yield _told(row.about, _ABOUT)
    if not said.is_complete:
        lacking = (one for one in said.data if not one.startswith("Covered"))
        yield _told(f"Data incomplete. {' '.join(lacking)}", _DATA)
    yield f"{said.found} in all; the mail has the rest." if said.rows else "The mail has the rest."


def _told(words: str, most: int | None = None) -> str:
    plain = _ALIVE.sub(lambda sign: _dead(sign[0]), words)
    return plain if most is None else cut(plain, most)


def _dead(sign: str) -> str:
    return ". " if sign == "." else chr(ord(sign) + _WIDE)
