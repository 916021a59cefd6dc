"""A stop really stops, is proved by usage, and gives back exactly what was there before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from blocks import stop_form, stop_thread, stops
from bot.errors import Refusal, RefusalCode
from bot.stop_policy import stop_by_policy
from demo.openai.faults import Fault
from finops.budgets import Budget, BudgetAction, BudgetScope, effective
from finops.holds import HoldState
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.stops import ApprovalWay, StopEventKind, StopState
from tests.integration.stopping_world import CHATBOT, FORMER, FORMER_CENTS, WORKSPACE, WRITER, World, about, kinds
from tests.integration.stopping_world import world as world
from tests.unit.saying import reader


async def test_a_stop_is_set_proved_and_restored_bit_for_bit_and_closed_the_next_day(world: World) -> None:
    """J1: one cent, quiet minutes, the leak in dollars, the old limit back, calls again, and the next day's note."""
    incident = await world.runaway()
    world.limited()
    asked_at = world.clock()
    shown = await world.stopped(incident)
    assert world.cents() == 1
    assert (shown.stop.state, (await world.incident_now()).state) == (StopState.STOPPED, IncidentState.STOPPED)
    assert shown.current[0].former == FORMER

    for _ in range(3):
        await world.watched(1, after=3)
    shown = await world.again(shown)
    [hold] = shown.current
    assert (hold.state, shown.is_proved) == (HoldState.PROVED, True)
    assert hold.leak is not None
    assert hold.leak.amount == world.happened(CHATBOT, asked_at, asked_at + timedelta(minutes=10))
    assert hold.leak.amount > 0
    assert hold.last_request_at is not None
    assert hold.last_request_at - asked_at <= timedelta(minutes=3)
    assert hold.enforced_at is not None

    assert (await world.restore(shown)).stop.state is StopState.RESTORING
    await world.acted()
    assert world.cents() == FORMER_CENTS
    await world.watched(2, after=3)
    shown = await world.again(shown)
    assert shown.stop.state is StopState.RESTORED
    assert StopEventKind.FIRST_TRAFFIC in kinds(shown)
    listed = await world.bot.stopping.listed(world.admin)
    assert not listed.held, "there is nothing to put back any more"

    world.openai.boost(CHATBOT, 1, world.clock())
    world.clock.advance(hours=24)
    await world.bot.watching.poll_due()
    await world.bot.stop_ends.everywhere()
    shown, [closing, *_] = await world.again(shown), await world.incidents()
    assert (shown.stop.state, closing.state) == (StopState.CLOSED, IncidentState.CLOSED)
    note = shown.events[-1]
    assert Decimal(str(note.values["saved_high"])) >= Decimal(str(note.values["saved_low"])) > 0


async def test_calls_that_came_back_are_told_by_when_they_came_and_not_by_when_they_were_seen(world: World) -> None:
    """Nobody looked for half an hour after the restore: the review then said that nothing worked all that time."""
    shown = await world.stopped(await world.runaway())
    await world.watched(1, after=11)
    await world.restore(shown)
    await world.acted()
    restored_at = world.clock()
    await world.watched(1, after=29)
    shown = await world.again(shown)
    [told] = [one for one in shown.events if one.kind is StopEventKind.FIRST_TRAFFIC]
    assert shown.current[0].first_traffic_at == told.at
    assert timedelta(0) <= told.at - restored_at <= timedelta(minutes=2)


async def test_what_was_let_go_of_before_anything_was_set_says_nothing_of_a_limit_that_nobody_read(
    world: World,
) -> None:
    """The project has a limit: "no limit, as before" would have been a lie. What an earlier turn put back its line
    tells, whenever it is drawn."""
    incident = await world.runaway()
    world.limited()
    shown = await world.stopped(incident)
    await world.restore(shown)
    await world.acted()
    world.clock.advance(minutes=1)
    asked = await world.bot.stopping.request(world.admin, about(shown), Lever.STOP, "재시도 루프")
    await world.restore(asked)
    await world.acted()
    shown, t = await world.again(shown), reader("en")
    assert (shown.current[0].state, world.cents()) == (HoldState.RELEASED, FORMER_CENTS)
    first, last = (one for one in shown.events if one.kind is StopEventKind.RESTORED)
    assert "the former limit $1,000 as it was" in stop_thread.line(first, shown, t).text
    for told in (stops.root(shown, t).text, stop_thread.line(last, shown, t).text):
        assert "nothing had been changed at OpenAI yet" in told
        assert "limit" not in told


