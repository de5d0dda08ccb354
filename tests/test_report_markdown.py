"""The Markdown report renders on GitHub, and no stranger's text comes alive in it."""

from __future__ import annotations

from collections import Counter

import pytest
import report_factory as factory
import report_hostile
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sspr_audit.model import Remedy, Report, Source
from sspr_audit.report import markdown

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tokens(report: Report) -> list[Token]:
    """Return all tokens of the page, those inside of paragraphs too."""
    blocks = PARSER.parse(markdown.render(report, timezone=None))
    return [one for block in blocks for one in (block, *(block.children or ()))]


def shape(report: Report) -> Counter[str]:
    """Return how often each kind of token occurs, words and code spans left out."""
    return Counter(
        one.type
        for one in tokens(report)
        if one.type not in {"text", "code_inline", "text_special"}
    )


def test_the_page_has_its_parts() -> None:
    """Headings stand in the order of the terminal report."""
    page = markdown.render(factory.report(), timezone="Europe/Stockholm").splitlines()
    headings = [line for line in page if line.startswith("## ")]

    assert headings == [
        "## Data",
        "## Findings",
        "## Totals",
        "## By client",
        "## By site",
        "## By day (UTC)",
        "## By IP address",
        "## Reasons given",
        "## Not recognized: reasons",
        "## Not recognized: ClientTypes",
        "## Not observable in this data",
    ]
    assert "### 1. Likely: Proxy demands user authentication, which the temporary local account"[
        :40
    ] in "\n".join(page)


def test_numbers_stand_in_tables() -> None:
    """A table renders as a table, with names in code and numbers to the right."""
    page = markdown.render(factory.report(), timezone=None)

    assert "| `Malmö` | 5 | 4 | 2 | 0 | 1 | 0 | 1 | 1 |" in page
    assert shape(factory.report())["table_open"] == 13


def test_commands_stand_in_a_block() -> None:
    """Commands are verbatim, even where they hold a fence themselves."""
    commands = (*factory.PROXY_COMMANDS, "echo ```` `x`")
    finding = factory.finding(remedy=Remedy("Do this.", commands))
    (block,) = [one for one in tokens(factory.report(findings=(finding,))) if one.type == "fence"]

    assert block.content.splitlines() == list(commands)


def test_our_sources_are_links_and_nothing_else_is() -> None:
    """An address that could hold more than an address stands as code."""
    sources = (
        Source("Page", "https://learn.microsoft.com/en-us/entra/"),
        Source("Odd", "https://example.com/> <script>"),
        Source("Odd", "javascript:alert(1)"),
    )
    found = tokens(factory.report(findings=(factory.finding(sources=sources),)))

    assert [one.attrs["href"] for one in found if one.type == "link_open"] == [sources[0].url]
    assert not [one for one in found if one.type.startswith("html")]


def test_no_finding_and_no_event_are_told() -> None:
    """The sentences are those of the terminal report."""
    assert "No cause is named by a reason" in markdown.render(
        factory.report(findings=()), timezone=None
    )
    assert "There is no password reset event" in markdown.render(factory.empty(), timezone=None)


@pytest.mark.parametrize("text", report_hostile.TEXTS.values(), ids=report_hostile.TEXTS)
def test_hostile_texts_change_nothing(text: str) -> None:
    """The page has the same headings, tables, lists and links as with a plain word."""
    assert shape(report_hostile.poisoned(text)) == shape(report_hostile.poisoned("word"))


@pytest.mark.parametrize("text", report_hostile.TEXTS.values(), ids=report_hostile.TEXTS)
def test_hostile_texts_call_nobody(text: str) -> None:
    """Mentions, addresses and commit hashes stand only in code."""
    words = "\n".join(
        one.content for one in tokens(report_hostile.poisoned(text)) if one.type == "text"
    )

    assert not [one for one in ("@", "://", "www.", "#1", "GH-") if one in words]
    assert all(one.isprintable() for one in words.split("\n"))
