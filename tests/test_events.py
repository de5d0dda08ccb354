"""What an audit record is told as: counting rules 1, 7, 8 and 9."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tenant import (
    BLOCKED,
    BY_ADMIN,
    CORE,
    CORE_RESET,
    METHODS,
    OPTIONS,
    PASSWORD,
    PROGRESS,
    RESET,
    STARTED,
    UNLOCK,
    USER_ID,
    WRITER,
    ZERO,
    counted,
    event,
    guid,
    inside,
    other,
    reported,
    steps,
    success,
    upn,
    window,
)

from sspr_audit.model import Site
from sspr_audit.normalize.events import parsed_address

REFUSED = [
    event("FuzzyPolicyViolationInvalidPassword", activity=RESET, result="failure"),
    event("", 1, activity=RESET),
    event("Odd", 2),
]


def told(*rows, **options):
    """Return the only event that the records make."""
    (one,) = counted(list(rows), **options).events
    return one


def user(object_id, name, ip=None):
    return {"user": {"id": object_id, "userPrincipalName": name, "ipAddress": ip}}


def aimed(object_id, name):
    return [{"id": object_id, "type": "User", "userPrincipalName": name}]


# What is an event


@pytest.mark.parametrize(
    ("activity", "role"),
    [
        (PROGRESS, "flow"),
        ("Self-serve password reset flow activity progress", "flow"),
        ("  SELF-SERVICE password reset   flow activity progress", "flow"),
        (RESET, "flow"),
        (UNLOCK, "flow"),
        (BLOCKED, "flow"),
        ("Change password (self-service)", "change"),
        (BY_ADMIN, "admin-reset"),
        (CORE_RESET, "echo"),
        ("User registered security info", "registration"),
    ],
)
def test_the_activity_decides(activity, role):
    """Also where the service is missing, and however the activity is spelled."""
    assert told(event("", activity=activity, service=None))["role"] == role


@pytest.mark.parametrize(
    "reason", [USER_ID, STARTED, "User abandoned after entering their user ID"]
)
@pytest.mark.parametrize("activity", ["Zurücksetzen des Kennworts", None])
def test_the_reason_decides_where_nobody_knows_the_activity(reason, activity):
    """A step of a reset is one under any name, and its flow is whole."""
    rows = [event(USER_ID), event(reason, 1, activity=activity, service=None)]

    assert [one["role"] for one in counted(rows).events] == ["flow", "flow"]


def test_the_service_decides_where_nothing_else_does():
    """What the reset service writes is about password reset; it is no flow and no act."""
    done = counted(inside(event("", activity="Something new", flow="x")))

    assert [one["role"] for one in done.events] == ["note"]
    assert (done.flows, done.acts) == ([], [])


def test_a_reset_reason_decides_for_other_services():
    """A code of password reset makes an event of a record that nobody else claims."""
    one = told(event("OnPremisesConnectivityError", activity="Something new", service=CORE))

    assert (one["role"], one["flow_id"]) == ("note", None)


@pytest.mark.parametrize(
    "reason",
    [
        "Success",
        "User registered a passkey",
        "User canceled the access review",
        "User started the access review",
        "ERROR_ACCESS_DENIED",
        "None",
        "",
        None,
    ],
    ids=repr,
)
def test_words_that_everybody_writes_decide_nothing(reason):
    """Another service's record is no event for a common word."""
    row = event(reason, activity="Something else", service="Access Reviews")

    assert counted([row]).events == []


def test_success_is_still_the_reason_of_an_unlock():
    """The common word means what it says where the activity is known."""
    assert told(event("Success", activity=UNLOCK))["reason_key"] == "success"


def test_the_account_names_every_class(tmp_path):
    """Records are events, other records or outside of the window; nothing else is left."""
    rows = [*success(10), other(3), event("", 5, activity="New", flow="x"), other(-5), other(99)]
    account = reported(tmp_path, rows, **window(0, 50)).account

    assert (account.events, account.other_records, account.outside_window) == (9, 1, 2)
    assert account.records_read == 12


# Reasons


@pytest.mark.parametrize("empty", ["None", "none", "null", "", "  ", None], ids=repr)
def test_a_reason_that_says_nothing_is_none(empty):
    """The text `None` is no reason, and not an unknown one either."""
    one = told(event(empty, activity=BY_ADMIN))

    assert (one["reason"], one["reason_key"]) == (None, None)


