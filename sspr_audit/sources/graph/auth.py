"""An access token for Graph, whenever one is asked for."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import httpx

from sspr_audit.errors import SsprAuditError
from sspr_audit.model import Clock
from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph import refusals, ways
from sspr_audit.sources.graph.app import INTERACTIVE, App
from sspr_audit.sources.graph.errors import Refused
from sspr_audit.sources.graph.msal_wire import MsalWire


class SignIn:
    """Signs in when that is needed and keeps the token until it is old; one at a time."""

    def __init__(
        self,
        app: App,
        http: httpx.Client,
        clock: Clock,
        prompt: Callable[[str], None] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`prompt` tells a person what to do; None where nobody is there, and then a way that
        needs one raises AccessDenied. `environment` is where federated tokens are looked for.
        """
        # at DEBUG this one writes device codes; its parent `msal` may be as talkative as one likes
        logging.getLogger("msal.token_cache").setLevel(logging.INFO)
        self.app = app
        self._http = http
        self._clock = clock
        self._prompt = prompt
        self._environment = environment
        self._wire = MsalWire(app, _from_here(app, http), clock)
        self._cache: Any = None
        self._way: ways.Way | None = None
        self._lock = Lock()

    @property
    def requests(self) -> Counter[str]:
        """How many requests signing in took, as `token`."""
        return self._wire.requests

    def token(self, claims: str | None = None, *, fresh: bool = False) -> str:
        """Return an access token that is good for minutes at least; ask each time one is sent.

        `claims` answers Graph's claims challenge; `fresh` passes by every token kept so far.
        Raises Refused with Entra's code, AccessDenied where something to sign in with is missing,
        ServiceUnreachable, and LocalTrouble for a kept sign-in that cannot be read.
        """
        with self._lock:
            try:
                if fresh or self._way is None:
                    self._way = self._made()
                answer = self._way.answer(claims, fresh=fresh)
            except SsprAuditError as error:  # MSAL's frames name secrets: none stays in a traceback
                raise error.with_traceback(None) from None
        if "access_token" not in answer:
            raise self._refusal(answer)
        return str(answer["access_token"])

    def _made(self) -> ways.Way:
        """Return a new way: MSAL remembers refusals for a minute, and a new object does not."""
        app = self.app
        if app.auth == "managed-identity":
            return ways.AsHost(app, self._wire)
        if app.auth in INTERACTIVE:
            if self._cache is None:
                self._cache = kept_sign_in(app)
            return ways.AsPerson(app, self._wire, self._cache, self._clock, self._prompt)
        return ways.AsApp(
            app, self._wire, lambda: ways.credential(app, self._http, self._environment)
        )

    def _refusal(self, answer: Mapping[str, Any]) -> Refused:
        codes = refusals.numbers(answer.get("error_codes"), answer.get("error_description"))
        return refusals.sign_in(self.app, codes, answer.get("error"), answer.get("trace_id"))


def _from_here(app: App, client: httpx.Client) -> httpx.Client:
    """Return what to sign in through: a host's identity lives on the host, and a proxy would see
    its token.
    """
    return wire.without_proxies() if app.auth == "managed-identity" else client


def kept_sign_in(app: App) -> Any:
    """Return MSAL's cache for a person: on disk, encrypted, where `app.cache` says so and the
    system can; in clear only where `app.may_keep_plain`; else in memory.
    """
    import msal

    if app.cache is None:
        return msal.TokenCache()
    import msal_extensions

    try:
        persistence = msal_extensions.build_encrypted_persistence(str(app.cache))
    except Exception:  # noqa: BLE001 - each system's key store fails in its own way
        if not app.may_keep_plain:
            return msal.TokenCache()
        persistence = msal_extensions.FilePersistence(str(app.cache))
    return msal_extensions.PersistedTokenCache(persistence)
