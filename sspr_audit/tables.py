"""Declared columns: name, type, unit and meaning. The seam from SQL to pandas applies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TIME = "datetime64[ns, UTC]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its pandas dtype and what it means."""

    dtype: str
    meaning: str


class Table:
    """A table with a declared schema."""

    def __init__(self, name: str, /, **columns: Column) -> None:
        self.name = name
        self.columns = columns

    def shape(self, table: pa.Table) -> pd.DataFrame:
        """Return the Arrow table as a frame with exactly the declared columns, in their order.

        Right for zero rows too. Times come in as UTC without a zone and leave with one.
        Raises KeyError where a declared column is missing.
        """
        import pandas as pd

        frame: pd.DataFrame = table.select(list(self.columns)).to_pandas()
        for name, column in self.columns.items():
            if column.dtype == TIME:
                frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
                frame[name] = frame[name].dt.tz_localize("UTC")
            else:
                frame[name] = frame[name].astype(pd.api.types.pandas_dtype(column.dtype))
        return frame

    def empty(self) -> pd.DataFrame:
        """Return the declared columns without a row."""
        import pandas as pd

        kinds = {name: column.dtype for name, column in self.columns.items()}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


AUDIT: Final[Mapping[str, str]] = {
    "record_id": "VARCHAR",  # or content:<16 hex digits> where the record has none
    "has_id": "BOOLEAN",
    "time_utc": "TIMESTAMP_NS",
    "digits": "UTINYINT",  # of the second, as written
    "activity": "VARCHAR",
    "reason": "VARCHAR",
    "result": "VARCHAR",  # in lower case
    "service": "VARCHAR",
    "correlation_id": "VARCHAR",
    "ip_text": "VARCHAR",
    "client_type": "VARCHAR",
    "agent": "VARCHAR",
    "initiator_id": "VARCHAR",
    "initiator_upn": "VARCHAR",
    "initiator_app": "VARCHAR",
    "target_id": "VARCHAR",
    "target_upn": "VARCHAR",
    "tenant_id": "VARCHAR",
    "facts": "UTINYINT",  # how many of these hold something
}
"""One row an audit record, whatever form it came in; values as written. Column → DuckDB type."""

EVENTS = Table(
    "events",
    event_id=Column("str", "the record's id, or content:<16 hex digits> where it has none"),
    time_utc=Column(TIME, "when it happened"),
    activity=Column("str", "what was done, as written"),
    role=Column("str", "flow, change, admin-reset, registration, echo, note or policy"),
    reason=Column("str", "the reason as written; null where there is none"),
    reason_key=Column("str", "the row of reasons.toml; null where none fits"),
    result=Column("str", "success, failure, timeout, as written in lower case; null if missing"),
    meaning=Column("str", "step, succeeded, blocked, failed, cancelled or abandoned; else null"),
    rank=Column("Int64", "sorts events of equal time (facts of Entra's own order)"),
    stage=Column("Int64", "how far the flow had got: 10 user ID … 80 done"),
    method=Column("str", "the verification method that the reason names"),
    service=Column("str", "the service that wrote it"),
    correlation_id=Column("str", "as written"),
    flow_id=Column("str", "the flow it belongs to; null for what belongs to none"),
    person=Column("str", "whom it is about: object id, else user principal name in lower case"),
    upn=Column("str", "user principal name in lower case"),
    actor=Column("str", "who did it, as the log says: a user principal name or an application"),
    ip=Column("str", "address in its shortest form; null where none is usable"),
    ip_group=Column("str", "IPv4 plain, IPv6 as its /64"),
    site=Column("str", "the named list of networks that holds the address"),
    client=Column("str", "class of the client; null where the event names none"),
    client_type=Column("str", "ClientType as written"),
    agent=Column("str", "OnPremisesAgent as written; null for none"),
)

