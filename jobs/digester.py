"""The digester: has weeks and daily cards told when they are due, each once: the database decides who of all does."""

from __future__ import annotations

from functools import partial

from bot import Bot
from jobs.digest_mail import DigestMail
from jobs.rounds import Rounds
from jobs.worker import guarded

# A digest waits for the morning's collection, which takes as long as it takes.
LOOK_EVERY_SECONDS = 15.0


class Digester(Rounds):
    """Trouble with one workspace keeps no other from its digest; what was missed is told late, for six days."""

    def __init__(self, bot: Bot, mail: DigestMail) -> None:
        super().__init__(LOOK_EVERY_SECONDS)
        self._bot = bot
        self._mail = mail

    async def look(self) -> bool:
        """Have told what is due now, then have mailed what was told."""
        found = False
        for workspace_id in await self._bot.digests.waiting():
            found = await guarded(partial(self._tell, workspace_id)) or found
            if self.is_stopping:
                break
        return await guarded(self._mail.look) or found

    async def _tell(self, workspace_id: str) -> bool:
        return bool(await self._bot.digests.tell(workspace_id))
