"""`schedule`: the weekly mail among the jobs of this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sspr_audit.deliver.schedule import Plan
from sspr_audit.deliver.scheduler import Cron, Scheduler, Systemd, Windows

if TYPE_CHECKING:
    from sspr_audit.settings import Settings

__all__ = ["CARRIED", "Machine", "Plan", "Scheduler", "Systemd", "plan", "scheduler", "unkept"]

CARRIED: Final = (
    "SSPR_AUDIT_SMTP_PASSWORD_FILE",
    "SSPR_AUDIT_CLIENT_SECRET_FILE",
    "SSPR_AUDIT_CERTIFICATE_PASSWORD_FILE",
    "SSPR_AUDIT_CHANNELS_FILE",
    "SSL_CERT_FILE",
)
"""Variables that a job gets as they are now: names of files, and no secret."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What only a command may look at."""

    platform: str
    """As sys.platform says."""
    python: str
    environment: Mapping[str, str]
    home: Path
    today: date
    has: Callable[[str], bool]
    """Whether a program is there."""


def plan(settings: Settings, machine: Machine, *, day: str, at: time) -> Plan:
    """Return the plan of the weekly mail, with paths that hold wherever a job begins."""
    command = [machine.python, "-m", "sspr_audit", "mail", "--since", "7d", "--quiet"]
    if settings.file is not None:
        command += ["--config", str(settings.file.absolute())]
    known = {name: machine.environment.get(name, "") for name in CARRIED}
    return Plan(day, at, tuple(command), {name: text for name, text in known.items() if text})


def unkept(machine: Machine) -> list[str]:
    """Return the variables whose secrets this shell knows and a job would not."""
    names = [name.removesuffix("_FILE") for name in CARRIED if name.startswith("SSPR_AUDIT_")]
    return [name for name in names if machine.environment.get(name)]


def scheduler(machine: Machine, kind: str | None) -> Scheduler:
    """Return the scheduler that was asked for, else the one that this machine is known to have."""
    if kind is None:
        if machine.platform == "win32":
            kind = "windows"
        else:
            # without a runtime folder nobody's systemd listens: sudo, containers
            alive = machine.has("systemctl") and machine.environment.get("XDG_RUNTIME_DIR")
            kind = "systemd" if alive else "cron"
    match kind:
        case "windows":
            names = (machine.environment.get(name, "") for name in ("USERDOMAIN", "USERNAME"))
            return Windows("\\".join(filter(None, names)), machine.today)
        case "systemd":
            root = machine.environment.get("XDG_CONFIG_HOME") or machine.home / ".config"
            return Systemd(Path(root) / "systemd" / "user")
        case _:
            return Cron()
