"""Rounds: the same look again and again until asked to stop. What is done once is decided in the database, not here."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress

from jobs.worker import guarded


class Rounds(ABC):
    """One in each process. Trouble with one look is logged, and the next one comes all the same."""

    def __init__(self, look_every_seconds: float) -> None:
        self._look_every_seconds = look_every_seconds
        self._stopped = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Finish what is being done, begin nothing new."""
        self._stopped.set()

    async def run(self) -> None:
        """Look until stopped; what came due while nobody looked is done late."""
        while not self.is_stopping:
            await guarded(self.look)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._look_every_seconds)

    @abstractmethod
    async def look(self) -> bool:
        """Do what is due now; whether anything was."""


class Every(Rounds):
    """Does one thing at once, and again whenever so many seconds have passed.

    A scheduler waits for a time of day: where clocks are put back by an hour, it does not ring for an hour.
    """

    def __init__(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        super().__init__(seconds)
        self._work = work

    async def look(self) -> bool:
        """Do it now."""
        return bool(await self._work())
