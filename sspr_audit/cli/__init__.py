"""The commands, and the one place that turns errors into words and exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from sspr_audit import __version__
from sspr_audit.cli import causes, demo, flow, importing, keeping, report
from sspr_audit.errors import SsprAuditError

INTERRUPTED: Final = 130
READER_GONE: Final = 141
BUG: Final = 70

app = typer.Typer(
    name="sspr-audit",
    help="Find out why self-service password resets fail, from what Microsoft Entra logs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command()(report.report)
app.command("import")(importing.import_)
app.command()(flow.flow)
app.command()(causes.causes)
app.command()(demo.demo)
app.add_typer(keeping.store, name="store")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer hands it in so
    if wanted:
        typer.echo(f"sspr-audit {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Find out why self-service password resets fail, from what Microsoft Entra logs."""


def main(args: Sequence[str] | None = None) -> None:
    """Run a command and end the process with the exit code of the contract."""
    _speak_utf8()
    try:
        code = app(args=args, standalone_mode=False)
        sys.stdout.flush()
        raise SystemExit(code if isinstance(code, int) else 0)
    except typer.TyperException as error:
        error.show()
        raise SystemExit(2) from None
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # What is still buffered has no reader; without this Python complains about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(READER_GONE) from None
    except SsprAuditError as error:
        for line in str(error).splitlines():
            typer.echo(f"sspr-audit: {line}", err=True)
        raise SystemExit(error.exit_code) from None
    except Exception:  # noqa: BLE001 - any other is a bug, and its trace is what we need to mend it
        import traceback

        trace = traceback.format_exc()
        typer.echo(
            f"{trace}\nsspr-audit {__version__}: this is a bug; please report the lines"
            " above, without names from your tenant.",
            err=True,
        )
        raise SystemExit(BUG) from None


def _speak_utf8() -> None:
    """Write UTF-8 whatever the system's habit; what no text can hold is escaped."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
