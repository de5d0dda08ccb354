"""What the README says is what the program does."""

import re
from pathlib import Path

import pytest

from sspr_audit import cli, errors, knowledge
from sspr_audit.model import CONTEXT_KINDS
from sspr_audit.pipeline import connecting
from sspr_audit.sources.graph.collections import AUDITS, CONTEXT

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(name):
    """Return the text under a heading of the README."""
    return README.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def test_the_causes_are_those_of_the_catalogue() -> None:
    """Every family and cause that a text names stands in the README, and no other."""
    known = knowledge.load()
    stated = {row.family for row in known.reasons if row.family}
    stated |= {cause for row in known.reasons for cause in row.causes}
    leads = {known.families[row.family].lead for row in known.reasons if row.family}
    words = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", section("Causes")))

    assert words == stated | leads
    assert f"knows {len(known.causes)} causes" in README


def test_the_exit_codes_are_those_of_the_errors() -> None:
    """The table has a row for each code that an error carries in this version."""
    rows = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", section("Exit codes"), re.MULTILINE)
        for code in row.split(",")
    }
    carried = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.SsprAuditError)
    }

    assert rows == carried | {0, 1, 3, 130, 141}


def test_every_permission_stands_there_with_what_it_unlocks() -> None:
    """The table is what the client asks for, in the words of its reports."""
    rows = re.findall(r"^\| (\w+) \| `([\w.]+\.All)` \| (.+) \|$", README, re.MULTILINE)

    assert rows == [(one.name, one.permission, one.without) for one in (AUDITS, *CONTEXT)]


def test_the_registration_is_five_lines() -> None:
    """And the first permission of the table is the one that they name."""
    steps = re.findall(r"^\d\. .+$", section("From your tenant"), re.MULTILINE)

    assert [step[0] for step in steps] == list("12345")
    assert AUDITS.permission in steps[2]
    assert (
        connecting.consent_link(
            knowledge.load().clouds["global"].authority, "TENANT-ID", "CLIENT-ID"
        )
        in steps[3]
    )


def test_every_command_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of commands and the program's help name the same commands."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    help_text = capsys.readouterr().out.split("Commands:")[1]
    commands = {line.split()[0] for line in help_text.strip().splitlines() if line.strip()}
    named = set(re.findall(r"^\| `sspr-audit (\w+)", README, re.MULTILINE))

    assert named == {word for word in commands if (word == word.lower() and word.isalpha())}


def test_every_kind_of_context_is_named() -> None:
    """Whoever exports context finds its kinds."""
    row = next(line for line in README.splitlines() if line.startswith("| context:"))

    assert all(kind in row for kind in CONTEXT_KINDS)


def test_every_link_into_the_repository_leads_somewhere() -> None:
    """No link is dead."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_settings_example_is_accepted() -> None:
    """What a reader copies works."""
    import tomllib

    from sspr_audit import settings

    example = re.search(r"```toml\n(.*?)```", README, re.DOTALL)

    assert example
    assert settings.checked(tomllib.loads(example[1]), file=None).sites[0].name
