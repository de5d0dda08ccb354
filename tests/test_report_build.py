"""The report counts what its window holds, and its parts add up."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import report_factory as factory

from sspr_audit.model import OUTCOMES, Acts, Confidence, Report, TextCount, Unrecognized
from sspr_audit.report import as_json
from sspr_audit.tables import ACTS, EVENTS, FLOWS


@pytest.fixture(scope="module")
def report() -> Report:
    return factory.report()


@pytest.mark.parametrize("part", ["by_client", "by_site", "by_day", "by_ip"])
def test_every_part_adds_up_to_the_flows(report: Report, part: str) -> None:
    """However flows are grouped, each counts exactly once, and so does its outcome."""
    groups = getattr(report, part)

    assert sum(one.flows for one in groups) == report.totals.flows == 8
    for outcome in OUTCOMES:
        assert sum(one.outcomes[outcome] for one in groups) == report.totals.outcomes[outcome]


def test_the_clients_of_an_address_add_up(report: Report) -> None:
    """Each flow from an address has one client."""
    assert all(sum(one.clients.values()) == one.flows for one in report.by_ip)


def test_a_flow_counts_where_it_starts(report: Report) -> None:
    """The window's first moment is inside and its last outside; the span before has its own."""
    assert report.totals.outcomes == dict(zip(OUTCOMES, (2, 1, 1, 1, 2, 1), strict=True))
    assert report.previous is not None
    assert (report.previous.flows, report.previous.users) == (2, 2)


def test_without_a_span_before_there_is_none() -> None:
    """What was not read is not zero."""
    assert factory.report(previous=None).previous is None


def test_people_are_counted_once_and_nobody_never(report: Report) -> None:
    """Two flows of one person are one user; a flow of nobody is none."""
    assert report.totals.users == 6
    assert [one.users for one in report.by_client if one.name == "not-recorded"] == [0]


def test_acts_count_by_their_time(report: Report) -> None:
    """Acts of the window and of the span before stand apart."""
    assert report.totals.acts == Acts(0, 1, 1, 1, 1)
    assert report.previous is not None
    assert report.previous.acts == Acts(password_changes_succeeded=1)


def test_groups_come_in_a_fixed_order(report: Report) -> None:
    """Most flows first, then by name, and what has no name last."""
    assert [one.name for one in report.by_client] == [
        "browser",
        "not-recorded",
        "other:Kiosk 9",
        "windows-signin",
    ]
    assert [one.name for one in report.by_site] == ["Malmö", None, "Lund"]
    assert [one.ip for one in report.by_ip] == [
        "192.0.2.10",
        "198.51.100.7",
        "2001:db8::/64",
        None,
    ]
    assert [one.day for one in report.by_day] == [
        "2026-03-02",
        "2026-03-03",
        "2026-03-06",
        "2026-03-08",
    ]


def test_a_name_goes_before_no_name() -> None:
    """Of sites with as many flows, the one that nobody named stands last."""
    rows = [factory.flow(1, 1, site=None), factory.flow(2, 2, site="Ystad")]
    report = factory.report(flows=factory.frame(FLOWS, rows))

    assert [one.name for one in report.by_site] == ["Ystad", None]


def test_two_sites_in_one_network_stay_two() -> None:
    """The site is decided on the full address, so one /64 can hold two."""
    inside = {"ip_group": "2001:db8::/64"}
    rows = [factory.flow(1, 1, site="A", **inside), factory.flow(2, 2, site="B", **inside)]
    report = factory.report(flows=factory.frame(FLOWS, rows))

    assert [(one.ip, one.site, one.flows) for one in report.by_ip] == [
        ("2001:db8::/64", "A", 1),
        ("2001:db8::/64", "B", 1),
    ]


def test_reasons_count_flows_and_people(report: Report) -> None:
    """A reason counts once a flow, by its key or else by its text, most flows first."""
    assert [(one.reason, one.key, one.flows, one.users) for one in report.reasons] == [
        ("User submitted their user ID", "user-id", 3, 2),
        ("Not enough methods", "insufficient-methods", 1, 1),  # ties go by the alphabet
        ("OnPremisesConnectivityError", "onprem", 1, 1),
        ("Something Microsoft wrote last night", None, 1, 1),
    ]


