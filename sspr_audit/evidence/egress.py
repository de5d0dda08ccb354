"""Addresses that are one way out of one place: neighbours whose people come by any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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

    A group goes by its first address and how many more there are; null where none is known.
    Sign-ins tell of groups as well, for people sign in more often than they reset.
    """
    import pandas as pd

    def seen(rows: pd.DataFrame, times: pd.Series[pd.Timestamp]) -> pd.DataFrame:
        unnamed = rows.loc[rows["site"].isna(), ["ip_group", "person"]]
        return unnamed.assign(day=times.dt.floor("D")).dropna()

    unnamed = seen(flows, flows["start_utc"])
    count = unnamed[["ip_group", "person"]].drop_duplicates().groupby("ip_group")["person"].size()
    crowds = count.index[count >= _CROWD]
    every = [unnamed]
    if sign_ins is not None:
        every.append(seen(sign_ins, sign_ins["time_utc"]))
    visits = pd.concat([one[one["ip_group"].isin(crowds)] for one in every], ignore_index=True)
    # Who resets and signs in minutes later, or twice, came once.
    visits = visits.drop_duplicates()
    people = {str(address): Counter(came) for address, came in visits.groupby("ip_group")["person"]}
    names = {address: _name(group) for group in _groups(people) for address in group}
    address = flows["ip_group"]
    return flows["site"].fillna(address.map(names).astype(address.dtype).fillna(address))


def _name(group: list[str]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]} (+{len(group) - 1} beside it)"


def _groups(people: Mapping[str, Counter[str]]) -> Iterator[list[str]]:
    """Yield the addresses that belong together, each group in order.

    `people` says of each address how often who came by it.
    """
    blocks: dict[int, list[str]] = {}
    for address in people:
        if "/" not in address and (number := ip_address(address)).version == 4:  # noqa: PLR2004
            blocks.setdefault(int(number) // _NEIGHBOURS, []).append(address)
    for block in blocks.values():
        group = {address: {address} for address in block}
        for one, other in combinations(block, 2):
            again = sum(times > 1 for times in (people[one] + people[other]).values())
            both = len(people[one].keys() & people[other].keys())
            if again >= _AGAIN and both >= _BOTH * again:
                together = group[one] | group[other]
                group.update(dict.fromkeys(together, together))
        for members in {id(members): members for members in group.values()}.values():
            yield sorted(members, key=ip_address)
