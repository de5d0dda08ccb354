"""Measure evidence and judgement on large tenants: CPU time and peak memory, and how they grow.

    python benchmarks/judging.py EXPORT...

Each EXPORT (benchmarks/generate.py writes them) is read once; only signals and judgements are
timed. Memory is what Python and numpy allocate on top of the flows, as tracemalloc sees it, in a
second run: it slows the first.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

from sspr_audit import engine, knowledge, tables
from sspr_audit.evidence import patterns
from sspr_audit.evidence.material import Material, material
from sspr_audit.judge import patterns as judge
from sspr_audit.model import Context, Window
from sspr_audit.normalize import events as normalize
from sspr_audit.pipeline import analysis
from sspr_audit.pipeline.ingest import ingest

WEEK = timedelta(days=7)
KNOWN = knowledge.load()


def read(path: str) -> Material:
    """Return what judgement would see of the export."""
    now = datetime.now(UTC)
    options = analysis.Options(KNOWN, now, now)
    with engine.scratch() as connection:
        ingest(connection, [path])
        normalize.drop_repeats(connection)
        data = analysis.span(connection, options)
        analysis.derive(connection, options, data)
        flows = tables.FLOWS.shape(engine.fetch(connection, "SELECT * FROM flows"))
        acts = tables.ACTS.shape(engine.fetch(connection, "SELECT * FROM acts"))
        changes = tables.EVENTS.shape(engine.fetch(connection, "SELECT * FROM events LIMIT 0"))
    return material(
        flows,
        acts,
        changes,
        context=Context(),
        sites={},
        window=Window(max(data.window.end - WEEK, data.window.start), data.window.end),
        baseline=data.window,
        numbers=KNOWN.weights.numbers,
    )


def judged(here: Material) -> int:
    """Return how many suspicions were judged."""
    return len(judge.judgements(tuple(patterns(here)), KNOWN))


def main() -> None:
    """Read the command line and print a row an export."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("exports", nargs="+")
    print(f"{'flows':>9}{'places':>9}{'CPU s':>8}{'µs/flow':>9}{'MiB':>7}{'judged':>8}")
    for path in parser.parse_args().exports:
        here = read(path)
        judged(here)  # imports and the like
        began = time.process_time()
        count = judged(here)
        took = time.process_time() - began
        tracemalloc.start()
        judged(here)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        flows, places = len(here.flows), here.flows["place"].nunique()
        each = 1e6 * took / max(flows, 1)
        print(f"{flows:>9,}{places:>9,}{took:>8.2f}{each:>9.1f}{peak:>7.0f}{count:>8,}")


if __name__ == "__main__":
    main()
