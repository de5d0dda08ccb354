"""One row an attempt, and what belongs to the same people: counting rules 5 and 6."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenant import (
    BLOCKED,
    BY_ADMIN,
    CHANGE,
    COMPLETED,
    CORE,
    CORE_CHANGE,
    CORE_RESET,
    DONE,
    METHODS,
    MUCH_LATER,
    OPTIONS,
    PASSWORD,
    PROGRESS,
    REGISTERED,
    RESET,
    STARTED,
    UNLOCK,
    USER_ID,
    VERIFIED,
    WRITER,
    ZERO,
    counted,
    event,
    guid,
    inside,
    other,
    reported,
    stamp,
    steps,
    success,
    upn,
    window,
)

MINUTE = 60
TICK = 0.0000001
WRONG = "FuzzyPolicyViolationInvalidPassword"
SYNC = "Sync_SYNC01_000000000001@example.com"


def outcome(*rows):
    return counted(inside(*rows)).flow["outcome"]


def outcomes(flows):
    """Return the outcome of each flow, by its name, from one run over all of them."""
    rows = [{**row, "correlationId": guid(name)} for name, rows in flows.items() for row in rows]
    for number, row in enumerate(rows):
        row["id"] = f"SSPR_{number:04}"
    found = {flow["flow_id"]: flow["outcome"] for flow in counted(inside(rows)).flows}
    return {name: found[guid(name)] for name in flows}


# Which events are one flow


def test_a_flow_is_the_events_of_one_correlation():
    """Case says nothing in a correlationId; the flow's id is in lower case."""
    rows = success(flow=None, correlationId="00000000-0000-0000-0000-00000000ABCD")
    rows[1]["correlationId"] = rows[1]["correlationId"].lower()
    done = counted(inside(rows))

    assert done.flow["flow_id"] == "00000000-0000-0000-0000-00000000abcd"
    assert (done.flow["events"], done.flow["outcome"]) == (8, "succeeded")


@pytest.mark.parametrize("empty", [None, "", " ", ZERO], ids=repr)
def test_without_a_correlation_each_event_is_its_own_flow(empty):
    """Empty and all zero join nothing."""
    rows = [event(USER_ID, correlationId=empty), event(OPTIONS, 1, correlationId=empty)]
    done = counted(inside(rows))

    assert {flow["flow_id"] for flow in done.flows} == {f"event:{row['id']}" for row in rows}


def test_a_flow_tells_its_whole_story():
    """Length, step, methods in the order they were begun, tries, agent, the deciding reason."""
    rows = [
        *steps(USER_ID, OPTIONS, "User started the email verification option", STARTED, every=1),
        event(COMPLETED, 4),
        event("User completed the email verification option", 5),
        event(VERIFIED, 6),
        event(PASSWORD, 7),
        event(WRONG, 8, activity=RESET, result="failure"),
        event(PASSWORD, 9, additionalDetails=[{"key": "OnPremisesAgent", "value": "CloudSync"}]),
        event(DONE, 10.25),
    ]
    flow = counted(inside(rows)).flow

    assert (flow["person"], flow["upn"]) == (guid("ann"), upn("ann"))
    assert (flow["length_s"], flow["events"]) == (10.25, 11)
    assert (flow["step"], flow["stage"]) == ("done", 80)
    assert flow["methods"] == "email, mobile SMS"
    assert (flow["password_tries"], flow["agent"]) == (2, "CloudSync")
    assert (flow["outcome"], flow["reason"]) == ("succeeded", DONE)


def test_methods_at_one_time_are_ordered_by_step():
    """The method that was completed in a millisecond came before the one begun in it."""
    rows = [
        event("User started the mobile app code verification option", 1),
        event("User started the email verification option", 1, id="a"),
        event("User started the mobile SMS verification option", 1, id="b"),
    ]

    assert counted(inside(event(USER_ID), *rows)).flow["methods"].endswith("email, mobile SMS")


def test_a_refused_submission_is_a_try_too():
    """Tries are what was submitted, whatever came of it."""
    rows = [event(USER_ID), event(PASSWORD, 1, result="failure"), event(PASSWORD, 2)]

    assert counted(inside(rows)).flow["password_tries"] == 2


