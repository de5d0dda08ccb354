"""A fetch that is ended at any of its steps, in any phase: the next one makes the store whole."""

from contextlib import contextmanager

import keep
import pytest
from fetch import DAY, HOUR, MINUTE, NOW, records, texts, world
from graph_records import audit, device, guid, named_location, sign_in
from graph_tenant import DEVICES, NAMED_LOCATIONS, SIGN_INS

from sspr_audit import knowledge
from sspr_audit.pipeline.contexts import ContextWishes, fetch_context
from sspr_audit.sources.graph.pace import Pace
from sspr_audit.store import Store

PERSON, FLOW = guid(10**9), guid(2 * 10**9)
"""Far from the ids of other records."""


def of_a_flow():
    """Return the records of a reset at the sign-in screen."""
    user = {"id": PERSON, "userPrincipalName": "seven@example.com"}
    about = {
        "correlationId": FLOW,
        "initiatedBy": {"app": None, "user": {**user, "ipAddress": "192.0.2.1"}},
        "targetResources": [{**user, "type": "User", "modifiedProperties": []}],
        "additionalDetails": [{"key": "ClientType", "value": "Windows 10 sign-in screen"}],
    }
    end = NOW - 2 * DAY
    return [
        audit(end - MINUTE, **about),
        audit(end, reason="Successfully completed reset.", **about),
    ]


def ended_at(monkeypatch, where, nth):
    """Let the nth step of a kind be the last; return what tells whether it was reached."""
    seen = []

    def step():
        seen.append(where)
        if len(seen) == nth:
            raise KeyboardInterrupt

    wait, writing = Pace.wait, Store.writing

    def waited(self, bucket):
        step()
        return wait(self, bucket)

    @contextmanager
    def before(self):
        with writing(self) as connection:
            yield connection
            step()

    @contextmanager
    def after(self):
        with writing(self) as connection:
            yield connection
        step()

    match where:
        case "request":
            monkeypatch.setattr(Pace, "wait", waited)
        case "before a commit":
            monkeypatch.setattr(Store, "writing", before)
        case "after a commit":
            monkeypatch.setattr(Store, "writing", after)
    return lambda: len(seen) >= nth


def everything(one):
    """Fetch audit records by the narrow query and by all, and what explains them."""
    one.fetch(since=4 * DAY, all_audits=False)
    wishes = ContextWishes(knowledge.load(), one.tenant.id, NOW - 7 * DAY)
    return fetch_context(one.keeper, one.parts.graph, one.clock, wishes)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("where", ["request", "before a commit", "after a commit"])
def test_an_end_at_any_step_costs_nothing(where, tmp_path):
    """Of each phase: the records, the test of the filter, each collection, and the sign-ins."""
    made = [*records(300, ours=1), *of_a_flow()]
    nth, is_reached = 0, True
    while is_reached:
        nth += 1
        with world(tmp_path / str(nth), made, page=100) as one, pytest.MonkeyPatch.context() as by:
            one.tenant.add(DEVICES, [device(1), device(2)])
            one.tenant.add(NAMED_LOCATIONS, [named_location("Malmö", "192.0.2.0/24")])
            one.tenant.add(SIGN_INS, [sign_in(NOW - 2 * DAY + HOUR, PERSON)])
            is_there = ended_at(by, where, nth)
            try:
                everything(one)
            except KeyboardInterrupt:
                by.undo()
                everything(one)
            is_reached = is_there()

            audits = [text for text in one.held if '"activityDateTime"' in text]
            assert audits == texts(made)
            assert sorted(kind for kind, _ in keep.context(one.keeper)) == [
                *("devices", "devices", "namedLocations", "signIns"),
            ]
            assert one.query("SELECT person, count(*) FROM followed GROUP BY 1") == [(PERSON, 1)]
    assert nth > 5
