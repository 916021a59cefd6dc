"""Engines: how each database is opened so that writers queue, readers never wait, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InternalError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from finops.frozen import frozen
from storage import sqlite_driver
from storage.compiled import COMPILED
from storage.errors import DatabaseUnusable

log = logging.getLogger(__name__)

_WAIT_SECONDS = 30
_ASK_AGAIN_SECONDS = 0.02
_SQLITE = "sqlite+aiosqlite"
_POSTGRES = "postgresql+psycopg"
_ALL: dict[str, Any] = {
    # A failing statement is logged with its traceback: without the values in it, people's and keys' business.
    "hide_parameters": True,
    "execution_options": {"compiled_cache": COMPILED},
}
_SQLITE_ALL: dict[str, Any] = {**_ALL, "connect_args": {"async_creator_fn": sqlite_driver.connect}}
# What a server, a role or the environment presets is not relied on.
_POSTGRES_ALL: dict[str, Any] = {
    **_ALL,
    "isolation_level": "READ COMMITTED",
    "connect_args": {
        "connect_timeout": 10,
        "application_name": "finops-for-ai",
        "client_encoding": "utf8",
        # One that only reads, as a primary that was relieved, is away: the next try may meet the new one.
        "target_session_attrs": "read-write",
    },
}
_NEAR = {"localhost", "127.0.0.1", "::1"}
_UNENCRYPTED = {"disable", "allow", "prefer"}


@frozen
class Engines:
    """Two doors to one database: transactions that write, and snapshots that only read."""

    url: URL
    writing: AsyncEngine
    reading: AsyncEngine

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()


def normalised(text: str) -> URL:
    """The address people paste, as our drivers want it: `postgres://…`, `postgresql://…`, `sqlite:///file`."""
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError) as problem:
        # Not chained: the parser quotes what it was given, and that may hold a password.
        raise DatabaseUnusable(
            "the database address cannot be read; write sqlite:///finops.db or postgresql://user:password@host/name"
        ) from (problem if "@" not in text else None)
    backend = url.drivername.split("+")[0]
    if backend in {"postgres", "postgresql"}:
        return _with_encryption(url.set(drivername=_POSTGRES))
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise DatabaseUnusable("SQLite needs a file that outlives the program: sqlite:///finops.db")
        return url.set(drivername=_SQLITE)
    raise DatabaseUnusable(f"{backend} is not supported; use sqlite:///finops.db or postgresql://…")


def _with_encryption(url: URL) -> URL:
    """Over a network: TLS 1.3 or nothing, unless the address itself says otherwise."""
    if _is_near(url):
        return url
    if "sslmode" not in url.query:
        url = url.update_query_dict({"sslmode": "require"})
    if url.query["sslmode"] not in _UNENCRYPTED and "ssl_min_protocol_version" not in url.query:
        url = url.update_query_dict({"ssl_min_protocol_version": "TLSv1.3"})
    return url


def say_exceptions(url: URL) -> None:
    """Log it where a normalised address asks for less than TLS 1.3: for whoever opens it, once the log is set up."""
    if url.get_backend_name() == "sqlite" or _is_near(url):
        return
    named = {"host": ",".join(_hosts(url))}
    if url.query["sslmode"] in _UNENCRYPTED:
        log.warning("the connection to the database may be unencrypted, as its address asks", extra=named)
    elif url.query["ssl_min_protocol_version"] != "TLSv1.3":
        log.warning("the connection to the database may be older than TLS 1.3, as its address asks", extra=named)


def _hosts(url: URL) -> list[str]:
    """Every host an address names, wherever in it: before the path, as `host=`, as `hostaddr=`, several with commas."""
    named = [url.host or ""]
    for key in ("host", "hostaddr"):
        value = url.query.get(key, ())
        named += [value] if isinstance(value, str) else value
    return [host for each in named for host in each.split(",") if host]


def _is_near(url: URL) -> bool:
    """Only where a host is named: none means a socket, which has no use for TLS and ignores it, or PGHOST."""
    hosts = _hosts(url)
    return bool(hosts) and all(host in _NEAR or host.startswith("/") for host in hosts)


@asynccontextmanager
async def open_engines(url: URL) -> AsyncIterator[Engines]:
    """Both engines, closed at the end."""
    engines = _sqlite_engines(url) if url.get_backend_name() == "sqlite" else _postgres_engines(url)
    try:
        yield engines
    finally:
        await engines.reading.dispose()
        await engines.writing.dispose()


def _sqlite_engines(url: URL) -> Engines:
    _make_private(Path(str(url.database)))
    # One writer per process: tasks queue in the pool, first come first served, instead of polling a locked file.
    writing = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=_WAIT_SECONDS, **_SQLITE_ALL)
    _configure_sqlite(writing, "BEGIN IMMEDIATE", query_only=False)
    reading = create_async_engine(url, pool_size=4, max_overflow=12, pool_timeout=_WAIT_SECONDS, **_SQLITE_ALL)
    _configure_sqlite(reading, "BEGIN", query_only=True)
    return Engines(url, writing, reading)


def is_away(error: BaseException) -> bool:
    """Whether a statement failed because its server could not be reached, or went away: no mistake of ours.

    psycopg has no SQLSTATE for a server that does not answer, nor for an answer that makes no sense, as that of a
    pooler whose server ends meanwhile; one that ends or begins says 57P…. Nor has it one for what it never sent, as a
    text with a zero byte: that is no trouble of operation, and a mistake.
    """
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", "")  # SQLite has none: a file is never away
    if state is None:
        return isinstance(error, OperationalError | InternalError)
    return error.connection_invalidated or state.startswith(("08", "57P"))


def migration_engine(url: URL) -> AsyncEngine:
    """An engine for one migration: foreign keys rest on SQLite, where changing a table means copying it."""
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_async_engine(url, poolclass=NullPool, **(_SQLITE_ALL if is_sqlite else _POSTGRES_ALL))
    if is_sqlite:
        _make_private(Path(str(url.database)))
        _configure_sqlite(engine, "BEGIN IMMEDIATE", query_only=False, foreign_keys=False)
    else:
        _configure_postgres(engine)
    return engine


def _configure_sqlite(engine: AsyncEngine, begin: str, *, query_only: bool, foreign_keys: bool = True) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver would not before a SELECT
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_WAIT_SECONDS * 1000}")  # first: the next line may have to wait
        cursor.execute("PRAGMA page_size=8192")  # of a new file only: fewer, larger pages suit long keys
        _write_ahead(connection, cursor)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA cache_size=-8192")
        cursor.execute("PRAGMA wal_autocheckpoint=4000")  # a back-fill commits every day; the disk need not follow each
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.connection.driver_connection.begin = begin  # goes with the first statement


def _write_ahead(connection: Any, cursor: Any) -> None:
    """Readers beside a writer, from now on. Changing a file's mode wants it alone and, unlike everything else, does
    not wait its turn: copies that start together on a new file each ask again until the first has changed it."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() >= deadline:
                raise
            connection.run_async(lambda _: asyncio.sleep(_ASK_AGAIN_SECONDS))
        else:
            return


