"""What Graph knows of its collections: filters, page sizes, permissions, and how each is refused.

https://learn.microsoft.com/en-us/graph/api/directoryaudit-list and its neighbours; what nobody
documents is as it was seen.
"""

import re
from dataclasses import dataclass, field

TIME = frozenset({"eq", "ge", "gt", "le", "lt"})
"""gt and lt are undocumented, and work."""
IS, BEGINS = frozenset({"eq"}), frozenset({"eq", "startswith"})

AUDIT = "AuditLog.Read.All"
POLICY = "Policy.Read.All"
DEVICE = "Device.Read.All"
MANAGED = "DeviceManagementManagedDevices.Read.All"
CONFIGURATION = "DeviceManagementConfiguration.Read.All"
DIRECTORY = "Directory.Read.All"
PERMISSIONS = frozenset({AUDIT, POLICY, DEVICE, MANAGED, CONFIGURATION})


@dataclass(frozen=True, slots=True)
class Kind:
    """What the service knows of one kind of collection."""

    path: re.Pattern
    type: str
    permissions: tuple
    """Any one of these is enough."""
    refusal: str
    """The code of its 403."""
    page: int = 1000
    """Records on a page when nobody asks, and at most."""
    time: str | None = None
    filters: dict = field(default_factory=dict)
    premium: bool = False


def kind(path, *rest, **more):
    return Kind(re.compile(path), *rest, **more)


NO_PERMISSION = "Authentication_MSGraphPermissionMissing"
DENIED = "Authorization_RequestDenied"
KINDS = (
    kind(
        r"/(v1\.0|beta)/auditLogs/directoryAudits",
        "directoryAudit",
        (AUDIT, DIRECTORY),
        NO_PERMISSION,
        time="activityDateTime",
        filters={
            "activityDateTime": TIME,
            "activityDisplayName": BEGINS,
            "correlationId": IS,
            "id": IS,
            "loggedByService": IS,
            "initiatedBy/user/id": IS,
            "initiatedBy/user/displayName": IS,
            "initiatedBy/user/userPrincipalName": BEGINS,
            "initiatedBy/app/appId": IS,
            "initiatedBy/app/displayName": IS,
            "targetResources/any/id": IS,
            "targetResources/any/displayName": BEGINS,
        },
    ),
    kind(
        r"/(v1\.0|beta)/auditLogs/signIns",
        "signIn",
        (AUDIT,),
        NO_PERMISSION,
        time="createdDateTime",
        premium=True,
        filters={
            "createdDateTime": TIME,
            **dict.fromkeys(("id", "userId", "appId", "correlationId", "isInteractive"), IS),
            **dict.fromkeys(("userPrincipalName", "userDisplayName", "appDisplayName"), BEGINS),
            **dict.fromkeys(("ipAddress", "clientAppUsed"), BEGINS),
            **dict.fromkeys(("status/errorCode", "conditionalAccessStatus"), IS),
        },
    ),
    kind(
        r"/(v1\.0|beta)/reports/authenticationMethods/userRegistrationDetails",
        "userRegistrationDetails",
        (AUDIT,),
        NO_PERMISSION,
        premium=True,
        filters={
            "userPrincipalName": BEGINS,
            "id": IS,
            **dict.fromkeys(("isSsprCapable", "isSsprEnabled", "isSsprRegistered"), IS),
        },
    ),
    kind(
        r"/(v1\.0|beta)/identity/conditionalAccess/namedLocations",
        "namedLocation",
        (POLICY,),
        "AccessDenied",
        page=100,
    ),
    kind(
        r"/(v1\.0|beta)/devices",
        "device",
        (DEVICE, DIRECTORY),
        DENIED,
        page=999,
        filters=dict.fromkeys(("id", "deviceId", "displayName", "trustType"), BEGINS),
    ),
    kind(
        r"/(v1\.0|beta)/deviceManagement/managedDevices",
        "managedDevice",
        (MANAGED, CONFIGURATION),
        "Forbidden",
    ),
    kind(
        r"/(v1\.0|beta)/deviceManagement/deviceConfigurations",
        "deviceConfiguration",
        (CONFIGURATION,),
        "Forbidden",
    ),
    kind(
        r"/beta/deviceManagement/configurationPolicies(/[^/]+/settings)?",
        "deviceManagementConfigurationPolicy",
        (CONFIGURATION,),
        "Forbidden",
    ),
    kind(
        r"/(v1\.0|beta)/policies/authorizationPolicy",
        "authorizationPolicy",
        (POLICY,),
        DENIED,
    ),
)


def kind_of(path):
    """Return the kind of a path, or None."""
    return next((one for one in KINDS if one.path.fullmatch(path)), None)
