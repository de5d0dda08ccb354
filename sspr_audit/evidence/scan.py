"""Which places, clients or devices stand out in which span of days: people who hit, against the
usual.

A unit is a flow with whether it hit; of each person the first unit in a cohort and span counts.
The usual share is that of everybody else in the same strata, shrunk towards the tenant's, and for
short spans not less than the cohort's own past. Cohorts differ as a beta-binomial does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.evidence import statistics
from sspr_audit.evidence.material import Material
from sspr_audit.evidence.spans import Span, spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]

SHRINK: Final = 20
"""As many people's worth of the wider share is mixed into that of a small stratum or past."""

WATCHED: Final = 3
"""Fewer people than this in a cohort are not even worth a word."""

OWN_PAST: Final = timedelta(days=14)
"""Up to this length a span is also held against the cohort's own past."""


@dataclass(frozen=True, slots=True)
class Standout:
    """A cohort in the span in which it stands out most."""

    dimension: str
    cohort: str
    start: datetime
    end: datetime
    people: int
    hits: int
    usual: float
    """The share of people elsewhere, in the same strata."""
    concentration: float
    """How sure the usual share is, in people."""
    part: float
    p: float
    """Corrected for the spans looked at."""

    @property
    def share(self) -> float:
        """The share of the cohort's people who hit."""
        return self.hits / self.people


