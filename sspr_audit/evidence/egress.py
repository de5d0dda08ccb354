"""Addresses that are one way out of one place: neighbours whose people come by any of them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

_NEIGHBOURS: Final = 16
"""Addresses of one provider's small block; a firm's ways out lie in one."""
_CROWD: Final = 3
"""People from whom on an address can be a firm's."""
_SHARED: Final = 0.3
"""Share of the people of the smaller one who come by the other too, from which on they are one."""


def places(flows: pd.DataFrame) -> pd.Series[str]:
    """Return where each flow began: the site, else the address, or its group of addresses.

    A group goes by its first address and how many more there are; null where none is known.
    """
    unnamed = flows[flows["site"].isna() & flows["ip_group"].notna() & flows["person"].notna()]
    pairs = unnamed[["ip_group", "person"]].drop_duplicates()
    count = pairs.groupby("ip_group")["person"].transform("size")
    crowds = pairs[count >= _CROWD].groupby("ip_group")["person"]
    people = {str(address): set(group) for address, group in crowds}
    names = {address: _name(group) for group in _groups(people) for address in group}
    address = flows["ip_group"]
    return flows["site"].fillna(address.map(names).astype(address.dtype).fillna(address))


def _name(group: list[str]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]} (+{len(group) - 1} beside it)"


def _groups(people: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield the addresses that belong together, each group in order."""
    blocks: dict[int, list[str]] = {}
    for address in people:
        if "/" not in address and (number := ip_address(address)).version == 4:  # noqa: PLR2004
            blocks.setdefault(int(number) // _NEIGHBOURS, []).append(address)
    for block in blocks.values():
        group = {address: {address} for address in block}
        for one, other in combinations(block, 2):
            both = len(people[one] & people[other])
            if both >= _SHARED * min(len(people[one]), len(people[other])):
                together = group[one] | group[other]
                group.update(dict.fromkeys(together, together))
        for members in {id(members): members for members in group.values()}.values():
            yield sorted(members, key=ip_address)
