"""From a provider's answer to committed rows, against the shortest way of the same rows in the same run.

    python -m benchmarks.collection [--days 60] [--projects 1112] [--items 5] [--rounds 3] [--postgres]

Two processes, so that peak memory is the pipeline's own. In the first the floor (sorted rows, ready made, by raw
`executemany` or COPY-then-upsert) and the storing step take turns day by day, so that a busy moment strikes both. What
the floor is given ready made, we make of a parsed day first: exact integers, sorted. That is told apart (`prepare`), so
that storing is compared by the same input (rows → rows, roll-ups, reading, commit), and with it (`both`), so that
nothing is left out. The second process is the whole pipeline (bytes → our provider → storage), during
which the lag of the event loop is sampled, and beside it the lag of a loop that has nothing to do, in a process of its
own: what the machine alone makes everybody wait.
Targets: storing >= 0.8x of the floor on SQLite and >= 0.7x on PostgreSQL, pipeline >= 0.45x, peak <= 150 MiB, lag p99
<= 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from subprocess import PIPE
from typing import Any
from unittest.mock import patch

from benchmarks.floors_storage import KEY, Bill, Floor, PostgresFloor, SqliteFloor, Stopwatch, a_bill, a_postgres
from bot.collector import settle_memory
from finops.charges import ChargedDay
from finops.periods import Period
from storage import KeyRing, Storage, open_storage
from storage.day_lines import Lines, prepare

WORKSPACE = "T0BENCH001"
STEPS = ("floor", "prepare", "store", "both", "pipeline")


async def store(bill: Bill, url: str, target: Floor) -> dict[str, Any]:
    """Parsed days through `replace_day`, one transaction each, in turns with their ready-made rows into the floor."""
    floor, preparing, ours = Stopwatch(), Stopwatch(), Stopwatch()

    def prepared(charged: ChargedDay) -> Lines:
        with preparing.running():
            return prepare(charged)

    async with opened(url) as (storage, connection_id), bill.provider() as provider:
        settle_memory()  # as the collector does
        async for charged in provider.charges(KEY, Period(bill.first_day, bill.end)):
            whose = (WORKSPACE, 1, charged.day.isoformat())
            rows = [whose + line for line in prepare(charged).each()]
            with floor.running():
                target.write(rows)
            del rows
            with ours.running(), patch("storage.charges.prepare", prepared):
                async with storage.writing() as writing:
                    await writing.charges.replace_day(WORKSPACE, connection_id, charged, datetime.now(UTC))
        with floor.running():
            target.commit()
    storing = Stopwatch(ours.seconds - preparing.seconds, ours.cpu_seconds - preparing.cpu_seconds)
    told = {"floor": floor, "prepare": preparing, "store": storing, "both": ours}
    return {name: {"seconds": watch.seconds, "cpu": watch.cpu_seconds} for name, watch in told.items()}


async def pipeline(bill: Bill, url: str) -> dict[str, Any]:
    """Bytes to committed rows, and how long anybody else had to wait for the event loop meanwhile."""
    watch, lags, done = Stopwatch(), list[float](), asyncio.Event()
    async with opened(url) as (storage, connection_id), bill.provider() as provider:
        settle_memory()  # as the collector does
        idle = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.collection", "--idle", stdin=PIPE, stdout=PIPE
        )
        assert idle.stdout is not None
        await idle.stdout.readline()
        sampler = asyncio.create_task(sample(lags, done))
        with watch.running():
            async for charged in provider.charges(KEY, Period(bill.first_day, bill.end)):
                async with storage.writing() as writing:
                    await writing.charges.replace_day(WORKSPACE, connection_id, charged, datetime.now(UTC))
        done.set()
        await sampler
        idle_p99, _ = await idle.communicate(b"enough\n")
    lags.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {
        "seconds": watch.seconds,
        "cpu": watch.cpu_seconds,
        "lag_p99": lags[int(len(lags) * 0.99)],
        "lag_max": lags[-1],
        "lag_idle": float(idle_p99),
        "peak": peak,
    }
    return {"pipeline": told}


async def sample(lags: list[float], done: asyncio.Event) -> None:
    """Keep how many milliseconds late a short sleep ends, again and again until all is done."""
    while not done.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append((time.perf_counter() - before - 0.005) * 1000)


async def idle() -> None:
    """The p99 of a loop with nothing to do, from now until a line arrives."""
    print("sampling", flush=True)
    lags, done = list[float](), asyncio.Event()
    sampler = asyncio.create_task(sample(lags, done))
    await asyncio.to_thread(sys.stdin.readline)
    done.set()
    await sampler
    print(sorted(lags)[int(len(lags) * 0.99)])


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Storage, int]]:
    """An open database with a connection on which nothing has been collected."""
    async with open_storage(url, KeyRing.generate()) as storage:
        now = datetime.now(UTC)
        async with storage.writing() as writing:
            await writing.workspaces.ensure(
                WORKSPACE, name="Bench", locale="ko", timezone="Asia/Seoul", installed_by=None, at=now
            )
            connection = await writing.connections.create(
                WORKSPACE, provider="openai", organization_id=None, organization_name=None, at=now
            )
        yield storage, connection.id


async def run_step(step: str, bill: Bill, url: str) -> dict[str, Any]:
    if step == "pipeline":
        return await pipeline(bill, url)
    is_sqlite = url.startswith("sqlite")
    path = Path(url.removeprefix("sqlite:///")).with_name("floor.db")
    return await store(bill, url, SqliteFloor(path) if is_sqlite else PostgresFloor(url))


def measured(step: str, bill: Bill, url: str) -> dict[str, Any]:
    """Run one step in a process of its own."""
    arguments = [step, str(bill.folder), bill.first_day.isoformat(), str(bill.days), str(bill.rows_per_day), url]
    output = subprocess.check_output([sys.executable, "-m", "benchmarks.collection", "--step", *arguments], text=True)
    found: dict[str, Any] = json.loads(output)
    return found


def compare(bill: Bill, rounds: int, postgres: str | None) -> dict[str, list[dict[str, Any]]]:
    """Every step, `rounds` times over, interleaved: what slows one slows its neighbours."""
    found: dict[str, list[dict[str, Any]]] = {step: [] for step in STEPS}
    for _ in range(rounds):
        for step in ("store", "pipeline"):
            with tempfile.TemporaryDirectory(prefix="finops-bench-") as folder:
                if postgres:
                    empty(postgres)
                for name, told in measured(step, bill, postgres or f"sqlite:///{folder}/finops.db").items():
                    found[name].append(told)
    return found


def empty(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def report(name: str, bill: Bill, found: dict[str, list[dict[str, Any]]], targets: tuple[float, float]) -> None:
    def median(step: str, measure: str) -> float:
        return float(statistics.median(each[measure] for each in found[step]))

    print(f"\n{name}: {bill.rows:,} rows, {bill.size_mib:.0f} MiB of JSON, median of {len(found['floor'])}")
    for step in STEPS:
        seconds, cpu = median(step, "seconds"), median(step, "cpu")
        print(f"  {step:9} {seconds:7.2f} s  {bill.rows / seconds:9,.0f} rows/s  {cpu:6.2f} s of CPU here")
    for step, target in [("store", targets[0]), ("both", None), ("pipeline", targets[1])]:
        ratio, cpu = (
            statistics.median(
                bare[each] / mine[each] for bare, mine in zip(found["floor"], found[step], strict=True)
            )
            for each in ("seconds", "cpu")
        )  # fmt: skip
        verdict = "" if target is None else f" (target >= {target}x)" + ("" if ratio >= target else "  MISSED")
        # On PostgreSQL half of the floor's work is the server's, whose processor time is not ours to see.
        paired = f", {cpu:.2f}x by CPU" if name == "SQLite" else ""
        print(f"  {step:9} {ratio:.2f}x of the floor by the clock{paired}{verdict}")
    lag, peak = median("pipeline", "lag_p99"), median("pipeline", "peak")
    print(f"  pipeline  loop lag p99 {lag:.0f} ms, max {median('pipeline', 'lag_max'):.0f} ms (target p99 <= 50); "
          f"of an idle loop beside it p99 {median('pipeline', 'lag_idle'):.0f} ms")  # fmt: skip
    print(f"  pipeline  peak memory {peak:.0f} MiB (target <= 150)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--projects", type=int, default=1_112)
    parser.add_argument("--items", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="measure PostgreSQL as well")
    parser.add_argument("--step", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--idle", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.idle:
        asyncio.run(idle())
        return
    if chosen.step:
        step, folder, first_day, days, rows, url = chosen.step
        bill = Bill(Path(folder), date.fromisoformat(first_day), int(days), int(rows))
        print(json.dumps(asyncio.run(run_step(step, bill, url))))
        return
    with ExitStack() as stack:
        bill = stack.enter_context(a_bill(chosen.days, chosen.projects, chosen.items))
        report("SQLite", bill, compare(bill, chosen.rounds, None), (0.8, 0.45))
        if chosen.postgres:
            postgres = stack.enter_context(a_postgres())
            if postgres is None:
                print("\nPostgreSQL: none here; set TEST_POSTGRES_URL")
                return
            report("PostgreSQL", bill, compare(bill, chosen.rounds, postgres), (0.7, 0.45))


if __name__ == "__main__":
    main()
