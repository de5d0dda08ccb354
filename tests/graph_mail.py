"""The mail half of the fake tenant: sendMail, which takes a mail and names no message.

https://learn.microsoft.com/en-us/graph/api/user-sendmail
"""

import base64
import email
import email.policy
import re
from urllib.parse import unquote

from graph_service import error
from graph_wire import Answer

PATH = re.compile(r"/v1\.0/(me|users/([^/]+))/sendMail")
LARGEST = 4 * 1024 * 1024
"""Bytes of a request."""


class Mailboxes:
    """What the tenant was given to send, and from which mailbox."""

    def __init__(self):
        self.mails = []
        """Pairs of the mailbox and the bytes of a mail, in order."""
        self.scope = None
        """The mailboxes that the app may send from; None: every one."""
        self.permitted = True

    def answer(self, request, token):
        """Return what sendMail says; None where the request is no such thing."""
        match = PATH.fullmatch(request.path)
        if match is None or request.method != "POST":
            return None
        mailbox = unquote(match[2]) if match[2] else None
        if mailbox is None and not token.delegated:
            text = "/me request is only valid with delegated authentication flow."
            return error(400, "BadRequest", text)
        if not self.permitted or (self.scope is not None and mailbox not in self.scope):
            return error(403, "ErrorAccessDenied", "Access is denied. Check credentials.")
        if request.headers.get("content-type") != "text/plain":
            return error(400, "RequestBodyRead", "An unexpected token was found.")
        if len(request.body) > LARGEST:
            return error(413, "RequestEntityTooLarge", "The maximum request length is exceeded.")
        raw = base64.b64decode(request.body, validate=True)
        self.mails.append((mailbox or "me", raw))
        return Answer(202)

    @property
    def messages(self):
        """What was taken, parsed."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for _, raw in self.mails]
