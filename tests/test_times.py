"""Times on the command line."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit.errors import UsageError
from sspr_audit.settings import times

NOW = datetime(2026, 3, 10, 12, 30, 15, 250_000, tzinfo=UTC)

MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(2199, 12, 29)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
OFFSETS = st.integers(-18 * 60, 18 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def moment(text, **options):
    return times.moment(text, option="--changed", now=NOW, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("90m", NOW - timedelta(minutes=90)),
        ("36h", NOW - timedelta(hours=36)),
        ("7d", NOW - timedelta(days=7)),
        ("0d", NOW),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:30", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("2026-03-01T08:30Z", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("2026-03-01t08:30:00z", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("2026-03-01T08:30:00+01:00", datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
        ("2026-03-01T00:30:00-05:30", datetime(2026, 3, 1, 6, 0, tzinfo=UTC)),
        ("2026-03-01T08:30:00.1234567Z", datetime(2026, 3, 1, 8, 30, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_each_form_has_one_meaning(text, expected):
    """Every form of the contract names one moment, and its zone is UTC itself."""
    found = moment(text)

    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be now, a span such as 90m, 36h or 7d"),
        ("yesterday", "must be now, a span such as 90m, 36h or 7d, a day such as"),
        ("2026-3-1", "must be now"),
        ("2026-03-01 08:30Z", "must be now"),
        ("2026-W10-1", "must be now"),
        ("\x1b[2J", "not '\\x1b[2J'"),
        ("\u0667d", "must be now"),
        ("7", "must be now, a span such as 90m, 36h or 7d, a day such as"),
        ("7w", "not 7w"),
        ("7D", "not 7D"),
        ("1.5h", "must be now"),
        ("-7d", "must be now"),
        ("2026-02-30", "does not exist"),
        ("0000-01-01", "does not exist"),
        ("2026-03-01T08:30:60Z", "must be now"),
        ("2026-03-01T24:00Z", "must be now"),
        ("2026-03-01T08:30:00.12345678Z", "must be now"),
        ("2026-03-01T08:30+29:00", "does not exist"),
        ("10000-01-01", "must be now"),
        ("0001-01-01T00:00:00+12:00", "does not exist"),
        ("9999-12-31T23:59:59-12:00", "does not exist"),
        ("1969-12-31", "outside the years 1970 to 2199"),
        ("2200-01-01", "outside the years 1970 to 2199"),
        ("30000d", "outside the years 1970 to 2199"),
        ("999999999d", "outside the years 1970 to 2199"),
        ("999999999h", "outside the years 1970 to 2199"),
        ("9999999999d", "must be now"),
        ("9" * 5000 + "d", "must be now"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(text, words):
    """The message begins with the option and says what is wrong with what was written."""
    with pytest.raises(UsageError) as caught:
        moment(text)

    assert str(caught.value).startswith("--changed ")
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@given(MOMENTS, OFFSETS)
def test_a_full_time_reads_back_whatever_its_zone(time, zone):
    """The same moment, written in any zone, is the same moment."""
    assert moment(time.astimezone(zone).isoformat()) == time


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_usage_error(text):
    """Nothing that can be typed ends in a traceback."""
    try:
        found, said = moment(text), ""
    except UsageError as error:
        found, said = None, str(error)

    assert found is None or times.EARLIEST <= found < times.LATEST
    assert len(said.splitlines()) == (found is None)


@given(st.integers(0, 2000), st.sampled_from("mhd"), MOMENTS.filter(lambda time: time.year > 1980))
def test_since_counts_back_from_until(number, unit, until):
    """A span ends where --until stands, however the end is written."""
    length = number * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(1)}[unit]

    found = times.moment(f"{number}{unit}", option="--since", now=NOW, until=until)

    assert until - found == length


def test_both_sides_may_be_left_open():
    """Whole files are asked for by saying nothing."""
    assert times.resolve(None, None, now=NOW) == (None, None)
    assert times.resolve(None, "2026-03-01", now=NOW) == (None, datetime(2026, 3, 1, tzinfo=UTC))


def test_since_alone_ends_now():
    """A span without --until is the one that ends at this moment."""
    assert times.resolve("7d", None, now=NOW) == (NOW - timedelta(days=7), NOW)


def test_since_and_until_join_into_one_span():
    """Seven days until the first of March begin on 22 February."""
    start, end = times.resolve("7d", "2026-03-01", now=NOW)

    assert start == datetime(2026, 2, 22, tzinfo=UTC)
    assert end == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until"), [("now", None), ("0d", "2d"), ("2026-03-02", "2026-03-01")]
)
def test_an_empty_span_is_refused(since, until):
    """Nothing would lie in it, and a report of nothing would look like good news."""
    with pytest.raises(UsageError, match=r"--since \(.+Z\) must be earlier than --until \(.+Z\)"):
        times.resolve(since, until, now=NOW)


def test_a_wrong_until_is_told_by_its_own_name():
    """Whoever reads the message knows which of the two to correct."""
    with pytest.raises(UsageError, match=r"^--until "):
        times.resolve("7d", "soon", now=NOW)


def test_a_plain_span_is_read_for_other_options():
    """--wait takes the same spans."""
    assert times.span("10m", option="--wait") == timedelta(minutes=10)
    with pytest.raises(UsageError, match=r"^--wait must be a length of time"):
        times.span("soon", option="--wait")
