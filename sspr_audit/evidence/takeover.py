"""One person's reset that looks like somebody else's: a strange network, the phone alone, and new
security info or many failed tries around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.evidence.cohorts import TOLD
from sspr_audit.evidence.material import Material
from sspr_audit.model import Kind, Scope, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

TARGET: Final = "sspr-takeover-attempt"

_PHONE: Final = frozenset({"mobile SMS", "mobile voice call", "office voice call"})
_STARTED: Final = 30
_TRIES: Final = 2
"""From so many unfinished flows on, a day before, the tries count."""
_DAY_S: Final = 86400
_AFTER_S: Final = 3600
"""Security info that is registered within this time after the reset counts, seconds."""


def tested(material: Material) -> Tested:
    """Return the resets that look hostile, one for each person."""
    if not material.flows["outcome"].eq("succeeded").any():
        return Tested(Kind.PEOPLE, 0)
    flows = resets(material)
    chance = _chance(flows)
    fits = flows["strange"] & (flows["tried"] | flows["registered"]) & (chance <= TOLD)
    fits &= flows["start_utc"] >= material.window.start
    chosen = flows[fits].assign(p=chance[fits]).sort_values(["p", "start_utc"])
    chosen = chosen.drop_duplicates("person")
    people = flows.loc[flows["start_utc"] >= material.window.start, "person"].nunique()
    raised = tuple(
        _suspicion(str(flow_id), flows, float(p), material)
        for flow_id, p in zip(chosen["flow_id"], chosen["p"], strict=True)
    )
    return Tested(Kind.PEOPLE, int(people), raised)


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
    methods = done["methods"].fillna("").str.split(", ")
    phone = methods.map(lambda names: bool(names) and _PHONE.issuperset(names)).astype(bool)
    first = ~flows.duplicated("ip_group") & flows["ip_group"].notna() & flows["site"].isna()
    # The failed tries come from the same address: nobody else may have been there before them.
    firsts = flows[first].set_index("ip_group")["person"]
    own = done["ip_group"].map(firsts).eq(done["person"])
    new = own & _first_in(done, flows)
    strange = phone & new & _not_signed_in(done, material)
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
        tried=tries >= _TRIES,
        registered=done["flow_id"].map(soon).notna(),
    )


def _first_in(done: pd.DataFrame, flows: pd.DataFrame) -> pd.Series[bool]:
    """Say whether the address was first seen within a day before the reset."""
    seen = flows.groupby("ip_group")["start_utc"].min()
    age = (done["start_utc"] - done["ip_group"].map(seen)).dt.total_seconds()
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


def _suspicion(flow_id: str, resets: pd.DataFrame, p: float, material: Material) -> Suspicion:
    one = resets[resets["flow_id"] == flow_id].iloc[0]
    flows = material.flows
    near = flows["start_utc"].between(one["start_utc"] - _day(), one["end_utc"])
    own = flows[flows["person"].eq(one["person"]) & near]
    name = one["upn"] if isinstance(one["upn"], str) else one["person"]
    return Suspicion(
        target=TARGET,
        kind=Kind.PEOPLE,
        p=p,
        scope=Scope(users=(str(name),), ips=(str(one["ip_group"]),)),
        users=1,
        flows=len(own),
        first_seen=own["start_utc"].min().to_pydatetime(warn=False),
        last_seen=one["start_utc"].to_pydatetime(warn=False),
        signals=(
            strange_network(one, material),
            tried_before(one),
            registered_after(one),
            reset_by_admin(one, material),
            used_again(one, flows, material),
        ),
        flow_ids=tuple(own["flow_id"]),
    )


def _day() -> pd.Timedelta:
    import pandas as pd

    return pd.Timedelta(seconds=_DAY_S)


def _moment(one: pd.Series[str]) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(one["end_utc"])


def strange_network(one: pd.Series[str], material: Material) -> Signal:
    """The reset succeeded by phone alone, from a network that nobody had used before."""
    text = f"A reset by {one['methods']} alone from {one['ip_group']}, first seen that day"
    if material.context.sign_ins is None:
        text += " (in resets; sign-ins are not known)"
    return Signal("strange-network", Kind.PEOPLE, State.FIRED, text, str(one["ip_group"]), 1)


def tried_before(one: pd.Series[int]) -> Signal:
    """Several flows of the day before failed at a verification."""
    count = int(one["tries"])
    state = State.FIRED if one["tried"] else State.QUIET
    text = f"{count} flows of this person came to nothing in the day before"
    return Signal("tried-before", Kind.PEOPLE, state, text, count, 1)


def registered_after(one: pd.Series[bool]) -> Signal:
    """New security info was registered within the hour after."""
    state = State.FIRED if one["registered"] else State.QUIET
    verb = "was" if one["registered"] else "was not"
    text = f"Security info {verb} registered within the hour after"
    return Signal("registered-after", Kind.AFTERMATH, state, text, int(one["registered"]), 1)


def reset_by_admin(one: pd.Series[str], material: Material) -> Signal:
    """An administrator reset the password within two days after, as one does once it is noticed."""
    acts = material.acts
    after = acts["time_utc"].between(one["end_utc"], _moment(one) + 2 * _day())
    fits = acts["kind"].eq("admin-reset") & acts["person"].eq(one["person"]) & after
    count = int(fits.sum())
    text = f"{count} resets by an administrator in the two days after"
    state = State.FIRED if count else State.QUIET
    return Signal("reset-by-admin-after", Kind.AFTERMATH, state, text, count, 1)


def used_again(one: pd.Series[str], flows: pd.DataFrame, material: Material) -> Signal:
    """The person goes on signing in from that network days later: it is theirs."""
    name = "network-used-again"
    later = _moment(one) + _day()
    here = flows["ip_group"].eq(one["ip_group"]) & flows["person"].eq(one["person"])
    count = int((here & flows["start_utc"].gt(later)).sum())
    sign_ins = material.context.sign_ins
    if sign_ins is None and not count:
        text = "Whether the person works from that network is not known"
        needs = "sign-ins of the person"
        return Signal(name, Kind.AFTERMATH, State.UNKNOWN, text, needs=needs)
    if sign_ins is not None:
        own = sign_ins["person"].eq(one["person"]) & sign_ins["ip_group"].eq(one["ip_group"])
        count += int((own & sign_ins["succeeded"] & sign_ins["time_utc"].gt(later)).sum())
    text = f"The person was seen {count} times from that network more than a day after"
    return Signal(name, Kind.AFTERMATH, State.FIRED if count else State.QUIET, text, count, 1)