FLOWS = Table(
    "flows",
    flow_id=Column("str", "correlationId in lower case, or event:<event_id>"),
    person=Column("str", "as in events"),
    upn=Column("str", "as in events"),
    start_utc=Column(TIME, "time of the first event"),
    end_utc=Column(TIME, "time of the last event"),
    length_s=Column("float64", "seconds from the first to the last event"),
    outcome=Column("str", "succeeded, blocked, failed, cancelled, abandoned or open"),
    step=Column("str", "the furthest step reached, in words"),
    stage=Column("int64", "the same as a rank: 10 user ID … 80 done"),
    methods=Column("str", "verification methods in the order they were first started, by comma"),
    password_tries=Column("int64", "how often a new password was submitted"),
    reason=Column("str", "the reason that decided the outcome, as written"),
    reason_key=Column("str", "its row in reasons.toml"),
    client=Column("str", "class of the client, not-recorded where no event names one"),
    client_type=Column("str", "ClientType of the first event that has one, as written"),
    client_assumed=Column("bool", "whether the class rests on a built-in pattern"),
    client_mixed=Column("bool", "whether events of the flow name several clients"),
    ip=Column("str", "address of the first event that has one"),
    ip_group=Column("str", "IPv4 plain, IPv6 as its /64"),
    site=Column("str", "site of that address"),
    agent=Column("str", "OnPremisesAgent, the writeback agent; null for none"),
    echo_id=Column("str", "event id of the Core Directory reset that it caused"),
    echo_s=Column("float64", "seconds from the last submitted password to that reset"),
    events=Column("int64", "number of events"),
)

ACTS = Table(
    "acts",
    act_id=Column("str", "event id of its first event"),
    kind=Column("str", "password-change, admin-reset or registration"),
    time_utc=Column(TIME, "time of its first event"),
    outcome=Column("str", "succeeded or failed; null where the record does not say"),
    person=Column("str", "as in events"),
    upn=Column("str", "as in events"),
    actor=Column("str", "who did it, as the log says"),
    reason=Column("str", "the reason as written"),
    reason_key=Column("str", "its row in reasons.toml"),
    ip=Column("str", "address of its first event that has one"),
    ip_group=Column("str", "IPv4 plain, IPv6 as its /64"),
    site=Column("str", "site of that address"),
    client=Column("str", "class of the client, or null"),
    agent=Column("str", "OnPremisesAgent; null for none"),
    events=Column("int64", "number of events"),
)

SIGN_INS = Table(
    "sign_ins",
    sign_in_id=Column("str", "id of the sign-in, in lower case"),
    time_utc=Column(TIME, "when it was tried"),
    person=Column("str", "as in events"),
    upn=Column("str", "as in events"),
    app=Column("str", "name of the application, as written"),
    of_windows=Column("bool", "whether a device signed the person in (Windows Sign In)"),
    interactive=Column("bool", "whether a person took part; true where the record does not say"),
    succeeded=Column("bool", "whether the error code is 0"),
    error=Column("Int64", "error code, 50126 for a wrong password; null where there is none"),
    device_id=Column("str", "id of the device, in lower case"),
    trust=Column("str", "hybrid, joined or registered; null where the record does not say"),
    os=Column("str", "operating system as written"),
    ip=Column("str", "as in events"),
    ip_group=Column("str", "as in events"),
    site=Column("str", "as in events"),
)

WATCHED = Table(
    "watched",
    person=Column("str", "as in events; null for everybody"),
    start_utc=Column(TIME, "from when on every sign-in is known"),
    end_utc=Column(TIME, "until when, exclusive"),
)

DEVICES = Table(
    "devices",
    device_id=Column("str", "id of the device, in lower case"),
    trust=Column("str", "hybrid, joined or registered; null where the record does not say"),
    os=Column("str", "operating system as written"),
    os_version=Column("str", "its version as written"),
    last_sign_in_utc=Column(TIME, "about when it last signed in; Entra updates it rarely"),
    owner=Column("str", "person, as in events; null where the record does not say"),
)

MANAGED = Table(
    "managed",
    device_id=Column("str", "the device's id in Entra, in lower case"),
    person=Column("str", "as in events"),
    os_version=Column("str", "version of the operating system as written"),
    maker=Column("str", "manufacturer as written"),
    model=Column("str", "model as written"),
    last_sync_utc=Column(TIME, "when it last checked in"),
)

REGISTERED = Table(
    "registered",
    person=Column("str", "as in events"),
    upn=Column("str", "as in events"),
    enabled=Column("boolean", "whether policy lets the person reset; null where not said"),
    registered=Column("boolean", "whether enough methods are registered; null where not said"),
    methods=Column("str", "registered methods as written, by comma"),
)

TABLES = (EVENTS, FLOWS, ACTS, SIGN_INS, WATCHED, DEVICES, MANAGED, REGISTERED)
"""The data dictionary, in the order of the stages."""
