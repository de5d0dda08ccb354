"""A mail leaves by SMTP, signed in and encrypted; and it is known what became of it.

The letter is handed over whole before the one line that makes the server answer for it (RFC 5321,
4.1.1.4: the dot). Whatever breaks before that line leaves nobody with a mail.
"""

from __future__ import annotations

import base64
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from sspr_audit.deliver import message
from sspr_audit.deliver.errors import InDoubt, NotAllowed, NotNow, NotTaken
from sspr_audit.model import Envelope

PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
"""Where a server usually listens: https://www.iana.org/assignments/service-names-port-numbers"""

PATIENCE: Final = 60.0
"""Seconds for a connection and for each answer before the dot."""
LAST_PATIENCE: Final = 600.0
"""Seconds for the answer to the dot (RFC 5321, 4.5.3.2.6): giving up early makes doubles."""

_GOODBYE: Final = 5.0
"""Seconds."""

_GO_ON, _SIGNED_IN, _MORE = 354, 235, 334
_WELL: Final = range(200, 300)
_FOR_GOOD: Final = range(500, 600)
_WORD: Final = 200
"""Characters of what a server said that are repeated."""

_Trouble = (OSError, smtplib.SMTPException, UnicodeError)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that takes mail, and how to sign in there."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None = None
    """None: without a sign-in."""
    password: Callable[[], str] | None = field(default=None, repr=False)
    token: Callable[[], str] | None = field(default=None, repr=False)
    """Gives an access token, for XOAUTH2 in place of a password."""
    patience: float = PATIENCE
    last_patience: float = LAST_PATIENCE


def delivered(
    server: Server, mail: bytes, envelope: Envelope, commit: Callable[[], None]
) -> tuple[str, ...]:
    """Hand a mail over; return the recipients that were refused for good while others were taken.

    `commit` is called when everything but the dot is with the server. Raises NotTaken, NotNow,
    NotAllowed or InDoubt, and what `commit` and `token` raise.
    """
    place = f"{server.host}:{server.port}"
    token = None if server.token is None else server.token()  # first: a person may have to be asked
    with _unbroken(f"{place} cannot be reached"):
        connection = _connected(server)
    try:
        with _unbroken(f"{place} broke off at the greeting"):
            _greet(connection, server, place)
        if server.user is not None:
            with _unbroken(f"{place} broke off at the sign-in"):
                _sign_in(connection, server, server.user, token, place)
        with _unbroken(f"{place} broke off before it had the whole mail"):
            refused = _address(connection, mail, envelope, place)
            _hand_over(connection, mail, place)
        commit()
        _await(connection, server, place)
        _leave(connection)
    except (NotTaken, NotAllowed):
        _leave(connection)
        raise
    finally:
        connection.close()
    return refused


def _leave(connection: smtplib.SMTP) -> None:
    """Say goodbye to a server that listens; nothing hangs on it."""
    with suppress(*_Trouble):
        if connection.sock is not None:
            connection.sock.settimeout(_GOODBYE)
        connection.quit()


@contextmanager
def _unbroken(words: str) -> Iterator[None]:
    """Say what a connection that breaks here means: nobody has the mail."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = f"{words}: its certificate is not trusted ({error.verify_message})"
        msg = f"{why}; check smtp_host, or name its CA's file in SSL_CERT_FILE"
        raise NotTaken(msg) from None
    except _Trouble as error:
        msg = f"{words}: {_said(error)}"
        raise NotNow(msg) from None


def _connected(server: Server) -> smtplib.SMTP:
    """Return a connection, encrypted from the start where that was asked for."""
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.patience, context=_trust())
    return smtplib.SMTP(server.host, server.port, timeout=server.patience)


def _trust() -> ssl.SSLContext:
    """Return what certificates are held against: SSL_CERT_FILE, and the system's authorities."""
    return ssl.create_default_context()


def _greet(connection: smtplib.SMTP, server: Server, place: str) -> None:
    """Say hello, and encrypt what follows where it is not yet and was asked for."""
    connection.ehlo_or_helo_if_needed()
    if server.security == "starttls":
        if not connection.has_extn("starttls"):
            msg = (
                f'{place} offers no STARTTLS: nothing goes out in clear, try smtp_security = "tls"'
            )
            raise NotTaken(msg)
        connection.starttls(context=_trust())
        connection.ehlo_or_helo_if_needed()


