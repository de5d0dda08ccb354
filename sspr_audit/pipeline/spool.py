"""Raw texts on their way into the store: in a private folder on disk, never all in memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from sspr_audit.model import Batch, Layout

if TYPE_CHECKING:
    import pyarrow as pa

BATCH: Final = 20_000
"""Records that are put away together."""

BATCH_BYTES: Final = 16 << 20
"""Bytes that are put away together."""


class Spool:
    """Batches of texts that wait, compressed; a `with` block holds the folder (0700)."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sspr-audit-")
        self._layouts: list[Layout] = []
        self._piles: dict[Layout, list[pa.RecordBatch]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def keeping(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the batches again, and put them away. Raises OSError where the disk is full."""
        import pyarrow as pa

        for batch in batches:
            pile = self._piles.setdefault(batch.layout, [])
            pile.append(pa.record_batch({"seq": batch.numbers, "text": batch.texts}))
            if (
                sum(part.num_rows for part in pile) >= BATCH
                or sum(part.nbytes for part in pile) >= BATCH_BYTES
            ):
                self._put_away(batch.layout)
            yield batch

    def _put_away(self, layout: Layout) -> None:
        parts = self._piles.pop(layout)
        _write(self._path(len(self._layouts), "texts"), parts[0].schema, parts)
        self._layouts.append(layout)

    def _put_rest_away(self) -> None:
        for layout in list(self._piles):
            self._put_away(layout)

    def batches(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield what was put away, in order: the layout as JSON, and columns seq and text.

        A batch is as large as one of the store.
        """
        self._put_rest_away()
        for number, layout in enumerate(self._layouts):
            yield json.dumps(asdict(layout)), _read(self._path(number, "texts"))

    def numbers(self) -> Iterator[pa.Table]:
        """Yield the column seq of each batch, in the same order."""
        self._put_rest_away()
        for number in range(len(self._layouts)):
            yield _read(self._path(number, "texts"), "seq")

    def keep_rows(self, number: int, rows: pa.Table) -> None:
        """Put rows beside the texts of the batch with this number; they have its `seq`."""
        if rows.num_rows:
            _write(self._path(number, "rows"), rows.schema, rows.to_batches())

    def kept(self) -> Iterator[tuple[str, pa.StringArray, pa.Table]]:
        """Yield the texts that have rows, with these, and the layout as JSON."""
        import pyarrow.compute as pc

        for number, (layout, texts) in enumerate(self.batches()):
            path = self._path(number, "rows")
            if path.exists():
                rows = _read(path)
                is_all = rows["seq"].equals(texts["seq"])  # as a rule, and then nothing is copied
                kept = texts if is_all else texts.take(pc.index_in(rows["seq"], texts["seq"]))
                yield layout, kept["text"].combine_chunks(), rows.drop_columns(["seq"])

    def _path(self, number: int, what: str) -> Path:
        return Path(self._folder.name) / f"{number}.{what}.arrow"


def _write(path: Path, schema: pa.Schema, parts: Iterable[pa.RecordBatch]) -> None:
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_stream(sink, schema, options=options) as writer,
    ):
        for part in parts:
            writer.write_batch(part)


def _read(path: Path, *names: str) -> pa.Table:
    """Return what was written, or only some of its columns, without taking the rest in."""
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        all_of_it = pa.ipc.open_stream(source)
        if not names:
            return all_of_it.read_all()
        wanted = [all_of_it.schema.get_field_index(name) for name in names]
        source.seek(0)
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        return pa.ipc.open_stream(source, options=options).read_all()
