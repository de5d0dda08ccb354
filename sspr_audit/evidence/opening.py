"""Signals about devices that do not take a new password: what supports it, and what speaks against.

Each takes the Aftermath; its first line is what it tells the reader. The data that some of them
need can be missing, and is then named: what nobody looked for is never quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from sspr_audit.evidence import reach, statistics, successes
from sspr_audit.evidence.material import NOT_ALONE
from sspr_audit.evidence.wording import counted, several
from sspr_audit.model import Kind, Signal, State

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.evidence.material import Material

HYBRID: Final = "hybrid"
JOINED: Final = ("joined", "registered")
REFUSED: Final = (50126, 50173)
"""A wrong password, and a grant that a new password ended.

https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

SIGN_INS: Final = "sign-ins of these people in the day after their resets (AuditLog.Read.All)"
_HOUR_MIN: Final = 60
_REFUSED_MIN: Final = 5
_WORKED_MIN: Final = 15
"""Minutes after a reset within which a device is refused the new password, and then takes it, that
only waits for it to arrive. It is looser than `catch_up`, which must show the delay itself."""

DEVICES: Final = "devices with their join type (Device.Read.All), and sign-ins that name them"


@dataclass(frozen=True)  # no slots: what several signals ask for is worked out once
class Aftermath:
    """One success a person and side, and the sign-ins that came after."""

    once: pd.DataFrame
    after: pd.DataFrame
    material: Material

    @cached_property
    def hits(self) -> pd.Series[bool]:
        """Which are from outside and were followed by need."""
        return (self.once["side"] == reach.OUTSIDE) & self.once["hit"]

    @cached_property
    def outside(self) -> pd.Series[bool]:
        """The same with those whom a look at hybrid devices alone leaves out."""
        return self.hits | (self.once["side"].eq(successes.NOT_HYBRID) & self.once["hit"])

    @cached_property
    def watched(self) -> pd.Series[bool]:
        """Of which every sign-in is known for as long as a device may take to be opened."""
        hours = self.material.numbers["silent_h"]
        return successes.watched(self.material, self.once, hours)

    @cached_property
    def tried(self) -> pd.DataFrame:
        """Sign-ins that opened Windows on the device of the success, or tried to."""
        return self.after[successes.of_device(self.after)]

    @cached_property
    def opened(self) -> pd.DataFrame:
        """Those that did open it."""
        return self.tried[self.tried["succeeded"]]

    @cached_property
    def soon(self) -> pd.Series[bool]:
        """Whose device was opened before long."""
        limit = 60 * self.material.numbers["silent_h"]
        return successes.told(self.once, self.opened[self.opened["after_min"] <= limit])

    def number(self, name: str) -> float:
        """Return a threshold of judgement."""
        return self.material.numbers[name]


def signals(one: Aftermath) -> Iterator[Signal]:
    """Yield every signal that is looked for, whatever became of it."""
    yield hybrid_devices(one)
    yield not_opened(one)
    yield opened_inside(one)
    yield stale_credential(one)
    yield works_in_cloud(one)
    yield joined_too(one)
    yield opened_outside(one)
    yield healed(one)
    yield place_reaches(one)


def _unknown(name: str, kind: Kind, text: str, needs: str) -> Signal:
    return Signal(name, kind, State.UNKNOWN, text, needs=needs)


def _compared(  # noqa: PLR0913, PLR0917 - both sides of one comparison
    one: Aftermath, name: str, kind: Kind, text: str, mine: tuple[int, int], other: tuple[int, int]
) -> Signal:
    """Return a signal that fires where so many of these people, and fewer of others, show it."""
    (hits, of), (less, among) = mine, other
    enough = one.number("least_people")
    p = float(statistics.fisher_upper(hits, of, less, among))
    beside = f", beside {less} of {several(among, 'other person', 'other people')}"
    told = f"{hits} of {counted(of)} {text}{beside}"
    if one.material.agrees(p):
        return Signal(name, kind, State.FIRED, told, hits, of, p)
    lacks = enough - min(of, among)
    if lacks > 0:
        whom = "these people" if of <= among else "those who were not in need again"
        needs = f"the same known of {int(lacks)} more of {whom}"
        return Signal(name, kind, State.FEW, told, hits, of, p, needs)
    return Signal(name, kind, State.QUIET, told, hits, of, p)


