"""Exports on disk or on standard input → batches of records, of whatever form they are."""

from __future__ import annotations

import itertools
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from sspr_audit.model import Batch, Form, Layout, Misread
from sspr_audit.sources.files import forms, lines, opening, rows, syntax, values
from sspr_audit.sources.files.finding import ExportFile, find, shown
from sspr_audit.sources.files.piles import Part, Pile

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ExportFile", "NotRead", "Read", "find", "read", "records_in", "shown"]

HEAD: Final = 1 << 20
"""Bytes that tell what a file is."""

_CLOSED: Final = "it is closed"
_EMPTY: Final = "it is empty"
_FOLDER_LINK: Final = "it is a link to a folder; name that folder itself"
_SPECIAL: Final = "it is no file, but a pipe or device"
_WEB_PAGE: Final = "it is a web page or XML, not an export; sign in and download again"
_NEITHER: Final = "it is neither JSON nor a CSV with a header line"
_STRANGE: Final = "a CSV of no known export"
_EXPORT: Final = "export it anew: Entra admin center, Audit logs, Download"
_NOTHING: Final = "no record in it is of a known form"
_UNKNOWN: Final = "not a record of a known form"
_PREAMBLE: Final = re.compile(r'"?sep=|#TYPE ')
"""Lines that Excel and PowerShell put before the header of a CSV."""
_OPENS_MORE: Final = re.compile(rb"[\[:]\s*$")
_HEADERS: Final = 100
"""Headers that an error names."""


class NotUnderstood(Exception):
    """The file holds no known export; the text says what it seems to be."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file of which nothing was read, and why."""

    file: int
    reason: str
    verdict: str = "ignored"
    """`ignored` where it is no known export; `refused` where it is an export that cannot be used,
    and `not read` where this machine or damage stood in the way: then something is missing."""


Read = Batch | tuple[int, Misread] | NotRead
"""What reading yields: records, a piece that is none (with its file), or a file that was not."""


def read(files: Sequence[ExportFile]) -> Iterator[Read]:
    """Yield the records of all files in batches, and what could not be read.

    A file's number is its place in `files`. Small files share batches: hourly folders hold a few
    records each. A file may turn out as NotRead after some of its pieces came as Misread; of its
    records none has come then.
    """
    piles: dict[Layout, Pile] = {}
    numbers = itertools.count()
    for number, file in enumerate(files):
        known, damage = False, ""
        try:
            for item in _file(file):
                if isinstance(item, Misread):
                    damage = damage or ("" if item.place else item.reason)
                    yield number, item
                    continue
                known = True
                pile = piles.setdefault(item[0], Pile(item[0], numbers))
                if batch := pile.add(item, number):
                    yield batch
        except NotUnderstood as error:
            verdict = "refused" if error.refused else "ignored"
            yield NotRead(number, str(error), verdict)
            continue
        except OSError as error:
            damage = f"it cannot be read: {error.strerror or error}"
            if known:
                yield number, Misread(f"{values.CUT}: {damage}", 0, count=0)
        if not known:
            reason = damage or _NOTHING
            yield NotRead(number, reason, "not read" if damage else "ignored")
    yield from (pile.take() for pile in piles.values() if pile.count)


def records_in(text: str) -> Iterator[tuple[str, str] | Misread]:
    """Yield the records inside a JSON text, be it one, a list or an envelope, with their forms."""
    return _formed(values.Reader(iter([text.encode()])))


def _file(file: ExportFile) -> Iterator[Part | Misread]:
    if file.path is None:
        if sys.stdin is None:
            raise NotUnderstood(_CLOSED)
        yield from _stream(sys.stdin.buffer)
        return
    kind = stat.S_IFMT(file.path.stat().st_mode)
    if kind == stat.S_IFDIR and file.path.is_symlink():
        raise NotUnderstood(_FOLDER_LINK)
    if kind not in (stat.S_IFREG, stat.S_IFDIR) and not file.named:
        raise NotUnderstood(_SPECIAL)
    with file.path.open("rb") as stream:
        yield from _stream(stream)


def _stream(stream: BinaryIO) -> Iterator[Part | Misread]:
    pieces = _Pieces(opening.utf8(stream))
    head = _head(pieces)
    text = itertools.chain([head], pieces)
    match head.lstrip()[:1]:
        case b"":
            if not pieces.damage:
                raise NotUnderstood(_EMPTY)
        case b"{" if _is_lines(head):
            yield from _from_lines(text)
        case b"{" | b"[":
            yield from _from_values(text)
        case b"<":
            raise NotUnderstood(_WEB_PAGE)
        case _ if len(head) >= HEAD and b"\n" not in head:
            raise NotUnderstood(_NEITHER)
        case _:
            yield from _from_csv(text)
    if pieces.damage:
        yield Misread(pieces.damage, 0, count=0)


