"""Every signal that the catalogue names is made, and every number of judgement is used."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from sspr_audit import evidence, judge, knowledge
from sspr_audit.model import Kind

KNOWN = knowledge.load()
PATTERNS = {
    target: one.pattern
    for group in (KNOWN.causes, KNOWN.families)
    for target, one in group.items()
    if one.pattern
}
SOURCES = [
    path.read_text(encoding="utf-8")
    for package in (evidence, judge)
    for path in sorted(Path(package.__file__).parent.glob("*.py"))
]
ID = re.compile(r"[a-z]+(-[a-z]+)*")
MAKERS = {"Signal", "_compared", "_some", "_unknown"}
"""What is called with the id of a signal."""
BESIDE = {
    *("began", "examples", "how-far", "not-named"),
    *("sudden-onset", "tried-before", "unrelated-people"),
}
"""Signals that only tell: no verdict hangs on them, or not in every pattern."""


def texts(nodes):
    """Return the ids among these parts of an expression."""
    values = (one.value for one in nodes if isinstance(one, ast.Constant))
    return {one for one in values if isinstance(one, str) and ID.fullmatch(one)}


def ids(function):
    """Return the ids of the signals that a function makes: given to a maker, or kept as `name`."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS:
            found |= texts(node.args)
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            parts = ast.walk(target)
            if any(isinstance(one, ast.Name) and one.id == "name" for one in parts):
                found |= texts([node.value, *getattr(node.value, "elts", ())])
    return found


def kinds(function):
    return {
        Kind[node.attr]
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Kind"
    }


def made():
    """Return the kinds of each signal that a module of evidence makes, by its id."""
    found = defaultdict(set)
    for source in SOURCES:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and "Signal" in ast.unparse(node.returns or node):
                for id_ in ids(node):
                    found[id_] |= kinds(node)
    return dict(found)


MADE = made()


@pytest.mark.parametrize("target", PATTERNS)
def test_every_signal_of_a_pattern_is_made(target):
    """A slip of the pen would be unknown for ever, and keep the cause from being likely."""
    pattern = PATTERNS[target]

    assert {*pattern.needs, *pattern.supports, *pattern.spoilers} <= MADE.keys()


@pytest.mark.parametrize("target", PATTERNS)
def test_a_pattern_is_of_the_kind_of_what_it_needs_and_can_be_likely(target):
    """What raises it is of its own kind; something of another kind must be able to agree."""
    pattern = PATTERNS[target]

    assert pattern.kind in {kind for id_ in pattern.needs for kind in MADE[id_]}
    assert {kind for id_ in pattern.supports for kind in MADE[id_]} - {pattern.kind}


def test_every_signal_is_of_one_kind():
    """Or it could agree with itself."""
    assert {id_: found for id_, found in MADE.items() if len(found) != 1} == {}


def test_every_signal_is_named_by_a_pattern_or_only_tells():
    """Nothing is worked out that nobody hears of."""
    named = {id_ for one in PATTERNS.values() for id_ in (*one.needs, *one.supports, *one.spoilers)}

    assert MADE.keys() - named - BESIDE == set()
    assert MADE.keys() >= BESIDE


def test_every_number_is_used_and_every_number_used_is_there():
    """weights.toml is the one place of thresholds, and holds none for nothing."""
    used = re.findall(r'numbers?(?:\[|\()"([a-z_]+)"', "\n".join(SOURCES))

    assert set(used) == KNOWN.weights.numbers.keys()