def hybrid_devices(one: Aftermath) -> Signal:
    """The people who were in need use hybrid devices, more than the others do."""
    name, once = "hybrid-device", one.once
    known = once["trust"].notna()
    hits = one.outside
    if one.material.context.sign_ins is None or known[hits].mean() < one.number("known_share"):
        text = "Whether these people use hybrid devices is not known of enough of them"
        return _unknown(name, Kind.PEOPLE, text, DEVICES)
    hybrid = once["trust"].eq(HYBRID)
    screen = once["side"] != successes.BROWSER
    mine, others = hits & known, ~hits & known & screen
    count, of = int(hybrid[mine].sum()), int(mine.sum())
    text = "use a hybrid device"
    if count < one.number("common_share") * of:
        told = f"Only {count} of {counted(of)} {text}"
        return Signal(name, Kind.PEOPLE, State.QUIET, told, count, of)
    found = _compared(
        one, name, Kind.PEOPLE, text, (count, of), (int(hybrid[others].sum()), int(others.sum()))
    )
    if found.state is State.FIRED:
        return found
    # Where nearly all devices are hybrid, that these are tells nothing either way.
    needs = "people on devices that are joined to Entra alone, to compare with"
    return Signal(name, Kind.PEOPLE, State.FEW, found.statement, count, of, found.p, needs)


def not_opened(one: Aftermath) -> Signal:
    """Nobody opened the device with the new password within hours, though elsewhere people do."""
    name, hours = "device-not-opened", int(one.number("silent_h"))
    of_whom = one.watched & one.once["trust"].eq(HYBRID)
    if not (of_whom & one.hits).any():
        text = f"Whether the devices were opened within {hours} hours is not known"
        return _unknown(name, Kind.ABSENT, text, SIGN_INS)
    mine, others = of_whom & one.hits, of_whom & (one.once["side"] == reach.INSIDE)
    silent = ~one.soon
    return _compared(
        one,
        name,
        Kind.ABSENT,
        f"did not sign in to their hybrid device within {hours} hours of the reset",
        (int(silent[mine].sum()), int(mine.sum())),
        (int(silent[others].sum()), int(others.sum())),
    )


def opened_inside(one: Aftermath) -> Signal:
    """The device was opened at last, and that was inside."""
    name = "opened-inside-at-last"
    late = one.opened[~one.opened["flow_id"].isin(one.once.loc[one.soon, "flow_id"])]
    first = late[late["flow_id"].isin(one.once.loc[one.hits, "flow_id"])]
    first = first.drop_duplicates("flow_id")
    if one.material.context.sign_ins is None or first.empty:
        text = "Where the devices were opened at last is not known"
        return _unknown(name, Kind.PEOPLE, text, SIGN_INS)
    at_first = one.opened.drop_duplicates("flow_id")  # one opening a person, as all is counted
    mine = at_first["flow_id"].isin(first["flow_id"])
    every = reach.at(one.material, at_first).eq(reach.INSIDE)
    inside, others = every[mine], every[~mine]
    return _compared(
        one,
        name,
        Kind.PEOPLE,
        "could open their device at last, and did so inside",
        (int(inside.sum()), len(inside)),
        (int(others.sum()), len(others)),
    )


def stale_credential(one: Aftermath) -> Signal:
    """Devices that went on with the old password, and were refused for it."""
    name = "stale-device-credential"
    if not one.watched[one.hits].any():
        text = "Whether these devices were refused for an old password is not known"
        return _unknown(name, Kind.EXPLICIT, text, SIGN_INS)
    refused = one.tried[one.tried["error"].isin(REFUSED)]
    stale = successes.told(one.once, refused)
    mine = one.watched & one.hits
    others = one.watched & ~one.hits & (one.once["side"] != successes.BROWSER)
    return _compared(
        one,
        name,
        Kind.EXPLICIT,
        "were refused for their password on the device after the reset (50126 or 50173)",
        (int(stale[mine].sum()), int(mine.sum())),
        (int(stale[others].sum()), int(others.sum())),
    )


def works_in_cloud(one: Aftermath) -> Signal:
    """The new password worked in the cloud before the person was in need again."""
    name, mine = "new-password-worked-in-cloud", one.watched & one.hits
    if not mine.any():
        text = "Whether the new password worked in the cloud is not known"
        return _unknown(name, Kind.AFTERMATH, text, SIGN_INS)
    after = one.after
    proved = after["interactive"] & after["succeeded"] & ~after["of_windows"]
    proved &= after["time_utc"] < after["again_utc"]
    did = successes.told(one.once, after[proved])
    count, of = int(did[mine].sum()), int(mine.sum())
    state = State.of(count > NOT_ALONE and 2 * count >= of)
    who = counted(of)
    text = f"{count} of {who} signed in to an application before they were in need again"
    return Signal(name, Kind.AFTERMATH, state, text, count, of)


