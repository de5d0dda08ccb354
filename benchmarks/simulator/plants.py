"""The causes that can be planted, and which tenants get which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sspr_audit.sources.scenes import Stage

from . import aftermath, distractors, silent, stated
from .model import Chances
from .recipes import Recipe
from .texts import AT_PASSWORD, AT_USER_ID
from .world import World

EXPLICIT: Final = (*AT_USER_ID, *AT_PASSWORD)
PLANTS: Final[dict[str, Callable[[World], None]]] = {
    **{target: stated.group(target) for target in EXPLICIT},
    "writeback-unreachable": stated.writeback_outage,
    "authenticated-proxy": silent.at_site("authenticated-proxy"),
    "per-user-proxy-or-pac-only": silent.at_site("per-user-proxy-or-pac-only"),
    "dot1x-prelogon-sso": silent.at_site("dot1x-prelogon-sso"),
    "security-baseline-applied": silent.at_site("security-baseline-applied", everywhere=True),
    "signin-reset-not-enabled": silent.at_site(
        "signin-reset-not-enabled", everywhere=True, ever=True
    ),
    "antivirus-by-model": silent.by_cohort("antivirus-or-tls-inspection", by="model"),
    "antivirus-by-version": silent.by_cohort("antivirus-or-tls-inspection", by="version"),
    "inspection-by-gateway": silent.by_gateway("antivirus-or-tls-inspection", Stage.OPTIONS),
    "ocsp-blocked": silent.by_gateway("ocsp-blocked", Stage.USER_ID),
    "static-content-cdn-blocked": silent.by_gateway("static-content-cdn-blocked", Stage.USER_ID),
    "sms-lost-at-site": silent.code_lost("mobile SMS", silent.PHONE, by_site=True),
    "sms-lost": silent.code_lost("mobile SMS", silent.PHONE, by_site=False),
    "email-not-received": silent.code_lost("email", "email-not-received", by_site=False),
    "hybrid-device-off-network": aftermath.off_network,
    "phs-catch-up-delay": aftermath.catch_up,
    "service-incident": aftermath.incident,
    "sspr-enumeration": aftermath.enumeration,
    "sspr-takeover-attempt": aftermath.takeover,
}

SILENT: Final = tuple(name for name in PLANTS if name not in (*EXPLICIT, "writeback-unreachable"))
_MIXED: Final = ("writeback-unreachable", *EXPLICIT)
_APART: Final = (
    {"hybrid-device-off-network", "phs-catch-up-delay"},
    {"sms-lost", "sms-lost-at-site"},
)
"""Plants that would hide each other: one takes the success, or the method, of the other."""
_BLINDING: Final = ("no-client-type", "partial-context", "shared-egress")
_RARE: Final = (
    *("authenticated-proxy", "per-user-proxy-or-pac-only", "dot1x-prelogon-sso"),
    *("security-baseline-applied", "signin-reset-not-enabled", "service-incident"),
    *("inspection-by-gateway", "ocsp-blocked", "static-content-cdn-blocked", "sms-lost-at-site"),
)
"""Plants that only a tenant with many resets can show."""


def for_tenant(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of the tenant of this number: one to three causes, some distractors.

    Numbers go through all silent causes in turn, so that each is planted equally often.
    """
    dice = Chances(7_000_000 + number + 1_000_000 * len(recipe.name))
    chosen = [SILENT[number % len(SILENT)]]
    if dice.chance(0.5):
        chosen.append(dice.pick(_MIXED))
    if dice.chance(0.45):
        other = dice.pick(SILENT)
        if other not in chosen and not any({other, chosen[0]} == pair for pair in _APART):
            chosen.append(other)
    some = dice.sample(distractors.NAMES, dice.whole(1, 3))
    if dice.chance(0.8):  # most tenants must be able to show something
        some = [one for one in some if one not in _BLINDING]
    least = recipe.least_flows
    if any(one in _RARE for one in chosen) and dice.chance(0.8):
        least = round(dice.between(900, recipe.most_flows))
    beside = (*some, "other-records")
    return replace(recipe, plants=tuple(chosen), distractors=beside, least_flows=least)


def clean(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of a tenant where nothing is wrong: of three sizes, all distractors."""
    dice = Chances(9_000_000 + number)
    most = (150, 600, 1_500)[number % 3]
    some = dice.sample(distractors.NAMES, dice.whole(1, 4))
    return replace(recipe, plants=(), distractors=tuple(some), least_flows=60, most_flows=most)


HEADLINES: Final = ("authenticated-proxy", "antivirus-by-model", "hybrid-device-off-network")
RIVALS: Final = {
    "authenticated-proxy": (
        *("per-user-proxy-or-pac-only", "dot1x-prelogon-sso", "signin-reset-not-enabled"),
        *("security-baseline-applied", "inspection-by-gateway", "kiosks", "phones", "vpn"),
    ),
    "antivirus-by-model": (
        *("ocsp-blocked", "static-content-cdn-blocked", "sspr-enumeration", "service-incident"),
        "clumsy-user",
    ),
    "hybrid-device-off-network": ("phs-catch-up-delay", "mistyped", "sspr-takeover-attempt"),
}
"""What each headline cause is mistaken for: other causes, and what is no trouble at all."""


def mixes() -> list[tuple[str, ...]]:
    """Return what is planted together: each headline cause alone, in pairs, beside its rivals."""
    first, second, third = HEADLINES
    pairs = [(first, second), (first, third), (second, third)]
    alone = [(rival,) for rivals in RIVALS.values() for rival in rivals]
    beside = [
        (one, rival)
        for one, rivals in RIVALS.items()
        for rival in rivals
        if {one, rival} not in _APART
    ]
    return [*((one,) for one in HEADLINES), *pairs, *alone, *beside]


def mixed(recipe: Recipe, mix: tuple[str, ...], number: int) -> Recipe:
    """Return the recipe of a tenant that is large enough to show what is planted in it."""
    planted = tuple(one for one in mix if one in PLANTS)
    beside = tuple(one for one in mix if one not in PLANTS)
    flows = 1_200 + 20 * (number % 10)
    return replace(
        recipe,
        plants=planted,
        distractors=(*beside, "other-records"),
        least_flows=flows,
        most_flows=flows,
        shared=0.0,
    )
