"""Two who press at the same moment, without chance: one is held at a place while the other does all it can."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import psycopg
import pytest

_WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"""
LONGEST = 30.0


async def beside(
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[type, str],
    first: Coroutine[Any, Any, Any],
    second: Coroutine[Any, Any, Any],
    database_url: str | None = None,
    *,
    time: int = 1,
) -> tuple[Any, Any]:
    """What came of both, an exception included. `first` is held as soon as it has done what `place` names (a method of
    a class) for the `time`-th time, until `second` has come to its end; or, with an address of PostgreSQL, until it
    waits there for `first`.
    """
    times = 0
    owner, name = place
    whole, reached, goes_on = getattr(owner, name), asyncio.Event(), asyncio.Event()

    async def held(*given: Any, **named: Any) -> Any:
        nonlocal times
        done = await whole(*given, **named)
        times += asyncio.current_task() is one
        if asyncio.current_task() is one and times == time:
            reached.set()
            await goes_on.wait()
        return done

    monkeypatch.setattr(owner, name, held)
    async with asyncio.timeout(LONGEST):
        one = asyncio.create_task(first)
        arrived = asyncio.create_task(reached.wait())
        await asyncio.wait({one, arrived}, return_when=asyncio.FIRST_COMPLETED)
        if not reached.is_set():
            second.close()
            raise AssertionError(f"the first one never came to {name}: {one}")
        other = asyncio.create_task(second)
        await _done_or_waiting(other, database_url)
        goes_on.set()
        found = await asyncio.gather(one, other, return_exceptions=True)
    monkeypatch.setattr(owner, name, whole)
    return found[0], found[1]


async def _done_or_waiting(task: asyncio.Task[Any], database_url: str | None) -> None:
    if database_url is None or not database_url.startswith("postgres"):
        await asyncio.wait({task})
        return
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as watching:
        while not task.done():
            asked = await watching.execute(_WAITING)
            row = await asked.fetchone()
            if row is not None and row[0]:
                return
