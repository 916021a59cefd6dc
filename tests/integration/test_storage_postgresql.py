"""PostgreSQL as operators run it: other defaults, few rights, a standby, a pooler between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from jobs.worker import guarded
from storage import KeyRing, Storage, open_storage
from storage.engine import normalised, open_engines
from storage.errors import DatabaseUnusable
from storage.migrate import migrate
from storage.repository import Lock
from tests.databases import MOMENT, WORKSPACE, PostgresServer, a_tenant

PASSWORD = "only-for-tests"


@pytest.fixture
def database_kind() -> str:
    """No word here is about SQLite."""
    return "postgresql"


def preset(address: str, **settings: str) -> None:
    """What everybody finds set who connects to this database from now on."""
    with psycopg.connect(address, autocommit=True) as admin:
        for name, value in settings.items():
            order = sql.SQL("ALTER DATABASE {} SET {} = {}")
            admin.execute(order.format(sql.Identifier(admin.info.dbname), sql.Identifier(name), sql.Literal(value)))


def told(address: str, *orders: str) -> None:
    with psycopg.connect(address, autocommit=True) as admin:
        for order in orders:
            admin.execute(order)


@pytest.fixture
def stranger(postgres_server: PostgresServer) -> Iterator[str]:
    """A role that may log in, and nothing else."""
    address, name = postgres_server.address("postgres"), "finops_test_stranger"
    told(address, f"DROP ROLE IF EXISTS {name}")
    told(address, f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    told(address, f"DROP ROLE {name}")


def as_role(address: str, role: str, **query: str) -> str:
    """The same database, as somebody else."""
    url = make_url(address).set(username=role, password=PASSWORD).update_query_dict(query)
    return url.render_as_string(hide_password=False)


async def refusal(address: str) -> str:
    """What an operator reads who names this address."""
    with pytest.raises(DatabaseUnusable) as refused:
        await migrate(normalised(address))
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


async def test_what_a_server_presets_is_not_relied_on(empty_database_url: str, ring: KeyRing) -> None:
    """Dates are read, whatever the server's way to write them; nobody's write fails for another's at the same time."""
    preset(
        empty_database_url,
        datestyle="SQL, DMY",
        timezone="Asia/Seoul",
        default_transaction_isolation="serializable",
        client_encoding="latin1",
        standard_conforming_strings="off",
        bytea_output="escape",
    )
    async with open_storage(empty_database_url, ring) as storage:
        tenant = await a_tenant(storage)
        async with storage.reading() as store:
            assert (await store.connections.all(WORKSPACE)) == [tenant.connection]
            assert tenant.connection.created_at == MOMENT
            assert [team.name for team in await store.teams.all(WORKSPACE)] == ["마케팅팀"]
        for _ in range(2):  # on a fresh connection, and on one that was a snapshot's meanwhile
            async with storage.writing() as store:
                level = await store.claims._db.execute(text("SHOW transaction_isolation"))
                assert level.scalar() == "read committed"


async def test_a_copy_waits_for_another_migration_whatever_the_roles_patience(empty_database_url: str) -> None:
    """A role that may not wait for a lock in Slack's three seconds may wait for its tables."""
    preset(empty_database_url, lock_timeout="1ms", statement_timeout="200ms")
    with psycopg.connect(empty_database_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (Lock.MIGRATING.value,))
        copy = asyncio.create_task(migrate(normalised(empty_database_url)))
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not (copy.done() or other.execute(f"{waiting} AND clock_timestamp() - query_start > '400ms'").fetchone()):
            await asyncio.sleep(0)
            other.execute("SELECT pg_stat_clear_snapshot()")
        assert not copy.done()
    await copy


async def test_a_role_that_may_not_make_tables_reads_what_it_needs(empty_database_url: str, stranger: str) -> None:
    """From PostgreSQL 15 on, that is every role but the owner."""
    told(empty_database_url, "REVOKE CREATE ON SCHEMA public FROM public")
    said = await refusal(as_role(empty_database_url, stranger))
    assert "permission denied for schema public\nThe role needs CREATE on the schema" in said
    assert "CREATE TABLE" not in said


