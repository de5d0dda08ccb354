"""One JSON value in a text that may go on: whether it is whole, and where a broken one ends."""

from __future__ import annotations

import json
import re
from typing import Any, Final

INDENT: Final = 1 << 8
"""Characters before a value in which its line is looked for."""

_EDGE: Final = 16
"""Characters before the end of a text that those still to come may turn into valid JSON."""

_WINDOW: Final = 1 << 14
"""Characters in which a value is tried first. An error costs as much as all of the text before it,
since JSONDecodeError counts the lines there."""

WHOLE: Final = "whole"
OPEN: Final = "what follows may end it"
DEEP: Final = "deeper than Python follows"
BROKEN: Final = "no JSON, whatever follows"
"""How a value stands, as far as it is held."""

_LEVELS: Final = 100
"""How deep a record is looked into by Python; nothing that we read stands deeper than six."""

# Python reads no number of more than 4,300 digits, and nobody asks what a number is.
_DECODER: Final = json.JSONDecoder(parse_int=len, parse_float=len)
_MARKS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[{\[]++|[}\]]++', re.DOTALL)
"""A text, with its end where that is to be seen; or brackets."""
_QUOTED: Final = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_BARE: Final = re.compile(r"[,{}\[\]]")


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a JSON text; of a number only how long it is. Raises ValueError."""
    whole = text if isinstance(text, str) else text.decode()
    try:
        return _DECODER.decode(whole)
    except RecursionError:
        return deep(whole)


def deep(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a JSON text that is too deep for Python; what lies too deep is 0. Raises ValueError."""
    return _DECODER.decode(_shallow(text))


def tried(text: str, start: int, *, is_all: bool) -> tuple[str, Any, int]:
    """Read the value at `start`; return how it stands, itself, and where it ends.

    `is_all` is whether nothing follows the text.
    """
    window = _WINDOW
    while True:
        piece = text[start : start + window]
        is_rest = start + window >= len(text)
        try:
            value, length = _DECODER.raw_decode(piece)
        except RecursionError:
            return DEEP, None, start
        except json.JSONDecodeError as error:
            if _is_broken(error, len(piece)):
                return BROKEN, None, start
        else:
            may_go_on = length == len(piece) and isinstance(value, int)  # a number
            if not may_go_on or (is_rest and is_all):
                return WHOLE, value, start + length
        if is_rest:
            return OPEN, None, start
        window <<= 4


def end_of(text: str, start: int, brackets: Brackets, *, is_cut: bool) -> int:
    """Return where the broken value at `start` ends; -1 where that is not to be seen yet.

    Its brackets and quotes cannot be trusted: they may swallow what follows. So the next line
    that begins an object as its own line does ends it, too. About as much is looked at as is
    passed over then: many broken values cost no quadratic time. `is_cut` is whether more stood
    before the text than it still holds.
    """
    if text[start] not in '{["':
        bare = _BARE.search(text, start + 1)
        return bare.start() if bare else -1
    line, step, stop = _line(text, start, is_cut=is_cut), _WINDOW >> 4, 0
    while stop < len(text):
        stop = min(brackets.at + step, len(text))
        begun = max(start, brackets.at - len(line))
        like = text.find(line, begun, stop) if line else -1
        end = brackets.end(text, stop if like < 0 else like)
        if end >= 0 or like >= 0:
            return end if end >= 0 else like
        step *= 2
    return -1


def _line(text: str, start: int, *, is_cut: bool) -> str:
    """Return how a line begins an object as the line at `start` does; "" if it does not."""
    before = text[max(0, start - INDENT) : start]
    rest = before.rstrip(" \t")
    begins = rest.endswith("\n") or not (rest or is_cut or start > INDENT)
    return f"\n{before[len(rest) :]}{{" if begins else ""


def _is_broken(error: json.JSONDecodeError, size: int) -> bool:
    """Say whether a text of `size` is no JSON, whatever may still follow it."""
    return error.pos < size - _EDGE and not error.msg.startswith("Unterminated string")


def _shallow(text: str) -> str:
    """Return a JSON text with a 0 for all that is nested deeper than Python can follow."""
    kept, depth, begun = [], 0, 0
    for mark in _MARKS.finditer(text):
        opens = text[mark.start()]
        if opens == '"':
            continue
        before, depth = depth, depth + (1 if opens in "{[" else -1) * len(mark[0])
        if before < _LEVELS <= depth:
            kept += [text[begun : mark.end() - depth + _LEVELS - 1], "0"]
        elif depth < _LEVELS <= before:
            begun = mark.end() + depth - _LEVELS + 1
    return "".join([*kept, text[begun:]])


class Brackets:
    """How the brackets and quotes of a value stand, as far as its text was seen."""

    def __init__(self, at: int) -> None:
        self.at = at
        self._depth = 0
        self._quoted = False

    def end(self, text: str, stop: int) -> int:
        """Look further, from `at` to `stop`, for the end of the value; -1 where it is not there."""
        if self._quoted:
            rest = _QUOTED.match(text, self.at, stop)
            self.at = rest.end() if rest else stop
            self._quoted = not (rest and rest[1])
            if self._quoted:
                return -1
            if not self._depth:
                return self.at
        for mark in _MARKS.finditer(text, self.at, stop):
            self.at, opens = mark.end(), text[mark.start()]
            if opens == '"':
                self._quoted = not mark[1]
                if self._quoted:
                    return -1
                if not self._depth:
                    return self.at
            elif opens in "{[":
                self._depth += len(mark[0])
            elif self._depth > len(mark[0]):
                self._depth -= len(mark[0])
            else:
                return mark.start() + self._depth
        self.at = stop
        return -1
