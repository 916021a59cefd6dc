"""How fast it burns now, end to end: a loop of minutes reads as the loop it is, and so does what is foretold of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from bot import surroundings
from finops.budgets import BudgetScope
from finops.incidents import Incident
from finops.money import Money
from finops.registry import Project
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import statements
from tests.integration.bot_world import WORKSPACE
from tests.integration.watch_world import CHATBOT, MODEL, WRITER, World, a_watched_world

# What the steady trace spends in a minute, of each application.
A_MINUTE = Decimal("0.9775") / 60


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    """Half an hour of calm before anything is looked at."""
    async with a_watched_world(quick_storage, clock) as made:
        clock.advance(minutes=30)
        yield made


async def alerted(world: World) -> tuple[Incident, Incident]:
    """The alerts of the chatbot and of everything, as of now."""
    by_scope = {one.scope_id: one for one in await world.incidents()}
    return by_scope[(await world.project(CHATBOT)).id], by_scope[None]


def off_by(incident: Incident, happened: Decimal, minutes: int) -> Decimal:
    """By what share a pace is beside what really happened in each of some minutes."""
    assert incident.burn_per_minute is not None
    return abs(incident.burn_per_minute.amount * minutes / happened - 1)


async def test_a_loop_of_six_minutes_is_told_as_fast_as_it_is_and_so_is_what_it_leads_to(world: World) -> None:
    """The half hour has 24 calm minutes: its mean would be a quarter. Then it stays as fast, however it is read."""
    chatbot = await world.project(CHATBOT)
    await world.a_budget(BudgetScope.PROJECT, chatbot.id, "4")
    await world.a_budget(BudgetScope.WORKSPACE, None, "6")
    began = world.clock()
    world.openai.boost(CHATBOT, 15, began)
    await world.polled(6)
    of_chatbot, of_all = await alerted(world)
    looped, beside = (world.happened(one, began, world.clock()) for one in (CHATBOT, WRITER))
    assert looped > 6 * 13 * A_MINUTE
    assert off_by(of_chatbot, looped, 6) < Decimal("0.01")
    assert off_by(of_all, looped + beside, 6) < Decimal("0.01")
    shown = await world.bot.incidents.shown(WORKSPACE, of_chatbot.id or 0)
    midnight, reached = world.clock().replace(hour=0, minute=0), world.clock()
    while world.happened(CHATBOT, midnight, reached) < 4:
        reached += timedelta(minutes=1)
    assert reached - world.clock() > timedelta(minutes=2)
    assert shown.breach_at is not None
    # It happens within the minute that ends then.
    assert reached - timedelta(minutes=2) <= shown.breach_at <= reached + timedelta(minutes=1)
    # From here on the newest three minutes are told in parts: the pace is what it was.
    world.openai.behaviour.set({"fresh_minutes": 3})
    await world.polled(8)
    of_chatbot, of_all = await alerted(world)
    looped, beside = (world.happened(one, began, world.clock()) for one in (CHATBOT, WRITER))
    assert off_by(of_chatbot, looped, 14) < Decimal("0.1")
    assert off_by(of_all, looped + beside, 14) < Decimal("0.1")


async def test_a_steady_project_is_its_half_hour_beside_one_that_runs_away(world: World) -> None:
    """What the chatbot does is not the writer's; and of who is not followed by the minute, the half hour counts."""
    writer = await world.project(WRITER)
    await world.a_budget(BudgetScope.PROJECT, writer.id, "1")
    await world.a_budget(BudgetScope.PROJECT, (await world.project(CHATBOT)).id, "1")
    await world.a_budget(BudgetScope.TEAM, world.team.id, "2")
    world.openai.boost(CHATBOT, 15, world.clock())
    await world.polled(6)
    since = world.clock() - timedelta(minutes=30)

    async def paces() -> dict[int | None, Money]:
        await world.bot.evaluating.evaluate(WORKSPACE)
        found = await world.incidents()
        return {one.scope_id if one.limit != Money.of(2) else None: one.burn_per_minute for one in found}  # type: ignore[misc]

    before = await paces()
    mean = world.happened(WRITER, since, world.clock()) / 30
    assert abs(before[writer.id].amount - mean) < Decimal("1e-17")
    with statements() as by_the_minute:
        assert await paces() == before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surroundings, "_MOST_FOLLOWED", 1)
        after = await paces()
        with statements() as in_all:
            assert await paces() == after
    assert after[writer.id] == before[writer.id]
    # The largest is still read by the minute; the other counts the same in each.
    assert abs(after[None].amount / before[None].amount - 1) < Decimal("0.02")
    # One more sum, however many projects there are: the names of its groups, and what they spent.
    assert len(in_all) <= len(by_the_minute) + 2


async def test_an_organization_that_is_behind_is_measured_up_to_what_it_told(world: World) -> None:
    """Its loop of six minutes, twelve minutes ago, beside one that tells everything at once; of what it has not told
    yet nobody knows that it is nothing."""
    late = await another_organization(world)
    end = int(world.clock().timestamp()) // 60 + 6 - 12
    begun, cents = end - 6, 10**16
    rows = [
        UsageRow(n, Endpoint.COMPLETIONS.value, "proj_late", MODEL, "", "", is_batch=False, requests=1)
        for n in range(end - 60, end)
    ]
    told = [(row, 50 * cents if row.start >= begun else cents, True) for row in rows]
    buckets = tuple(UsageBucket(row.start, (row,)) for row in rows)
    async with world.bot.storage.writing() as store:
        reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, end - 60, end, buckets)
        await store.usage.replace(WORKSPACE, late.connection_id, reading, told, world.clock(), end)
    await world.a_budget(BudgetScope.PROJECT, late.id, "2")
    await world.a_budget(BudgetScope.WORKSPACE, None, "3")
    await world.polled(6)
    by_scope = {one.scope_id: one for one in await world.incidents()}
    assert by_scope[late.id].burn_per_minute == Money.of("0.5")
    # Its six minutes, and the six newest of the other.
    now = world.clock()
    beside = sum(world.happened(one, now - timedelta(minutes=6), now) for one in (CHATBOT, WRITER))
    assert off_by(by_scope[None], Decimal(3) + beside, 6) < Decimal("0.01")


async def another_organization(world: World) -> Project:
    """One project of an organization whose usage nobody polls."""
    async with world.bot.storage.writing() as store:
        connection = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-late", organization_name="Late", at=world.clock()
        )
        await store.projects.register(
            WORKSPACE, connection_id=connection.id, team_id=world.team.id, projects=[("proj_late", "late")],
            registered_by=world.admin.user_id, at=world.clock(),
        )  # fmt: skip
    [found] = [one for one in await world.bot.projects.all(WORKSPACE) if one.provider_project_id == "proj_late"]
    return found
