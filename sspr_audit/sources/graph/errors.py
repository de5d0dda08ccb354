"""What can go wrong with Graph, named by who can put it right.

SsprAuditError
├── AccessDenied              4   the tenant's administrator
│   └── Refused                   Entra or Graph said no, with a code
└── ServiceUnreachable        5   the network, or Microsoft
    ├── NotOffered                this cloud or tenant has no such thing, or takes no such question
    ├── TooHeavy                  nobody: ask for less, and it may be borne
    ├── ChainBroken               nobody: ask for the whole window again
    └── Unproved                  the owner of the network: the answer cannot be trusted
"""

from __future__ import annotations

from sspr_audit.errors import AccessDenied, ServiceUnreachable


class Refused(AccessDenied):
    """Entra or Graph said no; the text says who can change that, and how."""

    def __init__(self, message: str, *, code: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        """The service's own: AADSTS and a number, or Graph's error code."""
        self.request_id = request_id
        """What Microsoft's support asks for."""


class NotOffered(ServiceUnreachable):
    """Graph does not take this question (400), or has no such collection here (404).

    `code` is Graph's own, and `status` the HTTP status.
    """

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class TooHeavy(ServiceUnreachable):
    """Graph gave no whole answer after all retries: a shorter window may succeed."""


class ChainBroken(ServiceUnreachable):
    """A next page could not be had or was an old one: what was read is no whole window."""


class Unproved(ServiceUnreachable):
    """The answer is not what was asked for, or leads elsewhere: nothing of it is believed."""
