"""One flow, or one person's flows and acts, as a time line that can be read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.report import harmless, plain, saying, words
from sspr_audit.report.clock import Clock, clock, length
from sspr_audit.report.saying import STORED, said_of

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.knowledge.clouds import Cloud
    from sspr_audit.knowledge.known import Knowledge
    from sspr_audit.model import Finding

_IN_ACTS: Final = ("change", "admin-reset", "registration")
"""Roles of events that are told by their act."""


@dataclass(frozen=True, slots=True, order=True)
class _Item:
    """One paragraph of the story: when it began and ended (UTC), and what stands in it."""

    start: datetime
    key: str
    end: datetime
    words: tuple[str, ...]
    after: tuple[str, ...] = ()


def render(  # noqa: PLR0913 -- what a story is made from, and how it is wished
    events: pd.DataFrame,
    flows: pd.DataFrame,
    acts: pd.DataFrame,
    *,
    heading: str | None,
    timezone: str | None,
    causes: Mapping[str, Sequence[str]],
    only: str | None = None,
    verbose: bool = False,
) -> str:
    """Return the story that these rows of EVENTS, FLOWS and ACTS tell, oldest first.

    Every event stands in it: under its flow, in its act, or on a line of its own. Of the records
    that the directory adds only the stored password stands there, unless `verbose`; the number of
    the others is told. `causes` are lines for flows, by id; with `only`, just that flow is told.
    Times are local with UTC beside them. Raises SettingsError for an unknown time zone.
    """
    when = clock(timezone)
    named = [without_nulls(row) for row in _ordered(events)]
    tries = [without_nulls(row) for row in flows.to_dict("records")]
    homes = [_home(event, tries) for event in named]
    by_flow: dict[str, list[dict[str, Any]]] = {}
    loose = []
    left_out = 0
    for event, home in zip(named, homes, strict=True):
        if only not in (None, home):
            continue
        if event["role"] == "echo" and not verbose and (event["activity"] or "").lower() != STORED:
            left_out += 1
        elif home is not None:
            by_flow.setdefault(home, []).append(event)
        elif event["role"] not in _IN_ACTS:
            loose.append(event)
    told = [
        *(
            _flow(flow, by_flow.get(flow["flow_id"], []), causes.get(flow["flow_id"], ()), when)
            for flow in tries
            if only in (None, flow["flow_id"])
        ),
        *(_act(without_nulls(row), when) for row in acts.to_dict("records")),
        *(_alone(event, when) for event in loose),
    ]
    lines = [] if heading is None else [harmless.line(heading), ""]
    if not told:
        lines += ["Nothing is recorded.", ""]
    before: datetime | None = None
    for item in sorted(told):
        first, *others = item.words
        begun = _begun(first) if before is None else f"{_later(item.start - before)}, {first}"
        lines += [one for each in (begun, *others) for one in plain.wrapped(each)]
        lines += [*item.after, ""]
        before = item.end if before is None else max(before, item.end)
    if left_out:
        records = words.several(
            left_out, "record of the directory is", "records of the directory are"
        )
        lines += [f"{records} left out; --verbose shows all.", ""]
    return "\n".join(lines)


def _ordered(events: pd.DataFrame) -> list[dict[Any, Any]]:
    return events.sort_values(["time_utc", "rank", "event_id"]).to_dict("records")


def _home(event: Mapping[str, Any], flows: list[dict[str, Any]]) -> str | None:
    """Return the flow in whose paragraph the event stands.

    Core Directory's records carry no flow: the one that a flow names is its own, and others of the
    same person while it lasted are told there too.
    """
    for flow in flows:
        if flow["flow_id"] == event["flow_id"] or flow["echo_id"] == event["event_id"]:
            return str(flow["flow_id"])
    if event["role"] != "echo" or event["person"] is None:
        return None
    for flow in flows:
        during = flow["start_utc"] <= event["time_utc"] <= flow["end_utc"]
        if during and flow["person"] == event["person"]:
            return str(flow["flow_id"])
    return None


def why(target: str, knowledge: Knowledge, *, cloud: Cloud | None, inferred: bool) -> list[str]:
    """Return lines on a cause or family: what it is, who can mend it, what to do in `cloud`.

    `inferred` is whether it is known by inference only that the text means this.
    """
    family = knowledge.families.get(target)
    lead = knowledge.causes[family.lead if family else target].in_cloud(cloud, knowledge.clouds)
    title = family.title if family else lead.title
    if family:
        title += f"; the text does not say which of its {len(family.members)} causes it is"
    elif inferred:
        title += "; that the text means this is known by inference only"
    return _labelled(
        {
            "Cause": title,
            "Fixed by": words.WHO.get(lead.who_can_fix, lead.who_can_fix),
            "Do": knowledge.remedy(target, cloud).summary,
            "More": f"sspr-audit causes {target}",
        }
    )


def tells_of(finding: Finding) -> list[str]:
    """Return lines on a finding that was seen in a flow, among others: what it is, and how sure."""
    people = words.several(finding.users, "person", "people")
    return _labelled(
        {
            "Tells of": f"{finding.title} ({finding.confidence}; {people})",
            "More": f"sspr-audit causes {finding.family or finding.cause} --why",
        }
    )


def _labelled(told: Mapping[str, str]) -> list[str]:
    return [
        line for label, text in told.items() for line in plain.wrapped(text, mark=f"{label:10}")
    ]


def _flow(
    flow: Mapping[str, Any], events: list[dict[str, Any]], cause: Sequence[str], when: Clock
) -> _Item:
    return _Item(
        start=flow["start_utc"],
        key=flow["flow_id"],
        end=flow["end_utc"],
        words=tuple(saying.flow(flow, events, when)),
        after=(*cause, *_steps(flow, events, when)),
    )


def _steps(flow: Mapping[str, Any], events: list[dict[str, Any]], when: Clock) -> Iterator[str]:
    if events:
        yield ""
    day = when.day(flow["start_utc"])
    for event in events:
        if when.day(event["time_utc"]) != day:
            day = when.day(event["time_utc"])
            yield f"  {day}"
        since = (event["time_utc"] - flow["start_utc"]).total_seconds()
        said, reason = said_of(event)
        if event["event_id"] == flow["echo_id"] and flow["echo_s"] is not None:
            said += f" {int(flow['echo_s'])} s later"
        yield f"  {when.time(event['time_utc'])}  {f'+{int(since):,} s':>8}  {said}"
        if reason:
            yield from plain.wrapped(f"Entra wrote: {reason}", indent=22)
    if flow["outcome"] == "abandoned":
        yield f"{'':22}did nothing more that was recorded"


def _act(act: Mapping[str, Any], when: Clock) -> _Item:
    moment = act["time_utc"]
    return _Item(start=moment, key=act["act_id"], end=moment, words=(saying.act(act, when),))


def _alone(event: Mapping[str, Any], when: Clock) -> _Item:
    """Return an event that stands in no flow and no act, so that none is lost."""
    moment = event["time_utc"]
    return _Item(
        start=moment, key=event["event_id"], end=moment, words=(saying.alone(event, when),)
    )


def without_nulls(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row with None for every kind of null that a frame knows."""
    import pandas as pd

    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def _later(gap: timedelta) -> str:
    return "At the same time" if gap <= timedelta(0) else _begun(f"{length(gap)} later")


def _begun(sentence: str) -> str:
    """Return the sentence with a capital, if it begins with a word of ours and not with a name."""
    ours = sentence.startswith(("somebody ", "an administrator ", "also recorded ", "less than "))
    return sentence[0].upper() + sentence[1:] if ours else sentence
