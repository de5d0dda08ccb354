"""What charts are drawn with: bars, squares, a legend, and axes without ornament."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import OUTCOMES
from sspr_audit.report.palette import Theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEXT: Final = 10
"""Points; small texts are one less."""

FEW: Final = 10
"""Fewer flows than this show no colour in the heat map: a share of so few says little."""


def stacked(axes: Axes, counts: pd.DataFrame, colours: Theme, *, across: bool = False) -> None:
    """Draw one bar a row, a part of it for each outcome that occurs; a hollow part is open."""
    base = [0] * len(counts)
    for outcome in OUTCOMES:
        values = counts[outcome].tolist()
        if not any(values):
            continue
        edge = colours.quiet if outcome == "open" else colours.paper
        look: dict[str, Any] = {
            "color": colours.outcomes[outcome],
            "edgecolor": edge,
            "linewidth": 0.6,
        }
        places = [place for place, value in enumerate(values) if value]
        parts, starts = [values[one] for one in places], [base[one] for one in places]
        if across:
            axes.barh(places, parts, 0.72, left=starts, **look)
        else:
            axes.bar(places, parts, 0.78, bottom=starts, **look)
        base = [low + value for low, value in zip(base, values, strict=True)]


def steps(axes: Axes, counts: Sequence[int], flows: int, colours: Theme) -> None:
    """Draw one client's steps, each with its share of the flows and how many it is."""
    places = range(len(counts))
    axes.barh(places, [1] * len(counts), 0.66, color=colours.few)
    shares = [count / flows for count in counts]
    axes.barh(places, shares, 0.66, color=colours.outcomes["succeeded"])
    for place, (count, share) in enumerate(zip(counts, shares, strict=True)):
        inside = share > 0.45  # noqa: PLR2004 -- where the number has room on the bar
        axes.text(
            0.03 if inside else share + 0.03,
            place,
            f"{count:,} ({share:.0%})",
            va="center",
            size=TEXT - 2,
            color=colours.paper if inside else colours.ink,
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(len(counts) - 0.5, -0.5)
    axes.set_xticks([])


def cells(axes: Axes, bad: list[list[float]], total: list[list[int]], colours: Theme) -> None:
    """Draw the squares of the heat map with their shares and counts."""
    from matplotlib.patches import Rectangle

    steps = len(colours.shares)
    text: dict[str, Any] = {"ha": "center", "va": "center", "size": TEXT - 1}
    for row, (bads, totals) in enumerate(zip(bad, total, strict=True)):
        for column, (count, flows) in enumerate(zip(bads, totals, strict=True)):
            if not flows:
                axes.text(column, row, "no flow", color=colours.quiet, **text)
                continue
            step = min(int(count / flows * steps), steps - 1)
            known = flows >= FEW
            face = colours.shares[step] if known else colours.few
            box = Rectangle((column - 0.485, row - 0.46), 0.97, 0.92, facecolor=face, linewidth=0)
            axes.add_patch(box)
            told = f"{count / flows:.0%}   {int(count):,} of {flows:,}"
            ink = colours.on_shares[step] if known else colours.quiet
            axes.text(column, row, told, color=ink, **text)
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


def legend(figure: Figure, counts: pd.DataFrame, colours: Theme) -> None:
    """Name the outcomes that occur, above the axes."""
    from matplotlib.patches import Patch

    handles = [
        Patch(
            facecolor=colours.outcomes[outcome],
            edgecolor=colours.quiet if outcome == "open" else colours.outcomes[outcome],
            linewidth=0.6,
            label=outcome,
        )
        for outcome in OUTCOMES
        if counts[outcome].any()
    ]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 1),
        ncols=len(OUTCOMES),
        frameon=False,
        fontsize=TEXT - 1,
        labelcolor=colours.ink,
        handlelength=1,
        handleheight=1,
        columnspacing=1.2,
        borderaxespad=0.3,
    )


def plain(axes: Axes, colours: Theme, *, grid: str | None) -> None:
    """Leave nothing on the axes that carries no meaning."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=colours.quiet, labelcolor=colours.ink, labelsize=TEXT - 1)
    for side, spine in axes.spines.items():
        spine.set_visible(grid == "y" and side == "bottom")
        spine.set_color(colours.line)
    if grid is not None:
        numbers: Any = axes.yaxis if grid == "y" else axes.xaxis
        numbers.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        numbers.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.grid(axis="y" if grid == "y" else "x", color=colours.line, linewidth=0.6)
