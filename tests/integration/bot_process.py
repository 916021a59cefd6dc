"""A second copy of the bot in a process of its own, to be killed in mid-work: told by test_bot_sigkill."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime

from bot import Policy
from storage import KeyRing, open_storage
from tests.conftest import FakeClock
from tests.integration.bot_world import LittleOpenAI, a_bot, worked


async def work(database_url: str, ring: str, openai_url: str, now: str) -> None:
    """Work until the queue is empty."""
    openai = LittleOpenAI()
    openai.url = openai_url
    clock = FakeClock(datetime.fromisoformat(now))
    async with (
        open_storage(database_url, KeyRing.from_text(ring)) as storage,
        a_bot(storage, openai, clock, Policy(backfill_days=30)) as bot,
    ):
        await worked(bot, f"process-{os.getpid()}")


def main(database_url: str, ring: str, openai_url: str, now: str) -> None:
    asyncio.run(work(database_url, ring, openai_url, now))
