"""What is wrong with settings, each fault as a sentence that says where it stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from sspr_audit.settings import model
from sspr_audit.settings.model import CLOUDS
from sspr_audit.settings.reading import SECRETS
from sspr_audit.settings.values import network, shown

NOT_WRITTEN: Final = ("file",)
"""Fields of Settings that no file may set."""

_SECRET_WORDS = ("secret", "password", "passphrase", "token", "channel")


def clashes(data: Mapping[str, Any]) -> Iterator[str]:
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
                one = network(text)
            except ValueError:
                continue  # told where the list itself is checked
            if first.setdefault(one, number) != number or one in here:
                place = f"[[sites]] {number}, networks: entry {entry}"
                yield f"{place} is in [[sites]] {first[one]} already: {one}"
            here.add(one)


def apart(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the faults without lists that are too short only as a wrong entry does not count."""
    places = [one["loc"] for one in found]

    def holds(place: tuple[object, ...]) -> bool:
        return any(len(one) > len(place) and one[: len(place)] == place for one in places)

    return [one for one in found if one["type"] != "too_short" or not holds(one["loc"])]


def sentence(fault: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Say where a fault stands and what it is, in the words of the file."""
    section, *keys = fault["loc"]
    place = shown(str(section))
    match data.get(section):
        case dict() if section == "clouds" and keys:
            place = f"[clouds.{shown(str(keys.pop(0)))}]"
        case dict():
            place = f"[{place}]"
        case list():
            place = f"[[{place}]] {keys.pop(0) + 1}" if keys else f"[[{place}]]"
    entry = ""
    if keys and isinstance(keys[-1], int):
        entry = f"entry {keys.pop() + 1} "
    return f"{', '.join([place, *(shown(str(key)) for key in keys)])}: {entry}{_trouble(fault)}"


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
        "tenant": model.Tenant, "clouds": model.Cloud, "store": model.Store, "sites": model.Site,
        "analysis": model.Analysis, "report": model.ReportOutput, "mail": model.Mail,
    }  # fmt: skip
    section = sections_of[sections[0]] if sections else model.Settings
    names = [field.alias or name for name, field in section.model_fields.items()]
    known = [name for name in names if name not in NOT_WRITTEN]
    hint = "".join(
        f"; did you mean {name}?" for name in difflib.get_close_matches(folded, known, 1)
    )
    return f"is not a known key{hint}"
