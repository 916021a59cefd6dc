"""What was agreed about a stop holds across the end of the period it was agreed in, and after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from blocks import incidents, stop_thread
from bot.errors import Refusal, RefusalCode
from finops.budgets import BudgetScope
from finops.incidents import Incident, IncidentState
from finops.periods import starts_at
from finops.stop_report import StopShown
from finops.stops import ApprovalWay, StopEventKind, StopState
from tests.integration.stopping_world import FORMER_CENTS, WRITER, World, about, kinds
from tests.integration.stopping_world import world as world
from tests.unit.saying import reader

COMES_BACK = "then stopped again by itself"


async def approved(world: World, incident: Incident, way: ApprovalWay, amount: str = "", **more: Any) -> StopShown:
    """The admin agreed, and it is in force."""
    shown = await world.approve(incident, way, amount, **more)
    await world.acted()
    assert shown is not None
    return await world.again(shown)


async def told(world: World, incident: Incident) -> str:
    return str(incidents.root(await world.alert(incident), reader("en")).blocks)


async def test_what_is_to_be_stopped_again_at_the_end_of_its_period_is(world: World) -> None:
    """Allowed until the day ends, and then stopped again, as its message says: a new day does not undo that."""
    incident = await world.runaway()
    world.limited()
    await world.stopped(incident)
    shown = await approved(world, incident, ApprovalWay.END_OF_DAY)
    assert (shown.stop.allowed_until, world.cents()) == (starts_at(incident.window.end), FORMER_CENTS)
    assert COMES_BACK in await told(world, incident)
    world.clock.moment = starts_at(incident.window.end) - timedelta(minutes=1)
    await world.watched(1, after=1)
    shown = await world.again(shown)
    assert (shown.stop.state, shown.stop.turn, world.cents()) == (StopState.STOPPED, 2, 1)
    [ended] = [one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended.values["reason"], ended.values["restops"], ended.is_loud) == ("time", True, True)
    await world.watched(1, after=31)
    assert (await world.incidents())[0].state is IncidentState.STOPPED
    await approved(world, incident, ApprovalWay.RESTORE)
    assert world.cents() == FORMER_CENTS


async def test_nothing_is_stopped_at_the_end_of_a_day_where_nothing_was(world: World) -> None:
    """Who lets an alert's spending go on for the day is promised no stop, and none comes."""
    incident = await world.runaway()
    world.limited()
    shown = await approved(world, incident, ApprovalWay.END_OF_DAY)
    assert (shown.stop.state, shown.stop.turn) == (StopState.ALLOWED, 0)
    assert COMES_BACK not in await told(world, incident)
    world.clock.moment = starts_at(incident.window.end) - timedelta(minutes=1)
    await world.watched(1, after=3)
    shown = await world.again(shown)
    assert (shown.stop.state, world.cents()) == (StopState.CLOSED, FORMER_CENTS)
    assert StopEventKind.ALLOWANCE_ENDED not in kinds(shown)


@pytest.mark.parametrize("reason", ["time", "amount"])
async def test_an_alert_that_outlived_its_day_allows_on_the_terms_of_today(world: World, reason: str) -> None:
    """Stopped yesterday, allowed this morning: it runs until the time, or so many dollars from now on, and no less."""
    incident = await world.runaway()
    world.limited()
    await world.stopped(incident)
    await world.watched(1, after=26 * 60)
    assert (await world.incident_now()).state is IncidentState.STOPPED
    amount, hours = ("2", 1) if reason == "amount" else ("900", 0.2)
    shown = await approved(world, incident, ApprovalWay.AMOUNT, amount, hours=hours)
    until = shown.stop.allowed_until
    assert until is not None
    assert (shown.stop.state, world.cents()) == (StopState.ALLOWED, FORMER_CENTS)
    await world.watched(1, after=4)
    assert (await world.again(shown)).stop.state is StopState.ALLOWED
    before = await world.estimate()
    assert (await world.incidents())[0].state is IncidentState.ALLOWED
    assert COMES_BACK in await told(world, incident)
    while (await world.again(shown)).stop.state is StopState.ALLOWED and world.clock() < until:
        await world.watched(1, after=3)
    shown = await world.again(shown)
    [ended] = [one for one in shown.events if one.kind is StopEventKind.ALLOWANCE_ENDED]
    assert (ended.values["reason"], world.clock() < until) == (reason, reason == "amount")
    assert (shown.stop.state, world.cents()) == (StopState.STOPPED, 1)
    assert await world.estimate() > before
    assert (await world.incidents())[0].state is IncidentState.STOPPED


