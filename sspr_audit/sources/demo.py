"""A made-up tenant on example.com: four weeks of password resets, with troubles planted in them.

Everything is repeatable and nothing in it is real, the values of ClientType included: Microsoft
documents that key, but not its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from sspr_audit.sources import exports, scenes
from sspr_audit.sources.scenes import Dice, Ending, Entry, Person, Record, Stage, Visit

NOW: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""The end of the demo's data, and its present."""
START: Final = NOW - timedelta(weeks=4)
TENANT: Final = "00000000-0000-0000-0000-000000000001"

OUTAGE: Final = (datetime(2026, 11, 16, 5, tzinfo=UTC), datetime(2026, 11, 17, 11, tzinfo=UTC))
"""30 hours, from a Monday on, in which no password was written back."""
OU_SINCE: Final = datetime(2026, 11, 12, 8, tzinfo=UTC)
HIRED: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
SILENT_SINCE: Final = datetime(2026, 11, 5, tzinfo=UTC)
RECON: Final = datetime(2026, 11, 18, 1, 10, tzinfo=UTC)
RECON_IP: Final = "203.0.113.200"

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
"""

README: Final = """\
A made-up tenant, four weeks of it, to try sspr-audit on. No person, address or id is real.

exports/ holds the same records in each form that Microsoft gives: graph (the API), portal (the
admin centre's downloads), diagnostic (Azure Monitor) and loganalytics (a query's result). A report
over one of them and a report over all of them say the same.

    sspr-audit report --config settings.toml --input exports
"""

NOT_IN_GROUP: Final = (
    "This user is not a member of the password reset users group. "
    "Add this user to that group to resolve this."
)
NO_METHODS: Final = (
    "User's account has insufficient authentication methods defined. "
    "Add authentication info to resolve this"
)
NO_LICENCE: Final = (
    "User does not have a license. You can add a license to the user to resolve this"
)
UNREACHABLE: Final = "OnPremisesConnectivityError"
ONPREM_PROBLEM: Final = (
    "We encountered a problem while resetting the user's on-premises password. "
    "Check your sync machine's event log"
)
TOO_MANY: Final = {
    "mobile SMS": (
        "User entered too many invalid SMS verification codes and is blocked for 24 hours"
    ),
    "office voice call": (
        "User tried office phone voice verification too many times and is blocked for 24 hours"
    ),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A trouble that was put into the tenant, to be found again."""

    finding: str
    """The cause or family that its mark names, or that its pattern points to."""
    mark: str
    """The reason or activity in the log; empty where the trouble leaves none."""
    site: str | None
    """None for everywhere."""
    since: datetime
    users: int
    flows: int
    """With the mark; where there is none, the flows at that place since the onset."""


PLANTED: Final = (
    Planted("writeback-unreachable", UNREACHABLE, None, OUTAGE[0], 72, 225),
    Planted("writeback-refused", ONPREM_PROBLEM, GOTHENBURG, OU_SINCE, 14, 21),
    Planted("insufficient-methods", NO_METHODS, WAREHOUSE, HIRED, 18, 36),
    Planted("user-not-in-sspr-group", NOT_IN_GROUP, STOCKHOLM, START, 16, 31),
    Planted("license-missing", NO_LICENCE, VPN, START, 5, 9),
    Planted("too-many-attempts-throttled", scenes.BLOCKED, None, OUTAGE[1], 21, 21),
    Planted("signin-screen-silent-at-site", "", MALMO, SILENT_SINCE, 108, 258),
    Planted("sspr-enumeration", "", None, RECON, 64, 64),
)
"""What a report over the demo should find, the silent troubles last."""

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
def _group(site: str) -> tuple[Person, ...]:
    """Return the troubled people of a site."""
    staff = (person for person in people() if person.site == site)
    return tuple(islice(staff, _TROUBLED[site][0]))


@cache
def _ordinary() -> tuple[Person, ...]:
    troubled = {person.id for site in HEADCOUNT for person in _group(site)}
    return tuple(person for person in people() if person.id not in troubled)


