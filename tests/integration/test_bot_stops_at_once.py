"""What people and replicas decide about limits and stops in one moment: each on what the others have decided."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.budgets import BudgetWish
from bot.errors import Refusal, RefusalCode
from bot.evaluating import Evaluating
from bot.incidents import Silence
from finops.budgets import Budget, BudgetAction, BudgetScope
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.queries import ScopeKind
from finops.stop_report import ApprovalWish, StopTarget
from finops.stops import ApprovalWay, Stop, StopState
from storage import Storage
from storage.budgets import Budgets
from storage.projects import Projects
from storage.stops import Stops
from storage.workspaces import Workspaces
from tests.conftest import FakeClock
from tests.databases import WORKSPACE
from tests.integration.at_once import beside
from tests.integration.live_world import World, a_runaway

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers take turns
CONNECTIONS = 20  # as many as one replica opens
HIGHER = ApprovalWish(ApprovalWay.BUDGET, "2000")


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    """A team that has spent $1342 of $500 a day; it was told so before its budget stopped by itself."""
    made = await a_runaway(storage, clock)
    await made.spend("600")
    return made


async def told(world: World, action: BudgetAction = BudgetAction.STOP) -> Incident:
    """The alert of the limit; from a minute later on the budget does what `action` says."""
    [incident] = await world.evaluate()
    at = world.clock.advance(minutes=1)
    async with world.storage.writing() as store:
        terms = replace(world.budget.terms, action=action, levels=(100,))
        world.budget = await store.budgets.update(
            WORKSPACE, world.budget.id, terms=terms, by=world.admin.user_id, at=at
        )
    return incident


async def own_alert(world: World) -> list[Incident]:
    """The alerts with one of the project's own beside that of its team."""
    async with world.storage.writing() as store:
        terms = replace(world.budget.terms, scope_kind=BudgetScope.PROJECT, scope_id=world.project.id)
        await store.budgets.create(WORKSPACE, terms, by=world.admin.user_id, at=world.clock())
    return await world.evaluate()


async def stops(world: World) -> list[Stop]:
    async with world.storage.reading() as store:
        return await store.stops.active(WORKSPACE)


async def budget(world: World) -> Budget:
    async with world.storage.reading() as store:
        found = await store.budgets.get(WORKSPACE, world.budget.id)
    assert found is not None
    return found


