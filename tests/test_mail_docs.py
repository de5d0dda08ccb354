"""What the pages about the mail say is what the program does."""

import re
import tomllib
from pathlib import Path

import pytest

from sspr_audit import settings
from sspr_audit.deliver.outbox import State
from sspr_audit.deliver.smtp import PORTS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "mail.md").read_text("utf-8")
READY = sorted((ROOT / "docs" / "schedule").iterdir())


def test_the_settings_of_the_page_are_accepted():
    """What a reader copies works, and the ports are those that are tried."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    mail = settings.checked(tomllib.loads(example), file=None).mail

    assert mail.pseudonymize is type(mail).model_fields["pseudonymize"].default
    assert all(re.search(rf"\b{port}\b", example) for port in PORTS.values())


def test_every_state_has_a_row():
    """In the order in which a mail meets them."""
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [state.value for state in State]


def test_every_file_that_is_ready_is_named():
    """And no other."""
    named = re.findall(r"\]\((schedule/[^)]+|\.\./Containerfile)\)", PAGE)

    assert sorted(named) == sorted(["../Containerfile", *(f"schedule/{one.name}" for one in READY)])


@pytest.mark.parametrize("file", [*READY, ROOT / "Containerfile"], ids=lambda file: file.name)
def test_what_is_ready_runs_the_weekly_mail(file):
    """With variables that the program knows, and with nobody's secret in it."""
    text = file.read_text("utf-8")
    known = {*settings.SECRETS.values(), *(f"{one}_FILE" for one in settings.SECRETS.values())}
    words = re.sub(r'[\[\]",]', " ", text).split()

    assert ["mail", "--since", "7d"] in [words[at : at + 3] for at in range(len(words))]
    assert set(re.findall(r"SSPR_AUDIT_\w+", text)) <= {*known, settings.CONFIG}
    assert not re.search(r"(?i)(password|secret)[\w-]*:\s*['\"]?(?!\$)[\w+/]{12,}['\"]?$", text)
