"""Where an address belongs: longest prefix, then settings before named locations, then order."""

import json

import keep
import pytest
from fetch import DAY
from graph_records import audit, guid, named_location
from graph_tenant import NOW

from sspr_audit import knowledge
from sspr_audit.model import Site
from sspr_audit.pipeline import stored_report
from sspr_audit.pipeline.analysis import Options
from sspr_audit.pipeline.report import from_files

ADDRESSES = ("192.0.2.1", "192.0.2.130", "203.0.113.9", "2001:db8:a::1", "198.51.100.200")


def written(folder, name, made):
    path = folder / name
    path.write_text(json.dumps({"value": made}), encoding="utf-8")
    return path


def flows():
    """Return one flow from each address."""
    made = []
    for number, address in enumerate(ADDRESSES):
        user = {"id": guid(number), "userPrincipalName": "ann@example.com", "ipAddress": address}
        about = {"app": None, "user": user}
        made.append(audit(NOW, correlationId=guid(number + 1), initiatedBy=about))
    return made


def by_site(folder, *locations, sites=(), stored=False):
    """Return the site of each address in a report, from files or from a store."""
    paths = [written(folder, "audits.json", flows())]
    paths += [written(folder, f"named{n}.json", made) for n, made in enumerate(locations)]
    options = Options(knowledge.load(), NOW, NOW, NOW - DAY, NOW + DAY, sites)
    if stored:
        keeper = keep.keeper(folder)
        keep.brought(keeper, *paths)
        done = stored_report.from_store(keeper, options)
    else:
        done = from_files([str(path) for path in paths], options)
    return {one.ip: one.site for one in done.report.by_ip}


OFFICE = named_location("Office", "192.0.2.0/24", "2001:db8:a::/48")
RANGE = named_location(
    "Branch",
    ipRanges=[
        {
            "@odata.type": "#microsoft.graph.iPv4Range",
            "lowerAddress": "203.0.113.5",
            "upperAddress": "203.0.113.9",
        },
    ],
)


@pytest.mark.parametrize("stored", [False, True])
def test_named_locations_name_the_sites_of_a_report(tmp_path, stored):
    """Prefixes and ranges, of both families, from files and from the store."""
    assert by_site(tmp_path, [OFFICE, RANGE], stored=stored) == {
        "192.0.2.1": "Office",
        "192.0.2.130": "Office",
        "203.0.113.9": "Branch",
        "2001:db8:a::/64": "Office",
        "198.51.100.200": None,
    }


@pytest.mark.parametrize("stored", [False, True])
def test_settings_win_over_named_locations_of_the_same_prefix(tmp_path, stored):
    """A longer prefix wins over both, whoever gave it."""
    sites = (Site("Ours", ("192.0.2.0/24",)), Site("Wide", ("203.0.113.0/24",)))
    found = by_site(tmp_path, [OFFICE, RANGE], sites=sites, stored=stored)

    assert (found["192.0.2.1"], found["203.0.113.9"]) == ("Ours", "Branch")


def test_of_equal_named_locations_the_first_file_wins(tmp_path):
    """And in a file the first of them."""
    first = [named_location("First", "192.0.2.128/25"), named_location("Second", "192.0.2.128/25")]
    found = by_site(tmp_path, first, [named_location("Third", "192.0.2.128/25"), OFFICE])

    assert (found["192.0.2.130"], found["192.0.2.1"]) == ("First", "Office")


def test_hostile_locations_spoil_no_report(tmp_path):
    """Whatever they hold, they name nothing that they do not hold."""
    hostile = [
        named_location("Bad", "192.0.2.0/99", "x", ""),
        named_location("All", "0.0.0.0/0", "::/0"),
        named_location("Gone", "192.0.2.0/24", deletedDateTime="2026-11-01T00:00:00Z"),
        named_location("Odd", ipRanges=[None, 7, [], {"lowerAddress": "::1"}]),
    ]

    assert set(by_site(tmp_path, hostile).values()) == {None}
