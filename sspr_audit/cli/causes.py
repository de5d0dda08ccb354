"""sspr-audit causes."""

from typing import Annotated

import typer

from sspr_audit.cli import run, writing


def causes(
    wanted: Annotated[
        str | None, typer.Argument(metavar="ID", help="A cause or family of the catalogue.")
    ] = None,
    cloud: run.CloudName = None,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """List the known causes, or tell one in full."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    options = run.options(here, since=None, until=None, cloud=cloud)
    from sspr_audit.pipeline import catalogue

    writing.write(catalogue.told(options, wanted))
    return 0
