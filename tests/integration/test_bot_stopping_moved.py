"""A stop whose project, budget or rule is changed while it is held: nothing of it gets out of hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete

from blocks import bad_news, figures
from bot.budgets import BudgetWish
from bot.errors import Refusal, RefusalCode, explain
from finops.incidents import IncidentState
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import Project, Role
from finops.stop_report import ApprovalWish, StopShown, StopTarget
from finops.stops import ApprovalWay, StopEventKind, StopState
from storage.tables import projects
from tests.integration.bot_world import WORKSPACE
from tests.integration.stopping_world import (
    FORMER_CENTS,
    WORKER,
    a_runaway,
    again,
    cents,
    incident_now,
    kinds,
    limited,
    stopped,
    watched,
)
from tests.integration.stopping_world import world as world
from tests.integration.watch_world import CHATBOT, WRITER, World
from tests.integration.watch_world import quick_storage as quick_storage
from tests.unit.saying import reader


async def a_stop(world: World, **terms: object) -> StopShown:
    limited(world)
    return await stopped(world, await a_runaway(world, **terms))


async def lost(world: World, project: Project) -> None:
    """The project's row is gone although it is held, as an earlier release let it go."""
    async with world.bot.storage.writing() as store:
        await store.projects._db.execute(delete(projects).where(projects.c.id == project.id))


async def registered_again(world: World, project: Project) -> Project:
    async with world.bot.storage.writing() as store:
        await store.projects.register(
            WORKSPACE, connection_id=world.connection.id, team_id=world.team.id,
            projects=[(project.provider_project_id, project.name)], registered_by=world.admin.user_id, at=world.clock(),
        )  # fmt: skip
    return await world.project(CHATBOT)


async def test_a_project_that_is_stopped_stays_with_its_team_until_it_is_restored(world: World) -> None:
    """Refused with its name, while it is held and while it is put back; then it goes as always."""
    shown = await a_stop(world)
    project = await world.project(CHATBOT)

    async def refused() -> None:
        with pytest.raises(Refusal) as refusal:
            await world.bot.projects.unregister(world.admin, project.id)
        assert (refusal.value.code, refusal.value.values) == (RefusalCode.PROJECT_HELD, {"project": CHATBOT})

    await refused()
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await refused()
    assert await world.project(CHATBOT) == project
    await world.bot.projects.unregister(world.admin, (await world.project(WRITER)).id)
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == FORMER_CENTS
    await world.bot.projects.unregister(world.admin, project.id)
    assert await world.bot.projects.all(WORKSPACE) == []


@pytest.mark.parametrize("by", ["stop", "incident"])
async def test_what_is_held_is_given_back_although_nobody_has_its_project_any_more(world: World, by: str) -> None:
    """An administrator decides, by the message of the stop or of the alert; a lead of nothing does not."""
    shown = await a_stop(world)
    await lost(world, await world.project(CHATBOT))
    target = StopTarget(stop_id=shown.stop.id) if by == "stop" else StopTarget(incident_id=shown.stop.incident_id)
    lead = replace(world.admin, user_id=world.team.lead_user_id, role=Role.MEMBER)
    with pytest.raises(Refusal) as refusal:
        await world.bot.stopping.approve(lead, target, ApprovalWish(ApprovalWay.RESTORE))
    assert refusal.value.code is RefusalCode.NOT_ADMIN
    assert (await world.bot.stopping.retry(world.admin, shown.stop.id or 0)).stop.state is StopState.STOPPED
    assert await world.bot.stopping.approving(world.admin, target) is not None
    await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.RESTORE))
    await watched(world, 2)
    assert cents(world) == FORMER_CENTS
    assert (await again(world, shown)).stop.state is StopState.RESTORED


async def test_a_project_that_was_registered_anew_is_given_back_by_its_name(world: World) -> None:
    """What holds it since before is found by what it holds: it can be restored, and then stopped again."""
    shown = await a_stop(world)
    project = await world.project(CHATBOT)
    await lost(world, project)
    anew = await registered_again(world, project)
    target = StopTarget(scope=f"project:{anew.id}")
    found = await world.bot.stopping.approving(world.admin, target)
    assert found is not None
    assert found.stop.id == shown.stop.id
    await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.RESTORE))
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == FORMER_CENTS
    second = await world.bot.stopping.request(world.admin, target, Lever.STOP, "또 재시도")
    await world.bot.holding.work_due(WORKER)
    assert (second.stop.scope_kind, second.stop.scope_id, cents(world)) == (ScopeKind.PROJECT, anew.id, 1)


async def test_two_people_are_needed_by_whatever_name_a_stop_is_asked_for(world: World) -> None:
    """A stop of an alert keeps the rule of its budget when somebody names the project instead of the alert."""
    await a_stop(world, needs_two=True)
    target = StopTarget(scope=f"project:{(await world.project(CHATBOT)).id}")
    after = await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.RESTORE))
    assert after is not None
    assert (after.stop.state, kinds(after)[-1]) == (StopState.STOPPED, StopEventKind.SECOND_ASKED)
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == 1


async def allowed(world: World, shown: StopShown, dollars: str = "2") -> None:
    """So many dollars more, then it stops again."""
    wish = ApprovalWish(ApprovalWay.AMOUNT, dollars, world.clock() + timedelta(hours=8))
    await world.bot.stopping.approve(world.admin, StopTarget(incident_id=shown.stop.incident_id), wish)
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == FORMER_CENTS
    assert (await again(world, shown)).stop.state is StopState.ALLOWED


