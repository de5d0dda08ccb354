"""Which app registration signs in, where and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

Auth = Literal["device-code", "browser", "secret", "certificate", "managed-identity", "federated"]

INTERACTIVE = ("device-code", "browser")
"""The ways to sign in that need a person."""


class Secret:
    """A text that no print, log, traceback or pickle shows; `reveal` is the one way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; keep it in no variable that outlives the call."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> NoReturn:
        msg = "a secret does not leave this process"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class App:
    """An app registration in one tenant of one cloud."""

    tenant: str
    """Its id or one of its domains; one tenant, never `common`."""
    client_id: str
    """Of a managed identity: its client id, or "" for the one the system assigned."""
    auth: Auth
    authority: str = "https://login.microsoftonline.com"
    graph: str = "https://graph.microsoft.com"
    secret: Secret | None = None
    certificate: Path | None = None
    """A PEM file with key and certificate, or a PFX file."""
    certificate_password: Secret | None = None
    assertion: Callable[[], str] | None = field(default=None, repr=False)
    """Gives a federated token; None: the environment of Kubernetes or GitHub says where it is."""
    is_known_cloud: bool = True
    """False for a cloud of the settings: Microsoft is then not asked whether its host is genuine,
    which the global cloud could not know."""
    cache: Path | None = None
    """Where a person's sign-in is kept from run to run, encrypted; None: nowhere. What an app
    signs in with is never kept."""
    may_keep_plain: bool = False
    """Whether the file may be readable (by its owner alone) where the system cannot encrypt."""

    @property
    def scope(self) -> str:
        """All that an administrator has consented to, in this cloud's Graph."""
        return f"{self.graph}/.default"
