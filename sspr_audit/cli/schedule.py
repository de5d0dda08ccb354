"""sspr-audit schedule."""

import os
import re
import shutil
import sys
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sspr_audit.cli import clock, run, writing
from sspr_audit.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from sspr_audit.pipeline.scheduling import Machine
    from sspr_audit.pipeline.scheduling import Scheduler as Kind

schedule = typer.Typer(
    help="Let the weekly mail be sent by this machine's scheduler.", rich_markup_mode=None
)


class Day(StrEnum):
    """The day of the week."""

    mon = "mon"
    tue = "tue"
    wed = "wed"
    thu = "thu"
    fri = "fri"
    sat = "sat"
    sun = "sun"


class With(StrEnum):
    """The schedulers."""

    systemd = "systemd"
    cron = "cron"
    windows = "windows"


Scheduler = Annotated[
    With | None,
    typer.Option("--with", help="The scheduler; without it the one that this machine has."),
]


@schedule.callback(invoke_without_command=True)
def _alone(context: typer.Context) -> None:
    run.help_if_alone(context)


@schedule.command()
def install(
    weekly: Annotated[Day, typer.Option("--weekly", help="The day.")] = Day.mon,
    at: Annotated[
        str, typer.Option("--at", metavar="HH:MM", help="The time of this machine.")
    ] = "07:00",
    with_: Scheduler = None,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Have `sspr-audit mail --since 7d` run once a week."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    if here.settings.mail is None:
        msg = "[mail] is missing in the settings, so there would be nothing to send"
        raise SettingsError(msg)
    from sspr_audit.pipeline import scheduling

    machine = _machine()
    plan = scheduling.plan(here.settings, machine, day=weekly.value, at=_time(at))
    kind = with_.value if with_ else None
    one = scheduling.scheduler(machine, kind)
    one.install(plan)
    here.say(f"each {weekly.value} at {at}: {' '.join(plan.command)}")
    for name in scheduling.unkept(machine):
        here.warn(f"{name} is known to this shell only: put it in a file, and name it {name}_FILE")
    if isinstance(one, scheduling.Systemd):
        here.say("for a time when you are not signed in: loginctl enable-linger")
    return 0


@schedule.command()
def remove(with_: Scheduler = None, quiet: run.Quiet = False) -> int:
    """Take the weekly mail out of the scheduler; what is in the outbox stays there."""
    _chosen(with_).remove()
    if not quiet:
        run.tell("nothing is scheduled any more")
    return 0


@schedule.command()
def show(with_: Scheduler = None, quiet: run.Quiet = False) -> int:
    """Show what the scheduler has been told."""
    text = _chosen(with_).shown()
    if text:
        writing.write(text)
    elif not quiet:
        run.tell("nothing is scheduled; `sspr-audit schedule install` would do so")
    return 0


def _chosen(with_: With | None) -> "Kind":
    from sspr_audit.pipeline import scheduling

    return scheduling.scheduler(_machine(), with_.value if with_ else None)


def _machine() -> "Machine":
    from sspr_audit.pipeline.scheduling import Machine

    return Machine(
        platform=sys.platform,
        python=sys.executable,
        environment=os.environ,
        home=Path.home(),
        today=clock.Wall().now().astimezone().date(),
        has=lambda program: shutil.which(program) is not None,
    )


def _time(text: str) -> time:
    """Read HH:MM. Raises UsageError."""
    found = re.fullmatch("([01]?[0-9]|2[0-3]):([0-5][0-9])", text, re.ASCII)
    if found is None:
        msg = f"--at must be a time of day such as 07:00, not {ascii(text)[1:-1]}"
        raise UsageError(msg)
    return time(int(found[1]), int(found[2]))
