"""Collecting on demand: begins at once, tells its progress in a direct message."""

from __future__ import annotations

from blocks import collection
from handlers import home
from handlers.visit import Visit


async def now(visit: Visit) -> None:
    """`/finops collect`, and the button on Home, where the progress shows by itself."""
    person = await visit.person()
    started = await visit.bot.collecting.start_manual(person)
    t = await visit.words()
    without = tuple(one.name for one in started.without_key)
    await visit.answer(collection.started(started.collections, without, t))
    await home.refresh(visit)
