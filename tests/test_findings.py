"""What the log states becomes a finding: its scope, its confidence, its evidence, its order."""

import re
from collections import defaultdict
from dataclasses import replace
from functools import cache

import pytest
from tenant import (
    BLOCKED,
    BY_ADMIN,
    CHANGE,
    CORE,
    LONG_AGO,
    MUCH_LATER,
    T0,
    USER_ID,
    event,
    inside,
    other,
    refused,
    reported,
    success,
    upn,
    window,
)

from sspr_audit import knowledge
from sspr_audit.judge import explicit as judge
from sspr_audit.model import Case, Confidence, Scope, Site
from sspr_audit.pipeline import report
from sspr_audit.pipeline.analysis import Options
from sspr_audit.sources import demo
from sspr_audit.sources.demo import troubles

KNOWN = knowledge.load()
WRONG = "FuzzyPolicyViolationInvalidPassword"
UNREACHABLE = "OnPremisesConnectivityError"
CANCELLED = "User cancelled before submitting a new password"


def found(done):
    return {one.family or one.cause: one for one in done.findings}


def said(finding):
    return [one.statement for one in finding.evidence if one.signal == "reason-stated"]


def cancelled(at=0.0, text=CANCELLED, **words):
    return [event(USER_ID, at, **words), event(text, at + 1, **words)]


# Each text that states something


@pytest.fixture(scope="module")
def every_reason(tmp_path_factory):
    """A flow for every row of the table of reasons that states a cause or family."""
    rows = [
        one
        for number, row in enumerate(KNOWN.reasons)
        for one in refused(row.text, 1000 * number, flow=row.key, who=f"p{number}")
    ]
    return reported(tmp_path_factory.mktemp("reasons"), inside(rows))


def test_every_stated_cause_and_family_is_found(every_reason):
    """Each reason and code gives a finding, and nothing else does."""
    stated = {
        name for row in KNOWN.reasons for name in ((row.family,) if row.family else row.causes)
    }

    assert set(found(every_reason)) == stated


def test_every_finding_says_all_that_is_needed(every_reason):
    """Scope, evidence, rivals of a family, what settles it, who fixes it and how, sources."""
    for name, one in found(every_reason).items():
        assert one.scope.users, name
        assert one.evidence, name
        assert one.confirm_with or one.confidence is Confidence.CONFIRMED, name
        assert one.remedy.summary, name
        assert one.sources, name
        assert (one.title, one.layer, one.who_can_fix) != ("", "", ""), name


def test_confidence_follows_text_and_family(every_reason):
    """Confirmed by a known text that names one cause; likely for a family or an inferred text."""
    best = defaultdict(set)
    for row in KNOWN.reasons:
        for name in (row.family,) if row.family else row.causes:
            best[name].add(row.standing)

    for name, one in found(every_reason).items():
        known = best[name] != {"inferred"} and one.family is None
        assert one.confidence == (Confidence.CONFIRMED if known else Confidence.LIKELY), name


def test_a_family_names_its_lead_and_its_members(every_reason):
    """The catalogue says which member leads; every other stands in rivals."""
    for one in every_reason.findings:
        if one.family:
            family = KNOWN.families[one.family]
            rivals = {rival.cause for rival in one.rivals}
            assert one.cause == family.lead
            assert set(family.members) - {family.lead} <= rivals


def test_the_remedy_of_a_family_begins_with_what_to_look_for(every_reason):
    """A remedy mends one cause: where the text fits several, it does not stand as if it were it."""
    for one in every_reason.findings:
        lead = KNOWN.causes[one.cause].in_cloud(None, KNOWN.clouds)
        first = one.remedy.summary.removesuffix(lead.remedy.summary)

        assert (lead.title in first) == bool(one.family), one.cause
        assert bool(first) == bool(one.family), one.cause


