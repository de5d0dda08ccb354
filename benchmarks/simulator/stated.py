"""Planted causes that the log states in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sspr_audit.sources import scenes
from sspr_audit.sources.scenes import Ending, Stage

from .model import DAY, HOUR, Attempt, Human, Label
from .silent import office
from .texts import AT_PASSWORD, AT_USER_ID, UNREACHABLE
from .world import Trouble, World


def group(target: str) -> Callable[[World], None]:
    """Return what turns away a group of one site's people, always with the same words."""

    def plant(world: World) -> None:
        early = target in AT_USER_ID
        place = office(world)
        staff = [one for one in world.of(place) if early or one.person.hybrid]
        chosen = world.dice.sample(staff, min(len(staff), world.dice.whole(5, 16)))
        names = {one.upn for one in chosen}
        text = AT_USER_ID[target] if early else AT_PASSWORD[target]

        def plays(world: World, one: Attempt) -> None:
            if early:
                end = world.flow(one, Ending(Stage.USER_ID, text, "failure", after_s=0.3))
            else:
                end = world.flow(one, Ending(Stage.PASSWORD, text, "failure", scenes.RESET, 2.0))
            if one.depth < 1 and world.dice.chance(0.5):
                later = world.set_out(one.human, end + world.dice.whole(1, 9) * HOUR, 1)
                world.attempt(later)

        since = world.now - world.dice.whole(8, 25) * DAY
        trouble = Trouble(target, since, world.now, lambda one: one.human.upn in names, plays)
        world.troubles.insert(0, trouble)
        _press(world, chosen)
        world.finish.append(lambda: replace(_label(world, target, trouble), ips=place.egress))

    return plant


def _press(world: World, chosen: list[Human]) -> None:
    """Let most of a group try within the week, as people do who were just hired or just moved."""
    for human in chosen:
        if world.dice.chance(0.7):
            at = world.moment(human.place, world.window, world.now)
            world.attempt(world.set_out(human, at))


def writeback_outage(world: World) -> None:
    """Let no new password reach the on-premises directory for some hours to days of the week."""
    dice = world.dice
    since = world.moment(world.places[0], world.window, world.now - DAY)
    until = min(world.now, since + int(dice.between(6, 40) * HOUR))
    text = dice.pick((UNREACHABLE, "OnPremisesConnectivityError"))

    def plays(world: World, one: Attempt) -> None:
        wait = world.dice.between(15, 40)
        end = world.flow(one, Ending(Stage.PASSWORD, text, "failure", scenes.RESET, wait))
        if one.depth < 2 and world.dice.chance(0.6):  # noqa: PLR2004
            world.attempt(world.set_out(one.human, end + HOUR // 2, one.depth + 1))

    def hits(one: Attempt) -> bool:
        return one.human.person.hybrid and one.human.registered

    trouble = Trouble("writeback-unreachable", since, until, hits, plays)
    world.troubles.append(trouble)
    world.finish.append(lambda: _label(world, "writeback-unreachable", trouble))


def _label(world: World, target: str, trouble: Trouble) -> Label:
    hit = {
        one.human.upn
        for one in world.log
        if one.trouble == trouble.name and one.shown and one.at >= world.window
    }
    return Label(
        target=target,
        kind="explicit",
        since=world.when(trouble.since),
        until=world.when(trouble.until),
        users=tuple(sorted(hit)),
        observable=bool(hit),
        why_not="" if hit else "nobody met it in the week",
        planted=target,
        support=len(hit),
    )
