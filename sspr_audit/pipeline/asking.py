"""The settings and what is asked → what an analysis needs to know."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sspr_audit import knowledge
from sspr_audit.errors import UsageError
from sspr_audit.knowledge import Cloud, Knowledge
from sspr_audit.model import Site
from sspr_audit.pipeline.analysis import Options

if TYPE_CHECKING:
    from sspr_audit.settings import Settings


def options(  # noqa: PLR0913 - everything that can be asked
    settings: Settings,
    *,
    now: datetime,
    generated_at: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
    cloud: str | None = None,
    tell_events: bool = False,
    catalogue: Knowledge | None = None,
) -> Options:
    """Return the options of an analysis; without a `catalogue`, the one that ships.

    Raises UsageError for a cloud that nobody knows.
    """
    known = catalogue or knowledge.load()
    return Options(
        knowledge=known,
        now=now,
        generated_at=generated_at,
        start=start,
        end=end,
        sites=tuple(
            Site(site.name, tuple(map(str, site.networks)), site.dc_reachable, shared=site.shared)
            for site in settings.sites
        ),
        client_types=settings.client_types,
        flow_timeout=settings.analysis.flow_timeout,
        tenant_id=settings.tenant.id,
        cloud=_cloud(cloud or settings.tenant.cloud, known, settings),
        tell_events=tell_events,
    )


def _cloud(name: str | None, known: Knowledge, settings: Settings) -> Cloud | None:
    if name is None:
        return None
    if name in settings.clouds:
        own = settings.clouds[name]
        return Cloud(name, own.authority, own.graph, own.sspr_host or "", own.exclusion_hosts)
    if name in known.clouds:
        return known.clouds[name]
    names = ", ".join([*known.clouds, *settings.clouds])
    msg = f"--cloud {name} is not known; it is one of {names}, or a name under [clouds]"
    raise UsageError(msg)
