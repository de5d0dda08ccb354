"""Raw records → rows: times, shapes and what cannot be used, record by record."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from exported import FIXTURES, account, adds_up, came_of, came_of_text, lines, put, record, text
from hypothesis import given, settings
from hypothesis import strategies as st

from sspr_audit.normalize import records
from sspr_audit.sources.files import forms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEAD = "Date (UTC),CorrelationId,Activity\n"

ZONED = {
    "2026-03-02T09:00:00Z": 0,
    "2026-03-02T09:00:00.1Z": 100_000_000,
    "2026-03-02T09:00:00.12Z": 120_000_000,
    "2026-03-02T09:00:00.123Z": 123_000_000,
    "2026-03-02T09:00:00.1234Z": 123_400_000,
    "2026-03-02T09:00:00.12345Z": 123_450_000,
    "2026-03-02T09:00:00.123456Z": 123_456_000,
    "2026-03-02T09:00:00.1234567Z": 123_456_700,
    "2026-03-02T09:00:00.9999999Z": 999_999_900,
    "2026-03-02T09:00:00+00:00": 0,
    "2026-03-02T09:00:00-00:00": 0,
    "2026-03-02T14:30:00.1234567+05:30": 123_456_700,
    "2026-03-01T23:00:00.5-10:00": 500_000_000,
    "2026-03-02T23:00:00+14:00": 0,
}
"""Text → nanoseconds after 2026-03-02T09:00:00Z."""

ZONELESS = {
    "2026-03-02T09:00:00": 0,
    "2026-03-02T09:00:00.1234567": 123_456_700,
    "3/2/2026, 9:00:00 AM": 0,
    "3/2/2026, 9:00:00.335 AM": 335_000_000,
    "03/02/2026, 09:00:00 AM": 0,
}
NEVER = [
    "2026-03-02T09:00:00.12345678Z",
    "2026-03-02T09:00:00.Z",
    "2026-03-02T09:00:00,5Z",
    "2026-03-02T09:00Z",
    "2026-03-02 09:00:00Z",
    "2026-03-02t09:00:00z",
    "2026-03-02T24:00:00Z",
    "2026-03-02T23:59:60Z",
    "2026-03-02T09:60:00Z",
    "2026-02-29T09:00:00Z",
    "2026-13-02T09:00:00Z",
    "2026-03-02T09:00:00+24:00",
    "2026-03-02T09:00:00+99:99",
    "2026-03-02T09:00:00+0100",
    "2026-03-02T09:00:00+01",
    "2026-03-02T09:00:00 Z",
    " 2026-03-02T09:00:00Z",
    "2026-03-02T09:00:00Z\n",
    "2026-03-02",
    "0001-01-01T00:00:00Z",
    "1677-09-21T00:12:43Z",
    "2262-04-11T23:47:17Z",
    "9999-12-31T23:59:59.9999999Z",
    "10000-01-01T00:00:00Z",
    "2026-03-0\u0662T09:00:00Z",
    "1772442000",
    "3/2/2026 9:00:00 AM",
    "3/2/2026,9:00:00 AM",
    "3/2/2026, 9:00:00",
    "3/2/2026, 9:00 AM",
    "3/2/2026, 9:00:00.33 AM",
    "3/2/2026, 9:00:00.3355 AM",
    "3/2/2026, 9:00:00 am",
    "3/2/2026, 13:00:00 PM",
    "3/2/2026, 0:00:00 AM",
    "3/2/26, 9:00:00 AM",
    "2/30/2026, 9:00:00 AM",
    "1/1/0001, 12:00:00 AM",
    "1/1/9999, 12:00:00 AM",
    "2.3.2026 09:00:00",
    "x",
]


def nanoseconds(moment):
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


NINE = nanoseconds(datetime(2026, 3, 2, 9, tzinfo=UTC))


def in_json(folder, times):
    return came_of_text(
        folder, "".join(text(n, activityDateTime=t) + "\n" for n, t in enumerate(times))
    )


def in_csv(folder, times, head=HEAD):
    out = io.StringIO()
    csv.writer(out).writerows([time, "c", "a"] for time in times)
    return came_of_text(folder, head + out.getvalue())


def test_times_with_a_zone_are_read_to_the_last_digit(tmp_path):
    """0 to 7 digits, any offset; in JSON and in CSV."""
    expected = [NINE + after for after in ZONED.values()]

    assert [row["time_ns"] for row in in_json(tmp_path, ZONED).rows] == expected
    assert [row["time_ns"] for row in in_csv(tmp_path, ZONED).rows] == expected


def test_times_without_a_zone_are_read_where_the_column_says_utc(tmp_path):
    """There ISO and the spoken form; elsewhere neither, as they could be anything."""
    expected = [NINE + after for after in ZONELESS.values()]
    local = "TimeGenerated [Local Time],CorrelationId,OperationName\n"
    queried = in_csv(tmp_path, ZONELESS, local.replace("Local Time", "UTC"))
    elsewhere = in_csv(tmp_path, [*ZONELESS, "2026-03-02T09:00:00Z"], local)

    assert [row["time_ns"] for row in in_csv(tmp_path, ZONELESS).rows] == expected
    assert [row["time_ns"] for row in queried.rows] == expected
    assert (len(elsewhere.rows), elsewhere.skipped) == (1, {"time not understood": len(ZONELESS)})
    assert in_json(tmp_path, ZONELESS).skipped == {"time not understood": len(ZONELESS)}


def test_times_that_are_none_are_skipped_one_by_one(tmp_path):
    """Never guessed, never the end of the run, and the records beside them are read."""
    by_json = in_json(tmp_path, [*NEVER, "2026-03-02T09:00:00Z"])
    by_csv = in_csv(tmp_path, [*NEVER, "2026-03-02T09:00:00Z"])

    for came in (by_json, by_csv):
        assert [row["time_ns"] for row in came.rows] == [NINE]
        assert came.skipped == {"time not understood": len(NEVER)}


def test_the_digits_of_a_time_are_remembered(tmp_path):
    """A cut time repeats a finer one; how fine it was is needed for that."""
    times = [*ZONED, "2026-03-02T09:00:00.1234567+00:00"]
    came = in_json(tmp_path, times)
    digits = [len(time.partition(".")[2].rstrip("Z")[:7].partition("+")[0].partition("-")[0])
              for time in times]  # fmt: skip

    assert [row["digits"] for row in came.rows] == digits


@st.composite
def written(draw):
    """A time as it may be written, and its nanoseconds since 1970."""
    moment = draw(st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30)))  # noqa: DTZ001
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    digits, ticks = draw(st.integers(0, 7)), draw(st.integers(0, 9_999_999))
    offset = draw(st.integers(-14 * 60, 14 * 60))  # minutes
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    fraction = f".{ticks:07d}"[: digits + 1] if digits else ""
    kept = ticks - ticks % 10 ** (7 - digits)
    after = nanoseconds(moment - timedelta(minutes=offset)) + kept * 100
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{zone}", after


@given(times=st.lists(written(), min_size=20, max_size=40))
@settings(max_examples=10)
def test_every_time_reads_back(times, tmp_path_factory):
    """Whatever its zone and its digits, to 100 ns."""
    came = in_json(tmp_path_factory.getbasetemp(), [text for text, _ in times])

    assert [row["time_ns"] for row in came.rows] == [after for _, after in times]


def test_a_file_that_proves_to_be_day_first_is_refused_whole(tmp_path, capsys):
    """3/2 may be March or February there, so none of its rows counts; other files do."""
    times = ["3/2/2026, 9:00:00 AM", "2026-03-02T09:00:00Z", "13/2/2026, 9:00:00 AM", "x"]
    path = put(tmp_path, HEAD + "".join(f'"{time}",c,a\n' for time in times), "days.csv")
    good = put(tmp_path, lines(0, 1))
    code, inputs, err = account(capsys, path, good)

    assert (code, inputs["records_read"], inputs["skipped"]) == (3, 2, [])
    assert inputs["files_ignored"] == [str(path)]
    assert f"refused: {path}: its dates are written day first" in err


@pytest.mark.parametrize("time", ["13/2/2026, 9:00:00 AM", "31/12/2026 09:00", "25/12/2026"])
def test_a_day_first_date_is_told_whatever_follows_it(time, tmp_path):
    """Nothing else was read, so the file is refused by that reason."""
    came = in_csv(tmp_path, ["3/2/2026, 9:00:00 AM", time])

    assert (came.rows, came.skipped) == ([], {})
    assert "day first" in came.done.not_read[0].reason


def test_a_slashed_time_in_json_costs_its_record_alone(tmp_path):
    """Slashed times are read in no JSON, so that this one says nothing of the others."""
    odd = text(9, activityDateTime="13/01/2026, 10:00:00 AM")
    came = came_of_text(tmp_path, f"{text(0)}\n{odd}\n{text(1)}\n")

    assert (came.ids, came.skipped) == (["SSPR_0000", "SSPR_0001"], {"time not understood": 1})


MISSHAPEN = {
    "no time": ({"activityDateTime": None}, "no time"),
    "an empty time": ({"activityDateTime": ""}, "no time"),
    "a time that is an object": ({"activityDateTime": {"x": 1}}, "time not understood"),
    "a time that is a number": ({"activityDateTime": 1772442000}, "time not understood"),
    "who as text": ({"initiatedBy": "user@example.com"}, "initiatedBy is not an object"),
    "who as a list": ({"initiatedBy": [{"user": {}}]}, "initiatedBy is not an object"),
    "user as text": ({"initiatedBy": {"user": "x"}}, "initiatedBy.user is not an object"),
    "app as text": ({"initiatedBy": {"app": "x"}}, "initiatedBy.app is not an object"),
    "targets as an object": ({"targetResources": {"id": "x"}}, "targetResources is not a list"),
    "targets as text": ({"targetResources": "x"}, "targetResources is not a list"),
    "targets of texts": ({"targetResources": ["x"]}, "targetResources holds no objects"),
    "details as an object": ({"additionalDetails": {"a": 1}}, "additionalDetails is not a list"),
    "details of texts": ({"additionalDetails": ["x"]}, "additionalDetails holds no objects"),
    "details as the text of none": ({"additionalDetails": "[]"}, "additionalDetails is not a list"),
    "details as the text of one": (
        {"additionalDetails": '[{"key":"ClientType"}]'},
        "additionalDetails is not a list",
    ),
}


def diagnostic(graph):
    frame = {"category": "AuditLogs", "operationName": "x"}
    return {**frame, "time": graph.get("activityDateTime"), "properties": graph}


@pytest.mark.parametrize("fault", MISSHAPEN)
def test_a_value_of_the_wrong_shape_is_noticed(fault, tmp_path):
    """It would come out as nothing, and look as if nothing had been recorded."""
    changes, reason = MISSHAPEN[fault]
    bad = record(9, **changes)
    body = "\n".join([text(0), json.dumps(bad), text(1)])
    framed = "\n".join(json.dumps(diagnostic(one)) for one in (record(0), bad, record(1)))

    for content in (body, framed):
        came = came_of_text(tmp_path, content)
        assert (came.ids, came.skipped) == (["SSPR_0000", "SSPR_0001"], {reason: 1})
        assert came.places == {reason: 2}


@pytest.mark.parametrize(
    "changes",
    [
        {"initiatedBy": {}},
        {"initiatedBy": {"user": None, "app": {"displayName": "x"}}},
        {"initiatedBy": {"user": {"id": None}, "app": None}},
        {"targetResources": []},
        {"targetResources": [None]},
        {"targetResources": [{"id": None, "displayName": "example.com"}]},
        {"additionalDetails": [{"key": None, "value": None}]},
        {"resultReason": {"a": 1}, "correlationId": 7},
    ],
    ids=json.dumps,
)
def test_a_value_that_is_empty_is_no_fault(changes, tmp_path):
    """Domains have no id, applications no user; the record counts."""
    came = came_of_text(tmp_path, json.dumps(record(0, **changes)))

    assert (came.ids, came.skipped) == (["SSPR_0000"], {})


ROW = {"TimeGenerated": "2026-03-02T09:00:00Z", "OperationName": "x", "Id": "1"}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("InitiatedBy", '"x"', "InitiatedBy is not an object"),
        ("InitiatedBy", "user@example.com", "InitiatedBy is not an object"),
        ("InitiatedBy", "[]", "InitiatedBy is not an object"),
        ("TargetResources", "{}", "TargetResources is not a list"),
        ("TargetResources", "[", "TargetResources is not a list"),
        ("TargetResources", '["x"]', "TargetResources holds no objects"),
        ("AdditionalDetails", '{"key":1}', "AdditionalDetails is not a list"),
        ("AdditionalDetails", "[1]", "AdditionalDetails holds no objects"),
    ],
)
def test_nested_columns_of_the_wrong_shape_are_noticed(column, value, reason, tmp_path):
    """In rows they are texts that hold JSON; in a CSV, too."""
    rows = [ROW, {**ROW, "Id": "2", column: value}]
    out = io.StringIO()
    names = ["TimeGenerated", "OperationName", "Id", column]
    csv.writer(out).writerows([names, *([row.get(name, "") for name in names] for row in rows)])

    for content in ("\n".join(map(json.dumps, rows)), out.getvalue()):
        came = came_of_text(tmp_path, content)
        assert (came.ids, came.skipped) == (["1"], {reason: 1})


@pytest.mark.parametrize("nested", [{"user": {"id": "u", "ipAddress": "192.0.2.1"}}, ""])
def test_nested_columns_may_be_json_after_all(nested, tmp_path):
    """Some tools unfold them; empty ones are left out or "" ."""
    row = {**ROW, "InitiatedBy": nested, "AdditionalDetails": "", "TargetResources": None}
    came = came_of_text(tmp_path, json.dumps(row))

    assert [row["initiator_id"] for row in came.rows] == ["u" if nested else None]


def test_a_record_without_an_id_is_called_by_its_content(tmp_path):
    """The first 16 hex digits of its SHA-256, so that it has the same name every time."""
    line = text(0, id=None)
    came = came_of_text(tmp_path, line)

    assert came.ids == [f"content:{hashlib.sha256(line.encode()).hexdigest()[:16]}"]
    assert came.rows[0]["has_id"] is False


def test_context_that_is_no_json_is_skipped(tmp_path):
    """Half a letter would fail every later query over what was kept."""
    sign_in = '{"id":"1","createdDateTime":"x","appId":"%s"}'
    came = came_of_text(tmp_path, "\n".join(sign_in % app for app in ("a", r"\ud800", "b")))

    assert (came.context, came.skipped) == ({"signIns": 2}, {records.NO_JSON: 1})


def mixed():
    """Lines of every form and kind, with the form that each is told by its keys."""
    audit = [
        text(1),
        text(2, activityDateTime=None),
        json.dumps({"id": "x", "loggedByService": "y", "activityDateTime": "2026-03-02T09:00:00Z"}),
        json.dumps(diagnostic(record(3))),
        json.dumps({**diagnostic(record(4)), "category": "ProvisioningLogs"}),
        json.dumps({**diagnostic(record(5)), "category": None}),
        json.dumps({**diagnostic(record(6)), "properties": "{}"}),
        json.dumps({**diagnostic(record(7)), "category": "SignInLogs"}),
        json.dumps({"time": "x", "properties": {"createdDateTime": "y"}}),
        json.dumps(ROW),
        json.dumps({**ROW, "AppDisplayName": "x"}),
        json.dumps({**ROW, "Type": "AuditLogs", "Id": "3"}),
        json.dumps({**ROW, "Type": "AzureActivity"}),
        json.dumps({**ROW, "Type": 0}),
        json.dumps({**ROW, "Type": "SigninLogs"}),
        json.dumps({**ROW, "AppDisplayName": None, "Id": "2"}),
        json.dumps({"TimeGenerated": "2026-03-02T09:00:00Z", "Computer": "x"}),
        json.dumps({"id": "1", "trustType": "x"}),
        json.dumps({"a": 1}),
        "{",
    ]
    return st.lists(st.sampled_from(audit), min_size=1, max_size=12)


@given(texts=mixed())
@settings(max_examples=15)
def test_the_order_of_lines_decides_nothing(texts, tmp_path_factory):
    """SQL and Python agree on what a record is, so the first line of a file favours no form."""
    folder = tmp_path_factory.getbasetemp()
    together = came_of_text(folder, "\n".join(texts), "mixed")
    apart = came_of_text(folder, "[" + ",\n".join(t for t in texts if t != "{") + "]", "apart")
    known = any(forms.of_record(json.loads(one)) for one in texts if one != "{")

    assert sorted(together.ids) == sorted(apart.ids)
    assert together.context == apart.context
    if known:
        skipped = sum(together.skipped.values())
        assert len(texts) == len(together.rows) + sum(together.context.values()) + skipped


def test_every_record_stands_in_one_class(tmp_path, capsys):
    """Skipped, repeated, context, outside, other or an event: the sum is what was read."""
    put(tmp_path, lines(*range(20), 0, 1), "events.json")
    put(tmp_path, json.dumps(record(30, activityDisplayName="Add user", loggedByService="x",
                                    resultReason="")), "other.json")  # fmt: skip
    put(tmp_path, (FIXTURES / "context/signIns.json").read_bytes(), "a.json")
    put(tmp_path, (FIXTURES / "context/signIns.json").read_bytes() + b"\n", "b.json")
    put(tmp_path, text(40, activityDateTime="x"), "bad.json")
    code, inputs, _ = account(capsys, tmp_path)

    assert (code, adds_up(inputs)) == (3, True)
    assert inputs["records_read"] == 22 + 1 + 6 + 1
    assert (inputs["events"], inputs["other_records"], inputs["duplicates"]) == (20, 1, 2 + 3)
    assert inputs["context_records"] == {"signIns": 3}
    assert [(one["reason"], one["count"]) for one in inputs["skipped"]] == [
        ("time not understood", 1)
    ]


def test_a_record_of_16_mb_is_read(tmp_path):
    """The longest that is taken at all goes through to its row."""
    long = text(1, x="x" * 16_000_000)
    came = came_of_text(tmp_path, f"{text(0)}\n{long}\n")

    assert (came.ids, came.skipped) == (["SSPR_0000", "SSPR_0001"], {})


def test_nul_in_a_value_is_kept_from_harm(tmp_path):
    """Escaped it is a letter like any other; bare it is no JSON."""
    came = came_of_text(tmp_path, text(0, resultReason="a\x00b") + "\n" + text(1) + "\x00\n")

    assert "SSPR_0000" in came.ids
    assert came.rows[0]["reason"] == "a\x00b"


def test_two_files_without_ids_that_are_equal_are_one(capsys):
    """The portal's CSV and the same records with ids: each event counts once."""
    _, inputs, _ = account(
        capsys, FIXTURES / "portal/AuditLogs.csv", FIXTURES / "graph/lines.ndjson"
    )

    assert adds_up(inputs)
    assert inputs["duplicates"] == inputs["records_read"] // 2


def test_the_demo_of_readings_comes_to_the_same_rows_in_one_call():
    """A row's own number, file and place are those of the record it came from."""
    paths = [FIXTURES / "graph/lines.ndjson", FIXTURES / "portal/AuditLogs.csv"]
    came = came_of(*paths)

    assert {row["file"] for row in came.rows} == {0, 1}
    assert len({row["seq"] for row in came.rows}) == len(came.rows)