async def test_an_allowance_ends_by_itself_and_the_stop_is_back(world: World) -> None:
    """So many dollars more until then, whatever comes first; then one cent again, and the old limit is still known."""
    incident = await world.runaway()
    world.limited()
    shown = await world.stopped(incident)
    await world.approve(shown, ApprovalWay.AMOUNT, "100", hours=0.5)
    await world.acted()
    await world.watched(1, after=4)
    assert (world.cents(), (await world.again(shown)).stop.state) == (FORMER_CENTS, StopState.ALLOWED)
    assert (await world.incident_now()).state is IncidentState.ALLOWED
    await world.watched(1, after=25)
    shown = await world.again(shown)
    assert (world.cents(), shown.stop.state, shown.stop.turn) == (1, StopState.STOPPED, 2)
    assert shown.current[0].former == FORMER

    # Fifteen times the calls burn a dollar in four minutes.
    await world.approve(shown, ApprovalWay.AMOUNT, "1.50", hours=3)
    await world.watched(1, after=9)
    shown = await world.again(shown)
    ended = [one.values["reason"] for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended, world.cents(), shown.stop.turn) == (["time", "amount"], 1, 3)


async def ten_dollars_spent(world: World, limit: str) -> Budget:
    """A runaway has spent ten dollars and more of a budget that stops by itself."""
    project = await world.project(CHATBOT)
    budget = await world.a_budget(BudgetScope.PROJECT, project.id, limit, action=BudgetAction.STOP)
    await world.surge()
    return budget


@pytest.mark.parametrize("how", ["approved", "changed after a restore", "stopped by hand below it"])
async def test_a_budget_stops_by_itself_at_each_limit_once_and_not_again_after_a_restore(
    world: World, how: str
) -> None:
    """A limit that was raised, or not reached when somebody stopped and put back, is kept as it says; and nothing is
    stopped behind the back of those who put back what it stopped."""
    below = how == "stopped by hand below it"
    budget = await ten_dollars_spent(world, "11.40" if below else "6")
    incident, limit = await world.incident_now(), "11.40" if below else "11.60"
    if below:
        assert (incident.level < 100, incident.has_root) == (True, True)
        await world.stopped(incident)
    else:
        await world.acted()
        assert world.cents() == 1
    if how == "approved":
        await world.approve(incident, ApprovalWay.BUDGET, limit)
    else:
        await world.approve(incident, ApprovalWay.RESTORE)
    if how == "changed after a restore":
        async with world.bot.storage.writing() as store:
            terms = replace(budget.terms, amount=Money.of(limit))
            at = world.clock()
            await store.budgets.update(WORKSPACE, budget.id, terms=terms, by=world.admin.user_id, at=at)
    await world.watched(1)
    assert world.cents() is None
    while world.cents() is None and (await world.incident_now()).level < 150:
        await world.watched(1, after=5)
    now = await world.incident_now()
    assert (world.cents(), Money.of(limit) <= now.spent) == (1, True)
    assert (now.id, now.state) == (incident.id, IncidentState.STOPPED)
    shown = await world.bot.stopping.approving(world.admin, about(incident))
    assert shown is not None
    assert (shown.stop.requested_by, shown.stop.turn) == (None, 2)
    await world.restore(shown)
    await world.watched(1, after=5)
    assert (world.cents(), (await world.incident_now()).state) == (None, IncidentState.RESTORED)


async def test_what_was_allowed_before_a_limit_was_reached_is_not_stopped_there(world: World) -> None:
    """A dollar and a half more and no stop at its end, given short of the limit: the budget does not know better."""
    await ten_dollars_spent(world, "11.40")
    incident = await world.incident_now()
    shown = await world.approve(incident, ApprovalWay.AMOUNT, "1.50", hours=3, restops=False)
    assert shown is not None
    while world.cents() is None and (await world.incident_now()).level < 150:
        await world.watched(1, after=9)
    assert (await world.again(shown)).stop.state is StopState.CLOSED
    assert (world.cents(), (await world.incident_now()).state) == (None, IncidentState.OPEN)


async def test_two_people_have_to_agree_where_the_budget_says_so(world: World) -> None:
    """One asks, the same one may not agree, another one may; until then nothing is let go."""
    shown = await world.stopped(await world.runaway(needs_two=True))
    assert (await world.restore(shown)).stop.pending is not None
    await world.watched(1)
    assert world.cents() == 1
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.agree(world.admin, shown.stop.id or 0)
    assert refused.value.code is RefusalCode.APPROVAL_SAME_PERSON
    await world.bot.stopping.agree(world.second, shown.stop.id or 0)
    await world.acted()
    assert world.cents() is None


async def test_a_whole_team_is_stopped_as_it_was_shown_and_each_project_is_told(world: World) -> None:
    """One of them fails for a while: it is shown, tried again, and done."""
    incident = await world.runaway()
    radius = await world.window(incident)
    writer = world.openai.project(WRITER).id
    world.openai.faults.add(Fault(path=f"/v1/organization/projects/{writer}", status=503))
    seen = [one.project_id for one in radius.team_projects]
    shown = await world.stopped(incident, seen=seen, is_wide=True)
    assert ([one.project_id for one in shown.current], len(seen)) == (seen, 2)
    assert (shown.set_count, shown.stop.state) == (1, StopState.STOPPED)
    world.openai.faults.clear()
    await world.watched(1)
    assert (world.cents(), world.cents(WRITER)) == (1, 1)
    await world.restore(shown)
    await world.acted()
    assert (world.cents(), world.cents(WRITER)) == (None, None)


