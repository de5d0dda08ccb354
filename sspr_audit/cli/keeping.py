"""sspr-audit store info | prune | forget"""

from __future__ import annotations

from typing import Annotated

import typer

from sspr_audit.cli import run

store = typer.Typer(
    no_args_is_help=True, help="Look into the store, thin it out, or forget a person."
)


@store.command()
def info(config: run.Config = None, quiet: run.Quiet = False, verbose: run.Verbose = False) -> int:
    """Say what the store holds."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import keeping

    found = keeping.info(run.keeper(here, "10m"))
    typer.echo(f"store     {found.path} ({found.size_bytes / 2**20:,.1f} MiB)")
    typer.echo(f"tenant    {found.tenant_id or 'not named by any record'}")
    typer.echo(f"audit     {found.records:,} records, from {found.imports:,} files")
    if found.first and found.last:
        typer.echo(f"          {found.first:%Y-%m-%dT%H:%M:%SZ} to {found.last:%Y-%m-%dT%H:%M:%SZ}")
    for kind, count in found.context:
        typer.echo(f"context   {count:,} {kind}")
    return 0


@store.command()
def prune(
    wait: run.Wait = "10m",
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Drop records older than [store] keep."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import keeping

    stayed, went = keeping.prune(run.keeper(here, wait), keep=here.settings.store.keep)
    here.say(f"{went:,} records dropped, {stayed:,} kept")
    return 0


@store.command()
def forget(
    user: Annotated[str, typer.Argument(metavar="USER", help="User principal name or object id.")],
    wait: run.Wait = "10m",
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Drop every record that names a person, for good."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import keeping

    stayed, went = keeping.forget(run.keeper(here, wait), user)
    here.say(f"{went:,} records dropped, {stayed:,} kept")
    return 0
