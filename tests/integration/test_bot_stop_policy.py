"""A budget that stops by itself does so whatever somebody asked for: only what was decided keeps it from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import telling
from finops.approvals import asks
from finops.budgets import BudgetAction, BudgetScope
from finops.charges import FigureState
from finops.holds import HoldState
from finops.incidents import acted
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import Project
from finops.secret import Secret
from finops.stop_report import ApprovalWish, StopTarget
from finops.stopping import progressed
from finops.stops import ApprovalWay, Stop, StopState
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.bot_world import OTHER_KEY
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


async def another_project(world: World) -> Project:
    """A second one of the team."""
    async with world.storage.writing() as store:
        [other], _ = await store.projects.register(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=world.tenant.team_id,
            projects=[("proj_other", "ad-copy-writer")], registered_by=world.admin.user_id, at=world.clock(),
        )  # fmt: skip
    return other


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


async def test_a_gentler_lever_of_a_person_gives_way_at_the_limit(world: World) -> None:
    """Slowed at nine tenths: spending goes on, and at its limit the budget stops it, once."""
    [incident] = await world.evaluate()
    target = StopTarget(incident_id=incident.id)
    slowed = await world.bot.stopping.request(world.lead, target, Lever.SLOW, "재시도 루프")
    [stop] = await stops_at_the_limit(world, incident.id or 0)
    assert (stop.id, stop.lever, stop.requested_by, stop.turn) == (slowed.stop.id, Lever.STOP, None, 2)
    shown = await world.bot.stopping.shown(WORKSPACE, stop.id or 0)
    assert [(one.lever, one.is_wanted) for one in shown.holds] == [(Lever.SLOW, False), (Lever.STOP, True)]
    assert await world.bot.evaluating.evaluate(WORKSPACE) == 0


async def test_what_a_person_holds_gently_beyond_the_budgets_project_is_not_let_go_of(world: World) -> None:
    """A team slowed within the alert of one of its projects: to stop that one in its place would set the other free."""
    await another_project(world)
    async with world.storage.writing() as store:
        terms = replace(world.budget.terms, scope_kind=BudgetScope.PROJECT, scope_id=world.project.id)
        terms = replace(terms, action=BudgetAction.STOP)
        await store.budgets.update(WORKSPACE, world.budget.id, terms=terms, by=world.admin.user_id, at=world.clock())
    [incident] = await world.evaluate()
    target = StopTarget(incident_id=incident.id)
    slowed = await world.bot.stopping.request(world.lead, target, Lever.SLOW, "재시도 루프", is_wide=True)
    [stop] = await stops_at_the_limit(world, incident.id or 0)
    assert (stop.id, stop.lever, stop.turn) == (slowed.stop.id, Lever.SLOW, 1)
    shown = await world.bot.stopping.shown(WORKSPACE, stop.id or 0)
    assert [one.is_wanted for one in shown.holds] == [True, True]


async def test_what_a_person_stopped_of_a_team_keeps_not_the_rest_from_being_stopped(world: World) -> None:
    """One of two projects was stopped at nine tenths; what the other spends reaches the limit of both."""
    other = await another_project(world)
    [incident] = await world.evaluate()
    by_hand = await world.bot.stopping.request(world.lead, StopTarget(incident_id=incident.id), Lever.STOP, "루프")
    assert [one.project_id for one in by_hand.current] == [world.project.id]
    [stop] = await stops_at_the_limit(world, incident.id or 0)
    assert (stop.id, stop.lever, stop.requested_by, stop.turn) == (by_hand.stop.id, Lever.STOP, None, 1)
    shown = await world.bot.stopping.shown(WORKSPACE, stop.id or 0)
    assert {one.project_id for one in shown.current if one.is_wanted} == {world.project.id, other.id}
    assert await world.bot.evaluating.evaluate(WORKSPACE) == 0


@pytest.mark.parametrize("end", [HoldState.FAILED, HoldState.LOST])
async def test_an_attempt_that_failed_was_no_stop_and_what_was_changed_elsewhere_stays_so(
    world: World, end: HoldState
) -> None:
    """A key without the right, with the limit reached by an estimate: once that is beyond doubt, it is tried anew. Who
    changed it elsewhere meant it."""
    await world.spend("60")
    [incident] = await world.evaluate()
    assert incident.level == 100
    by_hand = await world.bot.stopping.request(world.lead, StopTarget(incident_id=incident.id), Lever.STOP, "루프")
    [hold], now = by_hand.holds, world.clock()
    change = progressed(by_hand.stop, [hold], hold, replace(hold, state=end, next_at=None), now)
    async with world.storage.writing() as store:
        await store.stops.save(WORKSPACE, change, by_hand.stop, (hold,))
        shown = acted(stopping := await world.incident(incident.id or 0), None, now)
        assert shown is not None
        await telling.keep(store, shown, stopping, (), now)
    found = await stops_at_the_limit(world, incident.id or 0)
    assert [one.requested_by for one in found] == ([None] if end is HoldState.FAILED else [])


async def test_a_key_that_is_refused_elsewhere_keeps_no_budget_of_everything_from_stopping(world: World) -> None:
    """Nobody sees what another organization spends: what is known here is over the limit whatever that is."""
    async with world.storage.writing() as store:
        terms = replace(world.budget.terms, scope_kind=BudgetScope.WORKSPACE, scope_id=None, action=BudgetAction.STOP)
        await store.budgets.update(WORKSPACE, world.budget.id, terms=terms, by=world.admin.user_id, at=world.clock())
        blind = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-2", organization_name=None, at=world.clock()
        )
        await store.credentials.add(
            WORKSPACE, connection_id=blind.id, team_id=world.tenant.team_id, secret=Secret(OTHER_KEY), rights=(),
            registered_by=world.admin.user_id, at=world.clock(),
        )  # fmt: skip
        await store.connections.mark_blind(WORKSPACE, blind.id, world.clock(), "key_rejected", "usage")
    [incident] = await world.evaluate()
    assert incident.spent_state is FigureState.BLIND
    [stop] = await stops_at_the_limit(world, incident.id or 0)
    assert (stop.scope_kind, stop.requested_by) == (ScopeKind.WORKSPACE, None)
