"""`doctor`: each line passes, fails or is skipped with a reason; the exit code is the worst."""

import os

import pytest
from desk import desk
from fetch import DAY, NOW
from graph_records import audit
from graph_tenant import Clock
from test_cli_fetch import (
    FAULTS,
    certificate,
    clock_ahead,
    clock_behind,
    consent,
    expired_secret,
    interception,
    no_app,
    no_network,
    no_secret,
    nobody,
    other_cloud,
    other_tenant,
    permission,
    portal_at_sign_in,
    proxy,
    secret,
)

from sspr_audit.pipeline import doctoring
from sspr_audit.sources.graph.collections import AUDITS, CONTEXT

TOPICS = ["settings", *doctoring.Topic]


@pytest.fixture
def at_desk(tmp_path, monkeypatch):
    """A tenant with a few records, and a folder with a settings file."""
    with desk(tmp_path, monkeypatch, [audit(NOW - DAY)], clock=Clock()) as one:
        yield one


def examined(one, *args):
    """Return the exit code, and the lines as (state, topic, text)."""
    code, out, err = one.run("doctor", *args)
    return code, [tuple(line.split(maxsplit=2)) for line in out.splitlines()], err


def states(found, topic):
    return [state for state, of, _ in found if of == topic]


def texts(found, topic):
    return [text for _, of, text in found if of == topic]


def test_all_is_well(at_desk):
    """Nothing fails; a store that is not there yet is made by the first fetch."""
    code, found, err = examined(at_desk)

    assert (code, err) == (0, "")
    assert list(dict.fromkeys(topic for _, topic, _ in found)) == TOPICS
    assert {topic for state, topic, _ in found if state != "pass"} == {"store", "privacy"}
    assert texts(found, "store")[0].endswith("the first fetch makes it")
    assert len(texts(found, "permission")) == 1 + len(CONTEXT)
    assert "30 days" in texts(found, "licence")[0]


def test_a_store_is_looked_into(at_desk):
    """How many records, whose it is, and whether there is room."""
    at_desk.run("fetch")
    at_desk.tenant.clock.advance(60)
    code, found, _ = examined(at_desk)

    assert (code, {state for state, *_ in found}) == (0, {"pass"})
    assert texts(found, "store") == [f"{at_desk.keeper.path} opens, 1 audit records"]
    assert "GiB free" in texts(found, "space")[0]


def test_each_collection_is_asked_once_for_one_record(at_desk):
    """At the pace of a fetch: the tenant would name a request too many."""
    code, _, _ = examined(at_desk)
    signed = [one for one in at_desk.tenant.asked() if one.signed]

    assert code == 0
    assert [one.path for one in signed] == [one.address for one in (AUDITS, *CONTEXT)]
    assert {one.options.get("$top") for one in signed} == {"1", None}
    assert at_desk.run("doctor")[0] == 0


@pytest.mark.parametrize("one", CONTEXT, ids=lambda one: one.name)
def test_a_permission_that_is_only_useful_is_skipped_with_what_it_unlocks(one, at_desk):
    """Least privilege is no fault; the link is where an administrator would grant more."""
    at_desk.tenant.fault(403, on=one.path, times=None)
    code, found, err = examined(at_desk)
    (line,) = [text for text in texts(found, "permission") if f"({one.name})" in text]

    assert code == 0
    assert line == (
        f"{one.permission} ({one.name}): not granted (Authorization_RequestDenied); without it,"
        f" {one.without}"
    )
    assert f"{at_desk.tenant.authority}/adminconsent?client_id={at_desk.tenant.client_id}" in err


def test_the_one_permission_that_is_needed_fails(at_desk):
    """With its name, what hangs on it, and the link."""
    permission(at_desk)
    code, found, err = examined(at_desk)
    first, *others = [line for line in found if line[1] == "permission"]

    assert code == 4
    assert first[0] == "fail"
    assert "lacks AuditLog.Read.All" in first[2]
    assert first[2].endswith("without it, nothing can be reported at all")
    assert {state for state, *_ in others} == {"skip"}
    assert states(found, "licence") == ["skip"]
    assert "adminconsent" in err


def test_a_tenant_without_licence_is_told_how_long_it_keeps(at_desk):
    """Seven days, and which collections it does not have; that is no fault of the app."""
    at_desk.tenant.graph.licence = "free"
    code, found, err = examined(at_desk)

    assert (code, err) == (0, "")
    assert "kept for 7 days" in texts(found, "licence")[0]
    lines = [text for state, _, text in found if state == "skip" and "licence for" in text]
    assert len(lines) == 2


def test_what_this_cloud_lacks_is_skipped(at_desk):
    """Not every cloud has every collection."""
    at_desk.tenant.fault(404, on="configurationPolicies", times=None)
    code, found, err = examined(at_desk)

    assert (code, err) == (0, "")
    assert "not offered here (ResourceNotFound)" in texts(found, "permission")[-1]


OF = {
    secret: "sign-in",
    no_secret: "sign-in",
    expired_secret: "sign-in",
    certificate: "sign-in",
    consent: "sign-in",
    other_tenant: "sign-in",
    other_cloud: "sign-in",
    nobody: "sign-in",
    no_app: "sign-in",
    portal_at_sign_in: "network",
    interception: "network",
    proxy: "network",
    no_network: "network",
    clock_ahead: "clock",
    clock_behind: "clock",
}


