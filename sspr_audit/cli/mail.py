"""sspr-audit mail."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sspr_audit.cli import fetch, report, run, writing
from sspr_audit.errors import LocalTrouble, UsageError

if TYPE_CHECKING:
    from sspr_audit.model import Envelope, Window
    from sspr_audit.pipeline.connecting import Outside
    from sspr_audit.pipeline.mail import Attempt, Entry, Way

WAIT: Final = timedelta(minutes=15)
"""How long a run waits for another that is sending; a server may think for ten minutes."""

UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def mail(
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="T",
            help="From: 7d is the seven whole days before today, 36h whole hours; from a day or a"
            " full ISO time until the last midnight. Days are those of [report] timezone.",
        ),
    ] = "7d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write the mail (.eml), and send nothing.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="PATH", help="With --dry-run: write to a file."),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="With --dry-run: about the tenant that ships with the program."
        ),
    ] = False,
    offline: run.Offline = False,
    resend: Annotated[
        bool,
        typer.Option(
            "--resend", help="Only send again what nobody confirmed; it may arrive twice."
        ),
    ] = False,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Send the summary of a week by mail: once, whatever happens on the way."""
    if output is not None and not dry_run:
        msg = "--output is for --dry-run: what is sent goes to [mail] to"
        raise UsageError(msg)
    if resend and dry_run:
        msg = "--resend and --dry-run exclude each other"
        raise UsageError(msg)
    if demo and not dry_run:
        msg = "--demo is for --dry-run: nobody is written to about a tenant that is made up"
        raise UsageError(msg)
    begin = run.begin_demo if demo else run.begin
    here = begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import mail as pipeline

    about = pipeline.envelope(here.settings, _window(since, here))
    if dry_run:
        target = writing.target(here, output, [])
        letters, is_complete = _composed(here, about, (), config, offline=offline, demo=demo)
        _, _, raw = letters[-1]
        writing.write(raw.decode("ascii"), target)
        return 0 if is_complete else 3
    box = pipeline.box(here.settings)
    outside = fetch.outside(here)
    channels = pipeline.channels(outside)
    if resend:
        with box.held(WAIT):
            return _sent(here, about, channels, outside, resend=True)
    if box.find(about) is None:
        letters, is_complete = _composed(here, about, channels, config, offline=offline)
        if (missed := pipeline.unmailed(box, about)) is not None:
            here.warn(
                f"no mail is about {missed.start:%Y-%m-%dT%H:%MZ} to {missed.end:%Y-%m-%dT%H:%MZ}:"
                f" `sspr-audit mail --since {missed.start:%Y-%m-%dT%H:%MZ}` would write one"
            )
        with box.held(WAIT):
            for letter in letters:
                box.add(*letter)
            code = _sent(here, about, channels, outside)
        return code if code or is_complete else 3
    with box.held(WAIT):
        for known in filter(None, map(box.find, pipeline.addressed(about, channels))):
            _say(here, known)
        return _sent(here, about, channels, outside)


