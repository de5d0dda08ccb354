"""Which places, clients or devices stand out in which span of days: people who hit, against the
usual.

A unit is a flow with whether it hit; of each person the first unit in a cohort and span counts.
The usual share is that of everybody else in the same strata, shrunk towards the tenant's, and for
short spans not less than the cohort's own past. Cohorts differ as a beta-binomial does; the more is
known of a cohort's past, the less it can differ from what that tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.evidence import statistics
from sspr_audit.evidence.grid import Grid
from sspr_audit.evidence.material import Material
from sspr_audit.evidence.spans import Span, spans
from sspr_audit.model import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]
    BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

SHRINK: Final = 20
"""As many people's worth of the wider share is mixed into that of a small stratum or past."""

WIDE: Final = ("tenant", "client")
"""The dimensions whose cohorts hold places, and so whatever goes on at any of them."""

WATCHED: Final = 3
"""Fewer people than this in a cohort are not even worth a word."""

OWN_PAST: Final = timedelta(days=14)
"""Up to this length a span is also held against the cohort's own past, if that was worse."""


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


def standouts(
    units: pd.DataFrame, dimensions: Mapping[str, pd.Series[str]], material: Material
) -> tuple[list[Standout], int]:
    """Return the span in which each cohort stands out most, by cohort, and how many were tested.

    A cohort with few people in every span is returned as well: somebody may want to know how many
    more it takes.
    `units` has person, start_utc, stratum and hit, in order of time; `dimensions` say to which
    cohort of each dimension a unit belongs, null for none.
    """
    found, tests = _once(units, dimensions, material)
    limit = material.limit(Kind.STALLED, tests)
    sure = [one for one in found if one.dimension not in WIDE and one.p <= limit]
    if not sure:
        return found, tests
    return _unmasked(found, sure, units, dimensions, material), tests


def _unmasked(
    found: list[Standout],
    sure: list[Standout],
    units: pd.DataFrame,
    dimensions: Mapping[str, pd.Series[str]],
    material: Material,
) -> list[Standout]:
    """Look again without what surely stands out: a great trouble hides a smaller one elsewhere.

    Only cohorts that are no part of it are looked at again, and who was not sure pays for both.
    """
    import pandas as pd

    loud = pd.Series(data=False, index=units.index)
    for one in sure:
        here = dimensions[one.dimension].eq(one.cohort).fillna(value=False)
        loud |= here & units["start_utc"].ge(pd.Timestamp(one.start))
    apart = {
        name: cohorts.mask(cohorts.isin(cohorts[loud].dropna().unique()))[~loud]
        for name, cohorts in dimensions.items()
    }
    again, _ = _once(units[~loud], apart, material)
    better = {(one.dimension, one.cohort): one for one in again}
    looked = []
    for one in found:
        other = better.get((one.dimension, one.cohort), one)
        least = min(one, other, key=lambda each: each.p)
        looked.append(one if one in sure else replace(least, p=min(1.0, 2 * least.p)))
    return looked


def _once(
    units: pd.DataFrame, dimensions: Mapping[str, pd.Series[str]], material: Material
) -> tuple[list[Standout], int]:
    """Return the span in which each cohort stands out most, and how many were tested."""
    found: list[Standout] = []
    tests = 0
    for dimension, cohorts in dimensions.items():
        named = cohorts.notna()
        people = units.loc[named, "person"].groupby(cohorts[named]).nunique()
        names = people.index[people >= WATCHED]
        tests += int((people >= material.numbers["least_people"]).sum())
        if len(names):
            grid = Grid.of(units, cohorts, list(names))
            found += _best(dimension, list(names), grid, material)
    return found, tests


