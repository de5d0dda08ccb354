"""Named locations → sites: texts of Entra's conditional access → lists of networks.

A range of addresses becomes the fewest prefixes that make it up, so that one rule finds the site of
an address, whoever named it.

https://learn.microsoft.com/en-us/graph/api/resources/ipnamedlocation
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import (
    IPv4Network,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Any, Final

from sspr_audit.model import Site

_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def sites(texts: Iterable[str]) -> tuple[Site, ...]:
    """Return a site for each named location that has networks, in their order.

    What cannot be read names nothing: countries, deleted locations, ranges that are none, and the
    whole internet. A location without a name goes by its id.
    """
    return tuple(site for text in texts for site in _site(text))


def by_name(known: Iterable[Site]) -> Mapping[str, Site]:
    """Return the sites by their names; what the first of a name leaves open, the next may say."""
    found: dict[str, Site] = {}
    for one in known:
        first = found.setdefault(one.name, one)
        found[one.name] = Site(
            one.name,
            tuple(dict.fromkeys((*first.networks, *one.networks))),
            one.dc_reachable if first.dc_reachable is None else first.dc_reachable,
            one.trusted if first.trusted is None else first.trusted,
            one.shared if first.shared is None else first.shared,
        )
    return found


def _site(text: str) -> Iterator[Site]:
    try:
        location = json.loads(text)
    except (ValueError, RecursionError):
        return
    match location:
        case {"deletedDateTime": str()}:
            return
        case {"ipRanges": list(ranges)}:
            names = (location.get("displayName"), location.get("id"))
            name = next((n.strip() for n in names if isinstance(n, str) and n.strip()), None)
            networks = tuple(dict.fromkeys(n for one in ranges for n in networks_of(one)))
            if name and networks:
                trusted = location.get("isTrusted")
                yield Site(name, networks, trusted=trusted if isinstance(trusted, bool) else None)


def networks_of(given: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever JSON holds
    """Return the prefixes of one of ipRanges; none for what is no range."""
    try:
        match given:
            case {"cidrAddress": str(text)}:
                found: Iterable[IPv4Network | IPv6Network] = [
                    ip_network(text.strip(), strict=False)
                ]
            case {"lowerAddress": str(lower), "upperAddress": str(upper)}:
                found = _between(lower, upper)
            case _:
                return ()
        return tuple(str(one) for one in map(_plain, found) if one.prefixlen)
    except (ValueError, TypeError):  # no address, ends the wrong way round or of two kinds
        return ()


def _between(lower: str, upper: str) -> Iterator[IPv4Network | IPv6Network]:
    first, last = ip_address(lower.strip()), ip_address(upper.strip())
    yield from summarize_address_range(first, last)


def _plain(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return an IPv4 network in its own form: addresses are looked up so."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        address = network.network_address.ipv4_mapped
        return IPv4Network((int(address or 0), network.prefixlen - 96))
    return network
