"""Hold the program against its peers, in one run on this machine.

    python benchmarks/run.py [--events 200000] [--runs 3] [--large]

Each row is a ratio of medians: the command and its peer take turns, so that a machine that slows
down slows both. `--large` adds 1,000,000 events. Nothing is asserted; the goals stand in the table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = sys.executable
SSPR = [PYTHON, "-c", "from sspr_audit.cli import process; process()"]
"""What the installed command runs."""
NORMALIZE = """
import sys, time
began = time.perf_counter()
from datetime import UTC, datetime
from sspr_audit import engine, knowledge
from sspr_audit.normalize import events
from sspr_audit.pipeline import ingest
with engine.scratch() as connection:
    ingest.ingest(connection, sys.argv[1:])
    events.drop_repeats(connection)
    events.make(connection, knowledge.load(), sites=(), client_types={})
    made = engine.rows(connection, "SELECT count(*) FROM events")
print(made[0][0], time.perf_counter() - began)
"""
BASELINE_LOAD = """
import sys, time
began = time.perf_counter()
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import pandas, baseline
events = baseline.load(Path(sys.argv[2]))
events["time"] = pandas.to_datetime(events["activityDateTime"], format="ISO8601")
events["client"] = events["additionalDetails"].apply(baseline.client_type)
events["person"] = events["targetResources"].apply(baseline.person)
print(len(events), time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Taken:
    """What one run of a command took."""

    seconds: float
    peak_mib: float


def run(command: Sequence[str], environment: dict[str, str]) -> Taken:
    """Run a command to its end, its output thrown away."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status not in (0, 3 << 8):
        sys.exit(f"{' '.join(command)} ended with {status}")
    return Taken(seconds, usage.ru_maxrss / 1024)


def turns(
    first: Callable[[], Taken], second: Callable[[], Taken], runs: int
) -> tuple[Taken, Taken]:
    """Let two commands take turns; return the medians of each."""
    taken = [(first(), second()) for _ in range(runs)]
    return median([one for one, _ in taken]), median([two for _, two in taken])


def median(taken: Sequence[Taken]) -> Taken:
    """Return the median of each figure."""
    return Taken(
        statistics.median(one.seconds for one in taken),
        statistics.median(one.peak_mib for one in taken),
    )


def row(what: str, figure: str, goal: str) -> None:
    """Print one row of the table."""
    print(f"| {what} | {figure} | {goal} |", flush=True)


def generated(folder: Path, events: int) -> Path:
    """Return a file of made-up events, made where it is not there yet."""
    path = folder / f"{events}.ndjson.gz"
    if not path.exists():
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        command = [PYTHON, HERE / "generate.py", str(events), path]
        subprocess.run(command, check=True, env=environment)
    return path


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="add 1,000,000 events")
    parser.add_argument("--folder", type=Path, help="where to keep the made-up events")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wish.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print("| what | measured | goal |\n|---|---|---|")
        measure(folder, Path(temporary), wish.events, wish.runs)
        if wish.large:
            large(folder, Path(temporary), wish.events)


def measure(folder: Path, scratch: Path, events: int, runs: int) -> None:
    """Print the rows of the usual size."""
    data = generated(folder, events)
    environment = home(scratch / "usual")

    ours, peer = turns(
        lambda: Taken(inner([PYTHON, "-c", NORMALIZE, str(data)], environment), 0),
        lambda: Taken(inner([PYTHON, "-c", BASELINE_LOAD, str(HERE), str(data)], environment), 0),
        runs,
    )
    row(
        f"records to events, {events:,} NDJSON.gz",
        f"{peer.seconds / ours.seconds:.1f} x ({ours.seconds:.2f} s, peer {peer.seconds:.2f} s)",
        ">= 6 x json_normalize",
    )
    report = [*SSPR, "report", "--quiet", "--input", str(data), "--format", "json"]
    ours, peer = turns(
        lambda: run(report, environment),
        lambda: run([PYTHON, str(HERE / "baseline.py"), str(data)], environment),
        runs,
    )
    row(
        f"whole process, report from {events:,} NDJSON.gz",
        f"{peer.seconds / ours.seconds:.1f} x, {ours.peak_mib / peer.peak_mib:.2f} of the memory"
        f" ({ours.seconds:.2f} s {ours.peak_mib:.0f} MiB,"
        f" peer {peer.seconds:.2f} s {peer.peak_mib:.0f} MiB)",
        ">= 4.5 x, <= 0.5 of the memory",
    )
    imported = run([*SSPR, "import", "--quiet", str(data)], environment)
    row(
        f"import {events:,}",
        f"{imported.seconds:.2f} s, {imported.peak_mib:.0f} MiB peak",
        "see 1,000,000",
    )
    stored = [*SSPR, "report", "--quiet", "--since", "2000-01-01", "--format", "json"]
    taken = median([run(stored, environment) for _ in range(runs)])
    row(f"report over {events:,} stored", f"{taken.seconds:.2f} s", "<= 1.5 s")
    ours, peer = turns(
        lambda: run([*SSPR, "--help"], environment),
        lambda: run([PYTHON, "-c", "pass"], environment),
        max(runs, 7),
    )
    row(
        "sspr-audit --help",
        f"{ours.seconds:.3f} s, {ours.seconds / peer.seconds:.1f} x python -c pass",
        "<= 0.3 s, <= 6 x",
    )


def large(folder: Path, scratch: Path, events: int) -> None:
    """Print the rows of 1,000,000 events."""
    million = 1_000_000
    usual, data = generated(folder, events), generated(folder, million)
    small = run([*SSPR, "import", "--quiet", str(usual)], home(scratch / "small"))
    environment = home(scratch / "large")
    imported = run([*SSPR, "import", "--quiet", str(data)], environment)
    row(
        f"import {million:,}",
        f"{imported.seconds:.1f} s, {imported.peak_mib:.0f} MiB peak,"
        f" {imported.peak_mib / small.peak_mib:.2f} x the {events:,} run",
        "<= 700 MiB, <= 1.2 x",
    )
    report = run(
        [*SSPR, "report", "--quiet", "--input", str(data), "--format", "json"], environment
    )
    row(
        f"report from {million:,} NDJSON.gz",
        f"{report.seconds:.1f} s, {report.peak_mib:.0f} MiB peak",
        "printed",
    )


def inner(command: Sequence[str], environment: dict[str, str]) -> float:
    """Return the seconds that a command says it took, start-up left out."""
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.split()[1])


def home(folder: Path) -> dict[str, str]:
    """Return an environment with a store of its own."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        # as an installed package has it: compiled once, not by every process
        "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "LOCALAPPDATA": str(folder / "data"),
        "PYTHONPATH": str(HERE.parent),
    }


if __name__ == "__main__":
    main()
