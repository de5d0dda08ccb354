"""How Entra says no to a sign-in: the AADSTS codes, their statuses and their shape.

https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import json

from graph_wire import Answer

ERRORS = {
    50011: (400, "invalid_request", "The redirect URI does not match those of the application."),
    50020: (400, "invalid_grant", "The user account does not exist in the tenant."),
    50027: (400, "invalid_request", "JWT token is invalid or malformed."),
    50076: (400, "interaction_required", "You must use multi-factor authentication."),
    50173: (400, "invalid_grant", "The provided grant has expired due to it being revoked."),
    53003: (400, "access_denied", "Access has been blocked by Conditional Access policies."),
    54005: (400, "invalid_grant", "OAuth2 Authorization code was already redeemed."),
    65001: (400, "invalid_grant", "The user or administrator has not consented to use the app."),
    70000: (400, "invalid_grant", "The provided value for the grant is not valid."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    70016: (400, "authorization_pending", "Authorization is pending. Continue polling."),
    70020: (400, "expired_token", "The provided value for the input 'device_code' is expired."),
    90002: (400, "invalid_tenant", "Tenant not found. Check to make sure you have the correct ID."),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant."),
    501481: (400, "invalid_grant", "The Code_Verifier does not match the code_challenge."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    700023: (401, "invalid_client", "Client assertion audience claim does not match."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700027: (401, "invalid_client", "Client assertion failed signature validation."),
    700211: (401, "invalid_client", "No matching federated identity record found for issuer."),
    700212: (401, "invalid_client", "No matching federated identity record found for audience."),
    700213: (401, "invalid_client", "No matching federated identity record found for subject."),
    1002012: (400, "invalid_scope", "The provided value for scope is not valid."),
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    7000216: (401, "invalid_client", "'client_assertion' or 'client_secret' is required."),
    7000218: (401, "invalid_client", "The request body must contain 'client_secret'."),
    7000222: (401, "invalid_client", "The provided client secret keys are expired."),
}
DECLINED = 0
ERRORS[DECLINED] = (400, "authorization_declined", "The user declined.")


class Refusal(Exception):
    """Sign-in is refused with an AADSTS code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def json_answer(status, value):
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def refused(code, now, guid):
    """Return the answer for a code; `guid` makes the ids that support asks for."""
    status, name, text = ERRORS[code]
    stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = guid(), guid()
    said = {
        "error": name,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace}"
        f" Correlation ID: {correlation} Timestamp: {stamp}",
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    if code == 65001:
        said["suberror"] = "consent_required"
    return json_answer(status, said)
