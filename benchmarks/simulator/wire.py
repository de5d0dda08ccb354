"""Context in the wire form of Graph: sign-ins, devices, named locations, registrations.

Properties: https://learn.microsoft.com/en-us/graph/api/resources/signin and the pages beside it.
"""

from __future__ import annotations

from typing import Any, Final

from sspr_audit.sources.scenes import wire_time

from .model import Device, Human, Place

Json = dict[str, Any]

WINDOWS: Final = ("Windows Sign In", "38aa3b87-a06d-4817-b275-7a389988d93b")
OUTLOOK: Final = ("Outlook Mobile", "27922004-5251-4030-b22d-91ecd9a37ea4")
PORTAL: Final = ("Office 365 Portal", "00000006-0000-0ff1-ce00-000000000000")
"""Name and id of an application; the ids are published ones."""

JOINED: Final = {
    "ServerAd": "Hybrid Azure AD joined",
    "AzureAd": "Azure AD joined",
    "Workplace": "Azure AD registered",
}
"""How the sign-in log spells what the directory calls trustType."""

FAILURES: Final = {
    0: "Other.",
    50126: "Error validating credentials due to invalid username or password.",
    50173: "The provided grant has expired due to it being revoked.",
}


def sign_in(  # noqa: PLR0913, PLR0917 - what a sign-in is made of
    number: int, human: Human, at: int, ip: str, app: tuple[str, str], error: int = 0
) -> Json:
    """Return a sign-in; only Windows and the desktop know the device."""
    device = human.device if app is WINDOWS else None
    return {
        "id": f"00000000-0000-0000-0002-{number:012d}",
        "createdDateTime": wire_time(at - at % 10_000_000),
        "userDisplayName": human.person.name,
        "userPrincipalName": human.upn,
        "userId": human.person.id,
        "appId": app[1],
        "appDisplayName": app[0],
        "ipAddress": ip,
        "clientAppUsed": "Mobile Apps and Desktop clients",
        "correlationId": f"00000000-0000-0000-0003-{number:012d}",
        "conditionalAccessStatus": "notApplied",
        "isInteractive": True,
        "resourceDisplayName": "Windows Azure Active Directory",
        "resourceId": "00000002-0000-0000-c000-000000000000",
        "status": {
            "errorCode": error,
            "failureReason": FAILURES[error],
            "additionalDetails": None,
        },
        "deviceDetail": {
            "deviceId": device.id if device else "",
            "displayName": device.name if device else "",
            "operatingSystem": "Windows 10" if device else "Ios 18.1",
            "browser": "",
            "isCompliant": bool(device),
            "isManaged": bool(device),
            "trustType": JOINED[device.trust] if device else "",
        },
    }


def device(human: Human, owned: Device, last: int) -> Json:
    """Return a device object of the directory; it does not name its owner."""
    return {
        "id": owned.id.replace("-0004-", "-0005-"),
        "deviceId": owned.id,
        "displayName": owned.name,
        "operatingSystem": "Windows",
        "operatingSystemVersion": owned.version,
        "trustType": owned.trust,
        "isManaged": True,
        "isCompliant": True,
        "accountEnabled": True,
        "manufacturer": owned.model.partition(" ")[0],
        "model": owned.model,
        "approximateLastSignInDateTime": wire_time(last - last % 10_000_000),
        "onPremisesSyncEnabled": human.person.hybrid or None,
    }


def managed_device(human: Human, owned: Device, last: int) -> Json:
    """Return the device as Intune knows it, with its user."""
    return {
        "id": owned.id.replace("-0004-", "-0006-"),
        "azureADDeviceId": owned.id,
        "deviceName": owned.name,
        "userId": human.person.id,
        "userPrincipalName": human.upn,
        "operatingSystem": "Windows",
        "osVersion": owned.version,
        "manufacturer": owned.model.partition(" ")[0],
        "model": owned.model,
        "complianceState": "compliant",
        "managedDeviceOwnerType": "company",
        "managementAgent": "mdm",
        "lastSyncDateTime": wire_time(last - last % 10_000_000),
    }


def named_location(number: int, place: Place) -> Json:
    """Return the named location that the admin made of a site."""
    return {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": f"00000000-0000-0000-0007-{number:012d}",
        "displayName": place.name,
        "isTrusted": True,
        "ipRanges": [
            {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": f"{ip}/32"}
            for ip in place.listed
        ],
    }


METHODS: Final = {
    "mobile SMS": "mobilePhone",
    "email": "email",
    "mobile app notification": "microsoftAuthenticatorPush",
    "mobile app code": "softwareOneTimePasscode",
    "office voice call": "officePhone",
}


def registration(human: Human) -> Json:
    """Return what the report of registered methods says of a person."""
    return {
        "id": human.person.id,
        "userPrincipalName": human.upn,
        "userDisplayName": human.person.name,
        "userType": "member",
        "isAdmin": False,
        "isSsprEnabled": True,
        "isSsprRegistered": human.registered,
        "isSsprCapable": human.registered,
        "isMfaRegistered": human.registered,
        "isMfaCapable": human.registered,
        "isPasswordlessCapable": False,
        "methodsRegistered": [METHODS[one] for one in human.person.gates] * human.registered,
        "lastUpdatedDateTime": "2026-01-01T00:00:00Z",
    }
