"""A report on the store → what a later report may know of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sspr_audit.judge import course
from sspr_audit.model import Report, Told
from sspr_audit.pipeline.keeping import Keeper
from sspr_audit.report import basis
from sspr_audit.store import history


def _is_whole(report: Report) -> bool:
    """Say whether the records hold the whole window: by the ledger, else by where they lie.

    Files have no ledger; theirs must reach its edges, or the days they lack would seem well.
    """
    coverage, window = report.coverage, report.window
    if coverage.complete is not None or not coverage.spans:
        return coverage.complete is True
    enough = basis.near(window)
    first, last = coverage.spans[0][0], coverage.spans[-1][1]
    return first <= window.start + enough and last >= window.end - enough


def remember(keeper: Keeper, report: Report) -> None:
    """Write down what the report found, so that a later one can tell what is new or gone.

    Nothing is written where the store knows it already, and nobody is waited for: raises
    LocalTrouble, such as StoreBusy, where it cannot be written now.
    """
    told = Told(
        window=report.window,
        complete=_is_whole(report),
        findings=tuple(
            # The weightiest first: of two with one identity it tells of both.
            {one.identity: course.past(one) for one in reversed(report.findings)}.values()
        ),
    )
    told = replace(told, findings=tuple(sorted(told.findings, key=lambda one: one.identity)))
    with keeper.store.reading() as store:
        if history.at(store, report.window) == told:
            return
    with replace(keeper, wait=timedelta()).held("report"), keeper.store.writing() as store:
        history.remember(store, told)
