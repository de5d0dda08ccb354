"""What MSAL speaks through: the one HTTP client, with retries and with our errors.

MSAL asks for an object with `get`, `post` and `close`; whatever an answer says that is no matter
of signing in (throttling, broken answers, another machine in between) ends here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import httpx

from sspr_audit.errors import ServiceUnreachable
from sspr_audit.model import Clock
from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph import refusals
from sspr_audit.sources.graph.app import App
from sspr_audit.sources.graph.retrying import LONGEST_HOLD, Again, may_pass, retried, retry_after

TRIES: Final = 4

_DISCOVERY: Final = "/.well-known/openid-configuration"
_NEEDED: Final = frozenset({"authorization_endpoint", "token_endpoint"})
"""What MSAL takes for granted there."""


class MsalWire:
    """An http_client for MSAL. Raises ServiceUnreachable where MSAL expects network errors."""

    def __init__(self, app: App, client: httpx.Client, clock: Clock) -> None:
        self._app = app
        self._client = client
        self._clock = clock
        self.requests: Counter[str] = Counter()
        """How many went out, as `token`."""

    def get(
        self, url: str, params: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> httpx.Response:
        """Ask for `url`. Raises Refused for what Entra says about tenant or app."""
        return self._sent("GET", url, params=params or None, headers=headers)

    def post(
        self,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> httpx.Response:
        """Send a form; MSAL hands assertions over as bytes, which httpx would spell b'...'."""
        return self._sent("POST", url, params=params or None, data=_texts(data), headers=headers)

    def close(self) -> None:
        """Leave the client open: Graph uses it too."""

    def _sent(self, method: str, url: str, **parts: Any) -> httpx.Response:
        request = self._client.build_request(method, url, **parts)
        return retried(lambda: self._tried(request), sleep=self._clock.sleep, jitter=0.0)

    def _tried(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.requests["token"] += 1
        try:
            response = wire.received(self._client, request, self._clock)
        except httpx.HTTPError as error:
            tries = 1 if wire.is_lasting(error) else TRIES
            raise Again(wire.unreachable(error, host), tries=tries) from None
        status = response.status_code
        if may_pass(status):
            after = retry_after(response, self._clock.now())
            end = ServiceUnreachable(f"{host} answers {status} to the sign-in: try again later")
            tries = TRIES if after is None or after <= LONGEST_HOLD else 1
            raise Again(end, tries=tries, after=after)
        self._checked(response, host)
        return response

    def _checked(self, response: httpx.Response, host: str) -> None:
        """Refuse what no sign-in service says, and what MSAL would tell without its code."""
        portal = wire.portal(host, response.status_code)
        if wire.is_portal(response):
            raise portal
        try:
            said = response.json()
        except (ValueError, RecursionError):
            if response.is_success:
                raise portal from None
            return
        if not isinstance(said, dict):
            raise portal
        if response.request.method == "GET":
            codes = refusals.numbers(said.get("error_codes"), said.get("error_description"))
            is_whole = said.keys() >= _NEEDED or not response.url.path.endswith(_DISCOVERY)
            if response.is_success and not is_whole:
                raise portal
            if codes:
                raise refusals.sign_in(self._app, codes, said.get("error"), said.get("trace_id"))


def _texts(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    return {
        key: value.decode("ascii") if isinstance(value, bytes) else value
        for key, value in data.items()
        if value is not None
    }
