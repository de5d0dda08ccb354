"""Outsiders who probe accounts: many people's user IDs from one network, and nothing after.

Only those that really need a reset come back: an office whose resets are cut off tries again, and
some of its people are seen elsewhere or got further before. Nobody does behind a probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import statistics, strangers
from sspr_audit.evidence.material import NOT_ALONE, SCREENS, Material
from sspr_audit.evidence.stalled import stops
from sspr_audit.evidence.wording import counted, percent, several
from sspr_audit.model import Few, Kind, Scope, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

ENUMERATION: Final = "sspr-enumeration"


def tested(material: Material) -> Tested:
    """Return the networks that look like a probe of accounts."""
    units = visits(material)
    suspicions: list[Suspicion] = []
    tests = 0
    for level in ("ip_group", "block"):
        strange = _strange(units, level, material)
        tests += len(strange)
        for network, rows in _stopping(units, level, strange, material):
            one = _probe(str(network), rows, units, material)
            known = {flow for other in suspicions for flow in other.flow_ids}
            # A block repeats what one of its addresses says, unless it says much more.
            if one and 2 * len(known.intersection(one.flow_ids)) < len(one.flow_ids):
                suspicions.append(one)
    few: tuple[Few, ...] = ()
    if units.empty:
        few = (Few(ENUMERATION, Scope(), "more people: any who reset"),)
    return Tested(Kind.PEOPLE, tests, tuple(sorted(suspicions, key=lambda one: one.p)), few)


def visits(material: Material) -> pd.DataFrame:
    """Return the flows with whether they stopped, the /24 block and whether the person returned."""
    units = strangers.visits(stops(material), material)
    addresses = units["ip_group"].drop_duplicates().dropna()
    parts = addresses.str.extract(r"^(\d+\.\d+\.\d+)\.\d+$")[0] + ".0/24"
    blocks = units["ip_group"].map(dict(zip(addresses, parts, strict=True))).astype("str")
    return units.assign(block=blocks)


def _strange(units: pd.DataFrame, level: str, material: Material) -> pd.DataFrame:
    """Return a row a network with enough people, some of them in the window, that is no site.

    Each is a test, whether or not anybody got further there.
    """
    facts = units.groupby(level).agg(
        people=("person", "nunique"),
        stopped=("hit", "mean"),
        sited=("site", "count"),
        last=("start_utc", "max"),
    )
    enough = facts["people"] >= material.numbers["least_strangers"]
    here = facts["last"] >= material.window.start
    return facts[enough & here & (facts["sited"] == 0)]


def _stopping(
    units: pd.DataFrame, level: str, strange: pd.DataFrame, material: Material
) -> Iterator[tuple[object, pd.DataFrame]]:
    """Yield the strange networks where nobody got further, none of them at a sign-in screen."""
    stop = strange["stopped"] >= material.numbers["strangers_stop"]
    rows = units[units[level].isin(strange.index[stop])]
    screens = rows.loc[rows["client"].isin(SCREENS), level]
    yield from rows[~rows[level].isin(screens)].groupby(level, sort=True)


def _probe(
    network: str, rows: pd.DataFrame, units: pd.DataFrame, material: Material
) -> Suspicion | None:
    rest = units.drop(rows.index)
    signals = (
        everybody_stops(network, rows, rest, material),
        strangers.nobody_returns(rows, rest, material),
        faster_than_tenant(rows, rest, material),
        unrelated_people(rows, rest),
        strangers.was_used_before(rows, material),
    )
    p = _joined(*(one.p or 0.0 for one in signals[:3]))
    hits = rows[rows["hit"]]
    if p > material.numbers["raises"] or hits["start_utc"].max() < material.window.start:
        return None
    return Suspicion(
        target=ENUMERATION,
        kind=Kind.PEOPLE,
        p=p,
        scope=Scope(ips=tuple(sorted(rows["ip_group"].unique())), clients=()),
        where=network,
        users=int(hits["person"].nunique()),
        flows=len(hits),
        first_seen=hits["start_utc"].min().to_pydatetime(warn=False),
        last_seen=hits["start_utc"].max().to_pydatetime(warn=False),
        signals=signals,
        flow_ids=tuple(hits["flow_id"]),
    )


def _joined(stopping: float, returning: float, pace: float) -> float:
    """Return the p of: all of them stop, and they also never return or come too fast."""
    return max(stopping, min(1.0, 2 * min(returning, pace)))


def everybody_stops(
    network: str, rows: pd.DataFrame, rest: pd.DataFrame, material: Material
) -> Signal:
    """Everybody stops after the user ID or the options, and nobody ever got further."""
    first, usual = rows.drop_duplicates("person"), rest.drop_duplicates("person")["hit"]
    k, n = int(first["hit"].sum()), len(first)
    share = (usual.sum() + 0.5) / (len(usual) + 1)
    p = statistics.against(k, n, int(usual.sum()), len(usual), material.numbers["variation"])
    text = (
        f"From {network}, which is no known site, {k} of {counted(n)} stopped after the user ID or"
        f" the options (usual {percent(share)}), none at a device's sign-in screen"
    )
    state = State.of(material.agrees(p))
    return Signal("everybody-stops", Kind.STALLED, state, text, k, n, p)


def faster_than_tenant(rows: pd.DataFrame, rest: pd.DataFrame, material: Material) -> Signal:
    """More people came from it in an hour than the whole tenant sees in its busiest hours."""
    import math

    from scipy import special

    per_hour = rows.groupby(rows["start_utc"].dt.floor("h"))["person"].nunique()
    busiest = int(per_hour.max())
    others = rest.groupby(rest["start_utc"].dt.floor("h"))["person"].nunique()
    # The tenant's own busy hours, and never less than one: small tenants are bursty.
    usual = max(1.0, float(others.quantile(0.95)) if len(others) else 1.0)
    hours = len(per_hour)
    # Hours differ: a Poisson whose rate is itself uncertain by half of it is a negative binomial.
    shape = 4.0
    one = float(special.betainc(busiest, shape, usual / (usual + shape)))
    p = min(1.0, -math.expm1(hours * math.log1p(-min(one, 1 - 1e-16))))
    text = (
        f"{counted(busiest)} in one hour; everybody else in the tenant together makes {usual:.0f}"
        " in a busy hour"
    )
    state = State.of(material.agrees(p))
    return Signal("faster-than-tenant", Kind.TIME, state, text, busiest, busiest, p)


def unrelated_people(rows: pd.DataFrame, rest: pd.DataFrame) -> Signal:
    """The people behind it are at home in different places."""
    people = set(rows["person"])
    usual = rest[rest["person"].isin(people) & ~rest["hit"]]
    homes = usual.groupby("person")["place"].first()
    places = homes.nunique()
    where = several(places, "place")
    text = f"{len(homes)} of these people got further elsewhere before or after, in {where}"
    few = len(homes) <= NOT_ALONE
    most = int(homes.value_counts().iloc[0]) if len(homes) else 0
    state = State.FEW if few else State.of(2 * most <= len(homes))
    return Signal("unrelated-people", Kind.PEOPLE, state, text, places, len(homes))
