"""What every command begins with: its common options, the settings and the time."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sspr_audit.cli.clock import Wall
from sspr_audit.errors import UsageError

if TYPE_CHECKING:
    from sspr_audit.model import Clock
    from sspr_audit.pipeline.analysis import Options
    from sspr_audit.pipeline.keeping import Keeper
    from sspr_audit.settings import Settings

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The settings file.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say and show everything.")]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input", "-i", metavar="PATH", help="Exports: file, folder, glob, or - for stdin. Repeat."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="T",
        help="From: 7d, 36h or 90m back from --until, a day (its 00:00 UTC), or a full ISO time. "
        "Without it files are taken whole, and the store for 7d.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="T", help="To, exclusive: as --since, with spans back from now; or now."
    ),
]
CloudName = Annotated[
    str | None,
    typer.Option("--cloud", metavar="NAME", help="The cloud whose commands and hosts to give."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Take the store as it is, and ask Microsoft nothing.")
]
Pseudonymize = Annotated[
    bool,
    typer.Option(
        "--pseudonymize",
        help="Give pseudonyms for people and devices, the same from report to report; IP addresses "
        "and sites stay. Their key is kept beside the settings.",
    ),
]
Wait = Annotated[
    str, typer.Option("--wait", metavar="SPAN", help="How long to wait for a busy store.")
]
WAIT = "10m"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command."""

    settings: Settings
    now: datetime
    quiet: bool = False
    verbose: bool = False
    clock: Clock = field(default_factory=Wall)

    @property
    def timezone(self) -> str | None:
        """The zone for people, by name."""
        return self.settings.report.timezone

    def say(self, text: str) -> None:
        """Tell the person something, on stderr."""
        if not self.quiet:
            tell(text)

    def warn(self, text: str) -> None:
        """Tell the person what went wrong, --quiet or not."""
        tell(text)


def tell(text: str) -> None:
    """Write lines to stderr; what a name holds that could steer a terminal is written out."""
    for line in text.splitlines():
        typer.echo(shown(line), err=True)


def shown(line: str) -> str:
    """Return a line in letters that only show; what could steer a terminal is written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def help_if_alone(context: typer.Context) -> None:
    """Give the help where no command was named, and end."""
    if context.invoked_subcommand is None:
        tell(context.get_help())
        raise typer.Exit(UsageError.exit_code)


def begin(config: Path | None, *, quiet: bool, verbose: bool) -> Run:
    """Load the settings and take the time. Raises SettingsError."""
    from sspr_audit import settings

    loaded = settings.load(config, environ=os.environ)
    clock = Wall()
    run = Run(loaded, clock.now(), quiet, verbose, clock)
    if loaded.file:
        run.say(f"settings: {loaded.file}")
    return run


def begin_demo(config: Path | None, *, quiet: bool, verbose: bool) -> Run:
    """Take the demo tenant's own settings and time, unless a settings file is named."""
    from sspr_audit import settings
    from sspr_audit.pipeline.report import demo_facts

    said, now = demo_facts()
    if config is None:
        loaded = settings.checked(said, file=None)
    else:
        loaded = settings.load(config, environ=os.environ)
    return Run(loaded, now, quiet, verbose)


def keeper(run: Run, wait: str = WAIT) -> Keeper:
    """Return what it takes to use the store. Raises UsageError for a wrong --wait."""
    from sspr_audit.pipeline.keeping import Keeper
    from sspr_audit.settings import times

    ours, patience = run.settings, times.span(wait, option="--wait")
    return Keeper(ours.store.path, run.now, run.say, patience, ours.tenant.id)


def pseudonym_key(config: Path | None, *, make: bool = True) -> bytes:
    """Return the key of pseudonyms that lies beside the settings; `make` it at its first use.

    Raises SettingsError, LocalTrouble.
    """
    from sspr_audit import settings

    return settings.pseudonym_key(settings.place(config, environ=os.environ), make=make)


def options(
    run: Run,
    *,
    since: str | None,
    until: str | None,
    cloud: str | None,
    tell_events: bool = False,
) -> Options:
    """Return what a report needs to know. Raises UsageError."""
    from sspr_audit.pipeline import asking
    from sspr_audit.settings import times

    start, end = times.resolve(since, until, now=run.now)
    return asking.options(
        run.settings,
        now=run.now,
        generated_at=_generated_at(run.now, os.environ),
        start=start,
        end=end,
        cloud=cloud,
        tell_events=tell_events,
    )


def colour(stream: Any) -> bool:  # noqa: ANN401 - any text stream
    """Say whether to write colours: to a terminal, unless NO_COLOR is set or it is dumb."""
    return (
        stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"
    )


def _generated_at(now: datetime, environ: Mapping[str, str]) -> datetime:
    """Return `now`, or what SOURCE_DATE_EPOCH says, so that equal input gives equal bytes."""
    text = environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return now
    if re.fullmatch("[0-9]{1,11}", text):  # to the year 5138; int() takes more than digits
        return datetime.fromtimestamp(int(text), UTC)
    msg = f"SOURCE_DATE_EPOCH must be whole seconds since 1970, not {text!r}"
    raise UsageError(msg)
