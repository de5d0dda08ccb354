"""Whether the narrow query brings what it should: held against records that came without it.

A filter that the service does not understand can bring nothing, and one that it mangles can bring
everything, both without a word. So the narrow query is believed for a week, after it has brought
every record of ours in a span that the store knows whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sspr_audit.model import Window
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.sources.graph import queries
from sspr_audit.sources.graph.errors import ChainBroken, NotOffered, TooHeavy
from sspr_audit.sources.graph.queries import Clause
from sspr_audit.sources.graph.windows import merged
from sspr_audit.store import coverage, samples

if TYPE_CHECKING:
    import duckdb

    from sspr_audit.sources.graph.reading import Asked

ENOUGH: Final = 20
"""Records of each essential clause that a verdict needs."""

LASTS: Final = timedelta(days=7)
"""How long a verdict is believed, and how old the span may be that it rests on."""

PROBE: Final = "probe"
"""The kind under which these requests are counted."""


class Word(StrEnum):
    """What the test of a filter showed."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the test of a filter showed, when, and on what grounds."""

    filter: str
    word: Word
    why: str
    at: datetime

    def stands(self, what: str, now: datetime) -> bool:
        """Say whether this still answers the question for a filter."""
        is_fresh = now - LASTS < self.at <= now
        return self.filter == what and self.word is not Word.UNDECIDED and is_fresh


def kept(store: duckdb.DuckDBPyConnection, collection: str) -> Verdict | None:
    """Return the verdict that the store keeps."""
    found = coverage.verdict(store, collection)
    if found is None:
        return None
    at = datetime.fromisoformat(found["at"])
    return Verdict(found["filter"], Word(found["word"]), found["why"], at)


def keep(store: duckdb.DuckDBPyConnection, collection: str, verdict: Verdict) -> None:
    """Keep the verdict, and take back what a filter covered that is refuted by it."""
    coverage.keep_verdict(store, collection, {**asdict(verdict), "at": verdict.at.isoformat()})
    if verdict.word is Word.REFUTED:
        coverage.withdraw(store, collection, verdict.filter)


def tested(
    graph: Asked, keeper: Keeper, clauses: Sequence[Clause], whole: Iterable[Window], now: datetime
) -> Verdict:
    """Return the verdict on the query that the clauses make.

    `whole` are spans of which the store has every record that the service still keeps. Raises
    what reading.read does, but for what tells something about the filter.
    """
    told = Verdict(queries.narrow(clauses), Word.UNDECIDED, "", now)
    spans = [span for span in merged(whole) if span.end > now - LASTS]
    if not spans:
        why = f"no span of the last {LASTS.days} days was fetched whole yet"
        return replace(told, why=why)
    sample = _sampled(keeper, clauses, spans[-1])
    if isinstance(sample, str):
        return replace(told, why=sample)
    return _compared(graph, clauses, sample, told)


@dataclass(frozen=True, slots=True)
class _Sample:
    window: Window
    expected: dict[str, int]
    """Record id → the first clause that it fits."""


def _sampled(keeper: Keeper, clauses: Sequence[Clause], span: Window) -> _Sample | str:
    """Return the shortest newest part of a span that has enough of each; else what it lacks."""
    with keeper.store.reading() as store:
        kinds = samples.kinds(store, span)
        fitting = {
            number: [kind for kind in kinds if clause.matches(_record(*kind))]
            for number, clause in enumerate(clauses)
        }
        counts = samples.counts(store, span, fitting, newest=ENOUGH)
        since = []
        for number, clause in enumerate(clauses):
            if clause.essential:
                found = counts.get(number)
                if found is None or found.count < ENOUGH:
                    count = found.count if found else 0
                    return f"only {count} of the {ENOUGH} records needed that fit {clause.text}"
                since.append(found.since)
        window = Window(min(since), span.end)
        return _Sample(window, samples.ids(store, window, fitting))


def _record(service: str | None, activity: str | None) -> dict[str, str | None]:
    return {"loggedByService": service, "activityDisplayName": activity}


def _compared(graph: Asked, clauses: Sequence[Clause], sample: _Sample, told: Verdict) -> Verdict:
    from sspr_audit.sources.graph import reading

    came: set[str] = set()
    try:
        for part in reading.read(graph, sample.window, clauses, kind=PROBE):
            came.update(part.ids)
    except NotOffered as error:
        why = f"Graph does not take it ({error.status} {error.code})"
        return replace(told, word=Word.REFUTED, why=why)
    except (TooHeavy, ChainBroken) as error:
        return replace(told, why=str(error))
    lost = [part for id_, part in sample.expected.items() if id_ not in came]
    if lost:
        why = (
            f"it lost {len(lost):,} of {len(sample.expected):,} records,"
            f" the first by {clauses[min(lost)].text}"
        )
        return replace(told, word=Word.REFUTED, why=why)
    why = f"it brought all {len(sample.expected):,} records of a span fetched whole"
    return replace(told, word=Word.PROVED, why=why)
