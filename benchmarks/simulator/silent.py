"""Planted causes that leave no text: nothing at the sign-in screen, or flows that stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from sspr_audit.sources.scenes import Ending, Stage

from . import oracle
from .model import DAY, SECOND, Attempt, Label, Place
from .people import MODELS, VERSIONS
from .world import SIGN_IN_SCREEN, Trouble, World

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


def _no_screen(one: Attempt) -> bool:
    return one.recorded != SIGN_IN_SCREEN


def _a_habit(log: list[Attempt], mine: Callable[[Attempt], bool]) -> str:
    """Say why nobody can tell it from a habit of the site: what people do differs by place.

    By how much, two places tell at the least, of which one may be the site in its past.
    """
    people = {(one.human.place.name, one.human.upn) for one in log if not mine(one)}
    counts = Counter(place for place, _ in people)
    others = sum(count >= oracle.FEW for count in counts.values())
    return "" if others > 1 else "there is but one place to hold it against"


def _absence(world: World, name: str, place: Place, trouble: Trouble) -> Label:
    def mine(one: Attempt) -> bool:
        return one.ip in place.egress and one.at >= trouble.since

    log = [one for one in world.log if one.shown]
    here = {one.human.upn for one in log if mine(one)}
    why, blind = "", False
    if world.traits.recorded_how == "none":
        why, blind = "no ClientType is recorded", True
    elif world.traits.shared:
        why, blind = "all sites share their addresses", True
    else:  # held against other offices, and this one in its past
        log = [one for one in log if one.where == "office" or mine(one)]
        why = _a_habit(log, mine) or oracle.lacks(
            log,
            mine,
            _no_screen,
            week=world.window,
            habits=oracle.Habits(lambda one: one.human.place is place, world.traits.unlike),
        )
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
        support=len(here),
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
        if one.trouble == trouble.name and one.shown and _stops_early(one)
    }


def _lacks(world: World, trouble: Trouble, alike: Callable[[Attempt], bool]) -> str:
    """Say why the log cannot show the stall, with any client or at the sign-in screen.

    An observer sees who is alike and who stopped, but not on which computer each of them tried.
    """

    def mine(one: Attempt) -> bool:
        return alike(one) and one.at >= trouble.since

    log = [one for one in world.log if one.shown]
    screen = [one for one in log if not _no_screen(one)]
    why, other = (
        oracle.lacks(part, mine, _stops_early, week=world.window) for part in (log, screen)
    )
    return why and other and why


def _stops_early(one: Attempt) -> bool:
    return one.stage <= Stage.OPTIONS


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
    else:
        why = _lacks(world, trouble, alike)
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
    else:
        why = _lacks(world, trouble, lambda one: one.ip in place.egress)
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
        world.finish.append(lambda: _code_label(world, target, method, place, trouble))

    return plant


def _seen_at(world: World, place: Place) -> set[str]:
    """Return who is seen at the addresses of a place: nothing else tells where people work."""
    seen = {one.human.upn for one in world.log if one.shown and one.ip in place.egress}
    if world.traits.sign_ins == "all" and "signIns" not in world.traits.missing:
        alike = {one.name for one in world.places if not set(one.egress).isdisjoint(place.egress)}
        seen |= {one.upn for one in world.humans if one.place.name in alike}
    return seen


def _code_label(
    world: World, target: str, method: str, place: Place | None, trouble: Trouble
) -> Label:
    hit = {one.human.upn for one in world.log if one.trouble == trouble.name and one.shown}
    started = [
        one
        for one in world.log
        if one.shown and one.stage >= Stage.STARTED and method in one.human.person.gates
    ]
    named = None if world.traits.shared else place
    theirs = _seen_at(world, place) if place else {one.human.upn for one in started}
    why = oracle.lacks(
        started,
        lambda one: one.at >= trouble.since and one.human.upn in theirs,
        lambda one: one.stage == Stage.STARTED,
        week=world.window,
    )
    return Label(
        target=target,
        kind="stalled",
        since=world.when(trouble.since),
        until=world.when(world.now),
        # It follows the people, at home too; their site is the best name for them, if it has one.
        sites=(named.name,) if named else (),
        ips=named.egress if named else (),
        users=tuple(sorted(hit)),
        observable=not why,
        why_not=why,
        planted=f"{target} {'at a site' if place else 'everywhere'}",
        support=len(hit),
    )
