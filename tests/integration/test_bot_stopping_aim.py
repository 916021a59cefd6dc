"""A stop hits what somebody was shown, or what runs away, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from blocks import ids, stops
from bot.errors import Refusal, RefusalCode
from demo.openai.faults import Fault
from finops.budgets import BudgetAction, BudgetScope
from finops.holds import HoldState
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.stop_report import StopShown
from finops.stops import ApprovalWay, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.stopping_world import CHATBOT, FORMER_CENTS, WRITER, World, a_stopping_world
from tests.unit.saying import reader


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_stopping_world(quick_storage, clock, limited=(CHATBOT, WRITER)) as made:
        yield made


async def reached(
    world: World, scope: BudgetScope = BudgetScope.TEAM, limit: str = "6", times: int = 15, **terms: object
) -> Incident:
    """The limit of all is reached, for the writer spends many times the usual."""
    await world.a_budget(scope, world.team.id if scope is BudgetScope.TEAM else None, limit, **terms)
    await world.surge(WRITER, times)
    [incident] = await world.incidents()
    return incident


async def offered(world: World, incident: Incident) -> list[int]:
    return [one.project_id for one in (await world.window(incident)).projects]


async def the_stop(world: World, incident: Incident) -> StopShown:
    """What the alert says of its stop."""
    found = (await world.alert(incident)).stop
    assert found is not None
    return found


def names(shown: StopShown) -> list[str]:
    return [one.name for one in shown.current]


async def test_a_stop_hits_what_the_window_showed_whoever_has_overtaken_it(world: World) -> None:
    incident = await reached(world)
    seen = await offered(world, incident)
    assert seen == [(await world.project(WRITER)).id]
    world.openai.boost(CHATBOT, 200, world.clock())
    await world.polled(10)
    assert await offered(world, incident) != seen
    radius = await world.window(incident, seen=seen)
    assert [one.name for one in radius.projects] == [WRITER]
    with pytest.raises(Refusal) as refused:
        await world.stopped(incident, seen=[*seen, 4711])
    assert refused.value.code is RefusalCode.STOP_SEEN_GONE
    assert names(await world.stopped(incident, seen=seen)) == [WRITER]
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (1, FORMER_CENTS)


async def test_a_stop_that_failed_says_why_and_is_tried_again_on_the_same_project(world: World) -> None:
    """중지 권한 없음: it fails at once, loudly, and the incident speaks as before, until somebody mends the key."""
    incident = await reached(world)
    world.without("api.management.write")
    shown = await world.stopped(incident)
    [hold] = shown.current
    assert (hold.name, hold.state, shown.stop.state) == (WRITER, HoldState.FAILED, StopState.FAILED)
    assert (shown.events[-1].values["trouble"], shown.events[-1].is_loud) == ("no_right", True)
    assert (world.cents(WRITER), (await world.incident_now()).state) == (FORMER_CENTS, IncidentState.OPEN)
    world.without()
    world.openai.boost(CHATBOT, 200, world.clock())
    await world.polled(10)
    anew = await world.bot.stopping.retry(world.admin, shown.stop.id or 0)
    await world.acted()
    assert names(anew) == [WRITER]
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (1, FORMER_CENTS)


@pytest.mark.parametrize("why", ["no right", "no right, by its budget", "changed elsewhere"])
async def test_what_failed_in_a_stop_of_many_is_tried_again(world: World, why: str) -> None:
    """The message says to mend the key and try again: then the one that failed is stopped too, and the other stays."""
    chatbot = world.openai.project(CHATBOT).id
    incident = await reached(world, **({"action": BudgetAction.STOP} if "budget" in why else {}))
    if why != "changed elsewhere":
        world.openai.faults.add(Fault(path=f"/v1/organization/projects/{chatbot}", status=403, method="POST"))
    if "budget" in why:
        await world.watched(1)
    else:
        both = [(await world.project(one)).id for one in (CHATBOT, WRITER)]
        await world.stopped(incident, seen=both, is_wide=True)
    if why == "changed elsewhere":
        world.limited(CHATBOT, 777)
        await world.watched(1, after=5)
    standing = await the_stop(world, incident)
    assert (standing.stop.state, standing.set_count, world.cents(WRITER)) == (StopState.STOPPED, 1, 1)
    assert ids.STOP_RETRY in str(stops.root(standing, reader("en")))
    world.openai.faults.clear()
    for _ in range(2):  # a second click is none
        await world.bot.stopping.retry(world.admin, standing.stop.id or 0)
    await world.acted()
    shown = await world.again(standing)
    assert (shown.stop.state, shown.stop.turn, shown.set_count, len(shown.current)) == (StopState.STOPPED, 1, 2, 2)
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (1, 1)
    await world.restore(standing)
    await world.acted()
    before = 777 if why == "changed elsewhere" else FORMER_CENTS
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (FORMER_CENTS, before)


@pytest.mark.parametrize("action", [BudgetAction.NOTIFY, BudgetAction.STOP])
async def test_a_project_that_is_left_out_of_collecting_is_never_meant(world: World, action: BudgetAction) -> None:
    writer = await world.project(WRITER)
    await world.bot.projects.exclude(world.admin, writer.id)
    world.openai.boost(CHATBOT, 15, world.clock())
    incident = await reached(world, action=action)
    if action is BudgetAction.NOTIFY:
        await world.stopped(incident, seen=await offered(world, incident))
    await world.watched(1)
    assert (world.cents(CHATBOT), world.cents(WRITER)) == (1, FORMER_CENTS)
    with pytest.raises(Refusal):  # nor with the whole team
        await world.stopped(incident, seen=[writer.id], is_wide=True)


@pytest.mark.parametrize("action", [BudgetAction.NOTIFY, BudgetAction.STOP])
async def test_nobody_else_is_stopped_for_a_project_that_is_not_registered(world: World, action: BudgetAction) -> None:
    await world.bot.projects.unregister(world.admin, (await world.project(WRITER)).id)
    incident = await reached(world, BudgetScope.WORKSPACE, "8", action=action, channel_id="C0FINANCE1")
    radius = await world.window(incident)
    unknown = world.openai.project(WRITER).id  # nobody told us its name
    assert radius.stranger == unknown
    await world.watched(1)
    assert world.cents(CHATBOT) == FORMER_CENTS
    shown = await world.alert(incident)
    assert (shown.stop, shown.stranger) == (None, unknown)
    if action is BudgetAction.NOTIFY:
        await world.stopped(incident, seen=[one.project_id for one in radius.projects])
        await world.watched(1, after=11)
        assert [(one.id, one.name) for one in (await the_stop(world, incident)).rest] == [(None, unknown)]


async def test_a_second_runaway_under_the_same_budget_is_seen_and_stopped_beside_the_first(world: World) -> None:
    incident = await reached(world, limit="30", times=60)
    first = await world.stopped(incident, seen=await offered(world, incident))
    await world.watched(1, after=11)
    told = await the_stop(world, incident)
    assert (told.is_proved, told.rest) == (True, ())  # the other spends as always
    assert (await world.window(incident)).held is not None

    world.openai.boost(CHATBOT, 60, world.clock())
    await world.watched(1, after=7)
    told = await the_stop(world, incident)
    assert [one.name for one in told.rest] == [CHATBOT]
    assert stops.root(told, reader("en")).text.startswith(f"🚨 [{world.team.name}] 1/2 projects stopped")
    radius = await world.window(incident)
    assert (radius.held, radius.levers, [one.name for one in radius.projects]) == (None, (Lever.STOP,), [CHATBOT])

    seen = [one.project_id for one in radius.projects]
    both = await world.stopped(incident, seen=seen)
    assert (both.stop.id, names(both)) == (first.stop.id, [WRITER, CHATBOT])
    assert len((await world.stopped(incident, seen=seen)).holds) == 2  # a second click is none
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (1, 1)
    await world.watched(1)
    await world.restore(first)
    await world.acted()
    assert (world.cents(WRITER), world.cents(CHATBOT)) == (FORMER_CENTS, FORMER_CENTS)


async def test_nothing_is_allowed_in_one_alert_that_another_alert_holds(world: World) -> None:
    """The writer's own budget and its team's: stopped from the team's alert, it is not "allowed" from its own."""
    await world.a_budget(BudgetScope.PROJECT, (await world.project(WRITER)).id, "6")
    await world.a_budget(BudgetScope.TEAM, world.team.id, "6")
    await world.surge(WRITER)
    own, of_team = sorted(await world.incidents(), key=lambda one: one.scope_kind is ScopeKind.TEAM)
    await world.stopped(of_team)
    assert world.cents(WRITER) == 1

    with pytest.raises(Refusal) as refused:
        await world.approve(own, ApprovalWay.END_OF_DAY)
    assert refused.value.code is RefusalCode.STOP_UNDER_WAY
    assert refused.value.values["person"] == world.admin.user_id
    assert world.cents(WRITER) == 1
    shown = await world.approve(of_team, ApprovalWay.END_OF_DAY)
    assert shown is None or shown.stop.state is not StopState.STOPPED
    await world.acted()
    assert world.cents(WRITER) == FORMER_CENTS
