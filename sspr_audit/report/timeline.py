"""One flow, or one person's flows and acts, as a time line that can be read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sspr_audit.report import harmless, plain, words
from sspr_audit.report.clock import Clock, clock, length

if TYPE_CHECKING:
    import pandas as pd

    from sspr_audit.knowledge.clouds import Cloud
    from sspr_audit.knowledge.known import Knowledge

_REASON_BOUND: Final = 300
"""Characters of a reason as written."""

_STEPS: Final = {
    10: "typed in the user name",
    20: "was offered ways to verify",
    30: "started to verify by {method}",
    40: "proved the {method}",
    50: "passed every check",
    60: "typed in a new password",
}
"""What the person did, by the stage of an event that is a plain step."""

_ENDS: Final = {
    "blocked": "was blocked by Entra",
    "failed": "this try failed",
    "cancelled": "cancelled",
    "abandoned": "gave up",
}
"""What an event of this meaning says."""

_STORED: Final = "reset user password"
"""The one of Core Directory's records that tells something new: the password is in place."""

_ECHOES: Final = {
    _STORED: "Entra stored the new password",
    "change user password": "the directory recorded a change of the password",
    "update stsrefreshtokenvalidfrom timestamp": "sign-ins made before were declared invalid",
}
"""Core Directory's own records, by activity in lower case."""

_DECIDED: Final = ("blocked", "failed", "cancelled")
"""Outcomes, and meanings of events, that a reason decides."""

_IN_ACTS: Final = ("change", "admin-reset", "registration")
"""Roles of events that are told by their act."""

_PROVED: Final = 40
"""The stage from which on the person has proved to be who they say."""

_DONE: Final = 80
"""The stage at which the person is told that it worked."""


@dataclass(frozen=True, slots=True, order=True)
class _Item:
    """One paragraph of the story: when it began and ended (UTC), and what stands in it."""

    start: datetime
    key: str
    end: datetime
    words: tuple[str, ...]
    after: tuple[str, ...] = ()


def render(  # noqa: PLR0913 -- what a story is made from, and how it is wished
    events: pd.DataFrame,
    flows: pd.DataFrame,
    acts: pd.DataFrame,
    *,
    heading: str | None,
    timezone: str | None,
    causes: Mapping[str, Sequence[str]],
    only: str | None = None,
    verbose: bool = False,
) -> str:
    """Return the story that these rows of EVENTS, FLOWS and ACTS tell, oldest first.

    Every event stands in it: under its flow, in its act, or on a line of its own. Of the records
    that the directory adds only the stored password stands there, unless `verbose`; the number of
    the others is told. `causes` are lines for flows, by id; with `only`, just that flow is told.
    Times are local with UTC beside them. Raises SettingsError for an unknown time zone.
    """
    when = clock(timezone)
    named = [without_nulls(row) for row in _ordered(events)]
    tries = [without_nulls(row) for row in flows.to_dict("records")]
    homes = [_home(event, tries) for event in named]
    by_flow: dict[str, list[dict[str, Any]]] = {}
    loose = []
    left_out = 0
    for event, home in zip(named, homes, strict=True):
        if only not in (None, home):
            continue
        if event["role"] == "echo" and not verbose and (event["activity"] or "").lower() != _STORED:
            left_out += 1
        elif home is not None:
            by_flow.setdefault(home, []).append(event)
        elif event["role"] not in _IN_ACTS:
            loose.append(event)
    told = [
        *(
            _flow(flow, by_flow.get(flow["flow_id"], []), causes.get(flow["flow_id"], ()), when)
            for flow in tries
            if only in (None, flow["flow_id"])
        ),
        *(_act(without_nulls(row), when) for row in acts.to_dict("records")),
        *(_loose(event, when) for event in loose),
    ]
    lines = [] if heading is None else [harmless.line(heading), ""]
    if not told:
        lines += ["Nothing is recorded.", ""]
    before: datetime | None = None
    for item in sorted(told):
        first, *others = item.words
        begun = _begun(first) if before is None else f"{_later(item.start - before)}, {first}"
        lines += [one for each in (begun, *others) for one in plain.wrapped(each)]
        lines += [*item.after, ""]
        before = item.end if before is None else max(before, item.end)
    if left_out:
        records = words.several(
            left_out, "record of the directory is", "records of the directory are"
        )
        lines += [f"{records} left out; --verbose shows all.", ""]
    return "\n".join(lines)


