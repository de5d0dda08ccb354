"""Passwords that are refused for a few minutes after a reset, until the new one has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import opening, statistics, successes
from sspr_audit.evidence.wording import counted, more_people
from sspr_audit.model import Few, Kind, Scope, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material

TARGET: Final = "phs-catch-up-delay"

EARLY_MIN: Final = 3
"""Minutes within which the new password may not have arrived yet, of which Microsoft names two.

https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/how-to-connect-staged-rollout
"""

LATER_MIN: Final = 10
"""Minutes after which it has arrived: who is refused then has mistyped it."""

HEALS_MIN: Final = 15
"""Minutes from a refusal within which it must have healed."""


def tested(found: pd.DataFrame, material: Material) -> Tested:
    """Return whether first tries soon after a reset are refused more often than later ones."""
    import pandas as pd

    # One look, whatever is known: what is missing must not make other tests count for more.
    if material.context.sign_ins is None:
        needs = "sign-ins: all of people who reset, in the day after (AuditLog.Read.All)"
        return Tested(Kind.AFTERMATH, 1, few=(Few(TARGET, Scope(), needs),))
    if found.empty:
        needs = "more people: any whose reset succeeded"
        return Tested(Kind.AFTERMATH, 1, few=(Few(TARGET, Scope(), needs),))
    # The service keeps sign-ins for a month: successes long before would hide those of that month.
    oldest = material.context.sign_ins["time_utc"].min() - pd.Timedelta(minutes=LATER_MIN)
    once = found[found["end_utc"] >= oldest].sort_values(["end_utc", "flow_id"])
    once = once.drop_duplicates("person")
    once = once.assign(device_id=None)
    after = successes.signed_after(material, once)
    first = _first_tries(after)
    early = first[first["after_min"] <= EARLY_MIN]
    later = first[first["after_min"] > LATER_MIN]
    enough = int(material.numbers["least_people"])
    if min(len(early), len(later)) < enough:
        return Tested(Kind.AFTERMATH, 1, few=(_few(len(early), len(later), enough),))
    if _chance(early, later) > material.numbers["corroborates"]:
        return Tested(Kind.AFTERMATH, 1)
    owned = successes.with_devices(material, flows := once[once["flow_id"].isin(early["flow_id"])])
    early = early.assign(trust=early["flow_id"].map(owned.set_index("flow_id")["trust"]))
    p, mine = _refused(early, later, material)
    hits = mine[mine["healed"]]
    flows = flows[flows["flow_id"].isin(hits["flow_id"])]
    active = flows["end_utc"] >= material.window.start
    if p > material.numbers["corroborates"] or not active.any():
        return Tested(Kind.AFTERMATH, 1)
    signals = (
        refused_at_first(mine, early, later, p),
        again_at_once(flows, material),
        others_spared(early, material),
    )
    return Tested(Kind.AFTERMATH, 1, (_suspicion(flows, signals, p),))


def _chance(here: pd.DataFrame, there: pd.DataFrame) -> float:
    """Return how often chance alone refuses as many first tries here, beside there."""
    hits, others = here["healed"].sum(), there["healed"].sum()
    return float(statistics.fisher_upper(hits, len(here), others, len(there)))


def _refused(
    early: pd.DataFrame, later: pd.DataFrame, material: Material
) -> tuple[float, pd.DataFrame]:
    """Return how often chance refuses as many first tries so early, and which tries are meant.

    Hands may have slipped, too, or passwords live in the cloud alone. So only people on hybrid
    devices are meant where more of them are refused than of the others, whose hands are no better;
    and where most tries pass, this alone tells.
    """
    hybrid = early["trust"].eq(opening.HYBRID)
    mine, others = early[hybrid], early[early["trust"].notna() & ~hybrid]
    p, spared = _chance(early, later), _chance(mine, others)
    share = material.numbers["early_share"]
    rare = early["healed"].sum() < share * len(early)
    if rare:
        p = min(1.0, 2 * max(_chance(mine, later), spared))  # two looks
    elif not material.agrees(spared):
        mine = early
    return (p if mine["healed"].sum() >= share * len(mine) else 1.0), mine


def _first_tries(after: pd.DataFrame) -> pd.DataFrame:
    """Return the first try after each success, and whether it was refused and then accepted."""
    tries = after[
        after["interactive"]
        & (after["succeeded"] | after["error"].eq(opening.REFUSED[0]).fillna(value=False))
    ]
    tries = tries[~(tries["time_utc"] >= tries["again_utc"])]
    first = tries.drop_duplicates("flow_id")
    good = tries[tries["succeeded"]].drop_duplicates("flow_id").set_index("flow_id")["after_min"]
    accepted = first["flow_id"].map(good).astype("float64")
    soon = accepted - first["after_min"] <= HEALS_MIN
    return first.assign(healed=first["error"].eq(opening.REFUSED[0]).fillna(value=False) & soon)


def _few(early: int, later: int, enough: int) -> Few:
    count = min(early, later)
    when = f"within {EARLY_MIN} minutes of" if early <= later else f"{LATER_MIN} minutes after"
    needs = f"more people: {enough - count:,} who sign in {when} their reset ({count} of {enough})"
    return Few(TARGET, Scope(), needs)


def _suspicion(flows: pd.DataFrame, signals: tuple[Signal, ...], p: float) -> Suspicion:
    return Suspicion(
        TARGET,
        Kind.AFTERMATH,
        p,
        Scope(users=tuple(sorted(flows["upn"].fillna(flows["person"]).unique()))),
        users=len(flows),
        flows=len(flows),
        first_seen=flows["start_utc"].min().to_pydatetime(warn=False),
        last_seen=flows["end_utc"].max().to_pydatetime(warn=False),
        signals=signals,
        flow_ids=tuple(flows["flow_id"]),
    )


def refused_at_first(
    mine: pd.DataFrame, early: pd.DataFrame, later: pd.DataFrame, p: float
) -> Signal:
    """People whose new password was refused in the first minutes and then accepted."""
    hits, of = int(mine["healed"].sum()), len(mine)
    where = " on hybrid devices" if of < len(early) else ""
    text = (
        f"{hits} of {counted(of)}{where} who tried their new password within"
        f" {EARLY_MIN} minutes were refused (50126) and accepted soon after, beside"
        f" {int(later['healed'].sum())} of {counted(len(later))} who first"
        f" tried it after {LATER_MIN} minutes"
    )
    return Signal("refused-at-first", Kind.AFTERMATH, State.FIRED, text, hits, of, p)


def again_at_once(flows: pd.DataFrame, material: Material) -> Signal:
    """People who were refused and needed yet another reset or an administrator within the hour."""
    import pandas as pd

    soon = flows["again_utc"] - flows["end_utc"] <= pd.Timedelta(hours=1)
    count = int(soon.sum())
    who = counted(len(flows))
    text = f"{count} of {who} were in need again within the hour"
    fired = count >= material.numbers["least_people"]
    state = State.of(fired)
    return Signal("again-at-once", Kind.PEOPLE, state, text, count, len(flows))


def others_spared(early: pd.DataFrame, material: Material) -> Signal:
    """People on hybrid devices are refused, and those on devices joined to Entra alone are not.

    Slips of the hand look the same in all else, so as much is asked of it as of a finding.
    """
    name, kind = "others-spared", Kind.PEOPLE
    known = early["trust"].notna()
    if known.mean() < material.numbers["known_share"]:
        text = "Whether those who were accepted at once use other devices is not known"
        return Signal(name, kind, State.UNKNOWN, text, needs=opening.DEVICES)
    hybrid = early["trust"].eq(opening.HYBRID)
    mine, others = early[known & hybrid], early[known & ~hybrid]
    p, hits = _chance(mine, others), int(mine["healed"].sum())
    text = (
        f"{hits} of {counted(len(mine))} on hybrid devices were refused at first, beside"
        f" {int(others['healed'].sum())} of {counted(len(others))} on other devices"
    )
    lacks = int(material.numbers["least_people"]) - min(len(mine), len(others))
    if lacks > 0:
        which = "other" if len(others) < len(mine) else "hybrid"
        needs = f"{more_people(lacks)} on {which} devices who sign in as soon"
        return Signal(name, kind, State.FEW, text, hits, len(mine), p, needs)
    return Signal(name, kind, State.of(_is_sure(p, material)), text, hits, len(mine), p)


def _is_sure(p: float, material: Material) -> bool:
    return p <= material.limit(Kind.AFTERMATH, 1)
