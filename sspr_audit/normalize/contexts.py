"""The table `context` → the frames of what is known beside the audit log."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sspr_audit import engine, tables
from sspr_audit.model import Context, ResetLink, Site, Window
from sspr_audit.normalize import events

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

FEW: Final = 3
"""Sign-ins of fewer people than these were asked for about these people, not about everybody."""

WINDOWS_APP: Final = "38aa3b87-a06d-4817-b275-7a316988d93b"
"""The application id of Windows Sign In, in every tenant.

https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
"""

_SIGN_INS: Final = """
CREATE OR REPLACE TEMP TABLE sign_in_rows AS
SELECT file, place, COALESCE(lower(filled(id)), 'content:' || substr(sha256, 1, 16)) AS sign_in_id,
    utc_time(time_text, $zoneless_utc) AS time_utc, utc_time(written_text, true) AS written_utc,
    guid_key(user_id) AS user_id, upn_key(upn) AS upn, filled(app) AS app,
    lower(trim(COALESCE(app, ''))) = 'windows sign in' OR COALESCE(lower(app_id), '') = $windows
        AS of_windows,
    interactive, error, guid_key(device_id) AS device_id, trust_of(trust_text) AS trust,
    filled(os) AS os, filled(ip_text) AS ip_text
FROM ({forms})
"""

_OTHERS: Final = {
    "devices": ("devices", "device_id IS NOT NULL"),
    "managedDevices": ("managed", "device_id IS NOT NULL"),
    "userRegistrationDetails": ("registered", "COALESCE(user_id, upn) IS NOT NULL"),
}
"""Kind → its SQL file and table, and what a row must have to be of use."""

_USABLE_SIGN_IN: Final = "time_utc IS NOT NULL AND COALESCE(user_id, upn) IS NOT NULL"

_DEVICES: Final = """
SELECT d.device_id, d.trust, d.os, d.os_version, d.last_sign_in_utc, p.person AS owner
FROM devices_rows d LEFT JOIN people p
    ON p.user_id IS NOT DISTINCT FROM d.user_id AND p.upn IS NOT DISTINCT FROM d.upn
QUALIFY row_number() OVER (PARTITION BY d.device_id ORDER BY d.file DESC, d.place DESC) = 1
ORDER BY d.device_id
"""
_MANAGED: Final = """
SELECT m.device_id, p.person, m.os_version, m.maker, m.model, m.last_sync_utc
FROM managed_rows m LEFT JOIN people p
    ON p.user_id IS NOT DISTINCT FROM m.user_id AND p.upn IS NOT DISTINCT FROM m.upn
-- One that was enrolled anew stands twice, and the one that is still in use checks in.
QUALIFY row_number() OVER (PARTITION BY m.device_id
    ORDER BY m.last_sync_utc DESC NULLS LAST, m.file DESC, m.place DESC) = 1
ORDER BY m.device_id
"""
_REGISTERED: Final = """
SELECT p.person, r.upn, r.enabled, r.registered, r.methods
FROM registered_rows r JOIN people p
    ON p.user_id IS NOT DISTINCT FROM r.user_id AND p.upn IS NOT DISTINCT FROM r.upn
QUALIFY row_number() OVER (PARTITION BY p.person ORDER BY r.file DESC, r.place DESC) = 1
ORDER BY p.person
"""
_FOLLOWED: Final = """
SELECT p.person, f.start_utc, f.end_utc
FROM followed_rows f JOIN people p
    ON p.user_id IS NOT DISTINCT FROM f.user_id AND p.upn IS NOT DISTINCT FROM f.upn
WHERE p.person IS NOT NULL
ORDER BY f.start_utc, p.person
"""
_NAMED: Final = """
CREATE OR REPLACE TEMP TABLE named AS
SELECT user_id, upn FROM sign_in_rows UNION SELECT user_id, upn FROM devices_rows
UNION SELECT user_id, upn FROM managed_rows UNION SELECT user_id, upn FROM registered_rows
UNION SELECT user_id, upn FROM followed_rows
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """What whoever filled the table `context` knows of it that does not stand in its rows."""

    came: frozenset[str] = frozenset()
    """Kinds that came whole, even if they were empty."""
    followed: tuple[tuple[str, Window], ...] | None = None
    """Whose sign-ins of which time are all there; None where the files must tell by themselves."""
    links: tuple[ResetLink, ...] | None = None