@pytest.mark.parametrize(
    "family", [one.id for one in KNOWN.families.values() if one.kind == "text"]
)
def test_a_lead_can_occur_wherever_a_member_can(family):
    """A family's finding never names a cause that its cloud does not have."""
    one = KNOWN.families[family]
    clouds = {cloud for id_ in one.members for cloud in KNOWN.causes[id_].clouds}

    assert clouds <= set(KNOWN.causes[one.lead].clouds)


def test_unobservable_is_what_no_text_names(every_reason):
    """The causes that no row of reasons states, each with the data that would show it.

    One whose pattern could be looked for everywhere is left out: it could have been seen.
    """
    stated = {id_ for row in KNOWN.reasons for id_ in KNOWN.named_by(row)}
    shown = {id_ for id_ in KNOWN.causes if KNOWN.causes[id_].pattern} | {
        id_ for family in KNOWN.families.values() if family.pattern for id_ in family.members
    }
    told = {one.cause for one in every_reason.unobservable}

    assert told <= set(KNOWN.causes) - stated
    assert set(KNOWN.causes) - stated - shown <= told
    assert all(one.needs for one in every_reason.unobservable)


# Confidence, one by one


@pytest.mark.parametrize(
    ("reason", "name", "confidence"),
    [
        (WRONG, "banned-password-cloud", Confidence.CONFIRMED),
        (UNREACHABLE, "writeback-unreachable", Confidence.LIKELY),
        ("hr=8023062c", "writeback-ldap-not-signed", Confidence.LIKELY),
        ("OnPremComplexity", "onprem-policy-refused", Confidence.LIKELY),
    ],
)
def test_a_text_carries_as_far_as_it_is_known(tmp_path, reason, name, confidence):
    """Documented, a family, inferred, both."""
    done = found(reported(tmp_path, inside(refused(reason))))

    assert {key: one.confidence for key, one in done.items()} == {name: confidence}


def test_the_best_text_decides(tmp_path):
    """An inferred wording beside a documented one takes nothing away."""
    rows = inside(cancelled(), cancelled(100, "User cancelled the whole thing", flow="two"))
    (one,) = reported(tmp_path, rows).findings

    assert (one.cause, one.confidence) == ("user-cancelled", Confidence.CONFIRMED)
    (alone,) = reported(tmp_path, inside(cancelled(0, "User cancelled the thing"))).findings
    assert alone.confidence is Confidence.LIKELY


def test_a_block_names_its_cause_without_a_reason(tmp_path):
    """The activity alone says that somebody was throttled."""
    (one,) = reported(tmp_path, inside(event("", activity=BLOCKED))).findings

    assert (one.cause, one.confidence) == ("too-many-attempts-throttled", Confidence.CONFIRMED)
    assert said(one) == [f"1 flow of 1 person shows the activity: {BLOCKED}"]


def test_success_names_nothing(tmp_path):
    assert reported(tmp_path, inside(success())).findings == ()


# The same people, flows and times


def test_people_flows_and_times_describe_the_same(tmp_path):
    """All of them, and only them, whose flows give the reason."""
    sites = (Site("Office", ("198.51.100.0/24",)),)
    rows = inside(
        refused(WRONG, 0, flow="a", ip="198.51.100.1", client="Web portal"),
        refused(WRONG, 100, flow="b", ip="2001:db8::1"),
        refused(WRONG, 200, flow="c", who="bo", ip=None),
        refused(UNREACHABLE, 300, flow="d", who="cy", ip="192.0.2.99", client="Fridge"),
    )
    one = found(reported(tmp_path, rows, sites=sites))["banned-password-cloud"]

    assert (one.users, one.flows, one.events) == (2, 3, 3)
    assert (one.first_seen - T0).total_seconds() == 11
    assert (one.last_seen - T0).total_seconds() == 211
    assert one.scope == Scope(
        sites=("Office",),
        ips=("198.51.100.1", "2001:db8::/64"),
        clients=("browser", "not-recorded"),
        users=(upn("ann"), upn("bo")),
    )


