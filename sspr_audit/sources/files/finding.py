"""Words of a command line → the files that they name."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file, or standard input where `path` is None."""

    name: str
    """As it may be shown: whatever would not be seen is written out."""
    path: Path | None
    named: bool = True
    """Whether the person named it, rather than a folder that holds it."""


def find(paths: Sequence[str]) -> tuple[list[ExportFile], list[str]]:
    """Return the files that `paths` name, each once, in order, and the words that name none.

    A path is a file, a folder (with all below it), a glob, or `-` for standard input. Globs are
    expanded here, since not every shell does. A folder that cannot be listed, or a link to one,
    comes out as a file, so that reading it tells why nothing came of it.
    """
    found: dict[str, ExportFile] = {}
    missing = []
    for word in paths:
        if word == "-":
            found.setdefault("-", ExportFile("standard input", None))
            continue
        # An empty word is what a script gives whose variable was never set; a path of it is `.`.
        there = [inner for path in (_named(word) if word else ()) for inner in _files(path)]
        if not there:
            missing.append(shown(word) or "the empty word")
        for file in there:
            key = os.path.realpath(file.path or "")
            if file.named or key not in found:
                found[key] = file
    return list(found.values()), missing


def shown(text: str) -> str:
    r"""Return `text` with all that is not seen written out, as in `\n` or `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode-escape").decode()
        for letter in text
    )


def _named(word: str) -> list[Path]:
    path = Path(word)
    try:
        there = path.exists()
    except OSError:
        there = True  # opening it will say what is wrong
    return [path] if there else sorted(_globbed(path))


def _globbed(path: Path) -> set[Path]:
    """Return what a glob names; `**` follows no link, since one may lead back to itself."""
    parts = path.relative_to(path.anchor).parts
    found = {Path(path.anchor)}
    for part in (*parts, "*") if parts[-1:] == ("**",) else parts:
        if part == "**":
            found = _deeper(found)
        else:
            found = {here / name for here in found for name in glob.glob(part, root_dir=here)}  # noqa: PTH207 - Path.glob takes no name like `..`
    return found


def _deeper(folders: set[Path]) -> set[Path]:
    """Return folders with all below them that are not hidden, each once."""
    seen: set[Path] = set()
    for top in folders:
        for here, below, _ in os.walk(top):
            below[:] = [name for name in below if not name.startswith(".")]
            if Path(here) in seen:
                below.clear()
            seen.add(Path(here))
    return seen


def _files(path: Path) -> list[ExportFile]:
    if not os.path.isdir(path):  # noqa: PTH112 - raises nothing
        return [ExportFile(shown(str(path)), path)]
    inner = sorted(_below(path))
    return [ExportFile(shown(str(p)), p, named=False) for p in inner]


def _below(folder: Path) -> Iterator[Path]:
    failed: list[OSError] = []
    for here, folders, names in os.walk(folder, onerror=failed.append):
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]  # noqa: PTH114, PTH118 - raises nothing
        yield from (Path(here) / name for name in names + links)
    yield from (Path(error.filename) for error in failed)
