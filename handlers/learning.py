"""Learning: what was done about spending and what came of it, asked by a word or a button."""

from __future__ import annotations

from blocks import learning
from handlers.status import has_channel
from handlers.visit import Visit


async def ask(visit: Visit, words: str = "") -> None:
    """`/finops effect`"""
    del words
    report = await visit.bot.effects.report(await visit.person())
    await visit.answer(learning.message(report, await visit.words()))


async def show(visit: Visit, value: str) -> None:
    """A button that asks; answered beside it, or in a window from Home."""
    del value
    if not has_channel(visit):
        await visit.loading()
    await ask(visit)
