"""When a request is made again, and after how many seconds: for Graph and for the sign-in.

What Graph documents as worth another try: https://learn.microsoft.com/en-us/graph/errors and
https://learn.microsoft.com/en-us/graph/throttling.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from sspr_audit.errors import SsprAuditError
from sspr_audit.sources.graph.http import WANTS_LOGIN

T = TypeVar("T")

FIRST_PAUSE: Final = 2.0
"""Seconds before the second try where the service names no time; each further pause is double."""
LONGEST_PAUSE: Final = 120.0
LONGEST_HOLD: Final = 3600.0
"""Seconds that the service may ask for; where it wants more, the run ends and says so."""


class Again(Exception):
    """A try failed in a way that may pass; `end` is what to raise once the tries are used up."""

    def __init__(self, end: SsprAuditError, *, tries: int, after: float | None = None) -> None:
        super().__init__(str(end))
        self.end = end
        self.tries = tries
        """All in all, the first included."""
        self.after = after
        """Seconds that the service asks for; None where it names none."""


def retried(work: Callable[[], T], *, sleep: Callable[[float], None], jitter: float) -> T:
    """Return what `work` returns, calling it again while it raises Again and has tries left.

    `jitter` (0 to 1) lengthens pauses of ours by up to as many tenths, so that collectors which
    failed together do not come back together; what the service asks for is kept exactly.
    """

    def pause(state: RetryCallState) -> float:
        again = _failure(state)
        if again.after is not None:
            return again.after
        own = FIRST_PAUSE * 2.0 ** (state.attempt_number - 1)
        return min(LONGEST_PAUSE, own) * (1 + jitter / 10)

    def give_up(state: RetryCallState) -> T:
        raise _failure(state).end from None  # what led to it holds headers

    policy = Retrying(
        retry=retry_if_exception_type(Again),
        stop=lambda state: state.attempt_number >= _failure(state).tries,
        wait=pause,
        sleep=sleep,
        retry_error_callback=give_up,
    )
    return policy(work)


def _failure(state: RetryCallState) -> Again:
    error = state.outcome and state.outcome.exception()
    if not isinstance(error, Again):
        raise TypeError(type(error).__name__)
    return error


def may_pass(status: int) -> bool:
    """Say whether another try may better an answer with this status."""
    is_of_server = status >= httpx.codes.INTERNAL_SERVER_ERROR and status != WANTS_LOGIN
    return is_of_server or status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Return the seconds that the answer asks to wait; None where it names no time, or one that is
    over: to ask again at once, try after try, would only make things worse.

    A date is read against the answer's own Date, because this machine's clock may be off.
    """
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text.isdecimal() else _until(text, response, now)
    except (ValueError, TypeError, OverflowError):  # no date either, or one without a zone
        return None
    return seconds if seconds > 0 else None


def _until(text: str, response: httpx.Response, now: datetime) -> float:
    date = response.headers.get("Date")
    begin = parsedate_to_datetime(date) if date else now
    return (parsedate_to_datetime(text).astimezone(UTC) - begin).total_seconds()
