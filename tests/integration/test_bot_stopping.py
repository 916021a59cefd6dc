"""A stop really stops, is proved by usage, and gives back exactly what was there before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.errors import Refusal, RefusalCode
from bot.stop_policy import stop_by_policy
from demo.openai import ALL_RIGHTS
from demo.openai.faults import Fault
from demo.openai.limits import Limits
from finops.budgets import BudgetAction, BudgetScope, effective
from finops.holds import HoldState
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.registry import Role
from finops.stop_report import ApprovalWish, StopShown, StopTarget
from finops.stops import ApprovalWay, StopEventKind, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.watch_world import CHATBOT, MODEL, WRITER, World, a_steady_trace, a_watched_world
from tests.integration.watch_world import quick_storage as quick_storage

FORMER_CENTS = 100_000
WORKER = "a test"


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_watched_world(quick_storage, clock) as made:
        yield made


async def a_runaway(world: World, *, limit: str = "6", **terms: object) -> Incident:
    """Fifteen times the usual calls, until the whole limit and more is spent."""
    project = await world.project(CHATBOT)
    await world.a_budget(BudgetScope.PROJECT, project.id, limit, **terms)
    await world.polled()
    world.openai.boost(CHATBOT, 15, world.clock())
    for minutes in (35, 5):
        await world.polled(minutes)
    [incident] = await world.incidents()
    assert incident.level >= 100
    return incident


def limited(world: World, name: str = CHATBOT, cents: int = FORMER_CENTS) -> None:
    """The limit that the project had before anybody here did anything."""
    tenant, project = world.openai.tenant(), world.openai.project(name)
    body = {"threshold_amount": cents, "currency": "USD", "interval": "month"}
    Limits(tenant.organization, tenant.levers, world.openai.behaviour, world.clock()).set_spend_limit(project, body)


def cents(world: World, name: str = CHATBOT) -> int | None:
    """The spend limit as the provider has it."""
    return world.openai.project(name).spend_limit_cents


async def stopped(world: World, incident: Incident, lever: Lever = Lever.STOP) -> StopShown:
    target = StopTarget(incident_id=incident.id)
    shown = await world.bot.stopping.request(world.admin, target, lever, "재시도 루프")
    await world.bot.holding.work_due(WORKER)
    return await again(world, shown)


async def again(world: World, shown: StopShown) -> StopShown:
    return await world.bot.stopping.shown(WORKSPACE, shown.stop.id or 0)


async def watched(world: World, minutes: int, *, after: int = 0) -> None:
    """Minute after minute goes by, `after` so many in which nobody looked; usage is read, levers are looked after."""
    world.clock.advance(minutes=after)
    for _ in range(minutes):
        world.clock.advance(minutes=1)
        await world.bot.watching.poll_due()
        await world.bot.holding.work_due(WORKER)
        await world.bot.evaluating.everywhere()
        await world.bot.stop_ends.everywhere()
        await world.bot.holding.work_due(WORKER)


def kinds(shown: StopShown) -> list[StopEventKind]:
    return [one.kind for one in shown.events]


async def incident_now(world: World) -> Incident:
    return (await world.incidents())[-1]


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


@pytest.mark.parametrize("kind", ["acted_500", "acted_drop"])
async def test_a_provider_that_fails_after_acting_has_acted_once(world: World, kind: str) -> None:
    """The read back tells; nothing is set twice, and what was before is still what was before."""
    incident = await a_runaway(world)
    limited(world)
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind=kind, method="POST", times=1))
    shown = await stopped(world, incident)
    assert (cents(world), shown.stop.state) == (1, StopState.STOPPED)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    assert cents(world) == FORMER_CENTS


async def test_what_cannot_be_read_is_not_touched_and_people_are_told(world: World) -> None:
    """No former state, no act; once the provider answers again the stop is made."""
    incident = await a_runaway(world)
    limited(world)
    world.openai.faults.add(Fault(path="/v1/organization/projects", status=500))
    shown = await stopped(world, incident)
    assert (cents(world), shown.stop.state) == (FORMER_CENTS, StopState.STOPPING)
    await watched(world, 2)
    assert StopEventKind.TROUBLE in kinds(await again(world, shown))
    world.openai.faults.clear()
    await watched(world, 2)
    assert cents(world) == 1


async def test_a_key_without_the_right_says_so_and_changes_nothing(world: World) -> None:
    """중지 권한 없음: the stop fails at once, loudly, and the incident speaks as before."""
    incident = await a_runaway(world)
    limited(world)
    world.openai.organization.admin_keys[0] = replace(
        world.openai.organization.admin_keys[0], rights=frozenset({"api.usage.read", "api.management.read"})
    )
    shown = await stopped(world, incident)
    [hold] = shown.current
    assert (hold.state, shown.stop.state, cents(world)) == (HoldState.FAILED, StopState.FAILED, FORMER_CENTS)
    assert shown.events[-1].values["trouble"] == "no_right"
    assert shown.events[-1].is_loud
    assert (await incident_now(world)).state is IncidentState.OPEN


async def test_that_no_key_may_stop_is_known_before_somebody_counts_on_it(world: World) -> None:
    """The alert says so instead of offering it; a right that is given later is seen as soon as somebody looks."""
    incident = await a_runaway(world)
    target = StopTarget(incident_id=incident.id)
    assert (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).may_stop
    assert (await world.bot.stopping.preview(world.admin, target)).may_stop

    without(world, "api.management.write")
    async with world.bot.storage.writing() as store:
        [key] = await store.credentials.all(WORKSPACE)
        assert "management.write" in key.rights, "it was seen when the key was registered"
        await store.credentials.tell_rights(WORKSPACE, key.id, ["usage.read", "management.read"])
    assert not (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).may_stop
    assert not (await world.bot.stopping.preview(world.admin, target)).may_stop

    without(world)
    assert (await world.bot.stopping.preview(world.admin, target)).may_stop
    assert (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).may_stop


async def test_a_limit_changed_elsewhere_is_told_and_left_alone(world: World) -> None:
    """Ours is gone, so it is not ours to put back."""
    shown = await stopped(world, await a_runaway(world))
    limited(world, cents=777)
    await watched(world, 6)
    shown = await again(world, shown)
    assert (shown.current[0].state, shown.stop.state) == (HoldState.LOST, StopState.FAILED)
    assert cents(world) == 777
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    assert refused.value.code is RefusalCode.STOP_NOT_HELD


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


async def test_a_month_turn_opens_the_limit_for_a_cent_and_the_stop_is_proved_again(world: World) -> None:
    """A spend limit counts from zero on the first of a month: a few calls get through, and that is told."""
    shown = await stopped(world, await a_runaway(world))
    await watched(world, 12)
    assert (await again(world, shown)).is_proved
    now = world.clock()
    turn = (now.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)).replace(day=1)
    world.clock.advance(seconds=(turn - now).total_seconds() - 120)
    await watched(world, 18)
    shown = await again(world, shown)
    reopened = [one for one in shown.events if one.kind is StopEventKind.REOPENED]
    assert [one.values["is_month_turn"] for one in reopened] == [True]
    assert (shown.is_proved, shown.stop.state, cents(world)) == (True, StopState.STOPPED, 1)
    assert (await world.incidents())[0].state is IncidentState.STOPPED


async def test_a_gentler_lever_that_cannot_be_put_back_is_told(world: World) -> None:
    """The firmer one holds, but what the first one changed stays until somebody mends the key: nobody may think it is
    back."""
    incident = await a_runaway(world)
    shown = await stopped(world, incident, Lever.SLOW)
    assert shown.stop.state is StopState.STOPPED
    without(world, "api.management.write")
    shown = await stopped(world, incident)
    told = [one for one in shown.events if one.kind is StopEventKind.TROUBLE]
    assert [(one.values["trouble"], one.values["is_letting_go"]) for one in told] == [("no_right", True)]


async def test_a_project_that_seems_gone_for_a_moment_is_not_given_up(world: World) -> None:
    """People are told at once; what was changed there is put back when the provider knows the project again. One that
    it goes on listing is not lost for that it denies it."""
    incident = await a_runaway(world)
    limited(world)
    shown = await stopped(world, incident)
    gone = Fault(path=f"/v1/organization/projects/{world.openai.project(CHATBOT).id}", status=404)
    world.openai.faults.add(gone)
    await watched(world, 6)
    shown = await again(world, shown)
    assert (shown.events[-1].kind, shown.events[-1].values["trouble"]) == (StopEventKind.TROUBLE, "project_gone")
    assert shown.current[0].is_active
    world.openai.faults.clear()
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 6)
    shown = await again(world, shown)
    assert (shown.stop.state, cents(world)) == (StopState.RESTORED, FORMER_CENTS)

    again_stopped = await stopped(world, await incident_now(world))
    world.openai.faults.add(gone)
    for _ in range(15):
        world.clock.advance(minutes=6)
        await world.bot.holding.work_due(WORKER)
    assert (await again(world, again_stopped)).current[0].is_active


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(kind="flat_error")])
async def test_one_wrong_answer_becomes_no_former_state_and_gives_nothing_up(world: World, fault: Fault) -> None:
    """A "there is no limit" that is not true would end in the removal of somebody's limit, or in a cent for ever."""
    incident = await a_runaway(world)
    limited(world)
    where = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}/spend_limit"
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    shown = await stopped(world, incident)
    await watched(world, 1)
    assert cents(world) == 1
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    await watched(world, 11)
    assert (await again(world, shown)).stop.state is StopState.STOPPED
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    world.openai.faults.add(replace(fault, path=where, method="GET", times=1))
    await watched(world, 6)
    [back] = [one for one in (await again(world, shown)).events if one.kind is StopEventKind.RESTORED]
    assert (cents(world), back.values["kept"]) == (FORMER_CENTS, None)