@pytest.mark.parametrize(
    "drifted",
    [
        "User cancelled before submitting a new password",
        "User canceled before submitting a new password ",
        "user Cancelled  before submitting a new password.",
    ],
)
def test_spelling_drift_is_folded_and_the_original_kept(drifted):
    """One key for all spellings, each text as it came."""
    one = told(event(drifted))

    assert (one["reason"], one["reason_key"]) == (drifted, "cancelled-before-password")


def test_what_nobody_knows_is_reported_by_text_and_count(tmp_path):
    """Reasons, ClientTypes and activities, with the number of events they stand in."""
    rows = [
        *steps(USER_ID, "User did a somersault", "User did a somersault", client="Fridge"),
        event("None", 20, activity="Something new"),
        event("Not yet", 21, service=None),
        event("Elsewhere", 22, activity="Add member to group", service=CORE),
    ]
    unknown = reported(tmp_path, inside(rows)).unrecognized

    assert [(t.text, t.count) for t in unknown.reasons] == [
        ("User did a somersault", 2),
        ("Not yet", 1),
    ]
    assert [(t.text, t.count) for t in unknown.client_types] == [("Fridge", 3)]
    assert [(t.text, t.count) for t in unknown.activities] == [("Something new", 1)]


def test_the_rank_is_the_reason_s_before_the_activity_s():
    """A refusal ends a flow, though a reset by itself does not."""
    ranks = {one["reason"]: one["rank"] for one in counted(inside(REFUSED)).events}

    assert ranks == {"FuzzyPolicyViolationInvalidPassword": 90, None: 70, "Odd": 89}


# Persons


@pytest.mark.parametrize(
    ("initiator", "target", "person"),
    [
        (user(guid("bo"), upn("bo")), aimed(guid("ann"), upn("ann")), guid("ann")),
        (user(guid("bo"), upn("bo")), [], guid("bo")),
        (user(ZERO, "Bo@Example.com"), [], upn("bo")),
        (user(None, "Bo@Example.com"), [], upn("bo")),
        (user(ZERO, None), [], None),
        (user(ZERO, None), aimed(ZERO, "Ann@example.com"), upn("ann")),
        (user(guid("bo"), None), aimed(None, None), guid("bo")),
        (None, [], None),
    ],
)
def test_a_person_is_target_then_initiator_then_name(initiator, target, person):
    """Object ids before names, never the zero id, names in lower case."""
    one = told(event(USER_ID, initiatedBy=initiator, targetResources=target))

    assert one["person"] == person


def test_an_administrator_is_not_the_person():
    """Who resets another's password does not stand for an unknown target."""
    assert told(event("None", activity=BY_ADMIN, who=None, by=upn("admin")))["person"] is None


def test_a_name_seen_with_one_id_is_that_id():
    """Records that carry only the name join those of the id."""
    rows = [
        event(USER_ID),
        event(OPTIONS, 1, initiatedBy=user(None, "ANN@example.com"), targetResources=[]),
        event(STARTED, 2, initiatedBy=None, targetResources=aimed(None, upn("ann"))),
    ]

    assert {one["person"] for one in counted(rows).events} == {guid("ann")}


def test_a_name_seen_with_two_ids_stays_a_name():
    """Nobody knows which of them it is."""
    rows = [
        event(USER_ID, who="ann", flow="one"),
        event(USER_ID, who="bo", flow="two", targetResources=aimed(guid("bo"), upn("ann"))),
        event(USER_ID, flow="three", initiatedBy=user(None, upn("ann")), targetResources=[]),
    ]

    people = {one["flow_id"]: one["person"] for one in counted(rows).events}
    assert people[guid("three")] == upn("ann")


def test_people_are_counted_once(tmp_path):
    """Two flows of one person, one of them under the bare name, are one user."""
    bare = {"initiatedBy": user(None, upn("ann").title()), "targetResources": []}
    rows = inside(success(), success(100, flow="two", **bare), success(200, flow="c", who="bo"))
    totals = reported(tmp_path, rows).totals

    assert (totals.flows, totals.users) == (3, 2)


