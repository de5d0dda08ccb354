"""What a file holds is told by its content: by the keys of its records or its header line."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
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

UNIFIED: Final = "a record of the Unified Audit Log"

_UNIFIED: Final = frozenset({"RecordType", "CreationTime", "Operation", "Workload"})
_UNIFIED_FRAME: Final = frozenset({"AuditData", "auditData"})
"""Around that record: columns of the portal and of PowerShell, and the key that Graph gives it."""

_SIGNIN_ROW: Final = ("AppDisplayName", "ConditionalAccessStatus", "DeviceDetail")
_KEYS: Final[tuple[tuple[str, set[str], set[str]], ...]] = (
    ("signIns", {"createdDateTime"}, {"appId", "appDisplayName", "deviceDetail"}),
    ("managedDevices", set(), {"azureADDeviceId", "managedDeviceOwnerType", "complianceState"}),
    ("devices", {"trustType"}, set()),
    ("devices", {"deviceId", "operatingSystem"}, set()),
    ("userRegistrationDetails", set(), {"isSsprRegistered", "isSsprCapable", "methodsRegistered"}),
    ("namedLocations", {"displayName"}, {"ipRanges", "countriesAndRegions"}),
    (Form.GRAPH.value, {"loggedByService"}, set()),  # an audit record that lost its time
)
"""Kind, keys that it always has, and keys of which it has one."""

_LA_TIMES: Final = ("TimeGenerated", "ActivityDateTime")
_LA_ACTIVITIES: Final = ("OperationName", "ActivityDisplayName")
_LA_OWN: Final = ("LoggedByService", "InitiatedBy", "TargetResources")
"""What of these tables only AuditLogs has. Its rows were recorded with a `Type` of their target,
so that column alone tells nothing."""


def of_record(value: Mapping[str, Any], context: str | None = None) -> str | None:
    """Name the form or kind of a JSON record; None where it is none that we know.

    `context` is the `@odata.context` of its envelope, which decides where it is known; a list that
    has another name holds no audit records, whatever they look like. What the SQL of a form says of
    `fits` must agree with this.
    """
    if kind := of_context(context):
        return kind
    kind = _of_keys(value)
    return None if kind in list(Form) and _CONTEXT.search(context or "") else kind


def _of_keys(value: Mapping[str, Any]) -> str | None:
    # A union of tables gives each row the columns of all: one without a value tells nothing.
    said = {key for key, held in value.items() if held is not None}
    if said & {"activityDateTime", "activityDisplayName"}:
        return Form.GRAPH
    if isinstance(value.get("properties"), dict) and said & {"category", "operationName", "time"}:
        return _diagnostic(value)
    if said & set(_LA_TIMES):
        return _row(value)
    return _by_keys(value.keys())


def of_context(context: str | None) -> str | None:
    """Name the form or kind that an `@odata.context` promises; None where it is none of ours."""
    named = _CONTEXT.search(context or "")
    return _CONTEXTS.get(named[1].lower().strip("/")) if named else None


def _diagnostic(value: Mapping[str, Any]) -> str | None:
    """Tell by its category which log of the diagnostic settings a record is of."""
    category, inner = _word(value.get("category")), value["properties"]
    signed_in = "createdDateTime" in inner and "activityDateTime" not in inner
    if category.endswith("signinlogs") or (signed_in and not category):
        return "signIns"
    return Form.DIAGNOSTIC if category in ("", "auditlogs") else None


def _row(value: Mapping[str, Any]) -> str | None:
    """Tell of which Log Analytics table a row is."""
    table = _word(value.get("Type"))
    if any(value.get(name) is not None for name in _SIGNIN_ROW) or table.endswith("signinlogs"):
        return "signIns"
    is_audit = table in ("", "auditlogs") or any(value.get(name) is not None for name in _LA_OWN)
    has_activity = any(value.get(name) is not None for name in _LA_ACTIVITIES)
    return Form.LOG_ANALYTICS if is_audit and has_activity else None


def _word(value: object) -> str:
    return "" if value is None else str(value).lower()


def _by_keys(keys: Collection[str]) -> str | None:
    for kind, needed, telling in _KEYS:
        if needed <= set(keys) and (not telling or telling & set(keys)):
            return kind
    return None


def is_unified_audit_log(keys: Collection[str]) -> bool:
    """Say whether a record or a header is of the Unified Audit Log."""
    return set(keys) >= _UNIFIED or bool(_UNIFIED_FRAME & set(keys))


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

LOG_ANALYTICS: Final = (
    *("AADOperationType", "AADTenantId", "ActivityDateTime", "ActivityDisplayName"),
    *("AdditionalDetails", "Category", "CorrelationId", "DurationMs", "Id", "Identity"),
    *("InitiatedBy", "Level", "Location", "LoggedByService", "OperationName", "OperationVersion"),
    *("Resource", "ResourceGroup", "ResourceId", "ResourceProvider", "Result"),
    *("ResultDescription", "ResultReason", "ResultSignature", "ResultType", "SourceSystem"),
    *("TargetResources", "TenantId", "TimeGenerated", "Type"),
)
"""The columns of the Log Analytics table AuditLogs."""

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
_LA_ZONE: Final = re.compile(r"^(?P<name>\w+) \[(?P<zone>[^\]]*)\]$")
TIME: Final = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d\d-\d\dT")
"""How a cell begins that holds a time."""


def of_header(line: str, first_row: str = "") -> Layout | None:
    """Tell the layout of a CSV from its header line and first row.

    Returns None where the header is of no known export.
    """
    delimiter = max(",;\t", key=line.count)
    names = _cells(line, delimiter)
    return _portal(names, _cells(first_row, delimiter), delimiter) or _log_analytics(
        names, delimiter
    )


def header_names(line: str) -> tuple[str, ...]:
    """Return the names in a header line, whatever separates them."""
    return tuple(_cells(line, max(",;\t", key=line.count)))


def repeated(layout: Layout) -> list[str]:
    """Return the columns that stand twice among those that are read; which one counts is unsaid."""
    read = {*PORTAL, *LOG_ANALYTICS, *_SIGNIN_ROW}
    counts = Counter(name for name in layout.columns if name in read)
    return [name for name, count in counts.items() if count > 1]


def not_understood(names: Iterable[str]) -> list[str]:
    """Return the header's names that stand in no export we know."""
    known = {*map(str.lower, PORTAL), *_ALIASES, *map(str.lower, LOG_ANALYTICS)}
    return [name for name in names if _LA_ZONE.sub(r"\1", name).lower() not in known]


def _cells(line: str, delimiter: str) -> list[str]:
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
        if fits and (any(known) or (first and TIME.match(first[0]))):
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
    if not set(columns) & set(_LA_ACTIVITIES):
        return None
    signin = set(columns) & set(_SIGNIN_ROW)
    utc = all(zones.get(column, "") == "UTC" for column in columns if column in _LA_TIMES)
    form = "signIns" if signin else Form.LOG_ANALYTICS.value
    return Layout(form, tuple(columns), delimiter, zoneless_utc=utc)
