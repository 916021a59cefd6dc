"""The steps below an alert: there once, ticked by several people at once, and never put below what is forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import telling
from bot.errors import Refusal, RefusalCode
from bot.runbooks import runbook_of
from finops.runbooks import Runbook, RunbookStep
from jobs.outbox import KEPT
from jobs.rendering import Rendering
from jobs.speech import Reader
from storage import Storage
from storage.records_live import OutboxMessage, OutboxState
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, on_both_databases
from tests.integration.live_world import World, a_runaway, neighbour_of


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_runaway(storage, clock)


async def kept(world: World, incident_id: int) -> tuple[OutboxMessage, Runbook]:
    """The message of the steps, and what it shows."""
    async with world.storage.reading() as store:
        message = await store.outbox.get(WORKSPACE, f"{telling.root_key(incident_id)}:runbook")
    assert message is not None
    return message, runbook_of(message)


async def everything_sent(world: World) -> None:
    """All that waits stands in Slack."""
    now = world.clock()
    async with world.storage.writing() as store:
        while found := await store.outbox.lease("test", now, timedelta(minutes=1), 10, []):
            for one in found:
                await store.outbox.sent(WORKSPACE, one.key, "test", one.version, "C0MARKET01", f"{one.id}.0", now)


@on_both_databases
async def test_two_who_ask_and_four_who_tick_at_once_lose_nothing(world: World) -> None:
    """The steps stand once, in the thread, and every tick is kept with the name of who was first."""
    incident_id = await world.breached()
    people = [replace(world.admin, user_id=f"U{number}") for number in range(4)]
    await asyncio.gather(*(world.bot.runbooks.put(person, incident_id) for person in people[:2]))
    put, _ = await kept(world, incident_id)
    assert (put.version, put.thread_key, put.channel_id) == (1, telling.root_key(incident_id), "C0MARKET01")
    ticks = list(zip(people, RunbookStep, strict=True))
    await asyncio.gather(
        *(world.bot.runbooks.tick(person, incident_id, step, is_done=True) for person, step in ticks),
        world.bot.runbooks.put(people[2], incident_id),
    )
    _, runbook = await kept(world, incident_id)
    assert runbook.done_count == 4
    assert {step: one.by for step, one in runbook.states.items()} == {step: one.user_id for one, step in ticks}


async def test_a_tick_can_be_taken_back_and_the_trail_tells_each_change_once(world: World) -> None:
    """Ticking what is ticked changes neither the message nor the trail."""
    incident_id = await world.breached()
    await world.bot.runbooks.put(world.admin, incident_id)
    for is_done in (True, True, False, False):
        await world.bot.runbooks.tick(world.admin, incident_id, RunbookStep.CUT, is_done=is_done)
    message, runbook = await kept(world, incident_id)
    assert (message.version, runbook.done_count, runbook.states[RunbookStep.CUT].turns) == (3, 0, 2)
    async with world.storage.reading() as store:
        acts = [row.entry async for row in store.audit.all(WORKSPACE) if row.entry.subject == f"incident:{incident_id}"]
    told = [(one.action, one.details.get("is_done")) for one in acts if "step" in one.action or "runbook" in one.action]
    assert told == [
        ("incident.runbook_put", None), ("incident.step_ticked", True), ("incident.step_ticked", False)
    ]  # fmt: skip


async def test_steps_that_are_gone_are_put_there_again_as_they_were_ticked(world: World) -> None:
    """Only Slack knows that somebody deleted them: whoever asks again has them edited, which posts what is gone."""
    incident_id = await world.breached()
    await world.bot.runbooks.put(world.admin, incident_id)
    await world.bot.runbooks.tick(world.admin, incident_id, RunbookStep.CUT, is_done=True)
    await everything_sent(world)
    await world.bot.runbooks.put(world.lead, incident_id)
    message, runbook = await kept(world, incident_id)
    assert (message.state, message.version, message.is_edit) == (OutboxState.WAITING, 3, True)
    assert (runbook.by, runbook.done_count) == (world.admin.user_id, 1)


async def test_the_steps_speak_the_language_of_their_alert_where_no_team_is_told_any_more(world: World) -> None:
    """The team has moved to another channel; the alert stays where it was told, and so does its thread."""
    incident_id = await world.breached()
    await world.bot.runbooks.put(world.admin, incident_id)
    async with world.storage.writing() as store:
        await store.teams.update(WORKSPACE, world.tenant.team_id, channel_id="C0NEWPLACE", locale="ja")
    message, _ = await kept(world, incident_id)
    said = await Rendering(world.bot).message(message, Reader("C0MARKET01"))
    assert said.text == "🧭 対応の手順 · 4件中0件完了"


async def test_there_are_no_steps_where_there_is_no_thread(world: World) -> None:
    """Of another workspace's alert, of one nobody knows, before they were put there, and of one that is forgotten."""
    incident_id = await world.breached()
    stranger = neighbour_of(world.admin)
    for attempt in (
        world.bot.runbooks.put(stranger, incident_id),
        world.bot.runbooks.put(world.admin, incident_id + 1),
        world.bot.runbooks.tick(world.admin, incident_id, RunbookStep.CUT, is_done=True),
    ):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.code is RefusalCode.INCIDENT_CLOSED
    await world.bot.runbooks.put(world.admin, incident_id)
    await everything_sent(world)
    world.clock.advance(days=100)
    async with world.storage.writing() as store:
        assert await store.outbox.forget_before(world.clock() - KEPT)
    with pytest.raises(Refusal):
        await world.bot.runbooks.tick(world.admin, incident_id, RunbookStep.CUT, is_done=True)
