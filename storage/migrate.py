"""Bringing a database up to date, once, however many copies of the program start at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

import storage.tables_exchange
import storage.tables_learning
import storage.tables_live
import storage.tables_stops
import storage.tables_value  # noqa: F401 - all fill the metadata
from storage.engine import migration_engine
from storage.errors import DatabaseUnusable
from storage.repository import Lock, alone
from storage.tables import metadata
from storage.unusable import place, why

if TYPE_CHECKING:
    from alembic.config import Config

# The newest revision, known without importing Alembic (as slow as all the rest of a start); tests hold it equal to
# Alembic's own answer, and the tables made at once equal to those that the revisions make.
HEAD = "0011"
# Where Alembic keeps the revision, exactly as it would make it itself.
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
# Limits of time, by name: not every version of PostgreSQL knows every one.
_PATIENTLY = text(
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN"
    " ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')"
)


async def migrate(url: URL) -> None:
    """Make or upgrade the tables. Copies that start together wait for the first; the others find nothing to do."""
    await run_on(url, prepare)


async def run_on(url: URL, work: Callable[[Connection], None]) -> None:
    """Run `work` in one transaction that no other copy's migration can overlap."""
    engine = migration_engine(url)
    try:
        async with engine.begin() as connection:
            if url.get_backend_name() == "postgresql":
                await _alone(connection)
            await connection.run_sync(work)
    except (DBAPIError, OSError) as problem:
        raise DatabaseUnusable(f"the database at {place(url)} cannot be opened: {why(problem)}") from problem
    finally:
        await engine.dispose()


async def _alone(connection: AsyncConnection) -> None:
    """Wait for other copies' migrations; a role's time limits are for its queries, not for this."""
    encoding = (await connection.execute(text("SHOW server_encoding"))).scalar()
    if encoding != "UTF8":
        raise DatabaseUnusable(
            f"the database keeps text as {encoding}, in which not every name can be written; make one with"
            " CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and bring what there is over with pg_dump"
        )
    await connection.execute(_PATIENTLY)
    await alone(connection, Lock.MIGRATING)


def revision_of(connection: Connection) -> str | None:
    """The revision a database is at; None when it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def prepare(connection: Connection) -> None:
    """Bring a database to the newest revision; one that is up to date, or new, costs no import of Alembic."""
    if (at := revision_of(connection)) == HEAD:
        return
    if at is None and _is_new(connection):
        make(connection)
    else:
        upgrade(connection)


def _is_new(connection: Connection) -> bool:
    """Nothing of ours is there. Half of it is not new: the revisions say what is wrong with it."""
    return not {*metadata.tables, _VERSION.name} & set(inspect(connection).get_table_names())


def make(connection: Connection) -> None:
    """The tables as the code believes in them, and the revision they are at: what all the revisions make, at once."""
    metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().values(version_num=HEAD))


def upgrade(connection: Connection, to: str = "head") -> None:
    """Walk the revisions from wherever the database is."""
    from alembic import command
    from alembic.util.exc import CommandError

    at = revision_of(connection)
    try:
        command.upgrade(config(connection), to)
    except CommandError as problem:
        raise DatabaseUnusable(
            f"the database is at revision {at}, which this version does not know; run the version that wrote it"
        ) from problem


def config(connection: Connection) -> Config:
    """Alembic's settings, in code: no ini file to find or to forget."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings
