"""Whether the people who stopped at a network came back, as those in need do, and work there.

Whoever needs a new password tries again, there or elsewhere; whose name a stranger typed need not,
and is seen elsewhere only by chance.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import statistics
from sspr_audit.evidence.material import Material
from sspr_audit.evidence.wording import counted, percent
from sspr_audit.model import Kind, Signal, State

if TYPE_CHECKING:
    import pandas as pd

_SOON: Final = timedelta(days=1)
"""Who needs a new password tries again within this time."""
_SHRINK: Final = 5
"""As many people's worth of an even chance is mixed into how often people come back."""


def visits(units: pd.DataFrame, material: Material) -> pd.DataFrame:
    """Return the units with whether the person `returned` soon.

    `after_s` is when the person tried again, `waited_s` how long that could be seen, seconds.
    """
    following = units.groupby("person")["start_utc"].shift(-1) - units["start_utc"]
    waited = (material.until - units["start_utc"]).dt.total_seconds()
    return units.assign(
        after_s=following.dt.total_seconds(),
        waited_s=waited.clip(0, _SOON.total_seconds()),
        returned=following.le(_SOON),
    )


def nobody_returns(rows: pd.DataFrame, rest: pd.DataFrame, material: Material) -> Signal:
    """The people behind it did not try again within a day, as people in need do.

    `rows` and `rest` are visits, of the network and elsewhere. Where even nobody would be no
    surprise, it is not known.
    """
    stopped = rest[rest["hit"]].drop_duplicates("person")
    first = rows[rows["hit"]].drop_duplicates("person")
    # Who stopped an hour ago had an hour to return: so many as elsewhere are back within as long.
    back = stopped["after_s"].sort_values().searchsorted(first["waited_s"], side="right")
    share = float((back.mean() + _SHRINK / 2) / (len(stopped) + _SHRINK))
    k, n = int(first["returned"].sum()), len(first)
    sure = statistics.prior(share, material.numbers["variation"], len(stopped) + _SHRINK)

    def chance(returned: int) -> float:
        a, b = (1 - share) * sure, share * sure
        return float(statistics.betabinomial_upper(n - returned, n, a, b))

    p = chance(k)
    if k > material.numbers["seldom_returns"] * share * n:
        p = 1.0  # fewer than usual is not nobody: an office gives up sooner than a home, too
    text = (
        f"{k} of these {counted(n)} tried again within a day, or by now; elsewhere {percent(share)}"
        " of those who stop do in as long"
    )
    name = "nobody-returns"
    if not k and not material.agrees(p):
        needs = "more people who stopped there or elsewhere, and a day for them to try again"
        return Signal(name, Kind.PEOPLE, State.FEW, text, k, n, p, needs)
    return Signal(name, Kind.PEOPLE, State.of(material.agrees(p)), text, k, n, p)


def was_used_before(rows: pd.DataFrame, material: Material) -> Signal:
    """Its people reset, registered or signed in from there at other times: it is their network."""
    people, networks = set(rows["person"]), set(rows["ip_group"])
    acts = material.acts
    own = acts[acts["ip_group"].isin(networks) & acts["person"].isin(people)]
    seen = set(own["person"]) | set(rows.loc[~rows["hit"], "person"])
    sign_ins = material.context.sign_ins
    if sign_ins is not None:
        good = sign_ins[sign_ins["ip_group"].isin(networks) & sign_ins["succeeded"]]
        seen |= people.intersection(good["person"].dropna())
    text = f"{len(seen)} of {counted(len(people))} are known to work from there"
    fired = len(seen) >= material.numbers["own_network_share"] * len(people)
    if not fired and not material.watches(people):
        needs = "sign-ins, which show whether these people work from there"
        return Signal(
            "was-used-before", Kind.PEOPLE, State.UNKNOWN, text, len(seen), len(people), needs=needs
        )
    state = State.of(fired)
    return Signal("was-used-before", Kind.PEOPLE, state, text, len(seen), len(people))
