"""What each place is, learned from who resets there and when, where nobody has named it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from sspr_audit.model import Site

_CROWD: Final = 3
"""People from whom on an address is no home."""
_DAYS: Final = 4
"""Days on which somebody resets, from which on a crowd is more than a visit."""
_WORK_HOURS: Final = 11
_SEVERAL: Final = 1.5
"""Other places that people come from, by which on an address is nobody's own."""


def places(
    flows: pd.DataFrame, sites: Mapping[str, Site], numbers: Mapping[str, float]
) -> pd.DataFrame:
    """Return a row a place: `people`, `days`, `working` (a share), `mingled`, `kind`.

    `sites` are what somebody has named, by name.

    `working` is the share of flows on weekdays in the place's busiest hours, whatever its time
    zone; `mingled` whether its people belong to several other places of many people, unless
    somebody has said so or the contrary.

    The kinds are site (somebody named it), office (many people, in working hours, for weeks),
    shared (an egress for people of several places, as of a VPN or a cloud proxy), visit (many
    people for a few days) and home (the rest).
    """
    import pandas as pd

    flows = flows.dropna(subset=["place", "person"])
    people = flows.drop_duplicates(["place", "person"]).groupby("place").size()
    dated = flows[["place"]].assign(day=flows["start_utc"].dt.normalize())
    found = pd.DataFrame(
        {"people": people, "days": dated.drop_duplicates().groupby("place").size()}
    )
    found["working"] = _working(flows).reindex(found.index)
    mingled = _mingled(flows[flows["place"].map(people) >= _CROWD], numbers)
    found["mingled"] = found.index.isin(mingled)
    for site in sites.values():
        if site.shared is not None and site.name in found.index:
            found.loc[site.name, "mingled"] = site.shared
    named = pd.Series(found.index.isin(list(sites)), index=found.index)
    found["named"] = named | found.index.isin(flows["site"].dropna().unique())
    crowd, stays = found["people"] >= _CROWD, found["days"] >= _DAYS
    kind = pd.Series("home", index=found.index)
    kind = kind.mask(crowd, "visit")
    kind = kind.mask(crowd & stays & (found["working"] >= numbers["work_share"]), "office")
    kind = kind.mask(crowd & stays & found["mingled"], "shared")
    found["kind"] = kind.mask(found["named"], "site")
    return found


def bases(
    flows: pd.DataFrame, places: pd.DataFrame, sign_ins: pd.DataFrame | None
) -> pd.Series[str]:
    """Return the place of work where each person is seen most, by person; not those seen at none.

    A place is one that somebody named, or an office that its people make; no tunnel, by which
    people come who open their devices elsewhere alone. `places` is what the function of that name
    gave.
    """
    import pandas as pd

    offices = places.index[places["kind"].isin(["site", "office"])]
    unnamed = flows[flows["site"].isna() & flows["place"].isin(offices)]
    office = unnamed.drop_duplicates("ip_group").set_index("ip_group")["place"]

    def seen(rows: pd.DataFrame) -> pd.DataFrame:
        at = rows["site"].fillna(rows["ip_group"].map(office).astype("str"))
        return rows[["person"]].assign(place=at)

    every = [seen(flows)] + ([] if sign_ins is None else [seen(sign_ins)])
    met = pd.concat(every, ignore_index=True).dropna()
    if sign_ins is not None:
        opened = sign_ins[sign_ins["of_windows"] & sign_ins["succeeded"]]
        there = seen(opened).dropna().drop_duplicates()["place"].value_counts()
        theirs = met[met["person"].isin(opened["person"])].drop_duplicates()["place"].value_counts()
        tunnels = theirs.index[theirs >= _CROWD].difference(there.index)
        met = met[~met["place"].isin(tunnels)]
    counts = met.value_counts().reset_index(name="often")
    ordered = counts.sort_values(["often", "place"], ascending=[False, True])
    return ordered.drop_duplicates("person").set_index("person")["place"]


def _working(flows: pd.DataFrame) -> pd.Series[float]:
    """Return for each place the share of flows on weekdays within its busiest hours."""
    import numpy as np
    import pandas as pd

    start = flows["start_utc"]
    weekdays = flows[start.dt.day_of_week < 5]  # noqa: PLR2004 - Monday to Friday
    codes, names = pd.factorize(weekdays["place"], sort=True)
    cells = codes * 24 + weekdays["start_utc"].dt.hour.to_numpy()
    hours = np.bincount(cells, minlength=24 * len(names)).reshape(-1, 24)
    around = np.concatenate([hours, hours], axis=1).cumsum(axis=1)
    around = np.concatenate([np.zeros((len(hours), 1)), around], axis=1)
    most = (around[:, _WORK_HOURS : 24 + _WORK_HOURS] - around[:, :24]).max(axis=1, initial=0)
    total = flows.groupby("place").size()
    return (pd.Series(most, index=names).reindex(total.index).fillna(0) / total).astype(float)


def _mingled(flows: pd.DataFrame, numbers: Mapping[str, float]) -> pd.Index[str]:
    """Return the places by which people of several others come, as by a VPN or a cloud proxy.

    Who works at one place and is elsewhere now and then is seen again at his place, or at that one
    other. Most people reset once, so only those who were seen on several days can tell.
    """
    visits = flows[["place", "person"]].assign(day=flows["start_utc"].dt.normalize())
    often = visits.drop_duplicates().value_counts(["person", "place"]).reset_index(name="days")
    often = often[often.groupby("person")["days"].transform("sum") > 1]
    often = often.sort_values(["person", "days", "place"], ascending=[True, False, True])
    # Of each person the place where else they were most.
    most = often.groupby("person")["place"].first()
    second = often[often.groupby("person").cumcount() == 1].set_index("person")["place"]
    here = often.set_index("person")["place"]
    first = most.reindex(here.index)
    other = first.where(first != here, second.reindex(here.index))
    counts = other.groupby(here).value_counts()
    also, people = counts.groupby(level=0).sum(), here.value_counts()
    # As many places as if its people came from all of them alike: the inverse Simpson index.
    several = also**2 / (counts**2).groupby(level=0).sum()
    enough = also >= numbers["least_people"]
    enough &= also >= numbers["mingled_share"] * people.reindex(also.index)
    return also.index[enough & (several >= _SEVERAL)]