# Addresses and sites


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:0201", "192.0.2.1"),
        ("192.0.2.1:49152", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%12]:443", "fe80::1"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("::", None),
        ("0.0.0.0", None),  # noqa: S104 - what logs write for no address
        ("::ffff:0.0.0.0", None),
        ("0.0.0.0:443", None),
        ("", None),
        ("not recorded", None),
        ("192.0.2.256", None),
        ("192.0.2", None),
        ("192.000.002.001", None),
        ("::2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6", None),
    ],
)
def test_an_address_is_read_as_logs_write_it(text, address):
    """Mapped becomes IPv4, zone and port are cut, what is no address is none."""
    found = parsed_address(text)

    assert (found and str(found)) == address


@settings(max_examples=60)
@given(st.ip_addresses())
@example("2001:db8::1")
def test_any_address_is_read_in_every_form(address):
    """With brackets and port or without, it is the same address."""
    plain = parsed_address(str(address))

    assert parsed_address(f"[{address}]:443") == plain
    if ":" not in str(address):
        assert parsed_address(f"{address}:443") == plain
        assert parsed_address(f"::ffff:{address}") == plain


@settings(max_examples=60)
@given(st.text(max_size=24))
def test_any_text_is_an_address_or_none(text):
    """Nothing that a record can hold breaks the report."""
    found = parsed_address(text)

    assert found is None or not found.is_unspecified


def test_ipv6_is_shown_as_its_64():
    """Addresses of one customer's line are one place; IPv4 is shown plain."""
    rows = [event(USER_ID, flow=ip, ip=ip) for ip in ("2001:db8:a:b:c::1", "203.0.113.9")]
    groups = {one["ip"]: one["ip_group"] for one in counted(rows).events}

    assert groups == {"2001:db8:a:b:c::1": "2001:db8:a:b::/64", "203.0.113.9": "203.0.113.9"}


def named(*pairs):
    return tuple(Site(name, tuple(networks)) for name, networks in pairs)


@pytest.mark.parametrize(
    ("ip", "sites", "site"),
    [
        ("203.0.113.9", named(("wide", ["203.0.113.0/24"]), ("near", ["203.0.113.8/29"])), "near"),
        ("203.0.113.9", named(("near", ["203.0.113.8/29"]), ("wide", ["203.0.113.0/24"])), "near"),
        ("203.0.113.9", named(("set", ["203.0.113.0/24"]), ("entra", ["203.0.113.0/24"])), "set"),
        ("203.0.113.9", named(("one", ["198.51.100.0/24"])), None),
        ("::ffff:203.0.113.9", named(("v4", ["203.0.113.0/24"])), "v4"),
        ("2001:db8::9", named(("v4", ["0.0.0.0/0"])), None),
        ("203.0.113.9", named(("v6", ["::/0"])), None),
        ("203.0.113.9", named(("all", ["0.0.0.0/0"])), "all"),
        ("2001:db8::9", named(("wide", ["2001:db8::/32"]), ("one", ["2001:db8::9/128"])), "one"),
        (None, named(("all", ["0.0.0.0/0"])), None),
    ],
)
def test_the_longest_prefix_names_the_site(ip, sites, site):
    """Then the first that was named, settings before all else; nobody's network is none."""
    assert told(event(USER_ID, ip=ip), sites=sites)["site"] == site


def test_a_site_is_decided_on_the_full_address(tmp_path):
    """Two halves of a /64 can be two sites, though by_ip shows the /64 for both."""
    sites = named(("low", ["2001:db8::/65"]), ("high", ["2001:db8:0:0:8000::/65"]))
    rows = inside(
        success(ip="2001:db8::1"), success(60, flow="two", ip="2001:db8:0:0:8000::1", who="bo")
    )
    report = reported(tmp_path, rows, sites=sites)

    assert [(one.ip, one.site, one.flows) for one in report.by_ip] == [
        ("2001:db8::/64", "high", 1),
        ("2001:db8::/64", "low", 1),
    ]


