"""The settings file and the environment, as one frozen, checked value whose secrets never print.

Import this where settings are loaded, not at the top of a command: pydantic takes a quarter of
a second.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidationInfo,
)

from sspr_audit.errors import SettingsError

CONFIG = "SSPR_AUDIT_CONFIG"
"""The variable that names the settings file."""

CLOUDS = ("global", "usgov-gcchigh", "usgov-dod", "china-21vianet")
"""The clouds whose hosts the catalogue knows; any other has a section under [clouds]."""

CLIENTS = ("windows-signin", "windows7-addin", "browser")
"""What a raw ClientType may stand for, beside `other:` and a name."""

SECRETS = {
    "client_secret": "SSPR_AUDIT_CLIENT_SECRET",
    "certificate_password": "SSPR_AUDIT_CERTIFICATE_PASSWORD",
    "smtp_password": "SSPR_AUDIT_SMTP_PASSWORD",
}
"""The variable that holds each secret; with _FILE at its end it names a file that does."""

LARGEST = 1024 * 1024
"""Bytes of a settings or secret file; what is longer is something else, and some never end."""

SHORTEST_KEEP = timedelta(days=1)
LONGEST_KEEP = timedelta(days=36_500)
LONGEST_FLOW = timedelta(hours=24)

_SPAN = re.compile(r"([0-9]{1,9})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})+")
_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+")
_NOT_ONE_TENANT = {"common", "organizations", "consumers"}
_SECRET_WORDS = ("secret", "password", "passphrase", "token")


def span(text: str) -> timedelta:
    """Read a length of time: whole minutes, hours or days, such as `90m`, `36h`, `7d`.

    Raises ValueError, with a sentence, for any other form and for what no date can hold.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        msg = f"must be a length of time such as 90m, 36h or 7d, not {_shown(text)}"
        raise ValueError(msg)
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        msg = f"is longer than any calendar: {text}"
        raise ValueError(msg) from None


def _shown(text: str) -> str:
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
        msg = f"names a home folder that is not known: {_shown(value)}"
        raise ValueError(msg) from None


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder, such as Europe
        msg = "must be a time zone by its IANA name, such as Europe/Stockholm"
        raise ValueError(msg) from None


def _network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read one address or prefix; what would never match is a fault that says what to write."""
    if not isinstance(value, str):
        msg = 'must be a network in quotes, such as "203.0.113.0/24"'
        raise ValueError(msg)  # noqa: TRY004
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        msg = f"must be an address or a network such as 203.0.113.0/24, not {_shown(value)}"
        raise ValueError(msg) from None
    right: ipaddress.IPv4Network | ipaddress.IPv6Network = network
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:  # noqa: PLR2004 - bits before the IPv4 part
        right = ipaddress.IPv4Network((mapped, network.prefixlen - 96))
        msg = f"is an IPv4 network in IPv6 clothes: {value}; write {right}"
        raise ValueError(msg)
    if ipaddress.ip_interface(value).ip != network.network_address:
        msg = f"has bits set beyond its prefix: {value}; write {right}"
        raise ValueError(msg)
    return network


def _client(value: str) -> str:
    if value not in CLIENTS and not (value.startswith("other:") and value[6:].strip()):
        msg = f"must be {', '.join(CLIENTS)} or other: and a name"
        raise ValueError(msg)
    return value


def _root(value: str) -> str:
    """Return an https address without path, query, user or closing slash."""
    scheme, _, host = value.rstrip("/").lower().partition("://")
    if scheme != "https" or host.startswith("*") or not _HOST.fullmatch(host):
        msg = "must be https:// and a host name, and nothing after it"
        raise ValueError(msg)
    return f"https://{host}"


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


def _secret(variable: str, info: ValidationInfo) -> SecretStr | None:
    """Return what the variable or its file holds, None for neither; an empty one is not set."""
    environ = (info.context or {})["environ"]
    value, named = environ.get(variable), environ.get(f"{variable}_FILE")
    if value and named:
        msg = f"is set, and {variable}_FILE too; keep one"
        raise ValueError(msg)
    if not named:
        return SecretStr(value) if value else None
    try:
        with Path(named).open("rb") as opened:
            text = opened.read(LARGEST).decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        msg = f"the file that {variable}_FILE names cannot be read: {error.strerror}"
        raise ValueError(msg) from None
    except UnicodeDecodeError:
        msg = f"the file that {variable}_FILE names is not UTF-8 text"
        raise ValueError(msg) from None
    if not text:
        msg = f"the file that {variable}_FILE names is empty"
        raise ValueError(msg)
    return SecretStr(text)


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Words = Annotated[str, AfterValidator(_words)]
Host = Annotated[str, AfterValidator(_host)]
Root = Annotated[str, AfterValidator(_root)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Zone = Annotated[str, AfterValidator(_zone)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Network = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network,
    Field(union_mode="left_to_right"),
    BeforeValidator(_network),
]
Secret = Annotated[SecretStr | None, BeforeValidator(_secret)]


def _data_folder() -> Path:
    return platformdirs.user_data_path("sspr-audit", appauthor=False)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Tenant(_Section):
    """The tenant to read from; nothing here is needed to read files."""

    id: Annotated[str, AfterValidator(_tenant)] | None = None
    client_id: Annotated[str, AfterValidator(_guid)] | None = None
    cloud: Words | None = None
    """A name of CLOUDS or under [clouds]; None is unknown: then every cloud's hosts are told."""
    auth: Literal[
        "device-code", "browser", "secret", "certificate", "managed-identity", "federated"
    ] = "device-code"
    certificate: FilePath | None = None


