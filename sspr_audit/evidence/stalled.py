"""Flows that stop after the user ID or the options, before any method is started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import cohorts, onset, retries, scan, sharing, statistics, strangers
from sspr_audit.evidence.cohorts import Stretch
from sspr_audit.evidence.material import NOT_ALONE, SCREENS, Material
from sspr_audit.evidence.wording import counted, percent, several
from sspr_audit.model import Few, Kind, Scope, Signal, State, Tested

if TYPE_CHECKING:
    import pandas as pd

TARGET: Final = "stalled-before-verification"

OPTIONS: Final = 20
"""The stage at which the options are shown; what stops there or before has begun no method."""

_PAIRS: Final = 3
"""People who try both here and elsewhere: fewer cannot agree beyond chance."""
_DAY_H: Final = 24
"""What everybody met and was over within so many hours is no trouble of a product, hours."""
_DEVICE: Final = ("model", "maker", "os_version")
"""What devices may share, by column of the join of flows and devices."""
_NO_DEVICE: Final = ("tenant", "client", "place", "place and client")
"""The dimensions whose cohorts share no device."""


def tested(material: Material) -> Tested:
    """Return where people stop before any verification far more often than elsewhere."""
    units = stops(material)
    return _tested(units, cohorts.dimensions(units), material)


def by_device(material: Material, devices: pd.DataFrame) -> Tested:
    """Return on which devices people stop so, wherever they are.

    `devices` has flow_id, model, maker and os_version. Its tests are apart from those of places,
    so that devices that nobody knows change nothing there.
    """
    units = stops(material)
    alike = devices.set_index("flow_id")
    every = {
        name.replace("_", " "): units["flow_id"].map(alike[name]).astype("str") for name in _DEVICE
    }
    # What stops the sign-in screen's own account lets the browsers of the same devices pass.
    at_screen = ("|" + units["client"]).where(units["client"].isin(SCREENS))
    screens = {f"{name} and client": every[name] + at_screen for name in ("model", "os version")}
    dimensions = every | screens
    if not any(values.notna().any() for values in dimensions.values()):
        needs = "devices: their model and version, and sign-ins that link them to people"
        return Tested(Kind.STALLED, 0, few=(Few(TARGET, Scope(), needs),))
    return _tested(units, dimensions, material)


def _tested(
    units: pd.DataFrame, dimensions: dict[str, pd.Series[str]], material: Material
) -> Tested:
    found, tests = scan.standouts(units, dimensions, material)
    suspicions = []
    for one in found:
        if not cohorts.stands_out(one, material.numbers):
            continue
        stretch = cohorts.stretch(
            one, units, dimensions[one.dimension], material.numbers["corroborates"]
        )
        signals = tuple(_signals(stretch, units, material))
        raised = cohorts.suspicion(TARGET, Kind.STALLED, stretch, signals, material.window.start)
        suspicions += [(retries.counted_in(raised), one.share)] if raised else []
    wanted = retries.ALONE * material.limit(Kind.STALLED, tests)
    few = cohorts.too_few(TARGET, found, wanted, units, material)
    if not tests and not few:
        few = (cohorts.nobody(TARGET, "who reset at one place or with one client", material),)
    return Tested(Kind.STALLED, tests, cohorts.unexplained(suspicions), few)


def stops(material: Material) -> pd.DataFrame:
    """Return every ended flow as a unit that hits if it stopped before any verification."""
    flows = material.flows
    flows = flows[flows["outcome"].ne("open") & flows["person"].notna()]
    hit = flows["outcome"].eq("abandoned") & flows["stage"].between(1, OPTIONS)
    return flows.assign(hit=hit)


def _signals(one: Stretch, units: pd.DataFrame, material: Material) -> Iterator[Signal]:
    yield stops_before_verification(one)
    yield retries.burst(one, material)
    yield works_elsewhere(one, material)
    yield onset.sudden(one.onset, material.numbers["corroborates"])
    if one.dated:
        yield onset.changed_before(material, one.onset.between)
    yield several_places(one)
    yield stops_later_too(one, units, material)
    yield strangers_only(one, units, material)
    yield everywhere_at_once(one, material)
    yield sharing.told_apart(one, material)
    yield not_at_computers(one, material)


def stops_before_verification(one: Stretch) -> Signal:
    """People stop after the user ID or the options, far more often than elsewhere."""
    found = one.found
    text = (
        f"{one.at}, {found.hits} of {counted(found.people)} stopped before starting any"
        f" verification ({percent(found.share)}; usual {percent(found.usual)})"
    )
    value = round(100 * found.share)
    return Signal(
        "stops-before-verification", Kind.STALLED, State.FIRED, text, value, found.people, found.p
    )


def works_elsewhere(one: Stretch, material: Material) -> Signal:
    """The same people get further from other networks or with another client or device."""
    here = one.inside.set_index("person")["hit"]
    apart = one.outside[one.outside["person"].isin(here.index)]
    there = apart.drop_duplicates("person", keep="last").set_index("person")
    both = here.to_frame("here").join(there[["hit"]].rename(columns={"hit": "there"}), how="inner")
    only_here = int((both["here"] & ~both["there"]).sum())
    only_there = int((~both["here"] & both["there"]).sum())
    pairs = only_here + only_there
    p = float(statistics.binomial_upper(only_here, pairs, 0.5)) if pairs else 1.0
    text = (
        f"Of {counted(len(both))} who also tried elsewhere, {only_here} stopped here and got"
        f" further there, {only_there} the other way round"
    )
    if both.empty:
        text = "None of these people was seen to try elsewhere, too"
    if pairs < _PAIRS and not material.agrees(p):
        who = several(_PAIRS - pairs, "more person who tries", "more people who try")
        needs = f"{who} both here and elsewhere, stopping at only one"
        return Signal("works-elsewhere", Kind.PEOPLE, State.FEW, text, only_here, pairs, p, needs)
    state = State.of(material.agrees(p))
    return Signal("works-elsewhere", Kind.PEOPLE, state, text, only_here, pairs, p)


def several_places(one: Stretch) -> Signal:
    """The people who stop share a device model or version, not a place."""
    name = "devices-in-several-places"
    if one.found.dimension in _NO_DEVICE:
        text = "Whether the devices share a product or version is not known"
        needs = "devices with model and version, and the sign-ins that link them to people"
        return Signal(name, Kind.PEOPLE, State.UNKNOWN, text, needs=needs)
    places = one.inside.groupby("place")["hit"].agg(people="size", hits="sum")
    stopped = int((places["hits"] > 0).sum())
    text = f"The people with {one.name} stopped in {stopped} of {several(len(places), 'place')}"
    fired = stopped >= max(NOT_ALONE, len(places) / 2)
    state = State.of(fired)
    return Signal(name, Kind.PEOPLE, state, text, stopped, one.found.people)


def not_at_computers(one: Stretch, material: Material) -> Signal:
    """Whether people with these devices were at them: many reset on a phone instead.

    The sign-in screen is one, so where the log names any client, it tells who was at a computer.
    """
    name = "not-at-computers"
    if one.found.dimension in _NO_DEVICE:
        return Signal(name, Kind.PEOPLE, State.QUIET, f"It is told of {one.name}, not of devices")
    if material.flows["client"].eq("not-recorded").all():
        text = (
            f"Whether the people with {one.name} were at these devices or at a phone is not known"
        )
        needs = "ClientType in the audit records, which tells who was at a sign-in screen"
        return Signal(name, Kind.PEOPLE, State.UNKNOWN, text, needs=needs)
    at_screen = int(one.hits.loc[one.hits["client"].isin(SCREENS), "person"].nunique())
    text = f"{counted(at_screen)} with {one.name} stopped at a sign-in screen, and so at a computer"
    return Signal(name, Kind.PEOPLE, State.QUIET, text, at_screen, one.found.people)


def stops_later_too(one: Stretch, units: pd.DataFrame, material: Material) -> Signal:
    """People also stop later, after starting a method, more often than elsewhere."""
    ended = units["outcome"].isin(["abandoned", "failed", "cancelled"])
    past = units[units["stage"] > OPTIONS]
    k, n, usual, p = cohorts.against_rest(
        one, ended & units["stage"].gt(OPTIONS), past, material.numbers["variation"]
    )
    text = (
        f"Of {counted(n)} who started a method, {k} did not finish (usual {percent(usual)})"
        if n
        else "Nobody started a method"
    )
    # With nobody who got that far, nothing speaks for a trouble that lies further on.
    fired = n > 0 and material.spoils(p)
    return Signal("stops-later-too", Kind.STALLED, State.of(fired), text, k, n, p)


def strangers_only(one: Stretch, units: pd.DataFrame, material: Material) -> Signal:
    """They stop at one place that is no site, do not come back, and none is known to work there."""
    name = "strangers-only"
    places = one.hits["place"].value_counts()
    most = places[places >= material.numbers["common_share"] * len(one.hits)]
    here = one.own[one.own["place"].isin(most.index)]
    if here.empty or here["site"].notna().any():
        return Signal(name, Kind.PEOPLE, State.QUIET, f"{one.name} is no network of strangers")
    every = strangers.visits(units, material)
    back = strangers.nobody_returns(every.loc[here.index], every.drop(here.index), material)
    own = strangers.was_used_before(here, material)
    known = own.state is State.FIRED
    text = f"{own.statement}; {back.statement}"
    state = State.QUIET if known else back.state
    needs = "" if known else back.needs
    return Signal(name, Kind.PEOPLE, state, text, back.value, back.support, back.p, needs)


def everywhere_at_once(one: Stretch, material: Material) -> Signal:
    """Everybody else stopped more often at the same time, too, and not at one other place alone."""
    found, name = one.found, "everywhere-at-once"
    if found.dimension == "tenant":
        return _short_everywhere(one, name)
    worst, outside = _but_for_the_worst(one, material)
    then = outside["start_utc"].between(found.start, found.end, inclusive="left")
    during = outside[then].drop_duplicates("person")
    before = outside[outside["start_utc"] < found.start].drop_duplicates("person")
    k, n = int(during["hit"].sum()), len(during)
    m, total = int(before["hit"].sum()), len(before)
    p = float(statistics.fisher_upper(k, n, m, total))
    # A weak rise elsewhere is no reason for a strong one here.
    strong = n > 0 and k / n >= found.share / 2
    fired = strong and material.spoils(p)
    before_it = f", {m} of {total} before" if total else ""
    but_for = f", but for {worst}" if worst else ""
    text = f"Elsewhere{but_for}, {k} of {counted(n)} stopped in the same time{before_it}"
    return Signal(name, Kind.TIME, State.of(fired), text, k, n, p)


def _but_for_the_worst(one: Stretch, material: Material) -> tuple[str | None, pd.DataFrame]:
    """Return the other place where most stopped in the same time, and what lies outside of both.

    None, and all of it, where hardly anybody would be left.
    """
    then = one.outside["start_utc"].between(one.found.start, one.found.end, inclusive="left")
    stopped = one.outside[then & one.outside["hit"]].dropna(subset=["place"])
    people = stopped.drop_duplicates(["place", "person"])["place"].value_counts().sort_index()
    if people.empty or people.max() < NOT_ALONE:
        return None, one.outside
    worst = str(people.idxmax())
    rest = one.outside[one.outside["place"].ne(worst)]
    left = rest.loc[then, "person"].nunique()
    return (worst, rest) if left >= material.numbers["least_people"] else (None, one.outside)


def _short_everywhere(one: Stretch, name: str) -> Signal:
    lasted = one.onset.last - one.begin
    places = one.hits["place"].nunique()
    hours = lasted.total_seconds() / 3600
    over = one.dated and one.onset.ended is not None
    fired = over and hours <= _DAY_H and places > NOT_ALONE
    text = f"It lasted {hours:.0f} h, in {several(places, 'place')}"
    if not over:
        text = f"It has lasted {hours:.0f} h so far, in {several(places, 'place')}"
    return Signal(name, Kind.TIME, State.of(fired), text, round(hours), one.found.people)
