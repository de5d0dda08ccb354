"""Bad knowledge is reported whole."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest

from sspr_audit import knowledge
from sspr_audit.errors import KnowledgeError

SHIPPED = Path(str(resources.files(knowledge)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("*.py", "__pycache__")
    return Path(shutil.copytree(SHIPPED, tmp_path / "knowledge", ignore=ignore))


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} no longer holds {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _faults(folder: Path) -> str:
    with pytest.raises(KnowledgeError) as caught:
        knowledge.read(folder)
    return str(caught.value)


def test_broken_files_are_told_all_at_once(folder: Path) -> None:
    """A file that is no TOML, one with a wrong word and one with a missing field: one error."""
    (folder / "causes" / "license-missing.toml").write_text("id = ", encoding="utf-8")
    _change(folder / "causes" / "user-cancelled.toml", 'layer = "user"', 'layer = "usr"\nodd = 1')
    _change(folder / "reasons.toml", 'meaning = "step"\n', "")
    _change(folder / "clouds.toml", "https://graph.microsoft.us", "http://graph.microsoft.us")

    faults = _faults(folder).splitlines()

    assert len(faults) == 5
    assert faults[0].startswith("causes/license-missing.toml: Invalid value")
    assert {fault.split(": ")[0] for fault in faults[1:]} == {
        "causes/user-cancelled.toml",
        "clouds.toml",
        "reasons.toml",
    }
    assert "causes/user-cancelled.toml: odd: Extra inputs are not permitted" in faults


def test_a_missing_table_is_told(folder: Path) -> None:
    """A folder without one of the tables is no knowledge."""
    (folder / "families.toml").unlink()

    assert "families.toml" in _faults(folder)


def test_references_are_told_all_at_once(folder: Path) -> None:
    """Unknown sources, causes, families and ids that are not the file's name: one error."""
    _change(folder / "reasons.toml", 'causes = ["license-missing"]', 'causes = ["no-such-cause"]')
    _change(folder / "reasons.toml", 'family = "writeback-refused"', 'family = "no-such-family"')
    _change(folder / "reasons.toml", 'source = "kql"', 'source = "no-such-source"')
    _change(folder / "families.toml", 'lead = "onprem-account-locked"', 'lead = "cookies-disabled"')
    _change(folder / "families.toml", 'id = "onprem-policy-refused"', 'id = "license-missing"')
    _change(folder / "client_types.toml", "^mozilla/", "(mozilla")
    _change(folder / "families.toml", "{sspr_url|the reset page of the cloud}", "{probe_url}")
    _change(folder / "wordings.toml", 'source = "doc-windows-sv"', 'source = "doc-windows-no"')
    (folder / "causes" / "user-cancelled.toml").rename(folder / "causes" / "other-name.toml")

    faults = _faults(folder)

    for told in (
        "no cause is called no-such-cause",
        "no family is called no-such-family",
        "no source is called no-such-source",
        "its lead cookies-disabled is no member",
        "license-missing: a cause has the same id",
        "signin-screen-silent-at-site: probe_url is not known in usgov-gcchigh",
        "Försök igen senare.: no source is called doc-windows-no",
        "is no regular expression",
        "causes/other-name.toml: the id of the cause is not the file's name",
    ):
        assert told in faults


def test_causes_and_their_samples_are_told_all_at_once(folder: Path) -> None:
    """Samples that lead elsewhere, unknown rivals and placeholders: one error."""
    causes = folder / "causes"
    _change(causes / "license-missing.toml", '"SSPR_0012"', '"SSPR_0013"')
    _change(causes / "cookies-disabled.toml", "must_not = [", 'must_not = ["A text of next year", ')
    _change(causes / "user-cancelled.toml", "must_not = [", 'must_not = ["User cancelled", ')
    _change(causes / "ocsp-blocked.toml", 'hosts = ["ocsp_host"]', 'hosts = ["ocsp_hosts"]')
    _change(causes / "ocsp-blocked.toml", "host {ocsp_host};", "host {probe_url};")
    _change(causes / "uac-disabled.toml", "rivals = [", 'rivals = ["no-such-cause", ')
    _change(folder / "reasons.toml", 'text = "UserNotLicensed"', 'text = "SSPR_0012 "')

    faults = _faults(folder)

    for told in (
        "causes/license-missing.toml: does not fit: SSPR_0013",
        "causes/cookies-disabled.toml: not recognized, so no test of what must not fit",
        "causes/user-cancelled.toml: fits, but must not: User cancelled",
        "causes/ocsp-blocked.toml: clouds have no field ocsp_hosts",
        "causes/ocsp-blocked.toml: probe_url is not known in usgov-gcchigh",
        "causes/uac-disabled.toml: no rival is called no-such-cause",
        "reasons.toml: name-user-not-licensed: its own text leads to sspr-0012",
    ):
        assert told in faults


def test_an_own_cause_can_be_added(folder: Path) -> None:
    """Who writes a cause of their own reads it back like the shipped ones."""
    shipped = folder / "causes" / "captcha-not-passed.toml"
    own = folder / "causes" / "lift-out-of-order.toml"
    own.write_text(
        shipped.read_text(encoding="utf-8").replace("captcha-not-passed", "lift-out-of-order"),
        encoding="utf-8",
    )

    assert knowledge.read(folder).causes["lift-out-of-order"].layer == "user"


def test_patterns_and_their_numbers_are_told(folder: Path) -> None:
    """A signal on both sides, a weight of no pattern, and one of a signal that it does not name."""
    _change(
        folder / "families.toml", 'spoilers = ["browser-fails-too"', 'spoilers = ["fell-silent"'
    )
    weights = folder / "weights.toml"
    text = weights.read_text(encoding="utf-8").partition("[likely]")[0]
    text += """[likely]
user-cancelled = 1.0
[signals.phs-catch-up-delay]
no-such-signal = 1.0
"""
    weights.write_text(text, encoding="utf-8")

    assert set(_faults(folder).splitlines()) == {
        "signin-screen-silent-at-site: fell-silent speaks for it and against it",
        "weights.toml: user-cancelled has no pattern",
        "weights.toml: phs-catch-up-delay: its pattern has no signal no-such-signal",
    }