def _window(since: str, here: run.Run) -> "Window":
    """Return the whole days (hours, minutes) that a mail is about.

    Asked again on the same day, it is the same window, and so the same mail.
    """
    from zoneinfo import ZoneInfo

    from sspr_audit.model import Window
    from sspr_audit.settings import times

    zone = ZoneInfo(here.timezone) if here.timezone else UTC
    local = here.now.astimezone(zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    if re.fullmatch("[0-9]+[dhm]", since):
        length, unit = times.span(since, option="--since"), UNITS[since[-1]]
        if unit == UNITS["d"]:
            end, start = midnight, midnight - length  # by the calendar, over a change of clocks too
        else:
            end = here.now - (here.now - datetime(1970, 1, 1, tzinfo=UTC)) % unit
            start = end - length
    else:
        end, start = midnight, times.moment(since, option="--since", now=here.now)
    if start >= end:
        msg = f"--since {since} leaves no whole day before today to write about"
        raise UsageError(msg)
    return Window(start.astimezone(UTC), end.astimezone(UTC))


def _composed(
    here: run.Run,
    about: "Envelope",
    channels: Iterable[str],
    config: Path | None,
    *,
    offline: bool,
    demo: bool = False,
) -> tuple[list[tuple["Envelope", str, bytes]], bool]:
    """Return the letters as the outbox takes them, and whether nothing is missing in them."""
    from sspr_audit.pipeline import mail as pipeline

    key = run.pseudonym_key(config) if pipeline.needs_key(here.settings) else None
    start, end = about.window.start.isoformat(), about.window.end.isoformat()
    options = run.options(here, since=start, until=end, cloud=None, tell_events=True)
    done = report.analysed(here, options, None, demo=demo, offline=offline)
    if not demo:
        report.remember(here, done)
    return pipeline.composed(done, about, here.timezone, key, channels), done.complete


def _sent(
    here: run.Run,
    about: "Envelope",
    channels: Mapping[str, "Way"],
    outside: "Outside",
    *,
    resend: bool = False,
) -> int:
    """Send what waits, or what is in doubt, say what became of it, and return the exit code."""
    from sspr_audit import knowledge
    from sspr_audit.pipeline import mail as pipeline
    from sspr_audit.pipeline.mail import State

    box = pipeline.box(here.settings)
    entries = pipeline.waiting(box, about.to, in_doubt=resend)
    posts = {
        name: waiting
        for name in channels
        if (waiting := pipeline.waiting(box, (name,), in_doubt=resend))
    }
    codes: set[int] = set()
    if entries:
        with pipeline.way(here.settings, knowledge.load().clouds, outside) as way:
            codes.update(_told(here, one) for one in pipeline.sent(entries, way, outside))
    for name, waiting in posts.items():
        codes.update(_told(here, one) for one in pipeline.sent(waiting, channels[name], outside))
    if resend and not entries and not posts:
        here.say("nothing is unconfirmed, so nothing was sent again")
    found = filter(None, map(box.find, pipeline.addressed(about, channels)))
    if not resend and any(one.state is State.UNCONFIRMED for one in found):
        codes.add(LocalTrouble.exit_code)
    return next((code for code in (4, 6) if code in codes), 0)


def _say(here: run.Run, known: "Entry") -> None:
    """Say what became of a letter of this period in an earlier run."""
    from sspr_audit.pipeline.mail import State

    state, period = known.state, _period(known)
    if state is State.SENT:
        what = f"the {known.noun} about {period} was sent before, so nothing is sent"
        here.say(f"{what}: {known.message_id}")
    elif state is State.UNCONFIRMED:
        here.warn(
            f"the {known.noun} about {period} may have arrived, and nobody can tell:"
            f" {known.proof}, then `sspr-audit mail --resend`, or delete {known.folder}"
            f" ({known.why})"
        )


def _told(here: run.Run, attempt: "Attempt") -> int:
    """Say what became of one letter; return the exit code that it asks for."""
    from sspr_audit.errors import AccessDenied
    from sspr_audit.pipeline.mail import State

    entry, error = attempt.entry, attempt.error
    period = _period(entry)
    if error is None:
        to = ", ".join(one for one in entry.envelope.to if one not in attempt.refused)
        here.say(f"sent to {to}: the {entry.noun} about {period} ({entry.message_id})")
        if attempt.refused:
            here.warn(f"not taken for {', '.join(attempt.refused)}: check [mail] to ({entry.why})")
            return LocalTrouble.exit_code
        return 0
    here.warn(f"the {entry.noun} about {period} was not delivered: {error}")
    if entry.state is State.UNCONFIRMED:
        here.warn(f"it goes out again only by --resend ({entry.message_id})")
    else:
        here.warn(f"the next run tries again; to give it up, delete {entry.folder}")
    is_denied = isinstance(error, AccessDenied)
    return AccessDenied.exit_code if is_denied else LocalTrouble.exit_code


def _period(entry: "Entry") -> str:
    window = entry.envelope.window
    return f"{window.start:%Y-%m-%dT%H:%MZ} to {window.end:%Y-%m-%dT%H:%MZ}"
