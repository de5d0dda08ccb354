"""Files of settings and secrets: small, whole, and nothing that could keep a run waiting."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from sspr_audit.errors import SettingsError

LARGEST: Final = 256 * 1024
"""Bytes of a settings or secret file; what is longer is something else."""

SECRETS: Final = {
    "client_secret": "SSPR_AUDIT_CLIENT_SECRET",
    "certificate_password": "SSPR_AUDIT_CERTIFICATE_PASSWORD",
    "smtp_password": "SSPR_AUDIT_SMTP_PASSWORD",
    "channels": "SSPR_AUDIT_CHANNELS",
}
"""The variable that holds each secret; with _FILE at its end it names a file that does."""

_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'")
_DEEP_KEY = re.compile(r"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){32}")
"""A dotted key far deeper than any of ours; one of thousands would keep tomllib busy for long."""


def parsed(file: Path) -> dict[str, Any]:
    """Read TOML as any editor saves it; Notepad writes marks and, on request, UTF-16.

    Raises SettingsError.
    """
    try:
        raw = contents(file)
    except ValueError as error:
        msg = f"{file}: the settings file {error}"
        raise SettingsError(msg) from None
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if marked else "utf-8-sig")
        if not _DEEP_KEY.search(_QUOTED.sub("quoted", text)):
            # The file is read as bytes, so line ends come as written; TOML itself takes both.
            return tomllib.loads(text)
        msg = f"{file}: is not TOML that can be read: it is nested too deeply"
    except RecursionError:
        msg = f"{file}: is not TOML that can be read: it is nested too deeply"
    except UnicodeDecodeError:
        msg = f"{file}: is not UTF-8 text; save it again as UTF-8"
    except tomllib.TOMLDecodeError as error:
        hint = "; save it again as UTF-8" if b"\0" in raw and not marked else ""
        msg = f"{file}: is not TOML: {error}{hint}"
    except ValueError:  # Python reads no number of thousands of digits
        msg = f"{file}: is not TOML that can be read: it holds a number of too many digits"
    raise SettingsError(msg)


def secret(name: str, *, environ: Mapping[str, str]) -> SecretStr | None:
    """Return a secret of SECRETS from its variable or its file, None where neither is set.

    Read it where it is needed and not before: what needs no secret must not fail over one. Raises
    SettingsError, which says nothing of what a file holds.
    """
    variable = SECRETS[name]
    value, named = environ.get(variable), environ.get(f"{variable}_FILE")
    if value and named:
        msg = f"{variable}: is set, and {variable}_FILE too; keep one"
        raise SettingsError(msg)
    if not named:
        return SecretStr(value) if value else None
    try:
        text = contents(Path(named)).decode("utf-8-sig").rstrip("\r\n")
        trouble = "" if text else "is empty"
    except UnicodeDecodeError:
        trouble = "is not UTF-8 text"
    except ValueError as error:
        trouble = str(error)
    if trouble:
        msg = f"{variable}: the file that {variable}_FILE names {trouble}"
        raise SettingsError(msg)
    return SecretStr(text)


def contents(file: Path) -> bytes:
    """Return what a regular file holds. Raises ValueError with what is to be said of the file."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe can stay silent, a device never ends
            msg = "cannot be read: it is no regular file"
            raise ValueError(msg)
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise ValueError(msg) from None
    if len(raw) > LARGEST:
        msg = f"is longer than {LARGEST} bytes"
        raise ValueError(msg)
    return raw
