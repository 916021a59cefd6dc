"""A bot that dies by SIGKILL at its n-th step of telling Monday, for every n: run by test_jobs_digester.

A step is the end of the transaction that wants the messages, before and after. Each death has a copy of the database;
who comes next tells what is left. Prints one JSON line for each death; the last one is of the run that lived.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from bot import Bot, Policy
from storage import KeyRing, open_storage
from tests.conftest import FakeClock

MOST_STEPS = 10


async def tell(path: Path, now: datetime) -> int:
    async with open_storage(f"sqlite:///{path}", KeyRing.generate()) as storage:
        return await Bot(storage, {}, FakeClock(now), Policy()).digests.due()


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


def main() -> None:
    source, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    with sqlite3.connect(source) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(MOST_STEPS):
        path = source.with_name(f"death-{number}.db")
        shutil.copy(source, path)
        child = os.fork()
        if child == 0:
            die_at(number)
            asyncio.run(tell(path, now))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        late = asyncio.run(tell(path, now))
        sys.stdout.write(
            json.dumps({"number": number, "was_killed": was_killed, "told_late": late, **told(path)}) + "\n"
        )
        if not was_killed:
            return


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


if __name__ == "__main__":
    main()
