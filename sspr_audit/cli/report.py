"""sspr-audit report."""

import shutil
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sspr_audit.cli import fetch, run, writing
from sspr_audit.errors import (
    AccessDenied,
    LocalTrouble,
    NothingReadError,
    ServiceUnreachable,
    UsageError,
)

if TYPE_CHECKING:
    from sspr_audit.model import Finding
    from sspr_audit.pipeline.analysis import Analysis, Options
    from sspr_audit.pipeline.keeping import Keeper

WEEK: Final = timedelta(days=7)
"""What a report on the store is about, unless something else is asked for."""
MONTH: Final = timedelta(days=30)
"""What is fetched for any report: what happened before explains what happens."""


class Format(StrEnum):
    """The forms of a report."""

    terminal = "terminal"
    json = "json"
    markdown = "markdown"
    html = "html"
    csv = "csv"
    action_plan = "action-plan"
    xlsx = "xlsx"


class FailOn(StrEnum):
    """Values of model.Confidence, which is not imported here: --help stays instant."""

    possible = "possible"
    likely = "likely"
    confirmed = "confirmed"


def report(
    since: run.Since = None,
    until: run.Until = None,
    input_: run.Input = None,
    demo: Annotated[bool, typer.Option("--demo", help="Use the made-up tenant.")] = False,
    offline: run.Offline = False,
    format_: Annotated[Format, typer.Option("--format", help="The form.")] = Format.terminal,
    output: Annotated[
        str | None, typer.Option("--output", metavar="PATH", help="Write to a file, all at once.")
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            help="Exit 1 for a finding this certain, or more; how much harm it does is not asked.",
        ),
    ] = None,
    changed: Annotated[
        str | None,
        typer.Option(
            "--changed",
            metavar="T",
            help="When something was changed: as --since; the report then says whether it helped.",
        ),
    ] = None,
    pseudonymize: run.Pseudonymize = False,
    cloud: run.CloudName = None,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Say what failed, for whom, where, since when, why, and what to do."""
    if demo and input_:
        msg = "--demo and --input exclude each other"
        raise UsageError(msg)
    here = (
        run.begin_demo(config, quiet=quiet, verbose=verbose)
        if demo
        else run.begin(config, quiet=quiet, verbose=verbose)
    )
    told = format_ is Format.html  # its flows open to the time line
    options = run.options(here, since=since, until=until, cloud=cloud, tell_events=told)
    options = replace(options, changed=_moment(changed, options))
    target = writing.target(here, output, input_ or [])
    if format_ is Format.xlsx and target is None and sys.stdout.isatty():
        msg = "--format xlsx is no text for a terminal; name a file with --output"
        raise UsageError(msg)
    key = run.pseudonym_key(config) if pseudonymize else None  # before the long work
    done = analysed(here, options, input_, demo=demo, offline=offline)
    from sspr_audit.pipeline import report as pipeline

    if not (input_ or demo):
        remember(here, done)
    if key is not None:
        done = pipeline.pseudonymized(done, key)

    if format_ is Format.xlsx:
        writing.write(pipeline.workbook(done, timezone=here.timezone), target)
    else:
        if told and len(done.flows):
            pipeline.load_charts()
        size = shutil.get_terminal_size()
        text = pipeline.rendered(
            done,
            format_.value,
            timezone=here.timezone,
            width=max(40, min(size.columns, 120)) if sys.stdout.isatty() and not target else 80,
            colour=target is None and run.colour(sys.stdout),
            verbose=verbose,
        )
        writing.write(text, target)
    if fail_on and any(_as_certain(found, fail_on) for found in done.report.findings):
        return 1
    return 0 if done.complete else 3


def remember(here: run.Run, done: "Analysis") -> None:
    """Let a later report know what this one found; the report itself does without."""
    from sspr_audit.pipeline import remembering

    try:
        remembering.remember(run.keeper(here), done.report)
    except LocalTrouble as error:
        here.warn(f"a later report will not know of this one: {error}")


def _moment(changed: str | None, options: "Options") -> datetime | None:
    """Return when the change was, where one is asked about. Raises UsageError."""
    from sspr_audit.settings import times

    if changed is None:
        return None
    return times.moment(changed, option="--changed", now=options.now, until=options.end)


def _as_certain(finding: "Finding", wish: FailOn) -> bool:
    from sspr_audit.model import Confidence

    return finding.confidence.rank <= Confidence(wish.value).rank


def analysed(
    here: run.Run, options: "Options", paths: list[str] | None, *, demo: bool, offline: bool
) -> "Analysis":
    """Return the report's analysis from files, the demo or the store, and say what was read.

    The store is first brought up to date where the settings name a tenant, unless `offline`.
    """
    from sspr_audit.pipeline import report as pipeline

    if paths:
        done = pipeline.from_files(paths, options)
    elif demo:
        done = pipeline.from_demo(options)
    else:
        done = _from_store(here, options, offline=offline)
    for remark in done.remarks:
        # A file passed over in a folder is talk; one that was named is why the exit code is 3.
        (here.say if remark.startswith("ignored") and done.complete else here.warn)(remark)
    window = done.report.window
    here.say(f"window: {window.start:%Y-%m-%dT%H:%M:%SZ} to {window.end:%Y-%m-%dT%H:%M:%SZ}")
    return done


def _from_store(here: run.Run, options: "Options", *, offline: bool) -> "Analysis":
    """Return the analysis of the store, as new as it can be had.

    A fetch that fails leaves the store as it was: the report is then about that, and not complete.
    Where there is nothing in it, what the fetch raised is raised.
    """
    from sspr_audit.pipeline import stored_report

    keeper = run.keeper(here)
    if offline or here.settings.tenant.id is None:
        return stored_report.from_store(keeper, options)
    try:
        is_whole = _brought_up(here, keeper, options)
    except (AccessDenied, ServiceUnreachable, LocalTrouble) as error:
        try:
            done = stored_report.from_store(keeper, options)
        except (UsageError, NothingReadError):
            raise error from None
        here.warn(f"not brought up to date, so this is as of the last fetch: {error}")
        is_whole = False
    else:
        done = stored_report.from_store(keeper, options)
    return replace(done, complete=done.complete and is_whole)


def _brought_up(here: run.Run, keeper: "Keeper", options: "Options") -> bool:
    """Bring the store up to date for the window, the span before it, and 30 days.

    Returns whether every record could be read. What could not be had of the window itself, the
    report names; how far the service's memory reaches is no fault of the rest.
    """
    end = options.end or here.now
    start = options.start or end - WEEK
    since = min(start - (end - start), here.now - MONTH)
    if options.changed is not None:
        since = min(since, options.changed - (end - options.changed))
    done = fetch.brought(here, keeper, since=since)
    for reason, count in sorted(done.skipped.items()):
        here.warn(f"skipped: {count:,} fetched records: {reason}")
    return not done.skipped
