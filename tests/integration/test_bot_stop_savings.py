"""What a stop leaves: the loss avoided, while it holds and once restored, and the cause as it was when it was set."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bot.stop_savings import saved_by
from bot.telling import stop_key
from finops.holds import HoldState
from finops.incidents import Incident
from finops.periods import charge_day, starts_at
from finops.why import Why
from tests.integration.stopping_world import CHATBOT, WORKSPACE, World
from tests.integration.stopping_world import world as world
from tests.integration.test_bot_alerts_beside import delivered

# What is told is rounded to a billionth of a dollar.
_NANO = Decimal("1e-9")


async def cause_of(world: World, incident: Incident) -> Why:
    """Why, as somebody reads it who asks for the details of a stop that is proved."""
    found = (await world.bot.incidents.detail(WORKSPACE, incident.id or 0)).shown
    assert found.stop is not None
    assert found.stop.is_proved
    assert found.cause is not None
    return found.cause


async def test_a_loss_is_claimed_until_the_restore_and_not_a_minute_longer_and_its_cause_stays_as_it_was(
    world: World,
) -> None:
    """Held: so far, and to the end of the day; quiet minutes do not water down how many times the usual calls there
    were. Restored half an hour later: of that half hour alone, each at the pace before the stop and less the usual and
    the leak; and the next day's note says the same."""
    incident = await world.runaway()
    asked_at = world.clock()
    shown = await world.stopped(incident)
    await world.watched(1, after=11)
    held, cause = (await world.again(shown)).saved, await cause_of(world, incident)
    today = starts_at(charge_day(asked_at))
    assert held is not None
    assert (held.until, held.is_over) == (today + timedelta(days=1), False)
    assert held.low < held.high
    assert cause.now.amount == world.happened(CHATBOT, max(incident.since, today), asked_at)
    await world.watched(1, after=17)
    assert await cause_of(world, incident) == cause

    restored_at = world.clock()
    await world.restore(shown)
    await world.acted()
    shown = await world.again(shown)
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
    note = (await world.again(shown)).events[-1].values
    told = (Decimal(str(note["saved_low"])), Decimal(str(note["saved_high"])))
    assert told == (saved.low.amount, saved.high.amount)


async def test_the_message_of_a_stop_outside_of_any_alert_tells_what_was_avoided_so_far_until_its_day_ends(
    world: World,
) -> None:
    """With each look at the provider, as an alert does with each reading: else the first hour's dollars stood there
    as "so far" all day. Once the day is over nothing more is added, and nothing drawn."""
    await world.surge()
    shown = await world.stopped(await world.project(CHATBOT))
    await world.watched(1, after=11)
    assert (await world.again(shown)).current[0].state is HoldState.PROVED
    await delivered(world)
    key = stop_key(shown.stop.id or 0)
    day_end = starts_at(charge_day(world.clock()) + timedelta(days=1))
    await world.watched(1, after=59)
    assert await delivered(world) == [key]
    await world.watched(1, after=int((day_end - world.clock()).total_seconds() // 60))
    assert key in await delivered(world)
    saved = (await world.again(shown)).saved
    assert saved is not None
    assert saved.is_over
    await world.watched(1, after=59)
    assert key not in await delivered(world)


async def test_what_was_stopped_twice_is_told_as_one_loss_avoided_and_one_leak(world: World) -> None:
    """The review of an alert spoke of its last stop alone: the first, which had caught the loop, had kept nothing."""
    incident = await world.runaway()
    shown = await world.stopped(incident)
    await world.watched(1, after=29)
    await world.restore(shown)
    await world.watched(1, after=4)
    first = await world.again(shown)
    shown = await world.stopped(incident)
    await world.watched(1, after=19)
    await world.restore(shown)
    await world.acted()
    told = await world.again(shown)
    one, two = told.holds
    assert first.saved is not None
    assert told.saved is not None
    assert one.leak is not None
    assert two.leak is not None
    async with world.bot.storage.reading() as store:
        again = await saved_by(store, told.stop, [two])
    assert again is not None
    assert first.saved.low.amount > 0
    assert told.saved.low == first.saved.low + again.low
    assert told.saved.high == first.saved.high + again.high
    assert told.leak == two.leak, "the message tells of the stop that stands"

    world.openai.boost(CHATBOT, 1, world.clock())
    world.clock.advance(hours=25)
    await world.bot.watching.poll_due()
    await world.bot.stop_ends.everywhere()
    review = await world.bot.reviews.draft(world.admin, incident.id or 0)
    assert review.shown.stop is not None
    assert review.shown.stop.leaked == (one.leak + two.leak, 0)
    note = review.shown.stop.events[-1].values
    assert Decimal(str(note["leak"])) == (one.leak + two.leak).amount
    assert Decimal(str(note["saved_low"])) == told.saved.low.amount