class _Pieces(Iterator[bytes]):
    """Pieces of a text that end quietly, but remember it, where the data are damaged."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.damage = ""

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except opening.CutShort as error:
            self.damage = str(error)
            raise StopIteration from None


def _head(pieces: Iterator[bytes]) -> bytes:
    """Return the beginning of a text, as much of it however small the pieces are."""
    head = bytearray()
    for piece in pieces:
        head += piece
        if len(head) >= HEAD and (len(head) > values.MAX_RECORD or not head.isspace()):
            break
    return bytes(head)


def _is_lines(head: bytes) -> bool:
    """Say whether a text that begins with an object has one record a line.

    The first line may be broken: the second tells then, unless the first opens what it stands in.
    """
    first, _, rest = head.lstrip().partition(b"\n")
    if (found := _object(first)) is not None:
        return not values.is_envelope(found)
    second = _object(rest.lstrip().partition(b"\n")[0])
    return second is not None and not values.is_envelope(second) and not _OPENS_MORE.search(first)


def _object(line: bytes | str) -> dict[str, object] | None:
    try:
        value = syntax.parsed(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _from_values(text: Iterator[bytes]) -> Iterator[Part | Misread]:
    reader = values.Reader(text)
    known = False
    for item in _formed(reader):
        if isinstance(item, Misread):
            _refuse_unified(item, known=known)
            yield item
        else:
            known = True
            body, form = item
            yield Layout(form), [body], [reader.records]
    if any(context is None or forms.of_context(context) for context in reader.empty):
        yield Layout(Form.GRAPH), [], []  # nothing happened, and that is an answer


def _formed(reader: values.Reader) -> Iterator[tuple[str, str] | Misread]:
    """Yield each record that can be used, with its form."""
    for item in reader.objects():
        if isinstance(item, Misread):
            yield item
            continue
        body, value, context = item
        form = forms.of_record(value, context)
        if form is None:
            reason = forms.UNIFIED if forms.is_unified_audit_log(value) else _UNKNOWN
            yield Misread(reason, reader.records, body[: values.EXCERPT])
        elif not _is_utf8(body):
            yield Misread("not UTF-8", reader.records, body[: values.EXCERPT])
        else:
            yield body, form


def _from_lines(text: Iterator[bytes]) -> Iterator[Part | Misread]:
    """Yield lines without looking into them: they are of the form of the first, or misfits.

    Nobody finds a misfit among context, so there each line is looked at.
    """
    known = False
    for item in lines.read(text):
        if isinstance(item, Misread):
            yield item
            continue
        form = next((f for line in item[0] if (f := _form(line.as_py()))), None)
        if form in list(Form):
            known = True
            yield Layout(form), *item
            continue
        for part in _looked_at(*item):
            if isinstance(part, Misread):
                _refuse_unified(part, known=known)
            known = known or not isinstance(part, Misread)
            yield part


def _looked_at(texts: pa.StringArray, places: pa.Int64Array) -> Iterator[Part | Misread]:
    for line, place in zip(texts.to_pylist(), places.to_pylist(), strict=True):
        value = _object(line)
        if value and not values.is_envelope(value) and (form := forms.of_record(value)):
            yield Layout(form), [line], [place]
            continue
        for item in records_in(line):
            if isinstance(item, Misread):
                yield replace(item, place=place)
            else:
                yield Layout(item[1]), [item[0]], [place]


def _form(line: str) -> str | None:
    """Name the form of the first record in a line."""
    return next((item[1] for item in records_in(line) if not isinstance(item, Misread)), None)


def _refuse_unified(misread: Misread, *, known: bool) -> None:
    if misread.reason == forms.UNIFIED and not known:
        raise NotUnderstood(forms.REFUSED_AUDIT_LOG, refused=True)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_csv(text: Iterator[bytes]) -> Iterator[Part | Misread]:
    numbered = rows.lines(text)
    headed = (line for _, line, _ in numbered if line.strip() and not _PREAMBLE.match(line))
    header = next(headed, "").strip("\r\n")
    first = list(itertools.islice(numbered, 1))
    layout = forms.of_header(header, first[0][1] if first else "")
    if layout is None:
        raise _unknown_csv(header)
    if twice := forms.repeated(layout):
        said = f"its header names more than once: {', '.join(twice)}; export each column once"
        raise NotUnderstood(said, refused=True)
    yield layout, [], []  # a header alone tells the form
    for item in rows.read(itertools.chain(first, numbered), layout):
        if isinstance(item, Misread):
            yield item
        else:
            yield layout, [item[0]], [item[1]]


def _unknown_csv(header: str) -> NotUnderstood:
    names = forms.header_names(header)
    if forms.is_unified_audit_log(names):
        return NotUnderstood(forms.REFUSED_AUDIT_LOG, refused=True)
    if not names[1:]:
        return NotUnderstood(_NEITHER)
    strange = forms.not_understood(names) or names
    told = ", ".join(name[:40] for name in strange[:_HEADERS]) + ", …" * (len(strange) > _HEADERS)
    what = "no export, or one of unknown headers" if strange == list(names) else _STRANGE
    return NotUnderstood(f"it is {what} ({_EXPORT}); headers not understood: {told}")
