"""A Report and its flows to the same without names: keyed pseudonyms stand for people and devices.

Names are replaced in the values; of a text that comes from the records, only words that the
catalogue knows stay. IP addresses, sites, and ids of flows and events stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import (
    Account,
    Address,
    Change,
    Comparison,
    Finding,
    Gone,
    Group,
    Progress,
    Report,
    Scope,
    Statement,
    TextCount,
    Unrecognized,
)
from sspr_audit.report.pseudonyms.keyed import ID, NAME, OTHER, Pseudonyms, names, words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NOT_TOLD", "Pseudonyms", "frame", "names", "report", "words"]

NOT_TOLD: Final = "not told under pseudonyms"
"""Stands for the place of a skipped record, which quotes what could not be read."""


def report(one: Report, pseudonyms: Pseudonyms, flows: pd.DataFrame) -> Report:
    """Return the report without names; `flows` are those it was made from, with their names."""
    sentence = _sentences(pseudonyms, one, flows)
    return replace(
        one,
        account=_account(one.account, pseudonyms),
        by_client=tuple(_group(each, pseudonyms) for each in one.by_client),
        by_ip=tuple(_address(each, pseudonyms) for each in one.by_ip),
        reasons=tuple(replace(each, reason=pseudonyms.text(each.reason)) for each in one.reasons),
        unrecognized=_unrecognized(one.unrecognized, pseudonyms),
        findings=tuple(_finding(each, pseudonyms, sentence) for each in one.findings),
        unobservable=tuple(
            replace(each, needs=tuple(sentence(need) for need in each.needs))
            for each in one.unobservable
        ),
        changed=None if one.changed is None else _changed(one.changed, pseudonyms),
        progress=None if one.progress is None else _progress(one.progress, pseudonyms),
        is_pseudonymized=True,
    )


def frame(rows: pd.DataFrame, pseudonyms: Pseudonyms) -> pd.DataFrame:
    """Return rows of FLOWS, ACTS or EVENTS without names, each distinct value replaced once."""
    columns: Mapping[str, Callable[[str], str]] = {
        "person": pseudonyms.person,
        "upn": pseudonyms.person,
        "actor": pseudonyms.text,
        "agent": pseudonyms.server,
        "methods": pseudonyms.text,
        "method": pseudonyms.text,
        "activity": pseudonyms.text,
        "result": pseudonyms.text,
        "service": pseudonyms.text,
        "reason": pseudonyms.text,
        "client": pseudonyms.client,
        "client_type": pseudonyms.client_type,
    }
    return rows.assign(
        **{name: _each(rows[name], told) for name, told in columns.items() if name in rows}
    )


def _each(column: pd.Series[Any], told: Callable[[str], str]) -> pd.Series[Any]:
    known = {text: told(text) for text in column.dropna().unique().tolist()}
    return column.map(known).astype(column.dtype)


Sentence = Callable[..., str]
"""Takes a sentence of ours, and what it quotes; returns it without names."""


def _sentences(pseudonyms: Pseudonyms, one: Report, flows: pd.DataFrame) -> Sentence:
    """Return what takes the names out of a sentence: those of the flows, the scopes, the quotes."""
    ids = {str(id_).lower() for id_ in flows["person"].dropna().unique()}
    scopes = [finding.scope for finding in one.findings]
    every = {name for scope in scopes for name in scope.devices}
    devices = {name for name in every if pseudonyms.device(name) != name}
    clients = {name for name in flows["client"].dropna().unique() if name.startswith(OTHER)}
    clients |= {name for scope in scopes for name in scope.clients if name.startswith(OTHER)}
    known = {name: pseudonyms.client(name) for name in clients}
    known |= {name: pseudonyms.device(name) for name in devices}
    known |= {name: pseudonyms.person(name) for scope in scopes for name in scope.users}
    # Of what begins alike the longest goes first; GUIDs and addresses are found below in one pass.
    loose = sorted((name for name in known if not _found_by_shape(name)), key=len, reverse=True)

    def without(text: str, quotes: Iterable[str] = ()) -> str:
        for quote in sorted(filter(str.strip, quotes), key=len, reverse=True):
            text = text.replace(quote, pseudonyms.text(quote))
        for name in loose:
            text = text.replace(name, known[name])
        text = NAME.sub(lambda found: pseudonyms.person(found.group()), text)
        return ID.sub(
            lambda found: (
                known.get(found.group()) or pseudonyms.person(found.group())
                if found.group() in ids or found.group() in known
                else found.group()
            ),
            text,
        )

    return without


def _found_by_shape(name: str) -> bool:
    return not name.strip() or bool(ID.fullmatch(name) or NAME.fullmatch(name))


def _finding(finding: Finding, pseudonyms: Pseudonyms, sentence: Sentence) -> Finding:
    return replace(
        finding,
        scope=_scope(finding.scope, pseudonyms),
        evidence=tuple(_statement(one, sentence) for one in finding.evidence),
        against=tuple(_statement(one, sentence) for one in finding.against),
        confirm_with=tuple(sentence(one) for one in finding.confirm_with),
    )


def _scope(scope: Scope, pseudonyms: Pseudonyms) -> Scope:
    """Return the scope in the order of the pseudonyms: the names' own would tell of them."""
    return replace(
        scope,
        clients=tuple(sorted(map(pseudonyms.client, scope.clients))),
        users=tuple(sorted(map(pseudonyms.person, scope.users))),
        devices=tuple(sorted(map(pseudonyms.device, scope.devices))),
    )


def _statement(one: Statement, sentence: Sentence) -> Statement:
    value = sentence(one.value, one.quotes) if isinstance(one.value, str) else one.value
    return replace(one, statement=sentence(one.statement, one.quotes), value=value, quotes=())


def _progress(progress: Progress, pseudonyms: Pseudonyms) -> Progress:
    def each(one: Gone) -> Gone:
        clients = tuple(sorted(map(pseudonyms.client, one.past.clients)))
        return replace(one, past=replace(one.past, clients=clients))

    return replace(progress, gone=tuple(map(each, progress.gone)))


def _account(account: Account, pseudonyms: Pseudonyms) -> Account:
    return replace(
        account,
        skipped=tuple(replace(one, example=NOT_TOLD) for one in account.skipped),
        files_ignored=tuple(map(pseudonyms.file, account.files_ignored)),
    )


def _group(group: Group, pseudonyms: Pseudonyms) -> Group:
    return replace(group, name=None if group.name is None else pseudonyms.client(group.name))


def _address(address: Address, pseudonyms: Pseudonyms) -> Address:
    clients = {pseudonyms.client(name): count for name, count in address.clients.items()}
    return replace(address, clients=clients)


def _unrecognized(found: Unrecognized, pseudonyms: Pseudonyms) -> Unrecognized:
    def each(texts: tuple[TextCount, ...], told: Callable[[str], str]) -> tuple[TextCount, ...]:
        return tuple(replace(one, text=told(one.text)) for one in texts)

    return Unrecognized(
        reasons=each(found.reasons, pseudonyms.text),
        client_types=each(found.client_types, pseudonyms.client_type),
        activities=each(found.activities, pseudonyms.text),
    )


def _changed(change: Change, pseudonyms: Pseudonyms) -> Change:
    def each(one: Comparison) -> Comparison:
        return replace(one, name=None if one.name is None else pseudonyms.client(one.name))

    return replace(change, by_client=tuple(map(each, change.by_client)))
