"""UTF-8 in pieces → whole lines, as Arrow arrays: no Python object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sspr_audit.model import Misread
from sspr_audit.sources.files.values import MAX_RECORD

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

LINE_END: Final = ord("\n")
RETURN: Final = ord("\r")
BLANK: Final = ord(" ")
"""No line that begins with a higher byte is blank."""


def read(pieces: Iterator[bytes]) -> Iterator[tuple[pa.StringArray, pa.Int64Array] | Misread]:
    """Yield the lines that are not blank with their numbers, a piece of the text at a time.

    Lines that are no UTF-8, or longer than a record may be, come out as a Misread each.
    """
    import numpy as np

    number, rest = 1, b""
    for piece in pieces:
        text = rest + piece
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == LINE_END)
        if len(ends):
            yield from _split(text, ends, number)
            number += len(ends)
            text = text[ends[-1] + 1 :]
        rest = text[: MAX_RECORD + 1]  # a longer line is refused, but never held whole
    if rest:
        yield from _split(rest + b"\n", np.array([len(rest)]), number)


def _split(
    text: bytes, ends: NDArray[np.int64], number: int
) -> Iterator[tuple[pa.StringArray, pa.Int64Array] | Misread]:
    """Yield the lines of `text` whose ends stand at `ends`; the first has the number `number`."""
    import numpy as np
    import pyarrow as pa

    starts = np.concatenate(([0], ends[:-1] + 1))
    stops = ends - ((ends > starts) & (np.frombuffer(text, np.uint8)[ends - 1] == RETURN))
    # Every other slice of this array is a line; those between hold the line ends.
    offsets = np.append(np.column_stack((starts, stops)).ravel(), ends[-1]).astype(np.int32)
    whole = pa.Array.from_buffers(
        pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    lengths = stops - starts
    keep = lengths > 0
    for at in np.flatnonzero(keep & (np.frombuffer(text, np.uint8)[starts] <= BLANK)):
        keep[at] = bool(text[starts[at] : stops[at]].strip())
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
