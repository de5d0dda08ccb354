"""Files → the tables `audit` and `context` of a scratch connection, with an account of each file."""

from __future__ import annotations

import json
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import CONTEXT_KINDS, Batch, Layout, Misread, Skipped
from sspr_audit.normalize import records
from sspr_audit.sources import files as sources

if TYPE_CHECKING:
    import duckdb

_CONTEXT: Final = """
CREATE TABLE context (
    file INTEGER, place BIGINT, kind VARCHAR, sha256 VARCHAR, body VARCHAR)
"""


@dataclass(slots=True)
class Ingested:
    """What was read, and what was not."""

    files: Sequence[sources.ExportFile]
    misread: list[tuple[int, Misread]] = field(default_factory=list)
    not_read: list[sources.NotRead] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Words of the command line that name no file."""
    refitted: int = 1 << 40
    """The next number for a record that came in a batch of another form."""

    def skipped(self) -> tuple[Skipped, ...]:
        """Return the records that could not be read, by reason, with the first of each."""
        counts: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for file, misread in self.misread:
            counts[misread.reason] += misread.count
            where = f"{self.files[file].name}, record {misread.place}"
            examples.setdefault(misread.reason, f"{where}: {misread.excerpt}".rstrip(": "))
        return tuple(
            Skipped(reason, count, examples[reason])
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the files that hold no known export."""
        return tuple(sorted(self.files[n.file].name for n in self.not_read))

    def remarks(self) -> tuple[str, ...]:
        """Return a line for each file that was not read and each word that names none."""
        files = (
            f"{'refused' if one.refused else 'ignored'}: {self.files[one.file].name}: {one.reason}"
            for one in self.not_read
        )
        return (*files, *(f"no such file: {word}" for word in self.missing))

    @property
    def faulty(self) -> bool:
        """Whether something that the person named could not be read whole."""
        named = any(self.files[n.file].named or n.refused for n in self.not_read)
        return bool(named or self.misread or self.missing)


def ingest(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[str], *, keep_texts: bool = False
) -> Ingested:
    """Read all that `paths` name into `audit` and `context`.

    With `keep_texts`, the text of each audit record goes into `texts(seq, layout, text)`.
    """
    found, missing = sources.find(paths)
    done = Ingested(found, missing=missing)
    records.prepare(connection)
    connection.execute(_CONTEXT)
    if keep_texts:
        connection.execute("CREATE TABLE texts (seq BIGINT, layout VARCHAR, text VARCHAR)")
    for item in _ahead(sources.read(found)):
        match item:
            case Batch():
                _add(connection, item, done, keep_texts=keep_texts)
            case sources.NotRead():
                done.not_read.append(item)
            case (file, misread):
                done.misread.append((file, misread))
    _refuse_day_first(connection, done)
    return done


def _add(
    connection: duckdb.DuckDBPyConnection, batch: Batch, done: Ingested, *, keep_texts: bool
) -> None:
    if batch.layout.form in CONTEXT_KINDS:
        _keep_context(connection, batch)
        return
    if keep_texts:
        _keep_texts(connection, batch)
    misread, misfits = records.add(connection, batch)
    done.misread += misread
    for other in _refitted(batch.layout, misfits, done):
        _add(connection, other, done, keep_texts=keep_texts)


def _keep_texts(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    import pyarrow as pa

    layout = json.dumps(asdict(batch.layout))
    with engine.lent(connection, arrived=pa.table({"seq": batch.numbers, "text": batch.texts})):
        connection.execute(
            "INSERT INTO texts SELECT seq, $layout, text FROM arrived", {"layout": layout}
        )


def _refitted(
    layout: Layout, misfits: list[tuple[int, int, str]], done: Ingested
) -> Iterator[Batch]:
    """Yield the records of a batch that are of another form than its first, under their own."""
    import pyarrow as pa

    by_form: dict[str, list[tuple[int, int, str]]] = {}
    for file, place, text in misfits:
        for inner in sources.unwrap(text) or [text]:
            form = sources.sniff(inner)
            if form is None or (form == layout.form and inner == text):
                reason = "not a record of a known form"
                done.misread.append((file, Misread(reason, place, inner[:80])))
            else:
                by_form.setdefault(form, []).append((file, place, inner))
    for form, rows in by_form.items():
        numbers, places, texts = zip(*rows, strict=True)
        yield Batch(
            Layout(form),
            pa.array(texts, pa.string()),
            pa.array(range(done.refitted, done.refitted + len(rows)), pa.int64()),
            pa.array(numbers, pa.int32()),
            pa.array(places, pa.int64()),
        )
        done.refitted += len(rows)


def _keep_context(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    import pyarrow as pa

    columns = {"file": batch.files, "place": batch.places, "body": batch.texts}
    with engine.lent(connection, arrived=pa.table(columns)):
        connection.execute(
            "INSERT INTO context SELECT file, place, $kind, sha256(body), body FROM arrived",
            {"kind": str(batch.layout.form)},
        )


def _refuse_day_first(connection: duckdb.DuckDBPyConnection, done: Ingested) -> None:
    """Take back the files in which a slashed date can only be day-first: all others may be too."""
    for file in sorted({f for f, misread in done.misread if misread.reason == records.DAY_FIRST}):
        connection.execute("DELETE FROM audit WHERE file = $file", {"file": file})
        done.misread = [(f, m) for f, m in done.misread if f != file]
        reason = "its dates are written day first; export it again with ISO or US dates"
        done.not_read.append(sources.NotRead(file, reason, refused=True))


def _ahead(items: Iterator[sources.Read]) -> Iterator[sources.Read]:
    """Yield `items` while a thread already makes the next ones: reading and SQL share no lock."""
    ready: queue.Queue[sources.Read | BaseException | None] = queue.Queue(maxsize=2)
    stop = threading.Event()

    def work() -> None:
        try:
            for item in items:
                if stop.is_set():
                    return
                ready.put(item)
            ready.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            ready.put(error)

    thread = threading.Thread(target=work, name="reader", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        while thread.is_alive():
            try:
                ready.get(timeout=0.05)
            except queue.Empty:
                continue
