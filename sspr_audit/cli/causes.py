"""sspr-audit causes."""

from typing import Annotated

import typer

from sspr_audit.cli import report, run, writing
from sspr_audit.errors import UsageError


def causes(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="A cause or family, or words: what users see, a reason, a code."
        ),
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="How the verdict on ID came about in this data.")
    ] = False,
    since: run.Since = None,
    until: run.Until = None,
    input_: run.Input = None,
    demo: Annotated[bool, typer.Option("--demo", help="Use the made-up tenant.")] = False,
    offline: run.Offline = False,
    cloud: run.CloudName = None,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """List the known causes, tell one in full, or say how the verdict on it came about here."""
    if not why and (since or until or input_ or demo or offline):
        msg = "--since, --until, --input, --demo and --offline need --why"
        raise UsageError(msg)
    if why and wanted is None:
        msg = "--why needs the ID of a cause or family"
        raise UsageError(msg)
    if demo and input_:
        msg = "--demo and --input exclude each other"
        raise UsageError(msg)
    begin = run.begin_demo if demo else run.begin
    here = begin(config, quiet=quiet, verbose=verbose)
    options = run.options(here, since=since, until=until, cloud=cloud)
    from sspr_audit.pipeline import catalogue

    if not why or wanted is None:
        writing.write(catalogue.told(options, wanted))
        return 0
    catalogue.known(wanted, options)
    done = report.analysed(here, options, input_, demo=demo, offline=offline)
    writing.write(catalogue.why(done, wanted))
    return 0 if done.complete else 3
