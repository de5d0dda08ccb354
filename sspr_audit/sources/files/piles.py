"""Records of many files → batches: a batch costs as much as thousands of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from sspr_audit.model import Batch, Layout

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES: Final = 1 << 19
"""Bytes handed on at a time; a piece of a large file is more, and is handed on as it is."""

Part = tuple[Layout, "pa.StringArray | Sequence[str]", "pa.Int64Array | Sequence[int]"]
"""Records of one layout, with their places in the file."""


@dataclass(slots=True)
class Pile:
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
        """Put records of a file on the pile; return all of it once it is high enough."""
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
        return self.take() if self.size >= BATCH_BYTES else None

    def take(self) -> Batch:
        """Return what lies here as one batch, and begin anew."""
        import pyarrow as pa

        texts, files, places = zip(*self.loose, strict=True) if self.loose else ((), (), ())
        batch = Batch(
            self.layout,
            pa.concat_arrays([*self.texts, pa.array(texts, pa.string())]),
            pa.array(islice(self.numbers, self.count), pa.int64()),
            pa.concat_arrays([*self.files, pa.array(files, pa.int32())]),
            pa.concat_arrays([*self.places, pa.array(places, pa.int64())]),
        )
        self.texts, self.files, self.places, self.loose = [], [], [], []
        self.count, self.size = 0, 0
        return batch
