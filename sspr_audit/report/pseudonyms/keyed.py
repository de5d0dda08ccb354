"""What stands for a name: a pseudonym that depends on the name and a key alone.

So it stays from report to report; an object id whose one user principal name the data show has that
of the name.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sspr_audit.knowledge import Knowledge
from sspr_audit.knowledge.folding import fold

if TYPE_CHECKING:
    import pandas as pd

LETTERS: Final = 12
"""Of a pseudonym, 5 bits each: among a million names two are alike once in two million keys."""

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LETTER: Final = r"[^\s@\"'“”()\[\],;:<>]"
NAME: Final = re.compile(rf"(?<!{_LETTER}){_LETTER}++@{_LETTER}++")
"""Begins where a word does, or a word of 100 kB would be read again from each of its letters."""
_WORD: Final = re.compile(r"\w+")
_RESULTS: Final = ("success", "failure", "timeout")
_PRODUCTS: Final = ("model ", "maker ", "os version ")
"""How a scope names what devices share: a product is nobody's."""
OTHER: Final = "other:"


def words(knowledge: Knowledge) -> frozenset[str]:
    """Return the words that a text may keep, in lower case: those of the catalogue's own texts."""
    texts = [one.text for one in knowledge.reasons]
    texts += [one.name for one in knowledge.activities]
    texts += [one.service for one in knowledge.activities if one.service]
    return frozenset(
        word
        for text in (*texts, *knowledge.methods, *_RESULTS)
        for word in _WORD.findall(fold(text) or "")
    )


def names(*frames: pd.DataFrame) -> dict[str, str]:
    """Return the user principal name of each object id, where the frames know one for one.

    The frames have the columns `person` and `upn`. Of a name that two ids bore, or an id with two
    names, nobody can tell which to take.
    """
    import pandas as pd

    pairs = pd.concat([one[["person", "upn"]].dropna() for one in frames])
    pairs = pairs.assign(upn=pairs["upn"].str.strip().str.casefold()).drop_duplicates()
    pairs = pairs[pairs["person"].map(lambda one: bool(ID.fullmatch(one))).astype(bool)]
    alone = ~(pairs["person"].duplicated(keep=False) | pairs["upn"].duplicated(keep=False))
    return dict(zip(pairs["person"][alone].tolist(), pairs["upn"][alone].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Gives each name its pseudonym."""

    key: bytes = field(repr=False)
    words: frozenset[str]
    """What `words` returns."""
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What `names` returns."""

    def person(self, name: str) -> str:
        """Return what stands for a user principal name, or for an object id."""
        known = self.names.get(name.strip().lower(), name)
        return self._of("id" if ID.fullmatch(known.strip().lower()) else "person", known)

    def device(self, name: str) -> str:
        """Return what stands for a device; what several devices share stays."""
        return name if name.startswith(_PRODUCTS) else self._of("device", name)

    def server(self, name: str) -> str:
        """Return what stands for a writeback agent."""
        return self._of("server", name)

    def file(self, name: str) -> str:
        """Return what stands for a file: people give files the names of people."""
        return self._of("file", name)

    def client(self, name: str) -> str:
        """Return a class of client as it is, and of one that calls itself something, the class."""
        if not name.startswith(OTHER):
            return name
        return f"{OTHER}{self.client_type(name.removeprefix(OTHER))}"

    def client_type(self, text: str) -> str:
        """Return what stands for a ClientType as written."""
        return self._of("client", text)

    def text(self, text: str) -> str:
        """Return a text of the records; words that the catalogue does not know do not stay."""
        shown: list[str] = []
        hidden: list[str] = []
        for word in [*text.split(), None]:
            if word is not None and not self._is_known(word):
                hidden.append(word)
                continue
            if hidden:
                shown.append(self._hidden(hidden))
                hidden = []
            shown += [word] if word is not None else []
        return " ".join(shown)

    def _is_known(self, word: str) -> bool:
        folded = fold(word) or ""
        known = self.words.issuperset(_WORD.findall(folded))
        return known and folded.isascii() and not NAME.search(word)

    def _hidden(self, unknown: list[str]) -> str:
        alone = unknown[0].strip(",;:.()\"'")
        if len(unknown) == 1 and (NAME.fullmatch(alone) or ID.fullmatch(alone.lower())):
            return self.person(alone)
        return self._of("text", " ".join(unknown))

    def _of(self, kind: str, name: str) -> str:
        told = f"{kind}:{name.strip().casefold()}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self.key, told, "sha256")
        return f"{kind}-{b32encode(digest).decode()[:LETTERS].lower()}"
