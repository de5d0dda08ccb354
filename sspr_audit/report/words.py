"""What a report says in sentences, the same for every page that people read.

A stranger's text stands in these sentences only after it was made harmless and short; what remains
is for each renderer to write them in its own form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sspr_audit.model import OUTCOMES, Finding, Report, Scope, TextCount, Totals, Unobservable
from sspr_audit.report import harmless
from sspr_audit.report.clock import Clock

NAME_BOUND: Final = 60
"""Characters of a name inside a sentence."""

_NAMED: Final = 3
"""How many places a sentence names; of more it gives the number."""

CONFIDENCE: Final = {
    "confirmed": "a reason, code or device reading names this very cause",
    "likely": "separate signs agree and no known spoiler was found, or a text names the family",
    "possible": "it fits, but other causes fit too",
}

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
    if len(names) > _NAMED:
        return f"{preposition} {len(names):,} {many}"
    return f"{preposition} {listed(names)}"


def verdict(report: Report, clock: Clock) -> tuple[str, ...]:
    """Return what failed, for whom, where, since when and why: the sentences to read first."""
    if not report.findings:
        return tuple(_no_verdict(report))
    first = in_order(report)[0]
    why = f"{_trouble(first, clock)} Cause: {_titled(first)}."
    return (why, counted(report.totals), *_doubt(report))


def in_order(report: Report) -> tuple[Finding, ...]:
    """Return the findings in the order in which to read them.

    Findings stand by certainty, and users' own slips are the most certain and the most of them;
    what somebody else must mend comes first here, the most people first.
    """
    return tuple(sorted(report.findings, key=lambda one: (one.who_can_fix == "user", -one.users)))


def overview(report: Report) -> list[tuple[int, str]]:
    """Return every finding but the first to read in one sentence, with its number."""
    return [
        (number, f"{people(one.users)}: {_titled(one)}" if one.users else _titled(one))
        for number, one in enumerate(in_order(report)[1:], start=2)
    ]


def _titled(finding: Finding) -> str:
    return f"{harmless.line(finding.title).rstrip('.')} ({finding.confidence.value})"


def _trouble(finding: Finding, clock: Clock) -> str:
    since = f"since {clock.moment(finding.first_seen)}"
    where = place(finding.scope)
    where = f" {where}," if where else ""
    if not finding.users and not finding.flows:
        return f"Something stands out{where} {since}.".replace(", since", " since")
    whom = people(finding.users) if finding.users else several(finding.flows, "flow")
    if finding.layer == "security":
        return f"Password reset may be misused: it concerns {whom}{where} {since}."
    return f"Password reset gives trouble to {whom}{where} {since}."


def counted(totals: Totals) -> str:
    """Return how the flows ended, in one sentence."""
    ends = ", ".join(
        f"{totals.outcomes[outcome]:,} {outcome}"
        for outcome in OUTCOMES
        if totals.outcomes[outcome]
    )
    flows = several(totals.flows, "flow")
    return f"{flows} by {people(totals.users)}: {ends}." if totals.flows else "No flow began."


def _doubt(report: Report) -> Iterator[str]:
    """Yield what the reader must know before trusting the verdict."""
    faults = []
    if report.coverage.gaps:
        faults.append(several(len(report.coverage.gaps), "gap"))
    if report.account.skipped:
        faults.append(f"{several(_skipped(report), 'record')} could not be read")
    if faults or report.coverage.complete is False:
        why = f" ({', '.join(faults)})" if faults else ""
        yield f"The data is not complete{why}: what is missing could change this verdict."


def _skipped(report: Report) -> int:
    return sum(one.count for one in report.account.skipped)


def _no_verdict(report: Report) -> Iterator[str]:
    totals, account = report.totals, report.account
    if not account.events:
        yield "There is no password reset event in this window, so nothing can be judged."
        yield from _why_empty(report)
    elif not totals.flows:
        yield (
            "No password reset began in this window; "
            f"{several(account.events, 'event')} of other kinds were counted."
        )
    else:
        fruitless = totals.flows - totals.outcomes["succeeded"] - totals.outcomes["open"]
        yield (
            "No cause is named by a reason in these records; "
            f"{several(fruitless, 'flow')} ended without one."
        )
        yield counted(totals)
        yield (
            "That is no all-clear: an attempt that never reached the reset page leaves no record."
        )
    yield from _doubt(report)


def _why_empty(report: Report) -> Iterator[str]:
    """Yield what is likely when there is no event at all, the most telling first."""
    account = report.account
    if account.skipped:
        yield (
            f"{several(_skipped(report), 'record')} could not be read: "
            "see below, and export them again."
        )
    if account.outside_window:
        yield (
            f"{several(account.outside_window, 'record')} lie outside the window: "
            "choose another --since and --until."
        )
    if account.other_records:
        yield (
            f"{several(account.other_records, 'audit record')} of other kinds were read: perhaps "
            "the export was filtered. Export the whole audit log, or the service "
            "'Self-service Password Management'."
        )
    elif sum(account.context_records.values()):
        yield (
            "Only other data than audit records was read, such as sign-ins or devices: export the "
            "audit log (Entra admin center, Monitoring, Audit logs)."
        )
    yield (
        "Entra keeps audit records for 30 days with a P1 or P2 licence and for 7 days without, "
        "shows them up to an hour late, and in a tenant without such a licence begins to collect "
        "only once somebody has opened the audit log."
    )


def data(report: Report, clock: Clock) -> Iterator[tuple[str, str]]:
    """Yield what the report rests on, as a label and a sentence; gaps and losses are all named."""
    yield "Window", clock.span(report.window.start, report.window.end)
    if report.baseline != report.window:
        yield "Baseline", clock.span(report.baseline.start, report.baseline.end)
    tenant = [name(one) for one in (report.tenant_id, report.cloud) if one]
    if tenant:
        yield "Tenant", ", ".join(tenant)
    yield "Records", _account(report)
    if report.account.filter:
        yield "Filter", harmless.line(report.account.filter)
    yield from _covered(report, clock)
    for one in report.account.skipped:
        yield (
            "Skipped",
            (
                f"{several(one.count, 'record')}: {harmless.line(one.reason)} "
                f"(first: {harmless.line(one.example)})"
            ),
        )
    if conflicts := report.account.id_conflicts:
        yield "Conflict", f"{several(conflicts, 'record')} with the id of another; both stay"
    if report.account.files_ignored:
        yield "Ignored", f"files not understood: {listed(report.account.files_ignored, most=5)}"


def _account(report: Report) -> str:
    account = report.account
    parts = [f"{account.events:,} of password reset"]
    counts = {
        "other audit records": account.other_records,
        "outside the window": account.outside_window,
        "duplicates": account.duplicates,
        "skipped": _skipped(report),
        **{name(kind): count for kind, count in sorted(account.context_records.items())},
    }
    parts.extend(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"{account.records_read:,} read: {', '.join(parts)}"


def _covered(report: Report, clock: Clock) -> Iterator[tuple[str, str]]:
    coverage = report.coverage
    spans = "; ".join(clock.span(start, end) for start, end in coverage.spans[:3])
    more = f"; +{len(coverage.spans) - 3:,} more" if len(coverage.spans) > 3 else ""  # noqa: PLR2004
    if coverage.complete is None and spans:
        yield (
            "Covered",
            f"records from {spans}{more}; files do not tell whether any are missing between",
        )
    elif coverage.complete is False:
        yield "Covered", f"not complete; covered: {spans or 'nothing'}{more}"
    elif coverage.complete:
        yield "Covered", "the whole window"
    for gap in coverage.gaps:
        yield "Gap", f"{clock.span(gap.start, gap.end)}: {harmless.line(gap.reason)}"
    if coverage.settling:
        yield (
            "Settling",
            f"{clock.span(*coverage.settling)}: read, but records may still arrive late",
        )


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
