"""The terminal report is readable at 80 columns, without colour, at three in the morning."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import report_factory as factory
import report_hostile
from rich.cells import cell_len

from sspr_audit.errors import SettingsError
from sspr_audit.model import (
    Account,
    Confidence,
    Coverage,
    Remedy,
    Report,
    Rival,
    Scope,
    Skipped,
    Statement,
    Unobservable,
)
from sspr_audit.report import terminal

SGR = re.compile(r"\x1b\[[0-9;]*m")


def page(
    report: Report,
    *,
    width: int = 80,
    timezone: str | None = None,
    verbose: bool = False,
) -> str:
    """Return the page without colour."""
    return terminal.render(
        report,
        width=width,
        colour=False,
        timezone=timezone,
        verbose=verbose,
    )


def told(text: str) -> str:
    """Return the text with every run of blanks as one, to find sentences over line ends."""
    return " ".join(text.split())


def account(**changes: int) -> Account:
    """Return an account of zeros but for the changes."""
    kinds = ("records_read", "events", "other_records", "outside_window", "duplicates")
    return Account(**(dict.fromkeys((*kinds, "id_conflicts"), 0) | changes), context_records={})


def test_the_verdict_comes_first() -> None:
    """What failed, for whom, where, since when and why stand in the first sentences."""
    text = page(factory.report(findings=(factory.finding(),)), timezone="Europe/Stockholm")

    assert told(text).startswith(
        "Password reset gives trouble to 31 people at Malmö, at the Windows sign-in screen, first "
        "seen in this window Tue 2026-03-03 09:12 CET (08:12 UTC); last seen Sun 2026-03-08 17:00 "
        "CET (16:00 UTC). Found: Proxy demands user "
        "authentication, which the temporary local account cannot give (likely). Which of several "
        "causes it has, the log cannot tell."
    )


def test_what_somebody_must_mend_leads() -> None:
    """Users' own slips are certain and many; the verdict names what an administrator must mend."""
    slips = factory.finding(
        users=90, confidence=Confidence.CONFIRMED, who_can_fix="user", title="Weak passwords"
    )
    outage = factory.finding(
        users=12, title="Writeback is down", family=None, who_can_fix="on-premises-admin"
    )
    text = told(page(factory.report(findings=(slips, outage))))
    top = text[: text.index("DATA")]

    assert "to 12 people" in top
    assert "Cause: Writeback is down" in top
    assert "Also found: 2. 90 people: Weak passwords" in top
    assert text.index("12 people, ") < text.index("90 people, ")


def test_a_family_is_not_called_a_cause() -> None:
    """Its title is what several causes look like, and the log does not tell which of them it is."""
    looks = factory.finding(title="Writeback is not reached", family="writeback-unreachable")
    text = told(page(factory.report(findings=(looks,))))

    assert "Found: Writeback is not reached (likely). Which of several causes it has" in text
    assert "Cause: Writeback" not in text


def test_the_other_findings_follow_in_a_line_each() -> None:
    """Whoever reads only the top of the page knows of every finding."""
    text = told(page(factory.report()))
    top = text[: text.index("DATA")]

    assert "Also found: 2. 4 people: Password writeback cannot reach the sync server" in top
    assert "3. 9 people: People stop at the options page (possible)" in top


def test_what_is_over_says_so_at_the_top() -> None:
    """Whoever has to act now sees what goes on."""
    lasts = factory.finding(users=9, last_seen=factory.WINDOW.end - timedelta(hours=1))
    first = factory.WINDOW.end - timedelta(days=4)
    over = factory.finding(
        users=5, title="Writeback is down", first_seen=first, last_seen=first + timedelta(hours=2)
    )
    more = factory.finding(users=4, title="Codes are lost", last_seen=factory.WINDOW.end)
    text = told(page(factory.report(findings=(lasts, over, more))))

    assert "Writeback is down (likely); not seen since Thu 2026-03-05" in text
    assert "Codes are lost (likely) DATA" in text


