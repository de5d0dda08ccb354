"""The catalogue's pages say all that the catalogue knows."""

from __future__ import annotations

import pytest

from sspr_audit import knowledge
from sspr_audit.knowledge.catalogue import Family
from sspr_audit.report import catalogue, words

KNOWN = knowledge.load()


def test_the_list_names_every_cause_once() -> None:
    """Each cause has its line, whatever order they come in."""
    text = catalogue.listing(KNOWN.causes.values())
    named = [
        line.split()[0] for line in text.splitlines() if line.startswith("  ") and line[2] != " "
    ]

    assert sorted(named) == sorted(KNOWN.causes)
    assert catalogue.listing(reversed(KNOWN.causes.values())) == text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("cloud", [None, *KNOWN.clouds])
def test_every_page_can_be_read(cloud: str | None) -> None:
    """Every cause has a page in every cloud, with its commands whole and no open placeholder."""
    here = None if cloud is None else KNOWN.clouds[cloud]
    for cause in KNOWN.causes.values():
        lines = catalogue.page(cause, KNOWN, cloud=here).splitlines()
        remedy = cause.in_cloud(here, KNOWN.clouds).remedy

        assert {f"    {line}" for one in remedy.commands for line in one.splitlines()} <= set(lines)
        assert "{sspr_host" not in "\n".join(lines)
        prose = [line for line in lines if "://" not in line and not line.startswith("    ")]
        in_full = {f"  {one}" for one in (*cause.registry, *remedy.hosts)}
        assert not [line for line in prose if len(line) > 80 and line not in in_full]


def test_a_page_says_where_it_does_not_occur() -> None:
    """A cause that one cloud does not know is told so there."""
    cause = next(one for one in KNOWN.causes.values() if set(one.clouds) < set(KNOWN.clouds))
    other = next(name for name in KNOWN.clouds if name not in cause.clouds)

    assert f"Not known to occur in {other}" in catalogue.page(
        cause, KNOWN, cloud=KNOWN.clouds[other]
    )


def test_a_page_has_its_parts() -> None:
    """The page on a proxy says what is seen, what settles it, what to do and who can."""
    text = catalogue.page(KNOWN.causes["authenticated-proxy"], KNOWN, cloud=KNOWN.clouds["global"])

    for part in (
        "What the user sees\n  Something went wrong.",
        "What would show or settle it\n  - proxy log: HTTP 407",
        "- dot1x-prelogon-sso: 802.1X",
        "Family\n  signin-screen-silent-at-site:",
        "Who can fix it\n  the device administrator",
        '    reg load "hku\\Default" "C:\\Users\\Default\\NTUSER.DAT"\n',
        "Hosts\n  passwordreset.microsoftonline.com\n",
        "    https://learn.microsoft.com/en-us/entra/",
    ):
        assert part in text


@pytest.mark.parametrize("cloud", [None, *KNOWN.clouds])
@pytest.mark.parametrize("family", KNOWN.families.values(), ids=KNOWN.families)
def test_a_family_is_told_once(family: Family, cloud: str | None) -> None:
    """Its reasons once, each member in its place with what tells it, and where to read on."""
    here = None if cloud is None else KNOWN.clouds[cloud]
    text = catalogue.family_page(family, KNOWN, cloud=here)
    lines = text.splitlines()
    members = [
        line.split()[1].rstrip(":") for line in lines if line.startswith("  - ") and ": " in line
    ]

    assert sorted(one for one in members if one in KNOWN.causes) == sorted(family.members)
    assert text.count("told by: ") == len(family.members)
    for row in KNOWN.reasons:
        if row.family == family.id:
            assert " ".join(text.split()).count(f'"{row.text}"') == 1
    assert lines[-1] == "`sspr-audit causes ID` tells one in full."
    assert max(map(len, lines)) <= 80 or "://" in text


def test_the_words_cover_the_catalogue() -> None:
    """Every layer, client, visibility and owner that a cause can have is put into words."""
    causes = KNOWN.causes.values()

    assert {one.layer for one in causes} <= words.LAYER.keys()
    assert {one.who_can_fix for one in causes} <= words.WHO.keys()
    assert {one.visibility for one in causes} <= catalogue.VISIBILITY.keys()
    assert {one.confidence for one in causes} <= catalogue.KNOWN.keys()
    assert {client for one in causes for client in one.clients} <= catalogue.CLIENTS.keys()