async def test_a_provider_that_says_yes_and_does_nothing_is_not_hammered_and_told(world: World) -> None:
    """A few requests, then a pause and a word; what it does in the end is done."""
    incident = await a_runaway(world)
    world.openai.faults.add(Fault(path="/v1/organization/projects", kind="wrong_shape", method="POST"))
    shown = await stopped(world, incident)
    asked = [one for one in world.openai.calls if one.method == "POST"]
    assert (len(asked), cents(world)) == (3, None)
    await watched(world, 2)
    assert "unexpected" in [one.values.get("trouble") for one in (await again(world, shown)).events]
    world.openai.faults.clear()
    await watched(world, 2)
    assert cents(world) == 1


async def test_a_release_is_not_believed_at_one_word(world: World) -> None:
    """There was no limit before, and for a moment the provider says there is none again: our cent would stay, and the
    next stop would take it for what was before."""
    shown = await stopped(world, await a_runaway(world))
    where = f"/v1/organization/projects/{world.openai.project(CHATBOT).id}/spend_limit"
    world.openai.faults.add(Fault(path=where, method="GET", status=404, times=1))
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 2)
    assert (cents(world), (await again(world, shown)).stop.state) == (None, StopState.RESTORED)


async def test_a_cent_of_ours_that_comes_late_is_not_what_was_before(world: World) -> None:
    """A request we gave up waiting for is carried out after the restore, and somebody stops again before we look."""
    incident = await a_runaway(world)
    limited(world)
    shown = await stopped(world, incident)
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 1)
    limited(world, cents=1)
    shown = await stopped(world, await incident_now(world))
    assert shown.current[0].former == {
        "spend_limit": {"currency": "USD", "interval": "month", "threshold_amount": FORMER_CENTS}
    }
    await world.bot.stopping.restore(world.admin, shown.stop.id or 0)
    await watched(world, 1)
    assert cents(world) == FORMER_CENTS


