"""Text → JSON objects, one at a time: from arrays, envelopes and objects set one after another."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any, Final

from sspr_audit.model import Misread

MAX_RECORD: Final = 16 << 20
"""Characters of the longest record that is read: no audit record comes near, and DuckDB takes no
larger JSON text."""

EXCERPT: Final = 80
"""Characters of what could not be read that are shown."""

TOO_LONG: Final = f"longer than {MAX_RECORD >> 20} MiB"
INVALID: Final = "not valid JSON"
CUT: Final = "cut short"

ENVELOPES: Final = ("value", "records")
"""Keys whose array holds records: Graph pages, and Event Hub messages or blobs."""

_AT_ONCE: Final = 1 << 20
"""Characters up to which an object is read in one go; a larger one may be an envelope."""

_DEEPEST: Final = 4
"""How deep lists of records are looked for: pages are put into lists, records into records not."""

_INDENT: Final = 1 << 8
"""Characters before a value in which its line is looked for."""

_EDGE: Final = 16
"""Characters before the end of a text that those still to come may turn into valid JSON."""

_WINDOW: Final = 1 << 14
"""Characters in which a value is tried first. An error costs as much as all of the text before it,
since JSONDecodeError counts the lines there."""

_WHOLE: Final = "whole"
_OPEN: Final = "what follows may end it"
_DEEP: Final = "deeper than Python follows"
_BROKEN: Final = "no JSON, whatever follows"
"""How a value stands, as far as it is held."""

_LEVELS: Final = 100
"""How deep a record is looked into by Python; nothing that we read stands deeper than six."""

# Python reads no number of more than 4,300 digits, and nobody asks what a number is.
_DECODER: Final = json.JSONDecoder(parse_int=len, parse_float=len)
_BLANK: Final = re.compile("[ \t\r\n\ufeff]*")
_MARKS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[{\[]++|[}\]]++', re.DOTALL)
"""A text, with its end where that is to be seen; or brackets."""
_QUOTED: Final = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_BARE: Final = re.compile(r"[,{}\[\]]")
_OPENING: Final = re.compile(r"[{\[]")
_ENVELOPE: Final = re.compile(r'"(?:value|records)"\s*:\s*\[')

Found = tuple[str, dict[str, Any], str | None]
"""A record: its text as written, its value, and the `@odata.context` of its envelope."""


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a JSON text; of a number only how long it is. Raises ValueError."""
    whole = text if isinstance(text, str) else text.decode()
    try:
        return _DECODER.decode(whole)
    except RecursionError:
        return _DECODER.decode(_shallow(whole))


def is_envelope(value: dict[str, Any]) -> bool:
    """Say whether an object is no record but holds a list of them."""
    return any(isinstance(value.get(key), list) for key in ENVELOPES)


