"""A time line can be read aloud, and no event is missing from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
import report_factory as factory
import report_hostile

from sspr_audit import knowledge
from sspr_audit.report import timeline
from sspr_audit.tables import ACTS, EVENTS, FLOWS

SECOND = 1 / 3600
GAVE_UP = factory.flow(3, 1, outcome="abandoned", length_s=75.0)
REFUSED = factory.flow(
    33,
    3,
    upn="user3@example.com",
    outcome="failed",
    reason="OnPremisesConnectivityError",
    client="windows-signin",
    ip=None,
    site=None,
)


def step(number: int, flow: dict[str, Any], seconds: float, **changes: Any) -> dict[str, Any]:
    """Return an event of the flow so many seconds after its start."""
    hours = (flow["start_utc"] - factory.START).total_seconds() / 3600
    row = factory.event(number, flow["flow_id"], hours + seconds * SECOND)
    return row | {"upn": flow["upn"], "reason": "as written"} | changes


STEPS = [
    step(1, GAVE_UP, 0),
    step(2, GAVE_UP, 3, stage=20, rank=20),
    step(3, GAVE_UP, 30, stage=30, rank=30, method="mobile SMS"),
    step(4, GAVE_UP, 75, stage=40, rank=40, method="mobile SMS"),
    step(5, REFUSED, 0),
    step(6, REFUSED, 1, stage=50, rank=50),
    step(8, REFUSED, 2, stage=60, rank=60),
    step(7, REFUSED, 2, stage=60, rank=90, meaning="failed", reason="OnPremisesConnectivityError"),
]


def story(  # noqa: PLR0913 -- what the renderer takes
    events: list[dict[str, Any]],
    flows: list[dict[str, Any]],
    acts: list[dict[str, Any]] | None = None,
    *,
    heading: str | None = "user3@example.com",
    timezone: str | None = None,
    causes: Mapping[str, list[str]] | None = None,
    only: str | None = None,
    verbose: bool = False,
) -> str:
    """Return the time line of these rows."""
    return timeline.render(
        factory.frame(EVENTS, events),
        factory.frame(FLOWS, flows),
        factory.frame(ACTS, acts or []),
        heading=heading,
        timezone=timezone,
        causes=causes or {},
        only=only,
        verbose=verbose,
    )


def test_a_flow_is_told_step_by_step() -> None:
    """Who, when, from where and how it ended; then each step with its clock time."""
    text = story(STEPS[:4], [GAVE_UP], timezone="Europe/Stockholm")

    assert " ".join(text.split()).startswith(
        "user3@example.com user3@example.com began to reset a password or unlock an account at "
        "Mon 2026-03-02 02:00:00 CET (01:00:00 UTC), from 192.0.2.10 (Malmö), in a browser. "
        "It stopped without an end after 1 min 15 s."
    )
    assert text.splitlines()[-5:] == [
        "  02:00:00      +0 s  typed in the user name",
        "  02:00:03      +3 s  was offered ways to verify",
        "  02:00:30     +30 s  started to verify by mobile SMS",
        "  02:01:15     +75 s  proved the mobile SMS",
        "                      did nothing more that was recorded",
    ]


def test_a_refusal_is_quoted() -> None:
    """The reason stands as written where it is more than a plain step."""
    text = story(STEPS[4:], [REFUSED])

    assert 'It failed after 1 min 35 s: "OnPremisesConnectivityError".' in text
    assert "+2 s  this try failed\n" in text
    assert 'Entra wrote: "OnPremisesConnectivityError"' in text
    assert "as written" not in text


def test_a_step_is_no_reason_for_an_end() -> None:
    """An activity can block without a reason; the last step before it explains nothing."""
    flow = REFUSED | {"outcome": "blocked", "reason": "User submitted their user ID"}
    events = [
        step(1, flow, 0, reason="User submitted their user ID "),
        step(2, flow, 0, meaning="blocked", reason=None),
    ]

    assert "It was blocked after 1 min 35 s.\n" in story(events, [flow])


def test_a_quote_ends_where_its_words_do() -> None:
    """One full stop, and no blanks before the closing mark."""
    flow = REFUSED | {"reason": "Add it to resolve this. "}
    text = story([step(1, flow, 0, meaning="failed", reason="Add it to resolve this. ")], [flow])

    assert 'It failed after 1 min 35 s: "Add it to resolve this."\n' in text


def test_events_of_one_moment_keep_their_rank() -> None:
    """What was done comes before what it led to."""
    lines = story(STEPS[::-1], [REFUSED]).splitlines()

    assert [line.split("s  ")[-1] for line in lines if "  03:00:0" in line] == [
        "typed in the user name",
        "passed every check",
        "typed in a new password",
        "this try failed",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"meaning": "succeeded", "stage": 70}, "the password was reset"),
        ({"meaning": "succeeded", "stage": 80}, "was told that the password is reset"),
        (
            {"meaning": "succeeded", "stage": 70, "activity": "Unlock user account (self-service)"},
            "the account was unlocked",
        ),
        ({"meaning": "blocked"}, "was blocked by Entra"),
        ({"meaning": "cancelled"}, "cancelled"),
        ({"meaning": "abandoned"}, "gave up"),
        (
            {"role": "echo", "activity": "Reset user password", "meaning": None},
            "Entra stored the new password",
        ),
        ({"meaning": None, "stage": None}, "did something that has no words here"),
    ],
)
def test_every_event_has_words(changes: dict[str, Any], words: str) -> None:
    """Ends, echoes and what is not known are told too, with the reason as written."""
    text = story([step(1, REFUSED, 5, **changes)], [REFUSED])

    assert f"+5 s  {words}" in text
    assert 'Entra wrote: "as written"' in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "an administrator (admin@example.com) reset the password of user3@example.com at"),
        ({"actor": None, "upn": None, "person": None}, "of somebody who is not recorded at"),
        ({"reason": "It is done."}, 'It succeeded. Entra wrote: "It is done."'),
        ({"kind": "registration"}, "user3@example.com registered a way to verify at"),
        ({"kind": "password-change"}, "user3@example.com changed the password, knowing the old"),
        ({"outcome": None}, "The record does not say whether it worked."),
        ({"outcome": "failed", "reason": "why"}, 'It failed. Entra wrote: "why".'),
    ],
)
def test_what_came_next_is_told(changes: dict[str, Any], words: str) -> None:
    """After a flow stands how much later what was done."""
    text = " ".join(story(STEPS[:4], [GAVE_UP], [factory.act(3, 4, **changes)]).split())

    assert "2 h 58 min later, " in text
    assert '.".' not in text
    assert words in text


def test_no_event_is_lost() -> None:
    """Notes stand on their own, and so do events of a flow that began before the data."""
    note = factory.event(
        9, None, 2, role="note", activity="User started password reset", reason=None
    )
    early = factory.event(10, "00000000-0000-0000-0000-00000000ffff", 0, reason="Success")
    text = " ".join(story([*STEPS, note, early], [GAVE_UP, REFUSED]).split())

    assert '"User started password reset"' in text
    assert 'in a flow that began before this data: "Self-service password reset flow' in text
    assert text.index("before this data") < text.index("typed in") < text.index("started password")


def test_the_directory_speaks_inside_the_flow() -> None:
    """Core Directory's records stand where they belong: named by the flow, or while it lasted."""
    flow = REFUSED | {"outcome": "succeeded", "echo_id": "SSPR_000020", "echo_s": 3.9}
    outside = {"flow_id": None, "role": "echo", "reason": None, "meaning": None}
    reset = step(20, flow, 100, activity="Reset user password", **outside)
    tokens = "Update StsRefreshTokenValidFrom Timestamp"
    during = step(21, flow, 60, activity=tokens, person=flow["person"], **outside)
    later = step(22, flow, 600, activity=tokens, person=flow["person"], **outside)
    short = story([reset, during, later], [flow])
    whole = story([reset, during, later], [flow], verbose=True)

    for text in (short, whole):
        assert "   +100 s  Entra stored the new password 3 s later\n" in text
    assert "sign-ins" not in short
    assert short.endswith("2 records of the directory are left out; --verbose shows all.\n")
    assert "left out" not in whole
    assert "    +60 s  sign-ins made before were declared invalid\n" in whole
    assert (
        "also recorded for user3@example.com at Mon 2026-03-02 03:10:00 UTC: sign-ins"
        in " ".join(whole.split())
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stage": 30}, "Somebody gave the user name user3@example.com, to reset a password"),
        ({"stage": 40}, "user3@example.com began to reset a password"),
        ({"stage": 20, "upn": None}, "Somebody gave the user name of 00000000-0000-0000-0001-"),
        ({"stage": 10, "upn": None, "person": None}, "Somebody gave a user name that is not rec"),
    ],
)
def test_who_has_proved_nothing_is_only_claimed(changes: dict[str, Any], words: str) -> None:
    """Before verification the log names whom an attempt was for, and not who made it."""
    assert words in " ".join(story([], [GAVE_UP | changes]).split())


