"""What people do today: filter failures, look at the top addresses and the commonest reasons.

The baseline that causes are measured against; it reads the same records as the program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.simulator import Label, Simulated
from benchmarks.simulator.texts import TARGETS
from sspr_audit.sources.scenes import SSPR

TOP = 5
PEOPLE = 3
STANDS_OUT = 1.5
"""How many times the tenant's usual share of failing flows makes an address worth a line; where a
tenant has few addresses, all of them would be at the top otherwise."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the baseline's answer: a reason that several people met, or a busy address."""

    reason: str | None
    ip: str | None


def rows(tenant: Simulated) -> list[Row]:
    """Return what a failure filter shows of the week."""
    start = tenant.window[0].isoformat()[:19]
    by_reason: dict[str, set[str]] = defaultdict(set)
    by_ip: dict[str, set[str]] = defaultdict(set)
    failed: dict[str, set[str]] = defaultdict(set)
    flows: dict[str, set[str]] = defaultdict(set)
    for record in tenant.records:
        if record["loggedByService"] != SSPR or record["activityDateTime"] < start:
            continue
        who = record["targetResources"][0]["id"]
        ip = record["initiatedBy"]["user"]["ipAddress"]
        flows[ip].add(record["correlationId"])
        if record["result"] != "success":
            by_reason[record["resultReason"]].add(who)
            by_ip[ip].add(who)
            failed[ip].add(record["correlationId"])
    usual = sum(map(len, failed.values())) / max(1, sum(map(len, flows.values())))
    top = sorted(by_ip, key=lambda ip: (-len(failed[ip]), ip))[:TOP]
    busy = [
        ip
        for ip in top
        if len(by_ip[ip]) >= PEOPLE and len(failed[ip]) >= STANDS_OUT * usual * len(flows[ip])
    ]
    reasons = [Row(text, None) for text, who in sorted(by_reason.items()) if len(who) >= PEOPLE]
    return reasons + [Row(None, ip) for ip in busy]


def finds(row: Row, label: Label) -> bool:
    """Say whether a line points to a planted cause.

    Generous: an address counts for whatever was planted there, though it names no cause.
    """
    if row.ip is not None:
        return row.ip in label.ips
    return label.kind == "explicit" and label.target == target(row)


def target(row: Row) -> str | None:
    """Return what the reason of a line states."""
    text = row.reason or ""
    return next((said for begins, said in TARGETS.items() if text.startswith(begins)), None)


def right(row: Row, labels: Iterable[Label]) -> bool:
    """Say whether a line points to anything that was planted; a reason always does."""
    return row.reason is not None or any(finds(row, label) for label in labels)


def found(lines: Sequence[Row], label: Label) -> bool:
    """Say whether any line points to a planted cause."""
    return any(finds(row, label) for row in lines)
