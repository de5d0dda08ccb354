"""Report from files or from the demo tenant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sspr_audit import engine
from sspr_audit.errors import NothingReadError
from sspr_audit.normalize import events as normalize
from sspr_audit.pipeline import analysis
from sspr_audit.pipeline.analysis import Analysis, Options, Read
from sspr_audit.pipeline.ingest import Ingested, ingest

if TYPE_CHECKING:
    import duckdb


def from_files(paths: Sequence[str], options: Options) -> Analysis:
    """Return the report on what `paths` hold. Touches neither tenant nor store.

    Raises NothingReadError where no file holds a known export, ValueError for an empty window.
    """
    with engine.scratch() as connection:
        done = ingest(connection, paths)
        if len(done.not_read) == len(done.files):
            raise NothingReadError(_nothing(done))
        data = analysis.span(connection, options)
        read = _read(connection, done)
        analysis.derive(connection, options, data)
        return analysis.analysed(connection, options, read, data)


def _read(connection: duckdb.DuckDBPyConnection, done: Ingested) -> Read:
    """Count what was read, and drop what says the same twice."""
    ((audit,),) = engine.rows(connection, "SELECT count(*) FROM audit")
    repeats = sum(count for _, count in normalize.drop_repeats(connection))
    kinds = engine.rows(
        connection,
        "SELECT kind, count(*), count(DISTINCT sha256) FROM context GROUP BY kind ORDER BY kind",
    )
    skipped = done.skipped()
    return Read(
        records_read=audit + sum(k[1] for k in kinds) + sum(s.count for s in skipped),
        context_records={kind: distinct for kind, _, distinct in kinds},
        duplicates=repeats + sum(count - distinct for _, count, distinct in kinds),
        skipped=skipped,
        files_ignored=done.ignored,
        faulty=done.faulty,
    )


def _nothing(done: Ingested) -> str:
    if not done.files:
        words = ", ".join(done.missing)
        return f"no file found for {words}; name an export, a folder of exports, or - for standard input"
    first = done.not_read[0]
    more = f" (and {len(done.not_read) - 1} more)" if len(done.not_read) > 1 else ""
    name = done.files[first.file].name
    return f"nothing could be read: {name}: {first.reason}{more}"
