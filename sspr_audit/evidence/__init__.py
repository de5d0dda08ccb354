"""Flows, acts and what is known beside them → signals: one module a family of signals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sspr_audit.model import State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material


def patterns(material: Material) -> Iterator[Tested]:
    """Yield what each family of signals found, without any text that names a cause.

    What is told apart first is left out of what comes later: probing by strangers is no outage, and
    an outage of everything is no fault of one place.
    """
    from sspr_audit.evidence import (
        absent,
        aftermath,
        gates,
        incident,
        people,
        stalled,
        takeover,
    )
    from sspr_audit.evidence.explaining import explained

    probes, thefts = people.tested(material), takeover.tested(material)
    strangers = [*certain(probes, material), *certain(thefts, material)]
    rest = material.without(_flows(one for one in strangers if _strange(one)))
    # An incident before the window would be a place's past.
    at_once, ever = incident.tested(rest)
    incidents = [*certain(at_once, material), *certain(ever, material)]
    rest = rest.without(incident.during(rest, filter(incident.undoubted, incidents)))
    for one in (
        *(probes, thefts, at_once),
        *(absent.tested(rest), stalled.tested(rest), stalled.by_device(rest, rest.owned)),
        *(gates.phone(rest), gates.mail(rest), aftermath.tested(rest)),
    ):
        told = tuple(explained(suspicion, material) for suspicion in one.suspicions)
        yield replace(one, suspicions=told, part=material.part(one.kind))


def certain(tested: Tested, material: Material) -> tuple[Suspicion, ...]:
    """Return the suspicions that chance hardly ever makes, over all tests of all families.

    A finding is asked for as much: what is left out of other tests for them is told itself.
    """
    limit = material.limit(tested.kind, max(tested.tests, len(tested.suspicions)))
    return tuple(one for one in tested.suspicions if one.p <= limit)


def _strange(one: Suspicion) -> bool:
    """Say whether nothing shows that the people of a probe or takeover are themselves.

    An office whose resets are cut off must not be left out of the search for what cuts them off.
    """
    states = {signal.id: signal.state for signal in one.signals}
    own = State.FIRED in {states.get("was-used-before"), states.get("network-used-again")}
    return not own and states.get("nobody-returns", State.FIRED) is State.FIRED


def _flows(found: Iterable[Suspicion]) -> pd.Series[str]:
    import pandas as pd

    return pd.Series([flow for one in found for flow in one.flow_ids], dtype="str")
