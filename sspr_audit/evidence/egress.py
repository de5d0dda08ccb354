"""Addresses that are one way out of one place: neighbours whose people come by any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

_NEIGHBOURS: Final = 16
"""Addresses of one provider's small block; a firm's ways out lie in one."""
_CROWD: Final = 3
"""People from whom on an address can be a firm's."""
_BOTH: Final = 0.25
"""Share of those who came twice or more that came by both, from which on two addresses are one."""
_AGAIN: Final = 3
"""People who came twice or more, without whom nothing is told."""


def places(flows: pd.DataFrame, sign_ins: pd.DataFrame | None = None) -> pd.Series[str]:
    """Return where each flow began: the site, else the address, or its group of addresses.

    A group goes by its first address and how many more there are, or by the site where the same
    people come by a neighbour that somebody named; null where no address is known. Sign-ins tell of
    groups as well, for people sign in more often than they reset.
    """
    import pandas as pd

    def seen(rows: pd.DataFrame, times: pd.Series[pd.Timestamp]) -> pd.DataFrame:
        came = rows[["ip_group", "site", "person"]].assign(day=times.dt.floor("D"))
        return came.dropna(subset=["ip_group", "person"])

    ours = seen(flows, flows["start_utc"])
    count = ours[["ip_group", "person"]].drop_duplicates().groupby("ip_group")["person"].size()
    crowds = count.index[count >= _CROWD]
    every = [ours] if sign_ins is None else [ours, seen(sign_ins, sign_ins["time_utc"])]
    visits = pd.concat([one[one["ip_group"].isin(crowds)] for one in every], ignore_index=True)
    # Who resets and signs in minutes later, or twice, came once.
    visits = visits.drop_duplicates()
    people = {str(address): Counter(came) for address, came in visits.groupby("ip_group")["person"]}
    sites = visits.dropna(subset=["site"]).drop_duplicates("ip_group").set_index("ip_group")["site"]
    names = dict(_named(people, dict(sites)))
    address = flows["ip_group"]
    return flows["site"].fillna(address.map(names).astype(address.dtype).fillna(address))


def _named(
    people: Mapping[str, Counter[str]], sites: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the name of each address that has no site; `people` says how often who came by it."""
    blocks: dict[int, list[str]] = {}
    for address in people:
        if "/" not in address and (number := ip_address(address)).version == 4:  # noqa: PLR2004
            blocks.setdefault(int(number) // _NEIGHBOURS, []).append(address)
    for block in blocks.values():
        pairs = [pair for pair in combinations(block, 2) if _is_one(*(people[one] for one in pair))]
        for group in _groups(block, pairs, sites):
            beside = {one for pair in pairs if group & {*pair} for one in pair}
            named = {sites[one] for one in beside if one in sites}
            name = _site(group, named, people, sites) or _name(sorted(group, key=ip_address))
            yield from dict.fromkeys(sorted(group), name).items()


def _site(
    group: set[str],
    named: set[str],
    people: Mapping[str, Counter[str]],
    sites: Mapping[str, str],
) -> str | None:
    """Return which of the neighbouring sites most people of the group belong to.

    None where most are seen at other places: a VPN may have an address beside its owner's site.
    """
    if not named:
        return None
    theirs = {person for address in group for person in people[address]}
    seen: dict[str, set[str]] = {}
    for address in people.keys() - group:
        seen.setdefault(sites.get(address, address), set()).update(theirs & people[address].keys())
    site = max(sorted(named), key=lambda one: len(seen[one]))
    return site if 2 * len(seen[site]) > sum(map(len, seen.values())) else None


def _is_one(one: Counter[str], other: Counter[str]) -> bool:
    """Say whether the same people come by both."""
    again = sum(times > 1 for times in (one + other).values())
    return again >= _AGAIN and len(one.keys() & other.keys()) >= _BOTH * again


def _groups(
    block: Iterable[str], pairs: Iterable[tuple[str, str]], sites: Mapping[str, str]
) -> list[set[str]]:
    """Return the addresses without a site that belong together."""
    group = {address: {address} for address in block if address not in sites}
    for one, other in pairs:
        if one in group and other in group:
            together = group[one] | group[other]
            group.update(dict.fromkeys(together, together))
    return list({id(members): members for members in group.values()}.values())


def _name(group: list[str]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]} (+{len(group) - 1} beside it)"


def first(place: str) -> str:
    """Return the first address of a way out that nobody named, and any other place as it is.

    How many addresses lie beside it changes with who comes by it.
    """
    return place.partition(" (+")[0]
