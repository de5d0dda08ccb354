"""How long the next window is, after what became of the last ones."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from sspr_audit.model import Window
from sspr_audit.sources.graph import windows
from sspr_audit.sources.graph.errors import ChainBroken, TooHeavy

RESTARTS: Final = 3
"""How often a window is asked for again whose chain of pages broke, before it is made shorter."""

PATIENCE: Final = 4
"""Windows that may fail before the service has given a single page."""

HURRY: Final = 8
"""How many times shorter each of those is than the one before."""


class Pieces:
    """Cuts spans into windows that the service bears."""

    def __init__(self) -> None:
        self._length: timedelta | None = None
        """None: as long as there is something to ask for."""
        self._breaks: Counter[Window] = Counter()
        self._failures = 0
        self._has_page = False

    def newest(self, span: Window) -> Window:
        """Return the next window: the span, or its end."""
        return windows.newest(span, self._length)

    def begin_anew(self) -> None:
        """Forget the length: another question has another density."""
        self._length = None

    def is_too_long(self, window: Window, reached: datetime) -> bool:
        """Say, by the first of several pages, whether a shorter window is worth a request more."""
        length = windows.too_long(window, reached)
        if length is None:
            return False
        self._length = length
        return True

    def gave_page(self) -> None:
        """Note that the service does answer."""
        self._has_page = True

    def came(self, window: Window, pages: int) -> None:
        """Note that a window came whole: the next follows its density."""
        if self._length is not None and window.end - window.start >= self._length:
            self._length = windows.next_length(window, pages)

    def failed(self, window: Window, error: TooHeavy | ChainBroken) -> bool:
        """Say whether to ask again: for the same, or for less; if not, the window is a gap.

        Raises the error where the service has not given a page yet, nor will it.
        """
        self._failures += 1
        if not self._has_page and self._failures >= PATIENCE:
            raise error
        self._breaks[window] += 1
        if isinstance(error, ChainBroken) and self._breaks[window] <= RESTARTS:
            return True
        length = windows.shorter(window, parts=2 if self._has_page else HURRY)
        if length is not None:
            self._length = length
        return length is not None
