"""Measure how well causes are told, on simulated tenants whose causes are known.

    python -m benchmarks.accuracy [--set fitted|reported] [--tenants 200] [--weeks 300]
                                  [--seed N] [--jobs 2] [--json FILE]
    python -m benchmarks.accuracy --pairs [--tenants 12]
    python -m benchmarks.accuracy --without signIns|devices|clientType|context|csv

Run it from the root of the checkout. Weights are fitted on one set and figures reported on the
other, which differs in structure; see benchmarks/simulator/recipes.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.running import CUTS, Outcome, Task, known, run
from benchmarks.simulator import SETS, plants

CLEAN_WEEKS_A_TENANT = 3
"""Weeks of one healthy tenant that are reported: the last ones, one after the other."""


def outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Yield what became of each task, in order, from so many processes."""
    began = time.monotonic()
    with get_context("spawn").Pool(jobs, initializer=known) as pool:
        for number, outcome in enumerate(pool.imap(run, tasks), 1):
            if number % 20 == 0:
                spent = time.monotonic() - began
                print(f"{number} of {len(tasks)}, {spent:.0f} s", file=sys.stderr, flush=True)
            yield outcome


def planted(asked: argparse.Namespace) -> list[Task]:
    """Return the tenants with planted causes."""
    recipe = SETS[asked.set]
    return [
        Task(_seed(asked, number), plants.for_tenant(recipe, asked.seed + number))
        for number in range(asked.tenants)
    ]


def healthy(asked: argparse.Namespace) -> list[Task]:
    """Return the weeks of tenants where nothing is wrong."""
    tasks = []
    for number in range(asked.weeks):
        tenant, week = divmod(number, CLEAN_WEEKS_A_TENANT)
        recipe = plants.clean(SETS[asked.set], asked.seed + tenant)
        tasks.append(Task(_seed(asked, 100_000 + tenant), recipe, weeks_back=week))
    return tasks


def _seed(asked: argparse.Namespace, number: int) -> int:
    """Return a seed that no other set shares."""
    return (list(SETS).index(asked.set) + 1) * 10_000_000 + asked.seed * 1_000 + number


def main() -> None:
    """Read the command line and print the tables."""
    asked = parser().parse_args()
    if asked.pairs:
        _pairs(asked)
    elif asked.without:
        _without(asked)
    else:
        _whole(asked)


def _whole(asked: argparse.Namespace) -> None:
    ran = list(outcomes([*planted(asked), *healthy(asked)], asked.jobs))
    with_causes, clean = ran[: asked.tenants], ran[asked.tenants :]
    print(f"set {asked.set}, seed {asked.seed}: {len(with_causes)} tenants with planted causes")
    print(tables.sizes(with_causes))
    for table in (tables.kinds, tables.causes, tables.overclaims, tables.calibration):
        print(table(with_causes))
    print(tables.baseline(with_causes))
    print(tables.clean(clean))
    if asked.json:
        beside = asked.json.with_suffix(".labels.json")
        for file, rows in ((asked.json, Outcome.rows), (beside, Outcome.label_rows)):
            written = [row for one in ran for row in rows(one)]
            file.write_text(json.dumps(written, default=str, indent=1), "utf-8")


def _pairs(asked: argparse.Namespace) -> None:
    recipe = SETS[asked.set]
    tasks, mixes = [], []
    for mix in plants.mixes():
        for number in range(asked.tenants):
            mixes.append(mix)
            tasks.append(Task(_seed(asked, 500_000 + number), plants.mixed(recipe, mix, number)))
    print(tables.pairs(list(zip(mixes, outcomes(tasks, asked.jobs), strict=True))))


def _without(asked: argparse.Namespace) -> None:
    whole = planted(asked)
    cut = [Task(one.seed, one.recipe, cut=asked.without) for one in whole]
    both = list(outcomes([*whole, *cut], asked.jobs))
    print(tables.without(asked.without, both[: len(whole)], both[len(whole) :]))


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    option: Callable[..., Any] = made.add_argument
    option("--set", choices=tuple(SETS), default="reported")
    option("--tenants", type=int, default=200)
    option("--weeks", type=int, default=300)
    option("--seed", type=int, default=1)
    option("--jobs", type=int, default=2)
    option(
        "--json",
        type=Path,
        help="write every finding, whether it is right, and beside it every label",
    )
    option("--pairs", action="store_true", help="the headline causes alone, in pairs, with rivals")
    option("--without", choices=CUTS, help="the same tenants with an input removed")
    return made


if __name__ == "__main__":
    main()
