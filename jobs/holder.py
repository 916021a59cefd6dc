"""The holder: moves levers at providers as soon as somebody decided, and looks after what is held."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from bot import Bot
from bot.metrics import Metrics
from finops.holds import Hold, HoldState
from jobs.worker import guarded

# When nobody in this process decided: another replica's decisions, and what is due by the clock.
LOOK_EVERY_SECONDS = 1.0
AT_ONCE = 32


class Holder:
    """One in each process; the database gives each hold to one of all replicas' holders."""

    def __init__(self, bot: Bot, metrics: Metrics, name: str) -> None:
        self.name = name
        self._bot = bot
        self._metrics = metrics
        self._working: set[asyncio.Task[bool]] = set()
        self._is_stopping = False

    def stop(self) -> None:
        """Begin nothing new; `run` ends when what is being done is finished."""
        self._is_stopping = True
        self._bot.wake_stops.set()

    async def run(self) -> None:
        """Work until stopped: at once when somebody decided, and every second what has come due."""
        try:
            while not self._is_stopping:
                self._bot.wake_stops.clear()
                await guarded(self.look)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._bot.wake_stops.wait(), LOOK_EVERY_SECONDS)
            await self.drained()
        finally:
            for task in self._working:
                task.cancel()
            await self.drained()

    async def look(self) -> bool:
        """Take what is due and begin to work on it, each beside the others: a slow provider keeps nobody waiting."""
        if len(self._working) >= AT_ONCE or self._is_stopping:
            return False
        holds = await self._bot.holding.due(self.name)
        for hold in holds:
            task = asyncio.create_task(guarded(partial(self._work, hold)), name=f"hold {hold.id}")
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return bool(holds)

    async def _work(self, hold: Hold) -> bool:
        after = await self._bot.holding.work(hold, self.name)
        if after.state is not hold.state:
            is_set = after.state is HoldState.SET
            # Both by our clock, which may have been put back in between; `set_at` is by the provider's.
            seconds = max(0.0, (after.updated_at - after.requested_at).total_seconds()) if is_set else None
            self._metrics.lever_moved(after.lever, after.state, seconds)
        # What was decided while we held the lease waits for the next look: have it at once.
        self._bot.wake_stops.set()
        return True

    async def drained(self) -> None:
        """Wait until everything that was begun is finished."""
        while self._working:
            await asyncio.wait(self._working)
