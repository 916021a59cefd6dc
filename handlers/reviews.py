"""Reviews: the window from an alert that is over to a page in its thread."""

from __future__ import annotations

from functools import partial

from blocks import ids, kit, reviews
from finops.periods import charge_day
from handlers.once import once, taken
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.teams import number
from handlers.visit import Visit


async def ask(visit: Visit, value: str) -> None:
    """The draft, from all that is known."""
    await visit.loading()
    incident_id = number(value)
    review = await visit.bot.reviews.draft(await visit.person(), incident_id)
    await visit.show(reviews.window(review, incident_id, charge_day(visit.bot.clock()), await visit.words()))


async def submit(form: Form) -> Outcome:
    """Post it to the thread, in the name of whoever completed it."""
    visit, t = form.visit, await form.visit.words()
    person, incident_id, text = await visit.person(), form.number("incident"), form.text(ids.REVIEW_TEXT)
    owner, due = form.user(ids.REVIEW_OWNER), form.day(ids.REVIEW_DUE)
    today = charge_day(visit.bot.clock())
    if due is None or due < today:
        said = t.gettext("Choose a day to come.")
        review = await visit.bot.reviews.draft(person, incident_id)
        return Problem({ids.REVIEW_DUE: said}, reviews.window(review, incident_id, today, t, text, said))
    review = await visit.bot.reviews.draft(person, incident_id)

    async def act() -> None:
        await visit.bot.reviews.post(person, incident_id, text, owner, due)

    def again(typed: str, said: str) -> kit.View:
        return reviews.window(review, incident_id, today, t, typed or None, said)

    if problem := await taken(form, ids.REVIEW_TEXT, text, partial(once, form, act), again):
        return problem
    return Show(reviews.posted(t), refreshes_home=False)