@cache
def _locked_out() -> frozenset[Person]:
    """Return those who try so often during the outage that they are blocked afterwards."""
    return frozenset(Dice(2).sample([p for p in _ordinary() if p.hybrid], 20))


@cache
def records() -> tuple[Record, ...]:
    """Return the tenant's audit records in Graph's form, oldest first; they are not to be changed.

    Flows that cross an edge are cut there, as in any export.
    """
    first, end = scenes.ticks(START), scenes.ticks(NOW)
    played = [entry for scene in _SCENES for entry in scene(Dice(10 + _SCENES.index(scene)))]
    kept = sorted((e for e in played if first <= e.at < end), key=lambda entry: entry.at)
    dice = Dice(9)
    return tuple(entry.record(dice) for entry in kept)


def write(folder: Path) -> list[Path]:
    """Write the tenant in every form that Microsoft exports, with settings; return the files."""
    rows = records()
    files: dict[str, Iterable[str]] = {
        "exports/graph/directoryAudits.json.gz": exports.graph_page(reversed(rows)),
        "exports/portal/AuditLogs.csv": exports.portal_csv(reversed(rows)),
        "exports/portal/AuditLogs.json.gz": exports.portal_json(reversed(rows)),
        "exports/diagnostic/insights-logs-auditlogs.json.gz": exports.ndjson(
            exports.diagnostic(row, TENANT) for row in rows
        ),
        "exports/loganalytics/query_data.csv.gz": exports.log_analytics_csv(rows, TENANT),
        "settings.toml": [SETTINGS],
        "README.txt": [README],
    }
    for name, pieces in files.items():
        exports.write(folder / name, pieces)
    return [folder / name for name in files]


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
        person, at, ending = dice.pick(_ordinary()), _moment(dice), dice.pick(_COMMON)
        if person not in _locked_out() or at < scenes.ticks(OUTAGE[0]):
            yield from _episode(dice, person, at, _fitting(dice, person, at, ending))


def _edges(dice: Dice) -> Iterator[Entry]:
    """Yield a flow that began before the data and three that are under way at its end."""
    starts = [START - timedelta(seconds=9), *(NOW - timedelta(minutes=m) for m in (9, 6, 2))]
    for start in starts:
        person, at = dice.pick(_ordinary()), scenes.ticks(start)
        ending = Ending() if start < START else Ending(Stage.STARTED)
        yield from scenes.flow(dice, person, at, _visit(dice, person, at), ending)


def _turned_away(dice: Dice) -> Iterator[Entry]:
    """Yield attempts that are refused as soon as the user is known."""
    turned = ((STOCKHOLM, NOT_IN_GROUP, START), (WAREHOUSE, NO_METHODS, HIRED))
    for site, text, since in (*turned, (VPN, NO_LICENCE, START)):
        for number, person in enumerate(_group(site)):
            spelled = text + " " * (number % 3 == 2 and text == NO_METHODS)  # noqa: PLR2004
            refusal = Ending(Stage.USER_ID, spelled, "failure", after_s=0.3)
            for _ in range(1 + number % 3):
                at = _moment(dice, since)
                inside = Visit(dice.pick(EGRESS[site]), dice.pick((SIGN_IN_SCREEN, BROWSER, None)))
                yield from scenes.flow(dice, person, at, inside, refusal)


def _missing_right(dice: Dice) -> Iterator[Entry]:
    """Yield the people of one OU: well until a date, and failing to write back after it."""
    for number, person in enumerate(_group(GOTHENBURG)):
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
    for person in dice.sample(_ordinary(), 64):
        yield from scenes.flow(dice, person, at, Visit(RECON_IP), Ending(Stage.OPTIONS))
        at += int(dice.span(10, 90) * 10_000_000)


def _acts(dice: Dice) -> Iterator[Entry]:
    """Yield what is no flow: resets by administrators, password changes, registrations."""
    staff = _ordinary()
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


_SCENES: Final = (
    *(_ordinary_days, _edges, _turned_away, _missing_right, _lock_outs, _probes, _acts, _rest),
)
"""Each has its own dice, so that a change to one leaves the others as they are."""
