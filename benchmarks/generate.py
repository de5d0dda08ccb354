"""Write a large made-up tenant, in constant memory.

    python benchmarks/generate.py EVENTS OUT.ndjson.gz [--form graph|diagnostic]
                                  [--other SHARE] [--seed N]

One flow has about eight events; a million events come from some 300 networks and 25,000 people in
30 days. Records of flows that overlap are mixed by time, as they are in an export. The same
arguments give the same text.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count, islice
from pathlib import Path

from sspr_audit.sources import exports, scenes
from sspr_audit.sources.scenes import Dice, Ending, Entry, Person, Record, Stage, Visit

TENANT = "00000000-0000-0000-0000-000000000001"
START = scenes.ticks(datetime(2026, 10, 21, tzinfo=UTC))
MONTH = 30 * 24 * 3_600 * 10_000_000
"""In ticks."""
EVENTS_A_FLOW = 8.2
EVENTS_A_NETWORK = 3_300
EVENTS_A_PERSON = 40

GATES = (("mobile SMS",), ("email",), ("mobile app notification",), ("mobile SMS", "email"))
ENDINGS = (
    *(Ending(),) * 56,
    *(Ending(refusals=1),) * 8,
    *(Ending(Stage.USER_ID),) * 2,
    *(Ending(Stage.OPTIONS),) * 8,
    *(Ending(Stage.STARTED),) * 8,
    *(Ending(Stage.VERIFIED),) * 3,
    *(Ending(Stage.PASSWORD, "OnPremisesConnectivityError", "failure", scenes.RESET, 20),) * 5,
    Ending(Stage.USER_ID, activity=scenes.BLOCKED),
    *(
        Ending(
            Stage.USER_ID,
            "User's account has insufficient authentication methods defined. "
            "Add authentication info to resolve this",
            "failure",
        ),
    )
    * 5,
)


class WideDice(Dice):
    """Draws correlation ids as hard to compress as real ones."""

    def guid(self) -> str:
        """Return a random GUID."""
        first, second = (self.pick(range(2**48)) for _ in range(2))
        return f"{first >> 16:08x}-{first & 65_535:04x}-4{second >> 36:03x}-8000-{second:012x}"


def person(number: int) -> Person:
    """Return the person of this number; the same number is always the same person."""
    return Person(
        id=f"00000000-0000-0000-0001-{number:012d}",
        name=f"Person {number}",
        upn=f"person{number}@example.com",
        site="",
        home=f"2001:db8:{number >> 16:x}:{number & 65_535:x}::1",
        hybrid=number % 10 < 6,  # noqa: PLR2004 - six in ten
        gates=GATES[number % len(GATES)],
    )


def address(network: int) -> str:
    """Return the address by which a network is seen."""
    prefix = ("198.51.100", "203.0.113", "192.0.2")[network % 3]
    return f"{prefix}.{network // 3 % 254 + 1}"


def visit(dice: Dice, who: Person, networks: int) -> Visit:
    """Return where the person is: at one network in three cases of four, else at home."""
    inside = dice.chance(0.75)
    ip = address(int(who.id[-12:]) % networks) if inside else who.home
    screen = dice.chance(0.3 if inside else 0.05)
    return Visit(ip, "Windows sign-in screen" if screen else dice.pick(("Web portal", None)))


def entries(dice: Dice, events: int, other: float) -> Iterator[Entry]:
    """Yield far more than `events` entries in order of time, their month laid out for `events`."""
    flows = max(1, int(events * (1 - other) / EVENTS_A_FLOW))
    networks, people = max(3, events // EVENTS_A_NETWORK), max(20, events // EVENTS_A_PERSON)
    waiting: list[tuple[int, int, Entry]] = []
    admin, order, owed = person(0), count(), 0.0
    for number in count():
        start = START + number * MONTH // flows
        while waiting and waiting[0][0] <= start:
            yield heappop(waiting)[2]
        who = person(dice.pick(range(people)))
        for entry in scenes.flow(dice, who, start, visit(dice, who, networks), dice.pick(ENDINGS)):
            heappush(waiting, (entry.at, next(order), entry))
            owed += other / (1 - other)
        for _ in range(int(owed)):
            entry = scenes.other(dice, admin, who, start + dice.pick(range(MONTH // flows)))
            heappush(waiting, (entry.at, next(order), entry))
        owed %= 1


def records(events: int, other: float, seed: int) -> Iterator[Record]:
    """Yield exactly this many audit records in Graph's form."""
    dice = WideDice(seed)
    return (entry.record(dice) for entry in islice(entries(dice, events, other), events))


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("events", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--form", choices=("graph", "diagnostic"), default="graph")
    parser.add_argument("--other", type=float, default=0.0, help="share of unrelated records")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if not 0 <= asked.other < 1:
        parser.error("--other is a share from 0 to below 1")
    rows = records(asked.events, asked.other, asked.seed)
    if asked.form == "diagnostic":
        rows = (exports.diagnostic(row, TENANT) for row in rows)
    exports.write(asked.out, exports.ndjson(rows))


if __name__ == "__main__":
    main()
