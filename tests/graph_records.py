"""Plain records for the fake tenant, in Graph's form. Realistic flows come from sources.demo.

Every maker takes fields that replace or add; a time is a datetime, or a text that is kept.
"""

import random
from datetime import timedelta
from itertools import count

SSPR = "Self-service Password Management"
CORE = "Core Directory"
FLOW = "Self-service password reset flow activity progress"
MOVED = "Add member to group"

_NUMBERS = count(1)


def guid(number):
    return f"00000000-0000-0000-0000-{number:012x}"


def stamp(moment, ticks=0, digits=7):
    """Return a time as Graph writes it: `ticks` of 100 ns added, cut, without trailing zeros."""
    if isinstance(moment, str):
        return moment
    whole = moment.replace(microsecond=0) + timedelta(seconds=ticks // 10**7)
    fraction = f"{moment.microsecond * 10 + ticks % 10**7:07d}"[:digits].rstrip("0")
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def audit(at, *, service=SSPR, activity=FLOW, reason="User submitted their user ID", **fields):
    """Return one directory audit."""
    number = next(_NUMBERS)
    flow = guid(number // 4)
    user = {"id": guid(7), "userPrincipalName": "ann@example.com", "ipAddress": "192.0.2.1"}
    record = {
        "id": f"SSPR_{flow}_MADE_{number}",
        "category": "UserManagement",
        "correlationId": flow,
        "result": "success",
        "resultReason": reason,
        "activityDisplayName": activity,
        "activityDateTime": stamp(at),
        "loggedByService": service,
        "operationType": "Update",
        "initiatedBy": {"app": None, "user": user},
        "targetResources": [{**user, "type": "User", "modifiedProperties": []}],
        "additionalDetails": [],
    }
    return {**record, **fields}


def audits(number, since, until, *, seed=0, other=0.5, **fields):
    """Return so many audits at random times of a span, with 0 to 7 digits after the second.

    A share of `other` belongs to another service. Equal arguments give equal times.
    """
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    length = int((until - since).total_seconds())
    records = []
    for _ in range(number):
        second = since + timedelta(seconds=dice.randrange(length))
        at = stamp(second, dice.randrange(10**7), dice.randrange(8))
        strange = dice.random() < other
        about = {"service": CORE, "activity": MOVED} if strange else {}
        records.append(audit(at, **{**about, **fields}))
    return records


def sign_in(at, user_id, **fields):
    """Return one interactive sign-in."""
    number = next(_NUMBERS)
    record = {
        "id": guid(number),
        "createdDateTime": stamp(at),
        "userId": user_id,
        "userPrincipalName": "ann@example.com",
        "appDisplayName": "Windows Sign In",
        "ipAddress": "192.0.2.1",
        "isInteractive": True,
        "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": None},
        "deviceDetail": {"deviceId": "", "operatingSystem": "Windows10", "trustType": ""},
    }
    return {**record, **fields}


def device(number, **fields):
    """Return one device; its deviceId is not its object id."""
    record = {
        "id": guid(number),
        "deviceId": guid(number + 2**32),
        "displayName": f"PC-{number}",
        "trustType": "ServerAd",
        "operatingSystem": "Windows",
        "operatingSystemVersion": "10.0.26100.1",
        "approximateLastSignInDateTime": "2026-11-19T08:00:00Z",
        "accountEnabled": True,
    }
    return {**record, **fields}


def named_location(name, *networks, **fields):
    """Return one named location of IP ranges."""
    kinds = {":": "#microsoft.graph.iPv6CidrRange", ".": "#microsoft.graph.iPv4CidrRange"}
    ranges = [
        {"@odata.type": kinds[":" if ":" in one else "."], "cidrAddress": one} for one in networks
    ]
    record = {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": guid(next(_NUMBERS)),
        "displayName": name,
        "isTrusted": True,
        "ipRanges": ranges,
    }
    return {**record, **fields}


def registration(number, *, ready=True, **fields):
    """Return what one user has registered."""
    record = {
        "id": guid(number),
        "userPrincipalName": f"person{number}@example.com",
        "userDisplayName": f"Person {number}",
        "isMfaCapable": ready,
        "isMfaRegistered": ready,
        "isPasswordlessCapable": False,
        "isSsprCapable": ready,
        "isSsprEnabled": True,
        "isSsprRegistered": ready,
        "methodsRegistered": ["mobilePhone"] if ready else [],
        "lastUpdatedDateTime": "2026-11-19T08:00:00Z",
    }
    return {**record, **fields}
