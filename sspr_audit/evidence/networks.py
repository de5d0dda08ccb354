"""What each place is, learned from who resets there and when, where nobody has named it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

_CROWD: Final = 3
"""People from whom on an address is no home."""
_DAYS: Final = 4
"""Days on which somebody resets, from which on a crowd is more than a visit."""
_WORK_HOURS: Final = 11


def places(
    flows: pd.DataFrame, sites: Collection[str], numbers: Mapping[str, float]
) -> pd.DataFrame:
    """Return a row a place: `people`, `days`, `working` and `mingled` (shares), `kind`.

    `sites` are the names that somebody gave.

    `working` is the share of flows on weekdays in the place's busiest hours, whatever its time
    zone; `mingled` the share of its people who were also seen at another place of many people.

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
    found["mingled"] = _mingled(flows, found["people"]).reindex(found.index)
    named = pd.Series(found.index.isin(list(sites)), index=found.index)
    found["named"] = named | found.index.isin(flows["site"].dropna().unique())
    crowd, stays = found["people"] >= _CROWD, found["days"] >= _DAYS
    kind = pd.Series("home", index=found.index)
    kind = kind.mask(crowd, "visit")
    kind = kind.mask(crowd & stays & (found["working"] >= numbers["work_share"]), "office")
    kind = kind.mask(crowd & stays & (found["mingled"] >= numbers["mingled_share"]), "shared")
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

    offices = places.index[places["kind"].eq("office")]
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


def _mingled(flows: pd.DataFrame, people: pd.Series[int]) -> pd.Series[float]:
    """Return for each place the share of its people who also reset at other crowded places."""
    pairs = flows[["place", "person"]].drop_duplicates()
    crowded = pairs[pairs["place"].map(people) >= _CROWD]
    elsewhere = crowded.groupby("person")["place"].transform("size") > 1
    return elsewhere.astype(float).groupby(crowded["place"]).mean()
