"""A tip a week: a small habit that costs nothing; another one each week, in the same order for everybody."""

from __future__ import annotations

from collections.abc import Callable

from finops.digest import Digest
from locales import Translator


def tip(digest: Digest, t: Translator) -> str:
    """This week's tip, as one line of mrkdwn."""
    number = digest.week.start.toordinal() // 7
    return _TIPS[number % len(_TIPS)](t)


_TIPS: tuple[Callable[[Translator], str], ...] = (
    lambda t: t.gettext("What may wait until tomorrow costs half by batch: nightly jobs are the first to move."),
    lambda t: t.gettext(
        "Put what never changes first in the prompt: cached input costs a fraction, and a changed first line loses it."
    ),
    lambda t: t.gettext("Give every retry a limit and a pause: a loop at night is the dearest line on most bills."),
    lambda t: t.gettext("Name the task in your events: two tasks in one project rarely deserve the same model."),
    lambda t: t.gettext("Set a target for what a success may cost: the ranking then measures against your own word."),
    lambda t: t.gettext("Ask for shorter answers: output tokens cost several times what input tokens do."),
)
