"""Signals about one silence of a sign-in screen: what speaks for it, and what would explain it.

Each takes the Silence and the material; its first line is what it tells the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sspr_audit.evidence import onset, sharing, statistics
from sspr_audit.evidence.material import NOT_ALONE, SCREEN
from sspr_audit.evidence.wording import counted, day, listed, percent, several
from sspr_audit.model import Kind, Signal, State

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from sspr_audit.evidence.material import Material


@dataclass(frozen=True, slots=True)
class Silence:
    """The people and flows of one place while nobody resets at its sign-in screen."""

    place: str
    flows: pd.DataFrame
    """That began there since the last one from the sign-in screen."""
    before: pd.DataFrame
    """That began there until then."""
    people: int
    """In the silence."""
    usual: float
    """Share of people who use the sign-in screen at other places at the same hours, and here in
    the past."""
    sure: float
    """As how many people's worth that share is known."""
    places: int
    """How many other places it rests on."""
    p: float
    onset: tuple[pd.Timestamp, pd.Timestamp] | None
    """Between which times it began, 19 times of 20; None where it was never seen otherwise."""
    again: tuple[pd.Timestamp, int, int] | None
    """When somebody was seen at the sign-in screen after it, how many were since, and of how many
    people there; none where nobody was."""
    over: bool
    """Whether they are enough to say that it ended with them: visitors bring devices, too."""

    @property
    def between(self) -> tuple[datetime, datetime] | None:
        """The onset as times."""
        if self.onset is None:
            return None
        first, last = (one.to_pydatetime(warn=False) for one in self.onset)
        return first, last


def signals(one: Silence, material: Material) -> Iterator[Signal]:
    """Yield every signal that is looked for, whatever became of it."""
    yield silent(one)
    yield fell_silent(one, material)
    yield same_people_elsewhere(one, material)
    yield help_instead(one, material)
    yield devices_there(one, material)
    yield onset.changed_before(material, one.between)
    yield browser_fails_too(one, material)
    yield no_devices_there(one, material)
    yield client_not_recorded(one, material)
    yield sharing.shared_way_out(one.place, material)


def silent(one: Silence) -> Signal:
    """People who reset there, none at the sign-in screen, and how many would have elsewhere."""
    expected = one.people * one.usual
    usual = f"{percent(one.usual)} of people use it"
    past = ["here before"] if not one.before.empty else []
    other = [f"at {several(one.places, 'other place')}"] if one.places else []
    where = listed([*other, *past])
    until, but = "", ""
    if one.again:
        at, used, of = one.again
        until = f" until {day(at)}" if one.over else ""
        but = "" if one.over else f", but {used} of {counted(of)} from {day(at)} on"
    since, who = day(one.flows["start_utc"].min()), counted(one.people)
    text = (
        f"Since {since}{until} {who} reset at {one.place} and none at the sign-in screen{but};"
        f" {where} {usual} at such hours, so about {expected:.0f} would have"
    )
    return Signal(
        "signin-screen-silent", Kind.ABSENT, State.FIRED, text, one.people, one.people, one.p
    )


def fell_silent(one: Silence, material: Material) -> Signal:
    """People who used the sign-in screen there before, and nobody since."""
    before = one.before["client"].eq(SCREEN).groupby(one.before["person"]).any().astype(bool)
    had, of = int(before.sum()), len(before)
    p = float(statistics.fisher_upper(had, of, 0, one.people))
    if of < material.numbers["least_people"]:
        state = State.FEW
    else:
        state = State.of(had > 0 and material.agrees(p))
    text = (
        f"Before, {had} of {counted(of)} there used the sign-in screen at"
        f" least once; then none of {one.people}"
    )
    if not had:
        text = f"Nobody was seen at the sign-in screen of {one.place} before"
    needs = f"earlier data of {one.place}" if state is State.FEW else ""
    return Signal("fell-silent", Kind.TIME, state, text, had, of, p, needs)


def same_people_elsewhere(one: Silence, material: Material) -> Signal:
    """The same people reset at sign-in screens of other places, and never here."""
    people = one.flows["person"].unique()
    flows = material.flows
    theirs = flows[flows["person"].isin(people) & (flows["place"] != one.place)]
    screen = theirs["client"].eq(SCREEN)
    did = theirs.loc[screen, "person"].nunique()
    of = theirs["person"].nunique()
    own = one.flows[one.flows["person"].isin(theirs["person"])]["person"].nunique()
    p = float(statistics.fisher_upper(did, of, 0, own))
    fired = did >= NOT_ALONE and material.agrees(p)
    text = (
        f"{did} of {counted(of)} who also reset from other places used the"
        f" sign-in screen there, and none of them here"
    )
    if not of:
        text = "None of these people was seen to reset from any other place"
    enough = fired or of >= material.numbers["least_people"]
    state = State.of(fired) if enough else State.FEW
    needs = "" if enough else "resets of the same people from other places"
    return Signal("same-people-elsewhere", Kind.PEOPLE, state, text, did, of, p, needs)


