"""Exports on disk or on standard input → batches of records, of whatever form they are."""

from __future__ import annotations

import glob
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from sspr_audit.model import Batch, Layout, Misread
from sspr_audit.sources.files import forms, lines, opening, values

if TYPE_CHECKING:
    import pyarrow as pa

BATCH: Final = 20_000
"""Records handed on at a time."""

BATCH_BYTES: Final = 16 << 20
"""Bytes handed on at a time."""

_LINE_OBJECT: Final = re.compile(r'\{\s*"')


class NotUnderstood(Exception):
    """The file holds no known export; the text says what it seems to be."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file, or standard input where `path` is None."""

    name: str
    path: Path | None
    named: bool = True
    """Whether the person named it, rather than a folder that holds it."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file of which nothing was read, and why."""

    file: int
    reason: str
    refused: bool = False
    """Whether it is an export, but one that cannot be used."""


Part = tuple[Layout, "pa.StringArray | Sequence[str]", "pa.Int64Array | Sequence[int]"]
"""Records of one layout, with their places in the file."""


Read = Batch | tuple[int, Misread] | NotRead
"""What reading yields: records, a piece that is none (with its file), or a file that was not."""


def read(files: Sequence[ExportFile]) -> Iterator[Read]:
    """Yield the records of all files in batches, and what could not be read.

    A file's number is its place in `files`. Small files share batches: hourly folders hold a few
    records each, and a batch costs as much as thousands of records.
    """
    piles: dict[Layout, _Pile] = {}
    numbers = itertools.count()
    for number, file in enumerate(files):
        known = False
        try:
            for item in _file(file):
                if isinstance(item, Misread):
                    yield number, item
                    continue
                known = True
                pile = piles.setdefault(item[0], _Pile(item[0], numbers))
                if batch := pile.add(item, number):
                    yield batch
        except NotUnderstood as error:
            yield NotRead(number, str(error), refused=error.refused)
        except OSError as error:
            yield NotRead(number, f"it cannot be read: {error.strerror or error}")
        else:
            if not known:
                yield NotRead(number, "no record in it is of a known form")
    yield from (pile.take() for pile in piles.values() if pile.count)


def _file(file: ExportFile) -> Iterator[Part | Misread]:
    if file.path is None:
        yield from _stream(sys.stdin.buffer)
    else:
        with file.path.open("rb") as stream:
            yield from _stream(stream)


def _stream(stream: BinaryIO) -> Iterator[Part | Misread]:
    pieces = _Pieces(opening.utf8(stream))
    head = b""
    while not head.strip():
        piece = next(pieces, None)
        if piece is None:
            raise NotUnderstood("it is empty")
        head += piece
    text = itertools.chain([head], pieces)
    first = head.lstrip()[:1]
    if first == b"[" or (first == b"{" and not _is_lines(head)):
        yield from _from_values(text)
    elif first == b"{":
        yield from _from_lines(text)
    elif first == b"<":
        raise NotUnderstood("it is a web page or XML, not an export; sign in and download again")
    else:
        yield from _from_csv(text)
    if pieces.cut:
        yield Misread("cut short", 0, "the compressed data end too early", count=0)


class _Pieces(Iterator[bytes]):
    """Pieces of a text that end quietly, but remember it, where the compressed data are cut."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.cut = False

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except opening.CutShort:
            self.cut = True
            raise StopIteration from None


def find(paths: Sequence[str]) -> tuple[list[ExportFile], list[str]]:
    """Return the files that `paths` name, each once, in order, and the words that name none.

    A path is a file, a folder (with all below it), a glob, or `-` for standard input. Globs are
    expanded here, since not every shell does.
    """
    found: dict[str, ExportFile] = {}
    missing = []
    for word in paths:
        if word == "-":
            found.setdefault("-", ExportFile("standard input", None))
            continue
        there = [Path(word)] if Path(word).exists() else _expanded(word)
        if not there:
            missing.append(word)
        for path in there:
            if path.is_dir():
                for inner in sorted(p for p in path.rglob("*") if p.is_file()):
                    key = str(inner.resolve())
                    found.setdefault(key, ExportFile(str(inner), inner, named=False))
            else:
                found[str(path.resolve())] = ExportFile(str(path), path)
    return list(found.values()), missing


def _expanded(word: str) -> list[Path]:
    return [Path(p) for p in sorted(glob.glob(word, recursive=True))]  # noqa: PTH207 - absolute too


def sniff(text: str) -> str | None:
    """Name the form or kind of one JSON record; None where it is none that we know."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return forms.of_record(value) if isinstance(value, dict) else None


