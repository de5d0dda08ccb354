"""What the codes of Entra and Graph mean, and who can change it.

AADSTS codes: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes;
Graph's: https://learn.microsoft.com/en-us/graph/errors and what public threads report.
The service's own sentences are not repeated: they come from outside and could hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sspr_audit.sources.graph.app import App
from sspr_audit.sources.graph.collections import Collection
from sspr_audit.sources.graph.errors import Refused

SIGN_IN: Final[Mapping[int, str]] = {
    7000215: "the client secret is wrong (its value is needed, not its id): put the value of a "
    "valid secret of app {client_id} into SSPR_AUDIT_CLIENT_SECRET",
    7000222: "the client secret has expired: make a new one for app {client_id} and put its value "
    "into SSPR_AUDIT_CLIENT_SECRET",
    7000216: "app {client_id} must prove itself: set [tenant] auth to secret, certificate or "
    "federated",
    7000218: "app {client_id} is no public client: switch on 'Allow public client flows' in its "
    "registration, or set [tenant] auth to secret, certificate or federated",
    7000112: "app {client_id} is disabled: an administrator can enable it under Enterprise apps",
    700016: "app {client_id} is not in tenant {tenant}: check [tenant] client_id, id and cloud",
    700024: "the proof was not valid at this time: set this machine's clock, or renew the token "
    "that it signs in with",
    700027: "the certificate is not one of app {client_id}: upload its public part to the app "
    "registration, or name the right file in [tenant] certificate",
    700021: "no federated credential of app {client_id} fits: check its issuer, subject and "
    "audience in the app registration",
    700211: "no federated credential of app {client_id} has this issuer: check it in the app "
    "registration",
    700212: "no federated credential of app {client_id} has this audience: check it in the app "
    "registration",
    700213: "no federated credential of app {client_id} has this subject: check it in the app "
    "registration",
    70021: "no federated credential of app {client_id} fits: check its issuer, subject and "
    "audience in the app registration",
    70016: "nobody has signed in yet with the code",
    70018: "the code was not the one that was shown: sign in again",
    70020: "nobody signed in before the code expired: sign in again",
    90002: "there is no tenant {tenant} in this cloud: check [tenant] id and cloud",
    900023: "{tenant} is no tenant's id or domain: check [tenant] id",
    900382: "the app belongs to another cloud: check [tenant] cloud",
    90038: "the tenant belongs to another cloud: check [tenant] cloud",
    50020: "the person who signed in does not belong to tenant {tenant}: sign in with an account "
    "of that tenant, or check [tenant] id",
    50034: "the person who signed in is not in tenant {tenant}: sign in with an account of it",
    50059: "no tenant was named: check [tenant] id",
    50076: "the tenant wants a second factor: sign in again, at a terminal",
    50079: "the tenant wants a second factor to be registered: sign in once in a browser",
    50105: "the person who signed in is not assigned to app {client_id}: an administrator can "
    "assign them under Enterprise apps",
    50173: "the sign-in was revoked, as after a password change: sign in again, at a terminal",
    53003: "a conditional access policy forbids this sign-in: its administrator can exempt app "
    "{client_id}, or sign in from an allowed place",
    530003: "a conditional access policy wants a managed device: sign in from one",
    53000: "a conditional access policy wants a compliant device: sign in from one",
    53001: "a conditional access policy wants a domain-joined device: sign in from one",
    65001: "nobody has consented to the permissions of app {client_id}: an administrator grants "
    "admin consent in its registration",
    65004: "consent was declined: an administrator grants it in the registration of app "
    "{client_id}",
    500011: "there is no Graph of this address in the tenant's cloud: check [tenant] cloud",
    500113: "app {client_id} has no redirect address: add http://localhost to its registration "
    "under 'Mobile and desktop applications'",
    50011: "app {client_id} lacks the redirect address http://localhost: add it to its "
    "registration under 'Mobile and desktop applications'",
    501051: "the app is not assigned: an administrator can assign it under Enterprise apps",
}
"""What to do, by AADSTS number."""

NON_PREMIUM: Final = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"

PERMISSION: Final[Mapping[str, str]] = {
    "Authentication_MSGraphPermissionMissing": "app {client_id} lacks {permission}: an "
    "administrator adds it to the registration and grants consent",
    "Authentication_ApplicationHasNoReadAuditLogDataAccess": "app {client_id} lacks {permission}: "
    "an administrator adds it to the registration and grants consent",
    "Authentication_ApplicationHasNoDirectoryReadAccess": "this tenant still checks its licence "
    "with the app's own right: an administrator adds Directory.Read.All to app {client_id}, "
    "beside {permission}",
    NON_PREMIUM: "this needs a licence for Entra ID P1 or P2, and no B2C tenant has it",
    "Authentication_RequestFromUnsupportedUserRole": "the person who signed in lacks a role: "
    "Reports Reader is enough",
    "Authorization_RequestDenied": "app {client_id} lacks {permission}, or the person who signed "
    "in lacks a role such as Reports Reader: an administrator can add it",
    "InvalidAuthenticationToken": "Graph does not take a fresh token: check [tenant] cloud, and "
    "that this machine's clock is right",
}
"""What to do, by Graph's error code."""

_NUMBER = re.compile(r"AADSTS(\d+)")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")


def numbers(codes: object, description: object) -> tuple[int, ...]:
    """Return the AADSTS numbers of an answer, from its list or else from its text."""
    listed = [one for one in codes if isinstance(one, int)] if isinstance(codes, list) else []
    return tuple(listed or map(int, _NUMBER.findall(str(description))))


def sign_in(app: App, codes: Iterable[int], error: object, request_id: str | None) -> Refused:
    """Return what to say when Entra refuses the sign-in; `error` is OAuth's own word for it."""
    known = next((one for one in codes if one in SIGN_IN), None)
    number = known if known is not None else next(iter(codes), None)
    code = f"AADSTS{number}" if number is not None else word(error, "unknown")
    if known is not None:
        why = SIGN_IN[known].format(client_id=app.client_id, tenant=app.tenant)
    elif number is not None:
        why = f"what that means stands at https://login.microsoftonline.com/error?code={number}"
    else:
        why = f"check [tenant] and the registration of app {app.client_id}"
    return Refused(f"sign-in refused, {code}: {why}", code=code, request_id=request_id)


def permission(
    collection: Collection, client_id: str, status: int, code: str, request_id: str | None
) -> Refused:
    """Return what to say when Graph answers 401 or 403."""
    usual = PERMISSION["Authorization_RequestDenied"]
    why = PERMISSION.get(code, usual).format(client_id=client_id, permission=collection.permission)
    tail = f" (request {request_id})" if request_id else ""
    text = f"Graph refused {collection.name}, {status} {code}: {why}{tail}"
    return Refused(text, code=code, request_id=request_id)


def mail(client_id: str, code: str) -> str:
    """Return what to do when Graph does not let the app send a mail."""
    if code in {"ErrorAccessDenied", "Authorization_RequestDenied"}:
        return (
            f"app {client_id} lacks Mail.Send, or Exchange does not let it use this mailbox: an"
            " administrator grants it, scoped to the mailbox by RBAC for Applications"
        )
    return "check [mail] from, and that the app may send from that mailbox"


def word(text: object, otherwise: str) -> str:
    """Return a code as it may be printed: a short word without blanks, or `otherwise`."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else otherwise
