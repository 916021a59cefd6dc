"""Migrations: both databases reach the same tables, from any start, however many copies start at once."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from storage import KeyRing, open_storage
from storage.engine import normalised
from storage.errors import DatabaseUnusable
from storage.migrate import HEAD, config, migrate, revision_of, run_on, upgrade
from storage.tables import metadata


async def test_an_empty_database_is_upgraded_and_alembic_finds_no_difference(empty_database_url: str) -> None:
    """The revisions make exactly the tables that the code believes in."""
    url = normalised(empty_database_url)
    await migrate(url)

    def check(connection: Connection) -> None:
        assert revision_of(connection) == HEAD
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        command.check(config(connection))
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []

    await run_on(url, check)


async def test_a_downgrade_leaves_nothing_and_can_be_upgraded_again(empty_database_url: str) -> None:
    """Every revision knows its way back."""
    url = normalised(empty_database_url)
    await migrate(url)
    await run_on(url, lambda connection: command.downgrade(config(connection), "base"))

    def check(connection: Connection) -> None:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        upgrade(connection)
        assert revision_of(connection) == HEAD

    await run_on(url, check)


async def test_three_copies_upgrading_at_once_all_succeed(empty_database_url: str, ring: KeyRing) -> None:
    """The first upgrades, the others wait and find nothing to do."""

    async def start() -> str:
        async with open_storage(empty_database_url, ring) as storage, storage.reading() as store:
            return str(await store.workspaces.all())

    assert list(await asyncio.gather(start(), start(), start())) == ["[]", "[]", "[]"]


async def test_the_head_in_the_code_is_the_head_of_the_revisions(empty_database_url: str) -> None:
    """The shortcut that spares importing Alembic would otherwise skip a new revision."""

    def check(connection: Connection) -> None:
        assert ScriptDirectory.from_config(config(connection)).get_current_head() == HEAD

    await run_on(normalised(empty_database_url), check)


async def test_a_database_of_a_newer_version_is_refused_with_a_sentence(database_url: str, ring: KeyRing) -> None:
    """An old copy must not write into tables it does not understand."""

    def come_from_the_future(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await run_on(normalised(database_url), come_from_the_future)
    with pytest.raises(DatabaseUnusable, match="revision 9999"):
        async with open_storage(database_url, ring):
            pass


async def test_a_new_sqlite_file_is_readable_by_its_owner_only(tmp_path: Path, ring: KeyRing) -> None:
    """What a company spends is nobody else's business on a shared machine."""
    path = tmp_path / "data" / "finops.db"
    async with open_storage(f"sqlite:///{path}", ring) as storage:
        await storage.ping()
        beside = [file for file in path.parent.iterdir() if stat.S_IMODE(file.stat().st_mode) & 0o077]
    assert beside == []


async def test_a_server_that_does_not_answer_is_named_without_its_password(ring: KeyRing) -> None:
    """The sentence helps the operator and tells no secret."""
    with pytest.raises(DatabaseUnusable) as refusal:
        async with open_storage("postgresql://finops:hunter2@127.0.0.1:9/finops", ring):
            pass
    assert "127.0.0.1:9" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