def test_since_is_said_only_where_the_records_begin() -> None:
    """With records before the window, a finding can have begun before it was seen."""
    whole = page(factory.report(baseline=factory.WINDOW, findings=(factory.finding(),)))
    part = page(factory.report(findings=(factory.finding(),)))

    assert "screen, since Tue 2026-03-03 08:12 UTC; last seen Sun 2026-03-08" in told(whole)
    assert "When since Tue 2026-03-03 08:12 UTC; last seen" in told(whole)
    assert "since Tue" not in told(part)


@pytest.mark.parametrize(
    ("first", "last", "over"),
    [
        (20, 120, False),  # silent for two days, after four of trouble
        (100, 120, True),
        (120, 120, True),
        (145, 146, False),  # silent for less than a day
    ],
)
def test_an_outage_that_is_over_is_told_as_such(first: float, last: float, over: bool) -> None:  # noqa: FBT001
    """Over is what was silent for more than a day, and for longer than it lasted."""
    finding = factory.finding(first_seen=factory.at(first), last_seen=factory.at(last))
    text = told(page(factory.report(findings=(finding,), baseline=factory.WINDOW)))
    top = text[: text.index("DATA")]

    assert ("gave trouble to 31 people" in top, "not seen since" in top) == (over, over)
    assert ("gives trouble" in top, "; last seen " in top) == (not over, not over)


def test_users_own_slips_need_no_administrator() -> None:
    """Where nobody else must mend anything, the verdict says so first."""
    slips = factory.finding(users=90, who_can_fix="user", title="Weak passwords")
    text = told(
        page(factory.report(findings=(slips, factory.finding(users=3, who_can_fix="user"))))
    )

    assert text.startswith(
        "Nothing here needs an administrator. Most often: Weak passwords (likely), for 90 people."
    )


def test_what_all_got_over_says_so() -> None:
    """Whoever reads only the top need not worry about what everybody mastered."""
    text = "44 of these flows succeeded"
    every, part = ((Statement(f"{all_}succeeded-in-the-end", text, 44),) for all_ in ("all-", ""))
    finding = factory.finding(users=1, against=every)
    some = factory.finding(users=2, against=part)
    text = told(page(factory.report(findings=(factory.finding(), finding, some))))

    assert text.count("(likely; all succeeded in the end)") == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"confidence": Confidence.CONFIRMED}, "names this very cause"),
        ({"confidence": Confidence.POSSIBLE}, "other causes fit too"),
        ({}, "signs of two kinds agree"),
        ({"evidence": (Statement("reason-stated", "x", 1),)}, "and not which member of it"),
        (
            {"evidence": (Statement("reason-stated", "x", 1),), "family": None},
            "known by inference only",
        ),
    ],
)
def test_a_confidence_says_which_of_its_grounds_holds(changes: dict[str, Any], words: str) -> None:
    """Likely has more than one ground, and only one of them holds here."""
    text = told(page(factory.report(findings=(factory.finding(**changes),))))

    assert re.search(f"Means [^-]*{words}", text)


def test_many_rivals_share_their_reason_and_the_page() -> None:
    """What rivals have in common is said once; five stand there, and verbose has all."""
    same = tuple(Rival(f"rival-{n}", f"Title {n}: it can lie behind this") for n in range(8))
    finding = factory.finding(rivals=same)
    report = factory.report(findings=(finding,))
    short, whole = told(page(report)), told(page(report, verbose=True))

    assert "Or else it can lie behind this: - rival-0: Title 0 - rival-1: Title 1" in short
    assert short.count("- rival-") == 5
    assert "+3 more; --verbose shows all" in short
    assert (whole.count("- rival-"), whole.count("it can lie behind this")) == (8, 1)


