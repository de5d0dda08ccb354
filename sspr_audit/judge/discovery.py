"""How many of many suspicions chance alone would make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[np.float64]]


def false_discovery(p: ArrayLike, tests: int) -> Array:
    """Return the q of each of the smallest p of so many tests (Benjamini and Hochberg, 1995).

    Tests whose p is not given count with p = 1.
    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    """
    import numpy as np

    given = np.asarray(p, float)
    if not given.size:
        return given
    order = np.argsort(given, kind="stable")
    raw = given[order] * max(tests, given.size) / np.arange(1, given.size + 1)
    q = np.empty_like(given)
    q[order] = np.minimum(1.0, np.minimum.accumulate(raw[::-1])[::-1])
    return q
