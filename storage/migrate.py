"""Bringing a database up to date, once, however many copies of the program start at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage.engine import migration_engine
from storage.errors import DatabaseUnusable

if TYPE_CHECKING:
    from alembic.config import Config

# The newest revision, known without importing Alembic (two seconds); a test holds it equal to Alembic's own answer.
HEAD = "0002"
_LOCK = 4_603_002_001  # any number, the same in every copy of this program


async def migrate(url: URL) -> None:
    """Upgrade to the newest revision. Copies that start together wait for the first; the others find nothing to do."""
    await run_on(url, upgrade)


async def run_on(url: URL, work: Callable[[Connection], None]) -> None:
    """Run `work` in one transaction that no other copy's migration can overlap."""
    engine = migration_engine(url)
    try:
        async with engine.begin() as connection:
            if url.get_backend_name() == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(work)
    except (DBAPIError, OSError) as problem:
        reason = getattr(problem, "orig", problem)
        raise DatabaseUnusable(f"the database at {url.render_as_string()} cannot be opened: {reason}") from problem
    finally:
        await engine.dispose()


def revision_of(connection: Connection) -> str | None:
    """The revision a database is at; None when it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Upgrade on this connection; a database that is up to date costs one query and no import of Alembic."""
    at = revision_of(connection)
    if at == HEAD and to == "head":
        return
    from alembic import command
    from alembic.util.exc import CommandError

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