async def test_a_lever_of_which_one_part_was_changed_elsewhere_leaves_no_other_part_behind(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """Somebody gave one model its pace back: that stays theirs, what we did to the other one is put back, and told."""
    plain = a_steady_trace()
    two_models = replace(plain, series=(plain.series[0], replace(plain.series[1], model="new-model")))
    async with a_watched_world(quick_storage, clock, trace=two_models) as world:
        target = StopTarget(scope=f"project:{(await world.project(CHATBOT)).id}")
        shown = await world.bot.stopping.request(world.admin, target, Lever.SLOW, "재시도 루프")
        await world.bot.holding.work_due(WORKER)
        limits = world.openai.project(CHATBOT).rate_limits
        assert [one["max_requests_per_1_minute"] for one in limits.values()] == [1, 1]
        limits["new-model"]["max_requests_per_1_minute"] = 5
        await watched(world, 6)
        shown = await again(world, shown)
        assert (shown.current[0].state, shown.events[-1].kind) == (HoldState.LOST, StopEventKind.LOST)
        assert {name: one["max_requests_per_1_minute"] for name, one in limits.items()} == {
            MODEL: 10_000,
            "new-model": 5,
        }


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


def without(world: World, *rights: str) -> None:
    """The key loses rights at the provider; none named: it has all of them again."""
    keys = world.openai.organization.admin_keys
    keys[0] = replace(keys[0], rights=ALL_RIGHTS - set(rights))


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
