"""Checks a folder of knowledge whole: its shape, its references and its samples."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from sspr_audit.errors import KnowledgeError
from sspr_audit.knowledge import files, shapes
from sspr_audit.knowledge.catalogue import (
    KNOWN_CLOUDS,
    STAGES,
    Cause,
    Family,
    Pattern,
    Reason,
)
from sspr_audit.knowledge.clouds import PLACEHOLDER, Cloud
from sspr_audit.knowledge.folding import fold
from sspr_audit.knowledge.known import Knowledge

ADDED: Final = ("activities.toml", "families.toml", "reasons.toml", "sources.toml")
"""Tables to which people may add rows of their own; of causes they may add files."""

Facts: Final = frozenset(Cloud.__dataclass_fields__) - {"name", "notes", "sources"}


def checked(folder: Path) -> Knowledge:
    """Return the knowledge in `folder`. Raises KnowledgeError, which names every fault.

    References are looked at where every file has its shape, samples where references hold.
    """
    faults: list[str] = []
    raws = _parsed(folder, files.TABLES, faults)
    return _sound(raws, faults)


def added(shipped: Traversable, folder: Path) -> Knowledge:
    """Return what `shipped` and `folder` hold together; `folder` needs no more than one cause.

    Raises KnowledgeError, also where `folder` gives an id that is taken.
    """
    faults: list[str] = []
    raws = _parsed(shipped, files.TABLES, faults)
    own = _parsed(folder, [name for name in ADDED if (folder / name).exists()], faults)
    for name, raw in own.items():
        if name.startswith("causes/") and name in raws:
            faults.append(f"{name}: a cause of this id ships with the program")
        if name == "sources.toml":
            taken = sorted(raw.keys() & raws[name].keys())
            faults += [f"{name}: a source called {key} ships with the program" for key in taken]
        raws[name] = _joined(raw, raws.get(name, {}))
    return _sound(raws, faults)


def _joined(own: files.Raw, shipped: files.Raw) -> files.Raw:
    """Return both tables as one: rows of lists one after the other, the own ones first."""
    rows = {key: value for key, value in shipped.items() if isinstance(value, list)}
    both = {
        key: [*value, *rows[key]] if isinstance(value, list) and key in rows else value
        for key, value in own.items()
    }
    return shipped | both


def _parsed(folder: Traversable, tables: Iterable[str], faults: list[str]) -> dict[str, files.Raw]:
    """Return the parsed files of a folder; what cannot be read is added to the faults."""
    raws: dict[str, files.Raw] = {}
    try:
        for name, text in files.texts(folder, tables):
            try:
                raws[name] = files.parsed(text)
            except tomllib.TOMLDecodeError as error:
                faults.append(f"{name}: {error}")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{error}")
    return raws


def _sound(raws: dict[str, files.Raw], faults: list[str]) -> Knowledge:
    """Return the knowledge that parsed files make. Raises KnowledgeError for every fault."""
    faults += [f"{name}: {fault}" for name, raw in raws.items() for fault in _misshapen(name, raw)]
    if not faults:
        known = files.knowledge(raws)
        faults = [*_tables(known), *_cause_files(known, raws)]
        faults += [] if faults else [*_own_texts(known), *_causes(known)]
    if faults:
        raise KnowledgeError("\n".join(faults))
    return known


def _misshapen(name: str, raw: files.Raw) -> Iterator[str]:
    if entry_shape := shapes.OF_ENTRIES.get(name):
        for key, entry in raw.items():
            yield from (f"{key}: {fault}" for fault in _refused(entry_shape, entry))
    else:
        yield from _refused(shapes.OF_FILES.get(name, shapes.Cause), raw)


def _refused(shape: type[shapes.Strict], raw: object) -> Iterator[str]:
    try:
        shape.model_validate(raw)
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join(str(part) for part in fault["loc"])
            yield f"{where}: {fault['msg']}"


def _cause_files(known: Knowledge, raws: Iterable[str]) -> Iterator[str]:
    """Say which causes do not stand in the file of their name."""
    names = {name for name in raws if name.startswith("causes/")}
    own = {f"causes/{cause}.toml" for cause in known.causes}
    yield from (f"{name}: the id of the cause is not the file's name" for name in names - own)


def _tables(known: Knowledge) -> Iterator[str]:
    """Say what does not hold between the tables."""
    if set(known.clouds) != set(KNOWN_CLOUDS):
        yield f"clouds.toml: the clouds are {', '.join(KNOWN_CLOUDS)}"
    yield from _unknown_sources(known)
    yield from _families(known)
    yield from _reasons(known)
    yield from (f"activities.toml: {name} stands twice" for name in _doubles(known))
    yield from _patterns(known)
    for pattern in known.client_patterns:
        yield from (f"client_types.toml: {fault}" for fault in _broken(pattern.pattern))


def _unknown_sources(known: Knowledge) -> Iterator[str]:
    cited: list[tuple[str, tuple[str, ...]]] = []
    cited += [(f"activities.toml: {one.name}", (one.source,)) for one in known.activities]
    cited += [(f"reasons.toml: {one.key}", (one.source,)) for one in known.reasons]
    cited += [(f"families.toml: {one.id}", one.sources) for one in known.families.values()]
    cited += [(f"wordings.toml: {one.text}", (one.source,)) for one in known.wordings]
    cited += [(f"clouds.toml: {one.name}", one.sources) for one in known.clouds.values()]
    cited += [(f"causes/{one.id}.toml", one.sources) for one in known.causes.values()]
    for where, sources in cited:
        yield from (
            f"{where}: no source is called {source}"
            for source in sources
            if source not in known.sources
        )


def _families(known: Knowledge) -> Iterator[str]:
    stated = {row.family for row in known.reasons}
    for family in known.families.values():
        faults = [f"no cause is called {one}" for one in family.members if one not in known.causes]
        if family.lead not in family.members:
            faults.append(f"its lead {family.lead} is no member")
        if family.id in known.causes:
            faults.append("a cause has the same id")
        if (family.kind == "text") is not (family.id in stated):
            faults.append("kind says `text` where no reason names it, or the other way round")
        faults += _unfilled(family.background, known.clouds, known)
        yield from (f"families.toml: {family.id}: {fault}" for fault in faults)


def _patterns(known: Knowledge) -> Iterator[str]:
    """Say which patterns speak on both sides, and which numbers are of no pattern's signals."""
    targets: tuple[Cause | Family, ...] = (*known.causes.values(), *known.families.values())
    patterns = {one.id: one.pattern for one in targets if one.pattern}
    for id_, pattern in patterns.items():
        both = sorted({*pattern.needs, *pattern.supports} & set(pattern.spoilers))
        yield from (f"{id_}: {signal} speaks for it and against it" for signal in both)
    weights = known.weights
    for id_ in sorted({*weights.likely, *weights.signals} - patterns.keys()):
        yield f"weights.toml: {id_} has no pattern"
    for id_, signals in weights.signals.items():
        strays = sorted(signals.keys() - _named_by(patterns.get(id_)))
        yield from (f"weights.toml: {id_}: its pattern has no signal {one}" for one in strays)


