"""A budget as a person makes it: `/finops budget`, the window, what it recommends, and saving."""

from __future__ import annotations

from blocks import ids
from demo.onboarding import Say, Stuck, settled_view, words_of
from demo.slack import Person
from demo.stage import Stage


async def set_budget(stage: Stage, person: Person, scope: str, amount: str, say: Say) -> None:
    """Give the team or project called `scope` a daily budget, unless one is shown for it already."""
    say(f"budget {amount} a day for {scope}")
    await person.command("/finops budget")
    listed = await settled_view(stage.slack, person)
    if f"*{scope}* · " in words_of(listed):
        person.closes(everything=True)
        return
    await person.clicks(listed, ids.BUDGET_NEW)
    await stage.slack.until(lambda: _is_form(person), 30)
    try:
        await person.types({ids.BUDGET_SCOPE: scope, ids.BUDGET_AMOUNT: amount})
    except LookupError as error:
        raise Stuck(f"no budget for {scope}: {error}") from error
    answer = await person.submits()
    if not answer.get("ok"):
        raise Stuck(f"the budget was refused: {answer.get('errors') or answer}")
    await settled_view(stage.slack, person)
    person.closes(everything=True)


def _is_form(person: Person) -> bool:
    view = person.view
    return view is not None and view["callback_id"] == ids.VIEW_BUDGET