def test_an_address_where_nobody_got_on_is_pointed_to() -> None:
    """Ten people or more, none succeeded, most stopped: where to look, and no verdict."""
    crowd = [
        factory.flow(n, 1, ip_group=f"192.0.2.{n % 2}", outcome="abandoned") for n in range(21)
    ]
    lucky = factory.flow(30, 1, ip_group="192.0.2.1")
    rows = factory.frame(factory.FLOWS, [*crowd, lucky])
    for found in (factory.findings(), ()):
        text = told(page(factory.report(flows=rows, findings=found)))

        assert (
            "Look at 192.0.2.0: 11 flows for 11 people, none succeeded, 11 stopped without an end."
        ) in text
        assert "Look at 192.0.2.1" not in text


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (0.1, 167, []),
        (25, 167, ["The records begin Tue 2026-03-03 01:00 UTC, 1 d 1 h after this window does"]),
        (0, 126, ["The records end Sat 2026-03-07 06:00 UTC, 1 d 18 h before this window does"]),
        (-99, 999, []),
        (-99, -9, ["All records lie outside this window"]),
        (168, 170, ["All records lie outside this window"]),
    ],
)
def test_a_window_that_is_not_filled_is_told(first: float, last: float, words: list[str]) -> None:
    """What came before the first or after the last record of a file is not known."""
    covered = Coverage(complete=None, spans=((factory.at(first), factory.at(last)),))
    text = told(page(factory.report(coverage=covered)))
    top = text[: text.index("DATA")]

    assert all(one in top for one in words)
    assert sum(top.count(one) for one in ("records begin", "records end", "All records")) == len(
        words
    )


def test_a_loss_that_nobody_can_count_is_no_zero() -> None:
    """A file that is cut short lost something, and nobody knows how much."""
    cut = Skipped("cut short: the file ends inside a list", 0, "directoryAudits.json")
    text = told(page(factory.report(account=factory.account(skipped=(cut,)))))
    none = told(page(factory.empty(account=factory.account(events=0, skipped=(cut,)))))

    assert "not complete (1 gap, an unknown part of a file is missing)" in text
    assert "Not whole directoryAudits.json: cut short: the file ends inside a list" in text
    assert "An unknown part of a file is missing: see below" in none
    assert "0 records" not in text + none


def test_utc_days_are_explained_where_all_else_is_local() -> None:
    """Days of another zone beside local times puzzle a reader."""
    assert "These days begin at 00:00 UTC" in page(factory.report(), timezone="Europe/Stockholm")
    assert "These days begin" not in page(factory.report())


def test_many_places_are_a_number() -> None:
    """A sentence names up to three places and one client; beyond, no place matters."""
    scope = Scope(ips=tuple("abcd"), clients=("browser", "windows-signin"))
    text = told(page(factory.report(findings=(factory.finding(scope=scope),))))

    assert text.startswith("Password reset gives trouble to 31 people from 4 networks, first")


def test_a_finding_says_all_that_is_needed() -> None:
    """From the evidence on both sides to who can fix it and what to do."""
    text = told(page(factory.report(findings=(factory.finding(),))))

    for part in (
        "1. LIKELY Proxy demands user authentication",
        "31 people, 44 flows",
        "Sites Malmö",
        "When first seen in this window Tue 2026-03-03 08:12 UTC; last seen Sun 2026-03-08 16:00",
        "For - None of 44 flows at Malmö",
        "Against - Whether the link is deployed",
        "Or else - dot1x-prelogon-sso: the same picture",
        "To settle - The proxy's log",
        "Fixed by the device administrator",
        "Do Give the machine a proxy path",
        "Hosts passwordreset.microsoftonline.com",
        "howto-sspr-windows",
        "Events 310: SSPR_000000, SSPR_000001 (+98 more)",
    ):
        assert part in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_too_long(width: int, verbose: bool) -> None:  # noqa: FBT001
    """Only commands and addresses may be longer than the terminal is wide."""
    text = page(factory.report(), width=width, verbose=verbose)
    free = (*factory.PROXY_COMMANDS, "https://")

    long = [line for line in text.splitlines() if cell_len(line) > width]
    assert not [line for line in long if not line.strip().startswith(free)]