def test_a_flow_has_the_first_address_that_can_be_used():
    """An event without one, or with one that is none, is passed over."""
    rows = [
        event(USER_ID, ip=""),
        event(OPTIONS, 1, ip="::"),
        event(STARTED, 2, ip="203.0.113.9"),
        event(PASSWORD, 3, ip="198.51.100.9"),
    ]
    sites = named(("late", ["198.51.100.0/24"]))
    flow = counted(inside(rows), sites=sites).flow

    assert (flow["ip"], flow["site"]) == ("203.0.113.9", None)  # nobody's network, not the later


# Clients


@pytest.mark.parametrize(
    ("raw", "settings_say", "client", "assumed"),
    [
        ("Windows sign-in screen", {}, "windows-signin", True),
        ("Windows sign-in screen", {"Windows sign-in screen": "browser"}, "browser", False),
        ("Windows sign-in screen", {"windows sign-in screen": "browser"}, "windows-signin", True),
        ("Fridge", {}, "other:Fridge", False),
        (" Fridge ", {}, "other: Fridge ", False),
        ("Fridge", {"Fridge": "windows7-addin"}, "windows7-addin", False),
        (None, {}, "not-recorded", False),
        ("", {"": "browser"}, "not-recorded", False),
    ],
)
def test_settings_name_a_client_before_patterns_do(raw, settings_say, client, assumed):
    """Exactly; else a pattern assumes it, or it is other:<raw>; none is not-recorded."""
    flow = counted(inside(event(USER_ID, client=raw)), client_types=settings_say).flow

    assert (flow["client"], flow["client_assumed"]) == (client, assumed)
    assert flow["client_type"] == (raw or None)


def test_several_clients_in_a_flow_are_the_earliest_and_mixed():
    """By time, whatever came first into the file; the flow is marked."""
    rows = [
        event(STARTED, 2, client="Web portal"),
        event(OPTIONS, 1, client="Windows sign-in screen"),
        event(USER_ID, 0),
    ]
    flow = counted(inside(rows)).flow

    assert (flow["client"], flow["client_mixed"]) == ("windows-signin", True)
    assert flow["client_type"] == "Windows sign-in screen"


def test_one_client_in_some_events_of_a_flow_is_not_mixed():
    """A step that records none says nothing against it."""
    rows = [event(USER_ID), event(OPTIONS, 1, client="Web portal")]

    flow = counted(inside(rows)).flow
    assert (flow["client"], flow["client_mixed"]) == ("browser", False)


def test_who_wrote_an_event_is_told_as_the_log_says():
    """A user's name in lower case, else the id, else the application."""
    rows = [
        event("", 0, activity=CORE_RESET, service=CORE, by=WRITER),
        event("", 1, activity=CORE_RESET, service=CORE, initiatedBy=user(guid("it"), None)),
        event(
            "",
            2,
            activity=CORE_RESET,
            service=CORE,
            initiatedBy={**user(ZERO, None), "app": {"displayName": "Helpdesk"}},
        ),
        event("", 3, activity="Admin registered security info", service=METHODS, by="Boss@X.com"),
    ]

    actors = [one["actor"] for one in sorted(counted(rows).events, key=lambda e: e["time_utc"])]
    assert actors == [WRITER, guid("it"), "Helpdesk", "boss@x.com"]


@pytest.mark.parametrize("name", ["B@example.com ", "  b@EXAMPLE.com"])
def test_blanks_around_a_name_make_no_other_person(name):
    """In events, and where a name stands for an id."""
    odd = event(PASSWORD, 5, initiatedBy=user(None, name), targetResources=aimed(None, name))
    plain = event(STARTED, 6, by=upn("b"), who=None)
    plain["initiatedBy"]["user"]["id"] = None

    for rows, person in ([event(USER_ID, who="b"), odd], guid("b")), ([odd, plain], upn("b")):
        assert {(one["person"], one["upn"]) for one in counted(rows).events} == {(person, upn("b"))}


@pytest.mark.parametrize("correlation", ["", ZERO])
def test_without_a_correlation_each_event_is_its_own_flow(correlation):
    """Also where several carry the same id with other content."""
    rows = [event(USER_ID, at, id="x", correlationId=correlation) for at in (0, 7, 9)]

    for order in (rows, rows[::-1]):
        found = sorted((f["start_utc"], f["flow_id"]) for f in counted(inside(order)).flows)
        assert [name for _, name in found] == ["event:x", "event:x/2", "event:x/3"]
