"""What the store knows beside its audit records → the table `context` of a scratch connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.model import Window
from sspr_audit.normalize.contexts import Beside
from sspr_audit.sources.graph.collections import (
    CONFIGURATION_POLICIES,
    DEVICE_CONFIGURATIONS,
    DEVICES,
    MANAGED_DEVICES,
    REGISTRATION_DETAILS,
    SIGN_INS,
)
from sspr_audit.store import contexts

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

JUDGED: Final = ("signIns", "devices", "managedDevices", "userRegistrationDetails")
"""Kinds that judgement reads as records; named locations are sites by then."""

SIGN_IN_DAY: Final = r'"(?:[cC]reatedDateTime|TimeGenerated)"\s*:\s*"(?P<day>\d{4}-\d\d-\d\d)'
"""Finds the day of a sign-in in its text, whatever its form."""

_SLACK: Final = timedelta(days=1)
"""Days are compared as they are written, which may be in another zone."""


def bring(
    connection: duckdb.DuckDBPyConnection, store: duckdb.DuckDBPyConnection, baseline: Window
) -> Beside:
    """Copy what judgement reads of the store's context, sign-ins near the baseline only."""
    import pyarrow as pa

    schema = pa.schema(
        {
            "file": pa.int32(),
            "place": pa.int64(),
            "kind": pa.string(),
            "sha256": pa.string(),
            "body": pa.string(),
        }
    )

    def arriving() -> Iterator[pa.RecordBatch]:
        for number, rows, texts in contexts.records(store, JUDGED):
            files = pa.repeat(pa.scalar(number, pa.int32()), len(texts))
            places = rows["place"].cast(pa.int64())
            columns = (files, places, rows["kind"], rows["sha256"], texts)
            yield from pa.table(dict(zip(schema.names, columns, strict=True))).to_batches()

    day = f"regexp_extract(body, '{SIGN_IN_DAY}', 1)"
    engine.stream(
        connection,
        "INSERT INTO context SELECT file, place, kind, sha256, body FROM arrived"  # noqa: S608
        f" WHERE kind <> 'signIns' OR {day} = '' OR {day} BETWEEN $first AND $last",
        {
            "first": (baseline.start - _SLACK).date().isoformat(),
            "last": (baseline.end + _SLACK).date().isoformat(),
        },
        arrived=(schema, arriving()),
    )
    return _beside(store)


def _beside(store: duckdb.DuckDBPyConnection) -> Beside:
    standing = contexts.standing(store)
    whole = (SIGN_INS, DEVICES, MANAGED_DEVICES, REGISTRATION_DETAILS)
    asked = [standing.get(one.name) for one in (DEVICE_CONFIGURATIONS, CONFIGURATION_POLICIES)]
    return Beside(
        came=frozenset(
            one.kind
            for one in whole
            if one.kind and one.name in standing and standing[one.name].came
        ),
        followed=tuple(
            # What was asked for early is known only up to then.
            (one.person, Window(one.span.start, min(one.span.end, one.asked)))
            for one in contexts.followed(store)
            if one.asked > one.span.start
        ),
        links=tuple(contexts.links(store)) if any(one and one.came for one in asked) else None,
    )
