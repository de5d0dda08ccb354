"""From which places a domain controller can be reached: as said, else as devices have shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.evidence.material import Material
from sspr_audit.model import Site

if TYPE_CHECKING:
    import pandas as pd

INSIDE: Final = "inside"
OUTSIDE: Final = "outside"
UNKNOWN: Final = "unknown"


def sided(material: Material, places: pd.Series[str]) -> pd.Series[str]:
    """Return inside, outside or unknown for each place: as said, else as devices have shown.

    A trusted named location is inside as far as anybody has said. Only where nobody has said of any
    place that it is inside do devices tell: so no sign-in moves a place from one side to the other.
    An address that nobody named is outside where an inside is known at all, unless several people
    reset there: then it may be an office, or a VPN, that is missing from the names.
    """
    said = {name: _said(site) for name, site in material.sites.items()}
    if INSIDE not in said.values():
        said |= dict.fromkeys(_shown(material), INSIDE)
    told = places.map(said).astype("str")
    if INSIDE in said.values():
        kinds = material.places["kind"]
        crowded = kinds.index[kinds != "home"]
        told = told.mask(told.isna() & places.notna() & ~places.isin(crowded), OUTSIDE)
    return told.fillna(UNKNOWN).astype("str")


def _shown(material: Material) -> list[str]:
    """Return the places of several people whose hybrid devices took a new password there."""
    import pandas as pd

    signed = material.context.sign_ins
    if signed is None:
        return []
    done = material.flows[material.flows["outcome"] == "succeeded"]
    took = signed[signed["of_windows"] & signed["succeeded"] & signed["trust"].eq("hybrid")]
    took = took.assign(place=material.placed(took))
    both = done[["person", "place", "end_utc"]].merge(
        took[["person", "place", "time_utc"]].dropna(), on=["person", "place"]
    )
    after = both["time_utc"] - both["end_utc"]
    span = pd.Timedelta(hours=material.numbers["silent_h"])
    there = both[(after > pd.Timedelta(0)) & (after <= span)]
    people = there.groupby("place")["person"].nunique()
    return sorted(people.index[people >= material.numbers["reached"]])


def at(material: Material, signed: pd.DataFrame) -> pd.Series[str]:
    """Return inside, outside or unknown for each sign-in, as `sided` does for resets."""
    return sided(material, material.placed(signed))


def _said(site: Site) -> str:
    if site.dc_reachable is None:
        return INSIDE if site.trusted else UNKNOWN
    return INSIDE if site.dc_reachable else OUTSIDE


def proved(heads: pd.DataFrame, least: float) -> pd.Series[bool]:
    """Return which successes were at places where hybrid devices took a new password.

    `heads` are successes with `place`, `trust` and whether the device then `opened` at the same
    place; `least` people must have such a device.
    """
    opened = heads[heads["trust"].eq("hybrid") & heads["opened"]]
    people = opened.groupby("place")["person"].nunique()
    return heads["place"].isin(people.index[people >= least])
