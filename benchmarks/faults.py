"""Let the fake tenant fail in every way it knows, and count what that costs a fetch.

    python benchmarks/faults.py [--kills 100] [--seed 1] [--only kills]

All times are of the tenant's clock, on which nobody waits; the records are made, and compared by
their texts. A run is 2,100 records on pages of 100. Nothing is asserted; the goals stand below.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import fetch
from test_fetch_killed import killed
from test_fetching import FAULTS

from sspr_audit.errors import SsprAuditError

RECORDS, PAGE = 2_100, 100
LONGEST = timedelta(seconds=10)
GOALS = (
    "goals: 0 lost, 0 doubled; a fault costs at most Retry-After + 1 s (a pause of ours where the"
    " service names none is 2 s and up); at most 5 requests in any 10 s"
)
HEAD = (
    f"{'fault':<22}{'lost':>6}{'twice':>6}{'gaps':>6}{'asked':>7}{'extra':>7}"
    f"{'cost s':>8}{'told s':>8}{'in 10 s':>9}"
)


def told_s(options: dict[str, Any]) -> float:
    """Return the seconds that a fault's Retry-After asks for."""
    after = options.get("retry_after", 0)
    return float(after) if isinstance(after, int) else (after - fetch.NOW).total_seconds()


def crowd(world: fetch.World) -> int:
    """Return the most requests to the reports in any ten seconds."""
    times = [one.at for one in world.tenant.requests if one.bucket == "reports"]
    return max(sum(begin <= at < begin + LONGEST for at in times) for begin in times)


def run(made: Sequence[dict[str, Any]], fault: Any) -> tuple[list[Any], float, int]:  # noqa: ANN401
    """Fetch once under a fault; return what came of it, the seconds and the requests."""
    with tempfile.TemporaryDirectory() as folder, fetch.world(folder, made, page=PAGE) as world:
        if fault:
            kind, options = fault
            world.tenant.fault(kind, nth=1 if "on" in options else 3, **options)
        try:
            gaps: int | str = len(world.fetch().gaps)
        except SsprAuditError as error:
            gaps = type(error).__name__
        held, wanted = Counter(world.held), Counter(fetch.texts(made))
        lost, twice = (wanted - held).total(), (held - wanted).total()
        asked = len(world.tenant.asked("directoryAudits"))
        spent = (world.clock.now() - fetch.NOW).total_seconds()
        return [lost, twice, gaps, asked, crowd(world)], spent, asked


def faults() -> None:
    """Print a row for each fault."""
    made = fetch.records(RECORDS)
    (lost, twice, gaps, asked, most), clean, needed = run(made, None)
    print(HEAD)
    print(f"{'none':<22}{lost:>6}{twice:>6}{gaps:>6}{asked:>7}{0:>7}{0:>8}{'':>8}{most:>9}")
    for name, fault in FAULTS.items():
        (lost, twice, gaps, asked, most), spent, _ = run(made, fault)
        told = told_s(fault[1])
        print(
            f"{name:<22}{lost:>6}{twice:>6}{gaps:>6}{asked:>7}{asked - needed:>7}"
            f"{spent - clean:>8.1f}{told:>8.0f}{most:>9}",
            flush=True,
        )


def clean() -> None:
    """Print the requests that a first and a second fetch make, against those they need."""
    made = fetch.records(30_000, since=fetch.NOW - 29 * fetch.DAY)
    print(f"\n{'clean runs':<22}{'records':>8}{'asked':>7}{'needed':>8}{'ratio':>7}{'probe':>7}")
    with tempfile.TemporaryDirectory() as folder, fetch.world(folder, made) as world:
        for name, narrow in (("all, first", False), ("all, second", False), ("narrow", True)):
            done = world.fetch(since=29 * fetch.DAY, all_audits=not narrow)
            asked = done.requests["directoryAudits"]
            ratio = asked / max(done.needed, math.ulp(1))
            print(
                f"{name:<22}{done.records:>8}{asked:>7}{done.needed:>8}{ratio:>7.2f}"
                f"{done.requests['probe']:>7}"
            )
    with tempfile.TemporaryDirectory() as folder, fetch.world(folder, made) as world:
        done = world.fetch(since=29 * fetch.DAY, all_audits=False)
        asked = done.requests["directoryAudits"]
        print(
            f"{'narrow, first':<22}{done.records:>8}{asked:>7}{done.needed:>8}"
            f"{asked / done.needed:>7.2f}{done.requests['probe']:>7}"
        )


def kills(times: int, seed: int) -> None:
    """Print what fetches that were killed leave behind."""
    made = fetch.records(600, until=fetch.NOW - 2 * fetch.HOUR)
    lost = twice = ends = 0
    with tempfile.TemporaryDirectory() as folder:
        dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
        for world, _ in killed(folder, made, times, dice=dice):
            held, wanted = Counter(world.held), Counter(fetch.texts(made))
            lost += (wanted - held).total()
            twice += (held - wanted).total()
            ends += 1
    ended = f"in the {ends} that ended: {lost} lost, {twice} twice"
    print(f"\nseed {seed}: killed {times} fetches; {ended}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("faults", "clean", "kills"))
    options = parser.parse_args()
    print(GOALS)
    parts = {
        "faults": faults,
        "clean": clean,
        "kills": lambda: kills(options.kills, options.seed),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
