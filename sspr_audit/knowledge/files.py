"""Reads the files of a folder of knowledge and makes frozen values of them.

activities.toml  reasons.toml  families.toml  client_types.toml  clouds.toml  sources.toml
weights.toml  wordings.toml  causes/<id>.toml
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Any, Final

from sspr_audit import model
from sspr_audit.knowledge.catalogue import (
    Activity,
    Cause,
    ClientPattern,
    Family,
    Pattern,
    Reason,
    Weights,
)
from sspr_audit.knowledge.clouds import Cloud
from sspr_audit.knowledge.folding import fold
from sspr_audit.knowledge.known import Knowledge
from sspr_audit.knowledge.wordings import Wording

TABLES: Final = (
    "activities.toml",
    "client_types.toml",
    "clouds.toml",
    "families.toml",
    "reasons.toml",
    "sources.toml",
    "weights.toml",
    "wordings.toml",
)

Raw = dict[str, Any]


def texts(folder: Traversable, tables: Iterable[str] = TABLES) -> Iterator[tuple[str, str]]:
    """Yield name and text of each of `tables`, then of the causes, by id. Raises OSError."""
    for name in tables:
        yield name, folder.joinpath(name).read_text(encoding="utf-8")
    causes = folder.joinpath("causes").iterdir()
    for path in sorted(causes, key=lambda path: path.name):
        if path.name.endswith(".toml"):
            yield f"causes/{path.name}", path.read_text(encoding="utf-8")


def parsed(text: str) -> Raw:
    """Return what the TOML text says. Raises tomllib.TOMLDecodeError."""
    return tomllib.loads(text)


def knowledge(raws: Mapping[str, Raw]) -> Knowledge:
    """Return the values that the parsed files describe; they must have been checked once."""
    return Knowledge(
        activities=tuple(Activity(**raw) for raw in raws["activities.toml"]["activity"]),
        reasons=tuple(_reason(raw) for raw in raws["reasons.toml"]["reason"]),
        methods=tuple(raws["reasons.toml"]["methods"]),
        causes={raw["id"]: _cause(raw) for name, raw in raws.items() if name.startswith("causes/")},
        families={raw["id"]: _family(raw) for raw in raws["families.toml"]["family"]},
        clouds={
            name: Cloud(name=name, **_frozen(raw)) for name, raw in raws["clouds.toml"].items()
        },
        sources={
            key: model.Source(raw["title"], raw.get("url"))
            for key, raw in raws["sources.toml"].items()
        },
        client_patterns=tuple(ClientPattern(**raw) for raw in raws["client_types.toml"]["pattern"]),
        weights=Weights(**raws["weights.toml"]),
        wordings=tuple(Wording(**raw) for raw in raws["wordings.toml"]["wording"]),
    )


def _reason(raw: Raw) -> Reason:
    on = raw.get("on", raw["text"])
    return Reason(**{**_frozen(raw), "on": on if raw["match"] == "pattern" else fold(on) or ""})


def _family(raw: Raw) -> Family:
    return Family(**{**_frozen(raw), "pattern": _pattern(raw)})


def _pattern(raw: Raw) -> Pattern | None:
    return Pattern(**_frozen(raw["pattern"])) if "pattern" in raw else None


def _cause(raw: Raw) -> Cause:
    remedy = dict(raw["remedy"])
    only = {name: tuple(lines) for name, lines in remedy.pop("commands_in", {}).items()}
    told = model.Remedy(**_frozen(remedy))
    return Cause(**{**_frozen(raw), "remedy": told, "commands_in": only, "pattern": _pattern(raw)})


def _frozen(raw: Raw) -> Raw:
    return {key: _tuple(value) for key, value in raw.items()}


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
