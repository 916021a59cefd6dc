"""A copy of the product in a process of its own, which kills itself with SIGKILL in mid-work.

    python -m benchmarks.storms.child DATABASE KEYS OPENAI WORKSPACE NAME NOW DIES_AT ORDER

It dies at the `DIES_AT`-th boundary: a statement that writes, a commit, a request before it is sent, or its answer
before it is read. 0: it does not die. ORDER is `work`, `stop <target>` or `restore <stop>`; work follows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.storms.provider import REPLICA
from benchmarks.storms.world import ADMIN, ONCE, POLICY, OneDoor, StormClock, WrittenPrices
from bot import Bot
from bot.errors import Refusal
from finops.levers import Lever
from finops.stop_report import StopTarget
from providers.http import http_client
from storage import KeyRing, open_storage


def die_at(boundary: int) -> Any:
    """Count boundaries; at that one this process is gone. What counts a boundary is returned."""
    passed = 0

    def meet(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(_connection: Any, _cursor: Any, said: str, *_: Any) -> None:
        if not said.startswith(("SELECT", "BEGIN", "PRAGMA")):
            meet()

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", meet)
    return meet


async def work(url: str, ring: str, openai: str, workspace: str, name: str, now: str, dies_at: int, order: str) -> None:
    """Do what was ordered, and then everything that is due."""
    clock = StormClock(datetime.fromisoformat(now))
    async with (
        open_storage(url, KeyRing.from_text(ring)) as storage,
        http_client(timeout=10.0, plaintext_hosts={"127.0.0.1"}) as http,
    ):
        meet = die_at(dies_at)

        async def met(_: Any) -> None:
            meet()

        http.headers[REPLICA] = name
        http.event_hooks = {"request": [met], "response": [met]}
        bot = Bot(storage, {"openai": OneDoor(http, openai, clock, ONCE)}, clock, POLICY, WrittenPrices())
        async with storage.reading() as store:
            admin = await store.people.get(workspace, ADMIN.user_id)
        assert admin is not None, "everybody was met"
        verb, _, what = order.partition(" ")
        with suppress(Refusal):  # somebody else did it a moment before: the storm's checks look at what came of it
            if verb == "stop":
                target = StopTarget.read(what)
                assert target is not None, what
                await bot.stopping.request(admin, target, Lever.STOP, "재시도 루프")
            elif verb == "restore":
                await bot.stopping.restore(admin, int(what))
        await bot.holding.work_due(name)


def main() -> None:
    logging.disable(logging.CRITICAL)
    url, ring, openai, workspace, name, now, dies_at, order = sys.argv[1:9]
    asyncio.run(work(url, ring, openai, workspace, name, now, int(dies_at), order))


if __name__ == "__main__":
    main()
