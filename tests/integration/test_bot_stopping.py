"""A stop really stops, is proved by usage, and gives back exactly what was there before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.errors import Refusal, RefusalCode
from bot.stop_policy import stop_by_policy
from demo.openai.faults import Fault
from finops.budgets import Budget, BudgetAction, BudgetScope, effective
from finops.holds import HoldState
from finops.incidents import IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.registry import Role
from finops.stop_report import ApprovalWish, StopTarget
from finops.stops import ApprovalWay, StopEventKind, StopState
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


async def test_a_stop_is_set_proved_and_restored_bit_for_bit_and_closed_the_next_day(world: World) -> None:
    """J1: one cent, quiet minutes, the leak in dollars, the old limit back, calls again, and the next day's note."""
    incident = await a_runaway(world)
    limited(world)
    asked_at = world.clock()
    shown = await stopped(world, incident)
    assert cents(world) == 1
    assert (shown.stop.state, (await incident_now(world)).state) == (StopState.STOPPED, IncidentState.STOPPED)
    assert shown.current[0].former == {
        "spend_limit": {"currency": "USD", "interval": "month", "threshold_amount": FORMER_CENTS}
    }

    await watched(world, 12)
    shown = await again(world, shown)
    [hold] = shown.current
    assert (hold.state, shown.is_proved) == (HoldState.PROVED, True)
    assert hold.leak is not None
    assert hold.leak.amount == world.happened(CHATBOT, asked_at, asked_at + timedelta(minutes=10))
    assert hold.leak.amount > 0
    assert hold.last_request_at is not None
    assert hold.last_request_at - asked_at <= timedelta(minutes=3)
    assert hold.enforced_at is not None

    shown = await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    assert shown.stop.state is StopState.RESTORING
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == FORMER_CENTS
    await watched(world, 5)
    shown = await again(world, shown)
    assert shown.stop.state is StopState.RESTORED
    assert StopEventKind.FIRST_TRAFFIC in kinds(shown)

    world.openai.boost(CHATBOT, 1, world.clock())
    world.clock.advance(hours=24)
    await world.bot.watching.poll_due()
    await world.bot.stop_ends.everywhere()
    shown = await again(world, shown)
    closing = await incident_now(world) if len(await world.incidents()) == 1 else (await world.incidents())[0]
    assert (shown.stop.state, closing.state) == (StopState.CLOSED, IncidentState.CLOSED)
    note = shown.events[-1]
    assert Decimal(str(note.values["saved_high"])) >= Decimal(str(note.values["saved_low"])) > 0


async def test_no_limit_before_is_no_limit_after(world: World) -> None:
    """Nothing is put in the place of nothing."""
    shown = await stopped(world, await a_runaway(world))
    assert cents(world) == 1
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    assert cents(world) is None


async def test_an_allowance_ends_by_itself_and_the_stop_is_back(world: World) -> None:
    """Ten dollars more until 18:00, whatever comes first; then one cent again, and the old limit is still known."""
    incident = await a_runaway(world)
    limited(world)
    shown = await stopped(world, incident)
    until = world.clock() + timedelta(minutes=30)
    target = StopTarget(stop_id=shown.stop.id)
    await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.AMOUNT, "100", until))
    await world.bot.holding.work_due(WORKER)
    await watched(world, 5)
    shown = await again(world, shown)
    assert (cents(world), shown.stop.state) == (FORMER_CENTS, StopState.ALLOWED)
    assert (await incident_now(world)).state is IncidentState.ALLOWED
    await watched(world, 8, after=22)
    shown = await again(world, shown)
    assert (cents(world), shown.stop.state, shown.stop.turn) == (1, StopState.STOPPED, 2)
    assert shown.current[0].former == {
        "spend_limit": {"currency": "USD", "interval": "month", "threshold_amount": FORMER_CENTS}
    }


async def test_an_allowance_of_an_amount_ends_with_the_amount(world: World) -> None:
    """Fifteen times the calls burn a dollar in four minutes."""
    incident = await a_runaway(world)
    shown = await stopped(world, incident)
    until = world.clock() + timedelta(hours=3)
    target = StopTarget(stop_id=shown.stop.id)
    await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.AMOUNT, "1.50", until))
    await watched(world, 12)
    shown = await again(world, shown)
    ended = next(one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED)
    assert (ended.values["reason"], cents(world)) == ("amount", 1)


async def test_a_budget_stops_by_itself_once_and_not_again_after_a_restore(world: World) -> None:
    """The policy acts, an approval puts it back, and the same incident is not stopped behind people's backs again."""
    await a_runaway(world, action=BudgetAction.STOP)
    await watched(world, 3)
    incident = await incident_now(world)
    assert (cents(world), incident.state) == (1, IncidentState.STOPPED)
    shown = await world.bot.stopping.approving(world.admin, StopTarget(incident_id=incident.id))
    assert shown is not None
    assert shown.stop.requested_by is None
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 6)
    assert (cents(world), (await incident_now(world)).state) == (None, IncidentState.RESTORED)


