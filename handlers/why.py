"""Why: asked by words or by a button, answered to one person, shared when they say so."""

from __future__ import annotations

from blocks import why
from blocks.status import Question
from bot.errors import Refusal, RefusalCode
from finops.why import WhyReport
from handlers.status import has_channel, mark, show_in
from handlers.visit import Visit


async def ask(visit: Visit, words: str) -> None:
    """`/finops why …`"""
    person = await visit.person()
    report = await visit.bot.why.asked(visit.workspace_id, person, words)
    await visit.answer(why.message(report, await visit.words(), mark=mark(visit)))


async def show(visit: Visit, value: str) -> None:
    """A button that asks; answered beside it, or in a window from Home."""
    if not has_channel(visit):
        await visit.loading()
    report = await _again(visit, value)
    await visit.answer(why.message(report, await visit.words(), mark=mark(visit)))


async def refresh(visit: Visit, value: str) -> None:
    """The same question, asked again; the answer takes the place of the old one."""
    report = await _again(visit, value)
    await visit.answer(why.message(report, await visit.words(), mark=mark(visit)), replaces=True)


async def share(visit: Visit, value: str) -> None:
    """Show the answer to the channel, as it stands now, in the channel's language."""
    channel = visit.channel_id
    if channel is None:
        return
    report = await _again(visit, value)
    message = why.message(report, await visit.public_words(channel), shared_by=visit.user_id)
    await show_in(visit, channel, message)


async def _again(visit: Visit, value: str) -> WhyReport:
    await visit.person()
    question = Question.parse(value)
    if question is None:
        raise Refusal(RefusalCode.UNKNOWN_PERIOD, words=value[:40], suggestion=None)
    return await visit.bot.why.asked_again(visit.workspace_id, question.kind, question.id, question.period)
