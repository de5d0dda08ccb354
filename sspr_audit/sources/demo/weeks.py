"""What happens in the demo tenant in its four weeks: ordinary days, and the troubles in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Final

from sspr_audit.sources import scenes
from sspr_audit.sources.demo.tenant import (
    BROWSER,
    EGRESS,
    GOTHENBURG,
    MALMO,
    MICROSOFT,
    NOW,
    SIGN_IN_SCREEN,
    START,
    STOCKHOLM,
    UNMAPPED,
    VPN,
    WAREHOUSE,
    group,
    ordinary,
    people,
)
from sspr_audit.sources.demo.troubles import (
    HIRED,
    NO_LICENCE,
    NO_METHODS,
    NOT_IN_GROUP,
    ONPREM_PROBLEM,
    OU_SINCE,
    OUTAGE,
    RECON,
    RECON_IP,
    SILENT_SINCE,
    TOO_MANY,
    UNREACHABLE,
)
from sspr_audit.sources.scenes import Dice, Ending, Entry, Person, Stage, Visit

_COMMON: Final = (
    *(Ending(),) * 118,
    *(Ending(refusals=1),) * 16,
    *(Ending(refusals=2),) * 4,
    Ending(refusals=3),
    *(Ending(Stage.USER_ID),) * 4,
    *(Ending(Stage.OPTIONS),) * 9,
    *(Ending(Stage.STARTED),) * 9,
    *(Ending(Stage.COMPLETED),) * 3,
    *(Ending(Stage.VERIFIED),) * 4,
    Ending(Stage.PASSWORD),
    *(Ending(Stage.VERIFIED, "Success", activity=scenes.UNLOCK),) * 6,
    *(
        Ending(
            Stage.STARTED,
            "User cancelled before passing the required authentication methods",
            after_s=9,
        ),
    )
    * 5,
    Ending(Stage.VERIFIED, "User cancelled before submitting a new password", after_s=12),
    Ending(Stage.VERIFIED, "User canceled before submitting a new password ", after_s=12),
    *(Ending(Stage.STARTED, "User contacted an admin", after_s=40),) * 4,
    *(Ending(Stage.STARTED, "blocked", "failure", after_s=30),) * 4,
)
"""How attempts end on ordinary days, as often as they stand here; two texts name the method."""

_HOUR: Final = 36_000_000_000
"""In ticks."""


@cache
def _locked_out() -> frozenset[Person]:
    """Return those who try so often during the outage that they are blocked afterwards."""
    return frozenset(Dice(2).sample([p for p in ordinary() if p.hybrid], 20))


def _moment(dice: Dice, since: datetime = START, until: datetime = NOW) -> int:
    """Return a time in ticks, mostly in working hours; Mondays have more of them."""
    span = range(scenes.ticks(since), scenes.ticks(until))
    while True:
        at = dice.pick(span)
        share = 0.8 if _at_work(at) else 0.05
        if dice.chance(share + 0.2 * (_weekday(at) == 0)):
            return at


def _weekday(at: int) -> int:
    """Return 0 for a Monday; 1 January 1970 was a Thursday."""
    return (at // (24 * _HOUR) + 3) % 7


def _at_work(at: int) -> bool:
    return _weekday(at) < 5 and 6 <= at // _HOUR % 24 < 16  # noqa: PLR2004 - Monday to Friday


def _in_outage(at: int) -> bool:
    return scenes.ticks(OUTAGE[0]) <= at < scenes.ticks(OUTAGE[1])


def _visit(dice: Dice, person: Person, at: int) -> Visit:
    """Return where somebody is at this time, and whether at a sign-in screen or in a browser."""
    typed = person.upn.title() if dice.chance(0.04) else None
    inside = _at_work(at) and dice.chance(0.88)
    ip = dice.pick(EGRESS[person.site]) if inside else person.home
    if ip.endswith("::"):
        ip += f"{int(dice.span(1, 65_000)):x}"
    silent = inside and person.site == MALMO and at >= scenes.ticks(SILENT_SINCE)
    if dice.chance(0.36 if inside else 0.1) and not silent:
        return Visit(ip, SIGN_IN_SCREEN, typed)
    if dice.chance(0.01):
        return Visit(ip, UNMAPPED, typed)
    return Visit(ip, BROWSER if dice.chance(0.45) else None, typed)


def _episode(dice: Dice, person: Person, at: int, ending: Ending) -> Iterator[Entry]:
    """Yield an attempt and what comes of it: another one, a call to the help desk, or nothing."""
    attempt = list(scenes.flow(dice, person, at, _visit(dice, person, at), ending))
    yield from attempt
    later = attempt[-1].at + int(dice.span(0.02, 0.4) * _HOUR)
    if ending.text.startswith("User contacted") and not (person.hybrid and _in_outage(later)):
        yield from _helped(dice, person, later)
    elif "is blocked for" in ending.text:
        again = Ending(Stage.USER_ID, activity=scenes.BLOCKED)
        yield from scenes.flow(dice, person, later, _visit(dice, person, later), again)
    elif ending.stage is not Stage.DONE and dice.chance(0.55):
        yield from _episode(dice, person, later, _fitting(dice, person, later, Ending()))


def _fitting(dice: Dice, person: Person, at: int, ending: Ending) -> Ending:
    """Return the ending as it comes out for this person at this time."""
    method = person.gates[0] if len(person.gates) == 1 else ""
    if ending.text == "blocked":
        ending = replace(ending, text=TOO_MANY[method]) if method in TOO_MANY else Ending()
    if ending.text == "User contacted an admin":
        text = f"{ending.text} after trying the {method} verification option"
        by_hand = method and not method.startswith("mobile app")  # no such text for the app
        ending = replace(ending, text=text) if by_hand else Ending()
    if ending.stage is Stage.DONE and person.hybrid and _in_outage(at):
        wait = dice.span(15, 40)
        return Ending(Stage.PASSWORD, UNREACHABLE, "failure", scenes.RESET, after_s=wait)
    return replace(ending, after_s=dice.span(0.6, 1.8) * ending.after_s)


def _helped(dice: Dice, person: Person, at: int) -> Iterator[Entry]:
    admin = dice.pick(people()[60:63])
    ip = dice.pick((*MICROSOFT, *EGRESS[STOCKHOLM][:2]))
    return scenes.admin_reset(dice, admin, person, at, ip)


def _ordinary_days(dice: Dice) -> Iterator[Entry]:
    for _ in range(1400):
        person, at, ending = dice.pick(ordinary()), _moment(dice), dice.pick(_COMMON)
        if person not in _locked_out() or at < scenes.ticks(OUTAGE[0]):
            yield from _episode(dice, person, at, _fitting(dice, person, at, ending))


def _edges(dice: Dice) -> Iterator[Entry]:
    """Yield a flow that began before the data and three that are under way at its end."""
    starts = [START - timedelta(seconds=9), *(NOW - timedelta(minutes=m) for m in (9, 6, 2))]
    for start in starts:
        person, at = dice.pick(ordinary()), scenes.ticks(start)
        ending = Ending() if start < START else Ending(Stage.STARTED)
        yield from scenes.flow(dice, person, at, _visit(dice, person, at), ending)


def _turned_away(dice: Dice) -> Iterator[Entry]:
    """Yield attempts that are refused as soon as the user is known."""
    turned = ((STOCKHOLM, NOT_IN_GROUP, START), (WAREHOUSE, NO_METHODS, HIRED))
    for site, text, since in (*turned, (VPN, NO_LICENCE, START)):
        for number, person in enumerate(group(site)):
            spelled = text + " " * (number % 3 == 2 and text == NO_METHODS)  # noqa: PLR2004
            refusal = Ending(Stage.USER_ID, spelled, "failure", after_s=0.3)
            for _ in range(1 + number % 3):
                at = _moment(dice, since)
                inside = Visit(dice.pick(EGRESS[site]), dice.pick((SIGN_IN_SCREEN, BROWSER, None)))
                yield from scenes.flow(dice, person, at, inside, refusal)


def _missing_right(dice: Dice) -> Iterator[Entry]:
    """Yield the people of one OU: well until a date, and failing to write back after it."""
    for number, person in enumerate(group(GOTHENBURG)):
        before = _moment(dice, START, OU_SINCE)
        yield from scenes.flow(dice, person, before, _visit(dice, person, before))
        for since, until in ((OU_SINCE, OUTAGE[0]), (OUTAGE[1], NOW))[: 1 + number % 2]:
            at = _moment(dice, since, until)
            failure = Ending(Stage.PASSWORD, ONPREM_PROBLEM, "failure", after_s=dice.span(1, 3))
            inside = Visit(EGRESS[GOTHENBURG][0], dice.pick((SIGN_IN_SCREEN, BROWSER, None)))
            yield from scenes.flow(dice, person, at, inside, failure)


def _lock_outs(dice: Dice) -> Iterator[Entry]:
    """Yield five failures each on the Monday of the outage and one block on the next day."""
    block = Ending(Stage.USER_ID, activity=scenes.BLOCKED)
    for person in sorted(_locked_out(), key=lambda one: one.id):
        at = scenes.ticks(OUTAGE[0]) + int(dice.span(3, 8) * _HOUR)
        for _ in range(5):
            ending = _fitting(dice, person, at, Ending())
            yield from scenes.flow(dice, person, at, _visit(dice, person, at), ending)
            at += int(dice.span(0.1, 0.9) * _HOUR)
        at = scenes.ticks(OUTAGE[1]) + int(dice.span(0, 1) * _HOUR)
        lone = scenes.flow(dice, person, at, _visit(dice, person, at), block)
        yield from islice(lone, 1, None)


def _probes(dice: Dice) -> Iterator[Entry]:
    """Yield an outsider who tries one user name after the other and goes no further."""
    at = scenes.ticks(RECON)
    for person in dice.sample(ordinary(), 64):
        yield from scenes.flow(dice, person, at, Visit(RECON_IP), Ending(Stage.OPTIONS))
        at += int(dice.span(10, 90) * 10_000_000)


def _acts(dice: Dice) -> Iterator[Entry]:
    """Yield what is no flow: resets by administrators, password changes, registrations."""
    staff = ordinary()
    for _ in range(90):
        person, at = dice.pick(staff), _moment(dice)
        if not (person.hybrid and _in_outage(at)):
            yield from _helped(dice, person, at)
    admin = scenes.actor(people()[60].id, people()[60].upn)
    for number in range(5):
        person, at = staff[80 + 40 * number], _moment(dice)
        whom = scenes.target(person, stored=True)
        yield Entry(at, scenes.CORE, scenes.CORE_RESET, dice.guid(), admin, whom)
    for number in range(220):
        person, at = dice.pick(staff), _moment(dice)
        who = scenes.actor(person.id, person.upn, _visit(dice, person, at).ip)
        reason, result = ("None", "success")
        if number % 11 == 0:
            reason, result = ("PasswordDoesnotComplyFuzzyPolicy", "failure")
        whom = scenes.target(person)
        yield Entry(at, scenes.SSPR, scenes.CHANGE, dice.guid(), who, whom, reason, result)
    for _ in range(160):
        person, at = dice.pick(staff), _moment(dice)
        yield from scenes.registration(dice, person, at, _visit(dice, person, at).ip or "")


def _rest(dice: Dice) -> Iterator[Entry]:
    """Yield what the other services and the hash synchronization write."""
    for _ in range(1400):
        person = dice.pick(people())
        yield scenes.other(dice, people()[61], person, _moment(dice))
    for _ in range(200):
        person, at = dice.pick(people()), _moment(dice)
        whom = scenes.target(person, stored=True)
        system = scenes.actor(scenes.NOBODY, scenes.SYNC)
        yield Entry(at, scenes.CORE, scenes.CORE_CHANGE, dice.guid(), system, whom)


def played() -> Iterator[Entry]:
    """Yield all that happens, in no order; some of it before the data begins or after its end."""
    for number, scene in enumerate(_SCENES):
        yield from scene(Dice(10 + number))


_SCENES: Final = (
    *(_ordinary_days, _edges, _turned_away, _missing_right, _lock_outs, _probes, _acts, _rest),
)
"""Each has its own dice, so that a change to one leaves the others as they are."""
