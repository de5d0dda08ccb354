"""How far this machine's clock is from the service's, by the Date of its answers.

A clock that is ahead would count time as covered that has not come yet, and a proof that an app
signs in with is good for minutes only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from sspr_audit.errors import LocalTrouble
from sspr_audit.model import Clock

BEARABLE: Final = timedelta(minutes=5)
"""Well within the settling time, and what sign-ins bear."""


def skew(date: str | None, now: datetime) -> timedelta | None:
    """Return how far `now` is ahead of a header Date, behind where it is less than nothing.

    To the second; None where the header is missing or no date.
    """
    try:
        there = parsedate_to_datetime(date or "")
        if there.tzinfo is None:
            return None
        return timedelta(seconds=round((now - there.astimezone(UTC)).total_seconds()))
    except (ValueError, OverflowError):  # the latter for a date out of all time
        return None


def wrong(found: timedelta, host: str) -> LocalTrouble:
    """Return what to say of a clock that is too far away."""
    length, way = (found, "ahead of") if found > timedelta() else (-found, "behind")
    msg = (
        f"this machine's clock is {length} (h:mm:ss) {way} that of {host}: set the clock, its"
        " date and its time zone, then run again"
    )
    return LocalTrouble(msg)


def guard(http: httpx.Client, clock: Clock) -> None:
    """Let every answer that comes through `http` from now on raise LocalTrouble if this clock is
    more than BEARABLE away from its Date.
    """

    def check(response: httpx.Response) -> None:
        found = skew(response.headers.get("Date"), clock.now())
        is_service = "json" in response.headers.get("Content-Type", "")
        if is_service and found is not None and abs(found) > BEARABLE:
            raise wrong(found, response.request.url.host)

    http.event_hooks = {"response": [check]}
