"""What changed since the period before: the records before the window, and an earlier report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sspr_audit.evidence import change, earlier, explicit
from sspr_audit.judge import course
from sspr_audit.judge import explicit as stating
from sspr_audit.knowledge import Cloud, Knowledge
from sspr_audit.model import Finding, Met, Progress, Told, Window

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb
    import pandas as pd

    from sspr_audit.pipeline.judging import Judged


def followed(  # noqa: PLR0913 - what is known of the window and of the time before it
    connection: duckdb.DuckDBPyConnection,
    knowledge: Knowledge,
    judged: Judged,
    flows: pd.DataFrame,
    window: Window,
    *,
    cloud: Cloud | None,
    first: datetime,
    is_whole: bool,
    has_gaps: bool,
    told: Told | None,
) -> tuple[Judged, Progress]:
    """Return the judgement with each finding's course, and what else changed.

    The records begin at `first`; `is_whole` says whether they hold the whole period before, and
    `has_gaps` whether some of the window's own are missing. `told` is the report on the period
    before, where there was one.
    """
    met = earlier.met(connection, knowledge, flows, window, first=first, is_whole=is_whole)
    findings = course.followed(judged.findings, met, told, window=window, is_whole=is_whole)
    tried = bool(flows["start_utc"].ge(window.start).any())
    can_tell = tried and not has_gaps
    span = window.before
    stated: tuple[Finding, ...] = ()
    if can_tell and is_whole and _went(met, findings):
        cases = explicit.cases(connection, knowledge, flows, span)
        stated = stating.findings(cases, knowledge, cloud=cloud)
    return replace(judged, findings=findings), Progress(
        before=span,
        is_known=is_whole or (told is not None and told.complete),
        ended_well=change.ended_well(flows, span, window) if is_whole else None,
        gone=course.gone(findings, stated, met, told, is_whole=is_whole) if can_tell else (),
        gone_is_known=can_tell,
    )


def _went(met: Iterable[Met], findings: Iterable[Finding]) -> bool:
    """Say whether reasons named something in the period before that they do not name now."""
    here = {one.family or one.cause for one in findings if course.is_stated(one)}
    return any(one.seen and one.target not in here for one in met)
