"""Folds what Entra writes in several spellings into one form that can be compared."""

from __future__ import annotations

import re
from typing import Final

_ODD_CHARACTERS: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201b": "'",
        "\u2032": "'",
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u200b": None,
        "\ufeff": None,
    }
)
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_SPELLINGS: Final = (
    (re.compile(r"\bcanceled\b"), "cancelled"),
    (re.compile(r"\bself-serve\b"), "self-service"),
)
_NOTHING: Final = frozenset({"", "none", "null"})


def fold(text: str | None) -> str | None:
    """Return the form of `text` to compare with; None where it says nothing.

    White space is trimmed and collapsed, a final full stop, link mark-up and case are dropped,
    apostrophes are straight; `canceled` is `cancelled` and `self-serve` is `self-service`. The
    texts `None` and `null` say nothing. Folding twice is the same as folding once.
    """
    folded = text or ""
    while (simpler := _simpler(folded)) != folded:  # taking a link away can uncover another
        folded = simpler
    return None if folded in _NOTHING else folded


def _simpler(text: str) -> str:
    text = " ".join(text.translate(_ODD_CHARACTERS).casefold().split())
    text = _LINK.sub(r"\1", text).rstrip(" .")
    for spelling, usual in _SPELLINGS:
        text = spelling.sub(usual, text)
    return text
