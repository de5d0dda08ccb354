"""What is said of causes: signals, suspicions, judgements and findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sspr_audit.model.progress import Trend


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

    @classmethod
    def of(cls, fired: bool) -> State:  # noqa: FBT001 - it is about nothing else
        """Return what became of a signal that enough data could tell of."""
        return cls.FIRED if fired else cls.QUIET


@dataclass(frozen=True, slots=True)
class Scope:
    """What a finding is about; a list that does not matter to it is empty."""

    sites: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    """Ids; where it is about a product, what its devices share, such as `model Slate 7`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One signal as the reader sees it."""

    signal: str
    statement: str
    value: int | float | str | None = None
    quotes: tuple[str, ...] = ()
    """What of the sentence stands in the records word for word: reasons, names of who did it."""


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
    """What data would tell, where it is unknown or few; a noun, for it ends the sentence "would
    tell: …"."""
    quotes: tuple[str, ...] = ()
    """As in Statement."""


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
    where: str = ""
    """The place, network or product that it is about, and nothing that changes with whom it hits;
    empty where it is of none."""
    alone: float | None = None
    """The p without a second sign that `p` may rest on, where there is one."""


@dataclass(frozen=True, slots=True)
class Few:
    """A scope that was too small for a verdict, and what would do."""

    target: str
    scope: Scope
    needs: str
    """Such as `more people: 9 who reset at Malmö (15 of 24)`; the kind stands before the colon."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What one family of signals found, and how often it looked: chance grows with looking."""

    kind: Kind
    tests: int
    suspicions: tuple[Suspicion, ...] = ()
    few: tuple[Few, ...] = ()
    part: float = 1.0
    """Which part of the false discovery rate it may use: all families together may use all."""


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
    flow_ids: tuple[str, ...] = ()
    """Of all its flows, oldest first."""


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
    flow_ids: tuple[str, ...] = ()
    """Of all its flows, oldest first: a page opens them. The JSON report traces by event ids."""
    identity: str = ""
    """The same from report to report: of what is found, and where; never of whom or how many."""
    trend: Trend | None = None
    """What became of it since the period before, where that was looked at."""


@dataclass(frozen=True, slots=True)
class Unobservable:
    """A cause that this data could not show, and what would."""

    cause: str
    needs: tuple[str, ...]
