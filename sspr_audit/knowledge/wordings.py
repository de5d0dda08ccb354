"""What Windows says in other languages: how a help desk that reads no English finds a cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """A message or the name of a setting, as another language has it."""

    english: str
    """As the texts of the causes quote it."""
    language: str
    text: str
    source: str


def quoted(text: str, wordings: Iterable[Wording]) -> Iterator[Wording]:
    """Yield the wordings of what `text` quotes, whatever its capitals and line breaks."""
    here = _flat(text)
    return (one for one in wordings if _flat(one.english) in here)


def says(text: str, wanted: str, wordings: Iterable[Wording]) -> bool:
    """Say whether `wanted` stands in `text`, in English or in another language."""
    sought = _flat(wanted)
    told = (text, *(one.text for one in quoted(text, wordings)))
    return any(sought in _flat(one) for one in told)


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()