def unwrap(text: str) -> list[str]:
    """Return the records inside a line that is an envelope; nothing where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict) or not any(isinstance(value.get(k), list) for k in values.ENVELOPES):
        return []
    found = values.Reader(iter([text.encode()])).objects()
    return [item[0] for item in found if not isinstance(item, Misread)]


def _is_lines(head: bytes) -> bool:
    """Say whether a text that begins with an object has one record a line."""
    lines = head.lstrip().decode("utf-8", "replace").split("\n", 2)
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        # A broken first line, if the second begins a record of its own.
        return len(lines) > 1 and bool(_LINE_OBJECT.match(lines[1])) and lines[0].rstrip().endswith("}")
    return isinstance(first, dict) and not any(
        isinstance(first.get(k), list) for k in values.ENVELOPES
    )


@dataclass(slots=True)
class _Pile:
    """Records of one layout that wait to be handed on."""

    layout: Layout
    numbers: Iterator[int]
    texts: list[pa.StringArray] = field(default_factory=list)
    files: list[pa.Int32Array] = field(default_factory=list)
    places: list[pa.Int64Array] = field(default_factory=list)
    loose: list[tuple[str, int, int]] = field(default_factory=list)
    """Records that came singly: text, file, place."""
    count: int = 0
    size: int = 0

    def add(self, part: Part, file: int) -> Batch | None:
        import pyarrow as pa

        _, texts, places = part
        if isinstance(texts, pa.Array):
            self.texts.append(texts)
            self.files.append(pa.repeat(pa.scalar(file, pa.int32()), len(texts)))
            self.places.append(places)
            self.size += texts.nbytes
        else:
            self.loose += [(t, file, p) for t, p in zip(texts, places, strict=True)]
            self.size += sum(map(len, texts))
        self.count += len(texts)
        full = self.count >= BATCH or self.size >= BATCH_BYTES
        return self.take() if full else None

    def take(self) -> Batch:
        import pyarrow as pa

        texts, files, places = zip(*self.loose, strict=True) if self.loose else ((), (), ())
        batch = Batch(
            self.layout,
            pa.concat_arrays([*self.texts, pa.array(texts, pa.string())]),
            pa.array(itertools.islice(self.numbers, self.count), pa.int64()),
            pa.concat_arrays([*self.files, pa.array(files, pa.int32())]),
            pa.concat_arrays([*self.places, pa.array(places, pa.int64())]),
        )
        self.texts, self.files, self.places, self.loose = [], [], [], []
        self.count, self.size = 0, 0
        return batch


def _from_values(text: Iterator[bytes]) -> Iterator[Part | Misread]:
    reader = values.Reader(text)
    for item in reader.objects():
        if isinstance(item, Misread):
            yield item
            continue
        body, value, context = item
        form = forms.of_record(value, context)
        if form is None:
            _refuse_unified(frozenset(value))
            yield Misread("not a record of a known form", reader.records, body[:80])
        elif not _is_utf8(body):
            yield Misread("not UTF-8", reader.records, body[:80])
        else:
            yield Layout(form), [body], [reader.records]


def _from_lines(text: Iterator[bytes]) -> Iterator[Part | Misread]:
    """Yield lines without looking into them: they are of the form of the first, or misfits."""
    form: str | None = None
    for item in lines.read(text):
        if isinstance(item, Misread):
            yield item
            continue
        texts, places = item
        if form is None:
            form = next((f for t in texts[:1000] if (f := _form_or_refusal(t.as_py()))), None)
        if form is not None:
            yield Layout(form), texts, places
        else:
            for line, place in zip(texts.to_pylist(), places.to_pylist(), strict=True):
                yield Misread("not a record of a known form", place, line[:80])


def _form_or_refusal(text: str) -> str | None:
    form = sniff(text)
    if form is None:
        try:
            _refuse_unified(frozenset(json.loads(text)))
        except (ValueError, TypeError):
            return None
    return form


def _refuse_unified(keys: frozenset[Any]) -> None:
    if forms.is_unified_audit_log(keys):
        raise NotUnderstood(forms.REFUSED_AUDIT_LOG, refused=True)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_csv(text: Iterator[bytes]) -> Iterator[Part | Misread]:
    rows = _rows(text)
    header, _ = next(rows, ("", 0))
    first = next(rows, None)
    layout = forms.of_header(header, first[0] if first else "")
    if layout is None:
        names = forms.header_names(header)
        _refuse_unified(frozenset(names))
        if len(names) < 2:
            raise NotUnderstood("it is neither JSON nor a CSV with a header line")
        shown = ", ".join(name[:40] for name in names[:12]) + (", …" if len(names) > 12 else "")
        msg = f"it is a CSV of no known export; its headers are: {shown}"
        raise NotUnderstood(msg)
    yield layout, [], []  # a header alone tells the form
    for row, place in itertools.chain([first] if first else [], rows):
        if not _is_utf8(row):
            yield Misread("not UTF-8", place, row[:80])
        elif len(row) > values.MAX_RECORD:
            yield Misread(f"longer than {values.MAX_RECORD >> 20} MiB", place, row[:80])
        else:
            yield layout, [row], [place]


def _rows(text: Iterator[bytes]) -> Iterator[tuple[str, int]]:
    """Yield CSV rows with the number of their first line; a quoted field may hold line breaks."""
    row, begun = "", 0
    for number, ended in enumerate(_decoded_lines(text), 1):
        begun = begun if row else number
        row += ended
        if row.count('"') % 2 == 0 or len(row) > values.MAX_RECORD:
            if not row.isspace():
                yield row.rstrip("\r\n"), begun
            row = ""
    if row:
        yield row, begun


def _decoded_lines(text: Iterator[bytes]) -> Iterator[str]:
    """Yield lines with their ends; bytes that are no UTF-8 come out as lone surrogates."""
    rest = b""
    for piece in text:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode("utf-8", "surrogateescape") + "\n" for line in whole)
    if rest:
        yield rest.decode("utf-8", "surrogateescape")