def test_a_text_spelled_like_a_key_is_not_the_key() -> None:
    """An unknown text never joins a known reason."""
    flow_id = factory.flows()["flow_id"][3]
    rows = [
        factory.event(1, flow_id, 1, reason="User submitted their user ID", reason_key="user-id"),
        factory.event(2, flow_id, 1, reason="user-id"),
    ]
    report = factory.report(events=factory.frame(EVENTS, rows))

    assert [one.key for one in report.reasons] == ["user-id", None]


def test_a_reason_that_names_a_method_counts_by_it() -> None:
    """No text stands for what another one counts."""
    flow_id = factory.flows()["flow_id"][3]
    rows = [
        factory.event(
            n, flow_id, 1, reason=f"User started the {way}", reason_key="start", method=way
        )
        for n, way in enumerate(("email", "mobile SMS"))
    ]
    report = factory.report(events=factory.frame(EVENTS, rows))

    assert [(one.reason, one.flows) for one in report.reasons] == [
        ("User started the email", 1),
        ("User started the mobile SMS", 1),
    ]


def test_findings_come_most_certain_first(report: Report) -> None:
    """Then the one with most people; at most 100 event ids are carried."""
    many = factory.finding(users=99, event_ids=tuple(f"id-{number}" for number in range(101)))
    ordered = factory.report(findings=(factory.finding(), many, *factory.findings())).findings

    assert [one.confidence for one in report.findings] == list(Confidence)
    assert [one.users for one in ordered] == [4, 99, 31, 31, 9]
    assert len(ordered[1].event_ids) == 100


def test_unknown_texts_come_most_first() -> None:
    """By count, then by text."""
    texts = (TextCount("b", 1), TextCount("a", 1), TextCount("c", 2))
    report = factory.report(unrecognized=Unrecognized(activities=texts))

    assert [one.text for one in report.unrecognized.activities] == ["c", "a", "b"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_does_not_matter(report: Report, seed: int) -> None:
    """Shuffled frames give the same report, byte for byte."""

    def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.sample(frac=1, random_state=seed)

    again = factory.report(
        events=shuffled(factory.events()),
        flows=shuffled(factory.flows()),
        acts=shuffled(factory.acts()),
        findings=factory.findings()[::-1],
        unobservable=factory.unobservable()[::-1],
    )

    assert as_json.render(again) == as_json.render(report)


def test_no_rows_are_no_trouble() -> None:
    """Empty frames give zeros, and nothing else is lost."""
    report = factory.report(
        events=factory.frame(EVENTS, []),
        flows=factory.frame(FLOWS, []),
        acts=factory.frame(ACTS, []),
    )

    assert report.totals.flows == report.totals.users == 0
    assert report.totals.outcomes == dict.fromkeys(OUTCOMES, 0)
    assert (report.by_client, report.by_site, report.by_day, report.by_ip) == ((), (), (), ())
    assert report.reasons == ()
    assert len(report.findings) == 3


def test_only_nobody_is_no_trouble() -> None:
    """Flows without person, address, site or reason are counted all the same."""
    nobody = dict.fromkeys(("person", "upn", "ip", "ip_group", "site"))
    flows = factory.frame(FLOWS, [factory.flow(1, 1) | nobody])
    events = factory.frame(EVENTS, [factory.event(1, flows["flow_id"][0], 1, reason="x")])
    report = factory.report(flows=flows, events=events)

    assert (report.totals.flows, report.totals.users) == (1, 0)
    assert [(one.ip, one.site, one.clients) for one in report.by_ip] == [
        (None, None, {"browser": 1})
    ]
    assert [(one.reason, one.flows, one.users) for one in report.reasons] == [("x", 1, 0)]


def test_what_was_handed_in_comes_out(report: Report) -> None:
    """Account, coverage and clock are taken as they are."""
    assert report.account == factory.account()
    assert report.coverage == factory.coverage()
    assert report.generated_at == factory.NOW
    assert replace(report, version="1.2.3") == report
