"""The JSON report keeps its schema, its order and every letter."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
import report_factory as factory
import report_hostile

from sspr_audit.model import Address, Report, Statement
from sspr_audit.report import as_json

VALIDATOR = jsonschema.Draft202012Validator(as_json.schema())


def written(report: Report) -> Any:
    """Return the report as a program reads it, checked against the schema."""
    document = json.loads(as_json.render(report))
    VALIDATOR.validate(document)
    return document


def keys(value: Any) -> Any:
    """Return the keys of a document in their order, of lists those of the first element."""
    match value:
        case dict():
            return {key: keys(one) for key, one in value.items()}
        case [first, *_]:
            return [keys(first)]
        case _:
            return None


def test_the_schema_is_a_schema() -> None:
    """It is sound, and it closes every object whose keys are known."""
    jsonschema.Draft202012Validator.check_schema(as_json.schema())

    def objects(part: Any) -> list[dict[str, Any]]:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        found = [one for each in inner for one in objects(each)]
        return [part, *found] if isinstance(part, dict) and part.get("type") == "object" else found

    closed = [one for one in objects(as_json.schema()) if one["additionalProperties"] is False]
    assert len(objects(as_json.schema())) - len(closed) == 1  # flows by client


@pytest.mark.parametrize(
    "report",
    [factory.report(), factory.empty(), factory.report(previous=None, tenant_id=None, cloud=None)],
    ids=["full", "empty", "bare"],
)
def test_reports_keep_the_schema(report: Report) -> None:
    """Whatever the report holds, a program that knows the schema can read it."""
    assert written(report)["schema"] == "sspr-audit-report/1"


def test_keys_come_in_the_order_of_the_contract() -> None:
    """The order of keys is part of the format."""
    outcomes = dict.fromkeys(("succeeded", "blocked", "failed", "cancelled", "abandoned", "open"))
    ends = dict.fromkeys(("succeeded", "failed"))
    totals = {
        "flows": None,
        "users": None,
        "outcomes": outcomes,
        "acts": {"password_changes": ends, "admin_resets": ends, "registrations": None},
    }
    span = {"start": None, "end": None}
    signal = [{"signal": None, "statement": None, "value": None}]
    texts = [{"text": None, "count": None}]
    group = {"flows": None, "users": None, "outcomes": outcomes}
    expected = {
        "schema": None,
        "tool": {"name": None, "version": None},
        "generated_at": None,
        "window": span,
        "baseline": span,
        "tenant": {"id": None, "cloud": None},
        "inputs": {
            "records_read": None,
            "events": None,
            "other_records": None,
            "context_records": {"signIns": None, "devices": None},
            "outside_window": None,
            "duplicates": None,
            "id_conflicts": None,
            "skipped": [{"reason": None, "count": None, "example": None}],
            "files_ignored": [None],
            "filter": None,
        },
        "coverage": {
            "complete": None,
            "spans": [[None]],
            "gaps": [{**span, "reason": None}],
            "settling": [None],
        },
        "totals": {**totals, "previous": totals},
        "by_client": [{"client": None, **group}],
        "by_site": [{"site": None, **group}],
        "by_day": [{"day": None, "flows": None, "outcomes": outcomes}],
        "by_ip": [
            {
                "ip": None,
                "site": None,
                "flows": None,
                "users": None,
                "clients": dict.fromkeys(
                    ("browser", "not-recorded", "other:Kiosk 9", "windows-signin")
                ),
                "outcomes": outcomes,
            }
        ],
        "reasons": [{"reason": None, "key": None, "flows": None, "users": None}],
        "unrecognized": {"reasons": texts, "client_types": texts, "activities": None},
        "findings": [
            {
                "cause": None,
                "family": None,
                "title": None,
                "layer": None,
                "confidence": None,
                "scope": dict.fromkeys(("sites", "ips", "clients", "users", "devices")),
                "users": None,
                "flows": None,
                "first_seen": None,
                "last_seen": None,
                "evidence": signal,
                "against": signal,
                "rivals": [{"cause": None, "why": None}],
                "confirm_with": [None],
                "who_can_fix": None,
                "remedy": {"summary": None, "commands": [None], "hosts": [None]},
                "sources": [{"title": None, "url": None}],
                "events": None,
                "event_ids": [None],
            }
        ],
        "unobservable": [{"cause": None, "needs": [None]}],
    }

    assert json.dumps(keys(written(factory.report()))) == json.dumps(expected)


def test_the_account_adds_up() -> None:
    """Every record that was read stands in exactly one class."""
    inputs = written(factory.report())["inputs"]

    assert inputs["records_read"] == (
        inputs["events"]
        + inputs["other_records"]
        + sum(inputs["context_records"].values())
        + inputs["outside_window"]
        + inputs["duplicates"]
        + sum(one["count"] for one in inputs["skipped"])
    )


def test_times_are_cut() -> None:
    """A microsecond before a millisecond is not that millisecond."""
    document = written(factory.report())

    assert document["generated_at"] == "2026-03-09T03:00:00.123Z"  # it was .123999
    assert document["window"] == {
        "start": "2026-03-02T00:00:00.000Z",
        "end": "2026-03-09T00:00:00.000Z",
    }


def test_equal_reports_are_equal_bytes() -> None:
    """The order in which clients and outcomes were counted leaves no trace."""
    one = {"succeeded": 0, "blocked": 0, "failed": 1, "cancelled": 0, "abandoned": 0, "open": 1}
    there = Address(None, None, 2, 1, {"browser": 1, "not-recorded": 1}, one)
    back = Address(
        None, None, 2, 1, {"not-recorded": 1, "browser": 1}, dict(reversed(list(one.items())))
    )
    base = factory.report()
    texts = {as_json.render(_with(base, by_ip=(address,))) for address in (there, back)}

    assert len(texts) == 1
    assert texts.pop().endswith("}\n")


def _with(report: Report, **changes: Any) -> Report:
    from dataclasses import replace

    return replace(report, **changes)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        ("8 of 9", "8 of 9"),
        (None, None),
    ],
)
def test_values_are_what_json_can_hold(value: Any, expected: Any) -> None:
    """A share of none is null, and a frame's own numbers are numbers."""
    finding = factory.finding(evidence=(Statement("s", "It is so.", value),))
    document = written(factory.report(findings=(finding,)))

    assert document["findings"][0]["evidence"][0]["value"] == expected


@pytest.mark.parametrize("text", report_hostile.TEXTS.values(), ids=report_hostile.TEXTS)
def test_hostile_texts_stay_whole_and_asleep(text: str) -> None:
    """A parser gives every letter back; the bytes hold no control, and they are UTF-8."""
    rendered = as_json.render(report_hostile.poisoned(text))
    document = json.loads(rendered)
    VALIDATOR.validate(document)

    assert document["findings"][0]["scope"]["sites"] in ([text], [])
    assert {one["text"] for one in document["unrecognized"]["reasons"]} == {text}
    assert all(line.isprintable() for line in rendered.split("\n") if "\u3000" not in line)
    assert rendered.encode("utf-8")
