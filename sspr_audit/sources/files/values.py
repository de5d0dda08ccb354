"""Text → JSON objects, one at a time: from arrays, envelopes and objects set one after another."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from sspr_audit.model import Misread

MAX_RECORD: Final = 16 << 20
"""Characters of the longest record that is read: no audit record comes near, and DuckDB takes no
larger JSON text."""

ENVELOPES: Final = ("value", "records")
"""Keys whose array holds records: Graph pages, and Event Hub messages or blobs."""

_DECODER: Final = json.JSONDecoder()
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_MARKS: Final = re.compile(r'["\\{}\[\]]')
_BARE: Final = re.compile(r"[,\]}]")
_ENVELOPE: Final = re.compile(r'"(?:value|records)"\s*:\s*\[')

Found = tuple[str, dict[str, Any], str | None]
"""A record: its text as written, its value, and the `@odata.context` of its envelope."""


class Reader:
    """A text that arrives in pieces, read value by value."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = _decoded(pieces)
        self._text = ""
        self._at = 0
        self._ended = False
        self.records = 0

    def objects(self) -> Iterator[Found | Misread]:
        """Yield each record.

        What is not an object, or no JSON, or too long, or cut off, comes out as a Misread.
        """
        while self._peek():
            if self._peek() == "[":
                yield from self._array(None)
            elif self._peek() == "{":
                yield from self._envelope_or_record()
            else:
                yield Misread("not JSON", self.records + 1, self._text[self._at : self._at + 80])
                return

    def _envelope_or_record(self) -> Iterator[Found | Misread]:
        start = self._at
        whole = self._value(limit=1 << 20)
        if isinstance(whole, dict) and not any(isinstance(whole.get(k), list) for k in ENVELOPES):
            self.records += 1
            yield self._text[start : self._at], whole, None
        elif isinstance(whole, dict) or _ENVELOPE.search(self._text, start, self._at):
            self._at = start
            yield from self._members()
        elif isinstance(whole, Misread) and whole.count:
            yield whole
        else:
            self._at = start
            yield from self._members()

    def _members(self) -> Iterator[Found | Misread]:
        """Walk an object that is an envelope, or too large to hold."""
        self._at += 1
        context: str | None = None
        enveloped = False
        while (mark := self._peek()) not in ("}", ""):
            if mark == ",":
                self._at += 1
                continue
            key = self._value()
            if not isinstance(key, str) or self._peek() != ":":
                yield Misread("not valid JSON", self.records + 1, self._excerpt())
                self._drain()
                return
            self._at += 1
            if key in ENVELOPES and self._peek() == "[":
                enveloped = True
                yield from self._array(context)
                continue
            value = self._value()
            if isinstance(value, Misread):
                yield value
            elif key == "@odata.context" and isinstance(value, str):
                context = value
            self._forget()
        self._at += 1
        if not enveloped:
            self.records += 1
            yield Misread("too long or cut short", self.records, self._excerpt())

    def _array(self, context: str | None) -> Iterator[Found | Misread]:
        self._at += 1
        while (mark := self._peek()) not in ("]", ""):
            if mark == ",":
                self._at += 1
                continue
            self._forget()
            start = self._at
            value = self._value()
            self.records += 1
            if isinstance(value, dict):
                yield self._text[start : self._at], value, context
            elif isinstance(value, Misread):
                yield value
            else:
                yield Misread("not a record", self.records, str(value)[:80])
        if mark == "":
            yield Misread("cut short", self.records, "the file ends inside a list", count=0)
        self._at += 1

    def _value(self, limit: int = 0) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Read one value; a Misread where that fails (count 0: not complete within `limit`)."""
        start = self._at
        depth, quoted, scanned = 0, False, start
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, start)
            except (ValueError, RecursionError):
                if self._text[start] in '{["':
                    depth, quoted, scanned, end = _end(self._text, depth, quoted, scanned)
                else:
                    bare = _BARE.search(self._text, start)
                    end = bare.start() if bare else -1
            else:
                if self._at < len(self._text) or isinstance(value, dict | list | str):
                    return value
                depth, quoted, scanned, end = 0, False, start, -1  # a number may go on
                if not self._more():
                    return value
                continue
            if end >= 0:
                excerpt = self._text[start : start + 80]
                self._at = end
                return Misread("not valid JSON", self.records + 1, excerpt)
            if limit and len(self._text) - start > limit:
                return Misread("larger than asked", 0, count=0)
            if len(self._text) - start > MAX_RECORD:
                return self._too_long(depth, quoted, scanned)
            if not self._more(len(self._text) - start):
                excerpt = self._text[start : start + 80]
                self._at = len(self._text)
                return Misread("cut short", self.records + 1, excerpt)

    def _too_long(self, depth: int, quoted: bool, scanned: int) -> Misread:  # noqa: FBT001
        """Pass over the rest of a value without holding it."""
        excerpt = self._text[self._at : self._at + 80]
        end = -1
        while end < 0:
            self._text, self._at, scanned = self._text[scanned:], 0, 0
            if not self._more():
                self._at = len(self._text)
                break
            depth, quoted, scanned, end = _end(self._text, depth, quoted, scanned)
            self._at = max(end, 0)
        return Misread(f"longer than {MAX_RECORD >> 20} MiB", self.records + 1, excerpt)

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

    def _forget(self) -> None:
        if self._at > 1 << 19:
            self._text, self._at = self._text[self._at :], 0

    def _drain(self) -> None:
        """Give up on this text: what follows a broken envelope cannot be told apart."""
        for _ in self._pieces:
            pass
        self._text, self._at, self._ended = "", 0, True

    def _excerpt(self) -> str:
        return self._text[self._at : self._at + 80]


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    yield from map(decoder.decode, pieces)
    yield decoder.decode(b"", final=True)


def _end(text: str, depth: int, quoted: bool, at: int) -> tuple[int, bool, int, int]:  # noqa: FBT001
    """Look for the end of the value whose brackets and quotes stand at `depth` and `quoted`.

    Returns the state to go on with, the position reached, and where the value ends or -1.
    """
    while mark := _MARKS.search(text, at):
        at = mark.end()
        match mark[0]:
            case "\\" if quoted:
                if at >= len(text):
                    return depth, quoted, mark.start(), -1
                at += 1
            case '"':
                quoted = not quoted
                if not quoted and depth == 0:
                    return depth, quoted, at, at
            case "{" | "[" if not quoted:
                depth += 1
            case "}" | "]" if not quoted:
                depth -= 1
                if depth <= 0:
                    end = at if depth == 0 else mark.start()
                    return depth, quoted, at, end
            case _:
                pass
    return depth, quoted, len(text), -1