def help_instead(one: Silence, material: Material) -> Signal:
    """People of this place whom an administrator had to help, and how many before."""
    start, end = one.flows["start_utc"].min(), material.window.end
    if one.again and one.over:
        end = one.again[0]
    here = set(one.flows["person"]) | set(one.before["person"])
    acts = material.acts
    helped = acts[acts["kind"].eq("admin-reset") & acts["person"].isin(here)]
    during = helped[(helped["time_utc"] >= start) & (helped["time_utc"] < end)]
    before = helped[(helped["time_utc"] < start) & (helped["time_utc"] >= material.baseline.start)]
    now, then = during["person"].nunique(), before["person"].nunique()
    length = (end - start).total_seconds()
    past = max((start - material.baseline.start).total_seconds(), 0.0)
    share = length / (length + past)
    p = float(statistics.binomial_upper(now, now + then, share))
    fired = now > 0 and material.agrees(p)
    state = State.of(fired) if past > 0 else State.FEW
    text = (
        f"{counted(now)} of this place needed an administrator's reset since"
        f" then, {then} in the {several(round(past / 86_400), 'day')} before"
    )
    needs = "" if past > 0 else f"earlier data of {one.place}"
    return Signal("help-instead", Kind.AFTERMATH, state, text, now, now, p, needs)


def browser_fails_too(one: Silence, material: Material) -> Signal:
    """People whose first reset by other ways succeeds there, beside those elsewhere since then.

    Who has longer to try again gets through more often, so everybody's first flow counts.
    """
    flows = material.flows
    ended = flows[flows["outcome"].ne("open") & flows["start_utc"].ge(one.flows["start_utc"].min())]
    good = ended.dropna(subset=["place"]).assign(good=ended["outcome"].eq("succeeded"))
    mine = good["flow_id"].isin(one.flows["flow_id"])
    apart = (good["place"] != one.place) & ~good["client"].eq(SCREEN)
    here, other = (good[part].drop_duplicates("person")["good"] for part in (mine, apart))
    bad, of, bad_else, of_else = int((~here).sum()), len(here), int((~other).sum()), len(other)
    p = float(statistics.fisher_upper(bad, of, bad_else, of_else))
    few = of < material.numbers["least_people"] and not material.spoils(p)
    usual = f" ({percent((of_else - bad_else) / of_else)} elsewhere)" if of_else else ""
    who = counted(of)
    text = f"{of - bad} of {who} who reset there by other ways succeeded{usual}"
    return Signal(
        "browser-fails-too",
        Kind.STALLED,
        State.FEW if few else State.of(material.spoils(p)),
        text,
        of - bad,
        of,
        p,
        "more resets there that have ended" if few else "",
    )


def devices_there(one: Silence, material: Material) -> Signal:
    """People who open joined Windows devices there do not use its sign-in screen, either.

    They stand before one, so how people of other places go about a reset is a measure for them.
    """
    name, kind = "devices-there", Kind.PEOPLE
    opened = _opened(one, material)
    if opened.empty:
        return _not_known(name, one)
    people = int(opened["there"].sum())
    a, b = one.usual * one.sure, (1 - one.usual) * one.sure
    p = float(statistics.none_of(people, a, b))
    text = (
        f"{counted(people)} of them open Windows devices of the directory at {one.place}; about"
        f" {people * one.usual:.0f} would have used the sign-in screen"
    )
    return Signal(name, kind, State.of(material.spoils(p)), text, people, people, p)


def no_devices_there(one: Silence, material: Material) -> Signal:
    """Whether people open Windows devices there at all, as nobody does through a VPN."""
    name, kind = "no-devices-there", Kind.PEOPLE
    before = one.before[one.before["client"].eq(SCREEN)]["person"].nunique()
    if before >= NOT_ALONE:
        text = f"{before} people have used a sign-in screen there before"
        return Signal(name, kind, State.QUIET, text, before)
    opened = _opened(one, material)
    if opened.empty:
        return _not_known(name, one)
    people, of = int(opened["there"].sum()), len(opened)
    text = f"{people} of {counted(of)} who sign in to Windows devices did so from {one.place}"
    if people >= NOT_ALONE:
        return Signal(name, kind, State.QUIET, text, people, of)
    if of >= material.numbers["least_people"]:
        return Signal(name, kind, State.FIRED, text, people, of)
    needs = _not_known(name, one).needs
    return Signal(name, kind, State.UNKNOWN, text, people, of, needs=needs)


def _not_known(name: str, one: Silence) -> Signal:
    text = f"Whether Windows devices are opened at {one.place} is not known"
    needs = f"sign-ins to Windows from {one.place}"
    return Signal(name, Kind.PEOPLE, State.UNKNOWN, text, needs=needs)


def _opened(one: Silence, material: Material) -> pd.DataFrame:
    """Return who of the people who reset there opens devices that Entra knows, and if `there`."""
    signed = material.context.sign_ins
    if signed is None:
        return one.flows[["person"]].head(0).assign(there=False)
    known = signed["trust"].isin(["hybrid", "joined"]) & signed["of_windows"] & signed["succeeded"]
    ours = signed[known & signed["person"].isin(one.flows["person"])]
    there = ours["ip_group"].isin(one.flows["ip_group"].dropna().unique())
    return (
        ours[["person"]]
        .assign(there=there)
        .sort_values("there")
        .drop_duplicates("person", keep="last")
    )


def client_not_recorded(one: Silence, material: Material) -> Signal:
    """Whether flows there that are not at the sign-in screen name their client as often as others.

    Where no browser names its client, a silent place names none: the silence itself, and no lapse.
    """
    flows = material.flows
    since = one.flows["start_utc"].min()
    other = flows[(flows["place"] != one.place) & (flows["start_utc"] >= since)]
    other = other[other["client"] != SCREEN]
    here = float(one.flows["client"].ne("not-recorded").mean())
    usual = float(other["client"].ne("not-recorded").mean()) if len(other) else here
    fired = here < usual / 2
    text = (
        f"{percent(here)} of the flows there name their client ({percent(usual)} of those elsewhere"
        " that are not at the sign-in screen)"
    )
    return Signal(
        "client-not-recorded",
        Kind.ABSENT,
        State.of(fired),
        text,
        round(100 * here),
    )
