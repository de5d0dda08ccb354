"""When a pattern began and ended, with intervals, and what was changed in the tenant before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.evidence.material import Material
from sspr_audit.evidence.wording import day
from sspr_audit.model import Kind, Signal, State

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

LEVEL: Final = 0.95
"""How sure the intervals are: 19 times of 20."""

BEFORE: Final = timedelta(hours=24)
"""How long before a beginning a change may lie that it is worth a word."""

_EDGES: Final = 320
"""At how many places at most a sequence is cut; every pair of cuts is weighed."""


@dataclass(frozen=True, slots=True)
class Onset:
    """One stretch of time in which something was more (or less) frequent than outside of it."""

    begin: datetime
    """The first observation inside."""
    between: tuple[datetime, datetime]
    """Between which times it began, 19 times of 20."""
    last: datetime
    """The last observation inside."""
    ended: tuple[datetime, datetime] | None
    """Between which times it ended; None where it may go on."""
    p: float
    """A bound on how often chance alone puts as clear a stretch anywhere in the sequence."""


def dated(times: pd.Series[pd.Timestamp], hits: pd.Series[bool], *, rises: bool = True) -> Onset:
    """Return the stretch in which `hits` are most clearly more frequent, or less if not `rises`.

    `times` are in order, one observation a person and day.
    Every stretch is weighed against an even spread of the same number of hits over the sequence.
    The mean of these ratios has the expectation 1 if nothing changed, so its inverse bounds p
    whatever was scanned (Markov), without any permutation.
    Raises ValueError for an empty sequence.
    """
    import numpy as np

    if not len(times):
        msg = "no observations, so no beginning"
        raise ValueError(msg)
    size = len(times)
    edges = np.unique(np.linspace(0, size, min(size, _EDGES) + 1).round().astype(int))
    ratios = _log_ratios(np.asarray(hits, dtype=np.float64), edges, rises=rises)
    most = float(ratios.max())
    if most == -np.inf:
        first, final = _moment(times, 0), _moment(times, size - 1)
        return Onset(first, (first, final), final, None, 1.0)
    weights = np.exp(ratios - most)  # the ratios themselves may be beyond any number
    total = float(weights.sum())
    begins, ends = weights.sum(axis=1) / total, weights.sum(axis=0) / total
    best = np.unravel_index(int(weights.argmax()), weights.shape)
    low, high = _central(begins, edges)
    start, stop = int(edges[best[0]]), int(edges[best[1]])
    ended = None
    if ends[-1] <= 1 - LEVEL:
        over = _central(ends, edges)
        ended = _moment(times, over[0] - 1), _moment(times, min(over[1], size - 1))
    return Onset(
        begin=_moment(times, start),
        between=(_moment(times, low - 1), _moment(times, min(high, size - 1))),
        last=_moment(times, stop - 1),
        ended=ended,
        p=float(np.exp(min(0.0, -most - np.log(total)))),
    )


def _log_ratios(hits: Array, edges: np.ndarray[Any, np.dtype[np.int64]], *, rises: bool) -> Array:
    """Return the log of each pair's prior times how much better a stretch between the cuts fits.

    Given the number of hits, an even spread makes every order of them equally likely; a stretch
    has a share of its own, uniform, and so has the rest.
    Half of the prior is for stretches that have not ended.
    """
    import numpy as np
    from scipy import special

    size, total = len(hits), hits.sum()
    below = np.concatenate([[0.0], hits.cumsum()])[edges]
    n = (edges[None, :] - edges[:, None]).astype(float)
    k = below[None, :] - below[:, None]
    fits = (n > 0) & (n < size)
    n, k = np.where(fits, n, 1.0), np.where(fits, k, 0.0)
    rest, missed = size - n, total - k
    more = k * rest > missed * n if rises else k * rest < missed * n
    feasible = np.minimum(total, n) - np.maximum(0.0, total - rest) + 1
    right = fits & more & (missed >= 0) & (missed <= rest) & (k <= n)
    k, missed = np.where(right, k, 0.0), np.where(right, missed, 0.0)
    log = (
        special.betaln(k + 1, n - k + 1)
        + special.betaln(missed + 1, rest - missed + 1)
        + np.log((n + 1) * (rest + 1) / feasible)
        - special.betaln(total + 1, size - total + 1)
        - np.log1p(size)
    )
    open_end = np.zeros_like(n, dtype=bool)
    open_end[:, -1] = True
    prior = np.zeros_like(n)
    for part in (fits & open_end, fits & ~open_end):
        prior[part] = 0.5 / max(int(part.sum()), 1)
    found: Array = np.full_like(n, -np.inf)
    found[right] = np.log(prior[right]) + log[right]
    return found


def _central(shares: Array, edges: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[int, int]:
    """Return the first and last cut of the fewest that hold the level together."""
    import numpy as np

    order = np.argsort(-shares, kind="stable")
    enough = int(np.searchsorted(shares[order].cumsum(), LEVEL)) + 1
    kept = edges[order[:enough]]
    return int(kept.min()), int(kept.max())


def _moment(times: pd.Series[pd.Timestamp], at: int) -> datetime:
    moment: datetime = times.iloc[max(at, 0)].to_pydatetime(warn=False)
    return moment


def sudden(onset: Onset, corroborates: float) -> Signal:
    """It began at one time: before, it was as usual."""
    low, high = onset.between
    fired = onset.p <= corroborates
    text = (
        f"It began between {day(low)} and {day(high)}"
        if fired
        else "It shows no beginning that stands out from chance"
    )
    if fired and onset.ended:
        text += f", and ended between {day(onset.ended[0])} and {day(onset.ended[1])}"
    state = State.of(fired)
    value = onset.begin.strftime("%Y-%m-%dT%H:%M:%SZ") if fired else None
    return Signal("sudden-onset", Kind.TIME, state, text, value, p=onset.p)


def changed_before(material: Material, between: tuple[datetime, datetime] | None) -> Signal:
    """What was changed in the tenant's policies in the 24 hours before it began.

    It fires only where changes are so rare that one in that time is no chance. Where nothing was
    ever seen to be otherwise, it is not known when it began.
    """
    import math

    changes, name = material.changes, "changed-before"
    if between is None:
        text = "When it began is not known, and so neither what was changed before"
        needs = "audit records that reach back to when it worked"
        return Signal(name, Kind.TIME, State.UNKNOWN, text, needs=needs)
    if changes.empty:
        return Signal(
            name,
            Kind.TIME,
            State.UNKNOWN,
            "Whether a policy was changed before is not known: the data hold no policy changes",
            needs="audit records of policy changes (categories Policy and ApplicationManagement)",
        )
    low, high = between
    near = changes[(changes["time_utc"] >= low - BEFORE) & (changes["time_utc"] <= high)]
    # An administrator saves several times while at work: an hour with changes is one change.
    hours = changes["time_utc"].dt.floor("h").nunique()
    span = material.baseline.end - material.baseline.start
    p = -math.expm1(-hours * ((high - low + BEFORE) / span))
    if near.empty:
        text = f"No policy was changed from 24 hours before {day(low)} until {day(high)}"
        return Signal(name, Kind.TIME, State.QUIET, text, 0, p=1.0)
    last = near.sort_values(["time_utc", "event_id"]).iloc[-1]
    ago = (high - last["time_utc"]).total_seconds() / 3600
    quotes = tuple(one for one in (last["activity"], last["actor"]) if isinstance(one, str))
    by = f" by {last['actor']}" if isinstance(last["actor"], str) else ""
    text = f"“{last['activity']}”{by} {day(last['time_utc'])}, {ago:.0f} h before {day(high)}"
    if p > material.numbers["corroborates"]:
        text += "; policies change so often here that this may be chance"
    state = State.of(material.agrees(p))
    return Signal(name, Kind.TIME, state, text, len(near), p=p, quotes=quotes)