def test_commands_can_be_copied() -> None:
    """Each line of a command stands alone and whole, with only blanks before it."""
    commands = (*factory.PROXY_COMMANDS, "first\nsecond")
    finding = factory.finding(remedy=Remedy("Do this.", commands))
    lines = [line.strip() for line in page(factory.report(findings=(finding,))).splitlines()]

    assert set(factory.PROXY_COMMANDS) | {"first", "second"} <= set(lines)


def test_a_long_address_is_also_written_whole() -> None:
    """An address that the paragraph has to break stands once more on its own line."""
    url = "https://example.com/" + "x" * 90
    finding = factory.finding(remedy=Remedy(f"Open {url} and register."))

    assert f"    {url}\n" in page(factory.report(findings=(finding,)))


def test_without_colour_there_is_no_escape() -> None:
    """With colour there is one, and the words are the same."""
    plain = page(factory.report())
    coloured = terminal.render(factory.report(), width=80, colour=True, timezone=None)

    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert told(SGR.sub("", coloured)) == told(plain)


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """How the page looks is handed in."""
    before = terminal.render(factory.report(), width=80, colour=True, timezone=None)
    for name, value in {"NO_COLOR": "1", "COLUMNS": "33", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)

    assert terminal.render(factory.report(), width=80, colour=True, timezone=None) == before


def test_no_finding_is_no_all_clear() -> None:
    """A report that names no cause says what that means."""
    text = told(page(factory.report(findings=())))

    assert text.startswith(
        "No cause is named by a reason in these records; 5 flows ended without one."
    )
    assert "That is no all-clear" in text
    assert "All is well" not in text


@pytest.mark.parametrize(
    ("kinds", "first", "words"),
    [
        ({"outside_window": 4}, "password reset event", "4 records lie outside the window"),
        ({"other_records": 1}, "password reset event", "1 audit record of other kinds"),
        ({}, "audit record here, so", "30 days with a P1 or P2 licence"),
        ({}, "audit record here, so", "somebody has opened the audit log"),
    ],
)
def test_no_event_says_what_is_likely(kinds: dict[str, int], first: str, words: str) -> None:
    """With nothing to judge, the page says what to look at."""
    text = told(page(factory.empty(account=account(**kinds), coverage=Coverage(complete=None))))

    assert text.startswith(f"There is no {first}")
    assert words in text


def test_sign_ins_alone_are_the_wrong_export() -> None:
    """Who exported the wrong log is told so."""
    given = replace(account(records_read=5), context_records={"signIns": 5})
    text = told(page(factory.empty(account=given)))

    assert "Only other data than audit records was read" in text


def test_what_was_lost_is_named() -> None:
    """Gaps, skipped records, conflicts and ignored files all stand on the page."""
    text = told(page(factory.report()))

    for part in (
        "The data is not complete (1 gap, 3 records could not be read)",
        "Wed 2026-03-04 02:00 UTC to Wed 2026-03-04 04:30 UTC: the service answered 503 six times",
        "3 records: not JSON (first: audit.json, record 17: Expecting value)",
        "1 record with the id of another",
        "files not read: notes.txt",
        "read, but records may still arrive late",
        "loggedByService eq 'Self-service Password Management'",
    ):
        assert part in text


def test_whole_data_needs_no_words() -> None:
    """Where nothing is missing, no doubt is raised."""
    clean = {"skipped": (), "files_ignored": (), "id_conflicts": 0, "records_read": 1_236}
    text = told(
        page(
            factory.report(
                account=factory.account(**clean),
                coverage=Coverage(complete=True, spans=((factory.at(0), factory.at(168)),)),
            )
        )
    )

    assert "Covered the whole window" in text
    assert "not complete" not in text


