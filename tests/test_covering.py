"""What a report says of the time that a store has whole: covered, settling, or a gap by name."""

from datetime import timedelta

import pytest
from fetch import DAY, HOUR, MINUTE, NOW, records, world
from graph_records import audit
from hypothesis import given
from hypothesis import strategies as st

from sspr_audit import knowledge
from sspr_audit.model import Gap, Window
from sspr_audit.pipeline import covering, stored_report
from sspr_audit.pipeline.analysis import Options
from sspr_audit.pipeline.covering import Ledger
from sspr_audit.sources.graph import queries, windows
from sspr_audit.store.coverage import Entry

KNOWN = knowledge.load()
NARROW = queries.narrow(queries.clauses(KNOWN))
EDGE = NOW - 30 * MINUTE
WEEK = Window(NOW - 7 * DAY, NOW)


def entry(start, end, *, what="", read_to=None, fetched=NOW):
    return Entry("directoryAudits", what, start, end, read_to or end, fetched, 1, 1)


def told(*entries, window=WEEK, gaps=(), now=NOW):
    return covering.covering(window, Ledger(entries, gaps), now=now, knowledge=KNOWN)


def test_a_window_that_was_fetched_to_now_is_complete():
    """Its last half hour is settling: neither covered nor a gap."""
    found = told(entry(NOW - 7 * DAY, EDGE, read_to=NOW))

    assert found.coverage.complete is True
    assert found.coverage.spans == ((NOW - 7 * DAY, EDGE),)
    assert found.coverage.settling == (EDGE, NOW)
    assert found.coverage.gaps == ()
    assert found.filter is None
    assert found.edge == EDGE


def test_a_store_that_was_never_fetched_says_nothing():
    """Files do not tell what they lack."""
    assert told() is None


def test_an_old_fetch_leaves_the_time_since_as_a_gap():
    """What was read before it had settled is one too, with its own reason."""
    found = told(
        entry(NOW - 7 * DAY, EDGE, read_to=NOW),
        now=NOW + 2 * HOUR,
        window=Window(NOW - DAY, NOW + 2 * HOUR),
    )

    assert found.coverage.complete is False
    assert found.coverage.settling is None
    assert found.coverage.gaps == (
        Gap(EDGE, NOW, covering.UNSETTLED),
        Gap(NOW, NOW + 2 * HOUR, covering.NOT_YET),
    )


def test_a_hole_has_the_reason_that_the_fetch_gave():
    """And where it gave none, that nobody asked."""
    found = told(
        entry(NOW - 7 * DAY, NOW - 5 * DAY),
        entry(NOW - 4 * DAY, EDGE, read_to=NOW),
        gaps=(Gap(NOW - 5 * DAY, NOW - 5 * DAY + HOUR, "too heavy"),),
    )

    assert found.coverage.gaps == (
        Gap(NOW - 5 * DAY, NOW - 5 * DAY + HOUR, "too heavy"),
        Gap(NOW - 5 * DAY + HOUR, NOW - 4 * DAY, covering.NEVER),
    )
    assert not found.holds(WEEK)
    assert found.holds(Window(NOW - 4 * DAY, EDGE))


def test_a_filter_is_named_where_some_of_the_window_rests_on_it():
    """Not where every record came anyway, nor where another filter brought what is there."""
    whole = entry(NOW - 7 * DAY, EDGE, read_to=NOW)
    narrow = entry(NOW - 3 * DAY, EDGE, what=NARROW, read_to=NOW)
    old = entry(NOW - 7 * DAY, EDGE, what="loggedByService eq 'PIM'", read_to=NOW)

    assert told(whole, narrow).filter is None
    assert told(narrow).filter == NARROW
    assert told(narrow).coverage.gaps == (Gap(NOW - 7 * DAY, NOW - 3 * DAY, covering.NEVER),)
    assert told(old).coverage.spans == ()


minutes = st.integers(0, 300)
pairs = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(sorted)


@given(st.lists(pairs, min_size=1, max_size=5), pairs, minutes)
def test_every_moment_of_a_window_is_covered_settling_or_a_gap(made, asked, later):
    """Exactly one of these, up to now; nothing is said of the time after that."""
    base = NOW - 5 * HOUR
    entries = [
        entry(base + a * MINUTE, min(base + b * MINUTE, EDGE), read_to=base + b * MINUTE)
        for a, b in made
        if base + a * MINUTE < EDGE
    ]
    window = Window(base + asked[0] * MINUTE, base + asked[1] * MINUTE)
    found = told(*entries, window=window, now=NOW + later * MINUTE)
    if found is None:
        return
    coverage = found.coverage
    pieces = [Window(*one) for one in coverage.spans]
    pieces += [Window(gap.start, gap.end) for gap in coverage.gaps]
    pieces += [Window(*coverage.settling)] if coverage.settling else []
    length = sum((one.end - one.start for one in pieces), timedelta())

    assert windows.merged(pieces) == (window,)
    assert length == window.end - window.start
    assert coverage.complete is (not coverage.gaps)


@pytest.mark.parametrize("all_audits", [True, False])
def test_what_a_fetch_leaves_is_what_a_report_says(all_audits, tmp_path):
    """From the tenant to the coverage: complete at once, with a named gap a day later."""
    with world(tmp_path, records(40)) as one:
        one.fetch(all_audits=all_audits)
        with one.keeper.store.reading() as store:
            known = covering.ledger(store)
    window = Window(NOW - 2 * DAY, NOW)
    soon = covering.covering(window, known, now=NOW, knowledge=KNOWN)
    later = covering.covering(window, known, now=NOW + DAY, knowledge=KNOWN)

    assert soon.coverage.complete is True
    assert soon.coverage.settling == (EDGE, NOW)
    assert [gap.reason for gap in later.coverage.gaps] == [covering.UNSETTLED]


def test_a_report_from_a_fetched_store_says_what_it_covers(tmp_path):
    """Complete right after the fetch; with gaps, and no longer complete, a day later."""
    with world(tmp_path, records(40)) as one:
        one.fetch(since=8 * DAY, all_audits=False)
        soon, later = (
            stored_report.from_store(one.keeper, Options(KNOWN, now, now))
            for now in (NOW, NOW + DAY)
        )

    assert soon.complete
    assert soon.report.coverage.settling == (EDGE, NOW)
    assert soon.report.coverage.gaps == ()
    assert soon.report.account.filter is None
    assert not later.complete
    assert later.report.coverage.complete is False


def test_a_flow_is_open_only_near_the_end_of_what_is_covered(tmp_path):
    """A flow that stopped an hour before it is abandoned, even where nothing came after it."""
    flow = audit(NOW - 90 * MINUTE)
    with world(tmp_path, [flow]) as one:
        one.fetch()
        report = stored_report.from_store(one.keeper, Options(KNOWN, NOW, NOW)).report

    assert report.totals.outcomes["abandoned"] == 1
    assert report.totals.outcomes["open"] == 0
