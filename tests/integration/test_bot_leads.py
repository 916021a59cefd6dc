"""What is known for the message to whoever leads a project: its own amount beside the whole of its team's limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot import Policy
from bot.errors import Refusal, RefusalCode
from finops.budgets import BudgetPeriod, BudgetScope
from finops.charges import FigureState
from finops.queries import ScopeKind
from finops.registry import Role
from finops.stop_report import StopTarget
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, on_sqlite
from tests.integration.live_world import a_runaway
from tests.integration.watch_world import WRITER, World, a_steady_trace, a_watched_world


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
    target = StopTarget(incident_id=incident.id)
    draft = await world.bot.leads.draft(world.admin, target)
    assert (draft.spent, draft.scope, draft.whole) == (incident.spent, None, None)
    assert (draft.state, draft.as_of) == (FigureState.ESTIMATE, incident.as_of)
    # Whoever leads it is not asked to write to themselves.
    lead = replace(world.admin, user_id=draft.lead_user_id)
    for wanted in (world.bot.leads.draft(lead, target), world.bot.leads.tell(lead, target, "확인 부탁드립니다.")):
        with pytest.raises(Refusal) as refused:
            await wanted
        assert (refused.value.code, refused.value.values) == (RefusalCode.LEAD_IS_YOU, {"project": WRITER})


@on_sqlite
async def test_nobody_is_sent_to_a_lead_who_left(storage: Storage, clock: FakeClock) -> None:
    """The project's lead became a guest: the team's is told; where both left, nothing is sent."""
    alert = await a_runaway(storage, clock)
    target, bot = StopTarget(scope=f"project:{alert.project.id}"), alert.bot
    async with storage.writing() as store:
        await store.projects.update(WORKSPACE, alert.project.id, lead_user_id=alert.member.user_id)
    assert (await bot.leads.draft(alert.admin, target)).lead_user_id == alert.member.user_id
    for left, told in ((alert.member, alert.lead.user_id), (alert.lead, None)):
        async with storage.writing() as store:
            assert await store.people.set_role(WORKSPACE, left.user_id, Role.OUTSIDER)
        if told is not None:
            assert (await bot.leads.draft(alert.admin, target)).lead_user_id == told
            continue
        for attempt in (bot.leads.draft(alert.admin, target), bot.leads.tell(alert.admin, target, "확인 부탁드립니다")):
            with pytest.raises(Refusal) as refused:
                await attempt
            assert refused.value.code is RefusalCode.LEAD_MISSING