class Cloud(_Section):
    """A sovereign cloud that the catalogue does not know."""

    authority: Root
    graph: Root
    sspr_host: Host | None = None
    exclusion_hosts: tuple[Host, ...] = ()


class Store(_Section):
    """Where records are kept, and for how long."""

    path: FilePath = Field(default_factory=lambda: _data_folder() / "store.duckdb")
    keep: Annotated[timedelta, AfterValidator(_keep), BeforeValidator(_length)] = timedelta(
        days=400
    )


class Site(_Section):
    """A named list of networks. None for what the file does not say."""

    name: Words
    networks: tuple[Network, ...] = Field(min_length=1)
    dc_reachable: StrictBool | None = None
    timezone: Zone | None = None


class Analysis(_Section):
    """How records become flows."""

    flow_timeout: Annotated[timedelta, AfterValidator(_flow_length), BeforeValidator(_length)] = (
        timedelta(minutes=20)
    )


class ReportOutput(_Section):
    """The [report] section: what people read. JSON stays UTC."""

    timezone: Zone | None = None
    """An IANA name; None is UTC."""


class Mail(_Section):
    """How the weekly summary leaves."""

    transport: Literal["smtp", "graph"]
    sender: MailAddress = Field(alias="from")
    to: Annotated[tuple[MailAddress, ...], BeforeValidator(_listed)] = Field(min_length=1)
    smtp_host: Words | None = None
    smtp_port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: Words | None = None


class Secrets(_Section):
    """What comes from the environment alone; None for what is not set."""

    client_secret: Secret = None
    certificate_password: Secret = None
    smtp_password: Secret = None


class Settings(_Section):
    """What a run needs to know. A secret never prints, not even in a message about a fault."""

    tenant: Tenant = Field(default_factory=Tenant)
    clouds: Annotated[Mapping[str, Cloud], AfterValidator(MappingProxyType)] = Field(
        default_factory=dict, validate_default=True
    )
    store: Store = Field(default_factory=Store)
    sites: tuple[Site, ...] = ()
    client_types: Annotated[
        Mapping[str, Annotated[str, AfterValidator(_client)]], AfterValidator(MappingProxyType)
    ] = Field(default_factory=dict, validate_default=True)
    analysis: Analysis = Field(default_factory=Analysis)
    report: ReportOutput = Field(default_factory=ReportOutput)
    mail: Mail | None = None
    file: Path | None = None
    """The settings file that was read; None where there is none and all is default."""
    secrets: Secrets = Field(default_factory=Secrets)


