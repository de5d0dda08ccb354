"""Reads the audit records of one window, and believes none that was not asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

import msgspec

from sspr_audit.model import Window
from sspr_audit.sources.graph.answers import Page
from sspr_audit.sources.graph.collections import AUDITS, Collection
from sspr_audit.sources.graph.errors import Unproved
from sspr_audit.sources.graph.queries import Clause, audit_query, filtered, moment, parsed

ORDER: Final = "&$orderby=activityDateTime"
"""Oldest first, which shows after one page how many there will be. Nothing else rests on it."""


class Asked(Protocol):
    """What gives pages: client.Graph."""

    def pages(
        self, collection: Collection, path_and_query: str, *, kind: str | None = None
    ) -> Iterator[Page]:
        """Yield the pages of a query; see client.Graph.pages."""


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a window."""

    texts: tuple[bytes, ...]
    """Records with start ≤ time < end, and any whose time cannot be read."""
    ids: tuple[str, ...]
    """Of those, the ids that there are."""
    reached: datetime | None
    """The time of its last record; None where it has none or is not in order of time."""
    is_last: bool
    request_id: str | None


class _Head(msgspec.Struct, frozen=True):
    id: str | None = None
    time: str | None = msgspec.field(name="activityDateTime", default=None)


_HEAD: Final = msgspec.json.Decoder(_Head)


def read(
    graph: Asked, window: Window, clauses: Iterable[Clause], *, kind: str | None = None
) -> Iterator[Part]:
    """Yield the window's pages; whole only when this ends by itself.

    Raises what client.Graph.pages does, and Unproved for a record that lies outside of what was
    asked: then the filter was not kept, and nobody knows what is missing.
    """
    for page in graph.pages(AUDITS, audit_query(window, clauses) + ORDER, kind=kind):
        yield checked(page, window)


def checked(page: Page, window: Window) -> Part:
    """Return the records of a page that are in the window. Raises Unproved.

    The service was asked for its end too, whose records are the next window's.
    """
    heads = [_head(text) for text in page.records]
    times = [parsed(head.time) for head in heads]
    known = [time for time in times if time is not None]
    for time in known:
        if not window.start <= time <= window.end:
            msg = (
                f"Graph sent a record of {moment(time)} where {moment(window.start)} to"
                f" {moment(window.end)} was asked for, so it does not keep to the filter; nothing"
                f" of this is kept; report it to Microsoft with request {page.request_id}"
            )
            raise Unproved(msg)
    inside = [time is None or time < window.end for time in times]
    return Part(
        texts=tuple(text for text, keep in zip(page.records, inside, strict=True) if keep),
        ids=tuple(h.id for h, keep in zip(heads, inside, strict=True) if keep and h.id),
        reached=known[-1] if known and known == sorted(known) else None,
        is_last=page.is_last,
        request_id=page.request_id,
    )


def has_any(graph: Asked, window: Window, *, kind: str) -> bool:
    """Say whether the service has any audit record of a window."""
    span = f"activityDateTime ge {moment(window.start)} and activityDateTime le "
    query = filtered(replace(AUDITS, page_size=1), span + moment(window.end))
    return any(page.records for page in graph.pages(AUDITS, query, kind=kind))


def _head(text: bytes) -> _Head:
    try:
        return _HEAD.decode(text)
    except msgspec.ValidationError:  # an id or a time that is no text; the store accounts for it
        return _Head()
