"""What was agreed about a stop holds across the end of the period it was agreed in, and after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from blocks import incidents, stop_thread
from bot.errors import Refusal, RefusalCode
from finops.budgets import BudgetScope
from finops.incidents import IncidentState
from finops.levers import Lever
from finops.periods import starts_at
from finops.stop_report import ApprovalWish, StopShown, StopTarget
from finops.stops import ApprovalWay, Stop, StopEventKind, StopState
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

UNTIL_THE_DAY_ENDS = ApprovalWish(ApprovalWay.END_OF_DAY)
COMES_BACK = "then stopped again by itself"


async def approved(world: World, incident_id: int | None, wish: ApprovalWish) -> Stop:
    shown = await world.bot.stopping.approve(world.admin, StopTarget(incident_id=incident_id), wish)
    await world.bot.holding.work_due(WORKER)
    assert shown is not None
    return (await again(world, shown)).stop


async def told(world: World, incident_id: int | None) -> str:
    return str(incidents.root(await world.bot.incidents.shown(WORKSPACE, incident_id or 0), reader("en")).blocks)


async def test_what_is_to_be_stopped_again_at_the_end_of_its_period_is(world: World) -> None:
    """Allowed until the day ends, and then stopped again, as its message says: a new day does not undo that."""
    limited(world)
    incident = await a_runaway(world)
    shown = await stopped(world, incident)
    stop = await approved(world, incident.id, UNTIL_THE_DAY_ENDS)
    assert (stop.allowed_until, cents(world)) == (starts_at(incident.window.end), FORMER_CENTS)
    assert COMES_BACK in await told(world, incident.id)
    world.clock.moment = starts_at(incident.window.end) - timedelta(minutes=1)
    await watched(world, 2)
    shown = await again(world, shown)
    assert (shown.stop.state, shown.stop.turn, cents(world)) == (StopState.STOPPED, 2, 1)
    [ended] = [one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended.values["reason"], ended.values["restops"], ended.is_loud) == ("time", True, True)
    await watched(world, 2, after=30)
    assert (await world.incidents())[0].state is IncidentState.STOPPED
    await approved(world, incident.id, ApprovalWish(ApprovalWay.RESTORE))
    assert cents(world) == FORMER_CENTS


async def test_nothing_is_stopped_at_the_end_of_a_day_where_nothing_was(world: World) -> None:
    """Who lets an alert's spending go on for the day is promised no stop, and none comes."""
    limited(world)
    incident = await a_runaway(world)
    stop = await approved(world, incident.id, UNTIL_THE_DAY_ENDS)
    assert (stop.state, stop.turn) == (StopState.ALLOWED, 0)
    assert COMES_BACK not in await told(world, incident.id)
    world.clock.moment = starts_at(incident.window.end) - timedelta(minutes=1)
    await watched(world, 3, after=1)
    shown = await world.bot.stopping.shown(WORKSPACE, stop.id or 0)
    assert (shown.stop.state, cents(world)) == (StopState.CLOSED, FORMER_CENTS)
    assert StopEventKind.ALLOWANCE_ENDED not in kinds(shown)


@pytest.mark.parametrize("reason", ["time", "amount"])
async def test_an_alert_that_outlived_its_day_allows_on_the_terms_of_today(world: World, reason: str) -> None:
    """Stopped yesterday, allowed this morning: it runs until the time, or so many dollars from now on, and no less."""
    limited(world)
    incident = await a_runaway(world)
    shown = await stopped(world, incident)
    await watched(world, 2, after=26 * 60)
    assert (await incident_now(world)).state is IncidentState.STOPPED
    until = world.clock() + timedelta(hours=1)
    stop = await approved(
        world, incident.id, ApprovalWish(ApprovalWay.AMOUNT, "2" if reason == "amount" else "900", until)
    )
    assert (stop.state, cents(world)) == (StopState.ALLOWED, FORMER_CENTS)
    await watched(world, 5)
    assert (await again(world, shown)).stop.state is StopState.ALLOWED
    before = await world.estimate()
    assert (await world.incidents())[0].state is IncidentState.ALLOWED
    assert COMES_BACK in await told(world, incident.id)
    while (await again(world, shown)).stop.state is StopState.ALLOWED and world.clock() < until:
        await watched(world, 1)
    shown = await again(world, shown)
    [ended] = [one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended.values["reason"], world.clock() < until) == (reason, reason == "amount")
    assert (shown.stop.state, cents(world)) == (StopState.STOPPED, 1)
    assert await world.estimate() > before
    assert (await world.incidents())[0].state is IncidentState.STOPPED


