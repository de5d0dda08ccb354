"""A Report to one HTML file that needs nothing else: no network, no library, no permission."""

from __future__ import annotations

import base64
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import Change, Report
from sspr_audit.report import charts, harmless, palette, verdict
from sspr_audit.report.build import within
from sspr_audit.report.clock import UNBROKEN, clock
from sspr_audit.report.page import drawing, rows, view
from sspr_audit.tables import EVENTS

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment
    from matplotlib.figure import Figure

LARGEST: Final = 1_000_000
"""Bytes of the whole page; flows that do not fit are left out, and counted."""

_FLOWS: Final = "{flows of the page}"
"""Stands for the flows until it is known how much room they have."""


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep Python from looking for cycles: matplotlib makes so much, and keeps it, that looking
    through it again and again takes a fifth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collecting()
def render(
    report: Report,
    flows: pd.DataFrame,
    events: pd.DataFrame | None,
    *,
    since: Change | None,
    timezone: str | None,
) -> str:
    """Return the report as an HTML page of at most LARGEST bytes.

    `flows` and `events` have the columns of FLOWS and EVENTS and may reach beyond the window;
    without events no flow has steps. `since` compares the places of the window with the span before
    it, where that is known. Times are local with
    UTC beside them. Raises SettingsError for an unknown time zone.
    """
    when = clock(timezone)
    environment = _environment()
    style = environment.get_template("page.css").render(light=palette.LIGHT, dark=palette.DARK)
    script = _text("page.js")
    page = environment.get_template("page.html").render(
        view.page(report, when, since=since),
        charts=[*_charts(report, flows)],
        style=_raw(style),
        script=_raw(script),
        policy=_policy(style, script),
        flows=_raw(_FLOWS),
    )
    before, _, after = page.lstrip().partition(_FLOWS)
    packed = rows.packed(
        flows,
        EVENTS.empty() if events is None else events,
        window=report.window,
        findings=verdict.in_order(report),
        clock=when,
        budget=LARGEST - len(before.encode()) - len(after.encode()),
    )
    return f"{before}{packed}{after}"


def _environment() -> Environment:
    """Return the templates, in which every text is escaped, and made harmless once more."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["dated"] = _dated
    return made


def _dated(text: str) -> Any:  # noqa: ANN401 -- jinja2's own kind of text
    """Return the text with every date and time kept on one line."""
    from markupsafe import escape

    kept = UNBROKEN.sub(r'<span class="date">\g<0></span>', str(escape(_shown(text))))
    return _raw(kept)


def _shown(value: Any) -> Any:  # noqa: ANN401 -- whatever a template writes
    """Return a text harmless; what is marked as ours stays as it is."""
    return harmless.line(value, bound=None) if type(value) is str else value


def _raw(text: str) -> Any:  # noqa: ANN401 -- jinja2's own kind of text
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 -- written by us, or made harmless where it was written


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy under which nothing runs or loads but what stands here."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _charts(report: Report, flows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each chart with its title and the sentence below it."""
    here = within(flows, "start_utc", report.window)
    if not len(here):
        return
    if silent := view.silent_site(report):
        all_of_it = flows[flows["start_utc"] < report.window.end]
        yield _chart(charts.at_signin_screen(all_of_it, silent), *view.at_screen(silent))
    for draw, told in {
        charts.flows_per_day: view.PER_DAY,
        charts.heat_map: view.HEAT_MAP,
        charts.funnel: view.FUNNEL,
        charts.by_address: view.ADDRESSES,
    }.items():
        yield _chart(draw(here), *told)


def _chart(figure: Figure, title: str, note: str) -> dict[str, Any]:
    return {"title": title, "note": note, "svg": _raw(drawing.inline(figure, f"{title}. {note}"))}
