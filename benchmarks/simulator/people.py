"""The people and places of a tenant, drawn once."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from typing import Final

from sspr_audit.sources.scenes import Person

from .model import Chances, Device, Human, Place
from .recipes import Traits

_NAMES: Final = (
    *("Alta", "Brix", "Corva", "Delm", "Esker", "Fjorda", "Gant", "Hessa", "Ilmen", "Jarra"),
    *("Kolba", "Lunde", "Morna", "Nesse", "Orda", "Pell", "Quarn", "Rovna", "Sund", "Tarn"),
)
_FIRST: Final = ("ada", "bo", "cleo", "dan", "eva", "finn", "gia", "hal", "ina", "jon", "kai")
_GATES: Final = (
    *((("mobile SMS",),) * 6),
    *((("email",),) * 4),
    *((("mobile app notification",),) * 4),
    *((("mobile app code",),) * 3),
    ("office voice call",),
    *((("mobile SMS", "email"),) * 3),
    ("mobile app notification", "mobile SMS"),
)
MODELS: Final = (
    *("Dell Latitude 5440", "Dell Latitude 7450", "HP EliteBook 840", "HP ProBook 450"),
    *("Lenovo ThinkPad T14", "Lenovo ThinkPad X13", "Microsoft Surface Laptop 6"),
)
VERSIONS: Final = ("10.0.19045.5011", "10.0.22631.4317", "10.0.26100.2033")
VPN_EGRESS: Final = "192.0.2.10"


def places(dice: Chances, traits: Traits) -> tuple[Place, ...]:
    """Return the sites: offices, then those of another kind, then tiny ones."""
    names = dice.sample(_NAMES, traits.sites + traits.tiny)
    kinds = ["office"] * (traits.sites - len(traits.kinds)) + list(traits.kinds)
    counts = [*traits.headcounts, *(dice.whole(2, 6) for _ in range(traits.tiny))]
    kinds += ["office"] * traits.tiny
    common = tuple(f"203.0.113.{200 + n}" for n in range(dice.whole(2, 3)))
    found = []
    for number, (name, count, kind) in enumerate(zip(names, counts, kinds, strict=True)):
        net = ("198.51.100", "203.0.113")[number % 2]
        own = tuple(f"{net}.{8 * (number // 2) + 10 + n}" for n in range(traits.egress))
        egress = common if traits.shared else own
        listed = egress if traits.complete or number else egress[:1]
        zone = dice.pick((0, 0, 1, 1, 2, -5))
        odds = exp(traits.unlike * dice.bell())
        found.append(Place(name, count, egress, listed, zone, kind, odds))
    return tuple(found)


def humans(dice: Chances, traits: Traits, sites: tuple[Place, ...]) -> tuple[Human, ...]:
    """Return everybody; a number names a person, an address at home and a device."""
    numbered: Iterator[tuple[int, Place]] = enumerate(s for s in sites for _ in range(s.headcount))
    return tuple(_human(dice, traits, number, site) for number, site in numbered)


def _human(dice: Chances, traits: Traits, number: int, site: Place) -> Human:
    device = None if site.kind == "kiosk" else _device(dice, traits, number)
    hybrid = dice.chance(0.7) if device is None else device.trust == "ServerAd"
    first = _FIRST[number % len(_FIRST)]
    person = Person(
        id=f"00000000-0000-0000-0001-{number + 1:012d}",
        name=f"{first.title()} {number}",
        upn=f"{first}{number}@example.com",
        site=site.name,
        home=_home(dice, traits, number),
        hybrid=hybrid,
        gates=dice.pick(_GATES),
    )
    usual = traits.screen * (1.6 if dice.chance(0.5) else 0.4)
    usual *= site.odds / (1 + usual * (site.odds - 1))
    if device is None or not device.takes_resets:
        usual = 0.0
    elif site.kind == "phones":
        usual *= 0.3
    home_share = min(0.97, traits.home * (0.4 if dice.chance(0.5) else 1.6))
    if site.kind == "kiosk":
        home_share = 0.0
    return Human(person, site, device, min(0.95, usual), home_share, not dice.chance(0.012))


def _home(dice: Chances, traits: Traits, number: int) -> str:
    if traits.carrier:  # some ten homes behind each address
        return f"198.18.200.{number // 10 % 250}"
    if dice.chance(0.3):
        return f"2001:db8:{0x4000 + number:x}::"
    return f"198.18.{number >> 8}.{number & 255}"


def _device(dice: Chances, traits: Traits, number: int) -> Device:
    joined = "ServerAd" if dice.chance(traits.hybrid) else "AzureAd"
    return Device(
        id=f"00000000-0000-0000-0004-{number + 1:012d}",
        name=f"PC-{number:05d}",
        trust="Workplace" if dice.chance(0.03) else joined,
        version=dice.pick(VERSIONS),
        model=dice.pick(MODELS),
    )
