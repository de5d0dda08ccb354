"""Flows to CSV that a spreadsheet opens safely: one row a flow, headings in people's words."""

from __future__ import annotations

import csv
import math
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.model import Window
from sspr_audit.report import harmless
from sspr_audit.report.build import within
from sspr_audit.tables import FLOWS, TIME

if TYPE_CHECKING:
    import pandas as pd

HEADINGS: Final = {
    "flow_id": "Flow",
    "person": "Person (object id)",
    "upn": "User principal name",
    "start_utc": "Start (UTC)",
    "end_utc": "End (UTC)",
    "length_s": "Length (seconds)",
    "outcome": "Outcome",
    "step": "Furthest step",
    "stage": "Furthest step (10 user ID to 80 done)",
    "methods": "Verification methods",
    "password_tries": "Passwords submitted",
    "reason": "Reason, as written",
    "reason_key": "Reason, known as",
    "client": "Client",
    "client_type": "ClientType, as written",
    "client_assumed": "Client class assumed",
    "client_mixed": "Several clients",
    "ip": "IP address",
    "ip_group": "Network (IPv4, or IPv6 /64)",
    "site": "Site",
    "agent": "Writeback agent",
    "echo_id": "Directory reset (event)",
    "echo_s": "Seconds to the directory reset",
    "events": "Events",
}
"""The columns of FLOWS, in their order."""


def render(report_window: Window, flows: pd.DataFrame) -> str:
    """Return the flows that start in the window as CSV, by start and then by id.

    The text begins with a byte order mark, so that Excel reads UTF-8, and lines end in CRLF. Times
    are UTC with milliseconds, cut. A text that a spreadsheet would take for a formula gets an
    apostrophe before it; control characters are left out.
    """
    here = within(flows, "start_utc", report_window)
    ordered = here.sort_values(["start_utc", "flow_id"])
    columns = [_written(ordered[name], column.dtype) for name, column in FLOWS.columns.items()]
    out = StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([HEADINGS[name] for name in FLOWS.columns])
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _written(values: pd.Series[Any], dtype: str) -> list[str]:
    """Return a column as the texts of its cells."""
    import numpy as np

    match dtype:
        case "bool":
            return ["yes" if value else "no" for value in values.tolist()]
        case "int64":
            return [str(value) for value in values.tolist()]
        case "float64":
            return ["" if math.isnan(value) else f"{value:.3f}" for value in values.tolist()]
        case _ if dtype == TIME:
            times = values.dt.tz_localize(None).to_numpy().astype("datetime64[ms]")
            return [f"{time}Z" for time in np.datetime_as_string(times).tolist()]
        case _:
            cells = {text: harmless.cell(text) for text in values.dropna().unique().tolist()}
            return [cells.get(value, "") for value in values.tolist()]
