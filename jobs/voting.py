"""The poll clock: closes polls that are over and makes reminders, each once: the database decides who of all does."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot import Bot
from jobs.worker import guarded

# Votes are refused from the second on; the message says so this much later at most.
LOOK_EVERY_SECONDS = 5.0


class PollClock:
    """One in each process."""

    def __init__(self, bot: Bot, look_every_seconds: float = LOOK_EVERY_SECONDS) -> None:
        self._bot = bot
        self._look_every_seconds = look_every_seconds
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Finish what is being closed, begin nothing new."""
        self._stopped.set()

    async def run(self) -> None:
        """Look until stopped; what was missed while nobody looked is closed late, with the votes given in time."""
        while not self._stopped.is_set():
            await guarded(self.look)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._look_every_seconds)

    async def look(self) -> bool:
        """Close and remind what is due now."""
        return bool(await self._bot.voting.due())
