"""Times as people read them: in their own zone, with UTC beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sspr_audit.errors import SettingsError

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Ours, because strftime follows the locale of whoever runs the program."""

UNBROKEN: Final = re.compile(
    r"(?<![\w-])(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?"
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?(?![\w-])"
)
"""A day as written here or on a command line, with its weekday and time: what a page keeps on one
line. In the name of a file it is none."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Writes times in one zone. Fractions of what is not shown are cut, never rounded."""

    zone: tzinfo
    name: str

    @property
    def is_local(self) -> bool:
        """Whether the zone is another than UTC."""
        return self.zone is not UTC

    def moment(self, time: datetime, *, seconds: bool = False) -> str:
        """Return weekday, date and time, such as `Tue 2026-03-03 09:12 CET (08:12 UTC)`."""
        local, utc = time.astimezone(self.zone), time.astimezone(UTC)
        shown = f"{self.day(time)} {_clock(local, seconds=seconds)} {_zone(local)}"
        if local.utcoffset() == utc.utcoffset():
            return shown
        date = "" if local.date() == utc.date() else f"{utc.date()} "
        return f"{shown} ({date}{_clock(utc, seconds=seconds)} UTC)"

    def day(self, time: datetime) -> str:
        """Return weekday and date in this zone, such as `Tue 2026-03-03`."""
        local = time.astimezone(self.zone)
        return f"{_WEEKDAYS[local.weekday()]} {local.date()}"

    def time(self, time: datetime) -> str:
        """Return the time of day in this zone with seconds, such as `09:12:04`."""
        return _clock(time.astimezone(self.zone), seconds=True)

    def zone_name(self, time: datetime) -> str:
        """Return the short name that the zone has at that time, such as `CET`."""
        return _zone(time.astimezone(self.zone))

    def minute(self, time: datetime) -> str:
        """Return date and time of day without the zone, such as `2026-03-03 09:12`."""
        local = time.astimezone(self.zone)
        return f"{local.date()} {_clock(local, seconds=False)}"

    def span(self, start: datetime, end: datetime) -> str:
        """Return both ends; seconds are shown where one of them has any."""
        seconds = any(time.second or time.microsecond for time in (start, end))
        return f"{self.moment(start, seconds=seconds)} to {self.moment(end, seconds=seconds)}"


def clock(timezone: str | None) -> Clock:
    """Return the clock of a zone by its name, such as Europe/Stockholm; None is UTC.

    Raises SettingsError where this machine does not know the zone.
    """
    if timezone is None:
        return Clock(UTC, "UTC")
    try:
        return Clock(ZoneInfo(timezone), timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"timezone = {timezone!r} is no time zone that this machine knows"
        raise SettingsError(msg) from error


def length(span: timedelta) -> str:
    """Return a length of time in its two largest units, cut: `2 h 5 min`."""
    seconds = int(span.total_seconds())
    units = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    parts = []
    for unit, size in units.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "less than 1 s"


def _clock(time: datetime, *, seconds: bool) -> str:
    return time.time().isoformat(timespec="seconds" if seconds else "minutes")


def _zone(time: datetime) -> str:
    """Return the zone's short name; one that is only a number gets UTC before it."""
    name = time.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name