def test_the_person_is_that_of_the_flow(tmp_path):
    """Also where the very event that gives the reason names nobody."""
    rows = refused(WRONG)
    rows[-1] |= {"targetResources": [], "initiatedBy": None}
    (one,) = reported(tmp_path, inside(rows)).findings

    assert (one.users, one.scope.users) == (1, (upn("ann"),))


def test_a_person_has_one_name(tmp_path):
    """Under a new name, an old one and none: one user, by the name that came last."""
    rows = inside(refused(WRONG, 0, flow="a"), refused(WRONG, 100, flow="b"), refused(WRONG, 200))
    for row, name in zip(rows[1:], [upn("old")] * 4 + [upn("new")] * 4 + [None] * 4, strict=False):
        if row["targetResources"]:
            row["targetResources"][0]["userPrincipalName"] = name
            row["initiatedBy"] = None
    (one,) = reported(tmp_path, rows).findings

    assert (one.users, one.scope.users) == (1, (upn("new"),))


def test_a_flow_is_counted_where_it_starts(tmp_path):
    """A reason past the window's end counts, one of a flow from before does not."""
    rows = [
        other(LONG_AGO),
        *refused(WRONG, -5, flow="before", who="bo"),
        *refused(WRONG, 95, flow="inside"),
        other(MUCH_LATER),
    ]
    (one,) = reported(tmp_path, rows, **window(0, 100)).findings

    assert (one.flows, one.scope.users) == (1, (upn("ann"),))
    assert (one.last_seen - T0).total_seconds() == 106


def test_a_cause_outside_of_the_window_is_not_reported(tmp_path):
    """Not before it, not after it."""
    rows = inside(refused(WRONG, -500, flow="a"), success(0), refused(WRONG, 500, flow="b"))

    assert reported(tmp_path, rows, **window(0, 100)).findings == ()


def test_a_flow_that_is_not_counted_states_nothing(tmp_path):
    """What began before the data is no flow of the window, so no finding's flow either."""
    rows = [event(WRONG, 0, result="failure"), other(MUCH_LATER)]

    assert reported(tmp_path, rows).findings == ()


def test_event_ids_are_the_oldest_hundred(tmp_path):
    """`events` counts all of them."""
    rows = [event(CANCELLED, n, flow=f"f{n}", who=f"p{n % 7}", id=f"e{n:03}") for n in range(120)]
    (one,) = reported(tmp_path, inside(rows[::-1])).findings

    assert (one.events, one.flows, one.users) == (120, 120, 7)
    assert one.event_ids == tuple(f"e{n:03}" for n in range(100))


def test_several_reasons_of_one_flow_are_one_flow(tmp_path):
    """Events count each, the flow and its person once."""
    rows = inside(refused(WRONG), event(WRONG, 20, result="failure"), event("SSPR_0029", 30))
    done = found(reported(tmp_path, rows))

    assert (done["banned-password-cloud"].flows, done["banned-password-cloud"].events) == (1, 2)
    assert (done["writeback-refused"].flows, done["writeback-refused"].events) == (1, 1)


def test_the_same_id_twice_counts_no_event_twice(tmp_path):
    """A conflict of ids does not multiply what the records state."""
    changes = [
        event(WRONG, at, activity=CHANGE, result="failure", id="same", flow=f"c{at}")
        for at in (0, 5)
    ]
    (one,) = reported(tmp_path, inside(changes)).findings

    assert (one.flows, one.events, one.users) == (0, 2, 1)
    assert said(one) == [f"2 password changes of 1 person give the reason: {WRONG}"]


# Statements


def test_statements_count_flows_and_people_apart(tmp_path):
    """Flows, changes, resets by an administrator and other events, and how many people."""
    code = "SSPR_0029"
    rows = inside(
        refused(code, 0, flow="a"),
        refused(code, 100, flow="b"),
        refused(code, 200, flow="c", who="bo"),
        event(code, 300, activity=CHANGE, flow="d", who="cy", result="failure"),
        event(code, 400, activity=BY_ADMIN, flow="e", who="cy", by=upn("it"), result="failure"),
        event(code, 500, activity="Something new", flow="f", who="di", service=CORE),
    )
    (one,) = reported(tmp_path, rows).findings

    who = "3 flows, 1 password change, 1 reset by an administrator and 1 other event of 4 people"
    assert said(one) == [f"{who} give the reason: {code}"]
    assert (one.users, one.flows, one.events) == (4, 3, 6)


