"""Where a workload's federated token comes from: Kubernetes, GitHub, or a function handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from sspr_audit.errors import AccessDenied
from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph.app import App, Secret

FILE: Final = "AZURE_FEDERATED_TOKEN_FILE"
URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
TOKEN: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of the variable

AUDIENCES: Final = {
    ".us": "api://AzureADTokenExchangeUSGov",
    ".cn": "api://AzureADTokenExchangeChina",
}
"""By the end of the sign-in host; https://learn.microsoft.com/en-us/entra/workload-id/\
workload-identity-federation-considerations."""
USUAL_AUDIENCE: Final = "api://AzureADTokenExchange"


def source(app: App, client: httpx.Client, environment: Mapping[str, str]) -> Callable[[], str]:
    """Return what gives a token each time it is called: `app.assertion`, else what
    AZURE_FEDERATED_TOKEN_FILE names (https://azure.github.io/azure-workload-identity), else GitHub
    (https://docs.github.com/en/actions/concepts/security/openid-connect).

    Raises AccessDenied, now or when called, where there is none.
    """
    if app.assertion is not None:
        return app.assertion
    if FILE in environment:
        return lambda: _from_file(Path(environment[FILE]))
    if URL in environment and TOKEN in environment:
        address = f"{environment[URL]}&audience={quote(audience(app.authority), safe='')}"
        bearer = Secret(environment[TOKEN])
        return lambda: _from_github(client, address, bearer)
    msg = (
        f"auth = federated, and neither {FILE} (Kubernetes) nor {URL} (GitHub: the job needs "
        "'permissions: id-token: write') is set: run this where one of them is"
    )
    raise AccessDenied(msg)


def audience(authority: str) -> str:
    """Return whom the token must be made out to in the cloud of this sign-in address."""
    host = urlsplit(authority).hostname or ""
    return next((one for end, one in AUDIENCES.items() if host.endswith(end)), USUAL_AUDIENCE)


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()  # each time: it is renewed in place
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it holds no token"
        msg = f"{path}, which {FILE} names, cannot be read: {why}; check the pod's projected volume"
        raise AccessDenied(msg) from None


def _from_github(client: httpx.Client, address: str, bearer: Secret) -> str:
    try:
        answer = client.get(address, headers={"Authorization": f"bearer {bearer.reveal()}"})
        match answer.is_success and answer.json():
            case {"value": str(token)}:
                return token
    except httpx.HTTPError as error:
        raise wire.unreachable(error, httpx.URL(address).host) from None
    except ValueError:  # no JSON; what it is could be anything
        pass
    msg = (
        f"GitHub gave no token ({answer.status_code}): the job needs 'permissions: id-token: write'"
    )
    raise AccessDenied(msg)
