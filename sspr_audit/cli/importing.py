"""sspr-audit import."""

from typing import Annotated

import typer

from sspr_audit.cli import run


def import_(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Exports: files, folders, globs, or -.")
    ],
    wait: run.Wait = run.WAIT,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Bring exports into the store; what it already holds is passed over."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import importing

    keeper = run.keeper(here, wait)
    done = importing.import_files(keeper, paths, tenant_id=here.settings.tenant.id)
    for remark in done.ingested.remarks():
        is_talk = remark.startswith("ignored") and not done.ingested.faulty
        (here.say if is_talk else here.warn)(remark)
    skipped = sum(one.count for one in done.ingested.skipped())
    here.say(
        f"{done.records:,} records read: {done.kept:,} audit records and {done.context:,} of"
        f" context are new, {done.repeats:,} were known or repeated,"
        f" {skipped:,} skipped"
    )
    return 3 if done.ingested.faulty else 0