def _ordered(events: pd.DataFrame) -> list[dict[Any, Any]]:
    return events.sort_values(["time_utc", "rank", "event_id"]).to_dict("records")


def _home(event: Mapping[str, Any], flows: list[dict[str, Any]]) -> str | None:
    """Return the flow in whose paragraph the event stands.

    Core Directory's records carry no flow: the one that a flow names is its own, and others of the
    same person while it lasted are told there too.
    """
    for flow in flows:
        if flow["flow_id"] == event["flow_id"] or flow["echo_id"] == event["event_id"]:
            return str(flow["flow_id"])
    if event["role"] != "echo" or event["person"] is None:
        return None
    for flow in flows:
        during = flow["start_utc"] <= event["time_utc"] <= flow["end_utc"]
        if during and flow["person"] == event["person"]:
            return str(flow["flow_id"])
    return None


def why(target: str, knowledge: Knowledge, *, cloud: Cloud | None, inferred: bool) -> list[str]:
    """Return lines on a cause or family: what it is, who can mend it, what to do in `cloud`.

    `inferred` is whether it is known by inference only that the text means this.
    """
    family = knowledge.families.get(target)
    lead = knowledge.causes[family.lead if family else target].in_cloud(cloud, knowledge.clouds)
    title = family.title if family else lead.title
    if family:
        title += f"; the text does not say which of its {len(family.members)} causes it is"
    elif inferred:
        title += "; that the text means this is known by inference only"
    told = {
        "Cause": title,
        "Fixed by": words.WHO.get(lead.who_can_fix, lead.who_can_fix),
        "Do": lead.remedy.summary,
        "More": f"sspr-audit causes {target}",
    }
    return [
        line for label, text in told.items() for line in plain.wrapped(text, mark=f"{label:10}")
    ]


def _flow(
    flow: Mapping[str, Any], events: list[dict[str, Any]], cause: Sequence[str], when: Clock
) -> _Item:
    return _Item(
        start=flow["start_utc"],
        key=flow["flow_id"],
        end=flow["end_utc"],
        words=tuple(_heading(flow, events, when)),
        after=(*cause, *_steps(flow, events, when)),
    )


def _heading(flow: Mapping[str, Any], events: list[dict[str, Any]], when: Clock) -> Iterator[str]:
    yield (
        f"{_beginning(flow)} at {when.moment(flow['start_utc'], seconds=True)}, {_from(flow)}, "
        f"{words.client(flow['client'])}."
    )
    ending = words.OUTCOME.get(flow["outcome"], flow["outcome"])
    after = "" if not flow["length_s"] else f" after {length(timedelta(seconds=flow['length_s']))}"
    # Where no event that decides gives it, the reason is only the last step, which stands below.
    deciding = {event["reason"] for event in events if event["meaning"] in _DECIDED}
    decided = flow["outcome"] in _DECIDED and flow["reason"] in deciding
    reason = _quoted(flow["reason"]) if decided else ""
    yield _stopped(f"It {ending}{after}{': ' + reason if reason else ''}")
    yield f"Flow {words.name(flow['flow_id'])}"


def _beginning(flow: Mapping[str, Any]) -> str:
    """Return who began; a person who has proved nothing is only somebody's claim."""
    what = "to reset a password or unlock an account"
    if flow["stage"] >= _PROVED:
        return f"{_who(flow)} began {what}"
    if flow["upn"]:
        return f"somebody gave the user name {words.name(flow['upn'])}, {what},"
    if flow["person"]:
        return f"somebody gave the user name of {words.name(flow['person'])}, {what},"
    return f"somebody gave a user name that is not recorded, {what},"


def _steps(flow: Mapping[str, Any], events: list[dict[str, Any]], when: Clock) -> Iterator[str]:
    if events:
        yield ""
    day = when.day(flow["start_utc"])
    for event in events:
        if when.day(event["time_utc"]) != day:
            day = when.day(event["time_utc"])
            yield f"  {day}"
        since = (event["time_utc"] - flow["start_utc"]).total_seconds()
        said, reason = said_of(event)
        if event["event_id"] == flow["echo_id"] and flow["echo_s"] is not None:
            said += f" {int(flow['echo_s'])} s later"
        yield f"  {when.time(event['time_utc'])}  {f'+{int(since):,} s':>8}  {said}"
        if reason:
            yield from plain.wrapped(f"Entra wrote: {reason}", indent=22)
    if flow["outcome"] == "abandoned":
        yield f"{'':22}did nothing more that was recorded"


