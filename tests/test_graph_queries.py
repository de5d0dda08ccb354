"""The questions put to the audit log: what they ask for, and how it can be proved that they do."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from graph_records import CORE, audit
from graph_tenant import AUDITS, Clock, Tenant
from parts import Parts

from sspr_audit import knowledge
from sspr_audit.model import Window
from sspr_audit.sources.graph import queries
from sspr_audit.sources.graph.collections import AUDITS as COLLECTION
from sspr_audit.sources.graph.collections import CONTEXT, DEVICES, NAMED_LOCATIONS
from sspr_audit.sources.graph.pace import LIMITS

KNOWN = knowledge.load()
CLAUSES = queries.clauses(KNOWN)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = Window(NOON.replace(hour=0), NOON)


def asked(query):
    return dict(parse_qsl(urlsplit(query).query))


def test_a_window_is_asked_for_with_both_its_ends():
    """The documented operators only; whoever reads keeps start ≤ time < end."""
    assert asked(queries.audit_query(DAY)) == {
        "$filter": "activityDateTime ge 2026-11-20T00:00:00Z"
        " and activityDateTime le 2026-11-20T12:00:00Z",
        "$top": "999",
    }


def test_a_query_is_encoded_once_and_whole():
    """Nothing that a proxy, a log or a URL parser could take for its own is left in it."""
    query = queries.audit_query(DAY, CLAUSES)

    assert re.fullmatch(r"/v1\.0/auditLogs/directoryAudits\?\$filter=[\w.~()%-]+&\$top=999", query)
    assert "%25" not in query
    assert unquote(query).count("'") == 2 * len(CLAUSES)


def test_a_narrow_query_asks_for_password_reset_and_what_can_break_it():
    """Every clause stands in the filter; the service bears fifteen of them."""
    filter_ = asked(queries.audit_query(DAY, CLAUSES))["$filter"]

    assert "loggedByService eq 'Self-service Password Management'" in filter_
    assert "activityDisplayName eq 'Reset user password'" in filter_
    assert "loggedByService eq 'Conditional Access'" in filter_
    assert filter_.endswith(f" and ({queries.narrow(CLAUSES)})")
    assert len(CLAUSES) <= 15


def test_the_directorys_own_log_is_never_asked_for_whole():
    """Core Directory writes most of a tenant's records."""
    assert not any("Core Directory" in one.text for one in CLAUSES)


@pytest.mark.parametrize("activity", KNOWN.activities, ids=lambda one: one.name)
def test_every_known_activity_comes_by_a_clause(activity):
    """What the catalogue learns is fetched from then on, without another list."""
    record = {"activityDisplayName": activity.name, "loggedByService": activity.service}

    assert any(one.matches(record) for one in CLAUSES)


def test_a_clause_misses_what_came_under_another_name():
    """A record of ours that the service files elsewhere, or spells otherwise, still counts as one
    that the clause owes: so the probe sees that the filter would lose it.
    """
    [ours] = [one for one in CLAUSES if "Self-service Password" in one.text]

    assert ours.matches({"loggedByService": "self-service password management "})
    assert ours.matches({"activityDisplayName": "Self-serve password reset flow activity progress"})
    assert ours.matches(
        {"loggedByService": "SSPR", "activityDisplayName": "Reset password (by admin)"}
    )


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"loggedByService": None, "activityDisplayName": None},
        {"loggedByService": 7, "activityDisplayName": ["Reset user password"]},
        {"loggedByService": "Core Directory", "activityDisplayName": "Add member to group"},
    ],
)
def test_no_clause_claims_what_is_not_ours(record):
    """Records of other kinds, and of strange shapes, are nobody's."""
    assert not any(one.matches(record) for one in CLAUSES)


def test_what_the_numbers_rest_on_is_essential_and_what_explains_them_is_not():
    """Rare settings changes can never be proved by twenty events, and need not be."""
    essential = {one.text for one in CLAUSES if one.essential}

    assert "loggedByService eq 'Self-service Password Management'" in essential
    assert "loggedByService eq 'Authentication Methods'" in essential
    assert "activityDisplayName eq 'Reset user password'" in essential
    assert "loggedByService eq 'Conditional Access'" not in essential
    assert "activityDisplayName eq 'Disable password writeback for directory'" not in essential


def test_the_same_knowledge_gives_the_same_filter():
    """Coverage is kept by its text."""
    assert queries.narrow(queries.clauses(knowledge.load())) == queries.narrow(CLAUSES)


def test_a_quote_in_a_value_is_doubled():
    """It would end the text and begin something else."""
    assert queries.literal("O'Brien") == "'O''Brien'"


def test_a_time_is_asked_for_to_the_microsecond_and_in_utc():
    """Windows may end anywhere."""
    odd = datetime.fromisoformat("2026-11-20T13:00:00.000001+01:00")

    assert queries.moment(odd) == "2026-11-20T12:00:00.000001Z"


def test_a_collection_is_asked_for_whole_with_its_page_size():
    """Where the service takes none, none is sent."""
    assert DEVICES.query == "/v1.0/devices?$top=999"
    assert NAMED_LOCATIONS.query == "/v1.0/identity/conditionalAccess/namedLocations"


@pytest.mark.parametrize("collection", [COLLECTION, *CONTEXT], ids=lambda one: one.name)
def test_every_collection_has_a_pace(collection):
    """None is asked for without a limit."""
    assert collection.bucket in LIMITS


def test_the_service_takes_the_narrow_query_and_gives_what_the_clauses_claim():
    """Asked over a socket, the filter brings exactly the records that some clause matches."""
    at = NOON.replace(hour=6)
    records = [
        audit(at),
        audit(at, service="Authentication Methods", activity="User registered security info"),
        audit(at, service=CORE, activity="Reset user password"),
        audit(at, service=CORE, activity="Update user"),
        audit(at, service="Conditional Access", activity="Update conditional access policy"),
        audit(at, service="PIM", activity="Add member to role"),
    ]
    with Tenant(records, clock=Clock()) as tenant, Parts(tenant) as parts:
        pages = parts.graph.pages(COLLECTION, queries.audit_query(DAY, CLAUSES))
        got = {text for page in pages for text in page.records}
        owed = {row.text.encode() for row in tenant.graph.rows[AUDITS]}

    assert got < owed
    assert {one["id"] for one in records if any(c.matches(one) for c in CLAUSES)} == {
        re.search(rb'"id": ?"([^"]+)"', text)[1].decode() for text in got
    }
