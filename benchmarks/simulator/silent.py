"""Planted causes that leave no text: nothing at the sign-in screen, or flows that stop."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from sspr_audit.sources.scenes import Ending, Stage

from .model import DAY, SECOND, Attempt, Label, Place
from .people import MODELS, VERSIONS
from .world import SIGN_IN_SCREEN, Trouble, World

ENOUGH = 8
"""People that a verdict takes.

An absence is to be told with a chance of error below 0.0005 or so, since some dozens of places are
tested: that takes 8 people who should have been seen (exp(-8) = 0.0003). A stall, too, needs this
many to stand out from the one in ten who stop at the options anyway.
"""

RARE = 3e-5
"""The chance at which a stall of like devices is more than luck.

Some dozens of kinds of device are looked at, which takes 0.0003 as above, and as nobody knows when
it began, ten beginnings are.
"""

SILENT = "signin-screen-silent-at-site"
SILENT_MEMBERS = (
    *("authenticated-proxy", "per-user-proxy-or-pac-only", "dot1x-prelogon-sso"),
    *("signin-reset-not-enabled", "security-baseline-applied"),
)
STALLED = "stalled-before-verification"
STALLED_MEMBERS = ("antivirus-or-tls-inspection", "static-content-cdn-blocked", "ocsp-blocked")
PHONE = "phone-code-not-arriving"


def office(world: World) -> Place:
    """Return a site for something to befall: one of the larger offices that is still well."""
    taken = {trouble.name.partition("@")[2] for trouble in world.troubles}
    offices = [one for one in world.places if one.kind == "office" and one.name not in taken]
    ranked = sorted(offices or world.places, key=lambda one: -one.headcount)
    return world.dice.pick(ranked[: max(1, len(ranked) // 3)])


def onset(world: World, least: int, most: int) -> int:
    """Return when something begins: so many days ago, always inside the history."""
    most = min(most, world.traits.days - 6)
    return world.now - int(world.dice.between(min(least, most), most) * DAY)


# -- absent


def at_site(name: str, *, everywhere: bool = False, ever: bool = False) -> Callable[[World], None]:
    """Return what makes the sign-in screen of a site silent: the same picture for five causes.

    `everywhere` follows the site's devices home; `ever` was so before the history began.
    """

    def plant(world: World) -> None:
        place = office(world)
        since = world.start if ever else onset(world, 14, 60)

        def hits(one: Attempt) -> bool:
            at_home = everywhere and one.where != "office"
            return one.screen and one.human.place is place and (one.where == "office" or at_home)

        trouble = Trouble(f"{name}@{place.name}", since, world.now, hits, _nothing)
        world.troubles.insert(0, trouble)  # what never begins meets no other trouble
        world.finish.append(lambda: _absence(world, name, place, trouble))

    return plant


def _nothing(world: World, one: Attempt) -> None:
    world.fall_back(one, one.at)


def _absence(world: World, name: str, place: Place, trouble: Trouble) -> Label:
    ips = set(place.egress)
    here = [one for one in world.log if one.shown and one.ip in ips and one.at >= trouble.since]
    people = {one.human.upn for one in here}
    # What an observer sees elsewhere, and here before; not what was drawn.
    others = [one for one in world.log if one.shown and not (one.ip in ips and one in here)]
    control = [one for one in others if one.where == "office"]
    share = sum(one.recorded == SIGN_IN_SCREEN for one in control) / max(1, len(control))
    screens = {one.human.upn for one in control if one.recorded == SIGN_IN_SCREEN}
    expected = len(people) * share
    why, blind = "", False
    if world.traits.recorded_how == "none":
        why, blind = "no ClientType is recorded", True
    elif world.traits.shared:
        why, blind = "all sites share their addresses", True
    elif expected < ENOUGH:
        why = f"{expected:.1f} people at the sign-in screen would be expected"
    elif len(screens) < ENOUGH:
        why = f"only {len(screens)} people elsewhere show what is usual"
    return Label(
        target=SILENT,
        kind="absent",
        since=world.when(trouble.since),
        until=world.when(world.now),
        sites=(place.name,),
        ips=place.egress,
        observable=not why,
        why_not=why,
        blind=blind,
        rivals=tuple(one for one in SILENT_MEMBERS if one != name),
        planted=name,
        support=expected,
    )


# -- stalled


def by_cohort(name: str, *, by: str) -> Callable[[World], None]:
    """Return what stops flows of some devices wherever they are: one model, or one version."""

    def plant(world: World) -> None:
        value = world.dice.pick(MODELS[:4] if by == "model" else VERSIONS)
        browser_too = world.dice.chance(0.5)

        def hits(one: Attempt) -> bool:
            device = one.human.device
            fits = one.own and device is not None and getattr(device, by) == value
            return fits and (one.screen or browser_too)

        def alike(one: Attempt) -> bool:
            device = one.human.device
            return device is not None and getattr(device, by) == value

        trouble = Trouble(f"{name}:{value}", onset(world, 7, 30), world.now, hits, _stops)
        world.troubles.append(trouble)
        world.finish.append(lambda: _cohort_label(world, name, trouble, alike))

    return plant


def by_gateway(name: str, stage: Stage) -> Callable[[World], None]:
    """Return what stops the flows of computers at one site, as a gateway does; phones go on."""

    def plant(world: World) -> None:
        place = office(world)

        def hits(one: Attempt) -> bool:
            return one.own and one.where == "office" and one.human.place is place

        def plays(world: World, one: Attempt) -> None:
            _stops(world, one, stage)

        trouble = Trouble(f"{name}@{place.name}", onset(world, 7, 30), world.now, hits, plays)
        world.troubles.append(trouble)
        world.finish.append(lambda: _gateway_label(world, name, place, trouble))

    return plant


def _stops(world: World, one: Attempt, stage: Stage | None = None) -> None:
    """Play flows that stop before any method; one attempt in twelve gets through."""
    if world.dice.chance(0.08):
        world.plays_on(one, world.ending(one))
        return
    last, end = one, one.at
    for number in range(1 + world.dice.chance(0.6) + world.dice.chance(0.3)):
        last = one if number == 0 else replace(one, at=end + world.dice.whole(30, 400) * SECOND)
        if number:
            world.log.append(last)
        stops = stage or (Stage.OPTIONS if world.dice.chance(0.6) else Stage.USER_ID)
        end = world.flow(last, Ending(stops))
    world.fall_back(one, end)


def _stopped(world: World, trouble: Trouble) -> set[str]:
    """Return the people of whom the log shows a flow that this stopped."""
    return {
        one.human.upn
        for one in world.log
        if one.trouble == trouble.name and one.shown and one.stage <= Stage.OPTIONS
    }


def _chance(world: World, trouble: Trouble, alike: Callable[[Attempt], bool]) -> float:
    """Return how often chance stops so many of the people who share what it strikes.

    An observer sees who has such a device and who stopped, with any client or at the sign-in
    screen, but not which computer each of them tried it on.
    """
    shown = [one for one in world.log if one.shown]
    screen = [one for one in shown if one.recorded == SIGN_IN_SCREEN]
    return min(_by_luck(part, trouble, alike) for part in (shown, screen))


def _by_luck(shown: list[Attempt], trouble: Trouble, alike: Callable[[Attempt], bool]) -> float:
    mine = [one for one in shown if alike(one) and one.at >= trouble.since]
    rest = [one for one in shown if not alike(one)]
    people, others = ({one.human.upn for one in part} for part in (mine, rest))
    stopped, usual = (
        {one.human.upn for one in part if one.stage <= Stage.OPTIONS} for part in (mine, rest)
    )
    share, n = (len(usual) + 1) / (len(others) + 2), len(people)
    ways = range(len(stopped), n + 1)
    return sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in ways)


def _cohort_label(
    world: World, name: str, trouble: Trouble, alike: Callable[[Attempt], bool]
) -> Label:
    people, why, blind = _stopped(world, trouble), "", False
    gone = set(world.traits.missing)
    # Who was stopped seldom signs in within the day, so such sign-ins name few devices.
    joined = not gone & {"signIns", "devices"} and world.traits.sign_ins == "all"
    if "managedDevices" in gone and not joined:
        why, blind = "nothing says which devices the people have", True
    elif world.traits.recorded_how == "none":
        why, blind = "no ClientType tells who was at a computer", True
    elif len(people) < ENOUGH:
        why = f"it stopped {len(people)} people"
    elif (chance := _chance(world, trouble, alike)) > RARE:
        why = f"chance stops as many of the people with such a device {chance:.0e} of the time"
    return Label(
        target=STALLED,
        kind="stalled",
        since=world.when(trouble.since),
        until=world.when(world.now),
        users=tuple(sorted(people)),
        observable=not why,
        why_not=why,
        blind=blind,
        rivals=tuple(one for one in STALLED_MEMBERS if one != name),
        planted=f"{name} by cohort",
        support=len(people),
    )


def _gateway_label(world: World, name: str, place: Place, trouble: Trouble) -> Label:
    people, why, blind = _stopped(world, trouble), "", False
    if world.traits.shared:
        why, blind = "all sites share their addresses", True
    elif len(people) < ENOUGH:
        why = f"it stopped {len(people)} people"
    return Label(
        target=STALLED,
        kind="stalled",
        since=world.when(trouble.since),
        until=world.when(world.now),
        sites=(place.name,),
        ips=place.egress,
        users=tuple(sorted(people)),
        observable=not why,
        why_not=why,
        blind=blind,
        rivals=tuple(one for one in STALLED_MEMBERS if one != name),
        planted=f"{name} by gateway",
        support=len(people),
    )


def code_lost(method: str, target: str, *, by_site: bool) -> Callable[[World], None]:
    """Return what keeps codes of one method from arriving, at a site's people or at all."""

    def plant(world: World) -> None:
        place = office(world) if by_site else None

        def hits(one: Attempt) -> bool:
            return method in one.human.person.gates and place in (None, one.human.place)

        def plays(world: World, one: Attempt) -> None:
            end = one.at
            for number in range(1 + world.dice.chance(0.6)):
                again = one if number == 0 else replace(one, at=end + 90 * SECOND)
                if number:
                    world.log.append(again)
                end = world.flow(again, Ending(Stage.STARTED), gates=(method,))
            if world.dice.chance(0.5):
                world.helped(one.human, end + world.dice.whole(600, 7_200) * SECOND)

        where = f"@{place.name}" if place else ""
        trouble = Trouble(f"{target}{where}", onset(world, 4, 20), world.now, hits, plays)
        world.troubles.append(trouble)
        world.finish.append(lambda: _code_label(world, target, place, trouble))

    return plant


def _code_label(world: World, target: str, place: Place | None, trouble: Trouble) -> Label:
    hit = {one.human.upn for one in world.log if one.trouble == trouble.name and one.shown}
    why = "" if len(hit) >= ENOUGH else f"it met {len(hit)} people"
    return Label(
        target=target,
        kind="stalled",
        since=world.when(trouble.since),
        until=world.when(world.now),
        # It follows the people, at home too; their site is the best name for them.
        sites=(place.name,) if place else (),
        ips=place.egress if place else (),
        users=tuple(sorted(hit)),
        observable=not why,
        why_not=why,
        planted=f"{target} {'at a site' if place else 'everywhere'}",
        support=len(hit),
    )
