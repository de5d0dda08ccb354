"""Spans of time: what is missing, what is asked for, in what pieces, and what is left of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sspr_audit.model import Window
from sspr_audit.pipeline.outstanding import SLACK, Outstanding
from sspr_audit.sources.graph import windows
from sspr_audit.sources.graph.windows import DAILY, OVERLAP, PAGES, RETENTION, SETTLE, SHORTEST
from sspr_audit.store.coverage import Entry

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LONG = 40 * 24 * 60


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


def window(start, end):
    """Return the window from so many minutes ago to so many minutes ago."""
    return Window(ago(start), ago(end))


@st.composite
def spans(draw, longest=LONG):
    start = draw(st.integers(1, longest))
    return window(start, draw(st.integers(0, start - 1)))


many = st.lists(spans(60), max_size=6)


def minutes(found):
    """Return the minutes that windows hold, counted from NOW: what a set knows of them."""
    return {
        number
        for one in found
        for number in range((one.start - NOW) // MINUTE, (one.end - NOW) // MINUTE)
    }


def is_tidy(found):
    """Say whether windows are in order and do not touch."""
    return all(one.end < other.start for one, other in pairwise(found))


@given(many, many)
def test_missing_is_what_is_wanted_and_not_covered(wanted, covered):
    """As for sets of minutes, and in as few windows as there can be."""
    assert minutes(windows.missing(wanted, covered)) == minutes(wanted) - minutes(covered)
    assert is_tidy(windows.missing(wanted, covered))


@given(many)
def test_merged_is_the_same_time_in_few_windows(some):
    """Nothing is won or lost, order does not matter, and merging again changes nothing."""
    found = windows.merged(some)

    assert minutes(found) == minutes(some)
    assert is_tidy(found)
    assert windows.merged(reversed(some)) == windows.merged(found) == found


@given(many, many)
def test_common_is_what_is_in_both(some, others):
    """Whichever is named first."""
    assert minutes(windows.common(some, others)) == minutes(some) & minutes(others)
    assert windows.common(some, others) == windows.common(others, some)


@given(many, many)
def test_what_is_missing_and_what_is_common_make_the_whole(wanted, covered):
    """Every wanted moment is one or the other, never both."""
    missing, common = windows.missing(wanted, covered), windows.common(wanted, covered)

    assert windows.merged([*missing, *common]) == windows.merged(wanted)
    assert windows.common(missing, common) == ()


plans = st.fixed_dictionaries(
    {
        "wanted": spans(),
        "covered": st.lists(spans(), max_size=5),
        "kept": st.sampled_from([timedelta(days=7), RETENTION]),
        "again": st.sampled_from([OVERLAP, DAILY]),
    }
)


@given(plans)
def test_a_plan_asks_for_all_that_is_missing_and_kept(made):
    """What is wanted is covered, asked for, or named as lost: nothing else can happen to it."""
    wanted, covered = made["wanted"], made["covered"]
    plan = windows.plan(**made, now=NOW)

    assert windows.missing([wanted], [*covered, *plan.ask, *plan.lost]) == ()
    assert windows.common(plan.ask, plan.lost) == ()
    assert windows.common(plan.lost, covered) == ()


@given(plans)
def test_a_plan_never_asks_for_what_the_service_has_dropped(made):
    """Nor for what is yet to come, nor for what nobody wants or has."""
    plan = windows.plan(**made, now=NOW)
    reach = Window(NOW - made["kept"], NOW)

    assert windows.missing(plan.ask, [reach]) == ()
    assert windows.missing(plan.ask, [made["wanted"], *made["covered"]]) == ()
    assert windows.common(plan.lost, [reach]) == ()


@given(plans)
def test_a_plan_that_is_carried_out_leaves_the_overlap_alone(made):
    """Asked again at the same moment, only what has to be read in every run is asked for."""
    first = windows.plan(**made, now=NOW)
    settled = [part for one in first.ask if (part := windows.until(one, first.edge))]
    again = windows.plan(**{**made, "covered": [*made["covered"], *settled]}, now=NOW)

    assert windows.missing(again.ask, [Window(first.edge - made["again"], NOW)]) == ()


@given(plans)
def test_the_end_is_read_again_where_it_is_wanted(made):
    """The last hours before the settling time, whether they are covered or not."""
    assume(made["wanted"].end > NOW - SETTLE)
    plan = windows.plan(**made, now=NOW)
    late = Window(plan.edge - made["again"], made["wanted"].end)

    assert (
        windows.missing(windows.common([late], [made["wanted"], *made["covered"]]), plan.ask) == ()
    )


def test_what_is_settled_and_covered_is_not_asked_for_again():
    """A past that is wanted again costs nothing."""
    past = window(9000, 6000)

    plan = windows.plan(past, [past], now=NOW, kept=RETENTION, again=DAILY)

    assert (plan.ask, plan.lost) == ((), ())


def test_what_is_wanted_from_before_the_retention_is_lost_by_name():
    """A start in the far past is no error, and no silence either."""
    wanted = Window(NOW - timedelta(days=40), NOW)
    plan = windows.plan(wanted, [], now=NOW, kept=RETENTION, again=OVERLAP)

    assert plan.lost == (Window(wanted.start, NOW - RETENTION),)
    assert plan.ask == (Window(NOW - RETENTION, NOW),)


@given(spans(), st.one_of(st.none(), st.integers(1, LONG)))
def test_the_newest_piece_is_the_end_of_its_span(span, length):
    """Never longer than allowed, never outside."""
    piece = windows.newest(span, None if length is None else length * MINUTE)

    assert piece.end == span.end
    assert piece.start >= span.start
    assert length is None or piece.end - piece.start <= length * MINUTE


def test_a_chain_of_pages_may_be_twice_as_long_as_planned():
    """Only beyond that is the question of a shorter window worth its request."""
    whole = window(60 * 41, 0)

    assert windows.too_long(whole, whole.start + 62 * MINUTE) is None
    assert windows.too_long(whole, whole.start + 60 * MINUTE) == PAGES * 60 * MINUTE
    assert windows.too_long(whole, whole.start) == SHORTEST
    assert windows.too_long(window(1, 0), ago(1)) is None


@given(spans(), st.integers(0, 500))
def test_the_next_window_follows_the_density_but_grows_slowly(last, pages):
    """About so many pages, at most four times as long, at least a minute."""
    length, found = last.end - last.start, windows.next_length(last, pages)

    assert SHORTEST <= found <= max(SHORTEST, windows.GROWTH * length)
    assert pages <= PAGES or found <= max(SHORTEST, length)


@given(spans())
def test_halving_comes_to_an_end_at_a_minute(first):
    """And says so, once it can do no more."""
    lengths = [first.end - first.start]
    while (found := windows.shorter(Window(NOW - lengths[-1], NOW))) is not None:
        lengths.append(found)

    assert lengths[-1] == min(lengths[0], SHORTEST)
    assert len(lengths) < 20
    assert all(later < sooner for sooner, later in pairwise(lengths))


@pytest.mark.parametrize(("end", "left"), [(5, window(10, 5)), (10, None), (0, window(10, 2))])
def test_what_is_not_settled_is_cut_off(end, left):
    """A window, or nothing of it."""
    assert windows.until(window(10, 2), ago(end)) == left


def outstanding(wanted, *earlier):
    return Outstanding(wanted, earlier, now=NOW, kept=RETENTION, again=OVERLAP)


def entry(span, what="", settled=True):  # noqa: FBT002
    end = min(span.end, NOW - SETTLE) if settled else span.start
    return Entry("directoryAudits", what, span.start, end, span.end, NOW, 1, 1)


def test_what_a_filter_brought_does_not_serve_another():
    """But what was fetched without one serves all."""
    wanted = window(900, 100)
    narrow = outstanding(wanted, entry(window(900, 500), "a eq 'b'"), entry(window(500, 300)))

    assert narrow.left("a eq 'b'", NOW) == (window(300, 100),)
    assert narrow.left("", NOW) == (window(900, 500), window(300, 100))
    assert narrow.left("a eq 'c'", NOW) == (window(900, 500), window(300, 100))
    assert narrow.whole() == (window(500, 300),)


def test_what_was_read_in_this_run_is_not_asked_for_again():
    """Not even its unsettled end, which no ledger calls covered."""
    run = outstanding(window(900, 0))
    run.land(entry(window(900, 0)))

    assert run.left("", NOW) == ()
    assert run.covered("") == (window(900, 30),)
    assert run.gaps("") == ()


def test_a_window_that_failed_is_left_alone_and_named():
    """Unless it was covered before, or has not settled yet."""
    run = outstanding(window(900, 0), entry(window(900, 600)))
    for span in (window(700, 500), window(40, 0)):
        run.fail(span, "too heavy")

    assert run.left("", NOW) == (window(500, 40),)
    assert [(one.start, one.end) for one in run.gaps("")] == [
        (ago(600), ago(500)),
        (ago(40), ago(30)),
    ]


def test_what_the_service_drops_during_a_long_run_is_lost_by_name():
    """A few minutes are let pass: the run began with them."""
    oldest = NOW - RETENTION
    run = outstanding(Window(oldest, NOW))
    soon = run.left("", NOW + SLACK)
    later = run.left("", NOW + timedelta(hours=5))

    assert soon == (Window(oldest, NOW),)
    assert later == (Window(oldest + timedelta(hours=5), NOW),)
    assert [(one.start, one.end) for one in run.gaps("")] == [(oldest, oldest + timedelta(hours=5))]
