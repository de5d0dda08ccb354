"""Bytes of a file → UTF-8, whatever it is compressed with and however it is encoded."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

CHUNK: Final = 1 << 20
"""Bytes handed on at a time, about."""

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
"""A frame, or one to be passed over, in which some writers keep a table."""

_SKIPPED: Final = b"\x2a\x4d\x18"
"""What stands in the mark of a frame to be passed over; its length follows."""

_HEADER: Final = 18
"""Bytes of the longest header of a Zstandard frame."""

_SAME: Final = 1
"""The type of a block that is one byte, many times over."""

_MARK: Final = 4
"""Bytes that tell a compression or an encoding."""

_TOO_EARLY: Final = "cut short: the compressed data end too early"
_DAMAGED: Final = "damaged: the compressed data cannot be read further"
_FOLLOWED: Final = "damaged: something else follows the compressed data"
_HALF: Final = "cut short: the last character is not whole"


class CutShort(Exception):
    """The data end too early, or are damaged from here on; the text says which."""


def utf8(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the text of `stream` in pieces of UTF-8, without the byte-order marks before it.

    Bytes that the encoding does not know are handed on as they are, so that the records around
    them can still be read. Raises CutShort, after everything that could be read, where the data
    end too early.
    """
    pieces = _plain(stream)
    head = _filled(b"", pieces)
    if encoding(head) == "utf-8":
        while head.startswith(codecs.BOM_UTF8):  # two, where a marked file was saved anew
            head = _filled(head.removeprefix(codecs.BOM_UTF8), pieces)
        yield head
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding(head))("surrogatepass")
    yield decoder.decode(head).lstrip("\ufeff").encode("utf-8", "surrogatepass")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    try:
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise CutShort(_HALF) from error


def _filled(head: bytes, pieces: Iterator[bytes]) -> bytes:
    """Return the head with as much more as a mark takes, if there is as much."""
    while len(head) < _MARK and (piece := next(pieces, b"")):
        head += piece
    return head


def encoding(head: bytes) -> str:
    """Say how the text that begins with `head` is encoded: by its mark, else by its zeros."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    match tuple(head[:_MARK]):
        case (first, 0, second, 0) if first and second:
            return "utf-16-le"
        case (0, first, 0, second) if first and second:
            return "utf-16-be"
        case _:
            return "utf-8"


def _plain(stream: BinaryIO) -> Iterator[bytes]:
    head = stream.read(max(CHUNK, _MARK))
    if head.startswith(GZIP):
        return _gathered(_gunzipped(stream, head))
    if ZSTD.match(head):
        return _gathered(_unzstandarded(stream, head))
    return _rest(stream, head)


def _rest(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    yield head
    while piece := stream.read(CHUNK):
        yield piece


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of CHUNK or more, as small ones cost their readers dear."""
    held, size = [], 0
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= CHUNK:
                yield b"".join(held)
                held, size = [], 0
    except CutShort:
        yield b"".join(held)
        raise
    yield b"".join(held)


def _gunzipped(stream: BinaryIO, data: bytes) -> Iterator[bytes]:
    """Yield what the members of a gzip file hold; several may stand one after another."""
    while data:
        if not data.startswith(GZIP):
            raise CutShort(_FOLLOWED)
        data = _next_mark(stream, (yield from _member(stream, data)))


def _member(stream: BinaryIO, data: bytes) -> Generator[bytes, None, bytes]:
    """Yield what one gzip member holds; return what was read behind it."""
    current = zlib.decompressobj(31)
    while data:
        before = current.copy()
        try:
            piece = current.decompress(data, CHUNK)  # bounded: a small file may hold gigabytes
        except zlib.error as error:
            yield from _until_damage(before, data)
            raise CutShort(_DAMAGED) from error
        yield piece
        if current.eof:
            return current.unused_data
        data = current.unconsumed_tail or stream.read(CHUNK)
    raise CutShort(_TOO_EARLY)


def _until_damage(current: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what stands before the damage: zlib keeps back what it had read in the same call."""
    for at in range(len(data)):
        try:
            yield current.decompress(data[at : at + 1])
        except zlib.error:
            return


def _unzstandarded(stream: BinaryIO, data: bytes) -> Iterator[bytes]:
    """Yield what the frames of a Zstandard file hold; several may stand one after another."""
    ahead = _Ahead(stream, data)
    while mark := ahead.look(_MARK):
        if not ZSTD.match(mark):
            raise CutShort(_FOLLOWED)
        if mark[1:] == _SKIPPED:
            ahead.pass_over(int.from_bytes(ahead.take(2 * _MARK)[_MARK:], "little"))
        else:
            yield from _frame(ahead)
        while ahead.look(1) == b"\0":  # they fill up a block
            ahead.take(1)


def _frame(ahead: _Ahead) -> Iterator[bytes]:
    """Yield what one Zstandard frame holds, block by block.

    Zstandard gives back all that it is given at once, and four bytes may hold 128 KiB: 4 KiB of
    them would be 128 MiB. A block is never more than 128 KiB. RFC 8878, section 3.1.1.
    """
    import zstandard

    current = zstandard.ZstdDecompressor().decompressobj()
    try:
        header = ahead.look(_HEADER)
        has_checksum = zstandard.get_frame_parameters(header).has_checksum
        yield current.decompress(ahead.take(zstandard.frame_header_size(header)))
        is_last = False
        while not is_last:
            head = ahead.take(3)
            word = int.from_bytes(head, "little")
            is_last = bool(word & 1)
            size = 1 if word >> 1 & 3 == _SAME else word >> 3
            yield current.decompress(head + ahead.take(size))
        if has_checksum:
            yield current.decompress(ahead.take(4))
    except zstandard.ZstdError as error:
        raise CutShort(_DAMAGED) from error


class _Ahead:
    """A stream, and what was read of it but not yet taken."""

    def __init__(self, stream: BinaryIO, data: bytes) -> None:
        self._stream = stream
        self._at = 0
        self._data = data

    def look(self, count: int) -> bytes:
        """Return the next bytes, fewer where the stream ends, without taking them."""
        while len(self._data) - self._at < count and (piece := self._stream.read(CHUNK)):
            self._data, self._at = self._data[self._at :] + piece, 0
        return self._data[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """Return the next bytes. Raises CutShort where there are fewer."""
        taken = self.look(count)
        if len(taken) < count:
            raise CutShort(_TOO_EARLY)
        self._at += count
        return taken

    def pass_over(self, count: int) -> None:
        """Leave bytes out without holding them. Raises CutShort where there are fewer."""
        while count:
            step = min(count, CHUNK)
            self.take(step)
            count -= step


def _next_mark(stream: BinaryIO, data: bytes) -> bytes:
    """Return what follows a member, passing over zeros that fill up a block; b"" at the end."""
    data = data.lstrip(b"\0")
    while len(data) < _MARK and (piece := stream.read(max(CHUNK, _MARK))):
        data = (data + piece).lstrip(b"\0")
    return data
