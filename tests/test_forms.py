"""What a file holds is told by its content, never by its name."""

import csv
import io
import json

import pytest
from exported import FIXTURES, came_of, came_of_text, lines, record, text

from sspr_audit.model import Form, Layout
from sspr_audit.sources import exports
from sspr_audit.sources.files import forms

DATE, PORTAL_ROW = "2026-03-02T09:00:00.1234567+00:00", 47
AUDIT_LOG = {"time": "2026-03-02T09:00:00Z", "operationName": "x", "properties": {"id": "1"}}

RECORDS = {
    "Graph": (record(1), Form.GRAPH),
    "Graph, only what was done": ({"activityDisplayName": "x"}, Form.GRAPH),
    "Graph that lost its time": ({"loggedByService": "x", "id": "1"}, Form.GRAPH),
    "diagnostic": ({**AUDIT_LOG, "category": "AuditLogs"}, Form.DIAGNOSTIC),
    "diagnostic without a category": (AUDIT_LOG, Form.DIAGNOSTIC),
    "diagnostic sign-in": ({**AUDIT_LOG, "category": "NonInteractiveUserSignInLogs"}, "signIns"),
    "diagnostic sign-in without a category": (
        {"time": "x", "properties": {"createdDateTime": "x"}},
        "signIns",
    ),
    "diagnostic of another log": ({**AUDIT_LOG, "category": "ProvisioningLogs"}, None),
    "diagnostic with a text inside": ({**AUDIT_LOG, "properties": '{"id":"1"}'}, None),
    "row": ({"TimeGenerated": "x", "OperationName": "y"}, Form.LOG_ANALYTICS),
    "row of few columns": ({"ActivityDateTime": "x", "ActivityDisplayName": "y"}, "log-analytics"),
    "row of SigninLogs": (
        {"TimeGenerated": "x", "OperationName": "Sign-in activity", "AppDisplayName": "y"},
        "signIns",
    ),
    "row of few columns that names SigninLogs": (
        {"TimeGenerated": "x", "OperationName": "y", "Type": "SigninLogs"},
        "signIns",
    ),
    "row that names another table": (
        {"TimeGenerated": "x", "OperationName": "y", "Type": "AzureActivity"},
        None,
    ),
    "row of another table": ({"TimeGenerated": "x", "Computer": "y"}, None),
    "sign-in": ({"createdDateTime": "x", "appDisplayName": "y", "id": "1"}, "signIns"),
    "device": ({"id": "1", "trustType": "ServerAd"}, "devices"),
    "few keys of a device": ({"deviceId": "1", "operatingSystem": "Windows"}, "devices"),
    "managed device": ({"azureADDeviceId": "1", "operatingSystem": "Windows"}, "managedDevices"),
    "network": ({"displayName": "x", "ipRanges": []}, "namedLocations"),
    "country": ({"displayName": "x", "countriesAndRegions": []}, "namedLocations"),
    "registration": ({"isSsprCapable": True}, "userRegistrationDetails"),
    "group": ({"id": "1", "displayName": "x"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_known_by_its_keys(name):
    """Each kind by what only it has; what is none of them is not guessed at."""
    value, form = RECORDS[name]

    assert forms.of_record(value) == form


@pytest.mark.parametrize(
    ("context", "form"),
    [
        ("https://graph.microsoft.com/v1.0/$metadata#auditLogs/directoryAudits", Form.GRAPH),
        ("https://graph.microsoft.com/beta/$metadata#auditlogs/directoryaudits/$entity", "graph"),
        ("https://graph.microsoft.us/v1.0/$metadata#auditLogs/signIns(id,userId)", "signIns"),
        (
            "$metadata#reports/authenticationMethods/userRegistrationDetails",
            "userRegistrationDetails",
        ),
        ("$metadata#identity/conditionalAccess/namedLocations", "namedLocations"),
        ("$metadata#deviceManagement/managedDevices(id)", "managedDevices"),
        ("$metadata#devices", "devices"),
        ("$metadata#groups", None),
        ("", None),
    ],
)
def test_an_envelope_says_what_it_holds(context, form):
    """In every cloud and version, with the columns that were asked for or not."""
    assert forms.of_context(context) == form


@pytest.mark.parametrize(
    ("context", "count"),
    [
        ("https://graph.microsoft.com/v1.0/$metadata#auditLogs/directoryAudits", 2),
        ("https://graph.microsoft.com/beta/$metadata#auditLogs/provisioning", 0),
        ("x", 2),
    ],
)
def test_a_page_of_another_log_holds_no_audit_records(context, count, tmp_path):
    """However much they look like ones: in a file, and in a line among others."""
    page = json.dumps({"@odata.context": context, "value": [record(8), record(9)]})
    alone = came_of_text(tmp_path, page)
    among = came_of_text(tmp_path, f"{text(0)}\n{page}\n")

    assert (len(alone.rows), len(alone.done.not_read)) == (count, count == 0)
    assert (len(among.rows), sum(among.skipped.values())) == (1 + count, 2 - count)


def test_rows_of_another_table_are_no_audit_records(tmp_path):
    """In a query over several tables; as lines, as a list and as a CSV."""
    head = ("TimeGenerated", "OperationName", "Id", "Type")
    found = [("2026-03-02T09:00:00Z", "x", str(n), kind)
             for n, kind in enumerate(("AuditLogs", "", "AzureActivity"))]  # fmt: skip
    objects = [dict(zip(head, row, strict=True)) for row in found]

    for content in (
        "\n".join(map(json.dumps, objects)),
        json.dumps(objects),
        table([head, *found]),
    ):
        came = came_of_text(tmp_path, content)
        assert (came.ids, came.skipped) == (["0", "1"], {"not a record of a known form": 1})


@pytest.mark.parametrize(
    ("header", "twice"),
    [
        ("Date (UTC),CorrelationId,Activity,Result,Activity,Result", "Activity, Result"),
        ("Date (UTC),CorrelationId,Activity,actividad", "Activity"),
        ("TimeGenerated [UTC],OperationName,TimeGenerated", "TimeGenerated"),
        ("Date (UTC),CorrelationId,Activity,Mine,Mine", ""),
    ],
)
def test_a_column_that_stands_twice_is_refused_by_name(header, twice, tmp_path):
    """Which of the two counts would be guessed; what nobody reads may stand twice."""
    came = came_of_text(tmp_path, header + "\n" + "2026-03-02T09:00:00Z,c,a,b,c,d\n")
    refused = [(one.verdict, one.reason) for one in came.done.not_read]
    said = f"its header names more than once: {twice}; export each column once"

    assert refused == ([("refused", said)] if twice else [])


def test_the_portal_s_columns_are_the_86_that_it_writes():
    """The layout that is read is the one that the exporter of the demo writes."""
    assert len(forms.PORTAL) == 86
    assert forms.PORTAL == exports.PORTAL_COLUMNS
    assert set(forms.LOG_ANALYTICS) == set(exports.LOG_ANALYTICS_COLUMNS)


def portal(*names, separator=","):
    return separator.join(f'"{name}"' for name in names)


def test_the_layout_of_the_download_is_known_by_position():
    """86 columns, or 83 of before, in any language: names may differ, places do not."""
    in_german = ["Datum (UTC)", *(f"Spalte {n}" for n in range(85))]
    older = [n for n in forms.PORTAL if n not in ("User Agent", *forms.PORTAL[13:15])]
    row = portal(DATE, *[""] * 85)

    assert forms.of_header(portal(*forms.PORTAL)).columns == forms.PORTAL
    assert forms.of_header(portal(*older)).columns == tuple(older)
    assert forms.of_header(portal(*in_german), row).columns == forms.PORTAL


def test_a_layout_is_not_guessed():
    """86 columns of something else, or ours in another order, are no download."""
    strange = [f"Column {n}" for n in range(86)]
    turned = [forms.PORTAL[1], forms.PORTAL[0], *forms.PORTAL[2:4], "?", *forms.PORTAL[5:]]

    assert forms.of_header(portal(*strange), portal("abc", *[""] * 85)) is None
    assert forms.of_header(portal(*strange)) is None
    assert forms.of_header(portal(*turned)) is None


def test_a_choice_of_columns_is_known_by_name():
    """In any order, in English, Spanish and Italian, with columns that nobody reads."""
    spanish = forms.of_header(portal("Actividad", "Mine", "Fecha (UTC)", "CorrelationId"))
    italian = forms.of_header(portal("Data (UTC)", "CorrelationId", "Activity", separator=";"))

    assert spanish == Layout(
        Form.PORTAL_CSV, ("Activity", "", "Date (UTC)", "CorrelationId"), zoneless_utc=True
    )
    assert italian.columns == ("Date (UTC)", "CorrelationId", "Activity")
    assert italian.delimiter == ";"
    assert forms.of_header(portal("Date (UTC)", "Activity")) is None


@pytest.mark.parametrize(
    ("header", "utc"),
    [
        ("TimeGenerated [UTC],OperationName", True),
        ("TimeGenerated [utc],ActivityDateTime [UTC],OperationName", True),
        ("TimeGenerated,OperationName", False),
        ("TimeGenerated [Local Time],OperationName", False),
        ("TimeGenerated [UTC+01:00],OperationName", False),
        ("TimeGenerated [UTC],ActivityDateTime [CET],OperationName", False),
    ],
)
def test_a_query_result_says_its_zone_in_its_header(header, utc):
    """Only where it says UTC are times without a zone taken for it."""
    layout = forms.of_header(header)

    assert (layout.form, layout.zoneless_utc) == (Form.LOG_ANALYTICS, utc)


def test_a_query_result_of_sign_ins_is_context():
    """By columns that only they have; one that names no activity is none of ours."""
    assert forms.of_header("TimeGenerated [UTC],OperationName,AppDisplayName").form == "signIns"
    assert forms.of_header("TimeGenerated [UTC],Computer") is None


def test_an_unknown_header_is_told_by_what_is_not_understood(tmp_path):
    """Those that are known are not named, which shows how near the file came."""
    header = "Time,Activity,Result,ResultReason,TimeGenerated [UTC],Fecha (UTC),\x1b]0;x\x07\n"
    came = came_of_text(tmp_path, header + "1,2,3,4,5,6,7\n")

    (told,) = came.done.remarks()

    assert told.startswith(f"ignored: {tmp_path / 'export.json'}: it is a CSV of no known export")
    assert told.endswith(r"; headers not understood: Time, \x1b]0;x\x07")


def test_an_error_names_a_hundred_headers_and_no_more(tmp_path):
    """One line, however wide the table is."""
    came = came_of_text(tmp_path, ",".join(f"h{n}" for n in range(5000)) + "\n")
    (told,) = came.done.remarks()

    assert told.endswith("h98, h99, …")


def test_the_name_of_a_file_says_nothing(tmp_path):
    """JSON in a .csv, a CSV in a .json, plain text in a .gz."""
    table = (FIXTURES / "portal/AuditLogs.csv").read_bytes()

    assert came_of_text(tmp_path, lines(0), "a.csv").ids == ["SSPR_0000"]
    assert came_of_text(tmp_path, lines(0), "a.gz").ids == ["SSPR_0000"]
    assert len(came_of_text(tmp_path, table, "a.json").rows) == PORTAL_ROW


def story():
    """The rows of the fixture, header first."""
    whole = (FIXTURES / "portal/AuditLogs.csv").read_text("utf-8-sig")
    return list(csv.reader(io.StringIO(whole)))


def table(rows, **how):
    out = io.StringIO()
    csv.writer(out, **how).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("how", "before", "encoding"),
    [
        ({"delimiter": ";"}, "", "utf-8-sig"),
        ({"delimiter": "\t"}, "", "utf-16"),
        ({"lineterminator": "\n"}, "", "utf-8"),
        ({"quoting": csv.QUOTE_ALL}, "#TYPE Selected.System\r\n", "utf-16"),
        ({"delimiter": ";"}, "sep=;\r\n", "utf-8"),
        ({}, "\r\n \r\n", "utf-8"),
    ],
    ids=["Excel", "Excel text", "Unix", "PowerShell", "separator line", "blank lines"],
)
def test_a_download_that_was_saved_again_is_read(how, before, encoding, tmp_path):
    """Excel and PowerShell write it their own way; the rows are the same."""
    came = came_of_text(tmp_path, (before + table(story(), **how)).encode(encoding))

    assert [row["time_ns"] for row in came.rows] == [
        row["time_ns"] for row in came_of(FIXTURES / "portal/AuditLogs.csv").rows
    ]
    assert came.done.remarks() == ()


def test_cells_may_hold_line_breaks_quotes_and_separators(tmp_path):
    """The row goes on until its quote ends, and its place is that of its first line."""
    head, *rows = story()
    cell = 'He said: "no, never;\r\n\r\n,"\n""'
    rows[1][head.index("ResultReason")] = cell
    came = came_of_text(tmp_path, table([head, *rows]))

    assert came.rows[1]["reason"] == cell
    assert [row["place"] for row in came.rows[:3]] == [2, 3, 7]
    assert came.skipped == {}


def test_rows_of_another_length_are_skipped(tmp_path):
    """Short and long ones; which cell is which would be guessed."""
    head, *rows = story()
    rows[1], rows[2] = rows[1][:-1], [*rows[2], "x"]
    came = came_of_text(tmp_path, table([head, *rows]))

    assert len(came.rows) == len(rows) - 2
    assert came.skipped == {"another number of columns than the header": 2}
    assert came.places == {"another number of columns than the header": 3}


@pytest.mark.parametrize("ending", ["", "\r\n", "\r\n\r\n"])
def test_a_header_alone_is_an_answer(ending, tmp_path):
    """A download of a quiet day."""
    came = came_of_text(tmp_path, portal(*forms.PORTAL) + ending)

    assert (came.rows, came.done.remarks(), came.done.faulty) == ([], (), False)


def test_a_cell_longer_than_any_is_told(tmp_path):
    """Its row is skipped by its own reason."""
    head, *rows = story()
    rows[0][5] = "x" * 140_000
    came = came_of_text(tmp_path, table([head, *rows[:2]]))

    assert (len(came.rows), came.skipped) == (1, {"a field longer than 128 KiB": 1})


def test_a_quote_in_a_wrong_place_is_told(tmp_path):
    """Two of them pair, but not where a cell begins and ends."""
    came = came_of_text(
        tmp_path, 'Date (UTC),CorrelationId,Activity\n2026-03-02T09:00:00Z,"a"b"c",x\n'
    )

    assert came.skipped == {"misplaced quotes": 1}


def test_sign_ins_in_a_csv_are_kept_as_objects(tmp_path):
    """With the names of their columns, which stand nowhere else."""
    came = came_of_text(
        tmp_path,
        "TimeGenerated [UTC],OperationName,AppDisplayName,IPAddress\n"
        '"6/1/2026, 4:56:16.335 AM",Sign-in activity,"Win, dows",192.0.2.1\nshort,row\n',
    )

    assert came.context == {"signIns": 1}
    assert came.skipped == {"another number of columns than the header": 1}


def test_recordings_of_diagnostic_settings(samples):
    """Fourteen audit records and a sign-in, as research tenants wrote them."""
    came = came_of(samples / "splunk")

    assert (len(came.rows), came.context, came.skipped) == (14, {"signIns": 1}, {})
    assert all(row["has_id"] and row["activity"] and row["service"] for row in came.rows)


def test_recordings_of_log_analytics(samples):
    """Four rows with nested columns as text, and columns that queries added."""
    came = came_of(samples / "otrf")

    assert (len(came.rows), came.skipped, came.done.faulty) == (4, {}, False)


def test_examples_of_the_documentation(samples):
    """Pages of Graph and the portal's JSON; a target whose key is `Type`."""
    came = came_of(samples / "msdocs")
    (added,) = [row for row in came.rows if row["activity"] == "Add member to group"]

    assert (len(came.rows), came.skipped) == (3, {})
    assert added["target_upn"] is not None


def test_transcribed_query_results(samples):
    """Two whole flows as projections of a few columns; a table of another kind is refused."""
    came = came_of(samples / "transcribed")

    assert len(came.rows) == 12 + 14
    assert [name.rpartition("/")[2] for name in came.done.ignored] == ["lab_mixed_failures.csv"]
    assert "headers not understood: Time" in came.done.remarks()[0]


def test_a_recorded_header_is_the_portal_s(samples):
    """The real 86 names, in order."""
    line = (samples / "portal_csv/auditlogs_header_2024.csv").read_text("utf-8-sig")

    assert forms.of_header(line.strip()).columns == forms.PORTAL
    assert forms.header_names(line.strip()) == forms.PORTAL


def test_a_record_of_a_tenant_with_capital_keys(tmp_path):
    """Targets that say `Type`: the person is found by the name."""
    targets = [
        {"id": "g", "Type": "Group", "displayName": "x"},
        {"id": "u", "Type": "User", "userPrincipalName": "user@example.com"},
    ]
    came = came_of_text(tmp_path, json.dumps(record(0, targetResources=targets)))

    assert came.rows[0]["target_id"] == "u"


def test_sign_ins_among_audit_records(tmp_path):
    """Told apart line by line, whichever comes first."""
    sign_in = json.dumps({"id": "s", "createdDateTime": "x", "appId": "y"})
    came = came_of_text(tmp_path, f"{sign_in}\n{text(0)}\n{sign_in}\n{text(1)}\n")

    assert (came.ids, came.context) == (["SSPR_0000", "SSPR_0001"], {"signIns": 2})
