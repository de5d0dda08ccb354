r"""Letters on their way out, each in a folder of its own: none is lost, and none goes out twice.

    2026-03-02T000000Z-2026-03-09T000000Z-0123456789abcdef\
        card.json    who writes to whom about which time, and the Message-ID
        mail.eml     the mail, until it is sent
        ready        an empty file whose name is the state

A letter is known by its recipients and its window, and so is its folder, which appears whole, by
one rename, or not at all. A state changes by one rename, which is on the disk before anything else
happens. `sending` stands from just before the other side could take the letter until its answer is
noted: a run that finds it with nobody at work knows that nobody can tell, and leaves it as
`unconfirmed`. Not for network shares, whose locks nobody can trust.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sspr_audit.deliver.errors import InDoubt, NotAllowed, NotTaken
from sspr_audit.errors import LocalTrouble
from sspr_audit.model import Envelope, Window

CARD: Final = "card.json"
MAIL: Final = "mail.eml"
WHY: Final = "why.txt"
_UNFINISHED: Final = ".new-"
_TIME: Final = "%Y-%m-%dT%H%M%SZ"

_MOMENT: Final = r"\d{4}-\d\d-\d\dT\d{6}Z"
_NAME: Final = re.compile(rf"{_MOMENT}-{_MOMENT}-[0-9a-f]{{16}}", re.ASCII)
"""Of a letter's folder. A copy of one, which a person or a backup left, is called otherwise."""

_BINARY: Final = getattr(os, "O_BINARY", 0)
"""Windows would write other line ends than it is given."""

KILLED: Final = "the run that sent it ended before the answer came"


class State(StrEnum):
    """Where a letter stands."""

    READY = "ready"
    """Composed; nobody else has it."""
    SENDING = "sending"
    """From now on it may have been taken."""
    SENT = "sent"
    """The other side has said that it took it."""
    REFUSED = "refused"
    """The other side has not taken it, for certain: the next run tries again."""
    UNCONFIRMED = "unconfirmed"
    """It may have been taken: it goes out again only when a person asks for that."""


WAITING: Final = (State.READY, State.REFUSED)
"""What the next run sends."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One letter in the outbox."""

    folder: Path
    envelope: Envelope
    message_id: str
    """Of a post, the name of its channel."""

    @property
    def state(self) -> State:
        """Where it stands. Raises LocalTrouble where somebody took the file away."""
        for _ in range(3):  # a rename between two looks hides both names
            for state in State:
                if (self.folder / state).exists():
                    return state
        msg = f"{self.folder} does not say what became of its mail: delete the folder, or ask"
        raise LocalTrouble(msg)

    @property
    def mail(self) -> bytes:
        """The bytes of the mail; they are kept until it is sent."""
        return (self.folder / MAIL).read_bytes()

    @property
    def noun(self) -> str:
        """What it is called: one to a channel, whose name is no address, is a post."""
        return "mail" if "@" in "".join(self.envelope.to) else "post"

    @property
    def proof(self) -> str:
        """What a person does to find out whether it arrived."""
        if self.noun == "mail":
            return f"ask a recipient for {self.message_id}"
        return f"look whether {self.message_id} shows it"

    @property
    def why(self) -> str:
        """What the other side, or the connection, said last; empty where nothing was noted."""
        try:
            return (self.folder / WHY).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def move(self, old: State, new: State, why: str = "") -> None:
        """Let it stand somewhere else; once this returns, a crash cannot undo it.

        Raises LocalTrouble where it does not stand where it should: then somebody else moved it.
        """
        try:
            if why:
                _written(self.folder / WHY, why.encode("utf-8", "backslashreplace"))
            (self.folder / old).rename(self.folder / new)
            _settled(self.folder)
            if new is State.SENT:  # what it says is in people's mailboxes, and need not stay here
                (self.folder / MAIL).unlink(missing_ok=True)
        except OSError as error:
            raise _trouble(self.folder, error) from None


