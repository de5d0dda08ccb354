"""What reasons named before the window, period by period, and whether more people meet it now.

A period is as long as the window. People are compared who tried to reset: of them, how many met
the cause before and now. Who tried in both periods makes them more alike, so that a verdict is
rather too late than too soon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from sspr_audit.evidence import change, explicit, proportions
from sspr_audit.knowledge import Knowledge
from sspr_audit.model import Comparison, Met, Verdict, Window

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

Times = Mapping[int, tuple[int, datetime, datetime]]
"""People, first and last time, by period; 0 is the window, 1 the period before it."""


def met(  # noqa: PLR0913 -- the window, and how far before it the records tell
    connection: duckdb.DuckDBPyConnection,
    knowledge: Knowledge,
    flows: pd.DataFrame,
    window: Window,
    *,
    first: datetime,
    is_whole: bool,
) -> tuple[Met, ...]:
    """Return the past of each cause and family that a reason names from `first` on, by id.

    `flows` has the columns of FLOWS, up to the window's end; `is_whole` says whether the records
    hold the whole period before.
    """
    begin = min(first, window.start)
    rows = explicit.stated_by_period(connection, knowledge, Window(begin, window.end), window)
    found: dict[str, dict[int, tuple[int, datetime, datetime]]] = {}
    for target, period, people, start, end in rows:
        found.setdefault(target, {})[period] = (people, start, end)
    oldest = max(1, -((begin - window.start) // (window.end - window.start)))
    compared = _compared(found, flows, window) if is_whole else {}
    return tuple(
        _met(target, times, oldest, compared.get(target)) for target, times in found.items()
    )


def _met(target: str, times: Times, oldest: int, people: Comparison | None) -> Met:
    past = sorted(period for period in times if period > 0)
    seen = past[:1] == [1]
    run = past[:1] if seen else []
    for newer, older in pairwise(past if seen else []):
        if older != newer + 1:
            break
        run.append(older)
    before = [period for period in past if period > 1]
    return Met(
        target=target,
        seen=seen,
        since=times[run[-1]][1] if run else None,
        reaches=bool(run) and run[-1] == oldest,
        last_before=times[before[0]][2] if before else None,
        people=people,
    )


def _compared(
    found: Mapping[str, Times], flows: pd.DataFrame, window: Window
) -> dict[str, Comparison]:
    """Return the comparison of each that the window or the period before shows."""
    tried = [_people(flows, span) for span in (window.before, window)]
    pairs = {
        target: change.pair(
            target, *((times.get(period, (0,))[0], tried[1 - period]) for period in (1, 0))
        )
        for target, times in found.items()
        if 0 in times or 1 in times
    }
    return dict(zip(pairs, _judged([*pairs.values()]), strict=True))


def _people(flows: pd.DataFrame, span: Window) -> int:
    here = (flows["start_utc"] >= span.start) & (flows["start_utc"] < span.end)
    return int(flows.loc[here, "person"].nunique())


def _judged(pairs: list[Comparison]) -> list[Comparison]:
    """Return the pairs with their verdicts: of what is bad, more is worse."""
    chances = change.corrected(pairs)
    return [
        replace(one, p=p, verdict=_verdict(one, p), lacks=None)
        for one, p in zip(pairs, chances, strict=True)
    ]


def _verdict(one: Comparison, p: float | None) -> Verdict:
    if p is None or p > proportions.ALPHA or not one.difference:
        return Verdict.CANNOT_TELL
    return Verdict.WORSE if one.difference > 0 else Verdict.BETTER
