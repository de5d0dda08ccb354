"""What charts are drawn with: bars, squares, a legend, and axes without ornament."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.report.palette import Theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEXT: Final = 10
"""Points; small texts are one less."""

FEW: Final = 10
"""Fewer flows than this show no colour in the heat map: a share of so few says little."""


Looks = Mapping[str, str]
"""The colour of each part of a bar, by its name; `open` is hollow."""


def stacked(
    axes: Axes, counts: pd.DataFrame, looks: Looks, colours: Theme, *, across: bool = False
) -> None:
    """Draw one bar a row, a part of it for each column of `looks` that occurs."""
    half = 0.36 if across else 0.39
    base = [0] * len(counts)
    for name, colour in looks.items():
        values = counts[name].tolist()
        parts = [
            (low, place - half, low + value, place + half)
            if across
            else (place - half, low, place + half, low + value)
            for place, (low, value) in enumerate(zip(base, values, strict=True))
            if value
        ]
        boxes(axes, parts, colour, edge=colours.quiet if name == "open" else colours.paper)
        base = [low + value for low, value in zip(base, values, strict=True)]
    (axes.set_xlim if across else axes.set_ylim)(0, max(base) * 1.05)


def boxes(
    axes: Axes, corners: Sequence[tuple[float, ...]], colour: str, *, edge: str | None = None
) -> None:
    """Draw boxes that look alike, from left, low to right, high, as one shape: it costs as one."""
    import numpy as np
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not corners:
        return
    left, low, right, high = np.array(corners, dtype=float).T
    around = np.array([[left, low], [left, high], [right, high], [right, low]])
    shape = Path.make_compound_path_from_polys(around.transpose(2, 0, 1))
    width = 0 if edge is None else 0.6
    axes.add_artist(PathPatch(shape, facecolor=colour, edgecolor=edge or "none", linewidth=width))


def names(axes: Axes, side: str, names: Mapping[float, str], colours: Theme) -> None:
    """Write names at their places beside the axes: a text costs a fifth of a tick."""
    from matplotlib.transforms import ScaledTranslation

    across, up, ha, va = {
        "left": (-0.06, 0, "right", "center_baseline"),
        "bottom": (0, -0.06, "center", "top"),
        "top": (0, 0.06, "center", "baseline"),
    }[side]
    beside = axes.get_yaxis_transform() if side == "left" else axes.get_xaxis_transform()
    look: dict[str, Any] = {
        "transform": beside + ScaledTranslation(across, up, axes.figure.dpi_scale_trans),
        "ha": ha,
        "va": va,
        "size": TEXT - 1,
        "color": colours.ink,
        "parse_math": False,
    }
    for place, name in names.items():
        x, y = (0, place) if side == "left" else (place, side == "top")
        axes.text(x, y, name, **look)


def steps(axes: Axes, left: float, counts: Sequence[int], flows: int, colours: Theme) -> None:
    """Draw one client's steps from `left` on, each with its share of the flows, which has 1."""
    shares = [count / flows for count in counts]
    high = [(place - 0.33, place + 0.33) for place in range(len(counts))]
    boxes(axes, [(left, low, left + 1, top) for low, top in high], colours.few)
    bars = [(left, low, left + one, top) for one, (low, top) in zip(shares, high, strict=True)]
    boxes(axes, bars, colours.outcomes["succeeded"])
    for place, (count, share) in enumerate(zip(counts, shares, strict=True)):
        inside = share > 0.45  # noqa: PLR2004 -- where the number has room on the bar
        axes.text(
            left + (0.03 if inside else share + 0.03),
            place,
            f"{count:,} ({share:.0%})",
            va="center_baseline",
            size=TEXT - 2,
            color=colours.paper if inside else colours.ink,
        )


