"""Signing in: every way gives a token, every refusal says who can do what, and nothing leaks."""

import logging
import os
import re
import socket
import stat
import sys
import traceback
import webbrowser
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from graph_clock import Clock
from graph_credentials import key_pair
from graph_tenant import Tenant
from parts import Parts, app

from sspr_audit.errors import AccessDenied, LocalTrouble, ServiceUnreachable, SettingsError
from sspr_audit.sources.graph import auth as signing
from sspr_audit.sources.graph import federated
from sspr_audit.sources.graph import http as wire
from sspr_audit.sources.graph.app import Secret
from sspr_audit.sources.graph.errors import Refused


@pytest.fixture
def tenant():
    with Tenant(clock=Clock()) as one:
        yield one


def good(tenant, token):
    return token in tenant.sign_in.tokens


def test_a_secret_signs_in_and_its_token_is_used_again(tenant):
    """One request for the token, however often it is asked for."""
    with Parts(tenant) as parts:
        first, second = parts.sign_in.token(), parts.sign_in.token()

    assert good(tenant, first)
    assert first == second
    assert parts.sign_in.requests["token"] == len(tenant.requests)


def test_twenty_at_once_sign_in_once(tenant):
    """MSAL alone would ask for seven tokens; the others wait for the first."""
    with Parts(tenant) as parts, ThreadPoolExecutor(20) as threads:
        tokens = set(threads.map(lambda _: parts.sign_in.token(), range(20)))

    assert len(tokens) == 1
    assert len(tenant.sign_in.tokens) == 1


def test_a_fresh_token_is_a_new_one(tenant):
    """What Graph does not take any more is not offered again."""
    with Parts(tenant) as parts:
        assert parts.sign_in.token() != parts.sign_in.token(fresh=True)


@pytest.mark.parametrize(
    ("form", "password"), [("pem", None), ("pem", "pass phrase"), ("pfx", "pass phrase")]
)
def test_a_certificate_signs_in(tenant, form, password):
    """From a PEM or a PFX file, with and without a password; the tenant checks the signature."""
    content = getattr(key_pair(), form)(password)
    proof = {
        "certificate": tenant.folder / "app",
        "certificate_password": password and Secret(password),
    }
    tenant.written("app", content)
    with Parts(tenant, "certificate", **proof) as parts:
        assert good(tenant, parts.sign_in.token())


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"", None),
        (b"neither PEM nor PFX", None),
        (key_pair().pem("right"), None),
        (key_pair().pem("right"), "wrong"),
        (key_pair().pfx("right"), "wrong"),
        (key_pair().pem().split(b"-----BEGIN CERT")[0], None),
        (b"-----BEGIN CERT" + key_pair().pem().split(b"-----BEGIN CERT")[1], None),
    ],
    ids=["empty", "other", "locked", "wrong-pem", "wrong-pfx", "key-only", "certificate-only"],
)
def test_a_file_that_is_no_certificate_is_named(tenant, content, password):
    """The sentence tells what the file must be and where the password belongs."""
    tenant.written("app", content)
    proof = {
        "certificate": tenant.folder / "app",
        "certificate_password": password and Secret(password),
    }
    with (
        Parts(tenant, "certificate", **proof) as parts,
        pytest.raises(AccessDenied, match=r"cannot be used: .*CERTIFICATE_PASSWORD"),
    ):
        parts.sign_in.token()


def test_a_certificate_that_is_not_there_is_named(tenant):
    """No file, no sign-in, and no traceback."""
    with (
        Parts(tenant, "certificate", certificate=tenant.folder / "gone.pem") as parts,
        pytest.raises(AccessDenied, match=r"gone\.pem cannot be read"),
    ):
        parts.sign_in.token()


def test_a_federated_token_is_read_from_its_file_each_time(tenant):
    """Kubernetes renews the file in place."""
    path = tenant.written("token", b"an old one")
    with Parts(tenant, "federated", environment={federated.FILE: path}) as parts:
        with pytest.raises(Refused):
            parts.sign_in.token()
        tenant.written("token", tenant.app.federated_token().encode())

        assert good(tenant, parts.sign_in.token(fresh=True))


def test_github_is_asked_for_the_token(tenant):
    """With the job's own token, for the cloud's audience."""
    with Parts(tenant, "federated", environment=tenant.github) as parts:
        assert good(tenant, parts.sign_in.token())


def test_a_function_can_give_the_token(tenant):
    """For whoever runs this where tokens come another way."""
    with Parts(tenant, "federated", assertion=tenant.app.federated_token) as parts:
        assert good(tenant, parts.sign_in.token())