@pytest.mark.parametrize(
    ("texts", "step"),
    [
        ((), "user ID"),
        ((OPTIONS,), "options"),
        ((OPTIONS, STARTED), "method started"),
        ((OPTIONS, STARTED, COMPLETED), "method completed"),
        ((OPTIONS, STARTED, COMPLETED, VERIFIED), "verified"),
        ((OPTIONS, STARTED, COMPLETED, VERIFIED, PASSWORD), "password submitted"),
        ((OPTIONS, STARTED, OPTIONS), "method started"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_the_step_is_the_furthest_one(texts, step):
    """Going back to the options does not undo what was reached."""
    assert counted(inside(steps(USER_ID, *texts))).flow["step"] == step


# Outcomes


SUCCEEDED = event(DONE, 10)
BLOCK = event("", 10, activity=BLOCKED)
FAILED = event(WRONG, 10, activity=RESET, result="failure")
CANCELLED = event("User cancelled before submitting a new password", 10)
GAVE_UP = event("User contacted an admin after trying the email verification option", 10)
ENDS = [SUCCEEDED, BLOCK, FAILED, CANCELLED, GAVE_UP]
NAMES = ["succeeded", "blocked", "failed", "cancelled", "abandoned"]


@pytest.mark.parametrize("at", [0, 20], ids=["weaker first", "stronger first"])
def test_the_stronger_outcome_wins_whenever_it_comes(at):
    """succeeded > blocked > failed > cancelled > abandoned, before or after each other."""
    flows = {
        f"{strong} over {weak}": [
            event(USER_ID, -1),
            ENDS[strong],
            {**ENDS[weak], "activityDateTime": stamp(at)},
        ]
        for strong in range(5)
        for weak in range(strong, 5)
    }

    assert outcomes(flows) == {name: NAMES[int(name[0])] for name in flows}


def test_an_outcome_wins_over_being_open():
    """A flow that says how it ended is not open, however near the edge."""
    rows = [{**end, "correlationId": guid(name)} for end, name in zip(ENDS, NAMES, strict=True)]

    assert sorted(counted([other(-86_400), *rows]).outcomes) == sorted(NAMES)


def test_three_refused_passwords_and_then_success_is_success():
    """The flow counts once, as succeeded, with four tries."""
    rows = [event(USER_ID)]
    for n in range(3):
        rows += [event(PASSWORD, 10 * n + 1), event(WRONG, 10 * n + 2, activity=RESET)]
    flow = counted(inside(rows, event(PASSWORD, 40), event(DONE, 41))).flow

    assert (flow["outcome"], flow["password_tries"], flow["reason"]) == ("succeeded", 4, DONE)


def test_success_is_logged_twice_and_counts_once(tmp_path):
    """Two events say it; the totals know one flow."""
    totals = reported(tmp_path, inside(success())).totals

    assert (totals.flows, totals.outcomes["succeeded"]) == (1, 1)


def test_a_timeout_is_a_failure():
    """Whatever step it stands on, success included."""
    flows = {
        reason: [event(USER_ID), event(reason, 1, activity=RESET, result="timeout")]
        for reason in (OPTIONS, PASSWORD, DONE, "Successfully completed reset.", "")
    }

    assert set(outcomes(flows).values()) == {"failed"}


def test_a_failure_without_a_reason_is_a_failure():
    """The result says it."""
    assert outcome(event(USER_ID), event("", 1, activity=RESET, result="failure")) == "failed"


def test_a_missing_result_is_no_failure():
    """Nor is one that nobody knows; without a word of success it is none either."""
    flows = {
        f"{activity} {result}": [
            event(USER_ID),
            event("", 1, activity=activity, result=result, service=None),
        ]
        for activity in (RESET, UNLOCK, PROGRESS)
        for result in (None, "", "unknownFutureValue")
    }

    assert set(outcomes(flows).values()) == {"abandoned"}


def test_a_success_without_result_or_service_is_one():
    """Activity and reason decide."""
    rows = success(service=None)
    for row in rows:
        row.pop("result")

    assert outcome(rows) == "succeeded"


def test_contacting_an_admin_is_abandoning():
    """Whatever the result of the event."""
    assert outcome(event(USER_ID), GAVE_UP) == "abandoned"
    assert outcome(event(USER_ID), {**GAVE_UP, "result": "failure"}) == "abandoned"


def test_a_lone_block_is_a_blocked_flow():
    """Although its result is success and nothing else of the flow exists."""
    flow = counted(inside(BLOCK)).flow

    assert (flow["outcome"], flow["events"]) == ("blocked", 1)


def test_an_unlock_succeeds_or_fails():
    """With its own reason or with none; the result says which."""
    flows = {
        f"{reason} {result}": [event(USER_ID), event(reason, 1, activity=UNLOCK, result=result)]
        for reason in ("Success", "", "None", None)
        for result in ("success", "failure")
    }

    assert outcomes(flows) == {
        name: "succeeded" if name.endswith("success") else "failed" for name in flows
    }


def test_the_reason_is_the_one_that_decides():
    """Not the last one, if an earlier one says the outcome."""
    late = event("User cancelled before submitting a new password", 30)
    flow = counted(inside(event(USER_ID), FAILED, late)).flow

    assert (flow["outcome"], flow["reason"]) == ("failed", WRONG)


# The edge of the data


@pytest.mark.parametrize(
    ("before_edge", "expected"),
    [
        (0, "open"),
        (20 * MINUTE - 0.001, "open"),
        (20 * MINUTE, "abandoned"),
        (20 * MINUTE + 0.001, "abandoned"),
        (MUCH_LATER, "abandoned"),
    ],
)
def test_a_flow_near_the_edge_is_open(before_edge, expected):
    """The edge is the last audit record of any service; 20 minutes before it is too long ago."""
    rows = [other(-86_400), *steps(USER_ID, OPTIONS, every=5), other(5 + before_edge)]

    assert counted(rows).flow["outcome"] == expected


def test_the_time_until_a_flow_is_abandoned_is_a_setting():
    """`flow_timeout` moves it."""
    rows = [other(-86_400), event(USER_ID), other(10 * MINUTE)]

    assert counted(rows, timeout=timedelta(minutes=10)).flow["outcome"] == "abandoned"
    assert counted(rows, timeout=timedelta(minutes=11)).flow["outcome"] == "open"


HEADLESS = {
    "options": [event(OPTIONS)],
    "success": [event(PASSWORD), event(DONE, 1)],
    "refused": [event("Password reset is not enabled for this user", result="failure")],
    "cancelled": [event("User cancelled before passing the required authentication methods")],
    "blocked": [
        event("User entered too many invalid SMS verification codes and is blocked for 24 hours")
    ],
    "unlock": [event("Success", activity=UNLOCK)],
    "head too late": [event(OPTIONS), event(USER_ID, 1)],
}


@pytest.mark.parametrize(
    ("after_start", "flows"), [(0, 0), (20 * MINUTE - 1, 0), (21 * MINUTE, len(HEADLESS))]
)
def test_a_flow_without_its_head_at_the_start_began_earlier(after_start, flows):
    """It is not counted within flow_timeout of the first record; later ones are."""
    rows = [{**row, "correlationId": guid(name)} for name, rows in HEADLESS.items() for row in rows]
    done = counted([other(-after_start), *rows, other(MUCH_LATER)])

    assert len(done.flows) == flows


def test_a_flow_with_its_head_counts_from_the_first_record_on():
    """Nothing of it is missing."""
    assert counted([*success(), other(MUCH_LATER)]).outcomes == ["succeeded"]


def test_a_lone_block_has_no_head_to_miss():
    """The activity that says so by itself counts at the start of the data too."""
    assert counted([BLOCK, other(MUCH_LATER)]).outcomes == ["blocked"]


def test_the_head_is_known_by_step_where_times_are_equal():
    """The user ID comes first in its millisecond, whatever the ids."""
    rows = [event(OPTIONS, id="a"), event(USER_ID, id="b"), other(MUCH_LATER)]

    assert len(counted(rows).flows) == 1


# Order


@pytest.mark.parametrize("late", [TICK, 0.0009])
def test_times_are_cut_to_milliseconds_before_steps_decide(late):
    """Within one millisecond the step decides, even against the seven digits."""
    rows = [event(OPTIONS, 0, client="Web portal"), event(USER_ID, late, client="Fridge")]

    assert counted(inside(rows)).flow["client"] == "other:Fridge"


def test_a_later_millisecond_is_later_whatever_the_step():
    rows = [event(OPTIONS, 0.0009, client="Web portal"), event(USER_ID, 0.001, client="Fridge")]

    assert counted(inside(rows)).flow["client"] == "browser"


def test_an_end_comes_after_the_step_that_it_ends():
    """Both carry one time; what ends a flow is its last event, whatever the ids."""
    rows = [
        event("User cancelled before submitting a new password", id="a", client="Web portal"),
        event(VERIFIED, id="z", client="Fridge"),
    ]

    assert counted(inside(event(USER_ID, -1), rows)).flow["client"] == "other:Fridge"


def test_equal_steps_at_one_time_are_ordered_by_id():
    rows = [event(OPTIONS, id="b", client="Fridge"), event(OPTIONS, id="a", client="Web portal")]

    assert counted(inside(event(USER_ID, -1), rows)).flow["client"] == "browser"


# Windows


def test_a_flow_belongs_to_the_window_in_which_it_starts(tmp_path):
    """Its later events are read past the end, and count as outside of the window."""
    rows = [other(-86_400), *success(0), *success(90, flow="two", who="bo"), other(MUCH_LATER)]
    report = reported(tmp_path, rows, **window(0, 95))

    assert (report.totals.flows, report.totals.outcomes["succeeded"]) == (2, 2)
    # Of the second flow one event lies inside; the other seven and two records lie outside.
    assert (report.account.events, report.account.outside_window) == (9, 9)


def test_a_flow_that_started_before_the_window_is_not_in_it(tmp_path):
    """Its events inside the window are events of the account all the same."""
    rows = [other(-86_400), *success(0), other(MUCH_LATER)]
    report = reported(tmp_path, rows, **window(5, 100))

    assert report.totals.flows == 0
    assert report.account.events == 7


@pytest.mark.parametrize(
    ("start", "end", "flows"), [(0, 1, 1), (-1, 0, 0), (0.000001, 1, 1), (0.000002, 1, 0)]
)
def test_a_window_is_half_open_and_exact(tmp_path, start, end, flows):
    """Its start is inside and its end outside, tested with all seven digits."""
    at = 0.0 if start in {0, -1} else 0.0000015
    rows = [other(-86_400), event(USER_ID, at), other(MUCH_LATER)]

    assert reported(tmp_path, rows, **window(start, end)).totals.flows == flows


# Echoes


def stored(at, *, by=WRITER, **words):
    """Return Core Directory's record of a reset."""
    return event("", at, activity=CORE_RESET, service=CORE, by=by, ip=None, **words)


@pytest.mark.parametrize(
    ("gap", "is_echo"),
    [(1.98, True), (60, True), (60 + TICK, False), (-60, True), (-60 - TICK, False)],
)
def test_an_echo_lies_within_60_seconds_of_the_password(gap, is_echo):
    """Measured with all digits, from the submitted password."""
    echo = stored(100 + gap, flow="core")
    flow = counted(inside(event(USER_ID, 39), event(PASSWORD, 100), echo)).flow

    assert flow["echo_id"] == (echo["id"] if is_echo else None)
    assert flow["echo_s"] == (pytest.approx(gap) if is_echo else None)


def test_an_echo_is_of_the_same_person():
    """Somebody else's reset at the same time is not it."""
    rows = [event(USER_ID), event(PASSWORD, 5), stored(6, flow="core", who="bo")]

    assert counted(inside(rows)).flow["echo_id"] is None


def test_a_flow_of_nobody_takes_no_echo_from_its_person():
    """An unknown person is not the same person, however near in time."""
    rows = [
        event(PASSWORD, 0, flow="one"),
        event(PASSWORD, 5, flow="two", who=None, by=" "),
        stored(5.1, flow="core"),
    ]
    rows[1]["initiatedBy"] = None
    flows = {flow["flow_id"]: flow["echo_id"] for flow in counted(inside(rows)).flows}

    assert flows == {guid("one"): rows[2]["id"], guid("two"): None}


def test_an_echo_belongs_to_the_nearest_password():
    """Two attempts of one person within a minute."""
    rows = [event(PASSWORD, 0, flow="one"), event(PASSWORD, 10, flow="two"), stored(11, flow="c")]
    flows = {flow["flow_id"]: flow["echo_s"] for flow in counted(inside(rows)).flows}

    assert flows == {guid("one"): None, guid("two"): 1.0}


def test_a_flow_names_its_nearest_echo():
    """An earlier reset of the same minute does not stand for its own."""
    rows = [event(USER_ID), event(PASSWORD, 50), stored(20, flow="c1"), stored(51, flow="c2")]

    assert counted(inside(rows)).flow["echo_s"] == 1.0


@pytest.mark.parametrize(("others", "paired"), [((), True), ((100,), True), ((10,), False)])
def test_an_echo_of_nobody_is_paired_where_exactly_one_fits(others, paired):
    """With no target known it goes to the only flow within 60 s; with two it goes to none."""
    rows = [event(PASSWORD, 0, flow="one"), stored(2, flow="core", targetResources=[])]
    rows += [event(PASSWORD, at, flow=f"b{at}", who="bo") for at in others]
    flows = {flow["flow_id"]: flow for flow in counted(inside(rows)).flows}

    assert (flows[guid("one")]["echo_id"] is not None) is paired


def test_a_flow_that_submitted_twice_is_still_one():
    """Two passwords of one flow do not make an echo of nobody ambiguous."""
    rows = [event(PASSWORD, 0), event(PASSWORD, 5), stored(6, flow="core", targetResources=[])]

    assert counted(inside(rows)).flow["echo_s"] == 1.0


def test_an_echo_is_no_event_of_the_flow_and_no_act():
    """It has another correlationId, and counts nothing."""
    done = counted(inside(success(), stored(25.2, flow="core")))

    assert (done.flow["events"], done.acts) == (8, [])


# Acts


def acts(*rows):
    return [(one["kind"], one["outcome"]) for one in counted(inside(*rows)).acts]


def by_admin(at=0.0, **words):
    fields = {"activity": BY_ADMIN, "flow": "admin", "by": "admin@example.com", **words}
    return event("None", at, **fields)


def test_a_reset_by_an_administrator_is_an_act_of_the_person():
    """Linked to whom it is about; the actor is the administrator."""
    done = counted(inside(by_admin()))
    (act,) = done.acts

    assert (act["kind"], act["outcome"]) == ("admin-reset", "succeeded")
    assert (act["person"], act["actor"]) == (guid("ann"), "admin@example.com")
    assert done.flows == []


@pytest.mark.parametrize("by", [WRITER, "admin@example.com"])
@pytest.mark.parametrize("gap", [-0.2, 1, 60])
def test_the_echo_of_an_admin_reset_is_no_second_one(by, gap):
    """Whether Microsoft's account or the administrator stands on it."""
    assert acts(by_admin(100), stored(100 + gap, flow="core", by=by)) == [
        ("admin-reset", "succeeded")
    ]


@pytest.mark.parametrize("by", ["admin@example.com", "Admin@Example.com", guid("admin")])
def test_a_reset_by_a_human_without_a_pair_is_an_admin_reset(by):
    """Core Directory alone tells of it."""
    user = {"id": guid("admin"), "userPrincipalName": by if "@" in by else None}
    row = stored(0, flow="core", initiatedBy={"user": user})

    assert acts(row) == [("admin-reset", "succeeded")]


def test_a_reset_by_a_human_beyond_60_seconds_has_no_pair():
    """It is a second reset."""
    assert len(acts(by_admin(), stored(60 + TICK, flow="core", by="admin@example.com"))) == 2


def test_a_reset_by_a_human_with_a_submitted_password_is_its_pair():
    """Within 60 seconds of the same person's new password it is no admin reset."""
    rows = [event(USER_ID), event(PASSWORD, 5), stored(6, flow="core", by="admin@example.com")]
    done = counted(inside(rows))

    assert (done.acts, done.flow["echo_id"]) == ([], None)


@pytest.mark.parametrize(
    "initiator",
    [
        {"user": {"id": ZERO, "userPrincipalName": WRITER}},
        {"user": {"id": guid("sync"), "userPrincipalName": SYNC}},
        {"user": None, "app": {"displayName": "Helpdesk"}},
        {"user": {"id": ZERO, "userPrincipalName": None}},
        None,
    ],
    ids=["fim", "sync", "application", "zero", "nobody"],
)
def test_a_reset_by_no_human_is_no_act(initiator):
    """Microsoft's account, the synchronization and applications reset nobody's password."""
    assert acts(stored(0, flow="core", initiatedBy=initiator)) == []


@pytest.mark.parametrize("by", [SYNC, SYNC.lower()])
def test_the_hash_synchronization_is_no_act(by):
    """Its change of a password is an echo of what happened on-premises."""
    row = event("", activity=CORE_CHANGE, service=CORE, by=by, flow="sync")

    assert acts(row) == []
    assert counted(inside(row)).flows == []


@pytest.mark.parametrize(
    ("reason", "result", "expected"),
    [
        ("None", "success", "succeeded"),
        ("PasswordDoesnotComplyFuzzyPolicy", "failure", "failed"),
        ("", "failure", "failed"),
        ("", "timeout", "failed"),
        ("", None, None),
    ],
)
def test_a_password_change_is_an_act(reason, result, expected):
    """Success, failure, or nothing that is said of it."""
    row = event(reason, activity=CHANGE, result=result)

    assert acts(row) == [("password-change", expected)]


def test_acts_are_counted_apart_from_flows(tmp_path):
    """By kind and outcome, in the window in which they lie."""
    rows = inside(
        event("None", 0, activity=CHANGE, flow="a"),
        event("PasswordDoesnotComplyFuzzyPolicy", 1, activity=CHANGE, flow="a", result="failure"),
        by_admin(2, flow="b"),
        by_admin(3, flow="c", result="failure"),
        registered(4),
        success(5, flow="d"),
        by_admin(1000, flow="e"),
    )
    totals = reported(tmp_path, rows, **window(0, 900)).totals
    counts = totals.acts

    assert (counts.password_changes_succeeded, counts.password_changes_failed) == (1, 1)
    assert (counts.admin_resets_succeeded, counts.admin_resets_failed) == (1, 1)
    assert (counts.registrations, totals.flows) == (1, 1)


def registered(at=0.0, **words):
    fields = {"activity": REGISTERED, "service": METHODS, "flow": "reg", **words}
    return event("User registered Mobile Phone SMS", at, **fields)


def test_a_registration_is_one_per_person_and_correlation():
    """Several methods in one go are one; another go and another person are more."""
    rows = [
        registered(0),
        registered(10),
        event(
            "",
            20,
            activity="User registered all required security info",
            flow="reg",
            service=METHODS,
        ),
        registered(30, who="bo"),
        registered(40, flow="reg 2"),
    ]
    done = counted(inside(rows)).acts

    assert [one["kind"] for one in done] == ["registration"] * 3
    assert sorted(one["events"] for one in done) == [1, 1, 3]
    assert {one["person"] for one in done} == {guid("ann"), guid("bo")}


def test_registrations_without_a_correlation_are_one_each():
    assert len(acts(registered(0, correlationId=""), registered(10, correlationId=ZERO))) == 2


def test_who_fails_to_register_has_not_registered():
    """A failure is no registration, and takes none away."""
    assert acts(registered(result="failure")) == []
    assert len(acts(registered(), registered(5, result="failure"))) == 1


def test_each_change_and_each_admin_reset_is_one_act():
    """Only registrations are taken together."""
    changes = [event("", n, activity=CHANGE, flow="same", id=f"c{n}") for n in range(3)]
    resets = [by_admin(10 + n, id=f"r{n}") for n in range(2)]

    assert len(acts(changes, resets)) == 5


# Order-independence


TEXTS = st.sampled_from([USER_ID, OPTIONS, STARTED, PASSWORD, DONE, WRONG, "User cancelled", "Odd"])


@st.composite
def small_tenant(draw):
    """A few flows, acts and echoes on few times, so that much of it collides."""
    flows = draw(
        st.lists(
            st.tuples(
                TEXTS,
                st.integers(0, 3),
                st.sampled_from("ab"),
                st.sampled_from(["ann", "bo", None]),
                st.sampled_from(["success", "failure", None]),
                st.sampled_from(["Web portal", "Fridge", None]),
            ),
            max_size=10,
        )
    )
    rows = [
        event(text, at, flow=flow, who=who, by=None if who else "x", result=result, client=client)
        for text, at, flow, who, result, client in flows
    ]
    rows += [stored(at, flow="core") for at in draw(st.lists(st.integers(0, 3), max_size=2))]
    rows += [by_admin(at, flow=f"r{at}") for at in draw(st.lists(st.integers(0, 3), max_size=2))]
    ids = draw(st.lists(st.sampled_from(["x", "y", "z"]), max_size=len(rows)))
    for row, name in zip(rows, ids, strict=False):
        row["id"] = name
    return inside(rows)


@settings(max_examples=20)
@given(small_tenant(), st.data())
def test_the_order_of_records_decides_nothing(rows, data):
    """Events, flows and acts are the same however the records arrive, and add up."""
    done = counted(rows)

    assert counted(data.draw(st.permutations(rows))) == done
    assert sum(flow["events"] for flow in done.flows) == sum(
        one["role"] == "flow" for one in done.events
    )
    assert {flow["outcome"] for flow in done.flows} <= {*NAMES, "open"}