async def test_a_project_that_is_to_be_stopped_again_stays_with_its_team(world: World) -> None:
    """A dollar more, then stopped again: nobody would find it then. Approved without that, it goes as always."""
    shown = await a_stop(world)
    await allowed(world, shown, "1")
    project, stop = await world.project(CHATBOT), (await again(world, shown)).stop
    with pytest.raises(Refusal) as refusal:
        await world.bot.projects.unregister(world.admin, project.id)
    told = {"project": CHATBOT, "until": stop.allowed_until, "amount": stop.allowed_ceiling}
    assert (refusal.value.code, refusal.value.values) == (RefusalCode.PROJECT_ALLOWED, told)
    assert stop.allowed_ceiling is not None
    said = bad_news.sentence(explain(refusal.value), reader("ko"))
    assert figures.short(stop.allowed_ceiling, reader("ko")) in said
    assert await world.project(CHATBOT) == project
    await world.bot.projects.unregister(world.admin, (await world.project(WRITER)).id)  # whom nobody agreed to stop
    wish = ApprovalWish(ApprovalWay.AMOUNT, "1", world.clock() + timedelta(hours=8), restops=False)
    await world.bot.stopping.approve(world.admin, StopTarget(incident_id=shown.stop.incident_id), wish)
    await world.bot.projects.unregister(world.admin, project.id)
    assert await world.bot.projects.all(WORKSPACE) == []


async def used(world: World) -> Decimal:
    """What the stopped project has used today, as far as was told."""
    mine = world.openai.project(CHATBOT).id
    async with world.bot.storage.reading() as store:
        rows = await store.usage.open_estimates(WORKSPACE, [world.clock().date()])
    return Decimal(sum(row.atto for row in rows if row.sub_account_id == mine)).scaleb(-18)


@pytest.mark.parametrize("change", ["off and on", "excluded", "moved"])
async def test_an_allowance_is_measured_whatever_becomes_of_its_budget(world: World, change: str) -> None:
    """It was agreed to stop again after a dollar more: at a dollar it does, says so, and can be put back."""
    shown = await a_stop(world)
    await allowed(world, shown, "1")
    project, budget_id = await world.project(CHATBOT), (await incident_now(world)).budget_id
    if change == "excluded":
        await world.bot.projects.exclude(world.admin, project.id)
    elif change == "moved":
        await lost(world, project)
    else:
        await world.bot.budgets.switch(world.admin, budget_id, is_enabled=False)
    await world.bot.evaluating.everywhere()
    assert (await incident_now(world)).state is IncidentState.CLOSED
    if change == "off and on":
        await world.bot.budgets.switch(world.admin, budget_id, is_enabled=True)
    elif change == "moved":
        await registered_again(world, project)

    ceiling = (await again(world, shown)).stop.allowed_ceiling
    assert ceiling is not None
    before, minutes = await used(world), 0
    while cents(world) != 1 and minutes < 30:
        before, minutes = await used(world), minutes + 1
        await watched(world, 1)
    assert before < ceiling.amount <= await used(world)
    shown = await again(world, shown)
    [ended] = [one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended.values["reason"], ended.values["restops"], ended.is_loud) == ("amount", True, True)
    assert (shown.stop.state, shown.stop.turn) == (StopState.STOPPED, 2)
    incident = await incident_now(world)
    assert (incident.state, incident.spent.amount >= ceiling.amount) == (IncidentState.STOPPED, True)
    await world.bot.stopping.approve(
        world.admin, StopTarget(incident_id=shown.stop.incident_id), ApprovalWish(ApprovalWay.RESTORE)
    )
    await watched(world, 1)
    assert (cents(world), (await again(world, shown)).stop.state) == (FORMER_CENTS, StopState.RESTORED)


@pytest.mark.parametrize("by", ["form", "file"])
async def test_nobody_takes_the_rule_of_two_people_away_to_decide_alone(world: World, by: str) -> None:
    """While something is held, and while the second person is asked for; afterwards at will."""
    shown = await a_stop(world, needs_two=True)
    bot, me = world.bot, world.admin
    budget_id = (await incident_now(world)).budget_id

    async def without_the_rule() -> None:
        if by == "file":
            text = (await bot.budgets.export_text(me)).replace("needs_two: true", "needs_two: false")
            await bot.budgets.import_apply(me, text, (await bot.budgets.import_diff(me, text)).mark)
            return
        now = await bot.budgets.get(WORKSPACE, budget_id)
        wish = BudgetWish(f"project:{now.scope_id}", now.period.value, "6", now.levels, now.action.value)
        await bot.budgets.update(me, budget_id, wish, now.updated_at.isoformat())

    async def refused() -> None:
        with pytest.raises(Refusal) as refusal:
            await without_the_rule()
        assert refusal.value.code is RefusalCode.BUDGET_NEEDS_TWO
        assert (await bot.budgets.get(WORKSPACE, budget_id)).needs_two

    await refused()
    await bot.stopping.restore(me, shown.stop.id or 0)
    await refused()
    second = replace(me, user_id=world.team.lead_user_id, role=Role.MEMBER)
    await bot.stopping.agree(second, shown.stop.id or 0)
    await bot.holding.work_due(WORKER)
    assert (cents(world), (await again(world, shown)).stop.state) == (FORMER_CENTS, StopState.RESTORED)
    await without_the_rule()
    assert not (await bot.budgets.get(WORKSPACE, budget_id)).needs_two


async def test_a_budget_that_is_deleted_leaves_its_stop_the_rule_of_two_people(world: World) -> None:
    """Who deletes it, or switches it off, still asks for the second person."""
    shown = await a_stop(world, needs_two=True)
    await world.bot.budgets.delete(world.admin, (await incident_now(world)).budget_id)
    after = await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    assert (after.stop.state, kinds(after)[-1]) == (StopState.STOPPED, StopEventKind.SECOND_ASKED)
