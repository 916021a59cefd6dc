"""Evaluating says each thing once, whoever evaluates: what was spent, against what, and when a period ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot import evaluating
from finops.budgets import BudgetPeriod, BudgetScope
from finops.charges import FigureState
from finops.incidents import IncidentState, silence
from finops.money import Money, total
from finops.periods import Period
from finops.queries import ScopeKind
from storage import Storage
from storage.errors import Conflict
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.read_world import World as ReadWorld
from tests.integration.read_world import a_read_world
from tests.integration.watch_world import CHATBOT, WRITER, World, a_watched_world, collected, day_of

# What the steady trace spends in an hour, of each application: 90k uncached, 10k cached, 50k output.
AN_HOUR = Decimal("0.9775")


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_watched_world(storage, clock) as made:
        yield made


@pytest.fixture
async def quick(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[ReadWorld]:
    async with a_read_world(quick_storage, clock) as made:
        yield made


async def test_a_runaway_is_one_message_with_its_story_and_escalates_in_place(quick: ReadWorld) -> None:
    """From $1 an hour to fifteen times that: one root, each level one line, and nothing twice."""
    project = await quick.project(CHATBOT)
    await quick.polled()
    await quick.a_budget(BudgetScope.PROJECT, project.id, "6")
    await quick.bot.evaluating.evaluate(WORKSPACE)
    assert await quick.incidents() == []
    quick.openai.boost(CHATBOT, 15, quick.clock())
    for _ in range(8):
        await quick.polled(5)
    [incident] = await quick.incidents()
    root, lines = await quick.root(incident), await quick.lines(incident)
    assert root is not None
    assert (root.channel_id, root.urgency) == (quick.team.channel_id, 1)
    assert root.detected_at is not None
    assert root.available_at is not None
    # Minutes that were new could be read when they had ended, and after the reading before.
    assert timedelta(0) <= root.detected_at - root.available_at <= timedelta(minutes=5)
    said = [one.subject["event"] for one in lines]
    assert said[-1].startswith(f"crossed:{incident.level}")
    assert len(said) == len(set(said)) >= 3
    assert incident.level >= 150
    assert incident.spent.amount == quick.happened(CHATBOT, quick.clock().replace(hour=0, minute=0), quick.clock())
    assert incident.burn_per_minute is not None
    assert abs(incident.burn_per_minute.amount - 15 * AN_HOUR / 60) < Decimal("0.03")
    version = root.version
    await quick.bot.evaluating.evaluate(WORKSPACE)
    await quick.bot.evaluating.everywhere()
    again = await quick.root(incident)
    assert again is not None
    assert again.version == version


async def test_the_parts_and_what_nobody_owns_are_the_whole(world: World) -> None:
    """Bills, corrected estimates, an unregistered project: project by project they add up to the last digit."""
    async with world.bot.storage.writing() as store:
        await store.projects.unregister(WORKSPACE, (await world.project(WRITER)).id)
    await collected(world)
    await world.polled()
    await world.polled(5)
    today = world.clock().date()
    for period in (day_of(today), Period(today - timedelta(days=6), today + timedelta(days=1))):
        async with world.bot.storage.reading() as store:
            picture = await world.bot.spending.picture(store, WORKSPACE, [period])
        parts = [picture.spent(ScopeKind.PROJECT, one.id, period).amount for one in picture.house.projects]
        whole = picture.spent(ScopeKind.WORKSPACE, None, period)
        assert total([*parts, picture.unallocated(period)]) == whole.amount
        assert picture.unallocated(period).amount > 0
        assert picture.spent(ScopeKind.TEAM, world.team.id, period).amount == total(parts)
        assert whole.state is FigureState.ESTIMATE
        assert whole.as_of is not None


async def test_a_closed_day_is_its_bill_and_the_open_one_its_estimate(quick: ReadWorld) -> None:
    await quick.collected()
    await quick.polled()
    today = quick.clock().date()
    week = Period(today - timedelta(days=3), today + timedelta(days=1))
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.WORKSPACE, None, week)
    async with quick.bot.storage.reading() as store:
        bills = await store.charges.daily_totals(WORKSPACE, Period(week.start, today))
    assert spent.estimated.amount == await quick.estimate()
    assert spent.amount == total(one.amount for one in bills) + spent.estimated


async def test_what_was_never_looked_at_is_blind_and_not_zero(quick: ReadWorld) -> None:
    """Before the first reading nothing is known; after an hour without one, what we know is old."""
    today = day_of(quick.clock().date())
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.TEAM, quick.team.id, today)
    assert (spent.state, spent.as_of) == (FigureState.BLIND, None)
    await quick.polled()
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.TEAM, quick.team.id, today)
    assert (spent.state, spent.as_of) == (FigureState.ESTIMATE, quick.clock())
    quick.clock.advance(hours=1)
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.TEAM, quick.team.id, today)
    assert spent.state is FigureState.BLIND
    assert spent.amount.amount > 0


async def test_several_replicas_that_decide_at_once_decide_once(world: World) -> None:
    await world.a_budget(BudgetScope.TEAM, world.team.id, "1")
    await world.a_budget(BudgetScope.WORKSPACE, None, "1")
    await world.bot.watching.poll_due()
    async with world.bot.storage.writing() as store:
        for one in await store.incidents.open_ones(WORKSPACE):
            assert one.level >= 100
    await asyncio.gather(*(world.bot.evaluating.evaluate(WORKSPACE) for _ in range(4)))
    incidents = await world.incidents()
    assert len(incidents) == 2
    assert [root.version for one in incidents if (root := await world.root(one))] == [1, 1]


@pytest.mark.parametrize("trouble", [Conflict("the incident of budget", 1), ZeroDivisionError("no share of nothing")])
@pytest.mark.parametrize("where", ["keep", "evaluate"])
async def test_what_fails_about_one_budget_silences_no_other(
    quick: ReadWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Exception, where: str
) -> None:
    """All of a workspace was kept together or not at all: one alert that could not be kept, and nobody heard of any.
    Where somebody else was first each time, that is no mistake of ours.
    """
    chatbot, writer = await quick.project(CHATBOT), await quick.project(WRITER)
    for one in (chatbot, writer):
        await quick.a_budget(BudgetScope.PROJECT, one.id, "1")
    really = getattr(evaluating, where)

    def stumbling(*given: Any) -> Any:
        about = given[1].incident if where == "keep" else given[1]
        if about.scope_id == chatbot.id if where == "keep" else about.scope.id == chatbot.id:
            raise trouble
        return really(*given)

    monkeypatch.setattr(evaluating, where, stumbling)
    await quick.polled(30)
    assert [one.scope_id for one in await quick.incidents()] == [writer.id]
    mistakes = [one.exc_info[1] for one in caplog.records if one.levelname == "ERROR" and one.exc_info]
    assert set(mistakes) == (set() if where == "keep" and isinstance(trouble, Conflict) else {trouble})


async def test_every_project_without_a_budget_of_its_own_has_the_default(quick: ReadWorld) -> None:
    chatbot, writer = await quick.project(CHATBOT), await quick.project(WRITER)
    await quick.a_budget(BudgetScope.EVERY_PROJECT, None, "1")
    own = await quick.a_budget(BudgetScope.PROJECT, chatbot.id, "1000")
    await quick.polled(30)
    assert [(one.scope_id, one.budget_id == own.id) for one in await quick.incidents()] == [(writer.id, False)]


async def test_below_its_floor_and_below_its_levels_a_budget_is_quiet(quick: ReadWorld) -> None:
    await quick.polled()
    await quick.a_budget(BudgetScope.WORKSPACE, None, "1", floor=Money.of(100))
    await quick.a_budget(BudgetScope.TEAM, quick.team.id, "100")
    await quick.bot.evaluating.evaluate(WORKSPACE)
    assert await quick.incidents() == []


async def test_half_a_budget_is_kept_for_the_thread_and_told_with_the_first_loud_level(quick: ReadWorld) -> None:
    """50 % rings nowhere. When 75 % posts the root, the line of 50 % stands first in its thread."""
    await quick.a_budget(BudgetScope.WORKSPACE, None, "4")
    await quick.polled(5)
    [incident] = await quick.incidents()
    assert (incident.level, incident.spoken_level) == (50, 0)
    assert await quick.root(incident) is None
    assert await quick.lines(incident) == []
    for minutes in (15, 20):
        await quick.polled(minutes)
    assert await quick.root(incident) is not None
    lines = await quick.lines(incident)
    assert [one.subject["event"].split(":")[1] for one in lines] == ["50", "75"]
    assert not any(one.is_broadcast for one in lines)


async def test_midnight_closes_what_was_open_once_the_last_minutes_have_come(quick: ReadWorld) -> None:
    await quick.a_budget(BudgetScope.WORKSPACE, None, "4")
    quick.clock.moment = quick.clock.moment.replace(hour=23, minute=50)
    await quick.polled()
    [opened] = await quick.incidents()
    assert opened.state is IncidentState.OPEN
    quick.clock.advance(minutes=10)
    await quick.bot.evaluating.everywhere()
    assert [one.state for one in await quick.incidents()] == [IncidentState.OPEN]  # its last minutes are not read yet
    await quick.polled(1)
    yesterday = opened.window.start
    [closed] = [one for one in await quick.incidents() if one.window.start == yesterday]
    assert closed.state is IncidentState.CLOSED
    midnight = quick.clock().replace(hour=0, minute=0)
    used = sum(quick.happened(one, midnight - timedelta(days=1), midnight) for one in (CHATBOT, WRITER))
    assert closed.spent.amount == used


async def test_a_crossing_of_the_last_minutes_is_told_after_midnight_as_yesterdays(quick: ReadWorld) -> None:
    """We slept from half past eleven: what was crossed meanwhile belongs to the day it was crossed in."""
    await quick.a_budget(BudgetScope.WORKSPACE, None, "46.5")
    quick.clock.moment = quick.clock.moment.replace(hour=20, minute=0)
    await quick.polled()
    assert [one.level for one in await quick.incidents()] == [75]
    yesterday = quick.clock().date()
    for _ in range(2):
        await quick.polled(245)
    [late] = [one for one in await quick.incidents() if one.window.start == yesterday]
    assert (late.level, late.state) == (100, IncidentState.CLOSED)


async def test_a_bill_read_at_midnight_and_a_provider_that_is_behind_hide_no_crossing(quick: ReadWorld) -> None:
    """Nine in Seoul is midnight in UTC: the bill of that day is short of what usage tells later."""
    await quick.collected()
    await quick.a_budget(BudgetScope.WORKSPACE, None, "46.5")
    quick.clock.moment = quick.clock.moment.replace(hour=22, minute=30)
    await quick.polled()
    assert [one.level for one in await quick.incidents()] == [90]
    yesterday = quick.clock().date()
    quick.openai.behaviour.set({"late_hours": 1})
    quick.clock.advance(minutes=90)
    await quick.bot.collecting.due(quick.clock())
    await quick.collected()
    states = []
    for minutes in (0, 30, 31):
        await quick.polled(minutes)
        [found] = [one for one in await quick.incidents() if one.window.start == yesterday]
        states.append((found.level, found.state))
    assert states == [(90, IncidentState.OPEN), (90, IncidentState.OPEN), (100, IncidentState.CLOSED)]


async def test_a_day_without_us_is_looked_at_even_when_nothing_was_open(quick: ReadWorld) -> None:
    await quick.a_budget(BudgetScope.WORKSPACE, None, "40")
    quick.clock.moment = quick.clock.moment.replace(hour=8, minute=0)
    await quick.polled()
    assert await quick.incidents() == []
    yesterday = quick.clock().date()
    await quick.polled(20 * 60)
    await quick.bot.evaluating.everywhere()
    [found] = await quick.incidents()
    assert (found.window.start, found.level, found.state) == (yesterday, 100, IncidentState.CLOSED)
    await quick.bot.evaluating.everywhere()
    assert len(await quick.incidents()) == 1


async def test_silence_keeps_the_record_and_speaks_once_when_it_ends(quick: ReadWorld) -> None:
    await quick.polled()
    await quick.a_budget(BudgetScope.WORKSPACE, None, "2.2")
    await quick.bot.evaluating.evaluate(WORKSPACE)
    [incident] = await quick.incidents()
    change = silence(incident, "U0MINSU001", quick.clock() + timedelta(minutes=30), quick.clock())
    async with quick.bot.storage.writing() as store:
        await store.incidents.save(WORKSPACE, change, incident)
    for _ in range(5):
        await quick.polled(5)
    [silent] = await quick.incidents()
    assert silent.level == 100
    assert silent.spoken_level < 100
    quick.clock.advance(minutes=6)
    await quick.bot.evaluating.everywhere()
    [spoken] = await quick.incidents()
    assert spoken.spoken_level == 100
    loud = [one.subject["event"].partition(":")[0] for one in await quick.lines(spoken) if one.is_broadcast]
    assert loud == ["silence_ended"]


async def test_a_budget_that_is_gone_or_another_ends_what_it_opened(quick: ReadWorld) -> None:
    whole = await quick.a_budget(BudgetScope.WORKSPACE, None, "1")
    team = await quick.a_budget(BudgetScope.TEAM, quick.team.id, "1")
    weekly = await quick.a_budget(BudgetScope.TEAM, quick.team.id, "1", period=BudgetPeriod.WEEK)
    await quick.polled(5)
    assert len(await quick.incidents()) == 3
    async with quick.bot.storage.writing() as store:
        await store.budgets.delete(WORKSPACE, whole.id, by="U0JIHOON01", at=quick.clock())
        await store.budgets.update(WORKSPACE, team.id, is_enabled=False, by="U0JIHOON01", at=quick.clock())
    await quick.bot.evaluating.everywhere()
    states = {one.budget_id: one.state for one in await quick.incidents()}
    assert states == {
        whole.id: IncidentState.CLOSED, team.id: IncidentState.CLOSED, weekly.id: IncidentState.OPEN,
    }  # fmt: skip


async def test_usual_and_since_when_are_told_from_history(quick: ReadWorld) -> None:
    """Bills of the days before say what is usual; the minutes say since when it surges."""
    await quick.collected()
    await quick.polled()
    chatbot = await quick.project(CHATBOT)
    await quick.a_budget(BudgetScope.PROJECT, chatbot.id, "6")
    began = quick.clock() + timedelta(minutes=15)
    quick.clock.advance(minutes=15)
    quick.openai.boost(CHATBOT, 15, began)
    for _ in range(5):
        await quick.polled(5)
    [incident] = await quick.incidents()
    assert incident.usual is not None
    assert incident.usual.amount == 24 * AN_HOUR
    assert abs(incident.since - began) <= timedelta(minutes=5)


@pytest.mark.parametrize(("look_every", "limit"), [(60, "140"), (330, "140"), (203, "90")])
async def test_a_surge_is_told_since_it_began_however_long_that_is_before_the_alert(
    quick: ReadWorld, look_every: int, limit: str
) -> None:
    """It burned for hours before a level was reached; where only hours are known of it, too, as after an absence."""
    await quick.collected()
    quick.openai.boost(CHATBOT, 15, began := quick.clock().replace(minute=0) + timedelta(hours=1))
    chatbot = await quick.project(CHATBOT)
    await quick.a_budget(BudgetScope.PROJECT, chatbot.id, limit)
    quick.clock.advance(seconds=(began - quick.clock()).total_seconds())
    await quick.polled()
    while not await quick.incidents():
        await quick.polled(look_every)
    [incident] = await quick.incidents()
    assert incident.opened_at - began > timedelta(hours=3)
    assert incident.since == began
