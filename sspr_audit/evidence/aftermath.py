"""Successes that were worth nothing: people who must reset again, or whom somebody must help.

A device that belongs to Active Directory takes a new password only where it reaches a domain
controller. So resets at its sign-in screen succeed from outside, the log says so, and the person is
back within a day. People are counted, each once a side, by the first success of theirs there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import catch_up, opening, reach, statistics, successes
from sspr_audit.evidence.opening import Aftermath
from sspr_audit.evidence.wording import counted, listed, percent
from sspr_audit.model import Few, Kind, Scope, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material

TARGET: Final = "hybrid-device-off-network"

_RECENT_DAYS: Final = 28
_PURER: Final = 0.1
"""A clearly greater share: by this much."""
_PRIOR: Final = 0.5
"""Added to hits, twice to people, so that no share of a small group is 0 or 1."""


@dataclass(frozen=True, slots=True)
class _Side:
    """How many people of a side there are, and how many were back within a day."""

    hits: int
    people: int

    @property
    def share(self) -> float:
        return self.hits / self.people if self.people else 0.0


def tested(material: Material) -> Tested:
    """Return what follows successes more often than it should, all over the tenant at once."""
    found = successes.heads(material)
    late = catch_up.tested(found, material)
    tests = 1 + late.tests
    known = successes.with_devices(material, found)
    outside, few = _outside(known, material, material.limit(Kind.AFTERMATH, tests))
    return Tested(
        Kind.AFTERMATH,
        tests,
        (*outside, *late.suspicions),
        (*few, *late.few),
    )


def _outside(
    found: pd.DataFrame, material: Material, limit: float
) -> tuple[tuple[Suspicion, ...], tuple[Few, ...]]:
    screen = found[found["side"] != successes.BROWSER]
    if screen.empty:
        needs = "ClientType: no success of this data names a sign-in screen"
        return (), (Few(TARGET, Scope(), needs),)
    if not screen["side"].isin([reach.INSIDE, reach.OUTSIDE]).any():
        needs = (
            "named locations: trusted ones, or dc_reachable of the [[sites]] in the settings, which"
            " say from where a domain controller is reached"
        )
        return (), (Few(TARGET, Scope(), needs),)
    if lacks := _lacking(found, material):
        return (), (Few(TARGET, Scope(), lacks),)
    looked = [
        (_p(part, material), part)
        for span in _spans(found, material)
        for part in (span, _hybrid_alone(span))
    ]
    least, part = _clearest(looked, limit)
    p = min(1.0, least * len(looked))
    hits = part[(part["side"] == reach.OUTSIDE) & part["hit"]]
    active = hits["end_utc"] >= material.window.start
    if p > material.numbers["corroborates"] or not active.any():
        return (), ()
    return (_suspicion(part, p, material),), ()


def _lacking(found: pd.DataFrame, material: Material) -> str:
    """Say how many people more would do; "" where there are enough."""
    enough = int(material.numbers["least_people"])
    once = _once(found)
    counts = once["side"].value_counts()
    outside = int(counts.get(reach.OUTSIDE, 0))
    others = max(int(counts.get(reach.INSIDE, 0)), int(counts.get(successes.BROWSER, 0)))
    if outside < enough:
        who = "who reset at a sign-in screen outside"
        return f"more people: {enough - outside:,} {who} ({outside} of {enough})"
    if others < enough:
        who = "who reset inside or in a browser, to compare with"
        return f"more people: {enough - others:,} {who} ({others} of {enough})"
    return ""


def _spans(found: pd.DataFrame, material: Material) -> list[pd.DataFrame]:
    """Return the successes of all the time, and of late: what began lately drowns in the past."""
    import pandas as pd

    recent = pd.Timestamp(material.window.end) - pd.Timedelta(days=_RECENT_DAYS)
    return [found, found[found["start_utc"] >= recent]]


def _hybrid_alone(part: pd.DataFrame) -> pd.DataFrame:
    """Return the same with hybrid devices alone outside: a few of them drown among others."""
    apart = part["side"].eq(reach.OUTSIDE) & ~part["trust"].eq(opening.HYBRID)
    return part.assign(side=part["side"].mask(apart, successes.NOT_HYBRID))


def _clearest(looked: list[tuple[float, pd.DataFrame]], limit: float) -> tuple[float, pd.DataFrame]:
    """Return the surest look; another that would do alone, too, if clearly more people hit there.

    A trouble that began lately, or of hybrid devices, is then not told of those who were in need
    for other reasons.
    """
    best = min(looked, key=lambda one: one[0])
    for one in looked:
        share = _side(_once(one[1]), reach.OUTSIDE).share
        if (
            one[0] * len(looked) <= limit
            and share >= _side(_once(best[1]), reach.OUTSIDE).share + _PURER
        ):
            best = one
    return best


def _once(found: pd.DataFrame) -> pd.DataFrame:
    """Return the first success of each person on each side."""
    ordered = found.sort_values(["end_utc", "flow_id"])
    return ordered.drop_duplicates(["person", "side"])


def _side(once: pd.DataFrame, side: str) -> _Side:
    mine = once[once["side"] == side]
    return _Side(int(mine["hit"].sum()), len(mine))


def _p(part: pd.DataFrame, material: Material) -> float:
    """Return how often chance gives as much outside, by the stricter of two comparisons.

    In browsers, as counted. Inside, or outside on devices that need no domain controller, where few
    people reset, as much as is known of browsers counts with them, unless they are in need more
    often than in browsers as well.
    """
    spared = part["side"].replace(successes.NOT_HYBRID, reach.INSIDE)
    once = _once(part.assign(side=spared))
    out, inside, web = (
        _side(once, side) for side in (reach.OUTSIDE, reach.INSIDE, successes.BROWSER)
    )
    enough = material.numbers["least_people"]
    if out.people < enough or max(inside.people, web.people) < enough:
        return 1.0
    if web.people < enough:
        return float(statistics.fisher_upper(out.hits, out.people, inside.hits, inside.people))
    against_web = float(statistics.fisher_upper(out.hits, out.people, web.hits, web.people))
    unlike = float(statistics.fisher_upper(inside.hits, inside.people, web.hits, web.people))
    if unlike <= material.numbers["corroborates"]:
        against_inside = statistics.fisher_upper(out.hits, out.people, inside.hits, inside.people)
        return max(against_web, float(against_inside))
    usual = (web.hits + _PRIOR) / (web.people + 2 * _PRIOR)
    sure = statistics.prior(usual, material.numbers["variation"], web.people + 2 * _PRIOR)
    a = sure * usual + inside.hits
    b = sure * (1 - usual) + inside.people - inside.hits
    against_inside = statistics.betabinomial_upper(out.hits, out.people, a, b)
    return max(against_web, float(against_inside))


def _suspicion(part: pd.DataFrame, p: float, material: Material) -> Suspicion:
    once = _once(part).reset_index(drop=True)
    after = successes.signed_after(material, once)
    one = Aftermath(once, after, material)
    hits = once[one.hits].sort_values(["end_utc", "flow_id"])
    return Suspicion(
        TARGET,
        Kind.AFTERMATH,
        p,
        Scope(
            sites=_values(hits["site"]),
            ips=_values(hits.loc[hits["site"].isna(), "ip_group"]),
            clients=_values(hits["client"]),
            users=_values(hits["upn"].fillna(hits["person"])),
            devices=_values(hits["device_id"]),
        ),
        users=len(hits),
        flows=len(hits),
        first_seen=hits["start_utc"].min().to_pydatetime(warn=False),
        last_seen=hits["end_utc"].max().to_pydatetime(warn=False),
        signals=tuple(_signals(one, p)),
        flow_ids=tuple(hits["flow_id"]),
    )


def _values(column: pd.Series[str]) -> tuple[str, ...]:
    return tuple(sorted(column.dropna().unique()))


def _signals(one: Aftermath, p: float) -> Iterator[Signal]:
    """Yield every signal that is looked for, whatever became of it."""
    yield trouble_after(one, p)
    yield from opening.signals(one)


def trouble_after(one: Aftermath, p: float) -> Signal:
    """People whose reset at a sign-in screen outside succeeded, and who were soon in need again."""
    out, inside, web = (
        _side(one.once, side) for side in (reach.OUTSIDE, reach.INSIDE, successes.BROWSER)
    )
    hours = int(one.material.numbers["aftermath_h"])
    ways = one.once.loc[one.hits, "how"].value_counts().sort_index()
    what = listed([f"{count} {how}" for how, count in ways.items()])
    other = _side(one.once, successes.NOT_HYBRID)
    sides = ((inside, "inside"), (web, "in a browser"), (other, "outside on other devices"))
    beside = listed(
        [
            f"{percent(side.share)} of {counted(side.people)} {where}"
            for side, where in sides
            if side.people
        ]
    )
    which = " on hybrid devices" if other.people else ""
    text = (
        f"{out.hits} of {counted(out.people)} whose reset at the sign-in"
        f" screen succeeded outside{which} were in need again within {hours} hours ({what}), beside"
        f" {beside}"
    )
    return Signal(
        "trouble-after-success-outside",
        Kind.AFTERMATH,
        State.FIRED,
        text,
        out.hits,
        out.people,
        p,
    )
