"""The client against a tenant that fails: nothing lost, nothing doubled, none believed blindly."""

import json
import logging
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from graph_credentials import key_pair
from graph_records import audits
from graph_tenant import AUDITS, CONFIGURATION_POLICIES, DEVICES, NOW, Clock, Tenant
from parts import Parts
from test_graph_auth import shown

from sspr_audit.errors import ServiceUnreachable
from sspr_audit.model import Window
from sspr_audit.sources.graph import answers, queries
from sspr_audit.sources.graph import collections as known
from sspr_audit.sources.graph.app import Secret
from sspr_audit.sources.graph.errors import ChainBroken, NotOffered, Refused, TooHeavy, Unproved

DAY = Window(NOW - timedelta(days=1), NOW)
QUERY = queries.audit_query(DAY).replace("$top=999", "$top=100")
MANY = audits(250, DAY.start, DAY.end - timedelta(seconds=1))


@pytest.fixture
def tenant():
    with Tenant(MANY, clock=Clock()) as one:
        yield one


def pages(parts, collection=known.AUDITS, query=QUERY):
    return list(parts.graph.pages(collection, query))


def fetched(parts, collection=known.AUDITS, query=QUERY):
    return [text for page in pages(parts, collection, query) for text in page.records]


def texts(tenant, path=AUDITS):
    return Counter(row.text.encode() for row in tenant.graph.rows[path])


def test_every_record_comes_once_and_untouched(tenant):
    """Byte for byte what Graph wrote, in as many requests as there are pages."""
    with Parts(tenant) as parts:
        got = pages(parts)

    assert Counter(text for page in got for text in page.records) == texts(tenant)
    assert [(page.number, len(page.records)) for page in got] == [(1, 100), (2, 100), (3, 50)]
    assert parts.graph.requests == {"directoryAudits": 3}
    assert all(page.request_id for page in got)


def test_a_text_is_not_made_nicer():
    """Blanks, escapes, repeated keys and long numbers stay as they were written."""
    odd = (
        '{ "id":"a\\u00e9\\/b",  "activityDateTime": "2026-11-20T11:00:00.1234567Z","n":1.50e2,'
        '"big":123456789012345678901234567890 ,"id2":"ä€𝄞","id2":"twice", "x":{"y":[ ]}}'
    )
    with Tenant([odd], clock=Clock()) as tenant, Parts(tenant) as parts:
        assert fetched(parts) == [odd.encode()]


def test_a_window_without_records_is_one_empty_page():
    """Nothing happened, and that was answered."""
    with Tenant(clock=Clock()) as tenant, Parts(tenant) as parts:
        assert [page.records for page in pages(parts)] == [()]


def test_the_pace_is_kept_over_many_pages():
    """The tenant finds fault with a fifth request within ten seconds; the wait is counted."""
    records = audits(700, DAY.start, DAY.end - timedelta(seconds=1))
    with Tenant(records, clock=Clock()) as tenant, Parts(tenant) as parts:
        assert len(fetched(parts)) == 700

        assert parts.graph.waited == sum(tenant.clock.slept) == 10


def test_each_request_can_be_named_to_support(tenant):
    """Our own id goes out with each, never twice the same."""
    with Parts(tenant) as parts:
        fetched(parts)
        answer = parts.graph.get(tenant.url + known.AUDITS.query, known.AUDITS)
    ids = [one.headers["client-request-id"] for one in tenant.asked()]

    assert len(set(ids)) == len(ids) == 4
    assert answer.client_request_id == ids[-1]
    assert answer.request_id
    assert answer.date
    assert json.loads(answer.body)["value"]


def test_a_count_can_be_kept_by_purpose(tenant):
    """Probes and context are reported apart from the fetch."""
    with Parts(tenant) as parts:
        list(parts.graph.pages(known.AUDITS, QUERY, kind="probe"))

    assert parts.graph.requests == {"probe": 3}


PAGES = 3
PASSING = [
    *(429, 500, 502, 503, 504, 408, 509),
    *("reset", "cut-off", "cut-json", "broken-json", "error-in-200", "empty-page", "expired"),
    "claims",
]


