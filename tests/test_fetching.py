"""`fetch`: nothing lost, nothing twice, nothing unnamed, whatever the service does."""

import json
from datetime import timedelta

import keep
import pyarrow as pa
import pytest
from fetch import DAY, HOUR, MINUTE, NOW, records, texts, world
from graph_records import MOVED, audit, stamp
from graph_tenant import AUDITS

from sspr_audit import engine
from sspr_audit.engine import StoreBusy
from sspr_audit.errors import ServiceUnreachable, SettingsError, UsageError
from sspr_audit.normalize import records as normalized
from sspr_audit.pipeline import arriving
from sspr_audit.pipeline.narrowing import Word
from sspr_audit.sources.graph.errors import Unproved
from sspr_audit.store import copy_rivals, coverage

EDGE = NOW - 30 * MINUTE


@pytest.fixture
def made():
    return records(120)


@pytest.fixture
def small(tmp_path, made):
    """A tenant with 120 records of three days on pages of 20, and an empty folder."""
    with world(tmp_path, made, page=20) as one:
        yield one


# What comes


def test_a_fetch_brings_every_record_once_as_it_was_written(small, made):
    """Text by text; the account says how many, and the time is covered up to the settling end."""
    done = small.fetch()

    assert small.held == texts(made)
    assert (done.records, done.new, done.repeats, done.gaps) == (120, 120, 0, ())
    assert dict(done.requests) == {"directoryAudits": 6}
    ((start, end, read_to),) = small.query("SELECT start_utc, end_utc, read_to_utc FROM coverage")
    assert (start, end) == ((NOW - 3 * DAY).replace(tzinfo=None), EDGE.replace(tzinfo=None))
    assert read_to == NOW.replace(tzinfo=None)


def test_a_second_fetch_costs_the_overlap_and_brings_nothing_new(small, made):
    """Two hours before the settling time are read again, and no more."""
    small.fetch()
    before = len(small.tenant.asked("directoryAudits"))
    small.clock.advance(60)
    done = small.fetch()
    (asked,) = small.tenant.asked("directoryAudits")[before:]

    assert stamp(small.clock.now() - 150 * MINUTE)[:16] in asked.words
    assert (done.new, done.gaps, done.late) == (0, (), None)
    assert small.held == texts(made)


def test_once_a_day_two_days_are_read_again(small):
    """Whenever the last time is a day ago, and not before."""
    asked = []
    for wait in (0 * DAY, 23 * HOUR, HOUR, HOUR):
        small.clock.advance(wait.total_seconds())
        before = len(small.tenant.asked("directoryAudits"))
        small.fetch(since=10 * DAY)
        spans = small.query("SELECT read_to_utc - start_utc FROM coverage ORDER BY fetched_utc")
        asked.append((spans[-1][0], len(small.tenant.asked("directoryAudits")) > before))

    assert [span for span, _ in asked[2:]] == [48 * HOUR + 30 * MINUTE, 2.5 * HOUR]
    assert all(is_asked for _, is_asked in asked)


def test_a_fetch_asks_only_for_what_is_missing(small):
    """A span in the middle that is already there is not asked for again."""
    small.fetch(since=2 * DAY, until=NOW - DAY)
    small.fetch(since=3 * DAY, until=NOW - 20 * HOUR)
    rows = small.query("SELECT start_utc, end_utc FROM coverage ORDER BY start_utc")

    assert [(NOW.replace(tzinfo=None) - a, NOW.replace(tzinfo=None) - b) for a, b in rows] == [
        (3 * DAY, 2 * DAY),
        (2 * DAY, DAY),
        (DAY, 20 * HOUR),
    ]
    assert len(small.held) == len(set(small.held))


def test_a_late_record_is_found_and_its_lateness_told(small):
    """A record that was not there when its time was read comes by the overlap."""
    written = NOW - HOUR
    late = audit(written)
    small.tenant.add(AUDITS, [late], visible_at=NOW + 20 * MINUTE)
    first = small.fetch()
    small.clock.advance(3600)
    done = small.fetch()

    assert (first.late, done.new) == (None, 1)
    assert json.dumps(late, ensure_ascii=False) in small.held
    assert done.late.count == 1
    assert done.late.least == HOUR
    assert 2 * HOUR < done.late.most < 2 * HOUR + MINUTE
    ((count, least, most),) = small.query(
        "SELECT late, late_least_s, late_most_s FROM fetches WHERE late > 0"
    )
    assert (count, least, most) == (1, 3600, done.late.most.total_seconds())