def test_one_flow_is_told_as_among_all_of_a_person() -> None:
    """The other flow decides what belongs to which, and is not told."""
    all_of_it = story(STEPS, [GAVE_UP, REFUSED], heading=None)
    one = story(STEPS, [GAVE_UP, REFUSED], heading=None, only=str(REFUSED["flow_id"]))

    assert set(one.splitlines()[3:]) < set(all_of_it.splitlines())
    assert one.count("Flow ") == 1


def test_the_cause_stands_between_the_outcome_and_the_steps() -> None:
    """Why comes before how."""
    text = story(STEPS, [REFUSED], causes={REFUSED["flow_id"]: ["Cause     it rained"]})

    assert re.search(r'Error"\.\nFlow \S+\nCause     it rained\n\n  03:00:00', text)


@pytest.mark.parametrize("cloud", [None, "china-21vianet"])
def test_a_cause_is_told_with_what_to_do(cloud: str | None) -> None:
    """What the text means, who can mend it, and how in this cloud; a family's member is open."""
    known = knowledge.load()
    here = None if cloud is None else known.clouds[cloud]
    family = timeline.why("writeback-unreachable", known, cloud=here, inferred=False)
    alone = timeline.why("license-missing", known, cloud=here, inferred=True)

    assert family[0].startswith("Cause     The cloud cannot reach the writeback service")
    assert "the text does not say which of its 7 causes it is" in " ".join(" ".join(family).split())
    assert family[-1] == "More      sspr-audit causes writeback-unreachable"
    assert "known by inference only" in " ".join(" ".join(alone).split())
    assert ("chinacloudapi.cn" in "\n".join(family)) or cloud is None
    assert max(map(len, family + alone)) <= 80


