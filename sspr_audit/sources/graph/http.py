"""The one HTTP client, for Graph and for the sign-in, and its troubles in words."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Final

import httpx

from sspr_audit import __version__
from sspr_audit.errors import ServiceUnreachable, SettingsError
from sspr_audit.model import Clock

CONNECT: Final = 10.0
"""Seconds to reach a host."""
READ: Final = 180.0
"""Seconds between two pieces of an answer; Graph thinks for minutes about wide questions."""
LONGEST: Final = timedelta(minutes=10)
"""How long a whole answer may take: one that comes in drips would otherwise never end."""
LARGEST: Final = 64 << 20
"""Bytes of an answer, unpacked. A page of 999 records has about one million; a small answer can
unpack to more than this machine holds.
"""

WANTS_LOGIN: Final = httpx.codes.NETWORK_AUTHENTICATION_REQUIRED
"""The status by which a network, and no service, says that it wants a login first."""

_WIRE: Final = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
"""Headers of how an answer was sent, in lower case, which no longer hold once it is unpacked."""

_CERTIFICATE: Final = (
    "the certificate shown for {host} is not trusted ({why}): something on the way looks into "
    "TLS; whoever runs it can exempt {host}, or name its CA's file in SSL_CERT_FILE"
)
_PROXY_LOGIN: Final = (
    "the proxy wants a user name and a password (407): put them into HTTPS_PROXY, or have the "
    "proxy's owner let {host} pass"
)
_PROXY: Final = "the proxy of HTTPS_PROXY does not let {host} through: ask the proxy's owner"
_NAME: Final = "the name {host} is not known here: check the network, DNS and [tenant] cloud"
_NO_ANSWER: Final = "{host} does not answer: check the network, the firewall and HTTPS_PROXY"
_SLOW: Final = "{host} began no answer, or did not end it, within {seconds:.0f} s"
_CUT: Final = "the connection to {host} broke off"
_PORTAL: Final = (
    "something other than {host} answered, with a page for people ({status}): sign in to the "
    "network that this machine is in, or have its owner let {host} pass"
)


class Endless(httpx.TransportError):
    """An answer that is larger, or takes longer, than any of the service's."""


def client(ca: str | None = None) -> httpx.Client:
    """Return a client that verifies certificates, follows no redirects and adds no parameters.

    `ca` is a PEM file to trust and nothing else; None: SSL_CERT_FILE and SSL_CERT_DIR where they
    are set, else the usual authorities and those of this system. Proxies come from the
    environment. Raises SettingsError where a file or a proxy address is of no use.
    """
    for name in ("httpx", "httpcore"):  # at INFO they write addresses with people's ids in them
        logging.getLogger(name).setLevel(logging.WARNING)
    context = _trust(ca)
    try:
        return httpx.Client(
            verify=context,
            timeout=httpx.Timeout(READ, connect=CONNECT, pool=CONNECT),
            headers={"User-Agent": f"sspr-audit/{__version__}"},
        )
    except (ValueError, ImportError, httpx.InvalidURL):  # its text would show the proxy's password
        msg = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY must be an address such as http://proxy:8080"
        raise SettingsError(msg) from None


def without_proxies() -> httpx.Client:
    """Return a client for this host's own services, which need no proxy and no certificate. It
    keeps no connection, so nobody needs to close it.
    """
    return httpx.Client(
        trust_env=False,
        timeout=httpx.Timeout(READ, connect=CONNECT),
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def received(client: httpx.Client, request: httpx.Request, clock: Clock) -> httpx.Response:
    """Send a request and return its whole answer, unpacked. Raises httpx.HTTPError, of which
    Endless is one.
    """
    until, pieces, size = clock.now() + LONGEST, [], 0
    with closing(client.send(request, stream=True)) as response:
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST:
                msg = f"an answer of {request.url.host} is larger than {LARGEST >> 20} MiB"
                raise Endless(msg)
            if clock.now() > until:
                msg = f"an answer of {request.url.host} takes longer than {LONGEST}"
                raise Endless(msg)
    headers = [one for one in response.headers.raw if one[0].lower() not in _WIRE]
    content = b"".join(pieces)
    return httpx.Response(response.status_code, headers=headers, content=content, request=request)


def _trust(ca: str | None) -> ssl.SSLContext:
    try:
        if ca is not None:
            return ssl.create_default_context(cafile=ca)
        context = httpx.create_ssl_context()  # honours SSL_CERT_FILE and SSL_CERT_DIR
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror or "it holds no certificate"
        msg = f"{ca or 'SSL_CERT_FILE'} cannot be used: {why}; name a PEM file of CA certificates"
        raise SettingsError(msg) from None
    context.load_default_certs()  # the system's store, where a company puts its own CA
    return context


def unreachable(error: httpx.HTTPError, host: str) -> ServiceUnreachable:
    """Return what to say of an error on the way to `host`.

    Raise it `from None`: the frames of httpx hold headers, and those hold tokens.
    """
    return ServiceUnreachable(trouble(error, host))


def trouble(error: httpx.HTTPError, host: str) -> str:
    """Return the sentence for an error on the way to `host`."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE.format(host=host, why=cause.verify_message)
        if isinstance(cause, socket.gaierror):
            return _NAME.format(host=host)
    match error:
        case Endless():
            return str(error)
        case httpx.ProxyError() if "407" in str(error):
            words = _PROXY_LOGIN
        case httpx.ProxyError():
            words = _PROXY
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            words = _NO_ANSWER
        case httpx.TimeoutException():
            words = _SLOW
        case _:
            words = _CUT
    return words.format(host=host, seconds=READ)


def is_portal(response: httpx.Response) -> bool:
    """Say whether this is an answer that no service gives, such as a hotel's login page. For what
    no other try may better: a service's own gateway says in HTML that it is busy.
    """
    is_page = "html" in response.headers.get("Content-Type", "")
    return response.is_redirect or is_page or response.status_code == WANTS_LOGIN


def portal(host: str, status: int) -> ServiceUnreachable:
    """Return what to say of it."""
    return ServiceUnreachable(_PORTAL.format(host=host, status=status))


def is_lasting(error: httpx.HTTPError) -> bool:
    """Say whether trying again within minutes would be vain: a proxy's no, a wrong certificate."""
    return isinstance(error, httpx.ProxyError) or any(
        isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)
    )


def is_on_the_way(error: httpx.HTTPError) -> bool:
    """Say whether the host was never reached, so that asking it for less would not help."""
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
