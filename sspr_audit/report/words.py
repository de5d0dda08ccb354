"""What a report says in sentences, the same for every page that people read.

A stranger's text stands in these sentences only after it was made harmless and short; what remains
is for each renderer to write them in its own form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from sspr_audit.model import OUTCOMES, Finding, Report, Scope, TextCount, Totals, Unobservable
from sspr_audit.report import harmless
from sspr_audit.report.clock import Clock, length

NAME_BOUND: Final = 60
"""Characters of a name inside a sentence."""

_NAMED: Final = 3
"""How many places a sentence names; of more it gives the number."""

_DAY: Final = timedelta(days=1)

_EDGE: Final = 0.1
"""The part of a window that may be empty at either end without a word, if it is under a day."""

_IN_THE_END: Final = "succeeded-in-the-end"
"""The signal that counts flows which met the cause and succeeded all the same."""

_CROWD: Final = 10
"""From how many people on an address is pointed to, from which nobody succeeded."""

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
    if len(names) > _NAMED:
        return f"{preposition} {len(names):,} {many}"
    return f"{preposition} {listed(names)}"


def verdict(report: Report, clock: Clock) -> tuple[str, ...]:
    """Return what failed, for whom, where, since when and why: the sentences to read first."""
    if not report.findings:
        return tuple(_no_verdict(report, clock))
    first = in_order(report)[0]
    if first.who_can_fix == "user":
        why = f"Nothing here needs an administrator. Most often: {_titled(first)}{_whom(first)}."
    else:
        why = f"{_trouble(first, report, clock)} Cause: {_titled(first)}."
    return (why, counted(report.totals), *_crowds(report), *doubts(report, clock))


def headline(report: Report, clock: Clock) -> tuple[str, ...]:
    """Return the first sentence of the verdict in parts: what for whom, then why, then when."""
    if not report.findings:
        return (next(_no_verdict(report, clock)),)
    first = in_order(report)[0]
    if first.who_can_fix == "user":
        return (
            "Nothing here needs an administrator.",
            f"Most often: {_titled(first)}{_whom(first)}.",
        )
    when = seen(first, report, clock)
    return f"{_what(first, report)}.", f"Cause: {_titled(first)}.", f"{when[0].upper()}{when[1:]}."


def _whom(finding: Finding) -> str:
    return f", for {people(finding.users)}" if finding.users else ""


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
    sure = finding.confidence.value
    if any((one.signal, one.value) == (_IN_THE_END, finding.flows) for one in finding.against):
        sure += "; all succeeded in the end"
    return f"{harmless.line(finding.title).rstrip('.')} ({sure})"


def means(finding: Finding) -> str:
    """Return what the confidence of this finding rests on."""
    stated = any(one.signal == "reason-stated" for one in finding.evidence)
    match finding.confidence.value:
        case "confirmed":
            return "a reason, code or device reading names this very cause"
        case "likely" if stated and finding.family:
            return "a text names the family, and not which member of it"
        case "likely" if stated:
            return "a text names it; that the text means this is known by inference only"
        case "likely":
            return "separate signs agree, and no known spoiler was found"
        case _:
            return "it fits, but other causes fit too"


def _trouble(finding: Finding, report: Report, clock: Clock) -> str:
    comma = "," if place(finding.scope) or not (finding.users or finding.flows) else ""
    return f"{_what(finding, report)}{comma} {seen(finding, report, clock)}."


def _what(finding: Finding, report: Report) -> str:
    """Return what is wrong, for whom and where, without a full stop."""
    over = _is_over(finding, report)
    where = place(finding.scope)
    where = f" {where}" if where else ""
    if not finding.users and not finding.flows:
        return f"Something {'stood' if over else 'stands'} out{where}"
    whom = people(finding.users) if finding.users else several(finding.flows, "flow")
    if finding.layer == "security":
        may, it = ("may have been", "concerned") if over else ("may be", "concerns")
        return f"Password reset {may} misused: it {it} {whom}{where}"
    return f"Password reset {'gave' if over else 'gives'} trouble to {whom}{where}"


def seen(finding: Finding, report: Report, clock: Clock) -> str:
    """Return when a finding was first and last seen, and whether it is over.

    "Since" is said where the window begins with the records, or an estimated onset lies before it.
    Otherwise, with records before it, the cause may have been there earlier: what a text states is
    not looked for before the window.
    """
    first, last = clock.moment(finding.first_seen), clock.moment(finding.last_seen)
    begun = min([report.baseline.start, *(start for start, _ in report.coverage.spans)])
    # A pattern may have begun before the window; then its onset is known.
    before = begun < report.window.start <= finding.first_seen
    if _is_over(finding, report):
        span = f"on {first}" if first == last else f"from {first} to {last}"
        return f"{'in this window ' if before else ''}{span}; not seen since"
    first = f"first seen in this window {first}" if before else f"since {first}"
    return f"{first}; last seen {last}"


def _is_over(finding: Finding, report: Report) -> bool:
    """Say whether a finding has been silent for more than a day, and for longer than it lasted.

    The silence ends where the window or its last record does. What came and went for three weeks
    is not over after two days; an outage of one day is.
    """
    spans = report.coverage.spans
    end = min(report.window.end, spans[-1][1]) if spans else report.window.end
    silence = end - finding.last_seen
    return silence > max(_DAY, finding.last_seen - finding.first_seen)


def rivals(finding: Finding) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return why other causes fit too, and with each reason the causes that share it.

    A cause stands with its title. A reason that only one has stays with it, and its own is empty.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in finding.rivals:
        title, _, why = one.why.rpartition(": ")
        groups.setdefault(why, []).append((one.cause, title))
    return [
        (why, found) if len(found) > 1 else ("", [(found[0][0], _joined(found[0][1], why))])
        for why, found in groups.items()
    ]


def _joined(title: str, why: str) -> str:
    return f"{title}: {why}" if title else why


def counted(totals: Totals) -> str:
    """Return how the flows ended, in one sentence."""
    ends = ", ".join(
        f"{totals.outcomes[outcome]:,} {outcome}"
        for outcome in OUTCOMES
        if totals.outcomes[outcome]
    )
    flows = several(totals.flows, "flow")
    return f"{flows} by {people(totals.users)}: {ends}." if totals.flows else "No flow began."


def fruitless(totals: Totals) -> int:
    """Return how many flows ended, and not in success."""
    return totals.flows - totals.outcomes["succeeded"] - totals.outcomes["open"]


def _crowds(report: Report) -> list[str]:
    """Return a pointer to each address from which many people came and nobody succeeded.

    Most of these flows stopped without an end, so that no reason names a cause, and no pattern was
    found that would; it is only where to look.
    """
    told = {ip for one in report.findings for ip in one.scope.ips}
    found = [
        f"Look at {name(one.ip)}: {several(one.flows, 'flow')} for {people(one.users)}, none "
        f"succeeded, {one.outcomes['abandoned']:,} stopped without an end."
        for one in report.by_ip
        if one.ip
        and one.ip not in told
        and one.users >= _CROWD
        and not one.outcomes["succeeded"]
        and one.outcomes["abandoned"] * 2 > one.flows
    ]
    if len(found) <= _NAMED:
        return found
    more = several(len(found) - _NAMED, "more address", "more addresses")
    return [*found[:_NAMED], f"So it is with {more}."]


def doubts(report: Report, clock: Clock) -> Iterator[str]:
    """Yield what the reader must know before trusting the verdict."""
    yield from _edges(report, clock)
    faults = []
    if report.coverage.gaps:
        faults.append(several(len(report.coverage.gaps), "gap"))
    faults.extend(_losses(report))
    if faults or report.coverage.complete is False:
        why = f" ({', '.join(faults)})" if faults else ""
        yield f"The data is not complete{why}: what is missing could change this verdict."


def _edges(report: Report, clock: Clock) -> Iterator[str]:
    """Yield where the records of files begin late or end early: by a day, or a tenth of the window.

    Fetched data need no such word, because what they lack is named as a gap.
    """
    window, spans = report.window, report.coverage.spans
    if report.coverage.complete is not None or not spans:
        return
    first, last = spans[0][0], spans[-1][1]
    if last < window.start or first >= window.end:
        yield f"All records lie outside this window: {clock.span(first, last)}."
        return
    enough = min(_DAY, (window.end - window.start) * _EDGE)
    if (late := first - window.start) > enough:
        yield (
            f"The records begin {clock.moment(first)}, {length(late)} after this window does; "
            "what came before is not known."
        )
    if (early := window.end - last) > enough:
        yield (
            f"The records end {clock.moment(last)}, {length(early)} before this window does; "
            "what came after is not known."
        )


def _losses(report: Report) -> Iterator[str]:
    """Yield what was lost in reading; a loss without a count is one that nobody can count."""
    if count := _skipped(report):
        yield f"{several(count, 'record')} could not be read"
    if any(not one.count for one in report.account.skipped):
        yield "an unknown part of a file is missing"


def _skipped(report: Report) -> int:
    return sum(one.count for one in report.account.skipped)


def _no_verdict(report: Report, clock: Clock) -> Iterator[str]:
    totals, account = report.totals, report.account
    if not (account.events or account.other_records or account.outside_window):
        yield "There is no audit record here, so nothing can be judged."
        yield from _why_empty(report)
    elif not account.events:
        yield "There is no password reset event in this window, so nothing can be judged."
        yield from _why_empty(report)
    elif not totals.flows:
        yield (
            "No password reset began in this window; "
            f"{several(account.events, 'event')} of other kinds were counted."
        )
    else:
        yield (
            "No cause is named by a reason in these records; "
            f"{several(fruitless(totals), 'flow')} ended without one."
        )
        yield counted(totals)
        yield from _crowds(report)
        yield (
            "That is no all-clear: an attempt that never reached the reset page leaves no record."
        )
    yield from doubts(report, clock)


def _why_empty(report: Report) -> Iterator[str]:
    """Yield what is likely when there is no event at all, the most telling first."""
    account = report.account
    for loss in _losses(report):
        yield f"{loss[0].upper()}{loss[1:]}: see below, and export it again."
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
    if report.is_pseudonymized:
        yield "Names", PSEUDONYMS
    yield "Records", _account(report)
    if report.account.filter:
        yield "Filter", harmless.line(report.account.filter)
    yield from _covered(report, clock)
    for one in report.account.skipped:
        reason, example = harmless.line(one.reason), harmless.line(one.example)
        if one.count:
            yield "Skipped", f"{several(one.count, 'record')}: {reason} (first: {example})"
        else:  # how much is missing is not known, nor in how many files
            yield "Not whole", f"{example}: {reason}"
    if conflicts := report.account.id_conflicts:
        yield "Conflict", f"{several(conflicts, 'record')} with the id of another; both stay"
    if report.account.files_ignored:
        yield "Ignored", f"files not read: {listed(report.account.files_ignored, most=5)}"


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
