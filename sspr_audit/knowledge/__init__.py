"""What is known about Entra, as data: one TOML file a cause, one table of reasons.

`load` trusts the files that ship with the package, because the tests read the same files with
every check; `read` checks a folder whole, for those tests and for people who write a cause.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from sspr_audit.knowledge import files
from sspr_audit.knowledge.catalogue import (
    KNOWN_CLOUDS,
    STAGES,
    Activity,
    Cause,
    ClientPattern,
    Family,
    Reason,
    ReasonMatch,
)
from sspr_audit.knowledge.clouds import Cloud
from sspr_audit.knowledge.folding import fold
from sspr_audit.knowledge.known import Knowledge

__all__ = [
    "KNOWN_CLOUDS",
    "STAGES",
    "Activity",
    "Cause",
    "ClientPattern",
    "Cloud",
    "Family",
    "Knowledge",
    "Reason",
    "ReasonMatch",
    "extended",
    "fold",
    "load",
    "read",
]


@cache
def load() -> Knowledge:
    """Return the knowledge that ships with the package, unchecked (the tests check it)."""
    shipped = files.texts(resources.files(__name__))
    return files.knowledge({name: files.parsed(text) for name, text in shipped})


def extended(folder: Path) -> Knowledge:
    """Return the knowledge that ships, with what `folder` adds to it.

    `folder` holds what its owner knows: `causes/<id>.toml`, and rows for any of reasons.toml,
    families.toml, activities.toml and sources.toml. Raises KnowledgeError, which names every fault.
    """
    from sspr_audit.knowledge import check

    return check.added(resources.files(__name__), folder)


def read(folder: Path) -> Knowledge:
    """Return the knowledge in `folder`. Raises KnowledgeError, which names every fault."""
    from sspr_audit.knowledge import check

    return check.checked(folder)
