"""What the fake tenant writes down of its clients, and what it holds against them."""

from collections import defaultdict
from datetime import timedelta
from email.utils import parsedate_to_datetime

LIMITS = {
    "reports": (5, timedelta(seconds=10)),
    "conditional-access": (1, timedelta(seconds=1)),
}
"""Requests in any span: https://learn.microsoft.com/en-us/graph/throttling-limits"""

BUCKETS = (
    ("/auditLogs/", "reports"),
    ("/reports/", "reports"),
    ("/identity/conditionalAccess/", "conditional-access"),
    ("/deviceManagement/", "intune"),
)


def bucket(path):
    """Return the throttling bucket of a path below the Graph root."""
    return next((name for part, name in BUCKETS if part in path), "directory")


GRAPH = ("reports", "conditional-access", "intune", "directory")
"""The buckets of Graph; other requests are of "sign-in" or go "elsewhere"."""


GITHUB = "/github/token"
"""The one other place that takes a token: of the job, not of Graph."""


class Watch:
    """The log of all requests, and the violations found in it."""

    def __init__(self):
        self.requests, self.violations = [], []
        self.links, self.baits = set(), set()
        """Next links that were handed out: good ones, and ones that nobody may follow."""
        self._held = {}
        self._recent = defaultdict(list)

    def blame(self, request, what):
        self.violations.append(f"request {request.number}, {request.method} {request.path}: {what}")

    def saw(self, request):
        """Log a request, and hold its time and its way against what is allowed."""
        self.requests.append(request)
        link = request.site + request.target
        if link in self.baits:
            self.blame(request, "followed a link that leaves the collection")
        until = self._held.get(request.bucket)
        if until and request.at < until:
            early = (until - request.at).total_seconds()
            self.blame(
                request, f"came {early:g} s before the Retry-After of {request.bucket} ended"
            )
        if request.bucket not in GRAPH:
            if request.signed and request.path != GITHUB:
                self.blame(request, "sent a token elsewhere than to Graph")
            return
        if "skiptoken" in request.words and link not in self.links:
            self.blame(request, "changed a next link, or made one up")

    def crowded(self, request):
        """Tell whether the bucket is over its limit with this request; that is a violation too."""
        if request.bucket not in LIMITS:
            return False
        most, span = LIMITS[request.bucket]
        recent = [at for at in self._recent[request.bucket] if request.at - span < at]
        self._recent[request.bucket] = [*recent, request.at]
        if len(recent) < most:
            return False
        self.blame(
            request, f"is number {len(recent) + 1} of {request.bucket} within {span.seconds} s"
        )
        return True

    def answered(self, request, answer):
        """Note how long the client was told to wait."""
        told = answer.headers.get("Retry-After")
        if told is None:
            return
        until = (
            request.at + timedelta(seconds=int(told))
            if told.isdigit()
            else parsedate_to_datetime(told)
        )
        self._held[request.bucket] = max(until, self._held.get(request.bucket, until))
