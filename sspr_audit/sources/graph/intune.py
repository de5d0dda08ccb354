"""Reads what Intune says of the reset link at the sign-in screen: AllowAadPasswordReset.

It may stand in a custom profile (an OMA-URI) or in the settings catalog, which only Graph's beta
shows. Texts that Intune masks stay masked: the plain ones need a right to change profiles.

https://learn.microsoft.com/en-us/windows/client-management/mdm/policy-csp-authentication
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from sspr_audit.model import ResetLink
from sspr_audit.sources.graph.collections import (
    CONFIGURATION_POLICIES,
    DEVICE_CONFIGURATIONS,
    Collection,
    settings_of,
)
from sspr_audit.sources.graph.errors import NotOffered
from sspr_audit.sources.graph.reading import Asked

SETTING: Final = "allowaadpasswordreset"
"""How both the OMA-URI and the id in the settings catalog end."""

MASKED: Final = "masked"

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,100}")

_WORDS: Final = {"1": "on", "0": "off", "true": "on", "false": "off"}
_MASKS: Final = frozenset({"PGEvPg==", "<a/>"})
"""What Intune puts in the place of a secret text, beside asterisks."""
_LONGEST: Final = 100
"""Characters of a value or name that are kept: what stands there is read by people."""


def custom_profiles(graph: Asked) -> Iterator[ResetLink]:
    """Yield each custom profile's word on the reset link. Raises what client.Graph.pages does."""
    for profile in _each(graph, DEVICE_CONFIGURATIONS):
        settings = profile.get("omaSettings")
        for setting in settings if isinstance(settings, list) else ():
            match setting:
                case {"omaUri": str(uri)} if uri.strip().lower().endswith(f"/{SETTING}"):
                    yield _link(DEVICE_CONFIGURATIONS.name, profile, _oma_value(setting))


def catalog_policies(graph: Asked) -> Iterator[ResetLink]:
    """Yield the word of each policy of the settings catalog. Costs a request a policy for Windows.

    Raises what client.Graph.pages does.
    """
    for policy in list(_each(graph, CONFIGURATION_POLICIES)):
        id_, platforms = policy.get("id"), policy.get("platforms")
        is_windows = not isinstance(platforms, str) or "windows" in platforms.lower()
        if not is_windows or policy.get("settingCount") == 0:
            continue
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            continue  # it would lead the next request elsewhere
        for value in _catalog_values(graph, id_):
            yield _link(CONFIGURATION_POLICIES.name, policy, value)


def _catalog_values(graph: Asked, policy_id: str) -> list[str]:
    """Return what one policy sets; nothing for one that was deleted meanwhile."""
    collection = settings_of(policy_id)
    found: list[str] = []
    try:
        for page in graph.pages(collection, collection.query):
            for text in page.records:
                found += _values(msgspec.json.decode(text))
    except NotOffered as error:
        if error.status != 404:  # noqa: PLR2004 - httpx names it, and is not needed here
            raise
        return []
    return found


def _values(setting: object) -> Iterator[str]:
    """Yield the values of our setting, however deep it stands: settings nest."""
    rest = [setting]
    while rest:
        match rest.pop():
            case {"settingDefinitionId": str(id_), **more} if id_.lower().endswith(SETTING):
                yield _catalog_value(more)
            case dict() as inner:
                rest += inner.values()
            case list() as inner:
                rest += inner


def _catalog_value(instance: object) -> str:
    match instance:
        case {"choiceSettingValue": {"value": str(choice)}}:
            return _word(choice.rpartition("_")[2])
        case {"simpleSettingValue": {"value": value}}:
            return _word(value)
    return MASKED


def _oma_value(setting: dict[str, Any]) -> str:
    is_secret = setting.get("isEncrypted") is True or bool(setting.get("secretReferenceValueId"))
    return MASKED if is_secret else _word(setting.get("value"))


def _word(value: object) -> str:
    text = str(value).strip()
    if value is None or not text.strip("*") or text in _MASKS:
        return MASKED
    return _WORDS.get(text.lower(), text[:_LONGEST])


def _link(collection: str, thing: dict[str, Any], value: str) -> ResetLink:
    name = thing.get("displayName") or thing.get("name")
    shown = name[:_LONGEST] if isinstance(name, str) else None
    return ResetLink(collection, str(thing.get("id"))[:_LONGEST], shown, value)


def _each(graph: Asked, collection: Collection) -> Iterator[dict[str, Any]]:
    """Yield the things of a collection; what else stands there is none of ours."""
    for page in graph.pages(collection, collection.query):
        for text in page.records:
            thing = msgspec.json.decode(text)
            if isinstance(thing, dict):
                yield thing