def test_no_reason_is_not_quoted() -> None:
    """The text None is no reason, and the last step of a success is none either."""
    text = story([], [REFUSED | {"outcome": "succeeded"}], [factory.act(3, 4, reason="None")])

    assert "It succeeded after 1 min 35 s.\n" in text
    assert "Entra wrote" not in text


def test_a_flow_past_midnight_names_the_day() -> None:
    """A new local day stands before its first event."""
    late = factory.flow(5, 23.999)
    text = story([step(1, late, 0), step(2, late, 30)], [late])

    assert "  Tue 2026-03-03\n  00:00:26     +30 s" in text


def test_nothing_is_told_as_nothing() -> None:
    """A person without records gets a sentence."""
    assert story([], []) == "user3@example.com\n\nNothing is recorded.\n"


def test_the_order_of_rows_does_not_matter() -> None:
    """Shuffled frames tell the same story."""
    frames = (
        factory.frame(EVENTS, STEPS),
        factory.frame(FLOWS, [GAVE_UP, REFUSED]),
        factory.frame(ACTS, [factory.act(3, 4), factory.act(4, 4)]),
    )

    def tell(events: pd.DataFrame, flows: pd.DataFrame, acts: pd.DataFrame) -> str:
        return timeline.render(events, flows, acts, heading="x", timezone=None, causes={})

    assert tell(*(one.sample(frac=1, random_state=7) for one in frames)) == tell(*frames)


@pytest.mark.parametrize("name", [one for one in report_hostile.TEXTS if one != "lone surrogates"])
def test_hostile_texts_are_only_shown(name: str) -> None:
    """Whatever a record says, the page is lines of letters that can be seen."""
    bad = report_hostile.TEXTS[name]  # a frame's text cannot hold a lone surrogate
    flow = REFUSED | {"upn": bad, "ip": bad, "site": bad, "reason": bad, "client": f"other:{bad}"}
    event = step(1, flow, 0, meaning=None, activity=bad, reason=bad)
    text = story(
        [event, step(2, flow, 1, stage=30, method=bad)],
        [flow],
        [factory.act(1, 5, upn=bad, actor=bad, reason=bad)],
        heading=bad,
    )

    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text) < 5_000
