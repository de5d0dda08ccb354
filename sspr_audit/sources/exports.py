"""Give records of Graph's form the other forms that Microsoft exports, one record at a time.

Every function from records to text yields pieces, so that a million records need no memory.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice, product, repeat
from pathlib import Path
from typing import IO, Any, Final, cast

Record = dict[str, Any]

CONTEXT: Final = "https://graph.microsoft.com/v1.0/$metadata#auditLogs/directoryAudits"
BOM: Final = "\ufeff"

_TARGET: Final = ("Type", "DisplayName", "ObjectId", "UserPrincipalName")
_PROPERTY: Final = ("Name", "OldValue", "NewValue")

PORTAL_COLUMNS: Final = (
    *("Date (UTC)", "CorrelationId", "Service", "Category", "Activity", "Result", "ResultReason"),
    *("User Agent", "ActorType", "ActorDisplayName", "ActorObjectId", "ActorUserPrincipalName"),
    *("IPAddress", "ActorHomeTenantId", "ActorHomeTenantName", "ActorServicePrincipalId"),
    "ActorServicePrincipalName",
    *chain.from_iterable(
        (
            *(f"Target{n}{part}" for part in _TARGET),
            *(f"Target{n}ModifiedProperty{m}{p}" for m, p in product(range(1, 6), _PROPERTY)),
        )
        for n in range(1, 4)
    ),
    *(f"AdditionalDetail{k}{part}" for k, part in product(range(1, 7), ("Key", "Value"))),
)
"""The 86 columns of the admin centre's CSV: three targets, five properties each, six details."""

LOG_ANALYTICS_COLUMNS: Final = (
    *("TenantId", "SourceSystem", "TimeGenerated", "ResourceId", "OperationName"),
    *("OperationVersion", "Category", "ResultType", "ResultSignature", "ResultDescription"),
    *("DurationMs", "CorrelationId", "Resource", "ResourceGroup", "ResourceProvider", "Identity"),
    *("Level", "Location", "AdditionalDetails", "Id", "InitiatedBy", "LoggedByService", "Result"),
    *("ResultReason", "TargetResources", "AADTenantId", "ActivityDisplayName"),
    *("ActivityDateTime", "AADOperationType", "Type"),
)
"""The columns of the table AuditLogs."""

WORKSPACE: Final = "00000000-0000-0000-0000-000000000002"
"""The Log Analytics workspace, which its rows call TenantId."""


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact(value: object) -> str:
    """Return JSON without blanks, with letters of all languages as they are."""
    return _ENCODER.encode(value)


def wire_time(record: Record, digits: int) -> str:
    """Return the record's time with this many digits after the second, cut, without a zone."""
    whole, _, fraction = record["activityDateTime"].removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<7}"[: 20 + digits]


def ndjson(records: Iterable[Record]) -> Iterator[str]:
    """Yield one line of JSON for each record."""
    return (compact(record) + "\n" for record in records)


def array(records: Iterable[Record], before: str = "[", after: str = "]\n") -> Iterator[str]:
    """Yield a JSON array, with an object around it where `before` and `after` say so."""
    yield before
    for number, record in enumerate(records):
        yield (",\n" if number else "\n") + compact(record)
    yield "\n" + after


def graph_page(records: Iterable[Record], context: str = CONTEXT) -> Iterator[str]:
    """Yield an answer of Graph."""
    return array(records, f'{{"@odata.context":"{context}","value":[', "]}\n")


def portal_json(records: Iterable[Record]) -> Iterator[str]:
    """Yield the admin centre's JSON download."""
    return array({**record, "userAgent": None} for record in records)


def portal_csv(records: Iterable[Record]) -> Iterator[str]:
    """Yield the admin centre's CSV download: with a byte order mark, every cell quoted."""
    yield BOM
    yield from _csv(chain([PORTAL_COLUMNS], map(_portal_row, records)), csv.QUOTE_ALL)


def _portal_row(record: Record) -> list[str]:
    user, app = record["initiatedBy"]["user"], record["initiatedBy"]["app"]
    who = user or app
    kind = "User" if user else "Application"
    row = [wire_time(record, 7) + "+00:00", record["correlationId"], record["loggedByService"]]
    row += [record["category"], record["activityDisplayName"], record["result"]]
    row += [record["resultReason"], None, kind, who["displayName"]]
    row += [who.get(name) for name in ("id", "userPrincipalName", "ipAddress", "homeTenantId")]
    row += [who.get("homeTenantName")]
    row += [who.get("servicePrincipalId"), who.get("servicePrincipalName")]
    for target in _filled(record["targetResources"], 3):
        row += [target.get(name) for name in ("type", "displayName", "id", "userPrincipalName")]
        for change in _filled(target.get("modifiedProperties", []), 5):
            row += [change.get(name) for name in ("displayName", "oldValue", "newValue")]
    for detail in _filled(record["additionalDetails"], 6):
        row += [detail.get("key"), detail.get("value")]
    return [cell or "" for cell in row]


