"""Find out why self-service password resets fail, from what Microsoft Entra logs about them.

The names below are for notebooks and other programs; `sspr_audit.api` says how they are used. They
are looked up when first asked for, because most commands need only some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sspr_audit.api import (
        Analysis,
        Change,
        Finding,
        Report,
        SsprAuditError,
        Text,
        analyse,
        catalogue,
        changed,
        charts,
        demo,
        story,
        why,
    )

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Change",
    "Finding",
    "Report",
    "SsprAuditError",
    "Text",
    "analyse",
    "catalogue",
    "changed",
    "charts",
    "demo",
    "story",
    "why",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from sspr_audit import api

        return getattr(api, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
