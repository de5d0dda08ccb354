"""UTF-8 in pieces → whole lines, as Arrow arrays: no Python object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sspr_audit.model import Misread
from sspr_audit.sources.files.values import MAX_RECORD

if TYPE_CHECKING:
    import pyarrow as pa

_SHORT = 16
"""A line this short may be blank and is looked at by itself; no record is."""


def read(pieces: Iterator[bytes]) -> Iterator[tuple[pa.StringArray, pa.Int64Array] | Misread]:
    """Yield the lines that are not blank with their numbers, a piece of the text at a time.

    Lines that are no UTF-8, or longer than a record may be, come out as a Misread each.
    """
    number, rest = 1, b""
    for piece in pieces:
        text = rest + piece
        end = text.rfind(b"\n") + 1
        rest = text[end:][: MAX_RECORD + 1]  # a longer line is refused, but never held whole
        if end:
            yield from _split(text[:end], number)
            number += text.count(b"\n", 0, end)
    if rest:
        yield from _split(rest + b"\n", number)


def _split(text: bytes, number: int) -> Iterator[tuple[pa.StringArray, pa.Int64Array] | Misread]:
    import numpy as np
    import pyarrow as pa

    if b"\r\n" in text:
        text = text.replace(b"\r\n", b"\n")
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.int32)
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int32)
    # Every other slice of this array is a line; those between hold the line ends.
    offsets = np.column_stack((starts, ends)).ravel()
    offsets = np.append(offsets, np.int32(len(text)))
    whole = pa.Array.from_buffers(
        pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    lengths = ends - starts
    keep = lengths > 0
    for at in np.flatnonzero(keep & (lengths < _SHORT)):
        keep[at] = bool(text[starts[at] : ends[at]].strip())
    for at in np.flatnonzero(lengths > MAX_RECORD):
        keep[at] = False
        reason = f"longer than {MAX_RECORD >> 20} MiB"
        yield Misread(reason, number + int(at), _excerpt(text, starts[at]))
    chosen = np.flatnonzero(keep)
    lines = whole.take(pa.array(2 * chosen))
    try:
        lines = lines.cast(pa.string())
    except pa.ArrowInvalid:
        sound = [_is_utf8(line) for line in lines.to_pylist()]
        for at in chosen[np.logical_not(sound)]:
            yield Misread("not UTF-8", number + int(at), _excerpt(text, starts[at]))
        chosen = chosen[sound]
        lines = lines.filter(pa.array(sound)).cast(pa.string())
    yield lines, pa.array(chosen + number, pa.int64())


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _excerpt(text: bytes, start: int) -> str:
    return text[start : start + 80].decode("utf-8", "replace")