def said_of(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return an event in plain words, and its reason as written unless the words say it all."""
    reason = _quoted(event["reason"])
    if event["role"] == "echo":
        activity = event["activity"] or "something"
        return _ECHOES.get(activity.lower(), f"the directory recorded {_quoted(activity)}"), reason
    meaning, stage = event["meaning"], event["stage"]
    if meaning == "step" and stage in _STEPS:
        method = words.name(event["method"] or "a method that is not named")
        return _STEPS[stage].format(method=method), ""
    if meaning == "succeeded":
        return _success(event), reason
    if meaning in _ENDS:
        return _ENDS[meaning], reason
    return f"did something that has no words here: {_quoted(event['activity'])}", reason


def _success(event: Mapping[str, Any]) -> str:
    if "unlock" in (event["activity"] or "").lower():
        return "the account was unlocked"
    if event["stage"] == _DONE:
        return "was told that the password is reset"
    return "the password was reset"


def _act(act: Mapping[str, Any], when: Clock) -> _Item:
    ending = {"succeeded": "It succeeded.", "failed": "It failed."}.get(
        act["outcome"], "The record does not say whether it worked."
    )
    reason = _quoted(act["reason"])
    wrote = _stopped(f" Entra wrote: {reason}") if reason else ""
    moment = when.moment(act["time_utc"], seconds=True)
    return _Item(
        start=act["time_utc"],
        key=act["act_id"],
        end=act["time_utc"],
        words=(f"{_did(act)} at {moment}. {ending}{wrote}",),
    )


def _did(act: Mapping[str, Any]) -> str:
    who = _who(act)
    match act["kind"]:
        case "admin-reset":
            actor = words.name(act["actor"] or "somebody who is not recorded")
            return f"an administrator ({actor}) reset the password of {who}"
        case "password-change":
            return f"{who} changed the password, knowing the old one,"
        case "registration":
            return f"{who} registered a way to verify"
        case kind:
            return f"{who}: {words.name(kind or 'an act without a kind')}"


def _loose(event: Mapping[str, Any], when: Clock) -> _Item:
    """Return an event that stands in no flow and no act, so that none is lost."""
    moment = when.moment(event["time_utc"], seconds=True)
    reason = _quoted(event["reason"])
    activity = event["activity"] or ""
    said = _ECHOES.get(activity.lower()) or _quoted(activity)
    early = ", in a flow that began before this data" if event["role"] == "flow" else ""
    what = ": ".join(one for one in (said, reason) if one)
    return _Item(
        start=event["time_utc"],
        key=event["event_id"],
        end=event["time_utc"],
        words=(_stopped(f"also recorded for {_who(event)} at {moment}{early}: {what}"),),
    )


def without_nulls(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row with None for every kind of null that a frame knows."""
    import pandas as pd

    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def _who(row: Mapping[str, Any]) -> str:
    return words.name(row["upn"] or row["person"] or "somebody who is not recorded")


def _from(flow: Mapping[str, Any]) -> str:
    if flow["ip"] is None:
        return "from an address that is not recorded"
    site = f" ({words.name(flow['site'])})" if flow["site"] else ""
    return f"from {words.name(flow['ip'])}{site}"


def _quoted(text: str | None) -> str:
    """Return the text in quotes; nothing for no text, nor for the `None` that Entra writes."""
    return (
        ""
        if not text or text.strip().lower() == "none"
        else f'"{harmless.line(text.strip(), bound=_REASON_BOUND)}"'
    )


def _later(gap: timedelta) -> str:
    return "At the same time" if gap <= timedelta(0) else _begun(f"{length(gap)} later")


def _begun(sentence: str) -> str:
    """Return the sentence with a capital, if it begins with a word of ours and not with a name."""
    ours = sentence.startswith(("somebody ", "an administrator ", "also recorded ", "less than "))
    return sentence[0].upper() + sentence[1:] if ours else sentence


def _stopped(sentence: str) -> str:
    """Return the sentence with a full stop, unless a quote at its end has one."""
    return sentence if sentence.endswith('."') else f"{sentence}."