_NOT_WRITTEN = ("file", "secrets")
"""Fields of Settings that no file may set."""


def load(path: Path | None, *, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `path`, else of $SSPR_AUDIT_CONFIG, else of the user's folder.

    Only the last of these may be missing: then all is default. Paths in the file are seen from the
    file's own folder. Raises SettingsError, one line a fault, for all faults of file and
    environment at once.
    """
    file = _file(path, environ)
    return checked({} if file is None else _parsed(file), file=file, environ=environ)


def checked(data: Mapping[str, Any], *, file: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings that a parsed file and the environment make. Raises as `load` does."""
    context = {"folder": Path() if file is None else file.parent, "environ": environ}
    faults: list[Mapping[str, Any]] = [
        {"type": "extra_forbidden", "loc": (key,)} for key in data if key in _NOT_WRITTEN
    ]
    settings = None
    try:
        given = {**data, "file": file, "secrets": SECRETS}
        settings = Settings.model_validate(given, context=context)
    except ValidationError as error:
        faults += error.errors(include_input=False)
    name = file or "settings"
    told = [f"{name}: {_sentence(one, data)}" for one in faults if not _of_environment(one)]
    told += [f"{name}: {words}" for words in _clashes(data)]
    told += [f"{SECRETS[one['loc'][1]]}: {_trouble(one)}" for one in faults if _of_environment(one)]
    if settings is None or told:
        raise SettingsError("\n".join(told))
    return settings


def _of_environment(fault: Mapping[str, Any]) -> bool:
    return len(fault["loc"]) > 1 and fault["loc"][0] == "secrets"


def _file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to read; one that was asked for by name is never passed over."""
    named = path or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    if named is not None:
        return named.absolute()
    usual = platformdirs.user_config_path("sspr-audit", appauthor=False) / "settings.toml"
    return usual if usual.exists() else None


def _parsed(file: Path) -> dict[str, Any]:
    """Read TOML as any editor saves it; Notepad writes marks and, on request, UTF-16."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        msg = f"{file}: the settings file cannot be read: {error.strerror}"
        raise SettingsError(msg) from None
    if len(raw) > LARGEST:
        msg = f"{file}: is longer than {LARGEST} bytes, so it is no settings file"
        raise SettingsError(msg)
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if marked else "utf-8-sig")
        # The file is read as bytes, so line ends come as written; TOML itself takes both.
        return tomllib.loads(text)
    except UnicodeDecodeError:
        msg = f"{file}: is not UTF-8 text; save it again as UTF-8"
    except tomllib.TOMLDecodeError as error:
        hint = "; save it again as UTF-8" if b"\0" in raw and not marked else ""
        msg = f"{file}: is not TOML: {error}{hint}"
    except RecursionError:
        msg = f"{file}: is not TOML that can be read: it is nested too deeply"
    raise SettingsError(msg)


def _clashes(data: Mapping[str, Any]) -> Iterator[str]:
    """Name what is right by itself and wrong beside the rest.

    Works on what was written, whatever its shape, so that these faults are told with the others.
    """
    tenant, clouds, mail = (_table(data, name) for name in ("tenant", "clouds", "mail"))
    cloud = tenant.get("cloud")
    if isinstance(cloud, str) and cloud not in CLOUDS and cloud not in clouds:
        yield f"[tenant], cloud: must be {', '.join(CLOUDS)} or a name under [clouds]"
    yield from (
        f"[clouds.{name}]: is built in; choose another name" for name in CLOUDS if name in clouds
    )
    if tenant.get("auth") == "certificate" and "certificate" not in tenant:
        yield '[tenant], certificate: is missing, and auth = "certificate" needs it'
    if "certificate" in tenant and tenant.get("auth") != "certificate":
        yield '[tenant], certificate: is given, but auth is not "certificate"'
    if mail.get("transport") == "smtp" and "smtp_host" not in mail:
        yield '[mail], smtp_host: is missing, and transport = "smtp" needs it'
    if mail.get("transport") == "graph":
        without = 'has no meaning with transport = "graph"'
        yield from (f"[mail], {key}: {without}" for key in mail if key.startswith("smtp_"))
    if mail.get("smtp_security") == "none" and "smtp_user" in mail:
        yield "[mail], smtp_user: its password would travel unencrypted; use starttls or tls"
    yield from _doubles(data.get("sites"))


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name)
    return table if isinstance(table, dict) else {}


