"""The fake tenant signs apps and people in as Entra does, driven with msal over real sockets."""

import ssl
from base64 import b64decode
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import msal
import pytest
from graph_clock import Clock
from graph_credentials import key_pair
from graph_refusals import ERRORS
from graph_tenant import AUDITS, Tenant

ZERO = "00000000-0000-0000-0000-000000000000"


class Decoding(httpx.Client):
    """msal hands assertions over as bytes, which httpx would spell b'…'."""

    def post(self, url, *, data=None, **more):
        text = {k: v.decode() if isinstance(v, bytes) else v for k, v in (data or {}).items()}
        return super().post(url, data=text, **more)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tenant(clock):
    with Tenant(clock=clock) as one:
        yield one


@pytest.fixture
def http(tenant):
    with Decoding(verify=ssl.create_default_context(cafile=tenant.ca), timeout=20) as client:
        yield client


@pytest.fixture
def confidential(tenant, http):
    """Make an app that proves itself, and ask for a token."""

    def ask(credential, claims=None, **more):
        app = msal.ConfidentialClientApplication(
            more.pop("client_id", tenant.client_id),
            client_credential=credential,
            authority=more.pop("authority", tenant.authority),
            instance_discovery=False,
            http_client=http,
        )
        scopes = more.pop("scopes", [f"{tenant.url}/.default"])
        return app.acquire_token_for_client(scopes, claims_challenge=claims)

    return ask


@pytest.fixture
def public(tenant, http):
    """An app in the hands of a person."""
    return msal.PublicClientApplication(
        tenant.client_id,
        authority=tenant.authority,
        instance_discovery=False,
        http_client=http,
    )


@pytest.fixture
def scopes(tenant):
    return [f"{tenant.url}/AuditLog.Read.All"]


def reads(tenant, http, result):
    """Tell whether the token of a result opens the audit log."""
    assert "access_token" in result, result
    token = {"Authorization": f"Bearer {result['access_token']}"}
    return http.get(tenant.url + AUDITS, headers=token).status_code == 200


def code(result):
    return result["error_codes"][0]


# --- each way once ---


def test_an_app_signs_in_with_its_secret(tenant, http, confidential):
    assert reads(tenant, http, confidential(tenant.secret))


def test_an_app_signs_in_with_a_pem(tenant, http, confidential):
    """The signature is checked against the registered certificate."""
    pair = key_pair()
    pem = {"private_key": pair.pem().decode(), "public_certificate": pair.pem().decode()}
    assert reads(tenant, http, confidential(pem))

    locked = {**pem, "private_key": pair.pem("secret").decode(), "passphrase": "secret"}
    assert reads(tenant, http, confidential(locked))


def test_an_app_signs_in_with_a_pfx(tenant, http, confidential):
    path = tenant.written("app.pfx", key_pair().pfx("secret"))
    credential = {
        "private_key_pfx_path": path,
        "passphrase": "secret",
        "public_certificate": True,
    }

    assert reads(tenant, http, confidential(credential))


def test_an_app_signs_in_with_what_an_outside_issuer_says_of_it(tenant, http, confidential):
    assertion = {"client_assertion": tenant.app.federated_token}

    assert reads(tenant, http, confidential(assertion))


def test_a_github_job_asks_for_its_identity(tenant, http, confidential):
    """With the job's own token, which is no token of Graph's."""
    env = tenant.github
    token = {"Authorization": f"Bearer {env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    url = env["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=api://AzureADTokenExchange"
    said = http.get(url, headers=token).json()["value"]

    assert reads(tenant, http, confidential({"client_assertion": lambda: said}))
    assert http.get(url).status_code == 401


def test_a_machine_has_an_identity(tenant, http, monkeypatch):
    """msal asks the machine's own service, over plain HTTP on loopback."""
    for name, value in tenant.machine.items():
        monkeypatch.setenv(name, value)
    machine = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=http)
    other = msal.UserAssignedManagedIdentity(client_id=ZERO)
    unknown = msal.ManagedIdentityClient(other, http_client=http)

    assert reads(tenant, http, machine.acquire_token_for_client(resource=tenant.url))
    assert unknown.acquire_token_for_client(resource=tenant.url)["error"] == "invalid_request"


def test_a_person_signs_in_with_a_device_code(tenant, http, public, scopes):
    """A refresh token then gives new tokens without asking again."""
    flow = public.initiate_device_flow(scopes)
    result = public.acquire_token_by_device_flow(flow)
    (account,) = public.get_accounts()
    again = public.acquire_token_silent(scopes, account, force_refresh=True)

    assert flow["user_code"] in flow["message"]
    assert account["username"] == tenant.user
    assert reads(tenant, http, result)
    assert again["access_token"] != result["access_token"]
    assert reads(tenant, http, again)


