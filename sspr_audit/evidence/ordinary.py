"""How often people come to nothing on ordinary days: by client and hour, and by place of late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.evidence import absent, scan, statistics

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
_BEYOND: Final = 1_000_000
"""More days than there are, so that a place and a day make one number that sorts by both."""


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Units with the share to expect of each in `usual`, and how alike days are."""

    units: pd.DataFrame
    alike: float
    """As the size of a Beta prior."""

    def p(self, rows: pd.DataFrame) -> float:
        """Return how often chance gives as many hits among these units; 1 for none of them."""
        k, n, expected = rows["hit"].sum(), len(rows), rows["usual"].sum()
        return float(self.p_of(k, n, expected)) if n else 1.0

    def p_of(self, k: Any, n: Any, expected: Any) -> Array:  # noqa: ANN401 - one, or one a row
        """Return how often chance gives `k` hits of `n` where so many are expected."""
        share = expected / n
        return statistics.betabinomial_upper(k, n, share * self.alike, (1 - share) * self.alike)


def ordinary(units: pd.DataFrame, material: Material) -> Ordinary:
    """Return the units with what was usual when each began, which is never what came after it.

    A place that has been in trouble for days is held against these days: an incident of the service
    is what comes on top. `units` have person, place, start_utc, stratum and hit, in order of time.
    """
    with_usual = units.assign(usual=_usual(units))
    # What is looked for must not blur how alike days are.
    past = _daily(with_usual)
    past = past[past["start_utc"] < material.window.start]
    by_day = past.groupby(past["start_utc"].dt.floor("D"))
    k, n, e = by_day["hit"].sum(), by_day.size(), by_day["usual"].sum()
    mean = k.sum() / max(len(past), 1)
    return Ordinary(with_usual, absent.how_alike(k - e + mean * n, n.astype(float), material))


def at(units: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    """Return the first unit of each person who came from `since` until before `until`."""
    inside = units["start_utc"].between(since, until, inclusive="left")
    return units[inside].drop_duplicates("person")


def _daily(units: pd.DataFrame) -> pd.DataFrame:
    """Return each person's first unit of a day at each place."""
    day = units["start_utc"].dt.floor("D")
    return units[~units.assign(day=day).duplicated(["person", "place", "day"])]


def _usual(units: pd.DataFrame) -> Array:
    """Return the share of each unit's stratum, or that of its place or the tenant if it was more.

    All are shrunk: a place towards the tenant, and the tenant towards the stratum.
    """
    import numpy as np
    import pandas as pd

    overall = (units["hit"].sum() + 0.5) / (len(units) + 1)
    table = units.groupby("stratum")["hit"].agg(["sum", "size"])
    share = (table["sum"] + scan.SHRINK * overall) / (table["size"] + scan.SHRINK)
    usual = units["stratum"].map(share).to_numpy(dtype=float)
    once = units.index.isin(_daily(units).index)
    start = units["start_utc"]
    day = (start - start.min().floor("D")).dt.days.to_numpy(dtype=np.int64)
    place = pd.factorize(units["place"])[0].astype(np.int64)
    hit = units["hit"].to_numpy(dtype=float)
    for key, days in ((np.zeros_like(place), _TENANT_DAYS), (place, _PLACE_DAYS)):
        hits, people = _late(key, day, hit, once & (key >= 0), days)
        late = (hits + scan.SHRINK * usual) / (people + scan.SHRINK)
        usual = np.where(key >= 0, np.maximum(usual, late), usual)
    return usual


def _late(key: Ints, day: Ints, hit: Array, counted: Any, days: int) -> tuple[Array, Array]:  # noqa: ANN401
    """Return hits and people of the same key in the days before each unit's own."""
    import numpy as np

    moment = key * _BEYOND + day
    order = np.argsort(moment[counted], kind="stable")
    sorted_ = moment[counted][order]
    below = np.concatenate([[0.0], hit[counted][order].cumsum()])
    low, high = (np.searchsorted(sorted_, moment - back, side="left") for back in (days, 0))
    return below[high] - below[low], (high - low).astype(float)
