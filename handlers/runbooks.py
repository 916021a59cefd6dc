"""Runbooks: the menu of an alert that puts the steps into its thread, and the boxes there."""

from __future__ import annotations

from blocks import runbooks
from bot.errors import Refusal, RefusalCode
from handlers.teams import number
from handlers.visit import Visit


async def put(visit: Visit, value: str) -> None:
    """The steps, in the thread."""
    await visit.bot.runbooks.put(await visit.person(), number(value))
    await visit.answer(runbooks.put(await visit.words()))


async def tick(visit: Visit, value: str) -> None:
    """A box ticked or unticked: the message itself says so to everybody."""
    found = runbooks.ticked(value)
    if found is None:
        raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
    incident_id, step, is_done = found
    await visit.bot.runbooks.tick(await visit.person(), incident_id, step, is_done=is_done)
