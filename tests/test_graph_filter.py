"""The fake tenant's `$filter`: what it reads, what it refuses, and what fits."""

from datetime import UTC, datetime, timedelta

import graph_filter
import pytest
from graph_filter import AnyOf, BadFilter, Both, Compare, Either, Moment, StartsWith, parse
from graph_records import audit, stamp
from hypothesis import given
from hypothesis import strategies as st

T = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@st.composite
def moments(draw):
    second = T + timedelta(seconds=draw(st.integers(-86_400, 86_400)))
    return Moment.of(stamp(second, draw(st.integers(0, 10**7 - 1)), draw(st.integers(0, 7))))


TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
LEAVES = st.one_of(
    st.builds(
        Compare,
        st.just("activityDateTime"),
        st.sampled_from(sorted(graph_filter.OPERATORS)),
        moments(),
    ),
    st.builds(Compare, st.sampled_from(["loggedByService", "id"]), st.just("eq"), TEXTS),
    st.builds(Compare, st.just("result"), st.just("eq"), st.sampled_from([None, True, 0, -7])),
    st.builds(StartsWith, st.just("initiatedBy/user/userPrincipalName"), TEXTS),
    st.builds(
        AnyOf,
        st.just("targetResources"),
        st.just("t"),
        st.builds(StartsWith, st.just("t/displayName"), TEXTS),
    ),
)


def parts(kind, inner):
    return st.lists(inner, min_size=2, max_size=4).map(lambda found: kind(tuple(found)))


TREES = st.recursive(LEAVES, lambda inner: parts(Both, inner) | parts(Either, inner), max_leaves=8)


@given(TREES)
def test_every_filter_reads_back_as_itself(tree):
    """What a tree says is what the grammar reads: quotes, blanks and brackets included."""
    assert parse(str(tree)) == tree


@given(st.lists(moments(), min_size=1, max_size=9), moments(), moments())
def test_a_window_holds_what_lies_in_it_to_the_last_tick(times, low, high):
    """Times compare as numbers of 100 ns, never as text."""
    tree = parse(f"activityDateTime ge {low.text} and activityDateTime lt {high.text}")
    found = [t.ticks for t in times if graph_filter.matches(tree, audit(t.text))]

    assert found == [t.ticks for t in times if low.ticks <= t.ticks < high.ticks]


@given(TREES, moments())
def test_what_fits_lies_inside_the_window_of_its_filter(tree, moment):
    """The tenant looks no further, and calls a window heavy by it."""
    low, high = graph_filter.window(tree, "activityDateTime")

    assert low <= moment.ticks <= high or not graph_filter.matches(tree, audit(moment.text))


def test_the_window_of_a_filter_is_no_wider_than_it_must_be():
    """Parts joined by `and` narrow it, parts joined by `or` widen it."""
    hour = parse(
        "activityDateTime ge 2026-11-20T11:00:00Z and activityDateTime lt 2026-11-20T12:00:00Z"
    )
    one = Compare("id", "eq", "a")
    low, high = graph_filter.window(Both((hour, one)), "activityDateTime")

    assert high - low == 3600 * graph_filter.TICKS
    assert graph_filter.window(Either((hour, one)), "activityDateTime") == graph_filter.EVER
    assert graph_filter.window(None, "activityDateTime") == graph_filter.EVER


def test_trimmed_fractions_are_less_than_longer_ones():
    """The text '…07.92Z' sorts after '…07.9299999Z', and is earlier."""
    assert Moment.of("2026-11-20T12:00:07.92Z") < Moment.of("2026-11-20T12:00:07.9299999Z")
    assert Moment.of("1970-01-01T00:00:01.92Z").ticks == 19_200_000
    assert Moment.of("1970-01-01T02:00:00+01:30").ticks == 30 * 60 * graph_filter.TICKS
    assert Moment.of("2026-11-20T12:00:07+00:00").ticks == Moment.of("2026-11-20T12:00:07Z").ticks


def test_and_binds_before_or():
    """As in every language; brackets say otherwise."""
    a, b, c = (Compare("id", "eq", name) for name in "abc")

    assert parse("id eq 'a' or id eq 'b' and id eq 'c'") == Either((a, Both((b, c))))
    assert parse("(id eq 'a' or id eq 'b') and id eq 'c'") == Both((Either((a, b)), c))


RECORD = {
    **audit(T, reason="x"),
    "loggedByService": "Core Directory",
    "targetResources": [{"id": "one", "displayName": "Anna's PC"}, {"id": "two"}],
}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("loggedByService eq 'Core Directory'", True),
        ("loggedByService eq 'PIM'", False),
        ("startswith(initiatedBy/user/userPrincipalName,'ANN')", True),
        ("startswith(initiatedBy/app/displayName,'a')", False),
        ("targetResources/any(t: t/id eq 'two')", True),
        ("targetResources/any(x:startswith(x/displayName,'Anna''s'))", True),
        ("targetResources/any(t: t/id eq 'three')", False),
        ("initiatedBy/app/appId eq null", True),
        ("activityDateTime eq 2026-11-20T12:00:00.000Z", True),
    ],
)
def test_a_clause_fits_as_odata_says(text, fits):
    """What is not there equals null and nothing else."""
    assert graph_filter.matches(parse(text), RECORD) is fits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id",
        "id eq",
        "id is 'a'",
        "id eq 'a' and",
        "id eq 'a' id eq 'b'",
        "(id eq 'a'",
        "id eq 'a",
        "id eq a",
        "not id eq 'a'",
        "startswith(id 'a')",
        "id in ('a','b')",
        "id eq \\'a'",
    ],
)
def test_what_the_grammar_does_not_know_is_refused(text):
    """A filter is never half understood."""
    with pytest.raises(BadFilter):
        parse(text)


def test_a_value_unknown_to_the_service_matches_nothing():
    """The rest of the filter goes on working."""
    tree = parse("loggedByService eq 'Core Directory' or activityDisplayName eq 'x'")
    blind = graph_filter.without(tree, {"Core Directory"})

    assert graph_filter.matches(tree, RECORD)
    assert not graph_filter.matches(blind, RECORD)
    assert graph_filter.matches(blind, {**RECORD, "activityDisplayName": "x"})
