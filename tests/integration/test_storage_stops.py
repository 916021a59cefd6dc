"""Stops in the database: a lever of a project is held once, changed by one at a time, looked after by one worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.holds import Hold, HoldState, HoldTrouble, saved
from finops.levers import Json, Lever
from finops.money import Money
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stops import ApprovalWay, Pending, Stop, StopChange, StopEvent, StopEventKind, StopState
from storage import KeyRing, Storage, Store
from storage.errors import AlreadyHeld, Conflict, NotFound
from tests.databases import OTHER_WORKSPACE, WORKSPACE, Tenant, a_copy, a_tenant
from tests.integration.isolation_world import an_incident

NOW = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
LEASE = timedelta(seconds=60)
FORMER: dict[str, Json] = {
    "spend_limit": None,
    "rate_limit:b": {
        "max_requests_per_1_minute": 9_007_199_254_740_993,
        "nested": {"z": [1, None, True], "a": "é\u0000"},
    },
}
TARGET: dict[str, Json] = {
    "spend_limit": {"threshold_amount": 1, "currency": "USD", "interval": "month"},
    "rate_limit:b": {"max_requests_per_1_minute": 1, "nested": {"z": [1, None, True], "a": "é\u0000"}},
}
TIMES = (
    "saved_at",
    "set_at",
    "enforced_at",
    "proved_at",
    "last_request_at",
    "release_at",
    "released_at",
    "first_traffic_at",
    "checked_at",
    "trouble_since",
    "told_at",
)
REQUESTED = StopEvent(StopEventKind.REQUESTED, NOW, "requested:1", {"by": "U1", "projects": [1, 2]}, is_loud=True)


@pytest.fixture
async def projects(storage: Storage, tenant: Tenant) -> list[Project]:
    """Two registered projects of one organization."""
    return await registered(storage, tenant)


@pytest.fixture
async def beside(database_url: str, ring: KeyRing, storage: Storage) -> AsyncIterator[Storage]:
    """A second copy of the program on the same database."""
    async with a_copy(database_url, ring) as second:
        yield second


async def registered(storage: Storage, tenant: Tenant) -> list[Project]:
    async with storage.writing() as store:
        made, _ = await store.projects.register(
            tenant.workspace_id,
            connection_id=tenant.connection.id,
            team_id=tenant.team_id,
            projects=[("proj_a", "chatbot"), ("proj_b", "search")],
            registered_by="U1",
            at=NOW,
        )
    return made


def a_stop(tenant: Tenant, **given: object) -> Stop:
    stop = Stop(
        id=None,
        workspace_id=tenant.workspace_id,
        incident_id=None,
        scope_kind=ScopeKind.TEAM,
        scope_id=tenant.team_id,
        channel_id="C1",
        lever=Lever.STOP,
        state=StopState.STOPPING,
        reason="a loop",
        requested_by="U1",
        requested_at=NOW,
        updated_at=NOW,
    )
    return replace(stop, **given)  # type: ignore[arg-type]


def a_hold(project: Project, **given: object) -> Hold:
    hold = Hold(
        id=None,
        workspace_id=project.workspace_id,
        stop_id=0,
        project_id=project.id,
        connection_id=project.connection_id,
        provider_project_id=project.provider_project_id,
        name=project.name,
        lever=Lever.STOP,
        state=HoldState.REQUESTED,
        is_wanted=True,
        requested_at=NOW,
        updated_at=NOW,
        next_at=NOW,
    )
    return replace(hold, **given)  # type: ignore[arg-type]


async def opened(storage: Storage, tenant: Tenant, projects: list[Project]) -> tuple[Stop, tuple[Hold, ...]]:
    async with storage.writing() as store:
        return await store.stops.open(WORKSPACE, a_stop(tenant), [a_hold(each) for each in projects], [REQUESTED])


async def test_a_stop_comes_back_as_it_was_decided(storage: Storage, tenant: Tenant, projects: list[Project]) -> None:
    """Every field of it and of its holds, money to the last digit, in the order given."""
    pending = Pending("U1", NOW, ApprovalWay.AMOUNT, LATER, Money.of("50.000000000000000001", "KRW"), restops=True)
    stop = a_stop(
        tenant,
        state=StopState.ALLOWED,
        turn=0,
        approved_by="U2",
        approved_at=NOW,
        allowed_until=LATER,
        allowed_ceiling=Money.of("742.000000000000000001"),
        restops=True,
        pending=pending,
        cause="a test in a loop",
        cause_by="U3",
        stopped_at=NOW,
        restored_at=LATER,
    )
    times = {name: NOW + timedelta(microseconds=place) for place, name in enumerate(TIMES)}
    full = a_hold(
        projects[0],
        state=HoldState.RELEASED,
        is_wanted=False,
        next_at=None,
        former=FORMER,
        target=TARGET,
        leak=Money.of("0.000000000000000007"),
        trouble=HoldTrouble.RATE_LIMITED,
        attempts=3,
        **times,
    )
    async with storage.writing() as store:
        kept, holds = await store.stops.open(WORKSPACE, stop, [a_hold(projects[1]), full], [REQUESTED])
    assert kept == replace(stop, id=kept.id)
    assert [hold.name for hold in holds] == ["search", "chatbot"]
    async with storage.reading() as store:
        assert await store.stops.get(WORKSPACE, kept.id or 0) == kept
        assert sorted(await store.stops.holds(WORKSPACE, kept.id or 0), key=lambda each: each.name) == [
            holds[1],
            holds[0],
        ]
        assert await store.stops.hold(WORKSPACE, holds[1].id or 0) == holds[1]
        assert await store.stops.events(WORKSPACE, kept.id or 0) == [REQUESTED]


async def test_a_former_state_comes_back_to_the_letter(
    storage: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """What was not set, large numbers, nesting, and the order in which the parts are to be written."""
    _, holds = await opened(storage, tenant, projects[:1])
    async with storage.writing() as store:
        [taken] = await store.stops.due(NOW, 5, "w1", LEASE)
        await store.stops.keep_hold(saved(taken, FORMER, TARGET, NOW), taken, "w1")
    async with storage.reading() as store:
        found = await store.stops.hold(WORKSPACE, holds[0].id or 0)
    assert found is not None
    assert (found.former, found.target) == (FORMER, TARGET)
    assert str(dict(found.former or {})) == str(FORMER)


async def test_an_incident_has_one_stop_at_a_time(
    storage: Storage, beside: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """Two who act within one incident in the same moment, on different projects: the second goes on from the first."""
    async with storage.writing() as store:
        terms = BudgetTerms(BudgetScope.TEAM, tenant.team_id, BudgetPeriod.DAY, Money.of(1))
        budget = await store.budgets.create(WORKSPACE, terms, by="U1", at=NOW)
        incident = await store.incidents.save(WORKSPACE, an_incident(WORKSPACE, budget.id, tenant.team_id), None)
    stop = a_stop(tenant, incident_id=incident.id)
    arrived = asyncio.Event()

    async def second() -> None:
        async with beside.writing() as store:
            arrived.set()
            await store.stops.open(WORKSPACE, stop, [a_hold(projects[1])], [])

    async with storage.writing() as store:
        first, _ = await store.stops.open(WORKSPACE, stop, [a_hold(projects[0])], [])
        other = asyncio.create_task(second())
        if storage.kind == "postgresql":  # where a second writer comes as far as the lock
            await arrived.wait()
    with pytest.raises(Conflict):
        await other
    async with storage.writing() as store:
        assert [each.id for each in await store.stops.active(WORKSPACE)] == [first.id]
        over = StopChange(replace(first, state=StopState.FAILED))
        await store.stops.save(WORKSPACE, over, first)
        again, _ = await store.stops.open(WORKSPACE, stop, [a_hold(projects[1])], [])
        assert again.id != first.id


async def test_a_lever_of_a_project_is_held_once(storage: Storage, tenant: Tenant, projects: list[Project]) -> None:
    """The second learns which project and by which hold; another lever, or a hold that ended, is no hindrance."""
    stop, holds = await opened(storage, tenant, projects[:1])
    with pytest.raises(AlreadyHeld, match="chatbot") as refusal:
        await opened(storage, tenant, projects)
    assert refusal.value.existing_id == holds[0].id
    async with storage.writing() as store:
        assert [each.id for each in await store.stops.active(WORKSPACE)] == [stop.id], "nothing of the second is kept"
        slow = a_hold(projects[0], lever=Lever.SLOW)
        await store.stops.open(WORKSPACE, a_stop(tenant, lever=Lever.SLOW), [slow])
        released = replace(holds[0], state=HoldState.RELEASED, is_wanted=False, released_at=LATER)
        await store.stops.save(WORKSPACE, StopChange(stop, (released,)), stop, holds)
    third, _ = await opened(storage, tenant, projects)
    async with storage.reading() as store:
        now = await store.stops.active_hold(WORKSPACE, tenant.connection.id, "proj_a", Lever.STOP)
        assert now is not None
        assert now.stop_id == third.id

    async def take_hold_again() -> None:
        async with storage.writing() as store:
            ended = await store.stops.hold(WORKSPACE, holds[0].id or 0)
            assert ended is not None
            again = replace(ended, state=HoldState.REQUESTED, is_wanted=True)
            await store.stops.save(WORKSPACE, StopChange(stop, (again,)), stop, (ended,))

    with pytest.raises(AlreadyHeld):
        await take_hold_again()


async def test_of_many_who_stop_at_once_one_does(
    storage: Storage, beside: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """In whatever order they name the projects, nobody waits for ever, and one stop holds them all."""

    async def attempt(number: int) -> bool:
        try:
            await opened((storage, beside)[number % 2], tenant, projects[:: 1 if number % 3 else -1])
        except AlreadyHeld:
            return False
        return True

    assert sorted(await asyncio.gather(*(attempt(number) for number in range(6)))) == [False] * 5 + [True]
    async with storage.reading() as store:
        assert len(await store.stops.active(WORKSPACE)) == 1


async def test_a_change_decided_on_what_has_changed_since_is_refused(
    storage: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """Of the stop or of any of its holds: the second decides again, and nothing of its decision is kept."""
    stop, holds = await opened(storage, tenant, projects)
    allowed = replace(stop, state=StopState.RESTORING, approved_by="U2", approved_at=LATER, updated_at=LATER)
    released = tuple(replace(hold, is_wanted=False, next_at=LATER, updated_at=LATER) for hold in holds)
    event = StopEvent(StopEventKind.APPROVED, LATER, "approved", {"by": "U2"})
    async with storage.writing() as store:
        assert await store.stops.save(WORKSPACE, StopChange(allowed, released, (event,)), stop, holds) == released

    async def decide(before: Stop, holds_before: tuple[Hold, ...]) -> None:
        late = StopEvent(StopEventKind.CAUSE_PINNED, LATER, "late", {})
        async with storage.writing() as store:
            change = StopChange(replace(before, cause="late"), (), (late,))
            await store.stops.save(WORKSPACE, change, before, holds_before)

    for before, holds_before in ((stop, released), (allowed, holds)):
        with pytest.raises(Conflict, match="was changed meanwhile"):
            await decide(before, holds_before)
    async with storage.reading() as store:
        assert await store.stops.get(WORKSPACE, stop.id or 0) == allowed
        assert await store.stops.holds(WORKSPACE, stop.id or 0) == list(released)
        assert [each.key for each in await store.stops.events(WORKSPACE, stop.id or 0)] == ["requested:1", "approved"]


SOMEBODY_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def test_two_who_decide_at_once_take_turns(
    storage: Storage, beside: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """A person lets go while a worker keeps what it found: neither blocks the other, and the second reads again."""
    stop, holds = await opened(storage, tenant, projects)
    async with storage.writing() as store:
        assert len(await store.stops.due(NOW, 9, "w1", LEASE)) == 2

    async def person() -> None:
        wanted = tuple(replace(hold, is_wanted=False, updated_at=LATER) for hold in holds)
        async with storage.writing() as store:
            restoring = replace(stop, state=StopState.RESTORING, updated_at=LATER)
            await store.stops.save(WORKSPACE, StopChange(restoring, wanted), stop, holds)

    async with beside.writing() as store:
        moved = saved(holds[1], FORMER, TARGET, LATER)
        await store.stops.keep_hold(holds[1], holds[1], "w1")
        decided = asyncio.create_task(person())
        if beside.kind == "postgresql":
            while not await store.stops._db.scalar(SOMEBODY_WAITS):
                pass
        await store.stops.save(WORKSPACE, StopChange(stop, (moved,)), stop, (holds[1],))
    with pytest.raises(Conflict):
        await decided


async def test_a_new_hold_joins_a_stop(storage: Storage, tenant: Tenant, projects: list[Project]) -> None:
    """A firmer lever on the same project, by the same stop; an event is kept once."""
    stop, holds = await opened(storage, tenant, projects[:1])
    firmer = a_hold(projects[0], lever=Lever.CHEAP, stop_id=stop.id)
    async with storage.writing() as store:
        [kept] = await store.stops.save(WORKSPACE, StopChange(stop, (firmer,), (REQUESTED,)), stop, holds)
        assert kept == replace(firmer, id=kept.id)
        assert await store.stops.holds(WORKSPACE, stop.id or 0) == [*holds, kept]
        assert not await store.stops.add_event(WORKSPACE, stop.id or 0, REQUESTED)
        assert await store.stops.add_event(WORKSPACE, stop.id or 0, replace(REQUESTED, key="again"))
        assert len(await store.stops.events(WORKSPACE, stop.id or 0)) == 2
        with pytest.raises(ValueError, match="not read with the stop"):
            await store.stops.save(WORKSPACE, StopChange(stop, (replace(holds[0], attempts=1),)), stop)


async def test_a_due_hold_goes_to_one_worker_and_back_when_it_falls_silent(
    storage: Storage, beside: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """The lease keeps it, its end or letting go gives it away; what is not due yet, or needs nothing, is not taken."""
    _, holds = await opened(storage, tenant, projects)

    async with storage.reading() as store:
        assert await store.stops.any_due(NOW - timedelta(minutes=5)), "asked for by a copy whose clock is ahead"

    async def take(store: Store, worker: str, now: datetime = NOW) -> list[int | None]:
        return [hold.id for hold in await store.stops.due(now, 1, worker, LEASE)]

    async def one(number: int) -> list[int | None]:
        async with (storage, beside)[number % 2].writing() as store:
            return await take(store, f"w{number}")

    taken = await asyncio.gather(*(one(number) for number in range(4)))
    # One who comes upon a row that is being taken may leave with nothing, and ask again.
    assert len([each for found in taken for each in found]) == len({each for found in taken for each in found}) >= 1
    async with storage.writing() as store:
        while await take(store, "rest"):
            pass
        assert not await store.stops.any_due(NOW)
        assert await take(store, "late", NOW + LEASE - timedelta(microseconds=1)) == []
        assert await store.stops.any_due(NOW + LEASE)
        assert await take(store, "late", NOW + LEASE) == [holds[0].id], "the longest due first"
        assert await store.stops.is_leased(holds[0].id or 0, "late", NOW + LEASE)
        assert not await store.stops.is_leased(holds[0].id or 0, "late", NOW + 2 * LEASE)
        await store.stops.let_go(holds[0].id or 0, "somebody else")
        assert await take(store, "w9", NOW + LEASE) == [holds[1].id]
        await store.stops.let_go(holds[0].id or 0, "late")
        assert await take(store, "w9", NOW + LEASE) == [holds[0].id]
        resting = replace(holds[0], next_at=None)
        await store.stops.keep_hold(resting, holds[0], "w9")
        await store.stops.keep_hold(replace(holds[1], next_at=LATER, attempts=1), holds[1], "w9")
        assert await take(store, "w9", LATER - timedelta(seconds=1)) == []
        assert await take(store, "w9", LATER) == [holds[1].id]
        # Taken by a clock that ran ahead: it is not lost until then.
        await store.stops.due(LATER + timedelta(days=3), 1, "ahead", LEASE)
        assert await take(store, "w9", LATER + timedelta(minutes=2)) == [holds[1].id]


async def test_a_worker_that_lost_its_lease_keeps_nothing(
    storage: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """Taken over, let go of, or changed by somebody meanwhile: Conflict; its own last change it may build upon."""
    _, [hold] = await opened(storage, tenant, projects[:1])
    async with storage.writing() as store:
        await store.stops.due(NOW, 1, "w1", LEASE)
        await store.stops.due(NOW + LEASE, 1, "w2", LEASE)

    async def keep(after: Hold, before: Hold, worker: str) -> None:
        async with storage.writing() as store:
            await store.stops.keep_hold(after, before, worker)

    with pytest.raises(Conflict):
        await keep(replace(hold, attempts=1), hold, "w1")
    # More digits than are kept, as a division gives.
    leaking = replace(hold, leak=Money(Decimal(1) / Decimal(3)))
    await keep(leaking, hold, "w2")
    second = replace(leaking, attempts=2)
    await keep(second, leaking, "w2")
    with pytest.raises(Conflict):
        await keep(replace(hold, attempts=3), hold, "w2")
    async with storage.writing() as store:
        await store.stops.let_go(hold.id or 0, "w2")
    with pytest.raises(Conflict):
        await keep(replace(second, attempts=3), second, "w2")
    async with storage.reading() as store:
        found = await store.stops.hold(WORKSPACE, hold.id or 0)
    assert found == replace(second, leak=Money.of("0.333333333333333333"))


async def test_stops_are_found_by_scope_and_while_they_last(
    storage: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """The latest of a scope that is not over; closed and failed ones are history."""
    stop, holds = await opened(storage, tenant, projects[:1])
    whole = a_stop(tenant, scope_kind=ScopeKind.WORKSPACE, scope_id=None, requested_by=None)
    team = (ScopeKind.TEAM, tenant.team_id)
    async with storage.writing() as store:
        everywhere, _ = await store.stops.open(WORKSPACE, whole, [a_hold(projects[1])])
        second, _ = await store.stops.open(WORKSPACE, a_stop(tenant), [])
        assert await store.stops.of_scope(WORKSPACE, ScopeKind.WORKSPACE, None) == everywhere
        assert await store.stops.of_scope(WORKSPACE, *team) == second
        assert await store.stops.active(WORKSPACE) == [stop, everywhere, second]
        failed = replace(second, state=StopState.FAILED)
        await store.stops.save(WORKSPACE, StopChange(failed), second)
        assert await store.stops.of_scope(WORKSPACE, *team) == stop
        closed = replace(stop, state=StopState.CLOSED, closed_at=LATER)
        await store.stops.save(WORKSPACE, StopChange(closed), stop, holds)
        assert await store.stops.of_scope(WORKSPACE, *team) is None
        assert await store.stops.active(WORKSPACE) == [everywhere]
        assert await store.stops.of_incident(WORKSPACE, 12345) is None


async def test_a_connection_is_watched_until_what_was_stopped_there_is_proved_and_let_go_a_while_ago(
    storage: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """Held and not proved, or released lately: its usage is looked at each minute."""
    stop, [hold] = await opened(storage, tenant, projects[:1])
    connection_id = tenant.connection.id
    ends = {
        HoldState.REQUESTED: (True, True),
        HoldState.UNPROVED: (True, True),
        HoldState.PROVED: (False, True),
        HoldState.RELEASED: (True, True),
        HoldState.LOST: (False, False),
    }
    for state, (is_watched, is_held) in ends.items():
        released_at = LATER if state is HoldState.RELEASED else None
        after = replace(saved(hold, FORMER, TARGET, NOW), state=state, released_at=released_at)
        async with storage.writing() as store:
            await store.stops.save(WORKSPACE, StopChange(stop, (after,)), stop, (hold,))
            assert await store.stops.connections_watched(NOW) == ({connection_id} if is_watched else set()), state
            assert bool(await store.stops.held_on(WORKSPACE, connection_id, LATER)) is is_held, state
            if state is HoldState.RELEASED:
                assert await store.stops.connections_watched(LATER) == set()
                assert await store.stops.held_on(WORKSPACE, connection_id, LATER + timedelta(seconds=1)) == []
        hold = after


async def test_a_hold_is_on_a_project_of_its_own_workspace(
    storage: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """Another's project is not found; one's own is not let go of while it is held, whoever holds another."""
    stranger = await a_tenant(storage, OTHER_WORKSPACE)
    theirs = a_hold(projects[0], workspace_id=OTHER_WORKSPACE, connection_id=stranger.connection.id)

    async def reach_over() -> None:
        async with storage.writing() as store:
            await store.stops.open(OTHER_WORKSPACE, a_stop(stranger), [theirs])

    with pytest.raises(NotFound):
        await reach_over()
    stop, holds = await opened(storage, tenant, projects[:1])
    async with storage.writing() as store:
        with pytest.raises(AlreadyHeld) as held:
            await store.projects.unregister(WORKSPACE, projects[0].id)
        assert held.value.existing_id == holds[0].id
        assert await store.projects.unregister(WORKSPACE, projects[1].id)
        assert await store.stops.holds(WORKSPACE, stop.id or 0) == list(holds)
        assert await store.stops.active(OTHER_WORKSPACE) == []


@pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite has one writer
async def test_two_who_wait_for_each_other_are_a_conflict_for_one_of_them(
    storage: Storage, beside: Storage, tenant: Tenant, projects: list[Project]
) -> None:
    """It decides anew, like everybody whom somebody else was faster than."""
    one, _ = await opened(storage, tenant, projects[:1])
    two, _ = await opened(storage, tenant, projects[1:])
    both = asyncio.Barrier(2)

    async def crossing(door: Storage, first: Stop, second: Stop) -> None:
        async with door.writing() as store:
            await store.stops.save(WORKSPACE, StopChange(replace(first, reason="x")), first)
            await both.wait()
            await store.stops.save(WORKSPACE, StopChange(replace(second, reason="x")), second)

    found = await asyncio.gather(crossing(storage, one, two), crossing(beside, two, one), return_exceptions=True)
    assert [type(each) for each in found if each is not None] == [Conflict]
