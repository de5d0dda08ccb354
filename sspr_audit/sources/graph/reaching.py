"""Says whether a service answers at all, without signing in."""

from __future__ import annotations

import httpx

from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph.app import App


def authority(app: App, http: httpx.Client) -> str | None:
    """Return the Date header of the sign-in service. Raises ServiceUnreachable."""
    return _reached(http, f"{app.authority}/{app.tenant}/v2.0/.well-known/openid-configuration")


def graph(app: App, http: httpx.Client) -> str | None:
    """Return the Date header of Graph. Raises ServiceUnreachable.

    The address is the list of what there is; a 401 is as good an answer.
    """
    return _reached(http, f"{app.graph}/v1.0/")


def _reached(http: httpx.Client, url: str) -> str | None:
    host = httpx.URL(url).host
    try:
        with http.stream("GET", url) as response:  # whose text nobody needs
            pass
    except httpx.HTTPError as error:
        raise wire.unreachable(error, host) from None
    if wire.is_portal(response):
        raise wire.portal(host, response.status_code)
    date: str | None = response.headers.get("Date")
    return date
