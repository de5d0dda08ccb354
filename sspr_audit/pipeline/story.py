"""One flow, or one person's flows and acts, told as a time line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sspr_audit.errors import UsageError
from sspr_audit.pipeline.analysis import Analysis

if TYPE_CHECKING:
    import pandas as pd


def told(done: Analysis, wanted: str, *, timezone: str | None) -> str:
    """Return the time line of the flow or person `wanted`: a flow id, an event id, a name or an id.

    An event is told within its flow; one that has none within its person's story. Raises UsageError
    where the window holds no such flow or person.
    """
    from sspr_audit.report import timeline

    key = wanted.strip().lower().encode("utf-8", "replace").decode()  # no record holds other bytes
    window, events = done.report.window, done.events
    flows, acts = (
        frame[(frame[column] >= window.start) & (frame[column] < window.end)]
        for frame, column in ((done.flows, "start_utc"), (done.acts, "time_utc"))
    )
    if flow_id := _flow(flows, events, key):
        mine, here = flows["flow_id"] == flow_id, events["flow_id"] == flow_id
        heading, acts = f"Flow {flow_id}", acts.iloc[:0]
    elif person := _person((flows, acts, events), key):
        mine, here = flows["person"] == person, events["person"] == person
        heading, acts = f"Person {key}", acts[acts["person"] == person]
    else:
        msg = (
            f"no flow, event or person {wanted!r} between {window.start:%Y-%m-%d %H:%M} and"
            f" {window.end:%Y-%m-%d %H:%M} UTC; widen --since, or name one as the report does"
        )
        raise UsageError(msg)
    return timeline.render(events[here], flows[mine], acts, heading=heading, timezone=timezone)


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
