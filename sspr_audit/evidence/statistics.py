"""Exact tests on counts of people at many places at once, and how alike places are.

They take arrays, one row a place, and give arrays. They come from `scipy.special`: `scipy.stats`
alone would cost most of a second to import.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[np.float64]]

PORTION: Final = 250_000
"""How many chances are held at once; each takes some tens of bytes."""

_TOLD: Final = 5
"""Places or times from which on they tell as much of how alike they are as is believed anyway."""

_LEAST: Final = 1e-3
"""No places are so alike that the share of one says more of another than a thousand people do."""


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
    some = k > 0
    found = np.ones(k.shape)
    tails = []
    for first, of, alpha, beta in _portions(k[some], n[some], a[some], b[some]):
        j, row = _up_to(first, of)
        ways = (
            special.betaln(j + alpha[row], of[row] - j + beta[row])
            - special.betaln(alpha, beta)[row]
            - special.betaln(j + 1, of[row] - j + 1)
            - np.log1p(of)[row]
        )
        tails.append(_summed(ways, row, len(first)))
    found[some] = np.concatenate([np.ones(0), *tails])
    return found


def _portions(first: Array, last: Array, *others: Array) -> Iterator[tuple[Array, ...]]:
    """Yield rows whose numbers from `first` to `last` are few enough to be held at once."""
    import numpy as np

    ends = np.maximum(last - first + 1, 0).cumsum()
    cuts = np.flatnonzero(np.diff(ends // PORTION)) + 1
    for some in np.split(np.arange(len(first)), cuts):
        yield first[some], last[some], *(one[some] for one in others)


def _up_to(first: Array, last: Array) -> tuple[Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return every whole number from each `first` to its `last`, with the row it belongs to."""
    import numpy as np

    counts = np.maximum(last - first + 1, 0).astype(np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    begins = np.repeat(counts.cumsum() - counts, counts)
    return first[row] + (np.arange(len(row)) - begins), row


def _summed(logs: Array, row: np.ndarray[Any, np.dtype[np.int64]], rows: int) -> Array:
    """Return the sum of the chances of each row, which are given as logarithms."""
    import numpy as np

    found: Array = np.minimum(np.bincount(row, weights=np.exp(logs), minlength=rows), 1.0)
    return found


def alike(share: ArrayLike, spread: float) -> Array:
    """Return the size of the Beta prior of such a share where log odds differ by this deviation.

    Where something is seldom done, places differ by less than where half of all people do it: the
    variance of a share is about that of its log odds times (share * (1 - share)) squared.
    """
    import numpy as np

    p = np.asarray(share, float)
    found: Array = 1 / np.maximum(spread**2 * p * (1 - p), _LEAST) - 1
    return found


def spread(share: float, size: float) -> float:
    """Return the deviation of log odds that a Beta prior of this size gives such a share."""
    chance = max(share * (1 - share), _LEAST)
    return float((1 / (size + 1) / chance) ** 0.5)


def against(hits: int, of: int, others: int, among: int, spread: float) -> float:
    """Return how often chance gives `hits` of `of` people where `others` of `among` elsewhere hit.

    Log odds of the two differ by a deviation of `spread`.
    """
    usual = (others + 0.5) / (among + 1)
    sure = prior(usual, spread, among + 1)
    return float(betabinomial_upper(hits, of, usual * sure, (1 - usual) * sure))


def joined(one: float, other: float) -> float:
    """Return how often chance alone makes two independent p as small together (Fisher, 1925)."""
    both = one * other
    return min(1.0, both * (1 - math.log(both))) if both else 0.0


def prior(share: ArrayLike, spread: float, people: ArrayLike) -> Array:
    """Return the size of the Beta prior of a share that was counted elsewhere, on so many people.

    Log odds of the two differ by a deviation of `spread`, and those people are but a sample.
    """
    import numpy as np

    found: Array = 1 / (1 / alike(share, spread) + 1 / np.asarray(people, float))
    return found


def how_alike(hits: ArrayLike, tries: ArrayLike, spread: float, *, least: float) -> float:
    """Return how alike places or times are, as the size of a Beta prior; few of them say little.

    Where nothing tells, their log odds differ by a deviation of `spread`; those of fewer tries than
    `least` are left out.
    """
    return float(_alike(_parts(hits, tries, least).sum(axis=1), spread))


def others_alike(hits: ArrayLike, tries: ArrayLike, spread: float, *, least: float) -> Array:
    """Return for each place how alike the others are: what it is held against must not tell of it.

    The rest is as for `how_alike`.
    """
    parts = _parts(hits, tries, least)
    return _alike(parts.sum(axis=1, keepdims=True) - parts, spread)


def _parts(hits: ArrayLike, tries: ArrayLike, least: float) -> Array:
    """Return what each place adds to the moments of all; nothing where it is too small."""
    import numpy as np

    k, n = np.asarray(hits, float), np.asarray(tries, float)
    big = n >= least
    n = np.maximum(n, 1e-9)
    return np.where(big, np.stack([np.ones_like(n), k, n, k * k / n, n * n]), 0.0)


def _alike(parts: Array, spread: float) -> Array:
    """Return the size of the Beta prior that moments of places give.

    A small place differs by chance alone, so each counts by how much it can tell; and the more of
    all people are at one place, the less does its share differ from that of all.
    """
    import numpy as np

    places, k, n, squares, sizes = parts
    mean = k / np.maximum(n, 1)
    expected = mean * (1 - mean)
    # What the shares differ by from that of all, less what chance alone would make.
    excess = squares - k * mean - (places - 1) * expected
    tell = n - sizes / np.maximum(n, 1) - (places - 1)
    seen = np.clip(excess / np.maximum(tell * expected, 1e-9), _LEAST, 0.5)
    # Where nobody is known, so is no share: even chances let places differ most.
    usual = 1 / (alike((k + 0.5) / (n + 1), spread) + 1)
    weight = np.where(places > 1, places / (places + _TOLD), 0.0)
    found: Array = 1 / (weight * seen + (1 - weight) * usual) - 1
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

    some = (n > 0) & (o > 0) & (k > 0)
    found = np.ones(k.shape)
    first, drawn, of_rest = k[some], n[some], o[some]
    total = first + m[some]
    j, row = _up_to(first, np.minimum(drawn, total))
    ways = (
        choose(drawn[row], j)
        + choose(of_rest[row], total[row] - j)
        - choose(drawn + of_rest, total)[row]
    )
    found[some] = _summed(ways, row, len(first))
    return found
