"""What explains the audit records, from Graph into the store: each collection is optional.

Where one cannot be had, the report is poorer by a sentence, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.errors import AccessDenied, ServiceUnreachable
from sspr_audit.model import Batch, Clock, Layout
from sspr_audit.pipeline import signing_in
from sspr_audit.pipeline.context_results import (
    ContextResult,
    ContextSoFar,
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
    import duckdb

    from sspr_audit.sources.graph.client import Graph

__all__ = ["ContextResult", "ContextSoFar", "ContextWishes", "State", "fetch_context"]

FRESH: Final = timedelta(hours=22)
"""How long a collection is not asked for again. Short of a day, so that no daily run is passed
over because the one before took longer."""

ORDER: Final = (
    (NAMED_LOCATIONS, DEVICES),
    (
        *(SIGN_INS, REGISTRATION_DETAILS, MANAGED_DEVICES),
        *(DEVICE_CONFIGURATIONS, CONFIGURATION_POLICIES),
    ),
)
"""What is asked for first costs least, or tells most. What stands together lands together: opening
the store often would take longer than what is done there."""

Landing = Callable[["duckdb.DuckDBPyConnection"], int]
"""Puts what came of a collection into the store; returns how many records that is."""


def fetch_context(
    keeper: Keeper,
    graph: Graph,
    clock: Clock,
    wishes: ContextWishes,
    tell: Callable[[ContextSoFar], None] = lambda _: None,
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
        return tuple(result for some in ORDER for result in run.results(some, standing))


class _Run:
    """One fetch of context."""

    def __init__(
        self,
        keeper: Keeper,
        graph: Graph,
        clock: Clock,
        wishes: ContextWishes,
        tell: Callable[[ContextSoFar], None],
    ) -> None:
        self.keeper, self.graph, self.clock, self.wishes = keeper, graph, clock, wishes
        self.tell = tell
        self.requests_before, self.waited_before = graph.requests.total(), graph.waited
        self.closed: str | None = None
        """Why nothing more is asked for."""

    def results(
        self, collections: Iterable[Collection], before: Mapping[str, contexts.Standing]
    ) -> list[ContextResult]:
        """Bring the collections that are due, and say what became of each."""
        with ExitStack() as spools:
            asked = [self._asked(one, before.get(one.name), spools) for one in collections]
            if not any(land for _, land in asked):
                return [result for result, _ in asked]
            with self.keeper.store.writing() as store:
                return [
                    replace(result, records=land(store)) if land else result
                    for result, land in asked
                ]

    def _asked(
        self, collection: Collection, before: contexts.Standing | None, spools: ExitStack
    ) -> tuple[ContextResult, Landing | None]:
        """Ask for a collection if it is due; return what became of it, and what is still to land.

        Until it has landed, its records wait in a spool that ends with `spools`.
        """
        now, asked = self.clock.now().astimezone(UTC), self.graph.requests.total()
        if before and self._is_fresh(collection, before, now):
            return ContextResult(collection.name, State.FRESH, before.records), None
        land: Landing | None
        try:
            result, land = self._brought(collection, now, spools)
        except (AccessDenied, ServiceUnreachable) as error:
            if _is_of_all(error):
                self.closed = str(error)
            result, land = _skipped(collection, now, str(error))
        return replace(result, requests=self.graph.requests.total() - asked), land

    def _is_fresh(self, collection: Collection, before: contexts.Standing, now: datetime) -> bool:
        """Say whether there is no need to ask. New flows need new sign-ins, whatever came."""
        if self.wishes.again or before.came is None or collection is SIGN_INS:
            return False
        return timedelta() <= now - before.came < FRESH

    def _brought(
        self, collection: Collection, now: datetime, spools: ExitStack
    ) -> tuple[ContextResult, Landing | None]:
        if self.closed:
            raise ServiceUnreachable(self.closed)
        if collection is SIGN_INS:
            done = signing_in.brought(
                self.keeper, self.graph, self.clock, self.wishes, lambda n: self._told(SIGN_INS, n)
            )
            return done, None
        if collection.kind is None:
            land = self._links(collection, now)
        else:
            land = self._whole(collection, collection.kind, now, spools.enter_context(Spool()))
        return ContextResult(collection.name, State.CAME), land

    def _whole(self, collection: Collection, kind: str, now: datetime, spool: Spool) -> Landing:
        """Put away all that a collection holds; it lands in the place of what it held before."""
        came = 0

        def arriving() -> Iterator[Batch]:
            nonlocal came
            for page in self.graph.pages(collection, collection.query):
                if page.records:
                    yield _batch(kind, page.records, came)
                came += len(page.records)
                self._told(collection, came)

        def land(store: duckdb.DuckDBPyConnection) -> int:
            stored = (contexts.stored(kind, table["text"]) for _, table in spool.batches())
            kept = contexts.replace(store, kind, stored)
            contexts.came(store, collection.name, now, kept)
            return kept

        for _ in spool.keeping(arriving()):
            pass  # all of it is put away before the store is opened
        return land

    def _links(self, collection: Collection, now: datetime) -> Landing:
        """Keep what Intune says of the reset link, and nothing else of its profiles."""
        from sspr_audit.sources.graph import intune

        is_custom = collection is DEVICE_CONFIGURATIONS
        found = list((intune.custom_profiles if is_custom else intune.catalog_policies)(self.graph))

        def land(store: duckdb.DuckDBPyConnection) -> int:
            contexts.keep_links(store, collection.name, found)
            contexts.came(store, collection.name, now, len(found))
            return len(found)

        self._told(collection, len(found))
        return land

    def _told(self, collection: Collection, records: int) -> None:
        requests = self.graph.requests.total() - self.requests_before
        waited = self.graph.waited - self.waited_before
        self.tell(ContextSoFar(collection.name, records, requests, waited))


def _skipped(collection: Collection, now: datetime, why: str) -> tuple[ContextResult, Landing]:
    def land(store: duckdb.DuckDBPyConnection) -> int:
        contexts.skipped(store, collection.name, now, why)
        return 0

    name, without = collection.name, collection.without
    return ContextResult(name, State.SKIPPED, reason=why, without=without), land


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
