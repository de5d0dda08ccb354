"""What a report says in words, the same for every page that people read: names, counts, places.

A stranger's text stands in these sentences only after it was made harmless and short; what remains
is for each renderer to write them in its own form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sspr_audit.model import OUTCOMES, Group, Report, Scope, TextCount, Totals, Unobservable
from sspr_audit.report import harmless

NAME_BOUND: Final = 60
"""Characters of a name inside a sentence."""

NAMED: Final = 3
"""How many places a sentence names; of more it gives the number."""

CLIENTS: Final = (
    "A class can rest on a built-in pattern for ClientType (assumed), and a flow that names "
    "several clients counts under the first; --format csv marks both."
)
"""What the counts by client rest on."""

UTC_DAYS: Final = "These days begin at 00:00 UTC, as in the JSON report and as for --since."
"""Said where the rest of the page is in another zone."""

PSEUDONYMS: Final = (
    "pseudonyms stand for people, devices, files and words that are not known; IP addresses and "
    "sites are as they were"
)
"""Said in every report that has no names."""

OUTCOME: Final = {
    "succeeded": "succeeded",
    "blocked": "was blocked",
    "failed": "failed",
    "cancelled": "was cancelled",
    "abandoned": "stopped without an end",
    "open": "was still open where the data ends",
}

WHO: Final = {
    "user": "the person who resets",
    "helpdesk": "the help desk",
    "entra-admin": "an Entra administrator",
    "device-admin": "the device administrator (Intune, Group Policy, images, endpoint agents)",
    "network-admin": "the network administrator (proxy, firewall, VPN, 802.1X)",
    "on-premises-admin": "the administrator of Active Directory and Entra Connect or cloud sync",
    "microsoft": "only Microsoft",
}

LAYER: Final = {
    "device": "device",
    "directory-policy": "policy in Entra",
    "network": "network",
    "on-prem-writeback": "password writeback",
    "security": "security",
    "service": "service and reporting",
    "user": "user",
}

_CLIENT: Final = {
    "windows-signin": "at the Windows sign-in screen",
    "windows7-addin": "with the add-in of Windows 7 and 8",
    "browser": "in a browser",
    "not-recorded": "from a client that was not recorded",
}


def several(count: int, one: str, many: str | None = None) -> str:
    """Return the count with its noun, such as `1 flow` or `1,204 flows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def people(count: int) -> str:
    """Return how many people, such as `1 person`."""
    return several(count, "person", "people")


def listed(names: Iterable[str], *, most: int | None = None) -> str:
    """Return the names with commas; beyond `most` only their number, as in `a, b (+3 more)`."""
    shown = [name(one) for one in names]
    if most is None or len(shown) <= most:
        return ", ".join(shown)
    return f"{', '.join(shown[:most])} (+{len(shown) - most:,} more)"


def name(text: str) -> str:
    """Return a stranger's name, harmless and short enough for a sentence."""
    return harmless.line(text, bound=NAME_BOUND)


def client(text: str) -> str:
    """Return where or with what the person reset, in words."""
    raw = text.removeprefix("other:")
    return _CLIENT.get(text) or f'with a client that calls itself "{name(raw)}"'


def place(scope: Scope) -> str:
    """Return where, as the end of a sentence; empty where no one place matters."""
    parts = []
    if scope.sites:
        parts.append(_somewhere("at", scope.sites, "sites"))
    elif scope.ips:
        parts.append(_somewhere("from", scope.ips, "networks"))
    if len(scope.clients) == 1:
        parts.append(client(scope.clients[0]))
    return ", ".join(parts)


def _somewhere(preposition: str, names: Sequence[str], many: str) -> str:
    if len(names) > NAMED:
        return f"{preposition} {len(names):,} {many}"
    return f"{preposition} {listed(names)}"


def counted(totals: Totals) -> str:
    """Return how the flows ended, in one sentence."""
    ends = ", ".join(
        f"{totals.outcomes[outcome]:,} {outcome}"
        for outcome in OUTCOMES
        if totals.outcomes[outcome]
    )
    flows = several(totals.flows, "flow")
    return f"{flows} by {people(totals.users)}: {ends}." if totals.flows else "No flow began."


def fruitless(totals: Totals | Group) -> int:
    """Return how many flows ended, and not in success."""
    return totals.flows - totals.outcomes["succeeded"] - totals.outcomes["open"]


def counts(totals: Totals) -> dict[str, int]:
    """Return every count of a window by what it counts, outcomes indented under flows."""
    acts = totals.acts
    return {
        "flows (attempts to reset or unlock)": totals.flows,
        "people": totals.users,
        **{f"  {outcome}": totals.outcomes[outcome] for outcome in OUTCOMES},
        "password changes, succeeded": acts.password_changes_succeeded,
        "password changes, failed": acts.password_changes_failed,
        "resets by an administrator, succeeded": acts.admin_resets_succeeded,
        "resets by an administrator, failed": acts.admin_resets_failed,
        "registrations": acts.registrations,
    }


def unrecognized(report: Report) -> list[tuple[str, tuple[TextCount, ...]]]:
    """Return the kinds of text that the program does not know and that occur, with their texts."""
    found = report.unrecognized
    kinds = {
        "reasons": found.reasons,
        "ClientTypes": found.client_types,
        "activities": found.activities,
    }
    return [(what, texts) for what, texts in kinds.items() if texts]


def needs(unobservable: Sequence[Unobservable]) -> list[tuple[str, list[str]]]:
    """Return the causes that could not be seen by the kind of data that would show them.

    The kind is what stands before the colon of a need. The largest group comes first; a cause with
    several needs stands in several groups.
    """
    groups: dict[str, set[str]] = {}
    for one in unobservable:
        for need in one.needs or ("nothing that can be exported",):
            kind = need.partition(":")[0].partition(" (")[0]
            groups.setdefault(harmless.line(kind), set()).add(one.cause)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [(kind, sorted(causes)) for kind, causes in ordered]
