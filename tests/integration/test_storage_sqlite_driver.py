"""SQLite is visited once for each statement, and no statement ever runs outside of its transaction."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage import sqlite_driver
from storage.engine import Engines, normalised, open_engines


@pytest.fixture
async def engines(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Engines]:
    shutil.copy(sqlite_template, tmp_path / "driver.db")
    async with open_engines(normalised(f"sqlite:///{tmp_path / 'driver.db'}")) as opened:
        yield opened


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every visit to a connection's thread."""
    made: list[Any] = []
    execute: Any = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, work: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return await execute(self, work, *args, **kwargs)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return made


async def put(engines: Engines, *ids: str) -> None:
    async with engines.writing.begin() as connection:
        for one in ids:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS seen (id TEXT)"))
            await connection.execute(text("INSERT INTO seen VALUES (:id)"), {"id": one})


async def seen(engines: Engines) -> list[str]:
    async with engines.reading.connect() as connection, connection.begin():
        return list((await connection.execute(text("SELECT id FROM seen ORDER BY id"))).scalars())


async def test_a_transaction_costs_a_visit_for_each_statement_and_one_to_commit(
    engines: Engines, visits: list[Any]
) -> None:
    """Beginning goes with the first statement, reading and closing with their own; nothing is taken back in vain."""
    await put(engines, "a")
    visits.clear()
    await put(engines, "b")
    assert len(visits) == 3
    await seen(engines)
    visits.clear()
    assert await seen(engines) == ["a", "b"]
    assert len(visits) == 2
    visits.clear()
    async with engines.writing.begin():
        pass
    assert visits == []


async def test_a_statement_that_could_not_begin_does_not_run_when_tried_again(engines: Engines, tmp_path: Path) -> None:
    """Another program holds the file: neither the first try nor the second writes anything without a transaction."""
    await put(engines, "a")
    other = sqlite3.connect(tmp_path / "driver.db", isolation_level=None)
    insert = text("INSERT INTO seen VALUES ('never')")
    try:
        async with engines.writing.connect() as connection:
            await connection.execute(text("PRAGMA busy_timeout=1"))
            await connection.rollback()
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                with pytest.raises(OperationalError, match="locked"):
                    await connection.execute(insert)
            other.execute("ROLLBACK")
            await connection.execute(insert)
            await connection.rollback()
    finally:
        other.close()
    assert await seen(engines) == ["a"]


async def test_a_file_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    """Whoever is told may end the program on it: a thread that still answered would do so with a traceback."""
    opening = sqlite_driver.connect(str(tmp_path))
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await opening
    assert not opening._thread.is_alive()


async def test_a_file_opened_for_a_task_that_was_cancelled_is_closed(tmp_path: Path) -> None:
    """Nobody is told of it any more; Python 3.13 warns of each that is left to the garbage collector."""
    closed = []

    class File(sqlite3.Connection):
        def close(self) -> None:
            closed.append(self)
            super().close()

    opening = sqlite_driver.connect(str(tmp_path / "finops.db"), factory=File)
    task = asyncio.ensure_future(opening)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(opening._thread.join)
    assert len(closed) == 1