class Outbox:
    """A folder of letters; whoever changes it holds its lock, which is not the store's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def held(self, wait: timedelta) -> Iterator[None]:
        """Hold the outbox while the block runs; what a killed run left is put right first.

        Raises LocalTrouble where another run still has it after `wait`, or it cannot be written.
        """
        import filelock

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / ".lock", mode=0o600)
            lock.acquire(timeout=wait.total_seconds())
        except filelock.Timeout:
            msg = f"another run is sending from {self.folder}: let it end, then run again"
            raise LocalTrouble(msg) from None
        except (OSError, NotImplementedError) as error:
            raise _trouble(self.folder, error) from None
        try:
            self._put_right()
            yield
        finally:
            lock.release()

    def entries(self) -> list[Entry]:
        """Return every letter, by its window; what bears no letter's name is none of ours."""
        if not self.folder.is_dir():
            return []
        names = sorted(one.name for one in self.folder.iterdir() if _NAME.fullmatch(one.name))
        return [_entry(self.folder / name) for name in names]

    def find(self, envelope: Envelope) -> Entry | None:
        """Return the letter to these recipients about this window."""
        folder = self.folder / _name(envelope)
        return _entry(folder) if folder.exists() else None

    def add(self, envelope: Envelope, message_id: str, mail: bytes) -> Entry:
        """Put a letter in, whole, and return it; where it is in already, that one stays.

        Raises LocalTrouble where it cannot be written.
        """
        folder = self.folder / _name(envelope)
        window = envelope.window
        card = {
            "message_id": message_id,
            "from": envelope.sender,
            "to": envelope.to,
            "start": window.start.isoformat(),
            "end": window.end.isoformat(),
        }
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(dir=self.folder, prefix=_UNFINISHED))  # 0700 by its promise
            _written(new / CARD, json.dumps(card, indent=1).encode())
            _written(new / MAIL, mail)
            _written(new / State.READY, b"")
            _settled(new)
            if folder.exists():
                shutil.rmtree(new)
            else:
                new.rename(folder)
                _settled(self.folder)
        except OSError as error:
            raise _trouble(folder, error) from None
        return _entry(folder)

    def _put_right(self) -> None:
        """Throw away what was never finished, and name what nobody can tell of any more."""
        for rest in self.folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(rest, ignore_errors=True)
        for entry in self.entries():
            state = entry.state
            if state is State.SENDING:
                entry.move(state, State.UNCONFIRMED, KILLED)
            if state is State.SENT:
                (entry.folder / MAIL).unlink(missing_ok=True)


Way = Callable[[bytes, Envelope, Callable[[], None]], tuple[str, ...]]
"""Sends a mail, calls its last argument just before it could be taken, and returns the recipients
that the other side has refused for good. Raises NotTaken, NotAllowed or InDoubt."""


def post(entry: Entry, way: Way) -> tuple[str, ...]:
    """Send one letter, for who holds the outbox, and note what became of it.

    Returns the recipients that were refused while others were not. Raises as the way does.
    """
    if (state := entry.state) is not State.READY:
        entry.move(state, State.READY)  # whatever happens before it is sending, nobody has it
    try:
        refused = way(entry.mail, entry.envelope, lambda: entry.move(State.READY, State.SENDING))
    except (NotTaken, NotAllowed) as error:
        entry.move(entry.state, State.REFUSED, str(error))
        raise
    except InDoubt as error:
        entry.move(State.SENDING, State.UNCONFIRMED, str(error))
        raise
    said = f"not taken for {', '.join(refused)}" if refused else ""
    entry.move(State.SENDING, State.SENT, said)
    return refused


def _name(envelope: Envelope) -> str:
    to = sorted({one.lower() for one in envelope.to})
    window = envelope.window
    key = hashlib.sha256(json.dumps([to, str(window.start), str(window.end)]).encode())
    return f"{window.start:{_TIME}}-{window.end:{_TIME}}-{key.hexdigest()[:16]}"


def _entry(folder: Path) -> Entry:
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        start, end = (datetime.fromisoformat(card[at]).astimezone(UTC) for at in ("start", "end"))
        envelope = Envelope(card["from"], tuple(card["to"]), Window(start, end))
        return Entry(folder, envelope, card["message_id"])
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{folder} is no mail of this program: take it away from there, or delete it"
        raise LocalTrouble(msg) from None


def _written(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
    with open(handle, "wb") as opened:  # noqa: PTH123 - a handle has no path
        opened.write(content)
        opened.flush()
        os.fsync(handle)


def _settled(folder: Path) -> None:
    """Return when the names in a folder are on the disk; Windows has no way to ask for that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _trouble(place: Path, error: OSError | NotImplementedError) -> LocalTrouble:
    why = getattr(error, "strerror", None) or "the file system has no locks"
    return LocalTrouble(
        f"{place} cannot be written: {why}; free space there, or choose another [store] path"
    )
