"""A made-up tenant on example.com: four weeks of password resets, with troubles planted in them.

Everything is repeatable and nothing in it is real.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from sspr_audit.sources import exports, scenes
from sspr_audit.sources.demo import weeks
from sspr_audit.sources.demo.tenant import NOW, SETTINGS, START, TENANT
from sspr_audit.sources.scenes import Dice, Record

README: Final = """\
A made-up tenant, four weeks of it, to try sspr-audit on. No person, address or id is real.

exports/ holds the same records in each form that Microsoft gives: graph (the API), portal (the
admin centre's downloads), diagnostic (Azure Monitor) and loganalytics (a query's result). A report
over one of them and a report over all of them say the same.

    sspr-audit report --config settings.toml --input exports
"""


@cache
def records() -> tuple[Record, ...]:
    """Return the tenant's audit records in Graph's form, oldest first; they are not to be changed.

    Flows that cross an edge are cut there, as in any export.
    """
    first, end = scenes.ticks(START), scenes.ticks(NOW)
    kept = sorted((e for e in weeks.played() if first <= e.at < end), key=lambda entry: entry.at)
    dice = Dice(9)
    return tuple(entry.record(dice) for entry in kept)


def write(folder: Path) -> list[Path]:
    """Write the tenant in every form that Microsoft exports, with settings; return the files."""
    rows = records()
    files: dict[str, Iterable[str]] = {
        "exports/graph/directoryAudits.json.gz": exports.graph_page(reversed(rows)),
        "exports/portal/AuditLogs.csv": exports.portal_csv(reversed(rows)),
        "exports/portal/AuditLogs.json.gz": exports.portal_json(reversed(rows)),
        "exports/diagnostic/insights-logs-auditlogs.json.gz": exports.ndjson(
            exports.diagnostic(row, TENANT) for row in rows
        ),
        "exports/loganalytics/query_data.csv.gz": exports.log_analytics_csv(rows, TENANT),
        "settings.toml": [SETTINGS],
        "README.txt": [README],
    }
    for name, pieces in files.items():
        exports.write(folder / name, pieces)
    return [folder / name for name in files]
