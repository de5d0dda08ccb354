"""The sockets of the fake tenant: HTTP/1.1 with keep-alive on loopback, with TLS or without."""

import contextlib
import enum
import functools
import select
import socket
import ssl
import struct
import sys
import threading
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote_plus

import trustme

PHRASES = {status.value: status.phrase for status in HTTPStatus}
"""All but 509, which Graph uses and HTTP does not know."""


AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER with which a close resets the connection."""


class End(enum.Enum):
    """How an answer ends on the wire."""

    WHOLE = "whole"
    RESET = "the connection is reset before the first byte"
    CUT = "the connection is reset in the middle of the body"
    SILENT = "nothing comes until the client gives up"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    end: End = End.WHOLE
    between: object = None
    """Is called after each of a hundred pieces, in which the body is then sent."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. Its repr shows no header and no body: they hold secrets."""

    number: int
    """From 1, in the order of arrival at all ports."""
    at: datetime
    """By the clock that was handed in."""
    method: str
    site: str
    """The scheme, name and port that the client thinks it talks to, such as https://localhost:1."""
    target: str
    """Path and query, byte for byte."""
    bucket: str = "elsewhere"
    headers: dict = field(default_factory=dict, repr=False)
    """By names in lower case."""
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    @property
    def words(self):
        """The target with its percent signs undone, which tests search for words."""
        return unquote_plus(self.target)

    @property
    def options(self):
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self):
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def token(self):
        """The bearer token, or None."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else None

    @property
    def signed(self):
        return "authorization" in self.headers


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        site = f"{self.server.scheme}://{headers.get('host', '')}"
        answer = self.server.serve(self.command, site, self.path, headers, body)
        if answer.end is End.SILENT:
            select.select([self.connection, self.server.closing], [], [])
        if answer.end in {End.RESET, End.SILENT}:
            return self._abort()
        lines = [f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, '')}"]
        sent = {**answer.headers, "Content-Length": str(len(answer.body))}
        lines += [f"{name}: {value}" for name, value in sent.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        if answer.end is End.CUT:
            self.wfile.write(head + answer.body[: len(answer.body) // 2])
            return self._abort()
        if answer.between:
            return self._drip(head, answer)
        self.wfile.write(head + answer.body)  # at once: two writes would wait for an ACK
        return None

    def _drip(self, head, answer):
        self.wfile.write(head)
        size = max(1, len(answer.body) // 100)
        for at in range(0, len(answer.body), size):
            self.wfile.write(answer.body[at : at + size])
            answer.between()

    do_GET = do_POST = do_CONNECT = _serve  # noqa: N815 - as http.server asks

    def _abort(self):
        self.server.aborted.add(self.request)
        self.close_connection = True

    def log_message(self, *_args):
        """Say nothing: the tenant keeps its own log."""


class Listener(ThreadingHTTPServer):
    """A server whose threads and connections end when it stops."""

    daemon_threads = False
    request_queue_size = 50

    def __init__(self, serve, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.serve = serve
        self.scheme = "https" if context else "http"
        self.url = f"{self.scheme}://localhost:{self.server_port}"
        self.aborted, self.crashes, self._open = set(), [], set()
        self.closing, self._close = socket.socketpair()
        if context:  # the handshake is done by the thread of its connection
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self.shutdown()
        self._thread.join()
        self._close.send(b".")
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # its client may have gone
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.server_close()
        self.closing.close()
        self._close.close()

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        if request in self.aborted:
            self.aborted.discard(request)
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, _request, _client_address):
        """Keep what went wrong here; what a client does to its connection is its own affair."""
        if not isinstance(sys.exception(), OSError):
            self.crashes.append(traceback.format_exc())


@functools.cache
def authority():
    """Return the test CA, made once a run."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@functools.cache
def tls():
    """Return the TLS set-up of a server that is localhost by name and by number."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = ("localhost", "127.0.0.1")
    authority().issue_cert(*names, key_type=trustme.KeyType.ECDSA).configure_cert(context)
    return context
