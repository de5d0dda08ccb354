"""The stretches of days that are looked at: short enough for a short outage, few enough to bear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sspr_audit.evidence.material import Material
from sspr_audit.model import Window

_LONG: Final = (1, 2, 4, 7, 14, 28, 90)
"""Lengths in days of the spans that end with the window."""
_SHORT: Final = (1, 2, 4)
"""Lengths, in steps, of the spans that ended before it."""
_STEPS: Final = 28
"""The window is stepped through by days, or in so many steps where it is longer."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that is looked at, with its part of the error that scanning may make."""

    start: datetime
    end: datetime
    part: float
    """The parts of all spans add up to 1: p divided by it holds whichever span is taken."""


def spans(material: Material) -> list[Span]:
    """Return the spans to look at: some that end with the window, some that ended inside it."""
    window, baseline = material.window, material.baseline
    long = {max(window.end - days * _DAY, baseline.start) for days in _LONG}
    ending = [Window(start, window.end) for start in sorted(long)]
    step = max(_DAY, (window.end - window.start) / _STEPS)
    inner = []
    end = window.end - step
    while end > window.start:
        starts = {max(end - length * step, baseline.start) for length in _SHORT}
        inner += [Window(start, end) for start in sorted(starts) if start < end]
        end -= step
    share = 0.5 if inner else 1.0
    return [
        *(Span(one.start, one.end, share / len(ending)) for one in ending),
        *(Span(one.start, one.end, 0.5 / len(inner)) for one in inner),
    ]
