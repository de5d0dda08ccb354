"""The `$filter` grammar that the audit log bears: a tree, its text, and what it matches.

    or      := and ("or" and)*
    and     := term ("and" term)*
    term    := "(" or ")" | path op literal | startswith "(" path "," text ")"
             | path "/any(" variable ":" or ")"

https://learn.microsoft.com/en-us/graph/api/directoryaudit-list
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

TICKS = 10_000_000
"""In a second: the service keeps times in steps of 100 ns."""
STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)")
TOKEN = re.compile(
    rf"\s*(?:(?P<time>{STAMP.pattern})|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)"
    r"|(?P<word>[A-Za-z_$][\w/.]*)|(?P<mark>[(),:]))"
)
OPERATORS = {
    "eq": lambda left, right: left == right,
    "ge": lambda left, right: left >= right,
    "gt": lambda left, right: left > right,
    "le": lambda left, right: left <= right,
    "lt": lambda left, right: left < right,
}


class BadFilter(Exception):
    """The service would refuse this filter with 400."""


@dataclass(frozen=True, order=True, slots=True)
class Moment:
    """A time in 100-ns steps, with the text that it was read from."""

    ticks: int
    text: str = ""

    @classmethod
    def of(cls, text):
        """Return the time that a text says; ValueError where it says none."""
        match = STAMP.fullmatch(text)
        if not match:
            msg = f"not a time: {text!r}"
            raise ValueError(msg)
        *whole, fraction, zone = match.groups()
        since = datetime(*map(int, whole), tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        if zone != "Z":
            sign = -1 if zone[0] == "-" else 1
            since -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        seconds = since.days * 86_400 + since.seconds
        return cls(seconds * TICKS + int((fraction or "").ljust(7, "0")), text)


@dataclass(frozen=True, slots=True)
class Compare:
    path: str
    operator: str
    value: Moment | str | int | bool | None

    def __str__(self):
        return f"{self.path} {self.operator} {literal(self.value)}"


@dataclass(frozen=True, slots=True)
class StartsWith:
    path: str
    value: str

    def __str__(self):
        return f"startswith({self.path},{literal(self.value)})"


@dataclass(frozen=True, slots=True)
class AnyOf:
    path: str
    variable: str
    inner: object

    def __str__(self):
        return f"{self.path}/any({self.variable}:{self.inner})"


@dataclass(frozen=True, slots=True)
class Both:
    """All parts must hold."""

    parts: tuple

    def __str__(self):
        return " and ".join(
            f"({p})" if isinstance(p, Either | Both) else str(p) for p in self.parts
        )


@dataclass(frozen=True, slots=True)
class Either:
    """One part must hold."""

    parts: tuple

    def __str__(self):
        return " or ".join(f"({p})" if isinstance(p, Either) else str(p) for p in self.parts)


def literal(value):
    """Return a value as a filter spells it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Moment():
            return value.text
        case str():
            return "'" + value.replace("'", "''") + "'"
    return str(value)


class _Reader:
    def __init__(self, text):
        self.text, self.at, self.tokens = text, 0, []
        end = len(text.rstrip())
        position = 0
        while position < end:
            match = TOKEN.match(text, position)
            if not match:
                msg = f"Syntax error at position {position} in '{text}'."
                raise BadFilter(msg)
            position = match.end()
            self.tokens.append((match.lastgroup, match[match.lastgroup]))

    def next(self):
        kind, text = self.peek()
        self.at += 1
        return kind, text

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, wanted):
        if self.next()[1] != wanted:
            msg = f"Syntax error: '{wanted}' expected in '{self.text}'."
            raise BadFilter(msg)

    def either(self):
        parts = [self.both()]
        while self.peek() == ("word", "or"):
            self.next()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self):
        parts = [self.term()]
        while self.peek() == ("word", "and"):
            self.next()
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def term(self):
        kind, word = self.next()
        if word == "(":
            inner = self.either()
            self.take(")")
            return inner
        if kind != "word":
            msg = f"Syntax error: '{word}' in '{self.text}'."
            raise BadFilter(msg)
        if word == "startswith":
            self.take("(")
            path = self.next()[1]
            self.take(",")
            value = self.value()
            self.take(")")
            return StartsWith(path, value)
        if word.endswith("/any"):
            self.take("(")
            variable = self.next()[1]
            self.take(":")
            inner = self.either()
            self.take(")")
            return AnyOf(word.removesuffix("/any"), variable, inner)
        return Compare(word, self.operator(), self.value())

    def operator(self):
        word = self.next()[1]
        if word not in OPERATORS:
            msg = f"Unrecognized operator '{word}' in '{self.text}'."
            raise BadFilter(msg)
        return word

    def value(self):
        kind, text = self.next()
        match kind:
            case "time":
                return Moment.of(text)
            case "text":
                return text[1:-1].replace("''", "'")
            case "number":
                return int(text)
        if text in {"null", "true", "false"}:
            return {"null": None, "true": True, "false": False}[text]
        msg = f"Syntax error: '{text}' is no value in '{self.text}'."
        raise BadFilter(msg)


