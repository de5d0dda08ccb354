"""Bytes of a file → UTF-8, whatever it is compressed with and however it is encoded."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

CHUNK: Final = 1 << 20
"""Bytes handed on at a time, about."""

ZSTD_CHUNK: Final = 1 << 16
"""Compressed bytes read at a time: Zstandard gives back all that they hold at once."""

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"


class CutShort(Exception):
    """The compressed data end before their end mark, or are damaged from here on."""


def utf8(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the text of `stream` in pieces of UTF-8, without a byte-order mark.

    Bytes that the encoding does not know are handed on as they are, so that the records around
    them can still be read. Raises CutShort, after everything that could be read, where the
    compressed data end too early.
    """
    pieces = _plain(stream)
    head = next(pieces, b"")
    if encoding(head) == "utf-8":
        yield head.removeprefix(codecs.BOM_UTF8)
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding(head))("surrogatepass")
    yield decoder.decode(head).removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def encoding(head: bytes) -> str:
    """Say how the text that begins with `head` is encoded: by its mark, else by its zeros."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    match head[:2]:
        case bytes([_, 0]):
            return "utf-16-le"
        case bytes([0, _]):
            return "utf-16-be"
        case _:
            return "utf-8"


def _plain(stream: BinaryIO) -> Iterator[bytes]:
    head = stream.read(CHUNK)
    if head.startswith(GZIP):
        return _gunzipped(stream, head)
    if head.startswith(ZSTD):
        return _unzstandarded(stream, head)
    return _rest(stream, head)


def _rest(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    yield head
    while piece := stream.read(CHUNK):
        yield piece


def _gunzipped(stream: BinaryIO, data: bytes) -> Iterator[bytes]:
    """Yield what the members of a gzip file hold; several may stand one after another."""
    current = zlib.decompressobj(31)
    while data:
        try:
            piece = current.decompress(data, CHUNK)  # bounded: a small file may hold gigabytes
        except zlib.error as error:
            raise CutShort from error
        if piece:
            yield piece
        data = current.unused_data or current.unconsumed_tail or stream.read(CHUNK)
        if current.eof and data:
            if not data.startswith(GZIP):
                raise CutShort  # what follows the last member is not of this file
            current = zlib.decompressobj(31)
    if not current.eof:
        raise CutShort


def _unzstandarded(stream: BinaryIO, data: bytes) -> Iterator[bytes]:
    """Yield what the frames of a Zstandard file hold; several may stand one after another."""
    import zstandard

    current = zstandard.ZstdDecompressor().decompressobj()
    while data:
        try:
            piece = current.decompress(data)
        except zstandard.ZstdError as error:
            raise CutShort from error
        if piece:
            yield piece
        data = (current.unused_data if current.eof else b"") or stream.read(ZSTD_CHUNK)
        if current.eof and data:
            current = zstandard.ZstdDecompressor().decompressobj()
    if not current.eof:
        raise CutShort
