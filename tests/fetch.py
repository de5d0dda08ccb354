"""What the tests of fetching share: a tenant with a store beside it, and what came of it."""

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import keep
from graph_records import CORE, MOVED, audit, stamp
from graph_tenant import NOW, Clock, Tenant
from parts import Parts

from sspr_audit import engine, knowledge
from sspr_audit.pipeline import fetching

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

KINDS = (
    {},
    {"service": CORE, "activity": "Reset user password"},
    {"service": CORE, "activity": "Change user password"},
    {"service": CORE, "activity": "Update StsRefreshTokenValidFrom Timestamp"},
    {"service": "Authentication Methods", "activity": "User registered security info"},
)
"""A record for each part of the narrow query that a verdict needs."""


def records(number, since=NOW - 3 * DAY, until=NOW - MINUTE, *, ours=0.5):
    """Return so many records at even distances; a share of `ours` is what a report knows.

    They have 0 to 7 digits after the second. The share comes in turns of ten.
    """
    step = (until - since) / number
    made = []
    for at in range(number):
        about = KINDS[at % len(KINDS)] if at % 10 < ours * 10 else {"service": CORE}
        about = {"activity": MOVED, **about} if at % 10 >= ours * 10 else about
        moment = since + at * step
        ticks = int.from_bytes(hashlib.sha256(bytes([at % 251])).digest()[:3]) % 10**7
        made.append(audit(stamp(moment.replace(microsecond=0), ticks, at % 8), **about))
    return made


@dataclass
class World:
    """A tenant, a store, and the parts of the client between them."""

    tenant: Tenant
    parts: Parts
    keeper: keep.Keeper

    @property
    def clock(self):
        return self.tenant.clock

    def fetch(self, since=3 * DAY, *, tell=lambda _: None, **wishes):
        """Fetch what is missing since so long before NOW, which is when the clock began."""
        wishes = fetching.Wishes(
            knowledge.load(),
            wishes.pop("tenant_id", self.tenant.id),
            NOW - since,
            **{"all_audits": True, **wishes},
        )
        return fetching.fetch(self.keeper, self.parts.graph, self.clock, wishes, tell)

    def query(self, sql):
        with engine.database(self.keeper.path, read_only=True) as connection:
            return engine.rows(connection, sql)

    @property
    def held(self):
        """The raw texts in the store, sorted."""
        return sorted(text for text, _ in keep.texts(self.keeper))


@contextmanager
def world(folder, made, *, clock=None, page=None):
    """Yield a world whose tenant has the records, on pages of so many."""
    clock = clock or Clock()
    with Tenant(made, clock=clock) as tenant, Parts(tenant) as parts:
        if page:
            tenant.graph = _paged(tenant.graph, page)
        yield World(tenant, parts, keep.keeper(folder))


def _paged(service, page):
    """Return the service with pages of so many records."""

    class Paged(type(service)):
        def _chain(self, one, *rest, **more):
            return super()._chain(replace(one, page=page), *rest, **more)

    service.__class__ = Paged
    return service


def texts(made):
    """Return the records as the tenant writes them, sorted."""
    return sorted(json.dumps(one, ensure_ascii=False) for one in made)
