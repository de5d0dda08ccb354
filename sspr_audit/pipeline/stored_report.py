"""The report on what the store holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sspr_audit import engine
from sspr_audit.errors import NothingReadError
from sspr_audit.model import Window
from sspr_audit.normalize import records
from sspr_audit.pipeline import analysis, covering, stored_context
from sspr_audit.pipeline.analysis import Analysis, Options, Read, Span
from sspr_audit.pipeline.covering import Covering
from sspr_audit.pipeline.keeping import Keeper, reading
from sspr_audit.store import Info, contexts, copy_audit, history

AROUND: Final = timedelta(days=1)
"""How far past either end of what counts to read: flows lie across both."""

_FAR: Final = (
    "the store's records lie between {:%Y-%m-%d %H:%M} and {:%Y-%m-%d %H:%M} UTC; none is near the"
    " window"
)


def from_store(keeper: Keeper, options: Options) -> Analysis:
    """Return the report on what the store holds; raises UsageError where that is nothing."""
    end = options.end or options.now
    start = options.start or end - timedelta(days=7)
    earliest = min(end - analysis.BASELINE, start - (end - start))
    with engine.scratch() as connection:
        records.prepare(connection)
        # All at once, so that all is of one moment: a fetch may add to it before and afterwards.
        with reading(keeper) as store:
            ledger = covering.ledger(store)
            copy_audit(
                store,
                connection,
                start=(earliest - AROUND).replace(tzinfo=None),
                end=(end + AROUND).replace(tzinfo=None),
            )
            held_there = keeper.store.told(store)
            options = analysis.located(options, contexts.texts(store, "namedLocations"))
            beside = stored_context.bring(connection, store, Window(earliest, end))
            told = history.earlier(store, Window(start, end))
        window = Window(start, end)
        found = covering.covering(window, ledger, now=options.now, knowledge=options.knowledge)
        data = _in_store(held_there, window)
        if found:
            data = _as_fetched(data, found, earliest)
        elif not data.covered:
            msg = f"{held_there.path} holds no audit records; import some first"
            raise NothingReadError(msg)
        ((count,),) = engine.rows(connection, "SELECT count(*) FROM audit")
        kinds = dict(held_there.context)
        read = Read(
            records_read=count + sum(kinds.values()),
            context_records=kinds,
            duplicates=0,
            beside=beside,
            told=told,
            remarks=() if count or ledger.entries else (_FAR.format(data.first, data.last),),
        )
        analysis.derive(connection, options, data)
        return analysis.analysed(connection, options, read, data)


def _in_store(held_there: Info, window: Window) -> Span:
    """Return where the store's records lie: what was copied may end long before that, and only
    the store tells which flows can still go on.
    """
    if held_there.first is None or held_there.last is None:
        return Span(window.start, window.end, window)
    first, last = held_there.first.replace(tzinfo=UTC), held_there.last.replace(tzinfo=UTC)
    return Span(first, last, window, ((first, last),))


def _as_fetched(data: Span, found: Covering, earliest: datetime) -> Span:
    """Return where the data lie by the ledger: a quiet hour is covered, too.

    What was imported may reach further back.
    """
    begin, end = found.start(data.window), found.edge
    first = data.first if begin is None else min(data.first, max(begin, earliest))
    last = end if end and found.coverage.spans else data.last
    return replace(
        data,
        first=first,
        last=last,
        fetched=found.coverage,
        filter=found.filter,
        holds_before=found.holds(data.window.before),
    )
