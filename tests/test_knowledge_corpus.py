"""The shipped catalogue, tested as a corpus: one test holds for every row and every cause."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from sspr_audit import knowledge
from sspr_audit.knowledge import Cause, Reason
from sspr_audit.knowledge.wordings import says

FOLDER = Path(str(resources.files(knowledge)))
KNOWN = knowledge.load()
CHINA = KNOWN.clouds["china-21vianet"]
IN_CHINA = [cause for cause in KNOWN.causes.values() if cause.applies_in(CHINA)]

STEPS = {
    "User submitted their user ID": 10,
    "User was presented with verification options": 20,
    "User started the email verification option": 30,
    "User completed the mobile voice call verification option": 40,
    "User completed all verification steps required to reset their password": 50,
    "User submitted a new password": 60,
}

ENDS = {
    "Successfully completed reset.": "succeeded",
    "User successfully reset password": "succeeded",
    "Success": "succeeded",
    "User cancelled before passing the required authentication methods": "cancelled",
    "User canceled before submitting a new password": "cancelled",
    "User abandoned after entering their user ID": "abandoned",
    "User abandoned after starting the mobile SMS verification option": "abandoned",
    "User abandoned after completing the security questions option": "abandoned",
    "User abandoned before selecting a new password": "abandoned",
    "User abandoned while selecting a new password": "abandoned",
    "User contacted an admin after trying the security question verification option": "abandoned",
    "User entered too many invalid SMS verification codes and is blocked for 24 hours": "blocked",
    "User tried to answer security questions too many times and is blocked for 24 hours": "blocked",
    "OnPremisesSuccessCloudFailure": "failed",
}

STATED = {
    "User's account has insufficient authentication methods defined. ": (
        "insufficient-methods-registered"
    ),
    "User does not have a license": "license-missing",
    "This user is not a member of the password reset users group.": "user-not-in-sspr-group",
    "Password reset has been disabled entirely for this tenant.": "sspr-disabled-for-tenant",
    "User's password is managed on-premises.": "password-managed-on-premises-no-writeback",
    "User tried to reset from a device without cookies enabled": "cookies-disabled",
    "FuzzyPolicyViolationInvalidPassword": "banned-password-cloud",
    "OnPremisesSuccessCloudFailure": "onprem-success-cloud-failure",
    "SSPR_0011": "sspr-policy-not-defined",
}

STATED_FAMILIES = {
    "Password reset is not enabled for this user": "not-enabled-for-user",
    "We could not reach your on-premises password reset service.": "writeback-unreachable",
    "We encountered a problem while resetting the user's on-premises password": "writeback-refused",
    "OnPremisesConnectivityError": "writeback-unreachable",
    "OnPremisesConnectivityFailure": "writeback-unreachable",
    "OnPremisesAdminActionRequired": "writeback-refused",
    "ADAdminActionRequired": "writeback-refused",
    "SSPR_0009": "tenant-or-admins-off",
    "SSPR_0010": "writeback-not-enabled",
    "SSPR_0014": "insufficient-methods",
    "SSPR_0029": "writeback-refused",
    "SSPR_0030": "writeback-unreachable",
    "hr=80230619": "onprem-policy-refused",
    "OnPremUserAccountLockedOutOrDisabled": "onprem-account-unusable",
}

ALLOWED_IN_CHINA = re.compile(
    r"ajax\.aspnetcdn\.com|www\.microsoft\.com/en-us/download|21vianet\.com"
)
ELSEWHERE = re.compile(r"\.com\b|\.us\b|\.net\b|aka\.ms|microsoftonline\.(?!cn)")


def _all_texts(cause: Cause) -> str:
    told = (cause.title, cause.os, cause.user_sees or "", cause.signature, cause.known_gaps)
    lists = (cause.evidence_elsewhere, cause.needs_data, cause.confounders, cause.registry)
    remedy = (cause.remedy.summary, *cause.remedy.commands, *cause.remedy.hosts)
    return "\n".join((*told, *(text for texts in lists for text in texts), *remedy))


def _spellings(row: Reason) -> list[str]:
    text = row.text.replace("<method>", "mobile SMS")
    drifted = [text, f"{text} ", text.upper(), f"{text.rstrip('.')}.", text.replace("'", "\u2019")]
    drifted.append(text.replace("cancelled", "canceled"))
    if row.match in {"prefix", "contains"}:
        drifted.append(row.on)
    return drifted


def test_every_check_holds_for_the_shipped_files() -> None:
    """What `load` trusts is what `read` has checked."""
    assert knowledge.read(FOLDER) == KNOWN


@pytest.mark.parametrize("row", KNOWN.reasons, ids=lambda row: row.key)
def test_every_spelling_of_a_reason_is_its_row(row: Reason) -> None:
    """A blank, a full stop, capitals, curly apostrophes or a missing remedy change nothing."""
    found = [KNOWN.reason(text) for text in _spellings(row)]

    assert [match and match.reason.key for match in found] == [row.key] * len(found)


def test_every_row_has_a_meaning_that_fits_its_rank() -> None:
    """A step sorts by its stage, an end after every step of the same time."""
    for row in KNOWN.reasons:
        assert row.meaning != "step" or row.rank == row.stage, row.key
        assert row.meaning in {"step", "succeeded"} or row.rank == 90, row.key
        assert row.meaning != "failed" or row.causes or row.family, row.key


@pytest.mark.parametrize(("text", "stage"), STEPS.items())
def test_steps_have_their_stage(text: str, stage: int) -> None:
    """Each step of a flow is known by its documented stage and says no more than that."""
    found = KNOWN.reason(text)

    assert found is not None
    assert (found.reason.meaning, found.reason.stage) == ("step", stage)
    assert KNOWN.named_by(found.reason) == ()


@pytest.mark.parametrize(("text", "meaning"), ENDS.items())
def test_ends_have_their_meaning(text: str, meaning: str) -> None:
    """Each end of a flow is known by what it means."""
    found = KNOWN.reason(text)

    assert found is not None
    assert found.reason.meaning == meaning


@pytest.mark.parametrize(("text", "cause"), STATED.items())
def test_a_text_with_one_cause_names_that_cause(text: str, cause: str) -> None:
    """Where the documentation gives a text one cause, it is no family."""
    found = KNOWN.reason(text)

    assert found is not None
    assert (found.reason.causes, found.reason.family) == ((cause,), None)


@pytest.mark.parametrize(("text", "family"), STATED_FAMILIES.items())
def test_a_text_with_several_causes_names_their_family(text: str, family: str) -> None:
    """Where a text does not decide between causes, it names the family, its lead first."""
    found = KNOWN.reason(text)

    assert found is not None
    assert found.reason.family == family
    assert KNOWN.named_by(found.reason)[0] == KNOWN.families[family].lead


def test_what_is_inferred_is_marked() -> None:
    """Short names of sign-in errors and codes of the server's own log are inferred reasons."""
    for text in ("OnPremComplexity", "UserNotFoundBySspr", "hr=80230619", "ADAdminActionRequired"):
        found = KNOWN.reason(text)
        assert found is not None, text
        assert found.reason.standing == "inferred", text


