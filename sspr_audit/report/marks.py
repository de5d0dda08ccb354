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
    """Name the parts that occur, above the axes."""
    from matplotlib.patches import Patch

    handles = [
        Patch(
            facecolor=colour,
            edgecolor=colours.quiet if name == "open" else colour,
            linewidth=0.6,
            label=name,
        )
        for name, colour in looks.items()
        if counts[name].any()
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 1),
        ncols=len(looks),
        frameon=False,
        fontsize=TEXT - 1,
        labelcolor=colours.ink,
        handlelength=1,
        handleheight=1,
        columnspacing=1.2,
        borderaxespad=0.3,
    )


def plain(axes: Axes, colours: Theme, grid: str) -> None:
    """Leave nothing on the axes but a grid of counts along x or y, and the line they stand on."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=colours.quiet, labelcolor=colours.ink, labelsize=TEXT - 1)
    for side, spine in axes.spines.items():
        spine.set_visible(grid == "y" and side == "bottom")
        spine.set_color(colours.line)
    counts, other = (axes.yaxis, axes.xaxis) if grid == "y" else (axes.xaxis, axes.yaxis)
    other.set_ticks([])
    counts.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    counts.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y" if grid == "y" else "x", color=colours.line, linewidth=0.6)