async def test_a_firmer_lever_takes_over_and_the_gentler_one_is_put_back(world: World) -> None:
    """Slow did not end it: one cent does, and no rate limit of ours is left behind."""
    incident = await world.runaway()
    before = dict(world.openai.project(CHATBOT).rate_limits)
    await world.stopped(incident, Lever.SLOW)
    assert world.openai.project(CHATBOT).rate_limits != before
    shown = await world.stopped(incident)
    await world.watched(1)
    assert world.cents() == 1
    limits = world.openai.project(CHATBOT).rate_limits
    assert all(one.get("max_requests_per_1_minute", 10_000) > 2 for one in limits.values()), limits
    await world.restore(shown)
    await world.acted()
    assert world.cents() is None


async def test_a_policy_leaves_an_incident_to_whoever_stopped_it_a_moment_before(world: World) -> None:
    """It decided, and somebody clicked before it could act: the incident has one stop, and that is the person's."""
    await world.a_budget(BudgetScope.TEAM, world.team.id, "6", action=BudgetAction.ASK)
    await world.surge()
    [incident] = await world.incidents()
    shown = await world.stopped(incident)
    async with world.bot.storage.writing() as store:
        budgets = await store.budgets.all(WORKSPACE)
        [on] = effective(budgets, await store.teams.all(WORKSPACE), await store.projects.all(WORKSPACE))
        await stop_by_policy(world.bot.stopping._desk, store, await world.incident_now(), on)
        assert [one.id for one in await store.stops.active(WORKSPACE)] == [shown.stop.id]


@pytest.mark.parametrize("before", [StopState.RESTORED, StopState.ALLOWED])
async def test_a_limit_can_be_raised_where_nothing_is_held_any_more(world: World, before: StopState) -> None:
    """After a restore, or while spending may go on: the new limit counts, and takes the place of what was allowed."""
    incident = await world.runaway()
    if before is StopState.RESTORED:
        await world.restore(await world.stopped(incident))
        await world.watched(1)
    else:
        await world.approve(incident, ApprovalWay.AMOUNT, "500", hours=2)
    shown = await world.bot.stopping.approving(world.admin, about(incident))
    assert shown is not None
    assert shown.stop.state is before
    await world.approve(incident, ApprovalWay.BUDGET, "5000")
    async with world.bot.storage.reading() as store:
        assert [one.amount for one in await store.budgets.all(WORKSPACE)] == [Money.of(5000)]
    after = (await world.again(shown)).stop.state
    assert after is (StopState.RESTORED if before is StopState.RESTORED else StopState.CLOSED)


async def test_nobody_approves_what_somebody_changed_since_they_looked(world: World) -> None:
    """A window that was filled before the budget, or the stop, became another one changes nothing and says who did;
    also where the copy that made it another one is behind the one that filled the window. A new limit for a budget
    that is gone meanwhile is refused in words, and the stop let go of in the other ways."""
    incident = await world.runaway()
    shown, known = await world.stopped(incident), await decided(world, incident)
    async with world.bot.storage.writing() as store:
        await store.budgets.update(
            WORKSPACE, incident.budget_id, is_enabled=True, by=world.team.lead_user_id,
            at=world.clock() - timedelta(minutes=10),
        )  # fmt: skip
    with pytest.raises(Refusal) as refused:
        await world.approve(shown, ApprovalWay.BUDGET, "900", known=known)
    assert refused.value.code is RefusalCode.BUDGET_CHANGED
    assert refused.value.values["person"] == world.team.lead_user_id
    await world.bot.budgets.delete(world.admin, incident.budget_id)
    with pytest.raises(Refusal) as refused:
        await world.approve(shown, ApprovalWay.BUDGET, "100")
    assert refused.value.code is RefusalCode.UNKNOWN_BUDGET
    known = await decided(world, incident)
    world.clock.moment -= timedelta(minutes=9)
    assert (await world.restore(shown)).stop.state is StopState.RESTORING
    with pytest.raises(Refusal) as refused:
        await world.approve(shown, ApprovalWay.END_OF_DAY, known=known)
    assert refused.value.code is RefusalCode.STOP_CHANGED
    await world.acted()
    assert await world.approve(shown, ApprovalWay.END_OF_DAY, known=await decided(world, incident)) is not None


async def decided(world: World, incident: Incident) -> tuple[datetime, ...]:
    """What a window about an alert knows to be decided."""
    return stop_form.approval_of(await world.alert(incident), world.clock()).decided_at
