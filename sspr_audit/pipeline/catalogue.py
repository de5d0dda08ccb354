"""The catalogue of causes, for people."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from sspr_audit.errors import UsageError
from sspr_audit.knowledge.wordings import says
from sspr_audit.pipeline.analysis import Analysis, Options
from sspr_audit.report import catalogue

if TYPE_CHECKING:
    from sspr_audit.knowledge import Knowledge
    from sspr_audit.knowledge.catalogue import Cause


_WORDS: Final = re.compile(r"(?![a-z0-9]*-[a-z0-9-]*$)\S.{2,}\S")
"""What may stand in a text of a cause: a line of some letters that looks like no id."""


def told(options: Options, wanted: str | None) -> str:
    """Return the list of causes, one cause in full, a family, or the causes that words speak of.

    Words are what users see, else a reason, a code or a part of a title. Raises UsageError for what
    is none of them.
    """
    knowledge = options.knowledge
    here = [
        one.in_cloud(options.cloud, knowledge.clouds)
        for one in knowledge.causes.values()
        if one.applies_in(options.cloud)
    ]
    if wanted is None:
        return catalogue.listing(here)
    is_id = wanted in knowledge.causes or wanted in knowledge.families
    if _WORDS.fullmatch(wanted.strip()) and not is_id:
        seen = [one for one in here if says(one.user_sees or "", wanted, knowledge.wordings)]
        # A sentence that a user reads out is theirs; a single word may stand anywhere.
        told_of = seen if seen and " " in wanted.strip() else _speaking_of(wanted, here, knowledge)
        if told_of:
            return catalogue.listing(told_of)
    if known(wanted, options) in knowledge.causes:
        return catalogue.page(knowledge.causes[wanted], knowledge, cloud=options.cloud)
    return catalogue.family_page(knowledge.families[wanted], knowledge, cloud=options.cloud)


def _speaking_of(wanted: str, here: list[Cause], knowledge: Knowledge) -> list[Cause]:
    """Return the causes whose title, signs, codes or reasons hold these words."""
    stated = {
        cause
        for row in knowledge.reasons
        if says(row.text, wanted, ())
        for cause in (*row.causes, *(knowledge.families[row.family].members if row.family else ()))
    }

    def holds(one: Cause) -> bool:
        sees = one.user_sees or ""
        texts = (one.title, sees, one.signature, *one.evidence_elsewhere, *one.fits, *one.sources)
        return any(says(text, wanted, knowledge.wordings) for text in texts)

    return [one for one in here if one.id in stated or holds(one)]


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
    msg = f"there is no cause {wanted!r}, and no text of one holds it{hint}"
    raise UsageError(msg)
