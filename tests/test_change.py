"""Whether a change helped: who is counted, on which side, and what is said of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pandas as pd
import pytest
import report_factory as factory

from sspr_audit.evidence import change
from sspr_audit.model import Change, Lack, Report, Verdict, Window
from sspr_audit.report import as_json, changed, markdown, terminal
from sspr_audit.report.clock import clock
from sspr_audit.tables import FLOWS

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)


def attempts(rows):
    """Return flows from (person, hours after the change, whether it went well, more)."""
    return factory.frame(
        FLOWS,
        [
            factory.flow(number, 0)
            | {
                "person": person,
                "start_utc": AT + timedelta(hours=hours),
                "outcome": "succeeded" if good else "failed",
            }
            | more
            for number, (person, hours, good, more) in enumerate(rows)
        ],
    )


def crowd(before, after, name="", **more):
    """Return so many people with so many good ends on both sides: (good, people) each."""
    rows = []
    for (good, people), hours in ((before, -20), (after, 20)):
        rows += [(f"{name}{hours}-{n}", hours, n < good, more) for n in range(people)]
    return rows


def measured(rows, *, first=AT - 40 * DAY, end=AT + DAY, at=AT):
    return change.measured(attempts(rows), at=at, first=first, end=end)


def sides(one):
    """Return good ends and people, before and after."""
    return (one.before.count, one.before.people), (one.after.count, one.after.people)


def test_a_person_counts_once_a_side_by_the_last_flow() -> None:
    """Whatever the order of rows; who tries again and gets on has ended well."""
    rows = [
        ("a", -3, True, {}),
        ("a", -2, False, {}),
        ("a", 1, False, {}),
        ("a", 2, True, {}),
        ("b", 3, True, {}),
        ("b", 4, False, {}),
    ]
    found = measured(rows)

    assert sides(found.total) == ((0, 1), (1, 2))
    assert measured(rows[::-1]) == found


def test_what_has_no_end_and_who_has_no_name_are_not_counted() -> None:
    """An open flow is no failure; flows of nobody are told by their number."""
    rows = [
        ("a", 1, True, {}),
        ("a", 2, False, {"outcome": "open"}),
        (None, 3, True, {}),
        (None, -3, False, {}),
        (None, -3, False, {"outcome": "open"}),
    ]
    found = measured(rows)

    assert sides(found.total) == ((0, 0), (1, 1))
    assert found.nobody == 2


def test_the_sides_meet_at_the_change() -> None:
    """It belongs to the span after; what lies outside the spans counts nowhere."""
    rows = [("a", -24.01, True, {}), ("b", -24, True, {}), ("c", 0, True, {}), ("d", 24, True, {})]
    found = measured(rows)

    assert (found.before, found.after) == (Window(AT - DAY, AT), Window(AT, AT + DAY))
    assert sides(found.total) == ((1, 1), (1, 1))


def test_the_span_before_is_as_long_or_what_there_is() -> None:
    """Where the data begin later, it is shorter, and the reader is told."""
    short = measured([], first=AT - DAY / 2)
    even = measured([], first=AT - DAY)

    assert short.before == Window(AT - DAY / 2, AT)
    assert even.before == Window(AT - DAY, AT)
    assert "the 12 h before it, where the data begin" in told(short)
    assert "as long before it" in told(even)


def test_people_count_at_each_of_their_places() -> None:
    """By their last flow there, at each site and with each client; most people first."""
    rows = [
        ("a", 1, False, {"site": "Malmö", "client": "windows-signin"}),
        ("a", 2, True, {"site": "Lund", "client": "browser"}),
        ("b", 3, True, {"site": "Lund", "client": "browser"}),
        ("c", 4, True, {"site": None, "client": "browser"}),
    ]
    found = measured(rows)

    assert [(one.name, sides(one)[1]) for one in found.by_site] == [
        ("Lund", (2, 2)),
        ("Malmö", (0, 1)),
        (None, (1, 1)),
    ]
    assert [(one.name, sides(one)[1]) for one in found.by_client] == [
        ("browser", (3, 3)),
        ("windows-signin", (0, 1)),
    ]
    assert [(one.name, sides(one)[1]) for one in found.at_signin_screen] == [
        ("Lund", (0, 2)),
        ("Malmö", (1, 1)),
        (None, (0, 1)),
    ]


def test_without_a_sign_in_screen_there_is_no_share_of_it() -> None:
    """Where no ClientType says so, its absence says nothing."""
    found = measured(crowd((5, 10), (5, 10), client="not-recorded"))

    assert found.at_signin_screen == ()
    assert "No flow was at the Windows sign-in screen" in changed.corrected(found)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((5, 40), (35, 40), Verdict.BETTER),
        ((35, 40), (5, 40), Verdict.WORSE),
        ((3, 10), (6, 10), Verdict.CANNOT_TELL),
        ((0, 3), (3, 3), Verdict.CANNOT_TELL),
        ((20, 40), (20, 40), Verdict.CANNOT_TELL),
        ((0, 0), (9, 9), Verdict.CANNOT_TELL),
        ((9, 9), (0, 0), Verdict.CANNOT_TELL),
    ],
)
def test_a_verdict_needs_people(before, after, verdict) -> None:
    """Better, worse, or not to be told yet: then it says what is missing."""
    one = measured(crowd(before, after)).total

    assert one.verdict is verdict
    assert (one.lacks is None) == (verdict is not Verdict.CANNOT_TELL)
    assert (one.needed is not None) == (one.lacks is Lack.PEOPLE_AFTER)


@pytest.mark.parametrize(
    ("before", "after", "first", "words"),
    [
        ((5, 40), (35, 40), -40, "better"),
        ((35, 40), (5, 40), -40, "worse"),
        ((3, 10), (6, 10), -40, "cannot tell yet: about 39 people more needed"),
        ((3, 10), (6, 10), -1, "cannot tell: too few people before"),
        ((0, 0), (9, 9), -40, "cannot tell: too few people before"),
        ((700, 1000), (705, 1000), -40, "cannot tell: hardly any difference"),
    ],
)
def test_the_words_of_a_verdict(before, after, first, words) -> None:
    """Three words, and after the third what would do, or why nothing would."""
    found = measured(crowd(before, after), first=AT + first * DAY)

    assert changed.verdict(found.total) == words


def test_the_people_who_were_needed_make_the_verdict() -> None:
    """With so many more on both sides, and shares as they were, it is told."""
    one = measured(crowd((3, 10), (6, 10))).total
    more = 10 + one.needed
    later = measured(crowd((round(0.3 * more), more), (round(0.6 * more), more))).total

    assert later.verdict is Verdict.BETTER


def test_many_places_are_corrected_for() -> None:
    """A difference that is one alone is none among twenty, and small places do not count."""
    alone = measured(crowd((3, 12), (11, 12), site="Malmö")).by_site[0]
    rows = crowd((3, 12), (11, 12), "m", site="Malmö")
    for number in range(20):
        rows += crowd((6, 12), (6, 12), f"{number}:", site=f"Site {number}")
    among = measured(rows)
    malmo = next(one for one in among.by_site if one.name == "Malmö")
    tiny = [(f"{n}{h}", h, True, {"site": f"Home {n}"}) for n in range(30) for h in (-1, 1)]

    assert (alone.verdict, malmo.verdict) == (Verdict.BETTER, Verdict.CANNOT_TELL)
    assert malmo.p > alone.p
    assert among.tested == 22  # 21 sites and one client
    assert measured(rows + tiny).tested == among.tested


def test_chance_makes_no_verdict_in_a_tenant_of_many_places() -> None:
    """In 60 tenants of 8 sites where nothing changed, at most 1 in 20 shows a verdict."""
    import numpy as np

    dice = np.random.default_rng(20260304)
    wrong = 0
    for _ in range(60):
        rows = []
        for site in range(8):
            share = dice.uniform(0.2, 0.9)
            good = dice.binomial(12, share, 2)
            rows += crowd((good[0], 12), (good[1], 12), f"{site}:", site=f"S{site}")
        found = measured(rows)
        wrong += any(one.lacks is None for one in (*found.by_site, *found.by_client))

    assert wrong <= 3


def test_uneven_weekends_are_told_and_left_out() -> None:
    """On Monday to Friday alone the sides compare fairly; even spans need no such word."""
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    rows = [
        *((f"w{n}", 52, False, {}) for n in range(30)),  # Friday, before the weekend
        *((f"s{n}", 70, True, {}) for n in range(30)),  # Saturday
        *((f"t{n}", 10, False, {}) for n in range(30)),
    ]
    uneven = measured(rows, at=friday, end=friday + 3 * DAY)
    even = measured(rows, at=friday - 7 * DAY, end=friday + 7 * DAY)

    assert (uneven.weekend_before, uneven.weekend_after) == (0, pytest.approx(2 / 3))
    assert uneven.total.verdict is Verdict.BETTER
    assert sides(uneven.on_weekdays) == ((0, 30), (0, 30))
    assert uneven.on_weekdays.verdict is Verdict.CANNOT_TELL
    assert "(0 % and 67 % of the time, UTC). On Monday to Friday alone: cannot tell" in told(uneven)
    assert even.on_weekdays is None
    assert "weekend" not in told(even)


def test_no_flows_at_all_give_no_verdict() -> None:
    """Nothing is compared, and nothing falls."""
    found = measured([])

    assert found.total.before.people == found.total.after.people == 0
    assert found.by_site == found.by_client == found.at_signin_screen == ()
    assert "Ended well: nobody before and nobody after." in told(found)


def told(found: Change) -> str:
    return " ".join(changed.sentences(found, clock(None)))


def one_of_all() -> Report:
    """Return a report with a change that has something in every field."""
    rows = [
        *crowd((5, 40), (35, 40), "m", site="Malmö", client="windows-signin"),
        *crowd((4, 9), (6, 9), "l", site="Lund"),
        *crowd((1, 2), (2, 2), "n", site=None, client="other:\x1b[31m<b>|`"),
        (None, 2, True, {}),
    ]
    found = measured(rows, first=AT - DAY, end=AT + 4 * DAY)
    return factory.report(changed=found)


def test_the_json_report_holds_it_only_where_it_was_asked_for() -> None:
    """The key is the schema's, and every number is there."""
    validator = jsonschema.Draft202012Validator(as_json.schema())
    asked, plain = (json.loads(as_json.render(one)) for one in (one_of_all(), factory.report()))
    validator.validate(asked)

    assert "changed" not in plain
    assert [*asked] == [*plain, "changed"]
    found = asked["changed"]
    assert found["all"]["verdict"] == "better"
    assert found["by_site"][0]["site"] == "Malmö"
    assert found["by_site"][0]["before"] | {"low": 0, "high": 0} == {
        "count": 5,
        "people": 40,
        "share": 0.125,
        "low": 0,
        "high": 0,
    }
    assert found["at_signin_screen"][1]["verdict"] == "cannot-tell-yet"
    assert found["on_weekdays"] is not None
    for key in ("by_client", "at_signin_screen"):
        broken = asked | {"changed": found | {key: [{"site": "Malmö"}]}}
        assert not validator.is_valid(broken)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_pages_show_it(width: int) -> None:
    """Verdict, shares and interval of each place, on lines that fit; names are only shown."""
    report = one_of_all()
    page = terminal.render(report, width=width, colour=False, timezone=None)
    part = page[page.index("BEFORE AND AFTER") : page.index("\nDATA\n")]
    flat = " ".join(part.split())

    assert max(map(len, part.splitlines())) <= width
    assert "In all: better. Ended well: 10 of 51 people (20 %) before" in flat
    assert "PEOPLE WHO RESET AT THE WINDOWS SIGN-IN SCREEN, BY SITE" in flat
    assert "\x1b" not in page
    if width > 40:
        assert any(
            line.split()[:4] == ["Malmö", "better", "5/40", "35/40"] for line in part.splitlines()
        )
        assert "+75 +56 to +85" in flat


def test_markdown_shows_it_too() -> None:
    """The same tables, and no stranger's text comes alive."""
    page = markdown.render(one_of_all(), timezone=None)

    assert "## Before and after the change\n\nIn all: better. " in page
    assert "| `Malmö` | better | 5/40 | 35/40 | +75 | +56 to +85 |" in page
    assert "<b>|" not in page
    assert "Before and after" not in markdown.render(factory.report(), timezone=None)


def test_columns_of_flows_are_enough() -> None:
    """It takes frames as they come from the tables, unordered and with nulls."""
    flows = factory.flows().sample(frac=1, random_state=1)
    found = change.measured(
        flows, at=factory.at(20), first=factory.at(-200), end=factory.WINDOW.end
    )

    assert isinstance(flows, pd.DataFrame)
    assert found.total.after.people + found.nobody <= len(flows)
    assert found.nobody == 1
