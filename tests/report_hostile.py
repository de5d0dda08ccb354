"""Texts that would do harm if they came alive, and reports full of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, cast

import report_factory

from sspr_audit.model import Report

TEXTS = {
    "terminal escapes": "\x1b[2J\x1b]0;owned\x07red\x9b31m\x7f",
    "text direction": "a\u202eb\u2066c\u200fd\u061ce\u2069",
    "zero width": "a\u200bb\ufeffc\u2060d\u00ade\u3164f\U000e0041g",
    "nul": "\x00nul\x00",
    "line ends": "one\r\ntwo\u2028three\x85four\x0bfive\n| --- |\n# six",
    "lone surrogates": "\ud800 and \udfff",
    "rich markup": "[bold red]b[/] :smile: [link=https://example.com]l[/link] \\[x]",
    "html": "<script>alert(1)</script> <img src=x onerror=y> &lt;b&gt; <!-- c -->",
    "links": "[x](https://example.com) ![i](//example.com/i.png) <https://example.com> [r]: /u",
    "mentions": "@octocat #1 example/example#2 user@example.com www.example.com GH-3 :tada:",
    "emphasis": "**b** __b__ *i* _i_ ~~s~~ `c` ``d` $x$ ===",
    "blocks": "- a",
    "rules": "--- ",
    "numbers": "1. one",
    "tables": "|a|b|c| \\|d\\\\|e `f|g`",
    "fences": "```` ``` ~~~",
    "formula": "=1+1",
    "far formula": "\u3000\t\uff1dcmd",
    "long": "x" * 100_000,
    "long words": "word " * 2_000,
}

_KEPT = {"layer", "who_can_fix", "cause", "family", "day", "confidence", "cloud", "identity"}
"""Fields that hold our own words, which a schema knows."""


def poisoned(text: str) -> Report:
    """Return a report with `text` in every field that a stranger can reach."""
    return cast("Report", _spread(_clean(), text, client=False))


@cache
def _clean() -> Report:
    return report_factory.report()


def _spread(value: Any, text: str, *, client: bool) -> Any:
    """Return the value with every text in it replaced, and clients by one of an unknown kind."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                one.name: None
                if one.name == "url"
                else _spread(
                    getattr(value, one.name), text, client=one.name in {"by_client", "clients"}
                )
                if not (client and one.name == "name")
                else f"other:{text}"
                for one in fields(value)
                if one.name not in _KEPT
            },
        )
    if isinstance(value, tuple):
        return tuple(_spread(one, text, client=client) for one in value)
    if isinstance(value, Mapping) and client:
        return {f"other:{text}": sum(value.values())}
    if isinstance(value, str):
        return f"other:{text}" if client else text
    return value
