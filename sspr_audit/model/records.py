"""What goes in: records and what is known beside them, the spans of time, and their account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


CONTEXT_KINDS = (
    "signIns",
    "devices",
    "namedLocations",
    "userRegistrationDetails",
    "managedDevices",
)
"""What is known of a tenant beside its audit records."""


class Clock(Protocol):
    """Tells the time and waits. It is handed in, so that a test need not wait."""

    def now(self) -> datetime:
        """Return the time as an aware datetime in UTC."""

    def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed; at once for 0 or less."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open span of UTC time: `start` is inside, `end` is outside."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC or self.start >= self.end:
            msg = f"not a span of UTC time: {self.start} to {self.end}"
            raise ValueError(msg)

    @property
    def before(self) -> Window:
        """The period before: as long, and up to the start."""
        return Window(self.start - (self.end - self.start), self.start)

    @property
    def naive(self) -> dict[str, datetime]:
        """`start` and `end` as DuckDB's zoneless columns hold them."""
        return {"start": self.start.replace(tzinfo=None), "end": self.end.replace(tzinfo=None)}


class Form(StrEnum):
    """The shapes that audit records arrive in."""

    GRAPH = "graph"
    """Microsoft Graph and the admin center's JSON download."""
    PORTAL_CSV = "portal-csv"
    """The admin center's CSV download."""
    DIAGNOSTIC = "diagnostic"
    """Azure Monitor diagnostic settings: blobs and Event Hub messages."""
    LOG_ANALYTICS = "log-analytics"
    """Rows of the table AuditLogs, as JSON or as the CSV of a query result."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records of a batch are to be read."""

    form: str
    """A Form, or one of CONTEXT_KINDS."""
    columns: tuple[str, ...] = ()
    """Of a CSV: our name for each column, "" for a column that nobody reads. Empty for JSON."""
    delimiter: str = ","
    zoneless_utc: bool = False
    """Whether the column's header says that times without a zone are UTC."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one layout, as they were written: a JSON object or a CSV row each."""

    layout: Layout
    texts: pa.StringArray
    numbers: pa.Int64Array
    """Ours, one for each record of a run."""
    files: pa.Int32Array
    """The number of the file that each came from."""
    places: pa.Int64Array
    """Where each stands in its file: line number, or record number in an array."""


@dataclass(frozen=True, slots=True)
class Misread:
    """One piece of a file that is no record; `place` as in Batch, `excerpt` its beginning."""

    reason: str
    place: int
    excerpt: str = ""
    count: int = 1
    """0 where the file shows that something is missing, but not how many records."""


@dataclass(frozen=True, slots=True)
class Site:
    """A named list of networks; `dc_reachable` is None where nobody has said."""

    name: str
    networks: tuple[str, ...]
    dc_reachable: bool | None = None
    trusted: bool | None = None
    """Whether Entra calls the named location trusted; None for a site of the settings."""
    shared: bool | None = None
    """Whether people of other sites leave by its networks, too; None where nobody has said."""


@dataclass(frozen=True, slots=True)
class ResetLink:
    """What a profile or policy of Intune says of the reset link at the sign-in screen."""

    collection: str
    """`deviceConfigurations` for a custom profile, `configurationPolicies` for the settings
    catalog."""
    id: str
    name: str | None
    value: str
    """`on`, `off`, `masked` where Intune does not show it, else what stands there."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the audit log; None is unknown, an empty frame is known to be nothing.

    The frames have the columns of `tables.SIGN_INS`, `WATCHED`, `DEVICES`, `MANAGED` and
    `REGISTERED`.
    """

    sign_ins: pd.DataFrame | None = None
    watched: pd.DataFrame | None = None
    """For whom and when `sign_ins` are all that there were."""
    devices: pd.DataFrame | None = None
    managed: pd.DataFrame | None = None
    registered: pd.DataFrame | None = None
    links: tuple[ResetLink, ...] | None = None
    unread: Mapping[str, int] = field(default_factory=dict)
    """Records that hold nothing that could be used, by their kind."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Records that could not be read, for one reason."""

    reason: str
    count: int
    example: str
    """Where the first one stands: file and line or record number, and what was wrong."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where every record that was read went; the counts add up to `records_read`."""

    records_read: int
    events: int
    other_records: int
    context_records: Mapping[str, int]
    outside_window: int
    duplicates: int
    id_conflicts: int
    """Records that share an id with another but differ; they stay, so they are no class of their
    own."""
    skipped: tuple[Skipped, ...] = ()
    files_ignored: tuple[str, ...] = ()
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A span that was wanted and is not covered."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """For which time every page has arrived. `complete` is None where that cannot be known."""

    complete: bool | None
    spans: tuple[tuple[datetime, datetime], ...] = ()
    gaps: tuple[Gap, ...] = ()
    settling: tuple[datetime, datetime] | None = None
