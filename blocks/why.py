"""Why it moved, in words: one sentence for every surface, and the parts that add up to the difference."""

from __future__ import annotations

from blocks import kit
from finops.why import Why, WhyReport
from locales import Translator

Parts = list[kit.Block | kit.Either]


def sentence(why: Why, t: Translator) -> str:
    """The cause in one sentence of plain text (escape it for mrkdwn), also where there is none to tell."""
    raise NotImplementedError


def details(why: Why, t: Translator) -> Parts:
    """The parts as a table: what each factor added or took, and how it moved itself; the amounts add up as shown."""
    raise NotImplementedError


def message(report: WhyReport, t: Translator, *, shared_by: str | None = None, mark: str | None = "") -> kit.Message:
    """The answer to `/finops why`. `shared_by` (a user id) makes it the public version, without buttons.

    `mark` goes into the buttons, to tell this rendering from the next; None where there is no channel to share it in.
    """
    raise NotImplementedError
