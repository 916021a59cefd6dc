"""The learner: rings for what was done a moment ago, for the day's lesson and for the month's note."""

from __future__ import annotations

from functools import partial

from bot import Bot
from jobs.rounds import Rounds
from jobs.worker import guarded

LOOK_EVERY_SECONDS = 60.0


class Learner(Rounds):
    """Trouble with one workspace keeps no other from learning."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(LOOK_EVERY_SECONDS)
        self._bot = bot

    async def look(self) -> bool:
        """Learn and tell what is due now; whether anything was."""
        found = False
        for workspace in await self._bot.people.workspaces():
            if self.is_stopping:
                break
            found = await guarded(partial(self._bot.learning.day, workspace.id)) or found
            found = await guarded(partial(self._follow, workspace.id)) or found
            found = await guarded(partial(self._bot.learning.month, workspace)) or found
        return found

    async def _follow(self, workspace_id: str) -> bool:
        return bool(await self._bot.behaviour.follow(workspace_id))