async def test_where_nothing_was_stopped_only_the_amount_stops_before_the_day_ends(world: World) -> None:
    """So many dollars until midnight: the message promises a stop for the dollars, and none for the hour."""
    limited(world)
    incident = await a_runaway(world)
    stop = await approved(world, incident.id, ApprovalWish(ApprovalWay.AMOUNT, "900", starts_at(incident.window.end)))
    line = _line(await world.bot.stopping.shown(WORKSPACE, stop.id or 0), StopEventKind.APPROVED)
    for said in (await told(world, incident.id), line):
        assert (COMES_BACK in said, "stopped by itself if that is spent before" in said) == (False, True)
    stop = await approved(world, incident.id, ApprovalWish(ApprovalWay.AMOUNT, "2", starts_at(incident.window.end)))
    await watched(world, 30)
    shown = await world.bot.stopping.shown(WORKSPACE, stop.id or 0)
    assert (shown.stop.state, cents(world)) == (StopState.STOPPED, 1)


@pytest.mark.parametrize("is_let_go", [False, True])
async def test_what_another_stop_holds_by_then_is_not_said_to_go_on(world: World, is_let_go: bool) -> None:
    """It stays stopped, and the line says so; where the other one is just being put back, it is taken hold of then."""
    limited(world)
    shown = await stopped(world, await a_runaway(world))
    until = world.clock() + timedelta(hours=1)
    await approved(world, shown.stop.incident_id, ApprovalWish(ApprovalWay.AMOUNT, "900", until))
    team = StopTarget(scope=f"team:{world.team.id}")
    other = await world.bot.stopping.request(world.admin, team, Lever.STOP, "점검", is_wide=True)
    await world.bot.holding.work_due(WORKER)
    world.clock.moment = until
    if is_let_go:
        await world.bot.stopping.restore(world.admin, other.stop.id or 0)
    await world.bot.stop_ends.everywhere()
    after = await again(world, shown)
    assert after.stop.state is (StopState.ALLOWED if is_let_go else StopState.CLOSED)
    await watched(world, 2)
    after = await again(world, shown)
    line = _line(after, StopEventKind.ALLOWANCE_ENDED)
    assert cents(world) == 1
    assert "spending goes on" not in line
    assert ("It is stopped again now." if is_let_go else "Another stop holds it already") in line


async def test_an_allowance_that_ends_takes_no_hold_of_what_is_left_out_of_collecting(world: World) -> None:
    """The budget of a team counts no such project; nobody who let the team go on meant it."""
    limited(world)
    await world.a_budget(BudgetScope.TEAM, world.team.id, "6")
    await world.polled()
    world.openai.boost(CHATBOT, 15, world.clock())
    for minutes in (35, 5):
        await world.polled(minutes)
    [incident] = await world.incidents()
    await world.bot.projects.exclude(world.admin, (await world.project(WRITER)).id)
    await approved(world, incident.id, ApprovalWish(ApprovalWay.AMOUNT, "900", world.clock() + timedelta(hours=1)))
    await watched(world, 3, after=59)
    assert (cents(world), cents(world, WRITER)) == (1, None)


def _line(shown: StopShown, kind: StopEventKind) -> str:
    [event] = [one for one in shown.events if one.kind is kind]
    return stop_thread.line(event, shown, reader("en")).text


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_who_knows_the_cause_may_tell_it_when_the_alert_is_over(world: World, is_stopped: bool) -> None:
    """The lead reads the message the morning after: its button, and the one of the closed alert, still take one tap."""
    limited(world)
    incident = await a_runaway(world)
    target = StopTarget(incident_id=incident.id)
    if is_stopped:
        shown = await stopped(world, incident)
        await approved(world, incident.id, ApprovalWish(ApprovalWay.RESTORE))
        target = StopTarget(stop_id=shown.stop.id)
    await watched(world, 2, after=47 * 60)
    [closed] = [one for one in await world.incidents() if one.id == incident.id]
    assert closed.state is IncidentState.CLOSED
    await world.bot.leads.pin_cause(world.admin, target, "재시도 로직 버그")
    said = await told(world, incident.id)
    assert "재시도 로직 버그" in said
    assert "Tell the cause" not in said
    [after] = [one for one in await world.incidents() if one.id == incident.id]
    assert after.state is IncidentState.CLOSED
    calm = StopTarget(scope=f"project:{(await world.project(WRITER)).id}")
    with pytest.raises(Refusal) as refused:
        await world.bot.leads.pin_cause(world.admin, calm, "모름")
    assert refused.value.code is RefusalCode.INCIDENT_CLOSED
