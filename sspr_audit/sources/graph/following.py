"""Reads the interactive sign-ins of a few people in a span of time; believes no others.

https://learn.microsoft.com/en-us/graph/api/signin-list
"""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from sspr_audit.model import Window
from sspr_audit.sources.graph.collections import SIGN_INS
from sspr_audit.sources.graph.errors import Unproved
from sspr_audit.sources.graph.queries import filtered, literal, moment, parsed
from sspr_audit.sources.graph.reading import Asked

PEOPLE: Final = 15
"""Most people in one filter: of more the directory says "Too many child clauses specified".

https://github.com/microsoftgraph/microsoft-graph-docs/issues/21098
"""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in as Graph wrote it."""

    text: bytes
    people: frozenset[str]
    """Whose it is: object id and user principal name, in lower case."""
    time: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One page of sign-ins."""

    sign_ins: tuple[SignIn, ...]
    is_last: bool


class _Head(msgspec.Struct, frozen=True):
    time: str | None = msgspec.field(name="createdDateTime", default=None)
    user_id: str | None = msgspec.field(name="userId", default=None)
    upn: str | None = msgspec.field(name="userPrincipalName", default=None)


_HEAD: Final = msgspec.json.Decoder(_Head)


def query(people: Some[str], window: Window) -> str:
    """Return path and query for the sign-ins of people, named by object id or by principal name.

    The end of the window is asked for too.
    """
    span = f"createdDateTime ge {moment(window.start)} and createdDateTime le "
    names = sorted(people)
    parts = (
        f"{'userPrincipalName' if '@' in name else 'userId'} eq {literal(name)}" for name in names
    )
    return filtered(SIGN_INS, f"{span}{moment(window.end)} and ({' or '.join(parts)})")


def read(graph: Asked, people: Some[str], window: Window) -> Iterator[Part]:
    """Yield the sign-ins page by page; all of them only when this ends by itself.

    `people` are in lower case, at most PEOPLE. Raises what client.Graph.pages does, and Unproved
    for somebody else's sign-in or one of another time, which an ignored filter brings:
    https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/3159.
    """
    for page in graph.pages(SIGN_INS, query(people, window)):
        texts = page.records
        found = tuple(_checked(text, people, window, page.request_id) for text in texts)
        yield Part(found, page.is_last)


def _checked(text: bytes, people: Some[str], window: Window, request_id: str | None) -> SignIn:
    try:
        head = _HEAD.decode(text)
    except msgspec.ValidationError:
        head = _Head()
    theirs, time = (
        frozenset(name.lower() for name in (head.user_id, head.upn) if name),
        parsed(head.time),
    )
    if time is None or theirs.isdisjoint(people) or not window.start <= time <= window.end:
        msg = (
            "Graph sent a sign-in of somebody or some time that was not asked for, so it does not"
            " keep to the filter; nothing of this is kept; report it to Microsoft with request"
            f" {request_id}"
        )
        raise Unproved(msg)
    return SignIn(text, theirs, time)