def test_what_comes_after_the_settling_time_is_not_late(small):
    """A record that was written since, or that had not settled, is just new."""
    small.tenant.add(AUDITS, [audit(NOW - 20 * MINUTE)], visible_at=NOW + MINUTE)
    small.fetch()
    small.tenant.add(AUDITS, [audit(NOW + 5 * MINUTE)])
    small.clock.advance(3600)
    done = small.fetch()

    assert (done.new, done.late) == (2, None)


def test_records_of_one_moment_at_the_edge_of_windows_come_once(tmp_path):
    """Windows share an edge; a record on it, or 100 ns from it, belongs to exactly one of them."""
    cut = NOW - DAY
    ticks = [-10, -1, 0, 0, 0, 1, 9, 10]
    made = [audit(stamp(cut - timedelta(seconds=1), 10**7 + n)) for n in ticks]
    with world(tmp_path, made, page=3) as one:
        one.fetch(until=cut)
        before = len(one.held)
        one.fetch()

        assert before == 2
        assert one.held == texts(made)


def test_a_long_span_is_cut_into_windows_by_its_density(tmp_path):
    """One request is spent on seeing that; then each window has about twenty pages."""
    made = records(2000, ours=0)
    with world(tmp_path, made, page=20) as one:
        done = one.fetch()
        pages = [pages for (pages,) in one.query("SELECT pages FROM coverage")]

        assert one.held == texts(made)
        assert done.requests["directoryAudits"] - sum(pages) == 1
        assert max(pages) <= 2 * 20
        assert len(pages) <= 7


def test_a_clean_run_makes_hardly_more_requests_than_it_needs(tmp_path):
    """At most a tenth more; the probe's are counted apart."""
    made = records(3000, since=NOW - 29 * DAY, ours=0)
    with world(tmp_path, made) as one:
        done = one.fetch(since=29 * DAY)

        assert done.needed == 4
        assert done.requests["directoryAudits"] <= 1.1 * done.needed
        assert done.requests["probe"] == 1


def test_a_record_that_cannot_be_read_is_counted(small):
    """It is neither stored nor passed over in silence, and the others come."""
    strange = audit(NOW - DAY)
    text = json.dumps(strange).replace('"activityDisplayName"', '"activityDisplayName": 3, "x"')
    small.tenant.add(AUDITS, [text])
    done = small.fetch()

    assert done.records == 121
    assert done.new + sum(done.skipped.values()) == 121


@pytest.mark.parametrize(("written", "came"), [("", ".9999999"), (".0", ""), (".25", ".2599")])
def test_what_was_imported_without_its_id_and_fraction_is_not_doubled(tmp_path, written, came):
    """Only the records of its second are looked through, and among them it is found."""
    second = stamp(NOW - DAY)[:19]
    one, other = audit(f"{second}{came}Z"), audit(stamp(NOW - DAY - MINUTE))
    known = {**one, "activityDateTime": f"{second}{written}Z"}
    del known["id"]
    (tmp_path / "known.json").write_text(json.dumps([known, {**other, "id": one["id"]}]))
    with world(tmp_path, [one, other]) as here:
        keep.brought(here.keeper, str(tmp_path / "known.json"))
        done = here.fetch()
        ids = [id_ for (id_,) in here.query("SELECT record_id FROM audit ORDER BY 1")]

        assert ids == sorted([one["id"], one["id"], other["id"]])
        assert done.late is None


def test_a_window_is_held_against_the_records_of_its_time_alone(small, made):
    """However much the store holds: else each window would take longer than the one before."""
    small.fetch()
    ids = pa.table({"key": [one["id"] for one in made]})
    start, end = ((NOW - span).replace(tzinfo=None) for span in (2 * DAY, DAY))
    with engine.scratch() as scratch:
        normalized.prepare(scratch)
        none = pa.table({"key": pa.array([], pa.string())})
        with small.keeper.store.reading() as store:
            copy_rivals(store, scratch, ids=ids, correlations=none, start=start, end=end)
        ((count, first, last),) = engine.rows(
            scratch,
            "SELECT count(*), min(time_utc)::TIMESTAMP, max(time_utc)::TIMESTAMP FROM audit",
        )

    assert 0 < count < len(made)
    assert start <= first < last < end


