"""Who stops and tries again at once: that is no choice, and tells beside how many stop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import statistics
from sspr_audit.evidence.wording import counted
from sspr_audit.model import Kind, Signal, State, Suspicion

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.cohorts import Stretch
    from sspr_audit.evidence.material import Material

ALONE: Final = 0.8
"""Which part of the error is for how many stop; the rest is for that and for who tries again."""

_BURST_S: Final = 600
_SHORT_S: Final = 60
"""A burst: flows of one person and address this close together, none longer than this, seconds."""


def burst(one: Stretch, material: Material) -> Signal:
    """Who stops tries again within minutes, and stops within a minute each time.

    Of those who stop elsewhere fewer do: so it tells nothing of how many stop, and counts beside.
    """
    inside = one.own["start_utc"].between(one.found.start, one.found.end, inclusive="left")
    (k, n), (m, total) = (_bursting(units) for units in (one.own[inside], one.outside))
    p = statistics.against(k, n, m, total, material.numbers["variation"])
    enough = n >= material.numbers["least_people"]
    state = State.of(material.agrees(p)) if enough else State.FEW
    text = (
        f"{k} of {counted(n)} who stopped tried again within 10 minutes and stopped within a minute"
        f" each time; elsewhere {m} of {total}"
    )
    return Signal("retry-burst", Kind.PEOPLE, state, text, k, n, p)


def _bursting(units: pd.DataFrame) -> tuple[int, int]:
    """Count the people with two short stopped flows in 10 minutes from one address, of all who
    stopped.
    """
    stopped = units[units["hit"]]
    short = stopped[stopped["length_s"] <= _SHORT_S]
    gap = short.groupby(["person", "ip_group"])["start_utc"].diff().dt.total_seconds()
    again = short.loc[gap <= _BURST_S, "person"].nunique()
    return int(again), int(stopped["person"].nunique())


def counted_in(one: Suspicion) -> Suspicion:
    """Return it with the p of two looks: how many stop, and how many, of whom more try again.

    Who leaves by choice does not try again at once; so both together tell sooner than one alone.
    """
    retried = next(signal.p for signal in one.signals if signal.id == "retry-burst")
    both = statistics.joined(one.p, 1.0 if retried is None else retried)
    alone = min(1.0, one.p / ALONE)
    return replace(one, p=min(alone, both / (1 - ALONE)), alone=alone)
