"""The CSV opens in a spreadsheet, whole and harmless."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest
import report_factory as factory
import report_hostile

from sspr_audit.report import flows_csv
from sspr_audit.tables import FLOWS


def rows(text: str) -> list[dict[str, str]]:
    """Return the rows as a spreadsheet reads them."""
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


def test_it_opens_in_excel() -> None:
    """It begins with a byte order mark, and lines end in CRLF."""
    text = flows_csv.render(factory.WINDOW, factory.flows())

    assert text.startswith("\ufeffFlow,")
    assert text.count("\r\n") == text.count("\n") == 9


def test_flows_of_the_window_by_start_and_id() -> None:
    """Each flow that starts in the window has a row; equal starts go by id."""
    found = rows(flows_csv.render(factory.WINDOW, factory.flows().sample(frac=1, random_state=1)))

    assert [one["Flow"][-1] for one in found] == list("23456789")


def test_cells_are_in_peoples_words() -> None:
    """Times are UTC, cut to milliseconds; what is not known is empty; yes and no are words."""
    flow = factory.flow(1, 1, end_utc=factory.at(1) + timedelta(microseconds=1_999))
    (row,) = rows(flows_csv.render(factory.WINDOW, factory.frame(FLOWS, [flow])))

    assert row["Start (UTC)"] == "2026-03-02T01:00:00.000Z"
    assert row["End (UTC)"] == "2026-03-02T01:00:00.001Z"
    assert row["Length (seconds)"] == "95.000"
    assert row["Seconds to the directory reset"] == ""
    assert row["Several clients"] == "no"
    assert row["Site"] == "Malmö"


def test_every_column_has_a_heading() -> None:
    """The headings stand for the columns of the table, one each."""
    assert list(flows_csv.HEADINGS) == list(FLOWS.columns)
    assert len(set(flows_csv.HEADINGS.values())) == len(FLOWS.columns)


def test_no_rows_are_the_headings() -> None:
    """An empty table is one line."""
    assert flows_csv.render(factory.WINDOW, factory.frame(FLOWS, [])).count("\r\n") == 1


@pytest.mark.parametrize("name", [one for one in report_hostile.TEXTS if one != "lone surrogates"])
def test_hostile_cells_stay_asleep(name: str) -> None:
    """No cell is a formula or holds a control, and every row keeps its columns."""
    text = report_hostile.TEXTS[name]  # a frame's text cannot hold a lone surrogate
    flow = {
        column: text if kind.dtype == "str" else value
        for (column, kind), value in zip(
            FLOWS.columns.items(), factory.frame(FLOWS, [factory.flow(1, 1)]).iloc[0], strict=True
        )
    }
    (row,) = rows(flows_csv.render(factory.WINDOW, factory.frame(FLOWS, [flow])))

    assert len(row) == len(FLOWS.columns)
    assert not [cell for cell in row.values() if cell.lstrip()[:1] in set("=+-@\uff1d")]
    assert all(len(cell) < 32_767 for cell in row.values())
    assert not set("".join(row.values())) & set("\x00\x1b\u202e\u200b\r\n\t")