def test_few_large_records_do_not_wait_in_memory_for_many(small, made, monkeypatch):
    """Bytes count, too: each page is put away by itself where its records are long."""
    monkeypatch.setattr(arriving, "TOGETHER_BYTES", 1)
    waiting = []
    take_apart = arriving.Arriving._take_apart  # noqa: SLF001 - to see how much had come by then

    def seen(self):
        waiting.append(len(self.waiting))
        take_apart(self)

    monkeypatch.setattr(arriving.Arriving, "_take_apart", seen)
    small.fetch()

    assert waiting == [20] * 6
    assert small.held == texts(made)


# What does not come


def test_what_the_service_has_dropped_is_named(small):
    """A start before its retention is a gap with a reason, in the account and in the store."""
    small.tenant.add(AUDITS, [audit(NOW - 20 * DAY)])
    done = small.fetch(since=40 * DAY)

    assert [(g.start, g.end) for g in done.gaps] == [(NOW - 40 * DAY, NOW - 30 * DAY)]
    assert done.gaps[0].reason == "older than the 30 days that the service keeps"
    assert len(small.query("FROM gaps")) == 1


def test_a_free_tenant_keeps_a_week(small, made):
    """The service says so only by having nothing older: one cheap request finds out."""
    small.tenant.graph.licence = "free"
    done = small.fetch(since=20 * DAY)

    assert [(g.start, g.end) for g in done.gaps] == [(NOW - 20 * DAY, NOW - 7 * DAY)]
    assert done.requests["probe"] == 1
    assert small.held == texts(made)


def test_a_window_that_the_service_cannot_bear_is_halved(small, made):
    """Down to what it bears; nothing is missing in the end."""
    small.tenant.graph.heaviest = 5 * HOUR
    done = small.fetch(since=2.9 * DAY, until=NOW)

    assert set(texts(made[5:])) <= set(small.held)
    assert done.gaps == ()


def test_a_record_over_which_the_service_breaks_costs_its_minute(tmp_path):
    """The minute is a named gap; all other records come, and a later fetch closes it."""
    made = records(60, since=NOW - 3 * HOUR, until=NOW - 2 * HOUR)
    with world(tmp_path, made) as one:
        one.tenant.graph.poisoned = {made[30]["id"]}
        done = one.fetch(since=3 * HOUR)
        (gap,) = done.gaps
        there = len(one.held)
        one.tenant.graph.poisoned = set()
        again = one.fetch(since=3 * HOUR)

        assert gap.end - gap.start <= MINUTE
        assert stamp(gap.start) <= made[30]["activityDateTime"] < stamp(gap.end)
        assert 58 <= there <= 59
        assert again.gaps == ()
        assert one.held == texts(made)
        assert one.query("FROM gaps") == []


def test_a_service_that_gives_nothing_at_all_is_unreachable(small):
    """After four windows without a single page, not after a night of trying."""
    small.tenant.fault(503, times=None)
    with pytest.raises(ServiceUnreachable):
        small.fetch()

    assert len(small.tenant.asked("directoryAudits")) == 4 * 6
    assert small.query("FROM coverage") == []


# Faults: what was wanted comes, once


