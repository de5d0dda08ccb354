"""What the Graph client costs a page, beside the network: processor time, and memory.

    python benchmarks/graph.py [--pages 1000] [--records 1000]

Pages of about 900 bytes a record are made once and handed to the client by a transport in the
same process, so neither sockets nor Graph's slowness are in the figures. Nothing is asserted; the
goal stands in the table.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from sspr_audit.sources.graph import answers
from sspr_audit.sources.graph.app import App
from sspr_audit.sources.graph.auth import SignIn
from sspr_audit.sources.graph.client import Graph
from sspr_audit.sources.graph.collections import AUDITS
from sspr_audit.sources.graph.pace import Pace

ROOT = "https://graph.example.com"
GOAL_MS = 10


class Clock:
    """Lets the time of all pauses pass at once."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time so far."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.time += timedelta(seconds=seconds)


class SignedIn(SignIn):
    """Somebody who has a token already: MSAL's look into its cache is measured apart."""

    def token(self, claims: str | None = None, *, fresh: bool = False) -> str:
        """Return a word."""
        del claims, fresh
        return "token"


def record(number: int) -> dict[str, Any]:
    """Return an audit record of about 900 bytes."""
    flow = f"00000000-0000-0000-0000-{number:012d}"
    person = {"id": flow, "displayName": None, "userPrincipalName": f"user{number}@example.com"}
    return {
        "id": f"SSPR_{flow}_MADE_{number}",
        "category": "UserManagement",
        "correlationId": flow,
        "result": "success",
        "resultReason": "User was presented with verification options",
        "activityDisplayName": "Self-service password reset flow activity progress",
        "activityDateTime": "2026-11-19T08:15:30.1234567Z",
        "loggedByService": "Self-service Password Management",
        "operationType": "Update",
        "initiatedBy": {"app": None, "user": {**person, "ipAddress": "192.0.2.17"}},
        "targetResources": [
            {**person, "type": "User", "groupType": None, "modifiedProperties": []},
        ],
        "additionalDetails": [{"key": "ClientType", "value": "Windows"}],
    }


def bodies(pages: int, records: int, *, packed: bool) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Yield so many pages, each with ids of its own, and the headers that go with them."""
    mark = "SSPR_00000000-0000-0000-0000-000000000000_MADE_0"
    rest = json.dumps([record(number) for number in range(records)], separators=(",", ":"))
    for page in range(1, pages + 1):
        link = {"@odata.nextLink": f"{ROOT}{AUDITS.address}?$skiptoken={page}"}
        head = json.dumps({"@odata.context": "x", **(link if page < pages else {})})[:-1]
        body = f'{head},"value":{rest.replace(mark, f"page-{page}", 1)}}}'.encode()
        if packed:
            body = gzip.compress(body, 1)
        headers = {"Content-Type": "application/json"}
        yield body, {**headers, "Content-Encoding": "gzip"} if packed else headers


class Canned:
    """A service in this process, which counts the time that making its pages takes."""

    def __init__(self, pages: int, records: int, *, packed: bool) -> None:
        self._bodies = bodies(pages, records, packed=packed)
        self.seconds = 0.0

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        """Answer with the next page."""
        began = time.process_time()
        body, headers = next(self._bodies)
        self.seconds += time.process_time() - began
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))


def memory_mib(name: str = "VmRSS") -> float:
    """Return the memory that this process now holds, or what else goes by a name of proc(5); 0
    where the system does not say.
    """
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    return next((int(one.split()[1]) / 1024 for one in lines if one.startswith(name)), 0.0)


def through_the_client(pages: int, records: int, *, packed: bool) -> tuple[float, list[float]]:
    """Return milliseconds a page, and the memory after each tenth of the pages."""
    canned, clock = Canned(pages, records, packed=packed), Clock()
    with httpx.Client(transport=httpx.MockTransport(canned)) as http:
        app = App(tenant="example.com", client_id="", auth="secret", graph=ROOT)
        dice = random.Random(0)  # noqa: S311 - request ids of a benchmark
        graph = Graph(
            http, SignedIn(app, http, clock), ROOT, Pace(clock), clock, note=print, dice=dice
        )
        memory, got = [], 0
        began = time.process_time()
        for page in graph.pages(AUDITS, AUDITS.query):
            got += len(page.records)
            if page.number % max(1, pages // 10) == 0:
                memory.append(memory_mib())
        took = time.process_time() - began - canned.seconds
    if got != pages * records:
        raise SystemExit(f"{got} records came")  # noqa: EM102, TRY003 - for whoever runs this
    return 1000 * took / pages, memory


def median_ms(work: Callable[[], object], runs: int = 50) -> float:
    """Return the median time of one call."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return 1000 * statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--records", type=int, default=1000)
    asked = parser.parse_args()
    body, headers = next(bodies(1, asked.records, packed=False))
    response = httpx.Response(200, content=body, headers=headers)
    records = answers.answer(response, "").records or ()
    print(f"a page: {asked.records} records, {len(body):,} bytes; goal ≤ {GOAL_MS} ms")
    print(f"  check and split         {median_ms(lambda: answers.answer(response, '')):7.2f} ms")
    print(f"  fingerprint             {median_ms(lambda: answers.fingerprint(records)):7.2f} ms")
    print(f"  (json.loads, by itself  {median_ms(lambda: json.loads(body)):7.2f} ms)")
    for packed in (False, True):
        gc.collect()
        took, memory = through_the_client(asked.pages, asked.records, packed=packed)
        grown = memory[-1] - memory[0]
        kind = "packed by gzip" if packed else "plain"
        print(f"through the client, {asked.pages} pages, {kind}: {took:.2f} ms a page;", end=" ")
        print(f"{memory[-1]:.0f} MiB held, {grown:+.1f} MiB since the first tenth")


if __name__ == "__main__":
    main()
