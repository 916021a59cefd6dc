"""On to Monday: the stage's clock goes to the moment the week's digest is due, and what life does by itself is rung.

The order is that of real life: the applications have told of the whole week before it ends, then it is Monday
morning, the usage and the bill of the last day are read, and only then is the week told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from demo.clock import BadMove, StageClock
from demo.lab_words import Words
from demo.slack.cast import TEAM_ID
from demo.value_sender import Applications
from handlers.addresses import BOT, STORAGE

SECOND = timedelta(seconds=1)
PRODUCT_WAITS = timedelta(minutes=15)
_SOON, _QUIET_LOOKS = 0.1, 5


def next_monday(now: datetime) -> datetime:
    """The next Monday 09:00 in Seoul after a moment, which is 00:00 in UTC, where a charge day ends."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=7 - midnight.weekday())


@dataclass(slots=True)
class OnToMonday:
    """Call it to go there; `product` is known once it plays, and how life goes on once there are people."""

    clock: Callable[[], datetime]
    applications: Applications
    product: web.Application | None = None
    life: Callable[[], Awaitable[Words]] | None = None
    patience_seconds: float = 40.0

    async def __call__(self) -> datetime:
        """Move on with the week's events told and its bill read, and have the digest told; returns the new time.

        Raises BadMove on a stage whose clock is not to be moved.
        """
        return await self.morning(next_monday(self.clock()))

    async def morning(self, day: datetime) -> datetime:
        """The same for any morning of a charge day: what is due then is read and told; returns the new time."""
        clock, product = self.clock, self.product
        if not isinstance(clock, StageClock) or product is None:
            raise BadMove("the clock of this stage is not to be moved")
        bot = product[BOT]
        clock.advance(max(timedelta(0), day - 2 * SECOND - clock()))
        await self.applications.catch_up()
        # A clock that was moved rings no alarm: what rings every minute in real life is rung here.
        await bot.digests.due()
        clock.advance(max(timedelta(0), day + 30 * SECOND - clock()))
        await self.applications.catch_up()  # the last minute of the day
        bot.wake_watch.set()
        await bot.collecting.due(clock())
        bot.wake.set()
        try:
            await self._settled(product, day)
        except TimeoutError:
            # The provider does not answer: the product waits a quarter of an hour for it, and then tells what it knows.
            clock.advance(PRODUCT_WAITS)
        await bot.digests.due()
        return clock()

    async def _settled(self, product: web.Application, since: datetime) -> None:
        """Wait until usage and bill were read. Raises TimeoutError when they are not."""
        quiet = 0
        async with asyncio.timeout(self.patience_seconds):
            while quiet < _QUIET_LOOKS:
                is_done = await _is_read(product, since) and not await product[BOT].collecting.progress(TEAM_ID)
                quiet = quiet + 1 if is_done else 0
                await asyncio.sleep(_SOON)  # what we wait for is in a database


async def _is_read(product: web.Application, since: datetime) -> bool:
    """Whether all usage was read in the poll of that moment or a later one."""
    slot = since - timedelta(seconds=since.timestamp() % product[BOT].policy.poll_seconds)
    async with product[STORAGE].reading() as store:
        healths = await store.healths.all(TEAM_ID)
    return all(one.read_at is not None and one.read_at >= slot for one in healths)