def _doubles(sites: object) -> Iterator[str]:
    """Name each site's name and each network that an earlier place in the file has already."""
    first: dict[object, int] = {}
    for number, site in enumerate(sites if isinstance(sites, list) else (), 1):
        match site:
            case {"name": str(name)} if first.setdefault(name.casefold(), number) != number:
                yield f"[[sites]] {number}, name: is the name of [[sites]] {first[name.casefold()]}"
        networks = site.get("networks") if isinstance(site, dict) else None
        here: set[object] = set()
        for entry, text in enumerate(networks if isinstance(networks, list) else (), 1):
            try:
                network = _network(text)
            except ValueError:
                continue  # told where the list itself is checked
            if first.setdefault(network, number) != number or network in here:
                place = f"[[sites]] {number}, networks: entry {entry}"
                yield f"{place} is in [[sites]] {first[network]} already: {network}"
            here.add(network)


def _sentence(fault: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Say where a fault stands and what it is, in the words of the file."""
    section, *keys = fault["loc"]
    place = _shown(str(section))
    match data.get(section):
        case dict() if section == "clouds" and keys:
            place = f"[clouds.{_shown(str(keys.pop(0)))}]"
        case dict():
            place = f"[{place}]"
        case list():
            place = f"[[{place}]] {keys.pop(0) + 1}" if keys else f"[[{place}]]"
    entry = ""
    if keys and isinstance(keys[-1], int):
        entry = f"entry {keys.pop() + 1} "
    return f"{', '.join([place, *(_shown(str(key)) for key in keys)])}: {entry}{_trouble(fault)}"


def _trouble(fault: Mapping[str, Any]) -> str:
    match fault:
        case {"type": "extra_forbidden", "loc": loc}:
            return _unknown(str(loc[-1]), [str(part) for part in loc[:-1]])
        case {"type": "value_error", "ctx": {"error": error}}:
            return str(error)
        case {"type": "literal_error", "ctx": {"expected": expected}}:
            return f"must be {expected}"
        case {"type": str(kind), "msg": str(said)}:
            return _TROUBLES.get(kind) or said[:1].lower() + said[1:]
    return "is wrong"


_TROUBLES = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "greater_than_equal": "must be a port from 1 to 65535",
    "less_than_equal": "must be a port from 1 to 65535",
    "tuple_type": "must be a list in square brackets",
    "too_short": "must not be empty",
    "dict_type": "must be a section",
    "mapping_type": "must be a section",
    "model_type": "must be a section",
}


def _unknown(key: str, sections: list[str]) -> str:
    """Say what to do about a key that does not exist; never its value, which may be a secret."""
    folded = key.casefold().replace("-", "_")
    if any(word in folded for word in _SECRET_WORDS):
        near = difflib.get_close_matches(folded, SECRETS, n=1, cutoff=0)[0]
        return f"a secret never stands in this file; set {SECRETS[near]} or {SECRETS[near]}_FILE"
    sections_of: dict[str, type[BaseModel]] = {
        "tenant": Tenant, "clouds": Cloud, "store": Store, "sites": Site,
        "analysis": Analysis, "report": ReportOutput, "mail": Mail,
    }  # fmt: skip
    model = sections_of[sections[0]] if sections else Settings
    names = [field.alias or name for name, field in model.model_fields.items()]
    known = [name for name in names if name not in _NOT_WRITTEN]
    hint = "".join(
        f"; did you mean {name}?" for name in difflib.get_close_matches(folded, known, 1)
    )
    return f"is not a known key{hint}"
