"""Claims: of many who try at once, one may; of one who dies, another takes over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import date, timedelta
from typing import TypeVar

import pytest

from finops.periods import Period
from storage import KeyRing, Storage, Store
from storage.errors import LeaseLost
from storage.records import Collection, CollectionKind, CollectionState
from tests.databases import MOMENT, Tenant, a_copy, a_tenant

T = TypeVar("T")

LEASE = timedelta(minutes=5)
PERIOD = Period(date(2026, 7, 1), date(2026, 7, 6))


@pytest.fixture
async def replicas(database_url: str, ring: KeyRing) -> AsyncIterator[list[Storage]]:
    """Three copies of the program on one database."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(a_copy(database_url, ring)) for _ in range(3)]


async def all_at_once(replicas: list[Storage], act: Callable[[Store, str], Awaitable[T]], tasks: int = 12) -> list[T]:
    """Let `tasks` workers, spread over the replicas, do the same thing in transactions of their own."""

    async def one(number: int) -> T:
        async with replicas[number % len(replicas)].writing() as store:
            return await act(store, f"worker-{number}")

    return await asyncio.gather(*(one(number) for number in range(tasks)))


async def queued(
    storage: Storage, tenant: Tenant, slot: str = "2026-07-06", connection_id: int | None = None
) -> Collection:
    async with storage.writing() as store:
        collection = await store.collections.add(
            tenant.workspace_id,
            connection_id=connection_id or tenant.connection.id,
            kind=CollectionKind.DAILY,
            slot=slot,
            period=PERIOD,
            requested_by="U0JIHOON01",
            at=MOMENT,
        )
    assert collection is not None
    return collection


async def test_once_is_true_for_one_of_many(replicas: list[Storage], tenant: Tenant) -> None:
    """A click that Slack delivers twelve times is one click."""
    won = await all_at_once(replicas, lambda store, _: store.claims.once(tenant.workspace_id, "Ev123", MOMENT))
    assert sorted(won) == [False] * 11 + [True]


async def test_the_same_key_in_another_workspace_is_another_claim(storage: Storage) -> None:
    """Workspaces cannot silence each other."""
    async with storage.writing() as store:
        assert await store.claims.once("T1", "Ev123", MOMENT)
        assert await store.claims.once("T2", "Ev123", MOMENT)
        await store.claims.take_back("T2", "Ev123")
        assert not await store.claims.once("T1", "Ev123", MOMENT)
        assert await store.claims.once("T2", "Ev123", MOMENT), "what came to nothing may be asked for again"


async def test_old_claims_are_forgotten_and_young_ones_kept(storage: Storage) -> None:
    """The table does not grow for ever, and a retry of the last hour still finds its claim."""
    async with storage.writing() as store:
        await store.claims.once("T1", "old", MOMENT - timedelta(days=2))
        await store.claims.once("T1", "young", MOMENT)
        assert await store.claims.forget_before(MOMENT - timedelta(days=1)) == 1
        assert not await store.claims.once("T1", "young", MOMENT)


async def test_a_slot_of_a_job_is_run_by_one_replica(replicas: list[Storage]) -> None:
    """Every replica's alarm rings; one acts; after it is done nobody does."""

    async def run(store: Store, worker: str) -> bool:
        return await store.claims.run("daily", "2026-07-06T00:00Z", worker, MOMENT, LEASE)

    assert sorted(await all_at_once(replicas, run)) == [False] * 11 + [True]
    async with replicas[0].writing() as store:
        await store.claims.done("daily", "2026-07-06T00:00Z", MOMENT)
        assert not await store.claims.run("daily", "2026-07-06T00:00Z", "late", MOMENT + timedelta(days=1), LEASE)


async def test_a_slot_is_taken_over_once_when_its_lease_is_over_and_not_before(replicas: list[Storage]) -> None:
    """Whoever took it may have died; one of all who ask then goes on."""
    slot = ("daily", "2026-07-06T00:00Z")
    async with replicas[0].writing() as store:
        assert await store.claims.run(*slot, "first", MOMENT, LEASE)
        assert not await store.claims.run(*slot, "other", MOMENT + LEASE - timedelta(seconds=1), LEASE)
    later = MOMENT + LEASE
    won = await all_at_once(replicas, lambda store, worker: store.claims.run(*slot, worker, later, LEASE))
    assert sorted(won) == [False] * 11 + [True]


