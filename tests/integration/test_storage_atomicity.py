"""All or nothing: whatever dies, and whenever, no day is half-written."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money
from finops.periods import Period
from storage import Storage
from storage.errors import LeaseLost
from storage.records import CollectionKind
from storage.secrets import KeyRing
from tests.databases import MOMENT, Tenant, a_copy
from tests.integration import storage_live_crash
from tests.integration.mortals import Mortals
from tests.integration.storage_crash import DAY, a_day

PERIOD = Period(DAY, DAY + timedelta(days=1))


async def a_running_collection(storage: Storage, tenant: Tenant) -> int:
    async with storage.writing() as store:
        await store.charges.replace_day(tenant.workspace_id, tenant.connection.id, a_day("1", 250), MOMENT)
        await store.collections.add(
            tenant.workspace_id,
            connection_id=tenant.connection.id,
            kind=CollectionKind.DAILY,
            slot="2026-07-06",
            period=PERIOD,
            requested_by=None,
            at=MOMENT,
        )
        claimed = await store.collections.claim("worker", MOMENT, timedelta(minutes=5))
    assert claimed is not None
    return claimed.id


async def test_a_process_killed_between_any_two_statements_leaves_the_old_day_whole(
    database_url: str, storage: Storage, tenant: Tenant, mortals: Mortals
) -> None:
    """SIGKILL after each statement in turn: rows, sums, restatements, reading and queue stay the old ones together."""
    collection_id = await a_running_collection(storage, tenant)
    ids = str(collection_id), str(tenant.connection.id)
    *deaths, survivor = await mortals.told("storage_crash", database_url, *ids)
    old = {
        "total": "250",
        "projects": "250",
        "line": "1",
        "restated": 0,
        "read_at": MOMENT.isoformat(),
        "days_done": 0,
    }
    assert len(deaths) >= 10
    for death in deaths:
        assert {key: death[key] for key in old} == old
    assert (survivor["total"], survivor["projects"], survivor["line"]) == ("600", "600", "2")
    assert (survivor["restated"], survivor["days_done"]) == (300, 1)


async def test_a_poll_killed_between_any_two_steps_leaves_what_was_known_before(
    database_url: str, storage: Storage, tenant: Tenant, mortals: Mortals
) -> None:
    """SIGKILL at each step: usage, roll-ups, how far was read, incident, event and message move together or not."""
    terms = BudgetTerms(BudgetScope.TEAM, tenant.team_id, BudgetPeriod.DAY, Money.of("500"))
    async with storage.writing() as store:
        budget = await store.budgets.create(tenant.workspace_id, terms, by="U1", at=MOMENT)
        reading, priced = storage_live_crash.a_poll(1, range(3))
        await store.usage.replace(tenant.workspace_id, tenant.connection.id, reading, priced, MOMENT, 1)
    ids = map(str, (tenant.connection.id, budget.id, tenant.team_id))
    before, *deaths, survivor = await mortals.told("storage_live_crash", database_url, *ids)
    assert (before["minutes"], before["groups"], before["incidents"]) == (6, 3, 0)
    assert len(deaths) >= 15
    assert all(death == before for death in deaths)
    assert (survivor["minutes"], survivor["hours"], survivor["days"], survivor["groups"]) == (12, 12, 12, 3)
    assert (survivor["incidents"], survivor["events"], survivor["messages"]) == (1, 1, 1)


async def test_an_exception_rolls_the_whole_transaction_back(storage: Storage, tenant: Tenant) -> None:
    """A worker that lost its lease stores nothing of the day it was writing."""
    collection_id = await a_running_collection(storage, tenant)

    async def collect_as_someone_else() -> None:
        async with storage.writing() as store:
            await store.charges.replace_day(
                tenant.workspace_id, tenant.connection.id, a_day("2", 3), MOMENT + timedelta(days=1)
            )
            await store.collections.advance(collection_id, "someone else", DAY, 1, MOMENT)

    with pytest.raises(LeaseLost):
        await collect_as_someone_else()
    async with storage.reading() as store:
        [total] = await store.charges.daily_totals(tenant.workspace_id, PERIOD)
    assert total.amount == Money.of("250")


async def test_a_cancelled_task_leaves_nothing_and_blocks_nobody(storage: Storage, tenant: Tenant) -> None:
    """Shutting down in the middle of a day is as harmless as dying."""
    await a_running_collection(storage, tenant)
    wrote = asyncio.Event()

    async def write_and_hang() -> None:
        async with storage.writing() as store:
            await store.charges.replace_day(
                tenant.workspace_id, tenant.connection.id, a_day("2", 300), MOMENT + timedelta(days=1)
            )
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_hang())
    await asyncio.wait_for(wrote.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with storage.writing() as store:
        assert await store.claims.once(tenant.workspace_id, "next writer", MOMENT)
        [total] = await store.charges.daily_totals(tenant.workspace_id, PERIOD)
    assert total.amount == Money.of("250")


async def test_a_task_cancelled_inside_a_statement_leaves_nothing(storage: Storage, tenant: Tenant) -> None:
    """Cancelled at any await, the pool stays usable and the day whole."""
    await a_running_collection(storage, tenant)
    for turns in range(1, 40, 3):

        async def write() -> None:
            async with storage.writing() as store:
                await store.charges.replace_day(
                    tenant.workspace_id, tenant.connection.id, a_day("2", 250), MOMENT + timedelta(days=1)
                )
                raise InterruptedError

        task = asyncio.create_task(write())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, InterruptedError)):
            await task
    async with storage.writing() as store:
        [total] = await store.charges.daily_totals(tenant.workspace_id, PERIOD)
    assert total.amount == Money.of("250")


async def test_readers_see_the_old_day_until_the_new_one_is_whole(storage: Storage, tenant: Tenant) -> None:
    """A reader neither waits for a writer nor sees half of its work, from its first query to its last."""
    await a_running_collection(storage, tenant)
    async with storage.reading() as before:
        [seen] = await before.charges.daily_totals(tenant.workspace_id, PERIOD)
        async with storage.writing() as store:
            await store.charges.replace_day(
                tenant.workspace_id, tenant.connection.id, a_day("2", 3), MOMENT + timedelta(days=1)
            )
            async with storage.reading() as during:
                [meanwhile] = await during.charges.daily_totals(tenant.workspace_id, PERIOD)
        [still] = await before.charges.daily_totals(tenant.workspace_id, PERIOD)
        assert len(await before.charges.project_totals(tenant.workspace_id, PERIOD)) == 250
    assert seen.amount == meanwhile.amount == still.amount == Money.of("250")
    async with storage.reading() as after:
        [new] = await after.charges.daily_totals(tenant.workspace_id, PERIOD)
    assert new.amount == Money.of("6")


async def test_a_reading_transaction_cannot_write(storage: Storage, tenant: Tenant) -> None:
    """A mistake that would lose updates is an error instead."""
    async with storage.reading() as store:
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            await store.claims.once(tenant.workspace_id, "key", MOMENT)


async def test_counting_up_from_many_tasks_and_two_copies_loses_no_update(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """Read-modify-write transactions queue: two replicas with five tasks each, forty steps, forty counted."""

    async def step(opened: Storage) -> None:
        async with opened.writing() as store:
            # PostgreSQL lets writers run side by side until they meet at a row: here they meet.
            await store.connections.mark_seen(tenant.workspace_id, tenant.connection.id, MOMENT)
            team = await store.teams.get(tenant.workspace_id, tenant.team_id)
            assert team is not None
            await store.teams.update(tenant.workspace_id, tenant.team_id, approvers=[*team.approvers, "U1"])

    async def steps(opened: Storage) -> None:
        for _ in range(4):
            await step(opened)

    async with a_copy(database_url, ring) as second:
        await asyncio.gather(*(steps(opened) for opened in (storage, second) for _ in range(5)))
    async with storage.reading() as store:
        team = await store.teams.get(tenant.workspace_id, tenant.team_id)
    assert team is not None
    assert len(team.approvers) == 40
