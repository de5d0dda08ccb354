"""A person's name or id → the store without any record that names that person."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.errors import UsageError
from sspr_audit.pipeline.keeping import Keeper, upgrade
from sspr_audit.store import Stored, contexts, history

if TYPE_CHECKING:
    import duckdb

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"[^\s@\ud800-\udfff]+@[^\s@.\ud800-\udfff]+(\.[^\s@.\ud800-\udfff]+)*")
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_ID_KEYS: Final = ("userid", "objectid", "id")
"""Keys that hold a person's id beside a userPrincipalName, the surest first."""
_CSV_PERSON: Final = re.compile(r"(Actor|Target\d)(ObjectId|UserPrincipalName)")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was dropped, and on account of which names and ids (in lower case)."""

    stayed: int
    went: int
    names: tuple[str, ...]


def forget(keeper: Keeper, user: str) -> Forgotten:
    """Drop every record that names the person, in any field, and what the file held of it.

    `user` is a user principal name or an object id; the other names and ids of the same person are
    looked up in the records. Raises UsageError for anything else, since a part of a name would take
    other people's records along, and for no store.
    """
    wanted = user.strip().lower()
    if not (_ID.fullmatch(wanted) or _NAME.fullmatch(wanted)) or wanted == _NOBODY:
        msg = f"{user!r} is neither a user principal name nor an object id; give one of these"
        raise UsageError(msg)
    with keeper.held("forget"):
        upgrade(keeper)
        names = _names(keeper, wanted)
        pattern = _pattern(names)

        times: list[datetime] = []

        def without(batch: Stored) -> Stored:
            import pyarrow as pa
            import pyarrow.compute as pc

            stays = [True] * len(batch.texts)
            for place, value in _naming(batch, names):
                stays[place] = not any(pattern.search(text) for text in _leaves(value))
            kept = pa.array(stays, pa.bool_())
            if not batch.is_context and not all(stays):
                went = batch.rows["time_utc"].combine_chunks().filter(pc.invert(kept))
                span = pc.min_max(went.cast(pa.timestamp("us"), safe=False)).as_py()
                times.extend(time for time in span.values() if time)
            return batch.only(kept)

        def unname(store: duckdb.DuckDBPyConnection) -> None:
            contexts.forget(store, names)
            history.forget(store, names, (min(times), max(times)) if times else None)
            for name in names:  # a file's name runs on after the person's, with .json
                store.execute(
                    "UPDATE imports SET name = 'forgotten' WHERE contains(lower(name), $name)",
                    {"name": name},
                )

        return Forgotten(*keeper.store.remake(without, unname), names)


def _names(keeper: Keeper, wanted: str) -> tuple[str, ...]:
    """Return every name and id that the records give to one person.

    A name that was somebody else's too is no name of this person, unless it is the one wanted.
    """
    pairs: set[tuple[str, str]] = set()
    known = {wanted}
    for _ in range(3):  # from the name to the id, to its other names, and to whose those are
        found = {pair for batch in keeper.store.batches() for pair in _pairs_in(batch, known)}
        pairs |= {pair for pair in found if known.intersection(pair)}
        known |= {part for pair in pairs for part in pair}
    ids = {wanted} if _ID.fullmatch(wanted) else {one for one, name in pairs if name == wanted}
    names = {name for one, name in pairs if one in ids}
    shared = {name for one, name in pairs if one not in ids}
    return tuple(sorted({wanted} | ids | (names - shared)))


def _pairs_in(batch: Stored, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for _, value in _naming(batch, names):
        yield from _pairs(value)


def _naming(batch: Stored, names: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Yield place and value of the records that may name one of `names`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    layout = json.loads(batch.layout)
    may = pc.match_substring(batch.texts, "\\u")  # an escape can hide any letter
    for name in names:
        for written in (name, name.replace("-", "")):
            may = pc.or_(may, pc.match_substring(batch.texts, written, ignore_case=True))
    places = pa.array(range(len(batch.texts))).filter(may).to_pylist()
    for place, text in zip(places, batch.texts.filter(may).to_pylist(), strict=True):
        yield place, _value(text, layout)


def _value(text: str, layout: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a record as nested dicts, whatever form it has."""
    columns = layout.get("columns")
    if not columns:
        return _parsed(text)
    row = next(csv.reader([text], delimiter=layout["delimiter"]), [])
    value: dict[str, Any] = defaultdict(dict)
    for column, cell in zip(columns, row, strict=True):
        if person := _CSV_PERSON.fullmatch(column):
            value[person[1]][person[2]] = cell
        else:
            value[column] = _parsed(cell)
    return value


def _parsed(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a text says as JSON; itself, where it is none."""
    if text[:1] not in ("{", "[", '"'):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _inside(value: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever JSON holds
    """Yield the values in a dict or list, and what a text holds that is JSON itself."""
    match value:
        case dict():
            yield from value.values()
        case list():
            yield from value
        case str() if (inner := _parsed(value)) != value:
            yield inner


def _pairs(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever JSON holds
    """Yield id and user principal name wherever a record has them side by side, in lower case."""
    if isinstance(value, dict):
        here = {key.lower(): one.lower() for key, one in value.items() if isinstance(one, str)}
        name = here.get("userprincipalname", "")
        ids = [here[key] for key in _ID_KEYS if _ID.fullmatch(here.get(key, ""))]
        if _NAME.fullmatch(name) and ids and ids[0] != _NOBODY:
            yield ids[0], name
    for inner in _inside(value):
        yield from _pairs(inner)


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    """Yield every text in a record, in lower case."""
    if isinstance(value, str):
        yield value.lower()
    elif isinstance(value, dict):
        yield from (key.lower() for key in value)
    for inner in _inside(value):
        yield from _leaves(inner)


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return what finds the names whole: not as the end or beginning of somebody else's."""
    ids, others = [], []
    for name in names:
        if _ID.fullmatch(name):
            ids += [re.escape(name), name.replace("-", "")]
        else:
            others.append(re.escape(name))
    whole_ids = rf"(?<![0-9a-f])(?:{'|'.join(ids)})(?![0-9a-f])" if ids else r"(?!)"
    # An apostrophe can be part of a name, or stand around it.
    begin, end = r"(?<![\w.+!#$%^~&*-])(?<!\w')", r"(?![\w-])(?!\.\w)"
    whole_names = rf"{begin}(?:{'|'.join(others)}){end}" if others else r"(?!)"
    return re.compile(f"{whole_ids}|{whole_names}")
