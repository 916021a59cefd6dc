"""What is said to be spent is what was used, whatever happens on the way: no bill, hour or minute counts twice."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from bot import Bot, Policy
from demo.prices import Rates
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.usage import UsageReading
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE, worked
from tests.integration.watch_world import CHATBOT, RATES, WRITER, World, WrittenPrices, a_watched_world

# Of many, two in which everything comes up that may happen below, and most steps are looked at. Of the last the price
# list is wrong at times.
SEEDS, WRONG_AT_TIMES, STEPS, DAYS = (18211, 49388), (49388,), 14, 9
POLICY = Policy(backfill_days=DAYS)
# A poll or two, the tail that is read again, what is filled up by minutes and by hours, midnight, a day and a week-end.
AWAY = (1, 5, 5, 19, 21, 61, 119, 121, 359, 361, 600, 1440, 3000)
BACK = (1, 10, 61, 300, 1000)
BEHIND = (0, 1, 7, 9)  # hours
LISTED_AT = tuple(map(Decimal, ("1", "1", "1.25", "0.8", "1.6")))  # times what is billed


@pytest.mark.parametrize("seed", SEEDS)
async def test_bills_and_usage_come_to_what_was_used(quick_storage: Storage, clock: FakeClock, seed: int) -> None:
    """Downtime, midnights, clocks put back, polls killed half-way or of two replicas, early bills, late usage."""
    chance, misprints = random.Random(seed), random.Random(seed)  # the same story each time
    async with a_watched_world(quick_storage, clock, policy=POLICY) as world:
        replicas = world.bot, Bot(quick_storage, {"openai": world.provider}, clock, POLICY, world.prices)
        behaviour = world.openai.behaviour
        await world.bot.collecting.start_backfill(world.admin, world.connection.id)
        latest = clock()
        for _ in range(STEPS):
            # Of a clock put back while usage is late, nobody can tell which of its minutes were told as empty.
            is_put_back = chance.random() < 0.1 and not behaviour.late_hours
            minutes = -chance.choice(BACK) if is_put_back else chance.choice(AWAY)
            clock.moment += timedelta(minutes=minutes, seconds=chance.choice((0, 13, 47)))
            is_ahead, latest = clock() >= latest, max(latest, clock())
            what = chance.choice(("killed", "both", "collected", "collected", "boosted", "behind", "nothing"))
            if what == "killed":
                await killed(world, after=chance.randrange(4))
            elif what == "both":
                await asyncio.gather(*(one.watching.poll(world.connection) for one in replicas))
            elif what == "collected" and not behaviour.late_hours:  # of a bill that is late a day is said to be less
                await world.bot.collecting.due(clock())
                await worked(world.bot)
            elif what == "behind" and is_ahead:
                behaviour.set({"late_hours": chance.choice(BEHIND)})
            elif what == "boosted" and is_ahead:  # nobody uses more in a minute that is over
                world.openai.boost(chance.choice((CHATBOT, WRITER)), chance.choice((0, 2, Fraction(1, 2))))
            if seed in WRONG_AT_TIMES and misprints.random() < 0.3:
                listed(world.prices, misprints.choice(LISTED_AT))
            reader = chance.choice(replicas)
            polled = await reader.watching.poll(world.connection)
            assert polled is not None
            is_told = polled.result == "read" and is_ahead and not behaviour.late_hours
            if is_told and world.prices.rates == RATES:
                await assert_spent_is_used(world, reader)


def listed(prices: WrittenPrices, times: Decimal) -> None:
    """The list is another from now on; what is billed stays as it is."""
    prices.rates = Rates(RATES.input * times, RATES.cached_input * times, RATES.output * times)
    prices.version += "+"


async def killed(world: World, after: int) -> None:
    """A poll that ends with its process, after some answers."""
    ask, asked = world.provider.usage, iter(range(after))

    async def usage(*of: Any) -> UsageReading:
        if next(asked, None) is None:
            polling.cancel()
            await asyncio.Event().wait()
        return await ask(*of)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.provider, "usage", usage)
        polling = asyncio.create_task(world.bot.watching.poll(world.connection))
        await asyncio.wait([polling])
    assert polling.cancelled()


async def assert_spent_is_used(world: World, bot: Bot) -> None:
    """Of every day that is known, and of all of them: the whole, and what its projects come to."""
    today = world.clock().date()
    projects = {name: await world.project(name) for name in (CHATBOT, WRITER)}
    spans = [Period(today - timedelta(days=back), today - timedelta(days=back - 1)) for back in range(DAYS)]
    spans.append(Period(spans[-1].start, spans[0].end))
    async with bot.storage.reading() as store:
        picture = await bot.spending.picture(store, WORKSPACE, spans)
    for span in spans:
        used = {name: happened(world, name, span) for name in projects}
        said = {name: picture.spent(ScopeKind.PROJECT, one.id, span).amount.amount for name, one in projects.items()}
        assert (span, said) == (span, used)
        assert picture.spent(ScopeKind.WORKSPACE, None, span).amount.amount == sum(used.values())
        assert picture.unallocated(span).amount == 0


def happened(world: World, name: str, span: Period) -> Decimal:
    end: datetime = min(starts_at(span.end), world.clock())
    return world.happened(name, starts_at(span.start), end)
