"""A budget that stops by itself does so whatever somebody asked for: only what was decided keeps it from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from finops.approvals import asks
from finops.budgets import BudgetAction
from finops.levers import Lever
from finops.stop_report import ApprovalWish, StopTarget
from finops.stops import ApprovalWay, Stop, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.live_world import World, a_runaway

MORE = ApprovalWish(ApprovalWay.END_OF_DAY)


@pytest.fixture
def database_kind() -> str:
    """What keeps a budget from stopping does not depend on the database."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    """Nine tenths of a limit that stops, and of which two people have to decide."""
    made = await a_runaway(storage, clock, "450")
    terms = replace(made.budget.terms, action=BudgetAction.STOP, needs_two=True)
    async with storage.writing() as store:
        await store.budgets.update(WORKSPACE, made.budget.id, terms=terms, by=made.admin.user_id, at=clock())
    return made


async def stops_at_the_limit(world: World, incident_id: int) -> Sequence[Stop]:
    """What stands of the incident once twice the limit is spent."""
    world.clock.advance(minutes=1)
    await world.spend("600")
    await world.evaluate()
    await world.evaluate()
    async with world.storage.reading() as store:
        return [one for one in await store.stops.active(WORKSPACE) if one.incident_id == incident_id]


@pytest.mark.parametrize("end", ["waits", "declined", "lapsed", "withdrawn for a limit"])
async def test_what_one_person_alone_asked_for_keeps_no_budget_from_stopping(world: World, end: str) -> None:
    """Nobody agreed, or the limit was raised instead: when it is reached it stops, and the wish that waits waits on."""
    [incident] = await world.evaluate()
    target = StopTarget(incident_id=incident.id)
    wish = ApprovalWish(ApprovalWay.AMOUNT, "50", world.clock() + timedelta(seconds=30)) if end == "lapsed" else MORE
    if end == "withdrawn for a limit":
        wish = ApprovalWish(ApprovalWay.BUDGET, "520")
    asked = await world.bot.stopping.approve(world.admin, target, wish)
    assert asked is not None
    if end == "declined":
        await world.bot.stopping.decline(world.lead, asked.stop.id or 0)
    if end == "withdrawn for a limit":
        await world.bot.stopping.agree(world.lead, asked.stop.id or 0)
    if end == "lapsed":
        world.clock.advance(minutes=1)
        assert await world.bot.stop_ends.everywhere() == 1
    [stop] = await stops_at_the_limit(world, incident.id or 0)
    assert (stop.state, stop.requested_by, stop.turn) == (StopState.STOPPING, None, 1)
    assert (stop.pending is not None) is (end == "waits")


async def test_what_two_people_allowed_is_left_alone(world: World) -> None:
    [incident] = await world.evaluate()
    target = StopTarget(incident_id=incident.id)
    for person in (world.admin, world.lead):
        await world.bot.stopping.approve(person, target, MORE)
    [stop] = await stops_at_the_limit(world, incident.id or 0)
    assert (stop.state, stop.lever) == (StopState.ALLOWED, Lever.STOP)


@pytest.mark.parametrize("action", [BudgetAction.ASK, BudgetAction.STOP])
async def test_the_limit_counts_also_where_it_is_no_level_of_its_own(world: World, action: BudgetAction) -> None:
    """Told at 50 and 300 %, to ask or to stop "at 100%": at twice the limit it has."""
    async with world.storage.writing() as store:
        terms = replace(world.budget.terms, action=action, levels=(50, 300))
        await store.budgets.update(WORKSPACE, world.budget.id, terms=terms, by=world.admin.user_id, at=world.clock())
    [incident] = await world.evaluate()
    assert (incident.level, incident.has_root) == (50, False)
    stopped = await stops_at_the_limit(world, incident.id or 0)
    assert len(stopped) == (action is BudgetAction.STOP)
    told = await world.incident(incident.id or 0)
    assert (told.level, told.spoken_level) == (100, 100)
    shown = await world.bot.incidents.shown(WORKSPACE, incident.id or 0)
    assert asks(shown) is (action is BudgetAction.ASK)
    assert shown.next_level == 300
