"""Whether a place is one site, or the way out of several that nobody can tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import cohorts
from sspr_audit.evidence.material import NOT_ALONE, SCREENS
from sspr_audit.evidence.wording import counted, several
from sspr_audit.model import Kind, Signal, State

if TYPE_CHECKING:
    from sspr_audit.evidence.cohorts import Stretch
    from sspr_audit.evidence.material import Material

_PART: Final = 0.05
"""A place with this part of another's people, or more, is a site beside it."""
_AT_RANDOM: Final = 0.5
"""From so much of what chance would mix on, the people of two places are the same."""
_NEEDS: Final = "the networks of each site, or shared = false in [[sites]] where this is one site"


def shared_way_out(place: str, material: Material) -> Signal:
    """People of several sites may leave by the same addresses: then which site it is, is not told.

    Nobody can say so of a place where nearly everybody is. Another place of work beside it shows
    that sites have ways out of their own; a small one does where both were named, for then somebody
    wrote down the networks of each.
    """
    name, names = "shared-way-out", _names(place, material)
    if len(names) > 1:
        text = f"{place} goes out by the same networks as {', '.join(names[1:])}"
        return Signal(name, Kind.PEOPLE, State.FIRED, text, len(names))
    site = material.sites.get(place)
    if site and site.shared is not None:
        whose = "several sites" if site.shared else "no other site"
        text = f"The settings say that people of {whose} leave by the networks of {place}"
        return Signal(name, Kind.PEOPLE, State.of(site.shared), text)
    known = material.places
    people = int(known["people"].get(place, 0))
    if known["kind"].get(place) == "shared":
        text = f"Most people of {place} also reset at other places of many people: sites share it"
        return Signal(name, Kind.PEOPLE, State.FIRED, text, people, people)
    others = known[known["kind"].isin(["site", "office"]) & (known.index != place)]
    large = others["people"] >= max(material.numbers["least_people"], _PART * people)
    both_named = others["named"] & bool(known["named"].get(place, False))
    worked = _worked_at(material)
    # Where nothing tells, one of those named may be a tunnel, and two are not.
    named = others.index[both_named & (both_named.sum() >= NOT_ALONE)]
    found = named if worked is None else others.index[large | both_named].intersection(worked)
    beside = [other for other in found if not _mixed(place, str(other), material)]
    if beside:
        beside_it = several(len(beside), "other place of work", "other places of work")
        text = f"People also reset at {beside_it}, so sites are told apart"
        return Signal(name, Kind.PEOPLE, State.QUIET, text, len(beside), people)
    text = (
        f"{counted(people)} reset at {place} and hardly anybody at another place of work: whether"
        " several sites share this way out is not known"
    )
    return Signal(name, Kind.PEOPLE, State.UNKNOWN, text, 0, people, needs=_NEEDS)


def told_apart(one: Stretch, material: Material) -> Signal:
    """The same of a cohort, which may be no place at all.

    What is told of a client, or of everybody, may as well be a site's where nearly all is at one
    place; devices are held against others at the same place.
    """
    name = "shared-way-out"
    dimension = one.found.dimension
    if dimension.startswith("place") or dimension == cohorts.PEOPLE_OF:
        return shared_way_out(one.what, material)
    if dimension in {"client", "tenant"}:
        people = one.hits.drop_duplicates("person")
        at = people["place"].value_counts()
        if "base" in people:  # a code follows its phone home, and nobody works behind a tunnel
            at = people["base"].value_counts()
            worked = _worked_at(material)
            at = at.drop(at.index[1:2]) if worked is None else at[at.index.isin(worked)]
        if len(at) and at.iloc[0] >= material.numbers["common_share"] * at.sum():
            return shared_way_out(str(at.index[0]), material)
    text = f"It is told of {one.name}, not of a place"
    return Signal(name, Kind.PEOPLE, State.QUIET, text)


def _mixed(place: str, other: str, material: Material) -> bool:
    """Say whether people come by both as if it were one way out: at random, not by where they are.

    Nobody who came once tells, so those who came on several days do.
    """
    flows = material.flows[material.flows["place"].isin([place, other])]
    daily = flows.assign(day=flows["start_utc"].dt.floor("D")).drop_duplicates(["person", "day"])
    often = daily[daily.groupby("person")["place"].transform("size").gt(1)]
    if often["person"].nunique() < material.numbers["least_people"]:
        return False
    twice = often.groupby("person")["place"].agg(["first", "last"])
    shares = daily["place"].value_counts(normalize=True)
    at_random = 1 - float((shares**2).sum())
    return float(twice["first"].ne(twice["last"]).mean()) > _AT_RANDOM * at_random


def _names(place: str, material: Material) -> list[str]:
    """Return the site and every other that names one of its networks as well."""
    site = material.sites.get(place)
    if site is None:
        return [place]
    same = sorted(
        name
        for name, other in material.sites.items()
        if name != place and set(other.networks) & set(site.networks)
    )
    return [place, *same]


def _worked_at(material: Material) -> list[str] | None:
    """Return the places where devices are opened, as through no tunnel; None if nothing tells.

    A tunnel begins after the sign-in: nobody is at the sign-in screen behind it, nor signs in to
    Windows.
    """
    import pandas as pd

    flows = material.flows
    seen = [flows.loc[flows["client"].isin(SCREENS), ["place", "person"]]]
    signed = material.context.sign_ins
    if signed is not None:
        opened = signed[signed["of_windows"] & signed["succeeded"]]
        seen.append(opened[["person"]].assign(place=material.placed(opened)))
    both = pd.concat(seen, ignore_index=True).dropna().drop_duplicates()
    if both.empty:
        return None
    people = both.groupby("place").size()
    return list(people.index[people >= NOT_ALONE])
