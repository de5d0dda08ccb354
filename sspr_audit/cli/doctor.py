"""sspr-audit doctor."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sspr_audit.cli import fetch, run, writing
from sspr_audit.errors import SettingsError

if TYPE_CHECKING:
    from sspr_audit.pipeline.doctoring import Check

WORST_FIRST: Final = (2, 4, 6, 5)
"""Of the contract's exit codes, those that a check can have."""

PASSED: Final = {
    "store": "{it} opens, {count:,} audit records",
    "privacy": "only its owner may open the store",
    "space": "{gib:,.1f} GiB free in {it}",
    "mail": "no mail waits, and none is in doubt",
    "lock": "nobody else is at work on the store",
    "pace": "the next request may go out in {seconds:,.0f} s",
    "network": "{it} answers",
    "clock": "within {seconds:.0f} s of that of {it}",
    "sign-in": "with auth = {it}",
    "permission": "{it}",
    "licence": "audit records are kept for {days} days (30 with Entra ID P1 or P2, 7 without)",
}
"""What a check says that passed, by its topic."""


def doctor(
    config: run.Config = None, quiet: run.Quiet = False, verbose: run.Verbose = False
) -> int:
    """See whether all is there that a fetch needs: settings, store, network, permissions."""
    try:
        here = run.begin(config, quiet=True, verbose=verbose)
    except SettingsError as error:
        for line in str(error).splitlines():
            writing.write(_line("fail", "settings", line))
        writing.write(_line("skip", "the rest", "the settings come first"))
        return SettingsError.exit_code
    if not quiet:
        file = here.settings.file or "no file, so all is default; `sspr-audit init` writes one"
        writing.write(_line("pass", "settings", str(file)))
    codes, wants_consent = set(), False
    for check in _checks(here):
        codes.add(check.exit_code)
        wants_consent = wants_consent or check.wants_consent
        if check.state == "fail" or not quiet:
            writing.write(_line(check.state, check.topic, _told(check)))
    if wants_consent and not quiet:
        link = _consent(here)
        here.warn(f"to grant: add the permission to the app registration, then open {link}")
    return next((code for code in WORST_FIRST if code in codes), 0)


def _checks(here: run.Run) -> "Iterator[Check]":
    from sspr_audit import knowledge
    from sspr_audit.pipeline import doctoring
    from sspr_audit.pipeline.keeping import Keeper

    ours = here.settings
    keeper = Keeper(ours.store.path, here.now, lambda _: None, timedelta(), ours.tenant.id)
    clouds = knowledge.load().clouds
    return doctoring.examined(ours, keeper, clouds, fetch.outside(here))


def _consent(here: run.Run) -> str:
    from sspr_audit import knowledge
    from sspr_audit.pipeline import connecting

    app = connecting.registered(here.settings, knowledge.load().clouds, fetch.outside(here).secret)
    return connecting.consent_link(app.authority, app.tenant, app.client_id)


def _line(state: str, topic: str, text: str) -> str:
    return run.shown(f"{state}  {topic:<10}  {text}") + "\n"


def _told(check: "Check") -> str:
    """Return what a check says, after its state and topic."""
    if check.state == "pass":
        return _passed(check)
    named = f"{check.subject}: " if check.subject else ""
    cost = f"; without it, {check.without}" if check.without else ""
    return f"{named}{check.reason}{cost}"


def _passed(check: "Check") -> str:
    words, found = PASSED[check.topic], check.found
    if isinstance(found, timedelta):
        return words.format(it=check.subject, days=found.days, seconds=abs(found).total_seconds())
    return words.format(it=check.subject, count=found or 0, gib=(found or 0) / 2**30)
