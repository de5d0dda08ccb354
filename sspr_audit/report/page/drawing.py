"""A figure to SVG inside a page: no style attribute, colours of the page's theme, small numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from sspr_audit.report import charts
from sspr_audit.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG: Final = "{http://www.w3.org/2000/svg}"
_VARIABLES: Final = {colour: f"var(--{name})" for name, colour in LIGHT.colours().items()}
"""The colours that a chart is drawn in → the name by which the page knows them."""
_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}")
_FONT: Final = re.compile(r"(?:[\w ]+ )?([\d.]+)px .*")
_LEFT_OUT: Final = {"", "font-family", "stroke-linejoin"}
"""Styles that the page decides, or that say what is so anyway."""
_POINTS: Final = {"d", "transform", "x", "y", "width", "height", "viewBox"}


def load() -> None:
    """Load matplotlib without the help that it writes for every property of every artist.

    Writing it takes a third of the time. For a process of our own: in a notebook somebody may read
    it. What is loaded later still has its help.
    """
    from matplotlib import artist

    written = artist.kwdoc
    artist.kwdoc = lambda artist: ""  # noqa: ARG005 -- it is called as the true one is
    try:
        import matplotlib.figure  # noqa: F401 -- what charts are made of
    finally:
        artist.kwdoc = written


def inline(figure: Figure, label: str) -> str:
    """Return the figure as an `svg` element that a strict policy for styles lets pass.

    `label` is what a screen reader says of it. The colours of the light theme become variables
    such as `var(--failed)`, so that the page's own theme decides.
    """
    root = ET.fromstring(charts.write_svg(figure))  # noqa: S314 -- matplotlib wrote it just now
    view = root.get("viewBox", "")
    _strip(root)
    root.attrib.clear()
    root.attrib.update(viewBox=view, role="img")
    root.set("aria-label", label)
    return ET.tostring(root, encoding="unicode")


def _strip(element: ET.Element) -> None:
    """Make the element and all inside it plain: no style, no id, no clipping, nothing hidden.

    Without ids several drawings can stand in one page; nothing in them reaches beyond its axes.
    """
    element.tag = element.tag.removeprefix(_SVG)
    for child in [*element]:
        if child.tag in {f"{_SVG}metadata", f"{_SVG}defs"} or child.get("id") == "patch_1":
            element.remove(child)  # the last is the paper, which the page has
        else:
            _strip(child)
    _unstyle(element)
    for name in ("id", "clip-path"):
        element.attrib.pop(name, None)
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for name in _POINTS & element.attrib.keys():
        element.set(name, _NUMBER.sub(_rounded, element.get(name, "")).strip())
    element.tail = None
    if element.tag != "text":
        element.text = None


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}"


def _unstyle(element: ET.Element) -> None:
    """Turn the style attribute into attributes of its own, and colours into variables."""
    for part in element.attrib.pop("style", "").split(";"):
        name, _, value = (one.strip() for one in part.partition(":"))
        font = _FONT.fullmatch(value) if name == "font" else None
        if font:
            element.set("font-size", font[1])
        elif name not in _LEFT_OUT:
            element.set(name, _VARIABLES.get(value, value))