def frames(
    connection: duckdb.DuckDBPyConnection,
    *,
    sites: Iterable[Site],
    baseline: Window,
    beside: Beside,
) -> Context:
    """Return what `context` holds, about the people of `events`; sign-ins of the baseline only."""
    kinds = beside.came | {
        kind for (kind,) in engine.rows(connection, "SELECT DISTINCT kind FROM context")
    }
    if not kinds and not beside.followed:
        return Context(links=beside.links)
    _rows(connection, beside.followed or ())
    connection.execute(_NAMED)
    connection.execute(engine.sql("sspr_audit.normalize", "people.sql"))
    unread = _drop_unread(connection)
    ips = events.told(connection, "ip_text", events.address_teller(sites), table="sign_in_rows")
    texts = dict.fromkeys(("text", "ip", "ip_group", "site"), "VARCHAR")
    events.keep(connection, "sign_in_ips", texts, ips)

    def framed(kind: str, table: tables.Table, query: str) -> pd.DataFrame | None:
        values = baseline.naive if kind == "signIns" else None
        return table.shape(engine.fetch(connection, query, values)) if kind in kinds else None

    sign_ins = engine.sql("sspr_audit.normalize", "sign_ins.sql")
    return Context(
        sign_ins=framed("signIns", tables.SIGN_INS, sign_ins),
        watched=_watched(connection, kinds, beside),
        devices=framed("devices", tables.DEVICES, _DEVICES),
        managed=framed("managedDevices", tables.MANAGED, _MANAGED),
        registered=framed("userRegistrationDetails", tables.REGISTERED, _REGISTERED),
        links=beside.links,
        unread=unread,
    )


def _rows(connection: duckdb.DuckDBPyConnection, followed: Collection[tuple[str, Window]]) -> None:
    """Make a table of rows of each kind, people as the records name them."""
    batch = "SELECT file, place, sha256, body FROM context WHERE kind = '{}'"
    forms = " UNION ALL BY NAME ".join(_in_form(connection, batch.format("signIns")))
    # Log Analytics keeps every time in UTC, and its CSV does not say so in each cell.
    values = {"zoneless_utc": True, "windows": WINDOWS_APP}
    connection.execute(_SIGN_INS.format(forms=forms), values)
    for kind, (name, _) in _OTHERS.items():
        shape = engine.sql("sspr_audit.normalize", f"{name}.sql")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name}_rows AS WITH batch AS ({batch.format(kind)})"
            f" FROM ({shape})"
        )
    columns = {
        "user_id": "guid_key(person)",
        "upn": "CASE WHEN guid_key(person) IS NULL THEN upn_key(person) END",
        "start_utc": "start_utc::TIMESTAMP_NS",
        "end_utc": "end_utc::TIMESTAMP_NS",
    }
    told = [(person, span.naive["start"], span.naive["end"]) for person, span in followed]
    kinds = {"person": "VARCHAR", "start_utc": "TIMESTAMP", "end_utc": "TIMESTAMP"}
    events.keep(connection, "followed_spans", kinds, told)
    chosen = ", ".join(f"{how} AS {name}" for name, how in columns.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE followed_rows AS SELECT {chosen} FROM followed_spans"  # noqa: S608
    )


def _in_form(connection: duckdb.DuckDBPyConnection, batch: str) -> list[str]:
    """Return a query for each form of the sign-ins of `batch`, of which there is mostly one."""
    forms = [
        form
        for (form,) in engine.rows(
            connection,
            f"SELECT DISTINCT sign_in_form(body) FROM ({batch}) ORDER BY 1",  # noqa: S608
        )
    ] or ["graph"]
    # To ask every text again costs as much as to read it.
    where = "true" if len(forms) == 1 else "sign_in_form(body) = '{}'"
    return [
        f"(WITH batch AS ({batch} AND {where.format(form)})"
        f" FROM ({engine.sql('sspr_audit.normalize', f'sign_ins_{form}.sql')}))"
        for form in forms
    ]


def _drop_unread(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Delete the rows that are of no use; return how many there were of each kind."""
    usable = {"signIns": ("sign_in", _USABLE_SIGN_IN), **_OTHERS}
    unread = {}
    for kind, (name, needed) in usable.items():
        ((count,),) = engine.rows(connection, f"DELETE FROM {name}_rows WHERE NOT ({needed})")  # noqa: S608
        if count:
            unread[kind] = int(count)
    return unread


def _watched(
    connection: duckdb.DuckDBPyConnection, kinds: Collection[str], beside: Beside
) -> pd.DataFrame | None:
    if beside.followed is not None:
        return tables.WATCHED.shape(engine.fetch(connection, _FOLLOWED))
    if "signIns" not in kinds:
        return None
    query = engine.sql("sspr_audit.normalize", "watched.sql")
    return tables.WATCHED.shape(engine.fetch(connection, query, {"enough": FEW}))
