"""The watcher reads in every slot, tells darkness once and its end in the same message, and leaves nothing running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import pytest

import jobs
from bot.metrics import Metrics
from bot.policy import Policy
from bot.settings import Settings
from demo.slack import SimulatedSlack
from finops.budgets import BudgetScope
from jobs.watcher import Watcher
from storage import KeyRing, Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE, blind_told
from tests.integration.outbox_world import Office, OneSlack
from tests.integration.test_jobs_announcer import OneWorkspace
from tests.integration.watch_world import World, a_watched_world

PATH = "/v1/organization/usage/completions"


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock) as simulated:
        yield simulated


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_watched_world(quick_storage, clock, policy=Policy(backfill_days=3, blind_after_minutes=0)) as made:
        yield made


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def watcher(world: World, metrics: Metrics, clock: FakeClock) -> Watcher:
    return Watcher(world.bot, metrics, clock)


def said(slack: SimulatedSlack, method: str) -> list[str]:
    return [call.text for call in slack.calls if call.method == method and call.ok]


def counted(metrics: Metrics, line: str) -> bool:
    return line in metrics.page()[0].decode()


async def looked(watcher: Watcher) -> bool:
    """One slot: begin what is due, and wait until it is done."""
    began = await watcher.look()
    await watcher.drained()
    return began


async def test_darkness_is_one_message_and_its_end_an_edit_of_it(
    world: World, watcher: Watcher, slack: SimulatedSlack, clock: FakeClock, metrics: Metrics
) -> None:
    await looked(watcher)
    assert counted(metrics, 'finops_polls_total{result="read"} 1.0')
    world.openai.fail(path=PATH, status=503)
    deliverer = Office(world.bot, slack, clock, OneSlack(slack)).deliverer()
    for _ in range(3):
        clock.advance(minutes=5)
        assert await looked(watcher)
        await deliverer.deliver_due()
    assert counted(metrics, 'finops_polls_total{result="unavailable"} 3.0')
    [told] = said(slack, "chat.postMessage")
    assert "확인 불가" in told
    world.openai.faults.clear()
    clock.advance(minutes=5)
    await looked(watcher)
    await deliverer.deliver_due()
    [edited] = said(slack, "chat.update")
    assert "확인 불가" not in edited
    assert len(said(slack, "chat.postMessage")) == 1
    assert await world.bot.blindness.alerts() == []


async def test_while_the_bill_is_in_the_dark_too_usage_alone_does_not_end_it(
    world: World, watcher: Watcher, clock: FakeClock
) -> None:
    """Two senses, one message: it says so when both see again."""
    await looked(watcher)
    world.openai.fail(path=PATH, status=503)
    clock.advance(minutes=5)
    await looked(watcher)
    async with world.bot.storage.writing() as store:
        await store.connections.mark_blind(WORKSPACE, world.connection.id, clock(), "unavailable")
    world.openai.faults.clear()
    clock.advance(minutes=5)
    await looked(watcher)
    assert ["until" in one.subject for one in await blind_told(world.bot)] == [False]
    [alert] = await world.bot.blindness.alerts()
    assert alert.connection.costs_blind
    assert not alert.connection.usage_blind


async def test_one_slot_is_looked_at_once(watcher: Watcher) -> None:
    assert await looked(watcher)
    assert not await looked(watcher)


async def test_lateness_is_a_metric_of_the_connection(
    world: World, watcher: Watcher, clock: FakeClock, metrics: Metrics
) -> None:
    for _ in range(2):
        await looked(watcher)
        clock.advance(minutes=5)
    assert counted(metrics, f'finops_provider_lateness_seconds{{connection="{world.connection.id}"}} 0.0')


async def test_a_minute_without_a_reading_still_ends_what_is_over(
    world: World, watcher: Watcher, clock: FakeClock
) -> None:
    await world.a_budget(BudgetScope.WORKSPACE, None, "1")
    clock.moment = clock.moment.replace(hour=20)
    await looked(watcher)
    [opened] = await world.incidents()
    clock.advance(hours=12)
    await watcher.evaluate()
    [closed] = await world.incidents()
    assert (opened.closed_at, closed.closed_at) == (None, clock())


async def test_what_fails_in_one_workspace_keeps_nothing_else_from_ending(
    world: World, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another workspace's periods and allowances end, and so do those of the workspace that could not be evaluated."""
    async with world.bot.storage.writing() as store:
        await store.workspaces.ensure(
            "T0OTHER001", name="다른 회사", locale="ko", timezone="Asia/Seoul", installed_by=None, at=world.clock()
        )
    seen: list[tuple[str, str]] = []

    def noting(what: str) -> Callable[[str], Awaitable[int]]:
        async def note(workspace_id: str) -> int:
            seen.append((what, workspace_id))
            if (what, workspace_id) == ("evaluated", WORKSPACE):
                raise ZeroDivisionError("no share of nothing")
            return 0

        return note

    for whose, name, what in (
        (world.bot.evaluating, "evaluate", "evaluated"),
        (world.bot.stop_ends, "look", "ended"),
        (world.bot.reminding, "look", "reminded"),
    ):
        monkeypatch.setattr(whose, name, noting(what))
    await watcher.evaluate()
    both = (WORKSPACE, "T0OTHER001")
    assert sorted(seen) == sorted((what, one) for what in ("evaluated", "ended", "reminded") for one in both)


