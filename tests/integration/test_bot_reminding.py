"""An acknowledged alert whose spending goes on: one reminder, then it opens again, whoever looks and however often."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from blocks import ids
from blocks import incidents as speak
from bot import Bot, Policy, telling
from bot.effects import told_since
from finops.incidents import EventKind, IncidentState
from finops.levers import Lever
from finops.periods import Period
from finops.registry import Role
from finops.stop_report import ApprovalWish, StopTarget
from finops.stops import ApprovalWay
from locales import translator_for
from storage import Storage
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, on_both_databases
from tests.integration.live_world import TODAY, World, a_runaway

KOREAN = translator_for("ko-KR", "Asia/Seoul")


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_runaway(storage, clock)


async def acknowledged(world: World) -> int:
    """이지훈 takes care of the one alert there is; its id."""
    incident_id = await world.breached()
    await world.bot.incidents.acknowledge(world.admin, incident_id)
    return incident_id


async def an_hour_on(world: World, minutes: int = 60) -> int:
    """The loop goes on for so long; how many alerts were followed up at its end."""
    world.clock.advance(minutes=minutes)
    await world.spend("5")
    await world.evaluate()
    return await world.bot.reminding.everywhere()


async def lines(world: World, incident_id: int) -> list[OutboxMessage]:
    """What was put into the thread of it by itself, in order."""
    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, incident_id)
        keys = [
            telling.event_key(incident_id, one.key)
            for one in events
            if one.kind in (EventKind.REMINDED, EventKind.UNACKNOWLEDGED)
        ]
        found = [await store.outbox.get(WORKSPACE, key) for key in keys]
    return [one for one in found if one is not None]


async def said(world: World, incident_id: int) -> list[str]:
    shown = await world.bot.incidents.told(WORKSPACE, incident_id)
    return [
        speak.line(one, shown, KOREAN).text
        for one in shown.events
        if one.kind in (EventKind.REMINDED, EventKind.UNACKNOWLEDGED)
    ]


@on_both_databases
async def test_two_replicas_and_many_looks_are_one_reminder_and_one_opening(world: World, clock: FakeClock) -> None:
    """Each wanted once in the outbox, quietly in the thread; the message offers its buttons again."""
    other = Bot(world.storage, {}, clock, Policy())
    incident_id = await acknowledged(world)
    assert await an_hour_on(world, 59) == 0
    for _ in range(2):
        world.clock.advance(minutes=1)
        await world.spend("1")
        await world.evaluate()
        await asyncio.gather(world.bot.reminding.everywhere(), other.reminding.everywhere())
    [reminder] = await lines(world, incident_id)
    assert (reminder.is_broadcast, reminder.urgency, reminder.version) == (False, telling.ROUTINE, 1)
    assert reminder.thread_key == telling.root_key(incident_id)
    assert (await world.incident(incident_id)).state is IncidentState.ACKNOWLEDGED
    await an_hour_on(world, 59)
    await asyncio.gather(other.reminding.everywhere(), world.bot.reminding.everywhere())
    _, ended = await lines(world, incident_id)
    assert (ended.is_broadcast, ended.version) == (False, 1)
    incident = await world.incident(incident_id)
    assert (incident.state, incident.acknowledged_by) == (IncidentState.OPEN, None)
    first, second = await said(world, incident_id)
    assert first.startswith("⏰ <@U0JIHOON01> 님, 확인하신 뒤 60분 동안")
    assert second.startswith("↩️ <@U0MINSU001> · 확인 후 2시간 동안 조치가 없어 다시 열렸습니다")
    async with world.storage.reading() as store:
        root = await store.outbox.get(WORKSPACE, telling.root_key(incident_id))
    assert root is not None
    assert root.is_prompt
    drawn = str(speak.root(await world.bot.incidents.shown(WORKSPACE, incident_id), KOREAN).blocks)
    assert "확인 후 2시간 동안 조치가 없어 다시 열렸습니다" in drawn
    assert ids.MORE_ACKNOWLEDGE in drawn
    assert await an_hour_on(world) == 0


async def test_the_next_who_takes_it_is_asked_anew_and_the_measure_of_alerts_stays_the_first(world: World) -> None:
    """A second acknowledgement has its own line and its own reminder; how fast an alert was taken up is not touched."""
    world.clock.advance(minutes=3)
    incident_id = await acknowledged(world)
    opened = (await world.incident(incident_id)).opened_at
    world.clock.advance(minutes=3)
    await an_hour_on(world, 57)
    await an_hour_on(world)
    await an_hour_on(world)
    await world.bot.incidents.acknowledge(world.member, incident_id)
    assert (await world.incident(incident_id)).acknowledged_by == world.member.user_id
    assert await an_hour_on(world) == 1
    rung = [re.findall(r"<@(\w+)>", one) for one in await said(world, incident_id)]
    assert rung == [[world.admin.user_id], [world.lead.user_id], [world.member.user_id]]
    today = Period(TODAY, TODAY + timedelta(days=1))
    async with world.storage.reading() as store:
        told = await told_since(store, WORKSPACE, opened - timedelta(days=1))
        quality = await world.bot.effects.quality(store, WORKSPACE, today, told)
    assert (quality.alerts, quality.acknowledged, quality.median_seconds) == (1, 1, 0)


async def test_a_lead_who_left_is_rung_by_nobody(world: World) -> None:
    """Where the team's lead is nobody of ours any more, whoever had acknowledged it hears that it is open again."""
    async with world.storage.writing() as store:
        assert await store.people.set_role(WORKSPACE, world.lead.user_id, Role.OUTSIDER)
    incident_id = await acknowledged(world)
    for _ in range(2):
        assert await an_hour_on(world) == 1
    rung = [re.findall(r"<@(\w+)>", one) for one in await said(world, incident_id)]
    assert rung == [[world.admin.user_id]] * 2


