"""What a file holds is told by its content: by the keys of its records or its header line."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Any, Final

from sspr_audit.model import Form, Layout

REFUSED_AUDIT_LOG: Final = (
    "this is an export of the Unified Audit Log, which holds no steps of a password reset;"
    " export the audit log of the Entra admin center (Monitoring, Audit logs, Download) instead"
)

_CONTEXTS: Final = {
    "auditlogs/directoryaudits": Form.GRAPH.value,
    "auditlogs/signins": "signIns",
    "devices": "devices",
    "identity/conditionalaccess/namedlocations": "namedLocations",
    "conditionalaccess/namedlocations": "namedLocations",
    "reports/authenticationmethods/userregistrationdetails": "userRegistrationDetails",
    "devicemanagement/manageddevices": "managedDevices",
}
_CONTEXT: Final = re.compile(r"#([\w/]+)")

_UNIFIED: Final = frozenset({"RecordType", "CreationTime", "Operation", "Workload"})
_UNIFIED_CSV: Final = frozenset({"RecordType", "CreationDate", "Operation", "AuditData"})


def of_record(value: Mapping[str, Any], context: str | None = None) -> str | None:
    """Name the form or kind of a JSON record; None where it is none that we know.

    `context` is the `@odata.context` of its envelope, which decides where it is known.
    """
    if context and (named := _CONTEXT.search(context)):
        kind = _CONTEXTS.get(named[1].lower())
        if kind:
            return kind
    keys = value.keys()
    if isinstance(value.get("properties"), dict) and keys & {"category", "operationName", "time"}:
        inner = value["properties"].keys()
        signin = str(value.get("category", "")).endswith("SignInLogs")
        if signin or "createdDateTime" in inner:
            return "signIns"
        return Form.DIAGNOSTIC.value
    if keys & {"activityDateTime", "activityDisplayName"}:
        return Form.GRAPH.value
    if keys & {"TimeGenerated", "ActivityDateTime"}:
        signin = keys & {"AppDisplayName", "ConditionalAccessStatus", "DeviceDetail"}
        return "signIns" if signin else Form.LOG_ANALYTICS.value
    return _context_kind(value)


def _context_kind(value: Mapping[str, Any]) -> str | None:
    keys = value.keys()
    if "createdDateTime" in keys and keys & {"appId", "appDisplayName", "deviceDetail"}:
        return "signIns"
    if keys & {"azureADDeviceId", "managedDeviceOwnerType", "complianceState"}:
        return "managedDevices"
    if "trustType" in keys or {"deviceId", "operatingSystem"} <= keys:
        return "devices"
    if keys & {"isSsprRegistered", "isSsprCapable", "methodsRegistered"}:
        return "userRegistrationDetails"
    if "displayName" in keys and keys & {"ipRanges", "countriesAndRegions"}:
        return "namedLocations"
    if "loggedByService" in keys:  # an audit record that lost its time
        return Form.GRAPH.value
    return None


def is_unified_audit_log(keys: frozenset[str]) -> bool:
    """Say whether a record or a header is of the Unified Audit Log."""
    return keys >= _UNIFIED or keys >= _UNIFIED_CSV


PORTAL: Final = (
    "Date (UTC)",
    "CorrelationId",
    "Service",
    "Category",
    "Activity",
    "Result",
    "ResultReason",
    "User Agent",
    "ActorType",
    "ActorDisplayName",
    "ActorObjectId",
    "ActorUserPrincipalName",
    "IPAddress",
    "ActorHomeTenantId",
    "ActorHomeTenantName",
    "ActorServicePrincipalId",
    "ActorServicePrincipalName",
    *(
        name
        for n in (1, 2, 3)
        for name in (
            f"Target{n}Type",
            f"Target{n}DisplayName",
            f"Target{n}ObjectId",
            f"Target{n}UserPrincipalName",
            *(
                f"Target{n}ModifiedProperty{m}{part}"
                for m in (1, 2, 3, 4, 5)
                for part in ("Name", "OldValue", "NewValue")
            ),
        )
    ),
    *(f"AdditionalDetail{k}{part}" for k in (1, 2, 3, 4, 5, 6) for part in ("Key", "Value")),
)
"""The 86 columns of the admin center's CSV download, as of 2024."""

_OLDER: Final = tuple(
    name
    for name in PORTAL
    if name not in ("User Agent", "ActorHomeTenantId", "ActorHomeTenantName")
)
"""Earlier downloads lack three columns."""

_ALIASES: Final = {
    "fecha (utc)": "Date (UTC)",
    "data (utc)": "Date (UTC)",
    "servicio": "Service",
    "categoría": "Category",
    "actividad": "Activity",
    "resultado": "Result",
    "agente de usuario": "User Agent",
    **{f"objetivo{n}nombreprincipaldeusuario": f"Target{n}UserPrincipalName" for n in (1, 2, 3)},
}
"""Localized names that public converters have met (Spanish, Italian)."""

_NEEDED: Final = ("Date (UTC)", "CorrelationId", "Activity")
_LA_TIMES: Final = ("TimeGenerated", "ActivityDateTime")
_LA_ZONE: Final = re.compile(r"^(?P<name>\w+) \[(?P<zone>[^\]]*)\]$")
_SLASHED: Final = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d\d-\d\dT")


def of_header(line: str, first_row: str = "") -> Layout | None:
    """Tell the layout of a CSV from its header line and first row.

    Returns None where the header is of no known export.
    """
    delimiter = max(",;\t", key=line.count)
    names = _row(line, delimiter)
    return _portal(names, _row(first_row, delimiter), delimiter) or _log_analytics(
        names, delimiter
    )


def header_names(line: str) -> tuple[str, ...]:
    """Return the names in a header line, whatever separates them."""
    return tuple(_row(line, max(",;\t", key=line.count)))


def _row(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _portal(names: list[str], first: list[str], delimiter: str) -> Layout | None:
    ours = {name.lower(): name for name in PORTAL}
    known = tuple(ours.get(n.lower()) or _ALIASES.get(n.lower(), "") for n in names)
    for whole in (PORTAL, _OLDER):
        if len(names) != len(whole):
            continue
        # Localized headers differ by name, never by place: what is known must stand where it
        # belongs, and where nothing is known the first row must begin with a time.
        fits = all(k in ("", w) for k, w in zip(known, whole, strict=True))
        if fits and (any(known) or (first and _SLASHED.match(first[0]))):
            return Layout(Form.PORTAL_CSV, whole, delimiter, zoneless_utc=True)
    if len(set(known) - {""}) >= len(_NEEDED) and set(_NEEDED) <= set(known):
        return Layout(Form.PORTAL_CSV, known, delimiter, zoneless_utc=True)
    return None


def _log_analytics(names: list[str], delimiter: str) -> Layout | None:
    zones = {}
    columns = []
    for name in names:
        with_zone = _LA_ZONE.match(name)
        columns.append(with_zone["name"] if with_zone else name)
        if with_zone:
            zones[with_zone["name"]] = with_zone["zone"].upper()
    if not set(columns) & set(_LA_TIMES):
        return None
    if not set(columns) & {"OperationName", "ActivityDisplayName"}:
        return None
    signin = set(columns) & {"AppDisplayName", "ConditionalAccessStatus", "DeviceDetail"}
    utc = all(zones.get(column, "") == "UTC" for column in columns if column in _LA_TIMES)
    form = "signIns" if signin else Form.LOG_ANALYTICS.value
    return Layout(form, tuple(columns), delimiter, zoneless_utc=utc)