@pytest.mark.parametrize("environment", [{}, {federated.FILE: "/nowhere/token"}])
def test_a_missing_federated_token_is_named(tenant, environment):
    """With the variable that says where it should be."""
    with (
        Parts(tenant, "federated", environment=environment) as parts,
        pytest.raises(AccessDenied, match=federated.FILE),
    ):
        parts.sign_in.token()


def test_github_that_gives_no_token_is_told_apart(tenant):
    """The job lacks a permission, which its owner can add."""
    wrong = {**tenant.github, federated.TOKEN: "canary-wrong"}
    with (
        Parts(tenant, "federated", environment=wrong) as parts,
        pytest.raises(AccessDenied, match="id-token: write"),
    ):
        parts.sign_in.token()


@pytest.mark.parametrize(
    ("authority", "audience"),
    [
        ("https://login.microsoftonline.com", "api://AzureADTokenExchange"),
        ("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"),
    ],
)
def test_a_federated_token_is_made_out_to_its_cloud(authority, audience):
    """A token for another cloud is refused there."""
    assert federated.audience(authority) == audience


def test_a_managed_identity_signs_in_past_every_proxy(tenant, monkeypatch):
    """The host's own service is asked directly, and only it sees the token."""
    for name, value in tenant.machine.items():
        monkeypatch.setenv(name, value)
    with Parts(tenant, "managed-identity", client_id="") as parts:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

        assert good(tenant, parts.sign_in.token())


def test_a_chosen_managed_identity_signs_in(tenant, monkeypatch):
    """Where a machine has several, [tenant] client_id says which."""
    for name, value in tenant.machine.items():
        monkeypatch.setenv(name, value)
    tenant.sign_in.identities = {tenant.client_id}
    with Parts(tenant, "managed-identity") as parts:
        assert good(tenant, parts.sign_in.token())


def test_a_machine_without_an_identity_is_told(tenant, monkeypatch):
    """Nobody there answers: the sentence says where such identities exist."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    with (
        Parts(tenant, "managed-identity", client_id="") as parts,
        pytest.raises(AccessDenied, match="no managed identity answers here"),
    ):
        parts.sign_in.token()


def test_a_device_code_is_shown_and_waited_for(tenant):
    """The person sees address and code; the polls keep the interval that was asked for."""
    told = []
    tenant.sign_in.polls = 3
    with Parts(tenant, "device-code", prompt=told.append) as parts:
        token = parts.sign_in.token()

    assert good(tenant, token)
    assert re.fullmatch(r"Open https://\S+ and enter the code \S+\.", told[0])
    assert tenant.clock.slept == [5, 5, 5]


def test_a_device_code_ends_when_nobody_comes(tenant):
    """The wait is as long as the code is good, and not longer."""
    tenant.sign_in.polls = 10_000
    with (
        Parts(tenant, "device-code", prompt=lambda _: None) as parts,
        pytest.raises(Refused, match=r"AADSTS70020|AADSTS70016"),
    ):
        parts.sign_in.token()

    assert sum(tenant.clock.slept) <= 15 * 60


def test_a_person_who_declines_is_taken_at_their_word(tenant):
    """It is a refusal, with OAuth's own word."""
    tenant.sign_in.user_says = "no"
    with (
        Parts(tenant, "device-code", prompt=lambda _: None) as parts,
        pytest.raises(Refused) as caught,
    ):
        parts.sign_in.token()

    assert caught.value.exit_code == 4


def test_the_browser_signs_in_with_pkce(tenant, monkeypatch):
    """The tenant checks the verifier; the person is told that a window opens."""
    told = []
    monkeypatch.setattr(webbrowser, "open", tenant.browse)
    with Parts(tenant, "browser", prompt=told.append) as parts:
        assert good(tenant, parts.sign_in.token())

    assert "browser" in told[0]


@pytest.mark.parametrize("way", ["device-code", "browser"])
def test_a_way_that_needs_a_person_is_refused_where_there_is_none(tenant, way):
    """A scheduler never hangs at a prompt that nobody sees."""
    with (
        Parts(tenant, way) as parts,
        pytest.raises(AccessDenied, match=r"needs a person at a terminal"),
    ):
        parts.sign_in.token()


def test_a_person_signs_in_once(tenant):
    """A second token, and even a fresh one, comes without another prompt."""
    told = []
    with Parts(tenant, "device-code", prompt=told.append) as parts:
        first = parts.sign_in.token()
        again = parts.sign_in.token()
        fresh = parts.sign_in.token(fresh=True)

    assert first == again != fresh
    assert len(told) == 1


