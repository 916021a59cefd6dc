"""The watcher: has usage read in every slot of time, and counts what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from bot import Bot, Clock
from bot.metrics import Metrics
from bot.watching import WATCHED_SECONDS
from finops.registry import Connection
from jobs.worker import guarded


class Watcher:
    """One in each process; the database gives each connection to one of all replicas' watchers in each slot."""

    def __init__(self, bot: Bot, metrics: Metrics, clock: Clock) -> None:
        self._bot = bot
        self._metrics = metrics
        self._clock = clock
        self._polls: set[asyncio.Task[bool]] = set()
        self._is_stopping = False

    def stop(self) -> None:
        """Begin nothing new. What is being read is finished before `run` ends."""
        self._is_stopping = True
        self._bot.wake_watch.set()

    async def run(self) -> None:
        """Look at the beginning of every slot, and whenever a connection may be read that was not before."""
        try:
            while not self._is_stopping:
                self._bot.wake_watch.clear()
                await guarded(self.look)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._bot.wake_watch.wait(), self.until_next_slot())
            await self.drained()
        finally:
            # Cancelled: no reading may outlive the connections it reads by.
            for poll in self._polls:
                poll.cancel()
            await self.drained()

    async def look(self) -> bool:
        """Begin to read what is due, each beside the others: a slow provider keeps nobody else waiting."""
        if self._is_stopping:
            return False
        due = await self._bot.watching.due()
        for connection in due:
            work = partial(guarded, partial(self.poll, connection))
            task = asyncio.create_task(work(), name=f"usage of connection {connection.id}")
            self._polls.add(task)
            task.add_done_callback(self._polls.discard)
        return bool(due)

    async def poll(self, connection: Connection) -> bool:
        """Read one connection and count what became of it; what people must be told waits in the outbox by then."""
        polled = await self._bot.watching.poll(connection)
        if polled is None:
            return False
        self._metrics.polled(polled.result)
        if polled.lateness is not None:
            self._metrics.usage_lateness(connection.id, polled.lateness.total_seconds())
        if polled.unwatched:
            self._metrics.unwatched(connection.id, polled.unwatched.total_seconds())
        return True

    async def evaluate(self) -> None:
        """Once a minute without a reading: periods end, silences and allowances run out, who acknowledged is reminded.

        Trouble with one of these, or with one workspace, keeps nothing else from its end.
        """
        await guarded(self._judge)

    async def _judge(self) -> None:
        bot = self._bot
        for workspace in await bot.people.workspaces():
            for look in (bot.evaluating.evaluate, bot.stop_ends.look, bot.reminding.look):
                await guarded(partial(_looked, look, workspace.id))

    async def drained(self) -> None:
        """Wait until everything that was begun is finished."""
        while self._polls:
            await asyncio.wait(self._polls)

    def until_next_slot(self) -> float:
        """Seconds until the next slot begins; of a connection that is read each minute, it may be ours."""
        every = min(self._bot.policy.poll_seconds, WATCHED_SECONDS)
        return max(0.05, every - self._clock().timestamp() % every)


async def _looked(look: Callable[[str], Awaitable[int]], workspace_id: str) -> bool:
    return bool(await look(workspace_id))
