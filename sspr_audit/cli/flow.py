"""sspr-audit flow."""

from typing import Annotated

import typer

from sspr_audit.cli import report, run, writing
from sspr_audit.errors import UsageError


def flow(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="ID|USER", help="A flow, an event, a user name, object id or pseudonym."
        ),
    ],
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
    """Tell one flow, or one person's story, as a time line."""
    if demo and input_:
        msg = "--demo and --input exclude each other"
        raise UsageError(msg)
    begin = run.begin_demo if demo else run.begin
    here = begin(config, quiet=quiet, verbose=verbose)
    options = run.options(here, since=since, until=until, cloud=cloud, tell_events=True)
    done = report.analysed(here, options, input_, demo=demo, offline=offline)
    from sspr_audit.pipeline import story

    if story.is_pseudonym(wanted):
        wanted = story.behind(done, wanted, run.pseudonym_key(config, make=False))
    writing.write(story.told(done, wanted, timezone=here.timezone, verbose=verbose))
    return 0 if done.complete else 3