def test_one_is_told_as_one(tmp_path):
    (one,) = reported(tmp_path, inside(refused(WRONG))).findings

    assert said(one) == [f"1 flow of 1 person gives the reason: {WRONG}"]
    assert [s.statement for s in one.evidence[1:]] == ["1 of 1 person has not succeeded since"]


def test_nobody_is_not_counted_as_people(tmp_path):
    """Where the log names no person, the statement names none."""
    rows = inside(
        refused(WRONG, who=None, by=" ", initiatedBy={"user": {"ipAddress": "192.0.2.1"}})
    )
    (one,) = reported(tmp_path, rows).findings

    assert (one.users, one.scope.users) == (0, ())
    assert said(one) == [f"1 flow gives the reason: {WRONG}"]


def test_a_drifting_text_is_one_statement(tmp_path):
    """By the wording that is met most, and how many there are; methods are told apart."""
    gave_up = "User contacted an admin after trying the {} verification option"
    texts = [CANCELLED, CANCELLED.replace("cancelled", "canceled"), f"{CANCELLED}. ", CANCELLED]
    texts += [gave_up.format("email"), gave_up.format("mobile SMS")]
    rows = [cancelled(100 * n, text, flow=f"f{n}") for n, text in enumerate(texts)]
    done = found(reported(tmp_path, inside(*rows)))

    assert said(done["user-cancelled"]) == [
        f"4 flows of 1 person give the reason: {CANCELLED} (in 3 wordings)"
    ]
    assert said(done["user-contacted-admin"]) == [
        f"1 flow of 1 person gives the reason: {gave_up.format(method)}"
        for method in ("email", "mobile SMS")
    ]


def evidence(done, signal):
    (one,) = done.findings
    texts = {s.signal: (s.statement, s.value) for s in (*one.evidence, *one.against)}
    return texts.get(signal)


def test_what_came_of_it_is_told_on_both_sides(tmp_path):
    """Succeeded in the same flow, in a later one, or not since: people once, flows once."""
    rows = inside(
        refused(WRONG, 0, flow="a"),  # and then succeeded in it
        event("User successfully reset password", 50, flow="a"),
        refused(WRONG, 100, flow="b", who="bo"),  # and succeeded in the next one
        success(200, flow="c", who="bo"),
        refused(WRONG, 300, flow="d", who="cy"),  # twice, and never succeeded
        refused(WRONG, 400, flow="e", who="cy"),
        success(-500, flow="f", who="cy"),  # but before
    )
    done = reported(tmp_path, rows)

    assert evidence(done, "succeeded-in-the-end") == ("1 of these 4 flows succeeded in the end", 1)
    assert evidence(done, "succeeded-later") == ("1 of 3 people succeeded in a later flow", 1)
    assert evidence(done, "no-success-since") == ("1 of 3 people has not succeeded since", 1)


@pytest.mark.parametrize(("beside", "name"), [(False, "all-succeeded-"), (True, "succeeded-")])
def test_all_succeeded_only_if_nothing_else_met_the_reason(beside, name, tmp_path):
    """A password change that was refused did not succeed in the end, whatever the resets did."""
    first = [*refused(WRONG, 100)[:-1], *refused(WRONG, 100)[-1:], *success(150)]
    change = event(WRONG, 500, flow="c", activity=CHANGE, result="failure")
    done = reported(tmp_path, inside(first, [change] * beside))

    assert evidence(done, f"{name}in-the-end") == ("The only flow succeeded in the end", 1)


