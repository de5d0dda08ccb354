"""Every statement of Microsoft's page on the sign-in screen stands where a reader meets it.

The page has two editions, one for the global cloud and one for Azure operated by 21Vianet. Its
statements are numbered; each is a row here: where the program tells it, and a phrase of that.
What the editions differ in stands in PLACES, and is put in for the words in braces.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from sspr_audit import knowledge
from sspr_audit.pipeline import catalogue
from sspr_audit.pipeline.analysis import Options

KNOWN = knowledge.load()
NOW = datetime(2026, 3, 1, tzinfo=UTC)

PLACES = {
    "global": {
        "host": "passwordreset.microsoftonline.com",
        "url": "https://passwordreset.microsoftonline.com/n/passwordreset",
        "hosts": "passwordreset.microsoftonline.com, ajax.aspnetcdn.com, ocsp.digicert.com",
        "ocsp": "ocsp.digicert.com",
        "addin": "https://aka.ms/sspraddin",
    },
    "china-21vianet": {
        "host": "passwordreset.activedirectory.windowsazure.cn",
        "url": "https://passwordreset.activedirectory.windowsazure.cn/n/passwordreset",
        "hosts": "passwordreset.activedirectory.windowsazure.cn, ajax.aspnetcdn.com, "
        "ocsp.digicert.cn",
        "ocsp": "ocsp.digicert.cn",
        "addin": "https://www.microsoft.com/en-us/download/details.aspx?id=57343",
    },
}
HOW = "signin-screen-silent-at-site"
"""The family whose page says how a reset at the sign-in screen works."""

SYSTEM = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
DEFAULT_HIVE = r"hku\Default\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings"
ADDIN_KEY = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\Credential Providers"
    r"\[86D2F0AC-2171-46CF-9998-4E33B3D7FD4F]"
)
OMA_URI = "./Device/Vendor/MSFT/Policy/Config/Authentication/AllowAadPasswordReset"


class Told(NamedTuple):
    """Where a statement is told, in which words, and in which clouds; elsewhere it must not be."""

    where: str
    phrases: tuple[str, ...]
    clouds: tuple[str, ...] = tuple(PLACES)


def told(where, *phrases):
    return Told(where, phrases)


def only_global(where, *phrases):
    return Told(where, phrases, ("global",))


ROWS = {
    1: [
        told(HOW, "change or reset a password without an administrator or the help desk"),
        told(HOW, "mostly in a browser and on another device"),
    ],
    2: [
        told(HOW, "Windows 7, 8, 8.1, 10 and 11 can offer it at the sign-in screen"),
        told("win7-component-missing", "In the sign-in screen of Windows 7, 8 and 8.1 (add-in)."),
        told("authenticated-proxy", "In the sign-in screen of Windows 10 and 11;"),
    ],
    3: [
        told("signin-reset-not-enabled", "who finds no link calls the help desk"),
        told("signin-reset-not-enabled", "Administrators reset for these people"),
    ],
    4: [told("remote-session", "Reset attempted from Remote Desktop")],
    5: [told("remote-session", "or a Hyper-V enhanced session")],
    6: [told("third-party-credential-provider", "only that some such providers cause problems")],
    7: [told("uac-disabled", f"{SYSTEM} : EnableLUA = 0 (bad), 1 (good)")],
    8: [told("dot1x-prelogon-sso", "802.1X with 'Perform immediately before user logon'")],
    9: [told("dot1x-prelogon-sso", "What to do Use machine authentication for 802.1X.")],
    10: [
        told(
            "hybrid-device-off-network",
            "Hybrid-joined device without line of sight to a DC",
            "sign in with the new password so the cached credential updates",
        )
    ],
    11: [
        told(
            "hybrid-device-off-network",
            "Connect to the internal network or a VPN (pre-logon/device tunnel) with DC access",
        )
    ],
    12: [
        told(
            "copyprofile-webcache",
            "Before sysprep, ahead of the CopyProfile step, clear the web cache of the built-in "
            "Administrator",
        )
    ],
    13: [told("copyprofile-webcache", "article 4056823", "/4056823")],
    14: [
        told("lock-screen-notifications-off", "Lock-screen notifications turned off", "Windows 10")
    ],
    15: [told("hide-fast-user-switching", f"{SYSTEM} : HideFastUserSwitching = 1", "Windows 10")],
    16: [
        told("dont-display-last-user-name", f"{SYSTEM} : DontDisplayLastUserName = 1", "Windows 10")
    ],
    17: [told("no-lock-screen", r"\Windows\Personalization : NoLockScreen = 1", "Windows 10")],
    18: [
        told(
            "block-non-admin-user-install",
            r"\Windows\Appx : BlockNonAdminUserInstall = 1",
            "Windows 10",
        )
    ],
    19: [told("lost-mode", "EnableLostMode set on the device", "Windows 10")],
    20: [told("custom-shell", "Explorer.exe replaced by a custom shell", "Windows 10")],
    21: [
        told("smart-card-required", "Interactive logon: require smart card", "Windows 10"),
        told("smart-card-required", f"{SYSTEM} : scforceoption = 1"),
    ],
    22: [
        told(
            "cad-toast-home-combination",
            "CTRL+ALT+DEL required, DisableLockScreenAppNotifications = 1, Home edition",
            "'Windows 10 version 1710 and earlier'",
        )
    ],
    23: [
        told(
            "pin-reset-shares-limits",
            "PIN reset from lock screen fails for the same reasons as password reset",
            "In PIN reset of Windows Hello for Business.",
        )
    ],
    24: [
        told("win10-version-too-old", "show the heading of the prerequisites without the list"),
    ],
    25: [only_global("signin-reset-not-enabled", "Intune, for enrolled devices: profile")],
    26: [
        only_global(
            "signin-reset-not-enabled",
            "Windows 10 and later, Templates, Custom",
            f"OMA-URI {OMA_URI} (Integer, 1)",
        )
    ],
    27: [
        only_global(
            "signin-reset-not-enabled",
            "to a group of test devices first, then to users, devices or groups",
        ),
        told("signin-reset-not-enabled", "Device left out on purpose: by the assignment"),
    ],
    28: [
        only_global("signin-reset-not-enabled", "such as OS edition Windows 10 Enterprise"),
        told("signin-reset-not-enabled", "an applicability rule such as the OS edition"),
    ],
    29: [
        told(
            "signin-reset-not-enabled",
            r"HKLM\SOFTWARE\Policies\Microsoft\AzureADAccount : "
            "AllowPasswordReset = dword:00000001",
        )
    ],
    30: [told(HOW, "the audit log then holds the reset with its IP address and ClientType")],
    31: [told(HOW, "a temporary local account of low privilege, defaultuser1")],
    32: [
        told(HOW, "Its password is random and must pass the organization's password policy"),
        told("temp-account-creation-blocked", "checked against the organization's password policy"),
    ],
    33: [
        told(HOW, "it is not offered for sign-in, and is removed after the reset"),
        told("temp-account-creation-blocked", "is not offered for sign-in, and is gone after"),
    ],
    34: [
        told(HOW, "Left-over defaultuser profiles can be ignored"),
        told("defaultuser-profile-pileup", "Their mere presence is no fault"),
    ],
    35: [told(HOW, "defaultuser1, opens {url}."), told("authenticated-proxy", "opens {url},")],
    36: [told("authenticated-proxy", "Something went wrong. Please, try again later.")],
    37: [told("authenticated-proxy", "which the temporary local account cannot give")],
    38: [
        told("authenticated-proxy", "'Make proxy settings per-machine (rather than per-user)'"),
        told("per-user-proxy-or-pac-only", "'Make proxy settings per-machine (rather than"),
    ],
    39: [
        told(
            "authenticated-proxy",
            r'reg load "hku\Default" "C:\Users\Default\NTUSER.DAT"',
            f'reg add "{DEFAULT_HIVE}" /v ProxyEnable /t REG_DWORD /d "1" /f',
            f'reg add "{DEFAULT_HIVE}" /v ProxyServer /t REG_SZ /d "<your proxy:port>" /f',
            r'reg unload "hku\Default"',
        )
    ],
    40: [
        told(
            "portal-host-blocked", "Something went wrong.", "TCP 443 to the portal host", "{host}"
        ),
        told("static-content-cdn-blocked", "Something went wrong;", "443 to ajax.aspnetcdn.com"),
        told("ocsp-blocked", "Something went wrong.", "Allow the revocation host {ocsp}"),
        told("no-network-at-signin", "'Something went wrong'"),
    ],
    41: [
        told(
            "antivirus-or-tls-inspection",
            "names antivirus without exclusions, and anything that interrupts the connection",
            "Exclude the hosts of the tenant's cloud: {hosts};",
        )
    ],
    42: [told("antivirus-or-tls-inspection", "switch the product off for a short test")],
    43: [told("wrong-cloud-exclusions", "Use the host list of the tenant's own cloud: {hosts}.")],
    44: [told("win7-tls12-not-enabled", "Windows 7/8/8.1: TLS 1.2", "patch the OS")],
    45: [told("win7-tls12-not-enabled", "TLS 1.2 explicitly (auto-negotiation is not enough)")],
    46: [told("win7-component-missing", "Install the add-in for the Windows version")],
    47: [told("win7-component-missing", "from {addin} and restart")],
    48: [told("win7-component-missing", "the Microsoft page highly recommends the restart")],
    49: [told("win7-component-missing", "Then choose a user, and 'Forgot password?'.")],
    50: [
        told(
            "win7-component-missing",
            "msiexec /i SsprWindowsLogon.PROD.msi /qn",
            "msiexec /x SsprWindowsLogon.PROD.msi /qn",
        )
    ],
    51: [
        told("win7-verbose-log-needed", "logged as for Windows 10, with IP address and ClientType")
    ],
    52: [
        told(
            "win7-verbose-log-needed",
            f"{ADDIN_KEY} : EnableLogging = 1 (REG_DWORD; 0 turns it off)",
            "for troubleshooting only",
            "set it back to 0",
        )
    ],
    53: [
        told(
            "win7-verbose-log-needed",
            "Application event log, source AADPasswordResetCredentialProvider",
        )
    ],
    54: [
        told("signin-reset-not-enabled", "No 'Reset password' / 'Forgot password' link"),
        told(HOW, "as 'Reset password' or 'Forgot password', so that no second device is needed"),
    ],
    55: [
        told(
            "insufficient-methods-registered",
            "prefill contact data in the directory, which spares people the registration",
        ),
        told("malformed-phone-number", "Store the number as"),
    ],
}
"""The 55 statements of the page, in its order."""

PREREQUISITES = {
    "Windows 10 1803 or later": [told("win10-version-too-old", "Upgrade to 1803 or later.")],
    "joined to Entra, or hybrid": [
        told("device-not-entra-or-hybrid-joined", "Join or hybrid-join the device")
    ],
    "switched on, and people registered": [
        told("sspr-disabled-for-tenant", "Set 'Self-service password reset enabled'"),
        told("insufficient-methods-registered", "Register methods at"),
    ],
    "port 443": [
        told("portal-host-blocked", "Allow TCP 443 to the portal host of the cloud, {host}."),
        told("static-content-cdn-blocked", "Allow TCP 443 to ajax.aspnetcdn.com."),
    ],
    "a proxy of the machine": [
        told("per-user-proxy-or-pac-only", "Set the proxy for the machine"),
        told("per-user-proxy-or-pac-only", "a proxy scoped to defaultuser1"),
    ],
    "Windows 7, 8 and 8.1: patched, TLS 1.2": [
        told("win7-tls12-not-enabled", "Enable TLS 1.2 explicitly", "patch the OS")
    ],
    "several providers show several tiles": [
        told("win7-multiple-credential-providers", "several third-party providers show several")
    ],
}
"""What the headings without a list in both editions stand for, as the English edition has it."""

STATEMENTS = {**ROWS, **PREREQUISITES}
PAGES = sorted({one.where for rows in STATEMENTS.values() for one in rows})

OTHER_HOSTS = {
    "global": re.compile(r"[\w.-]+\.(?:cn|us)\b"),
    "china-21vianet": re.compile(
        r"[\w.-]*(?:microsoft|digicert|azure)[\w-]*\.(?:com|us)\b|aka\.ms"
    ),
}
"""Names that no page for the cloud may hold, its sources apart."""


def page(where, cloud):
    """Return what `causes WHERE --cloud CLOUD` prints, on one line."""
    here = KNOWN.clouds[cloud]
    options = Options(knowledge=KNOWN, now=NOW, generated_at=NOW, cloud=here)
    return " ".join(catalogue.told(options, where).split())


def filled(phrase, cloud):
    """Return a phrase with the facts of the cloud; square brackets are braces in print."""
    text = phrase.format(**PLACES[cloud]) if "{" in phrase else phrase
    return text.replace("[86D2", "{86D2").replace("FD4F]", "FD4F}")


def test_every_statement_has_its_row() -> None:
    """The page makes 55 statements, and none is left out."""
    assert list(ROWS) == list(range(1, 56))


@pytest.mark.parametrize("cloud", PLACES)
@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
def test_the_program_says_it(statement: int | str, cloud: str) -> None:
    """The page of the cause says it in the words of the cloud, and only where it holds."""
    for one in STATEMENTS[statement]:
        text = page(one.where, cloud)
        for phrase in one.phrases:
            assert (filled(phrase, cloud) in text) is (cloud in one.clouds), phrase


@pytest.mark.parametrize("cloud", PLACES)
@pytest.mark.parametrize("where", PAGES)
def test_no_page_sends_people_to_another_cloud(where: str, cloud: str) -> None:
    """What both clouds share is ajax.aspnetcdn.com, and Microsoft's page of downloads.

    What is quoted is the log's own text, links and all.
    """
    text = page(where, cloud).partition(" Sources ")[0].replace(PLACES[cloud]["addin"], "")
    text = re.sub(r'"[^"]*"', "", text)

    assert OTHER_HOSTS[cloud].findall(text) == []


@pytest.mark.parametrize("row", range(4, 23))
def test_the_limits_hold_for_a_pin_too(row: int) -> None:
    """Each limit of the page is one of the PIN reset at the lock screen as well."""
    for one in ROWS[row]:
        assert "PIN reset of Windows Hello for Business" in page(one.where, "global")


@pytest.mark.parametrize("cloud", PLACES)
def test_the_policy_and_the_message_are_found_in_swedish(cloud: str) -> None:
    """The Swedish edition translates both; a help desk hears and sees them so."""
    text = page("authenticated-proxy", cloud)

    assert "Något gick fel. Försök igen senare." in text
    assert "Gör proxyinställningar per dator (i stället för per användare)" in text


@pytest.mark.parametrize("words", ["Något gick fel", "något gick fel. försök igen senare."])
def test_what_a_user_reads_out_leads_to_the_causes(words: str) -> None:
    """In Swedish as in English, and whatever the capitals."""
    found = page(words, "global")

    assert "authenticated-proxy" in found
    assert "antivirus-or-tls-inspection" in found
    assert "banned-password-cloud" not in found
    assert found == page("Something went wrong", "global")
