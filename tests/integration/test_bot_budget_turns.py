"""Budgets that change in the middle of a period: each goes on as its terms are now, and keeps no other from its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import Connection

from bot import telling
from finops.budgets import BudgetAction, BudgetPeriod, BudgetScope
from finops.incidents import CloseReason, EventKind, Incident, IncidentState, close
from finops.money import Money
from finops.periods import starts_at
from storage import Storage
from storage.engine import normalised
from storage.migrate import config, run_on, upgrade
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, on_both_databases
from tests.integration.live_world import TODAY, World, a_runaway


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    """A Monday, with three quarters of everybody's budget and half as much again of the team's spent."""
    return await a_runaway(storage, clock)


async def changed(world: World, **terms: object) -> None:
    """Somebody gives the team's budget other terms, a minute later."""
    at = world.clock.advance(minutes=1)
    async with world.storage.writing() as store:
        budget = await store.budgets.get(WORKSPACE, world.budget.id)
        assert budget is not None
        wanted = replace(budget.terms, **terms)  # type: ignore[arg-type]
        await store.budgets.update(WORKSPACE, budget.id, terms=wanted, by=world.admin.user_id, at=at)


@on_both_databases
async def test_a_day_that_becomes_a_week_on_its_monday_keeps_nobody_from_being_told(world: World) -> None:
    """Both begin on the same day: the day's alert ends, the week's begins, and so does that of any other budget."""
    [of_a_day] = await world.evaluate()
    async with world.storage.writing() as store:
        every = replace(world.budget.terms, scope_kind=BudgetScope.WORKSPACE, scope_id=None)
        other = await store.budgets.create(WORKSPACE, every, by=world.admin.user_id, at=world.clock())
    await changed(world, period=BudgetPeriod.WEEK)
    found = await world.evaluate()
    of_all = (other.id, BudgetPeriod.DAY, 100)
    assert {(one.budget_id, one.period, one.level) for one in found} == {
        (world.budget.id, BudgetPeriod.WEEK, 100),
        of_all,
    }
    assert (await world.incident(of_a_day.id or 0)).state is IncidentState.CLOSED


async def switched(world: World, *, is_enabled: bool) -> list[Incident]:
    """Somebody switches the team's budget off, or on, a minute later; what is open then."""
    at = world.clock.advance(minutes=1)
    async with world.storage.writing() as store:
        await store.budgets.update(WORKSPACE, world.budget.id, is_enabled=is_enabled, by=world.admin.user_id, at=at)
    return await world.evaluate()


@pytest.mark.parametrize("action", BudgetAction)
async def test_a_budget_switched_on_again_goes_on_with_its_alert(world: World, action: BudgetAction) -> None:
    """What it told stays told, what it shows and offers is there again; and it stops, where it stops by itself."""
    await changed(world, action=action, levels=(100,), amount=Money.of("700"))
    [before] = await world.evaluate()  # 742 by an estimate, which may be wrong by a fifth: no stop yet
    assert await switched(world, is_enabled=False) == []
    await world.spend("600")
    [after] = await switched(world, is_enabled=True)
    assert (after.id, after.level, after.spent) == (before.id, 100, Money.of("1342"))
    assert await world.evaluate() != []
    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, before.id or 0)
        stops = await store.stops.active(WORKSPACE)
    assert [one.kind for one in events] == [EventKind.CROSSED, EventKind.CLOSED]
    assert [one.incident_id for one in stops] == [before.id] * (action is BudgetAction.STOP)


async def test_a_limit_raised_while_a_budget_is_off_is_told_of_from_then_on(world: World) -> None:
    """Told up to 100 % of 500; of 900 it has told nothing beyond what was spent before."""
    [before] = await world.evaluate()
    await switched(world, is_enabled=False)
    await changed(world, amount=Money.of("900"))
    await world.spend("160")
    [after] = await switched(world, is_enabled=True)
    assert (after.id, after.level, after.spoken_level) == (before.id, 100, 100)
    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, before.id or 0)
    assert [one.key for one in events if one.kind is EventKind.CROSSED] == ["crossed:100:500", "crossed:100:900"]


async def test_what_only_the_thread_was_to_hear_is_told_aloud_where_other_levels_make_it_loud(world: World) -> None:
    """74.2 % of $1,000 waits for a thread. Whoever then asks to hear of 50 % alone hears of it, once."""
    await changed(world, amount=Money.of("1000"))
    [quiet] = await world.evaluate()
    assert (quiet.level, quiet.has_root) == (50, False)
    await changed(world, levels=(50,))
    [loud] = await world.evaluate()
    assert (loud.id, loud.level, loud.spoken_level) == (quiet.id, 50, 50)
    assert await world.bot.evaluating.evaluate(WORKSPACE) == 0
    async with world.storage.reading() as store:
        root, *lines = await store.outbox.beginning(WORKSPACE, telling.root_key(quiet.id or 0))
    assert (root.urgency, [one.is_broadcast for one in lines]) == (telling.URGENT, [False])


async def test_a_limit_changed_after_midnight_is_none_of_yesterday(world: World) -> None:
    """Yesterday's alert waits for its last minutes: they are told, and it is closed, by yesterday's limit."""
    await changed(world, amount=Money.of("1000"))
    [before] = await world.evaluate()
    midnight = starts_at(TODAY) + timedelta(days=1)
    world.clock.moment = midnight + timedelta(minutes=1)
    await changed(world, amount=Money.of("300"), levels=(10, 20, 100))
    [same] = await world.evaluate()
    assert (same.id, same.limit, same.level) == (before.id, Money.of("1000"), before.level)
    await world.spend("300", until=midnight)
    assert await world.evaluate() == []
    told = await world.incident(before.id or 0)
    assert (told.limit, told.level, told.spoken_level) == (Money.of("1000"), 100, 100)
    assert (told.state, told.spent) == (IncidentState.CLOSED, Money.of("1042"))


async def test_what_was_resolved_stays_so_while_its_budget_works(world: World) -> None:
    """Stopped, put back and a day gone by: that it is above its limit still is no news."""
    [before] = await world.evaluate()
    async with world.storage.writing() as store:
        await telling.keep(store, close(before, CloseReason.RESOLVED, world.clock()), before, (), world.clock())
    assert await world.evaluate() == []
    assert await switched(world, is_enabled=False) == await switched(world, is_enabled=True) == []
    await world.spend("10")
    assert [one.level for one in await world.evaluate()] == [150]


@on_both_databases
async def test_alerts_outlive_going_back_and_forth(database_url: str, world: World) -> None:
    """An alert keeps its story where the version before knew one for each beginning, and numbers go on."""
    [before] = await world.evaluate()

    def again(connection: Connection) -> None:
        command.downgrade(config(connection), "0010")
        upgrade(connection)

    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, before.id or 0)
    await run_on(normalised(database_url), again)
    async with world.storage.reading() as store:
        assert await store.incidents.get(WORKSPACE, before.id or 0) == before
        assert await store.incidents.events(WORKSPACE, before.id or 0) == events != []
    await changed(world, period=BudgetPeriod.WEEK)
    [after] = await world.evaluate()
    assert (after.id or 0) > (before.id or 0)
