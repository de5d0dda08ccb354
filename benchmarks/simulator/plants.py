"""The causes that can be planted, and which tenants get which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sspr_audit.sources.scenes import Stage

from . import aftermath, distractors, silent, stated
from .model import Chances
from .recipes import Recipe
from .world import World

EXPLICIT: Final = (*stated.AT_USER_ID, *stated.AT_PASSWORD)
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


def for_tenant(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of the tenant of this number: one to three causes, some distractors.

    Numbers go through all silent causes in turn, so that each is planted equally often.
    """
    dice = Chances(7_000_000 + number)
    chosen = [SILENT[number % len(SILENT)]]
    if dice.chance(0.5):
        chosen.append(dice.pick(_MIXED))
    if dice.chance(0.45):
        other = dice.pick(SILENT)
        if other not in chosen and not any({other, chosen[0]} == pair for pair in _APART):
            chosen.append(other)
    some = dice.sample(distractors.NAMES, dice.whole(1, 3))
    if dice.chance(0.8):  # most tenants must be able to show something
        some = [one for one in some if one not in ("no-client-type", "partial-context")]
    return replace(recipe, plants=tuple(chosen), distractors=(*some, "other-records"))


def clean(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of a tenant where nothing is wrong: of three sizes, all distractors."""
    dice = Chances(9_000_000 + number)
    most = (150, 600, 1_500)[number % 3]
    some = dice.sample(distractors.NAMES, dice.whole(1, 4))
    return replace(recipe, plants=(), distractors=tuple(some), least_flows=60, most_flows=most)
