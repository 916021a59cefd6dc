"""Recorded events: from a request over HTTP to committed rows, against the same rows by raw `executemany`.

    python -m benchmarks.events [--events 20000] [--clients 8] [--rounds 3] [--postgres]

The product is a process of its own, on a database of its own; the clients are here. Each request of 1, 100 or 1,000
events is acknowledged only once it is committed, and every event is new: a call with its tokens, priced, its user and
its outcome. The floor writes the rows that remain of the same events (a call and its id each) with plain sqlite3, in
transactions of the same size, in turns with ours; it neither parses, prices, merges nor adds up.
Target: 2,000 events a second in requests of 100, on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks.floors_storage import a_postgres
from benchmarks.stage import KEYS, WORKSPACE, PretendSlack, Server, a_workspace, percentile, person, server
from finops.events import token_hash
from finops.periods import Period
from storage import KeyRing, open_storage

TOKEN = "fin_" + "b" * 43
SIZES = (1, 100, 1_000)
PROJECTS = 20
_FLOOR = (
    "CREATE TABLE calls (workspace_id TEXT, project_id INTEGER, request_id TEXT, charge_day TEXT, at TEXT, task TEXT, "
    "model TEXT, user_key TEXT, outcome TEXT, input_tokens INTEGER, output_tokens INTEGER, latency_ms INTEGER, "
    "cost_nano INTEGER, cost_rest INTEGER, PRIMARY KEY (workspace_id, project_id, request_id)) WITHOUT ROWID",
    "CREATE TABLE ids (workspace_id TEXT, project_id INTEGER, event_id TEXT, seen_on TEXT, "
    "PRIMARY KEY (workspace_id, project_id, event_id)) WITHOUT ROWID",
)


def some_events(count: int) -> list[dict[str, Any]]:
    """New events, as an application tells them."""
    at = datetime.now(UTC).isoformat()
    return [
        {
            "id": str(uuid4()), "time": at, "task": ("summary", "search", "reply")[n % 3], "experiment": "ab"[n % 2],
            "model": ("gpt-4o-2024-08-06", "gpt-4o-mini")[n % 2], "user": f"user-{n % 500}", "segment": "sales",
            "input_tokens": 900 + n % 100, "cached_input_tokens": 200, "output_tokens": 100 + n % 50,
            "latency_ms": 800 + n % 999, "outcome": "success" if n % 5 else "failure", "score": 0.5,
        }
        for n in range(count)
    ]  # fmt: skip


class Floor:
    """Plain sqlite3, as durable as we are (WAL, NORMAL)."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self._db.execute(f"PRAGMA {pragma}")
        for table in _FLOOR:
            self._db.execute(table)

    def write(self, events: list[dict[str, Any]], size: int) -> float:
        """The seconds it took, in transactions of `size` rows of each kind."""
        calls = [
            (WORKSPACE, 1, each["id"], each["time"][:10], each["time"], each["task"], each["model"], each["user"],
             each["outcome"], each["input_tokens"], each["output_tokens"], each["latency_ms"], 1, 1)
            for each in events
        ]  # fmt: skip
        ids = [(WORKSPACE, 1, each["id"], each["time"][:10]) for each in events]
        begun = time.perf_counter()
        for at in range(0, len(events), size):
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(f"INSERT INTO calls VALUES ({', '.join('?' * 14)})", calls[at : at + size])
            self._db.executemany("INSERT INTO ids VALUES (?, ?, ?, ?)", ids[at : at + size])
            self._db.execute("COMMIT")
        return time.perf_counter() - begun


async def ours(url: str, events: list[dict[str, Any]], size: int, clients: int) -> tuple[float, list[float]]:
    """The seconds until all are acknowledged, and of each request the milliseconds."""
    bodies = [json.dumps(events[at : at + size]).encode() for at in range(0, len(events), size)]
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    took: list[float] = []

    async def send(session: aiohttp.ClientSession) -> None:
        while bodies:
            body, begun = bodies.pop(), time.perf_counter()
            async with session.post(f"{url}/v1/events", data=body, headers=headers) as answer:
                told = await answer.json()
                assert answer.status == 200, told
                assert told["repeated"] == 0, told
            took.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=clients)) as session:
        await asyncio.gather(*(send(session) for _ in range(clients)))
    return time.perf_counter() - begun, took


async def measure(database_url: str, folder: Path, arguments: argparse.Namespace) -> None:
    await a_workspace(database_url, PROJECTS, 1)
    async with open_storage(database_url, KeyRing.from_text(KEYS)) as storage, storage.writing() as store:
        [project, *_] = await store.projects.all(WORKSPACE)
        await store.event_tokens.add(
            WORKSPACE, project_id=project.id, name="bench", token_hash=token_hash(TOKEN), ends_with="bbbb",
            by=person(0), at=datetime.now(UTC),
        )  # fmt: skip
    floor, slack, sent = Floor(folder / "floor.sqlite3"), PretendSlack(), 0
    async with slack.running() as slack_url, server("ours", slack_url, database_url) as running:
        await ours(running.url, some_events(1_000), 100, arguments.clients)  # prices are opened, statements are made
        sent += 1_000
        for size in SIZES:
            count = max(size * arguments.clients, arguments.events // (10 if size == 1 else 1))
            sent += await in_turns(running, floor, size, count, arguments)
    async with open_storage(database_url, KeyRing.from_text(KEYS)) as storage, storage.reading() as store:
        today = datetime.now(UTC).date()
        sums = await store.value.sums(WORKSPACE, Period(today - timedelta(days=1), today + timedelta(days=1)))
    print(f"acknowledged {sent:,}, in the sums {sums[project.id].calls:,}, priced {sums[project.id].priced:,}")
    assert sums[project.id].calls == sent


async def in_turns(running: Server, floor: Floor, size: int, count: int, arguments: argparse.Namespace) -> int:
    """Rounds of both sides, one after the other; prints what came out, tells how many events were sent."""
    rates, ratios, took, cpu = [], [], list[float](), running.cpu_seconds
    for _ in range(arguments.rounds):
        events = some_events(count)
        floor_seconds = floor.write(events, size)
        seconds, each = await ours(running.url, events, size, arguments.clients)
        rates.append(count / seconds)
        ratios.append(floor_seconds / seconds)
        took += each
    cpu = (running.cpu_seconds - cpu) / (count * arguments.rounds) * 1e6
    print(
        f"requests of {size:>5}: {statistics.median(rates):>8,.0f} events/s ({min(rates):,.0f} - {max(rates):,.0f}), "
        f"{statistics.median(ratios):.3f}x of the floor, {cpu:,.0f} us of CPU an event, "
        f"p50 {percentile(took, 0.5):,.0f} ms, p99 {percentile(took, 0.99):,.0f} ms"
    )
    return count * len(rates)


@contextmanager
def a_database(folder: Path, *, postgres: bool) -> Iterator[str]:
    """Where the product keeps what it records."""
    with a_postgres() if postgres else nullcontext(f"sqlite:///{folder / 'ours.sqlite3'}") as url:
        if url is None:
            raise SystemExit("there is no PostgreSQL here")
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, a_database(Path(name), postgres=arguments.postgres) as url:
        asyncio.run(measure(url, Path(name), arguments))


if __name__ == "__main__":
    main()