def parse(text):
    """Return the tree of a filter; BadFilter where the grammar does not know it."""
    reader = _Reader(text)
    tree = reader.either()
    if reader.peek()[0] != "end":
        msg = f"Syntax error: '{reader.peek()[1]}' in '{text}'."
        raise BadFilter(msg)
    return tree


def leaves(tree, prefix=""):
    """Yield (path, operator, value) of each comparison; paths inside any() have their list's."""
    match tree:
        case Compare(path, operator, value):
            yield _outer(path, prefix), operator, value
        case StartsWith(path, value):
            yield _outer(path, prefix), "startswith", value
        case AnyOf(path, variable, inner):
            yield from leaves(inner, f"{variable}={path}")
        case Both(parts) | Either(parts):
            for part in parts:
                yield from leaves(part, prefix)


def most_choices(tree):
    """Return how many parts the widest `or` has."""
    match tree:
        case Either(parts):
            return max(len(parts), *map(most_choices, parts))
        case Both(parts):
            return max(map(most_choices, parts))
        case AnyOf(inner=inner):
            return most_choices(inner)
    return 1


def _outer(path, prefix):
    variable, _, outer = prefix.partition("=")
    return path.replace(f"{variable}/", f"{outer}/any/", 1) if prefix else path


def without(tree, values):
    """Return the tree with each comparison to one of the values made to match nothing."""
    match tree:
        case Compare(_, "eq", value) if value in values:
            return Either(())
        case Both(parts):
            return Both(tuple(without(part, values) for part in parts))
        case Either(parts):
            return Either(tuple(without(part, values) for part in parts))
    return tree


EVER = (float("-inf"), float("inf"))


def window(tree, path):
    """Return the first and last tick of a time that can fit: beyond them, nothing matches."""
    match tree:
        case Compare(found, operator, Moment(ticks)) if found == path:
            low = ticks if operator in {"eq", "ge", "gt"} else EVER[0]
            return low, ticks if operator in {"eq", "le", "lt"} else EVER[1]
        case Both(parts):
            lows, highs = zip(*(window(part, path) for part in parts), strict=True)
            return max(lows), min(highs)
        case Either((_, *_) as parts):
            lows, highs = zip(*(window(part, path) for part in parts), strict=True)
            return min(lows), max(highs)
    return EVER


def matches(tree, record):
    """Tell whether a record fits, as OData compares: nothing is greater or less than null."""
    match tree:
        case Both(parts):
            return all(matches(part, record) for part in parts)
        case Either(parts):
            return any(matches(part, record) for part in parts)
        case AnyOf(path, variable, inner):
            return any(matches(inner, {variable: one}) for one in _at(record, path) or ())
        case StartsWith(path, value):
            return (_at(record, path) or "").lower().startswith(value.lower())
    return _compares(tree, _at(record, tree.path))


def _compares(tree, found):
    if isinstance(tree.value, Moment) and isinstance(found, str):
        return OPERATORS[tree.operator](Moment.of(found).ticks, tree.value.ticks)
    if tree.operator == "eq":
        return found == tree.value
    return found is not None and OPERATORS[tree.operator](found, tree.value)


def _at(record, path):
    for name in path.split("/"):
        record = record.get(name) if isinstance(record, dict) else None
    return record
