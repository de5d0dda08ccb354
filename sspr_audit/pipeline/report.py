"""Reports from files and from the demo tenant, and the forms in which a report is given."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sspr_audit import engine
from sspr_audit.errors import NothingReadError
from sspr_audit.model import Batch, Form, Layout
from sspr_audit.normalize import events as normalize
from sspr_audit.normalize import records
from sspr_audit.pipeline import analysis
from sspr_audit.pipeline.analysis import Analysis, Options, Read
from sspr_audit.pipeline.ingest import Ingested, ingest
from sspr_audit.pipeline.judging import Judged

if TYPE_CHECKING:
    import duckdb

FORMATS: Final = ("terminal", "json", "markdown", "html", "csv", "action-plan")
"""The forms that are text; the workbook is none."""


def from_files(paths: Sequence[str], options: Options) -> Analysis:
    """Return the report on what `paths` hold. Touches neither tenant nor store.

    Raises NothingReadError where no file holds a known export, UsageError for an empty window.
    """
    with engine.scratch() as connection:
        done = ingest(connection, paths)
        if done.nothing:
            raise NothingReadError(done.nothing)
        named = engine.rows(
            connection,
            "SELECT body FROM context WHERE kind = 'namedLocations' ORDER BY file, place",
        )
        options = analysis.located(options, [text for (text,) in named])
        return _analysed(connection, options, _read(connection, done))


def from_demo(options: Options) -> Analysis:
    """Return the report on the tenant that ships with the program."""
    import pyarrow as pa

    from sspr_audit.sources import demo, exports

    texts = pa.array([exports.compact(record) for record in demo.records()], pa.string())
    numbers = pa.array(range(len(texts)), pa.int64())
    files = pa.nulls(len(texts), pa.int32()).fill_null(0)
    with engine.scratch() as connection:
        records.prepare(connection)
        records.add(connection, [Batch(Layout(Form.GRAPH), texts, numbers, files, numbers)])
        repeats = sum(count for _, count in normalize.drop_repeats(connection))
        return _analysed(connection, options, Read(len(texts), {}, repeats))


def demo_facts() -> tuple[dict[str, Any], datetime]:
    """Return what the demo tenant's settings file says, and its present in UTC."""
    from sspr_audit.sources.demo import tenant

    return tomllib.loads(tenant.SETTINGS), tenant.NOW


def write_demo(folder: Path) -> list[Path]:
    """Write the demo tenant into `folder` in every export form; return the files."""
    from sspr_audit.sources import demo

    return demo.write(folder)


def pseudonymized(done: Analysis, key: bytes) -> Analysis:
    """Return the analysis with pseudonyms for names, and without what only names would tell of.

    The settings keep the key; see report/pseudonyms/ for what stays as it is.
    """
    from sspr_audit.report import pseudonyms

    names = pseudonyms.names(done.flows, done.acts)
    made = pseudonyms.Pseudonyms(key, pseudonyms.words(done.options.knowledge), names)
    return replace(
        done,
        report=pseudonyms.report(done.report, made, done.flows),
        flows=pseudonyms.frame(done.flows, made),
        acts=pseudonyms.frame(done.acts, made),
        events=None if done.events is None else pseudonyms.frame(done.events, made),
        judged=Judged(),
    )


def load_charts() -> None:
    """Load what draws charts, faster than drawing does by itself: for a process of our own."""
    from sspr_audit.report.page import drawing

    drawing.load()


def rendered(  # noqa: PLR0913 - how a form can be wished
    done: Analysis,
    form: str,
    *,
    timezone: str | None = None,
    width: int = 80,
    colour: bool = False,
    verbose: bool = False,
) -> str:
    """Return the report in one of FORMATS. `timezone` is for people; JSON and CSV stay UTC."""
    if form == "json":
        from sspr_audit.report import as_json

        return as_json.render(done.report)
    if form == "markdown":
        from sspr_audit.report import markdown

        return markdown.render(done.report, timezone=timezone)
    if form == "html":
        return _page(done, timezone=timezone)
    if form == "csv":
        from sspr_audit.report import flows_csv

        return flows_csv.render(done.report.window, done.flows)
    if form == "action-plan":
        from sspr_audit.report import action_plan

        return action_plan.render(done.report, timezone=timezone)
    from sspr_audit.report import terminal

    return terminal.render(
        done.report,
        width=width,
        colour=colour,
        timezone=timezone,
        verbose=verbose,
    )


def _page(done: Analysis, *, timezone: str | None) -> str:
    """Return the HTML page, which compares places with the span before where that is known.

    Its flows open to their steps only where `tell_events` was asked for.
    """
    from sspr_audit.evidence import change
    from sspr_audit.report import page

    window = done.report.window
    since = None
    if done.report.previous is not None:
        first = window.before.start
        since = change.measured(done.flows, at=window.start, first=first, end=window.end)
    return page.render(done.report, done.flows, done.events, since=since, timezone=timezone)


def workbook(done: Analysis, *, timezone: str | None = None) -> bytes:
    """Return the report as an Excel workbook (.xlsx), its times in the zone."""
    from sspr_audit.report import workbook

    return workbook.render(done.report, done.flows, timezone=timezone)


def _analysed(connection: duckdb.DuckDBPyConnection, options: Options, read: Read) -> Analysis:
    data = analysis.span(connection, options)
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
        remarks=done.remarks(),
    )
