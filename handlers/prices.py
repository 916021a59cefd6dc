"""Unit prices: what the models cost that were used, or one that is named."""

from __future__ import annotations

from blocks import prices
from handlers.visit import Visit


async def ask(visit: Visit, words: str) -> None:
    """`/finops price [model]`"""
    await visit.person()
    report = await visit.bot.pricing.asked(visit.workspace_id, words)
    await visit.answer(prices.message(report, await visit.words()))
