"""The schedulers of this machine: each takes a plan, shows it, and forgets it again."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from sspr_audit.deliver import schedule
from sspr_audit.deliver.schedule import NAME, Plan
from sspr_audit.errors import LocalTrouble

TASK: Final = r"sspr-audit\mail"


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program that was run."""

    code: int
    out: str
    err: str


Run = Callable[[Sequence[str], str], Ran]
"""Runs a program with an input, to its end. Raises FileNotFoundError where there is none."""


class Scheduler(Protocol):
    """One scheduler."""

    def install(self, plan: Plan) -> None:
        """Take the plan in the place of any before. Raises LocalTrouble."""

    def shown(self) -> str:
        """Return what is installed, as it stands there; empty for nothing. Raises LocalTrouble."""

    def remove(self) -> None:
        """Forget the plan; none is no fault. Raises LocalTrouble."""


def run(command: Sequence[str], given: str) -> Ran:
    """Run a program of this machine; no shell reads what it is given."""
    import subprocess

    done = subprocess.run(  # noqa: S603 - our own words, and paths that are theirs
        list(command),
        input=given,
        capture_output=True,
        encoding=None if os.name == "nt" else "utf-8",  # Windows speaks that of its terminal
        errors="surrogateescape",  # of other people's lines every byte stays
        text=True,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Systemd:
    """Timers of one user."""

    folder: Path
    """Such as ~/.config/systemd/user."""
    run: Run = run

    def install(self, plan: Plan) -> None:
        """Write the units, and let the timer begin."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, text in schedule.units(plan).items():
                (self.folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            msg = f"{self.folder} cannot be written: {error.strerror}"
            raise LocalTrouble(msg) from None
        try:
            _well(self.run, ["systemctl", "--user", "daemon-reload"])
            _well(self.run, ["systemctl", "--user", "enable", "--now", f"{NAME}.timer"])
        except LocalTrouble:
            for name in schedule.units(plan):  # else it would look as if all were well
                (self.folder / name).unlink(missing_ok=True)
            raise

    def shown(self) -> str:
        """Return the units, each under the name of its file."""
        found = sorted(self.folder.glob(f"{NAME}.*"))
        return "".join(f"# {one}\n{one.read_text(encoding='utf-8')}\n" for one in found)

    def remove(self) -> None:
        """Stop the timer, and take the units away."""
        found = sorted(self.folder.glob(f"{NAME}.*"))
        if found:
            _well(self.run, ["systemctl", "--user", "disable", "--now", f"{NAME}.timer"])
        for one in found:
            one.unlink()
        if found:
            _well(self.run, ["systemctl", "--user", "daemon-reload"])


@dataclass(frozen=True, slots=True)
class Cron:
    """The crontab of one user: our lines in it, between two marks."""

    run: Run = run

    def install(self, plan: Plan) -> None:
        """Put our lines into the crontab."""
        self._write(schedule.with_block(self._read(), plan))

    def shown(self) -> str:
        """Return our lines."""
        return schedule.block_of(self._read())

    def remove(self) -> None:
        """Take our lines out; the rest stays as it is."""
        before = self._read()
        after = schedule.without_block(before)
        if after != before:
            self._write(after)

    def _read(self) -> str:
        command = ["crontab", "-l"]
        done = _ran(self.run, command)
        if done.code and "no crontab" not in done.err:
            raise _trouble(command, done)
        return "" if done.code else done.out

    def _write(self, text: str) -> None:
        _well(self.run, ["crontab", "-"], text)


@dataclass(frozen=True, slots=True)
class Windows:
    """The Task Scheduler of Windows."""

    user: str
    today: date
    run: Run = run

    def install(self, plan: Plan) -> None:
        """Register the task."""
        handle, name = tempfile.mkstemp(".xml", "sspr-audit-")
        os.close(handle)
        file = Path(name)
        try:
            file.write_text(schedule.task(plan, self.user, self.today), encoding="utf-16")
            _well(self.run, ["schtasks", "/Create", "/TN", TASK, "/XML", name, "/F"])
        finally:
            file.unlink()

    def shown(self) -> str:
        """Return the task as Windows has it."""
        done = _ran(self.run, ["schtasks", "/Query", "/TN", TASK, "/XML"])
        return "" if done.code else done.out

    def remove(self) -> None:
        """Delete the task."""
        if self.shown():
            _well(self.run, ["schtasks", "/Delete", "/TN", TASK, "/F"])


def _well(run: Run, command: Sequence[str], given: str = "") -> None:
    done = _ran(run, command, given)
    if done.code:
        raise _trouble(command, done)


def _ran(run: Run, command: Sequence[str], given: str = "") -> Ran:
    try:
        return run(command, given)
    except FileNotFoundError:
        msg = f"{command[0]} is not on this machine: choose another scheduler with --with"
        raise LocalTrouble(msg) from None


def _trouble(command: Sequence[str], done: Ran) -> LocalTrouble:
    what = shlex.join(command)
    why = " ".join((done.err or done.out).split()) or f"exit code {done.code}"
    return LocalTrouble(f"`{what}` failed: {why}")
