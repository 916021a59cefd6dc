"""A stop whose project, budget or rule is changed while it is held: nothing of it gets out of hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete

from blocks import bad_news, figures, ids, incidents
from bot.budgets import BudgetWish
from bot.errors import Refusal, RefusalCode, explain
from bot.telling import root_key
from finops.incidents import IncidentState
from finops.periods import charge_day, starts_at
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stop_report import ApprovalWish, StopShown
from finops.stops import ApprovalWay, StopEventKind, StopState
from storage.tables import projects
from tests.integration.stopping_world import CHATBOT, FORMER_CENTS, WORKSPACE, WRITER, World, about, kinds
from tests.integration.stopping_world import world as world
from tests.integration.test_bot_alerts_beside import delivered
from tests.unit.saying import reader


async def a_stop(world: World, **terms: object) -> StopShown:
    incident = await world.runaway(**terms)
    world.limited()
    return await world.stopped(incident)


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
    await world.restore(shown)
    await refused()
    assert await world.project(CHATBOT) == project
    await world.bot.projects.unregister(world.admin, (await world.project(WRITER)).id)
    await world.acted()
    assert world.cents() == FORMER_CENTS
    await world.bot.projects.unregister(world.admin, project.id)
    assert await world.bot.projects.all(WORKSPACE) == []


@pytest.mark.parametrize("by", ["stop", "incident"])
async def test_what_is_held_is_given_back_although_nobody_has_its_project_any_more(world: World, by: str) -> None:
    """An administrator decides, by the message of the stop or of the alert; a lead of nothing does not."""
    shown = await a_stop(world)
    await lost(world, await world.project(CHATBOT))
    what = shown if by == "stop" else await world.incident_now()
    with pytest.raises(Refusal) as refusal:
        await world.bot.stopping.approve(world.second, about(what), ApprovalWish(ApprovalWay.RESTORE))
    assert refusal.value.code is RefusalCode.NOT_ADMIN
    assert (await world.bot.stopping.retry(world.admin, shown.stop.id or 0)).stop.state is StopState.STOPPED
    assert await world.bot.stopping.approving(world.admin, about(what)) is not None
    await world.approve(what, ApprovalWay.RESTORE)
    await world.acted()
    assert world.cents() == FORMER_CENTS
    assert (await world.again(shown)).stop.state is StopState.RESTORED


async def test_a_project_that_was_registered_anew_is_given_back_by_its_name(world: World) -> None:
    """What holds it since before is found by what it holds: it can be restored, and then stopped again."""
    shown = await a_stop(world)
    project = await world.project(CHATBOT)
    await lost(world, project)
    anew = await registered_again(world, project)
    found = await world.bot.stopping.approving(world.admin, about(anew))
    assert found is not None
    assert found.stop.id == shown.stop.id
    await world.approve(anew, ApprovalWay.RESTORE)
    await world.acted()
    assert world.cents() == FORMER_CENTS
    second = await world.stopped(anew)
    assert (second.stop.scope_kind, second.stop.scope_id, world.cents()) == (ScopeKind.PROJECT, anew.id, 1)


async def test_two_people_are_needed_by_whatever_name_a_stop_is_asked_for_also_when_its_budget_is_gone(
    world: World,
) -> None:
    """A stop of an alert keeps the rule of its budget when somebody names the project instead of the alert, and when
    somebody deletes the budget: to decide alone."""
    shown = await a_stop(world, needs_two=True)
    after = await world.approve(await world.project(CHATBOT), ApprovalWay.RESTORE)
    assert after is not None
    assert (after.stop.state, kinds(after)[-1]) == (StopState.STOPPED, StopEventKind.SECOND_ASKED)
    await world.acted()
    assert world.cents() == 1
    await world.bot.stopping.decline(world.admin, shown.stop.id or 0)
    world.clock.advance(minutes=1)
    await world.bot.budgets.delete(world.admin, (await world.incident_now()).budget_id)
    after = await world.restore(shown)
    assert (after.stop.state, kinds(after)[-1]) == (StopState.STOPPED, StopEventKind.SECOND_ASKED)


async def allowed(world: World, shown: StopShown, dollars: str) -> None:
    """So many dollars more, then it stops again."""
    await world.approve(await world.incident_now(), ApprovalWay.AMOUNT, dollars, hours=8)
    await world.acted()
    assert world.cents() == FORMER_CENTS
    assert (await world.again(shown)).stop.state is StopState.ALLOWED


async def test_a_project_that_is_to_be_stopped_again_stays_with_its_team(world: World) -> None:
    """A dollar more, then stopped again: nobody would find it then. Approved without that, it goes as always."""
    shown = await a_stop(world)
    await allowed(world, shown, "1")
    project, stop = await world.project(CHATBOT), (await world.again(shown)).stop
    with pytest.raises(Refusal) as refusal:
        await world.bot.projects.unregister(world.admin, project.id)
    told = {"project": CHATBOT, "until": stop.allowed_until, "amount": stop.allowed_ceiling}
    assert (refusal.value.code, refusal.value.values) == (RefusalCode.PROJECT_ALLOWED, told)
    assert stop.allowed_ceiling is not None
    said = bad_news.sentence(explain(refusal.value), reader("ko"))
    assert figures.short(stop.allowed_ceiling, reader("ko")) in said
    assert await world.project(CHATBOT) == project
    await world.bot.projects.unregister(world.admin, (await world.project(WRITER)).id)  # whom nobody agreed to stop
    await world.approve(await world.incident_now(), ApprovalWay.AMOUNT, "1", hours=8, restops=False)
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
    project, budget_id = await world.project(CHATBOT), (await world.incident_now()).budget_id
    if change == "excluded":
        await world.bot.projects.exclude(world.admin, project.id)
    elif change == "moved":
        await lost(world, project)
    else:
        await world.bot.budgets.switch(world.admin, budget_id, is_enabled=False)
    await world.bot.evaluating.everywhere()
    assert (await world.incident_now()).state is IncidentState.CLOSED
    if change == "off and on":
        await world.bot.budgets.switch(world.admin, budget_id, is_enabled=True)
    elif change == "moved":
        await registered_again(world, project)

    ceiling = (await world.again(shown)).stop.allowed_ceiling
    assert ceiling is not None
    before, minutes = await used(world), 0
    while world.cents() != 1 and minutes < 30:
        before, minutes = await used(world), minutes + 2
        await world.watched(1, after=1)
    assert before < ceiling.amount <= await used(world)
    shown = await world.again(shown)
    [ended] = [one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended.values["reason"], ended.values["restops"], ended.is_loud) == ("amount", True, True)
    assert ended.values["turn"] == 1, "it was stopped before"
    assert (shown.stop.state, shown.stop.turn) == (StopState.STOPPED, 2)
    incident = await world.incident_now()
    assert (incident.state, incident.spent.amount >= ceiling.amount) == (IncidentState.STOPPED, True)
    await world.approve(incident, ApprovalWay.RESTORE)
    await world.watched(1)
    assert (world.cents(), (await world.again(shown)).stop.state) == (FORMER_CENTS, StopState.RESTORED)


@pytest.mark.parametrize("by", ["form", "file"])
async def test_nobody_takes_the_rule_of_two_people_away_to_decide_alone(world: World, by: str) -> None:
    """While something is held, and while the second person is asked for; afterwards at will."""
    shown = await a_stop(world, needs_two=True)
    bot, me = world.bot, world.admin
    budget_id = (await world.incident_now()).budget_id

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
    await world.restore(shown)
    await refused()
    await bot.stopping.agree(world.second, shown.stop.id or 0)
    await world.acted()
    assert (world.cents(), (await world.again(shown)).stop.state) == (FORMER_CENTS, StopState.RESTORED)
    await without_the_rule()
    assert not (await bot.budgets.get(WORKSPACE, budget_id)).needs_two


async def test_an_alert_that_outlives_its_budget_says_so_and_of_which_day_its_amount_is(world: World) -> None:
    """What is held is shown by it until it is over: without a way to a budget that is gone, and after midnight no
    longer as what is spent "now"; each is drawn once."""
    shown = await a_stop(world)
    incident = await world.incident_now()
    key = root_key(incident.id or 0)
    await delivered(world)

    async def root() -> str:
        return str(incidents.root(await world.alert(incident), reader("en")).blocks)

    assert f"{incident.id}/{ids.MORE_BUDGET}" in await root()
    await world.bot.budgets.delete(world.admin, incident.budget_id)
    assert key in await delivered(world)
    assert f"{incident.id}/{ids.MORE_BUDGET}" not in await root()

    await world.watched(1)
    await delivered(world)
    day_end = starts_at(charge_day(world.clock()) + timedelta(days=1))
    world.clock.advance(seconds=(day_end - world.clock()).total_seconds())
    assert await world.bot.evaluating.evaluate(WORKSPACE) == 1
    assert key in await delivered(world)
    assert ", now" not in await root()
    assert await world.bot.evaluating.evaluate(WORKSPACE) == 0
    assert (await world.incident_now()).state is not IncidentState.CLOSED
    assert (await world.again(shown)).stop.state is StopState.STOPPED