def cells(axes: Axes, bad: list[list[float]], total: list[list[int]], colours: Theme) -> None:
    """Draw the squares of the heat map with their shares and counts."""
    steps = len(colours.shares)
    text: dict[str, Any] = {"ha": "center", "va": "center_baseline", "size": TEXT - 1}
    filled: dict[str, list[tuple[float, ...]]] = {}
    for row, (bads, totals) in enumerate(zip(bad, total, strict=True)):
        for column, (count, flows) in enumerate(zip(bads, totals, strict=True)):
            if not flows:
                axes.text(column, row, "no flow", color=colours.quiet, **text)
                continue
            step = min(int(count / flows * steps), steps - 1)
            known = flows >= FEW
            box = (column - 0.485, row - 0.46, column + 0.485, row + 0.46)
            filled.setdefault(colours.shares[step] if known else colours.few, []).append(box)
            told = f"{count / flows:.0%}   {int(count):,} of {flows:,}"
            ink = colours.on_shares[step] if known else colours.quiet
            axes.text(column, row, told, color=ink, **text)
    for colour, corners in filled.items():
        boxes(axes, corners, colour)
    axes.set_xlim(-0.5, len(bad[0]) - 0.5)
    axes.set_ylim(len(bad) - 0.5, -0.5)


def scale(figure: Figure, height: float, colours: Theme) -> None:
    """Tell in the corner what the colours of the heat map mean."""
    from matplotlib.patches import Rectangle

    top = 1 - 0.16 / height
    size: dict[str, Any] = {"va": "center", "size": TEXT - 2, "color": colours.quiet}
    figure.text(0.22, top, f"ended without success; grey: fewer than {FEW} flows", **size)
    for step, colour in enumerate(colours.shares):
        left = 0.765 + step * 0.03
        box = (left, top - 0.05 / height), 0.027, 0.1 / height
        figure.patches.append(
            Rectangle(*box, facecolor=colour, linewidth=0, transform=figure.transFigure)
        )
    figure.text(0.755, top, "0 %", ha="right", **size)
    figure.text(0.92, top, "100 %", **size)


def legend(figure: Figure, counts: pd.DataFrame, looks: Looks, colours: Theme) -> None:
    """Name the parts that occur, above the axes; matplotlib's own legend costs as much as a chart.

    A letter is taken to be as wide as most are, so that no font has to be measured.
    """
    from matplotlib.patches import Rectangle

    inches: dict[str, Any] = {"transform": figure.dpi_scale_trans}
    left, top = 0.06, figure.get_figheight() - 0.21
    for name, colour in looks.items():
        if not counts[name].any():
            continue
        edge = colours.quiet if name == "open" else colour
        look: dict[str, Any] = {"facecolor": colour, "edgecolor": edge, "linewidth": 0.6}
        figure.add_artist(Rectangle((left, top), 0.12, 0.12, **look, **inches))
        told: dict[str, Any] = {"size": TEXT - 1, "color": colours.ink, **inches}
        figure.text(left + 0.2, top + 0.015, name, **told)
        left += 0.42 + 0.068 * len(name)


def axis(axes: Axes, side: str, title: str, colours: Theme) -> None:
    """Write what runs along the axes, beyond the names there."""
    from matplotlib.transforms import ScaledTranslation

    up = side == "left"
    x, y = (-0.42, 0) if up else (0, -0.26)
    away = ScaledTranslation(x, y, axes.figure.dpi_scale_trans)
    look: dict[str, Any] = {"ha": "center", "size": TEXT - 1, "color": colours.quiet}
    look |= {"va": "center", "rotation": 90} if up else {"va": "top"}
    axes.text(0 if up else 0.5, 0.5 if up else 0, title, transform=axes.transAxes + away, **look)


def plain(axes: Axes, colours: Theme, grid: str) -> None:
    """Leave nothing on the axes but a grid of counts along x or y.

    Lines and numbers are drawn as one shape and as names: matplotlib's own axis costs five times
    as much.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.ticker import MaxNLocator

    axes.set_axis_off()
    up = grid == "y"
    _, most = axes.get_ylim() if up else axes.get_xlim()
    start, end = axes.get_xlim() if up else axes.get_ylim()
    places = MaxNLocator(5, integer=True, min_n_ticks=1).tick_values(0, most)
    counts = [int(place) for place in places if 0 <= place <= most]
    ends = [(count, place) for count in counts for place in (start, end)]
    points = [one[::-1] if up else one for one in ends]
    lines = Path(points, [Path.MOVETO, Path.LINETO] * len(counts))
    look: dict[str, Any] = {"edgecolor": colours.line, "linewidth": 0.6, "zorder": 0.5}
    axes.add_artist(PathPatch(lines, fill=False, clip_on=False, **look))  # the last is on the edge
    names(axes, "left" if up else "bottom", {count: f"{count:,}" for count in counts}, colours)
