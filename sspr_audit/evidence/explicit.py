"""Signals of reasons and codes: what the log itself says about why a reset failed.

A signal takes the statements of one cause or family (columns of STATED), with all flows of the
window or with when each person's `last` success began and ended, and returns a Statement, or None
where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit import engine
from sspr_audit.evidence.wording import counted, listed, several
from sspr_audit.knowledge import Knowledge
from sspr_audit.model import Case, Scope, Statement, Window
from sspr_audit.tables import TIME, Column, Table

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

STATED: Final = Table(
    "stated",
    target=Column("str", "the cause or family that the event names"),
    standing=Column("str", "seen, documented or inferred"),
    reason=Column("str", "the text that names it; the activity where the activity does"),
    reason_key=Column("str", "as in events; null where the activity names it"),
    method=Column("str", "as in events"),
    event_id=Column("str", "as in events"),
    time_utc=Column(TIME, "as in events"),
    role=Column("str", "as in events"),
    flow_id=Column("str", "the flow that it stands in; null for none"),
    person=Column("str", "as in events; the flow's, where it stands in one"),
    upn=Column("str", "as in events; the flow's, where it stands in one"),
    site=Column("str", "site of the flow or event"),
    ip_group=Column("str", "address of the flow or event"),
    client=Column("str", "client of the flow or event"),
    outcome=Column("str", "of the flow"),
)


THROTTLED: Final = "too-many-attempts-throttled"
"""The cause that "Blocked from self-service password reset" names by itself."""

CONCENTRATED_PCT: Final = 60
CONCENTRATED_TIMES: Final = 2
"""From which share on, and how many times a site's usual share, a place is worth a word. It is a
description: no verdict hangs on it."""

_STANDINGS: Final = ("seen", "documented", "inferred")
_IDS: Final = 100

_OTHER: Final = "other"
_WORDS: Final = {
    "flow": ("flow", "flows"),
    "change": ("password change", "password changes"),
    "admin-reset": ("reset by an administrator", "resets by an administrator"),
    _OTHER: ("other event", "other events"),
}
"""What states a reason, by its role; flows by their number, all else by that of the events."""


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
    done = flows[flows["outcome"] == "succeeded"]
    last = done.groupby("person")[["start_utc", "end_utc"]].max()
    for target, said in rows.groupby("target", sort=True):
        signals_for = [*reasons(said), place(said, here), still_failing(said, last)]
        signals_against = [helped(said), later(said, last)]
        yield Case(
            target=str(target),
            standing=min(said["standing"], key=_STANDINGS.index),
            scope=Scope(
                sites=_values(said["site"]),
                ips=_values(said["ip_group"]),
                clients=_values(said["client"]),
                users=_names(said),
            ),
            users=int(said["person"].nunique()),
            flows=int(said["flow_id"].nunique()),
            first_seen=said["time_utc"].min().to_pydatetime(warn=False),
            last_seen=said["time_utc"].max().to_pydatetime(warn=False),
            evidence=tuple(one for one in signals_for if one),
            against=tuple(one for one in signals_against if one),
            events=len(said),
            event_ids=tuple(said["event_id"][:_IDS]),
            flow_ids=tuple(said["flow_id"].dropna().unique().tolist()),
        )


def stated_by_period(
    connection: duckdb.DuckDBPyConnection, knowledge: Knowledge, span: Window, window: Window
) -> list[tuple[str, int, int, datetime, datetime]]:
    """Return target, period, people in flows, first and last time of what a span states.

    Periods are as long as the window, which is period 0, and count back from it.
    """
    said = engine.sql("sspr_audit.evidence", "stated.sql")
    query = engine.sql("sspr_audit.evidence", "earlier.sql").replace("{said}", f"(\n{said})")
    moment = timedelta(microseconds=1)
    values = {
        **span.naive,
        "start_us": (window.start - datetime(1970, 1, 1, tzinfo=UTC)) // moment,
        "length_us": (window.end - window.start) // moment,
    }
    with _lent_names(connection, knowledge):
        rows = engine.rows(connection, query, values)
    return [
        (target, period, people, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
        for target, period, people, first, last in rows
    ]


def _stated(
    connection: duckdb.DuckDBPyConnection, knowledge: Knowledge, window: Window
) -> pd.DataFrame:
    with _lent_names(connection, knowledge):
        query = engine.sql("sspr_audit.evidence", "stated.sql")
        return STATED.shape(engine.fetch(connection, query, window.naive))


def _lent_names(
    connection: duckdb.DuckDBPyConnection, knowledge: Knowledge
) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Lend the queries what each key of a reason names, as `names`."""
    import pyarrow as pa

    names = [
        (reason.key, target, reason.standing)
        for reason in knowledge.reasons
        for target in ((reason.family,) if reason.family else reason.causes)
    ]
    names.append(("blocked", THROTTLED, "documented"))
    columns = dict(zip(("key", "target", "standing"), zip(*names, strict=True), strict=True))
    return engine.lent(connection, names=pa.table(columns))


