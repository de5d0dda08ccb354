"""Files → the tables `audit` and `context` of a scratch connection, with an account of each."""

from __future__ import annotations

import itertools
import queue
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import CONTEXT_KINDS, Batch, Layout, Misread, Skipped
from sspr_audit.normalize import records
from sspr_audit.pipeline.spool import Spool
from sspr_audit.sources import files as sources

if TYPE_CHECKING:
    import duckdb

TOLD: Final = 20
"""Lines about records that were skipped; whoever has more than these reads the report."""

RUN_BYTES: Final = 64 << 20
"""Texts, in bytes, that one statement takes; planning one costs as much as reading a megabyte."""


@dataclass(slots=True)
class Ingested:
    """What was read, and what was not."""

    files: Sequence[sources.ExportFile]
    not_read: list[sources.NotRead] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Words of the command line that name no file."""
    refitted: int = 1 << 40
    """The next number for a record that came in a batch of another form."""
    count: int = 0
    """Records that were read, of every kind."""
    _misread: dict[tuple[int, str], Misread] = field(default_factory=dict)

    def skip(self, file: int, misread: Misread) -> None:
        """Count what could not be read; of each file and reason the first is kept."""
        first = self._misread.setdefault((file, misread.reason), replace(misread, count=0))
        self._misread[file, misread.reason] = replace(first, count=first.count + misread.count)

    def drop(self, one: sources.NotRead) -> None:
        """Note a file of which nothing counts, nor what could not be read in it."""
        self.not_read.append(one)
        self._misread = {key: m for key, m in self._misread.items() if key[0] != one.file}

    @property
    def misread(self) -> list[tuple[int, Misread]]:
        """What could not be read: for each file and reason the first, with the count of all."""
        return [(file, misread) for (file, _), misread in self._misread.items()]

    @property
    def nothing(self) -> str:
        """Why there is nothing that could be read; "" where there is, be it an empty list."""
        if not self.files:
            words = ", ".join(self.missing)
            return f"no file found for {words}; name an export, a folder of exports, or - for stdin"
        if self.count or (not self._misread and len(self.not_read) < len(self.files)):
            return ""
        told = [f"{self._where(file, m)}: {m.reason}" for file, m in self.misread]
        told += [f"{self.files[one.file].name}: {one.reason}" for one in self.not_read]
        others = sum(m.count for _, m in self.misread) + len(self.not_read) - 1
        more = f" (and {others:,} more)" if others > 0 else ""
        return sources.shown(f"nothing could be read: {told[0]}{more}")

    def skipped(self) -> tuple[Skipped, ...]:
        """Return the records that could not be read, by reason, with the first of each."""
        counts: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for file, misread in self.misread:
            counts[misread.reason] += misread.count
            where = f"{self._where(file, misread)}: {misread.excerpt}".rstrip(": ")
            examples.setdefault(misread.reason, where)
        return tuple(
            Skipped(reason, count, sources.shown(examples[reason]))
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the files that hold no known export."""
        return tuple(sorted(self.files[n.file].name for n in self.not_read))

    def remarks(self) -> tuple[str, ...]:
        """Return a line for all that was not read, or not whole, and for words that name none."""
        not_read = [f"{n.verdict}: {self.files[n.file].name}: {n.reason}" for n in self.not_read]
        partly = [self._told(file, misread) for file, misread in self.misread]
        if len(partly) > TOLD:
            partly[TOLD:] = [f"skipped: more, in {len(partly) - TOLD:,} other places or ways"]
        missing = [f"no such file: {word}" for word in self.missing]
        return tuple(map(sources.shown, not_read + partly + missing))

    def _told(self, file: int, misread: Misread) -> str:
        if not misread.count:
            return f"not read whole: {self.files[file].name}: {misread.reason}"
        more = f" (and {misread.count - 1:,} more)" if misread.count > 1 else ""
        return f"skipped: {self._where(file, misread)}: {misread.reason}{more}"

    def _where(self, file: int, misread: Misread) -> str:
        return self.files[file].name + f", record {misread.place}" * bool(misread.place)

    @property
    def faulty(self) -> bool:
        """Whether something that the person named could not be read whole."""
        named = any(self.files[n.file].named or n.verdict != "ignored" for n in self.not_read)
        return bool(named or self._misread or self.missing)


def ingest(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[str], *, spool: Spool | None = None
) -> Ingested:
    """Read all that `paths` name into `audit` and `context`; audit texts go to `spool`."""
    found, missing = sources.find(paths)
    done = Ingested(found, missing=missing)
    records.prepare(connection)
    with _ahead(sources.read(found)) as items:
        # A run of batches that are read alike, and that may be held in memory.
        for _, run in itertools.groupby(_sized(items, done), key=lambda sized: sized[0]):
            _add(connection, (batch for _, batch in run), done, spool)
    _refuse_day_first(connection, done)
    for table in ("audit", "context"):
        ((count,),) = engine.rows(connection, f"SELECT count(*) FROM {table}")  # noqa: S608
        done.count += count
    return done


