"""sspr-audit store info | prune | forget."""

from typing import Annotated, Final

import typer

from sspr_audit.cli import run, writing

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"

store = typer.Typer()


@store.callback(invoke_without_command=True)
def _common(context: typer.Context) -> None:
    """Look into the store, thin it out, or forget a person."""
    run.help_if_alone(context)


@store.command()
def info(config: run.Config = None, quiet: run.Quiet = False, verbose: run.Verbose = False) -> int:
    """Say what the store holds."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import keeping

    found = keeping.info(run.keeper(here))
    imports = f"{found.imports:,} file import{'s' * (found.imports != 1)}"
    lines = [
        f"store     {found.path} ({found.size_bytes / 2**20:,.1f} MiB)",
        f"tenant    {found.tenant_id or 'not named by any record'}",
        f"audit     {found.records:,} records, from {imports}",
    ]
    if found.first and found.last:
        lines.append(f"          {found.first:{_TIME}} to {found.last:{_TIME}}")
    lines += [f"context   {count:,} {kind}" for kind, count in found.context]
    writing.write("".join(f"{line}\n" for line in lines))
    return 0


@store.command()
def prune(
    wait: run.Wait = run.WAIT,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Drop records older than [store] keep, 400 days unless the settings say otherwise."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import keeping

    stayed, went = keeping.prune(run.keeper(here, wait), keep=here.settings.store.keep)
    here.say(f"{went:,} records dropped, {stayed:,} kept")
    return 0


@store.command()
def forget(
    user: Annotated[str, typer.Argument(metavar="USER", help="User principal name or object id.")],
    wait: run.Wait = run.WAIT,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Drop every record that names a person; importing the same export brings them back."""
    here = run.begin(config, quiet=quiet, verbose=verbose)
    from sspr_audit.pipeline import forgetting

    done = forgetting.forget(run.keeper(here, wait), user)
    if done.went:
        names = ", ".join(done.names)
        here.say(f"{done.went:,} records dropped, {done.stayed:,} kept, for {names}")
    else:
        here.say(f"no record names {user}; nothing was dropped, {done.stayed:,} records kept")
    return 0