async def test_a_slot_taken_by_a_clock_that_ran_ahead_is_nobodys_after_it_was_put_back(replicas: list[Storage]) -> None:
    """Taken an hour from now by who died: a letter or a token would wait for that hour. A few minutes are a copy's."""
    async with replicas[0].writing() as store:
        assert await store.claims.run("mail", "near", "ahead", MOMENT + timedelta(minutes=10), LEASE)
        assert await store.claims.run("mail", "far", "ahead", MOMENT + timedelta(hours=1), LEASE)
    async with replicas[1].writing() as store:
        assert not await store.claims.run("mail", "near", "here", MOMENT, LEASE)
        assert await store.claims.run("mail", "far", "here", MOMENT, LEASE)


async def test_a_collection_is_queued_once_for_each_slot(replicas: list[Storage], tenant: Tenant) -> None:
    """Three replicas whose clocks ring at 09:00 queue one reading."""

    async def add(store: Store, _: str) -> bool:
        collection = await store.collections.add(
            tenant.workspace_id,
            connection_id=tenant.connection.id,
            kind=CollectionKind.DAILY,
            slot="2026-07-06",
            period=PERIOD,
            requested_by=None,
            at=MOMENT,
        )
        return collection is not None

    assert sorted(await all_at_once(replicas, add)) == [False] * 11 + [True]


async def test_a_queued_collection_goes_to_one_worker(replicas: list[Storage], tenant: Tenant) -> None:
    """Twelve workers, one row, one winner."""
    collection = await queued(replicas[0], tenant)
    claims = await all_at_once(replicas, lambda store, worker: store.collections.claim(worker, MOMENT, LEASE))
    [won] = [claim for claim in claims if claim is not None]
    assert (won.id, won.state, won.attempts, won.heartbeat_at) == (collection.id, CollectionState.RUNNING, 1, MOMENT)


async def test_many_collections_go_to_as_many_workers(replicas: list[Storage], tenant: Tenant) -> None:
    """Each worker gets a different one, and nobody goes without while work is waiting."""
    for number in range(6):
        async with replicas[0].writing() as store:
            connection = await store.connections.create(
                tenant.workspace_id,
                provider="openai",
                organization_id=f"org-x{number}",
                organization_name=None,
                at=MOMENT,
            )
        await queued(replicas[0], tenant, connection_id=connection.id)
    taken: list[int] = []
    for _ in range(6):
        claims = await all_at_once(replicas, lambda store, worker: store.collections.claim(worker, MOMENT, LEASE), 6)
        taken += [claim.id for claim in claims if claim is not None]
    assert len(taken) == len(set(taken)) == 6


async def test_the_least_tried_collection_goes_first(storage: Storage, tenant: Tenant) -> None:
    """One that fails again and again does not keep this morning's reading waiting."""
    old = await queued(storage, tenant, "sunday")
    async with storage.writing() as store:
        await store.collections.claim("a", MOMENT, LEASE)
        await store.collections.release(old.id, "a")
    new = await queued(storage, tenant, "monday")
    async with storage.writing() as store:
        claimed = await store.collections.claim("a", MOMENT, LEASE)
    assert claimed is not None
    assert claimed.id == new.id


async def test_a_connection_is_read_by_one_worker_at_a_time(storage: Storage, tenant: Tenant) -> None:
    """Two collections of one connection follow each other: they share its rate limit."""
    first = await queued(storage, tenant, "monday")
    second = await queued(storage, tenant, "tuesday")
    async with storage.writing() as store:
        running = await store.collections.claim("a", MOMENT, LEASE)
        assert running is not None
        assert running.id == first.id
        assert await store.collections.claim("b", MOMENT, LEASE) is None
        await store.collections.finish(first.id, "a", CollectionState.DONE, None, MOMENT)
        after = await store.collections.claim("b", MOMENT, LEASE)
    assert after is not None
    assert after.id == second.id


async def test_a_dead_worker_whose_clock_ran_ahead_holds_nothing(storage: Storage, tenant: Tenant) -> None:
    """A heartbeat from tomorrow is no sign of life today; one of the next minutes may be (a retry that waits)."""
    first, second = await queued(storage, tenant), await queued(storage, tenant, "tuesday")
    async with storage.writing() as store:
        await store.collections.claim("first", MOMENT, LEASE)
        await store.collections.heartbeat(first.id, "first", MOMENT + timedelta(minutes=15))
        assert await store.collections.claim("second", MOMENT, LEASE) is None
        await store.collections.heartbeat(first.id, "first", MOMENT + timedelta(days=1))
        claimed = [await store.collections.claim(worker, MOMENT, LEASE) for worker in ("second", "third")]
    assert [one.id for one in claimed if one is not None] == [second.id]