def _named_by(pattern: Pattern | None) -> set[str]:
    return {*pattern.needs, *pattern.supports, *pattern.spoilers} if pattern else set()


def _reasons(known: Knowledge) -> Iterator[str]:
    keys = Counter(row.key for row in known.reasons)
    yield from (f"reasons.toml: {key} stands twice" for key, count in keys.items() if count > 1)
    for row in known.reasons:
        yield from (f"reasons.toml: {row.key}: {fault}" for fault in _reason(row, known))


def _reason(row: Reason, known: Knowledge) -> Iterator[str]:
    yield from (f"no cause is called {one}" for one in row.causes if one not in known.causes)
    if row.family is not None and row.family not in known.families:
        yield f"no family is called {row.family}"
    if row.family is not None and row.causes:
        yield "it names causes and a family"
    if row.match == "pattern":
        yield from _broken(row.on)


def _broken(pattern: str) -> Iterator[str]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield f"{pattern} is no regular expression: {error}"


def _doubles(known: Knowledge) -> Iterator[str]:
    names = Counter(fold(one.name) for one in known.activities)
    yield from (str(name) for name, count in names.items() if count > 1)


def _cause(cause: Cause, known: Knowledge) -> Iterator[str]:
    yield from (f"no rival is called {one}" for one in cause.rivals if one not in known.causes)
    if cause.id in cause.rivals:
        yield "it is its own rival"
    if not set(re.findall(r"S\d+", cause.stage)) <= STAGES.keys():
        yield f"there is no stage {cause.stage}"
    for fact in cause.remedy.hosts:
        if fact not in Facts:
            yield f"clouds have no field {fact}"
    yield from _placeholders(cause, known)


def _placeholders(cause: Cause, known: Knowledge) -> Iterator[str]:
    commands = (*cause.remedy.commands, *sum(cause.commands_in.values(), ()))
    yield from _unfilled(_prose(cause), cause.clouds, known)
    yield from _unfilled(commands, (), known)  # one that cannot be filled is left out


def _unfilled(texts: Iterable[str], clouds: Iterable[str], known: Knowledge) -> Iterator[str]:
    """Say which placeholders have neither a value in each of `clouds` nor a word instead."""
    for fact, otherwise in (found for text in texts for found in PLACEHOLDER.findall(text)):
        if fact not in Facts:
            yield f"clouds have no field {fact}"
        elif not otherwise:
            lacking = [name for name in clouds if not known.clouds[name].values(fact)]
            if lacking:
                yield f"{fact} is not known in {', '.join(lacking)}: say what else after a bar"


def _prose(cause: Cause) -> Iterator[str]:
    yield from (cause.os, cause.user_sees or "", cause.signature, cause.known_gaps)
    yield from (*cause.evidence_elsewhere, *cause.needs_data, *cause.confounders)
    yield cause.remedy.summary


def _own_texts(known: Knowledge) -> Iterator[str]:
    """Say which rows of reasons cannot be reached by their own text."""
    for row in known.reasons:
        found = known.reason(row.text)
        if found is None or found.reason != row:
            other = found.reason.key if found else "nothing"
            yield f"reasons.toml: {row.key}: its own text leads to {other}"


def _causes(known: Knowledge) -> Iterator[str]:
    for cause in known.causes.values():
        faults = (*_cause(cause, known), *_misled(cause, known))
        yield from (f"causes/{cause.id}.toml: {fault}" for fault in faults)


def _misled(cause: Cause, known: Knowledge) -> Iterator[str]:
    stated = known.reasons_for(cause.id)
    if stated and not cause.fits:
        yield f"a reason names it ({stated[0].key}), but no sample fits"
    if not stated and not cause.needs_data:
        yield "no reason names it, and it does not say what data would show it"
    for text in cause.fits:
        if cause.id not in _named(text, known):
            yield f"does not fit: {text}"
    for text in cause.must_not:
        if cause.id in _named(text, known):
            yield f"fits, but must not: {text}"
        if known.reason(text) is None:
            yield f"not recognized, so no test of what must not fit: {text}"


def _named(text: str, known: Knowledge) -> tuple[str, ...]:
    found = known.reason(text)
    return () if found is None else known.named_by(found.reason)