def joined_too(one: Aftermath) -> Signal:
    """People on devices that need no domain controller are in need as well."""
    name, once = "joined-devices-too", one.once
    known = once["trust"].notna()
    if known[one.outside].mean() < one.number("known_share"):
        text = "Whether devices that need no domain controller show the same is not known"
        return _unknown(name, Kind.PEOPLE, text, DEVICES)
    joined = once["trust"].isin(JOINED)
    outside = once["side"].isin([reach.OUTSIDE, successes.NOT_HYBRID])
    mine, others = joined & outside, once["trust"].eq(HYBRID) & outside
    hits, of = int((mine & one.outside).sum()), int(mine.sum())
    web = once[once["side"] == successes.BROWSER]
    p = float(statistics.fisher_upper(hits, of, int(web["hit"].sum()), len(web)))
    as_often = 2 * hits * int(others.sum()) >= int((others & one.outside).sum()) * of
    fired = hits >= NOT_ALONE and (one.material.agrees(p) or as_often)
    who = counted(of)
    text = f"{hits} of {who} on devices joined to Entra alone were in need again, too"
    state = State.of(fired)
    return Signal(name, Kind.PEOPLE, state, text, hits, of, p)


def _some(one: Aftermath, name: str, kind: Kind, text: str, did: pd.Series[bool]) -> Signal:
    """Return a signal against that fires where it holds of some of the people in need."""
    mine = one.watched & one.hits
    if int(mine.sum()) < min(
        one.number("least_people"), one.number("known_share") * int(one.hits.sum())
    ):
        return _unknown(name, kind, f"How many {text} is not known", SIGN_INS)
    count, of = int(did[mine].sum()), int(mine.sum())
    fired = count >= NOT_ALONE and count >= one.number("some_share") * of
    told = f"{count} of {counted(of)} {text}"
    return Signal(name, kind, State.of(fired), told, count, of)


def opened_outside(one: Aftermath) -> Signal:
    """The device took the new password outside, at the very address of the reset."""
    opened = one.opened
    there = opened["ip_group"].eq(opened["at"]) & (opened["time_utc"] < opened["again_utc"])
    did = successes.told(one.once, opened[there & (opened["after_min"] <= _HOUR_MIN)])
    text = "opened the device from the address of the reset within an hour, before the next need"
    return _some(one, "opened-outside", Kind.PEOPLE, text, did)


def healed(one: Aftermath) -> Signal:
    """The password was refused for minutes and then worked, where they were."""
    did = one.once["flow_id"].isin(_caught_up(one.after))
    text = f"were refused within {_REFUSED_MIN} minutes of the reset and got in soon after"
    return _some(one, "healed-within-minutes", Kind.TIME, text, did)


def _caught_up(after: pd.DataFrame) -> pd.Series[str]:
    """Return the successes after which a password was refused within minutes and then worked.

    It worked where the same application took it soon, without a new reset.
    """
    early = after[
        after["after_min"].le(_REFUSED_MIN) & after["error"].eq(REFUSED[0]).fillna(value=False)
    ]
    good = after[after["succeeded"] & after["interactive"] & after["after_min"].le(_WORKED_MIN)]
    good = good[~(good["time_utc"] >= good["again_utc"])]
    pairs = early[["flow_id", "app", "after_min"]].merge(
        good[["flow_id", "app", "after_min"]], on=["flow_id", "app"], suffixes=("", "_good")
    )
    return pairs.loc[pairs["after_min_good"] > pairs["after_min"], "flow_id"].drop_duplicates()


def place_reaches(one: Aftermath) -> Signal:
    """Hybrid devices of several people did take the new password at these places."""
    name, once = "place-reaches-dc", one.once
    if not one.watched[one.hits].any():
        text = "Whether devices took the new password at these places is not known"
        return _unknown(name, Kind.PEOPLE, text, SIGN_INS)
    there = one.opened[one.opened["ip_group"].eq(one.opened["at"])]
    proved = reach.proved(once.assign(opened=successes.told(once, there)), one.number("reached"))
    count, of = int((proved & one.hits).sum()), int(one.hits.sum())
    who = counted(of)
    text = f"{count} of {who} were at places where hybrid devices did take the new password"
    fired = 2 * count >= of
    return Signal(name, Kind.PEOPLE, State.of(fired), text, count, of)