async def ten_dollars_spent(world: World, limit: str) -> Budget:
    """A runaway has spent ten dollars and more of a budget that stops by itself."""
    project = await world.project(CHATBOT)
    budget = await world.a_budget(BudgetScope.PROJECT, project.id, limit, action=BudgetAction.STOP)
    await world.polled()
    world.openai.boost(CHATBOT, 15, world.clock())
    for minutes in (35, 5):
        await world.polled(minutes)
    return budget


@pytest.mark.parametrize("how", ["approved", "changed after a restore", "stopped by hand below it"])
async def test_a_budget_that_stops_by_itself_stops_at_a_limit_nobody_decided_about(world: World, how: str) -> None:
    """A limit that was raised, or not reached when somebody stopped and put back, is kept as it says: once."""
    limit = "20" if how != "stopped by hand below it" else "11.40"
    budget = await ten_dollars_spent(world, "6" if limit == "20" else limit)
    incident = await incident_now(world)
    target = StopTarget(incident_id=incident.id)
    if limit == "20":
        await watched(world, 2)
        assert cents(world) == 1
    else:
        assert (incident.level < 100, incident.has_root) == (True, True)
        await stopped(world, incident)
    raised = ApprovalWish(ApprovalWay.BUDGET, "20")
    await world.bot.stopping.approve(
        world.admin, target, raised if how == "approved" else ApprovalWish(ApprovalWay.RESTORE)
    )
    if how == "changed after a restore":
        async with world.bot.storage.writing() as store:
            terms = replace(budget.terms, amount=Money.of(20))
            at = world.clock()
            await store.budgets.update(WORKSPACE, budget.id, terms=terms, by=world.admin.user_id, at=at)
    await watched(world, 1)
    assert cents(world) is None
    while cents(world) is None and (await incident_now(world)).level < 150:
        await watched(world, 1)
    now = await incident_now(world)
    assert (cents(world), Money.of(limit) <= now.spent) == (1, True)
    assert (now.id, now.state) == (incident.id, IncidentState.STOPPED)
    shown = await world.bot.stopping.approving(world.admin, target)
    assert shown is not None
    assert (shown.stop.requested_by, shown.stop.turn) == (None, 2)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 3)
    assert (cents(world), (await incident_now(world)).state) == (None, IncidentState.RESTORED)


async def test_what_was_allowed_before_a_limit_was_reached_is_not_stopped_there(world: World) -> None:
    """A dollar and a half more and no stop at its end, given short of the limit: the budget does not know better."""
    await ten_dollars_spent(world, "11.40")
    incident = await incident_now(world)
    until = world.clock() + timedelta(hours=3)
    wish = ApprovalWish(ApprovalWay.AMOUNT, "1.50", until, restops=False)
    shown = await world.bot.stopping.approve(world.admin, StopTarget(incident_id=incident.id), wish)
    assert shown is not None
    while cents(world) is None and (await incident_now(world)).level < 150:
        await watched(world, 1)
    assert (await again(world, shown)).stop.state is StopState.CLOSED
    assert (cents(world), (await incident_now(world)).state) == (None, IncidentState.OPEN)


async def test_two_people_have_to_agree_where_the_budget_says_so(world: World) -> None:
    """One asks, the same one may not agree, another one may; until then nothing is let go."""
    incident = await a_runaway(world, needs_two=True)
    shown = await stopped(world, incident)
    shown = await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    assert shown.stop.pending is not None
    await watched(world, 1)
    assert cents(world) == 1
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.agree(world.admin, shown.stop.id or 0)
    assert refused.value.code is RefusalCode.APPROVAL_SAME_PERSON
    second = replace(world.admin, user_id=world.team.lead_user_id, role=Role.MEMBER)
    await world.bot.stopping.agree(second, shown.stop.id or 0)
    await watched(world, 1)
    assert cents(world) is None


async def test_a_whole_team_is_stopped_and_each_project_is_told(world: World) -> None:
    """One of them fails for a while: it is shown, tried again, and done."""
    incident = await a_runaway(world)
    writer = world.openai.project(WRITER).id
    world.openai.faults.add(Fault(path=f"/v1/organization/projects/{writer}", status=503))
    target = StopTarget(incident_id=incident.id)
    shown = await world.bot.stopping.request(world.admin, target, Lever.STOP, "모두", is_wide=True)
    await world.bot.holding.work_due(WORKER)
    shown = await again(world, shown)
    assert (shown.set_count, len(shown.current), shown.stop.state) == (1, 2, StopState.STOPPED)
    world.openai.faults.clear()
    await watched(world, 3)
    assert (cents(world), cents(world, WRITER)) == (1, 1)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 2)
    assert (cents(world), cents(world, WRITER)) == (None, None)


