"""Flows with their steps, packed for the page's table: as many as fit, what matters first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import OUTCOMES, Window
from sspr_audit.report import harmless, timeline, words
from sspr_audit.report.build import within
from sspr_audit.report.clock import Clock

if TYPE_CHECKING:
    import pandas as pd

_FOLDED: Final = {
    "upn": "people",
    "client": "clients",
    "site": "sites",
    "ip": "addresses",
    "step": "steps",
    "reason": "reasons",
    "client_type": "types",
}
"""Columns of FLOWS whose texts come again: each text is written once, under this name."""

_SAID: Final = ["role", "activity", "reason", "meaning", "stage", "method"]
"""The columns of EVENTS that decide how an event is told."""

_GOOD: Final = ("succeeded", "cancelled", "open")
"""Outcomes that may be left out before others."""


def packed(  # noqa: PLR0913 -- what the rows are made from, and how many bytes they may take
    flows: pd.DataFrame,
    events: pd.DataFrame,
    *,
    window: Window,
    findings: Sequence[Sequence[str]],
    clock: Clock,
    budget: int,
) -> str:
    """Return the flows that start in the window as JSON for a `script` element, within `budget`.

    The frames have the columns of FLOWS and EVENTS; `findings` are the event ids of each. Flows of
    findings are taken first, then those that ended badly, the newest of each first; how many
    stayed out stands in `left`. Nothing in the text can end the element, and every text is
    harmless.
    """
    here = within(flows, "start_utc", window)
    known = _of_findings(events, findings)
    rank = _rank(here, known)
    ordered = here.assign(rank=rank).sort_values(
        ["rank", "start_utc", "flow_id"], ascending=[True, False, True]
    )
    told, sentences = _told(ordered, events)
    folded = {name: _fold(ordered[column]) for column, name in _FOLDED.items()}
    rows = _rows(ordered, folded, told, known, base=window.start)
    kept = _fitting(rows, folded, budget - _size(sentences) - _SPARE)
    document = {
        "base": int(window.start.timestamp()),
        "zones": _zones(ordered["start_utc"], clock),
        "outcomes": OUTCOMES,
        **{name: _used(codes, texts, kept) for name, (codes, texts) in folded.items()},
        "said": sentences,
        "all": len(ordered),
        "left": len(ordered) - kept,
        "rows": rows[:kept],
    }
    return _written(document)


_SPARE: Final = 2_000
"""Bytes for what stands beside rows and texts."""


def _written(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return harmless.json(text).replace("<", "\\u003c")


def _size(value: object) -> int:
    return len(_written(value).encode())


def _of_findings(events: pd.DataFrame, findings: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """Return the numbers of the findings, from 1, by the flow that holds one of their events."""
    numbers: dict[str, list[int]] = {}
    home = events.loc[events["flow_id"].notna(), ["event_id", "flow_id"]]
    for number, ids in enumerate(findings, start=1):
        for flow_id in home.loc[home["event_id"].isin(ids), "flow_id"].unique().tolist():
            numbers.setdefault(flow_id, []).append(number)
    return numbers


def _rank(flows: pd.DataFrame, known: Mapping[str, list[int]]) -> pd.Series[int]:
    """Return 0 for flows of findings, 1 for those that ended badly, 2 for the others."""
    named = flows["flow_id"].isin(list(known))
    good = flows["outcome"].isin(_GOOD)
    return (1 + good.astype(int)).where(~named, 0)


def _fold(values: pd.Series[Any]) -> tuple[list[int], list[str]]:
    """Return the place of each value among the distinct ones, -1 for null, and those, harmless."""
    codes, texts = values.factorize()
    return codes.tolist(), [harmless.line(text, bound=words.NAME_BOUND * 2) for text in texts]


def _told(flows: pd.DataFrame, events: pd.DataFrame) -> tuple[list[list[int]], list[list[str]]]:
    """Return for each flow its events as seconds and places of sentences, and the sentences."""
    steps = _steps(flows, events)
    kinds = steps[_SAID].drop_duplicates()
    sentences = [
        [one for one in timeline.said_of(timeline.without_nulls(row)) if one]
        for row in kinds.to_dict("records")
    ]
    place = steps.groupby(_SAID, dropna=False, sort=False, observed=True).ngroup()
    by_flow: dict[str, list[int]] = {}
    for flow_id, since, kind in zip(
        steps["home"].tolist(), steps["since_s"].tolist(), place.tolist(), strict=True
    ):
        by_flow.setdefault(flow_id, []).extend((since, kind))
    return [by_flow.get(one, []) for one in flows["flow_id"].tolist()], sentences


def _steps(flows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return the events of the flows, in their order, with their `home` and seconds since start.

    Of the directory's records only the password that a flow stored is told.
    """
    stored = flows.loc[flows["echo_id"].notna()].set_index("echo_id")["flow_id"]
    own = events["flow_id"].isin(flows["flow_id"]) & events["role"].ne("echo")
    home = events["flow_id"].where(own, events["event_id"].map(stored[~stored.index.duplicated()]))
    steps = events.assign(home=home)[home.notna()].sort_values(["time_utc", "rank", "event_id"])
    begun = steps["home"].map(flows.set_index("flow_id")["start_utc"])
    since = (steps["time_utc"] - begun).dt.total_seconds()
    return steps.assign(since_s=since.astype("int64"))


