"""What happened, in plain words: one event, one flow, one act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from sspr_audit.report import harmless, words
from sspr_audit.report.clock import Clock, length

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

STORED: Final = "reset user password"
"""The one of Core Directory's records that tells something new: the password is in place."""

_ECHOES: Final = {
    STORED: "Entra stored the new password",
    "change user password": "the directory recorded a change of the password",
    "update stsrefreshtokenvalidfrom timestamp": "sign-ins made before were declared invalid",
}
"""Core Directory's own records, by activity in lower case."""

_DECIDED: Final = ("blocked", "failed", "cancelled")
"""Outcomes, and meanings of events, that a reason decides."""

_PROVED: Final = 40
"""The stage from which on the person has proved to be who they say."""

_DONE: Final = 80
"""The stage at which the person is told that it worked."""


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


def flow(row: Mapping[str, Any], events: list[dict[str, Any]], when: Clock) -> Iterator[str]:
    """Yield who began a flow, when, from where and with what; how it ended; and its id."""
    yield (
        f"{_beginning(row)} at {when.moment(row['start_utc'], seconds=True)}, {_from(row)}, "
        f"{words.client(row['client'])}."
    )
    ending = words.OUTCOME.get(row["outcome"], row["outcome"])
    after = "" if not row["length_s"] else f" after {length(timedelta(seconds=row['length_s']))}"
    # Where no event that decides gives it, the reason is only the last step, which stands below.
    deciding = {event["reason"] for event in events if event["meaning"] in _DECIDED}
    decided = row["outcome"] in _DECIDED and row["reason"] in deciding
    reason = _quoted(row["reason"]) if decided else ""
    yield _stopped(f"It {ending}{after}{': ' + reason if reason else ''}")
    yield f"Flow {words.name(row['flow_id'])}"


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


def act(row: Mapping[str, Any], when: Clock) -> str:
    """Return who did what when, and how that ended."""
    ending = {"succeeded": "It succeeded.", "failed": "It failed."}.get(
        row["outcome"], "The record does not say whether it worked."
    )
    reason = _quoted(row["reason"])
    wrote = _stopped(f" Entra wrote: {reason}") if reason else ""
    return f"{_did(row)} at {when.moment(row['time_utc'], seconds=True)}. {ending}{wrote}"


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


def alone(event: Mapping[str, Any], when: Clock) -> str:
    """Return what is recorded in an event that belongs to no flow and no act."""
    moment = when.moment(event["time_utc"], seconds=True)
    reason = _quoted(event["reason"])
    activity = event["activity"] or ""
    said = _ECHOES.get(activity.lower()) or _quoted(activity)
    early = ", in a flow that began before this data" if event["role"] == "flow" else ""
    what = ": ".join(one for one in (said, reason) if one)
    return _stopped(f"also recorded for {_who(event)} at {moment}{early}: {what}")


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


def _stopped(sentence: str) -> str:
    """Return the sentence with a full stop, unless a quote at its end has one."""
    return sentence if sentence.endswith('."') else f"{sentence}."
