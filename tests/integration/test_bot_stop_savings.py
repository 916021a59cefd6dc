"""What a stop leaves: the loss avoided, while it holds and once restored, and the cause as it was when it was set."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from finops.periods import charge_day, starts_at
from tests.integration.bot_world import WORKSPACE
from tests.integration.stopping_world import WORKER, a_runaway, again, stopped, watched
from tests.integration.stopping_world import world as world
from tests.integration.watch_world import CHATBOT, World
from tests.integration.watch_world import quick_storage as quick_storage

# What is told is rounded to a billionth of a dollar.
_NANO = Decimal("1e-9")


async def test_a_loss_is_claimed_until_the_restore_and_not_a_minute_longer(world: World) -> None:
    """Held: so far, and to the end of the day. Restored a quarter of an hour later: of that quarter alone, each at the
    pace before the stop and less the usual and the leak; and the next day's note says the same."""
    incident = await a_runaway(world)
    asked_at = world.clock()
    shown = await stopped(world, incident)
    await watched(world, 12)
    held = (await again(world, shown)).saved
    day_end = starts_at(charge_day(asked_at) + timedelta(days=1))
    assert held is not None
    assert (held.until, held.is_over) == (day_end, False)
    assert held.low < held.high

    restored_at = world.clock()
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    shown = await again(world, shown)
    [hold], saved = shown.current, shown.saved
    assert saved is not None
    assert (saved.until, saved.is_over) == (restored_at.replace(second=0, microsecond=0), True)
    assert saved.high < held.high
    assert hold.set_at is not None
    assert hold.leak is not None
    minutes = Decimal(int((saved.until - hold.set_at.replace(second=0, microsecond=0)).total_seconds())) / 60
    week_ago = asked_at - timedelta(days=7)
    usual = world.happened(CHATBOT, week_ago.replace(minute=0), week_ago.replace(minute=0) + timedelta(hours=1)) / 60
    paces = [world.happened(CHATBOT, asked_at - timedelta(minutes=back), asked_at) / back for back in (60, 15, 5)]
    low, high = ((pace - usual) * minutes - hold.leak.amount for pace in (min(paces), max(paces[:2])))
    assert abs(saved.low.amount - low) <= _NANO
    assert abs(saved.high.amount - high) <= _NANO
    assert saved.low.amount > 0

    world.openai.boost(CHATBOT, 1, world.clock())
    world.clock.advance(hours=25)
    await world.bot.watching.poll_due()
    await world.bot.stop_ends.everywhere()
    note = (await again(world, shown)).events[-1].values
    told = (Decimal(str(note["saved_low"])), Decimal(str(note["saved_high"])))
    assert told == (saved.low.amount, saved.high.amount)


async def test_the_cause_of_what_was_stopped_stays_as_it_was(world: World) -> None:
    """Quiet minutes after a stop do not water down how many times the usual calls there were."""
    incident = await a_runaway(world)
    shown = await stopped(world, incident)
    told = []
    for minutes in (12, 30):
        await watched(world, 12, after=minutes - 12)
        found = (await world.bot.incidents.detail(WORKSPACE, incident.id or 0)).shown
        assert found.stop is not None
        assert found.stop.is_proved
        assert found.cause is not None
        told.append(found.cause)
    assert told[0] == told[1]
    day = starts_at(charge_day(shown.stop.requested_at))
    assert told[0].now.amount == world.happened(CHATBOT, max(found.since, day), shown.stop.requested_at)
