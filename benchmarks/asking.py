"""How long questions take, at the size of years: Home, status, the digest, one project's trend.

    python -m benchmarks.asking [--days 120] [--projects 2000] [--items 5] [--rounds 20] [--postgres] [--database URL]

`--days 1095` makes the design's 10,950,000 lines (some minutes of filling); `--database` keeps them at that address and
asks what is there already the next time. Every question is asked through the repositories, a transaction each, so the
figures hold what a handler would wait for; beside it stands the part of it that was spent inside the database's driver
(for PostgreSQL: waiting for the server). Targets at that size, for that part, on both databases: digest p50 <= 100 ms,
Home and status p95 <= 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import aiosqlite
import psycopg

from benchmarks.collection import WORKSPACE, empty, opened
from benchmarks.floors_storage import ITEMS, a_postgres
from finops.charges import Charge, ChargedDay
from finops.periods import Period
from storage import KeyRing, Storage, Store, open_storage

Question = Callable[[Store], Awaitable[object]]


def a_day(day: date, projects: int, items: int, chance: random.Random) -> ChargedDay:
    return ChargedDay(
        day,
        tuple(
            Charge(day, f"proj_{project:020}", ITEMS[item % len(ITEMS)] + (f" {item}" if item >= len(ITEMS) else ""),
                   Decimal(chance.randrange(10**12)).scaleb(-11))
            for project in range(projects)
            for item in range(items)
        ),
    )  # fmt: skip


async def fill(storage: Storage, connection_id: int, today: date, chosen: argparse.Namespace) -> None:
    chance = random.Random(1)
    started = time.perf_counter()
    for offset in range(chosen.days, 0, -1):
        day = a_day(today - timedelta(days=offset), chosen.projects, chosen.items, chance)
        async with storage.writing() as store:
            await store.charges.replace_day(WORKSPACE, connection_id, day, datetime.now(UTC))
        if offset % 50 == 0:
            print(f"  filling: {offset} days to go, {time.perf_counter() - started:.0f} s", file=sys.stderr)


def questions(connection_id: int, today: date, projects: int) -> dict[str, tuple[Question, float]]:
    """What is asked, and the milliseconds it may take (p95; the digest p50)."""

    def back(days: int, until: int = 0) -> Period:
        return Period(today - timedelta(days=days), today - timedelta(days=until))

    async def home(store: Store) -> None:
        await store.charges.daily_totals(WORKSPACE, back(62))
        await store.charges.readings(WORKSPACE, back(62))
        await store.charges.project_totals(WORKSPACE, back(7))

    async def digest(store: Store) -> None:
        await store.charges.project_totals(WORKSPACE, back(7))
        await store.charges.project_totals(WORKSPACE, back(14, 7))

    async def status_month(store: Store) -> None:
        await store.charges.project_totals(WORKSPACE, back(30))
        await store.charges.daily_totals(WORKSPACE, back(60))
        await store.charges.readings(WORKSPACE, back(60))

    team = [(connection_id, f"proj_{number:020}") for number in range(0, projects, max(1, projects // 50))]

    async def status_team(store: Store) -> None:
        await store.charges.project_totals(WORKSPACE, back(30), team)
        await store.charges.daily_totals(WORKSPACE, back(60), team)
        await store.charges.readings(WORKSPACE, back(60))

    async def trend(store: Store) -> None:
        await store.charges.daily_totals(WORKSPACE, back(90), [(connection_id, f"proj_{projects // 2:020}")])

    async def lines(store: Store) -> None:
        await store.charges.lines(WORKSPACE, back(30), connection_id, f"proj_{projects // 2:020}")

    return {
        "digest: this week and last, per project": (digest, 100),
        "Home: 62 days, top of 7": (home, 50),
        "status of the workspace, 30 days": (status_month, 50),
        f"status of a team of {len(team)}, 30 days": (status_team, 50),
        "trend of one project, 90 days": (trend, 50),
        "lines of one project, 30 days": (lines, 50),
    }


async def ask(storage: Storage, question: Question, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each round, in all and inside the driver, in order of size."""
    taken, in_driver = [], []
    with driver_time() as spent:
        for _ in range(rounds):
            started, before = time.perf_counter(), spent[0]
            async with storage.reading() as store:
                await question(store)
            taken.append((time.perf_counter() - started) * 1000)
            in_driver.append((spent[0] - before) * 1000)
    return sorted(taken), sorted(in_driver)