async def test_a_firmer_lever_takes_over_and_the_gentler_one_is_put_back(world: World) -> None:
    """Slow did not end it: one cent does, and no rate limit of ours is left behind."""
    incident = await a_runaway(world)
    before = dict(world.openai.project(CHATBOT).rate_limits)
    await stopped(world, incident, Lever.SLOW)
    assert world.openai.project(CHATBOT).rate_limits != before
    shown = await stopped(world, incident)
    await watched(world, 1)
    assert cents(world) == 1
    limits = world.openai.project(CHATBOT).rate_limits
    assert all(one.get("max_requests_per_1_minute", 10_000) > 2 for one in limits.values()), limits
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 1)
    assert cents(world) is None


async def test_a_policy_leaves_an_incident_to_whoever_stopped_it_a_moment_before(world: World) -> None:
    """It decided, and somebody clicked before it could act: the incident has one stop, and that is the person's."""
    await world.a_budget(BudgetScope.TEAM, world.team.id, "6", action=BudgetAction.ASK)
    await world.polled()
    world.openai.boost(CHATBOT, 15, world.clock())
    for minutes in (35, 5):
        await world.polled(minutes)
    [incident] = await world.incidents()
    shown = await stopped(world, incident)
    async with world.bot.storage.writing() as store:
        budgets = await store.budgets.all(WORKSPACE)
        [on] = effective(budgets, await store.teams.all(WORKSPACE), await store.projects.all(WORKSPACE))
        await stop_by_policy(world.bot.stopping._desk, store, await incident_now(world), on)
        assert [one.id for one in await store.stops.active(WORKSPACE)] == [shown.stop.id]


@pytest.mark.parametrize("before", [StopState.RESTORED, StopState.ALLOWED])
async def test_a_limit_can_be_raised_where_nothing_is_held_any_more(world: World, before: StopState) -> None:
    """After a restore, or while spending may go on: the new limit counts, and takes the place of what was allowed."""
    incident = await a_runaway(world)
    target = StopTarget(incident_id=incident.id)
    if before is StopState.RESTORED:
        shown = await stopped(world, incident)
        await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
        await watched(world, 1)
    else:
        until = world.clock() + timedelta(hours=2)
        await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.AMOUNT, "500", until))
    shown = await world.bot.stopping.approving(world.admin, target)
    assert shown is not None
    assert shown.stop.state is before
    await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.BUDGET, "5000"))
    async with world.bot.storage.reading() as store:
        assert [one.amount for one in await store.budgets.all(WORKSPACE)] == [Money.of(5000)]
    after = (await again(world, shown)).stop.state
    assert after is (StopState.RESTORED if before is StopState.RESTORED else StopState.CLOSED)


async def test_nobody_approves_what_somebody_changed_since_they_looked(world: World) -> None:
    """A window that was filled before the budget, or the stop, became another one changes nothing and says who did."""
    incident = await a_runaway(world)
    shown = await stopped(world, incident)
    target, seen = StopTarget(stop_id=shown.stop.id), world.clock()
    world.clock.advance(minutes=1)
    async with world.bot.storage.writing() as store:
        await store.budgets.update(
            WORKSPACE, incident.budget_id, is_enabled=True, by=world.team.lead_user_id, at=world.clock()
        )
    wish = ApprovalWish(ApprovalWay.BUDGET, "900", seen_at=seen)
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.approve(world.admin, target, wish)
    assert refused.value.code is RefusalCode.BUDGET_CHANGED
    assert refused.value.values["person"] == world.team.lead_user_id
    world.clock.advance(minutes=1)
    seen = world.clock()
    world.clock.advance(minutes=1)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.END_OF_DAY, seen_at=seen))
    assert refused.value.code is RefusalCode.STOP_CHANGED


async def test_a_new_limit_for_a_budget_that_is_gone_is_refused_in_words(world: World) -> None:
    """Deleted while the window was open: nothing is raised, and the stop can be let go of in the other ways."""
    incident = await a_runaway(world)
    shown = await stopped(world, incident)
    await world.bot.budgets.delete(world.admin, incident.budget_id)
    target = StopTarget(stop_id=shown.stop.id)
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.approve(world.admin, target, ApprovalWish(ApprovalWay.BUDGET, "100"))
    assert refused.value.code is RefusalCode.UNKNOWN_BUDGET
    assert (await world.bot.stopping.restore(world.admin, shown.stop.id or 0)).stop.state is StopState.RESTORING
