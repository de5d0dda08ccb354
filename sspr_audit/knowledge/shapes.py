"""The shape that every file of knowledge must have."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, Field(min_length=1)]
Link = Annotated[str, Field(pattern=r"^https://\S+$")]
Host = Annotated[str, Field(pattern=r"^[^\s/:]+$")]
Standing = Literal["seen", "documented", "inferred"]
CloudName = Literal["global", "usgov-gcchigh", "usgov-dod", "china-21vianet"]


class Strict(BaseModel):
    """Nothing but what is declared, and of the very type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Activity(Strict):
    name: Text
    role: Literal["flow", "change", "admin-reset", "registration", "echo", "note", "policy"]
    person_from: Literal["user", "target"]
    standing: Standing
    source: Slug
    service: Text | None = None
    rank: int | None = None
    outcome_stage: int | None = None
    blocked: bool = False


class _Activities(Strict):
    activity: list[_Activity]


class _Reason(Strict):
    key: Slug
    text: Text
    match: Literal["exact", "prefix", "contains", "pattern"]
    on: Text | None = None
    stage: Literal[10, 20, 30, 40, 50, 60, 70, 80] | None = None
    rank: int
    meaning: Literal["step", "succeeded", "blocked", "failed", "cancelled", "abandoned"]
    causes: list[Slug] = []
    family: Slug | None = None
    alone: Literal["flow", "note", "nothing"] = "note"
    standing: Standing
    source: Slug


class _Reasons(Strict):
    methods: list[Text]
    reason: list[_Reason]


class _Shown(Strict):
    kind: Literal["stalled", "absent", "aftermath", "time", "people"]
    needs: Annotated[list[Slug], Field(min_length=1)]
    supports: list[Slug] = []
    spoilers: list[Slug] = []
    settles: str = ""


class _Weights(Strict):
    written: Text
    numbers: dict[str, float]
    likely: dict[Slug, float]
    signals: dict[Slug, dict[Slug, float]]


class _Family(Strict):
    id: Slug
    kind: Literal["text", "pattern"]
    title: Text
    lead: Slug
    members: Annotated[list[Slug], Field(min_length=2)]
    background: list[Text] = []
    sources: Annotated[list[Slug], Field(min_length=1)]
    pattern: _Shown | None = None


class _Families(Strict):
    family: list[_Family]


class _Wording(Strict):
    english: Text
    language: Text
    text: Text
    source: Slug


class _Wordings(Strict):
    wording: list[_Wording]


class _Pattern(Strict):
    client: Literal["windows-signin", "windows7-addin", "browser"]
    pattern: Text


class _Patterns(Strict):
    standing: Standing
    source: Slug
    pattern: list[_Pattern]


class _Cloud(Strict):
    title: Text
    authority: Link
    graph: Link
    sspr_host: Host
    exclusion_hosts: Annotated[list[Host], Field(min_length=1)]
    sspr_url: Link | None = None
    probe_url: Link | None = None
    register_url: Link | None = None
    short_link: Link | None = None
    addin_url: Link | None = None
    static_host: Host | None = None
    ocsp_host: Host | None = None
    writeback_hosts: list[Host] = []
    writeback_probe_hosts: list[Host] = []
    pin_reset_allowed_domain: Host | None = None
    notification_senders: list[Text] = []
    admin_center: Link | None = None
    azure_portal: Link | None = None
    enable_routes: list[Literal["intune-oma-uri", "registry"]] = []
    notes: list[Text] = []
    sources: Annotated[list[Slug], Field(min_length=1)]


class _Source(Strict):
    title: Text
    url: Annotated[str, Field(pattern=r"^https://\S+$")] | None = None


class _Remedy(Strict):
    summary: Text
    commands: list[Text] = []
    hosts: list[Text] = []
    commands_in: dict[CloudName, list[Text]] = {}


class Cause(Strict):
    """A file of causes/."""

    id: Slug
    title: Text
    layer: Literal[
        "device",
        "directory-policy",
        "network",
        "on-prem-writeback",
        "security",
        "service",
        "user",
    ]
    clouds: Annotated[list[CloudName], Field(min_length=1)]
    clients: Annotated[list[Slug], Field(min_length=1)]
    os: Text
    user_sees: Text | None = None
    visibility: Literal["explicit", "partial", "silent", "success-then-failure"]
    stage: Annotated[str, Field(pattern=r"^(S\d+(-S\d+)?|any|setup|reporting|none)$")]
    signature: Text
    evidence_elsewhere: list[Text]
    needs_data: list[Text]
    registry: list[Text] = []
    confounders: list[Text] = []
    rivals: list[Slug]
    known_gaps: str = ""
    who_can_fix: Literal[
        "user",
        "helpdesk",
        "entra-admin",
        "device-admin",
        "network-admin",
        "on-premises-admin",
        "microsoft",
    ]
    confidence: Literal["documented", "tool", "reported", "inferred"]
    on_signin_page: bool
    sources: Annotated[list[Slug], Field(min_length=1)]
    fits: list[Text]
    must_not: Annotated[list[Text], Field(min_length=1)]
    remedy: _Remedy
    pattern: _Shown | None = None


OF_FILES: Final[dict[str, type[Strict]]] = {
    "activities.toml": _Activities,
    "client_types.toml": _Patterns,
    "families.toml": _Families,
    "reasons.toml": _Reasons,
    "weights.toml": _Weights,
    "wordings.toml": _Wordings,
}
"""Of the tables, by file; any other file is a cause."""
OF_ENTRIES: Final[dict[str, type[Strict]]] = {
    "clouds.toml": _Cloud,
    "sources.toml": _Source,
}
"""Of each entry of a table that has no other keys than those of its entries."""
