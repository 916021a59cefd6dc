"""Killed without warning in mid back-fill, the next process finishes: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

from bot import Policy
from bot.results import Finished
from finops.periods import Period
from storage import KeyRing, Storage
from storage.records import CollectionState
from tests.conftest import FakeClock
from tests.integration.bot_world import (
    KEY,
    WORKSPACE,
    Key,
    LittleOpenAI,
    a_bot,
    a_company,
    a_team,
    an_admin,
    worked,
)
from tests.integration.mortals import Mortals

TODAY = date(2026, 7, 6)
PAGES_BEFORE_DEATH = 2


async def test_a_backfill_killed_half_way_is_finished_by_the_next_process(
    database_url: str, storage: Storage, ring: KeyRing, clock: FakeClock, mortals: Mortals
):
    """SIGKILL while a page is on its way; after the lease another process goes on where the stored days end."""
    company = a_company(TODAY, 30)
    async with LittleOpenAI().running() as openai:
        openai.keys[KEY] = Key(company)
        async with a_bot(storage, openai, clock, Policy(backfill_days=30)) as bot:
            admin = await an_admin(bot)
            team = await a_team(bot, admin)
            await bot.connections.register_key(admin, team.id, KEY)
            await bot.projects.register(admin, team.id, ["proj_chat"])

            openai.asked.clear()
            openai.gate, openai.gate_after = asyncio.Event(), PAGES_BEFORE_DEATH
            copy = database_url, ring.to_text(), openai.url, clock().isoformat()
            async with mortals.begun("bot_process", *copy) as process, asyncio.timeout(30):
                while len(openai.asked) <= PAGES_BEFORE_DEATH:
                    openai.costs_asked.clear()
                    await openai.costs_asked.wait()
                await process.killed()
            openai.gate.set()
            openai.gate = None

            async with storage.reading() as store:
                [row] = await store.collections.active(WORKSPACE)
            assert row.state is CollectionState.RUNNING
            assert row.days_done == 7 * PAGES_BEFORE_DEATH

            assert await worked(bot) == []  # the dead worker's lease still runs
            clock.advance(seconds=bot.policy.lease_seconds + 1)
            told = await worked(bot)
            assert isinstance(told[-1], Finished)
            assert told[-1].collection.days_done == 30
            assert told[-1].collection.total is not None
            assert told[-1].collection.total.amount == company.total(TODAY - timedelta(days=30), TODAY)
            async with storage.reading() as store:
                days = await store.charges.daily_totals(WORKSPACE, Period(TODAY - timedelta(days=60), TODAY))
            assert {one.day: one.amount.amount for one in days} == {day: company.by_day(day) for day in company.bill}
