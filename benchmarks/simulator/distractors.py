"""Things that happen in healthy tenants and look like trouble. None of them has a label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sspr_audit.sources import scenes
from sspr_audit.sources.scenes import Ending, Stage

from . import aftermath, silent
from .model import DAY, Attempt
from .recipes import TRAITS
from .world import World

CONFERENCE = "192.0.2.150"


def clumsy(world: World) -> None:
    """Let one person try over and over, mostly in vain."""
    human = world.dice.pick([one for one in world.humans if one.registered])
    for _ in range(world.dice.whole(15, 35)):
        at = world.moment(human.place, world.now - 20 * DAY)
        stage = world.dice.pick((Stage.USER_ID, Stage.OPTIONS, Stage.OPTIONS, Stage.STARTED))
        one = world.set_out(human, at)
        world.log.append(one)
        if not world.struck(one):
            world.flow(one, Ending(stage))


def conference(world: World) -> None:
    """Bring people of all sites behind one foreign address for a day or two, with their phones."""
    dice = world.dice
    first = world.moment(world.places[0], world.now - 12 * DAY, world.now - DAY)
    day = first - first % DAY
    for human in dice.sample(world.humans, min(len(world.humans), dice.whole(12, 40))):
        at = day + int(dice.between(8, 17) / 24 * DAY) + DAY * dice.chance(0.4)
        if at < world.now:
            one = Attempt(human, at, "away", CONFERENCE, screen=False, own=False)
            world.log.append(one)
            world.plays_on(one, world.ending(one))


def healed(world: World) -> None:
    """Let a site's sign-in screen be silent for a while, and well again before the week."""
    silent.at_site("healed-proxy")(world)
    trouble = world.troubles[0]
    trouble.since = max(world.start, world.now - 50 * DAY)
    trouble.until = world.now - 24 * DAY  # healthy tenants are looked at two weeks earlier, too
    world.finish.pop()  # what is over is nothing to report


def other_records(world: World) -> None:
    """Write what other services and the hash synchronization write."""
    dice = world.dice
    for _ in range(dice.whole(100, 400)):
        human = dice.pick(world.humans)
        at = world.moment(human.place)
        world.entries.append(scenes.other(dice, world.admin, human.person, at))
        if dice.chance(0.2):
            whom = scenes.target(human.person, stored=True)
            system = scenes.actor(scenes.NOBODY, scenes.SYNC)
            entry = scenes.Entry(at, scenes.CORE, scenes.CORE_CHANGE, dice.guid(), system, whom)
            world.entries.append(entry)


EVENTS: Final[dict[str, Callable[[World], None]]] = {
    "clumsy-user": clumsy,
    "conference": conference,
    "healed": healed,
    "mistyped": aftermath.mistyped,
    "other-records": other_records,
}
NAMES: Final = (*EVENTS, *TRAITS)
