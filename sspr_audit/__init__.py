"""Find out why self-service password resets fail, from what Microsoft Entra logs about them.

The names below are for notebooks and other programs; `sspr_audit.api` says how they are used. They
are looked up when first asked for, because most commands need only some of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sspr_audit import charts
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
    if name == "charts":
        return import_module("sspr_audit.charts")
    if name in __all__:
        found: object = getattr(import_module("sspr_audit.api"), name)
        return found
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
