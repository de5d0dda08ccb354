"""Frozen values that pass between stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

OUTCOMES = ("succeeded", "blocked", "failed", "cancelled", "abandoned", "open")
"""How a flow can end, strongest first: the first that any event of a flow shows is its outcome."""

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


class Confidence(StrEnum):
    """How far the signals carry a cause. Says nothing of how much harm it does."""

    CONFIRMED = "confirmed"
    """A reason, code or device reading names this very cause."""
    LIKELY = "likely"
    """Two families of signals agree and no spoiler fired, or a text names the family."""
    POSSIBLE = "possible"
    """It fits; others fit too."""

    @property
    def rank(self) -> int:
        """0 for the most certain."""
        return list(Confidence).index(self)


@dataclass(frozen=True, slots=True)
class Site:
    """A named list of networks; `dc_reachable` is None where nobody has said."""

    name: str
    networks: tuple[str, ...]
    dc_reachable: bool | None = None
    trusted: bool | None = None
    """Whether Entra calls the named location trusted; None for a site of the settings."""


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


@dataclass(frozen=True, slots=True)
class Statement:
    """One signal as the reader sees it."""

    signal: str
    statement: str
    value: int | float | str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a finding is about; a list that does not matter to it is empty."""

    sites: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


class Kind(StrEnum):
    """The families of signals: two of them must agree before a pattern is likely."""

    EXPLICIT = "explicit"
    """A reason or code states it."""
    STALLED = "stalled"
    """Flows stop at one step, more than elsewhere."""
    ABSENT = "absent"
    """Flows that should be there are not."""
    AFTERMATH = "aftermath"
    """What happens after a success."""
    TIME = "time"
    """When it began and ended, and what happened beside it."""
    PEOPLE = "people"
    """What the same people do elsewhere, and who they are."""


class State(StrEnum):
    """What became of a signal that was looked for."""

    FIRED = "fired"
    QUIET = "quiet"
    """Looked for with enough data, and not there."""
    FEW = "few"
    """Looked for, with too few people to tell."""
    UNKNOWN = "unknown"
    """The data that would tell are missing; never the same as quiet."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured observation about one scope."""

    id: str
    kind: Kind
    state: State
    statement: str
    """The sentence that the reader sees, in every state."""
    value: int | float | str | None = None
    support: int = 0
    """How many people it rests on."""
    p: float | None = None
    """How often chance alone would show as much, where a test was made."""
    needs: str = ""
    """What data would tell, where it is unknown or few; ends the sentence "to tell, give …"."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A pattern that one scope shows, with every signal that was looked for there."""

    target: str
    """A cause or a family."""
    kind: Kind
    p: float
    """Of the test that raised it, corrected for where and when it looked inside this scope."""
    scope: Scope
    users: int
    flows: int
    first_seen: datetime
    """The estimated onset."""
    last_seen: datetime
    signals: tuple[Signal, ...]
    flow_ids: tuple[str, ...]
    """Of the flows it is about, oldest first."""
    onset: tuple[datetime, datetime] | None = None
    """Between which times it began, 19 times of 20."""
    over: bool = False
    """Whether it had ended before the window's end."""


