"""The poll clock: closes polls that are over and makes reminders, each once: the database decides who of all does."""

from __future__ import annotations

from bot import Bot
from jobs.rounds import Rounds

# Votes are refused from the second on; the message says so this much later at most, and what clicks made in time take.
LOOK_EVERY_SECONDS = 5.0


class PollClock(Rounds):
    """What was missed while nobody looked is closed late, with the votes given in time."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(LOOK_EVERY_SECONDS)
        self._bot = bot

    async def look(self) -> bool:
        """Close and remind what is due now."""
        return bool(await self._bot.voting.due())