async def test_what_fails_of_what_is_looked_for_keeps_nothing_else_from_being_found(
    world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each minute. One after the other: a queue that could not be filled, and a blindness was told to nobody more."""
    seen: list[str] = []

    def stumbling(what: str) -> Callable[..., Awaitable[int]]:
        async def look(*_: object) -> int:
            seen.append(what)
            raise ZeroDivisionError("no share of nothing")

        return look

    bot = world.bot
    looks = {"collecting": "due", "blindness": "everywhere", "unwatched": "everywhere", "expiring": "everywhere"}
    for what, name in looks.items():
        monkeypatch.setattr(getattr(bot, what), name, stumbling(what))
    await jobs.look_around(bot, clock())
    assert seen == list(looks)


async def test_a_reading_that_fails_as_nobody_thought_of_is_logged_and_tried_again(
    world: World, watcher: Watcher, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(*_: object) -> None:
        raise ZeroDivisionError("no share of nothing")

    with monkeypatch.context() as patched:
        patched.setattr(world.bot.evaluating, "evaluate", stumble)
        await looked(watcher)
    assert [one for one in caplog.records if one.levelname == "ERROR" and one.__dict__.get("reference")]
    clock.advance(minutes=5)
    assert await looked(watcher)


async def test_it_runs_by_itself_wakes_for_a_new_key_and_puts_down_what_it_began(
    world: World, slack: SimulatedSlack, clock: FakeClock, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first moment on; and when a key may be used again, without waiting for the next slot."""
    environ = slack.client_settings() | {
        "FINOPS_KEYS": ring.to_text(),
        "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
        "DATABASE_URL": "sqlite:///unused.db",
    }
    [credential] = await world.bot.connections.of_team(WORKSPACE, world.team.id)
    await world.bot.connections.disable(world.admin, credential.id)
    evaluated, evaluate = asyncio.Event(), world.bot.evaluating.evaluate

    async def then_tell(workspace_id: str, available: Mapping[int, datetime] | None = None) -> int:
        try:
            return await evaluate(workspace_id, available)
        finally:
            evaluated.set()

    monkeypatch.setattr(world.bot.evaluating, "evaluate", then_tell)
    async with jobs.running(world.bot, OneWorkspace(slack), clock, Settings.from_env(environ), poll_seconds=60.0):
        assert await read_at(world) is None
        await world.bot.connections.enable(world.admin, credential.id)
        while await read_at(world) is None:  # the first look, at nothing, may end before the one that was asked for
            await asyncio.wait_for(evaluated.wait(), 20)
            evaluated.clear()
    assert await read_at(world) == clock()
    left = {task.get_name() for task in asyncio.all_tasks()}
    assert not left & {"watcher", f"usage of connection {world.connection.id}"}


async def test_a_reading_that_takes_too_long_is_given_up_with_the_rest(
    world: World, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled, because the process must end: no reading outlives the door it reads through."""
    begun = asyncio.Event()

    async def endless(_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(world.bot.watching, "poll", endless)
    running = asyncio.create_task(watcher.run())
    await asyncio.wait_for(begun.wait(), 20)
    running.cancel()
    await asyncio.wait([running])
    assert f"usage of connection {world.connection.id}" not in {task.get_name() for task in asyncio.all_tasks()}


async def read_at(world: World) -> datetime | None:
    async with world.bot.storage.reading() as store:
        health = await store.healths.get(WORKSPACE, world.connection.id)
    return None if health is None else health.read_at


def test_a_slot_is_waited_for_and_never_longer(watcher: Watcher, clock: FakeClock) -> None:
    clock.moment = clock.moment.replace(minute=0, second=0) + timedelta(seconds=290)
    assert watcher.until_next_slot() == 10.0
