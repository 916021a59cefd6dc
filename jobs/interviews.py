"""The reminder of interviews: looks every minute for appointments whose two sides are to be reminded, each once."""

from __future__ import annotations

from bot import Bot
from jobs.worker import guarded


class Reminder:
    """One in each process; the database decides which of them reminds."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def look(self) -> bool:
        """Remind of what is due now; whether anything was."""
        return await guarded(self._remind)

    async def _remind(self) -> bool:
        return bool(await self._bot.interviews.remind())
