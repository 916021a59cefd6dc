"""A stop while our clock is wrong, or is put right in the middle of it: the proof goes by the provider's minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from httpx import Headers

from finops.holds import HoldState
from finops.levers import Lever
from finops.stop_report import StopShown
from finops.stops import StopEventKind
from providers.http import Answer
from providers.openai_usage import skew_of
from tests.integration.stopping_world import CHATBOT, World, about, kinds
from tests.integration.stopping_world import world as world


def jumps(world: World, minutes: float) -> None:
    """From now on our clock is so many minutes ahead of the provider's, which is right."""
    ours = world.clock
    ours.moment += timedelta(minutes=minutes)
    world.openai.clock = lambda: ours() - timedelta(minutes=minutes)


async def asked(world: World, minutes: float, when: str, *, ends_spending: bool = True) -> StopShown:
    """A stop of a runaway, and our clock jumps once: before the click, before it is carried out, or after that."""
    incident = await world.runaway()
    world.limited()
    if not ends_spending:
        world.openai.behaviour.enforcement_seconds = 10**6
    if when == "before the click":
        jumps(world, minutes)
    shown = await world.bot.stopping.request(world.admin, about(incident), Lever.STOP, "루프")
    if when == "before it is set":
        jumps(world, minutes)
    await world.acted()
    if when == "after it is set":
        jumps(world, minutes)
    return shown


CLICK, SET, AFTER = "before the click", "before it is set", "after it is set"


@pytest.mark.parametrize(("minutes", "when"), [(20, CLICK), (-20, SET), (-60, AFTER), (60, AFTER)])
async def test_no_clock_proves_a_stop_that_does_not_end_the_spending(world: World, minutes: float, when: str) -> None:
    """The provider says yes and calls go on: that is told after a quarter of an hour, and never the opposite."""
    shown = await asked(world, minutes, when, ends_spending=False)
    for _ in range(3):
        await world.watched(1, after=5)
        shown = await world.again(shown)
        assert shown.current[0].state in (HoldState.SET, HoldState.UNPROVED)
    [told] = [one for one in shown.events if one.kind is StopEventKind.UNPROVED]
    assert (told.values["reason"], told.is_loud) == ("usage_goes_on", True)


@pytest.mark.parametrize(("minutes", "when"), [(-20, CLICK), (-8, SET), (20, SET), (-60, AFTER)])
async def test_no_clock_keeps_a_stop_from_its_proof(world: World, minutes: float, when: str) -> None:
    """It is set at once, and proved by the minutes that follow, at most nine of which the provider may be late."""
    shown = await asked(world, minutes, when)
    began = world.openai.clock()
    await world.watched(1)
    assert world.cents() == 1
    for _ in range(3):
        await world.watched(1, after=4)
    shown = await world.again(shown)
    [hold] = shown.current
    assert (hold.state, kinds(shown)[-1]) == (HoldState.PROVED, StopEventKind.PROVED)
    assert hold.set_at is not None
    assert hold.proved_at is not None
    assert abs(hold.set_at - began) <= timedelta(minutes=1, seconds=1)
    assert timedelta(minutes=5) <= hold.proved_at - hold.set_at <= timedelta(minutes=16)
    assert all(one.values.get("seconds", 0) >= 0 for one in shown.events), "nothing is done before it is asked for"  # type: ignore[operator]


async def test_what_a_stop_kept_is_told_by_the_minutes_before_it(world: World) -> None:
    """Our clock runs ahead of the click: the quiet minutes after the stop are none of those before it."""
    shown = await asked(world, 20, CLICK)
    await world.watched(1, after=33)
    saved = (await world.again(shown)).saved
    assert saved is not None
    assert saved.low.amount > 0


async def test_what_has_not_happened_yet_is_not_read(world: World) -> None:
    """Our clock runs ahead: minutes to come are told as empty, and are no silence once the provider cannot be read."""
    await world.polled()
    jumps(world, 60)
    for _ in range(2):  # the first answer tells what time it is
        await world.polled(5)
    async with world.bot.storage.reading() as store:
        read = await store.usage.reads(world.connection.workspace_id, world.connection.id)
    assert {one.final_until for one in read.values()} == {int(world.openai.clock().timestamp()) // 60}


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"])
async def test_an_absurd_date_of_one_answer_ends_no_reading(world: World, date: str) -> None:
    """It was believed, then no question could be put, and only an answer to one would have ended that."""
    await world.polled()
    absurd = Answer(200, Headers({"date": date}), b"", None)
    world.provider._door.skew = skew_of(absurd, world.clock(), world.clock(), None)
    assert (await world.polled(5)).result == "read"


async def test_no_hour_is_lost_to_a_clock_that_is_hours_behind(world: World) -> None:
    """Korean time taken for UTC, and back: after a night in which nobody looked, its hours are read as hours, and are
    over by the clock of whoever tells them."""
    await world.polled()
    world.clock.advance(hours=12)
    jumps(world, -9 * 60)
    for _ in range(3):  # the first answer tells what time it is
        await world.polled(5)
    now = int(world.openai.clock().timestamp()) // 60
    async with world.bot.storage.reading() as store:
        rows = await store.usage.hourly(world.connection.workspace_id, now - 12 * 60, now, None)
    assert len({row.start for row in rows if row.requests}) >= 12


async def test_calls_come_back_after_a_restore_as_the_provider_tells_them(world: World) -> None:
    """Our clock is a quarter of an hour behind: calls from before the stop are not the first ones after it."""
    jumps(world, -15)
    shown = await world.stopped(await world.runaway())
    await world.watched(1, after=8)
    await world.restore(shown)
    world.openai.boost(CHATBOT, 0, world.openai.clock())
    await world.watched(1, after=7)
    shown = await world.again(shown)
    assert StopEventKind.RESTORED in kinds(shown)
    assert StopEventKind.FIRST_TRAFFIC not in kinds(shown)
