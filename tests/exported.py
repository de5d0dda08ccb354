"""What the tests of reading share: small records, files of every kind, and what comes of them."""

import json
from dataclasses import dataclass
from pathlib import Path

from sspr_audit import cli, engine
from sspr_audit.model import Batch
from sspr_audit.pipeline.ingest import Ingested, ingest
from sspr_audit.sources import files
from sspr_audit.tables import AUDIT

FIXTURES = Path(__file__).parent.parent / "fixtures"
SSPR = "Self-service Password Management"


def record(number, **changes):
    """Return a record of Graph's form; a value of None takes the key away."""
    whole = {
        "id": f"SSPR_{number:04d}",
        "activityDateTime": f"2026-03-02T09:{number // 60:02d}:{number % 60:02d}.5Z",
        "activityDisplayName": "Reset password (self-service)",
        "result": "success",
        "resultReason": "Successfully completed reset.",
        "loggedByService": SSPR,
        "correlationId": f"00000000-0000-4000-8000-{number:012d}",
        "initiatedBy": {
            "user": {
                "id": "00000000-0000-0000-0000-000000000007",
                "userPrincipalName": "user@example.com",
                "ipAddress": "192.0.2.7",
            }
        },
        "targetResources": [
            {"id": "00000000-0000-0000-0000-000000000007", "type": "User", "displayName": "Åsa"}
        ],
        "additionalDetails": [],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def text(number, **changes):
    """Return a record as one line of JSON."""
    return json.dumps(record(number, **changes), ensure_ascii=False)


def lines(*numbers):
    """Return records one a line."""
    return "".join(f"{text(number)}\n" for number in numbers)


def put(folder, content, name="export.json"):
    """Write a file and return its path."""
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@dataclass
class Came:
    """What came of reading some paths."""

    done: Ingested
    rows: list[dict[str, object]]
    context: dict[str, int]

    @property
    def ids(self):
        return [row["record_id"] for row in self.rows]

    @property
    def skipped(self):
        """Reason → count."""
        return {one.reason: one.count for one in self.done.skipped()}

    @property
    def places(self):
        """Reason → place of the first."""
        return {misread.reason: misread.place for _, misread in self.done.misread}


def came_of(*paths):
    """Read paths as `report --input` does, up to the table of audit records."""
    columns = ("seq", "place", *AUDIT)
    with engine.scratch() as connection:
        done = ingest(connection, [str(path) for path in paths])
        rows = engine.rows(
            connection,
            f"SELECT file, epoch_ns(time_utc), {', '.join(columns)} FROM audit"  # noqa: S608
            " ORDER BY file, place, record_id",
        )
        kinds = engine.rows(connection, "SELECT kind, count(*) FROM context GROUP BY ALL")
    names = ("file", "time_ns", *columns)
    return Came(done, [dict(zip(names, row, strict=True)) for row in rows], dict(kinds))


def came_of_text(folder, content, name="export.json"):
    """The same for one file with this content."""
    return came_of(put(folder, content, name))


def taken(*paths):
    """Return what `sources.read` alone yields: (form, text) sorted, Misreads, files not read."""
    found, _ = files.find([str(path) for path in paths])
    records, misread, not_read = [], [], []
    for item in files.read(found):
        match item:
            case Batch():
                records += [(str(item.layout.form), text) for text in item.texts.to_pylist()]
            case files.NotRead():
                not_read.append(item)
            case (_, one):
                misread.append(one)
    return sorted(records), misread, not_read


def ran(capsys, *words):
    """Run the program; return exit code, stdout and stderr."""
    code = None
    try:
        cli.main(list(map(str, words)))
    except SystemExit as end:
        code = end.code
    caught = capsys.readouterr()
    return code, caught.out, caught.err


def account(capsys, *paths):
    """Run a report on paths; return exit code, the account in the JSON report, and stderr."""
    words = [word for path in paths for word in ("--input", path)]
    code, out, err = ran(capsys, "report", "--format", "json", *words)
    return code, json.loads(out)["inputs"], err


def adds_up(inputs):
    """Say whether each record stands in exactly one class."""
    return inputs["records_read"] == (
        sum(one["count"] for one in inputs["skipped"])
        + inputs["duplicates"]
        + sum(inputs["context_records"].values())
        + inputs["outside_window"]
        + inputs["other_records"]
        + inputs["events"]
    )
