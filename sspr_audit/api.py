"""What notebooks and other programs may use: a dozen names, all of them under `sspr_audit`.

    import sspr_audit

    found = sspr_audit.analyse("exports/")      # files; without any, the store of the settings
    found                                       # the verdict and the findings
    found.flows                                 # a row a flow, columns as sspr_audit.tables.FLOWS
    sspr_audit.story(found, "ann@example.com")  # one person, as a time line
    sspr_audit.charts.flows_per_day(found.flows)

Everything else in the package may change with any version. Times are UTC.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sspr_audit import knowledge, settings
from sspr_audit.errors import SsprAuditError
from sspr_audit.knowledge import Knowledge
from sspr_audit.model import Change, Finding, Report
from sspr_audit.pipeline import asking, keeping, stored_report
from sspr_audit.pipeline import catalogue as causes
from sspr_audit.pipeline import report as reports
from sspr_audit.pipeline import story as stories
from sspr_audit.pipeline.analysis import Analysis, Options, compared
from sspr_audit.settings import times

__all__ = [
    "Analysis",
    "Change",
    "Finding",
    "Report",
    "SsprAuditError",
    "Text",
    "analyse",
    "catalogue",
    "changed",
    "demo",
    "story",
    "why",
]


@dataclass(frozen=True, slots=True)
class Text:
    """A page of plain text, which a notebook shows as it is."""

    plain: str

    def __str__(self) -> str:
        return self.plain

    def __repr__(self) -> str:
        return self.plain


def analyse(  # noqa: PLR0913 - everything that can be asked
    *paths: str | Path,
    since: str | None = None,
    until: str | None = None,
    config: str | Path | None = None,
    cloud: str | None = None,
    catalogue: Knowledge | None = None,
    now: datetime | None = None,
) -> Analysis:
    """Return the analysis of the exports in `paths`, or of the store of the settings.

    `paths` are files, folders and globs, in any form that `sspr-audit report --input` reads. The
    store is taken as it is: `sspr-audit fetch` brings it up to date. `since` and `until` are
    written as on the command line: `7d`, `2026-03-01`, a full ISO time. `config` names a settings
    file, else the user's own counts. `catalogue` is what `sspr_audit.catalogue` gave.

    Raises SsprAuditError, whose one line says who can put it right.
    """
    ours = settings.load(Path(config) if config else None, environ=os.environ)
    options = _options(
        ours, now or datetime.now(UTC), since=since, until=until, cloud=cloud, catalogue=catalogue
    )
    if paths:
        return reports.from_files([str(path) for path in paths], options)
    keeper = keeping.Keeper(ours.store.path, options.now, _silent, tenant=ours.tenant.id)
    return stored_report.from_store(keeper, options)


def demo(
    *,
    since: str | None = None,
    until: str | None = None,
    cloud: str | None = None,
    catalogue: Knowledge | None = None,
) -> Analysis:
    """Return the analysis of the made-up tenant that ships with the program; same every time."""
    said, now = reports.demo_facts()
    ours = settings.checked(said, file=None)
    return reports.from_demo(
        _options(ours, now, since=since, until=until, cloud=cloud, catalogue=catalogue)
    )


def story(found: Analysis, who: str, *, timezone: str | None = None) -> Text:
    """Return one flow or one person as a time line: a flow or event id, a name or an object id.

    `timezone` is an IANA name for the times; without it they are UTC.
    """
    return Text(stories.told(found, who, timezone=timezone))


def why(found: Analysis, cause: str) -> Text:
    """Return how the verdict on a cause or family came about in this data."""
    return Text(causes.why(found, cause))


def changed(found: Analysis, at: str) -> Change:
    """Return whether resets got better after `at`, for the tenant, each site and each client."""
    options = found.options
    moment = times.moment(at, option="at", now=options.now, until=options.end)
    return compared(moment, found.flows, found.data)


def catalogue(folder: str | Path) -> Knowledge:
    """Return the catalogue of causes with the ones in `folder` added, checked as the shipped ones.

    `folder` holds `causes/<id>.toml`, and rows for `reasons.toml` and other tables where a cause
    needs them. Raises KnowledgeError, which names every fault.
    """
    return knowledge.extended(Path(folder))


def _options(  # noqa: PLR0913
    ours: settings.Settings,
    now: datetime,
    *,
    since: str | None,
    until: str | None,
    cloud: str | None,
    catalogue: Knowledge | None,
) -> Options:
    start, end = times.resolve(since, until, now=now)
    return asking.options(
        ours,
        now=now,
        generated_at=now,
        start=start,
        end=end,
        cloud=cloud,
        tell_events=True,
        catalogue=catalogue,
    )


def _silent(_: str) -> None:
    """Say nothing: a library does not talk."""