async def test_one_role_makes_the_tables_and_another_uses_them(
    empty_database_url: str, stranger: str, ring: KeyRing
) -> None:
    """With the grants that docs/operating.md names; without them it is a sentence."""
    await migrate(normalised(empty_database_url))
    assert "permission denied for table alembic_version\nThe role needs" in await refusal(
        as_role(empty_database_url, stranger)
    )
    told(empty_database_url, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {stranger}")
    told(empty_database_url, f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {stranger}")
    try:
        async with open_storage(as_role(empty_database_url, stranger), ring) as storage:
            await a_tenant(storage)
    finally:
        told(empty_database_url, f"DROP OWNED BY {stranger}")


async def test_a_schema_of_its_own_takes_all_the_tables(empty_database_url: str, ring: KeyRing) -> None:
    """Named by search_path; one that is not there is a sentence."""
    preset(empty_database_url, search_path="costs")
    told(empty_database_url, "DROP SCHEMA public")
    assert "make it, with CREATE SCHEMA" in await refusal(empty_database_url)
    told(empty_database_url, "CREATE SCHEMA costs")
    for _ in range(2):
        async with open_storage(empty_database_url, ring) as storage:
            await storage.ping()
    with psycopg.connect(empty_database_url) as admin:
        schemas = admin.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'audit'").fetchall()
    assert schemas == [("costs",)]


async def test_a_database_that_cannot_hold_every_name_is_refused(postgres_server: PostgresServer) -> None:
    """마케팅팀 has no letters in LATIN1; SQL_ASCII would take anything for text."""
    for encoding in ("LATIN1", "SQL_ASCII"):
        name = f"finops_test_{encoding.lower()}"
        address = postgres_server.address("postgres")
        told(address, f"DROP DATABASE IF EXISTS {name}")
        told(address, f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        try:
            assert f"keeps text as {encoding}" in await refusal(postgres_server.address(name))
        finally:
            postgres_server.drop(name)


async def test_a_password_after_the_question_mark_is_told_to_nobody() -> None:
    """libpq takes it there, too."""
    said = await refusal(f"postgresql://127.0.0.1:9/finops?user=finops&password={PASSWORD}")
    assert "127.0.0.1:9/finops" in said


async def test_a_standby_is_refused_and_a_primary_that_became_one_is_away(
    empty_database_url: str, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    """Else the bot would hold on to it after a failover, failing at every write."""

    async def wrote(storage: Storage) -> bool:
        async with storage.writing() as store:
            await store.claims._db.execute(text("UPDATE workspaces SET name = name"))
        return True

    async with open_storage(empty_database_url, ring) as storage:
        assert await guarded(partial(wrote, storage))
        preset(empty_database_url, default_transaction_read_only="on")
        dropped = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
        told(empty_database_url, f"{dropped} AND pid <> pg_backend_pid()")
        assert not await guarded(partial(wrote, storage))
        [line] = [line for line in caplog.records if line.name != "storage.migrate"]
        assert (line.levelname, line.message) == ("WARNING", "the database is away")
        assert "session is read-only" in vars(line)["reason"]
        assert "name the primary" in await refusal(empty_database_url)
        told(
            empty_database_url,
            "SET default_transaction_read_only = off",
            f"ALTER DATABASE {make_url(empty_database_url).database} RESET default_transaction_read_only",
        )
        assert await guarded(partial(wrote, storage))


def last_words(state: str, words: str) -> bytes:
    body = f"SFATAL\0VFATAL\0C{state}\0M{words}\0\0".encode()
    return b"E" + (len(body) + 4).to_bytes(4) + body


@asynccontextmanager
async def pooler(address: str, loses_its_server: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Somebody between who, as every pooler, says a number of its own for the server process.

    When it loses that process, it hands on its last words, adds its own, and hangs up.
    """
    url = make_url(address)
    host, port = str(url.query.get("host") or url.host), url.port or 5432

    async def onward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def asked(reader: asyncio.StreamReader, server: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if loses_its_server and loses_its_server.is_set():
                back.write(last_words("57P01", "terminating connection") + last_words("08P01", "server conn crashed?"))
                break
            server.write(data)
        server.close()
        await server.wait_closed()

    async def renumbered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = b""
        while kind != b"Z":  # ready for the first query
            kind = await reader.readexactly(1)
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length) - 4)
            writer.write(kind + length + (b"\0\0\0\7" + body[4:] if kind == b"K" else body))
        await onward(reader, writer)

    calls: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.add(asyncio.current_task())
        if host.startswith("/"):
            server = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            server = await asyncio.open_connection(host, port)
        await asyncio.gather(asked(reader, server[1], writer), renumbered(server[0], writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        here = URL.create(
            url.drivername,
            username=url.username,
            password=url.password,
            host="127.0.0.1",
            port=listening.sockets[0].getsockname()[1],
            database=url.database,
            query={"sslmode": "disable", "gssencmode": "disable"},
        )
        yield here.render_as_string(hide_password=False)
        await asyncio.gather(*filter(None, calls))


@pytest.mark.parametrize("is_pooled", [False, True])
async def test_nothing_is_prepared_where_a_pooler_is_between(database_url: str, is_pooled: bool) -> None:
    """The next transaction may be another server process's: pgbouncer, by transaction, failed at the sixth query."""

    async def prepared(address: str) -> bool:
        async with open_engines(normalised(address)) as engines, engines.writing.begin() as connection:
            for _ in range(7):
                await connection.execute(text("SELECT count(*) FROM workspaces WHERE id = :id"), {"id": "T1"})
            return bool((await connection.execute(text("SELECT count(*) FROM pg_prepared_statements"))).scalar())

    if is_pooled:
        async with pooler(database_url) as between:
            assert not await prepared(between)
    else:
        assert await prepared(database_url)


async def test_a_server_that_a_pooler_loses_is_away(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Two errors in answer to one COMMIT are nonsense to the driver, and no mistake of ours."""
    lost = asyncio.Event()

    async def write() -> None:
        async with storage.writing() as store:
            await store.workspaces.all()
            lost.set()

    async with pooler(database_url, lost) as between, open_engines(normalised(between)) as engines:
        storage = Storage(engines, KeyRing.generate())
        assert not await guarded(write)
        assert [(line.levelname, line.message) for line in caplog.records] == [("WARNING", "the database is away")]
        lost.clear()
        async with storage.reading() as store:
            assert await store.workspaces.all() == []
