"""The action plan and the workbook open in a spreadsheet, whole and harmless."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO, StringIO

import openpyxl
import pytest
import report_factory as factory
import report_hostile

from sspr_audit import cli
from sspr_audit.report import action_plan, flows_csv, workbook
from sspr_audit.tables import FLOWS

SHEETS = [
    *("Summary", "Findings", "By site", "By client", "By IP address", "Reasons", "Flows"),
]
ZONE = "Europe/Stockholm"


def plan(report, timezone=None):
    """Return the action plan's rows as a spreadsheet reads them."""
    text = action_plan.render(report, timezone=timezone)
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


def book(report, flows=None, timezone=None):
    """Return the workbook as another reader opens it."""
    raw = workbook.render(report, factory.flows() if flows is None else flows, timezone=timezone)
    return openpyxl.load_workbook(BytesIO(raw))


def rows(sheet):
    """Return a sheet's rows by their headings."""
    headings, *others = sheet.iter_rows(values_only=True)
    return [dict(zip(headings, row, strict=True)) for row in others]


def cells(opened):
    return [cell for sheet in opened for row in sheet.iter_rows() for cell in row]


# The action plan


def test_the_plan_has_a_row_a_finding_in_the_order_to_read_them():
    """What somebody must mend comes first; the reader's own columns are empty."""
    found = plan(factory.report())

    assert [one["No."] for one in found] == ["1", "2", "3"]
    assert [one["Cause"] for one in found][-1] == "user-gave-up"
    assert {one[name] for one in found for name in ("Owner", "Date", "Decision")} == {""}
    assert [*found[0]][-3:] == ["Owner", "Date", "Decision"]


def test_the_plan_opens_in_excel():
    """It begins with a byte order mark, lines end in CRLF, and an empty one is its headings."""
    text = action_plan.render(factory.report(), timezone=None)

    assert text.startswith("\ufeffNo.,Finding,")
    assert text.count("\r\n") == text.count("\n") == 4
    assert action_plan.render(factory.empty(), timezone=None).count("\r\n") == 1


def test_the_plan_tells_times_in_the_zone_that_its_headings_name():
    """A meeting reads its own time of day."""
    (first, *_) = plan(factory.report(), ZONE)

    assert first[f"First seen ({ZONE})"] == "2026-03-03 09:12"
    assert plan(factory.report())[0]["First seen (UTC)"] == "2026-03-03 08:12"


def test_the_plan_names_nobody():
    """It goes around in meetings."""
    assert "@example.com" not in action_plan.render(factory.report(), timezone=None)


@pytest.mark.parametrize("name", report_hostile.TEXTS)
def test_hostile_texts_stay_asleep_in_the_plan(name):
    """No cell is a formula or holds a control, and every row keeps its columns."""
    found = plan(report_hostile.poisoned(report_hostile.TEXTS[name]))
    shown = [cell for row in found for cell in row.values()]

    assert {len(row) for row in found} == {len(action_plan.HEADINGS)}
    assert not [cell for cell in shown if cell.lstrip()[:1] in {*"=+-@\uff1d"}]
    assert all(len(cell) < 32_767 for cell in shown)
    assert not set("".join(shown)) & set("\x00\x1b\u202e\u200b\r\n\t\ud800")


# The workbook


def test_one_sheet_a_table_each_under_frozen_headings():
    """Headings stay in sight, and every table can be filtered."""
    opened = book(factory.report())

    assert opened.sheetnames == SHEETS
    assert {sheet.freeze_panes for sheet in opened} == {"A2"}
    assert all(sheet.auto_filter.ref.startswith("A1:") for sheet in opened)
    assert min(sheet.column_dimensions["A"].width for sheet in opened) >= 12


def test_the_sheets_hold_what_the_report_holds():
    """Counts are numbers that add up to the report's."""
    report = factory.report()
    opened = book(report)
    by_site, by_ip = rows(opened["By site"]), rows(opened["By IP address"])

    assert sum(row["Flows"] for row in by_site) == report.totals.flows
    assert sum(row["Flows"] for row in by_ip) == report.totals.flows
    assert len(rows(opened["Flows"])) == report.totals.flows
    assert [row["Cause"] for row in rows(opened["Findings"])][-1] == "user-gave-up"
    assert [row["Reason, as written"] for row in rows(opened["Reasons"])] == [
        one.reason for one in report.reasons
    ]
    assert any("31 people" in row["What there is to say"] for row in rows(opened["Summary"])[:9])


