"""Where resets at the sign-in screen should be and are not.

People are counted, not flows: a person weighs as much as any other, however often they reset. What
a place would show is what other places of the tenant show at the same hours, and its own past.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import egress, silence, statistics
from sspr_audit.evidence.material import NOT_ALONE, SCREEN
from sspr_audit.evidence.silence import Silence
from sspr_audit.model import Few, Kind, Scope, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material

TARGET: Final = "signin-screen-silent-at-site"
_PRIOR: Final = 5
"""As how many people the tenant's own share counts in the share of one part of the week."""
_SPOKE: Final = 2
"""People at the sign-in screen from whom on a shared egress counts as one that has some."""
_UNSURE: Final = 0.05
"""A silence that chance alone makes so often may not have begun yet."""


def tested(material: Material) -> Tested:
    """Return where the sign-in screen fell silent, or never spoke, though people reset there."""
    flows = material.flows
    if not flows["client"].eq(SCREEN).any():
        needs = "ClientType: no event of this data names the sign-in screen"
        return Tested(Kind.ABSENT, 0, few=(Few(TARGET, Scope(), needs),))
    here = _ranked(flows[flows["place"].isin(_speaking(material))].dropna(subset=["person"]))
    runs = _runs(here, material)
    if runs.empty:
        needs = "more people: any who reset in this window at a place of many people"
        return Tested(Kind.ABSENT, 0, few=(Few(TARGET, Scope(), needs),))
    table = _compared(here, runs, material)
    enough = (table["people"] >= material.numbers["least_people"]) & (
        table["people"] * table["usual"] >= material.numbers["least_expected"]
    )
    worth = table[enough & (table["p"] <= material.numbers["corroborates"])]
    worth = worth.join(_again(worth, here, material))
    worth = worth[~_over_before(worth, runs, material)]
    found = [_suspicion(one, material) for one in _silences(here, runs, worth)]
    # A place at which nobody could ever find a silence is no test: chance has no way there either.
    tells = (table["all"] >= material.numbers["least_people"]) & (
        table["all"] * table["usual"] >= material.numbers["least_expected"]
    )
    tests = max(int(tells.sum()), 1)
    few = tuple(_few(table[~enough], tests, material))
    return Tested(Kind.ABSENT, tests, tuple(found), few)


def _speaking(material: Material) -> pd.Index[str]:
    """Return the places whose people can reset at a sign-in screen there.

    Through a VPN nobody does: it begins after the sign-in. So an egress for people of several
    places must have been seen to.
    """
    places = material.places
    shared = places["mingled"]
    spoke = material.flows[material.flows["client"].eq(SCREEN)]
    people = spoke.groupby("place")["person"].nunique().reindex(places.index).fillna(0)
    own = places["kind"].isin(["site", "office"]) & ~shared
    return places.index[own | (shared & (people >= _SPOKE))]


def _units(flows: pd.DataFrame) -> pd.DataFrame:
    """Return each person's first flow of each week at each place, with its part of the week.

    `tries` shares one person's weight at a place among these flows, `hits` is the part of it that
    was at the sign-in screen.
    """
    start = flows["start_utc"]
    week = (start - start.min()).dt.days // 7
    first = flows[~flows.assign(week=week).duplicated(["place", "person", "week"])]
    weight = 1 / first.groupby(["place", "person"])["flow_id"].transform("size")
    hits = weight.where(first["client"].eq(SCREEN), 0.0)
    return first.assign(part=_part(first["start_utc"]), tries=weight, hits=hits)