def _best(dimension: str, names: list[str], grid: Grid, material: Material) -> list[Standout]:
    """Return each cohort in the span with the smallest p, of those with enough people if any."""
    import numpy as np

    looked = spans(material)
    look = _looks(grid, looked, material.numbers)
    order = np.where(look.people >= material.numbers["least_people"], look.p, look.p + 1)
    order[look.people < WATCHED] = np.inf
    found = []
    for at, name in enumerate(names):
        best = int(order[:, at].argmin())
        if np.isinf(order[best, at]):
            continue
        span = looked[best]
        found.append(
            Standout(
                dimension,
                name,
                span.start,
                span.end,
                int(look.people[best, at]),
                int(look.hits[best, at]),
                float(look.usual[best, at]),
                float(look.concentration[best, at]),
                span.part,
                float(look.p[best, at]),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Looks:
    """Every cohort, across, in every span, down."""

    people: Array
    hits: Array
    usual: Array
    concentration: Array
    p: Array


def _looks(grid: Grid, looked: list[Span], numbers: Mapping[str, float]) -> _Looks:
    import numpy as np

    wide = grid.elsewhere()
    counts = zip(*(_counts(grid, wide, span) for span in looked), strict=True)
    people, hits, usual, reference, *past = (np.array(one) for one in counts)
    part = np.array([[span.part] for span in looked])
    all_of_them = np.ones_like(part, dtype=bool)
    found = _held(people, hits, _expected(usual, reference, past, numbers), part, all_of_them)
    # A trouble that long may have begun before the span: its past is then no measure for it.
    long = np.array([[span.end - span.start > OWN_PAST] for span in looked])
    none = [np.zeros_like(one) for one in past]
    other = _held(people, hits, _expected(usual, reference, none, numbers), part, long)
    return _surer(found, other, np.where(long & (past[0] > 0), 2, 1))


def _counts(grid: Grid, wide: tuple[Array, Array], span: Span) -> tuple[Array, ...]:
    """Return of each cohort people, hits, the usual share, on how many that rests, and both before
    the span.
    """
    import numpy as np

    here = grid.cut(span.start, span.end)
    mix, hit = here.own()
    apart, reference = _usual(mix, *wide, grid.clients)
    now, _ = _usual(mix, *here.elsewhere(), grid.clients, apart)
    before = (one.sum(axis=1) for one in grid.cut(None, span.start).own())
    return mix.sum(axis=1), hit.sum(axis=1), np.maximum(apart, now), reference, *before


def _held(
    people: Array, hits: Array, expected: tuple[Array, Array], part: Array, where: BoolArray
) -> _Looks:
    """Hold the hits against what is `expected`: a share, and as how many people it counts.

    p is 1 where it is not asked for.
    """
    import numpy as np

    usual, sure = expected
    p = np.ones(people.shape)
    more = (hits > people * usual) & where
    p[more] = statistics.betabinomial_upper(
        hits[more], people[more], (usual * sure)[more], ((1 - usual) * sure)[more]
    )
    return _Looks(people, hits, usual, sure, np.minimum(p / part, 1.0))


def _surer(one: _Looks, other: _Looks, looks: Array) -> _Looks:
    """Return the surer of both looks at each cohort; so many looks were taken."""
    import numpy as np

    less = other.p < one.p
    return _Looks(
        one.people,
        one.hits,
        np.where(less, other.usual, one.usual),
        np.where(less, other.concentration, one.concentration),
        np.minimum(looks * np.minimum(one.p, other.p), 1.0),
    )


def _expected(
    usual: Array, reference: Array, past: Sequence[Array], numbers: Mapping[str, float]
) -> tuple[Array, Array]:
    """Return the share to expect of each cohort, and as how many people's worth that counts.

    Cohorts differ from each other, and each from itself as time goes by; its own past narrows the
    first, and never the second. Both together are as much as `variation` allows where there is no
    past. The usual itself was counted on `reference` people; where there are none, the past alone
    tells, and nothing without it.
    """
    import numpy as np

    people, hits = past
    apart = math.sqrt(numbers["variation"] ** 2 - numbers["steady"] ** 2)
    known = np.where(reference > 0, statistics.prior(usual, apart, reference + 1), 1.0)
    own = (hits + known * usual) / (people + known)
    expected = np.where(reference > 0, np.maximum(usual, own), own)
    return expected, statistics.prior(expected, numbers["steady"], people + known)


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