def test_dates_are_dates_in_the_zone_that_the_heading_names():
    """Excel can reckon with them; they are cut to milliseconds, and flows have UTC beside."""
    flow = factory.flow(1, 1, start_utc=factory.at(1) + timedelta(microseconds=1_999))
    opened = book(factory.report(), factory.frame(FLOWS, [flow]), ZONE)
    (row,) = rows(opened["Flows"])
    finding = rows(opened["Findings"])[0]

    assert row[f"Start ({ZONE})"] == datetime(2026, 3, 2, 2, 0, 0, 1_000)  # noqa: DTZ001
    assert row["Start (UTC)"] == datetime(2026, 3, 2, 1, 0, 0, 1_000)  # noqa: DTZ001
    assert finding[f"First seen ({ZONE})"] == datetime(2026, 3, 3, 9, 12)  # noqa: DTZ001
    assert row["Length (seconds)"] == 95
    assert row["Seconds to the directory reset"] is None
    assert row["Several clients"] == "no"


def test_flows_have_every_column_of_the_csv():
    """Who knows the one finds the other's headings."""
    headings = [cell.value for cell in next(book(factory.report())["Flows"].iter_rows())]

    assert headings == [*flows_csv.HEADINGS.values()]


def test_the_same_report_gives_the_same_bytes():
    """Whatever the order of the rows and the day of the run."""
    report, flows = factory.report(), factory.flows()
    first = workbook.render(report, flows, timezone=ZONE)
    again = workbook.render(report, flows.sample(frac=1, random_state=1), timezone=ZONE)

    assert first == again
    assert first != workbook.render(replace(report, version="9"), flows, timezone=ZONE)


def test_an_empty_report_is_a_workbook_too():
    """Headings stand over nothing."""
    opened = book(factory.empty(), factory.frame(FLOWS, []), ZONE)

    assert opened.sheetnames == SHEETS
    assert rows(opened["Flows"]) == []
    assert rows(opened["Findings"]) == []


@pytest.mark.parametrize("name", report_hostile.TEXTS)
def test_hostile_texts_stay_text_in_the_workbook(name):
    """No cell is a formula, a link or an error, or holds a control, now or when it is edited."""
    text = report_hostile.TEXTS[name]
    opened = book(report_hostile.poisoned(text), hostile_flows(text))
    found = cells(opened)
    shown = [cell.value for cell in found if isinstance(cell.value, str)]
    forms = [cell for cell in found if isinstance(cell.value, str) and cell.value[:1] in {*"=+-@"}]

    assert {cell.data_type for cell in found} <= {"s", "n", "d", "inlineStr"}
    assert not [cell for cell in found if cell.hyperlink]
    assert all(cell.quotePrefix for cell in forms)
    assert all(len(one) <= 32_767 for one in shown)
    assert not set("".join(shown)) & set("\x00\x1b\u202e\u200b\r\n\t")


def hostile_flows(text):
    """Return a flow with the text in every column of text; a frame holds no lone surrogate."""
    text = text.encode("utf-8", "replace").decode()
    clean = factory.frame(FLOWS, [factory.flow(1, 1)]).iloc[0]
    columns = zip(FLOWS.columns.items(), clean, strict=True)
    return factory.frame(
        FLOWS, [{name: text if kind.dtype == "str" else one for (name, kind), one in columns}]
    )


def test_a_hostile_text_is_shown_whole():
    """What would be a formula reads as it was written, with nothing put before it."""
    opened = book(factory.report(), hostile_flows("=1+1"))
    (row,) = rows(opened["Flows"])

    assert row["Reason, as written"] == "=1+1"


def test_an_escape_of_excel_is_not_obeyed():
    """Excel reads _x0007_ inside a text as a control character, unless that is escaped itself."""
    opened = book(factory.report(), hostile_flows("a_x0007_b"))
    (row,) = rows(opened["Flows"])

    assert row["Reason, as written"] == "a_x005F_x0007_b"  # openpyxl shows what the file holds


# The command


def ran(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--quiet"])
    return ended.value.code


def export(folder):
    from exported import lines, put

    return str(put(folder, lines(1, 2, 3)))


def test_the_command_writes_a_workbook_to_a_file_or_a_pipe(tmp_path, capfdbinary):
    """The bytes are the same, and only their owner can read the file."""
    file = tmp_path / "report.xlsx"
    words = ("report", "--input", export(tmp_path / "in"), "--format", "xlsx")
    environ = {"SOURCE_DATE_EPOCH": "1772409600"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        codes = ran(*words, "--output", str(file)), ran(*words)

    assert codes == (0, 0)
    assert file.read_bytes() == capfdbinary.readouterr().out
    assert openpyxl.load_workbook(file).sheetnames == SHEETS


def test_a_terminal_is_spared_a_workbook(tmp_path, monkeypatch, capsys):
    """Bytes on a screen help nobody; the way out is named."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code = ran("report", "--input", export(tmp_path), "--format", "xlsx")

    assert code == 2
    assert "--output" in capsys.readouterr().err


def test_the_command_writes_an_action_plan(tmp_path, capsys):
    """It is one of the formats."""
    assert ran("report", "--input", export(tmp_path), "--format", "action-plan") == 0
    assert capsys.readouterr().out.startswith("\ufeffNo.,")
