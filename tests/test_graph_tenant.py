"""The fake tenant behaves as Graph is known to, and finds fault with careless clients.

Driven with plain httpx over real sockets: what these tests promise, the client's tests lean on.
"""

import base64
import json
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import graph_filter
import graph_tenant
import httpx
import pytest
from graph_clock import NOW, Clock, SharedClock
from graph_filter import Moment
from graph_records import (
    CORE,
    SSPR,
    audit,
    audits,
    device,
    guid,
    named_location,
    registration,
    sign_in,
    stamp,
)
from graph_tenant import (
    AUDITS,
    CONFIGURATION_POLICIES,
    DEVICES,
    MANAGED_DEVICES,
    NAMED_LOCATIONS,
    REGISTRATIONS,
    SIGN_INS,
    Tenant,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from sspr_audit.sources import demo

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Raw:
    """The least that can talk to a tenant: it paces itself on the clock, and nothing more."""

    def __init__(self, tenant):
        self.tenant, self.pause = tenant, 2.5
        context = ssl.create_default_context(cafile=tenant.ca)
        self.http = httpx.Client(verify=context, timeout=httpx.Timeout(20, read=20))
        self.token = None

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.http.close()

    def sign_in(self, **more):
        form = {
            "grant_type": "client_credentials",
            "client_id": self.tenant.client_id,
            "client_secret": self.tenant.secret,
            "scope": f"{self.tenant.url}/.default",
            **more,
        }
        answer = self.http.post(f"{self.tenant.authority}/oauth2/v2.0/token", data=form)
        self.token = answer.json().get("access_token")
        return answer

    def get(self, target, **headers):
        self.tenant.clock.sleep(self.pause)
        url = target if "://" in target else self.tenant.url + target
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        return self.http.get(url, headers=headers)

    def pages(self, target):
        while target:
            page = self.get(target).json()
            yield page["value"]
            target = page.get("@odata.nextLink")

    def ids(self, target):
        return [one["id"] for page in self.pages(target) for one in page]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tenant(clock):
    with Tenant(clock=clock) as one:
        yield one


@pytest.fixture
def raw(tenant):
    with Raw(tenant) as client:
        client.sign_in()
        yield client


def blamed(tenant):
    """Return what clients were blamed for, and forgive them."""
    found = [text.partition(": ")[2] for text in tenant.violations]
    tenant.violations.clear()
    return found


def between(start, end, **more):
    text = f"activityDateTime ge {stamp(start)} and activityDateTime lt {stamp(end)}"
    rest = "".join(f"&${name}={value}" for name, value in more.items())
    return f"{AUDITS}?$filter={text}{rest}"


def ids(records):
    return [one["id"] for one in records]


# --- lists, filters, pages ---


def test_a_window_is_handed_out_whole_newest_first(tenant, raw):
    """Pages of the size asked for, each record once, all the way to the last link."""
    records = audits(95, NOW - DAY, NOW)
    tenant.add(AUDITS, records)
    pages = list(raw.pages(between(NOW - DAY, NOW, top=20)))
    newest = sorted(records, key=lambda one: -Moment.of(one["activityDateTime"]).ticks)

    assert [len(page) for page in pages] == [20, 20, 20, 20, 15]
    assert [one["id"] for page in pages for one in page] == ids(newest)


def test_the_oldest_come_first_when_asked_for(tenant, raw):
    records = [audit(NOW - HOUR * n) for n in range(1, 6)]
    tenant.add(AUDITS, records)

    assert raw.ids(f"{AUDITS}?$orderby=activityDateTime") == ids(records)[::-1]
    assert raw.ids(f"{AUDITS}?$orderby=activityDateTime desc") == ids(records)


def test_a_page_holds_at_most_a_thousand(tenant, raw):
    """A larger $top is clamped."""
    tenant.add(AUDITS, audits(1001, NOW - DAY, NOW))

    assert [len(page) for page in raw.pages(f"{AUDITS}?$top=5000")] == [1000, 1]
    assert [len(page) for page in raw.pages(AUDITS)] == [1000, 1]


def test_a_window_ends_at_the_tick(tenant, raw):
    """Records of equal time at an edge are all inside, or all outside."""
    edge = NOW - HOUR
    inside = [audit(stamp(edge)), audit(stamp(edge)), audit(stamp(edge, 1))]
    outside = [audit(stamp(edge + HOUR / 2)), audit(stamp(edge - HOUR, 10**7 * 3599 + 9_999_999))]
    tenant.add(AUDITS, inside + outside)

    assert sorted(raw.ids(between(edge, edge + HOUR / 2))) == sorted(ids(inside))


def test_records_arrive_byte_for_byte(tenant, raw):
    """A text is sent as it is, with keys twice, odd blanks and numbers that JSON would round."""
    text = '{"id":"a" , "activityDateTime":"2026-11-20T10:00:00Z","x":1.10,"x":1e400}'
    tenant.add(AUDITS, [text])

    assert text in raw.get(AUDITS).text


def test_next_links_are_spelled_by_the_service(tenant, raw):
    """Lower-case percent signs, + for a blank: only a verbatim link is the same link."""
    tenant.add(AUDITS, audits(2, NOW - DAY, NOW))
    page = raw.get(between(NOW - DAY, NOW, top=1)).json()

    assert "T12%3a00%3a00Z+and+activityDateTime+lt+" in page["@odata.nextLink"]
    assert page["@odata.context"].endswith("/v1.0/$metadata#auditLogs/directoryAudits")
    assert raw.get(page["@odata.nextLink"]).json()["value"]
    assert tenant.requests[-1].site + tenant.requests[-1].target == page["@odata.nextLink"]


def test_the_demo_can_be_fetched(tenant, raw):
    """Four weeks of realistic flows, which end when the test clock begins."""
    records = demo.records()[-2_500:]
    tenant.add(AUDITS, records)

    assert sorted(raw.ids(f"{AUDITS}?$top=999")) == sorted(ids(records))


def test_what_comes_while_pages_are_read_is_not_on_them(tenant, raw):
    """A chain is a snapshot: late records need a new query."""
    first = audits(4, NOW - DAY, NOW)
    tenant.add(AUDITS, first)
    pages = raw.pages(f"{AUDITS}?$top=2")
    next(pages)
    tenant.add(AUDITS, [audit(NOW - HOUR)])

    assert len(list(pages)) == 1
    assert len(raw.ids(AUDITS)) == 5


def test_late_records_show_when_their_time_has_come(tenant, clock, raw):
    """An event of ten minutes ago may be seen only now."""
    late = audit(NOW - HOUR)
    tenant.add(AUDITS, [late], visible_at=clock.now() + timedelta(minutes=10))

    assert raw.ids(AUDITS) == []
    clock.advance(600)
    assert raw.ids(AUDITS) == [late["id"]]


def test_an_option_with_a_wrong_name_is_ignored_in_silence(tenant, raw):
    """So a mangled filter brings every record, as the service does."""
    tenant.add(AUDITS, audits(3, NOW - DAY, NOW))

    assert len(raw.ids(f"{AUDITS}?\\$filter=id eq 'none'")) == 3
    assert raw.ids(f"{AUDITS}?%24filter=id+eq+%27none%27") == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("$filter=createdDateTime ge 2026-11-20T00:00:00Z", "named 'createdDateTime'"),
        ("$filter=category eq 'UserManagement'", "named 'category'"),
        ("$filter=loggedByService ge 'a'", "Unsupported Query"),
        ("$filter=startswith(loggedByService,'Core')", "Unsupported Query"),
        ("$filter=activityDateTime ge '2026-11-20T00:00:00Z'", "incompatible types"),
        ("$filter=activityDateTime ge 2026-11-20", "Syntax error"),
        ("$filter=activityDateTime ge 2026-11-20T00:00:00.12345678Z", "Syntax error"),
        ("$filter=" + " or ".join(["id eq 'a'"] * 16), "Max allowed: 15"),
        ("$skip=10", "'Skip' is not allowed"),
        ("$count=true", "'Count' is not allowed"),
        ("$orderby=id", "Unsupported Query"),
        ("$top=0", "Invalid page size"),
        ("$top=all", "Invalid page size"),
    ],
)
def test_a_query_that_the_service_does_not_know_is_refused(raw, query, words):
    """400 BadRequest, in the service's words."""
    answer = raw.get(f"{AUDITS}?{query}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert words in answer.json()["error"]["message"]


def test_a_service_name_can_match_nothing(tenant, raw):
    """As loggedByService did for every value in 2018."""
    tenant.add(AUDITS, [audit(NOW - HOUR), audit(NOW - HOUR, service=CORE)])
    tenant.graph.unknown_values.add(SSPR)

    assert raw.ids(f"{AUDITS}?$filter=loggedByService eq '{SSPR}'") == []
    assert len(raw.ids(f"{AUDITS}?$filter=loggedByService eq '{CORE}'")) == 1


def test_a_window_can_be_too_heavy(tenant, raw):
    """504 for every window that is longer than the service bears, and for one without a start."""
    tenant.graph.heaviest = 6 * HOUR

    assert raw.get(between(NOW - 7 * HOUR, NOW)).status_code == 504
    assert raw.get(AUDITS).status_code == 504
    assert raw.get(between(NOW - 6 * HOUR, NOW)).status_code == 200
    assert raw.get(DEVICES).status_code == 200


def test_each_answer_has_its_ids_and_time(clock, raw):
    mine = {"client-request-id": guid(5), "return-client-request-id": "true"}
    answer = raw.get(AUDITS, **mine)

    assert answer.headers["client-request-id"] == guid(5)
    assert answer.headers["request-id"].startswith("00000000-")
    assert parsedate_to_datetime(answer.headers["date"]) == clock.now().replace(microsecond=0)
    assert "client-request-id" not in raw.get(AUDITS).headers


PLACES = st.integers(0, 40).map(lambda n: stamp(NOW - HOUR * (n // 2), n % 2))
CLAUSES = st.one_of(
    st.builds(
        "activityDateTime {} {}".format,
        st.sampled_from(["eq", "ge", "gt", "le", "lt"]),
        PLACES,
    ),
    st.sampled_from([SSPR, CORE]).map("loggedByService eq '{}'".format),
    st.sampled_from(["Self", "Add "]).map("startswith(activityDisplayName,'{}')".format),
)
FILTERS = st.recursive(
    CLAUSES,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=6,
)
MANY = [
    audit(stamp(NOW - HOUR * (n // 4), n % 2), **({"service": CORE} if n % 3 else {}))
    for n in range(80)
]


@pytest.fixture(scope="module")
def filled():
    with Tenant(MANY, clock=Clock()) as tenant, Raw(tenant) as raw:
        raw.sign_in()
        yield raw


@given(text=FILTERS, top=st.integers(5, 99), order=st.sampled_from(["", " desc"]))
@settings(max_examples=40)
def test_any_filter_gives_what_fits_and_nothing_else(filled, text, top, order):
    """Whatever the pages and the order: through the wire as in the hand."""
    tree = graph_filter.parse(text)
    found = filled.ids(f"{AUDITS}?$filter={text}&$top={top}&$orderby=activityDateTime{order}")
    fits = [one["id"] for one in MANY if graph_filter.matches(tree, one)]

    assert sorted(found) == sorted(fits)


# --- other collections, permissions, licences ---

LISTS = {
    SIGN_INS: sign_in(NOW - HOUR, guid(7)),
    DEVICES: device(1),
    NAMED_LOCATIONS: named_location("Lund", "192.0.2.0/24", "2001:db8::/32"),
    REGISTRATIONS: registration(1),
    MANAGED_DEVICES: {"id": guid(1), "azureADDeviceId": guid(2)},
    CONFIGURATION_POLICIES: {"id": guid(3), "name": "Reset"},
    f"{CONFIGURATION_POLICIES}/{guid(3)}/settings": {"id": "0", "settingInstance": {}},
}


@pytest.mark.parametrize("path", LISTS)
def test_context_is_listed(tenant, raw, path):
    tenant.add(path, [LISTS[path]])

    assert raw.get(path).json()["value"] == [LISTS[path]]


def test_sign_ins_of_some_people_around_a_time(tenant, raw):
    """The query that context needs: ids joined by `or`, inside a window."""
    wanted = [sign_in(NOW - HOUR, guid(n)) for n in (1, 2)]
    tenant.add(SIGN_INS, [*wanted, sign_in(NOW - HOUR, guid(3)), sign_in(NOW - DAY, guid(1))])
    people = " or ".join(f"userId eq '{guid(n)}'" for n in (1, 2))
    since = stamp(NOW - 2 * HOUR)

    found = raw.ids(f"{SIGN_INS}?$filter=createdDateTime ge {since} and ({people})")
    assert sorted(found) == sorted(ids(wanted))


def test_a_sign_in_may_say_something_else_later(tenant, raw):
    """Details of the second factor are merged in hours later; the id stays."""
    first = sign_in(NOW - HOUR, guid(7))
    tenant.add(SIGN_INS, [first])
    tenant.replace(SIGN_INS, {**first, "riskState": "none"})

    assert raw.get(SIGN_INS).json()["value"] == [{**first, "riskState": "none"}]
    with pytest.raises(ValueError, match="no record"):
        tenant.replace(SIGN_INS, sign_in(NOW, guid(7)))


def test_only_the_columns_asked_for(tenant, raw):
    tenant.add(DEVICES, [device(1)])

    assert raw.get(f"{DEVICES}?$select=trustType").json()["value"] == [
        {"id": guid(1), "trustType": "ServerAd"}
    ]


@pytest.mark.parametrize(
    ("path", "permission", "code"),
    [
        (AUDITS, "AuditLog.Read.All", "Authentication_MSGraphPermissionMissing"),
        (NAMED_LOCATIONS, "Policy.Read.All", "AccessDenied"),
        (DEVICES, "Device.Read.All", "Authorization_RequestDenied"),
        (CONFIGURATION_POLICIES, "DeviceManagementConfiguration.Read.All", "Forbidden"),
    ],
)
def test_each_collection_has_its_permission(tenant, raw, path, permission, code):
    """Without it, 403 with the code of that part of the service; no other one is needed."""
    tenant.graph.permissions.remove(permission)
    answer = raw.get(path)
    tenant.graph.permissions = {permission}

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    assert permission in answer.json()["error"]["message"]
    assert raw.get(path).status_code == 200


def test_a_free_tenant_keeps_a_week_and_has_no_sign_ins(tenant, raw):
    """Audits are 7 days old at most, else 30; sign-ins and registrations need P1."""
    kept, older, oldest = (audit(NOW - n * DAY) for n in (6, 8, 31))
    tenant.add(AUDITS, [kept, older, oldest])
    assert raw.ids(AUDITS) == ids([kept, older])
    tenant.graph.licence = "free"

    assert raw.ids(AUDITS) == [kept["id"]]
    codes = {raw.get(path).json()["error"]["code"] for path in (SIGN_INS, REGISTRATIONS)}
    assert codes == {"Authentication_RequestFromNonPremiumTenantOrB2CTenant"}


def test_a_path_that_is_not_served_is_refused(raw):
    assert raw.get("/v1.0/auditLogs/nothing").status_code == 400


# --- faults, each once ---


@pytest.mark.parametrize("code", [400, 408, 410, 429, 500, 502, 503, 504, 509])
def test_a_status_strikes_once_and_then_all_is_well(tenant, raw, code):
    tenant.fault(code)
    first, second = raw.get(AUDITS), raw.get(AUDITS)

    assert (first.status_code, second.status_code) == (code, 200)
    assert first.json()["error"]["message"]
    assert "retry-after" not in first.headers


def test_retry_after_comes_in_seconds_or_as_a_date(tenant, clock, raw):
    until = (clock.now() + timedelta(seconds=30)).replace(microsecond=0)
    tenant.fault(429, retry_after=7)
    tenant.fault(503, retry_after=until)
    first = raw.get(AUDITS)
    clock.sleep(7)
    second = raw.get(AUDITS)
    clock.sleep(30)

    assert first.headers["retry-after"] == "7"
    assert parsedate_to_datetime(second.headers["retry-after"]) == until


def test_a_fault_strikes_where_and_as_often_as_it_is_told(tenant, raw):
    """By a word of the request, from the nth that fits, so many times."""
    fault = tenant.fault(500, on="signIns", nth=2, times=2)
    answers = [raw.get(path).status_code for path in (SIGN_INS, AUDITS, *[SIGN_INS] * 3)]

    assert answers == [200, 200, 500, 500, 200]
    assert fault.struck == 2


def test_a_fault_for_ever_never_ends(tenant, raw):
    tenant.fault(503, times=None)

    assert [raw.get(AUDITS).status_code for _ in range(4)] == [503] * 4


def test_a_named_error_is_told_as_it_was_named(tenant, raw):
    """With the service's own words for it, unless others are given."""
    name = "Authentication_ApplicationHasNoDirectoryReadAccess"
    tenant.fault(403, name=name)
    tenant.fault(403, name=name, message="No.")
    first, second = (raw.get(AUDITS).json()["error"] for _ in range(2))

    assert first["code"] == second["code"] == name
    assert "license check from ADGraph" in first["message"]
    assert second["message"] == "No."


def test_a_token_can_expire_at_once(tenant, raw):
    """And a new one is good."""
    tenant.fault("expired")
    answer = raw.get(AUDITS)
    raw.sign_in()

    assert (answer.status_code, answer.json()["error"]["code"]) == (
        401,
        "InvalidAuthenticationToken",
    )
    assert raw.get(AUDITS).status_code == 200


def test_a_token_lives_an_hour(clock, raw):
    clock.advance(3600)

    assert "expired" in raw.get(AUDITS).json()["error"]["message"]


def test_a_claims_challenge_holds_until_it_is_answered(tenant, raw):
    """A new token is no help, nor one with other claims; one with these claims is."""
    tenant.fault("claims")
    told = raw.get(AUDITS).headers["www-authenticate"]
    raw.sign_in(claims='{"access_token":{"xms_cc":{"values":["CP1"]}}}')
    again = raw.get(AUDITS)
    claims = base64.b64decode(told.partition('claims="')[2].rstrip('"')).decode()
    raw.sign_in(claims=claims)

    assert 'error="insufficient_claims"' in told
    assert again.status_code == 401
    assert raw.get(AUDITS).status_code == 200


def test_a_connection_is_reset_before_the_answer(tenant, raw):
    tenant.fault("reset")
    with pytest.raises(httpx.TransportError):
        raw.get(AUDITS)

    assert raw.get(AUDITS).status_code == 200


def test_a_connection_is_reset_in_the_middle_of_the_answer(tenant, raw):
    tenant.add(AUDITS, audits(50, NOW - DAY, NOW))
    tenant.fault("cut-off")
    with pytest.raises(httpx.TransportError):
        raw.get(AUDITS)

    assert len(raw.ids(AUDITS)) == 50


def test_an_answer_that_never_comes(tenant, clock, raw):
    """Only the client's own limit ends it; by the clock that takes what the test says."""
    raw.http.timeout = httpx.Timeout(5, read=0.2)
    tenant.fault("hang", seconds=180)
    with pytest.raises(httpx.ReadTimeout):
        raw.get(AUDITS)

    assert clock.now() - NOW >= timedelta(seconds=180)


def test_an_answer_that_takes_long(tenant, clock, raw):
    tenant.fault("slow", seconds=100)

    assert raw.get(AUDITS).status_code == 200
    assert clock.now() - NOW >= timedelta(seconds=100)


@pytest.mark.parametrize("kind", ["cut-json", "broken-json"])
def test_a_200_may_hold_broken_json(tenant, raw, kind):
    """Whole for HTTP, and no JSON; the error object is streamed into the page or missing."""
    tenant.add(AUDITS, audits(5, NOW - DAY, NOW))
    tenant.fault(kind)
    answer = raw.get(AUDITS)

    assert answer.status_code == 200
    assert ('"error"' in answer.text) is (kind == "broken-json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_one_record_can_break_every_page_that_holds_it(tenant, raw):
    """The windows around it are well."""
    good, ill = audit(NOW - HOUR), audit(NOW - 2 * HOUR)
    tenant.add(AUDITS, [good, ill])
    tenant.graph.poisoned.add(ill["id"])

    with pytest.raises(json.JSONDecodeError):
        raw.get(AUDITS).json()
    assert raw.ids(between(NOW - HOUR, NOW)) == [good["id"]]


def test_a_200_may_be_an_error(tenant, raw):
    tenant.fault("error-in-200")
    answer = raw.get(AUDITS)

    assert (answer.status_code, list(answer.json())) == (200, ["error"])


def test_a_captive_portal_answers_in_html(tenant, raw):
    tenant.fault("portal")
    tenant.fault("portal", where="sign-in")

    assert raw.get(AUDITS).headers["content-type"] == "text/html"
    assert "guest network" in raw.http.get(f"{tenant.authority}/v2.0/").text


def test_a_next_link_may_lead_to_its_own_page(tenant, raw):
    tenant.add(AUDITS, audits(3, NOW - DAY, NOW))
    tenant.fault("repeat-link", on="skiptoken")
    first = raw.get(f"{AUDITS}?$top=1").json()
    second = raw.get(first["@odata.nextLink"]).json()

    assert second["@odata.nextLink"] == first["@odata.nextLink"]


def test_a_new_link_may_lead_to_known_records(tenant, raw):
    """For ever, if it is told to."""
    tenant.add(AUDITS, audits(4, NOW - DAY, NOW))
    tenant.fault("repeat-page", nth=2)
    pages = list(raw.pages(f"{AUDITS}?$top=2"))

    assert [ids(page) for page in pages[1:]] == [ids(pages[1])] * 2


def test_a_page_may_be_empty_and_not_the_last(tenant, raw):
    tenant.add(AUDITS, audits(4, NOW - DAY, NOW))
    tenant.fault("empty-page")
    tenant.fault("empty-page", on="skiptoken", nth=2)

    assert [len(page) for page in raw.pages(f"{AUDITS}?$top=2")] == [0, 2, 0, 2]


def test_a_next_link_may_be_forgotten(tenant, raw):
    """400, on following pages only."""
    tenant.add(AUDITS, audits(2, NOW - DAY, NOW))
    tenant.fault("lost-skip-token")
    answer = raw.get(raw.get(f"{AUDITS}?$top=1").json()["@odata.nextLink"])

    assert (answer.status_code, "Invalid Skip Token" in answer.text) == (400, True)


def test_a_filter_may_be_ignored(tenant, raw):
    """With its next links, which still echo the filter."""
    tenant.add(AUDITS, audits(4, NOW - DAY, NOW))
    tenant.fault("unfiltered")

    assert [len(page) for page in raw.pages(f"{AUDITS}?$filter=id eq 'a'&$top=2")] == [2, 2]


def test_a_next_link_may_forget_its_filter(tenant, raw):
    tenant.add(AUDITS, audits(4, NOW - DAY, NOW))
    tenant.fault("unfiltered", echoed=False)
    page = raw.get(f"{AUDITS}?$filter=id eq 'a'&$top=2").json()

    assert "filter" not in page["@odata.nextLink"]


def test_an_answer_may_not_be_unpacked(tenant, raw):
    tenant.fault("bad-gzip")
    with pytest.raises(httpx.DecodingError):
        raw.get(AUDITS)


def test_a_client_may_be_sent_elsewhere(tenant, raw):
    """To a server that must not see its token."""
    tenant.fault("redirect")
    told = raw.get(AUDITS)
    raw.get(told.headers["location"])

    assert told.status_code == 302
    assert blamed(tenant) == ["sent a token elsewhere than to Graph"]


def test_a_proxy_may_want_a_user(tenant):
    """The plain port is such a proxy."""
    trust = ssl.create_default_context(cafile=tenant.ca)
    client = httpx.Client(verify=trust, proxy=tenant.plain)
    with client, pytest.raises(httpx.ProxyError, match="407"):
        client.get(tenant.url + AUDITS)


# --- what a client is blamed for ---


@pytest.mark.parametrize("to", ["host", "port", "scheme", "collection", "version"])
def test_a_client_that_follows_a_link_out_of_the_collection_is_blamed(tenant, raw, to):
    """And so is one that shows its token there."""
    tenant.fault("foreign-link", to=to)
    raw.get(raw.get(AUDITS).json()["@odata.nextLink"])
    blames = blamed(tenant)

    assert "followed a link that leaves the collection" in blames
    outside = to in {"host", "port", "scheme"}
    assert ("sent a token elsewhere than to Graph" in blames) is outside


def test_a_token_belongs_to_graph_alone(tenant, raw):
    raw.get(f"{tenant.authority}/v2.0/.well-known/openid-configuration")

    assert blamed(tenant) == ["sent a token elsewhere than to Graph"]


@pytest.mark.parametrize("told", [10, NOW + timedelta(seconds=12)])
def test_a_client_that_retries_too_early_is_blamed(tenant, clock, raw, told):
    """A tenth of a second is too early; the moment itself isn't."""
    raw.pause = 0
    clock.advance(2)
    tenant.fault(429, retry_after=told)
    raw.get(AUDITS)
    clock.sleep(9.9)
    raw.get(AUDITS)
    assert blamed(tenant) == ["came 0.1 s before the Retry-After of reports ended"]
    clock.sleep(0.1)
    raw.get(AUDITS)

    assert blamed(tenant) == []


def test_a_retry_after_holds_its_own_bucket_back_and_no_other(tenant, clock, raw):
    tenant.fault(429, retry_after=100)
    raw.get(AUDITS)
    raw.get(DEVICES)
    raw.get(SIGN_INS)

    assert blamed(tenant) == ["came 95 s before the Retry-After of reports ended"]
    clock.sleep(100)


def test_more_than_five_reports_in_ten_seconds_are_too_many(tenant, clock, raw):
    """Over any ten seconds; the service throttles then, and the client is blamed."""
    raw.pause = 0
    for wait in (0, 4, 0, 0, 5.9, 0.1):  # the sixth comes ten seconds after the first
        clock.sleep(wait)
        assert raw.get(AUDITS).status_code == 200
    assert blamed(tenant) == []

    assert raw.get(SIGN_INS).status_code == 429
    assert blamed(tenant) == ["is number 6 of reports within 10 s"]
    clock.sleep(10)


def test_the_limit_counts_all_clients_together(tenant, raw):
    """And it counts them one after the other, however many come at once."""
    raw.pause = 0
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(one.status_code for one in pool.map(raw.get, [AUDITS] * 6))

    assert statuses == [200, 200, 200, 200, 200, 429]
    assert blamed(tenant) == ["is number 6 of reports within 10 s"]
    assert [one.number for one in tenant.requests] == list(range(1, 8))


def test_named_locations_bear_one_request_a_second(tenant, raw):
    """And are throttled without a Retry-After."""
    raw.pause = 0
    answers = [raw.get(NAMED_LOCATIONS) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 429]
    assert "retry-after" not in answers[1].headers
    assert blamed(tenant) == ["is number 2 of conditional-access within 1 s"]


def test_a_client_that_changes_a_next_link_is_blamed(tenant, raw):
    """A parameter more, another spelling, a token of its own: all are changes."""
    tenant.add(AUDITS, audits(3, NOW - DAY, NOW))
    link = raw.get(between(NOW - DAY, NOW, top=1)).json()["@odata.nextLink"]
    token = link.partition("$skiptoken=")[2]
    for changed in (f"{link}&$top=1", link.replace("%3a", ":"), f"{AUDITS}?$skiptoken={token}x"):
        raw.get(changed)

    assert blamed(tenant) == ["changed a next link, or made one up"] * 3


def test_a_client_that_shows_an_expired_token_twice_is_blamed(tenant, raw):
    tenant.fault("expired")
    raw.get(AUDITS)
    assert blamed(tenant) == []
    raw.get(AUDITS)

    assert blamed(tenant) == ["used an expired token again"]


def strays(clock):
    with Tenant(clock=clock) as tenant, Raw(tenant) as raw:
        raw.get("/")


def test_a_violation_fails_the_test(clock):
    with pytest.raises(AssertionError, match="sent a token elsewhere than to Graph"):
        strays(clock)


def test_a_fault_that_never_struck_fails_the_test(clock):
    """Otherwise a test could pass because nothing went wrong."""
    with pytest.raises(AssertionError, match="cut-json never struck"), Tenant(clock=clock) as one:
        one.fault("cut-json")


def fails(clock):
    with Tenant(clock=clock) as tenant:
        tenant.fault("cut-json")
        raise ZeroDivisionError


def test_the_first_failure_of_a_test_is_the_one_that_is_told(clock):
    """What the tenant has to say comes second."""
    with pytest.raises(ZeroDivisionError):
        fails(clock)


def test_a_fault_has_a_known_name(tenant):
    with pytest.raises(ValueError, match=r"no fault is called earthquake; there are .*cut-json"):
        tenant.fault("earthquake")


def test_a_tenant_leaves_nothing_behind(clock):
    """No thread, and no open port; even while a client still waits for an answer."""
    before, reached = threading.active_count(), threading.Event()
    with Tenant(clock=clock) as tenant, ThreadPoolExecutor(1) as pool, Raw(tenant) as raw:
        tenant.fault("hang", on=lambda _request: reached.set() or True)
        waiting = pool.submit(raw.get, AUDITS)
        assert reached.wait(20)
        tenant.__exit__(None, None, None)
        assert isinstance(waiting.exception(), httpx.TransportError)
        with pytest.raises(httpx.ConnectError):
            raw.get(AUDITS)

    assert threading.active_count() == before


# --- the log and the clock ---


def test_every_request_is_logged(tenant, clock, raw):
    """With its time, its way, its bucket, and whether it carried a token, and with no secret."""
    raw.get(f"{DEVICES}?$select=id")
    kinds = [(one.method, one.bucket, one.signed) for one in tenant.requests]

    assert kinds == [("POST", "sign-in", False), ("GET", "directory", True)]
    assert tenant.requests[-1].at == clock.now()
    assert tenant.requests[-1].options == {"$select": "id"}
    assert [one.number for one in tenant.asked("devices?$select")] == [2]
    assert not any(secret in repr(tenant.requests) for secret in tenant.canaries)
    assert {tenant.secret, raw.token} <= tenant.canaries


def test_sleepers_move_the_clock_and_are_counted(clock):
    clock.sleep(2.5)
    clock.advance(10)

    assert clock.now() == NOW + timedelta(seconds=12.5)
    assert clock.slept == [2.5]


def test_processes_can_share_a_clock(tmp_path):
    """What one sleeps, the other sees; a new one takes the time as it stands."""
    path = tmp_path / "clock"
    one = SharedClock(path)
    one.sleep(60)
    code = "import sys, graph_clock; graph_clock.SharedClock(sys.argv[1]).sleep(0.5)"
    folder = Path(graph_tenant.__file__).parent
    subprocess.run([sys.executable, "-c", code, path], cwd=folder, check=True)

    assert one.now() == SharedClock(path).now() == NOW + timedelta(seconds=60.5)


def test_the_tenant_knows_nothing_of_what_it_tests():
    """Or it would repeat its mistakes."""
    folder = Path(graph_tenant.__file__).parent
    sources = [path.read_text("utf-8") for path in folder.glob("graph_*.py")]

    assert len(sources) > 5
    assert not [text for text in sources if "import sspr_audit" in text or "from sspr_" in text]
