"""The questions put to directoryAudits, as text. Nothing here asks them.

A narrow query asks for password reset alone. Whether the service understands each clause is not
taken on trust: a clause can say of a record from an unfiltered page whether it should have come,
in every way that is known to us, not only in the words that the service was asked in.

Filters: https://learn.microsoft.com/en-us/graph/api/directoryaudit-list; `and`, `or` and
parentheses are not documented there and are in wide use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from sspr_audit.knowledge import Activity, Knowledge, fold
from sspr_audit.model import Window
from sspr_audit.sources.graph.collections import AUDITS, Collection

COUNTED: Final = frozenset({"flow", "change", "admin-reset", "registration", "echo"})
"""Roles that a report's numbers rest on, so a query that misses one is no substitute."""

BROAD: Final = frozenset({"Core Directory"})
"""Services that log everything under the sun: ours are picked from them by name."""

_SAFE: Final = "-._~()"
"""What stands in a query as it is; everything else is percent-encoded."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a narrow query; the parts are joined by `or`."""

    text: str
    """As the service is asked, such as `loggedByService eq 'Core Directory'`."""
    essential: bool
    """Whether a report's numbers rest on what it brings. What is not essential (settings that
    changed, notes) is too rare to be proved, and may stay unproved.
    """
    service: str | None
    """Folded; None where the clause asks for one activity, whatever service wrote it."""
    activities: frozenset[str]
    """Folded names that should come by this clause."""

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Say whether a parsed record of directoryAudits should come by this clause.

        True also for one of its activities that another service wrote, or that is spelled
        another way: if such a record exists, the clause as it is asked would lose it.
        """
        if self.service is not None and _folded(record, "loggedByService") == self.service:
            return True
        return _folded(record, "activityDisplayName") in self.activities


def clauses(knowledge: Knowledge) -> tuple[Clause, ...]:
    """Return the clauses that together ask for every activity that is known, in the order of the
    catalogue.

    A service whose whole log matters is asked for by its name: that brings activities that are
    not known yet, does not depend on how each is spelled, and keeps the filter short.
    """
    grouped: dict[tuple[str, str], list[Activity]] = {}
    for one in knowledge.activities:
        whole = one.service is not None and one.service not in BROAD
        key = ("loggedByService", one.service or "") if whole else ("activityDisplayName", one.name)
        grouped.setdefault(key, []).append(one)
    return tuple(
        Clause(
            text=f"{field} eq {literal(value)}",
            essential=any(one.role in COUNTED for one in activities),
            service=fold(value) if field == "loggedByService" else None,
            activities=frozenset(fold(one.name) or "" for one in activities),
        )
        for (field, value), activities in grouped.items()
    )


def narrow(parts: Iterable[Clause]) -> str:
    """Return the filter that the clauses make, without a time; "" for none. Equal clauses give
    equal text, so that coverage can be kept by it.
    """
    return " or ".join(one.text for one in parts)


def audit_query(window: Window, parts: Iterable[Clause] = ()) -> str:
    """Return path and query for the audit records of `window`, all or only what `parts` ask for.

    The end is asked for too (`le` is documented, `lt` is not): whoever reads the answer keeps
    start ≤ time < end.
    """
    span = f"activityDateTime ge {moment(window.start)} and activityDateTime le "
    both = span + moment(window.end)
    only = narrow(parts)
    return filtered(AUDITS, f"{both} and ({only})" if only else both)


def filtered(collection: Collection, condition: str) -> str:
    """Return path and query for what meets an OData condition, percent-encoded this once."""
    size = "" if collection.page_size is None else f"&$top={collection.page_size}"
    return f"{collection.address}?$filter={quote(condition, safe=_SAFE)}{size}"


def moment(time: datetime) -> str:
    """Return an OData time: UTC, to the microsecond where it has any. It is not quoted."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parsed(text: str | None) -> datetime | None:
    """Return the time that a record names, cut to the microsecond, in which windows are; None where
    it is none, has no zone, or lies out of all time.
    """
    try:
        time = datetime.fromisoformat(text or "")
        if time.tzinfo is UTC:
            return time
        return None if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def literal(text: str) -> str:
    """Return an OData string; a quote in it is doubled."""
    return "'" + text.replace("'", "''") + "'"


def _folded(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    return fold(value) if isinstance(value, str) else None