def _filled(items: list[Record], count: int) -> Iterator[Record]:
    """Yield exactly `count` items: the first ones, then empty ones."""
    return islice(chain(items, repeat({})), count)


def _nested(record: Record) -> tuple[Record, list[Record]]:
    """Return `initiatedBy` and `targetResources` with what Azure Monitor adds to them."""
    match record["initiatedBy"]:
        case {"user": None, "app": app}:
            who = {"app": app}
        case {"user": user}:
            who = {"user": {**user, "roles": []}}
    return who, [{**target, "administrativeUnits": []} for target in record["targetResources"]]


def diagnostic(record: Record, tenant: str) -> Record:
    """Return the record as Azure Monitor's diagnostic settings pass it on."""
    who, targets = _nested(record)
    outside = {
        "time": wire_time(record, 7) + "Z",
        "resourceId": f"/tenants/{tenant}/providers/Microsoft.aadiam",
        "operationName": record["activityDisplayName"],
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": tenant,
        "resultSignature": "None",
        "resultDescription": record["resultReason"],
        "durationMs": 0,
        "callerIpAddress": who.get("user", {}).get("ipAddress"),
        "correlationId": record["correlationId"],
        "identity": who.get("app", {}).get("displayName"),
        "Level": 4,
    }
    inside = {
        **record,
        "activityDateTime": wire_time(record, 7) + "+00:00",
        "userAgent": None,
        "initiatedBy": who,
        "targetResources": targets,
    }
    return {**{k: v for k, v in outside.items() if v not in (None, "")}, "properties": inside}


def log_analytics(record: Record, tenant: str) -> Record:
    """Return the record as a row of AuditLogs: nested columns as text, empty ones left out."""
    who, targets = _nested(record)
    row = {
        "TenantId": WORKSPACE,
        "SourceSystem": "Azure AD",
        "TimeGenerated": wire_time(record, 3) + "Z",
        "ResourceId": f"/tenants/{tenant}/providers/Microsoft.aadiam",
        "OperationName": record["activityDisplayName"],
        "OperationVersion": "1.0",
        "Category": record["category"],
        "ResultSignature": "None",
        "ResultDescription": record["resultReason"],
        "CorrelationId": record["correlationId"],
        "Resource": "Microsoft.aadiam",
        "ResourceGroup": "Microsoft.aadiam",
        "Identity": who.get("app", {}).get("displayName"),
        "Level": "4",
        "AdditionalDetails": compact(record["additionalDetails"]),
        "Id": record["id"],
        "InitiatedBy": compact(who),
        "LoggedByService": record["loggedByService"],
        "Result": record["result"],
        "ResultReason": record["resultReason"],
        "TargetResources": compact(targets),
        "AADTenantId": tenant,
        "ActivityDisplayName": record["activityDisplayName"],
        "ActivityDateTime": wire_time(record, 3) + "Z",
        "AADOperationType": record["operationType"],
        "Type": "AuditLogs",
    }
    return {name: value for name, value in row.items() if value}


def log_analytics_csv(records: Iterable[Record], tenant: str) -> Iterator[str]:
    """Yield a query result as the Log Analytics page exports it."""
    times = {"TimeGenerated", "ActivityDateTime"}
    header = [f"{name} [UTC]" if name in times else name for name in LOG_ANALYTICS_COLUMNS]

    def row(record: Record) -> list[str]:
        cells = log_analytics(record, tenant)
        clock = _spoken_time(wire_time(record, 3))
        return [clock if n in times else cells.get(n, "") for n in LOG_ANALYTICS_COLUMNS]

    yield from _csv(chain([header], map(row, records)), csv.QUOTE_MINIMAL)


def _spoken_time(text: str) -> str:
    """Return an ISO time as `11/9/2026, 8:04:05.123 AM`."""
    date, _, clock = text.partition("T")
    year, month, day = (int(part) for part in date.split("-"))
    hour = int(clock[:2])
    half = "AM" if hour < 12 else "PM"  # noqa: PLR2004 - noon
    return f"{month}/{day}/{year}, {hour % 12 or 12}{clock[2:]} {half}"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv(rows: Iterable[Iterable[str]], quoting: int) -> Iterator[str]:
    writer = csv.writer(_Echo(), quoting=cast("Any", quoting), lineterminator="\r\n")
    write = cast("Callable[[Iterable[str]], str]", writer.writerow)
    return map(write, rows)


def write(path: Path, pieces: Iterable[str], encoding: str = "utf-8") -> None:
    """Write text to a file, compressed where the name ends in .gz. Equal text, equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("wb"))
        if path.suffix == ".gz":
            packed = gzip.GzipFile("", "wb", compresslevel=4, fileobj=file, mtime=0)
            file = cast("IO[bytes]", stack.enter_context(packed))
        for piece in pieces:
            file.write(piece.encode(encoding))
