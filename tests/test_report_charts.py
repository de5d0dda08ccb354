"""Charts show what the flows say, to everybody, and the same every time."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import report_hostile
import report_pictures as pictures

from sspr_audit import charts
from sspr_audit.report.palette import DARK, LIGHT, THEMES
from sspr_audit.tables import FLOWS

CHARTS = [getattr(charts, name) for name in pictures.CHARTS]

SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}
"""Machado, Oliveira and Fernandes 2009, severity 1.0, on linear light."""


def light(colour: str) -> np.ndarray:
    """Return the linear light of #rrggbb."""
    part = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(linear: np.ndarray) -> np.ndarray:
    """Return linear light as CIE L*a*b*."""
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(matrix @ np.clip(linear, 0.001, 1) / np.array([0.9505, 1, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG counts it."""
    low, high = sorted(
        light(colour) @ np.array([0.2126, 0.7152, 0.0722]) for colour in (one, other)
    )
    return float((high + 0.05) / (low + 0.05))


def texts(figure) -> list[str]:
    """Return every text of a figure's SVG."""
    root = ET.fromstring(charts.write_svg(figure))  # noqa: S314 -- our own
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", pictures.CHARTS)
def test_a_chart_looks_as_it_did(name: str, theme: str) -> None:
    """The picture is the one that was looked at; edges of letters may differ a little."""
    now = pictures.pixels(pictures.picture(name, theme))
    then = pictures.pixels((pictures.FOLDER / f"{name}-{theme}.png").read_bytes())

    assert now.shape == then.shape
    assert np.abs(now - then).mean() < 0.01


@pytest.mark.parametrize("name", pictures.CHARTS)
def test_the_tolerance_sees_one_changed_site(name: str) -> None:
    """A picture of other flows is not taken for the same."""
    wish = {"client": "browser"} if name == "at_signin_screen" else {"outcome": "abandoned"}
    changed = pictures.flows().assign(stage=20, **wish)
    chart = getattr(charts, name)
    now = pictures.pixels(charts.write_png(chart(changed), dpi=pictures.DPI))
    then = pictures.pixels((pictures.FOLDER / f"{name}-light.png").read_bytes())

    assert now.shape != then.shape or np.abs(now - then).mean() >= 0.01


@pytest.mark.parametrize("chart", CHARTS)
def test_equal_flows_give_equal_bytes(chart) -> None:
    """Neither the order of rows nor the time of day shows, and the frame stays as it was."""
    flows = pictures.flows()
    before = flows.copy()
    shuffled = flows.sample(frac=1, random_state=1)

    assert charts.write_svg(chart(flows)) == charts.write_svg(chart(shuffled))
    assert charts.write_png(chart(flows)) == charts.write_png(chart(shuffled))
    assert flows.equals(before)


@pytest.mark.parametrize("chart", CHARTS)
def test_no_flow_is_said(chart) -> None:
    """An empty frame is a figure with a sentence."""
    (told,) = texts(chart(FLOWS.empty()))

    assert told.endswith(": no flow")


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("name", [one for one in report_hostile.TEXTS if one != "lone surrogates"])
def test_a_hostile_name_is_only_a_name(chart, name: str) -> None:
    """No text is a formula, an element or an error, however it is typed."""
    text = report_hostile.TEXTS[name]  # a frame's text cannot hold a lone surrogate
    flows = pictures.flows().assign(site=text, client=f"other:{text}", ip_group=text)
    shown = texts(chart(flows))

    assert all(one.isprintable() and len(one) < 80 for one in shown)


def test_a_dollar_is_a_dollar() -> None:
    """Matplotlib would set what stands between two dollars as mathematics."""
    assert "$x_1$" in texts(charts.heat_map(pictures.flows().assign(site="$x_1$")))


def test_a_silent_site_is_seen_beside_the_others() -> None:
    """Its own flows, on every day of the frame, and what share is usual elsewhere."""
    flows = pictures.flows()
    told = texts(charts.at_signin_screen(flows, "Lund"))
    others = flows[flows["site"].isin(["Malmö", "Kiruna"])]
    share = others["client"].eq("windows-signin").mean()

    assert f"at other named sites {share:.0%} of {len(others)} flows" in told
    assert "at the sign-in screen" not in told  # nobody at Lund was there
    assert {"not there, or not recorded", "02 Mar", "11 Mar"} <= set(told)


def test_the_heat_map_counts_what_ended_without_success() -> None:
    """Open flows are left out; a pair that never occurs is said, for it may be the finding."""
    flows = pictures.flows().head(0)
    rows = [("Malmö", "browser", "succeeded")] * 9 + [("Malmö", "browser", "abandoned")] * 3
    rows += [("Malmö", "browser", "open"), ("Lund", "windows-signin", "failed")]
    flows = flows.reindex(range(len(rows)))
    flows[["site", "client", "outcome"]] = rows

    assert {"25%   3 of 12", "100%   1 of 1", "no flow"} < set(texts(charts.heat_map(flows)))


def test_the_funnel_counts_who_came_so_far() -> None:
    """A flow that reached a step reached those before it."""
    flows = pictures.flows().head(4).assign(client="browser", stage=[80, 60, 20, 10])

    shown = [one for one in texts(charts.funnel(flows)) if one.endswith("%)")]

    assert shown == [
        *("4 (100%)", "3 (75%)", "2 (50%)"),
        *("2 (50%)", "2 (50%)", "1 (25%)"),
    ]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("who", SEEN_BY)
def test_outcomes_differ_for_every_eye(theme, who: str) -> None:
    """Also for readers who see no red, no green or no blue, and against the page itself."""
    colours = {**theme.outcomes, "open": theme.paper}  # hollow
    shown = {name: lab(SEEN_BY[who] @ light(colour)) for name, colour in colours.items()}
    close = {
        pair: round(float(np.linalg.norm(shown[pair[0]] - shown[pair[1]])), 1)
        for pair in combinations(shown, 2)
    }

    assert {pair: far for pair, far in close.items() if far < 15} == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(theme) -> None:
    """Contrast is 4.5 : 1 wherever a number or a name stands."""
    pairs = [(theme.ink, theme.paper), (theme.quiet, theme.paper), (theme.quiet, theme.few)]
    pairs += [*zip(theme.on_shares, theme.shares, strict=True)]
    pairs += [(theme.paper, theme.outcomes["succeeded"])]

    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def test_asking_for_charts_costs_nothing() -> None:
    """The package loads before matplotlib does, and nothing ever loads pyplot."""
    code = "import sys; from sspr_audit import charts; print('numpy' in sys.modules)"
    code += (
        "; charts.funnel(charts and __import__('pandas').DataFrame({'client': [], 'stage': []}))"
    )
    code += "; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pictures.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["False", "False"]