class Reader:
    """A text that arrives in pieces, read value by value."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = _decoded(pieces)
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._ended = False
        self.records = 0
        """How many were found so far, broken ones too: the place of the last one."""
        self.empty: list[str | None] = []
        """The `@odata.context` of each list that held nothing."""

    def objects(self) -> Iterator[Found | Misread]:
        """Yield each record.

        What is not an object, or no JSON, or too long, or cut off, comes out as a Misread.
        """
        while mark := self._peek():
            self._forget()
            if mark == "[":
                yield from self._list(None, 0)
            elif mark == "{":
                yield from self._envelope_or_record(None, 0)
            elif mark == ",":
                self._at += 1
            else:
                self.records += 1
                yield Misread("not JSON", self.records, self._pass_over())

    def _envelope_or_record(self, context: str | None, depth: int) -> Iterator[Found | Misread]:
        start = self._here()
        whole = self._value(limit=0 if depth == _DEEPEST else _AT_ONCE)
        if isinstance(whole, dict):
            is_record = not is_envelope(whole)
        else:
            held = self._text[start - self._dropped : self._at]
            is_record = whole.count and not _ENVELOPE.search(held)
        if is_record or depth == _DEEPEST:
            yield self._record(start, whole, context)
        else:
            self._at = start - self._dropped
            yield from self._members(context, depth)

    def _record(self, start: int, value: Any, context: str | None) -> Found | Misread:  # noqa: ANN401
        self.records += 1
        if isinstance(value, Misread):
            return value
        return self._text[start - self._dropped : self._at], value, context

    def _members(self, context: str | None, depth: int) -> Iterator[Found | Misread]:
        """Walk an object that is an envelope, or broken, or too large to be told from one."""
        start, enveloped, cut, fault = self._here(), False, False, ""
        self._at += 1
        while (mark := self._peek()) not in ("}", ""):
            if mark == ",":
                self._at += 1
                continue
            if enveloped or self._here() - start > MAX_RECORD:
                self._forget()
            key = self._key()
            if key is None:
                fault = INVALID
                break
            if key in ENVELOPES and self._peek() == "[":
                enveloped = True
                cut = yield from self._list(context, depth + 1)
                continue
            value = self._value()
            if isinstance(value, Misread):
                fault = value.reason
            elif key == "@odata.context" and isinstance(value, str):
                context = value
        if enveloped:
            yield from () if cut else self._after_lists(fault)
        elif start >= self._dropped:
            self._at = start - self._dropped
            yield self._record(start, self._value(), context)
        else:
            self._at += self._peek() == "}"
            self.records += 1
            yield Misread(TOO_LONG, self.records)

    def _key(self) -> str | None:
        """Read a key and its colon; None where there is none."""
        key = self._value()
        if not isinstance(key, str) or self._peek() != ":":
            return None
        self._at += 1
        return key

    def _after_lists(self, fault: str) -> Iterator[Misread]:
        end = self._peek()
        self._at += end == "}"
        if fault or not end:
            reason = f"{fault or CUT}: what stands around a list of records"
            yield Misread(reason, self.records, count=0)

    def _list(self, context: str | None, depth: int) -> Generator[Found | Misread, None, bool]:
        """Yield the records of a list; return whether its end is missing."""
        before = self.records
        self._at += 1
        while (mark := self._peek()) not in ("]", ""):
            self._forget()
            if mark == ",":
                self._at += 1
            elif mark == "{":
                yield from self._envelope_or_record(context, depth)
            else:
                start = self._here()
                value = self._value()
                self.records += 1
                excerpt = self._text[start - self._dropped : self._at][:EXCERPT]
                is_misread = isinstance(value, Misread)
                yield value if is_misread else Misread("not a record", self.records, excerpt)
        if mark == "":
            yield Misread(f"{CUT}: the file ends inside a list", self.records, count=0)
        elif self.records == before:
            self.empty.append(context)
        self._at += 1
        return mark == ""

    def _value(self, limit: int = 0) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Read one value; a Misread where that fails (count 0: not complete within `limit`)."""
        if not self._peek():
            return Misread(CUT, self.records + 1)
        start, state = self._at, _OPEN
        brackets = _Brackets(start)
        while True:
            if state == _OPEN:
                state, value = self._tried(start)
            if state == _WHOLE:
                return value
            size = len(self._text) - start
            if state != _OPEN or size > MAX_RECORD or self._ended:
                end = self._end(start, brackets)
                if end >= 0:
                    self._at = end
                    return self._invalid(start, is_deep=state == _DEEP)
            if limit and size > limit:
                return Misread("larger than asked", 0, count=0)
            if size > MAX_RECORD:
                return self._too_long(brackets)
            if self._ended:
                self._at = len(self._text)
                return self._misread(CUT, start)
            self._more(min(size, MAX_RECORD + 1 - size))

    def _tried(self, start: int) -> tuple[str, Any]:
        """Read the value at `start`, as far as it is held; return its state and itself."""
        window = _WINDOW
        while True:
            piece = self._text[start : start + window]
            is_all = start + window >= len(self._text)
            try:
                value, length = _DECODER.raw_decode(piece)
            except RecursionError:
                return _DEEP, None
            except json.JSONDecodeError as error:
                if _is_broken(error, len(piece)):
                    return _BROKEN, None
            else:
                may_go_on = length == len(piece) and isinstance(value, int)  # a number
                if not may_go_on or (is_all and self._ended):
                    self._at = start + length
                    return _WHOLE, value
            if is_all:
                return _OPEN, None
            window <<= 4

    def _invalid(self, start: int, *, is_deep: bool) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return the value from `start` to here where it was but too deep, else a Misread."""
        if is_deep:
            with suppress(ValueError):
                return _DECODER.decode(_shallow(self._text[start : self._at]))
        return self._misread(INVALID, start)

    def _end(self, start: int, brackets: _Brackets) -> int:
        """Return where the broken value at `start` ends; -1 where that is not to be seen yet.

        Its brackets and quotes cannot be trusted: they may swallow what follows. So the next line
        that begins an object as its own line does ends it, too. About as much is looked at as is
        passed over then: many broken values cost no quadratic time.
        """
        if self._text[start] not in '{["':
            bare = _BARE.search(self._text, start + 1)
            return bare.start() if bare else -1
        line, step, stop = self._line(start), _WINDOW >> 4, 0
        while stop < len(self._text):
            stop = min(brackets.at + step, len(self._text))
            begun = max(start, brackets.at - len(line))
            like = self._text.find(line, begun, stop) if line else -1
            end = brackets.end(self._text, stop if like < 0 else like)
            if end >= 0 or like >= 0:
                return end if end >= 0 else like
            step *= 2
        return -1

    def _line(self, start: int) -> str:
        """Return how a line begins an object as the line at `start` does; "" if it does not."""
        before = self._text[max(0, start - _INDENT) : start]
        rest = before.rstrip(" \t")
        begins = rest.endswith("\n") or not (rest or self._dropped or start > _INDENT)
        return f"\n{before[len(rest) :]}{{" if begins else ""

    def _misread(self, reason: str, start: int) -> Misread:
        return Misread(reason, self.records + 1, self._text[start : self._at][:EXCERPT])

    def _too_long(self, brackets: _Brackets) -> Misread:
        """Pass over the rest of a value without holding it."""
        excerpt = self._text[self._at : self._at + EXCERPT]
        end = -1
        while end < 0:
            self._drop(brackets.at)
            brackets.at = 0
            if not self._more():
                self._at = len(self._text)
                break
            end = brackets.end(self._text, len(self._text))
            self._at = max(end, 0)
        return Misread(TOO_LONG, self.records + 1, excerpt)

    def _pass_over(self) -> str:
        """Go on to where a value may begin; return the first of what stands before it."""
        excerpt = ""
        while True:
            opening = _OPENING.search(self._text, self._at)
            end = opening.start() if opening else len(self._text)
            excerpt = (excerpt + self._text[self._at : end])[:EXCERPT]
            self._at = end
            if opening or not self._more():
                return excerpt
            self._drop(end)

    def _peek(self) -> str:
        """Return the next character that is not blank, "" at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self, wanted: int = 1) -> bool:
        """Append at least `wanted` more characters, so that a long value costs no quadratic time.

        Returns False at the end of the text.
        """
        pieces, size = [], 0
        while size < wanted and not self._ended:
            piece = next(self._pieces, None)
            self._ended = piece is None
            pieces.append(piece or "")
            size += len(piece or "")
        self._text += "".join(pieces)
        return size > 0

    def _here(self) -> int:
        """Return the place in the whole text, whatever of it is held."""
        return self._dropped + self._at

    def _forget(self) -> None:
        if self._at > 1 << 19:
            self._drop(self._at - _INDENT)  # the line's beginning may still be asked for

    def _drop(self, count: int) -> None:
        self._text = self._text[count:]
        self._at = max(0, self._at - count)
        self._dropped += count


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """Decode UTF-8; bytes that are none come out as lone surrogates."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    yield from map(decoder.decode, pieces)
    yield decoder.decode(b"", final=True)


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


class _Brackets:
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
