"""What the demo tenant is: its places, its settings and its people, all of them made up.

Nothing in it is real, the values of ClientType included: Microsoft documents that key, but not
its values.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Final

from sspr_audit.sources.scenes import Dice, Person

NOW: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""The end of the demo's data, and its present."""
START: Final = NOW - timedelta(weeks=4)

TENANT: Final = "00000000-0000-0000-0000-000000000001"

SIGN_IN_SCREEN: Final = "Windows sign-in screen"
BROWSER: Final = "Web portal"
UNMAPPED: Final = "Embedded view"

STOCKHOLM: Final = "Stockholm HQ"
MALMO: Final = "Malmö"
GOTHENBURG: Final = "Göteborg"
WAREHOUSE: Final = "Warehouse"
VPN: Final = "VPN"

EGRESS: Final = {
    STOCKHOLM: ("198.51.100.10", "198.51.100.11", "2001:db8:a::5", "2001:db8:a::7"),
    MALMO: ("203.0.113.10", "203.0.113.11"),
    GOTHENBURG: ("203.0.113.70",),
    WAREHOUSE: ("198.51.100.70",),
    VPN: ("198.51.100.130", "198.51.100.131"),
}
"""Addresses from which the people of a site reach the internet."""
HEADCOUNT: Final = {STOCKHOLM: 240, MALMO: 150, GOTHENBURG: 100, WAREHOUSE: 80, VPN: 30}
MICROSOFT: Final = ("198.51.100.240", "198.51.100.241")
"""Portal addresses, which stand on resets that administrators do in the admin centre."""

SETTINGS: Final = f"""\
# Settings for the demo tenant. The values under [client_types] are made up, as all of it is.
[tenant]
id = "{TENANT}"
cloud = "global"

[[sites]]
name = "{STOCKHOLM}"
networks = ["198.51.100.0/26", "2001:db8:a::/48"]
dc_reachable = true

[[sites]]
name = "{MALMO}"
networks = ["203.0.113.0/26"]
dc_reachable = true

[[sites]]
name = "{GOTHENBURG}"
networks = ["203.0.113.64/28"]
dc_reachable = true

[[sites]]
name = "{WAREHOUSE}"
networks = ["198.51.100.64/28"]
dc_reachable = true

[[sites]]
name = "{VPN}"
networks = ["198.51.100.128/28"]
dc_reachable = true

[client_types]
"{SIGN_IN_SCREEN}" = "windows-signin"
"{BROWSER}" = "browser"

[report]
timezone = "Europe/Stockholm"

[mail]
transport = "smtp"
smtp_host = "smtp.example.com"
from = "sspr-audit@example.com"
to = ["it@example.com"]
"""

_FIRST: Final = (
    *("Åsa", "Björn", "Cecilia", "David", "Elin", "Fredrik", "Gun", "Håkan", "Ida", "Jonas"),
    *("Karin", "Lars", "Märta", "Nils", "Olga", "Pär", "Rut", "Sven", "Tove", "Ulf"),
)
_LAST: Final = (
    *("Ahl", "Berg", "Dahl", "Ek", "Falk", "Gren", "Hed", "Ljung", "Moberg", "Norén", "Ohlin"),
    *("Palm", "Quist", "Rosén", "Sand", "Tun", "Udd", "Vik", "Wall", "Åkre", "Ängby", "Öst"),
    *("Björk", "Ceder", "Ny", "Holm", "Lund", "Strand", "Fors", "Hult"),
)
_PLAIN: Final = str.maketrans("åäöé", "aaoe")

_SETS: Final = (("mobile SMS",), ("email",), ("mobile app notification",), ("mobile app code",))
_GATES: Final = (
    *(_SETS * 3),
    *(("mobile SMS",), ("office voice call",), ("mobile SMS", "email"), ("email", "mobile SMS")),
    ("mobile app notification", "mobile SMS"),
)


@cache
def people() -> tuple[Person, ...]:
    """Return everybody; the first ones of a site are its troubled group, see `_TROUBLED`."""
    dice = Dice(1)
    staff: list[Person] = []
    for site, count in HEADCOUNT.items():
        troubled, from_directory = _TROUBLED[site]
        for place in range(count):
            number = len(staff)
            first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST)]
            small = number + 1 < 230  # noqa: PLR2004 - one IPv4 address each, while they last
            staff.append(
                Person(
                    id=f"00000000-0000-0000-0001-{number + 1:012d}",
                    name=f"{first} {last}",
                    upn=f"{first}.{last}@example.com".lower().translate(_PLAIN),
                    site=site,
                    home=f"192.0.2.{number + 1}" if small else f"2001:db8:{4096 + number:x}::",
                    hybrid=from_directory if place < troubled else dice.chance(0.7),
                    gates=dice.pick(_GATES),
                )
            )
    return tuple(staff)


_TROUBLED: Final = {
    STOCKHOLM: (16, False),  # contractors, outside the group that may reset
    MALMO: (0, False),
    GOTHENBURG: (14, True),  # people of one OU, where the right to write is missing
    WAREHOUSE: (18, False),  # newly hired, nothing registered yet
    VPN: (5, False),  # without a licence
}
"""How many people of a site have a trouble of their own, and whether they are synchronized."""


@cache
def group(site: str) -> tuple[Person, ...]:
    """Return the troubled people of a site."""
    staff = (person for person in people() if person.site == site)
    return tuple(islice(staff, _TROUBLED[site][0]))


@cache
def ordinary() -> tuple[Person, ...]:
    """Return everybody else."""
    troubled = {person.id for site in HEADCOUNT for person in group(site)}
    return tuple(person for person in people() if person.id not in troubled)
