"""Which troubles are planted in the demo tenant: since when, for whom, and what Entra writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sspr_audit.sources import scenes
from sspr_audit.sources.demo.tenant import GOTHENBURG, MALMO, START, STOCKHOLM, VPN, WAREHOUSE

OUTAGE: Final = (datetime(2026, 11, 16, 5, tzinfo=UTC), datetime(2026, 11, 17, 11, tzinfo=UTC))
"""30 hours, from a Monday on, in which no password was written back."""
OU_SINCE: Final = datetime(2026, 11, 12, 8, tzinfo=UTC)
HIRED: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
SILENT_SINCE: Final = datetime(2026, 11, 5, tzinfo=UTC)
RECON: Final = datetime(2026, 11, 18, 1, 10, tzinfo=UTC)
RECON_IP: Final = "203.0.113.200"

NOT_IN_GROUP: Final = (
    "This user is not a member of the password reset users group. "
    "Add this user to that group to resolve this."
)
NO_METHODS: Final = (
    "User's account has insufficient authentication methods defined. "
    "Add authentication info to resolve this"
)
NO_LICENCE: Final = (
    "User does not have a license. You can add a license to the user to resolve this"
)
UNREACHABLE: Final = "OnPremisesConnectivityError"
ONPREM_PROBLEM: Final = (
    "We encountered a problem while resetting the user's on-premises password. "
    "Check your sync machine's event log"
)
TOO_MANY: Final = {
    "mobile SMS": (
        "User entered too many invalid SMS verification codes and is blocked for 24 hours"
    ),
    "office voice call": (
        "User tried office phone voice verification too many times and is blocked for 24 hours"
    ),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A trouble that was put into the tenant, to be found again."""

    finding: str
    """The cause or family that its mark names, or that its pattern points to."""
    mark: str
    """The reason or activity in the log; empty where the trouble leaves none."""
    site: str | None
    """None for everywhere."""
    since: datetime
    users: int
    flows: int
    """With the mark; where there is none, the flows at that place since the onset."""


PLANTED: Final = (
    Planted("writeback-unreachable", UNREACHABLE, None, OUTAGE[0], 72, 225),
    Planted("writeback-refused", ONPREM_PROBLEM, GOTHENBURG, OU_SINCE, 14, 21),
    Planted("insufficient-methods", NO_METHODS, WAREHOUSE, HIRED, 18, 36),
    Planted("user-not-in-sspr-group", NOT_IN_GROUP, STOCKHOLM, START, 16, 31),
    Planted("license-missing", NO_LICENCE, VPN, START, 5, 9),
    Planted("too-many-attempts-throttled", scenes.BLOCKED, None, OUTAGE[1], 21, 21),
    Planted("signin-screen-silent-at-site", "", MALMO, SILENT_SINCE, 108, 258),
    Planted("sspr-enumeration", "", None, RECON, 64, 64),
)
"""What a report over the demo should find, the silent troubles last."""