def _part(start: pd.Series[pd.Timestamp]) -> pd.Series[int]:
    """Return the part of the week: one of four of a weekday, or the weekend; UTC."""
    return (start.dt.hour // 6).mask(start.dt.day_of_week >= 5, 4)  # noqa: PLR2004 - Saturday


def _by_part(
    flows: pd.DataFrame, part: pd.Series[int], counts: pd.Series[float] | pd.Series[bool]
) -> pd.DataFrame:
    """Return the sum of `counts`, a row a place and a column a part of the week."""
    import pandas as pd

    found = pd.crosstab(flows["place"], part, values=counts.astype(float), aggfunc="sum")
    return found.reindex(columns=range(5)).fillna(0.0)


def _ranked(here: pd.DataFrame) -> pd.DataFrame:
    """Return the flows with `rank`: how many from the sign-in screen of the place up to each."""
    return here.assign(rank=here["client"].eq(SCREEN).groupby(here["place"]).cumsum())


def _runs(here: pd.DataFrame, material: Material) -> pd.DataFrame:
    """Return the flows of each place's longest silence that reaches into the window.

    `looked` counts how many silences of the place may reach into the window: each flow from the
    sign-in screen begins one, if of nobody.
    """
    screen = here["client"].eq(SCREEN)
    runs = here[~screen]
    reaches = runs.groupby(["place", "rank"]).agg(
        last=("start_utc", "max"), people=("person", "nunique")
    )
    reaches = reaches[reaches["last"] >= material.window.start].reset_index()
    within = screen[here["start_utc"] >= material.window.start]
    looked = (1 + within.groupby(here["place"]).sum()).rename("looked")
    longest = reaches.sort_values(["people", "rank"]).drop_duplicates("place", keep="last")
    longest = longest[["place", "rank"]].merge(looked, on="place")
    return runs.merge(longest, on=["place", "rank"])


def _compared(here: pd.DataFrame, runs: pd.DataFrame, material: Material) -> pd.DataFrame:
    """Return a row a place: people in the silence, the usual share, and how likely chance is."""
    import numpy as np

    units = _units(here)
    hits, tries = (_by_part(units, units["part"], units[name]) for name in ("hits", "tries"))
    tells = _telling(hits.sum(axis=1), tries.sum(axis=1), material)
    hits, tries = (one.where(tells, 0.0) for one in (hits, tries))
    others_hit, others = (one.sum() - one for one in (hits, tries))
    elsewhere = others.sum(axis=1)
    overall = (others_hit.sum(axis=1) + 0.5) / (elsewhere + 1)
    share = others_hit.add(_PRIOR * overall, axis=0) / (others + _PRIOR)
    once = runs.drop_duplicates(["place", "person"])
    silent = _by_part(once, _part(once["start_utc"]), once["place"].notna())
    table = runs.groupby("place").agg(rank=("rank", "first"), looked=("looked", "first"))
    table["people"] = silent.sum(axis=1)
    table["usual"] = (silent * share.reindex(silent.index)).sum(axis=1) / table["people"]
    table["places"] = int(tells.sum()) - tells.reindex(table.index).astype(int)
    table["all"] = here.groupby("place")["person"].nunique().reindex(table.index)
    own = _past(units, table["rank"])
    table["had"], table["of"] = (own[name].reindex(table.index).fillna(0) for name in own)
    size, numbers = tries.sum(axis=1), material.numbers
    least = numbers["least_people"]
    alike = statistics.others_alike(hits.sum(axis=1), size, numbers["variation"], least=least)
    # A place differs from what all have in common, so do the others, the less the more they are;
    # and their share itself was only counted.
    apart = (1 + ((size**2).sum() - size**2) / elsewhere**2) / alike
    sure = (1 / (apart + 1 / (elsewhere + 1))).where(elsewhere >= least, 0.0)
    prior = sure.reindex(table.index)
    table["a"] = prior * table["usual"] + table["had"] + (prior == 0) / 2
    table["b"] = prior * (1 - table["usual"]) + table["of"] - table["had"] + (prior == 0) / 2
    table["usual"] = table["a"] / (table["a"] + table["b"])
    chance = statistics.none_of(table["people"], table["a"], table["b"])
    table["p"] = np.minimum(1.0, chance * table["looked"])
    return table


def _telling(had: pd.Series[float], of: pd.Series[float], material: Material) -> pd.Series[bool]:
    """Return which places tell how usual the sign-in screen is: all but those that are silent and
    too large for that to be chance.

    Without the small ones where nobody happened to use it, it would seem more usual than it is.
    """
    speaks, numbers = had > 0, material.numbers
    share = (had.sum() + 0.5) / (of[speaks].sum() + 1)
    alike = statistics.alike(share, numbers["variation"])
    chance = statistics.none_of(of, share * alike, (1 - share) * alike)
    return speaks | (chance > numbers["raises"])


def _past(units: pd.DataFrame, rank: pd.Series[int]) -> pd.DataFrame:
    """Return for each place how many people `had` used the sign-in screen `of` all, before.

    Who was the last to use it does not count: a silence begins after one, however few they are.
    """
    before = units[units["rank"] < rank.reindex(units["place"]).array]
    return before.groupby("place").agg(had=("hits", "sum"), of=("tries", "sum"))


def _again(table: pd.DataFrame, here: pd.DataFrame, material: Material) -> pd.DataFrame:
    """Return when somebody was seen at the sign-in screen of each place `again`, how many `used` it
    `since`, of how many, and whether it may be `well` by that.

    It is not where hardly anybody was, as where visitors bring devices that have the link.
    """
    after = here[here["rank"] > table["rank"].reindex(here["place"]).array]
    by_person = after["client"].eq(SCREEN).groupby([after["place"], after["person"]]).any()
    counts = by_person.groupby("place").agg(used="sum", since="size")
    counts = counts.reindex(table.index, fill_value=0)
    used, since = (counts[name] for name in counts)
    more = statistics.betabinomial_upper(used + 1, since, table["a"], table["b"])
    again = after.groupby("place")["start_utc"].min().reindex(table.index)
    well = again.notna() & (1 - more > material.numbers["raises"])
    found: pd.DataFrame = counts.assign(again=again, well=well)
    return found


def _over_before(table: pd.DataFrame, runs: pd.DataFrame, material: Material) -> pd.Series[bool]:
    """Return which places may have been well again before the window.

    Once it is well, the next person must come before anybody can see it.
    """
    within = runs[runs["start_utc"] >= material.window.start].groupby("place")["person"].nunique()
    people = within.reindex(table.index).fillna(0)
    chance = statistics.none_of(people, table["a"], table["b"])
    return table["well"] & (chance > material.numbers["raises"])


def _silences(here: pd.DataFrame, runs: pd.DataFrame, table: pd.DataFrame) -> Iterator[Silence]:
    """Yield the silence of each place of the table, with the span in which it began."""
    for place, row in table.iterrows():
        flows, silent = here[here["place"] == place], runs[runs["place"] == place]
        since = silent["start_utc"].min()
        spoke = flows.loc[flows["client"].eq(SCREEN), "start_utc"]
        first_seen = silent.drop_duplicates("person")["start_utc"]
        chance = statistics.none_of(range(1, len(first_seen) + 1), row["a"], row["b"])
        surely = first_seen.iloc[min(int((chance > _UNSURE).sum()), len(first_seen) - 1)]
        began = spoke[spoke < since]
        yield Silence(
            place=str(place),
            flows=silent,
            before=flows[flows["start_utc"] < since],
            people=int(row["people"]),
            usual=float(row["usual"]),
            sure=float(row["a"] + row["b"]),
            places=int(row["places"]),
            p=float(row["p"]),
            onset=(began.max(), surely) if len(began) else None,
            again=(row["again"], int(row["used"]), int(row["since"])) if row["used"] else None,
            over=bool(row["well"] and row["used"] >= NOT_ALONE),
        )


def _suspicion(one: Silence, material: Material) -> Suspicion:
    named = one.flows["site"].notna().any()
    return Suspicion(
        target=TARGET,
        kind=Kind.ABSENT,
        p=one.p,
        scope=Scope(
            sites=(one.place,) if named else (),
            ips=tuple(sorted(one.flows["ip_group"].dropna().unique())),
            clients=(SCREEN,),
        ),
        where=egress.first(one.place),
        users=one.people,
        flows=len(one.flows),
        first_seen=one.flows["start_utc"].min().to_pydatetime(warn=False),
        last_seen=one.flows["end_utc"].max().to_pydatetime(warn=False),
        signals=tuple(silence.signals(one, material)),
        flow_ids=tuple(one.flows["flow_id"]),
        onset=one.between,
        over=one.over,
    )


def _few(table: pd.DataFrame, tests: int, material: Material) -> Iterator[Few]:
    """Yield for each place with too few people how many more would do, if none of them came."""
    import numpy as np

    wanted = material.limit(Kind.ABSENT, tests)
    sites = set(material.flows["site"].dropna())
    for place, row in table.iterrows():
        counts = np.arange(1, 2_000)
        chance = statistics.none_of(counts, row["a"], row["b"]) * row["looked"]
        enough = counts[
            (chance <= wanted) & (counts * row["usual"] >= material.numbers["least_expected"])
        ]
        if enough.size:
            had, need = (
                int(row["people"]),
                max(int(enough[0]), int(material.numbers["least_people"])),
            )
            since = " since the last one at its sign-in screen" if row["rank"] else ""
            needs = f"more people: {need - had:,} who reset at {place}{since} ({had:,} of {need:,})"
            named = str(place) in sites
            yield Few(
                TARGET, Scope(sites=(str(place),)) if named else Scope(ips=(str(place),)), needs
            )
