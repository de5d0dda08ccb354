"""Lays text out on lines of 80 columns, for pages that need neither colour nor tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from sspr_audit.report import harmless

WIDTH: Final = 80
"""Columns of the page."""


def wrapped(text: str, *, indent: int = 0, mark: str = "") -> list[str]:
    """Return the lines of a paragraph, harmless; `mark` stands before the first of them."""
    pad = " " * indent
    return textwrap.wrap(
        harmless.line(text, bound=None),
        WIDTH,
        initial_indent=pad + mark,
        subsequent_indent=pad + " " * len(mark),
        break_on_hyphens=False,
        break_long_words="://" not in text,  # an address must stay whole
    )


def section(heading: str, texts: Iterable[str], *, mark: str = "") -> Iterator[str]:
    """Yield an empty line, the heading and its paragraphs; nothing where there are none."""
    paragraphs = [text for text in texts if text]
    if paragraphs:
        yield from ("", heading)
        for text in paragraphs:
            yield from wrapped(text, indent=2, mark=mark)


def verbatim(texts: Iterable[str], *, indent: int = 4) -> Iterator[str]:
    """Yield the lines as they are, however long, with nothing but blanks before them."""
    for text in texts:
        yield from (" " * indent + one for one in harmless.lines(text))