def test_files_cannot_tell_what_is_missing() -> None:
    """Of files the page says from when to when their records are, and no more."""
    covered = Coverage(complete=None, spans=((factory.at(1.5), factory.at(160)),))
    text = told(page(factory.report(coverage=covered)))

    assert "records from Mon 2026-03-02 01:30 UTC to Sun 2026-03-08 16:00 UTC" in text
    assert "files do not tell whether any are missing between" in text


def test_what_cannot_be_seen_is_grouped() -> None:
    """Many causes take few lines, by the data that would show them; verbose names all."""
    needs = [f"kind {number:02}: detail" for number in range(30)]
    many = tuple(Unobservable(f"cause-{n:02}", (needs[n % 30], "logs (server)")) for n in range(60))
    short = page(factory.report(unobservable=many))
    whole = page(factory.report(unobservable=many), verbose=True)

    assert "- logs: 60 causes" in short
    assert "(+56 more)" in short
    assert "+25 kinds of data; --verbose shows all" in short
    assert all(f"cause-{number:02}" in whole for number in range(60))


def test_long_tables_are_cut_and_say_so() -> None:
    """Ten addresses stand on the page, and the number of the others; verbose shows them."""
    rows = [factory.flow(n, 1, ip=f"192.0.2.{n}", ip_group=f"192.0.2.{n}") for n in range(100, 125)]
    report = factory.report(flows=factory.frame(factory.FLOWS, rows))

    assert page(report).count("192.0.2.") == 10
    assert "+15 more" in page(report)
    assert page(report, verbose=True).count("192.0.2.") == 25


def test_misuse_is_not_called_a_failure() -> None:
    """A finding of the security layer is told as what it is."""
    finding = factory.finding(layer="security", cause="sspr-enumeration")
    text = told(page(factory.report(findings=(finding,))))

    assert text.startswith("Password reset may be misused: it concerns 31 people at Malmö")


def test_a_finding_about_nobody_reads_well() -> None:
    """Where no one is counted, as with missing data, the sentence does without."""
    finding = factory.finding(users=0, flows=0, scope=Scope(), confidence=Confidence.CONFIRMED)
    text = told(page(factory.report(findings=(finding,))))

    assert text.startswith("Something stands out, first seen in this window Tue 2026-03-03")


def test_local_time_has_utc_beside_it() -> None:
    """Where the dates differ, UTC has its own; a zone without a name gets UTC before it."""
    late = factory.finding(first_seen=factory.at(23.5))
    stockholm = page(factory.report(findings=(late,)), timezone="Europe/Stockholm", width=200)
    paulo = page(factory.report(findings=(late,)), timezone="America/Sao_Paulo", width=200)

    assert "Tue 2026-03-03 00:30 CET (2026-03-02 23:30 UTC)" in stockholm
    assert "Mon 2026-03-02 20:30 UTC-03 (23:30 UTC)" in paulo


def test_an_unknown_zone_is_a_fault_of_the_settings() -> None:
    """The person who wrote it is told."""
    with pytest.raises(SettingsError, match="Mars/Olympus"):
        page(factory.report(), timezone="Mars/Olympus")


@pytest.mark.parametrize("text", report_hostile.TEXTS.values(), ids=report_hostile.TEXTS)
def test_hostile_texts_are_only_shown(text: str) -> None:
    """No control reaches the terminal but our own colours, and no markup is read."""
    report = report_hostile.poisoned(text)
    plain = page(report, verbose=True)
    coloured = terminal.render(report, width=80, colour=True, timezone=None)

    assert all(line.isprintable() for line in plain.split("\n"))
    assert all(line.isprintable() for line in SGR.sub("", coloured).split("\n"))
    assert plain.encode("utf-8")


def test_rich_markup_is_text() -> None:
    """Brackets and colons of a record are shown as they are."""
    report = report_hostile.poisoned("[bold]b[/] :smile:")

    assert "[bold]b[/] :smile:" in page(report)
