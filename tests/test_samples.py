"""The main job on recordings: everything is read, and everything is accounted for."""

import json

import jsonschema
import pytest

from sspr_audit import cli
from sspr_audit.report import as_json


def test_every_recording_is_read_and_the_account_adds_up(samples, tmp_path, capsys) -> None:
    """Every export is read, what is none is named, and the two known flows are one success each."""
    output = tmp_path / "report.json"
    wish = ["report", "--input", str(samples), "--since", "2010-01-01", "--until", "2030-01-01"]

    with pytest.raises(SystemExit) as ended:
        cli.main([*wish, "--format", "json", "--output", str(output)])
    report = json.loads(output.read_text(encoding="utf-8"))
    inputs = report["inputs"]
    jsonschema.validate(report, as_json.schema())

    assert ended.value.code == 0
    assert inputs["records_read"] == (
        sum(one["count"] for one in inputs["skipped"])
        + inputs["duplicates"]
        + sum(inputs["context_records"].values())
        + inputs["outside_window"]
        + inputs["other_records"]
        + inputs["events"]
    )
    assert [name.split("/")[-1] for name in inputs["files_ignored"]] == [
        "README.md",
        "lab_mixed_failures.csv",
    ]
    talk = capsys.readouterr().err
    assert "README.md" in talk
    assert "lab_mixed_failures.csv" in talk
    assert report["totals"]["flows"] == report["totals"]["outcomes"]["succeeded"] == 2


def test_a_recorded_flow_is_told_in_order(samples, capsys) -> None:
    """Two steps share a millisecond and were exported the wrong way round; the story is not."""
    with pytest.raises(SystemExit):
        cli.main(["flow", "user@example.com", "--input", str(samples / "transcribed"), "--quiet"])
    told = capsys.readouterr().out

    assert told.index("proved the email") < told.index("passed every check")