def test_a_person_signs_in_with_a_browser(tenant, http, public, scopes, monkeypatch):
    """PKCE: the code is worth nothing without the verifier that only the app has."""
    monkeypatch.setattr("webbrowser.open", tenant.browse)
    result = public.acquire_token_interactive(scopes, timeout=20)
    asked = [r for r in tenant.requests if r.path.endswith("/authorize")]

    assert asked[0].options["code_challenge_method"] == "S256"
    assert reads(tenant, http, result)


# --- what is wrong, in Entra's own codes ---


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"credential": "not the secret"}, 7000215),
        ({"client_id": ZERO}, 700016),
        ({"scopes": ["https://graph.example.com/.default"]}, 500011),
    ],
)
def test_a_wrong_word_has_its_own_code(tenant, confidential, wrong, expected):
    """Secret, app, resource."""
    credential = wrong.pop("credential", tenant.secret)
    result = confidential(credential, **wrong)

    assert code(result) == expected
    assert f"AADSTS{expected}: " in result["error_description"]


def test_a_wrong_tenant_is_not_found(tenant, http):
    """Before anything is asked for: msal cannot even learn where to ask."""
    answer = http.get(f"{tenant.url}/{ZERO}/v2.0/.well-known/openid-configuration")

    assert (answer.status_code, code(answer.json())) == (400, 90002)


@pytest.mark.parametrize("shown", [{}, {"client_assertion": "without its type"}])
def test_an_app_must_prove_itself(tenant, http, shown):
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant.client_id,
        "scope": f"{tenant.url}/.default",
        **shown,
    }
    answer = http.post(f"{tenant.authority}/oauth2/v2.0/token", data=form)

    assert (answer.status_code, code(answer.json())) == (401, 7000216)


def test_a_secret_can_have_expired(tenant, confidential):
    tenant.app.secret_expired = True

    assert code(confidential(tenant.secret)) == 7000222


def test_a_certificate_must_be_registered(confidential):
    pem = key_pair("stranger").pem().decode()

    assert code(confidential({"private_key": pem, "public_certificate": pem})) == 700027


def test_a_key_must_belong_to_its_certificate(confidential):
    """The signature is looked at, not only the certificate's name."""
    stolen = {
        "private_key": key_pair("stranger").pem().decode(),
        "public_certificate": key_pair().pem().decode(),
    }

    assert code(confidential(stolen)) == 700027


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_off_by_a_day_makes_assertions_worthless(tenant, confidential, days):
    pem, now = key_pair().pem().decode(), tenant.app.time
    tenant.app.time = lambda: now() + days * 86_400

    assert code(confidential({"private_key": pem, "public_certificate": pem})) == 700024


@pytest.mark.parametrize(
    ("claim", "expected"),
    [("iss", 700211), ("aud", 700212), ("sub", 700213)],
)
def test_an_outside_issuer_is_believed_only_about_what_was_agreed(
    tenant, confidential, claim, expected
):
    said = tenant.app.federated_token(**{claim: "https://other.example.com"})

    assert code(confidential({"client_assertion": lambda: said})) == expected


def test_an_assertion_has_an_end_and_a_form(tenant, confidential):
    old = tenant.app.federated_token(nbf=0, exp=1000)

    assert code(confidential({"client_assertion": lambda: old})) == 700024
    assert code(confidential({"client_assertion": lambda: "no.jwt"})) == 50027


@pytest.mark.parametrize("refused", [53003, 50076, 65001, 90002])
def test_any_code_can_be_scripted(tenant, confidential, refused):
    """Once; the next request is answered as usual."""
    tenant.refuse_sign_in(refused)

    assert confidential(tenant.secret)["error"] == ERRORS[refused][1]
    assert "access_token" in confidential(tenant.secret)


def test_consent_may_be_missing(tenant, public, scopes):
    tenant.consented = False
    result = public.acquire_token_by_device_flow(public.initiate_device_flow(scopes))

    assert (code(result), result["suberror"]) == (65001, "consent_required")


def test_an_app_may_not_be_allowed_to_sign_people_in(tenant, public, scopes):
    tenant.sign_in.public = False

    assert code(public.acquire_token_by_device_flow(public.initiate_device_flow(scopes))) == 7000218


def once(_flow):
    return True


def test_a_device_waits_until_its_user_has_signed_in(tenant, public, scopes):
    tenant.sign_in.polls = 1
    tenant.sign_in.interval = 1
    flow = public.initiate_device_flow(scopes)
    first = public.acquire_token_by_device_flow(flow, exit_condition=once)

    assert first["error"] == "authorization_pending"