@pytest.mark.parametrize(
    ("kind", "nth"),
    [
        (kind, nth)
        for kind in PASSING
        for nth in range(1, PAGES + 1)
        if (kind, nth) != ("empty-page", PAGES)  # the last page has no next link to lead on
    ],
)
def test_a_fault_that_passes_costs_no_record_and_doubles_none(tenant, kind, nth):
    """On the first page, in the middle and at the end."""
    tenant.fault(kind, nth=nth)
    with Parts(tenant) as parts:
        assert Counter(fetched(parts)) == texts(tenant)


@pytest.mark.parametrize("code", [429, 503, 504])
def test_what_the_service_asks_for_is_kept_to_the_second(tenant, code):
    """Not earlier, which the tenant would blame, and not later; in seconds and as a date."""
    tenant.fault(code, nth=2, retry_after=30)
    tenant.fault(code, nth=3, retry_after=NOW + timedelta(seconds=50))
    with Parts(tenant) as parts:
        assert len(fetched(parts)) == 250

    assert tenant.clock.now() - NOW == timedelta(seconds=50)
    assert sum(tenant.clock.slept) == 50


def test_a_date_to_wait_for_is_read_by_the_services_clock(tenant):
    """This machine's may be off by a day."""

    def skewed(request):
        now = datetime(2026, 11, 19, 12, tzinfo=UTC)
        stamp = {"Date": "Thu, 19 Nov 2026 12:00:00 GMT"}
        if now and not seen:
            seen.append(request)
            return httpx.Response(
                429, headers={**stamp, "Retry-After": "Thu, 19 Nov 2026 12:00:25 GMT"}
            )
        return httpx.Response(200, json={"value": []}, headers=stamp)

    seen = []
    with Parts(tenant) as parts:
        parts.sign_in.token()
        parts.graph._http = httpx.Client(transport=httpx.MockTransport(skewed))  # noqa: SLF001
        pages(parts)

    assert tenant.clock.slept == [25]


def test_without_a_word_from_the_service_pauses_double(tenant):
    """2, 4, 8, 16 and 32 seconds, a little longer by the dice, and never in step with others."""
    tenant.fault(503, times=5)
    with Parts(tenant) as parts:
        fetched(parts)
    pauses = tenant.clock.slept

    assert [round(one / pauses[0], 3) for one in pauses[:5]] == [1, 2, 4, 8, 16]
    assert 2 <= pauses[0] <= 2.2
    assert len(parts.notes) == 5
    assert "503" in parts.notes[0]


@pytest.mark.parametrize(
    ("kind", "tries"),
    [(429, 6), (500, 6), (503, 6), ("cut-json", 6), ("broken-json", 6), ("reset", 6), (504, 3)],
)
def test_what_does_not_pass_is_too_heavy(tenant, kind, tries):
    """After a bounded number of tries the caller may ask for less; it is not an empty day."""
    tenant.fault(kind, times=None)
    with Parts(tenant) as parts, pytest.raises(TooHeavy):
        pages(parts)

    assert len(tenant.asked()) == tries


def test_an_answer_that_takes_too_long_is_too_heavy(tenant):
    """Three patient tries, and then a shorter window is better."""
    tenant.fault("hang", times=None, seconds=180)
    with Parts(tenant) as parts:
        parts.http.timeout = httpx.Timeout(0.2)
        with pytest.raises(TooHeavy, match="within"):
            pages(parts)

    assert len(tenant.asked()) == 3


def test_a_service_that_wants_a_day_of_rest_ends_the_run(tenant):
    """Nobody sits and waits for that; the run says when to come again."""
    tenant.fault(503, retry_after=86_400)
    with Parts(tenant) as parts, pytest.raises(ServiceUnreachable, match="86400 s"):
        pages(parts)

    assert tenant.clock.slept == []


