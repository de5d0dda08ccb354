"""Why a letter did not leave, or may have.

NotTaken     6   nobody has it: it goes out again at the next run
└── NotNow   6   the same, and minutes may help: a busy server, a connection that broke
NotAllowed   4   the same, and the sign-in or a right is why
InDoubt      6   it was handed over and nobody said what became of it: no second attempt
"""

from __future__ import annotations

from sspr_audit.errors import AccessDenied, LocalTrouble


class NotTaken(LocalTrouble):
    """The other side has not taken the letter, for certain."""


class NotNow(NotTaken):
    """The other side has not taken the letter, and may do so in a while."""


class NotAllowed(AccessDenied):
    """The other side has not taken the letter, for want of a sign-in or a right."""


class InDoubt(LocalTrouble):
    """The letter may have been taken: only a person can find out."""