async def test_a_dead_workers_collection_resumes_where_it_stood(storage: Storage, tenant: Tenant) -> None:
    """After the lease another worker goes on at the next day; the first may no longer write."""
    collection = await queued(storage, tenant)
    async with storage.writing() as store:
        await store.collections.claim("first", MOMENT, LEASE)
        await store.collections.advance(collection.id, "first", date(2026, 7, 3), 2, MOMENT + timedelta(minutes=1))
        assert await store.collections.heartbeat(collection.id, "first", MOMENT + timedelta(minutes=2))
    async with storage.writing() as store:
        assert await store.collections.claim("second", MOMENT + timedelta(minutes=6), LEASE) is None
        resumed = await store.collections.claim("second", MOMENT + timedelta(minutes=7), LEASE)
        assert resumed is not None
        assert (resumed.next_day, resumed.days_done, resumed.days_total) == (date(2026, 7, 3), 2, 5)
        assert (resumed.worker, resumed.attempts) == ("second", 2)
        assert not await store.collections.heartbeat(collection.id, "first", MOMENT)
        with pytest.raises(LeaseLost):
            await store.collections.advance(collection.id, "first", date(2026, 7, 4), 3, MOMENT)
        with pytest.raises(LeaseLost):
            await store.collections.finish(collection.id, "first", CollectionState.DONE, None, MOMENT)


async def test_a_worker_that_shuts_down_gives_its_work_back(storage: Storage, tenant: Tenant) -> None:
    """Nobody waits for a lease that its holder has let go."""
    collection = await queued(storage, tenant)
    async with storage.writing() as store:
        await store.collections.claim("first", MOMENT, LEASE)
        assert await store.collections.release(collection.id, "first")
        again = await store.collections.claim("second", MOMENT, LEASE)
    assert again is not None
    assert again.worker == "second"


async def test_the_queue_tells_what_is_active_and_what_came_last(storage: Storage, tenant: Tenant) -> None:
    """Screens show what is running; the scheduler looks at what was last done."""
    collection = await queued(storage, tenant)
    async with storage.writing() as store:
        assert [each.id for each in await store.collections.active(tenant.workspace_id)] == [collection.id]
        await store.collections.tell(tenant.workspace_id, collection.id, "D0JIHOON01", "1.5")
        await store.collections.claim("a", MOMENT, LEASE)
        await store.collections.finish(collection.id, "a", CollectionState.FAILED, "rejected", MOMENT)
        assert await store.collections.active(tenant.workspace_id) == []
        latest = await store.collections.latest(tenant.workspace_id, tenant.connection.id)
        assert (
            await store.collections.latest(tenant.workspace_id, tenant.connection.id, CollectionKind.BACKFILL) is None
        )
    assert latest is not None
    assert (latest.state, latest.error, latest.finished_at) == (CollectionState.FAILED, "rejected", MOMENT)
    assert (latest.channel_id, latest.message_ts) == ("D0JIHOON01", "1.5")


async def test_a_project_is_registered_by_one_of_two_teams_that_ask_at_once(
    replicas: list[Storage], tenant: Tenant
) -> None:
    """One owner, and the other is told whose it is."""
    async with replicas[0].writing() as store:
        teams = [tenant.team_id]
        for name in ("데이터팀", "검색팀", "추천팀"):
            team = await store.teams.create(
                tenant.workspace_id,
                name=name,
                lead_user_id="U1",
                channel_id="C1",
                locale="ko",
                approvers=(),
                created_by="U1",
                at=MOMENT,
            )
            teams.append(team.id)

    async def register(store: Store, worker: str) -> tuple[int, int]:
        team_id = teams[int(worker.rpartition("-")[2]) % len(teams)]
        ours, taken = await store.projects.register(
            tenant.workspace_id,
            connection_id=tenant.connection.id,
            team_id=team_id,
            projects=[("proj_a", "chatbot")],
            registered_by="U1",
            at=MOMENT,
        )
        return team_id, taken[0].team_id or 0 if taken else ours[0].team_id

    answers = await all_at_once(replicas, register)
    [owner] = {owner for _, owner in answers}
    assert owner in teams


async def test_the_newest_of_keys_that_begin_alike_is_told(storage: Storage) -> None:
    """A percent sign or an underscore stands for itself, and other workspaces have their own."""
    tenant, other = await a_tenant(storage), await a_tenant(storage, "T0OTHER001")
    async with storage.writing() as store:
        for hours, key in enumerate(("learn:1", "learn:2", "learned", "l_arn:9")):
            await store.claims.once(tenant.workspace_id, key, MOMENT + timedelta(hours=hours))
        assert await store.claims.newest(tenant.workspace_id, "learn:") == MOMENT + timedelta(hours=1)
        assert await store.claims.newest(tenant.workspace_id, "l_arn:") == MOMENT + timedelta(hours=3)
        assert await store.claims.newest(tenant.workspace_id, "%") is None
        assert await store.claims.newest(other.workspace_id, "learn:") is None
