"""UTF-8 in pieces → the rows of a CSV; a quoted field may hold line breaks."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Final

from sspr_audit.model import Layout, Misread
from sspr_audit.sources.files import forms
from sspr_audit.sources.files.values import EXCERPT, MAX_RECORD, TOO_LONG

QUOTES: Final = "a quoted field without its end"


def lines(pieces: Iterator[bytes]) -> Iterator[tuple[int, str, int]]:
    """Yield lines with their numbers, their ends and their lengths in bytes.

    Bytes that are no UTF-8 come out as lone surrogates. A line longer than a record may be is
    never held whole: it comes out cut, but still too long.
    """
    number, rest = 1, b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield number, line.decode("utf-8", "surrogateescape") + "\n", len(line)
            number += 1
        rest = rest[: MAX_RECORD + 1]
    if rest:
        yield number, rest.decode("utf-8", "surrogateescape"), len(rest)


def read(
    numbered: Iterator[tuple[int, str, int]], layout: Layout
) -> Iterator[tuple[str, int] | Misread]:
    """Yield each row with the number of its first line; what is none, as a Misread.

    A quote too many would swallow the rows after it. So a line that is a whole row by itself, with
    a time where the layout has it, ends what stands open before it.
    """
    is_row = _row_test(layout)
    other = f"[^{layout.delimiter}]*+"
    quoted = '"(?:[^"]|"")*+"'
    # As many cells as have their end; only a quote that begins a cell can want one.
    whole = re.compile(f'(?:(?:{quoted}|(?!")){other}(?:{layout.delimiter}|$))*+')
    held, begun, size, is_open = StringIO(), 0, 0, False
    for number, line, length in numbered:
        if is_open and is_row(line):
            yield Misread(QUOTES, begun, held.getvalue()[:EXCERPT])
            held, size, is_open = StringIO(), 0, False
        begun = begun if size else number
        held.write(line)
        size += length + 1
        if line.count('"') % 2:
            bare = line.rstrip("\r\n")
            is_open = not is_open and not whole.fullmatch(bare)
        if size <= MAX_RECORD + 1 and is_open:
            continue
        if size > MAX_RECORD + 1:
            yield Misread(TOO_LONG, begun, held.getvalue()[:EXCERPT])
        elif not line.isspace() or number > begun:
            yield _row(held.getvalue().rstrip("\r\n"), begun)
        held, size, is_open = StringIO(), 0, False
    if size:
        yield Misread(QUOTES, begun, held.getvalue()[:EXCERPT])


def _row(text: str, place: int) -> tuple[str, int] | Misread:
    try:
        text.encode()
    except UnicodeEncodeError:
        return Misread("not UTF-8", place, text[:EXCERPT])
    return text, place


def _row_test(layout: Layout) -> Callable[[str], bool]:
    times = {"Date (UTC)", "TimeGenerated", "ActivityDateTime"}
    places = [at for at, name in enumerate(layout.columns) if name in times]

    def is_row(line: str) -> bool:
        if line.count('"') % 2:
            return False
        try:
            cells = next(csv.reader([line], delimiter=layout.delimiter), [])
        except csv.Error:
            return False
        return len(cells) == len(layout.columns) and any(
            forms.TIME.match(cells[at]) for at in places
        )

    return is_row
