"""The commands, and the one place that turns errors into words and exit codes.

Modules that hold commands do without `from __future__ import annotations`: typer would compile the
text of each annotation four times, whatever command is run.
"""

import contextlib
import errno
import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, NoReturn

import typer

from sspr_audit import __version__
from sspr_audit.cli import (
    causes,
    demo,
    doctor,
    fetch,
    flow,
    importing,
    init,
    keeping,
    mail,
    report,
    run,
    schedule,
)
from sspr_audit.errors import LocalTrouble, SsprAuditError, UsageError

INTERRUPTED: Final = 130
READER_GONE: Final = 141
BUG: Final = 70

OF_THE_MACHINE: Final = {
    *(errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENOSPC, errno.EROFS),
}
"""What no code of ours can be blamed for, wherever it strikes."""

NO_ROOM: Final = ("failed to map segment", "cannot map zero-fill", "Cannot allocate memory")
"""How a loader says that memory did not suffice for a library."""

CUT: Final = ("marshal data", "EOF read where")
"""What Python says of its own compiled file where the disk was full when it wrote that."""

app = typer.Typer(
    name="sspr-audit",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command()(report.report)
app.command()(fetch.fetch)
app.command("import")(importing.import_)
app.command()(flow.flow)
app.command()(causes.causes)
app.command()(doctor.doctor)
app.command()(mail.mail)
app.command()(init.init)
app.command()(demo.demo)
app.add_typer(keeping.store, name="store")
app.add_typer(schedule.schedule, name="schedule")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sspr-audit {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback sees to it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Find out why self-service password resets fail, from what Microsoft Entra logs."""
    run.help_if_alone(context)


def process() -> NoReturn:
    """Be the whole process: run the command of its arguments, and leave without long goodbyes.

    What an interpreter does before it starts and ends (looking for garbage while packages load,
    taking them apart again) is a fifth of what `--help` takes. Nothing here waits for it: folders
    and locks are given back where they were taken, and what DuckDB holds here.
    """
    gc.set_threshold(100_000)
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else BUG
    if engine := sys.modules.get("sspr_audit.engine"):
        engine.close()
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run a command and end the process with the exit code of the contract."""
    _speak_utf8()
    with _ended_kindly():
        try:
            code = _run(args)
            sys.stdout.flush()
        except BrokenPipeError:
            code = READER_GONE
        except KeyboardInterrupt:
            code = INTERRUPTED
        except OSError as error:  # stdout or stderr itself
            with contextlib.suppress(OSError):
                run.tell(_refused(error.strerror or str(error)))
            code = LocalTrouble.exit_code
        _let_go_of_stdout()
    raise SystemExit(code)


def _run(args: Sequence[str] | None) -> int:
    """Run a command; return its exit code, and put errors into words."""
    try:
        code = app(args=args, prog_name="sspr-audit", standalone_mode=False)
    except typer.Abort as error:  # what typer makes of the end of any file, whosever it is
        if not any(words in str(error.__cause__) for words in CUT):
            return INTERRUPTED
        words = "a module that Python compiled was cut short: delete its __pycache__ folders"
        run.tell(_refused(words))
        return LocalTrouble.exit_code
    except SystemExit:  # what typer makes of a broken pipe, and of nothing else here
        return READER_GONE
    except Exception as error:  # noqa: BLE001 - this is the one place for all of them
        words, code = _told(error)
        run.tell(words)
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> tuple[str, int]:
    """Return what to say about an error, and its exit code."""
    match error:
        case typer.TyperException():
            said = error.format_message().replace("Value error, ", "").rstrip(".")
            return f"sspr-audit: {said}; --help after a command tells more", UsageError.exit_code
        case SsprAuditError():
            lines = (f"sspr-audit: {line}" for line in str(error).splitlines())
            return "\n".join(lines), error.exit_code
        case OSError(errno=number) if number in OF_THE_MACHINE:
            return _refused(error.strerror or str(error)), LocalTrouble.exit_code
        case MemoryError():
            return _refused("no memory is left"), LocalTrouble.exit_code
        case ImportError() if any(words in str(error) for words in NO_ROOM):
            return _refused("no memory is left for a library"), LocalTrouble.exit_code
    import traceback

    trace = "".join(traceback.format_exception(error))
    bug = "this is a bug; please report the lines above, without names from your tenant."
    return f"{trace}\nsspr-audit {__version__}: {bug}", BUG


def _refused(why: str) -> str:
    return f"sspr-audit: this machine refused: {why}; mend that, then run again"


class _Closed(io.StringIO):
    """Stands for a stdout that was closed before we began: what is written would be lost."""

    def write(self, _: str) -> int:
        msg = "standard output is closed, and there is something to write to it"
        raise LocalTrouble(msg)


def _speak_utf8() -> None:
    """Write UTF-8 and bare line ends, whatever the system's habit; what cannot be is escaped."""
    sys.stdout = sys.stdout or _Closed()  # None where it was closed before we began
    sys.stderr = sys.stderr or io.StringIO()  # talk may be lost; the exit code tells as well
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        # PYTHONUNBUFFERED: where a disk takes only a part, Python would lose the rest in silence.
        sys.stdout = open(sys.stdout.fileno(), "w", buffering=1, closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")


@contextlib.contextmanager
def _ended_kindly() -> Iterator[None]:
    """Let a polite kill end a run as Ctrl-C does, so that no folder of records stays behind."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _let_go_of_stdout() -> None:
    """Throw away what is buffered for a reader that is gone; Python would complain at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
