"""What tests of stops share: a runaway, the limit its project had before, and minutes that go by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from demo.openai import ALL_RIGHTS
from demo.openai.limits import Limits
from finops.budgets import BudgetScope
from finops.incidents import Incident
from finops.levers import Lever
from finops.stop_report import StopShown, StopTarget
from finops.stops import StopEventKind
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.watch_world import CHATBOT, World, a_watched_world
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


def without(world: World, *rights: str) -> None:
    """The key loses rights at the provider; none named: it has all of them again."""
    keys = world.openai.organization.admin_keys
    keys[0] = replace(keys[0], rights=ALL_RIGHTS - set(rights))
