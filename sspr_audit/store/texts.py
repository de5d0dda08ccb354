"""Raw texts of a batch ↔ one compressed blob."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def pack(texts: pa.StringArray) -> bytes:
    """Return the texts as one blob."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"text": texts})
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 3))
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def unpack(blob: bytes) -> pa.StringArray:
    """Return the texts of a blob that `pack` made."""
    import pyarrow as pa

    with pa.ipc.open_stream(blob) as reader:
        return reader.read_next_batch().column("text")