def strata(flows: pd.DataFrame) -> pd.Series[str]:
    """Return what flows must share to be compared: client, workday or weekend, part of day."""
    day = flows["start_utc"].dt.day_of_week.ge(5).map({True: "weekend", False: "workday"})
    part = (flows["start_utc"].dt.hour // 6).astype("str")
    found: pd.Series[str] = flows["client"] + "|" + day + "|" + part
    return found


def standouts(
    units: pd.DataFrame, dimensions: Mapping[str, pd.Series[str]], material: Material
) -> tuple[list[Standout], int]:
    """Return the span in which each cohort stands out most, by cohort, and how many were tested.

    A cohort with few people in every span is returned as well: somebody may want to know how many
    more it takes.
    `units` has person, start_utc, stratum and hit, in order of time; `dimensions` say to which
    cohort of each dimension a unit belongs, null for none.
    """
    found: list[Standout] = []
    tests = 0
    for dimension, cohorts in dimensions.items():
        named = cohorts.notna()
        people = units.loc[named, "person"].groupby(cohorts[named]).nunique()
        names = people.index[people >= WATCHED]
        tests += int((people >= material.numbers["least_people"]).sum())
        if len(names):
            grid = _grid(units, cohorts, list(names))
            found += _best(dimension, list(names), grid, material)
    return found, tests


@dataclass(frozen=True, slots=True)
class _Grid:
    """Units as numbers, in order of time: frames cost a hundred times as much for every span."""

    times: Ints
    person: Ints
    cohort: Ints
    """-1 for none."""
    stratum: Ints
    hit: Array
    cohorts: int
    clients: Array
    """Which client each stratum, down, belongs to, across: 1 or 0."""

    @property
    def strata(self) -> int:
        """How many strata there are."""
        return len(self.clients)

    def cut(self, start: datetime | None, end: datetime | None) -> _Grid:
        """Return what lies in the half-open span; None is the far past or future."""
        import numpy as np
        import pandas as pd

        at = [
            edge if one is None else int(np.searchsorted(self.times, pd.Timestamp(one).value))
            for one, edge in ((start, 0), (end, len(self.times)))
        ]
        here = slice(*at)
        return _Grid(
            self.times[here],
            self.person[here],
            self.cohort[here],
            self.stratum[here],
            self.hit[here],
            self.cohorts,
            self.clients,
        )

    def own(self) -> tuple[Array, Array]:
        """Return people and hits, cohorts down and strata across; a person counts once a cohort."""
        inside = self.cohort >= 0
        key = self.person * self.cohorts + self.cohort
        return self._counted(inside, key, self.cohort * self.strata + self.stratum)

    def elsewhere(self) -> tuple[Array, Array]:
        """Return people and hits outside of each cohort; a person counts once a stratum."""
        import numpy as np

        every = np.ones(len(self.person), dtype=bool)
        key = self.person * self.strata + self.stratum
        cell = np.maximum(self.cohort, 0) * self.strata + self.stratum
        mine = self._counted(self.cohort >= 0, key * self.cohorts + self.cohort, cell)
        people, hits = (
            one[:1] - own
            for one, own in zip(self._counted(every, key, self.stratum), mine, strict=True)
        )
        # A person's first unit in a stratum may lie outside of the cohort, and the first one inside
        # it count as well: never let that make less than nobody.
        people = np.maximum(people, 0.0)
        return people, np.clip(hits, 0.0, people)

    def _counted(self, which: Bools, key: Ints, cell: Ints) -> tuple[Array, Array]:
        import numpy as np

        at = np.flatnonzero(which)
        first = at[np.unique(key[at], return_index=True)[1]]
        size = self.cohorts * self.strata
        people = np.bincount(cell[first], minlength=size)
        hits = np.bincount(cell[first], weights=self.hit[first], minlength=size)
        shape = (self.cohorts, self.strata)
        return people.reshape(shape).astype(float), hits.reshape(shape).astype(float)


def _grid(units: pd.DataFrame, cohorts: pd.Series[str], names: list[str]) -> _Grid:
    import numpy as np
    import pandas as pd

    codes, strata = pd.factorize(units["stratum"], sort=True)
    clients = pd.Series(strata, dtype="str").str.partition("|")[0]
    return _Grid(
        times=np.asarray(units["start_utc"].astype("int64"), dtype=np.int64),
        person=pd.factorize(units["person"])[0].astype("int64"),
        cohort=pd.Index(names).get_indexer(pd.Index(cohorts)).astype("int64"),
        stratum=codes.astype("int64"),
        hit=units["hit"].to_numpy(dtype=float),
        cohorts=len(names),
        clients=np.asarray(pd.get_dummies(clients), dtype=np.float64),
    )


def _best(dimension: str, names: list[str], grid: _Grid, material: Material) -> list[Standout]:
    """Return each cohort in the span with the smallest p, of those with enough people if any."""
    import numpy as np

    wide = grid.elsewhere()
    looked = spans(material)
    looks = [_look(grid, wide, span, material.numbers["variation"]) for span in looked]
    p = np.array([look.p for look in looks])
    people = np.array([look.people for look in looks])
    order = np.where(people >= material.numbers["least_people"], p, p + 1)
    order[people < WATCHED] = np.inf
    found = []
    for at, name in enumerate(names):
        best = int(order[:, at].argmin())
        if np.isinf(order[best, at]):
            continue
        span, look = looked[best], looks[best]
        found.append(
            Standout(
                dimension,
                name,
                span.start,
                span.end,
                int(look.people[at]),
                int(look.hits[at]),
                float(look.usual[at]),
                float(look.concentration[at]),
                span.part,
                float(look.p[at]),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    """Every cohort in one span."""

    people: Array
    hits: Array
    usual: Array
    concentration: Array
    p: Array


def _look(grid: _Grid, wide: tuple[Array, Array], span: Span, variation: float) -> _Look:
    import numpy as np

    here = grid.cut(span.start, span.end)
    mix, hit = here.own()
    people, hits = mix.sum(axis=1), hit.sum(axis=1)
    usual, reference = _usual(mix, *wide, grid.clients)
    now, _ = _usual(mix, *here.elsewhere(), grid.clients, usual)
    usual = np.maximum(usual, now)
    if span.end - span.start <= OWN_PAST:
        past, past_hits = (one.sum(axis=1) for one in grid.cut(None, span.start).own())
        usual = np.maximum(usual, (past_hits + SHRINK * usual) / (past + SHRINK))
        reference = np.maximum(reference, past)
    # Two things make the usual uncertain: cohorts differ, and it was counted on so many people.
    sure = 1 / (1 / variation + 1 / (reference + 1))
    p = np.ones(len(people))
    more = hits > people * usual
    p[more] = statistics.betabinomial_upper(
        hits[more], people[more], (usual * sure)[more], ((1 - usual) * sure)[more]
    )
    return _Look(people, hits, usual, sure, np.minimum(p / span.part, 1.0))


def _usual(
    mix: Array, people: Array, hits: Array, clients: Array, prior: Array | None = None
) -> tuple[Array, Array]:
    """Return the share to expect of each cohort's own mix of strata, and on how many it rests.

    A stratum with few people is shrunk towards its client, and a client towards `prior`, else
    towards everybody; it rests on the people of the cohort's own clients.
    """
    import numpy as np

    overall = (hits.sum(axis=1) + 0.5) / (people.sum(axis=1) + 1) if prior is None else prior
    of_client, hit = people @ clients, hits @ clients
    wider = (hit + SHRINK * overall[:, None]) / (of_client + SHRINK)
    share = (hits + SHRINK * (wider @ clients.T)) / (people + SHRINK)
    size = mix.sum(axis=1)
    expected = (mix * share).sum(axis=1) / np.maximum(size, 1)
    rests_on = np.where(mix @ clients > 0, of_client, 0).sum(axis=1)
    # A cohort with nobody in the span has no mix: any share does, and none is tested.
    return np.where(size > 0, expected, overall), rests_on


def missing_people(one: Standout, least: float, wanted: float) -> int | None:
    """Return how many more people of the same share would decide, if twice as many would."""
    import numpy as np

    more = np.arange(1, max(one.people, int(least) - one.people) + 1)
    people = one.people + more
    hits = np.floor(one.share * people)
    a, b = one.usual * one.concentration, (1 - one.usual) * one.concentration
    p = statistics.betabinomial_upper(hits, people, a, b) / one.part
    decided = (p <= wanted) & (people >= least)
    return int(more[decided][0]) if decided.any() else None
