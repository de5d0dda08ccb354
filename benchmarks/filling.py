"""What a long fetch into the store holds in memory, after each tenth of its pages.

    python benchmarks/filling.py [--pages 1000] [--narrow]

A month of a busy tenant: every record of about 900 bytes, on full pages, in a service of this
process without sockets; the clock waits for nobody. Nothing is asserted: the curve should be flat.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
from graph import ROOT, Clock, SignedIn, memory_mib, record

from sspr_audit import knowledge
from sspr_audit.pipeline import fetching
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.sources.graph.app import App
from sspr_audit.sources.graph.client import Graph
from sspr_audit.sources.graph.collections import AUDITS
from sspr_audit.sources.graph.pace import Pace

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BEGIN = NOW - timedelta(days=29)
TENANT = "00000000-0000-0000-0000-000000000001"
PAGE = AUDITS.page_size or 1

_SPAN = re.compile(r"activityDateTime ge (\S+)Z and activityDateTime le (\S+)Z")


class Steady:
    """A service with records at even distances, which it makes when they are asked for."""

    def __init__(self, records: int) -> None:
        self._step = (NOW - BEGIN) / records
        self._records = records
        self._text = json.dumps(record(0), separators=(",", ":"))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with a page of what the query asks for; its place stands in the skip token."""
        asked = {name: value for name, (value,) in parse_qs(request.url.query.decode()).items()}
        found = _SPAN.match(asked["$filter"])
        if found is None:
            return httpx.Response(400)
        begin, end = (datetime.fromisoformat(time).replace(tzinfo=UTC) for time in found.groups())
        # `le` asks for the end as well
        first = max(0, -((BEGIN - begin) // self._step))
        last = min(self._records, (end - BEGIN) // self._step + 1)
        at = int(asked.get("$skiptoken", first))
        rest = range(at, min(at + int(asked["$top"]), last))
        head = {"@odata.context": "x"}
        if rest.stop < last:
            url = request.url.copy_remove_param("$skiptoken")
            head["@odata.nextLink"] = str(url.copy_add_param("$skiptoken", str(rest.stop)))
        body = json.dumps(head)[:-1] + ',"value":[' + ",".join(map(self._record, rest)) + "]}"
        return httpx.Response(200, headers={"Content-Type": "application/json"}, text=body)

    def _record(self, number: int) -> str:
        moment = (
            (BEGIN + number * self._step).replace(tzinfo=None).isoformat(timespec="microseconds")
        )
        text = self._text.replace("000000000000", f"{number:012d}").replace("MADE_0", f"M_{number}")
        return text.replace("2026-11-19T08:15:30.1234567", moment + "0")


def peak_mib() -> float:
    """Return the most memory held since the last call; 0 where the system does not say."""
    most = memory_mib("VmHWM")
    if most:
        Path("/proc/self/clear_refs").write_text("5", "utf-8")  # begins the next peak
    return most


def fetched(folder: str, pages: int, *, narrow: bool) -> None:
    """Fetch so many pages into an empty store, and print the curve."""
    clock, total = Clock(), pages * PAGE
    clock.time = NOW
    curve: list[float] = []

    def tell(now: fetching.SoFar) -> None:
        if 10 * now.records // total > len(curve):
            curve.append(peak_mib())

    with httpx.Client(transport=httpx.MockTransport(Steady(total))) as http:
        app = App(tenant=TENANT, client_id="", auth="secret", graph=ROOT)
        dice = random.Random(0)  # noqa: S311 - request ids of a benchmark
        graph = Graph(
            http, SignedIn(app, http, clock), ROOT, Pace(clock), clock, note=print, dice=dice
        )
        keeper = Keeper(Path(folder) / "store.duckdb", NOW, print)
        wishes = fetching.Wishes(knowledge.load(), TENANT, BEGIN, NOW, all_audits=not narrow)
        began = time.process_time()
        done = fetching.fetch(keeper, graph, clock, wishes, tell)
        took = time.process_time() - began
    if done.new != total or done.gaps:
        sys.exit(f"{done.new:,} of {total:,} records came, with {len(done.gaps)} gaps")
    print(f"{done.pages:,} pages, {done.new:,} records, {done.windows} windows, {took:.0f} s")
    curve.append(peak_mib())
    print("most MiB held in each tenth:", " ".join(f"{most:.0f}" for most in curve))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--narrow", action="store_true", help="as a report does, with its probe")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fetched(folder, asked.pages, narrow=asked.narrow)


if __name__ == "__main__":
    main()
