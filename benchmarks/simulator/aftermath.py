"""Planted causes that begin where the log says success, and those that come from outside."""

from __future__ import annotations

from dataclasses import replace

from sspr_audit.sources import scenes
from sspr_audit.sources.scenes import Ending, Stage

from . import oracle, wire
from .model import DAY, HOUR, MINUTE, SECOND, Attempt, Label
from .silent import onset
from .texts import TOO_MANY
from .world import SIGN_IN_SCREEN, Trouble, World

KEPT = 30 * DAY
"""How long the service keeps sign-ins."""
VICTIMS = 3
OUTSIDE = "192.0.2.200"


def off_network(world: World) -> None:
    """Take the way to a domain controller from all hybrid devices outside the offices."""

    def hits(one: Attempt) -> bool:
        device = one.human.device
        outside = one.where in ("home", "away")
        return one.screen and outside and device is not None and device.trust == "ServerAd"

    # In half of the tenants it was never otherwise; in the others a tunnel was taken away.
    since = world.start if world.dice.chance(0.5) else onset(world, 14, 50)
    trouble = Trouble("hybrid-device-off-network", since, world.now, hits, _locked_out, after=True)
    world.troubles.insert(0, trouble)  # whoever mistypes there is locked out all the same
    world.finish.append(lambda: _off_network_label(world, trouble))


def _off_network_label(world: World, trouble: Trouble) -> Label:
    """Return the label: who was hit by it is held against everybody else who succeeded."""
    needs: dict[str, list[int]] = {}
    for upn, at in (*((one.human.upn, one.at) for one in world.log if one.shown), *world.helps):
        needs.setdefault(upn, []).append(at)

    def again(one: Attempt) -> bool:
        return any(one.at < at <= one.at + DAY for at in needs[one.human.upn])

    def mine(one: Attempt) -> bool:
        return one.trouble == trouble.name and one.recorded == SIGN_IN_SCREEN

    done = _succeeded(world)
    # Sign-ins name the join type, too; those of the day after leave out who could not sign in.
    needed = {"signIns"} if world.traits.sign_ins == "all" else {"signIns", "devices"}
    gone = needed & set(world.traits.missing)
    why, blind = "", True
    if gone:
        why = f"{' and '.join(sorted(gone))} are missing"
    elif world.traits.recorded_how == "none":
        why = "no ClientType is recorded"
    else:
        why, blind = oracle.lacks(done, mine, again, week=world.window), False
    hit = {one.human.upn for one in done if mine(one)}
    return _after_label(world, trouble, hit, why, blind=blind)


def _locked_out(world: World, one: Attempt) -> None:
    """Play what follows: the cloud takes the new password, the device does not, until the office.

    `one.at` is the time of the success.
    """
    dice, human = world.dice, one.human
    world.cloud_sign_in(human, one.at)
    if dice.chance(0.4):
        stale = one.at + dice.whole(5, 200) * MINUTE
        world.sign_in(human, stale, one.ip, wire.WINDOWS, 50126)
    if one.depth < 2 and dice.chance(0.5):  # noqa: PLR2004
        later = one.at + dice.whole(4, 300) * MINUTE
        screen = dice.chance(0.85)
        world.attempt(replace(one, at=later, depth=one.depth + 1, screen=screen, shown=False))
    elif dice.chance(0.5):
        world.helped(human, one.at + dice.whole(1, 20) * HOUR)
    back = world.moment(human.place, one.at + 6 * HOUR, one.at + 5 * DAY)
    world.sign_in(human, back, world.address(human, "office"), wire.WINDOWS)


def catch_up(world: World) -> None:
    """Let new passwords of synchronized people be refused for two minutes, then work."""

    def plays(world: World, one: Attempt) -> None:
        dice, human = world.dice, one.human
        app = wire.WINDOWS if one.screen else wire.OUTLOOK
        for second in (dice.whole(6, 40), dice.whole(45, 105)):
            world.sign_in(human, one.at + second * SECOND, one.ip, app, 50126)
        world.sign_in(human, one.at + dice.whole(125, 200) * SECOND, one.ip, app)

    def hits(one: Attempt) -> bool:
        return one.human.person.hybrid

    since = onset(world, 14, 40)
    trouble = Trouble("phs-catch-up-delay", since, world.now, hits, plays, after=True)
    world.troubles.append(trouble)
    world.finish.append(lambda: _catch_up_label(world, trouble))


def _catch_up_label(world: World, trouble: Trouble) -> Label:
    """Return the label: whose first try was refused is held against everybody's first try."""

    def first(one: Attempt) -> tuple[int, bool] | None:
        later = (tried for tried in world.tries.get(one.human.upn, ()) if tried[0] > one.at)
        return min(later, default=None)

    tried = [one for one in _succeeded(world) if first(one)]
    blind = "signIns" in world.traits.missing
    why = "signIns are missing"
    if not blind:
        why = oracle.lacks(
            tried,
            lambda one: one.trouble == trouble.name,
            lambda one: (first(one) or (0, False))[1],
            week=world.window,
        )
    hit = {one.human.upn for one in tried if one.trouble == trouble.name}
    return _after_label(world, trouble, hit, why, blind=blind)


def _succeeded(world: World) -> list[Attempt]:
    """Return the successes that the log shows, as far back as sign-ins are kept."""
    done = (one for one in world.log if one.shown and one.stage == Stage.DONE)
    return [one for one in done if one.at >= world.now - KEPT]