def _sign_in(
    connection: smtplib.SMTP, server: Server, user: str, token: str | None, place: str
) -> None:
    """Sign in. smtplib's own way would show a password in what it raises over odd letters."""
    offered = connection.esmtp_features.get("auth", "").upper().split()
    if token is not None and "XOAUTH2" in offered:
        proof = _base64(f"user={user}\x01auth=Bearer {token}\x01\x01")
        code, said = connection.docmd("AUTH", f"XOAUTH2 {proof}")
        if code == _MORE:  # it tells why in there, and wants an empty line before it refuses
            code, said = connection.docmd("")
    elif server.password is not None and "PLAIN" in offered:
        proof = _base64(f"\0{user}\0{server.password()}")
        code, said = connection.docmd("AUTH", f"PLAIN {proof}")
    elif server.password is not None and "LOGIN" in offered:
        code, said = connection.docmd("AUTH", f"LOGIN {_base64(user)}")
        if code == _MORE:
            code, said = connection.docmd(_base64(server.password()))
    else:
        wanted = "XOAUTH2" if token is not None else "PLAIN or LOGIN"
        msg = f"{place} offers no sign-in by {wanted}, but by {' '.join(offered) or 'none'}"
        raise NotAllowed(msg)
    if code != _SIGNED_IN:
        right = "the app's right to send" if token is not None else "the password"
        told = _words(code, said)
        msg = f"{place} does not let {user} sign in ({told}): check smtp_user and {right}"
        raise (NotAllowed if code in _FOR_GOOD else NotNow)(msg)


def _address(
    connection: smtplib.SMTP, mail: bytes, envelope: Envelope, place: str
) -> tuple[str, ...]:
    """Name sender and recipients; return those that are refused for good, if not all are.

    One that is refused for now keeps the mail from all: it goes to all at the next run.
    """
    refused: dict[str, str] = {}
    size = [f"size={len(mail)}"] if connection.has_extn("size") else []
    code, said = connection.mail(message.routed(envelope.sender), size)
    if code not in _WELL:
        msg = f"{place} takes no mail from {envelope.sender} ({_words(code, said)})"
        raise _no(code)(msg)
    for one in envelope.to:
        code, said = connection.rcpt(message.routed(one))
        if code in _WELL:
            continue
        if code not in _FOR_GOOD:
            msg = f"{place} does not take mail for {one} now ({_words(code, said)})"
            raise NotNow(msg)
        refused[one] = _words(code, said)
    if len(refused) == len(envelope.to):
        told = "; ".join(f"{one}: {words}" for one, words in refused.items())
        msg = f"{place} takes mail for nobody in [mail] to ({told})"
        raise NotTaken(msg)
    return tuple(refused)


def _hand_over(connection: smtplib.SMTP, mail: bytes, place: str) -> None:
    """Send the whole mail, but for the dot."""
    code, said = connection.docmd("DATA")
    if code != _GO_ON:
        msg = f"{place} does not want the mail ({_words(code, said)})"
        raise _no(code)(msg)
    connection.send(re.sub(rb"(?m)^\.", b"..", mail))
    _listen(connection)


def _listen(connection: smtplib.SMTP) -> None:
    """See whether the server is gone: it has nothing to say until the dot but goodbye."""
    one = connection.sock
    if one is None:
        raise ConnectionError
    patience = one.gettimeout()
    one.settimeout(0)
    try:
        said = one.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return
    finally:
        one.settimeout(patience)
    raise ConnectionResetError(0, "it said goodbye" if said else "the connection was cut")


def _await(connection: smtplib.SMTP, server: Server, place: str) -> None:
    """Send the dot, and see what the server answers: from here on it may have the mail."""
    try:
        if connection.sock is not None:
            connection.sock.settimeout(server.last_patience)
        connection.send(b".\r\n")
        code, said = connection.getreply()
    except _Trouble as error:
        msg = f"{place} had the whole mail, and did not say whether it keeps it: {_said(error)}"
        raise InDoubt(msg) from None
    if code not in _WELL:
        msg = f"{place} refused the mail ({_words(code, said)})"
        raise _no(code)(msg)


def _no(code: int) -> type[NotTaken]:
    """Return what a refusal is: for good, or for now."""
    return NotTaken if code in _FOR_GOOD else NotNow


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _words(code: int, said: bytes) -> str:
    text = " ".join(said.decode("utf-8", "replace").split())
    return f"{code} {text[:_WORD]}".strip()


def _said(error: Exception) -> str:
    match error:
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            return _words(code, said if isinstance(said, bytes) else str(said).encode())
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return "no answer in time"
        case OSError(strerror=str(why)):
            return why
        case smtplib.SMTPServerDisconnected():
            return "the connection was cut"
        case _:
            return type(error).__name__
