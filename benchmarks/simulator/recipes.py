"""What tenants are drawn from: ranges to fit on, and ranges that nothing was ever fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from .model import Chances

Spans = tuple[tuple[float, float], ...]
"""Intervals; one is picked, then a number in it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Ranges for what sets one tenant off from another, and what is to be planted."""

    name: str
    sites: Spans
    headcount: Spans
    """People a site."""
    resets: Spans
    """Forgotten passwords a person in 30 days."""
    screen: Spans
    """Share of resets that begin at the sign-in screen."""
    unlike: Spans
    """How sites differ in that: deviation of log odds."""
    home: Spans
    """Share of working days at home."""
    recorded: Spans
    """Share of flows whose ClientType is recorded."""
    recorded_how: tuple[str, ...]
    """`flow`: missing at random; `screen-only`: a browser never records one; `none`."""
    options_stop: Spans
    """Share of flows that stop at the options on ordinary days."""
    hybrid: Spans
    """Share of devices that are joined to the on-premises domain."""
    days: Spans
    """Length of the history."""
    egress: Spans
    """Addresses a site."""
    shared: float
    """Share of tenants whose sites all go out by the same few addresses."""
    named: tuple[str, ...]
    """Where sites are written down: `settings`, `locations`, `none`."""
    sign_ins: tuple[str, ...]
    """`all` of them, or those of a day `after` each flow, as the program itself fetches them."""
    plants: tuple[str, ...] = ()
    distractors: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Kinds of context that nobody exported."""
    least_flows: int = 450
    most_flows: int = 1_500
    """Where the draw would give more or less, sites are made smaller or larger."""


FITTED: Final = Recipe(
    name="fitted",
    sites=((3, 6),),
    headcount=((120, 420),),
    resets=((0.12, 0.3),),
    screen=((0.2, 0.45),),
    unlike=((0.05, 0.25),),
    home=((0.15, 0.4),),
    recorded=((1, 1), (0.85, 0.97)),
    recorded_how=("flow",),
    options_stop=((0.03, 0.06),),
    hybrid=((0.4, 0.8),),
    days=((60, 90),),
    egress=((1, 2),),
    shared=0.05,
    named=("settings", "settings", "locations"),
    sign_ins=("all",),
)
"""What weights may be fitted on."""

REPORTED: Final = Recipe(
    name="reported",
    sites=((2, 2), (7, 12)),
    headcount=((40, 115), (430, 900)),
    resets=((0.05, 0.11), (0.32, 0.5)),
    screen=((0.08, 0.19), (0.46, 0.6)),
    unlike=((0.0, 0.04), (0.26, 0.38)),
    home=((0.02, 0.12), (0.45, 0.8)),
    recorded=((0.5, 0.82), (0.98, 0.995)),
    recorded_how=("flow", "flow", "screen-only"),
    options_stop=((0.065, 0.1),),
    hybrid=((0.15, 0.35), (0.85, 1.0)),
    days=((35, 58),),
    egress=((3, 4), (1, 1)),
    shared=0.15,
    named=("settings", "locations", "locations", "none"),
    sign_ins=("after", "after", "all"),
)
"""What figures are reported on. No interval but that of single egress addresses meets FITTED's."""

SETS: Final = {one.name: one for one in (FITTED, REPORTED)}


@dataclass(frozen=True, slots=True)
class Traits:
    """What was drawn for one tenant."""

    sites: int
    headcounts: tuple[int, ...]
    resets: float
    screen: float
    unlike: float
    home: float
    recorded: float
    recorded_how: str
    options_stop: float
    hybrid: float
    days: int
    egress: int
    shared: bool
    named: str
    sign_ins: str
    missing: tuple[str, ...] = ()
    vpn: bool = False
    """Whether people at home browse through the company's VPN, once they are signed in."""
    vpn_named: bool = False
    carrier: bool = False
    """Whether homes share addresses of their carrier."""
    complete: bool = True
    """Whether every address of a site is written down."""
    holiday: tuple[int, int] = (0, 0)
    """Days of the history, from and to, on which most people are away."""
    tiny: int = 0
    """How many sites of a few people there are beside the others."""
    kinds: tuple[str, ...] = ()
    """Kinds of the last sites, where they are not offices."""

    def as_row(self) -> dict[str, Any]:
        """Return them by name."""
        return asdict(self)


def drawn(dice: Chances, recipe: Recipe) -> Traits:
    """Draw one tenant's traits; distractors then change them."""

    def number(spans: Spans) -> float:
        low, high = dice.pick(spans)
        return dice.between(low, high)

    sites, resets, days = round(number(recipe.sites)), number(recipe.resets), number(recipe.days)
    headcounts = [number(recipe.headcount) for _ in range(sites)]
    headcounts[0] *= dice.between(1.2, 4.0)  # most companies have a headquarters
    flows = sum(headcounts) * resets * days / 30
    scale = min(max(1.0, recipe.least_flows / flows), recipe.most_flows / flows)
    traits = Traits(
        sites=sites,
        headcounts=tuple(max(8, round(count * scale)) for count in headcounts),
        resets=resets,
        screen=number(recipe.screen),
        unlike=number(recipe.unlike),
        home=number(recipe.home),
        recorded=number(recipe.recorded),
        recorded_how=dice.pick(recipe.recorded_how),
        options_stop=number(recipe.options_stop),
        hybrid=number(recipe.hybrid),
        days=round(days),
        egress=round(number(recipe.egress)),
        shared=dice.chance(recipe.shared),
        named=dice.pick(recipe.named),
        sign_ins=dice.pick(recipe.sign_ins),
        missing=recipe.missing,
    )
    for name in recipe.distractors:
        if name in TRAITS:
            traits = TRAITS[name](dice, traits)
    return traits


def _holiday(dice: Chances, traits: Traits) -> Traits:
    start = dice.whole(5, traits.days - 16)
    return replace(traits, holiday=(start, start + dice.whole(8, 14)))


def _partly(dice: Chances, traits: Traits) -> Traits:
    return replace(traits, recorded=dice.between(0.5, 0.95), recorded_how="flow")


def _partial_context(dice: Chances, traits: Traits) -> Traits:
    kinds = dice.sample(("signIns", "devices", "namedLocations", "managedDevices"), 2)
    return replace(traits, missing=tuple(kinds))


TRAITS: Final[dict[str, Callable[[Chances, Traits], Traits]]] = {
    "no-client-type": lambda _, t: replace(t, recorded_how="none"),
    "partly-recorded": _partly,
    "shared-egress": lambda _, t: replace(t, shared=True),
    "vpn": lambda dice, t: replace(t, vpn=True, vpn_named=dice.chance(0.5)),
    "carrier-nat": lambda _, t: replace(t, carrier=True),
    "incomplete-location": lambda _, t: replace(t, complete=False, egress=max(2, t.egress)),
    "holiday": _holiday,
    "tiny-sites": lambda dice, t: replace(t, tiny=dice.whole(2, 5)),
    "kiosks": lambda _, t: replace(t, kinds=(*t.kinds, "kiosk")),
    "phones": lambda _, t: replace(t, kinds=(*t.kinds, "phones")),
    "remote-first": lambda dice, t: replace(t, home=dice.between(0.8, 0.92)),
    "partial-context": _partial_context,
}
"""Distractors that change what a tenant is; those that add events stand in distractors.py."""
