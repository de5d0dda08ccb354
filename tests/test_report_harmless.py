"""A stranger's text is shown and never obeyed."""

from __future__ import annotations

import json
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sspr_audit.report import harmless

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
STRANGE = st.text(
    st.one_of(
        st.characters(codec=None),
        st.sampled_from("`|*_[]()<>&!#@$:/\\~-+=.1w\t\r\n\x1b\x00\u202e\u200b\ud800\uff1d ;'\""),
    ),
    max_size=60,
)


def spans(text: str) -> list[tuple[str, str]]:
    """Return the inline tokens of a text as kind and content."""
    return [
        (token.type, token.content)
        for block in MARKDOWN.parse(text)
        for token in block.children or []
    ]


@given(STRANGE)
def test_a_line_shows_every_letter(text: str) -> None:
    """A line holds nothing that a terminal obeys or a reader cannot see."""
    shown = harmless.line(text)

    assert shown.isprintable()
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(STRANGE)
def test_a_line_is_made_once(text: str) -> None:
    """What is harmless stays as it is, so that a sentence may hold a name and be checked again."""
    shown = harmless.line(text, bound=None)

    assert harmless.line(shown, bound=None) == shown


@given(st.text(min_size=1), st.integers(1, 50))
def test_what_is_cut_is_counted(text: str, bound: int) -> None:
    """A line is at most as long as its bound, and the letters left out are told."""
    shown = harmless.line(text, bound=bound)
    head, _, tail = shown.rpartition("\u2026 (+")

    assert len(head if tail.endswith(" characters)") else shown) <= bound


def test_a_long_name_is_cut() -> None:
    """A name of 100 kB takes one short line."""
    assert harmless.line("x" * 100_000, bound=5) == "xxxxx\u2026 (+99,995 characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Malmö 日本 👍", "Malmö 日本 👍"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("moc.elpmaxe\u202e", r"moc.elpmaxe\u202e"),
        ("one\r\ntwo\tthree\xa0four", "one  two three four"),
        ("\ud800", r"\ud800"),
        ("Nguye\u0302\u0303n", "Nguye\u0302\u0303n"),
        ("\u05e9\u05c1\u05b8\u05bc\u0591x", "\u05e9\u05c1\u05b8\u05bc\u0591x"),
        ("e" + "\u0301" * 6 + "x", "e" + "\u0301" * 4 + r"\u0301\u0301x"),
    ],
)
def test_a_line_reads_well(text: str, shown: str) -> None:
    """Letters of every language stay; controls are written out; blanks become spaces."""
    assert harmless.line(text) == shown


@given(STRANGE)
def test_json_keeps_the_whole_text(text: str) -> None:
    """Silent characters are written as escapes, and a parser gives the text back."""
    written = harmless.json(json.dumps({"text": text}, ensure_ascii=False))

    # Two lone surrogates that stand side by side are one letter to every parser.
    assert json.loads(written)["text"] == text.encode("utf-16", "surrogatepass").decode(
        "utf-16", "surrogatepass"
    )
    assert not {unicodedata.category(one) for one in written} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_json_writes_out_whatever_is_not_seen() -> None:
    """Of all letters there are, none that a terminal obeys or nobody sees stands in a document."""
    letters = "".join(chr(point) for point in range(0x20, sys.maxunicode + 1))
    written = harmless.json(letters)

    assert not {unicodedata.category(one) for one in written} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_marks_are_not_piled_up() -> None:
    """A letter under thousands of accents covers no other line, on a page or in a cell."""
    tower = "e" + "\u0301" * 5_000

    assert harmless.line(tower).count("\u0301") == harmless.MARKS
    assert harmless.cell(tower) == "e" + "\u0301" * harmless.MARKS


@given(STRANGE)
def test_a_cell_is_never_a_formula(text: str) -> None:
    """Whatever blanks or wide letters stand before it, a formula gets an apostrophe."""
    shown = harmless.cell(text)

    assert re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", shown) is None
    assert shown.isprintable() or set(shown) <= set(text) | {"'"}
    assert not set(shown) & set("\t\r\n\x00\x1b\u202e\u200b\ud800")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        (" \uff1d1", "' \uff1d1"),
        ("\u200b=1", "'=1"),
        ("\tname", "' name"),
        ("\rname", "' name"),
        ("a;=1", "a;'=1"),
        ("user-1@example.com", "user-1@example.com"),
    ],
)
def test_cells_read_well(text: str, cell: str) -> None:
    """An apostrophe stands where a spreadsheet would begin to calculate, and nowhere else."""
    assert harmless.cell(text) == cell


@given(STRANGE)
def test_a_sentence_stays_a_sentence(text: str) -> None:
    """In Markdown a text is words and code spans, in a paragraph, a list or a table."""
    shown = harmless.markdown(text)

    assert {kind for kind, _ in spans(shown)} <= {"text", "code_inline"}
    assert {kind for kind, _ in spans(f"- {shown}")} <= {"text", "code_inline"}
    blocks = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {shown} | x |")
    assert [one.type for one in blocks].count("td_open") == 2
    assert blocks[-5].content == "x"  # the text is one cell, and the next is still the next


@given(STRANGE)
def test_nothing_outside_code_comes_alive(text: str) -> None:
    """What GitHub makes a link or a mention of, whatever the escapes, stands in a code span."""
    outside = " ".join(
        content for kind, content in spans(harmless.markdown(text)) if kind == "text"
    )

    assert not re.search(r"[@#$]|://|www\.", outside, re.IGNORECASE)


@given(STRANGE)
def test_markdown_says_what_was_said(text: str) -> None:
    """Read again, the sentence has the same words."""
    said = "".join(content for _, content in spans(harmless.markdown(text, bound=None)))
    expected = harmless.line(text, bound=None)

    assert said.replace(r"\x7c", "|").split() == expected.replace(r"\x7c", "|").split()


@given(STRANGE)
def test_code_is_one_span(text: str) -> None:
    """A code span holds the whole text, and a table sees one cell."""
    shown = harmless.code(text)
    kinds = spans(f"x {shown}")

    assert [kind for kind, _ in kinds] == (["text", "code_inline"] if shown else ["text"])
    assert "|" not in shown
