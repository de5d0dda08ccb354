"""Signals of reasons and codes: what the log itself says about why a reset failed.

A signal takes the statements of one cause or family (columns of STATED) and all flows of the
window, and returns a Statement, or None where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.knowledge import Knowledge
from sspr_audit.model import Case, Scope, Statement, Window
from sspr_audit.tables import TIME, Column, Table

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

STATED: Final = Table(
    "stated",
    target=Column("str", "the cause or family that the event names"),
    event_id=Column("str", "as in events"),
    time_utc=Column(TIME, "as in events"),
    reason=Column("str", "the text that names it; the activity where the activity does"),
    standing=Column("str", "seen, documented or inferred"),
    unit=Column("str", "the flow or act that it stands in"),
    flow_id=Column("str", "the flow; null for an act"),
    person=Column("str", "as in events"),
    upn=Column("str", "as in events"),
    site=Column("str", "site of the flow or act"),
    ip_group=Column("str", "address of the flow or act"),
    client=Column("str", "client of the flow; null for an act"),
    outcome=Column("str", "of the flow or act"),
)


THROTTLED: Final = "too-many-attempts-throttled"
"""The cause that "Blocked from self-service password reset" names by itself."""

CONCENTRATED_PCT: Final = 60
CONCENTRATED_TIMES: Final = 2
"""From which share on, and how many times a site's usual share, a place is worth a word. It is a
description: no verdict hangs on it."""

_STANDINGS: Final = ("seen", "documented", "inferred")
_IDS: Final = 100


def cases(
    connection: duckdb.DuckDBPyConnection,
    knowledge: Knowledge,
    flows: pd.DataFrame,
    window: Window,
) -> Iterator[Case]:
    """Yield a case for each cause or family that events of the window name, by id.

    `flows` are the flows up to the end of the window.
    """
    rows = _stated(connection, knowledge, window)
    here = flows[(flows["start_utc"] >= window.start) & (flows["start_utc"] < window.end)]
    for target, said in rows.groupby("target", sort=True):
        signals_for = [*reasons(said), place(said, here), still_failing(said, flows)]
        signals_against = [helped(said), later(said, flows)]
        ids = said["event_id"].drop_duplicates()
        yield Case(
            target=str(target),
            standing=min(said["standing"], key=_STANDINGS.index),
            scope=Scope(
                sites=_values(said["site"]),
                ips=_values(said["ip_group"]),
                clients=_values(said["client"]),
                users=_values(said["upn"].fillna(said["person"])),
            ),
            users=int(said["person"].nunique()),
            flows=int(said["flow_id"].nunique()),
            first_seen=said["time_utc"].min().to_pydatetime(warn=False),
            last_seen=said["time_utc"].max().to_pydatetime(warn=False),
            evidence=tuple(one for one in signals_for if one),
            against=tuple(one for one in signals_against if one),
            events=len(ids),
            event_ids=tuple(ids[:_IDS]),
        )


def _stated(
    connection: duckdb.DuckDBPyConnection, knowledge: Knowledge, window: Window
) -> pd.DataFrame:
    import pyarrow as pa

    names = [
        (reason.key, reason.family or reason.causes[0], reason.standing)
        for reason in knowledge.reasons
        if reason.family or reason.causes
    ]
    names.append(("blocked", THROTTLED, "documented"))
    columns = dict(zip(("key", "target", "standing"), zip(*names, strict=True), strict=True))
    values = {"start": _naive(window.start), "end": _naive(window.end)}
    with engine.lent(connection, names=pa.table(columns)):
        query = engine.sql("sspr_audit.evidence", "stated.sql")
        return STATED.shape(engine.fetch(connection, query, values))


def _naive(time: datetime) -> datetime:
    """Return a UTC time as DuckDB's zoneless columns hold it."""
    return time.replace(tzinfo=None)


def _values(column: pd.Series[str]) -> tuple[str, ...]:
    return tuple(sorted(column.dropna().unique()))


def reasons(rows: pd.DataFrame) -> list[Statement]:
    """Flows, password changes and resets by an administrator whose reason names it."""
    found = []
    for reason, said in rows.groupby("reason", sort=False):
        flows = said["flow_id"].nunique()
        acts = said.loc[said["flow_id"].isna(), "unit"].nunique()
        counts = [
            *([_counted(flows, "flow")] if flows else []),
            *([_counted(acts, "change or admin reset", "changes or admin resets")] if acts else []),
        ]
        people = _counted(said["person"].nunique(), "person", "people")
        verb = "gives" if flows + acts == 1 else "give"
        text = f"{' and '.join(counts)} of {people} {verb} the reason: {reason}"
        found.append(Statement("reason-stated", text, flows + acts))
    return sorted(found, key=lambda one: (-int(one.value or 0), one.statement))


def place(rows: pd.DataFrame, flows: pd.DataFrame) -> Statement | None:
    """Where it happens, if most of it is at one site that far fewer of all flows come from."""
    units = rows.drop_duplicates("unit")
    sites = units["site"].dropna()
    if sites.empty or flows.empty:
        return None
    counts = sites.value_counts().sort_index()
    name = str(counts.idxmax())
    share = round(100 * int(counts.max()) / len(units))
    usual = round(100 * float((flows["site"] == name).mean()))
    if share < CONCENTRATED_PCT or share < CONCENTRATED_TIMES * usual:
        return None
    text = f"{share} % of it is at {name}, where {usual} % of all flows begin"
    return Statement("place", text, share)


def helped(rows: pd.DataFrame) -> Statement | None:
    """Flows that met the reason and succeeded in the end all the same."""
    flows = rows.dropna(subset=["flow_id"]).drop_duplicates("flow_id")
    count = int((flows["outcome"] == "succeeded").sum())
    if not count:
        return None
    text = f"{count} of these {_counted(len(flows), 'flow')} succeeded in the end"
    return Statement("succeeded-in-the-end", text, count)


def later(rows: pd.DataFrame, flows: pd.DataFrame) -> Statement | None:
    """People who met the reason and completed a reset in a later flow."""
    first = rows.dropna(subset=["person"]).groupby("person")["time_utc"].min()
    done = flows.loc[flows["outcome"] == "succeeded"].groupby("person")["start_utc"].max()
    both = first.to_frame("first").join(done.rename("done"), how="left")
    count = int((both["done"] > both["first"]).sum())
    if not count:
        return None
    text = f"{count} of {_counted(len(first), 'person', 'people')} completed a reset later on"
    return Statement("succeeded-later", text, count)


def still_failing(rows: pd.DataFrame, flows: pd.DataFrame) -> Statement | None:
    """People who met the reason and have not completed a reset since."""
    first = rows.dropna(subset=["person"]).groupby("person")["time_utc"].min()
    done = flows.loc[flows["outcome"] == "succeeded"].groupby("person")["end_utc"].max()
    both = first.to_frame("first").join(done.rename("done"), how="left")
    count = int((~(both["done"] >= both["first"])).sum())
    if not count:
        return None
    text = f"{count} of {_counted(len(first), 'person', 'people')} completed no reset since"
    return Statement("no-reset-since", text, count)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
