"""The ways to sign in, each a thin cover over MSAL: as the app, as its host, or as a person.

https://learn.microsoft.com/en-us/entra/msal/python
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import httpx

from sspr_audit.errors import AccessDenied, LocalTrouble, ServiceUnreachable
from sspr_audit.model import Clock
from sspr_audit.sources.graph import federated
from sspr_audit.sources.graph.app import App
from sspr_audit.sources.graph.msal_wire import MsalWire

CAPABILITIES: Final = ["CP1"]
"""Says that claims challenges are answered, so tokens can live long and be revoked at once."""
BROWSER_WAIT: Final = 300
"""Seconds that a person has for the browser."""

_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)

Talk = Callable[[str], None]


class Way(Protocol):
    """One way to sign in."""

    def answer(self, claims: str | None, *, fresh: bool) -> Mapping[str, Any]:
        """Return MSAL's answer: `access_token`, or `error` and its codes."""


class AsApp:
    """The app itself, by secret, certificate or federated token. Its tokens stay in memory."""

    def __init__(self, app: App, through: MsalWire, credential: Callable[[], Any]) -> None:
        import msal

        self._app = app
        try:
            self._msal = msal.ConfidentialClientApplication(
                app.client_id,
                client_credential=credential(),
                http_client=through,
                client_capabilities=CAPABILITIES,
                azure_region=False,
                **_place(app),
            )
        except (ValueError, TypeError):
            raise AccessDenied(_unusable(app)) from None

    def answer(self, claims: str | None, *, fresh: bool) -> Mapping[str, Any]:
        """Return the app's token; `fresh` makes no difference: a new object has none yet."""
        del fresh
        try:
            answer: Mapping[str, Any] = self._msal.acquire_token_for_client(
                [self._app.scope], claims_challenge=claims, http_exceptions=(ServiceUnreachable,)
            )
        except (ValueError, TypeError):  # a key that needs a password shows itself only here
            raise AccessDenied(_unusable(self._app)) from None
        return answer


class AsHost:
    """The managed identity of the machine, function or container that this runs on."""

    def __init__(self, app: App, through: MsalWire) -> None:
        import msal

        self._app = app
        who = (
            msal.UserAssignedManagedIdentity(client_id=app.client_id)
            if app.client_id
            else msal.SystemAssignedManagedIdentity()
        )
        self._msal = msal.ManagedIdentityClient(
            who, http_client=through, client_capabilities=CAPABILITIES
        )

    def answer(self, claims: str | None, *, fresh: bool) -> Mapping[str, Any]:
        """Return the host's token; `fresh` as in AsApp."""
        del fresh
        try:
            answer: Mapping[str, Any] = self._msal.acquire_token_for_client(
                resource=self._app.graph, claims_challenge=claims
            )
        except (ServiceUnreachable, ValueError):
            msg = (
                "no managed identity answers here: run this on an Azure resource that has one, or "
                "set [tenant] auth to another way"
            )
            raise AccessDenied(msg) from None
        return answer