async def test_where_nothing_was_stopped_only_the_amount_stops_before_the_day_ends(world: World) -> None:
    """So many dollars until midnight: the message promises a stop for the dollars, and none for the hour."""
    incident = await world.runaway()
    world.limited()
    midnight = starts_at(incident.window.end)
    shown = await world.approve(incident, ApprovalWay.AMOUNT, "900", until=midnight)
    assert shown is not None
    for said in (await told(world, incident), _line(shown, StopEventKind.APPROVED)):
        assert (COMES_BACK in said, "stopped by itself if that is spent before" in said) == (False, True)
    await world.approve(incident, ApprovalWay.AMOUNT, "2", until=midnight)
    await world.watched(1, after=11)
    stopped = await world.again(shown)
    assert (stopped.stop.state, world.cents()) == (StopState.STOPPED, 1)
    assert _line(stopped, StopEventKind.ALLOWANCE_ENDED).endswith("It is stopped now."), "it never was before"


@pytest.mark.parametrize("is_let_go", [False, True])
async def test_what_another_stop_holds_by_then_is_not_said_to_go_on(world: World, is_let_go: bool) -> None:
    """It stays stopped, and the line says so; where the other one is just being put back, it is taken hold of then."""
    incident = await world.runaway()
    world.limited()
    shown = await world.stopped(incident)
    await approved(world, incident, ApprovalWay.AMOUNT, "900", hours=1)
    other = await world.stopped(world.team, is_wide=True)
    world.clock.advance(hours=1)
    if is_let_go:
        await world.restore(other)
    await world.bot.stop_ends.everywhere()
    after = await world.again(shown)
    assert after.stop.state is (StopState.ALLOWED if is_let_go else StopState.CLOSED)
    await world.watched(2)
    after = await world.again(shown)
    line = _line(after, StopEventKind.ALLOWANCE_ENDED)
    assert world.cents() == 1
    assert "spending goes on" not in line
    assert ("It is stopped again now." if is_let_go else "Another stop holds it already") in line


async def test_an_allowance_that_ends_takes_no_hold_of_what_is_left_out_of_collecting(world: World) -> None:
    """The budget of a team counts no such project; nobody who let the team go on meant it."""
    world.limited()
    await world.a_budget(BudgetScope.TEAM, world.team.id, "6")
    await world.surge()
    [incident] = await world.incidents()
    await world.bot.projects.exclude(world.admin, (await world.project(WRITER)).id)
    await approved(world, incident, ApprovalWay.AMOUNT, "900", hours=1)
    await world.watched(1, after=60)
    assert (world.cents(), world.cents(WRITER)) == (1, None)


def _line(shown: StopShown, kind: StopEventKind) -> str:
    [event] = [one for one in shown.events if one.kind is kind]
    return stop_thread.line(event, shown, reader("en")).text


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_who_knows_the_cause_may_tell_it_when_the_alert_is_over(world: World, is_stopped: bool) -> None:
    """The lead reads the message the morning after: its button, and the one of the closed alert, still take one tap."""
    incident = await world.runaway()
    world.limited()
    target = about(incident)
    if is_stopped:
        shown = await world.stopped(incident)
        await approved(world, incident, ApprovalWay.RESTORE)
        target = about(shown)
    await world.watched(1, after=47 * 60)
    [closed] = [one for one in await world.incidents() if one.id == incident.id]
    assert closed.state is IncidentState.CLOSED
    await world.bot.leads.pin_cause(world.admin, target, "재시도 로직 버그")
    said = await told(world, incident)
    assert "재시도 로직 버그" in said
    assert "Tell the cause" not in said
    [after] = [one for one in await world.incidents() if one.id == incident.id]
    assert after.state is IncidentState.CLOSED
    with pytest.raises(Refusal) as refused:
        await world.bot.leads.pin_cause(world.admin, about(await world.project(WRITER)), "모름")
    assert refused.value.code is RefusalCode.INCIDENT_CLOSED
