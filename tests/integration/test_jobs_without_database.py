"""A database that is away is trouble of the house's, not a mistake of the job that met it."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.worker import guarded
from storage import Storage, Store
from storage.engine import Engines, is_away, normalised, open_engines
from tests.databases import on_both_databases


async def asked(engines: Engines, statement: str, **values: str) -> bool:
    async with engines.reading.connect() as connection:
        await connection.execute(text(statement), values)
    return True


@pytest.fixture
async def engines(database_url: str) -> AsyncIterator[Engines]:
    async with open_engines(normalised(database_url)) as opened:
        yield opened


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_server_that_goes_away_is_one_line_and_another_when_it_is_back(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    """Every job meets it at every try: a line each, or a traceback, would bury the log of an hour without it."""

    async def asked(statement: str, doors: Callable[[], AbstractAsyncContextManager[Store]]) -> bool:
        async with doors() as store:
            await store.claims._db.execute(text(statement))
        return True

    for doors in (storage.reading, storage.writing, storage.reading):
        assert not await guarded(partial(asked, "SELECT pg_terminate_backend(pg_backend_pid())", doors))
    assert [(line.levelname, line.message) for line in caplog.records] == [("WARNING", "the database is away")]
    assert not await guarded(partial(asked, "SELECT nothing_of_that_name", storage.reading)), "this is another trouble"
    caplog.clear()
    for _ in range(2):
        assert await guarded(partial(asked, "SELECT 1", storage.reading)), "the next try has a connection again"
    assert [(line.levelname, line.message) for line in caplog.records] == [("WARNING", "the database is back")]


async def test_a_server_that_is_not_there_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with open_engines(normalised(f"postgresql://nobody@127.0.0.1:{port}/nothing")) as nowhere:
        with pytest.raises(DBAPIError) as met:
            await nowhere.reading.connect()
    assert is_away(met.value)


@on_both_databases
async def test_a_wrong_statement_is_a_mistake_of_ours(engines: Engines, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not await guarded(partial(asked, engines, "SELECT nothing_of_that_name"))
    assert [line.levelname for line in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite takes every text
async def test_what_never_reached_the_server_is_a_mistake_of_ours(
    engines: Engines, caplog: pytest.LogCaptureFixture
) -> None:
    """psycopg refuses it by itself, without the code that tells a mistake from a server that is away."""
    with caplog.at_level(logging.WARNING):
        assert not await guarded(partial(asked, engines, "SELECT CAST(:said AS text)", said="a\0b"))
    assert [line.levelname for line in caplog.records] == ["ERROR"]
