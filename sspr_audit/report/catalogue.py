"""The catalogue for people: the list of causes, and one cause in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from sspr_audit.knowledge.wordings import quoted
from sspr_audit.report import harmless, plain, words

if TYPE_CHECKING:
    from sspr_audit.knowledge.catalogue import Cause, Family
    from sspr_audit.knowledge.clouds import Cloud
    from sspr_audit.knowledge.known import Knowledge

VISIBILITY: Final = {
    "explicit": "a reason, code or activity names it",
    "partial": "only an unfinished flow shows it",
    "silent": "leaves no record; absence is its sign",
    "success-then-failure": "the log says success, trouble follows",
}

_IN_SHORT: Final = {
    "explicit": "named by a reason",
    "partial": "an unfinished flow",
    "silent": "no record",
    "success-then-failure": "logged as success",
}
"""VISIBILITY for the list."""

KNOWN: Final = {
    "documented": "documented by Microsoft",
    "tool": "checked by a diagnostics script that Microsoft signed",
    "reported": "reported in public, not documented",
    "inferred": "concluded from other facts",
}

CLIENTS: Final = {
    "windows-signin-10-11": "the sign-in screen of Windows 10 and 11",
    "windows-signin-7-8-81": "the sign-in screen of Windows 7, 8 and 8.1 (add-in)",
    "web-portal": "the browser",
    "password-change": "changing a known password",
    "admin-reset": "a reset by an administrator",
    "registration": "registering ways to verify",
    "whfb-pin-reset-lockscreen": "PIN reset of Windows Hello for Business",
    "connect-sync-server": "the Entra Connect server",
    "cloud-sync-agent": "the cloud sync agent",
}


def listing(causes: Iterable[Cause]) -> str:
    """Return the causes by layer and id: id, title, and how each shows in the audit log."""
    layers: dict[str, list[Cause]] = {}
    for cause in sorted(causes, key=lambda one: one.id):
        layers.setdefault(cause.layer, []).append(cause)
    lines: list[str] = []
    for layer, members in sorted(layers.items()):
        lines += ["", f"{words.LAYER.get(layer, layer).upper()} ({len(members):,})"]
        for cause in members:
            shows = _IN_SHORT.get(cause.visibility, cause.visibility)
            lines.append(f"  {harmless.line(cause.id)}  ({shows})")
            lines += plain.wrapped(cause.title, indent=6)
    return "\n".join([*lines[1:], ""])


def page(cause: Cause, knowledge: Knowledge, *, cloud: Cloud | None) -> str:
    """Return all that is known of a cause, told in `cloud`; in every cloud where it is None."""
    told = cause.in_cloud(cloud, knowledge.clouds)
    lines = plain.wrapped(told.title)
    lines += plain.wrapped(f"{told.id}, {words.LAYER.get(told.layer, told.layer)}")
    lines += _where(told, cloud)
    lines += _signs(told, knowledge)
    lines += _remedy(told)
    lines += _elsewhere(told, knowledge)
    lines += _sources(told, knowledge)
    return "\n".join([*lines, ""])


def family_page(family: Family, knowledge: Knowledge, *, cloud: Cloud | None) -> str:
    """Return what the members of a family share, and in a few lines each what tells them apart."""
    lines = plain.wrapped(family.title)
    lines += plain.wrapped(
        f"{family.id}, a family of {len(family.members)} causes that one text or picture cannot "
        f"tell apart; {family.lead} is the first to look at"
    )
    told = family.in_cloud(cloud, knowledge.clouds)
    lines += plain.section("How it works", told.background)
    rows = [row for row in knowledge.reasons if row.family == family.id]
    lines += plain.section("Reasons that name it", (f'"{row.text}"' for row in rows), mark="- ")
    lines += ["", "Its causes, and what would tell each"]
    for id_ in (family.lead, *(one for one in family.members if one != family.lead)):
        cause = knowledge.causes[id_].in_cloud(cloud, knowledge.clouds)
        lines += plain.wrapped(f"{id_}: {cause.title}", indent=2, mark="- ")
        tells = next(iter((*cause.evidence_elsewhere, *cause.needs_data)), "not known")
        lines += plain.wrapped(tells, indent=4, mark="told by: ")
    return "\n".join([*lines, "", "`sspr-audit causes ID` tells one in full.", ""])


def _where(cause: Cause, cloud: Cloud | None) -> Iterator[str]:
    yield from plain.section("What the user sees", [cause.user_sees or "Not known."])
    clients = "; ".join(CLIENTS.get(one, one) for one in cause.clients)
    yield from plain.section("Where", [f"In {clients}." if clients else "", f"OS: {cause.os}."])
    if cloud is not None and not cause.applies_in(cloud):
        clouds = ", ".join(cause.clouds)
        yield from plain.section(
            "Clouds", [f"Not known to occur in {cloud.name}; only in {clouds}."]
        )
    else:
        yield from plain.section("Clouds", [", ".join(cause.clouds)])


def _signs(cause: Cause, knowledge: Knowledge) -> Iterator[str]:
    shows = VISIBILITY.get(cause.visibility, cause.visibility)
    yield from plain.section("In the audit log", [f"{shows.capitalize()}.", cause.signature])
    reasons = (f'"{row.text}"' for row in knowledge.reasons_for(cause.id))
    yield from plain.section("Reasons that name it or its family", reasons, mark="- ")
    yield from plain.section("Evidence elsewhere", cause.evidence_elsewhere, mark="- ")
    yield from plain.section("What would show or settle it", cause.needs_data, mark="- ")
    rivals = (_titled(rival, knowledge) for rival in cause.rivals)
    yield from plain.section("What else it could be", rivals, mark="- ")
    yield from plain.section("What can look like it", cause.confounders, mark="- ")
    for family in knowledge.families_of(cause.id):
        others = ", ".join(one for one in family.members if one != cause.id)
        told = f"{family.id}: {family.title}. Led by {family.lead}; with {others}."
        yield from plain.section("Family", [told])
    yield from plain.section("What is not known", [cause.known_gaps])


def _titled(rival: str, knowledge: Knowledge) -> str:
    known = knowledge.causes.get(rival)
    return f"{rival}: {known.title}" if known else rival


def _remedy(cause: Cause) -> Iterator[str]:
    yield from plain.section(
        "Who can fix it", [words.WHO.get(cause.who_can_fix, cause.who_can_fix)]
    )
    yield from plain.section("What to do", [cause.remedy.summary])
    yield from plain.verbatim(cause.remedy.commands)
    yield from _block("Hosts", cause.remedy.hosts)
    yield from _block("Registry", cause.registry)


def _block(heading: str, texts: tuple[str, ...]) -> Iterator[str]:
    if texts:
        yield from ("", heading, *plain.verbatim(texts, indent=2))


def _elsewhere(cause: Cause, knowledge: Knowledge) -> Iterator[str]:
    texts = f"{cause.user_sees or ''} {cause.remedy.summary}"
    found = (
        f"{one.english}, in {one.language}: {one.text}" for one in quoted(texts, knowledge.wordings)
    )
    yield from plain.section("In other languages", found, mark="- ")


def _sources(cause: Cause, knowledge: Knowledge) -> Iterator[str]:
    yield from plain.section(
        "How well it is known", [KNOWN.get(cause.confidence, cause.confidence)]
    )
    known = [knowledge.sources[one] for one in cause.sources if one in knowledge.sources]
    if known:
        yield from ("", "Sources")
    for source in known:
        yield from plain.wrapped(source.title, indent=2, mark="- ")
        if source.url:
            yield from plain.verbatim([source.url])