# One of each way in which the client goes on; test_graph_client.py has every fault.
FAULTS = {
    "429 with seconds": (429, {"retry_after": 17}),
    "429 with a date": (429, {"retry_after": NOW + 40 * MINUTE / 60}),
    "504": (504, {}),
    "expired token": ("expired", {}),
    "claims challenge": ("claims", {}),
    "reset in the middle": ("cut-off", {}),
    "cut JSON": ("cut-json", {}),
    "error in a 200": ("error-in-200", {}),
    "repeated page": ("repeat-page", {}),
    "empty page": ("empty-page", {}),
    "lost skip token": ("lost-skip-token", {}),
    "expired skip token": (410, {"on": "skiptoken"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_loses_and_doubles_nothing(fault, small, made):
    """Whatever it is, every record is there once, and nothing is missing."""
    kind, options = FAULTS[fault]
    options = dict(options)
    small.tenant.fault(kind, nth=3 if "on" not in options else 1, **options)
    done = small.fetch()

    assert small.held == texts(made)
    assert (done.new, done.gaps) == (120, ())


@pytest.mark.parametrize("told", [17, NOW + timedelta(seconds=17)], ids=["seconds", "date"])
def test_throttling_costs_what_the_service_asks_for(told, tmp_path):
    """Not a second more: the answer is waited for exactly, and everything else goes on as ever."""
    made = records(60)
    with world(tmp_path / "clean", made, page=20) as one:
        clean = one.fetch()
        spent = one.clock.now() - NOW
    with world(tmp_path / "throttled", made, page=20) as one:
        one.tenant.fault(429, nth=2, retry_after=told)
        done = one.fetch()
        cost = one.clock.now() - NOW - spent

    assert cost <= timedelta(seconds=18)
    assert done.requests["directoryAudits"] == clean.requests["directoryAudits"] + 1
    assert done.waited <= clean.waited + 18


def test_a_link_that_leads_elsewhere_ends_the_fetch(small, made):
    """Nothing is sent there, nothing of the window counts, and the next fetch brings it all."""
    small.fetch(since=DAY)
    before = len(small.held)
    small.tenant.fault("foreign-link", to="host", nth=2)
    with pytest.raises(Unproved):
        small.fetch()

    assert len(small.held) == before
    assert small.fetch().gaps == ()
    assert small.held == texts(made)


def test_a_filter_that_is_ignored_is_found_out(small):
    """The service answers with records that nobody asked for: nothing of that is covered."""
    small.tenant.fault("unfiltered")
    with pytest.raises(Unproved, match="does not keep to the filter"):
        small.fetch(since=DAY, until=NOW - HOUR)

    assert small.query("FROM coverage") == []


# Interrupts and neighbours


@pytest.mark.parametrize("page", [1, 30])
def test_ctrl_c_costs_the_window_in_flight(page, tmp_path):
    """What had landed stays, and one more fetch makes it whole."""
    made, told = records(1200, ours=0), []

    def stop(progress):
        told.append(progress)
        if len(told) == page:
            raise KeyboardInterrupt

    with world(tmp_path, made, page=20) as one:
        with pytest.raises(KeyboardInterrupt):
            one.fetch(tell=stop)
        there = one.held
        covered = one.query("SELECT sum(rows)::BIGINT FROM coverage")
        done = one.fetch()

        assert len(there) == (covered[0][0] or 0)
        assert done.gaps == ()
        assert one.held == texts(made)


def test_progress_only_ever_grows_and_ends_at_the_whole(small):
    """Time read, of time to be read; records, requests and the wait beside it."""
    told = []
    done = small.fetch(tell=told.append)

    assert [one.done for one in told] == sorted(one.done for one in told)
    assert {one.total for one in told} == {3 * DAY}
    assert told[-1].done > 2.9 * DAY
    assert (told[-1].records, told[-1].requests) == (120, 6)
    assert told[-1].waited == done.waited > 0


def test_a_second_fetch_waits_for_the_first(small):
    """One at a time: who cannot wait is told who is at it, and asks the service nothing."""
    with small.keeper.held("fetch"), pytest.raises(StoreBusy, match=r"fetch, since"):
        small.fetch()

    assert small.tenant.asked() == []


def test_another_tenants_store_is_refused_before_anything_is_asked(small):
    """Records of two tenants in one store could never be told apart again."""
    small.fetch(since=HOUR)
    before = len(small.tenant.requests)
    with pytest.raises(SettingsError, match="another"):
        small.fetch(tenant_id="00000000-0000-0000-0000-00000000000f")

    assert len(small.tenant.requests) == before


def test_an_empty_span_is_refused(small):
    """Neither the future nor a span that ends before it begins."""
    with pytest.raises(UsageError, match="nothing lies between"):
        small.fetch(since=DAY, until=NOW - 2 * DAY)


# The narrow query


@pytest.fixture
def busy(tmp_path):
    """A tenant in which half of 2,500 records are ours, enough of each kind, on pages of 50."""
    with world(tmp_path, records(2500), page=50) as one:
        yield one


def ours(one):
    """Return the texts that a report knows."""
    there = (row.record for row in one.tenant.graph.rows[AUDITS])
    return texts(record for record in there if record["activityDisplayName"] != MOVED)


def test_a_filter_that_brings_all_is_proved_and_used(busy):
    """After a first whole window; from then on only our records come, and all of them."""
    done = busy.fetch(all_audits=False)
    whole = busy.query("SELECT sum(rows)::BIGINT FROM coverage WHERE filter = ''")

    assert done.verdict.word is Word.PROVED
    assert done.filter == done.verdict.filter != ""
    assert set(ours(busy)) <= set(busy.held)
    assert 300 < whole[0][0] < 1500
    assert len(busy.held) < 2000
    assert done.gaps == ()


def test_a_verdict_is_believed_for_a_week(busy):
    """The next fetch spends nothing on it; after a week the newest records are looked at whole."""
    busy.fetch(all_audits=False)
    busy.tenant.add(AUDITS, records(1000, since=NOW, until=NOW + 8 * DAY))
    busy.clock.advance(DAY.total_seconds())
    soon = busy.fetch(all_audits=False)
    busy.clock.advance(7 * DAY.total_seconds())
    later = busy.fetch(all_audits=False, since=9 * DAY)

    assert soon.requests["probe"] == 0
    assert soon.verdict.at < NOW + HOUR
    assert later.verdict.at > NOW + 8 * DAY
    assert later.requests["probe"] > 0
    assert later.verdict.word is Word.PROVED
    assert set(ours(busy)) <= set(busy.held)


@pytest.mark.parametrize("value", ["Self-service Password Management", "Reset user password"])
def test_a_filter_that_loses_one_record_is_refuted(value, busy):
    """Its clause is named, everything is fetched without it, and nothing is missing."""
    busy.tenant.graph.unknown_values = {value}
    done = busy.fetch(all_audits=False)

    assert done.verdict.word is Word.REFUTED
    assert value in done.verdict.why
    assert done.filter == ""
    assert len(busy.held) == 2500
    assert done.gaps == ()


def test_a_refuted_filter_takes_back_what_it_covered(busy):
    """What seemed whole is asked for again, without the filter."""
    busy.fetch(all_audits=False)
    busy.tenant.graph.unknown_values = {"Reset user password"}
    busy.tenant.add(AUDITS, records(1000, since=NOW, until=NOW + 8 * DAY))
    busy.clock.advance(8 * DAY.total_seconds())
    done = busy.fetch(all_audits=False, since=11 * DAY)

    assert done.verdict.word is Word.REFUTED
    assert {what for (what,) in busy.query("SELECT DISTINCT filter FROM coverage")} == {""}
    assert len(busy.held) == 3500


def test_too_few_records_prove_nothing(small, made):
    """Then everything is fetched, and the account says what was lacking."""
    done = small.fetch(all_audits=False)

    assert done.verdict.word is Word.UNDECIDED
    assert done.verdict.why.startswith("only 12 of the 20 records needed that fit ")
    assert done.filter == ""
    assert small.held == texts(made)
    ((kept,),) = small.query("SELECT value FROM meta WHERE key = 'filter of directoryAudits'")
    assert json.loads(kept)["word"] == "undecided"


def test_a_filter_that_is_refused_is_refuted(busy):
    """A 400 to the narrow query is an answer too."""
    busy.tenant.fault(400, on="loggedByService", times=None, name="BadRequest")
    done = busy.fetch(all_audits=False)

    assert done.verdict.word is Word.REFUTED
    assert "400 BadRequest" in done.verdict.why
    assert len(busy.held) == 2500


def test_a_narrow_window_without_rows_brings_the_filter_to_the_test(busy):
    """Nothing may mean that nothing happened, or that the service forgot a word."""
    busy.fetch(all_audits=False)
    busy.tenant.graph.unknown_values = {"Self-service Password Management", "Reset user password"}
    busy.clock.advance(6 * 3600)
    done = busy.fetch(all_audits=False, since=-2 * HOUR)

    assert done.verdict.word is Word.REFUTED
    assert done.requests["probe"] > 0


def test_the_ledger_of_every_record_serves_any_query(busy):
    """What was fetched whole is not asked for again narrowly."""
    busy.fetch()
    before = len(busy.tenant.asked("directoryAudits"))
    done = busy.fetch(all_audits=False)
    later = busy.tenant.asked("directoryAudits")[before:]

    assert done.verdict.word is Word.PROVED
    assert done.new == 0
    assert len(later) < 12


def test_the_ledger_keeps_what_supports_a_question_to_microsoft(small):
    """The service's request ids, page by page, with the rows and the time of asking."""
    small.fetch()
    with small.keeper.store.reading() as store:
        (entry,) = coverage.entries(store, "directoryAudits")

    assert (entry.rows, entry.pages, entry.fetched) == (120, 6, NOW)
    assert len(set(entry.request_ids)) == 6
