"""Takes an answer of Graph apart: whole or not, its records' texts, and where it goes on."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from sspr_audit.sources.graph.errors import Unproved

_ABSENT: Final = msgspec.Raw()


class _Envelope(msgspec.Struct, frozen=True):
    """What surrounds the records; each record stays the text that it was."""

    value: list[msgspec.Raw] | None = None
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    error: msgspec.Raw = _ABSENT


class _Named(msgspec.Struct, frozen=True):
    id: str | None = None


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_NAMED: Final = msgspec.json.Decoder(_Named)

_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
"""An escape of JSON: a pair that makes one character, a half of one, or any other. A text that was
cut in the middle of a character ends in a half, which no reader of JSON takes. Of what a person
typed, only that is changed: else the record, and all of its minute, could never be had.
"""

_CLAIMS: Final = re.compile(r'\bclaims="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer."""

    body: bytes
    request_id: str | None
    """Graph's name for the request, which Microsoft's support asks for."""
    client_request_id: str
    """Ours."""
    date: str | None
    """The service's clock, as in the header Date."""
    records: tuple[bytes, ...] | None
    """The text of each record, untouched; None where the answer is one object."""
    next_link: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a collection, in the order and the very text that Graph gave them in."""

    records: tuple[bytes, ...]
    request_id: str | None
    number: int
    """From 1."""
    is_last: bool
    """Whether Graph names no page after it."""


class Broken(ValueError):
    """A body that is no whole JSON object, or one that says that it failed."""


def answer(response: httpx.Response, client_request_id: str) -> Answer:
    """Return what a 200 says. Raises Broken: Graph streams, and an error in the middle of a page
    ends in text that is not JSON, or in an object with an `error`; and Unproved for JSON that is
    no answer of Graph.
    """
    body = response.content
    try:
        envelope = _envelope(body)
    except (msgspec.ValidationError, RecursionError):  # the latter for a thousand brackets
        msg = "Graph answered with JSON of a shape that it never has"
        raise Unproved(msg) from None
    except (UnicodeDecodeError, msgspec.DecodeError):
        raise Broken from None
    texts = envelope.value
    if bytes(envelope.error) not in {b"", b"null"}:
        raise Broken
    return Answer(
        body=body,
        request_id=response.headers.get("request-id"),
        client_request_id=client_request_id,
        date=response.headers.get("Date"),
        records=None if texts is None else tuple(map(bytes, texts)),
        next_link=envelope.next_link,
    )


def _envelope(body: bytes) -> _Envelope:
    body.decode("utf-8")
    try:
        return _ENVELOPE.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _ESCAPE.sub(_whole, body)
        if mended == body:
            raise
        return _ENVELOPE.decode(mended)


def _whole(escape: re.Match[bytes]) -> bytes:
    """Return an escape of JSON as it is, or U+FFFD for half a character."""
    return rb"\ufffd" if escape["half"] else escape[0]


def fingerprint(records: tuple[bytes, ...]) -> int:
    """Return a number for a page, by its size and its outermost ids. In one chain each record
    comes once, so two pages that share these are one.
    """
    outermost = (records[0], records[-1]) if records else ()
    return hash((len(records), *map(_name, outermost)))


def _name(record: bytes) -> str | bytes:
    """Return the record's id, or all of it: a text can change between two readings."""
    try:
        return _NAMED.decode(record).id or record
    except msgspec.ValidationError:
        return record


def error_code(response: httpx.Response) -> str:
    """Return Graph's own code of an error answer, the innermost that it names, or ""."""
    try:
        said: Any = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    match said:
        case {"error": {"code": "UnknownError", "innerError": {"code": str(code)}}}:
            return code
        case {"error": {"code": str(code)}}:
            return code
    return ""


def claims_challenge(response: httpx.Response) -> str | None:
    """Return the claims that Graph wants in a new token; None where it wants none.

    https://learn.microsoft.com/en-us/entra/identity-platform/claims-challenge
    """
    header = response.headers.get("WWW-Authenticate", "")
    found = _CLAIMS.search(header) if "insufficient_claims" in header else None
    if found is None:
        return None
    padded = found[1] + "=" * (-len(found[1]) % 4)
    try:
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
        wanted: Any = msgspec.json.decode(text)
    except (binascii.Error, UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return None
    match wanted:
        case {"access_token": dict()}:
            return text
    return None  # a token can hold nothing of it
