"""Fit the weights of judgement to simulated tenants and write them into weights.toml.

    python -m benchmarks.accuracy --set fitted --tenants 200 --weeks 60 --json FILE
    python -m benchmarks.calibrate FILE [--dry-run]

A signal weighs the logarithm of how much more often it fires in right findings than in wrong ones,
half a finding added to each count. Signals that support weigh nothing below zero, and those that
spoil nothing above: what is missing must never raise a score. The score that `likely` asks for is
the least at which the findings of the fitted set are right often enough. Thresholds under [numbers]
are left as they are.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sspr_audit import knowledge

WEIGHTS: Final = Path(knowledge.__file__).parent / "weights.toml"
RIGHT: Final = 0.97
"""The share of likely findings that must be right in the fitted set."""
MOST: Final = 4.0
"""No signal weighs more: log-odds of a few dozen findings carry no further."""

Row = Mapping[str, Any]


def weight(rows: Sequence[Row], signal: str, *, spoils: bool) -> float:
    """Return the log-odds of a signal that fired, among right and wrong findings."""
    counts = {True: [0.0, 0.0], False: [0.0, 0.0]}
    for row in rows:
        fired = row["states"].get(signal) == "fired"
        counts[row["right"]][not fired] += 1
    (yes, no), (wrongly, not_wrongly) = counts[True], counts[False]
    right = (yes + 0.5) / (yes + no + 1)
    wrong = (wrongly + 0.5) / (wrongly + not_wrongly + 1)
    odds = math.log(right / wrong)
    bounded = max(-MOST, min(0.0, odds)) if spoils else min(MOST, max(0.0, odds))
    return round(bounded, 2) + 0.0


def limit(rows: Sequence[Row], weights: Mapping[str, float]) -> float:
    """Return the least score at which enough findings that the rules call likely are right."""
    firm = sorted(
        ((score(row, weights), row["right"]) for row in rows if row["confidence"] == "likely"),
        reverse=True,
    )
    best, hits = 0.0, 0
    for number, (points, right) in enumerate(firm, 1):
        hits += right
        last = number == len(firm) or firm[number][0] < points
        if last and hits >= RIGHT * number:
            best = points
    return round(best, 2) if any(not right for _, right in firm) else 0.0


def score(row: Row, weights: Mapping[str, float]) -> float:
    """Return the score of a finding, as the judge does."""
    return sum(weights.get(name, 0.0) for name, state in row["states"].items() if state == "fired")


def fitted(rows: Iterable[Row]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return the least scores and the weights by target, for all targets with a pattern."""
    known = knowledge.load()
    by_target = defaultdict(list)
    for row in rows:
        if row["states"]:
            by_target[row["target"]].append(row)
    likely, signals = {}, {}
    for target, mine in sorted(by_target.items()):
        pattern = known.pattern(target)
        weights = {
            name: weight(mine, name, spoils=name in pattern.spoilers)
            for name in (*pattern.needs, *pattern.supports, *pattern.spoilers)
        }
        likely[target], signals[target] = limit(mine, weights), weights
    return likely, signals


def written(
    text: str, likely: Mapping[str, float], signals: Mapping[str, Mapping[str, float]], about: str
) -> str:
    """Return the TOML text with new weights; what stands under [numbers] stays, comments too."""
    head = text[: text.index("[likely]")]
    head = re.sub(r'^written = ".*"$', f'written = "{about}"', head, flags=re.MULTILINE)
    lines = ["[likely]", *(f"{target} = {least}" for target, least in likely.items())]
    for target, weights in signals.items():
        lines += ["", f"[signals.{target}]", *(f"{name} = {one}" for name, one in weights.items())]
    return head + "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, fit, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("findings", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    asked = parser.parse_args()
    rows = json.loads(asked.findings.read_text(encoding="utf-8"))
    likely, signals = fitted(rows)
    tenants = len({row["tenant"] for row in rows})
    first, last = min(row["tenant"] for row in rows), max(row["tenant"] for row in rows)
    about = f"{datetime.now(UTC):%Y-%m-%d} from {tenants} simulated tenants, {first} to {last}"
    text = written(WEIGHTS.read_text(encoding="utf-8"), likely, signals, about)
    print(text[text.index("[likely]") :])
    if not asked.dry_run:
        WEIGHTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
