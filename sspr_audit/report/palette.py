"""The colours of charts and pages, light and dark, told apart by colour-blind readers too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, as #rrggbb."""

    paper: str
    ink: str
    quiet: str
    """Of text that matters less; still 4.5 : 1 against the paper."""
    line: str
    """Of axes and grids."""
    few: str
    """Behind a share that rests on too few."""
    outcomes: Mapping[str, str]
    shares: tuple[str, ...]
    """From none to all, in equal steps."""
    on_shares: tuple[str, ...]
    """The ink on each of `shares`."""

    def colours(self) -> dict[str, str]:
        """Return every colour by a name, such as `failed` or `share-2`."""
        steps = {f"share-{place}": colour for place, colour in enumerate(self.shares)}
        inks = {f"on-share-{place}": colour for place, colour in enumerate(self.on_shares)}
        plain = {name: getattr(self, name) for name in ("paper", "ink", "quiet", "line", "few")}
        return {**plain, **self.outcomes, **steps, **inks}


LIGHT: Final = Theme(
    paper="#ffffff",
    ink="#1c2430",
    quiet="#5a6575",
    line="#d5dae2",
    few="#f1f3f6",
    outcomes={
        "succeeded": "#3f74b5",
        "blocked": "#4a2377",
        "failed": "#c8331d",
        "cancelled": "#848d9a",
        "abandoned": "#eda62f",
        "open": "#fefefe",
    },
    shares=("#eaf1f9", "#fbe8cc", "#f5bd84", "#de7547", "#a82a1b"),
    on_shares=("#1c2431", "#1c2432", "#1c2433", "#14181f", "#fffffe"),
)

DARK: Final = Theme(
    paper="#171b22",
    ink="#e7ebf1",
    quiet="#a3adbb",
    line="#3a4351",
    few="#222833",
    outcomes={
        "succeeded": "#5b97dd",
        "blocked": "#e2ccff",
        "failed": "#e5543d",
        "cancelled": "#7c8696",
        "abandoned": "#f6c665",
        "open": "#171b23",
    },
    shares=("#22354b", "#4a3c28", "#7d4f26", "#b9552e", "#f0705a"),
    on_shares=("#e7ebf0", "#e7ebf2", "#fdfdfe", "#ffffff", "#14181e"),
)

THEMES: Final[Mapping[str, Theme]] = {"light": LIGHT, "dark": DARK}
