"""The account, the totals, and one tenant that says the same in any form and order."""

import json
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from tenant import (
    BLOCKED,
    BY_ADMIN,
    CHANGE,
    CORE,
    CORE_RESET,
    METHODS,
    MUCH_LATER,
    NOW,
    REGISTERED,
    T0,
    analysed,
    event,
    inside,
    other,
    refused,
    reported,
    steps,
    success,
    window,
    without_id,
)

from sspr_audit import knowledge
from sspr_audit.model import Site
from sspr_audit.pipeline import report
from sspr_audit.pipeline.analysis import Options
from sspr_audit.report import as_json
from sspr_audit.sources import demo, scenes

FLOW = (scenes.PROGRESS, scenes.PROGRESS_OLD, scenes.RESET, scenes.UNLOCK, scenes.BLOCKED)
SITES = (Site("Office", ("198.51.100.0/24",)), Site("Home", ("2001:db8::/32",)))

RICH = inside(
    success(0, flow="a", who="ann", ip="198.51.100.1", client="Windows sign-in screen"),
    refused("OnPremisesConnectivityError", 60, flow="b", who="bo", ip="198.51.100.1"),
    refused("hr=80230619, message=x", 120, flow="c", who="ann", ip="2001:db8::1"),
    steps("User submitted their user ID", at=180, flow="d", who="cy", ip=None, client="Fridge"),
    steps("User submitted their user ID", "Odd", at=200_000, flow="e", who="di", ip="192.0.2.9"),
    event("", 300, activity=BLOCKED, flow="f", who="bo", ip="2001:db8::2"),
    event("User canceled before submitting a new password", 310, flow="g", who="ed"),
    event("None", 400, activity=BY_ADMIN, flow="h", by="admin@example.com"),
    event("", 401, activity=CORE_RESET, service=CORE, flow="i", by="admin@example.com", who="cy"),
    event("PasswordDoesnotComplyFuzzyPolicy", 500, activity=CHANGE, flow="j", result="failure"),
    event("User registered Mobile Phone SMS", 600, activity=REGISTERED, service=METHODS, flow="k"),
    event("", 700, activity="Something new", flow="l"),
    without_id(event("User submitted their user ID", 800, flow="m", client="Web portal")),
    event("User submitted their user ID", 800, flow="m", digits=3),
)
"""A bit of everything: each outcome, each act, texts nobody knows, and a row said twice."""


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return analysed(tmp_path_factory.mktemp("rich"), RICH, sites=SITES)


# The account


def test_every_record_counts_once(rich):
    """The classes add up to what was read, and their numbers are these."""
    account = rich.report.account

    assert account.records_read == len(RICH)
    assert (account.duplicates, account.other_records, account.outside_window) == (1, 2, 0)
    assert account.events == len(RICH) - 3


def test_sign_ins_of_which_nothing_can_be_used_are_skipped(tmp_path):
    """They are in the account as well: what is of no use was not kept for anything."""
    rows = [
        {
            "id": f"s{n}",
            "createdDateTime": "soon",
            "appId": "a",
            "userId": "00000000-0000-0000-0000-000000000009",
        }
        for n in range(5)
    ]
    (tmp_path / "signIns.json").write_text(json.dumps({"value": rows}), "utf-8")
    (tmp_path / "audit.json").write_text(json.dumps(success()), "utf-8")
    done = report.from_files([str(tmp_path)], Options(knowledge.load(), NOW, NOW))
    inputs = done.report.account

    assert [(one.count, one.reason.partition(":")[0]) for one in inputs.skipped] == [(5, "signIns")]
    assert inputs.context_records["signIns"] == 0
    assert not done.complete


@settings(max_examples=10)
@given(
    st.lists(
        st.sampled_from(
            [
                *RICH,
                {"id": "x"},
                {"id": "y", "activityDisplayName": "Reset user password"},
                {**RICH[1], "activityDateTime": "yesterday"},
                {"userPrincipalName": "ann@example.com", "createdDateTime": "x", "appId": "x"},
            ]
        ),
        max_size=40,
    ),
    st.tuples(st.integers(-200, 400), st.integers(1, 900)),
)
def test_the_account_adds_up(rows, span):
    """Whatever was read, in whatever window, each record is in exactly one class."""
    rows = [*rows, other(0)]
    with tempfile.TemporaryDirectory() as folder:
        start, length = span
        done = reported(Path(folder), rows, **window(start, start + length))
    account = done.account

    assert (
        account.records_read
        == len(rows)
        == (
            sum(one.count for one in account.skipped)
            + account.duplicates
            + sum(account.context_records.values())
            + account.outside_window
            + account.other_records
            + account.events
        )
    )


# Totals


def test_outcomes_add_up_to_flows(rich):
    """In the totals and in every group of every kind."""
    done = rich.report
    groups = [done.totals, *done.by_client, *done.by_site, *done.by_day, *done.by_ip]

    assert [sum(one.outcomes.values()) for one in groups] == [one.flows for one in groups]


def test_groups_add_up_to_flows(rich):
    """A flow has one client, one site, one day and one address."""
    done = rich.report

    for groups in (done.by_client, done.by_site, done.by_day, done.by_ip):
        assert sum(one.flows for one in groups) == done.totals.flows
    for address in done.by_ip:
        assert sum(address.clients.values()) == address.flows
    sites, of_addresses = Counter(), Counter()
    for site in done.by_site:
        sites[site.name] += site.flows
    for address in done.by_ip:
        of_addresses[address.site] += address.flows
    assert sites == of_addresses


