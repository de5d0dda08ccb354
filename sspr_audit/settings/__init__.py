"""The settings file as one frozen, checked value, and secrets from the environment.

Import this where settings are loaded, not at the top of a command: pydantic takes a quarter of
a second. What a value may be stands in values.py, which keys there are in model.py, the words of
faults in faults.py, how files are read in reading.py, and the key of pseudonyms in keys.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from sspr_audit.errors import SettingsError
from sspr_audit.settings import faults
from sspr_audit.settings.keys import pseudonym_key
from sspr_audit.settings.model import CLOUDS, Settings
from sspr_audit.settings.reading import LARGEST, SECRETS, parsed, secret
from sspr_audit.settings.values import CLIENTS, span

__all__ = [
    "CLIENTS",
    "CLOUDS",
    "CONFIG",
    "LARGEST",
    "SECRETS",
    "Settings",
    "checked",
    "load",
    "place",
    "pseudonym_key",
    "secret",
    "span",
]

CONFIG = "SSPR_AUDIT_CONFIG"
"""The variable that names the settings file."""


def load(path: Path | None, *, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `path`, else of $SSPR_AUDIT_CONFIG, else of the user's folder.

    Only the last of these may be missing: then all is default. Paths in the file are seen from the
    file's own folder. Raises SettingsError, one line a fault, for all faults at once.
    """
    file = _file(path, environ)
    return checked({} if file is None else parsed(file), file=file)


def checked(data: Mapping[str, Any], *, file: Path | None) -> Settings:
    """Return the settings that a parsed file makes. Raises as `load` does."""
    context = {"folder": Path() if file is None else file.parent}
    found: list[Mapping[str, Any]] = [
        {"type": "extra_forbidden", "loc": (key,)} for key in data if key in faults.NOT_WRITTEN
    ]
    settings = None
    try:
        settings = Settings.model_validate({**data, "file": file}, context=context)
    except ValidationError as error:
        found += faults.apart(error.errors(include_input=False))
    told = [*(faults.sentence(one, data) for one in found), *faults.clashes(data)]
    if settings is None or told:
        raise SettingsError("\n".join(f"{file or 'settings'}: {words}" for words in told))
    return settings


def place(path: Path | None, *, environ: Mapping[str, str]) -> Path:
    """Return where the settings file is looked for; it need not be there."""
    named = path or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    if named is not None:
        return named.absolute()
    return platformdirs.user_config_path("sspr-audit", appauthor=False) / "settings.toml"


def _file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to read; one that was asked for by name is never passed over."""
    found = place(path, environ=environ)
    return found if path or environ.get(CONFIG) or found.exists() else None
