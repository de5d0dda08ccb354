"""What each kind of value in a settings file may be, and the type that reads it.

A reader raises ValueError with a sentence, which faults.py puts behind the place of the value.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

CLIENTS: Final = ("windows-signin", "windows7-addin", "browser")
"""What a raw ClientType may stand for, beside `other:` and a name."""

HTTPS = 443
LAST_PORT = 65_535

SHORTEST_KEEP: Final = timedelta(days=1)
LONGEST_KEEP: Final = timedelta(days=36_500)
LONGEST_FLOW: Final = timedelta(hours=24)

_SPAN = re.compile(r"([0-9]{1,9})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})+")
_ROOT = re.compile(rf"{_LABEL}(\.{_LABEL})*(:(?P<port>[0-9]{{1,5}}))?", re.ASCII)
RECIPIENTS: Final = 100
"""As many as every server must take of one mail (RFC 5321, 4.5.3.1.8)."""

_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+")
_NOT_ONE_TENANT = {"common", "organizations", "consumers"}


def span(text: str) -> timedelta:
    """Read a length of time: whole minutes, hours or days, such as `90m`, `36h`, `7d`.

    Raises ValueError, with a sentence, for any other form and for what no date can hold.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        msg = f"must be a length of time such as 90m, 36h or 7d, not {shown(text)}"
        raise ValueError(msg)
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        msg = f"is longer than any calendar: {text}"
        raise ValueError(msg) from None


def shown(text: str) -> str:
    """Return what was written without anything that could steer a terminal."""
    return text if text.isprintable() and text else ascii(text)


def _words(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        msg = "must be text without spaces around it or characters that do not print"
        raise ValueError(msg)
    return text


def _length(value: object) -> timedelta:
    if not isinstance(value, str):
        msg = 'must be a length of time in quotes, such as "20m"'
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueError and no TypeError
    return span(value)


def _keep(length: timedelta) -> timedelta:
    if not SHORTEST_KEEP <= length <= LONGEST_KEEP:
        msg = f"must lie between {SHORTEST_KEEP.days}d and {LONGEST_KEEP.days}d"
        raise ValueError(msg)
    return length


def _flow_length(length: timedelta) -> timedelta:
    if not timedelta() < length <= LONGEST_FLOW:
        msg = "must lie between 1m and 24h"
        raise ValueError(msg)
    return length


def _path(value: object, info: ValidationInfo) -> Path:
    """Read a path as seen from the folder of the settings file."""
    if not isinstance(value, str) or not value or "\0" in value:
        msg = "must be a path in quotes"
        raise ValueError(msg)
    try:
        return Path((info.context or {})["folder"], Path(value).expanduser())
    except RuntimeError:  # ~name, and nobody of that name has a home here
        msg = f"names a home folder that is not known: {shown(value)}"
        raise ValueError(msg) from None


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder, such as Europe
        msg = "must be a time zone by its IANA name, such as Europe/Stockholm"
        raise ValueError(msg) from None


def network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read one address or prefix; what would never match is a fault that says what to write."""
    if not isinstance(value, str):
        msg = 'must be a network in quotes, such as "203.0.113.0/24"'
        raise ValueError(msg)  # noqa: TRY004
    try:
        found = ipaddress.ip_network(value, strict=False)
    except ValueError:
        msg = f"must be an address or a network such as 203.0.113.0/24, not {shown(value)}"
        raise ValueError(msg) from None
    if "%" in value:
        msg = f"names an interface of one machine: {shown(value)}; leave out % and what follows"
        raise ValueError(msg)
    right: ipaddress.IPv4Network | ipaddress.IPv6Network = found
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped is not None and found.prefixlen >= 96:  # noqa: PLR2004 - bits before the IPv4 part
        right = ipaddress.IPv4Network((mapped, found.prefixlen - 96))
        msg = f"is an IPv4 network in IPv6 clothes: {value}; write {right}"
        raise ValueError(msg)
    if ipaddress.ip_interface(value).ip != found.network_address:
        msg = f"has bits set beyond its prefix: {value}; write {right}"
        raise ValueError(msg)
    return found


def _client(value: str) -> str:
    if value not in CLIENTS and not (value.startswith("other:") and value[6:].strip()):
        msg = f"must be {', '.join(CLIENTS)} or other: and a name"
        raise ValueError(msg)
    return value


def _root(value: str) -> str:
    """Return an https address without path, query, user or closing slash; it may have a port."""
    scheme, _, host = value.rstrip("/").lower().partition("://")
    found = _ROOT.fullmatch(host)
    if scheme != "https" or found is None or not 0 < int(found["port"] or HTTPS) <= LAST_PORT:
        msg = "must be https:// and a host name, with a port at most, and nothing after it"
        raise ValueError(msg)
    return f"https://{host.removesuffix(f':{HTTPS}')}"


def _host(value: str) -> str:
    if not _HOST.fullmatch(value.lower()):
        msg = "must be a host name such as passwordreset.example.com, without https://"
        raise ValueError(msg)
    return value.lower()


def _tenant(value: str) -> str:
    lower = value.lower()
    if lower in _NOT_ONE_TENANT or not (_GUID.fullmatch(lower) or _HOST.fullmatch(lower)):
        msg = "must be one tenant: its id, or one of its domain names"
        raise ValueError(msg)
    return lower


def _guid(value: str) -> str:
    if not _GUID.fullmatch(value.lower()):
        msg = "must be an id such as 00000000-0000-0000-0000-000000000001"
        raise ValueError(msg)
    return value.lower()


def _mail_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        msg = "must be a mail address and nothing else, such as helpdesk@example.com"
        raise ValueError(msg)
    return value


def _few(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) > RECIPIENTS:
        msg = f"must be at most {RECIPIENTS} addresses: name a distribution list"
        raise ValueError(msg)
    return value


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Words = Annotated[str, AfterValidator(_words)]
Keep = Annotated[timedelta, AfterValidator(_keep), BeforeValidator(_length)]
FlowLength = Annotated[timedelta, AfterValidator(_flow_length), BeforeValidator(_length)]
TenantName = Annotated[str, AfterValidator(_tenant)]
Guid = Annotated[str, AfterValidator(_guid)]
Host = Annotated[str, AfterValidator(_host)]
Root = Annotated[str, AfterValidator(_root)]
Client = Annotated[str, AfterValidator(_client)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
MailAddresses = Annotated[tuple[MailAddress, ...], AfterValidator(_few), BeforeValidator(_listed)]
Zone = Annotated[str, AfterValidator(_zone)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Network = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network,
    Field(union_mode="left_to_right"),
    BeforeValidator(network),
]
