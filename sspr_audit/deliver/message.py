"""A letter to the bytes of a mail: the very same whichever way it leaves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from sspr_audit.errors import SettingsError
from sspr_audit.model import Envelope, Letter

PERIOD: Final = "X-Sspr-Audit-Period"
"""The header that names the time a mail is about, for whoever sorts or counts them."""

LARGEST: Final = 3_000_000
"""Bytes of a mail. Graph takes requests of 4 MB, and there a mail travels in base64 once more:
https://learn.microsoft.com/en-us/graph/api/user-sendmail"""

_LOCAL: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII | re.IGNORECASE)
"""What needs neither quotes (RFC 5322, 3.2.3) nor a server that takes letters beyond ASCII."""


def composed(letter: Letter, envelope: Envelope, made: datetime) -> tuple[str, bytes]:
    """Return the Message-ID and the mail: ASCII, lines ended by CRLF, equal for equal input.

    Raises SettingsError for an address that no header can hold.
    """
    key = _key(letter, envelope, made)
    mail = EmailMessage(policy=SMTP)
    sender = _address(envelope.sender)
    message_id = f"<sspr-audit.{key[:32]}@{sender.domain}>"
    window = envelope.window
    mail["Date"] = format_datetime(made)
    mail["From"] = sender
    mail["To"] = [_address(one) for one in envelope.to]
    mail["Subject"] = letter.subject
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # Exchange: no absence notes back to a program
    mail[PERIOD] = f"{window.start:%Y-%m-%dT%H:%M:%SZ}/{window.end:%Y-%m-%dT%H:%M:%SZ}"
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.page, subtype="html", cte="quoted-printable")
    page = list(mail.iter_parts())[1]
    for one in letter.pictures:
        page.add_related(
            one.png, "image", "png", cid=f"<{one.name}>", filename=f"{one.name}.png",
            disposition="inline",
        )  # fmt: skip
    for file in letter.attachments:
        main, _, sub = file.kind.partition("/")
        how = {"charset": "utf-8"} if main == "text" else {}
        mail.add_attachment(file.content, main, sub, filename=file.name, params=how)
    for number, part in enumerate(_multiparts(mail)):
        part.set_boundary(f"=_{key[32:56]}_{number}")  # random by habit; here the bytes are fixed
    return message_id, mail.as_bytes()


def routed(address: str) -> str:
    """Return an address as servers are told it. Raises SettingsError as `composed` does."""
    return _address(address).addr_spec


def _key(letter: Letter, envelope: Envelope, made: datetime) -> str:
    about = (envelope.sender, envelope.to, envelope.window.naive, made.isoformat(), letter.subject)
    return hashlib.sha256(repr((about, letter.text)).encode()).hexdigest()


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    try:
        written = domain.encode("idna").decode()
    except UnicodeError:
        written = ""
    if not (_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(written)):
        msg = f"[mail]: {ascii(text)[1:-1]} is no address that a mail can bear in its head"
        raise SettingsError(msg)
    return Address(username=local, domain=written)


def _multiparts(mail: EmailMessage) -> Iterator[EmailMessage]:
    for part in mail.walk():
        if part.is_multipart() and isinstance(part, EmailMessage):
            yield part
