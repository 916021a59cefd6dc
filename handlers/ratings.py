"""Ratings: one tap below the weekly report, answered to the one who tapped."""

from __future__ import annotations

from datetime import date

from blocks import ratings
from bot.errors import Refusal, RefusalCode
from handlers.visit import Visit


async def rate(visit: Visit, value: str) -> None:
    """Keep an answer; a later one takes its place."""
    project_id, week, score = _asked(value)
    rated = await visit.bot.ratings.rate(await visit.person(), project_id, week, score)
    t = await visit.words()
    await visit.answer(
        ratings.thanks(
            rated.project.name, project_id, week, score, t, was_changed=rated.was_changed, is_same=rated.is_same
        )
    )


async def withdraw(visit: Visit, value: str) -> None:
    """Take an answer back."""
    project_id, week, _ = _asked(value)
    project = await visit.bot.ratings.take_back(await visit.person(), project_id, week)
    await visit.answer(ratings.withdrawn(project.name, await visit.words()), replaces=visit.is_ephemeral)


def _asked(value: str) -> tuple[int, date, int]:
    """The project, week and answer that a button carries."""
    asked = ratings.parsed(value)
    if asked is None:
        raise Refusal(RefusalCode.RATING_TOO_OLD)
    return asked
