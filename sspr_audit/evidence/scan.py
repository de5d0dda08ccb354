"""Which places, clients or devices stand out in which span of days: people who hit, against the
usual.

A unit is a flow with whether it hit; of each person the first unit in a cohort and span counts.
The usual share is that of everybody else in the same strata, shrunk towards the tenant's, and for
short spans not less than the cohort's own past. Cohorts differ as a beta-binomial does; the more is
known of a cohort's past, the less it can differ from what that tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.evidence import statistics
from sspr_audit.evidence.grid import Grid
from sspr_audit.evidence.material import Material
from sspr_audit.evidence.spans import Span, spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

SHRINK: Final = 20
"""As many people's worth of the wider share is mixed into that of a small stratum or past."""

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

    wide = grid.elsewhere()
    looked = spans(material)
    looks = [_look(grid, wide, span, material.numbers) for span in looked]
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


def _look(grid: Grid, wide: tuple[Array, Array], span: Span, numbers: Mapping[str, float]) -> _Look:
    import numpy as np

    here = grid.cut(span.start, span.end)
    mix, hit = here.own()
    people, hits = mix.sum(axis=1), hit.sum(axis=1)
    apart, reference = _usual(mix, *wide, grid.clients)
    now, _ = _usual(mix, *here.elsewhere(), grid.clients, apart)
    usual = np.maximum(apart, now)
    past = tuple(one.sum(axis=1) for one in grid.cut(None, span.start).own())
    found = _held(people, hits, *_expected(usual, reference, past, numbers), span.part)
    if span.end - span.start <= OWN_PAST:
        return found
    # A trouble that long may have begun before the span: its past is then no measure for it.
    none = (np.zeros_like(past[0]), np.zeros_like(past[1]))
    other = _held(people, hits, *_expected(usual, reference, none, numbers), span.part)
    return _surer(found, other, np.where(past[0] > 0, 2, 1))


def _held(people: Array, hits: Array, usual: Array, sure: Array, part: float) -> _Look:
    """Hold the hits against the usual, which counts as much as `sure` people."""
    import numpy as np

    p = np.ones(len(people))
    more = hits > people * usual
    p[more] = statistics.betabinomial_upper(
        hits[more], people[more], (usual * sure)[more], ((1 - usual) * sure)[more]
    )
    return _Look(people, hits, usual, sure, np.minimum(p / part, 1.0))


def _surer(one: _Look, other: _Look, looks: Array) -> _Look:
    """Return the surer look at each cohort; so many looks were taken."""
    import numpy as np

    less = other.p < one.p
    return _Look(
        one.people,
        one.hits,
        np.where(less, other.usual, one.usual),
        np.where(less, other.concentration, one.concentration),
        np.minimum(looks * np.minimum(one.p, other.p), 1.0),
    )


def _expected(
    usual: Array, reference: Array, past: tuple[Array, ...], numbers: Mapping[str, float]
) -> tuple[Array, Array]:
    """Return the share to expect of each cohort, and as how many people's worth that counts.

    Cohorts differ from each other, and each from itself as time goes by; its own past narrows the
    first, and never the second. Both together are as much as `variation` allows where there is no
    past. The usual itself was counted on `reference` people; where there are none, the past alone
    tells, and nothing without it.
    """
    import numpy as np

    people, hits = past
    apart = 1 / (1 / numbers["variation"] - 1 / numbers["steady"])
    known = np.where(reference > 0, 1 / (1 / apart + 1 / (reference + 1)), 1.0)
    own = (hits + known * usual) / (people + known)
    expected = np.where(reference > 0, np.maximum(usual, own), own)
    return expected, 1 / (1 / numbers["steady"] + 1 / (people + known))


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
