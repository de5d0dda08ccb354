"""The key of pseudonyms: made once, kept beside the settings, and told to nobody."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from sspr_audit.errors import LocalTrouble, SettingsError
from sspr_audit.settings.reading import contents

NAME: Final = "pseudonyms.key"
"""The file, in the folder of the settings file."""

_BYTES: Final = 32


def pseudonym_key(settings_file: Path, *, make: bool = True) -> bytes:
    """Return the key that lies beside the settings file; where there is none, `make` one.

    The settings file itself need not be there. Raises SettingsError for a file that holds no key
    or that others may read, or where there must be one; LocalTrouble where none can be made.
    """
    file = settings_file.with_name(NAME)
    if not file.exists():
        if not make:
            msg = f"{file}: is not there, and tells pseudonyms; whoever made the report has its own"
            raise SettingsError(msg)
        _make(file)
    try:
        text = contents(file)
        found = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        found = b""
    if len(found) != _BYTES:
        msg = (
            f"{file}: holds no key of pseudonyms that can be read; bring it back from a backup, or"
            " move it away for a new one, with which every pseudonym will differ"
        )
        raise SettingsError(msg)
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        msg = f"{file}: others than its owner can read it; take that right away (chmod 600)"
        raise SettingsError(msg)
    return found


def _make(file: Path) -> None:
    """Put a new key in its place, all at once; if somebody else is quicker, theirs stays."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(".new", ".sspr-audit-", file.parent)  # 0600 by its promise
        beside = Path(name)
        try:
            with open(handle, "w", encoding="ascii") as opened:  # noqa: PTH123 - a handle
                opened.write(f"{secrets.token_hex(_BYTES)}\n")
            _placed(beside, file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{file} cannot be made: {error.strerror}; --pseudonymize needs a key that stays"
        raise LocalTrouble(msg) from error


def _placed(beside: Path, file: Path) -> None:
    """Give the file its name, but never in another's place where the system can tell."""
    with suppress(FileExistsError):
        try:
            os.link(beside, file)
        except FileExistsError:
            raise
        except OSError:  # no hard links here
            beside.rename(file)
