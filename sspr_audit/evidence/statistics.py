"""Exact tests and intervals on counts, one row a place: arrays in, arrays out.

Everything comes from `scipy.special`: `scipy.stats` alone would cost most of a second to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[np.float64]]


def binomial_upper(hits: ArrayLike, tries: ArrayLike, share: ArrayLike) -> Array:
    """Return how often chance gives at least so many hits, at this share a try."""
    import numpy as np
    from scipy import special

    k, n, p = (np.asarray(one, float) for one in (hits, tries, share))
    tail = special.betainc(np.maximum(k, 1e-9), np.maximum(n - k + 1, 1e-9), p)
    return np.where(k <= 0, 1.0, np.where(k > n, 0.0, tail))


def betabinomial_upper(hits: ArrayLike, tries: ArrayLike, a: ArrayLike, b: ArrayLike) -> Array:
    """Return how often chance gives at least so many hits where places differ as Beta(a, b)."""
    import numpy as np
    from scipy import special

    k, n, a, b = np.broadcast_arrays(*(np.asarray(one, float) for one in (hits, tries, a, b)))
    found = np.ones(k.shape)
    for at in np.ndindex(k.shape):
        if k[at] <= 0:
            continue
        j = np.arange(int(k[at]), int(n[at]) + 1, dtype=float)
        ways = (
            special.betaln(j + a[at], n[at] - j + b[at])
            - special.betaln(a[at], b[at])
            - special.betaln(j + 1, n[at] - j + 1)
            - np.log1p(n[at])
        )
        found[at] = min(1.0, float(np.exp(ways).sum()))
    return found


def none_of(tries: ArrayLike, a: ArrayLike, b: ArrayLike) -> Array:
    """Return how often chance gives no hit in so many tries where places differ as Beta(a, b)."""
    import numpy as np
    from scipy import special

    n, a, b = (np.asarray(one, float) for one in (tries, a, b))
    found: Array = np.exp(special.betaln(a, b + n) - special.betaln(a, b))
    return found


def fisher_upper(hits: ArrayLike, tries: ArrayLike, other: ArrayLike, of: ArrayLike) -> Array:
    """Return Fisher's one-sided p: how often `hits` of `tries` is so many against `other` of `of`.

    1 where either side is empty.
    """
    import numpy as np
    from scipy import special

    k, n, m, o = np.broadcast_arrays(*(np.asarray(one, float) for one in (hits, tries, other, of)))

    def choose(whole: Array, part: Array) -> Array:
        ways: Array = -special.betaln(part + 1, whole - part + 1) - np.log1p(whole)
        return ways

    found = np.ones(k.shape)
    for at in np.ndindex(k.shape):
        drawn, total = n[at], k[at] + m[at]
        if drawn <= 0 or o[at] <= 0 or k[at] <= 0:
            continue
        j = np.arange(int(k[at]), int(min(drawn, total)) + 1, dtype=float)
        ways = choose(drawn, j) + choose(o[at], total - j) - choose(drawn + o[at], total)
        found[at] = min(1.0, float(np.exp(ways).sum()))
    return found


def interval(hits: int, tries: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a share; (0, 1) for no tries."""
    from scipy import special

    if tries <= 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = float(special.betaincinv(hits, tries - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, tries - hits, 1 - tail)) if hits < tries else 1.0
    return low, high
