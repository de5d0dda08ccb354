"""Answers that nobody at Microsoft wrote: each ends in a sentence or in records, never in a bug."""

import base64
import json

import httpx
import pytest
from fetch import DAY, HOUR, NOW, records, texts, world
from graph_records import audit
from graph_tenant import AUDITS, DEVICES, Clock, Tenant
from parts import Parts

from sspr_audit.errors import AccessDenied, ServiceUnreachable
from sspr_audit.model import Window
from sspr_audit.sources.graph import answers, following, intune, reading, skew
from sspr_audit.sources.graph import collections as known
from sspr_audit.sources.graph.answers import Page
from sspr_audit.sources.graph.errors import TooHeavy, Unproved

SPAN = Window(NOW - DAY, NOW)
PORTAL = {"Content-Type": "text/html; charset=utf-8"}
HALF = "\\ud83d"
"""Half of a character, as it stands in JSON where a text was cut in its middle."""


@pytest.fixture
def made():
    return records(60)


@pytest.fixture
def small(tmp_path, made):
    """A tenant with 60 records of three days on pages of 20, and an empty folder."""
    with world(tmp_path, made, page=20) as one:
        yield one


def page(text):
    return Page((text.encode(),), "request", 1, is_last=True)


# Links


@pytest.mark.parametrize(
    "host",
    [
        "xn--a",  # no name that punycode can give
        "xn--0000h",
        "graph.microsoft.com\\@example.com",
        "graph.microsoft.com%2eexample.com",
        "graph.microsoft.com.",
        "\u24d6raph.microsoft.com",
        "localhost:99999999999",
    ],
)
def test_a_link_to_a_host_of_odd_letters_is_refused(small, host):
    """Nothing is sent there, and the sentence says who can look into it."""
    link = f"https://{host}{known.AUDITS.address}?$skiptoken=1"
    body = json.dumps({"value": [], "@odata.nextLink": link}).encode()
    small.tenant.fault("says", body=body)
    with pytest.raises(Unproved, match="nothing was sent there"):
        small.fetch()

    assert len(small.tenant.requests) == len(small.tenant.asked()) + 2  # discovery and token


def test_a_link_is_told_in_a_line_that_can_be_read(small):
    """It may be as long as it likes, and hold line ends that would make lines of their own."""
    link = f"https://example.com/%0Asspr-audit:%20all%20is%20well%1b[2J{'x' * 20_000}"
    small.tenant.fault("says", body=json.dumps({"value": [], "@odata.nextLink": link}).encode())
    with pytest.raises(Unproved) as caught:
        small.fetch()

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


# Bodies


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateways_page_for_people_is_asked_again(small, made, status):
    """The service's own front door answers in HTML when what is behind it does not answer."""
    small.tenant.fault("says", code=status, body=b"<html>Bad gateway</html>", headers=PORTAL)
    done = small.fetch()

    assert small.held == texts(made)
    assert done.gaps == ()


def test_a_network_that_wants_a_login_says_so_by_its_status(small):
    """511 is no word of the service's, and trying again would be vain."""
    small.tenant.fault("says", code=511, body=b"<html>Welcome</html>", headers=PORTAL)
    with pytest.raises(ServiceUnreachable, match="sign in to the network"):
        small.fetch()

    assert len(small.tenant.asked()) == 1


def test_an_answer_that_unpacks_without_end_is_let_go(small, made, monkeypatch):
    """What a small answer can become is bounded; less is asked for, and all records come."""
    monkeypatch.setattr("sspr_audit.sources.graph.http.LARGEST", 4 << 20)
    bomb = small.tenant.fault("bomb", mib=64)
    done = small.fetch()

    assert bomb.struck == 1
    assert small.held == texts(made)
    assert done.gaps == ()


def test_an_answer_in_drips_is_given_up(small, made):
    """Each piece comes soon enough, and the whole does not: after 10 minutes all is asked again."""
    small.tenant.fault("drip", seconds=60, pieces=11)
    done = small.fetch()

    assert len(small.tenant.asked()) == 3 + 1
    assert small.held == texts(made)
    assert done.gaps == ()


def test_half_a_character_costs_no_record(small, made):
    """A name that was cut in its middle is what a person typed; its record comes, as text can hold
    it, and every other record of the page as it was.
    """
    cut = json.dumps(audit(NOW - DAY)).replace("{", f'{{"note": "a {HALF} b \\\\{HALF[1:]}", ', 1)
    small.tenant.add(AUDITS, [cut])
    done = small.fetch()

    assert (done.new, done.gaps, dict(done.skipped)) == (61, (), {})
    assert cut.replace(f"a {HALF}", "a \\ufffd") in small.held
    assert set(texts(made)) < set(small.held)


def test_a_whole_character_in_two_halves_stays(small):
    """Only a half without its other half is none."""
    whole = json.dumps(audit(NOW - DAY)).replace(
        "{", f'{{"note": "{HALF}\\ude00 {HALF} \\ude00{HALF}", ', 1
    )
    small.tenant.add(AUDITS, [whole])
    small.fetch()

    said = [json.loads(text).get("note") for text in small.held]
    assert "\U0001f600 \ufffd \ufffd\ufffd" in said


@pytest.mark.parametrize("odd", ["1", '"x"', "null", "[1]", '{"id":3}', "{}", '{"id":[{}],"x":1}'])
def test_what_is_no_record_is_counted(small, made, odd):
    """Beside good records: these come, and what is none is skipped with a reason."""
    body = json.dumps({"value": [json.loads(odd), *made[:3]]}).encode()
    small.tenant.fault("says", body=body)
    done = small.fetch()

    assert (done.records, done.new) == (4, 3)
    assert sum(done.skipped.values()) == 1


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "10000-01-01T00:00:00Z",
        "2026-11-19T25:00:00Z",
        "",
        "\u0662\u0660\u0662\u0666-11-19T00:00:00Z",
    ],
)
def test_a_time_that_is_none_is_the_accounts_affair(time):
    """It is handed on, to be counted among what cannot be read."""
    text = json.dumps({"id": "a", "activityDateTime": time})

    assert reading.checked(page(text), SPAN).texts == (text.encode(),)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", None])
