"""A stop hits what somebody was shown, or what runs away, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from blocks import ids, stops
from bot.errors import Refusal, RefusalCode
from demo.openai.faults import Fault
from finops.budgets import BudgetAction, BudgetScope
from finops.incidents import Incident
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.stop_report import ApprovalWish, StopShown, StopTarget
from finops.stops import ApprovalWay, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.stopping_world import FORMER_CENTS, WORKER, again, cents, limited, stopped, watched
from tests.integration.watch_world import CHATBOT, WRITER, World, a_watched_world
from tests.integration.watch_world import quick_storage as quick_storage
from tests.unit.saying import reader


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_watched_world(quick_storage, clock) as made:
        limited(made, CHATBOT)
        limited(made, WRITER)
        yield made


async def reached(
    world: World, scope: BudgetScope = BudgetScope.TEAM, limit: str = "6", times: int = 15, **terms: object
) -> Incident:
    """The limit of all is reached, for the writer spends many times the usual."""
    await world.a_budget(scope, world.team.id if scope is BudgetScope.TEAM else None, limit, **terms)
    await world.polled()
    world.openai.boost(WRITER, times, world.clock())
    for minutes in (35, 5):
        await world.polled(minutes)
    [incident] = await world.incidents()
    return incident


async def window(world: World, incident: Incident) -> list[int]:
    radius = await world.bot.stopping.preview(world.admin, StopTarget(incident_id=incident.id))
    return [one.project_id for one in radius.projects]


async def clicked(world: World, incident: Incident, seen: list[int], **more: bool) -> StopShown:
    target = StopTarget(incident_id=incident.id)
    shown = await world.bot.stopping.request(world.admin, target, Lever.STOP, "루프", seen=seen, **more)
    await world.bot.holding.work_due(WORKER)
    return await again(world, shown)


def names(shown: StopShown) -> list[str]:
    return [one.name for one in shown.current]


async def test_a_stop_hits_what_the_window_showed_whoever_has_overtaken_it(world: World) -> None:
    incident = await reached(world)
    writer = await world.project(WRITER)
    seen = await window(world, incident)
    assert seen == [writer.id]
    world.openai.boost(CHATBOT, 200, world.clock())
    await world.polled(10)
    assert await window(world, incident) != seen
    about = await world.bot.stopping.preview(world.admin, StopTarget(incident_id=incident.id), seen=seen)
    assert [one.name for one in about.projects] == [WRITER]
    with pytest.raises(Refusal) as refused:
        await clicked(world, incident, [*seen, 4711])
    assert refused.value.code is RefusalCode.STOP_SEEN_GONE
    assert names(await clicked(world, incident, seen)) == [WRITER]
    assert (cents(world, WRITER), cents(world, CHATBOT)) == (1, FORMER_CENTS)


async def test_a_stop_that_failed_is_tried_again_on_the_same_project(world: World) -> None:
    incident = await reached(world)
    keys = world.openai.organization.admin_keys
    allowed, keys[0] = keys[0], replace(keys[0], rights=frozenset({"api.usage.read", "api.management.read"}))
    shown = await stopped(world, incident)
    assert (shown.stop.state, names(shown)) == (StopState.FAILED, [WRITER])
    keys[0] = allowed
    world.openai.boost(CHATBOT, 200, world.clock())
    await world.polled(10)
    anew = await world.bot.stopping.retry(world.admin, shown.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    assert names(anew) == [WRITER]
    assert (cents(world, WRITER), cents(world, CHATBOT)) == (1, FORMER_CENTS)


@pytest.mark.parametrize("why", ["no right", "no right, by its budget", "changed elsewhere"])
async def test_what_failed_in_a_stop_of_many_is_tried_again(world: World, why: str) -> None:
    """The message says to mend the key and try again: then the one that failed is stopped too, and the other stays."""
    chatbot = world.openai.project(CHATBOT).id
    if why != "changed elsewhere":
        world.openai.faults.add(Fault(path=f"/v1/organization/projects/{chatbot}", status=403, method="POST"))
    incident = await reached(world, action=BudgetAction.STOP if "budget" in why else BudgetAction.NOTIFY)
    if "budget" in why:
        await watched(world, 8)
    else:
        both = [(await world.project(one)).id for one in (CHATBOT, WRITER)]
        await clicked(world, incident, both, is_wide=True)
    if why == "changed elsewhere":
        limited(world, CHATBOT, 777)
        await watched(world, 6)
    standing = (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).stop
    assert standing is not None
    assert (standing.stop.state, standing.set_count, cents(world, WRITER)) == (StopState.STOPPED, 1, 1)
    assert ids.STOP_RETRY in str(stops.root(standing, reader("en")))
    world.openai.faults.clear()
    await world.bot.stopping.retry(world.admin, standing.stop.id or 0)
    await world.bot.stopping.retry(world.admin, standing.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    shown = await again(world, standing)
    assert (shown.stop.state, shown.stop.turn, shown.set_count, len(shown.current)) == (StopState.STOPPED, 1, 2, 2)
    assert (cents(world, WRITER), cents(world, CHATBOT)) == (1, 1)
    await world.bot.stopping.restore(world.admin, standing.stop.id or 0)
    await watched(world, 2)
    before = 777 if why == "changed elsewhere" else FORMER_CENTS
    assert (cents(world, WRITER), cents(world, CHATBOT)) == (FORMER_CENTS, before)


@pytest.mark.parametrize("action", [BudgetAction.NOTIFY, BudgetAction.STOP])
async def test_a_project_that_is_left_out_of_collecting_is_never_meant(world: World, action: BudgetAction) -> None:
    writer = await world.project(WRITER)
    await world.bot.projects.exclude(world.admin, writer.id)
    world.openai.boost(CHATBOT, 15, world.clock())
    incident = await reached(world, action=action)
    if action is BudgetAction.NOTIFY:
        await clicked(world, incident, await window(world, incident))
    await watched(world, 2)
    assert (cents(world, CHATBOT), cents(world, WRITER)) == (1, FORMER_CENTS)
    with pytest.raises(Refusal):  # nor with the whole team
        await clicked(world, incident, [writer.id], is_wide=True)


async def test_the_whole_team_is_stopped_as_it_was_shown(world: World) -> None:
    incident = await reached(world)
    radius = await world.bot.stopping.preview(world.admin, StopTarget(incident_id=incident.id))
    every = [one.project_id for one in radius.team_projects]
    shown = await clicked(world, incident, every, is_wide=True)
    assert (names(shown), cents(world, WRITER), cents(world, CHATBOT)) == ([WRITER, CHATBOT], 1, 1)


@pytest.mark.parametrize("action", [BudgetAction.NOTIFY, BudgetAction.STOP])
async def test_nobody_else_is_stopped_for_a_project_that_is_not_registered(world: World, action: BudgetAction) -> None:
    await world.bot.projects.unregister(world.admin, (await world.project(WRITER)).id)
    incident = await reached(world, BudgetScope.WORKSPACE, "8", action=action, channel_id="C0FINANCE1")
    radius = await world.bot.stopping.preview(world.admin, StopTarget(incident_id=incident.id))
    unknown = world.openai.project(WRITER).id  # nobody told us its name
    assert radius.stranger == unknown
    await watched(world, 3)
    assert cents(world, CHATBOT) == FORMER_CENTS
    shown = await world.bot.incidents.shown(WORKSPACE, incident.id or 0)
    assert (shown.stop, shown.stranger) == (None, unknown)
    if action is BudgetAction.NOTIFY:
        await clicked(world, incident, [one.project_id for one in radius.projects])
        await watched(world, 12)
        held = (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).stop
        assert held is not None
        assert [(one.id, one.name) for one in held.rest] == [(None, unknown)]


async def test_a_second_runaway_under_the_same_budget_is_seen_and_stopped_beside_the_first(world: World) -> None:
    incident = await reached(world, limit="30", times=60)
    first = await clicked(world, incident, await window(world, incident))
    await watched(world, 12)
    told = (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).stop
    assert told is not None
    assert (told.is_proved, told.rest) == (True, ())  # the other spends as always
    radius = await world.bot.stopping.preview(world.admin, StopTarget(incident_id=incident.id))
    assert radius.held is not None

    world.openai.boost(CHATBOT, 60, world.clock())
    await watched(world, 8)
    told = (await world.bot.incidents.shown(WORKSPACE, incident.id or 0)).stop
    assert told is not None
    assert [one.name for one in told.rest] == [CHATBOT]
    assert stops.root(told, reader("en")).text.startswith(f"🚨 [{world.team.name}] 1/2 projects stopped")
    radius = await world.bot.stopping.preview(world.admin, StopTarget(incident_id=incident.id))
    assert (radius.held, radius.levers, [one.name for one in radius.projects]) == (None, (Lever.STOP,), [CHATBOT])

    seen = [one.project_id for one in radius.projects]
    both = await clicked(world, incident, seen)
    assert (both.stop.id, names(both)) == (first.stop.id, [WRITER, CHATBOT])
    assert len((await clicked(world, incident, seen)).holds) == 2  # a second click is none
    assert (cents(world, WRITER), cents(world, CHATBOT)) == (1, 1)
    await watched(world, 2)
    await world.bot.stopping.restore(world.admin, first.stop.id or 0)
    await world.bot.holding.work_due(WORKER)
    assert (cents(world, WRITER), cents(world, CHATBOT)) == (FORMER_CENTS, FORMER_CENTS)


async def test_nothing_is_allowed_in_one_alert_that_another_alert_holds(world: World) -> None:
    """The writer's own budget and its team's: stopped from the team's alert, it is not "allowed" from its own."""
    project = await world.project(WRITER)
    await world.a_budget(BudgetScope.PROJECT, project.id, "6")
    await world.a_budget(BudgetScope.TEAM, world.team.id, "6")
    await world.polled()
    world.openai.boost(WRITER, 15, world.clock())
    for minutes in (35, 5):
        await world.polled(minutes)
    own, of_team = sorted(await world.incidents(), key=lambda one: one.scope_kind is ScopeKind.TEAM)
    await stopped(world, of_team)
    assert cents(world, WRITER) == 1

    wish = ApprovalWish(ApprovalWay.END_OF_DAY)
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.approve(world.admin, StopTarget(incident_id=own.id), wish)
    assert refused.value.code is RefusalCode.STOP_UNDER_WAY
    assert refused.value.values["person"] == world.admin.user_id
    assert cents(world, WRITER) == 1
    shown = await world.bot.stopping.approve(world.admin, StopTarget(incident_id=of_team.id), wish)
    assert shown is None or shown.stop.state is not StopState.STOPPED
    await world.bot.holding.work_due(WORKER)
    assert cents(world, WRITER) == FORMER_CENTS
