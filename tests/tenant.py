"""Small tenants in a few words: records in Graph's form, run through the real stages.

No recorded flow-progress event is public in Graph's form: its shape here is composed from a
recorded diagnostic event and Graph's schema.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from sspr_audit import engine, flows, knowledge
from sspr_audit.model import Batch, Form, Layout
from sspr_audit.normalize import events as normalize
from sspr_audit.normalize import records
from sspr_audit.pipeline import report
from sspr_audit.pipeline.analysis import Options

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Second 0 of every small tenant; a Monday."""

NOW = T0 + timedelta(days=30)

SSPR = "Self-service Password Management"
CORE = "Core Directory"
METHODS = "Authentication Methods"

PROGRESS = "Self-service password reset flow activity progress"
RESET = "Reset password (self-service)"
UNLOCK = "Unlock user account (self-service)"
BLOCKED = "Blocked from self-service password reset"
CHANGE = "Change password (self-service)"
BY_ADMIN = "Reset password (by admin)"
CORE_RESET = "Reset user password"
CORE_CHANGE = "Change user password"
REGISTERED = "User registered security info"

USER_ID = "User submitted their user ID"
OPTIONS = "User was presented with verification options"
STARTED = "User started the mobile SMS verification option"
COMPLETED = "User completed the mobile SMS verification option"
VERIFIED = "User completed all verification steps required to reset their password"
PASSWORD = "User submitted a new password"  # noqa: S105 - what the log says of one
DONE = "User successfully reset password"

WRITER = "fim_password_service@support.onmicrosoft.com"
ZERO = "00000000-0000-0000-0000-000000000000"
LONG_AGO = -86_400
"""Seconds of a record that lets the data begin a day before, so that no flow lies at their start"""
MUCH_LATER = 86_400
"""Seconds of a record that lets the data end a day later, so that no flow is still open."""


