"""Flows as numbers, to count the people of every cohort in any span at the cost of adding up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Grid:
    """Units in order of time: frames would cost a hundred times as much for every span."""

    times: Ints
    cohort: Ints
    """-1 for none."""
    stratum: Ints
    hit: Array
    seen: tuple[Ints, Ints, Ints]
    """Where the same person stood last before, in the same cohort, in the same stratum, and in the
    same of both; -1 for nowhere. Whoever stood there before a span begins is first inside it."""
    cohorts: int
    clients: Array
    """Which client each stratum, down, belongs to, across: 1 or 0."""
    rows: slice
    """Which of the units are looked at."""

    @classmethod
    def of(cls, units: pd.DataFrame, cohorts: pd.Series[str], names: list[str]) -> Grid:
        """Return the units as numbers; `cohorts` says to which of `names` each belongs, if any."""
        import numpy as np
        import pandas as pd

        codes, strata = pd.factorize(units["stratum"], sort=True)
        clients = pd.Series(strata, dtype="str").str.rsplit("|", n=2).str[0]
        stratum = codes.astype(np.int64)
        cohort = pd.Index(names).get_indexer(pd.Index(cohorts)).astype(np.int64)
        person = pd.factorize(units["person"])[0].astype(np.int64)
        by_cohort = person * (len(names) + 1) + cohort + 1
        by_stratum = person * max(1, len(strata)) + stratum
        return cls(
            times=np.asarray(units["start_utc"].astype("int64"), dtype=np.int64),
            cohort=cohort,
            stratum=stratum,
            hit=units["hit"].to_numpy(dtype=float),
            seen=(
                _last(by_cohort),
                _last(by_stratum),
                _last(by_cohort * max(1, len(strata)) + stratum),
            ),
            cohorts=len(names),
            clients=np.asarray(pd.get_dummies(clients), dtype=np.float64),
            rows=slice(0, len(units)),
        )

    def cut(self, start: datetime | None, end: datetime) -> Grid:
        """Return what lies in the half-open span; without a start, everything before its end."""
        import numpy as np
        import pandas as pd

        first = 0 if start is None else int(np.searchsorted(self.times, pd.Timestamp(start).value))
        return replace(
            self, rows=slice(first, int(np.searchsorted(self.times, pd.Timestamp(end).value)))
        )

    def own(self) -> tuple[Array, Array]:
        """Return people and hits, cohorts down and strata across; a person counts once a cohort."""
        return self._counted(self.seen[0], own=True)

    def elsewhere(self) -> tuple[Array, Array]:
        """Return people and hits outside of each cohort; a person counts once a stratum."""
        import numpy as np

        whole = self._counted(self.seen[1], own=False)
        mine = self._counted(self.seen[2], own=True)
        people, hits = (every[:1] - own for every, own in zip(whole, mine, strict=True))
        # A person's first unit in a stratum may lie outside of the cohort, and the first one inside
        # it count as well: never let that make less than nobody.
        people = np.maximum(people, 0.0)
        return people, np.clip(hits, 0.0, people)

    def _counted(self, seen: Ints, *, own: bool) -> tuple[Array, Array]:
        """Count those whose person was not seen since the span began; all in row 0 if not `own`."""
        import numpy as np

        cohort, stratum = self.cohort[self.rows], self.stratum[self.rows]
        first = seen[self.rows] < self.rows.start
        if own:
            first &= cohort >= 0
        strata = len(self.clients)
        cell = (cohort * strata if own else 0) + stratum
        size = self.cohorts * strata
        people = np.bincount(cell[first], minlength=size).astype(float)
        hits = np.bincount(cell[first], weights=self.hit[self.rows][first], minlength=size)
        shape = (self.cohorts, strata)
        return people.reshape(shape), hits.astype(float).reshape(shape)


def _last(key: Ints) -> Ints:
    """Return for each row where its key stood last before; -1 for nowhere."""
    import numpy as np

    order = np.argsort(key, kind="stable")
    again = key[order[1:]] == key[order[:-1]]
    found = np.full(len(key), -1, dtype=np.int64)
    found[order[1:][again]] = order[:-1][again]
    return found
