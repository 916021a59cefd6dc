"""Budgets that change in the middle of a period: each goes on as its terms are now, and keeps no other from its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import Connection

from finops.budgets import BudgetPeriod, BudgetScope
from finops.incidents import IncidentState
from storage import Storage
from storage.engine import normalised
from storage.migrate import config, run_on, upgrade
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.live_world import World, a_runaway


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
