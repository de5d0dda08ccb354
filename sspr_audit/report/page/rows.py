"""Flows with their steps, packed for the page's table: as many as fit, what matters first."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import Finding, Window
from sspr_audit.report import harmless, saying, timeline, words
from sspr_audit.report.build import within
from sspr_audit.report.clock import Clock

if TYPE_CHECKING:
    import pandas as pd

_KIND: Final = {
    "outcome": "outcomes",
    "client": "clients",
    "site": "sites",
    "step": "steps",
    "reason": "reasons",
    "client_type": "types",
}
"""Columns of FLOWS that few flows differ in, and the book that holds the texts of each."""

_SAID: Final = ["role", "activity", "reason", "meaning", "stage", "method"]
"""The columns of EVENTS that decide how an event is told."""

_GOOD: Final = ("succeeded", "cancelled", "open")
"""Outcomes that may be left out before others."""

_SPARE: Final = 1_000
"""Bytes for what stands beside rows and books."""

_SMALLEST: Final = 60
"""Bytes that hardly a flow goes below: its GUID, times, places in the books, a person, a step."""

_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_GUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _Book:
    """What comes again in many rows, written once and named by its place.

    Entries stand in the order of their first use, so that the first rows need the first entries.
    """

    def __init__(self, entries: Sequence[Any], parts: Sequence[_Book] = ()) -> None:
        self.entries = entries
        self.parts = parts
        """The books that the numbers of an entry name; one that stands alone names all."""
        self.taken = 0

    def take(self, place: int) -> int:
        """Return how many bytes it costs to have the entry at `place`, -1 for none."""
        cost = 0
        while self.taken <= place:
            entry = self.entries[self.taken]
            self.taken += 1
            cost += _size(entry) + 1
            if self.parts:
                books = [*self.parts] * (len(entry) if len(self.parts) == 1 else 1)
                cost += sum(book.take(one) for book, one in zip(books, entry, strict=True))
        return cost

    @property
    def used(self) -> Sequence[Any]:
        return self.entries[: self.taken]


def packed(  # noqa: PLR0913 -- what the rows are made from, and how many bytes they may take
    flows: pd.DataFrame,
    events: pd.DataFrame,
    *,
    window: Window,
    findings: Sequence[Finding],
    clock: Clock,
    budget: int,
) -> str:
    """Return the flows that start in the window as JSON for a `script` element, within `budget`.

    The frames have the columns of FLOWS and EVENTS; `findings` stand as on the page. Flows of
    findings are taken first, then those that ended badly, the newest of each first; how many
    stayed out stands in `left`. Nothing in the text can end the element, and every text is
    harmless.
    """
    here = within(flows, "start_utc", window)
    known = _of_findings(findings)
    shown = here[["flow_id", "start_utc", "length_s", "upn", "ip", "echo_id", *_KIND]]
    ordered = shown.assign(rank=_rank(here, known)).sort_values(
        ["rank", "start_utc", "flow_id"], ascending=[True, False, True]
    )
    ordered = ordered.head(max(budget, 0) // _SMALLEST)  # no more would fit anyway
    domain, people = _without_domain(*_folded(ordered["upn"]))
    addresses = _folded(ordered["ip"])
    kinds, books = _kinds(ordered)
    told, sentences = _told(ordered, events)
    books |= {"people": _Book(people[1]), "addresses": _Book(addresses[1]), **sentences}
    ids, base = ordered["flow_id"].tolist(), int(window.start.timestamp())
    columns = (
        map(_id, ids),
        (ordered["start_utc"].dt.as_unit("s").astype("int64") - base).tolist(),
        ordered["length_s"].fillna(0).astype("int64").tolist(),
        *(people[0], addresses[0], kinds),
        [str(one).replace(" ", "") for one in told],
        [f",{known[one]}".replace(" ", "") if one in known else "" for one in ids],
    )
    rows = [
        f"[{code},{start},{length},{person},{address},{kind},{steps}{found}]"
        for code, start, length, person, address, kind, steps, found in zip(*columns, strict=True)
    ]
    needs = zip(people[0], addresses[0], kinds, (one[0] for one in told), strict=True)
    kept = _fitting(rows, [*needs], books, budget - _SPARE)
    document = {
        "base": base,
        "zones": _zones(ordered["start_utc"], clock),
        "domain": domain,
        **{name: book.used for name, book in books.items()},
        "all": len(here),
        "left": len(here) - kept,
    }
    return f'{_written(document)[:-1]},"rows":[{",".join(rows[:kept])}]}}'


def _written(value: object) -> str:
    text = _JSON.encode(value)
    if not (text.isascii() and text.isprintable()):
        text = harmless.json(text)
    return text.replace("<", "\\u003c")


def _size(value: object) -> int:
    return len(_written(value).encode())


def _of_findings(findings: Sequence[Finding]) -> dict[str, list[int]]:
    """Return the numbers of the findings, from 1, by the flow that they are about."""
    numbers: dict[str, list[int]] = {}
    for number, finding in enumerate(findings, start=1):
        for flow_id in finding.flow_ids:
            numbers.setdefault(flow_id, []).append(number)
    return numbers


def _rank(flows: pd.DataFrame, known: Container[str]) -> pd.Series[int]:
    """Return 0 for flows of findings, 1 for those that ended badly, 2 for the others."""
    import pandas as pd

    marks = zip(flows["flow_id"].tolist(), flows["outcome"].tolist(), strict=True)
    ranks = [0 if flow_id in known else 1 + (outcome in _GOOD) for flow_id, outcome in marks]
    return pd.Series(ranks, index=flows.index, dtype="int64")


def _folded(values: pd.Series[Any]) -> tuple[list[int], list[str]]:
    """Return the place of each value among the distinct ones, -1 for null, and those, harmless."""
    codes, texts = values.factorize()
    return codes.tolist(), [harmless.line(text, bound=words.NAME_BOUND * 2) for text in texts]


def _without_domain(places: list[int], names: list[str]) -> tuple[str, tuple[list[int], list[str]]]:
    """Return the domain that most names end in, and the names with only an @ in its place."""
    domains = Counter(name.rpartition("@")[2] for name in names if "@" in name)
    common = max(domains, key=lambda one: (domains[one], one), default="")
    if any(name.endswith("@") for name in names):
        common = ""  # such a name must stay what it is
    cut = [name.removesuffix(common) if name.endswith(f"@{common}") else name for name in names]
    return common, (places, cut)


def _kinds(flows: pd.DataFrame) -> tuple[list[int], dict[str, _Book]]:
    """Return which kind each flow is of, and the books of kinds and of the texts in them."""
    folded = {column: _folded(flows[column]) for column in _KIND}
    kinds = [*zip(*(places for places, _ in folded.values()), strict=True)]
    places = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
    books = {_KIND[column]: _Book(texts) for column, (_, texts) in folded.items()}
    books["kinds"] = _Book([*places], [*books.values()])
    return [places[kind] for kind in kinds], books


def _told(flows: pd.DataFrame, events: pd.DataFrame) -> tuple[list[list[int]], dict[str, _Book]]:
    """Return for each flow its pattern and the seconds before each step, and the books of both.

    A pattern is a row of sentences; a sentence is what happened and, where there is more to say,
    what Entra wrote.
    """
    import numpy as np

    kinds = events.groupby(_SAID, dropna=False, sort=False, observed=True).ngroup()
    steps = _steps(flows, events, kinds)
    codes, used = steps["kind"].factorize()
    told = events.loc[~kinds.duplicated(), _SAID].take(np.asarray(used, dtype="int64"))
    sentences = _Book(
        [
            [one for one in saying.said_of(timeline.without_nulls(row)) if one]
            for row in told.to_dict("records")
        ]
    )
    kind = codes.tolist()
    gaps = steps.groupby("place")["since_s"].diff().fillna(steps["since_s"])
    since = gaps.astype("int64").tolist()
    edges = np.searchsorted(steps["place"], np.arange(len(flows) + 1)).tolist()
    ordered = [tuple(kind[start:end]) for start, end in pairwise(edges)]
    places = {pattern: place for place, pattern in enumerate(dict.fromkeys(ordered))}
    rows = [
        [places[pattern], *since[start:end]]
        for pattern, (start, end) in zip(ordered, pairwise(edges), strict=True)
    ]
    return rows, {"said": sentences, "patterns": _Book([*places], [sentences])}


def _steps(flows: pd.DataFrame, events: pd.DataFrame, kinds: pd.Series[int]) -> pd.DataFrame:
    """Return the `kind` of each event of the flows, flow by flow, with its `place` and seconds
    since its start.

    Of the directory's records only the password that a flow stored is told. Ids are sorted only
    where nothing else decides, and no other text is moved about: it would cost ten times as much.
    """
    keys = ["place", "time_utc", "rank"]
    steps = events[["time_utc", "rank"]].assign(place=_places(flows, events), kind=kinds)
    steps = steps.assign(tie=events["event_id"].where(steps.duplicated(keys, keep=False)))
    steps = steps[steps["place"].ge(0)].sort_values([*keys, "tie"])
    begun = flows["start_utc"].take(steps["place"].to_numpy()).set_axis(steps.index)
    since = (steps["time_utc"] - begun).dt.total_seconds()
    return steps.assign(since_s=since.astype("int64"))


def _places(flows: pd.DataFrame, events: pd.DataFrame) -> Any:  # noqa: ANN401 -- numpy's array
    """Return the place of the flow in which each event is told, -1 for none."""
    import pandas as pd

    places = pd.Index(flows["flow_id"]).get_indexer(pd.Index(events["flow_id"]))
    echoes = zip(flows["echo_id"].tolist(), range(len(flows)), strict=True)
    stored = {echo: place for echo, place in echoes if isinstance(echo, str)}
    is_echo = events["role"].eq("echo").to_numpy()
    places[is_echo] = [stored.get(one, -1) for one in events["event_id"][is_echo].tolist()]
    return places


def _id(flow_id: str) -> str:
    """Return a GUID as the 22 letters of its base64, and any other id as it is, in a list."""
    if _GUID.fullmatch(flow_id):
        return f'"{base64.b64encode(bytes.fromhex(flow_id.replace("-", "")))[:22].decode()}"'
    return _written([harmless.line(flow_id)])


def _fitting(
    rows: list[str],
    needs: list[tuple[int, int, int, int]],
    books: Mapping[str, _Book],
    budget: int,
) -> int:
    """Return how many of the rows fit, with what they need of the books."""
    shelves = [books[name] for name in ("people", "addresses", "kinds", "patterns")]
    taken = 0
    for place, (row, needed) in enumerate(zip(rows, needs, strict=True)):
        taken += len(row.encode()) + 1
        taken += sum(book.take(one) for book, one in zip(shelves, needed, strict=True))
        if taken > budget:
            return place
    return len(rows)


def _zones(times: pd.Series[Any], clock: Clock) -> list[list[Any]]:
    """Return from when which offset from UTC holds, in seconds, and how the zone is called then."""
    found: list[list[Any]] = []
    for hour in sorted(times.dt.floor("h").unique().tolist()):
        moment: datetime = hour.to_pydatetime()
        local = moment.astimezone(clock.zone)
        offset = int((local.utcoffset() or timedelta()).total_seconds())
        if not found or found[-1][1] != offset:
            found.append([int(moment.astimezone(UTC).timestamp()), offset, clock.zone_name(moment)])
    return found
