"""Tenants whose troubles are known, to measure on: the same seed and recipe, the same tenant.

Nothing here knows how the program judges: of the package it uses only what records look like.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sspr_audit.sources import scenes

from . import context, distractors, plants
from .model import KINDS, Chances, Label, Simulated
from .recipes import FITTED, REPORTED, SETS, Recipe, drawn
from .world import BROWSER, SIGN_IN_SCREEN, World

__all__ = ["FITTED", "KINDS", "REPORTED", "SETS", "Label", "Recipe", "Simulated", "tenant"]

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
"""The end of every tenant's data: the midnight after a Sunday."""


def tenant(seed: int, recipe: Recipe) -> Simulated:
    """Return the tenant of this seed."""
    dice = Chances(seed)
    traits = drawn(dice, recipe)
    world = World(dice, traits, NOW)
    for name in recipe.plants:
        plants.PLANTS[name](world)
    for name in recipe.distractors:  # nor does a clumsy person get further than anybody else
        if name in distractors.EVENTS:
            distractors.EVENTS[name](world)
    world.play()
    labels = tuple(label for finish in world.finish if (label := finish()))
    beside = context.of(world)
    kept = sorted((e for e in world.entries if world.start <= e.at < world.now), key=_time)
    return Simulated(
        name=f"{recipe.name}-{seed}",
        records=tuple(entry.record(dice) for entry in kept),
        context=beside,
        settings=_settings(world),
        now=NOW,
        window=(NOW - timedelta(days=7), NOW),
        labels=labels,
        stated=tuple(world.stated),
        traits=traits.as_row(),
    )


def _time(entry: scenes.Entry) -> int:
    return entry.at


def _settings(world: World) -> str:
    """Return the settings file: what the values of ClientType mean, and sites where written."""
    lines = ["[client_types]", f'"{SIGN_IN_SCREEN}" = "windows-signin"', f'"{BROWSER}" = "browser"']
    if world.traits.named == "settings":
        shared = world.traits.shared
        for place in world.places[:1] if shared else world.named_places():
            name = "Internet breakout" if shared else place.name
            networks = ", ".join(f'"{ip}/32"' for ip in place.listed)
            lines += ["", "[[sites]]", f'name = "{name}"', f"networks = [{networks}]"]
            lines += ["dc_reachable = true"]
    return "\n".join([*lines, ""])
