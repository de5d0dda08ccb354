"""Frames of flows to matplotlib figures, for pages, mails and notebooks alike.

Each function takes a frame with the columns that its docstring names, as in `tables.FLOWS`, and
returns a Figure that belongs to nobody: no pyplot, no global state. A frame without rows gives a
figure that says so. `write_svg` and `write_png` give the same bytes for the same figure.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import OUTCOMES
from sspr_audit.report import harmless, marks
from sspr_audit.report.palette import THEMES, Theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CLIENTS: Final = 4
SITES: Final = 12
ADDRESSES: Final = 12
"""How many clients, sites and addresses a chart shows, those with the most flows."""

STAGES: Final = {
    10: "gave the user name",
    20: "saw ways to verify",
    30: "began to verify",
    50: "passed the checks",
    60: "sent a new password",
    80: "done",
}
"""The steps of the funnel: ranks of `stage`, and what the person had done."""

_WIDTH: Final = 6.4
"""Inches."""
_NAME: Final = 26
_NARROW: Final = 17
"""Characters of a name beside an axis, and above a column."""
_PITCH: Final = 1.11
"""From one client of the funnel to the next, of whom each has 1."""
_MANY_DAYS: Final = 14
"""From more days than this, only some of them are written below the axis."""
_SALT: Final = "sspr-audit"
"""What ids inside an SVG are made from, so that they are the same every time."""


def flows_per_day(flows: pd.DataFrame, *, theme: str = "light") -> Figure:
    """Return flows per UTC day as bars, stacked by how they ended.

    Needs the columns `start_utc` and `outcome`. Days without a flow stand there, empty.
    """
    import pandas as pd

    days = flows["start_utc"].dt.tz_convert("UTC").dt.floor("D")
    counts = _counted([days], flows["outcome"]).reindex(columns=[*OUTCOMES], fill_value=0)
    if not len(counts):
        return _nothing("Flows per day", theme)
    counts = counts.reindex(pd.date_range(counts.index.min(), counts.index.max()), fill_value=0)
    return _per_day(counts, THEMES[theme].outcomes, theme)


def at_signin_screen(
    flows: pd.DataFrame, site: str | None = None, *, theme: str = "light"
) -> Figure:
    """Return flows per UTC day of a site: those at the Windows sign-in screen, and the others.

    Needs the columns `start_utc`, `site` and `client`; None stands for all flows. The days are
    those of the whole frame, so that a silence shows from its beginning; what share is usual at
    the other named sites stands above.
    """
    import pandas as pd

    here = flows["client"].notna() if site is None else flows["site"].eq(site)
    if not here.any():
        return _nothing("At the Windows sign-in screen", theme)
    days = flows["start_utc"].dt.tz_convert("UTC").dt.floor("D")
    is_there = flows["client"].eq("windows-signin")
    looks = {"at the sign-in screen": "succeeded", "not there, or not recorded": "cancelled"}
    there, other = looks
    counts = _counted([days[here]], is_there[here].map({True: there, False: other}))
    counts = counts.reindex(pd.date_range(days.min(), days.max()), fill_value=0)
    counts = counts.reindex(columns=[*looks], fill_value=0)
    outcomes = THEMES[theme].outcomes
    figure = _per_day(counts, {name: outcomes[one] for name, one in looks.items()}, theme)
    elsewhere = is_there[flows["site"].notna() & ~here]
    if len(elsewhere):
        told = f"at other named sites {elsewhere.mean():.0%} of {len(elsewhere):,} flows"
        look: dict[str, Any] = {"size": marks.TEXT - 1, "color": THEMES[theme].quiet}
        figure.text(0.985, 0.975, told, ha="right", va="top", **look)
    return figure


def _per_day(counts: pd.DataFrame, looks: marks.Looks, theme: str) -> Figure:
    """Return a bar a day, in parts that have `looks`; the index of `counts` holds the days."""
    figure, colours = _blank(2.9, theme)
    axes = figure.add_axes((0.085, 0.15, 0.905, 0.68))
    marks.stacked(axes, counts, looks, colours)
    shown = range(0, len(counts), -(-len(counts) // _MANY_DAYS))
    axes.set_xlim(-0.7, len(counts) - 0.3)
    marks.plain(axes, colours, grid="y")
    marks.names(axes, "bottom", {at: f"{counts.index[at]:%d %b}" for at in shown}, colours)
    marks.axis(axes, "bottom", "day (UTC)", colours)
    marks.axis(axes, "left", "flows", colours)
    marks.legend(figure, counts, looks, colours)
    return figure


def funnel(flows: pd.DataFrame, *, theme: str = "light") -> Figure:
    """Return how many flows of each client reached each step, as bars side by side.

    Needs the columns `client` and `stage`. Shows the CLIENTS with the most flows.
    """
    clients = (
        flows["client"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    )
    if not len(clients):
        return _nothing("How far flows got", theme)
    figure, colours = _blank(2.5, theme)
    shown = clients.head(CLIENTS)
    reached = flows[flows["client"].isin(shown.index)].groupby("client", observed=True)["stage"]
    counts = {
        str(client): [int(stages.ge(rank).sum()) for rank in STAGES] for client, stages in reached
    }
    axes = figure.add_axes((0.245, 0.04, 0.74, 0.78))
    axes.set_axis_off()
    axes.set_xlim(0, len(shown) * _PITCH - (_PITCH - 1))
    axes.set_ylim(len(STAGES) - 0.5, -0.5)
    marks.names(axes, "left", dict(enumerate(STAGES.values())), colours)
    for place, (client, flows_of_it) in enumerate(shown.items()):
        marks.steps(axes, place * _PITCH, counts[str(client)], int(flows_of_it), colours)
        title = f"{_client(str(client))}\n{flows_of_it:,} flows"
        look: dict[str, Any] = {"size": marks.TEXT - 1, "color": colours.ink, "linespacing": 1.5}
        axes.text(place * _PITCH, -0.7, title, va="bottom", parse_math=False, **look)
    return figure


def heat_map(flows: pd.DataFrame, *, theme: str = "light") -> Figure:
    """Return sites by clients: the share of flows that ended without success, and the counts.

    Needs the columns `site`, `client` and `outcome`. Flows still open do not count. Shows the SITES
    and CLIENTS with the most flows; fewer than marks.FEW flows have no colour.
    """
    ended = flows[flows["outcome"].ne("open")]
    if not len(ended):
        return _nothing("Ended without success, by site and client", theme)
    sites, clients = _known(ended["site"], "(no named site)"), ended["client"].astype(object)
    total = _counted([sites], clients)
    failed = ended["outcome"].ne("succeeded")
    bad = _counted([sites[failed]], clients[failed]).reindex_like(total).fillna(0)
    rows, columns = _most(total.sum(axis=1), SITES), _most(total.sum(axis=0), CLIENTS)
    total, bad = total.loc[rows, columns], bad.loc[rows, columns]
    height = 0.75 + 0.42 * len(rows)
    figure, colours = _blank(height, theme)
    axes = figure.add_axes((0.22, 0.05 / height, 0.765, 0.42 * len(rows) / height))
    axes.set_axis_off()
    marks.cells(axes, bad.to_numpy().tolist(), total.to_numpy().tolist(), colours)
    marks.names(axes, "top", dict(enumerate(map(_client, columns))), colours)
    marks.names(axes, "left", dict(enumerate(map(_short, rows))), colours)
    marks.scale(figure, height, colours)
    return figure


def by_address(flows: pd.DataFrame, *, theme: str = "light") -> Figure:
    """Return the addresses with the most flows as bars, stacked by how the flows ended.

    Needs the columns `ip_group`, `site` and `outcome`. Shows ADDRESSES of them; those whose address
    was not recorded count as one.
    """
    if not len(flows):
        return _nothing("Flows by IP address", theme)
    places = [_known(flows["ip_group"], "(none recorded)"), _known(flows["site"], "")]
    counts = _counted(places, flows["outcome"]).reindex(columns=[*OUTCOMES], fill_value=0)
    counts = counts.loc[_most(counts.sum(axis=1), ADDRESSES)]
    names = [f"{_short(site)}  {_short(address)}".strip() for address, site in counts.index]
    height = 0.85 + 0.29 * len(counts)
    figure, colours = _blank(height, theme)
    axes = figure.add_axes((0.37, 0.45 / height, 0.61, 0.29 * len(counts) / height))
    marks.stacked(axes, counts, colours.outcomes, colours, across=True)
    axes.set_ylim(len(names) - 0.4, -0.6)
    marks.plain(axes, colours, grid="x")
    marks.names(axes, "left", dict(enumerate(names)), colours)
    marks.axis(axes, "bottom", "flows", colours)
    marks.legend(figure, counts, colours.outcomes, colours)
    return figure


def write_svg(figure: Figure) -> str:
    """Return the figure as SVG with its texts as text; equal figures give equal text."""
    import matplotlib as mpl

    out = StringIO()
    wanted: dict[Any, Any] = {"svg.hashsalt": _SALT, "svg.fonttype": "none"}
    with mpl.rc_context(wanted), _without_complaint():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def write_png(figure: Figure, *, dpi: int = 144) -> bytes:
    """Return the figure as PNG; equal figures give equal bytes where matplotlib is the same."""
    out = BytesIO()
    with _without_complaint():
        figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


@contextmanager
def _without_complaint() -> Iterator[None]:
    """Let a letter that the font lacks be a box: names are of every script, and not a fault."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        yield


