"""What a report must not be written over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sspr_audit import store
from sspr_audit.model import Batch
from sspr_audit.sources import files as sources


def needed(
    target: Path, *, inputs: Sequence[str], store_path: Path, settings_file: Path | None
) -> str | None:
    """Say what `target` is, where writing it would destroy what is needed; None where not.

    A file that was found in a folder is an input where it holds an export: a report may lie beside
    the exports that it is made from, and be written anew.
    """
    if settings_file is not None and _same(target, settings_file):
        return "the settings file"
    if any(_same(target, one) for one in store.files(store_path)):
        return "part of the store"
    if target.exists():
        found, _ = sources.find(inputs)
        here = [one for one in found if one.path is not None and _same(target, one.path)]
        if any(one.named for one in here) or any(
            isinstance(item, Batch) for item in sources.read(here)
        ):
            return "one of the inputs"
    return None


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