def test_a_sign_in_of_no_time_proves_that_the_filter_was_not_kept(time):
    """Nobody asked for it, so nothing of the answer is believed."""
    text = json.dumps({"id": "a", "createdDateTime": time, "userPrincipalName": "a@example.com"})

    class Asked:
        def pages(self, *_args, **_more):
            yield page(text)

    with pytest.raises(Unproved):
        list(following.read(Asked(), {"a@example.com"}, Window(NOW - HOUR, NOW)))


@pytest.mark.parametrize("text", [b"1", b"null", b'{"omaSettings":{}}', b'{"omaSettings":[1,[]]}'])
def test_an_odd_profile_says_nothing_of_the_reset_link(text):
    """It is passed over, and the next is read."""

    class Asked:
        def pages(self, *_args, **_more):
            yield Page((text,), None, 1, is_last=True)

    assert list(intune.custom_profiles(Asked())) == []


def test_a_device_with_half_a_character_in_its_name_comes_with_the_others():
    """What one person typed does not cost the report all devices."""
    name = f'{{"id": "1", "displayName": "{HALF}"}}'
    with Tenant(clock=Clock()) as tenant, Parts(tenant) as parts:
        tenant.add(DEVICES, [name, '{"id": "2"}'])
        (got,) = parts.graph.pages(known.DEVICES, known.DEVICES.query)

    assert [json.loads(text)["id"] for text in got.records] == ["1", "2"]


# Headers


@pytest.mark.parametrize("told", ["0", "-5", "soon", "1.5", "5, 7", "", "\xb2", NOW - HOUR])
def test_a_retry_after_that_names_no_time_ahead_is_none(small, made, told):
    """Then our own pauses hold: six tries without one would only make a throttling worse."""
    small.tenant.watch.answered = lambda *_: None  # it reads good headers only
    small.tenant.fault(503, retry_after=told, times=3)
    small.fetch()

    assert small.held == texts(made)
    assert [round(one) for one in small.clock.slept if one < 9] == [2, 4, 8]


@pytest.mark.parametrize("told", ["9" * 400, "4000", NOW + 2 * HOUR])
def test_a_retry_after_of_hours_ends_the_run_with_its_length(small, told):
    """However large the number is."""
    small.tenant.watch.answered = lambda *_: None
    small.tenant.fault(503, retry_after=told)
    with pytest.raises(ServiceUnreachable, match="of rest"):
        small.fetch()

    assert small.clock.slept == []


@pytest.mark.parametrize(
    "claims",
    [b"[]", b"1", b'"x"', b"no json", b'{"access_token":[]}', b"[" * 9_000, b"\xff", b"{}"],
)
def test_a_challenge_that_asks_for_nothing_that_a_token_can_hold_is_a_plain_401(small, claims):
    """A new token is tried once, and then the refusal is told."""
    text = base64.b64encode(claims).decode()
    told = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{text}"'}
    small.tenant.fault("says", code=401, body=b"{}", headers=told, times=2)
    with pytest.raises(AccessDenied, match="refused directoryAudits, 401"):
        small.fetch()

    assert len(small.tenant.asked()) == 2


@pytest.mark.parametrize(
    "date",
    ["Fri, 31 Dec 9999 23:59:59 -2359", f"Fri, 1 Nov {9**40} 12:00:00 GMT"],
)
def test_a_date_out_of_all_time_tells_nothing_of_the_clock(date):
    """As one that is no date at all."""
    assert skew.skew(date, NOW) is None


# Signing in


@pytest.mark.parametrize(
    "body",
    [b"[]", b"1", b"null", b'"x"', b"[" * 200_000, b"\xff\xfe", b"{", b"", b"{}"],
    ids=["list", "number", "null", "text", "deep", "bytes", "cut", "empty", "bare"],
)
@pytest.mark.parametrize("on", ["openid-configuration", "/token"])
def test_what_is_no_answer_to_a_sign_in_is_told_as_that(on, body):
    """In place of the discovery or of the token, whatever MSAL would make of it."""
    with Tenant(clock=Clock()) as tenant, Parts(tenant) as parts:
        tenant.fault("says", on=on, where="sign-in", body=body, times=None)
        with pytest.raises((ServiceUnreachable, AccessDenied)):
            parts.sign_in.token()


def test_a_sign_in_that_unpacks_without_end_is_let_go(monkeypatch):
    """As an answer of Graph."""
    monkeypatch.setattr("sspr_audit.sources.graph.http.LARGEST", 4 << 20)
    with Tenant(clock=Clock()) as tenant, Parts(tenant) as parts:
        tenant.fault("bomb", mib=64, where="sign-in", times=None)
        with pytest.raises(ServiceUnreachable):
            parts.sign_in.token()


def test_an_error_of_graph_in_deep_or_broken_json_has_no_code():
    """It is told by its status alone."""
    for body in (b"[" * 100_000, b'{"error":{"code":["x"]}}', b"\xff", b'{"error":"\\ud800"}'):
        assert answers.error_code(httpx.Response(400, content=body)) == ""


def test_a_body_that_no_tries_make_whole_is_too_heavy(small):
    """A bomb that comes again and again is no empty day."""
    small.tenant.fault("says", body=b'{"value":[', times=None)
    with pytest.raises(TooHeavy):
        small.fetch()
