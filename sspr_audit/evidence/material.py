"""What the signals are made from: flows and acts, and what is known beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import devices, egress, networks
from sspr_audit.model import Context, Kind, Site, Window

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd


SCREEN: Final = "windows-signin"
"""The client at the sign-in screen of Windows 10 and 11."""
SCREENS: Final = (SCREEN, "windows7-addin")
"""Clients that are a sign-in screen, of whatever Windows."""

LOOKS: Final = 9
"""How many families are looked at; each has its part of the false discovery rate."""

NOT_ALONE: Final = 2
"""People of whom something must be seen: one alone shows nothing of a place or a device."""


_USED: Final = [
    *("flow_id", "person", "upn", "start_utc", "end_utc", "length_s", "outcome", "stage"),
    *("methods", "password_tries", "reason", "reason_key", "client", "ip", "ip_group", "site"),
    "agent",
]
"""The columns of flows that signals read; every cut through a frame costs by its columns."""


def times_of(keys: pd.Series[str], times: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """Return the time of each key, NaT where there is none; Series.map refuses an empty table."""
    import pandas as pd

    return pd.Series(times.reindex(keys).array, keys.index)


def told_of(methods: pd.Series[str], tells: Callable[[list[str]], bool]) -> pd.Series[bool]:
    """Say of which flows `tells` is true of the methods that they tried, in order.

    It is asked once of each list that occurs, of which there are few; false where none was tried.
    """
    import pandas as pd

    lists = methods.dropna().unique()
    true_of = [one for one in lists if tells(str(one).split(", "))]
    return pd.Series(methods.isin(true_of), methods.index)


def strata(flows: pd.DataFrame) -> pd.Series[str]:
    """Return what flows must share to be compared: client, workday or weekend, part of day."""
    day = flows["start_utc"].dt.day_of_week.ge(5).map({True: "weekend", False: "workday"})
    part = (flows["start_utc"].dt.hour // 6).astype("str")
    found: pd.Series[str] = flows["client"] + "|" + day + "|" + part
    return found


@dataclass(frozen=True)  # no slots: what is worked out once stays beside the fields
class Material:
    """Everything before the window's end that judgement may use.

    `flows` has columns of `tables.FLOWS`, `stratum` and `place`: the site, else the address or
    addresses of one way out; null where none is known. `acts` has those of `tables.ACTS`,
    `changes` are the events of `tables.EVENTS` that tell of a changed policy.
    """

    flows: pd.DataFrame
    acts: pd.DataFrame
    changes: pd.DataFrame
    context: Context
    sites: Mapping[str, Site]
    """By name."""
    window: Window
    """What is reported: a pattern counts if it is active here."""
    baseline: Window
    """What judgement may look at; it holds the window."""
    numbers: Mapping[str, float]
    """Thresholds of weights.toml."""
    until: datetime
    """Up to where the data are known: nobody knows what came after the last record of files."""

    @cached_property
    def places(self) -> pd.DataFrame:
        """What each place is, as networks.places tells."""
        return networks.places(self.flows, self.sites, self.numbers)

    @cached_property
    def bases(self) -> pd.Series[str]:
        """Where each person works, as networks.bases tells."""
        return networks.bases(self.flows, self.places, self.context.sign_ins)

    @cached_property
    def owned(self) -> pd.DataFrame:
        """The device of each flow, as devices.of_flows tells."""
        return devices.of_flows(self.flows, self.context)

    def placed(self, signed: pd.DataFrame) -> pd.Series[str]:
        """Return where each sign-in was, as `place` of flows; its address where nobody reset."""
        known = self.flows.dropna(subset=["ip_group"]).drop_duplicates("ip_group")
        groups = dict(zip(known["ip_group"], known["place"], strict=True))
        address = signed["ip_group"]
        place = address.map(groups).astype("str").fillna(address)
        return signed["site"].fillna(place)

    def agrees(self, p: float) -> bool:
        """Say whether chance shows as much so seldom that a second signal counts as fired."""
        return p <= self.numbers["corroborates"]

    def spoils(self, p: float) -> bool:
        """Say whether chance shows as much so seldom that a signal against counts as fired."""
        return p <= self.numbers["spoils"]

    def watches(self, people: Collection[str]) -> bool:
        """Say whether the sign-ins of most of these people are known: the store holds only those of
        people who were followed.
        """
        spans = self.context.watched
        if self.context.sign_ins is None or spans is None:
            return False
        if spans["person"].isna().any():
            return True
        known = len(set(spans["person"]).intersection(people))
        return known >= self.numbers["known_share"] * len(people)

    def part(self, kind: Kind) -> float:
        """Return which part of the false discovery rate a family of this kind may use."""
        given = {
            Kind.ABSENT: self.numbers["silences_part"],
            Kind.TIME: self.numbers["incidents_part"],
        }
        return given.get(kind, (1 - sum(given.values())) / (LOOKS - len(given)))

    def limit(self, kind: Kind, tests: int) -> float:
        """Return the p that the surest of so many tests of a family must reach to be a finding."""
        return self.numbers["false_discovery"] * self.part(kind) / max(tests, 1)

    def without(self, flow_ids: pd.Series[str]) -> Material:
        """Return the same without these flows, which something else explains."""
        return replace(self, flows=self.flows[~self.flows["flow_id"].isin(flow_ids)])


def material(  # noqa: PLR0913 - everything that judgement may look at
    flows: pd.DataFrame,
    acts: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    context: Context,
    sites: Mapping[str, Site],
    window: Window,
    baseline: Window,
    numbers: Mapping[str, float],
    until: datetime | None = None,
) -> Material:
    """Return the material inside the baseline, in order of time, flows with their place.

    Data that are known `until` some time are known to the end of the window where it is None.
    """
    inside = (flows["start_utc"] >= baseline.start) & (flows["start_utc"] < baseline.end)
    here = flows.loc[inside, _USED].sort_values(["start_utc", "flow_id"], ignore_index=True)
    acts, changes = (
        frame[(frame["time_utc"] >= baseline.start) & (frame["time_utc"] < baseline.end)]
        for frame in (acts, changes)
    )
    return Material(
        here.assign(place=egress.places(here, context.sign_ins), stratum=strata(here)),
        acts,
        changes,
        context,
        sites,
        window,
        baseline,
        numbers,
        until or baseline.end,
    )
