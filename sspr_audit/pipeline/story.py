"""One flow, or one person's flows and acts, told as a time line."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from sspr_audit.errors import UsageError
from sspr_audit.evidence.explicit import THROTTLED
from sspr_audit.pipeline.analysis import Analysis

if TYPE_CHECKING:
    import pandas as pd

_PSEUDONYM: Final = re.compile(r"(?:person|id)-[a-z2-7]{12}")


def told(
    done: Analysis,
    wanted: str,
    *,
    timezone: str | None,
    verbose: bool = False,
) -> str:
    """Return the time line of the flow or person `wanted`: a flow id, an event id, a name or an id.

    An event is told within its flow; one that has none within its person's story. A flow is told in
    the same lines whatever it was found by. Raises UsageError where the window holds no such flow
    or person.
    """
    from sspr_audit.report import timeline

    key = wanted.strip().lower().encode("utf-8", "replace").decode()  # no record holds other bytes
    window, events = done.report.window, done.events
    if events is None:
        msg = "a time line needs the events; analyse with tell_events"
        raise ValueError(msg)
    flows, acts = (
        frame[(frame[column] >= window.start) & (frame[column] < window.end)]
        for frame, column in ((done.flows, "start_utc"), (done.acts, "time_utc"))
    )
    if flow_id := _flow(flows, events, key):
        # Whose flow it is decides what the directory's records belong to it.
        whose = flows.loc[flows["flow_id"] == flow_id, "person"].iloc[0]
        mine = (flows["flow_id"] == flow_id) | (flows["person"] == whose)
        here = (events["flow_id"] == flow_id) | (events["person"] == whose)
        heading, acts = None, acts.iloc[:0]
    elif person := _person((flows, acts, events), key):
        mine, here = flows["person"] == person, events["person"] == person
        heading, acts = f"Person {key}", acts[acts["person"] == person]
    else:
        raise UsageError(_nobody(done, wanted))
    return timeline.render(
        events[here],
        flows[mine],
        acts,
        heading=heading,
        timezone=timezone,
        causes=_causes(flows[mine], done),
        only=flow_id,
        verbose=verbose,
    )


def is_pseudonym(wanted: str) -> bool:
    """Say whether this stands for a person in a report without names."""
    return _PSEUDONYM.fullmatch(wanted.strip().lower()) is not None


def behind(done: Analysis, wanted: str, key: bytes) -> str:
    """Return whom a pseudonym stands for; raises UsageError where nobody of the window has it."""
    from sspr_audit.report import pseudonyms

    names = pseudonyms.names(done.flows, done.acts)
    made = pseudonyms.Pseudonyms(key, frozenset(), names)
    people = {
        name
        for frame in (done.flows, done.acts)
        for column in ("upn", "person")
        for name in frame[column].dropna().unique()
    }
    told = wanted.strip().lower()
    found = next((name for name in sorted(people) if made.person(name) == told), None)
    if found is None:
        msg = f"{_nobody(done, wanted)}; another key of pseudonyms gives other ones"
        raise UsageError(msg)
    return str(found)


def _nobody(done: Analysis, wanted: str) -> str:
    window = done.report.window
    more = "give an earlier --since, or " if done.report.account.outside_window else ""
    meant = _like(done, wanted.strip().lower())
    return (
        f"no flow, event or person {wanted!r} between {window.start:%Y-%m-%d %H:%M} and"
        f" {window.end:%Y-%m-%d %H:%M} UTC; {more}name one as the report does"
        + (f"; did you mean {meant!r}?" if meant else "")
    )


def _like(done: Analysis, wanted: str) -> str | None:
    """Return the name of a person that begins like this, or is written nearly so."""
    found = [frame["upn"].dropna().str.lower() for frame in (done.flows, done.acts)]
    names = sorted({name for column in found for name in column})
    begun = [name for name in names if name.startswith(f"{wanted}@")]
    return next(iter(begun or difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)), None)


def _causes(flows: pd.DataFrame, done: Analysis) -> dict[str, list[str]]:
    """Return lines for each flow: on what its reason says, and on findings that were seen in it."""
    from sspr_audit.report import timeline

    knowledge = done.options.knowledge
    found: dict[str, list[str]] = {}
    rows = {row.key: row for row in knowledge.reasons}
    stated = {}
    for flow_id, outcome, key in zip(
        flows["flow_id"], flows["outcome"], flows["reason_key"], strict=True
    ):
        row = rows.get(key)
        if outcome == "succeeded":
            continue
        if row and (row.family or row.causes):
            target = row.family or row.causes[0]
        elif outcome == "blocked":  # the activity says it, without a reason
            target = THROTTLED
        else:
            continue
        inferred = row is not None and row.standing == "inferred"
        stated[flow_id] = target
        found[flow_id] = timeline.why(
            target, knowledge, cloud=done.options.cloud, inferred=inferred
        )
    mine = set(flows["flow_id"])
    for finding in done.report.findings:
        target = finding.family or finding.cause
        for flow_id in mine.intersection(finding.flow_ids):
            if stated.get(flow_id) != target:
                found.setdefault(flow_id, []).extend(timeline.tells_of(finding))
    return found


def _flow(flows: pd.DataFrame, events: pd.DataFrame, key: str) -> str | None:
    """Return the flow whose id `key` is, or that holds the event whose id it is."""
    same = flows.loc[flows["flow_id"].str.lower() == key, "flow_id"]
    holds = events.loc[events["event_id"].str.lower() == key, "flow_id"].dropna()
    found = [*same, *holds[holds.isin(flows["flow_id"])]]
    return str(found[0]) if found else None


def _person(frames: tuple[pd.DataFrame, ...], key: str) -> str | None:
    """Return the person whose id, name or event `key` is."""
    for frame in frames:
        for column in ("person", "upn", "event_id"):
            if column in frame:
                hit = frame[column].str.lower() == key
                people = frame.loc[hit.fillna(False), "person"].dropna()  # noqa: FBT003
                if not people.empty:
                    return str(people.iloc[0])
    return None