@pytest.mark.parametrize("cause", IN_CHINA, ids=lambda cause: cause.id)
def test_china_reads_no_other_clouds_host(cause: Cause) -> None:
    """No text for a tenant in China names a host, link or sender of another cloud."""
    told = _all_texts(cause.in_cloud(CHINA, KNOWN.clouds))

    assert not ELSEWHERE.findall(ALLOWED_IN_CHINA.sub("", told))


@pytest.mark.parametrize("cloud", [None, *KNOWN.clouds])
def test_every_cause_can_be_told_in_every_cloud(cloud: str | None) -> None:
    """No placeholder stays, and nothing is said to be unknown in a cloud of ours."""
    here = KNOWN.clouds[cloud] if cloud else None
    for cause in KNOWN.causes.values():
        if cause.applies_in(here):
            told = _all_texts(cause.in_cloud(here, KNOWN.clouds))
            assert not re.search(r"\{[a-z_]+[|}]|not known in", told), cause.id
            assert "  #" not in told or cloud is None, cause.id


def test_every_cause_says_what_would_show_it() -> None:
    """A cause that no text names can be listed as unobservable, with what is missing."""
    silent = [cause for cause in KNOWN.causes.values() if not KNOWN.reasons_for(cause.id)]

    assert len(silent) > 50
    assert all(cause.needs_data for cause in silent)


def test_explicit_causes_are_found_by_a_text() -> None:
    """What the catalogue calls explicit has a text, but for what shows in set-up or as success."""
    without = {
        cause.id
        for cause in KNOWN.causes.values()
        if cause.visibility == "explicit" and not KNOWN.reasons_for(cause.id)
    }

    assert without == {"sspr-takeover-attempt", "writeback-onboarding-admin-invalid"}


def test_ids_are_never_reused() -> None:
    """Every id stands in ids.txt, and every id there is in use or marked as retired."""
    lines = (FOLDER / "ids.txt").read_text(encoding="utf-8").splitlines()[1:]
    listed = [tuple(line.split()) for line in lines]
    in_use = [
        *(("cause", one) for one in KNOWN.causes),
        *(("family", one) for one in KNOWN.families),
        *(("reason", one.key) for one in KNOWN.reasons),
    ]

    assert len({line[:2] for line in listed}) == len(listed)
    assert {line for line in listed if line[2:] != ("retired",)} == set(in_use)


def test_sources_have_an_address_or_say_what_they_are() -> None:
    """Only what was never on a stable page lacks an address."""
    without = {key for key, source in KNOWN.sources.items() if source.url is None}

    assert without == {
        "blog-0818",
        "blog-gotoguy",
        "doc-cn-register",
        "inferred",
        "known",
        "lab-2026",
        "legacy-reasons",
        "ms-diag",
    }


def test_every_wording_is_of_something_that_a_cause_quotes() -> None:
    """No translation stands there for nothing, and each leads to the causes that quote it."""
    texts = [
        f"{one.user_sees or ''} {one.remedy.summary}"
        for one in (cause.in_cloud(None, KNOWN.clouds) for cause in KNOWN.causes.values())
    ]

    for wording in KNOWN.wordings:
        assert any(says(text, wording.text, KNOWN.wordings) for text in texts), wording.text
        assert not all(says(text, wording.text, KNOWN.wordings) for text in texts)


def test_every_source_is_cited() -> None:
    """No source stands there for nothing."""
    cited = {one.source for one in (*KNOWN.activities, *KNOWN.reasons, *KNOWN.wordings)}
    for group in (KNOWN.causes, KNOWN.families, KNOWN.clouds):
        cited |= {source for one in group.values() for source in one.sources}

    assert KNOWN.sources.keys() - cited == set()