def mistyped(world: World) -> None:
    """Let many people mistype the new password and set it again: no cause, but it looks like one.

    It heals at once, with the device and from the same address.
    """

    def plays(world: World, one: Attempt) -> None:
        dice, human = world.dice, one.human
        app = wire.WINDOWS if one.screen else wire.OUTLOOK
        for number in range(dice.whole(1, 3)):
            world.sign_in(
                human, one.at + (number + 1) * dice.whole(9, 40) * SECOND, one.ip, app, 50126
            )
        if one.depth < 1 and dice.chance(0.4):
            later = one.at + dice.whole(3, 20) * MINUTE
            world.attempt(replace(one, at=later, depth=one.depth + 1, shown=False))
        elif not one.screen or human.device:
            world.sign_in(human, one.at + dice.whole(70, 300) * SECOND, one.ip, app)

    careless = {one.upn for one in world.humans if world.dice.chance(0.25)}
    world.troubles.append(
        Trouble(
            "mistyped",
            world.start,
            world.now,
            lambda one: one.human.upn in careless,
            plays,
            after=True,
        )
    )


def _after_label(world: World, trouble: Trouble, hit: set[str], why: str, *, blind: bool) -> Label:
    return Label(
        target=trouble.name,
        kind="aftermath",
        since=world.when(trouble.since),
        until=world.when(world.now),
        users=tuple(sorted(trouble.people)),
        observable=not why,
        why_not=why,
        blind=blind,
        planted=trouble.name,
        support=len(hit),
    )


def incident(world: World) -> None:
    """Let everything fail everywhere for some hours of a working day of the week."""
    dice = world.dice
    monday, largest = world.now - 7 * DAY, max(world.places, key=lambda one: one.headcount)
    hour = dice.between(7.5, 11) - largest.zone_h
    since = monday + dice.whole(0, 4) * DAY + int(hour * HOUR)
    until = since + int(dice.between(2, 6) * HOUR)

    def plays(world: World, one: Attempt) -> None:
        stages = (Stage.USER_ID, Stage.OPTIONS, Stage.STARTED, Stage.VERIFIED, Stage.PASSWORD)
        end = world.flow(one, Ending(world.dice.pick(stages)))
        if one.depth < 3 and world.dice.chance(0.7):  # noqa: PLR2004
            later = end + world.dice.whole(2, 30) * MINUTE
            world.attempt(replace(one, at=later, depth=one.depth + 1, shown=False))

    trouble = Trouble("service-incident", since, until, lambda _: True, plays)
    world.troubles.insert(0, trouble)
    world.finish.append(lambda: _incident_label(world, trouble))


def _incident_label(world: World, trouble: Trouble) -> Label:
    def mine(one: Attempt) -> bool:
        return trouble.since <= one.at < trouble.until

    def failed(one: Attempt) -> bool:
        return one.stage < Stage.DONE

    def where(one: Attempt) -> str:
        return one.human.place.egress[0] if one.where == "office" else one.ip

    log = [one for one in world.log if one.shown]
    hit = {one.human.upn for one in log if one.trouble == trouble.name}
    why = oracle.lacks(log, mine, failed, week=world.window, tests=oracle.HOURS)
    why = why or oracle.only_at(log, mine, failed, where)
    return Label(
        target="service-incident",
        kind="time",
        since=world.when(trouble.since),
        until=world.when(trouble.until),
        observable=not why,
        why_not=why,
        planted="service-incident",
        support=len(hit),
    )


def enumeration(world: World) -> None:
    """Walk through many user names from one outside address and go no further."""
    dice = world.dice
    count = min(len(world.humans), dice.whole(20, 90))
    at = since = world.window + int(dice.between(0.2, 6.5) * DAY)
    for human in dice.sample(world.humans, count):
        one = Attempt(human, at, "outside", OUTSIDE, screen=False, own=False)
        world.flow(one, Ending(Stage.OPTIONS if dice.chance(0.9) else Stage.USER_ID))
        at += dice.whole(8, 90) * SECOND
    world.finish.append(
        lambda: Label(
            target="sspr-enumeration",
            kind="people",
            since=world.when(since),
            until=world.when(at),
            ips=(OUTSIDE,),
            planted="sspr-enumeration",
            support=count,
        )
    )


def takeover(world: World) -> None:
    """Reset some people's passwords from one outside address, and register a new phone there."""
    dice, ip = world.dice, "192.0.2.220"
    able = [one for one in world.humans if "mobile SMS" in one.person.gates]
    victims = dice.sample(able, min(len(able), dice.whole(4, 8)))
    at = since = world.window + int(dice.between(0.2, 6.0) * DAY)
    taken = set()
    for human in victims:
        for _ in range(dice.whole(1, 3)):
            one = Attempt(human, at, "outside", ip, screen=False, own=False)
            stopped = Ending(Stage.STARTED, TOO_MANY if dice.chance(0.3) else "", "failure")
            at = world.flow(one, stopped, ("mobile SMS",)) + dice.whole(60, 900) * SECOND
        if dice.chance(0.75):
            one = Attempt(human, at, "outside", ip, screen=False, own=False)
            end = world.flow(one, Ending(), ("mobile SMS",))
            new_phone = scenes.registration(
                dice, human.person, end + dice.whole(60, 600) * SECOND, ip
            )
            world.entries += new_phone
            world.sign_in(human, end + 40 * SECOND, ip, wire.PORTAL)
            taken.add(human.upn)
            at = end + dice.whole(300, 3_000) * SECOND
    why = "" if len(taken) >= VICTIMS else f"{len(taken)} accounts were taken"
    world.finish.append(
        lambda: Label(
            target="sspr-takeover-attempt",
            kind="people",
            since=world.when(since),
            until=world.when(at),
            ips=(ip,),
            users=tuple(sorted(one.upn for one in victims)),
            observable=not why,
            why_not=why,
            planted="sspr-takeover-attempt",
            support=len(taken),
        )
    )
