"""Ratings: one tap below the weekly report, answered to the one who tapped."""

from __future__ import annotations

from blocks import ratings
from bot.errors import Refusal, RefusalCode
from handlers.visit import Visit


async def rate(visit: Visit, value: str) -> None:
    """Keep an answer; a later one takes its place."""
    asked = ratings.parsed(value)
    if asked is None:
        raise Refusal(RefusalCode.RATING_TOO_OLD)
    project_id, week, score = asked
    rated = await visit.bot.ratings.rate(await visit.person(), project_id, week, score)
    t = await visit.words()
    await visit.answer(ratings.thanks(rated.project.name, rated.score, t, was_changed=rated.was_changed))
