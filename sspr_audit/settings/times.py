"""Times as people write them, always resolved to UTC.

now           the moment the command began
7d 36h 90m    a span: --since counts it back from --until, everything else from now
2026-03-01    a day: its 00:00Z, for --until too
2026-03-01T08:30:00+01:00    a full ISO time with Z or an offset; without, it is UTC, as a day is
"""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, date, datetime, timedelta

from sspr_audit.errors import UsageError
from sspr_audit.settings import values

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Exclusive; nanosecond times, which the frames use, end in 2262."""

_SPAN = re.compile(r"[0-9]+[a-zA-Z]*", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,7})?)?)"
    r"(Z|[+-][0-2][0-9]:[0-5][0-9])?",
    re.ASCII,
)


def span(text: str, *, option: str) -> timedelta:
    """Read `90m`, `36h` or `7d`. Raises UsageError."""
    try:
        return values.span(text)
    except ValueError as error:
        msg = f"{option} {error}"
        raise UsageError(msg) from None


def moment(text: str, *, option: str, now: datetime, until: datetime | None = None) -> datetime:
    """Return the moment in UTC that `text` names; a span counts back from `until`, else `now`.

    Digits beyond microseconds are cut. Raises UsageError, one line that begins with the option.
    """
    try:
        found = _moment(text, option=option, now=now, back_from=until or now)
    except (ValueError, OverflowError):  # the 30th of February, hour 25, year 0, offset +29:00
        msg = f"{option} names a day or time that does not exist: {text}"
        raise UsageError(msg) from None
    if not EARLIEST <= found < LATEST:
        msg = f"{option} {text} lies outside the years {EARLIEST.year} to {LATEST.year - 1}"
        raise UsageError(msg)
    return found


def _moment(text: str, *, option: str, now: datetime, back_from: datetime) -> datetime:
    if text == "now":
        return now
    if _SPAN.fullmatch(text):
        with contextlib.suppress(UsageError):  # a wrong span is told below, with all that is right
            length = span(text, option=option)
            # One that reaches before the calendar is as early as can be, and is told as such.
            return back_from - min(length, back_from - datetime.min.replace(tzinfo=UTC))
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = _TIME.fullmatch(text.upper())
    if found is None:
        msg = (
            f"{option} must be now, a span such as 90m, 36h or 7d, a day such as 2026-03-01, or a "
            "time such as 2026-03-01T08:30:00Z, "
            f"not {text if text.isprintable() and text else ascii(text)}"
        )
        raise UsageError(msg)
    moment = datetime.fromisoformat(found[0])
    return moment.replace(tzinfo=UTC) if found[2] is None else moment.astimezone(UTC)


def resolve(
    since: str | None, until: str | None, *, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return start and exclusive end of what --since and --until ask for, both UTC.

    A side that was not asked for is None, but with --since alone the end is `now`: a span needs
    something to count back from. Raises UsageError, also where nothing lies between the two.
    """
    end = None if until is None else moment(until, option="--until", now=now)
    if since is None:
        return None, end
    end = end or now
    start = moment(since, option="--since", now=now, until=end)
    if start >= end:
        msg = f"--since ({_written(start)}) must be earlier than --until ({_written(end)})"
        raise UsageError(msg)
    return start, end


def _written(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