def test_people_without_a_flow_are_not_said_to_have_failed_at_one(tmp_path):
    """A refused change of a password is no attempt to reset one."""
    row = event(WRONG, activity=CHANGE, result="failure")
    done = reported(tmp_path, inside(row))

    assert evidence(done, "no-success-since") is None


def test_a_place_is_named_where_it_stands_out(tmp_path):
    """Most of the trouble, and at least twice the place's share of all flows."""
    sites = (Site("Office", ("198.51.100.0/24",)),)
    at_office = {"ip": "198.51.100.1"}
    rows = [refused(WRONG, 100 * n, flow=f"a{n}", **at_office) for n in range(3)]
    rows += [refused(WRONG, 500, flow="b")]
    rows += [success(1000 + 100 * n, flow=f"c{n}") for n in range(6)]
    done = reported(tmp_path, inside(*rows), sites=sites)

    assert evidence(done, "place") == ("75 % of it is at Office, where 30 % of all flows begin", 75)
    crowded = [success(2000 + 100 * n, flow=f"d{n}", **at_office) for n in range(6)]
    assert evidence(reported(tmp_path, inside(*rows, *crowded), sites=sites), "place") is None


# Order


def test_findings_are_ordered_by_certainty_then_people(tmp_path):
    """Most certain first, then most users, then flows."""
    rows = []
    for count, name in ((9, UNREACHABLE), (2, WRONG), (3, "UserNotLicensed"), (2, CANCELLED)):
        for n in range(count):
            rows += refused(name, 100 * len(rows), flow=f"{name}{n}", who=f"p{n}")
    rows += refused(WRONG, 90_000 - 3600 * 10, flow="more", who="p0")
    done = reported(tmp_path, inside(rows))

    assert [one.cause for one in done.findings] == [
        "license-missing",
        "banned-password-cloud",
        "user-cancelled",
        "writeback-servicebus-unreachable",
    ]


def test_ties_are_ordered_by_id(tmp_path):
    """Equal findings of one moment stand in the order of their ids, however they arrive."""
    rows = [
        one
        for flow, reason in enumerate(("UserNotLicensed", "SSPR_0013", WRONG, CANCELLED))
        for one in refused(reason, flow=f"f{flow}", who=f"p{flow}")
    ]

    assert [one.cause for one in reported(tmp_path, inside(rows)).findings] == [
        "banned-password-cloud",
        "license-missing",
        "user-cancelled",
        "user-not-in-sspr-group",
    ]


# Clouds


def case(target):
    return Case(
        target=target,
        standing="seen",
        scope=Scope(),
        users=1,
        flows=1,
        first_seen=T0,
        last_seen=T0,
        evidence=(),
        against=(),
        events=1,
        event_ids=("x",),
    )


@cache
def demo_report(cloud):
    options = Options(
        knowledge=KNOWN, now=demo.NOW, generated_at=demo.NOW, cloud=cloud and KNOWN.clouds[cloud]
    )
    return report.from_demo(options).report


def told(finding):
    """Return every text of a finding that depends on the cloud, remarks about sources aside."""
    remedy = finding.remedy
    return "\n".join(
        [
            finding.title,
            remedy.summary,
            *remedy.commands,
            *remedy.hosts,
            *finding.confirm_with,
            *(rival.why for rival in finding.rivals),
        ]
    )


def test_a_tenant_in_china_is_told_of_no_global_host():
    """No address of the worldwide service stands in any finding of the demo."""
    world, china = KNOWN.clouds["global"], KNOWN.clouds["china-21vianet"]
    hosts = {host for fact in ("sspr_host", "exclusion_hosts") for host in world.values(fact)}
    hosts -= {host for fact in ("sspr_host", "exclusion_hosts") for host in china.values(fact)}
    hosts |= {"microsoftonline.com", "windowsazure.com", "entra.microsoft.com", "portal.azure.com"}

    assert hosts >= {"passwordreset.microsoftonline.com"}
    for one in demo_report("china-21vianet").findings:
        for host in hosts:
            assert not re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])", told(one)), one.cause


