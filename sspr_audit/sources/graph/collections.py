"""What can be asked of Graph, with the permission that each needs and what its absence costs.

Permissions, least first: https://learn.microsoft.com/en-us/graph/permissions-reference; limits:
https://learn.microsoft.com/en-us/graph/throttling-limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Collection:
    """A list of things that Graph gives page by page."""

    name: str
    """Ours: for counts and for coverage."""
    path: str
    """Below the version, as Graph spells it."""
    bucket: str
    """Which requests it shares a limit with: a key of pace.LIMITS."""
    permission: str
    without: str
    """What a report lacks where this cannot be read; ends a sentence."""
    version: str = "v1.0"
    kind: str | None = None
    """One of CONTEXT_KINDS; None for audit records."""
    page_size: int | None = None
    """What to ask for with $top; None where the service does not take it."""

    @property
    def address(self) -> str:
        """The path below Graph's root, without a query."""
        return f"/{self.version}/{self.path}"

    @property
    def query(self) -> str:
        """The path and query for all of it."""
        return self.address + ("" if self.page_size is None else f"?$top={self.page_size}")


AUDITS: Final = Collection(
    name="directoryAudits",
    path="auditLogs/directoryAudits",
    bucket="reports",
    permission="AuditLog.Read.All",
    without="nothing can be reported at all",
    page_size=999,
)
SIGN_INS: Final = Collection(
    name="signIns",
    path="auditLogs/signIns",
    bucket="reports",
    permission="AuditLog.Read.All",
    without="it stays unknown whether a new password was used, and on which device",
    kind="signIns",
    page_size=999,
)
DEVICES: Final = Collection(
    name="devices",
    path="devices",
    bucket="directory",
    permission="Device.Read.All",
    without="device groups (join type, Windows version) cannot be compared",
    kind="devices",
    page_size=999,
)
NAMED_LOCATIONS: Final = Collection(
    name="namedLocations",
    path="identity/conditionalAccess/namedLocations",
    bucket="conditional-access",
    permission="Policy.Read.All",
    without="networks have the names of the settings only",
    kind="namedLocations",
)
REGISTRATION_DETAILS: Final = Collection(
    name="userRegistrationDetails",
    path="reports/authenticationMethods/userRegistrationDetails",
    bucket="reports",
    permission="AuditLog.Read.All",
    without="nothing yet: who is registered for password reset is kept, and no verdict uses it",
    kind="userRegistrationDetails",
    page_size=999,
)
MANAGED_DEVICES: Final = Collection(
    name="managedDevices",
    path="deviceManagement/managedDevices",
    bucket="intune",
    permission="DeviceManagementManagedDevices.Read.All",
    without="it stays unknown which devices Intune manages",
    kind="managedDevices",
)
DEVICE_CONFIGURATIONS: Final = Collection(
    name="deviceConfigurations",
    path="deviceManagement/deviceConfigurations",
    bucket="intune",
    permission="DeviceManagementConfiguration.Read.All",
    without="nothing yet: whether a profile shows the reset link is kept, and no verdict uses it",
)
CONFIGURATION_POLICIES: Final = Collection(
    name="configurationPolicies",
    path="deviceManagement/configurationPolicies",
    bucket="intune",
    permission="DeviceManagementConfiguration.Read.All",
    without="nothing yet: whether the settings catalog shows it is kept, and no verdict uses it",
    version="beta",  # v1.0 has no such thing in any cloud
)
MAIL: Final = Collection(
    name="sendMail",
    path="sendMail",
    bucket="mail",
    permission="Mail.Send",
    without="no mail leaves through Graph",
)
"""Not read from, and not needed for anything but [mail] transport = "graph"."""

CONTEXT: Final = (
    SIGN_INS,
    DEVICES,
    NAMED_LOCATIONS,
    REGISTRATION_DETAILS,
    MANAGED_DEVICES,
    DEVICE_CONFIGURATIONS,
    CONFIGURATION_POLICIES,
)
"""Each is optional: without it a report is poorer by one sentence."""


def settings_of(policy_id: str) -> Collection:
    """Return the collection of the settings of one policy of the settings catalog."""
    return Collection(
        name="configurationPolicySettings",
        path=f"{CONFIGURATION_POLICIES.path}/{policy_id}/settings",
        bucket=CONFIGURATION_POLICIES.bucket,
        permission=CONFIGURATION_POLICIES.permission,
        without=CONFIGURATION_POLICIES.without,
        version=CONFIGURATION_POLICIES.version,
    )
