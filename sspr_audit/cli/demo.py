"""sspr-audit demo."""

from pathlib import Path
from typing import Annotated

import typer

from sspr_audit.cli import run, writing
from sspr_audit.errors import LocalTrouble


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if missing.")],
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Write the made-up tenant in every export form, to try the program on."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import report as pipeline

    try:
        written = pipeline.write_demo(folder)
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror}; choose another folder"
        raise LocalTrouble(msg) from error
    writing.write("".join(f"{path}\n" for path in written))
    here.say(
        f"try: sspr-audit report --config {folder / 'settings.toml'} --input {folder / 'exports'}"
    )
    return 0
