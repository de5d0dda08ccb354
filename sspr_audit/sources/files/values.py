"""Text → JSON objects, one at a time: from arrays, envelopes and objects set one after another."""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any, Final

from sspr_audit.model import Misread
from sspr_audit.sources.files import syntax

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

_OWN: Final = ("activityDateTime", "createdDateTime", "loggedByService", "TimeGenerated")
"""Keys that a record has itself, and none of these."""

_AT_ONCE: Final = 1 << 20
"""Characters up to which an object is read in one go; a larger one may be an envelope."""

_DEEPEST: Final = 4
"""How deep lists of records are looked for: pages are put into lists, records into records not."""

_BLANK: Final = re.compile("[ \t\r\n\ufeff]*")
_OPENING: Final = re.compile(r"[{\[]")
_ENVELOPE: Final = re.compile(r'"(?:value|records)"\s*:\s*\[')

Found = tuple[str, dict[str, Any], str | None]
"""A record: its text as written, its value, and the `@odata.context` of its envelope."""


def is_envelope(value: dict[str, Any]) -> bool:
    """Say whether an object is no record but holds a list of them."""
    holds = any(isinstance(value.get(key), list) for key in ENVELOPES)
    return holds and value.keys().isdisjoint(_OWN)


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
        start, state = self._at, syntax.OPEN
        brackets = syntax.Brackets(start)
        while True:
            if state == syntax.OPEN:
                state, value, end = syntax.tried(self._text, start, is_all=self._ended)
            if state == syntax.WHOLE:
                self._at = end
                return value
            size = len(self._text) - start
            if state != syntax.OPEN or size > MAX_RECORD or self._ended:
                end = syntax.end_of(self._text, start, brackets, is_cut=self._dropped > 0)
                if end >= 0:
                    self._at = end
                    return self._invalid(start, is_deep=state == syntax.DEEP)
            if limit and size > limit:
                return Misread("larger than asked", 0, count=0)
            if size > MAX_RECORD:
                return self._too_long(brackets)
            if self._ended:
                self._at = len(self._text)
                return self._misread(CUT, start)
            self._more(min(size, MAX_RECORD + 1 - size))

    def _invalid(self, start: int, *, is_deep: bool) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return the value from `start` to here where it was but too deep, else a Misread."""
        if is_deep:
            with suppress(ValueError):
                return syntax.deep(self._text[start : self._at])
        return self._misread(INVALID, start)

    def _misread(self, reason: str, start: int) -> Misread:
        return Misread(reason, self.records + 1, self._text[start : self._at][:EXCERPT])

    def _too_long(self, brackets: syntax.Brackets) -> Misread:
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
            self._drop(self._at - syntax.INDENT)  # the line's beginning may still be asked for

    def _drop(self, count: int) -> None:
        self._text = self._text[count:]
        self._at = max(0, self._at - count)
        self._dropped += count


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """Decode UTF-8; bytes that are none come out as lone surrogates."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    yield from map(decoder.decode, pieces)
    yield decoder.decode(b"", final=True)