class AsPerson:
    """A person, by device code or browser: once, and then silently from the cache."""

    def __init__(
        self, app: App, through: MsalWire, cache: Any, clock: Clock, prompt: Talk | None
    ) -> None:
        """`prompt` tells the person what to do; None: nobody is there to be asked."""
        import msal

        self._app, self._clock, self._prompt = app, clock, prompt
        try:
            self._msal = msal.PublicClientApplication(
                app.client_id,
                http_client=through,
                token_cache=cache,
                client_capabilities=CAPABILITIES,
                **_place(app),
            )
        except (ValueError, TypeError):
            raise AccessDenied(_unusable(app)) from None

    def answer(self, claims: str | None, *, fresh: bool) -> Mapping[str, Any]:
        """Return a token of the person who has signed in, or who now does."""
        try:
            return self._silent(claims, fresh=fresh) or self._asked(claims)
        except OSError as error:  # a decryption error is one
            why = error.strerror or "the system's key store does not open it"
            msg = f"the kept sign-in {self._app.cache} cannot be used: {why}; delete the file"
            raise LocalTrouble(msg) from None
        except (RuntimeError, ValueError):  # MSAL's, for a browser that never came back
            msg = "nobody signed in: try again, or set [tenant] auth to device-code"
            raise AccessDenied(msg) from None

    def _silent(self, claims: str | None, *, fresh: bool) -> Mapping[str, Any] | None:
        for account in self._msal.get_accounts():
            answer: Mapping[str, Any] | None = self._msal.acquire_token_silent(
                [self._app.scope],
                account,
                force_refresh=fresh,
                claims_challenge=claims,
                http_exceptions=(ServiceUnreachable,),
            )
            if answer:
                return answer
        return None

    def _asked(self, claims: str | None) -> Mapping[str, Any]:
        if self._prompt is None:
            msg = (
                f"[tenant] auth = {self._app.auth} needs a person at a terminal: run this once at "
                "one, or set auth to certificate, federated, managed-identity or secret"
            )
            raise AccessDenied(msg)
        if self._app.auth == "browser":
            self._prompt("Sign in in the browser window that opens now.")
            answer: Mapping[str, Any] = self._msal.acquire_token_interactive(
                [self._app.scope], timeout=BROWSER_WAIT, claims_challenge=claims
            )
            return answer
        return self._by_code(claims, self._prompt)

    def _by_code(self, claims: str | None, prompt: Talk) -> Mapping[str, Any]:
        flow = self._msal.initiate_device_flow([self._app.scope], claims_challenge=claims)
        if "user_code" not in flow:
            return dict(flow)
        prompt(f"Open {flow['verification_uri']} and enter the code {flow['user_code']}.")
        waited = 0
        while True:
            flow.pop("latest_attempt_at", None)  # MSAL reads its own clock, we are handed one
            answer: Mapping[str, Any] = self._msal.acquire_token_by_device_flow(
                flow, claims_challenge=claims, exit_condition=lambda _: True
            )
            still_waits = answer.get("error") in {"authorization_pending", "slow_down"}
            if not still_waits or waited >= flow["expires_in"]:
                return answer
            self._clock.sleep(flow["interval"])
            waited += flow["interval"]


def credential(app: App, client: httpx.Client, environment: Mapping[str, str]) -> Any:
    """Return what MSAL proves the app with. Raises AccessDenied where there is nothing."""
    match app.auth:
        case "certificate":
            return _certificate(app)
        case "federated":
            return {"client_assertion": federated.source(app, client, environment)}
    if app.secret is None:
        msg = "auth = secret, and there is none: put it into SSPR_AUDIT_CLIENT_SECRET"
        raise AccessDenied(msg)
    return app.secret.reveal()


def _certificate(app: App) -> dict[str, Any]:
    path, password = app.certificate, app.certificate_password
    try:
        content = b"" if path is None else path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}; check [tenant] certificate"
        raise AccessDenied(msg) from None
    proof: dict[str, Any] = {"passphrase": password and password.reveal()}
    if b"-----BEGIN" not in content:
        return {"private_key_pfx_path": str(path), **proof}
    text = content.decode("ascii", "replace")
    key = _KEY.search(text)
    return {"private_key": key and key[0], "public_certificate": text, **proof}


def _place(app: App) -> dict[str, Any]:
    known: dict[str, Any] = {"authority": f"{app.authority}/{app.tenant}"}
    return known if app.is_known_cloud else {**known, "instance_discovery": False}


def _unusable(app: App) -> str:
    if app.auth == "certificate":
        return (
            f"{app.certificate} cannot be used: it must be a PEM file with key and certificate, or "
            "a PFX file, and SSPR_AUDIT_CERTIFICATE_PASSWORD must fit it"
        )
    return f"nobody can sign in at {app.authority}/{app.tenant}: check [tenant] id and cloud"
