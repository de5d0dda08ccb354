"""One flow, or one person's flows and acts, told as a time line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sspr_audit.errors import UsageError
from sspr_audit.pipeline.analysis import Analysis

if TYPE_CHECKING:
    import pandas as pd


def told(done: Analysis, wanted: str, *, timezone: str | None) -> str:
    """Return the time line of the flow or person `wanted`: a flow id, an event id, a name or an id.

    Raises UsageError where the data hold no such flow or person.
    """
    from sspr_audit.report import timeline

    key = wanted.strip().lower()
    flows, acts, events = done.flows, done.acts, done.events
    if (flows["flow_id"].str.lower() == key).any():
        flows = flows[flows["flow_id"].str.lower() == key]
        events = events[events["flow_id"].str.lower() == key]
        return timeline.render(
            events, flows, acts.iloc[:0], heading=f"Flow {key}", timezone=timezone
        )
    person = _person(done, key)
    if person is None:
        window = done.report.window
        msg = (
            f"no flow, event or person {wanted!r} between {window.start:%Y-%m-%d %H:%M} and"
            f" {window.end:%Y-%m-%d %H:%M} UTC; widen --since, or name one as the report does"
        )
        raise UsageError(msg)
    return timeline.render(
        events[events["person"] == person],
        flows[flows["person"] == person],
        acts[acts["person"] == person],
        heading=f"Person {key}",
        timezone=timezone,
    )


def _person(done: Analysis, key: str) -> str | None:
    """Return the person whose id, name or event `key` is."""
    for frame in (done.flows, done.acts, done.events):
        hit = (frame["person"].str.lower() == key) | (frame["upn"] == key)
        if found := _first(frame, hit):
            return found
    return _first(done.events, done.events["event_id"].str.lower() == key)


def _first(frame: pd.DataFrame, hit: pd.Series[bool]) -> str | None:
    people = frame.loc[hit.fillna(False), "person"].dropna()  # noqa: FBT003
    return None if people.empty else str(people.iloc[0])
