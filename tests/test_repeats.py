"""What is said twice counts once: counting rule 4."""

import hashlib
import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenant import (
    BLOCKED,
    DONE,
    PASSWORD,
    RESET,
    USER_ID,
    ZERO,
    counted,
    event,
    guid,
    inside,
    kept,
    reported,
    stamp,
    success,
    upn,
    without_id,
)


def ids(*rows):
    """Return the ids of records, or those they get from their content, sorted."""
    texts = [json.dumps(row).encode() for row in rows]
    content = [f"content:{hashlib.sha256(text).hexdigest()[:16]}" for text in texts]
    return sorted(row.get("id", name) for row, name in zip(rows, content, strict=True))


def every_order(*rows):
    """Return the one answer that the records give in each of their orders, or in eight of many."""
    orders = list(permutations(rows))
    answers = {tuple(kept(order)) for order in orders[:: max(1, len(orders) // 8)]}
    assert len(answers) == 1, f"the order decides: {answers}"
    return list(answers.pop())


def test_the_same_record_twice_counts_once():
    """An id with its time, activity and correlationId is one event, however often it comes."""
    row = event(USER_ID)

    assert kept([row, row, row]) == ids(row)
    assert counted(inside(row, row, row)).duplicates == 2


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_times_of_one_id_are_equal_when_cut_to_milliseconds(digits):
    """Seven digits in one export and three in another are the same time; the fuller stays."""
    fine = event(USER_ID, 0.1239999)
    coarse = {**fine, "activityDateTime": stamp(0.1239999, digits)}

    assert every_order(fine, coarse) == ids(fine)
    (one,) = counted([fine, coarse]).events
    assert one["time_utc"].nanosecond == 900


def test_times_of_one_id_are_cut_and_not_rounded():
    """.1239999 and .124 are two milliseconds."""
    rows = event(USER_ID, 0.1239999, id="x"), event(USER_ID, 0.124, id="x")

    assert len(kept(rows)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"activityDateTime": stamp(0.5)},
        {"activityDisplayName": RESET},
        {"correlationId": guid("another")},
    ],
)
def test_the_same_id_with_other_content_stays(change):
    """Both records stay and count as conflicts of their id."""
    row = event(USER_ID)
    done = counted([row, {**row, **change}])

    assert (len(done.events), done.duplicates, done.id_conflicts) == (2, 0, 2)


def test_the_same_id_in_other_spelling_of_the_correlation_is_no_conflict():
    """Case says nothing in a correlationId."""
    row = event(USER_ID, flow="x")

    assert kept([row, {**row, "correlationId": row["correlationId"].upper()}]) == ids(row)


def test_the_fuller_record_stays_whatever_the_order():
    """More fields win over fewer, also where the id's times differ in digits."""
    poor = event(USER_ID, ip=None, id="x")
    rich = event(USER_ID, client="Web portal", digits=3, id="x")

    for rows in permutations([poor, rich]):
        (one,) = counted(rows).events
        assert one["client_type"] == "Web portal"


def test_equally_full_records_are_chosen_by_content():
    """No answer hangs on which file came first."""
    one = event(USER_ID, ip="192.0.2.1", id="x")
    two = event(USER_ID, ip="192.0.2.2", id="x")

    assert counted([one, two]).events == counted([two, one]).events


def test_an_application_tells_records_apart_too():
    """Content means all of it: two records that differ in the application alone."""
    rows = [
        event(USER_ID, id="x", initiatedBy={"user": None, "app": {"displayName": name}})
        for name in ("First", "Second")
    ]

    assert counted(rows).events == counted(rows[::-1]).events


def test_a_row_without_id_gets_one_from_its_content():
    """`content:` and the first 16 digits of the SHA-256 of the text as it came."""
    row = without_id(event(USER_ID))
    digest = hashlib.sha256(json.dumps(row).encode()).hexdigest()

    assert kept([row]) == [f"content:{digest[:16]}"]


def test_a_row_without_id_repeats_one_with_id():
    """The portal's CSV has no ids; a record of Graph with the same facts is the same event."""
    row = event(USER_ID)

    assert every_order(row, without_id(row)) == ids(row)


@pytest.mark.parametrize(("of_id", "of_other"), [(3, 7), (7, 3), (0, 7), (7, 0), (3, 0)])
def test_times_are_equal_when_cut_to_the_fewer_digits(of_id, of_other):
    """Without an id on one side, digits that only one side has say nothing."""
    row = event(USER_ID, 0.1239999, digits=of_id)
    same = without_id(event(USER_ID, 0.1239999, digits=of_other))

    assert every_order(row, same) == ids(row)


def test_times_without_ids_are_cut_and_not_rounded():
    """.1239999 in seven digits is not .124 in three."""
    rows = [event(USER_ID, 0.1239999), without_id(event(USER_ID, 0.124, digits=3))]

    assert len(kept(rows)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"correlationId": guid("another")},
        {"activityDisplayName": BLOCKED},
        {"resultReason": DONE},
        {"result": "failure"},
        {"targetResources": [{"id": guid("bo"), "type": "User"}]},
        {"activityDateTime": stamp(0.0000001)},
    ],
)
def test_a_row_without_id_that_differs_stays(change):
    """Other correlationId, activity, reason, result, person or time: another event."""
    row = event(USER_ID)
    changed = without_id({**row, **change})

    assert len(kept([row, changed])) == 2
    assert len(kept([without_id(row), changed])) == 2


def test_reasons_are_compared_folded():
    """Case, blanks and the final full stop drift between exports."""
    row = event("User cancelled before submitting a new password")
    drifted = without_id(
        {**row, "resultReason": " user  Canceled before submitting a new password."}
    )

    assert kept([row, drifted]) == ids(row)


