"""Fetches as processes: killed at any moment, or two at once; nothing tells of it afterwards."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import fetch
import keep
import pytest
from graph_tenant import SharedClock

CHILD = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import parts
import keep
from graph_clock import NOW, SharedClock
from sspr_audit import knowledge
from sspr_audit.pipeline import fetching
from sspr_audit.sources.graph.pace import Pace

class There:
    def __init__(self, url, ca, id, client_id, secret, clock):
        self.url, self.ca, self.id, self.client_id, self.secret = url, ca, id, client_id, secret
        self.clock = SharedClock(clock)

folder = Path(sys.argv[2])
tenant = There(*sys.argv[3:])
with parts.Parts(tenant) as parts:
    parts.graph._pace = Pace(tenant.clock, folder / "pace.json")
    wishes = fetching.Wishes(
        knowledge.load(), tenant.id, NOW - timedelta(days=3), NOW - timedelta(hours=1), True
    )
    keeper = keep.keeper(folder, wait=timedelta(minutes=1))
    fetching.fetch(keeper, parts.graph, tenant.clock, wishes)
"""
"""A fetch as a process of its own; its clock is the tenant's, so nothing waits."""


def started(world, folder, clock):
    tenant = world.tenant
    args = (tenant.url, tenant.ca, tenant.id, tenant.client_id, tenant.secret, clock)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, Path(__file__).parent, folder, *args],
        env=keep.command()["env"] | {"TMPDIR": str(folder)},
    )


def killed(folder, made, times, *, dice):
    """Kill so many fetches at random moments of their work.

    Yields the world and the number so far, whenever a fetch came to its end, and after the last.
    """
    clock = str(Path(folder) / "clock")
    struck = 0
    with fetch.world(folder, made, clock=SharedClock(clock), page=10) as one:
        while struck < times:
            seen, moment = len(one.tenant.requests), dice.randrange(1, 70)
            with started(one, folder, clock) as process:
                while len(one.tenant.requests) < seen + moment and process.poll() is None:
                    time.sleep(0.002)
                time.sleep(dice.random() * 0.15)
                process.send_signal(signal.SIGKILL)
            struck += process.returncode == -signal.SIGKILL
            if process.returncode == 0:  # all is there: begin anew, in an empty store
                yield one, struck
                keep.keeper(folder).path.unlink()
        with started(one, folder, clock) as process:
            assert process.wait() == 0
        yield one, struck


@pytest.mark.timeout(300)
def test_a_killed_fetch_leaves_nothing_lost_and_nothing_twice(tmp_path):
    """SIGKILL at random moments, then one more fetch: the texts of an undisturbed one."""
    made = fetch.records(600, until=fetch.NOW - 2 * fetch.HOUR)
    for one, _ in killed(tmp_path, made, 4, dice=random.Random(3)):  # noqa: S311
        ((rows,),) = one.query("SELECT sum(rows)::BIGINT FROM coverage")

        assert one.held == fetch.texts(made)
        assert rows == len(made)


@pytest.mark.timeout(120)
def test_two_fetches_at_once_do_not_collide(tmp_path):
    """The second waits, finds all that it wants, and asks for nothing; the pace is one."""
    made = fetch.records(300, until=fetch.NOW - 2 * fetch.HOUR)
    clock = str(tmp_path / "clock")
    with fetch.world(tmp_path, made, clock=SharedClock(clock), page=20) as one:
        with started(one, tmp_path, clock) as first, started(one, tmp_path, clock) as second:
            assert (first.wait(), second.wait()) == (0, 0)

        assert one.held == fetch.texts(made)
        assert len(one.tenant.asked("directoryAudits")) == 300 / 20