def test_totals_are_those_of_the_flows_and_acts(rich):
    """Flows, people, outcomes and acts, counted by hand."""
    totals = rich.report.totals

    assert (totals.flows, totals.users) == (8, 5)
    assert totals.outcomes == {
        "succeeded": 1,
        "blocked": 1,
        "failed": 2,
        "cancelled": 1,
        "abandoned": 2,
        "open": 1,
    }
    acts = totals.acts
    assert (acts.admin_resets_succeeded, acts.password_changes_failed, acts.registrations) == (
        2,
        1,
        1,
    )


def test_the_span_before_is_counted_the_same(tmp_path):
    """Flows of the window and of the one before, where the data reach back that far."""
    rows = [other(-200), *success(-50, flow="a"), *success(10, flow="b"), other(MUCH_LATER)]
    done = reported(tmp_path, rows, **window(0, 100))

    assert (done.totals.flows, done.previous.flows) == (1, 1)
    assert reported(tmp_path, rows, **window(0, 300)).previous is None


def test_previous_flows_are_none_where_the_data_begin_later(tmp_path):
    """A span that the data do not reach is not counted as empty."""
    rows = [*success(10), other(100)]

    assert reported(tmp_path, rows, **window(0, 100)).previous is None


def test_files_are_reported_whole(tmp_path):
    """From the first audit record, floored to the second, to the last plus one second."""
    done = reported(tmp_path, [other(0.75), *success(10), other(100.5)])

    assert done.window.start == T0
    assert done.window.end == T0 + timedelta(seconds=101, milliseconds=500)
    assert done.account.outside_window == 0


# Any order


def as_bytes(folder, rows):
    return as_json.render(reported(folder, rows, sites=SITES)).encode()


@settings(max_examples=5)  # a whole report each
@given(st.permutations(RICH))
def test_shuffled_records_give_the_same_report(rich, shuffled):
    """Equal input in any order gives equal bytes."""
    with tempfile.TemporaryDirectory() as folder:
        assert as_bytes(Path(folder), shuffled) == as_json.render(rich.report).encode()


def test_one_file_or_many_give_the_same_report(tmp_path):
    """How the records are spread over files decides nothing."""
    parts = [tmp_path / f"{number}.jsonl" for number in (2, 0, 1)]
    for number, path in enumerate(parts):
        lines = "".join(f"{json.dumps(row)}\n" for row in RICH[number::3])
        path.write_text(lines, encoding="utf-8")
    wishes = Options(knowledge=knowledge.load(), now=T0, generated_at=NOW, sites=SITES)
    done = report.from_files([str(path) for path in parts], wishes)

    assert as_json.render(done.report).encode() == as_bytes(tmp_path, RICH)


# Any form


def demo_options():
    return Options(knowledge=knowledge.load(), now=demo.NOW, generated_at=demo.NOW)


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """The report on the demo tenant from each form by itself, and from all of them at once."""
    folder = tmp_path_factory.mktemp("demo")
    written = [path for path in demo.write(folder) if path.parent.parent.name == "exports"]
    each = {path.name: report.from_files([str(path)], demo_options()) for path in written}
    return {**each, "all": report.from_files([str(folder / "exports")], demo_options())}


@pytest.mark.timeout(300)
def test_every_form_tells_of_the_same_flows_and_findings(forms):
    """Graph, portal, diagnostic settings, Log Analytics, and all of them at once."""
    assert len(forms) == 6
    first = forms["directoryAudits.json.gz"]

    for name, done in forms.items():
        assert_frame_equal(comparable(done.flows), comparable(first.flows), rtol=0, atol=0.0011)
        assert done.report.totals == first.report.totals, name
        assert stated(done.report) == stated(first.report), name
        assert done.report.by_ip == first.report.by_ip, name
        assert done.report.reasons == first.report.reasons, name
        assert done.report.unrecognized == first.report.unrecognized, name
        assert done.report.account.id_conflicts == 0, name
    read = sum(done.report.account.records_read for name, done in forms.items() if name != "all")
    account = forms["all"].report.account
    assert account.records_read == read
    assert account.duplicates == read * 4 // 5


def comparable(flows):
    """Return flows without what not every form can say: digits past the third, ids of events."""
    times = {name: flows[name].dt.floor("ms") for name in ("start_utc", "end_utc")}
    return flows.drop(columns="echo_id").assign(**times).sort_values("flow_id", ignore_index=True)


def stated(done):
    return [
        (
            one.cause,
            one.family,
            one.confidence,
            one.scope,
            one.users,
            one.flows,
            one.events,
            one.first_seen.replace(microsecond=one.first_seen.microsecond // 1000 * 1000),
            one.evidence,
            one.against,
        )
        for one in done.findings
    ]


def test_the_edges_of_the_demo_are_seen():
    """One flow began before the data and is not counted, three are open at their end."""
    done = report.from_demo(demo_options())
    ids = {row["correlationId"] for row in demo.records() if row["activityDisplayName"] in FLOW}

    assert done.report.totals.outcomes["open"] == 3
    assert len(done.flows) == len(ids) - 1