def test_a_sign_in_is_kept_in_clear_only_where_that_was_allowed(tenant, monkeypatch):
    """Where the system has no key store: in memory, unless the user opted in; then 0600."""
    monkeypatch.setattr("msal_extensions.build_encrypted_persistence", _no_key_store)
    file = tenant.folder / "kept" / "sign-in"
    for allowed in (False, True):
        with Parts(
            tenant, "device-code", prompt=lambda _: None, cache=file, may_keep_plain=allowed
        ) as parts:
            parts.sign_in.token()
        assert file.exists() == allowed
    with Parts(tenant, "device-code", cache=file, may_keep_plain=True) as parts:
        assert good(tenant, parts.sign_in.token())
    assert sys.platform == "win32" or stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_kept_sign_in_that_cannot_be_read_is_named(tenant, monkeypatch):
    """Deleting the file puts it right."""
    monkeypatch.setattr("msal_extensions.build_encrypted_persistence", _no_key_store)
    file = tenant.folder / "sign-in"
    file.mkdir()
    with (
        Parts(
            tenant, "device-code", prompt=lambda _: None, cache=file, may_keep_plain=True
        ) as parts,
        pytest.raises(LocalTrouble, match="delete the file"),
    ):
        parts.sign_in.token()


def _no_key_store(_location):
    msg = "No module named 'gi'"
    raise ImportError(msg)


def test_an_app_is_never_kept_on_disk(tenant, monkeypatch):
    """What an app signs in with can always be had anew."""
    monkeypatch.setattr(signing, "kept_sign_in", lambda _: pytest.fail("a cache was made"))
    file = tenant.folder / "sign-in"
    with Parts(tenant, cache=file, may_keep_plain=True) as parts:
        parts.sign_in.token()

    assert not file.exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (7000215, "SSPR_AUDIT_CLIENT_SECRET"),
        (7000222, "expired"),
        (700016, r"\[tenant\] client_id"),
        (700027, "upload its public part"),
        (700024, "clock"),
        (65001, "admin consent"),
        (53003, "conditional access"),
        (50020, "does not belong to tenant"),
        (1002012, r"https://login\.microsoftonline\.com/error\?code=1002012"),
    ],
)
def test_a_refusal_names_its_code_and_who_can_do_what(tenant, code, words):
    """One line, exit code 4, and a link for a code that is not known here."""
    tenant.refuse_sign_in(code)
    with Parts(tenant) as parts, pytest.raises(Refused, match=words) as caught:
        parts.sign_in.token()

    assert caught.value.code == f"AADSTS{code}"
    assert caught.value.request_id
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)


def test_a_tenant_that_does_not_exist_is_told_with_its_code(tenant):
    """MSAL would only say that it found no configuration."""
    with (
        Parts(tenant, tenant="nobody.example.com") as parts,
        pytest.raises(Refused, match=r"AADSTS90002: there is no tenant nobody\.example\.com"),
    ):
        parts.sign_in.token()


def test_a_missing_secret_is_told_with_its_variable(tenant):
    """No request is made for it."""
    with (
        Parts(tenant, secret=None) as parts,
        pytest.raises(AccessDenied, match="SSPR_AUDIT_CLIENT_SECRET"),
    ):
        parts.sign_in.token()


def test_a_wrong_secret_is_asked_about_again_after_it_was_put_right(tenant):
    """MSAL remembers a refusal for a minute; a fresh token does not."""
    with Parts(tenant) as parts:
        tenant.refuse_sign_in(7000222)
        with pytest.raises(Refused):
            parts.sign_in.token()

        assert good(tenant, parts.sign_in.token(fresh=True))


@pytest.mark.parametrize("kind", [503, 429, "reset"])
def test_a_sign_in_service_that_stumbles_is_asked_again(tenant, kind):
    """Three stumbles cost a few seconds, and no run."""
    tenant.fault(kind, times=3, where="sign-in")
    with Parts(tenant) as parts:
        assert good(tenant, parts.sign_in.token())

    assert sum(tenant.clock.slept) == 14


def test_the_sign_in_service_is_given_the_rest_it_asks_for(tenant):
    """Exactly so long."""
    tenant.fault(429, where="sign-in", retry_after=17)
    with Parts(tenant) as parts:
        parts.sign_in.token()

    assert tenant.clock.slept == [17]


def test_a_sign_in_service_that_stays_down_is_unreachable(tenant):
    """It is not the administrator's fault: exit code 5."""
    tenant.fault(503, times=4, where="sign-in")
    with Parts(tenant) as parts, pytest.raises(ServiceUnreachable, match="503"):
        parts.sign_in.token()


