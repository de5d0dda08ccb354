"""Verification by phone or mail that is started and not completed: the code does not arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import cohorts, onset, scan, sharing, statistics
from sspr_audit.evidence.cohorts import Stretch
from sspr_audit.evidence.material import NOT_ALONE, Material, told_of
from sspr_audit.evidence.scan import Standout
from sspr_audit.evidence.wording import counted, more_people, percent
from sspr_audit.model import Few, Kind, Signal, State, Suspicion, Tested

if TYPE_CHECKING:
    import pandas as pd

PHONE: Final[Mapping[str, tuple[str, ...]]] = {
    "mobile SMS": ("mobile SMS",),
    "phone call": ("mobile voice call", "office voice call"),
}
"""Ways to verify by phone, each with the methods that Entra counts apart."""
MAIL: Final[Mapping[str, tuple[str, ...]]] = {"email": ("email",)}

_STARTED: Final = 30
_COMPLETED: Final = 40
"""Stages: a method was started, and one was completed."""
_AGREE: Final = 3
"""People who tried two methods: fewer agree by chance."""
_WRONG: Final = ("blocked-sms", "blocked-mobile-voice", "blocked-office-voice")
"""Reasons that speak of codes which arrived and were wrong, or of too many tries."""


def phone(material: Material) -> Tested:
    """Return where codes by phone do not arrive far more often than elsewhere."""
    return _tested("phone-code-not-arriving", PHONE, material)


def mail(material: Material) -> Tested:
    """Return where codes by mail do not arrive far more often than elsewhere."""
    return _tested("email-not-received", MAIL, material)


def _tested(target: str, ways: Mapping[str, tuple[str, ...]], material: Material) -> Tested:
    suspicions: list[tuple[Suspicion, float]] = []
    few: list[Few] = []
    tried: list[tuple[list[Standout], pd.DataFrame]] = []
    tests = 0
    flows = material.flows
    flows = flows[flows["outcome"].ne("open") & flows["person"].notna()]
    # A code follows its phone: people of a place may miss it at home as well.
    base = flows["person"].map(material.bases)
    flows = flows.assign(base=base)
    for way, methods in ways.items():
        every = started(flows, methods)
        known = _of_places(every)
        for units, dimensions in (
            (every, cohorts.dimensions(every)),
            (known, {cohorts.PEOPLE_OF: known["base"]}),
        ):
            found, looked = scan.standouts(units, dimensions, material)
            tests += looked
            for one in found:
                if not cohorts.stands_out(one, material.numbers):
                    continue
                stretch = cohorts.stretch(
                    one, units, dimensions[one.dimension], material.numbers["corroborates"]
                )
                signals = _signals(way, stretch, _others(flows, methods), material)
                raised = cohorts.suspicion(
                    target, Kind.STALLED, stretch, signals, material.window.start
                )
                suspicions += [(raised, one.share)] if raised else []
            tried.append((found, units))
    wanted = material.limit(Kind.STALLED, tests)  # of all ways: each makes the others ask for more
    for found, units in tried:
        few += cohorts.too_few(target, found, wanted, units, material)
    if not tests and not few:
        few = [cohorts.nobody(target, f"who start {' or '.join(ways)} to verify", material)]
    return Tested(Kind.STALLED, tests, cohorts.unexplained(suspicions), tuple(few))


def _of_places(units: pd.DataFrame) -> pd.DataFrame:
    """Return the units of people whose place of work is known, if they work at several.

    Whoever is seen at none may work at any: who misses codes at home is no measure for the place.
    """
    known = units[units["base"].notna()]
    return known if known["base"].nunique() >= NOT_ALONE else units


def started(flows: pd.DataFrame, methods: tuple[str, ...]) -> pd.DataFrame:
    """Return the flows that started one of `methods`, hitting where it was not completed.

    Where nothing was completed, no method was; where one of several was, the last one was not.
    A flow that got past its verification does not say which method carried it: no hit.
    """
    any_of = _tried(flows, methods)
    last = told_of(flows["methods"], lambda tried: len(tried) > 1 and tried[-1] in methods)
    unfinished = flows["stage"].eq(_STARTED) | (flows["stage"].eq(_COMPLETED) & last)
    stopped = flows["outcome"].isin(["abandoned", "failed", "cancelled"])
    return flows.assign(hit=unfinished & stopped)[any_of]


def _tried(flows: pd.DataFrame, methods: tuple[str, ...]) -> pd.Series[bool]:
    """Say which flows tried one of `methods`."""
    return told_of(flows["methods"], lambda tried: not set(methods).isdisjoint(tried))


def _others(flows: pd.DataFrame, methods: tuple[str, ...]) -> pd.DataFrame:
    """Return the flows that started only other methods, hitting where none was completed."""
    others = flows[~_tried(flows, methods) & flows["stage"].ge(_STARTED)]
    stopped = others["outcome"].isin(["abandoned", "failed", "cancelled"])
    return others.assign(hit=others["stage"].eq(_STARTED) & stopped)


def _signals(way: str, one: Stretch, others: pd.DataFrame, material: Material) -> Iterator[Signal]:
    yield code_not_entered(way, one)
    yield other_way_works(way, one, others, material)
    yield onset.sudden(one.onset, material.numbers["corroborates"])
    if one.dated:
        yield onset.changed_before(material, one.onset.between)
    yield other_methods_stop_too(one, others, material)
    yield wrong_codes(one, material)
    yield sharing.told_apart(one, material)


def code_not_entered(way: str, one: Stretch) -> Signal:
    """People start a verification and never complete it, far more often than elsewhere."""
    found = one.found
    text = (
        f"{one.at}, {found.hits} of {counted(found.people)} who started {way} did not complete"
        f" it ({percent(found.share)}; usual {percent(found.usual)})"
    )
    value = round(100 * found.share)
    return Signal("code-not-entered", Kind.STALLED, State.FIRED, text, value, found.people, found.p)


def other_way_works(way: str, one: Stretch, others: pd.DataFrame, material: Material) -> Signal:
    """The same people get through with another method."""
    stuck = one.hits["person"]
    there = others[others["person"].isin(stuck) & others["start_utc"].ge(one.begin)]
    there = there.drop_duplicates("person")
    n, k = len(there), int((~there["hit"]).sum())
    text = f"{k} of {counted(n)} who did not complete {way} got through with another method since"
    if not n:
        text = f"Nobody who did not complete {way} tried another method since"
    if n < _AGREE:
        needs = f"{more_people(_AGREE - n)} who tried another method, too"
        return Signal("other-way-works", Kind.PEOPLE, State.FEW, text, k, n, 1.0, needs)
    p = float(statistics.binomial_upper(k, n, 0.5))
    state = State.of(material.agrees(p))
    return Signal("other-way-works", Kind.PEOPLE, state, text, k, n, p)


def other_methods_stop_too(one: Stretch, others: pd.DataFrame, material: Material) -> Signal:
    """Other methods are not completed either, at the same place and time."""
    found = one.found
    match found.dimension:
        case "client":
            inside = others["client"].eq(one.what)
        case "place":
            inside = others["place"].eq(one.what)
        case cohorts.PEOPLE_OF:
            inside = others["base"].eq(one.what)
        case "place and client":
            inside = others["place"].eq(one.what) & others["client"].eq(one.client)
        case _:
            inside = others["person"].notna()
    then = others["start_utc"].between(found.start, found.end, inclusive="left")
    here = others[inside & then].drop_duplicates("person")
    rest = others[~(inside & then)].drop_duplicates("person")
    k, n, m, total = int(here["hit"].sum()), len(here), int(rest["hit"].sum()), len(rest)
    p = float(statistics.fisher_upper(k, n, m, total))
    fired = material.spoils(p)
    text = f"With other methods, {k} of {counted(n)} did not complete there ({m} of {total} else)"
    if not n:
        text = "Nobody started another method there in that time"
    state = State.of(fired)
    return Signal("other-methods-stop-too", Kind.STALLED, state, text, k, n, p)


def wrong_codes(one: Stretch, material: Material) -> Signal:
    """Reasons speak of wrong codes, which must have arrived."""
    found = one.found
    then = one.own["start_utc"].between(found.start, found.end, inclusive="left")
    people = one.own.loc[then & one.own["reason_key"].isin(_WRONG), "person"].nunique()
    text = f"{people} of {counted(found.people)} met a reason of wrong codes or too many tries"
    fired = people >= max(1, found.hits * material.numbers["stands_out_share"])
    state = State.of(fired)
    return Signal("wrong-codes", Kind.EXPLICIT, state, text, people, found.people)
