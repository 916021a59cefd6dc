"""A bot that dies by SIGKILL at its n-th step of telling Monday, for every n: told by test_jobs_digester.

A step is the end of the transaction that wants the messages, before and after. Each death has a copy of the database;
who comes next tells what is left. Says a line for each death; the last one is of the run that lived.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from bot import Bot, Policy
from storage import KeyRing, Storage
from storage.engine import normalised, open_engines
from tests.conftest import FakeClock
from tests.integration.mortals import forked, say

MOST_STEPS = 10


async def tell(path: Path, now: datetime) -> int:
    async with open_engines(normalised(f"sqlite:///{path}")) as engines:
        return await Bot(Storage(engines, KeyRing.generate()), {}, FakeClock(now), Policy()).digests.due()


def die_at(number: int) -> None:
    """Count steps from now on, and die at this one."""
    seen, is_telling = 0, False

    def step() -> None:
        nonlocal seen
        seen += 1
        if seen > number:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        nonlocal is_telling
        is_telling = is_telling or statement.startswith("INSERT INTO outbox")

    def committing(*_: Any) -> None:
        if is_telling:
            step()

    def given_back(*_: Any) -> None:
        nonlocal is_telling
        if is_telling:
            step()
        is_telling = False

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", committing)
    event.listen(Pool, "checkin", given_back)


def main(database: str, moment: str) -> None:
    source, now = Path(database), datetime.fromisoformat(moment)
    with sqlite3.connect(source) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(MOST_STEPS):
        path = source.with_name(f"death-{number}.db")
        shutil.copy(source, path)
        was_killed = forked(lambda number=number, path=path: tell_until(number, path, now))
        late = asyncio.run(tell(path, now))
        say(number=number, was_killed=was_killed, told_late=late, **told(path))
        if not was_killed:
            return


def tell_until(number: int, path: Path, now: datetime) -> None:
    die_at(number)
    asyncio.run(tell(path, now))


def told(path: Path) -> dict[str, Any]:
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT key, kind, version FROM outbox ORDER BY key").fetchall()
        weeks = db.execute("SELECT week FROM digests ORDER BY id").fetchall()
    return {
        "roots": [key for key, kind, _ in rows if kind == "digest"],
        "lines": [key for key, kind, _ in rows if kind == "digest_line"],
        "versions": [version for _, _, version in rows],
        "weeks": [week for (week,) in weeks],
    }