def _sized(
    items: Iterator[sources.Read], done: Ingested
) -> Iterator[tuple[tuple[Layout, int], Batch]]:
    """Yield batches with what must be equal in a run; what was not read is noted."""
    size = 0
    for item in items:
        match item:
            case Batch():
                size += item.texts.nbytes
                yield (item.layout, size // RUN_BYTES), item
            case sources.NotRead():
                done.drop(item)
            case (file, misread):
                done.skip(file, misread)


def _add(
    connection: duckdb.DuckDBPyConnection,
    batches: Iterator[Batch],
    done: Ingested,
    spool: Spool | None,
) -> None:
    """Add a run of batches of one layout, and what is found inside those that do not fit it."""
    first = next(batches)
    batches = itertools.chain([first], batches)
    if first.layout.form in CONTEXT_KINDS:
        _keep_context(connection, batches, done)
        return
    misread, misfits = records.add(connection, spool.keeping(batches) if spool else batches)
    for file, fault in misread:
        done.skip(file, fault)
    for other in _refitted(first.layout, misfits, done):
        _add(connection, iter([other]), done, spool)


def _refitted(layout: Layout, misfits: list[records.Misfit], done: Ingested) -> Iterator[Batch]:
    """Yield what is inside the texts that do not fit the form of their batch, under its own."""
    import pyarrow as pa

    by_form: dict[str, list[tuple[int, int, str]]] = {}
    for file, place, text, why in misfits:
        for item in sources.records_in(text):
            if isinstance(item, Misread):
                done.skip(file, replace(item, place=place))
            elif item == (text, layout.form):
                done.skip(file, Misread(why, place, text[:80]))
            else:
                inner, form = item
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


def _keep_context(
    connection: duckdb.DuckDBPyConnection, batches: Iterator[Batch], done: Ingested
) -> None:
    import pyarrow as pa

    def arriving() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            objects, misread = records.as_objects(batch)
            for file, fault in misread:
                done.skip(file, fault)
            kinds = pa.repeat(pa.scalar(str(batch.layout.form)), len(objects.texts))
            arrays = [objects.files, objects.places, kinds, objects.texts]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    types = {"file": pa.int32(), "place": pa.int64(), "kind": pa.string(), "body": pa.string()}
    schema = pa.schema(types)
    insert = (
        "INSERT INTO context SELECT file, place, kind,"
        " CASE WHEN json_valid(body) THEN sha256(body) END, body FROM arrived"
    )
    engine.stream(connection, insert, arrived=(schema, arriving()))
    broken = "FROM context WHERE sha256 IS NULL"
    for file, place, start in engine.rows(
        connection,
        f"SELECT file, place, body[:80] {broken} ORDER BY file, place",
    ):
        done.skip(file, Misread(records.NO_JSON, place, start))
    connection.execute(f"DELETE {broken}")


def _refuse_day_first(connection: duckdb.DuckDBPyConnection, done: Ingested) -> None:
    """Take back the files in which a slashed date can only be day-first: all others may be too."""
    for file in sorted({f for f, misread in done.misread if misread.reason == records.DAY_FIRST}):
        for table in ("audit", "context"):
            connection.execute(f"DELETE FROM {table} WHERE file = $file", {"file": file})  # noqa: S608
        reason = "its dates are written day first; export it again with ISO or US dates"
        done.drop(sources.NotRead(file, reason, "refused"))


@contextmanager
def _ahead(items: Iterator[sources.Read]) -> Iterator[Iterator[sources.Read]]:
    """Lend `items` while a thread already makes the next ones: reading and SQL share no lock.

    Whoever leaves early does not wait for that thread: a pipe may keep it for ever.
    """
    ready: queue.Queue[sources.Read | BaseException | None] = queue.Queue(maxsize=2)
    is_over = False

    def work() -> None:
        try:
            for item in itertools.takewhile(lambda _: not is_over, items):
                ready.put(item)
            ready.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            ready.put(error)

    def made(ended: Callable[[], bool]) -> Iterator[sources.Read]:
        while not is_over and not ended():
            try:
                item = ready.get(timeout=0.1)
            except queue.Empty:
                continue
            if item is None:
                break
            if isinstance(item, BaseException):
                raise item
            yield item

    threading.Thread(target=work, name="reader", daemon=True).start()
    with _signals() as ended:
        try:
            yield made(ended)
        finally:
            is_over = True
            ready.queue.clear()  # so that the thread can put what it holds, and end
            with ready.not_full:
                ready.not_full.notify()


@contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Lend a function that says whether the person ended the run.

    Python raises that only when DuckDB comes back, whose threads may wait for items for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        theirs.settimeout(0)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)

        def ended() -> bool:
            with suppress(BlockingIOError):
                return bool({signal.SIGINT, signal.SIGTERM} & set(ours.recv(64)))
            return False

        try:
            yield ended
        finally:
            signal.set_wakeup_fd(before)
