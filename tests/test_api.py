"""The dozen names that notebooks and other programs use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sspr_audit
from sspr_audit.errors import KnowledgeError, NothingReadError, UsageError

FIXTURES = Path(__file__).parent.parent / "fixtures"
SAYS = "ExampleFilter: the password holds the name of a product"
REASON = f"""
[[reason]]
key = "our-filter-product-name"
text = "{SAYS}"
match = "exact"
stage = 60
rank = 60
meaning = "failed"
causes = ["our-password-filter"]
standing = "seen"
source = "our-filter"
"""
SOURCE = """
[our-filter]
title = "Example Ltd: rules of the password filter"
"""
CAUSE = f"""
id = "our-password-filter"
title = "The password filter of Example Ltd refused the password"
layer = "on-prem-writeback"
clouds = ["global"]
clients = ["browser"]
os = "any"
on_signin_page = false
visibility = "explicit"
stage = "S6"
signature = "The reset fails with a text that begins with ExampleFilter."
evidence_elsewhere = []
needs_data = []
rivals = []
who_can_fix = "on-premises-admin"
confidence = "documented"
sources = ["our-filter"]
fits = ["{SAYS}"]
must_not = ["User submitted their user ID"]

[remedy]
summary = "Tell people the rule at the reset page."
commands = []
hosts = []
"""


@pytest.fixture(scope="module")
def found():
    """Return the analysis of the demo tenant."""
    return sspr_audit.demo()


@pytest.fixture(scope="module")
def recent():
    """Return the analysis of the demo tenant's last day."""
    return sspr_audit.demo(since="1d")


@pytest.fixture
def own(tmp_path):
    """Return a folder with a cause of its owner's."""
    (tmp_path / "causes").mkdir()
    (tmp_path / "causes" / "our-password-filter.toml").write_text(CAUSE, "utf-8")
    (tmp_path / "reasons.toml").write_text(REASON, "utf-8")
    (tmp_path / "sources.toml").write_text(SOURCE, "utf-8")
    return tmp_path


def test_every_public_name_is_there_and_says_what_it_is():
    """What is named can be used, and help() has a sentence on it."""
    for name in sspr_audit.__all__:
        assert getattr(sspr_audit, name).__doc__
    assert {*sspr_audit.__all__} <= {*dir(sspr_audit)}


def test_what_the_package_names_is_what_the_api_has():
    """Two lists, because a type checker reads them without importing; they say the same."""
    from sspr_audit import api

    assert {*sspr_audit.__all__} == {*api.__all__, "charts"}


def test_no_other_name_is_found():
    """A typing error is told as for any module."""
    with pytest.raises(AttributeError, match="analyze"):
        sspr_audit.analyze  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    """A name costs what it needs when it is first used."""
    code = "import sys, sspr_audit; print(*sorted({'pandas', 'duckdb'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_files_are_analysed_as_the_command_does(tmp_path):
    """The same report comes from a call as from the command."""
    from sspr_audit import cli

    export = FIXTURES / "graph"
    (tmp_path / "settings.toml").write_text("", "utf-8")
    asked = ["report", "--input", str(export), "--config", str(tmp_path / "settings.toml")]
    written = tmp_path / "report.json"
    with pytest.raises(SystemExit) as end:
        cli.main([*asked, "--format", "json", "--output", str(written)])
    told = json.loads(written.read_text("utf-8"))
    read = sspr_audit.analyse(export, config=tmp_path / "settings.toml").report

    assert end.value.code == 0
    assert read.totals.flows == told["totals"]["flows"] > 0
    assert [one.cause for one in read.findings] == [one["cause"] for one in told["findings"]]


def test_a_window_is_asked_for_as_on_the_command_line(recent):
    """A span, a day or a full time."""
    window = recent.report.window

    assert (window.end - window.start).days == 1


def test_what_cannot_be_read_is_one_line(tmp_path, recent):
    """Errors are those of the command, for who can put them right."""
    (tmp_path / "notes.txt").write_text("no export", "utf-8")

    with pytest.raises(NothingReadError):
        sspr_audit.analyse(tmp_path)
    with pytest.raises(UsageError, match="no flow, event or person"):
        sspr_audit.story(recent, "nobody@example.com")


def test_a_change_is_measured_as_the_command_does(found):
    """The repair of the demo tenant's writeback helped."""
    change = sspr_audit.changed(found, "2026-11-17T10:36")

    assert change.total.verdict.value == "better"
    with pytest.raises(UsageError, match="must lie inside"):
        sspr_audit.changed(found, "2020-01-01")


def test_a_notebook_shows_the_verdict_and_no_markup_of_strangers(found):
    """What a record holds is text there, too."""
    shown = found._repr_html_()

    assert "Malmö" in shown
    assert shown.count("<tr>") == len(found.report.findings) + 1
    assert repr(found).startswith("<Analysis 2026-10-23")


def test_an_own_cause_is_found_beside_those_that_ship(own, recent):
    """The text that it brings names it, and nothing that ships is lost."""
    ours = sspr_audit.catalogue(own)
    shipped = recent.options.knowledge

    assert ours.causes.keys() - shipped.causes.keys() == {"our-password-filter"}
    assert ours.reason(SAYS).reason.causes == ("our-password-filter",)
    assert ours.reasons[1:] == shipped.reasons


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("causes/our-password-filter.toml", "id = 1", "title: Field required"),
        ("causes/user-cancelled.toml", CAUSE, "a cause of this id ships with the program"),
        ("sources.toml", "", "no source is called our-filter"),
        ("sources.toml", '[doc-ts]\ntitle = "ours"', "a source called doc-ts ships"),
        ("reasons.toml", REASON.replace(SAYS, "User cancelled"), "does not fit"),
        ("reasons.toml", "reason = 1", "reasons.toml"),
        ("reasons.toml", "[[reason", "reasons.toml"),
    ],
)
def test_a_fault_in_an_own_cause_names_its_file(own, file, text, told):
    """All faults at once, as for the shipped ones."""
    (own / file).write_text(text, "utf-8")

    with pytest.raises(KnowledgeError, match=told):
        sspr_audit.catalogue(own)
