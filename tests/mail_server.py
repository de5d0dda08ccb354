"""A real SMTP server on loopback, with TLS and sign-in, that fails as it is told."""

import asyncio
import base64
import contextlib
import email
import email.policy
import ssl
import threading
from collections import Counter
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult
from graph_wire import authority, tls

PERIOD = "X-Sspr-Audit-Period"
USER, PASSWORD = "reports@example.com", "canary-smtp-lösen"


@dataclass
class Rules:
    """What the server does; a test changes it before a mail comes."""

    sign_in: str = "password"
    """Or "xoauth2", or "login" for the older way, or "none"."""
    tokens: set = field(default_factory=set)
    """Bearer tokens that are good."""
    starttls: bool = True
    mail: str = "250 OK"
    busy: int = 0
    """How many more mails are put off."""
    rcpt: dict = field(default_factory=dict)
    """Answers by recipient, where they are not OK."""
    data: str = "250 OK"
    """The answer to the dot."""
    cut: str = ""
    """Where the connection ends: "connect", "rcpt", "data" (before the dot), "dot" (taken, and no
    answer) or "quit"."""
    pause: float = 0.0
    """Seconds before the answer to the dot."""


class MailServer:
    """Takes mail; `mails` are those that it has taken, in order."""

    def __init__(self, *, implicit_tls=False, plain=False):
        self.rules = Rules()
        self.mails, self.commands = [], []
        self._implicit, self._plain = implicit_tls, plain
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_exception):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def messages(self):
        """What was taken, parsed."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.mails]

    @property
    def periods(self):
        """How many mails came about each time, by Message-ID too."""
        return Counter((one[PERIOD], one["Message-ID"]) for one in self.messages)

    def took(self, raw):
        with self._lock:
            self.mails.append(raw)

    def settings(self, **changes):
        """Return the [mail] section that leads here."""
        security = "none" if self._plain else "tls" if self._implicit else "starttls"
        ours = {
            "transport": "smtp",
            "from": USER,
            "to": ["helpdesk@example.com"],
            "smtp_host": "localhost",
            "smtp_port": self.port,
            "smtp_security": security,
            "smtp_user": None if self._plain else USER,
        }
        return {k: v for k, v in {**ours, **changes}.items() if v is not None}

    def _run(self):
        asyncio.set_event_loop(self._loop)
        context = tls() if self._implicit else None
        server = self._loop.run_until_complete(
            self._loop.create_server(self._session, "127.0.0.1", 0, ssl=context)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                self._loop.run_until_complete(task)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _session(self):
        offers = not (self._implicit or self._plain) and self.rules.starttls
        return Session(
            self,
            _Handler(self),
            hostname="localhost",
            tls_context=tls() if offers else None,
            require_starttls=offers,
            auth_required=False,
            auth_require_tls=not (self._implicit or self._plain),
            authenticator=self._authenticate,
            auth_exclude_mechanism=_excluded(self.rules.sign_in),
            loop=self._loop,
        )

    def _authenticate(self, _server, _session, _envelope, _mechanism, data):
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)


def _excluded(way):
    keep = {"password": {"PLAIN", "LOGIN"}, "login": {"LOGIN"}, "xoauth2": {"XOAUTH2"}}
    return {"PLAIN", "LOGIN", "XOAUTH2"} - keep.get(way, set())


class Session(SMTP):
    """One connection, which can be cut anywhere."""

    def __init__(self, server, *args, **more):
        self.ours = server
        super().__init__(*args, **more)

    def _cut(self):
        self.transport.abort()

    async def _handle_client(self):
        if self.ours.rules.cut == "connect":
            return self._cut()
        return await super()._handle_client()

    async def auth_XOAUTH2(self, _server, args):  # noqa: N802 - as aiosmtpd asks
        said = base64.b64decode(args[1]).decode()
        user, token, *_ = said.split("\x01")
        bearer = token.removeprefix("auth=Bearer ")
        if user == f"user={USER}" and bearer in self.ours.rules.tokens:
            return AuthResult(success=True)
        await self.challenge_auth(b'{"status":"401","schemes":"bearer","scope":"canary-scope"}')
        return AuthResult(success=False, handled=False)

    async def smtp_RCPT(self, arg):  # noqa: N802
        if self.ours.rules.cut == "rcpt":
            return self._cut()
        return await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):  # noqa: N802
        if self.ours.rules.cut == "data":
            await self.push("354 go on")
            await self._reader.read(100)
            self._cut()
            await asyncio.sleep(60)  # ends when the connection has
        return await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg):  # noqa: N802
        if self.ours.rules.cut == "quit":
            return self._cut()
        return await super().smtp_QUIT(arg)

    async def push(self, status):
        if self.transport is None or self.transport.is_closing():
            return
        await super().push(status)


class _Handler:
    def __init__(self, server):
        self.server = server

    async def handle_MAIL(self, _server, _session, envelope, address, options):  # noqa: N802
        if self.server.rules.busy:
            self.server.rules.busy -= 1
            return "451 4.3.2 busy"
        if not self.server.rules.mail.startswith("2"):
            return self.server.rules.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.server.rules.mail

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        answer = self.server.rules.rcpt.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        rules = self.server.rules
        if rules.data.startswith("2"):
            self.server.took(envelope.content)
        if rules.pause:
            await asyncio.sleep(rules.pause)
        if rules.cut == "dot":
            server.transport.abort()
        return rules.data


def trusted(folder):
    """Write the CA's certificate into a folder, and return the path for SSL_CERT_FILE."""
    path = folder / "mail-ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


__all__ = ["PASSWORD", "PERIOD", "USER", "MailServer", "Rules", "ssl", "trusted"]
