"""sspr-audit init."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sspr_audit.cli import run, writing
from sspr_audit.errors import LocalTrouble, UsageError

if TYPE_CHECKING:
    from sspr_audit.settings import Settings


class Auth(StrEnum):
    """The ways to sign in, as settings.Tenant has them, which is not imported here."""

    device_code = "device-code"
    browser = "browser"
    secret = "secret"  # noqa: S105 - a word, and no secret
    certificate = "certificate"
    managed_identity = "managed-identity"
    federated = "federated"


TENANT_ID: Final = "TENANT-ID"
CLIENT_ID: Final = "CLIENT-ID"
"""What stands in a link until the ids are known."""

REGISTER: Final = {
    Auth.device_code: "Authentication: switch on 'Allow public client flows'",
    Auth.browser: "Authentication: add a platform 'Mobile and desktop applications' with the"
    " redirect address http://localhost",
    Auth.secret: "Certificates & secrets: make a client secret, and put its value (not its id)"
    " into SSPR_AUDIT_CLIENT_SECRET",
    Auth.certificate: "Certificates & secrets: upload the public part of the certificate; its"
    " password, if any, goes into SSPR_AUDIT_CERTIFICATE_PASSWORD",
    Auth.managed_identity: "a managed identity needs no credential: give it the permission as an"
    " app role, by PowerShell or Graph",
    Auth.federated: "Certificates & secrets: add a federated credential for the cluster or the"
    " pipeline that runs this",
}
"""What each way to sign in needs of the app registration."""

TEXT: Final = """\
# Settings of sspr-audit. What is commented out shows the default or an example. No secret stands
# here: secrets come from the environment, SSPR_AUDIT_CLIENT_SECRET and the like.

[tenant]
{tenant}

[store]
# path = "store.duckdb"          # beside this file; without it, in your data folder
# keep = "400d"

# [[sites]]                      # your networks by name; one section for each site
# name = "Malm\u00f6"
# networks = ["203.0.113.0/24", "2001:db8:5::/48"]
# dc_reachable = true            # whether a device there reaches a domain controller
# shared = false                 # whether people of other sites leave by these networks, too

# [client_types]                 # raw values that a report lists as not recognized
# "raw value" = "windows-signin" # windows7-addin, browser

# [report]
# timezone = "Europe/Stockholm"
"""


def init(
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="ID", help="The tenant, by id or domain.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="The app registration's id.")
    ] = None,
    cloud: run.CloudName = None,
    auth: Annotated[
        Auth, typer.Option("--auth", help="How to sign in; device-code needs a person.")
    ] = Auth.device_code,
    config: run.Config = None,
    quiet: run.Quiet = False,
    verbose: run.Verbose = False,
) -> int:
    """Write a settings file to fill in, and say how to register the app in this cloud."""
    del verbose
    import tomllib

    from sspr_audit import settings

    path = settings.place(config, environ=os.environ)
    if path.exists() or path.is_symlink():
        msg = f"{path} is there already; name another with --config, or edit it"
        raise UsageError(msg)
    if sys.stdin.isatty() and sys.stderr.isatty():
        tenant = tenant or _asked("the tenant's id or domain")
        client_id = client_id or _asked("the app registration's client id, if there is one yet")
    text = _text(tenant, client_id, cloud, auth)
    made = settings.checked(tomllib.loads(text), file=path)
    _write(text, path)
    if not quiet:
        run.tell(f"settings: {path} is written; `sspr-audit doctor` looks through it")
    writing.write("".join(f"{line}\n" for line in registration(made, auth)))
    return 0


def _asked(what: str) -> str | None:
    typer.echo(f"{what} (empty for later): ", err=True, nl=False)
    return sys.stdin.readline().strip() or None


def _text(tenant: str | None, client_id: str | None, cloud: str | None, auth: Auth) -> str:
    lines = [
        _line("id", tenant, "00000000-0000-0000-0000-000000000001", "or a domain of the tenant"),
        _line("client_id", client_id, "00000000-0000-0000-0000-0000000000aa", "of the app"),
        _line("cloud", cloud, "global", "usgov-gcchigh, usgov-dod, china-21vianet"),
        _line("auth", auth.value, "device-code", ", ".join(Auth)),
    ]
    if auth is Auth.certificate:
        lines.append(_line("certificate", "app.pem", "", "PEM or PFX, beside this file"))
    return TEXT.format(tenant="\n".join(lines))


def _line(key: str, value: str | None, example: str, note: str) -> str:
    import json

    sign = "" if value else "# "
    text = json.dumps(value or example, ensure_ascii=False)  # TOML has no halves of characters
    text = text.replace("\x7f", "\\u007f")  # and takes this one only escaped
    return f"{sign}{key} = {text}  # {note}"


def _write(text: str, path: Path) -> None:
    """Write a file that only its owner can read, and that was not there."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - takes a handle
            file.write(text)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}; name another place with --config"
        raise LocalTrouble(msg) from None


def registration(made: "Settings", auth: Auth) -> list[str]:
    """Return how to register the app, in five lines, for the cloud of the settings."""
    from sspr_audit import knowledge
    from sspr_audit.pipeline import connecting

    cloud = knowledge.load().clouds[made.tenant.cloud or connecting.USUAL_CLOUD]
    portal = cloud.admin_center or cloud.azure_portal
    tenant, client = made.tenant.id or TENANT_ID, made.tenant.client_id or CLIENT_ID
    link = connecting.consent_link(cloud.authority, tenant, client)
    kind = "delegated" if auth in (Auth.device_code, Auth.browser) else "application"
    role = "; who signs in needs the role Reports Reader" if kind == "delegated" else ""
    return [
        f"1. {portal} > App registrations > New registration: any name, this tenant only",
        f"2. {REGISTER[auth]}",
        f"3. API permissions > Microsoft Graph > {kind}: AuditLog.Read.All, and no other{role}",
        f"4. an administrator grants consent: {link}",
        f"5. put the ids of tenant and app into {made.file}, then run `sspr-audit doctor`",
    ]
