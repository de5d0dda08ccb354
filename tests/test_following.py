"""Whose sign-ins are asked for, when, and how many questions that takes."""

from datetime import timedelta

from graph_records import guid
from graph_tenant import NOW
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit.model import Window
from sspr_audit.pipeline.following import AFTER, CHANGING, EXTENT, due, questions
from sspr_audit.store.contexts import Followed

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEPT = 30 * DAY

FLOWS = st.lists(
    st.tuples(
        st.integers(0, 40).map(guid),
        st.integers(-40 * 24 * 60, 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    ),
    max_size=80,
)


def known(flows, asked):
    return [Followed(person, Window(end, end + AFTER), asked) for person, end in flows]


@given(FLOWS)
def test_every_flow_that_the_service_still_knows_is_due_once(flows):
    """The newest first; what lies ahead or is too old is not."""
    found = due(flows, [], now=NOW, kept=KEPT)

    assert {(one.person, one.span.start) for one in found} == {
        (person, end) for person, end in flows if NOW - KEPT <= end < NOW
    }
    assert len(found) == len(set(found))
    assert found == sorted(found, key=lambda one: one.span.start, reverse=True)
    assert {one.span.end - one.span.start for one in found} <= {AFTER}


@given(FLOWS, st.integers(0, 60))
def test_what_could_still_change_when_it_was_asked_for_is_due_again(flows, hours):
    """What could not is done for good."""
    asked = NOW - hours * HOUR
    again = due(flows, known(flows, asked), now=NOW, kept=KEPT)

    assert all(asked < one.span.end + CHANGING for one in again)
    assert {(one.person, one.span.start) for one in again} == {
        (person, end)
        for person, end in flows
        if NOW - KEPT <= end < NOW and asked < end + AFTER + CHANGING
    }


@given(FLOWS, st.integers(1, 15))
def test_the_questions_ask_for_every_span_once(flows, most):
    """No question names more people than it may, spans more time than it may, or lies ahead."""
    spans = due(flows, [], now=NOW, kept=KEPT)
    asked = questions(spans, most=most)

    assert [one for question in asked for one in question.spans] == spans
    for question in asked:
        starts = [one.span.start for one in question.spans]
        assert 1 <= len(question.people) <= most
        assert question.window.start == min(starts)
        assert question.window.end <= NOW
        assert max(starts) + AFTER - min(starts) <= EXTENT or len(set(starts)) == 1


def test_a_sign_in_is_wanted_by_its_own_span_only():
    """Between the flows of two people each has sign-ins that are nobody's business."""
    ann, bob = guid(1), guid(2)
    early, late = NOW - 3 * DAY, NOW - 2.5 * DAY
    (question,) = questions(due([(ann, early), (bob, late)], [], now=NOW, kept=KEPT), most=15)

    assert question.window == Window(early, late + AFTER)
    assert question.wants({ann, "ann@example.com"}, early)
    assert not question.wants({bob}, early)
    assert question.wants({bob}, late + AFTER - HOUR)
    assert not question.wants({ann}, early + AFTER)
