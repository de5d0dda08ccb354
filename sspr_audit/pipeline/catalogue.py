"""The catalogue of causes, for people."""

from __future__ import annotations

import difflib

from sspr_audit.errors import UsageError
from sspr_audit.knowledge.wordings import says
from sspr_audit.pipeline.analysis import Analysis, Options
from sspr_audit.report import catalogue


def told(options: Options, wanted: str | None) -> str:
    """Return the list of causes, one cause in full, a family, or the causes of what users see.

    Raises UsageError for what is none of them.
    """
    knowledge = options.knowledge
    here = [
        one.in_cloud(options.cloud, knowledge.clouds)
        for one in knowledge.causes.values()
        if one.applies_in(options.cloud)
    ]
    if wanted is None:
        return catalogue.listing(here)
    if " " in wanted.strip():  # no id: words, such as those that a user read out
        shown = [one for one in here if says(one.user_sees or "", wanted, knowledge.wordings)]
        if shown:
            return catalogue.listing(shown)
    if known(wanted, options) in knowledge.causes:
        return catalogue.page(knowledge.causes[wanted], knowledge, cloud=options.cloud)
    return catalogue.family_page(knowledge.families[wanted], knowledge, cloud=options.cloud)


def why(done: Analysis, wanted: str) -> str:
    """Return how the verdict on the cause or family `wanted` came about in what was analysed."""
    from sspr_audit.report import why as page

    return page.page(
        known(wanted, done.options),
        done.options.knowledge,
        findings=done.report.findings,
        tested=done.judged.tested,
        judgements=done.judged.judgements,
    )


def known(wanted: str, options: Options) -> str:
    """Return the id of a cause or family as it is. Raises UsageError for one that is neither."""
    knowledge = options.knowledge
    if wanted in knowledge.causes or wanted in knowledge.families:
        return wanted
    near = difflib.get_close_matches(wanted, [*knowledge.causes, *knowledge.families], n=1)
    hint = f"; did you mean {near[0]}?" if near else "; `sspr-audit causes` lists them"
    msg = f"there is no cause {wanted!r}{hint}"
    raise UsageError(msg)