def _make_private(path: Path) -> None:
    """Create the file readable by its owner only; what SQLite puts beside it inherits that."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as problem:
        raise DatabaseUnusable(f"the database file {path} cannot be made: {problem.strerror}") from problem


def _postgres_engines(url: URL) -> Engines:
    try:
        engine = create_async_engine(
            url,
            pool_size=5,
            max_overflow=15,
            pool_timeout=_WAIT_SECONDS,
            pool_pre_ping=True,
            **_POSTGRES_ALL,
        )
    except ModuleNotFoundError as problem:
        raise DatabaseUnusable("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from problem
    _configure_postgres(engine)
    # Several queries of one answer must tell one story: a snapshot, as SQLite gives by itself.
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(url, engine, reading)


def _configure_postgres(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        driver = connection.driver_connection
        cursor = connection.cursor()
        if not (driver.info.parameter_status("DateStyle") or "").startswith("ISO"):
            cursor.execute("SET datestyle = 'ISO'")  # the driver reads no other
        # Who answers is not whom we reached: a pooler stands between, and the next transaction may be another
        # server process's, which knows nothing of what this one prepared.
        cursor.execute("SELECT pg_backend_pid()")
        if cursor.fetchone()[0] != driver.info.backend_pid:
            driver.prepare_threshold = None
        cursor.close()
        connection.commit()
