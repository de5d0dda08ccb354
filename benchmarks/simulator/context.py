"""What Graph knows of a tenant beside its audit log."""

from __future__ import annotations

from typing import Any

from sspr_audit.sources import scenes

from . import wire
from .model import DAY, HOUR
from .people import VPN_EGRESS
from .world import World

KEPT = 30 * DAY
"""How long the service keeps sign-ins."""


def of(world: World) -> dict[str, list[Any]]:
    """Return the context by kind, less the kinds that nobody exported."""
    seen = {one.human.upn: one.human for one in world.log if one.shown}
    owned = [
        (one, one.device, _last_seen(world))
        for number, one in enumerate(world.humans)
        # People who never reset tell nothing; a few of their devices stand for all.
        if one.device and (one.upn in seen or number % 12 == 0)
    ]
    listed = world.traits.named == "locations" and not world.traits.shared
    found: dict[str, list[Any]] = {
        "signIns": _sign_ins(world),
        "devices": [wire.device(one, device, last) for one, device, last in owned],
        "namedLocations": [
            wire.named_location(number, place)
            for number, place in enumerate(world.named_places())
            if listed
        ],
        "userRegistrationDetails": [wire.registration(one) for one in seen.values()],
        "managedDevices": [
            wire.managed_device(one, device, last)
            for one, device, last in owned
            if device.takes_resets
        ],
    }
    return {kind: rows for kind, rows in found.items() if kind not in world.traits.missing}


def _last_seen(world: World) -> int:
    return world.now - int(world.dice.between(0.1, 9) * DAY)


def _sign_ins(world: World) -> list[Any]:
    """Return the sign-ins that are kept: all, or those of the day after each person's flows."""
    if world.traits.sign_ins == "all":
        _usual_days(world)
    oldest = scenes.wire_time(world.now - KEPT)
    kept = [row for row in world.sign_ins if row["createdDateTime"] >= oldest]
    if world.traits.sign_ins == "after":
        spans: dict[str, list[tuple[str, str]]] = {}
        for one in world.log:
            if one.shown:
                span = (scenes.wire_time(one.at), scenes.wire_time(one.at + 24 * HOUR))
                spans.setdefault(one.human.person.id, []).append(span)
        kept = [
            row
            for row in kept
            if any(a <= row["createdDateTime"] < b for a, b in spans.get(row["userId"], ()))
        ]
    return sorted(kept, key=lambda row: str(row["createdDateTime"]))


def _usual_days(world: World) -> None:
    """Write how people who reset a password sign in on other days."""
    off_network = any(one.name == "hybrid-device-off-network" for one in world.troubles)
    first = max(world.start, world.now - KEPT)
    for human in {one.human.upn: one.human for one in world.log if one.shown}.values():
        for _ in range(world.dice.whole(2, 6)):
            at = world.moment(human.place, first)
            inside = world.at_work(human, at) and not world.dice.chance(human.home_share)
            where = "office" if inside else "home"
            bound = human.device is not None and human.device.trust == "ServerAd"
            if world.traits.vpn and not inside and world.dice.chance(0.5):
                # Nobody opens a device through a tunnel that comes up after it is open.
                world.sign_in(human, at, VPN_EGRESS, wire.PORTAL)
            elif human.device and not (off_network and bound and not inside):
                world.sign_in(human, at, world.address(human, where), wire.WINDOWS)
            else:
                world.sign_in(human, at, world.address(human, where), wire.PORTAL)
