"""A letter to people: what the report stage writes and the deliver stage sends."""

from __future__ import annotations

from dataclasses import dataclass

from sspr_audit.model.records import Window


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside a letter, which its page shows where it says `cid:` and the name."""

    name: str
    title: str
    png: bytes
    alt: str
    """What the picture says, for who does not see it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along."""

    name: str
    kind: str
    """Its media type, such as text/csv."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter in both of its forms; `text` says what `page` says."""

    subject: str
    text: str
    page: str
    """HTML."""
    pictures: tuple[Picture, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, and about which time: what tells one letter from another."""

    sender: str
    to: tuple[str, ...]
    window: Window


@dataclass(frozen=True, slots=True)
class Posted:
    """What a service said to something that was handed over to it once."""

    status: int | None
    """Of its answer; None: the request went out whole or in part, and no answer came."""
    code: str = ""
    """The service's own word for what was wrong."""
    why: str = ""
    """What to do about it, or what became of the connection."""
    busy: bool = False
    """Whether it asks to be left alone for a while, so that nothing was taken."""