def _values(column: pd.Series[str]) -> tuple[str, ...]:
    return tuple(sorted(column.dropna().unique()))


def _names(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return one name for each person: the last user principal name, else the object id."""
    upns = rows.dropna(subset=["person"]).groupby("person")["upn"].last()
    return _values(upns.fillna(upns.index.to_series()))


def reasons(rows: pd.DataFrame) -> list[Statement]:
    """Flows, and events outside of flows, whose reason names it; a text that drifts is one."""
    by_text = [rows["reason_key"].fillna(rows["reason"]), rows["method"]]
    found = [_stating(said) for _, said in rows.groupby(by_text, dropna=False, sort=False)]
    return sorted(found, key=lambda one: (-int(one.value or 0), one.statement))


def _stating(said: pd.DataFrame) -> Statement:
    outside = said.loc[said["flow_id"].isna(), "role"]
    outside = outside.where(outside.isin(list(_WORDS)), _OTHER)
    counts = {role: int(outside.eq(role).sum()) for role in _WORDS}
    counts["flow"] = said["flow_id"].nunique()
    total = sum(counts.values())
    who = listed([several(count, *_WORDS[role]) for role, count in counts.items() if count])
    people = said["person"].nunique()
    of_whom = f" of {counted(people)}" if people else ""
    by_activity = said["reason_key"].isna().all()
    verb, what = ("show", "activity") if by_activity else ("give", "reason")
    texts = said["reason"].str.strip().value_counts().sort_index()
    more = f" (in {len(texts)} wordings)" if len(texts) > 1 else ""
    quote = str(texts.idxmax())
    text = f"{who}{of_whom} {verb}{'s' * (total == 1)} the {what}: {quote}{more}"
    return Statement("reason-stated", text, total, (quote,))


def place(rows: pd.DataFrame, flows: pd.DataFrame) -> Statement | None:
    """Where it happens, if most of it is at one site that far fewer of all flows come from."""
    units = rows[~rows["flow_id"].fillna(rows["event_id"]).duplicated()]
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
    whole = f"{count} of these {len(flows):,} flows" if len(flows) > 1 else "The only flow"
    text = f"{whole} succeeded in the end"
    # What met the reason outside of flows did not.
    every = "all-" if count == len(flows) and rows["flow_id"].notna().all() else ""
    return Statement(f"{every}succeeded-in-the-end", text, count)


def later(rows: pd.DataFrame, last: pd.DataFrame) -> Statement | None:
    """People whose flow met the reason and who succeeded in a later flow."""
    met = _since(rows, last["start_utc"])
    count = int((met["succeeded"] > met["met"]).sum())
    if not count:
        return None
    text = f"{count} of {counted(len(met))} succeeded in a later flow"
    return Statement("succeeded-later", text, count)


def still_failing(rows: pd.DataFrame, last: pd.DataFrame) -> Statement | None:
    """People whose flow met the reason and who have not succeeded since."""
    met = _since(rows, last["end_utc"])
    count = int((~(met["succeeded"] >= met["met"])).sum())
    if not count:
        return None
    verb = "has" if count == 1 else "have"
    text = f"{count} of {counted(len(met))} {verb} not succeeded since"
    return Statement("no-success-since", text, count)


def _since(rows: pd.DataFrame, last: pd.Series[pd.Timestamp]) -> pd.DataFrame:
    """Return for each person when a flow first `met` the reason, and when one last `succeeded`."""
    known = rows.dropna(subset=["flow_id", "person"])
    met = known.groupby("person")["time_utc"].min().to_frame("met")
    return met.join(last.rename("succeeded"), how="left")