@pytest.mark.parametrize("fault", OF, ids=lambda fault: fault.__name__)
def test_what_is_wrong_is_found_where_it_is(fault, at_desk):
    """The line of its topic fails with the sentence that a fetch would end with."""
    wanted, words = FAULTS[fault]
    fault(at_desk)
    code, found, _ = examined(at_desk)
    failed = [line for line in found if line[0] == "fail"]

    assert code == wanted
    assert {topic for _, topic, _ in failed} == {OF[fault]}
    assert words in failed[0][2]
    if OF[fault] != "clock":
        assert set(states(found, "permission")) == {"skip"}


def test_a_host_that_fails_is_told_from_one_that_answers(at_desk):
    """Two hosts, two lines."""
    no_network(at_desk)
    _, found, _ = examined(at_desk)

    assert states(found, "network") == ["fail", "pass"]
    assert states(found, "clock") == ["pass"]
    assert texts(found, "sign-in") == ["the network comes first"]


def test_quiet_tells_what_fails_and_nothing_else(at_desk):
    """For a scheduler."""
    assert at_desk.run("doctor", "-q") == (0, "", "")
    permission(at_desk)
    code, out, err = at_desk.run("doctor", "-q")

    assert (code, out.count("\n"), err) == (4, 1, "")


def test_without_a_tenant_most_is_skipped(tmp_path, monkeypatch):
    """Whoever reads files needs none of it, and nobody is asked."""
    with desk(tmp_path, monkeypatch, clock=Clock()) as one:
        one.settings(id=None, client_id=None)
        code, found, _ = examined(one)

        assert code == 0
        assert {text for state, _, text in found if state == "skip"} >= {
            "the settings name no [tenant] id"
        }
        assert states(found, "permission") == ["skip"]
        assert one.tenant.requests == []
        assert [path.name for path in one.folder.iterdir()] == ["settings.toml"]


def test_faults_of_the_settings_come_first(at_desk):
    """One line each, and nothing else is tried."""
    at_desk.config.write_text("wrong = 1\n[store]\nkeep = 7\n")
    code, found, _ = examined(at_desk)

    assert code == 2
    assert [state for state, *_ in found] == ["fail", "fail", "skip"]
    assert at_desk.tenant.requests == []


def test_while_another_process_is_at_work_it_has_the_requests(at_desk):
    """That is no fault, and is not made one by asking beside it."""
    with at_desk.keeper.held("fetch"):
        code, found, _ = examined(at_desk)

    assert code == 0
    assert f"is in use by process {os.getpid()} (fetch" in texts(found, "lock")[0]
    assert set(states(found, "permission")) == {"skip"}
    assert at_desk.tenant.requests == []


def test_a_store_that_others_can_read_is_a_fault(at_desk):
    """It holds names and addresses."""
    at_desk.run("fetch")
    at_desk.keeper.path.chmod(0o644)
    code, found, _ = examined(at_desk)

    assert code == 6
    (told,) = texts(found, "privacy")
    assert told.startswith(f"others could open {at_desk.keeper.path} until now (0644)")
    assert at_desk.keeper.path.stat().st_mode & 0o777 == 0o600


def test_a_store_that_is_none_is_a_fault(at_desk):
    """A file that somebody put in its place."""
    at_desk.keeper.path.write_bytes(b"no database" * 1000)
    at_desk.keeper.path.chmod(0o600)
    code, found, _ = examined(at_desk)

    assert code == 6
    assert states(found, "store") == ["fail"]


def test_too_little_room_is_a_fault(at_desk, monkeypatch):
    """The store is written anew when it is thinned out, so it needs its own size again."""
    monkeypatch.setattr(doctoring.shutil, "disk_usage", lambda _: Room(2**20))
    code, found, _ = examined(at_desk)

    assert code == 6
    assert "has 1 MiB free, and 256 are wanted: free some" in texts(found, "space")[0]


class Room:
    def __init__(self, free):
        self.free = free


def test_a_folder_where_nothing_can_be_locked_is_a_fault(at_desk):
    """A file stands where the store's folder should be."""
    at_desk.config.write_text(
        at_desk.config.read_text().replace("store.duckdb", "settings.toml/store.duckdb")
    )
    code, found, _ = examined(at_desk)

    assert code == 6
    assert states(found, "lock") == ["fail"]
    assert texts(found, "permission") == ["the pace of requests is kept beside the store"]


def test_the_pace_says_when_it_goes_on(at_desk):
    """As long as the service asked for rest, the next process rests too, and says so."""
    state = at_desk.keeper.path.with_name("store.duckdb.pace")
    state.write_text(
        '{"reports": {"sent": [], "held": ["2026-11-20T12:00:00+00:00",'
        ' "2026-11-20T12:05:00+00:00"]}}'
    )
    _, found, _ = examined(at_desk)

    assert texts(found, "pace") == ["the next request may go out in 300 s"]
    assert (at_desk.tenant.clock.now() - NOW).total_seconds() >= 300


def test_the_worst_of_several_is_the_exit_code(at_desk):
    """The first of 2, 4, 6, 5 that fits."""
    at_desk.run("fetch")
    at_desk.keeper.path.chmod(0o644)
    secret(at_desk)
    code, found, _ = examined(at_desk)

    assert {topic for state, topic, _ in found if state == "fail"} == {"privacy", "sign-in"}
    assert code == 4


def test_records_are_not_fetched_by_looking(at_desk):
    """It asks, and keeps nothing."""
    examined(at_desk)

    assert not at_desk.keeper.path.exists()