@contextmanager
def driver_time() -> Iterator[list[float]]:
    """One number that grows by the seconds spent in SQLite's thread, or waiting for PostgreSQL."""
    spent = [0.0]
    execute: Any = aiosqlite.Connection._execute
    wait: Any = psycopg.AsyncConnection.wait

    async def timed_execute(self: aiosqlite.Connection, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def timed() -> Any:
            started = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                spent[0] += time.perf_counter() - started

        return await execute(self, timed)

    async def timed_wait(self: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return await wait(self, *args, **kwargs)
        finally:
            spent[0] += time.perf_counter() - started

    with (
        patch.object(aiosqlite.Connection, "_execute", timed_execute),
        patch.object(psycopg.AsyncConnection, "wait", timed_wait),
    ):
        yield spent


def settle(url: str) -> None:
    """What PostgreSQL does by itself within a minute of a large change: look at its tables."""
    if url.startswith("postgres"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


@asynccontextmanager
async def filled(url: str, today: date, chosen: argparse.Namespace) -> AsyncIterator[tuple[Storage, int]]:
    """The database of that size: as it was kept, or filled now."""
    async with open_storage(url, KeyRing.generate()) as storage:
        async with storage.reading() as store:
            kept = await store.connections.all(WORKSPACE)
        if kept:
            yield storage, kept[0].id
            return
    async with opened(url) as (storage, connection_id):
        await fill(storage, connection_id, today, chosen)
        settle(url)
        yield storage, connection_id


async def measure(name: str, url: str, chosen: argparse.Namespace) -> None:
    today = datetime.now(UTC).date()
    async with filled(url, today, chosen) as (storage, connection_id):
        print(f"\n{name}: {chosen.days * chosen.projects * chosen.items:,} lines, {chosen.rounds} rounds")
        for title, (question, target) in questions(connection_id, today, chosen.projects).items():
            await ask(storage, question, 2)
            taken, in_driver = await ask(storage, question, chosen.rounds)
            (p50, p95), (driver50, driver95) = (
                (statistics.median(each), each[int(len(each) * 0.95)]) for each in (taken, in_driver)
            )
            reached = driver50 if title.startswith("digest") else driver95
            verdict = "" if reached <= target else "  MISSED"
            print(
                f"  {title:42} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms, "
                f"database p50 {driver50:5.1f} p95 {driver95:5.1f} ms (target {target} ms){verdict}"
            )
        chance, started = random.Random(), time.perf_counter()
        for offset in range(8, 0, -1):
            day = a_day(today - timedelta(days=offset), chosen.projects, chosen.items, chance)
            async with storage.writing() as store:
                await store.charges.replace_day(WORKSPACE, connection_id, day, datetime.now(UTC))
        print(f"  {'re-reading 8 days, every line restated':42} {(time.perf_counter() - started) * 1000:6.0f} ms")


def on_each_database(
    measured: Callable[[str, str, argparse.Namespace], Coroutine[Any, Any, None]], chosen: argparse.Namespace
) -> None:
    """Measure on a new SQLite file and, where asked for, on PostgreSQL; or on the one database that was named."""
    if chosen.database:
        kind = "SQLite" if chosen.database.startswith("sqlite") else "PostgreSQL"
        asyncio.run(measured(kind, chosen.database, chosen))
        return
    with tempfile.TemporaryDirectory(prefix="finops-bench-") as folder:
        asyncio.run(measured("SQLite", f"sqlite:///{folder}/finops.db", chosen))
    if chosen.postgres:
        with a_postgres() as postgres:
            if postgres is None:
                print("\nPostgreSQL: none here; set TEST_POSTGRES_URL")
                return
            empty(postgres)
            asyncio.run(measured("PostgreSQL", postgres, chosen))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--projects", type=int, default=2_000)
    parser.add_argument("--items", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--postgres", action="store_true", help="measure PostgreSQL as well")
    parser.add_argument("--database", help="fill this one and keep it, or ask it when it is filled")
    on_each_database(measure, parser.parse_args())


if __name__ == "__main__":
    main()
