"""Flows, acts and what is known beside them → signals: one module a family of signals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sspr_audit.model import Tested

if TYPE_CHECKING:
    from sspr_audit.evidence.material import Material


def patterns(material: Material) -> Iterator[Tested]:
    """Yield what each family of signals found, without any text that names a cause.

    What is told apart first is left out of what comes later: probing by strangers is no outage, and
    an outage of everything is no fault of one place.
    """
    from sspr_audit.evidence import absent
    from sspr_audit.evidence.explaining import explained

    for one in (absent.tested(material),):
        told = tuple(explained(suspicion, material) for suspicion in one.suspicions)
        yield replace(one, suspicions=told)