def _blank(height: float, theme: str) -> tuple[Figure, Theme]:
    from matplotlib.figure import Figure

    colours = THEMES[theme]
    return Figure(figsize=(_WIDTH, height), facecolor=colours.paper), colours


def _nothing(what: str, theme: str) -> Figure:
    figure, colours = _blank(1, theme)
    figure.text(0.5, 0.5, f"{what}: no flow", ha="center", va="center", color=colours.quiet)
    return figure


def _counted(rows: Sequence[pd.Series[Any]], columns: pd.Series[Any]) -> pd.DataFrame:
    """Return how many flows fall into each row and column; crosstab takes ten times as long."""
    counts: pd.Series[int] = columns.groupby([*rows, columns], observed=True).size()
    return counts.unstack(fill_value=0)  # noqa: PD010 -- pivot_table is as slow


def _most(counts: pd.Series[int], most: int) -> list[Any]:
    """Return the index of the largest counts, ties by name."""
    ordered = counts.sort_index().sort_values(ascending=False, kind="stable")
    return ordered.head(most).index.tolist()


def _known(names: pd.Series[Any], nobody: str) -> pd.Series[Any]:
    """Return the names with a word in place of what is null."""
    known = names.astype(object)
    return known.where(known.notna(), nobody)


def _client(client: str) -> str:
    """Return a class of client for an axis; of an unknown one what it calls itself."""
    shown = client.removeprefix("other:")
    return _short(client if shown == client else f"\u201c{shown}\u201d", most=_NARROW)


def _short(name: str, *, most: int = _NAME) -> str:
    """Return a stranger's name for an axis, harmless and short."""
    shown = harmless.line(name, bound=None)
    return shown if len(shown) <= most else f"{shown[: most - 1]}\u2026"
