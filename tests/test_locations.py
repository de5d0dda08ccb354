"""Named locations become sites: every address inside goes by the name, and none outside."""

import json
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from graph_records import named_location
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit.model import Site
from sspr_audit.normalize import locations


def sites(*made):
    return locations.sites(one if isinstance(one, str) else json.dumps(one) for one in made)


def between(lower, upper):
    return locations.networks_of({"lowerAddress": lower, "upperAddress": upper})


def inside(networks, address):
    return sum(address in ip_network(one) for one in networks)


# What names something


def test_a_location_names_its_networks_in_their_order():
    """Both kinds of addresses, prefixes and ranges, each once."""
    mixed = named_location("Malmö", "198.51.100.0/26", "2001:db8:a::/48", "198.51.100.0/26")
    mixed["ipRanges"].append({"lowerAddress": "203.0.113.4", "upperAddress": "203.0.113.11"})

    assert sites(mixed, named_location("Lund", "192.0.2.1/32")) == (
        Site(
            "Malmö",
            ("198.51.100.0/26", "2001:db8:a::/48", "203.0.113.4/30", "203.0.113.8/30"),
            trusted=True,
        ),
        Site("Lund", ("192.0.2.1/32",), trusted=True),
    )


@pytest.mark.parametrize(
    ("given_", "networks"),
    [
        ({"cidrAddress": " 192.0.2.77/24 "}, ("192.0.2.0/24",)),
        ({"cidrAddress": "192.0.2.7"}, ("192.0.2.7/32",)),
        ({"cidrAddress": "::ffff:192.0.2.0/120"}, ("192.0.2.0/24",)),
        ({"cidrAddress": "2001:DB8::/32"}, ("2001:db8::/32",)),
    ],
)
def test_a_network_is_told_in_its_shortest_form(given_, networks):
    """Bits of the host are cut off, and IPv4 is IPv4, as addresses are looked up."""
    assert locations.networks_of(given_) == networks


def test_a_location_without_a_name_goes_by_its_id():
    """Somebody who sees the id can look it up."""
    blank = named_location("  ", "192.0.2.0/24", id="some-id")

    assert sites(blank)[0].name == "some-id"


@pytest.mark.parametrize(
    "nothing",
    [
        "",
        "{",
        "[" * 100_000,
        "7",
        "null",
        {},
        {"displayName": "Sweden", "countriesAndRegions": ["SE"]},
        named_location("Empty"),
        named_location("Gone", "192.0.2.0/24", deletedDateTime="2026-11-01T00:00:00Z"),
        named_location("Odd", "192.0.2.0/24", ipRanges="192.0.2.0/24"),
        named_location(7, "192.0.2.0/24", id=None),
        named_location("All", "0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"),
    ],
)
def test_what_has_no_networks_names_nothing(nothing):
    """Countries, deleted locations, nonsense, and the whole internet."""
    assert sites(nothing) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        {},
        {"cidrAddress": None},
        {"cidrAddress": "300.0.0.0/8"},
        {"cidrAddress": "192.0.2.0/33"},
        {"cidrAddress": "9" * 10_000},
        {"cidrAddress": "١٩٢.0.2.0/24"},
        {"lowerAddress": "192.0.2.9", "upperAddress": "192.0.2.1"},
        {"lowerAddress": "192.0.2.9", "upperAddress": "2001:db8::"},
        {"lowerAddress": "192.0.2.9"},
        {"lowerAddress": ["192.0.2.9"], "upperAddress": "192.0.2.10"},
    ],
)
def test_one_wrong_range_takes_no_other_along(wrong):
    """The good range beside it still names its place."""
    location = named_location("Office", "192.0.2.0/24")
    location["ipRanges"].insert(0, wrong)

    assert sites(location) == (Site("Office", ("192.0.2.0/24",), trusted=True),)


# Ranges


ADDRESSES = {
    IPv4Address: st.integers(1, 2**32 - 1),
    IPv6Address: st.integers(2**64, 2**128 - 1),
}


@given(st.data(), st.sampled_from([IPv4Address, IPv6Address]))
def test_a_range_becomes_prefixes_that_hold_it_and_nothing_else(data, family):
    """Each address inside is in exactly one prefix, each neighbour outside in none."""
    low, high = sorted(data.draw(st.tuples(ADDRESSES[family], ADDRESSES[family])))
    networks = between(str(family(low)), str(family(high)))
    sizes = sum(ip_network(one).num_addresses for one in networks)
    some = data.draw(st.integers(low, high))

    assert sizes == high - low + 1
    assert [inside(networks, family(one)) for one in (low, some, high)] == [1, 1, 1]
    assert inside(networks, family(low - 1)) == 0
    assert high + 1 >= 2 ** family(0).max_prefixlen or inside(networks, family(high + 1)) == 0


@given(st.data(), st.sampled_from([IPv4Address, IPv6Address]))
def test_no_range_costs_more_than_a_few_hundred_prefixes(data, family):
    """However it is cut: two a bit at most."""
    low, high = sorted(data.draw(st.tuples(ADDRESSES[family], ADDRESSES[family])))

    assert len(between(str(family(low)), str(family(high)))) <= 2 * family(0).max_prefixlen


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
WORDS = st.text("0123456789abcdef.:/%x ", max_size=24) | JSON


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "cidrAddress": WORDS,
                "lowerAddress": WORDS,
                "upperAddress": WORDS,
            },
        )
        | JSON,
        max_size=5,
    ),
    JSON,
)
def test_whatever_a_location_holds_its_networks_can_be_looked_up(ranges, name):
    """Nothing raises, and every prefix is one that ipaddress takes as it stands."""
    found = sites({"displayName": name, "id": "x", "ipRanges": ranges})

    for site in found:
        assert site.name.strip()
        assert all(str(ip_network(one)) == one for one in site.networks)
        assert ip_address(ip_network(site.networks[0]).network_address)