def guid(name):
    """Return the object id of a person or the correlationId of a flow, the same for a name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:5])
    return f"00000000-0000-0000-0000-{number:012x}"


def upn(name):
    return f"{name}@example.com"


def stamp(seconds, digits=7):
    """Return a time as Graph writes it, cut to so many digits of the second."""
    ticks = round(seconds * 10**7)
    whole, fraction = divmod(ticks, 10**7)
    text = (T0 + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:07d}"[: 20 + digits].rstrip(".") + "Z"


def event(  # noqa: PLR0913 - one for each thing that a test may care about
    reason="",
    at=0.0,
    *,
    who="ann",
    flow="one",
    activity=PROGRESS,
    result="success",
    service=SSPR,
    ip="192.0.2.1",
    client=None,
    by=None,
    digits=7,
    **fields,
):
    """Return one record. `by` names another initiator, `fields` replaces what Graph would give.

    A field of None is left out, as some exports do.
    """
    target = {"id": guid(who), "type": "User", "userPrincipalName": upn(who)} if who else None
    initiator = by if by is not None else upn(who)
    user = {"id": guid(initiator), "userPrincipalName": initiator, "ipAddress": ip}
    if by is None and who:
        user["id"] = guid(who)
    if initiator == WRITER:
        user["id"] = ZERO
    record = {
        "activityDateTime": stamp(at, digits),
        "activityDisplayName": activity,
        "resultReason": reason,
        "result": result,
        "loggedByService": service,
        "correlationId": guid(flow) if flow else flow,
        "initiatedBy": {"user": user, "app": None},
        "targetResources": [target] if target else [],
        "additionalDetails": [{"key": "ClientType", "value": client}] if client else [],
    }
    record["id"] = "SSPR_" + hashlib.sha256(json.dumps(record).encode()).hexdigest()[:12]
    return {key: value for key, value in {**record, **fields}.items() if value is not None}


def without_id(record):
    return {key: value for key, value in record.items() if key != "id"}


def other(at):
    """Return a record that has nothing to do with passwords."""
    return event("", at, flow=f"other {at}", activity="Add member to group", service=CORE)


def steps(*texts, at=0.0, every=5.0, **words):
    """Return a step for each text, so many seconds apart."""
    return [event(text, at + every * n, **words) for n, text in enumerate(texts)]


def success(at=0.0, **words):
    """Return a whole flow, which says its success twice."""
    return [
        *steps(USER_ID, OPTIONS, STARTED, COMPLETED, VERIFIED, PASSWORD, at=at, **words),
        event("Successfully completed reset.", at + 26, activity=RESET, **words),
        event(DONE, at + 26.008, **words),
    ]


def refused(reason, at=0.0, **words):
    """Return a flow in which the new password is refused for a reason."""
    return [
        *steps(USER_ID, OPTIONS, PASSWORD, at=at, **words),
        event(reason, at + 11, activity=RESET, result="failure", **words),
    ]


def inside(*rows):
    """Return the records between two others, so that no flow lies at an edge of the data."""
    flat = [one for row in rows for one in (row if isinstance(row, list) else [row])]
    return [other(LONG_AGO), *flat, other(MUCH_LATER)]


@dataclass(frozen=True)
class Counted:
    """What the stages up to flows make of records; rows are dicts."""

    events: list
    flows: list
    acts: list
    duplicates: int
    id_conflicts: int

    @property
    def flow(self):
        """The only flow."""
        (one,) = self.flows
        return one

    @property
    def outcomes(self):
        return [flow["outcome"] for flow in self.flows]


def counted(rows, *, sites=(), client_types=None, timeout=timedelta(minutes=20)):
    """Run records through normalize and flows; the data's edges are their first and last time."""
    with engine.scratch() as connection:
        _fill(connection, rows)
        duplicates = sum(count for _, count in normalize.drop_repeats(connection))
        known = knowledge.load()
        normalize.make(connection, known, sites=sites, client_types=client_types or {})
        ((first, last),) = engine.rows(
            connection,
            "SELECT make_timestamp(epoch_ns(min(time_utc)) // 1000),"
            " make_timestamp(epoch_ns(max(time_utc)) // 1000) FROM audit",
        )
        flows.make(connection, data_start=first, edge=last, flow_timeout=timeout)
        frames = [
            engine.fetch(connection, f"SELECT {what} ORDER BY ALL").to_pylist()
            # the number of a record is that of its place in what was read
            for what in ("* EXCLUDE (seq) FROM events", "* FROM flows", "* FROM acts")
        ]
        return Counted(*frames, duplicates, normalize.id_conflicts(connection))


def _fill(connection, rows):
    texts = pa.array([json.dumps(row) for row in rows], pa.string())
    numbers = pa.array(range(len(rows)), pa.int64())
    files = pa.array([0] * len(rows), pa.int32())
    records.prepare(connection)
    unread = records.add(connection, [Batch(Layout(Form.GRAPH), texts, numbers, files, numbers)])
    assert unread == ([], []), "the test wrote a record that cannot be read"


def kept(rows):
    """Return the ids that stay once what is said twice is dropped, sorted."""
    with engine.scratch() as connection:
        _fill(connection, rows)
        normalize.drop_repeats(connection)
        found = engine.rows(connection, "SELECT record_id FROM audit ORDER BY record_id")
    return [name for (name,) in found]


def analysed(folder, rows, **options):
    """Return the analysis of a file that holds the records."""
    path = folder / "audit.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    wishes = Options(knowledge=knowledge.load(), now=NOW, generated_at=NOW, **options)
    return report.from_files([str(path)], wishes)


def reported(folder, rows, **options):
    """Return the report on a file that holds the records."""
    return analysed(folder, rows, **options).report


def window(start, end):
    """Return the options that report these seconds."""
    return {"start": T0 + timedelta(seconds=start), "end": T0 + timedelta(seconds=end)}