def test_a_device_code_lives_a_quarter_of_an_hour(clock, public, scopes):
    flow = public.initiate_device_flow(scopes)
    clock.advance(timedelta(minutes=15).total_seconds())

    assert public.acquire_token_by_device_flow(flow)["error"] == "expired_token"


def test_a_user_may_say_no(tenant, http, public, scopes):
    """At the device code page and in the browser."""
    tenant.sign_in.user_says = "no"
    flow = browser_flow(public, scopes)
    page = http.get(flow["auth_uri"]).text
    device = public.acquire_token_by_device_flow(public.initiate_device_flow(scopes))

    assert 'name="error" value="access_denied"' in page
    assert device["error"] == "authorization_declined"


def test_sessions_can_be_revoked(tenant, public, scopes):
    public.acquire_token_by_device_flow(public.initiate_device_flow(scopes))
    (account,) = public.get_accounts()
    tenant.sign_in.revoke_sessions()
    result = public.acquire_token_silent_with_error(scopes, account, force_refresh=True)

    assert code(result) == 50173


def browser_flow(app, scopes, redirect="http://localhost:1"):
    return app.initiate_auth_code_flow(scopes, redirect_uri=redirect, response_mode="form_post")


@pytest.fixture
def redeem(tenant, http, public, scopes):
    """Walk the browser's way by hand, twice, and change what is shown at the end of it."""

    def walk(**changes):
        flow = browser_flow(public, scopes)
        page = http.get(flow["auth_uri"]).text
        shown = {
            "grant_type": "authorization_code",
            "client_id": tenant.client_id,
            "code": page.partition('name="code" value="')[2].partition('"')[0],
            "redirect_uri": "http://localhost:1",
            "code_verifier": flow["code_verifier"],
            **changes,
        }
        url = f"{tenant.authority}/oauth2/v2.0/token"
        return [http.post(url, data=shown).json() for _ in range(2)]

    return walk


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code_verifier": "guessed"}, 501481),
        ({"redirect_uri": "http://localhost:2"}, 50011),
        ({"code": "guessed"}, 54005),
    ],
)
def test_a_code_is_worth_nothing_to_whoever_steals_it(redeem, changes, expected):
    assert code(redeem(**changes)[0]) == expected


def test_a_code_is_good_once(redeem):
    first, second = redeem()

    assert "access_token" in first
    assert code(second) == 54005


def test_a_browser_is_sent_back_to_the_machine_it_runs_on_only(http, public, scopes):
    flow = browser_flow(public, scopes, "https://app.example.com")

    assert code(http.get(flow["auth_uri"]).json()) == 50011


def test_a_user_needs_a_role_to_read_reports(tenant, http, public, scopes):
    tenant.user_may_read = False
    result = public.acquire_token_by_device_flow(public.initiate_device_flow(scopes))

    assert not reads(tenant, http, result)


# --- what goes wrong on the way, and what is kept secret ---


def test_the_token_service_can_fail_too(tenant, http, confidential):
    """By the same faults; msal's own words for a 503 name no code of Entra's."""
    tenant.fault(503, where="sign-in", on="/token")
    with pytest.raises(msal.exceptions.MsalServiceError, match="503"):
        confidential(tenant.secret)

    assert reads(tenant, http, confidential(tenant.secret))


def test_claims_that_msal_passes_on_answer_a_challenge(tenant, http, confidential):
    tenant.fault("claims")
    token = confidential(tenant.secret)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    told = http.get(tenant.url + AUDITS, headers=headers).headers["www-authenticate"]
    claims = b64decode(told.partition('claims="')[2].rstrip('"')).decode()

    assert reads(tenant, http, confidential(tenant.secret, claims))


def test_every_secret_is_a_canary(tenant, public, scopes, confidential):
    """Whatever must not be written down can be searched for."""
    pem = key_pair().pem().decode()
    app = confidential({"private_key": pem, "public_certificate": pem})
    flow = public.initiate_device_flow(scopes)
    user = public.acquire_token_by_device_flow(flow)
    (assertion,) = (
        parse_qs(r.body.decode())["client_assertion"][0]
        for r in tenant.requests
        if b"client_assertion=" in r.body
    )
    secrets = {user[name] for name in ("access_token", "refresh_token", "id_token")}

    assert {assertion, app["access_token"], flow["device_code"], *secrets} <= tenant.canaries
    assert not any(secret in repr(tenant.requests) for secret in tenant.canaries)
