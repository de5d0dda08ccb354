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
LOOKED_AT = 3
"""Steps of a kind that are looked at after the first; all of them take minutes."""
NEVER = 10**9


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
    """Let the nth step of a kind be the last; return the list of those that were taken."""
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
    return seen


def everything(one):
    """Fetch audit records by the narrow query and by all, and what explains them."""
    one.fetch(since=4 * DAY, all_audits=False)
    wishes = ContextWishes(knowledge.load(), one.tenant.id, NOW - 7 * DAY)
    return fetch_context(one.keeper, one.parts.graph, one.clock, wishes)


@contextmanager
def tenant_of(folder, made):
    """Hold a tenant with those audit records, and something of each collection."""
    with world(folder, made, page=100) as one:
        one.tenant.add(DEVICES, [device(1), device(2)])
        one.tenant.add(NAMED_LOCATIONS, [named_location("Malmö", "192.0.2.0/24")])
        one.tenant.add(SIGN_INS, [sign_in(NOW - 2 * DAY + HOUR, PERSON)])
        yield one


def spread(steps):
    """Return some of so many steps: the first, the last, and as many between as a suite bears."""
    return sorted({1 + round(part * (steps - 1) / LOOKED_AT) for part in range(LOOKED_AT + 1)})


@pytest.mark.parametrize("where", ["request", "before a commit", "after a commit"])
def test_an_end_at_any_step_costs_nothing(where, tmp_path):
    """Of each phase: the records, the test of the filter, each collection, and the sign-ins."""
    made = [*records(300, ours=1), *of_a_flow()]
    with tenant_of(tmp_path / "whole", made) as one, pytest.MonkeyPatch.context() as by:
        seen = ended_at(by, where, NEVER)
        everything(one)
    assert len(seen) > LOOKED_AT
    for nth in spread(len(seen)):
        with tenant_of(tmp_path / str(nth), made) as one, pytest.MonkeyPatch.context() as by:
            ended_at(by, where, nth)
            with pytest.raises(KeyboardInterrupt):
                everything(one)
            by.undo()
            everything(one)

            audits = [text for text in one.held if '"activityDateTime"' in text]
            assert audits == texts(made)
            assert sorted(kind for kind, _ in keep.context(one.keeper)) == [
                *("devices", "devices", "namedLocations", "signIns"),
            ]
            assert one.query("SELECT person, count(*) FROM followed GROUP BY 1") == [(PERSON, 1)]
