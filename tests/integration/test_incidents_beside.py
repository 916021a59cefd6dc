"""The messages of other alerts are drawn anew for the price of a few queries, however much a stop holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import telling
from bot.incidents_beside import redraw_beside
from finops.budgets import BudgetScope
from finops.holds import Hold, HoldState
from finops.incidents import Change, RootAction
from finops.levers import Lever
from finops.periods import Period, charge_day
from finops.queries import ScopeKind
from finops.stops import Stop, StopChange, StopState
from storage import Storage
from storage.projects import Projects
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.quiet_world import QuietWorld, a_quiet_world
from tests.unit import saying_live

HELD = 12


@pytest.fixture
def database_kind() -> str:
    """How often the database is asked does not depend on which it is."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> AsyncIterator[QuietWorld]:
    async with a_quiet_world(storage, clock) as made:
        yield made


async def test_a_stop_of_many_projects_looks_them_up_together(
    world: QuietWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked about at every step of every project that is held, within the transaction that keeps the step."""
    now, day = world.clock(), charge_day(world.clock())
    given = dict.fromkeys(("since", "opened_at", "updated_at", "as_of", "detected_at"), now)
    async with world.bot.storage.writing() as store:
        projects, _ = await store.projects.register(
            WORKSPACE, connection_id=world.connection.id, team_id=world.team.id,
            projects=[(f"proj_{number}", f"project {number}") for number in range(HELD)],
            registered_by=world.admin.user_id, at=now,
        )  # fmt: skip
    budget = await world.a_budget(BudgetScope.PROJECT, projects[0].id)
    alert = replace(
        saying_live.an_incident("950", "900", id=None, budget_id=budget.id, **given),
        scope_kind=ScopeKind.PROJECT, scope_id=projects[0].id, window=Period(day, day + timedelta(days=1)),
    )  # fmt: skip
    stop = Stop(
        id=None, workspace_id=WORKSPACE, incident_id=None, scope_kind=ScopeKind.TEAM, scope_id=world.team.id,
        channel_id="C1", lever=Lever.STOP, state=StopState.STOPPING, reason="a loop", requested_by="U1",
        requested_at=now, updated_at=now,
    )  # fmt: skip
    holds = [
        Hold(
            id=None, workspace_id=WORKSPACE, stop_id=0, project_id=one.id, connection_id=one.connection_id,
            provider_project_id=one.provider_project_id, name=one.name, lever=Lever.STOP, state=HoldState.REQUESTED,
            is_wanted=True, requested_at=now, updated_at=now, next_at=None,
        )
        for one in projects
    ]  # fmt: skip
    asked, get = list[int](), Projects.get

    async def counted(self: Projects, workspace_id: str, project_id: int) -> object:
        asked.append(project_id)
        return await get(self, workspace_id, project_id)

    monkeypatch.setattr(Projects, "get", counted)
    async with world.bot.storage.writing() as store:
        kept = await telling.keep(store, Change(alert, (), RootAction.POST), None, (), now)
        made, its = await store.stops.open(WORKSPACE, stop, holds)
        await redraw_beside(store, made, StopChange(made, its), now)
        root = await store.outbox.get(WORKSPACE, telling.root_key(kept.id or 0))
    assert root is not None
    assert root.version == 2
    assert asked == [projects[0].id], "the alert's own project, and nobody else's"
