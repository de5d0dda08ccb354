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
        import pyarrow as pa

        parts = self._piles.pop(layout)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        path = self._path(len(self._layouts))
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_stream(sink, parts[0].schema, options=options) as writer,
        ):
            for part in parts:
                writer.write_batch(part)
        self._layouts.append(layout)

    def batches(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield what was put away, in order: the layout as JSON, and columns seq and text.

        A batch is as large as one of the store.
        """
        import pyarrow as pa

        for layout in list(self._piles):
            self._put_away(layout)
        for number, layout in enumerate(self._layouts):
            with pa.OSFile(str(self._path(number)), "rb") as source:
                yield json.dumps(asdict(layout)), pa.ipc.open_stream(source).read_all()

    def _path(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number}.arrow"
