"""A worker: takes one collection after another, and comes back whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

from bot import Bot
from bot.errors import explain
from bot.results import Progress
from jobs.announcer import Announcer
from storage.engine import is_away

POLL_SECONDS = 5.0


class Worker:
    """One of several; the queue in the database gives each collection to exactly one of all replicas' workers."""

    def __init__(self, bot: Bot, announcer: Announcer, name: str, poll_seconds: float = POLL_SECONDS) -> None:
        self.name = name
        self._bot = bot
        self._announcer = announcer
        self._poll_seconds = poll_seconds
        self._is_stopping = False

    def stop(self) -> None:
        """Finish the chunk at hand, give the rest back to the queue, and take nothing new."""
        self._is_stopping = True

    async def run(self) -> None:
        """Work until stopped; with an empty queue, wait to be woken, or look again after some seconds."""
        while not self._is_stopping:
            self._bot.wake.clear()
            if await guarded(self.work_one) or self._is_stopping:
                continue
            try:
                await asyncio.wait_for(self._bot.wake.wait(), self._poll_seconds)
            except TimeoutError:
                continue

    async def work_one(self) -> bool:
        """Carry out one collection and tell of it; False when none waited."""
        found = False
        async with aclosing(self._bot.collecting.work_one(self.name)) as events:
            async for event in events:
                found = True
                # A mistake in what we say must not stop what we do.
                await guarded(partial(self._announcer.tell, event))
                # Between two chunks everything is stored: the safe place to stop.
                if self._is_stopping and isinstance(event, Progress):
                    break
        return found


async def guarded(work: Callable[[], Awaitable[object]]) -> bool:
    """Do it, and tell whether there was anything to do; a failure is logged under a reference, and the job lives on."""
    try:
        return bool(await work())
    except Exception as error:  # noqa: BLE001 - one of the two guards: a job that dies is a promise broken daily
        if not is_away(error):  # else every job meets it at every try, and storage has said so, once
            explain(error)
        return False
