"""How often people come to nothing on ordinary days: by client and hour, and by place of late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.evidence import scan, statistics

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import pandas as pd

    from sspr_audit.evidence.material import Material

    Array = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

_PLACE_DAYS: Final = 14
_TENANT_DAYS: Final = 7
"""How many days back it is looked what a place, and what all of them, have shown of late."""
_LATE: Final = (("late_hits", "late_people"), ("place_hits", "place_people"))
_BEYOND: Final = 1_000_000
"""More days than there are, so that a place and a day make one number that sorts by both."""


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Units with what was usual of late when each began, and how alike days are."""

    units: pd.DataFrame
    """In order of time, with the hits and people of late, of tenant and place.

    Names are numbers or categories: every span takes a cut through all of it.
    """
    spread: float
    """How days differ: deviation of log odds."""

    def once(self, bins: pd.Series[Any]) -> pd.DataFrame:
        """Return what became of each person in each of these stretches, with the `usual` share.

        Whoever tries again and gets through has not come to nothing: the last try counts.
        """
        import numpy as np
        import pandas as pd

        person = np.asarray(self.units["person"], dtype=np.int64)
        key = pd.factorize(bins)[0] * (len(person) + 1) + person  # one number is the faster to tell
        last = ~pd.Index(key).duplicated(keep="last")
        return _with_usual(self.units[last].assign(bin=bins[last]))

    def between(self, since: datetime, until: datetime) -> pd.DataFrame:
        """Return what became of each person from `since` until before `until`."""
        start = self.units["start_utc"]
        daily = self.once(start.dt.floor("D").where(~_within(start, since, until)))
        return daily[_within(daily["start_utc"], since, until)]

    def p(self, rows: pd.DataFrame) -> float:
        """Return how often chance gives as many hits among these; 1 for none of them."""
        k, n, expected = rows["hit"].sum(), len(rows), rows["usual"].sum()
        return float(self.p_of(k, n, expected)) if n else 1.0

    def p_of(self, k: Any, n: Any, expected: Any) -> Array:  # noqa: ANN401 - one, or one a row
        """Return how often chance gives `k` hits of `n` where so many are expected."""
        share = expected / n
        alike = statistics.alike(share, self.spread)
        return statistics.betabinomial_upper(k, n, share * alike, (1 - share) * alike)


def ordinary(units: pd.DataFrame, material: Material) -> Ordinary:
    """Return the units with what was usual when each began, which is never what came after it.

    A place that has been in trouble for days is held against these days: an incident of the service
    is what comes on top. `units` have person, place, start_utc, stratum and hit, in order of time.
    """
    known = Ordinary(_with_late(_slim(units)), 0.0)
    # What is looked for must not blur how alike days are.
    daily = known.once(units["start_utc"].dt.floor("D"))
    past = daily[daily["start_utc"] < material.window.start]
    by_day = past.groupby("bin")
    k, n, e = by_day["hit"].sum(), by_day.size().astype(float), by_day["usual"].sum()
    # Days differ by what was not to be expected of them.
    share, of_expected = k.sum() / max(n.sum(), 1), k.sum() / max(e.sum(), 1)
    numbers = material.numbers
    alike = statistics.how_alike(
        k - e * of_expected + n * share, n, numbers["variation"], least=numbers["least_people"]
    )
    return Ordinary(known.units, statistics.spread(share, alike))


def _slim(units: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    named = {name: units[name].astype("category") for name in ("place", "client", "stratum")}
    person = pd.Series(pd.factorize(units["person"])[0], units.index)
    return units[["start_utc", "hit"]].assign(person=person, **named)


def _within(start: pd.Series[pd.Timestamp], since: datetime, until: datetime) -> pd.Series[bool]:
    return start.between(since, until, inclusive="left")


def _with_usual(units: pd.DataFrame) -> pd.DataFrame:
    """Return the units with the share of their stratum, or that of place or tenant if it was more.

    All are shrunk: a place towards the tenant, and the tenant towards the stratum.
    """
    import numpy as np

    hit, stratum = units["hit"].to_numpy(dtype=float), units["stratum"].cat.codes.to_numpy()
    overall = (hit.sum() + 0.5) / (len(hit) + 1)
    hits, people = np.bincount(stratum, hit), np.bincount(stratum)
    usual = ((hits + scan.SHRINK * overall) / (people + scan.SHRINK))[stratum]
    for of_late in _LATE:
        hits, people = (units[name].to_numpy() for name in of_late)
        usual = np.maximum(usual, (hits + scan.SHRINK * usual) / (people + scan.SHRINK))
    return units.assign(usual=usual)


def _with_late(units: pd.DataFrame) -> pd.DataFrame:
    import numpy as np

    start = units["start_utc"]
    day = np.asarray((start - start.min().floor("D")).dt.days, dtype=np.int64)
    place = np.asarray(units["place"].cat.codes, dtype=np.int64)
    hit = units["hit"].to_numpy(dtype=float)
    once = ~units.assign(day=day).duplicated(["person", "place", "day"], "last").to_numpy()
    counts: dict[str, Array] = {}
    spans = ((np.zeros_like(place), _TENANT_DAYS), (place, _PLACE_DAYS))
    for names, (key, days) in zip(_LATE, spans, strict=True):
        late = _late(key, day, hit, once & (key >= 0), days)
        counts |= zip(names, (np.where(key >= 0, one, 0.0) for one in late), strict=True)
    return units.assign(**counts)


def _late(key: Ints, day: Ints, hit: Array, counted: Any, days: int) -> tuple[Array, Array]:  # noqa: ANN401
    """Return hits and people of the same key in the days before each unit's own."""
    import numpy as np

    moment = key * _BEYOND + day
    order = np.argsort(moment[counted], kind="stable")
    known = moment[counted][order]
    below = np.concatenate([[0.0], hit[counted][order].cumsum()])
    low, high = (np.searchsorted(known, moment - back, side="left") for back in (days, 0))
    return below[high] - below[low], (high - low).astype(float)