@pytest.mark.parametrize("cause", KNOWN.causes)
def test_no_cause_tells_china_of_the_worldwide_portal(cause):
    """Whatever is found, and whatever rivals it brings along."""
    cloud = KNOWN.clouds["china-21vianet"]
    (one,) = judge.findings([case(cause)], KNOWN, cloud=cloud)

    assert not re.search(r"(?<![\w.-])passwordreset\.microsoftonline\.com", told(one))


def test_without_a_cloud_hosts_of_every_cloud_are_labelled():
    """The reader picks the own one."""
    (one,) = judge.findings([case("portal-host-blocked")], KNOWN, cloud=None)

    labels = {name for name in KNOWN.clouds if any(name in host for host in one.remedy.hosts)}
    assert labels == set(KNOWN.clouds)


def test_a_rival_that_a_cloud_does_not_have_is_not_named():
    """Nor is it among what could not be seen there."""
    gone = {one.id for one in KNOWN.causes.values() if "china-21vianet" not in one.clouds}
    cloud = KNOWN.clouds["china-21vianet"]
    all_found = judge.findings([case(name) for name in KNOWN.causes], KNOWN, cloud=cloud)

    assert gone
    assert not gone & {rival.cause for one in all_found for rival in one.rivals}
    assert not gone & {one.cause for one in judge.unobservable(KNOWN, cloud=cloud)}


def test_what_was_found_was_not_unobservable():
    """A cause that a pattern shows is not listed as one that nothing could show."""
    hidden = judge.unobservable(KNOWN, cloud=None)[0].cause
    (one,) = judge.findings([case(hidden)], KNOWN, cloud=None)
    rest = judge.unobservable(KNOWN, cloud=None, found=[replace(one, cause=hidden)])

    assert hidden not in {cause.cause for cause in rest}


# The demo


@pytest.mark.parametrize("planted", troubles.PLANTED, ids=lambda p: p.finding)
def test_the_demo_shows_what_was_planted(planted):
    """Each planted cause is named, alone or in its family, by all who were struck; also those that
    leave no mark.
    """
    causes = set(
        KNOWN.families[planted.finding].members if planted.finding in KNOWN.families else ()
    )
    hits = [
        one
        for one in demo_report("global").findings
        if planted.finding in {one.cause, one.family} or one.cause in causes
    ]

    assert max((one.users for one in hits), default=0) >= planted.users
    assert max((one.flows for one in hits), default=0) >= planted.flows


def test_the_demo_shows_nothing_that_its_records_do_not_state():
    """Beside the planted causes only those whose reason stands in the demo's own records."""
    silent = {one.finding for one in troubles.PLANTED if not one.mark}
    texts = {row["resultReason"] for row in demo.records()}
    rows = [match.reason for text in texts if (match := KNOWN.reason(text))]
    stated = {name for row in rows for name in ((row.family,) if row.family else row.causes)}
    stated.add("too-many-attempts-throttled")

    assert set(found(demo_report("global"))) == stated | silent


def test_the_demo_counts_what_its_records_show():
    """Users, flows and events of every finding that a text makes, worked out again."""
    silent = {one.finding for one in troubles.PLANTED if not one.mark}
    marks = defaultdict(list)
    for row in demo.records():
        match = KNOWN.reason(row["resultReason"])
        names = (
            ((match.reason.family,) if match.reason.family else match.reason.causes)
            if match
            else ()
        )
        if row["activityDisplayName"] == BLOCKED:
            names = ("too-many-attempts-throttled",)
        for name in names:
            marks[name].append(row)

    for name, one in found(demo_report("global")).items():
        if name in silent:
            continue
        rows = marks[name]
        in_flows = [row for row in rows if row["activityDisplayName"] != CHANGE]
        assert one.events == len(rows), name
        assert one.users == len({row["targetResources"][0]["id"] for row in rows}), name
        assert one.flows == len({row["correlationId"] for row in in_flows}), name
        assert one.event_ids == tuple(row["id"] for row in rows[:100]), name
