"""The reminder of interviews: looks for appointments whose two sides are to be reminded, each once."""

from __future__ import annotations

from bot import Bot
from jobs.rounds import Rounds

# By the bot's clock, which may be moved: what is due is told this much later at most.
LOOK_EVERY_SECONDS = 15.0


class Reminder(Rounds):
    """A day and an hour before; who was not reminded in time is reminded late, and never after it began."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(LOOK_EVERY_SECONDS)
        self._bot = bot

    async def look(self) -> bool:
        """Remind of what is due now."""
        return bool(await self._bot.interviews.remind())
