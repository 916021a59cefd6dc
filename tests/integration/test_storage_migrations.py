"""Migrations: both databases reach the same tables, from any start, however many copies start at once."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.types import TypeEngine

from finops.charges import Charge, ChargedDay
from finops.exchange import Beside, Rate
from finops.money import Money
from finops.periods import Period
from storage import KeyRing, Storage, migrations, open_storage
from storage.engine import normalised
from storage.errors import DatabaseUnusable
from storage.migrate import HEAD, config, make, migrate, revision_of, run_on, upgrade
from storage.outbox import copy_key
from storage.records_live import OutboxState
from storage.tables import daily_items, daily_sheets, metadata
from tests.databases import MOMENT, WORKSPACE, a_tenant
from tests.integration.poll_world import a_poll
from tests.integration.test_storage_stops import FORMER, TARGET, a_hold, a_stop, registered


def described(connection: Connection) -> dict[str, Any]:
    """All that a database says of its tables, but for the order of columns, which nobody relies on."""
    there = inspect(connection)

    def spelled(value: Any) -> str:
        if isinstance(value, dict):  # a condition of an index would else show as where it lies in memory
            return str(sorted((key, str(each)) for key, each in value.items()))
        return repr(value) if isinstance(value, TypeEngine) else str(value)  # its words alone leave the zone out

    def listed(found: Any) -> list[str]:
        rows = [found] if isinstance(found, dict) else found
        return sorted(str(sorted((key, spelled(value)) for key, value in each.items())) for each in rows)

    def told(what: str) -> dict[str, list[str]]:
        return {str(table): listed(found) for (_, table), found in getattr(there, f"get_multi_{what}")().items()}

    words = {}
    if connection.dialect.name == "sqlite":  # some of what a table is stands in its own words only
        for name, made in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")):
            words[name] = (made.count("AUTOINCREMENT"), made.count("WITHOUT ROWID"), made.count("COLLATE"))
    triggers = [tuple(row) for row in connection.execute(text(TRIGGERS[connection.dialect.name]))]
    return {"words": words, "triggers": sorted(triggers)} | {what: told(what) for what in OF_A_TABLE}


OF_A_TABLE = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "unique_constraints",
    "check_constraints",
    "indexes",
    "table_options",
)
TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger"
    " WHERE NOT tgisinternal",
}


async def test_a_database_made_at_once_is_the_one_that_the_revisions_make(empty_database_url: str) -> None:
    """And the one that the code believes in: key by key, name by name, as the database tells it; every revision knows
    its way back, so that nothing is left between the one and the other."""

    def there_and_back(connection: Connection) -> None:
        make(connection)
        assert revision_of(connection) == HEAD
        made = described(connection)
        command.downgrade(config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        connection.execute(text("DROP TABLE alembic_version"))
        upgrade(connection)
        assert revision_of(connection) == HEAD
        grown = described(connection)
        assert set(grown["columns"]) == {*metadata.tables, "alembic_version"}
        assert len(grown["triggers"]) >= 5
        assert made == grown
        command.check(config(connection))

    await run_on(normalised(empty_database_url), there_and_back)


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


async def test_days_stored_before_sheets_and_items_get_theirs(database_url: str, storage: Storage) -> None:
    """Whoever collected for years before the upgrade is told the same sums after it."""
    day, tenant = date(2026, 7, 1), await a_tenant(storage)
    charges = tuple(Charge(day, name, "x", Decimal("0.000000000000000007")) for name in ("proj_b", "proj_é", None))
    period = Period(day, day + timedelta(days=1))
    async with storage.writing() as store:
        await store.charges.replace_day(tenant.workspace_id, tenant.connection.id, ChargedDay(day, charges), MOMENT)
    async with storage.reading() as store:
        before = await store.charges.project_totals(tenant.workspace_id, period)

    def again(connection: Connection) -> None:
        sheets = [connection.execute(table.select()).all() for table in (daily_sheets, daily_items)]
        assert all(sheets)
        command.downgrade(config(connection), "0002")
        upgrade(connection)
        assert [connection.execute(table.select()).all() for table in (daily_sheets, daily_items)] == sheets

    await run_on(normalised(database_url), again)
    async with storage.reading() as store:
        assert await store.charges.project_totals(tenant.workspace_id, period) == before
    assert len(before) == 3


async def test_votes_outlive_going_back_and_forth(database_url: str, storage: Storage) -> None:
    """What was taken back is not a vote for the version before either; and where no click is dated, the next counts."""
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

    await run_on(normalised(database_url), again)
    async with storage.writing() as store:
        assert await store.polls.vote(*mine, "stays", ["2"], MOMENT, 1)
        assert [(one.voter, one.options) for one in await store.polls.ballots(*mine)] == [("stays", ("2",))]


async def test_a_version_without_rates_leaves_dollars_alone(database_url: str, storage: Storage) -> None:
    """Going back forgets who set which rate, and nothing else; after it none holds, and the next is the first."""
    rate = Rate(Beside.KRW, Decimal("1375.5"), date(2026, 7, 1), "하나은행")
    tenant = await a_tenant(storage)
    async with storage.writing() as store:
        await store.exchange_rates.add(WORKSPACE, rate, by="U1", at=MOMENT)

    def again(connection: Connection) -> None:
        command.downgrade(config(connection), "0007")
        assert not inspect(connection).has_table("exchange_rates")
        upgrade(connection)

    await run_on(normalised(database_url), again)
    async with storage.writing() as store:
        assert [one.id for one in await store.teams.all(WORKSPACE)] == [tenant.team_id]
        assert await store.exchange_rates.at(WORKSPACE, MOMENT) is None
        kept = await store.exchange_rates.add(WORKSPACE, rate, by="U2", at=MOMENT)
        assert await store.exchange_rates.newest(WORKSPACE, 9) == [kept]


async def test_a_leak_outlives_going_back_and_forth(database_url: str, storage: Storage) -> None:
    """Of a hold older than the count of unpriced calls that count is unknown, not zero; all else is as it was."""
    tenant = await a_tenant(storage)
    [project, _] = await registered(storage, tenant)
    leaking = a_hold(project, former=FORMER, target=TARGET, leak=Money.of("0.000000000000000007"), leak_unpriced=7)
    async with storage.writing() as store:
        stop, [hold] = await store.stops.open(WORKSPACE, a_stop(tenant), [leaking], [])

    def again(connection: Connection) -> None:
        command.downgrade(config(connection), "0008")
        assert "leak_unpriced" not in {column["name"] for column in inspect(connection).get_columns("holds")}
        upgrade(connection)

    await run_on(normalised(database_url), again)
    async with storage.reading() as store:
        assert await store.stops.holds(WORKSPACE, stop.id or 0) == [replace(hold, leak_unpriced=None)]
    assert hold.leak_unpriced == 7


async def test_who_was_warned_of_a_key_is_not_warned_again_after_going_back_or_forth(
    database_url: str, storage: Storage
) -> None:
    """Nor is a warning lost that the version before had only begun to tell."""
    await a_tenant(storage)
    told, waiting = "expiry:1:2026-07-20T03:30:00+00:00:14", "expiry:2:2026-07-20T03:30:00+00:00:3"
    subject = {"credential_id": 1, "expires_at": "2026-07-20T03:30:00+00:00", "mark": 14}
    people = ("U0JIHOON01", "U0MINSU001")
    async with storage.writing() as store:
        for key in (told, waiting):
            await store.outbox.want(WORKSPACE, key, "expiry", subject, None, people, at=MOMENT)
        await store.outbox.lease("worker", MOMENT, timedelta(minutes=1), 1)
        await store.outbox.sent(WORKSPACE, told, "worker", 1, "D0JIHOON01", "1.5", MOMENT)
        await store.outbox.want(WORKSPACE, copy_key(told, people[1]), "expiry", subject, None, people[1:], at=MOMENT)

    def again(connection: Connection) -> None:
        command.downgrade(config(connection), "0009")
        said = connection.execute(text("SELECT key FROM messages WHERE sent_at IS NOT NULL ORDER BY key"))
        assert said.scalars().all() == [f"{told}:{person}" for person in people]
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar() == 0
        unsent = "INSERT INTO messages SELECT workspace_id, :key, channel_id, NULL, claimed_at, NULL FROM messages"
        connection.execute(text(f"{unsent} LIMIT 1"), {"key": f"{waiting}:{people[0]}"})
        upgrade(connection)

    await run_on(normalised(database_url), again)
    async with storage.reading() as store:
        [kept] = await store.outbox.newest_of(WORKSPACE, "expiry", 9)
        assert await store.outbox.waiting_count() == 0
    assert (kept.key, kept.subject, kept.recipients, kept.ts) == (told, subject, people, "1.5")
    assert (kept.state, kept.posted_channel_id, kept.delivered_at) == (OutboxState.SENT, "D0JIHOON01", MOMENT)


async def test_copies_upgrading_at_once_all_succeed(empty_database_url: str, ring: KeyRing) -> None:
    """The first upgrades, the others wait and find nothing to do."""

    async def start() -> str:
        async with open_storage(empty_database_url, ring) as storage, storage.reading() as store:
            return str(await store.workspaces.all())

    assert await asyncio.gather(*(start() for _ in range(6))) == ["[]"] * 6


def test_the_head_in_the_code_is_the_head_of_the_revisions() -> None:
    """The shortcut that spares importing Alembic would otherwise skip a new revision."""
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head() == HEAD


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