def test_a_captive_portal_is_recognized(tenant):
    """A page for people is no answer of a service."""
    tenant.fault("portal", where="sign-in")
    with Parts(tenant) as parts, pytest.raises(ServiceUnreachable, match="sign in to the network"):
        parts.sign_in.token()


def test_inspected_tls_is_recognized(tenant, monkeypatch):
    """A certificate that nobody here trusts: who can do what, and nothing was sent."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with Parts(tenant) as parts, wire.client() as untrusting:
        sign_in = signing.SignIn(parts.sign_in.app, untrusting, tenant.clock)
        with pytest.raises(ServiceUnreachable, match="SSL_CERT_FILE"):
            sign_in.token()

    assert tenant.requests == []
    assert tenant.clock.slept == []


def test_a_named_ca_file_is_honoured(tenant, monkeypatch):
    """SSL_CERT_FILE is how a company's own CA is named."""
    monkeypatch.setenv("SSL_CERT_FILE", tenant.ca)
    with wire.client() as trusting:
        assert good(tenant, signing.SignIn(app(tenant), trusting, tenant.clock).token())


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_of_no_use_is_named(tmp_path, content):
    """Before anything is sent anywhere."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"ca\.pem cannot be used"):
        wire.client(str(file))


def test_a_proxy_address_of_no_use_is_told_without_its_password(monkeypatch):
    """The variable is named, its content is not."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:canary-password@proxy:1")
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as caught:
        wire.client()
    text = shown(caught.value)

    assert "password@proxy" not in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ProxyError("407 Proxy Authentication Required"), "user name and a password"),
        (httpx.ProxyError("403 Forbidden"), "ask the proxy's owner"),
        (httpx.ConnectTimeout("timed out"), "check the network"),
        (httpx.ReadTimeout("timed out"), "180 s"),
        (httpx.ReadError("reset"), "broke off"),
    ],
)
def test_network_trouble_is_told_in_words(error, words):
    """With the host, and who can put it right."""
    assert words in wire.trouble(error, "graph.example.com")
    assert "\n" not in wire.trouble(error, "graph.example.com")


def test_a_name_that_nobody_knows_is_told():
    """DNS, or a wrong cloud."""
    error = httpx.ConnectError("[Errno -2] Name or service not known")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")

    assert "the name graph.example.com is not known here" in wire.trouble(
        error, "graph.example.com"
    )


def shown(error):
    """Return everything that a traceback can show, values of all names included."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True, compact=True)
    return "".join(whole.format()) + repr(error) + repr(vars(error))


WAYS = ["secret", "certificate", "federated", "device-code"]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_is_written_holds_a_secret(tenant, way, caplog, capsys):
    """Not a log at its most talkative, not a repr, not an error, not a traceback with values."""
    for name in ("", "httpx", "httpcore", "msal", "tenacity", "urllib3"):
        caplog.set_level(logging.DEBUG, name or None)
    tenant.canaries.add("canary-certificate-password")
    tenant.written("app", key_pair().pem("canary-certificate-password"))
    seen = []
    with Parts(
        tenant,
        way,
        prompt=lambda _: None,
        environment=tenant.github,
        certificate=tenant.folder / "app",
        certificate_password=Secret("canary-certificate-password"),
    ) as parts:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        parts.sign_in.token()
        for trouble in (7000215, 50020):
            tenant.refuse_sign_in(trouble, times=2)
            tenant.sign_in.revoke_sessions()
            with pytest.raises(Refused) as caught:
                parts.sign_in.token(fresh=True)
            tenant.sign_in.refusals.clear()
            seen.append(shown(caught.value))
        tenant.fault("reset", times=4, where="sign-in")
        with pytest.raises(ServiceUnreachable) as caught:
            parts.sign_in.token(fresh=True)
        seen += [shown(caught.value), repr(parts.sign_in), repr(parts.sign_in.app)]
    seen += [caplog.text, repr([vars(one) for one in caplog.records]), *capsys.readouterr()]

    assert len(tenant.canaries) > 2
    assert not [one for one in tenant.canaries if one in "\n".join(seen)]


def test_a_secret_can_be_had_in_one_way_only():
    """Printing, formatting, pickling and comparing tell nothing."""
    secret = Secret("canary")

    assert secret.reveal() == "canary"
    assert "canary" not in f"{secret!r} {secret} {secret!s:>20}"
    with pytest.raises(TypeError, match="does not leave"):
        secret.__reduce__()


def test_importing_reads_no_environment_and_no_network():
    """What is handed in is all there is; the default is the process's own environment."""
    assert signing.SignIn.__init__.__defaults__[-1] is os.environ
