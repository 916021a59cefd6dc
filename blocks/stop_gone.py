"""The words for a project that the provider denies or no longer has: what was before is kept, nobody is accused."""

from __future__ import annotations

from finops.holds import Hold, HoldState, HoldTrouble
from locales import Translator


def is_denied(hold: Hold) -> bool:
    """Whether the provider says that there is no such project, and something of ours may stand there."""
    return hold.trouble is HoldTrouble.PROJECT_GONE and hold.is_active and hold.former is not None


def is_gone(hold: Hold) -> bool:
    """Whether a hold ended because the provider no longer has the project."""
    return hold.trouble is HoldTrouble.PROJECT_GONE and hold.state is HoldState.LOST


def denied_words(t: Translator, *, is_wanted: bool) -> str:
    """What the provider says, and what becomes of the former settings; plain text."""
    if is_wanted:
        return t.gettext(
            "OpenAI says that there is no such project. What was set before is kept, and we go on looking: once the "
            "project is seen again, it can be restored as it was"
        )
    return t.gettext(
        "not put back yet: OpenAI says that there is no such project. What was set before is kept, and is put back as "
        "soon as the project is seen again"
    )


def gone_words(t: Translator) -> str:
    """That it ended with the project; plain text."""
    return t.gettext("OpenAI no longer has this project")
