"""The clouds, and how a text of the catalogue is told in one of them.

A text names a fact of the cloud as `{sspr_host}`, or as `{register_url|the registration page}`
where not every cloud has one: what follows the bar is then said instead. A command is left out
where the cloud lacks the fact, for a value of another cloud would be worse than none.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)(?:\|([^{}]*))?\}")
"""A fact of the cloud inside a text; GUIDs, JSON and script blocks in braces do not fit it."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud and its addresses. None or () means not known there, never the same as elsewhere.

    A cloud from the settings needs only the first five fields.
    """

    name: str
    authority: str
    graph: str
    sspr_host: str
    exclusion_hosts: tuple[str, ...] = ()
    """What endpoint protection must leave alone at the sign-in screen."""
    title: str = ""
    sspr_url: str | None = None
    """The page that the sign-in screen opens."""
    probe_url: str | None = None
    """Answers 200 where the portal can be reached."""
    register_url: str | None = None
    short_link: str | None = None
    addin_url: str | None = None
    """Where the add-in for Windows 7, 8 and 8.1 is downloaded."""
    static_host: str | None = None
    ocsp_host: str | None = None
    writeback_hosts: tuple[str, ...] = ()
    """What the Connect server must reach by TCP 443; may begin with a wildcard."""
    writeback_probe_hosts: tuple[str, ...] = ()
    """Hosts without wildcard, for a test of the connection."""
    pin_reset_allowed_domain: str | None = None
    notification_senders: tuple[str, ...] = ()
    admin_center: str | None = None
    azure_portal: str | None = None
    enable_routes: tuple[str, ...] = ()
    """How the public page of this cloud turns the link on: intune-oma-uri, registry."""
    notes: tuple[str, ...] = ()
    """Which of these are inferred, reported or known from a tool only."""
    sources: tuple[str, ...] = ()

    def values(self, fact: str) -> tuple[str, ...]:
        """Return what is known of `fact`, () for nothing. Raises AttributeError for no field."""
        value = getattr(self, fact)
        if value is None:
            return ()
        return (value,) if isinstance(value, str) else tuple(value)


def told(text: str, cloud: Cloud | None, clouds: Mapping[str, Cloud]) -> str:
    """Return `text` with the facts of `cloud`; of all `clouds`, labelled, where it is None."""

    def said(found: re.Match[str]) -> str:
        fact, otherwise = found[1], found[2]
        if cloud is not None:
            known = ", ".join(cloud.values(fact))
            return known or otherwise or f"(not known in {cloud.name})"
        by_value = _labelled((name, ", ".join(one.values(fact))) for name, one in clouds.items())
        return " or ".join(f"{value} ({label})" for value, label in by_value) or otherwise or ""

    return PLACEHOLDER.sub(said, text)


def commands(
    texts: Iterable[str], cloud: Cloud | None, clouds: Mapping[str, Cloud]
) -> Iterator[str]:
    """Yield the commands that can be given; one with several values is given once for each."""
    for text in texts:
        if not PLACEHOLDER.search(text):
            yield text
        elif cloud is not None:
            yield from _filled(text, cloud)
        else:
            filled = ((name, line) for name, one in clouds.items() for line in _filled(text, one))
            yield from (f"{line}  # {label}" for line, label in _labelled(filled))


def hosts(
    facts: Iterable[str], cloud: Cloud | None, clouds: Mapping[str, Cloud]
) -> tuple[str, ...]:
    """Return the values of `facts`, each once; labelled with its clouds where `cloud` is None."""
    facts = tuple(facts)
    if cloud is not None:
        return tuple(dict.fromkeys(host for fact in facts for host in cloud.values(fact)))
    pairs = (
        (name, host) for name, one in clouds.items() for fact in facts for host in one.values(fact)
    )
    return tuple(f"{host} ({label})" for host, label in _labelled(pairs))


def _filled(text: str, cloud: Cloud) -> Iterator[str]:
    facts = tuple(dict.fromkeys(found[1] for found in PLACEHOLDER.finditer(text)))
    for values in itertools.product(*(cloud.values(fact) for fact in facts)):
        yield _put(text, dict(zip(facts, values, strict=True)))


def _put(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _labelled(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each value once, with the names of all clouds that have it."""
    names: dict[str, dict[str, None]] = {}
    for name, value in pairs:
        if value:
            names.setdefault(value, {})[name] = None
    yield from ((value, ", ".join(clouds)) for value, clouds in names.items())