@dataclass(frozen=True, slots=True)
class Few:
    """A scope that was too small for a verdict, and what would do."""

    target: str
    scope: Scope
    needs: str
    """Such as `9 more people who reset at Malmö (15 of 24)`."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What one family of signals found, and how often it looked: chance grows with looking."""

    kind: Kind
    tests: int
    suspicions: tuple[Suspicion, ...] = ()
    few: tuple[Few, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a suspicion, and why."""

    suspicion: Suspicion
    q: float
    """The false discovery rate at which it stands, over all tests of its kind."""
    score: float
    """The weights of what fired, those of spoilers taken away."""
    confidence: Confidence | None
    """None: it is no finding."""
    because: tuple[str, ...]
    """The rules that decided it, in their order; a sentence each."""


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
class Case:
    """What the signals say about one cause or family, before it is judged."""

    target: str
    """A cause or a family."""
    standing: str
    """The best of the texts that name it: seen, documented or inferred."""
    scope: Scope
    users: int
    flows: int
    first_seen: datetime
    last_seen: datetime
    evidence: tuple[Statement, ...]
    against: tuple[Statement, ...]
    events: int
    event_ids: tuple[str, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another cause that fits the same data, and why."""

    cause: str
    why: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do in the tenant's cloud."""

    summary: str
    commands: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A public source; `url` is None where the source has no address."""

    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause or family with its scope, its confidence and the signals on both sides."""

    cause: str
    family: str | None
    title: str
    layer: str
    confidence: Confidence
    scope: Scope
    users: int
    flows: int
    first_seen: datetime
    last_seen: datetime
    evidence: tuple[Statement, ...]
    against: tuple[Statement, ...]
    rivals: tuple[Rival, ...]
    confirm_with: tuple[str, ...]
    who_can_fix: str
    remedy: Remedy
    sources: tuple[Source, ...]
    events: int
    event_ids: tuple[str, ...]
    """At most 100, oldest first."""


@dataclass(frozen=True, slots=True)
class Unobservable:
    """A cause that this data could not show, and what would."""

    cause: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acts:
    """What belongs to the same people but is not a flow."""

    password_changes_succeeded: int = 0
    password_changes_failed: int = 0
    admin_resets_succeeded: int = 0
    admin_resets_failed: int = 0
    registrations: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over one window. `outcomes` has every key of OUTCOMES."""

    flows: int
    users: int
    outcomes: Mapping[str, int]
    acts: Acts


@dataclass(frozen=True, slots=True)
class Group:
    """Flows that share a client or a site; `name` is None for networks nobody named."""

    name: str | None
    flows: int
    users: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Day:
    """Flows that began on one UTC day, written YYYY-MM-DD."""

    day: str
    flows: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Address:
    """Flows from one address: IPv4 plain, IPv6 as its /64; None where no event recorded one."""

    ip: str | None
    site: str | None
    flows: int
    users: int
    clients: Mapping[str, int]
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a reason was given; `key` names its row in reasons.toml, None if unrecognized."""

    reason: str
    key: str | None
    flows: int
    users: int


@dataclass(frozen=True, slots=True)
class TextCount:
    """A text that the program does not know, and in how many events it stands."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Unrecognized:
    """Reported by text and count, never dropped."""

    reasons: tuple[TextCount, ...] = ()
    client_types: tuple[TextCount, ...] = ()
    activities: tuple[TextCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a renderer needs; nothing is computed after this. Times are UTC."""

    version: str
    generated_at: datetime
    window: Window
    baseline: Window
    tenant_id: str | None
    cloud: str | None
    account: Account
    coverage: Coverage
    totals: Totals
    previous: Totals | None
    by_client: tuple[Group, ...] = ()
    by_site: tuple[Group, ...] = ()
    by_day: tuple[Day, ...] = ()
    by_ip: tuple[Address, ...] = ()
    reasons: tuple[ReasonCount, ...] = ()
    unrecognized: Unrecognized = field(default_factory=Unrecognized)
    findings: tuple[Finding, ...] = ()
    unobservable: tuple[Unobservable, ...] = ()
    changed: Change | None = None
    """Only where a change was asked about."""


class Verdict(StrEnum):
    """What became of a place after a change."""

    BETTER = "better"
    WORSE = "worse"
    CANNOT_TELL = "cannot-tell-yet"


class Lack(StrEnum):
    """What is missing for a verdict on a change."""

    PEOPLE_AFTER = "people-after"
    """More people after the change would do."""
    PEOPLE_BEFORE = "people-before"
    """Too few stand before it, and no number after it would do."""
    DIFFERENCE = "difference"
    """There are enough people, and no difference worth a word."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many people, with an interval of 95 %; `share` is None for nobody."""

    count: int
    people: int
    share: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One place before and after a change; `name` is None for everybody, or where unknown."""

    name: str | None
    before: Share
    after: Share
    difference: float | None = None
    """The share after less the share before; None where nobody stands on a side."""
    low: float | None = None
    high: float | None = None
    """An interval of 95 % for the difference, by itself."""
    p: float | None = None
    """That chance makes such a difference, corrected for all places; None where none can show."""
    verdict: Verdict = Verdict.CANNOT_TELL
    lacks: Lack | None = Lack.PEOPLE_AFTER
    """None where there is a verdict."""
    needed: int | None = None
    """About how many people more, where these are what is missing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the resets after something was changed in the tenant."""

    at: datetime
    before: Window
    after: Window
    total: Comparison
    by_site: tuple[Comparison, ...]
    by_client: tuple[Comparison, ...]
    at_signin_screen: tuple[Comparison, ...]
    """By site, the share of people at the sign-in screen; empty where no client says it is one."""
    tested: int
    """For how many places `p` is corrected."""
    weekend_before: float
    weekend_after: float
    """The share of Saturday and Sunday, UTC, in each span."""
    on_weekdays: Comparison | None
    """`total` on Monday to Friday alone, where the spans differ much in their weekends."""
    nobody: int
    """Flows that name no person, and are not counted."""
