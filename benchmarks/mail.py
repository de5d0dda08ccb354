"""Kill 50 runs of `mail` at random steps, and count what came of their weeks at the server.

    python -m benchmarks.mail [--runs 50] [--seed 0]

Prints how many runs were killed, and how many weeks were sent, are in doubt, were lost or doubled.
Exits 1 where a week was lost or doubled.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import mail_killed


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        dice = random.Random(wish.seed)  # noqa: S311 - repeatable
        count = mail_killed.killed(folder, wish.runs, dice=dice)
    print(f"runs {wish.runs}: {count.struck} killed, {count.whole} to their end")
    print(f"weeks: {count.sent} sent, {count.unconfirmed} in doubt")
    print(f"lost {len(count.lost)}, doubled {len(count.doubled)}")
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if count.lost or count.doubled else 0


if __name__ == "__main__":
    raise SystemExit(main())
