"""The way to the tenant's Graph, put together from the settings and what a command hands in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sspr_audit.errors import SettingsError
from sspr_audit.knowledge import Cloud
from sspr_audit.model import Clock

if TYPE_CHECKING:
    import random
    from pathlib import Path

    import httpx
    from pydantic import SecretStr

    from sspr_audit.settings import Settings
    from sspr_audit.sources.graph.app import App, Secret
    from sspr_audit.sources.graph.auth import SignIn
    from sspr_audit.sources.graph.client import Graph
    from sspr_audit.sources.graph.pace import Pace

USUAL_CLOUD: Final = "global"
"""Whose addresses are asked where the settings name no cloud."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What only a command may reach for."""

    clock: Clock
    dice: random.Random
    environment: Mapping[str, str]
    """Where federated tokens are looked for."""
    prompt: Callable[[str], None] | None
    """Tells a person what to do; None where nobody is there."""
    secret: Callable[[str], SecretStr | None]
    """Reads one of settings.SECRETS, for what needs it."""
    note: Callable[[str], None]
    """Is told of every request that failed and is made again."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One HTTP client, and what speaks through it. Nothing was asked yet."""

    app: App
    http: httpx.Client
    sign_in: SignIn
    pace: Pace
    graph: Graph


@contextmanager
def connected(
    settings: Settings, clouds: Mapping[str, Cloud], outside: Outside, *, guarded: bool = True
) -> Iterator[Connection]:
    """Yield the way to Graph; it is closed at the end.

    `guarded`: an answer by which this machine's clock is far off raises LocalTrouble. Raises
    SettingsError where the settings name no tenant or app, or a proxy or CA file is of no use.
    The folder of the store must be there when the first request goes out: the pace is kept in it.
    """
    from sspr_audit.sources.graph import http as wire
    from sspr_audit.sources.graph import skew
    from sspr_audit.sources.graph.auth import SignIn
    from sspr_audit.sources.graph.client import Graph
    from sspr_audit.sources.graph.pace import Pace

    app, clock = registered(settings, clouds, outside.secret), outside.clock
    with wire.client() as http:
        if guarded:
            skew.guard(http, clock)
        sign_in = SignIn(app, http, clock, outside.prompt, outside.environment)
        pace = Pace(clock, _beside(settings, ".pace"))
        graph = Graph(http, sign_in, app.graph, pace, clock, note=outside.note, dice=outside.dice)
        yield Connection(app, http, sign_in, pace, graph)


def registered(
    settings: Settings, clouds: Mapping[str, Cloud], secret: Callable[[str], SecretStr | None]
) -> App:
    """Return the app registration that the settings name. Raises SettingsError."""
    from sspr_audit.sources.graph.app import INTERACTIVE, App

    ours = settings.tenant
    client_id = ours.client_id or ("" if ours.auth == "managed-identity" else None)
    if ours.id is None or client_id is None:
        name = "id" if ours.id is None else "client_id"
        msg = (
            f"[tenant] {name} is missing, so Graph cannot be asked: `sspr-audit init` tells more,"
            " and a report with --offline asks nobody"
        )
        raise SettingsError(msg)
    name = ours.cloud or USUAL_CLOUD
    cloud = settings.clouds.get(name) or clouds[name]
    return App(
        tenant=ours.id,
        client_id=client_id,
        auth=ours.auth,
        authority=cloud.authority,
        graph=cloud.graph,
        secret=_hidden(secret("client_secret")) if ours.auth == "secret" else None,
        certificate=ours.certificate,
        certificate_password=_hidden(secret("certificate_password"))
        if ours.auth == "certificate"
        else None,
        is_known_cloud=name in clouds,
        cache=_beside(settings, ".sign-in") if ours.auth in INTERACTIVE else None,
    )


def consent_link(authority: str, tenant: str, client_id: str) -> str:
    """Return where an administrator grants what the app registration asks for.

    https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/grant-admin-consent
    """
    return f"{authority}/{tenant}/adminconsent?client_id={client_id}"


def _hidden(secret: SecretStr | None) -> Secret | None:
    from sspr_audit.sources.graph.app import Secret

    return None if secret is None else Secret(secret.get_secret_value())


def _beside(settings: Settings, suffix: str) -> Path:
    path = settings.store.path
    return path.with_name(path.name + suffix)
