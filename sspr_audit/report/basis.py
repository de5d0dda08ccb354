"""What a report rests on, and what is missing in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sspr_audit.model import Report, Window
from sspr_audit.report import harmless, words
from sspr_audit.report.clock import Clock, length

_DAY: Final = timedelta(days=1)

_EDGE: Final = 0.1
"""The part of a window that may be empty at either end without a word, if it is under a day."""


def doubts(report: Report, clock: Clock) -> Iterator[str]:
    """Yield what the reader must know before trusting the verdict."""
    yield from _edges(report, clock)
    faults = []
    if report.coverage.gaps:
        faults.append(words.several(len(report.coverage.gaps), "gap"))
    faults.extend(losses(report))
    if faults or report.coverage.complete is False:
        why = f" ({', '.join(faults)})" if faults else ""
        yield f"The data is not complete{why}: what is missing could change this verdict."


def near(window: Window) -> timedelta:
    """Return how far from an edge of the window the records of files may begin or end."""
    return min(_DAY, (window.end - window.start) * _EDGE)


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
    enough = near(window)
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


def losses(report: Report) -> Iterator[str]:
    """Yield what was lost in reading; a loss without a count is one that nobody can count."""
    if count := _skipped(report):
        yield f"{words.several(count, 'record')} could not be read"
    if any(not one.count for one in report.account.skipped):
        yield "an unknown part of a file is missing"


def _skipped(report: Report) -> int:
    return sum(one.count for one in report.account.skipped)


def why_empty(report: Report) -> Iterator[str]:
    """Yield what is likely when there is no event at all, the most telling first."""
    account = report.account
    for loss in losses(report):
        yield f"{loss[0].upper()}{loss[1:]}: see below, and export it again."
    if account.outside_window:
        yield (
            f"{words.several(account.outside_window, 'record')} lie outside the window: "
            "choose another --since and --until."
        )
    if account.other_records:
        yield (
            f"{words.several(account.other_records, 'audit record')} of other kinds were read:"
            " perhaps the export was filtered. Export the whole audit log, or the service"
            " 'Self-service Password Management'."
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
    tenant = [words.name(one) for one in (report.tenant_id, report.cloud) if one]
    if tenant:
        yield "Tenant", ", ".join(tenant)
    if report.is_pseudonymized:
        yield "Names", words.PSEUDONYMS
    yield "Records", _account(report)
    if report.account.filter:
        yield "Filter", harmless.line(report.account.filter)
    yield from _covered(report, clock)
    for one in report.account.skipped:
        reason, example = harmless.line(one.reason), harmless.line(one.example)
        if one.count:
            yield "Skipped", f"{words.several(one.count, 'record')}: {reason} (first: {example})"
        else:  # how much is missing is not known, nor in how many files
            yield "Not whole", f"{example}: {reason}"
    if conflicts := report.account.id_conflicts:
        yield "Conflict", f"{words.several(conflicts, 'record')} with the id of another; both stay"
    if report.account.files_ignored:
        yield "Ignored", f"files not read: {words.listed(report.account.files_ignored, most=5)}"


def _account(report: Report) -> str:
    account = report.account
    parts = [f"{account.events:,} of password reset"]
    counts = {
        "other audit records": account.other_records,
        "outside the window": account.outside_window,
        "dropped as duplicates": account.duplicates,
        "skipped": _skipped(report),
        **{words.name(kind): count for kind, count in sorted(account.context_records.items())},
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
