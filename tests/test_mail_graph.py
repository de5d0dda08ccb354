"""Mail through Graph: the client hands it over once, and says what it knows of it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from graph_tenant import Clock, Tenant
from parts import Parts

from sspr_audit.deliver import graph
from sspr_audit.deliver.errors import InDoubt, NotAllowed, NotTaken
from sspr_audit.model import Envelope, Posted, Window

START = datetime(2026, 3, 2, tzinfo=UTC)
SENDER = "o'reports+weekly@example.com"
ABOUT = Envelope(SENDER, ("a@example.com",), Window(START, START + timedelta(days=7)))
MAIL = b"Subject: week\r\n\r\nm\xc3\xa4n\r\n"


def deliver(parts, sender=SENDER, mail=MAIL):
    """Hand a mail over; return how often it could have been taken."""
    committed = []
    graph.delivered(
        parts.graph, graph.path(sender), mail, ABOUT, lambda: committed.append(len(parts.notes))
    )
    return len(committed)


@pytest.fixture
def tenant():
    with Tenant(clock=Clock()) as one:
        yield one


def test_an_app_sends_from_the_mailbox_that_it_names(tenant):
    """The bytes arrive as they were, in base64 on the way, whatever letters the mailbox has."""
    with Parts(tenant) as parts:
        assert deliver(parts) == 1
    assert tenant.mail.mails == [(SENDER, MAIL)]
    (request,) = tenant.asked("sendMail")
    assert request.target == "/v1.0/users/o%27reports%2Bweekly%40example.com/sendMail"
    assert base64.b64decode(request.body) == MAIL


def test_a_person_sends_from_the_own_mailbox(tenant):
    """As the person who signed in by a code."""
    with Parts(tenant, "device-code", prompt=lambda _: None) as parts:
        assert deliver(parts, sender=None) == 1
    assert tenant.mail.mails == [("me", MAIL)]


def test_an_app_has_no_mailbox_of_its_own(tenant):
    """The service's no is certain."""
    with Parts(tenant) as parts, pytest.raises(NotTaken, match="400 BadRequest"):
        deliver(parts, sender=None)


def test_a_mail_that_is_too_large_is_told_so(tenant):
    """With its size."""
    with Parts(tenant) as parts, pytest.raises(NotTaken, match="4,000,000 bytes is too large"):
        deliver(parts, mail=bytes(4_000_000))


def test_a_sign_in_that_fails_leaves_nobody_with_a_mail(tenant):
    """It fails before anything could be taken."""
    tenant.refuse_sign_in(7000222)
    with Parts(tenant) as parts, pytest.raises(NotAllowed, match="has expired"):
        deliver(parts)
    assert tenant.asked("sendMail") == []


def test_a_service_that_stays_busy_has_taken_nothing(tenant):
    """Three times it says when to come again, and each time somebody comes then."""
    tenant.fault(429, on="sendMail", times=3, retry_after="20")
    before = tenant.clock.now()
    with Parts(tenant) as parts, pytest.raises(NotTaken, match="429"):
        deliver(parts)
    assert len(tenant.asked("sendMail")) == 3
    assert tenant.clock.now() - before >= timedelta(seconds=40)


def test_a_service_that_wants_an_hour_of_rest_is_for_the_next_run(tenant):
    """Nobody waits for it."""
    tenant.fault(503, on="sendMail", retry_after="3600")
    with Parts(tenant) as parts, pytest.raises(NotTaken, match="503"):
        deliver(parts)
    assert len(tenant.asked("sendMail")) == 1


def test_an_answer_that_never_comes_leaves_doubt(tenant):
    """The request went out: a second one could be a second mail."""
    tenant.fault("reset", on="sendMail")
    with Parts(tenant) as parts, pytest.raises(InDoubt, match="did not say whether"):
        deliver(parts)
    assert len(tenant.asked("sendMail")) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(None, InDoubt), (500, InDoubt), (502, InDoubt), (504, InDoubt), (302, InDoubt),
     (400, NotTaken), (404, NotTaken), (409, NotTaken), (401, NotAllowed), (403, NotAllowed)],
)  # fmt: skip
def test_what_an_answer_means(status, error):
    """Only a clear no is a no."""

    class Client:
        def post(self, _path, _body, _kind, ready):
            ready()
            return Posted(status, "SomeCode", "why")

    with pytest.raises(error):
        graph.delivered(Client(), graph.path(None), MAIL, ABOUT, lambda: None)