def _rows(
    flows: pd.DataFrame,
    folded: Mapping[str, tuple[list[int], list[str]]],
    told: list[list[int]],
    known: Mapping[str, list[int]],
    *,
    base: datetime,
) -> list[list[Any]]:
    """Return each flow as a list; what page.js reads by its place."""
    ids = [harmless.line(one) for one in flows["flow_id"].tolist()]
    found = [known.get(one, 0) for one in flows["flow_id"].tolist()]
    starts = (flows["start_utc"] - base).dt.total_seconds().astype("int64").tolist()
    lengths = flows["length_s"].fillna(0).astype("int64").tolist()
    outcomes = [OUTCOMES.index(one) for one in flows["outcome"].tolist()]
    texts = [codes for codes, _ in folded.values()]
    columns = (ids, starts, lengths, outcomes, *texts, found, told)
    return [list(row) for row in zip(*columns, strict=True)]


def _fitting(
    rows: list[list[Any]], folded: Mapping[str, tuple[list[int], list[str]]], budget: int
) -> int:
    """Return how many of the rows fit, with each text that they need."""
    lengths = [[_size(text) + 1 for text in texts] for _, texts in folded.values()]
    seen: list[set[int]] = [set() for _ in folded]
    first = 4  # where the folded columns begin
    taken = 0
    for place, row in enumerate(rows):
        taken += _size(row) + 1
        for column, sizes in enumerate(lengths):
            code = row[first + column]
            if code >= 0 and code not in seen[column]:
                seen[column].add(code)
                taken += sizes[code]
        if taken > budget:
            return place
    return len(rows)


def _used(codes: list[int], texts: list[str], kept: int) -> list[str]:
    """Return the texts up to the last that a kept row needs; they stand by first use."""
    return texts[: max(codes[:kept], default=-1) + 1]


def _zones(times: pd.Series[Any], clock: Clock) -> list[list[Any]]:
    """Return from when which offset from UTC holds, in seconds, and how the zone is called then."""
    if times.empty:
        return []
    found: list[list[Any]] = []
    for hour in sorted(times.dt.floor("h").unique().tolist()):
        moment = hour.to_pydatetime()
        local = moment.astimezone(clock.zone)
        offset = int(local.utcoffset().total_seconds())
        if not found or found[-1][1] != offset:
            found.append([int(moment.astimezone(UTC).timestamp()), offset, clock.zone_name(moment)])
    return found
