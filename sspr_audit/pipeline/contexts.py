"""What explains the audit records, from Graph into the store: each collection is optional.

Where one cannot be had, the report is poorer by a sentence, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.errors import AccessDenied, ServiceUnreachable
from sspr_audit.model import Batch, Clock, Layout
from sspr_audit.pipeline import signing_in
from sspr_audit.pipeline.context_results import (
    ContextProgress,
    ContextResult,
    ContextWishes,
    State,
)
from sspr_audit.pipeline.keeping import Keeper, upgrade
from sspr_audit.pipeline.spool import Spool
from sspr_audit.sources.graph.collections import (
    CONFIGURATION_POLICIES,
    DEVICE_CONFIGURATIONS,
    DEVICES,
    MANAGED_DEVICES,
    NAMED_LOCATIONS,
    REGISTRATION_DETAILS,
    SIGN_INS,
    Collection,
)
from sspr_audit.sources.graph.errors import Refused
from sspr_audit.store import NoStore, claim, contexts

if TYPE_CHECKING:
    from sspr_audit.sources.graph.client import Graph

__all__ = ["ContextProgress", "ContextResult", "ContextWishes", "State", "fetch_context"]

FRESH: Final = timedelta(hours=22)
"""How long a collection is not asked for again. Short of a day, so that no daily run is passed
over because the one before took longer."""

ORDER: Final = (
    NAMED_LOCATIONS,
    DEVICES,
    SIGN_INS,
    REGISTRATION_DETAILS,
    MANAGED_DEVICES,
    DEVICE_CONFIGURATIONS,
    CONFIGURATION_POLICIES,
)
"""What is asked for first costs least, or tells most."""


def fetch_context(
    keeper: Keeper,
    graph: Graph,
    clock: Clock,
    wishes: ContextWishes,
    tell: Callable[[ContextProgress], None] = lambda _: None,
) -> tuple[ContextResult, ...]:
    """Bring into the store what explains its audit records; return what became of each collection.

    For after the audit records: whose sign-ins are needed follows from these. What the service
    refuses, lacks or does not bear is a result and no error. Raises SettingsError for another
    tenant's store, StoreBusy, LocalTrouble; what had landed by then stays.
    """
    with keeper.held("fetch"):
        with suppress(NoStore):
            upgrade(keeper)
        with keeper.store.writing() as store:
            claim(store, [wishes.tenant_id.lower()], wishes.tenant_id)
            standing = contexts.standing(store)
        run = _Run(keeper, graph, clock, wishes, tell)
        return tuple(run.result(one, standing.get(one.name)) for one in ORDER)


class _Run:
    """One fetch of context."""

    def __init__(
        self,
        keeper: Keeper,
        graph: Graph,
        clock: Clock,
        wishes: ContextWishes,
        tell: Callable[[ContextProgress], None],
    ) -> None:
        self.keeper, self.graph, self.clock, self.wishes = keeper, graph, clock, wishes
        self.tell = tell
        self.requests_before, self.waited_before = graph.requests.total(), graph.waited
        self.closed: str | None = None
        """Why nothing more is asked for."""

    def result(self, collection: Collection, before: contexts.Standing | None) -> ContextResult:
        """Bring a collection if it is due, and say what became of it."""
        now, asked = self.clock.now().astimezone(UTC), self.graph.requests.total()
        if before and self._is_fresh(collection, before, now):
            return ContextResult(collection.name, State.FRESH, before.records)
        try:
            result = self._brought(collection, now)
        except (AccessDenied, ServiceUnreachable) as error:
            if _is_of_all(error):
                self.closed = str(error)
            result = self._skipped(collection, now, str(error))
        return replace(result, requests=self.graph.requests.total() - asked)

    def _is_fresh(self, collection: Collection, before: contexts.Standing, now: datetime) -> bool:
        """Say whether there is no need to ask. New flows need new sign-ins, whatever came."""
        if self.wishes.again or before.came is None or collection is SIGN_INS:
            return False
        return timedelta() <= now - before.came < FRESH

    def _skipped(self, collection: Collection, now: datetime, why: str) -> ContextResult:
        with self.keeper.store.writing() as store:
            contexts.skipped(store, collection.name, now, why)
        name, without = collection.name, collection.without
        return ContextResult(name, State.SKIPPED, reason=why, without=without)

    def _brought(self, collection: Collection, now: datetime) -> ContextResult:
        if self.closed:
            raise ServiceUnreachable(self.closed)
        if collection is SIGN_INS:
            return signing_in.brought(
                self.keeper, self.graph, self.clock, self.wishes, lambda n: self._told(SIGN_INS, n)
            )
        if collection.kind is None:
            return self._links(collection, now)
        return self._whole(collection, collection.kind, now)

    def _whole(self, collection: Collection, kind: str, now: datetime) -> ContextResult:
        """Put all that a collection holds in the place of what it held before."""
        came = 0

        def arriving() -> Iterator[Batch]:
            nonlocal came
            for page in self.graph.pages(collection, collection.query):
                if page.records:
                    yield _batch(kind, page.records, came)
                came += len(page.records)
                self._told(collection, came)

        with Spool() as spool:
            for _ in spool.keeping(arriving()):
                pass  # all of it is put away before the store is opened
            stored = (contexts.stored(kind, table["text"]) for _, table in spool.batches())
            with self.keeper.store.writing() as store:
                kept = contexts.replace(store, kind, stored)
                contexts.came(store, collection.name, now, kept)
        return ContextResult(collection.name, State.CAME, kept)

    def _links(self, collection: Collection, now: datetime) -> ContextResult:
        """Keep what Intune says of the reset link, and nothing else of its profiles."""
        from sspr_audit.sources.graph import intune

        is_custom = collection is DEVICE_CONFIGURATIONS
        found = list((intune.custom_profiles if is_custom else intune.catalog_policies)(self.graph))
        with self.keeper.store.writing() as store:
            contexts.keep_links(store, collection.name, found)
            contexts.came(store, collection.name, now, len(found))
        self._told(collection, len(found))
        return ContextResult(collection.name, State.CAME, len(found))

    def _told(self, collection: Collection, records: int) -> None:
        requests = self.graph.requests.total() - self.requests_before
        waited = self.graph.waited - self.waited_before
        self.tell(ContextProgress(collection.name, records, requests, waited))


def _is_of_all(error: AccessDenied | ServiceUnreachable) -> bool:
    """Say whether the next collection would fare no better: the network, Graph as a whole, or the
    sign-in.
    """
    is_of_sign_in = isinstance(error, Refused) and error.code.startswith("AADSTS")
    return is_of_sign_in or type(error) in {AccessDenied, ServiceUnreachable}


def _batch(kind: str, texts: tuple[bytes, ...], before: int) -> Batch:
    import pyarrow as pa

    numbers = pa.array(range(before, before + len(texts)), pa.int64())
    files = pa.repeat(pa.scalar(0, pa.int32()), len(texts))
    return Batch(
        Layout(kind), pa.array(texts, pa.binary()).cast(pa.string()), numbers, files, numbers
    )
