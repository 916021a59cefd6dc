"""Feedback: the form from a command, a button or a message; what its readers decide and answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from blocks import feedback, ids, kit
from bot.errors import Refusal, RefusalCode
from finops.feedback import Feedback, FeedbackCategory, FeedbackDraft, FeedbackState
from handlers.once import once, taken
from handlers.submitting import Form, Outcome, Show
from handlers.teams import number
from handlers.visit import Visit

_CHANNEL, _STAMP = re.compile(r"[CDG][A-Z0-9]{2,20}"), re.compile(r"\d{1,12}\.\d{1,9}")


async def ask(visit: Visit, words: str = "") -> None:
    """`/finops feedback`, what was typed after it already in the form; and every button that leads here."""
    await _open(visit, FeedbackDraft(FeedbackCategory.IDEA, words, may_contact=True))


async def about(visit: Visit, body: Mapping[str, Any]) -> None:
    """The shortcut of a message. Of the message only where it stands is taken."""
    stamp = str((body.get("message") or {}).get("ts") or "")
    place = str((body.get("channel") or {}).get("id") or "")
    await _open(visit, FeedbackDraft(FeedbackCategory.IDEA, "", may_contact=True, **_place(place, stamp)))


async def submit(form: Form) -> Outcome:
    """Keep what was said. The same window submitted again is not said again."""
    visit = form.visit
    person, t = await visit.person(), await visit.words()
    category = form.selected(ids.FEEDBACK_CATEGORY)
    draft = FeedbackDraft(
        FeedbackCategory(category) if category in set(FeedbackCategory) else FeedbackCategory.IDEA,
        form.text(ids.FEEDBACK_TEXT),
        may_contact=form.selected(ids.FEEDBACK_CONTACT) == feedback.YES,
        **_place(str(form.ids.get("channel") or ""), str(form.ids.get("ts") or "")),
    )
    # The window's own id, and nothing of who filled it in.
    give = partial(visit.bot.feedback.give, person, draft, str(form.view.get("id")))

    def again(typed: str, said: str) -> kit.View:
        return feedback.form(t, replace(draft, text=typed), said)

    if problem := await taken(form, ids.FEEDBACK_TEXT, draft.text, give, again):
        return problem
    return Show(feedback.thanks(t, may_contact=draft.may_contact), refreshes_home=False)


async def plan(visit: Visit, value: str) -> None:
    """It will be done."""
    await visit.bot.feedback.decide(await visit.person(), number(value), FeedbackState.PLANNED)


async def done(visit: Visit, value: str) -> None:
    """It is done."""
    await visit.bot.feedback.decide(await visit.person(), number(value), FeedbackState.DONE)


async def decline(visit: Visit, value: str) -> None:
    """It will not be done."""
    await visit.bot.feedback.decide(await visit.person(), number(value), FeedbackState.DECLINED)


async def answer(visit: Visit, value: str) -> None:
    """The window to answer in."""
    await visit.in_place()
    told = await visit.bot.feedback.shown(await visit.person(), number(value))
    await visit.show(feedback.answer_form(_answerable(told), await visit.words()))


async def submit_answer(form: Form) -> Outcome:
    """Send the answer, once."""
    visit, t = form.visit, await form.visit.words()
    person, feedback_id, text = await visit.person(), form.number("feedback"), form.text(ids.FEEDBACK_ANSWER_TEXT)
    told = await visit.bot.feedback.shown(person, feedback_id)

    async def act() -> Feedback:
        return await visit.bot.feedback.answer(person, feedback_id, text)

    def again(typed: str, said: str) -> kit.View:
        return feedback.answer_form(told, t, typed, said)

    if problem := await taken(form, ids.FEEDBACK_ANSWER_TEXT, text, partial(once, form, act), again):
        return problem
    return Show(feedback.answered(told, t), refreshes_home=False)


async def _open(visit: Visit, draft: FeedbackDraft) -> None:
    await visit.in_place()
    await visit.show(feedback.form(await visit.words(), draft))


def _answerable(told: Feedback) -> Feedback:
    if told.user_id is None:
        raise Refusal(RefusalCode.FEEDBACK_WITHOUT_CONTACT)
    if told.answered_at is not None:
        raise Refusal(RefusalCode.FEEDBACK_ANSWERED, person=told.answered_by, at=told.answered_at)
    return told


def _place(channel_id: str, stamp: str) -> dict[str, Any]:
    """Where a message stands; nothing when somebody sent something else."""
    is_place = _CHANNEL.fullmatch(channel_id) is not None and _STAMP.fullmatch(stamp) is not None
    return {"channel_id": channel_id, "message_ts": stamp} if is_place else {}
