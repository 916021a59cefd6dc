"""How a story moves through its days: the clock in strides, and at each stop the product is waited for.

Nobody sleeps an hour for an hour. Between two looks of the product nothing happens that it could have seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.clock import StageClock
from demo.slack.cast import TEAM_ID
from demo.stage import Stage
from finops.holds import Hold
from finops.stops import Stop
from handlers.addresses import BOT, STORAGE

MINUTE = timedelta(minutes=1)
PATIENCE_SECONDS = 60.0
_SOON, _QUIET_LOOKS = 0.04, 4


@dataclass(frozen=True, slots=True)
class Pace:
    """How often we look: far from anything worth seeing by `stride`, while something is awaited by `step`, and so
    many minutes (`near`) one by one around what is worth seeing."""

    stride: timedelta = timedelta(hours=2)
    step: timedelta = MINUTE
    near: int = 3


CLOSELY = Pace()
BRIEFLY = Pace(timedelta(days=2), 4 * MINUTE, 0)


async def caught_up(stage: Stage, clock: StageClock, *, until_closed: bool = False) -> None:
    """Wait until usage was read in this slot of the stage's clock, and everything to be done and said is.

    With `until_closed` until no incident is open either. Raises TimeoutError when the product does not keep up.
    """
    since, quiet, has_rung = clock(), 0, False
    bot, storage = stage.product[BOT], stage.product[STORAGE]
    slot = since - timedelta(seconds=since.timestamp() % bot.policy.poll_seconds)
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Between reading and wanting to say something lies a moment: all must be quiet for a while.
        while quiet < _QUIET_LOOKS:
            async with storage.reading() as store:
                healths = await store.healths.all(TEAM_ID)
                is_read = bool(healths) and all(one.read_at is not None and one.read_at >= slot for one in healths)
                # What comes later is not asked before: most looks find usage unread.
                active = await store.stops.active(TEAM_ID) if is_read else []
                holds = [hold for stop in active for hold in await store.stops.holds(TEAM_ID, stop.id or 0)]
                is_done = is_read and not any(is_due(hold, since) for hold in holds)
                is_silent = is_done and await store.outbox.waiting_count() == 0
                is_open = is_silent and until_closed and bool(await store.incidents.open_ones(TEAM_ID))
            if not is_done:
                bot.wake_watch.set()  # a clock that was moved rings no alarm
                bot.wake_stops.set()
            elif not has_rung:
                has_rung = True
                await bot.evaluating.everywhere()  # what rings every minute in real life
                await bot.stop_ends.everywhere()
            quiet = quiet + 1 if is_silent and not is_open else 0
            await asyncio.sleep(_SOON)  # what we wait for is in a database


def is_due(hold: Hold, now: datetime) -> bool:
    """Whether the product still has something to do about a hold at this moment."""
    return hold.next_at is not None and hold.next_at <= now


async def stops(stage: Stage) -> list[tuple[Stop, list[Hold]]]:
    """What is held, or was until lately, with its holds."""
    async with stage.product[STORAGE].reading() as store:
        active = await store.stops.active(TEAM_ID)
        return [(stop, await store.stops.holds(TEAM_ID, stop.id or 0)) for stop in active]


async def walked(stage: Stage, clock: StageClock, path: list[datetime]) -> AsyncIterator[datetime]:
    """Go from moment to moment; at each the product has caught up. What has passed already is not gone back to."""
    for moment in path:
        clock.advance(max(timedelta(0), moment - clock()))
        await caught_up(stage, clock)
        yield clock()


async def waited(stage: Stage, clock: StageClock, true: Callable[[Hold], bool], most: int, step: timedelta) -> bool:
    """Walk step by step until something is true of every hold in force; whether it became so within `most` minutes."""
    for _ in range(int(most * MINUTE / step) + 1):
        holds = [hold for _, each in await stops(stage) for hold in each]
        if holds and all(true(hold) for hold in holds):
            return True
        # From one whole minute to another: how long a look took in real life is no part of the story.
        clock.advance(step - timedelta(seconds=clock().timestamp() % 60))
        await caught_up(stage, clock)
    return False


def moments(start: datetime, end: datetime, pace: Pace, near: datetime | None = None) -> list[datetime]:
    """The moments between two at which to look: strides, every minute around `near`, and the end."""
    found = {start + pace.stride * count for count in range(1, int((end - start) / pace.stride) + 1)}
    if near is not None and pace.near:
        found |= {near + MINUTE * count for count in range(-1, pace.near)}
    return [*sorted(moment for moment in found if start < moment < end), end]