def wish(world: World, **changed: object) -> BudgetWish:
    terms = world.budget.terms
    typed = BudgetWish(f"team:{terms.scope_id}", "day", "500", terms.levels, terms.action.value)
    return replace(typed, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(("database_kind", "how"), [
    ("sqlite", "raised"), ("postgresql", "raised"), ("postgresql", "changed"), ("postgresql", "notified"),
    ("postgresql", "switched off"), ("postgresql", "deleted"),
])  # fmt: skip
async def test_a_budget_that_changes_as_it_is_about_to_stop_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Between looking and acting lies a moment: who raises a limit in it saw everything stopped for the old one."""
    incident = await told(world)
    budgets, by, one = world.bot.budgets, world.admin, world.budget
    seen_at = one.updated_at.isoformat()
    change = {
        "raised": lambda: world.bot.stopping.approve(by, StopTarget(incident_id=incident.id), HIGHER),
        "changed": lambda: budgets.update(by, one.id, wish(world, amount="2000"), seen_at),
        "notified": lambda: budgets.update(by, one.id, wish(world, action="notify"), seen_at),
        "switched off": lambda: budgets.switch(by, one.id, is_enabled=False),
        "deleted": lambda: budgets.delete(by, one.id),
    }
    found = await beside(monkeypatch, (Evaluating, "_decided"), world.bot.evaluating.evaluate(WORKSPACE), change[how]())
    assert [one for one in found if isinstance(one, Exception)] == []
    assert await stops(world) == []


@on_postgresql
async def test_a_limit_that_is_raised_as_its_budget_stops_gives_back_what_was_stopped(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does a minute later: who raised it saw no stop yet, and it stood under a limit of twice as much."""
    incident = await told(world)
    changed, shown = await beside(
        monkeypatch,
        (Stops, "open"),
        world.bot.evaluating.evaluate(WORKSPACE),
        world.bot.stopping.approve(world.admin, StopTarget(incident_id=incident.id), HIGHER),
        database_url,
    )
    assert (changed, shown.stop.state) == (1, StopState.RESTORING)
    assert [one.state for one in await stops(world)] == [StopState.RESTORING]
    assert (await budget(world)).amount == Money.of("2000")


@on_postgresql
async def test_raising_a_limit_keeps_what_somebody_changes_of_its_budget_meanwhile(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people must agree from now on: that was said to be so, and a limit raised in the same moment took it back."""
    incident = await told(world, BudgetAction.ASK)
    _, refused = await beside(
        monkeypatch,
        (Budgets, "get"),
        world.bot.stopping.approve(world.admin, StopTarget(incident_id=incident.id), HIGHER),
        world.bot.budgets.update(
            world.admin, world.budget.id, wish(world, needs_two=True), world.budget.updated_at.isoformat()
        ),
        database_url,
    )
    assert isinstance(refused, Refusal)
    assert refused.code is RefusalCode.BUDGET_CHANGED
    after = await budget(world)
    assert (after.needs_two, after.amount) == (False, Money.of("2000"))


@on_postgresql
@pytest.mark.parametrize("how", ["stop", "silence"])
async def test_a_crowd_that_may_not_is_refused_at_once(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Each held a connection of the database and waited for a second one, to learn who may: for half a minute nobody
    else was answered.
    """
    async with world.storage.writing() as store:
        everything = replace(world.budget.terms, scope_kind=BudgetScope.WORKSPACE, scope_id=None)
        await store.budgets.create(WORKSPACE, everything, by=world.admin.user_id, at=world.clock())
    [incident] = [one for one in await world.evaluate() if one.scope_id is None]
    owner, name = (Workspaces, "hold") if how == "stop" else (Budgets, "get")
    everybody, whole = asyncio.Barrier(CONNECTIONS), getattr(owner, name)

    async def together(*given: Any, **named: Any) -> Any:
        await everybody.wait()
        return await whole(*given, **named)

    monkeypatch.setattr(owner, name, together)
    bot, target, by = world.bot, StopTarget(incident_id=incident.id), world.member
    clicks = [
        bot.stopping.request(by, target, Lever.STOP, "loop", is_wide=True)
        if how == "stop"
        else bot.incidents.silence(by, incident.id or 0, Silence.AN_HOUR)
        for _ in range(CONNECTIONS)
    ]
    async with asyncio.timeout(10):
        found = await asyncio.gather(*clicks, return_exceptions=True)
    assert {one.code for one in found if isinstance(one, Refusal)} == {RefusalCode.NOT_ADMIN}
    assert len([one for one in found if isinstance(one, Refusal)]) == CONNECTIONS


@on_postgresql
@pytest.mark.parametrize("by", ["a person", "its budget"])
async def test_a_project_that_is_let_go_of_as_it_is_stopped_is_gone(
    world: World,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    by: str,
) -> None:
    """Whoever comes to stop it is told that nothing is there, as a moment later; that is nobody's fault."""
    incident = await told(world, BudgetAction.STOP if by == "its budget" else BudgetAction.ASK)
    stopping = world.bot.evaluating.evaluate(WORKSPACE)
    if by == "a person":
        stopping.close()
        stopping = world.bot.stopping.request(world.admin, StopTarget(incident_id=incident.id), Lever.STOP, "loop")
    letting_go = world.bot.projects.unregister(world.admin, world.project.id)
    _, found = await beside(monkeypatch, (Projects, "unregister"), letting_go, stopping, database_url)
    if by == "a person":
        assert isinstance(found, Refusal)
        assert found.code is RefusalCode.STOP_NOTHING_THERE
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []
    assert await stops(world) == []


@on_postgresql
async def test_a_project_that_is_to_be_stopped_again_is_not_let_go_of_at_that_moment(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty dollars more, and then it is stopped: nobody would find it then."""
    [incident] = [one for one in await own_alert(world) if one.scope_kind is ScopeKind.PROJECT]
    until = world.clock() + timedelta(hours=1)
    terms = ApprovalWish(ApprovalWay.AMOUNT, "50", until)
    shown, refused = await beside(
        monkeypatch,
        (Stops, "open"),
        world.bot.stopping.approve(world.admin, StopTarget(incident_id=incident.id), terms),
        world.bot.projects.unregister(world.admin, world.project.id),
        database_url,
    )
    assert shown.stop.state is StopState.ALLOWED
    assert isinstance(refused, Refusal)
    assert refused.code is RefusalCode.PROJECT_ALLOWED


@on_postgresql
@pytest.mark.parametrize("is_held_first", [True, False])
async def test_what_one_stops_as_another_lets_it_go_on_is_said_as_it_is(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, *, is_held_first: bool
) -> None:
    """The team was stopped beside its alert: the alert said that its spending is allowed."""
    incident = await told(world, BudgetAction.ASK)
    stopping, by = world.bot.stopping, world.admin
    team = StopTarget(scope=f"team:{world.tenant.team_id}")
    both = [
        stopping.request(world.lead, team, Lever.STOP, "loop", is_wide=True),
        stopping.approve(by, StopTarget(incident_id=incident.id), ApprovalWish(ApprovalWay.END_OF_DAY)),
    ]
    found = await beside(monkeypatch, (Stops, "open"), *both[:: 1 if is_held_first else -1], database_url)
    assert [one.code for one in found if isinstance(one, Refusal)] == [RefusalCode.STOP_UNDER_WAY] * is_held_first
    [stop] = await stops(world)
    assert stop.state is StopState.STOPPING
    async with world.storage.reading() as store:
        [present] = await store.incidents.open_ones(WORKSPACE)
    assert present.state is (IncidentState.OPEN if is_held_first else IncidentState.STOPPING)
