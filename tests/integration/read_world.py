"""A watched world whose first bills and first reading of usage are lived once in a process: most stories of watching
begin with one of them, or both, and they are read in days, hours and minutes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial

from bot import Policy
from bot.results import Polled
from storage import Storage
from tests.conftest import FakeClock
from tests.integration import watch_world
from tests.integration.chapters import Story


@dataclass
class World(watch_world.World):
    """Nothing was read yet; who makes a mistake happen in a first reading polls by `bot.watching`."""

    story: Story = field(init=False)
    is_read: bool = field(default=False, init=False)
    is_billed: bool = field(default=False, init=False)

    async def polled(self, minutes: float = 0) -> Polled:
        """Time goes by, and usage is read."""
        is_first, self.is_read = not (self.is_read or minutes), True
        live = partial(super().polled, minutes)
        return await self.story.chapter(f"usage at {self._listed()}", live) if is_first else await live()

    async def collected(self) -> None:
        """Every bill that waits to be read is read; at first, those of the last ten days."""
        is_first, self.is_billed = not self.is_billed, True
        live = partial(watch_world.collected, self)
        await (self.story.chapter(f"bills at {self._listed()}", live) if is_first else live())

    def _listed(self) -> str:
        return f"{self.prices.rates} of {self.prices.version}"


@asynccontextmanager
async def a_read_world(storage: Storage, clock: FakeClock, *, policy: Policy | None = None) -> AsyncIterator[World]:
    """A watched world on SQLite."""
    async with watch_world.a_watched_world(storage, clock, policy=policy) as made:
        world = World(**vars(made))
        world.story = Story(world, (policy, clock()))
        with closing(world.story):
            yield world
