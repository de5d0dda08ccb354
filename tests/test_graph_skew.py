"""How far this machine's clock is from the service's."""

from datetime import timedelta

import httpx
import pytest
from graph_clock import NOW, Clock

from sspr_audit.errors import LocalTrouble
from sspr_audit.sources.graph import skew

DATE = "Fri, 20 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (DATE, 0),
        ("Fri, 20 Nov 2026 13:00:00 +0100", 0),
        ("Fri, 20 Nov 2026 11:59:00 GMT", 60),
        ("Sat, 21 Nov 2026 12:00:00 GMT", -86400),
        ("Fri, 20 Nov 2026 12:00:00 -0000", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_tells_how_far_the_clock_is_ahead(date, seconds):
    """A header that is no date, or has no zone, tells nothing."""
    assert skew.skew(date, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("minutes", "kind", "is_wrong"),
    [
        (5, "application/json", False),
        (6, "application/json", True),
        (-6, "application/json; charset=utf-8", True),
        (6, "text/html", False),
    ],
)
def test_only_a_service_is_believed_about_the_time(minutes, kind, is_wrong):
    """What a captive portal says of the time is as good as the rest of its answer."""
    headers = {"Date": DATE, "Content-Type": kind}
    through = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=b"{}"))
    with httpx.Client(transport=through) as http:
        skew.guard(http, Clock(NOW + timedelta(minutes=minutes)))
        if is_wrong:
            with pytest.raises(LocalTrouble, match=r"0:06:00 \(h:mm:ss\) .* graph\.example\.com"):
                http.get("https://graph.example.com/")
        else:
            assert http.get("https://graph.example.com/").status_code == 200
