"""One person's reset that looks like somebody else's: a strange network, the phone alone, and new
security info or many failed tries around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.evidence.material import Material, times_of, told_of
from sspr_audit.evidence.wording import counted, several
from sspr_audit.model import Few, Kind, Scope, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

TARGET: Final = "sspr-takeover-attempt"

_PHONE: Final = frozenset({"mobile SMS", "mobile voice call", "office voice call"})
_STARTED: Final = 30
_DAY_S: Final = 86400
_AFTER_S: Final = 3600
"""Security info that is registered within this time after the reset counts, seconds."""


def tested(material: Material) -> Tested:
    """Return the networks from which resets look hostile, each with the people concerned."""
    if not material.flows["outcome"].eq("succeeded").any():
        needs = "more people: any whose reset succeeded"
        return Tested(Kind.PEOPLE, 0, few=(Few(TARGET, Scope(), needs),))
    flows = resets(material)
    flows = flows.assign(p=_chance(flows))
    here = flows[(flows["start_utc"] >= material.window.start) & flows["site"].isna()]
    fits = here["strange"] & (here["tried"] | here["registered"])
    chosen = here[fits].sort_values(["p", "start_utc"]).drop_duplicates(["ip_group", "person"])
    raised = []
    for address, rows in chosen.groupby("ip_group"):
        p = together(rows["p"], int(here["ip_group"].eq(address).sum()))
        if p <= material.numbers["raises"]:
            raised.append(_suspicion(str(address), rows, p, material))
    tests = int(here["ip_group"].nunique())
    return Tested(Kind.PEOPLE, tests, tuple(sorted(raised, key=lambda one: one.p)))


def together(p: pd.Series[float], resets: int) -> float:
    """Bound how often chance gives so many odd ones among all resets from one address."""
    import numpy as np
    from scipy import special

    ways = -special.betaln(len(p) + 1, resets - len(p) + 1) - np.log1p(resets)
    return float(np.exp(min(0.0, ways + np.log(p.to_numpy(float)).sum())))


def _chance(flows: pd.DataFrame) -> pd.Series[float]:
    """Return how often the tenant's resets show what each one shows, trait by trait.

    Traits are taken to be independent; one more reset than was seen is taken to show each.
    """
    size = len(flows) + 2
    strange, registered = ((flows[name].sum() + 1) / size for name in ("strange", "registered"))
    as_often = (flows["tries"].rank(ascending=False, method="max") + 1) / size
    found: pd.Series[float] = (
        as_often.where(flows["tried"], 1.0)
        * flows["strange"].map({True: strange, False: 1.0})
        * flows["registered"].map({True: registered, False: 1.0})
    )
    return found


def resets(material: Material) -> pd.DataFrame:
    """Return the succeeded flows of people seen before, with what is odd about each."""
    import pandas as pd

    flows = material.flows[material.flows["person"].notna()]
    done = flows[flows["outcome"].eq("succeeded")]
    phone = told_of(done["methods"], _PHONE.issuperset)
    strange = phone & _first_in(done, flows, material) & _not_signed_in(done, material)
    tries = _recent(done, flows)
    acts = material.acts
    registered = acts[acts["kind"].eq("registration") & acts["person"].notna()]
    soon = pd.merge_asof(
        done[["flow_id", "person", "end_utc"]].sort_values("end_utc"),
        registered[["person", "time_utc"]].sort_values("time_utc"),
        left_on="end_utc",
        right_on="time_utc",
        by="person",
        direction="forward",
        tolerance=pd.Timedelta(seconds=_AFTER_S),
    ).set_index("flow_id")["time_utc"]
    return done.assign(
        strange=strange,
        tries=tries,
        tried=tries >= material.numbers["least_tries"],
        registered=done["flow_id"].isin(soon.dropna().index),
    )


def _first_in(done: pd.DataFrame, flows: pd.DataFrame, material: Material) -> pd.Series[bool]:
    """Say whether the address was first seen within a day before the reset.

    Of what the first day of the data shows nobody knows when it was first seen.
    """
    seen = flows.groupby("ip_group")["start_utc"].min()
    seen = seen[seen >= material.baseline.start + _seconds(_DAY_S)]
    age = (done["start_utc"] - times_of(done["ip_group"], seen)).dt.total_seconds()
    fresh: pd.Series[bool] = age.le(_DAY_S) & done["site"].isna()
    return fresh


def _not_signed_in(done: pd.DataFrame, material: Material) -> pd.Series[bool]:
    """Say whether no sign-in that succeeded before it knows the address for this person."""
    import pandas as pd

    sign_ins = material.context.sign_ins
    if sign_ins is None or sign_ins.empty:
        return pd.Series(data=True, index=done.index)
    good = sign_ins[sign_ins["succeeded"] & sign_ins["person"].notna()]
    since = good.groupby(["person", "ip_group"])["time_utc"].min()
    keys = pd.MultiIndex.from_frame(done[["person", "ip_group"]])
    known = pd.Series(since.reindex(keys).to_numpy(), index=done.index)
    return ~(pd.to_datetime(known, utc=True) < done["start_utc"])


def _recent(done: pd.DataFrame, flows: pd.DataFrame) -> pd.Series[int]:
    """Return how many flows of the person started a method in the day before, and came to
    nothing.
    """
    import pandas as pd

    failed = flows["outcome"].isin(["abandoned", "failed", "blocked"])
    tried = flows[failed & flows["stage"].ge(_STARTED)].sort_values("start_utc")
    tried = tried.assign(nth=tried.groupby("person").cumcount() + 1)[["person", "start_utc", "nth"]]
    left = done[["flow_id", "person", "start_utc"]].sort_values("start_utc")
    day = pd.Timedelta(seconds=_DAY_S)

    def before(rows: pd.DataFrame) -> pd.Series[float]:
        asof = pd.merge_asof(rows, tried, on="start_utc", by="person", allow_exact_matches=False)
        return asof.set_index("flow_id")["nth"].fillna(0)

    count = before(left) - before(left.assign(start_utc=left["start_utc"] - day))
    found: pd.Series[int] = done["flow_id"].map(count).fillna(0).astype("int64")
    return found


def _suspicion(address: str, rows: pd.DataFrame, p: float, material: Material) -> Suspicion:
    flows = material.flows
    done = times_of(flows["person"], rows.set_index("person")["start_utc"])
    day = _seconds(_DAY_S)
    own = flows[flows["start_utc"].between(done - day, done)]
    names = rows["upn"].fillna(rows["person"])
    return Suspicion(
        target=TARGET,
        kind=Kind.PEOPLE,
        p=p,
        scope=Scope(users=tuple(sorted(names)), ips=(address,)),
        where=address,
        users=len(rows),
        flows=len(own),
        first_seen=own["start_utc"].min().to_pydatetime(warn=False),
        last_seen=rows["start_utc"].max().to_pydatetime(warn=False),
        signals=(
            strange_network(address, rows, material),
            tried_before(rows),
            registered_after(rows),
            reset_by_admin(rows, material),
            used_again(address, rows, material),
        ),
        flow_ids=tuple(own["flow_id"]),
    )


def _seconds(seconds: int) -> pd.Timedelta:
    import pandas as pd

    return pd.Timedelta(seconds=seconds)


def strange_network(address: str, rows: pd.DataFrame, material: Material) -> Signal:
    """Resets succeeded by phone alone, from a network that nobody had used before that day."""
    who = counted(len(rows))
    text = f"{who} reset by phone alone from {address}, which was first seen less than a day before"
    if material.context.sign_ins is None:
        text += " (in resets; sign-ins are not known)"
    return Signal("strange-network", Kind.PEOPLE, State.FIRED, text, address, len(rows))


def tried_before(rows: pd.DataFrame) -> Signal:
    """Several flows of the day before failed at a verification."""
    count, people = int(rows["tries"].sum()), int(rows["tried"].sum())
    state = State.of(people > 0)
    text = f"{several(count, 'flow')} of these people came to nothing in the day before"
    return Signal("tried-before", Kind.PEOPLE, state, text, count, len(rows))


def registered_after(rows: pd.DataFrame) -> Signal:
    """New security info was registered within the hour after."""
    count = int(rows["registered"].sum())
    text = f"{count} of {counted(len(rows))} registered security info within the hour after"
    state = State.of(count > 0)
    return Signal("registered-after", Kind.AFTERMATH, state, text, count, len(rows))


def reset_by_admin(rows: pd.DataFrame, material: Material) -> Signal:
    """An administrator reset the password within two days after, as one does once it is noticed."""
    acts = material.acts[material.acts["kind"].eq("admin-reset")]
    ended = times_of(acts["person"], rows.set_index("person")["end_utc"])
    after = acts["time_utc"].between(ended, ended + _seconds(2 * _DAY_S))
    count = int(acts.loc[after, "person"].nunique())
    text = f"An administrator reset {count} of {counted(len(rows))} in the two days after"
    state = State.of(count > 0)
    return Signal("reset-by-admin-after", Kind.AFTERMATH, state, text, count, len(rows))


def used_again(address: str, rows: pd.DataFrame, material: Material) -> Signal:
    """The people go on signing in from that network days later: it is theirs."""
    name = "network-used-again"
    later = rows.set_index("person")["end_utc"] + _seconds(_DAY_S)
    seen = _later_at(material.flows.rename(columns={"start_utc": "time_utc"}), address, later)
    sign_ins = material.context.sign_ins
    if not material.watches(set(rows["person"])) and 2 * len(seen) < len(rows):
        text = "Whether these people work from that network is not known"
        needs = "sign-ins of these people"
        return Signal(name, Kind.AFTERMATH, State.UNKNOWN, text, needs=needs)
    if sign_ins is not None:
        seen |= _later_at(sign_ins[sign_ins["succeeded"]], address, later)
    text = f"{len(seen)} of {counted(len(rows))} were seen there again more than a day after"
    state = State.of(2 * len(seen) >= len(rows))
    return Signal(name, Kind.AFTERMATH, state, text, len(seen), len(rows))


def _later_at(rows: pd.DataFrame, address: str, later: pd.Series[pd.Timestamp]) -> set[str]:
    """Return the people of `later` who were at the address after their own time."""
    here = rows[rows["ip_group"].eq(address) & rows["person"].isin(later.index)]
    return set(here.loc[here["time_utc"] > times_of(here["person"], later), "person"])
