"""What the knowledge answers when it is asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit import knowledge
from sspr_audit.knowledge import Cloud, fold

KNOWN = knowledge.load()

AN_OWN_CLOUD = Cloud(
    name="own",
    authority="https://login.example.com",
    graph="https://graph.example.com",
    sspr_host="reset.example.com",
    exclusion_hosts=("reset.example.com", "static.example.com"),
)


@given(st.text() | st.text("canceled self-srv.[]() \u00a0\u2019İß"))
def test_folding_twice_is_folding_once(text: str) -> None:
    """A folded text is its own folded form."""
    once = fold(text)

    assert fold(once) == once


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  User \u00a0 submitted\ttheir user ID ", "user submitted their user id"),
        ("Successfully completed reset.", "successfully completed reset"),
        ("User canceled before x", "user cancelled before x"),
        ("Self-serve password reset", "self-service password reset"),
        ("User\u2019s account", "user's account"),
        ("See [here](http://aka.ms/x) to resolve this.", "see here to resolve this"),
        ("on\u2011premises", "on-premises"),
        ("None", None),
        ("null", None),
        (" ", None),
        (".", None),
        pytest.param(None, None, id="missing"),
    ],
)
def test_drift_is_folded(written: str | None, folded: str | None) -> None:
    """Spelling drift disappears, and a text that says nothing is no text."""
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("written", "role"),
    [
        ("Self-service password reset flow activity progress", "flow"),
        ("Self-serve password reset flow activity progress", "flow"),
        ("user started password reset", "note"),
        ("User canceled security info registration", "note"),
        ("Reset user password.", "echo"),
        (" Reset password (by admin)", "admin-reset"),
    ],
)
def test_activities_are_known_in_any_spelling(written: str, role: str) -> None:
    """An activity is found whatever its case, blanks and old spellings."""
    found = KNOWN.activity(written)

    assert found is not None
    assert found.role == role


@pytest.mark.parametrize(
    "other",
    [
        None,
        "",
        "Update user",
        "Updated SSPRConvergence feature value",
        "User Password Reset",
        "User completed account recovery",
    ],
)
def test_other_activities_are_not_ours(other: str | None) -> None:
    """What looks like password reset and is something else stays out."""
    assert KNOWN.activity(other) is None


def test_a_lone_block_is_known_by_its_activity() -> None:
    """The activity says that the person was throttled, for its result says success."""
    found = KNOWN.activity("Blocked from self-service password reset")

    assert found is not None
    assert (found.blocked, found.rank) == (True, 90)


@pytest.mark.parametrize(
    ("text", "key", "method"),
    [
        ("User started the mobile SMS verification option", "method-started", "mobile SMS"),
        ("user started the MOBILE sms verification", "method-started", "mobile SMS"),
        ("User completed the mobile app code verification", "method-completed", "mobile app code"),
        ("User started the passkey verification option", "method-started", "passkey"),
        (
            "User abandoned after starting the security questions option",
            "abandoned-after-method-started",
            "security questions",
        ),
        (
            "User contacted an admin after trying the email verification option",
            "contacted-admin-after-method",
            "email",
        ),
    ],
)
def test_methods_are_read_from_the_text(text: str, key: str, method: str) -> None:
    """The method is given as Entra spells it, and a new one as it stands there."""
    found = KNOWN.reason(text)

    assert found is not None
    assert (found.reason.key, found.method) == (key, method)


@pytest.mark.parametrize(
    "text",
    [
        "None",
        "A text of next year",
        "Password reset is not enabled for this userland",
        "80230619-0000-0000-0000-000000000001",
        "SSPR_00091",
        "120004 users",
        "User submitted their user IDs",
    ],
)
def test_what_is_not_known_is_not_guessed(text: str) -> None:
    """A text outside the table is None, even where it begins or ends like one inside."""
    assert KNOWN.reason(text) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("AADSTS120004: PasswordChangeOnPremComplexity", "onprem-password-policy"),
        ("PasswordChangeOnPremComplexity", "onprem-password-policy"),
        ("OnPremComplexity", "onprem-password-policy"),
        ("OnPremisesConnectivtyFailure", "writeback-servicebus-unreachable"),
        ("hr=0x80230818", "writeback-dc-unreachable"),
        ("SSPR_0029 (hr=8023062C)", "writeback-ldap-not-signed"),
        ("SSPR_009", "sspr-for-admins-disabled"),
        ("SSPR_0009", "sspr-disabled-for-tenant"),
        ("UserNotLicensed", "license-missing"),
        ("PasswordDoesnotComplyFuzzyPolicy", "banned-password-cloud"),
    ],
)
def test_codes_name_causes(text: str, named: str) -> None:
    """A code names its cause, or the cause that leads its family."""
    found = KNOWN.reason(text)

    assert found is not None
    assert KNOWN.named_by(found.reason)[0] == named


@pytest.mark.parametrize(
    ("raw", "client"),
    [
        ("Windows 10 Lock Screen", "windows-signin"),
        ("WindowsLogon", "windows-signin"),
        ("Windows 11", "windows-signin"),
        ("Windows 7 sign-in screen", "windows7-addin"),
        ("SsprWindowsLogon", "windows7-addin"),
        ("Browser", "browser"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "browser"),
        ("Chrome on Windows 10", "browser"),
    ],
)
def test_client_types_are_assumed(raw: str, client: str) -> None:
    """A value that fits a built-in pattern is classed, and marked as assumed."""
    assert KNOWN.client(raw, {}) == (client, True)


def test_settings_decide_on_client_types() -> None:
    """An exact value of the settings goes before the patterns and is not assumed."""
    assert KNOWN.client("Browser", {"Browser": "windows-signin"}) == ("windows-signin", False)
    assert KNOWN.client("browser", {"Browser": "windows-signin"}) == ("browser", True)


def test_other_client_types_keep_their_text() -> None:
    """A value that nothing knows is its own class."""
    assert KNOWN.client("Fridge 2", {}) == ("other:Fridge 2", False)


def test_hosts_are_those_of_the_cloud() -> None:
    """A tenant in China reads its own hosts and no other."""
    cause = KNOWN.causes["antivirus-or-tls-inspection"]

    remedy = cause.in_cloud(KNOWN.clouds["china-21vianet"], KNOWN.clouds).remedy

    assert remedy.hosts == (
        "passwordreset.activedirectory.windowsazure.cn",
        "ajax.aspnetcdn.com",
        "ocsp.digicert.cn",
    )
    assert all(host in remedy.summary for host in remedy.hosts)


def test_commands_are_left_out_where_the_cloud_lacks_the_host() -> None:
    """A command whose host is not known there is not given, least of all with another's."""
    cause = KNOWN.causes["portal-host-blocked"]

    commands = {
        name: cause.in_cloud(cloud, KNOWN.clouds).remedy.commands
        for name, cloud in KNOWN.clouds.items()
    }

    assert commands["global"][0] == "Invoke-WebRequest https://passwordreset.microsoftonline.com/ok"
    assert [len(lines) for lines in commands.values()] == [2, 1, 1, 1]