async def test_what_fell_silent_was_silenced_or_is_told_never_to_ask_is_left_alone(world: World) -> None:
    """No new spending; alerts switched off by somebody; and a house that does not want it."""
    incident_id = await acknowledged(world)
    world.clock.advance(minutes=90)
    await world.evaluate()
    assert await world.bot.reminding.everywhere() == 0
    never = Bot(world.storage, {}, world.clock, Policy(remind_after_minutes=0))
    await world.bot.incidents.silence(world.admin, incident_id, "4h")
    assert await an_hour_on(world) == 0
    await world.bot.incidents.end_silence(world.admin, incident_id)
    assert await an_hour_on(world, 59) == 0
    world.clock.advance(minutes=1)
    assert await never.reminding.everywhere() == 0
    assert await an_hour_on(world, 0) == 1


async def test_a_day_that_is_over_asks_nobody(world: World) -> None:
    """The period closes the alert; nobody is reminded of yesterday, and nothing opens again."""
    incident_id = await acknowledged(world)
    assert await an_hour_on(world) == 1
    world.clock.moment = world.clock.moment.replace(hour=23, minute=59) + timedelta(minutes=2)
    assert await world.bot.reminding.everywhere() == 0
    await world.evaluate()
    assert await world.bot.reminding.everywhere() == 0
    assert len(await lines(world, incident_id)) == 1


async def test_who_waits_for_a_second_person_or_is_held_by_another_stop_is_left_alone(world: World) -> None:
    """Somebody acts, only not by this alert alone; when that is over the wait begins anew."""
    async with world.storage.writing() as store:
        terms = replace(world.budget.terms, needs_two=True)
        await store.budgets.update(WORKSPACE, world.budget.id, terms=terms, by=world.admin.user_id, at=world.clock())
    incident_id = await acknowledged(world)
    wish = ApprovalWish(ApprovalWay.END_OF_DAY)
    asked = await world.bot.stopping.approve(world.admin, StopTarget(incident_id=incident_id), wish)
    assert asked is not None
    assert (await world.incident(incident_id)).state is IncidentState.ACKNOWLEDGED
    assert await an_hour_on(world, 61) == 0
    await world.bot.stopping.decline(world.admin, asked.stop.id or 0)
    aside = StopTarget(scope=f"project:{world.project.id}")
    await world.bot.stopping.request(world.admin, aside, Lever.STOP, "함께")
    assert await an_hour_on(world, 61) == 0


async def test_what_breaks_half_way_is_told_by_the_next_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Event, state and message are kept together or not at all: killed between them, nothing is lost or doubled."""
    incident_id = await acknowledged(world)
    with monkeypatch.context() as broken:
        broken.setattr(telling, "_want_line", _breaks)
        with pytest.raises(OSError, match="killed"):
            await an_hour_on(world)
    assert await said(world, incident_id) == []
    assert await world.bot.reminding.everywhere() == 1
    assert await world.bot.reminding.everywhere() == 0
    [reminder] = await lines(world, incident_id)
    assert reminder.version == 1


async def _breaks(*_: object) -> None:
    raise OSError("killed")