@pytest.mark.parametrize(
    "nobody",
    [
        {"targetResources": [], "initiatedBy": None},
        {"targetResources": [{"id": ZERO, "type": "User"}], "initiatedBy": None},
    ],
)
def test_a_person_who_is_known_on_one_side_only_is_no_difference(nobody):
    """An unknown person can be the known one."""
    row = event(USER_ID)

    assert every_order(row, without_id({**row, **nobody})) == ids(row)


def test_a_person_is_compared_by_id_before_name():
    """The name typed in may differ from the one stored; ids decide where both sides have one."""
    row = event(USER_ID)
    renamed = {"id": guid("ann"), "type": "User", "userPrincipalName": upn("ann.new")}

    assert len(kept([row, without_id({**row, "targetResources": [renamed]})])) == 1


def test_two_events_in_one_second_survive_a_coarser_copy():
    """A row that can be either of two different events is a repeat of one of them."""
    first, second = event(PASSWORD, 0.25), event(PASSWORD, 0.75)
    coarse = without_id(event(PASSWORD, digits=0, client="Web portal"))  # fuller than both

    assert every_order(first, second, coarse) == ids(first, second)


def test_two_events_in_one_second_survive_without_any_id():
    """The same, where nothing has an id."""
    first, second = (without_id(event(PASSWORD, at)) for at in (0.25, 0.75))
    coarse = without_id(event(PASSWORD, digits=0))

    assert every_order(first, second, coarse) == ids(first, second)


def test_two_ids_at_one_time_survive_copies_without_ids():
    """Ids tell events of one moment apart; rows without them repeat one of the two."""
    rows = [event(PASSWORD, id=name) for name in ("x", "y")]
    copies = [without_id(event(PASSWORD, digits=digits)) for digits in (7, 3)]

    assert every_order(*rows, *copies) == ["x", "y"]


def test_coarse_ids_and_fine_rows_of_two_events_are_two_events():
    """Where both sides are unsure of each other, the rows with ids stay and none is lost."""
    coarse = [event(PASSWORD, 0.001, digits=3, id=name) for name in ("x", "y")]
    fine = [without_id(event(PASSWORD, at)) for at in (0.0011, 0.0012)]

    assert every_order(*coarse, *fine) == ["x", "y"]


def test_a_row_of_nobody_does_not_make_one_person_of_two():
    """It repeats one of the two people's events and takes neither with it."""
    ann, bo = without_id(event(USER_ID, who="ann", ip=None)), event(USER_ID, who="bo", client="x")
    nobody = without_id(event(USER_ID, targetResources=[], initiatedBy=None, client="x"))
    nobody["initiatedBy"] = {"user": {"ipAddress": "192.0.2.1"}}

    assert every_order(ann, bo, nobody) == ids(ann, bo)


def test_a_fuller_coarse_row_stays_for_one_event_that_came_twice():
    """Two copies of one event do not make a coarser, fuller third one ambiguous."""
    copies = [event(USER_ID, 0.1239999, ip=None), without_id(event(USER_ID, 0.1239999, ip=None))]
    full = without_id(event(USER_ID, 0.1239999, digits=3, client="Web portal", agent="x"))

    assert every_order(*copies, full) == ids(full)


def test_no_row_is_lost_where_none_is_sure():
    """Rows that each fit two others, none of them with an id, all stay."""
    known = [without_id(event(PASSWORD, 0.001, digits=3, who=who)) for who in ("ann", "bo")]
    nobody = {"targetResources": [], "initiatedBy": None}
    fine = [without_id(event(PASSWORD, at, **nobody)) for at in (0.0011, 0.0012)]

    assert len(every_order(*known, *fine)) == 4


COPIES = st.sets(st.sampled_from([(False, 7), (False, 3), (False, 0), (True, 7)]))


@settings(max_examples=20)
@given(
    events=st.lists(
        st.tuples(st.integers(0, 40), COPIES), max_size=5, unique_by=lambda one: one[0]
    ),
    named=st.booleans(),
    data=st.data(),
)
def test_copies_in_any_number_and_order_add_nothing(events, named, data):
    """Each event stays once, beside whatever coarser or nameless copies there are of it."""
    rows, fine = [], []
    for number, copies in events:
        at = number * 0.0500001
        best = event(PASSWORD, at)
        fine.append(best if named else without_id(best))
        rows.append(fine[-1])
        rows += [
            best if with_id and named else without_id(event(PASSWORD, at, digits=digits))
            for with_id, digits in copies
        ]
    shuffled = data.draw(st.permutations(rows))

    assert kept(shuffled) == ids(*fine)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 12), max_size=5, unique=True), st.data())
def test_two_exports_of_one_log_are_one_log(times, data):
    """Ids with three digits in one, seven digits without ids in the other: one row an event."""
    named = [event(PASSWORD, n * 0.0100001, digits=3) for n in times]
    finer = [without_id(event(PASSWORD, n * 0.0100001)) for n in times]
    shuffled = data.draw(st.permutations(named + finer))

    assert kept(shuffled) == ids(*named)


def test_the_account_counts_what_is_said_twice(tmp_path):
    """Duplicates are a class of their own in the sum of records."""
    rows = inside(success())
    account = reported(tmp_path, rows + rows).account

    assert (account.records_read, account.duplicates, account.events) == (20, 10, 8)


def test_blanks_around_a_name_make_no_other_record():
    """A record without ids, once with a blank behind the name, is said twice."""

    def named(name):
        who = {"userPrincipalName": name}
        target = {"type": "User", **who}
        return event(USER_ID, initiatedBy={"user": who}, targetResources=[target])

    rows = [without_id(named(name)) for name in ("b@example.com", "B@example.com ")]

    assert len(every_order(*rows)) == 1
