"""What is known for the message to whoever leads a project: its own amount beside the whole of its team's limit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot import Policy
from finops.budgets import BudgetPeriod, BudgetScope
from finops.queries import ScopeKind
from finops.stop_report import StopTarget
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.watch_world import WRITER, World, a_steady_trace, a_watched_world
from tests.integration.watch_world import quick_storage as quick_storage


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    policy, trace = Policy(backfill_days=1), a_steady_trace(2)
    async with a_watched_world(quick_storage, clock, policy=policy, trace=trace) as made:
        yield made


@pytest.mark.parametrize("period", [BudgetPeriod.DAY, BudgetPeriod.WEEK])
async def test_of_a_teams_alert_the_project_is_told_its_own_amount(world: World, period: BudgetPeriod) -> None:
    """The writer runs away, the chatbot goes on as always: two amounts that differ, of one period."""
    await world.a_budget(BudgetScope.TEAM, world.team.id, "30", period=period)
    await world.polled()
    world.openai.boost(WRITER, 60, world.clock())
    await world.polled(35)
    [incident] = await world.incidents()
    target = StopTarget(incident_id=incident.id)
    draft = await world.bot.leads.draft(world.admin, target)
    assert (draft.project, draft.period, draft.window, draft.is_over) == (WRITER, period, incident.window, False)
    assert draft.scope is not None
    assert (draft.scope.kind, draft.scope.name, draft.whole) == (ScopeKind.TEAM, world.team.name, incident.spent)
    assert draft.spent is not None
    writer = await world.project(WRITER)
    async with world.bot.storage.reading() as store:
        picture = await world.bot.spending.picture(store, incident.workspace_id, [incident.window])
    assert draft.spent == picture.spent(ScopeKind.PROJECT, writer.id, incident.window).amount
    assert draft.spent < incident.spent
    world.clock.advance(minutes=7 * 1440)
    assert (await world.bot.leads.draft(world.admin, target)).is_over


async def test_of_a_projects_own_alert_there_is_one_amount(world: World) -> None:
    """Nothing of a team is said where its limit is not what was reached."""
    await world.a_budget(BudgetScope.PROJECT, (await world.project(WRITER)).id, "30")
    await world.polled()
    world.openai.boost(WRITER, 60, world.clock())
    await world.polled(35)
    [incident] = await world.incidents()
    draft = await world.bot.leads.draft(world.admin, StopTarget(incident_id=incident.id))
    assert (draft.spent, draft.scope, draft.whole) == (incident.spent, None, None)
