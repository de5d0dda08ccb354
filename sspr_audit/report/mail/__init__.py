"""A Report to a letter that is read in a minute: the verdict, at most ten rows, what is missing.

Both forms of it say the same; the page of 600 px needs no picture, no script and nothing remote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from sspr_audit.model import Attachment, Letter, Picture, Report
from sspr_audit.report import plain, progress, words
from sspr_audit.report.clock import UNBROKEN, clock
from sspr_audit.report.mail import post
from sspr_audit.report.mail.content import Content, contents

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

PAGE_LIMIT: Final = 100_000
"""Bytes of the page. Gmail shows 102 kB of a mail and cuts the rest off."""

WIDTH: Final = 552
"""Pixels of a picture on the page, which has 24 on either side of it."""

DAYS: Final = 14
SITES: Final = 5
"""How many of them the words beside a chart name."""


def letter(
    report: Report,
    flows: pd.DataFrame,
    *,
    timezone: str | None,
    attachments: Sequence[Attachment] = (),
    left_out: Sequence[str] = (),
) -> Letter:
    """Return the letter about a report. `flows` are what its charts are drawn from.

    `left_out` names what is too large to be attached. Raises SettingsError for an unknown zone.
    """
    said = contents(report, clock(timezone), attachments, left_out)
    pictures = tuple(_pictures(report, flows))
    return Letter(
        subject=said.subject,
        text=text(said, pictures),
        page=page(said, pictures),
        pictures=pictures,
        attachments=tuple(attachments),
    )


def glance(report: Report, *, timezone: str | None) -> str:
    """Return what a channel is told. Raises SettingsError for an unknown zone."""
    return post.text(contents(report, clock(timezone), (), ()))


def page(said: Content, pictures: Sequence[Picture]) -> str:
    """Return the HTML form, its style in every element, as some readers of mail want it."""
    import css_inline
    from jinja2 import Environment, StrictUndefined

    here = files(__name__)
    style = here.joinpath("style.css").read_text(encoding="utf-8")
    dark = here.joinpath("dark.css").read_text(encoding="utf-8")
    rules = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rules.filters["unbroken"] = unbroken
    template = rules.from_string(here.joinpath("page.html").read_text(encoding="utf-8"))
    inliner = css_inline.CSSInliner(
        extra_css=style, load_remote_stylesheets=False, keep_style_tags=True
    )
    return inliner.inline(template.render(said=said, pictures=pictures, width=WIDTH, dark=dark))


def unbroken(sentence: str) -> Markup:
    """Return the sentence for the page, with no line break inside of a date or its time."""
    from markupsafe import Markup, escape

    harmless = str(escape(sentence))
    return Markup(UNBROKEN.sub(r'<span class="moment">\g<0></span>', harmless))  # noqa: S704 - escaped


def text(said: Content, pictures: Sequence[Picture]) -> str:
    """Return the plain form: the same sentences on lines of 80 columns."""
    lines = [*plain.wrapped(said.headline), *plain.section(said.period, said.sentences)]
    lines += plain.section("Data", said.data)
    lines += plain.section("In numbers", (one.line for one in said.tiles))
    lines += plain.section(progress.TITLE, said.changed)
    lines += ["", f"What was found ({said.found})"] if said.rows else []
    for row in said.rows:
        marks = ", ".join(filter(None, (row.confidence, row.course)))
        lines += ["", *plain.wrapped(f"{row.heading} ({marks})", mark=f"{row.number}. ")]
        lines += plain.wrapped(row.about, indent=3)
        lines += plain.wrapped(row.remedy, indent=3, mark="-> ")
    lines += ["", *plain.wrapped(said.more)] if said.more else []
    lines += plain.section("Charts in words", (one.alt for one in pictures))
    lines += plain.section("More", [*said.files, *said.notes])
    return "\n".join([*lines, ""])


def _pictures(report: Report, flows: pd.DataFrame) -> Iterator[Picture]:
    """Yield the charts; each says in words what it shows, for who sees no pictures."""
    from sspr_audit.report import charts
    from sspr_audit.report.build import within

    here = within(flows, "start_utc", report.window)
    if here.empty:
        return
    days = ", ".join(f"{one.day} {one.flows:,}" for one in report.by_day[:DAYS])
    more = f", and {len(report.by_day) - DAYS:,} more days" if len(report.by_day) > DAYS else ""
    drawn = {
        "flows-per-day": ("Attempts per day (UTC)", charts.flows_per_day, f"{days}{more}."),
        "sites-by-client": (
            "Without success, by site and client",
            charts.heat_map,
            f"{_sites(report)}.",
        ),
    }
    for name, (title, draw, alt) in drawn.items():
        yield Picture(name, title, charts.write_png(draw(here)), f"{title}: {alt}")


def _sites(report: Report) -> str:
    """Say how it stands at the sites with the most attempts."""
    said = [
        f"{words.name(one.name) if one.name else 'no named site'}:"
        f" {words.fruitless(one):,} of {one.flows:,}"
        for one in report.by_site[:SITES]
    ]
    more = len(report.by_site) - SITES
    return ", ".join(said) + (f" (+{more:,} more)" if more > 0 else "")
