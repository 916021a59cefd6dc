"""The digester: has weeks and daily cards told when they are due, each once: the database decides who of all does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from bot import Bot
from jobs.digest_mail import DigestMail
from jobs.worker import guarded

# A digest waits for the morning's collection, which takes as long as it takes.
LOOK_EVERY_SECONDS = 15.0


class Digester:
    """One in each process; a trouble with one workspace keeps no other from its digest."""

    def __init__(self, bot: Bot, mail: DigestMail, look_every_seconds: float = LOOK_EVERY_SECONDS) -> None:
        self._bot = bot
        self._mail = mail
        self._look_every_seconds = look_every_seconds
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Finish what is being told, begin nothing new."""
        self._stopped.set()

    async def run(self) -> None:
        """Look until stopped; what was missed while nobody looked is told late, for six days."""
        while not self._stopped.is_set():
            await guarded(self.look)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._look_every_seconds)

    async def look(self) -> bool:
        """Have told what is due now, then have mailed what was told."""
        found = False
        for workspace_id in await self._bot.digests.waiting():
            found = await guarded(partial(self._tell, workspace_id)) or found
            if self._stopped.is_set():
                break
        return await guarded(self._mail.look) or found

    async def _tell(self, workspace_id: str) -> bool:
        return bool(await self._bot.digests.tell(workspace_id))
