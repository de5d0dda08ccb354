"""sspr-audit fetch."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sspr_audit.cli import bar, run

if TYPE_CHECKING:
    from sspr_audit.model import Gap
    from sspr_audit.pipeline.arriving import Late
    from sspr_audit.pipeline.connecting import Outside
    from sspr_audit.pipeline.context_results import ContextResult
    from sspr_audit.pipeline.fetching import Fetched
    from sspr_audit.pipeline.keeping import Keeper
    from sspr_audit.pipeline.narrowing import Verdict

MOST_NAMED: Final = 20
"""Gaps that are named one by one, unless --verbose asks for all."""

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


def fetch(
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="T",
            help="From: 30d, 36h or 90m back from --until, a day, or a full ISO time. Entra keeps"
            " audit records for 30 days, without a P1 licence for 7.",
        ),
    ] = "30d",
    until: run.Until = None,
    all_audits: Annotated[
        bool,
        typer.Option("--all-audits", help="Every audit record, not only what a report can use."),
    ] = False,
    wait: run.Wait = run.WAIT,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Bring what the store lacks of the tenant's audit log, from Microsoft Graph."""
    from sspr_audit.settings import times

    here = run.begin(config, quiet=quiet, verbose=verbose)
    start, end = times.resolve(since, until, now=here.now)
    done = brought(
        here,
        run.keeper(here, wait),
        since=start or times.EARLIEST,
        until=None if until is None else end,
        all_audits=all_audits,
    )
    for line in account(done):
        here.say(line)
    for line in missing(done, verbose=verbose):
        here.warn(line)
    return 3 if done.gaps or done.skipped else 0


def brought(
    here: run.Run,
    keeper: "Keeper",
    *,
    since: datetime,
    until: datetime | None = None,
    all_audits: bool = False,
) -> "Fetched":
    """Bring into the store what it lacks from `since` on, and return what was done.

    Raises what connecting.connected and fetching.fetch raise; what had come by then stays.
    """
    from sspr_audit import knowledge
    from sspr_audit.pipeline import connecting, contexts, fetching

    known = knowledge.load()
    with (
        connecting.connected(here.settings, known.clouds, outside(here)) as connection,
        bar.drawn(here.clock, shown=_is_watched(here)) as tell,
    ):
        wishes = fetching.Wishes(known, connection.app.tenant, since, until, all_audits, here.now)
        done = fetching.fetch(keeper, connection.graph, here.clock, wishes, tell)
        explained = contexts.fetch_context(
            keeper,
            connection.graph,
            here.clock,
            contexts.ContextWishes(
                known,
                connection.app.tenant,
                since,
                until,
                client_types=here.settings.client_types,
                flow_timeout=here.settings.analysis.flow_timeout,
            ),
        )
        here.say(_sums(done, connection.sign_in.requests["token"]))
        here.say(_explained(explained))
        for one in explained:
            if one.remark:
                here.say(one.remark)  # optional, so no fault: --quiet may hold it back
        return done


def outside(here: run.Run) -> "Outside":
    """Return what the way to Graph needs of this machine. A person is asked at a terminal only."""
    import random

    from sspr_audit import settings
    from sspr_audit.pipeline.connecting import Outside

    is_watched = sys.stderr.isatty()
    return Outside(
        clock=here.clock,
        dice=random.SystemRandom(),
        environment=os.environ,
        prompt=run.tell if is_watched else None,
        secret=partial(settings.secret, environ=os.environ),
        note=here.say if is_watched or here.verbose else lambda _: None,
    )


def _is_watched(here: run.Run) -> bool:
    return sys.stderr.isatty() and not here.quiet


def _sums(done: "Fetched", tokens: int) -> str:
    asked = [*sorted(done.requests.items()), ("sign-in", tokens)]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in asked if count)
    waited = f", waited {done.waited:,.0f} s" if done.waited >= 1 else ""
    got = f"{_several(done.records, 'record')}, {done.new:,} new"
    return f"fetched: {got}, in {_several(done.windows, 'window')} (requests: {kinds}{waited})"


def _explained(results: "tuple[ContextResult, ...]") -> str:
    """Say what context came, and what it cost."""
    came = ", ".join(f"{one.records:,} {one.name}" for one in results if one.state == "came")
    requests = sum(one.requests for one in results)
    return f"context: {came or 'nothing new'} ({_several(requests, 'request')})"


def account(done: "Fetched") -> Iterator[str]:
    """Yield the lines that say what was asked for, and what came late."""
    yield _asked(done.verdict)
    if done.late:
        yield _lateness(done.late)


def _asked(verdict: "Verdict | None") -> str:
    """Say what was asked for, by the verdict on the narrow query."""
    if verdict is None:
        return "asked for: every audit record"
    if verdict.word == "proved":
        return (
            f"asked for: what a report can use; tested {verdict.at:%Y-%m-%d %H:%M} UTC,"
            f" {verdict.why}"
        )
    doubt = "is not proved yet" if verdict.word == "undecided" else "cannot be relied on"
    return f"asked for: every audit record, as the narrow query {doubt}: {verdict.why}"


def _lateness(late: "Late") -> str:
    return (
        f"late: {_several(late.count, 'record')} came after their time had been fetched,"
        f" {_minutes(late.least)} to {_minutes(late.most)} min after they were written"
    )


def missing(done: "Fetched", *, verbose: bool) -> Iterator[str]:
    """Yield the lines that name each gap, and what could not be read."""
    named = done.gaps if verbose else done.gaps[:MOST_NAMED]
    yield from map(_gap, named)
    if len(named) < len(done.gaps):
        yield f"and {len(done.gaps) - len(named):,} more gaps; --verbose names them"
    for reason, count in sorted(done.skipped.items()):
        yield f"skipped: {_several(count, 'record')}: {reason}"


def _gap(gap: "Gap") -> str:
    return f"gap: {gap.start:{_TIME}} to {gap.end:{_TIME}}: {gap.reason}"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:,.0f}"


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
