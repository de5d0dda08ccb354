"""The pace: Graph's limits are kept, whatever the clock does and whoever asked before."""

import json
import stat
import sys
from datetime import timedelta
from itertools import pairwise

import pytest
from graph_clock import Clock
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit.errors import LocalTrouble
from sspr_audit.sources.graph.pace import LIMITS, Pace


def sent(pace, clock, bucket, number, between=0.0):
    times = []
    for _ in range(number):
        pace.wait(bucket)
        times.append(clock.now())
        clock.advance(between)
    return times


def most_within(times, seconds):
    span = timedelta(seconds=seconds)
    return max(sum(start <= one < start + span for one in times) for start in times)


@given(between=st.lists(st.floats(0, 6), min_size=1, max_size=40))
def test_no_ten_seconds_see_more_than_four_report_requests(between):
    """However fast or slow the answers come, the limit holds in every span of time."""
    clock = Clock()
    pace = Pace(clock)
    times = [one for gap in between for one in sent(pace, clock, "reports", 1, gap)]

    assert most_within(times, 10) <= 4


def test_the_pace_costs_no_more_than_it_must():
    """The first four go at once, and then four in each ten seconds."""
    clock = Clock()
    times = sent(Pace(clock), clock, "reports", 12)

    assert [(one - times[0]).total_seconds() for one in times] == [0] * 4 + [10] * 4 + [20] * 4


def test_conditional_access_is_asked_less_than_once_a_second():
    """Its limit is one a second for all apps of a tenant together."""
    clock = Clock()
    times = sent(Pace(clock), clock, "conditional-access", 5)

    assert min((b - a).total_seconds() for a, b in pairwise(times)) == pytest.approx(1.2)


def test_buckets_do_not_wait_for_each_other():
    """A full queue of reports leaves devices alone, held back or not."""
    clock = Clock()
    pace = Pace(clock)
    sent(pace, clock, "reports", 4)
    pace.hold("reports", 300)

    assert pace.wait("directory") == 0


def test_what_the_service_asks_for_holds_the_whole_bucket_exactly_so_long():
    """No request goes out before the time is over, and the next goes at that very moment."""
    clock = Clock()
    pace = Pace(clock)
    pace.hold("reports", 33.5)
    clock.advance(3.5)

    assert pace.wait("reports") == 30
    assert pace.wait("reports") == 0


def test_a_shorter_wait_does_not_undo_a_longer_one():
    """Two answers may ask for rest; the later end counts."""
    clock = Clock()
    pace = Pace(clock)
    pace.hold("reports", 60)
    pace.hold("reports", 2)

    assert pace.wait("reports") == 60


def test_the_next_process_goes_on_where_this_one_stopped(tmp_path):
    """Requests and rest of the last run count for this one."""
    clock = Clock()
    file = tmp_path / "pace.json"
    first = Pace(clock, file)
    sent(first, clock, "reports", 4)
    first.hold("conditional-access", 40)
    second = Pace(clock, file)

    assert second.wait("conditional-access") == 40
    clock.advance(-40)
    assert Pace(clock, file).wait("reports") == 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_the_file_is_the_owners_alone(tmp_path):
    """It tells when somebody worked."""
    clock = Clock()
    sent(Pace(clock, tmp_path / "pace.json"), clock, "reports", 1)

    assert stat.S_IMODE((tmp_path / "pace.json").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["pace.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"reports": 1}',
        b'{"reports": {"sent": ["yesterday"], "held": []}}',
        b'{"reports": {"sent": [1], "held": []}}',
        b'{"reports": {"sent": [], "held": ["2026-11-20T12:00:00+00:00"]}}',
        b'{"nothing known": {"sent": [], "held": []}}',
    ],
)
def test_a_broken_file_is_as_none(tmp_path, content):
    """At worst the service says so once; a fetch does not end for it."""
    file = tmp_path / "pace.json"
    file.write_bytes(content)
    clock = Clock()

    assert Pace(clock, file).wait("reports") == 0
    assert set(json.loads(file.read_text("utf-8"))) == set(LIMITS)


def test_a_clock_that_was_set_back_costs_nothing(tmp_path):
    """What lies in the future by now would hold a fetch back for hours."""
    clock = Clock()
    pace = Pace(clock, tmp_path / "pace.json")
    sent(pace, clock, "reports", 4)
    pace.hold("reports", 300)
    clock.advance(-86_400)

    assert pace.wait("reports") == 0
    assert Pace(clock, tmp_path / "pace.json").wait("reports") == 0


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    """The owner of the machine is told what to do."""
    pace = Pace(Clock(), tmp_path / "gone" / "pace.json")

    with pytest.raises(LocalTrouble, match=r"pace\.json cannot be written: .*\[store\] path"):
        pace.wait("reports")


def test_what_another_process_did_meanwhile_counts(tmp_path):
    """Whoever waited for the store goes on from its last request, not from where it was before."""
    clock, state = Clock(), tmp_path / "pace"
    waiting = Pace(clock, state)
    sent(Pace(clock, state), clock, "reports", 4)

    assert waiting.wait("reports") == 10


def test_the_pace_says_when_it_goes_on():
    """For each bucket the seconds until its next request, nothing where it is free."""
    clock = Clock()
    pace = Pace(clock)
    pace.hold("intune", 30)
    clock.advance(10)

    assert pace.pauses() == {**dict.fromkeys(LIMITS, 0.0), "intune": 20.0}
