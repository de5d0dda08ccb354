"""Our errors, named by who can put them right. Each carries the exit code of the contract.

SsprAuditError
├── UsageError        2   the person at the keyboard: a wrong word on the command line
├── SettingsError     2   the person who wrote the settings file
├── NothingReadError  2   the person who exported: no input could be understood
├── KnowledgeError    70  who wrote the cause: us, or the owner of a catalogue of their own
├── AccessDenied      4   the tenant's administrator: sign-in or permission
├── ServiceUnreachable 5  the network, or Microsoft
└── LocalTrouble      6   the owner of this machine: store busy, disk full, no right to write
"""

from __future__ import annotations


class SsprAuditError(Exception):
    """An expected error: its text is one line that says who can put it right and how."""

    exit_code = 70


class UsageError(SsprAuditError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class SettingsError(SsprAuditError):
    """The settings file has faults; the text names all of them."""

    exit_code = 2


class NothingReadError(SsprAuditError):
    """No input could be understood."""

    exit_code = 2


class KnowledgeError(SsprAuditError):
    """The shipped catalogue has faults; the text names all of them."""


class AccessDenied(SsprAuditError):
    """Sign-in failed or a permission is missing."""

    exit_code = 4


class ServiceUnreachable(SsprAuditError):
    """The service did not answer."""

    exit_code = 5


class LocalTrouble(SsprAuditError):
    """The machine stands in the way: a busy store, a full disk, a missing right."""

    exit_code = 6
