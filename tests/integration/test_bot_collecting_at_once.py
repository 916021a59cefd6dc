"""Bills that workers of several replicas read, and people ask for, in one moment."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from bot import Bot
from bot.results import CollectionStarted, Failed
from finops.periods import Period
from finops.registry import Person, Team
from storage.collections import Collections
from storage.records import CollectionKind
from tests.conftest import FakeClock
from tests.integration.at_once import beside
from tests.integration.bot_world import (
    KEY,
    MINSU,
    WORKSPACE,
    LittleOpenAI,
    a_team,
    worked,
)

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers take turns
LEASE = timedelta(minutes=1)


@pytest.fixture
async def team(bot: Bot, admin: Person) -> Team:
    made = await a_team(bot, admin)
    await bot.connections.register_key(admin, made.id, KEY)
    await bot.projects.register(admin, made.id, ["proj_chat"])
    return made


async def test_two_workers_never_read_one_connection_at_once(
    bot: Bot, team: Team, clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was queued together was begun together by two replicas, and asked twice as much as the provider lets us."""
    assert team
    [waiting] = await bot.connections.all(WORKSPACE)
    async with bot.storage.writing() as store:
        await store.collections.add(
            WORKSPACE, connection_id=waiting.id, kind=CollectionKind.DAILY, slot="today",
            period=Period(date(2026, 7, 1), date(2026, 7, 6)), requested_by=None, at=clock(),
        )  # fmt: skip

    async def claimed(worker: str) -> object:
        async with bot.storage.writing() as store:
            return await store.collections.claim(worker, clock(), LEASE)

    found = await beside(monkeypatch, (Collections, "claim"), claimed("one"), claimed("other"), database_url)
    assert [one is None for one in found] == [False, True]


async def test_who_asks_to_collect_as_a_reading_fails_is_answered(
    bot: Bot,
    openai: LittleOpenAI,
    team: Team,
    clock: FakeClock,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both change what waits, and the connection: in two orders, until the database gave one of them up."""
    assert team
    lead = await bot.people.meet(WORKSPACE, "한빛소프트", MINSU)
    openai.status = 500
    await worked(bot)
    clock.advance(minutes=20)
    openai.costs_asked.clear()
    openai.gate = asyncio.Event()
    failing = asyncio.create_task(worked(bot))
    await openai.costs_asked.wait()

    async def fails() -> object:
        assert openai.gate is not None
        openai.gate.set()
        return await failing

    asked, told = await beside(
        monkeypatch, (Collections, "heartbeat"), bot.collecting.start_manual(lead), fails(), database_url
    )
    assert isinstance(asked, CollectionStarted)
    assert [type(one) for one in told] == [Failed]