def test_without_a_cloud_every_cloud_is_labelled() -> None:
    """Where the cloud is unknown, hosts and commands of each are given with its name."""
    cause = KNOWN.causes["portal-host-blocked"]

    remedy = cause.in_cloud(None, KNOWN.clouds).remedy

    assert remedy.hosts == (
        "passwordreset.microsoftonline.com (global)",
        "passwordreset.microsoftonline.us (usgov-gcchigh, usgov-dod)",
        "passwordreset.activedirectory.windowsazure.cn (china-21vianet)",
    )
    assert all(host in remedy.summary for host in remedy.hosts)
    assert remedy.commands[0].endswith("/ok  # global")


def test_commands_without_a_host_are_given_once() -> None:
    """What is the same in every cloud carries no label; what one cloud alone knows does."""
    cause = KNOWN.causes["signin-reset-not-enabled"]

    *intune, registry = cause.in_cloud(None, KNOWN.clouds).remedy.commands

    assert intune
    assert all(one.endswith("# global") for one in intune)
    assert "#" not in registry
    assert cause.in_cloud(KNOWN.clouds["china-21vianet"], KNOWN.clouds).remedy.commands == (
        registry,
    )


def test_a_cause_of_one_cloud_speaks_of_that_cloud() -> None:
    """A cause that occurs in the global cloud only gives no other cloud's facts."""
    cause = KNOWN.causes["sms-voice-retirement"]

    assert cause.applies_in(None)
    assert cause.applies_in(AN_OWN_CLOUD)
    assert not cause.applies_in(KNOWN.clouds["china-21vianet"])


@pytest.mark.parametrize("cause", KNOWN.causes.values(), ids=lambda cause: cause.id)
def test_a_cloud_of_the_settings_will_do(cause: knowledge.Cause) -> None:
    """Four addresses are enough: what such a cloud lacks is said to be unknown, never guessed."""
    told = str(cause.in_cloud(AN_OWN_CLOUD, {**KNOWN.clouds, "own": AN_OWN_CLOUD}))

    assert "microsoftonline" not in told
    assert not re.search(r"\{[a-z_]+[|}]", told)
