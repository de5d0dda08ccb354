"""Raw texts on their way into the store: in a private folder on disk, never all in memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sspr_audit.model import Batch

if TYPE_CHECKING:
    import pyarrow as pa


class Spool:
    """Batches of texts that wait, compressed; a `with` block holds the folder (0700)."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sspr-audit-")
        self._layouts: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def keep(self, batch: Batch) -> None:
        """Put a batch away. Raises OSError where the disk is full."""
        import pyarrow as pa

        table = pa.record_batch({"seq": batch.numbers, "text": batch.texts})
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        path = self._path(len(self._layouts))
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema, options=options) as writer,
        ):
            writer.write_batch(table)
        self._layouts.append(json.dumps(asdict(batch.layout)))

    def batches(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield what was put away, in order: the layout as JSON, and columns seq and text."""
        import pyarrow as pa

        for number, layout in enumerate(self._layouts):
            with pa.OSFile(str(self._path(number)), "rb") as source:
                yield layout, pa.ipc.open_stream(source).read_all()

    def _path(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number}.arrow"
