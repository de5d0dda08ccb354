"""Makes a stranger's text harmless: what a record says is shown, never obeyed.

User names, reasons, ClientTypes and site names come from whoever wrote them. Every renderer
passes them through here, so that no terminal escape, hidden letter, formula or markup comes alive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

BOUND: Final = 200
"""Characters of one text that a page for people shows; the rest is counted, not shown."""

CELL_BOUND: Final = 32_000
"""Characters of one spreadsheet cell; Excel takes 32,767."""

_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Letters by the book that nobody sees; str.isprintable tells all the other silent ones."""

MARKS: Final = 4
"""Marks (accents, vowel points) that one letter carries at most in any language; hundreds of them
would cover the lines around."""

_SILENT: Final = re.compile(
    "[\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What JSON may hold as it stands but a reader would obey or not see. A fixed list, so that the
bytes do not change with the Unicode version of Python."""

_FORMULA: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_LATER_FORMULA: Final = re.compile(r"([;|]\s*\"?)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet that splits at another sign than the comma would begin a cell."""

_COME_ALIVE: Final = re.compile(
    r"[@#$]|://|:[\w+-]+:|www\.|\b[0-9a-f]{7,40}\b|\bgh-\d", re.IGNORECASE
)
"""What GitHub turns into a link, a mention, a commit, an emoji or a formula even when escaped."""

_WORD: Final = re.compile(r"([(\"']*)(.*?)([)\"'.,;:!?\u2026]*)", re.DOTALL)
_MARKUP: Final = re.compile(r"[\\`*_\[\]~^{}]")
_OPENS_A_BLOCK: Final = re.compile(r"[-+=]|\d+(?=[.)](?:\s|$))")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}


def line(text: str, *, bound: int | None = BOUND) -> str:
    r"""Return `text` as one line in which everything can be seen.

    Blanks of every kind become a space; what a terminal would obey or a reader not see (controls,
    text direction, zero width, lone surrogates) is written out, as in `\x1b` or `\u202e`, and so
    are marks beyond MARKS on one letter. What is longer than `bound` characters is cut, and the
    number of characters left out is told.
    """
    if text.isascii() and text.isprintable() and (bound is None or len(text) <= bound):
        return text
    pieces: list[str] = []
    room = len(text) * 10 if bound is None else bound
    for place, piece in enumerate(_seen(text)):
        room -= len(piece)
        if room < 0:
            return f"{''.join(pieces)}\u2026 (+{len(text) - place:,} characters)"
        pieces.append(piece)
    return "".join(pieces)


def lines(text: str) -> list[str]:
    """Return the lines of `text`, each made harmless but never cut: for commands."""
    return [line(one, bound=None) for one in text.replace("\r\n", "\n").split("\n")]


def cell(text: str) -> str:
    """Return `text` for a cell of a spreadsheet: no controls, and never a formula."""
    kept = _LATER_FORMULA.sub(r"\1'", typed(text))
    return f"'{kept}" if _FORMULA.match(text) or _FORMULA.match(kept) else kept


def typed(text: str) -> str:
    """Return `text` for a cell that is declared to hold text: no controls, not too long."""
    kept = "".join(_seen(text[:CELL_BOUND], hidden=""))
    if len(text) > CELL_BOUND:
        kept += f"\u2026 (+{len(text) - CELL_BOUND:,} characters)"
    return kept


def is_formula(text: str) -> bool:
    """Say whether a spreadsheet would take the text for a formula, were it typed into a cell."""
    return bool(_FORMULA.match(text))


def json(document: str) -> str:
    r"""Return a JSON document with every silent character written as `\uXXXX`."""
    return _SILENT.sub(lambda found: _utf16(ord(found.group())), document)


def code(text: str, *, bound: int | None = BOUND) -> str:
    r"""Return `text` as a Markdown code span, in which nothing comes alive.

    A bar is written `\x7c`, because no spelling of it is safe in every reader's tables.
    """
    shown = line(text, bound=bound).strip().replace("|", r"\x7c")
    if not shown:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def markdown(text: str, *, bound: int | None = BOUND) -> str:
    """Return a sentence for Markdown: words that would come alive stand in code spans."""
    words = line(text, bound=bound).split()
    shown = " ".join(_word(word) for word in words)
    opens = _OPENS_A_BLOCK.match(shown)
    if opens is None:
        return shown
    cut = opens.end() if opens.group().isdigit() else 0
    return f"{shown[:cut]}\\{shown[cut:]}"


def _word(word: str) -> str:
    if not _COME_ALIVE.search(word):
        return _escaped(word)
    parts = _WORD.fullmatch(word)
    before, inside, after = parts.groups() if parts else ("", word, "")
    if not inside or _COME_ALIVE.search(before + after):
        return code(word, bound=None)
    return f"{_escaped(before)}{code(inside, bound=None)}{_escaped(after)}"


def _escaped(text: str) -> str:
    plain = _MARKUP.sub(r"\\\g<0>", text)
    return "".join(_ENTITIES.get(letter, letter) for letter in plain)


def _seen(text: str, *, hidden: str | None = None) -> Iterator[str]:
    """Yield each letter, or a space for a blank, or `hidden` (else its escape) for the rest."""
    marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= MARKS and letter.isprintable() and not _INVISIBLE.match(letter):
            yield letter
        elif letter in "\t\n\r\v\f" or category == "Zs":
            yield " "
        else:
            yield letter.encode("unicode-escape").decode() if hidden is None else hidden


def _utf16(point: int) -> str:
    if point < 0x10000:  # noqa: PLR2004 -- the first code point beyond \uXXXX
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"
