"""A tenant in the making: who tries what when, what gets in the way, what the logs keep of it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from sspr_audit.sources import scenes
from sspr_audit.sources.scenes import Ending, Entry, Person, Visit

from . import people, wire
from .model import DAY, HOUR, MINUTE, SECOND, Attempt, Chances, Human, Label, Place
from .recipes import Traits
from .texts import CANCELLED, CONTACTED, NO_METHODS, TARGETS, TOO_MANY

SIGN_IN_SCREEN: Final = "Windows sign-in screen"
BROWSER: Final = "Web portal"


@dataclass(slots=True)
class Trouble:
    """Something planted that attempts run into while it lasts."""

    name: str
    since: int
    until: int
    hits: Callable[[Attempt], bool]
    plays: Callable[[World, Attempt], None]
    after: bool = False
    """Whether it strikes after a success; else it strikes before anything is logged."""
    people: dict[str, Human] = field(default_factory=dict)
    """Whom it struck."""


class World:
    """All that happens in one tenant. `play` it, then read `entries`, `sign_ins` and `log`."""

    def __init__(self, dice: Chances, traits: Traits, now: datetime) -> None:
        self.dice, self.traits = dice, traits
        self.places = people.places(dice, traits)
        self.humans = people.humans(dice, traits, self.places)
        self.now = scenes.ticks(now)
        self.start = self.now - traits.days * DAY
        self.window = self.now - 7 * DAY
        self.troubles: list[Trouble] = []
        self.entries: list[Entry] = []
        self.sign_ins: list[wire.Json] = []
        self.log: list[Attempt] = []
        self.tries: dict[str, list[tuple[int, bool]]] = {}
        """When each person signed in, or tried to, and whether that was refused."""
        self.helps: list[tuple[str, int]] = []
        """Whom an administrator helped, and when."""
        self.stated: list[tuple[datetime, str]] = []
        self.finish: list[Callable[[], Label | None]] = []
        """What the planted causes say once all is played."""
        self.admin = self.humans[0].person
        self._calendars: dict[tuple[int, int], tuple[list[int], list[float]]] = {}

    def when(self, ticks: int) -> datetime:
        """Return ticks as a time."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)

    def of(self, place: Place) -> list[Human]:
        """Return the people of a site."""
        return [one for one in self.humans if one.place is place]

    def named_places(self) -> tuple[Place, ...]:
        """Return what the admin writes down: the sites, and the VPN where somebody thought of it.

        A name says nothing of what a network is.
        """
        if not (self.traits.vpn and self.traits.vpn_named):
            return self.places
        egress = (people.VPN_EGRESS,)
        return (*self.places, Place("Remote access", 0, egress, egress, 0))

    # -- ordinary days

    def moment(self, place: Place, since: int | None = None, until: int | None = None) -> int:
        """Return a time in a span: mostly in a site's working hours, seldom at weekends."""
        first = self.start if since is None else since
        last = self.now if until is None else until
        days, weights = self._calendar(first - first % DAY, last)
        while True:
            one = days[bisect(weights, self.dice.unit() * weights[-1])]
            hour = self.dice.between(6, 22) if self.dice.chance(0.1) else self.dice.between(7, 16.5)
            at = one + int((hour - place.zone_h) * HOUR)
            if first <= at < last:
                return at
            if last - first < DAY:  # too short a span to wait for working hours
                return first + int(self.dice.unit() * (last - first))

    def _calendar(self, first: int, last: int) -> tuple[list[int], list[float]]:
        """Return the days of a span, and how busy they are, summed up to each."""
        if (first, last) not in self._calendars:
            days = list(range(first, last, DAY)) or [first]
            self._calendars[first, last] = days, list(accumulate(map(self._busy, days)))
        return self._calendars[first, last]

    def _busy(self, day: int) -> float:
        weekday = (day // DAY + 3) % 7  # 1 January 1970 was a Thursday
        away = self.traits.holiday[0] <= (day - self.start) // DAY < self.traits.holiday[1]
        return (0.06, 1.0, 1.25)[(weekday < 5) + (weekday == 0)] * (0.12 if away else 1.0)  # noqa: PLR2004

    def at_work(self, human: Human, at: int) -> bool:
        """Say whether it is the working time of a person's site."""
        local = at + human.place.zone_h * HOUR
        return (local // DAY + 3) % 7 < 5 and 6 <= local // HOUR % 24 < 18  # noqa: PLR2004

    def set_out(self, human: Human, at: int, depth: int = 0) -> Attempt:
        """Return how a person goes about a reset at this time: where, and with what."""
        dice, screen = self.dice, self.dice.chance(human.habit)
        own = screen or dice.chance(0.0 if human.device is None else 0.55)
        inside = self.at_work(human, at) and not dice.chance(human.home_share)
        where = "office" if inside else "home"
        if human.place.kind == "phones" and not screen and dice.chance(0.6):
            where, own = "mobile", False
        elif not own and human.device and dice.chance(0.3):
            where = "mobile"
        elif not inside and dice.chance(0.04):
            where = "away"
        elif not inside and own and not screen and self.traits.vpn and dice.chance(0.7):
            where = "vpn"
        return Attempt(human, at, where, self.address(human, where), screen, own, depth)

    def address(self, human: Human, where: str) -> str:
        """Return an address by which a person is seen there."""
        dice = self.dice
        if where == "office":
            return dice.pick(human.place.egress)
        if where == "vpn":
            return people.VPN_EGRESS
        if where == "home":
            home = human.person.home
            return home + f"{dice.whole(1, 65_000):x}" if home.endswith("::") else home
        return f"198.19.{dice.whole(0, 255)}.{dice.whole(0, 255)}"

    def play(self) -> None:
        """Play all ordinary needs of the history; troubles strike as they come."""
        for place in self.places:
            staff = self.of(place)
            rate = self.traits.resets * (3 if len(staff) < 8 else 1)  # noqa: PLR2004 - tiny sites
            for _ in range(round(len(staff) * rate * self.traits.days / 30)):
                human = self.dice.pick(staff)
                self.attempt(self.set_out(human, self.moment(place)))

    def attempt(self, one: Attempt) -> None:
        """Play one attempt, with what comes of it."""
        if one.at >= self.now:
            return
        self.log.append(one)
        if not self.struck(one):
            self.plays_on(one, self.ending(one))

    def struck(self, one: Attempt) -> bool:
        """Play the first trouble that strikes an attempt; say whether there is one."""
        for trouble in self.troubles:
            if not trouble.after and _strikes(trouble, one):
                trouble.people[one.human.upn] = one.human
                one.trouble = trouble.name
                trouble.plays(self, one)
                return True
        return False

    def plays_on(self, one: Attempt, ending: Ending) -> None:
        """Play an attempt that nothing was planted for."""
        end = self.flow(one, ending)
        if ending.stage == scenes.Stage.DONE:
            self.succeeded(one, end)
        elif ending.text.startswith("User contacted"):
            self.helped(one.human, end + int(self.dice.between(5, 90)) * MINUTE)
        elif one.depth < 2 and one.human.registered and self.dice.chance(0.55):  # noqa: PLR2004
            later = end + int(self.dice.between(1, 25)) * MINUTE
            self.attempt(replace(one, at=later, depth=one.depth + 1, shown=False))

    def ending(self, one: Attempt) -> Ending:
        """Return how an attempt ends on an ordinary day."""
        stage, number = scenes.Stage, self.dice.unit()
        if not one.human.registered:
            return Ending(stage.USER_ID, NO_METHODS, "failure", after_s=0.3)
        for share, ending in (
            (0.02, Ending(stage.USER_ID)),
            (self.traits.options_stop, Ending(stage.OPTIONS)),
            (0.055, Ending(stage.STARTED)),
            (0.02, Ending(stage.COMPLETED)),
            (0.02, Ending(stage.VERIFIED)),
            (0.025, Ending(stage.STARTED, CANCELLED, after_s=9)),
            (0.012, Ending(stage.STARTED, CONTACTED, after_s=40)),
            (0.01, Ending(stage.STARTED, TOO_MANY, "failure", after_s=30)),
            (0.09, Ending(refusals=1)),
            (0.02, Ending(refusals=2)),
        ):
            number -= share
            if number < 0:
                by_sms = one.human.person.gates == ("mobile SMS",)
                return Ending() if ending.text in (TOO_MANY, CONTACTED) and not by_sms else ending
        return Ending()

    # -- what the logs keep

    def flow(self, one: Attempt, ending: Ending, gates: tuple[str, ...] | None = None) -> int:
        """Write the flow of an attempt; return when its last step was."""
        person: Person = one.human.person
        if gates is not None:
            person = replace(person, gates=gates)
        one.recorded, one.shown, one.stage = self._client_type(one), True, int(ending.stage)
        typed = person.upn.title() if self.dice.chance(0.03) else None
        visit = Visit(one.ip, one.recorded, typed)
        written = list(scenes.flow(self.dice, person, one.at, visit, ending))
        self.entries += written
        for entry in written:
            self._state(entry)
        return written[-1].at

    def _state(self, entry: Entry) -> None:
        for begins, target in TARGETS.items():
            if entry.reason.startswith(begins):
                self.stated.append((self.when(entry.at), target))

    def _client_type(self, one: Attempt) -> str | None:
        how = self.traits.recorded_how
        if how == "none" or not self.dice.chance(self.traits.recorded):
            return None
        if one.screen:
            return SIGN_IN_SCREEN
        return BROWSER if how == "flow" else None

    def sign_in(self, human: Human, at: int, ip: str, app: tuple[str, str], error: int = 0) -> None:
        """Write a sign-in."""
        if self.start <= at < self.now:
            self.tries.setdefault(human.upn, []).append((at, error != 0))
            number = len(self.sign_ins) + 1
            self.sign_ins.append(wire.sign_in(number, human, at, ip, app, error))

    def helped(self, human: Human, at: int) -> None:
        """Write a reset by an administrator."""
        if self.start <= at < self.now:
            self.helps.append((human.upn, at))
            admin_ip = self.places[0].egress[0]
            self.entries += scenes.admin_reset(self.dice, self.admin, human.person, at, admin_ip)

    def succeeded(self, one: Attempt, end: int) -> None:
        """Play what follows a success: the new password is used, here or in the cloud."""
        for trouble in self.troubles:
            if trouble.after and _strikes(trouble, one):
                trouble.people[one.human.upn] = one.human
                one.trouble = trouble.name
                trouble.plays(self, replace(one, at=end))
                return
        dice, human = self.dice, one.human
        if dice.chance(0.05):  # mistyped at first
            self.sign_in(human, end + dice.whole(8, 60) * SECOND, one.ip, wire.OUTLOOK, 50126)
        if one.screen and dice.chance(0.95):
            self.sign_in(human, end + dice.whole(10, 150) * SECOND, one.ip, wire.WINDOWS)
        elif human.device and not one.screen and dice.chance(0.45):
            self.later_sign_in(human, end, dice.whole(3, 300) * MINUTE)
        self.cloud_sign_in(human, end)

    def later_sign_in(self, human: Human, end: int, wait: int) -> None:
        """Write a sign-in to the device, wherever the person then is."""
        inside = self.at_work(human, end + wait)
        ip = self.address(human, "office" if inside else "home")
        self.sign_in(human, end + wait, ip, wire.WINDOWS)

    def cloud_sign_in(self, human: Human, end: int) -> None:
        """Write a sign-in on a phone, as two in three people do within the hour."""
        if self.dice.chance(0.65):
            at = end + self.dice.whole(2, 60) * MINUTE
            self.sign_in(human, at, self.address(human, "mobile"), wire.OUTLOOK)

    def fall_back(self, one: Attempt, at: int) -> None:
        """Play what people do who cannot reset on their computer: phone, help desk, or wait."""
        dice, chance = self.dice, self.dice.unit()
        if chance < 0.5:  # noqa: PLR2004
            where = "mobile" if dice.chance(0.3) else one.where
            later = at + dice.whole(2, 40) * MINUTE
            ip = one.ip if where == one.where else self.address(one.human, where)
            self.attempt(
                Attempt(one.human, later, where, ip, screen=False, own=False, depth=one.depth + 1)
            )
        elif chance < 0.78:  # noqa: PLR2004
            self.helped(one.human, at + dice.whole(5, 150) * MINUTE)


def _strikes(trouble: Trouble, one: Attempt) -> bool:
    return trouble.since <= one.at < trouble.until and trouble.hits(one)