@pytest.mark.parametrize(("kind", "requests"), [("repeat-link", 1), ("repeat-page", 2)])
def test_a_chain_that_goes_in_circles_is_broken(tenant, kind, requests):
    """By its link, or by its records under a new link."""
    tenant.fault(kind)
    with Parts(tenant) as parts, pytest.raises(ChainBroken):
        pages(parts)

    assert len(tenant.asked()) == requests


def test_empty_pages_do_not_go_on_for_ever(tenant):
    """One is nothing to remark on, a hundred in a row are."""
    tenant.fault("empty-page", times=None)
    with Parts(tenant) as parts, pytest.raises(ChainBroken):
        pages(parts)


@pytest.mark.parametrize("kind", ["lost-skip-token", 410, 404])
def test_a_next_page_that_is_not_known_any_more_breaks_the_chain(tenant, kind):
    """The window must be asked for again; what came is no whole answer."""
    tenant.fault(kind, nth=1, on="skiptoken")
    with Parts(tenant) as parts, pytest.raises(ChainBroken):
        pages(parts)


@pytest.mark.parametrize("to", ["host", "port", "scheme", "collection", "version"])
def test_a_link_that_leads_elsewhere_is_never_followed(tenant, to):
    """The token would go with it."""
    tenant.fault("foreign-link", to=to)
    with Parts(tenant) as parts, pytest.raises(Unproved, match="nothing was sent there"):
        pages(parts)

    assert len(tenant.asked()) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://user:word@{host}{path}",
        "https://{host}.example.com{path}",
        "https://{host}@example.com{path}",
        "//example.com{path}",
        "{path}",
        "https://{host}{path}/../users",
        "https://[{path}",
        "file://{path}",
        "",
    ],
)
def test_a_link_of_a_strange_shape_is_never_followed(tenant, link):
    """Whatever another parser would make of it."""
    path = known.AUDITS.address
    link = link.format(host=httpx.URL(tenant.url).netloc.decode(), path=path)
    answer = {"value": [{"id": "a"}], "@odata.nextLink": link}
    sent = []

    def serve(request):
        sent.append(request)
        return httpx.Response(200, json=answer)

    with Parts(tenant) as parts:
        parts.sign_in.token()
        parts.graph._http = httpx.Client(transport=httpx.MockTransport(serve))  # noqa: SLF001
        with pytest.raises(Unproved):
            pages(parts)

    assert len(sent) == 1


def test_a_captive_portal_is_no_empty_day(tenant):
    """A page for people: nothing is covered, and the sentence says what it was."""
    tenant.fault("portal")
    with Parts(tenant) as parts, pytest.raises(ServiceUnreachable, match="sign in to the network"):
        pages(parts)

    assert len(tenant.asked()) == 1


@pytest.mark.parametrize("body", [b"{}", b'{"value":{}}', b'{"value":"x"}', b"[]", b"1", b""])
def test_an_answer_of_another_shape_is_no_empty_day(tenant, body):
    """Valid JSON that is no page proves nothing."""

    def serve(_request):
        return httpx.Response(200, content=body)

    with Parts(tenant) as parts:
        parts.sign_in.token()
        parts.graph._http = httpx.Client(transport=httpx.MockTransport(serve))  # noqa: SLF001
        with pytest.raises(ServiceUnreachable):
            pages(parts)


def test_a_redirect_is_not_followed(tenant):
    """Graph never redirects; whoever does would get the token."""
    away = httpx.Response(302, headers={"Location": "https://example.com/"})
    with Parts(tenant) as parts:
        parts.sign_in.token()
        transport = httpx.MockTransport(lambda _: away)
        parts.graph._http = httpx.Client(transport=transport)  # noqa: SLF001
        with pytest.raises(ServiceUnreachable, match="302"):
            pages(parts)


def test_a_token_that_ends_on_the_way_is_replaced(tenant):
    """A pull of hours outlives its token; no expired one is sent twice."""
    with Parts(tenant) as parts:
        parts.sign_in.token()
        tenant.clock.advance(3_600)

        assert len(fetched(parts)) == 250


