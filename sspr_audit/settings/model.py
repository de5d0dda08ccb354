"""The settings as one frozen value: which sections there are, and which keys each has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from sspr_audit.settings.values import (
    Client,
    FilePath,
    FlowLength,
    Guid,
    Host,
    Keep,
    MailAddress,
    MailAddresses,
    Network,
    Root,
    TenantName,
    Words,
    Zone,
)

CLOUDS = ("global", "usgov-gcchigh", "usgov-dod", "china-21vianet")
"""The clouds whose hosts the catalogue knows; any other has a section under [clouds]."""


def _data_folder() -> Path:
    return platformdirs.user_data_path("sspr-audit", appauthor=False)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Tenant(_Section):
    """The tenant to read from; nothing here is needed to read files."""

    id: TenantName | None = None
    client_id: Guid | None = None
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
    keep: Keep = timedelta(days=400)


class Site(_Section):
    """A named list of networks. None for what the file does not say."""

    name: Words
    networks: tuple[Network, ...] = Field(min_length=1)
    dc_reachable: StrictBool | None = None
    shared: StrictBool | None = None
    """Whether people of other sites leave by these networks, too."""
    timezone: Zone | None = None


class Analysis(_Section):
    """How records become flows."""

    flow_timeout: FlowLength = timedelta(minutes=20)


class ReportOutput(_Section):
    """The [report] section: what people read. JSON stays UTC."""

    timezone: Zone | None = None
    """An IANA name; None is UTC."""


class Mail(_Section):
    """How the weekly summary leaves."""

    transport: Literal["smtp", "graph"]
    sender: MailAddress = Field(alias="from")
    to: MailAddresses = Field(min_length=1)
    smtp_host: Words | None = None
    smtp_port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: Words | None = None
    pseudonymize: StrictBool = True
    """Whether pseudonyms stand for people and devices: a mail travels far and stays long."""


class Settings(_Section):
    """What a run needs to know, but for secrets: those are read where they are needed."""

    tenant: Tenant = Field(default_factory=Tenant)
    clouds: Annotated[Mapping[str, Cloud], AfterValidator(MappingProxyType)] = Field(
        default_factory=dict, validate_default=True
    )
    store: Store = Field(default_factory=Store)
    sites: tuple[Site, ...] = ()
    client_types: Annotated[Mapping[str, Client], AfterValidator(MappingProxyType)] = Field(
        default_factory=dict, validate_default=True
    )
    analysis: Analysis = Field(default_factory=Analysis)
    report: ReportOutput = Field(default_factory=ReportOutput)
    mail: Mail | None = None
    file: Path | None = None
    """The settings file that was read; None where there is none and all is default."""
