"""The weekly one-tap rating of projects that record no outcomes: was it worth its money?"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from blocks import ids, kit
from finops.periods import Period
from finops.value import SCORE_UNITS
from locales import Translator

# What each button says, in thousandths. The order is that of the buttons.
SCORES = (SCORE_UNITS, SCORE_UNITS // 2, 0)
_BUTTONS = (ids.RATE_GOOD, ids.RATE_FAIR, ids.RATE_POOR)


class Rated(Protocol):
    """What is to be rated: a finops.digest.DigestProject is one."""

    @property
    def project_id(self) -> int: ...

    @property
    def name(self) -> str: ...


def rating_block(project: Rated, week: Period, t: Translator) -> list[kit.Block]:
    """The question about one project and its three buttons (two blocks): anybody who reads it may answer."""
    asked = t.gettext("*{project}* · was it worth its cost in the week of {days}?", project=kit.name(project.name),
                      days=t.days(week))  # fmt: skip
    buttons = [
        kit.button(word, action_id, value_of(project.project_id, week.start, score))
        for action_id, score, word in zip(_BUTTONS, SCORES, _words(t), strict=True)
    ]
    return [kit.section(asked), kit.actions(*buttons, block_id=f"rate_{project.project_id}_{week.start}")]


def thanks(
    name: str, project_id: int, week: date, score: int, t: Translator, *, was_changed: bool = False,
    is_same: bool = False,
) -> kit.Message:  # fmt: skip
    """What only the person who answered sees: what is kept, and that it may be changed or taken back."""
    word = dict(zip(SCORES, _words(t), strict=True))[score]
    if is_same:
        said = t.gettext("Your answer for *{project}* stays: {answer}.", project=kit.name(name), answer=word)
    elif was_changed:
        said = t.gettext("Your answer for *{project}* is now: {answer}.", project=kit.name(name), answer=word)
    else:
        said = t.gettext(
            "Thank you. Your answer for *{project}*: {answer}. Another button changes it.",
            project=kit.name(name),
            answer=word,
        )
    value = value_of(project_id, week, score)
    back = kit.button(t.gettext("Take my answer back"), ids.RATE_WITHDRAW, value)
    return kit.message(said.replace("*", ""), [kit.section(said), kit.actions(back)])


def withdrawn(name: str, t: Translator) -> kit.Message:
    """That an answer counts no more."""
    said = t.gettext("Your answer for *{project}* was taken back. You can answer again.", project=kit.name(name))
    return kit.message(said.replace("*", ""), [kit.section(said)])


def value_of(project_id: int, week: date, score: int) -> str:
    """What a button carries: which project, which week (its Monday), which answer."""
    return f"{project_id}/{week.isoformat()}/{score}"


def parsed(value: str) -> tuple[int, date, int] | None:
    """The project, week and answer of a button; None when somebody sent something else."""
    project_id, _, rest = value.partition("/")
    week, _, score = rest.partition("/")
    if not kit.is_key(project_id) or score not in map(str, SCORES):
        return None
    try:
        return int(project_id), date.fromisoformat(week), int(score)
    except ValueError:
        return None


def _words(t: Translator) -> tuple[str, str, str]:
    return t.gettext("👍 Worth it"), t.gettext("So-so"), t.gettext("👎 Not worth it")
