"""Migrations: both databases reach the same tables, from any start, however many copies start at once."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from finops.charges import Charge, ChargedDay
from finops.periods import Period
from storage import KeyRing, open_storage
from storage.engine import normalised
from storage.errors import DatabaseUnusable
from storage.migrate import HEAD, config, make, migrate, revision_of, run_on, upgrade
from storage.tables import daily_items, daily_sheets, metadata
from tests.databases import MOMENT, a_tenant
from tests.integration.poll_world import a_poll


@pytest.mark.parametrize("way", [make, upgrade])
async def test_both_ways_to_a_database_make_what_the_code_believes_in(
    empty_database_url: str, way: Callable[[Connection], None]
) -> None:
    """Made at once or by walking the revisions: Alembic finds no difference to the tables in the code."""
    url = normalised(empty_database_url)
    await run_on(url, way)

    def check(connection: Connection) -> None:
        assert revision_of(connection) == HEAD
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        command.check(config(connection))
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []

    await run_on(url, check)


def described(connection: Connection) -> dict[str, Any]:
    """All that a database says of its tables, but for the order of columns, which nobody relies on."""
    there = inspect(connection)

    def spelled(value: Any) -> str:
        if isinstance(value, dict):  # a condition of an index would else show as where it lies in memory
            return str(sorted((key, str(each)) for key, each in value.items()))
        return str(value)

    def listed(found: list[Any]) -> list[str]:
        return sorted(str(sorted((key, spelled(value)) for key, value in each.items())) for each in found)

    def told(table: str) -> dict[str, Any]:
        return {
            "columns": listed([*there.get_columns(table)]),
            "key": there.get_pk_constraint(table),
            "references": listed([*there.get_foreign_keys(table)]),
            "unique": listed([*there.get_unique_constraints(table)]),
            "checks": listed([*there.get_check_constraints(table)]),
            "indexes": listed([*there.get_indexes(table)]),
            "options": there.get_table_options(table),
        }

    words = {}
    if connection.dialect.name == "sqlite":  # some of what a table is stands in its own words only
        for name, made in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")):
            words[name] = (made.count("AUTOINCREMENT"), made.count("WITHOUT ROWID"), made.count("COLLATE"))
    triggers = [tuple(row) for row in connection.execute(text(TRIGGERS[connection.dialect.name]))]
    return {"words": words, "triggers": sorted(triggers)} | {table: told(table) for table in there.get_table_names()}


TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger"
    " WHERE NOT tgisinternal",
}


async def test_a_database_made_at_once_is_the_one_that_the_revisions_make(empty_database_url: str) -> None:
    """A new installation must not differ from one that grew: key by key, name by name, as the database tells it."""
    url = normalised(empty_database_url)
    found: list[dict[str, Any]] = []
    await run_on(url, upgrade)
    await run_on(url, lambda connection: found.append(described(connection)))

    def clear(connection: Connection) -> None:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))

    await run_on(url, clear)
    await run_on(url, make)
    await run_on(url, lambda connection: found.append(described(connection)))
    grown, made = found
    assert len(grown) == len(metadata.tables) + 3
    assert len(grown["triggers"]) >= 5
    assert made == grown


async def test_a_new_database_is_made_without_what_it_does_not_need(empty_database_url: str) -> None:
    """Half of a first start was spent on Alembic, and some of every other on the database that is not used."""
    program = (
        "import asyncio, sys\n"
        "import storage\n"
        "from storage.engine import normalised\n"
        "from storage.migrate import migrate\n"
        "for _ in range(2): asyncio.run(migrate(normalised(sys.argv[1])))\n"
        "others = {'sqlite': 'postgresql'}.get(normalised(sys.argv[1]).get_backend_name(), 'oracle')\n"
        "sys.exit('alembic' in sys.modules or f'sqlalchemy.dialects.{others}' in sys.modules)"
    )
    started = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, empty_database_url], check=False, capture_output=True, text=True
    )
    assert started.returncode == 0, started.stderr


async def test_half_a_database_is_not_taken_for_a_new_one(empty_database_url: str) -> None:
    """Tables of ours without a revision were made by somebody else: nothing is added to them, and nothing is kept."""
    url = normalised(empty_database_url)
    await run_on(url, metadata.tables["workspaces"].create)
    with pytest.raises(DatabaseUnusable):
        await migrate(url)

    def check(connection: Connection) -> None:
        assert inspect(connection).get_table_names() == ["workspaces"]

    await run_on(url, check)


async def test_somebody_elses_tables_are_left_alone(empty_database_url: str) -> None:
    """A database may be shared: ours are made beside them."""
    url = normalised(empty_database_url)
    await run_on(url, lambda connection: connection.execute(text("CREATE TABLE theirs (id INTEGER)")) and None)
    await migrate(url)

    def check(connection: Connection) -> None:
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version", "theirs"}
        assert revision_of(connection) == HEAD

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


async def test_days_stored_before_sheets_and_items_get_theirs(empty_database_url: str, ring: KeyRing) -> None:
    """Whoever collected for years before the upgrade is told the same sums after it."""
    url, day = normalised(empty_database_url), date(2026, 7, 1)
    charges = tuple(Charge(day, name, "x", Decimal("0.000000000000000007")) for name in ("proj_b", "proj_é", None))
    period = Period(day, day + timedelta(days=1))
    async with open_storage(empty_database_url, ring) as storage:
        tenant = await a_tenant(storage)
        async with storage.writing() as store:
            await store.charges.replace_day(tenant.workspace_id, tenant.connection.id, ChargedDay(day, charges), MOMENT)
        async with storage.reading() as store:
            before = await store.charges.project_totals(tenant.workspace_id, period)
    sheets: list[Any] = []

    def again(connection: Connection) -> None:
        for _ in range(2):
            sheets.append([connection.execute(table.select()).all() for table in (daily_sheets, daily_items)])
            command.downgrade(config(connection), "0002")
            upgrade(connection)

    await run_on(url, again)
    assert sheets[0] == sheets[1]
    assert all(sheets[0])
    async with open_storage(empty_database_url, ring) as storage, storage.reading() as store:
        assert await store.charges.project_totals(tenant.workspace_id, period) == before
    assert len(before) == 3


async def test_votes_outlive_going_back_and_forth(empty_database_url: str, ring: KeyRing) -> None:
    """What was taken back is not a vote for the version before either; and where no click is dated, the next counts."""
    url = normalised(empty_database_url)
    async with open_storage(empty_database_url, ring) as storage:
        tenant = await a_tenant(storage)
        async with storage.writing() as store:
            poll = await store.polls.add(tenant.workspace_id, a_poll())
            assert poll is not None
            mine = tenant.workspace_id, poll.id
            await store.polls.vote(*mine, "stays", ["1"], MOMENT, 9)
            await store.polls.withdraw(*mine, "leaves", MOMENT, 9)

    def again(connection: Connection) -> None:
        command.downgrade(config(connection), "0006")
        assert connection.execute(text("SELECT voter FROM poll_votes")).scalars().all() == ["stays"]
        upgrade(connection)

    await run_on(url, again)
    async with open_storage(empty_database_url, ring) as storage, storage.writing() as store:
        assert await store.polls.vote(*mine, "stays", ["2"], MOMENT, 1)
        assert [(one.voter, one.options) for one in await store.polls.ballots(*mine)] == [("stays", ("2",))]


async def test_copies_upgrading_at_once_all_succeed(empty_database_url: str, ring: KeyRing) -> None:
    """The first upgrades, the others wait and find nothing to do."""

    async def start() -> str:
        async with open_storage(empty_database_url, ring) as storage, storage.reading() as store:
            return str(await store.workspaces.all())

    assert await asyncio.gather(*(start() for _ in range(6))) == ["[]"] * 6


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