def test_a_token_that_stays_refused_is_told(tenant):
    """One new token, and then the code."""
    tenant.fault(401, times=2)
    with Parts(tenant) as parts, pytest.raises(Refused, match="InvalidAuthenticationToken"):
        pages(parts)

    assert len(tenant.asked()) == 2


@pytest.mark.parametrize(
    ("collection", "path"),
    [(known.DEVICES, DEVICES), (known.CONFIGURATION_POLICIES, CONFIGURATION_POLICIES)],
    ids=["devices", "policies"],
)
def test_a_missing_permission_is_told_by_its_name(tenant, collection, path):
    """Each collection has its own, and Graph a code for the lack of it."""
    tenant.add(path, [])
    tenant.graph.permissions.clear()
    with Parts(tenant) as parts, pytest.raises(Refused, match=re.escape(collection.permission)):
        pages(parts, collection, collection.query)

    assert len(tenant.asked()) == 1


def test_a_tenant_without_a_licence_is_told_so_after_one_more_try(tenant):
    """Graph is known to say so now and then where it is not true."""
    tenant.graph.licence = "free"
    query = f"{known.SIGN_INS.address}?$top=1"
    with Parts(tenant) as parts, pytest.raises(Refused, match="Entra ID P1 or P2"):
        pages(parts, known.SIGN_INS, query)

    assert len(tenant.asked()) == 2


def test_a_no_that_was_a_slip_is_not_believed_at_once(tenant):
    """A 400 UnknownError and a 403 about the licence both pass on the second try."""
    tenant.fault(400)
    tenant.fault(403, nth=2, name="Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    with Parts(tenant) as parts:
        assert len(fetched(parts)) == 250


def test_a_question_that_graph_does_not_take_is_told_apart(tenant):
    """The caller can ask in another way."""
    query = queries.filtered(known.AUDITS, "category eq 'UserManagement'")
    with Parts(tenant) as parts, pytest.raises(NotOffered) as caught:
        pages(parts, known.AUDITS, query)

    assert (caught.value.status, caught.value.code) == (400, "BadRequest")


def test_nothing_answers_where_nobody_listens(tenant):
    """After six tries it is the network, not a heavy question."""
    with Parts(tenant) as parts:
        parts.sign_in.token()
        parts.graph._root = httpx.URL("https://127.0.0.1:9")  # noqa: SLF001
        with pytest.raises(ServiceUnreachable, match=r"127\.0\.0\.1 does not answer") as caught:
            pages(parts)

    assert not isinstance(caught.value, TooHeavy)


def test_an_answer_of_endless_brackets_is_none_of_graphs():
    """A stranger on the way may send anything; it is refused, and never a bug of ours."""
    deep = b'{"value":[{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}]}"

    with pytest.raises(Unproved, match="a shape that it never has"):
        answers.answer(httpx.Response(200, content=deep), "id")
    assert answers.error_code(httpx.Response(400, content=deep)) == ""


@pytest.mark.parametrize("fault", [401, 403, "reset", "cut-json", "portal", "foreign-link"])
def test_nothing_that_is_written_holds_a_token(tenant, fault, caplog, capsys):
    """Not a log at its most talkative, not a note, not an error, not a traceback with values."""
    caplog.set_level(logging.DEBUG)
    options = {"to": "port"} if fault == "foreign-link" else {}
    tenant.fault(fault, times=None if fault != "foreign-link" else 1, **options)
    proof = {"certificate_password": Secret("canary-password")}
    tenant.canaries.add("canary-password")
    assert key_pair()
    with Parts(tenant, **proof) as parts:
        for name in ("httpx", "httpcore", "msal", "tenacity"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        with pytest.raises((Refused, ServiceUnreachable)) as caught:
            pages(parts)
        seen = [shown(caught.value), *parts.notes, repr(parts.graph), repr(vars(parts.graph))]
    seen += [caplog.text, repr([vars(one) for one in caplog.records]), *capsys.readouterr()]

    assert len(tenant.sign_in.tokens) > 0
    assert not [one for one in tenant.canaries if one in "\n".join(seen)]
