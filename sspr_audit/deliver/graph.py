"""A mail leaves through Graph's sendMail, once; and it is known what became of it.

https://learn.microsoft.com/en-us/graph/api/user-sendmail. It takes the mail's own bytes in base64,
so that the recipients get what they would get by SMTP. It answers 202 and names no message.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final, Protocol

from sspr_audit.deliver.errors import InDoubt, NotAllowed, NotNow, NotTaken
from sspr_audit.errors import AccessDenied, ServiceUnreachable
from sspr_audit.model import Envelope, Posted

KIND: Final = "text/plain"
"""The content type by which Graph knows a mail from a description of one in JSON."""

_DENIED: Final = (401, 403)
_WELL: Final = range(200, 300)
_OURS: Final = range(400, 500)


class Client(Protocol):
    """What is asked of Graph's client."""

    def post(self, path: str, body: bytes, kind: str, ready: Callable[[], None]) -> Posted:
        """Hand something over once; `ready` is called when only the request is still to be sent.

        Raises AccessDenied and ServiceUnreachable where nothing was taken, and what `ready` raises.
        """


def path(sender: str | None) -> str:
    """Return where mail of a mailbox goes in; None is that of the person who has signed in."""
    from urllib.parse import quote

    return "/v1.0/me/sendMail" if sender is None else f"/v1.0/users/{quote(sender)}/sendMail"


def delivered(
    client: Client, where: str, mail: bytes, envelope: Envelope, commit: Callable[[], None]
) -> tuple[str, ...]:
    """Hand a mail over; `commit` is called just before. Returns nobody: Graph refuses as a whole.

    Raises NotTaken, NotAllowed or InDoubt, and what `commit` raises.
    """
    try:
        answer = client.post(where, base64.b64encode(mail), KIND, commit)
    except AccessDenied as error:
        raise NotAllowed(str(error)) from None
    except ServiceUnreachable as error:
        raise NotNow(str(error)) from None
    said = f"Graph answers {answer.status} {answer.code}".strip()
    match answer.status:
        case None:
            msg = f"Graph had the mail, and did not say whether it keeps it: {answer.why}"
            raise InDoubt(msg)
        case status if status in _WELL:
            return ()
        case status if status in _DENIED:
            msg = f"{said} to mail from {envelope.sender}: {answer.why}"
            raise NotAllowed(msg)
        case 413:
            msg = f"{said}: the mail of {len(mail):,} bytes is too large for this tenant"
            raise NotTaken(msg)
        case status if status in _OURS or answer.busy:
            msg = f"{said} to mail from {envelope.sender}: check [mail] from, or run again later"
            raise NotTaken(msg)
        case _:  # of a gateway's trouble nobody knows what went on behind it
            msg = f"{said}, so that nobody can tell whether the mail was taken"
            raise InDoubt(msg)
