"""Two people who change keys in one moment, perhaps through two replicas: neither undoes what the other saw to."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import date
from typing import Any

import pytest

from bot import Bot
from bot.collector import Collector
from bot.errors import OutageCode, Refusal, RefusalCode
from bot.results import Finished, Progress
from finops.registry import Connection, Person, Team
from storage.connections import Connections
from storage.credentials import Credentials
from storage.usage import Usage
from tests.databases import on_both_databases
from tests.integration.at_once import beside
from tests.integration.bot_world import (
    KEY,
    SECOND_KEY,
    WORKSPACE,
    Key,
    LittleOpenAI,
    Organization,
    a_team,
    blind_told,
    worked,
)

TODAY = date(2026, 7, 6)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers take turns


@pytest.fixture
def days() -> int:
    """Two days of bill are read for some moments, as eight are."""
    return 2


@pytest.fixture
async def teams(bot: Bot, admin: Person) -> tuple[Team, Team]:
    return await a_team(bot, admin), await a_team(bot, admin, "데이터팀", "C0DATA0001")


async def two_keys(bot: Bot, admin: Person, teams: tuple[Team, Team]) -> tuple[int, int]:
    """The ids of two teams' keys of one organization."""
    one = await bot.connections.register_key(admin, teams[0].id, KEY)
    other = await bot.connections.register_key(admin, teams[1].id, SECOND_KEY)
    assert one.connection.id == other.connection.id
    return one.credential.id, other.credential.id


async def connection_of(bot: Bot) -> Connection:
    [connection] = await bot.connections.all(WORKSPACE)
    return connection


@on_postgresql
async def test_whoever_disables_the_last_key_beside_another_makes_it_known(
    bot: Bot, admin: Person, teams: tuple[Team, Team], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two took the other's key to be on still, and nobody looked any more without anything saying so."""
    one, other = await two_keys(bot, admin, teams)
    disabled, deleted = await beside(
        monkeypatch,
        (type(bot.connections), "_after_loss"),
        bot.connections.disable(admin, one),
        bot.connections.delete(admin, other),
        database_url,
    )
    assert (disabled.still_collected, deleted.still_collected) == (True, False)
    assert (await connection_of(bot)).blind_reason == OutageCode.KEYS_DISABLED


@on_postgresql
@pytest.mark.parametrize("how", ["enabled", "registered", "replaced"])
async def test_a_key_that_comes_as_the_last_one_goes_leaves_nobody_blind(
    bot: Bot,
    admin: Person,
    teams: tuple[Team, Team],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """Who switched off the last key said that nobody looks, beside a key that came on in the same moment."""
    one = (await bot.connections.register_key(admin, teams[0].id, KEY)).credential.id
    other = one
    if how != "registered":
        other = (await bot.connections.register_key(admin, teams[1].id, SECOND_KEY)).credential.id
        await bot.connections.disable(admin, other)
    coming = {
        "enabled": lambda: bot.connections.enable(admin, other),
        "registered": lambda: bot.connections.register_key(admin, teams[1].id, SECOND_KEY),
        "replaced": lambda: bot.connections.replace_key(admin, other, SECOND_KEY),
    }
    await bot.projects.register(admin, teams[0].id, ["proj_chat"])
    await worked(bot)
    place = type(bot.connections), "_recorded"
    _, gone = await beside(monkeypatch, place, coming[how](), bot.connections.disable(admin, one), database_url)
    assert gone.still_collected
    assert (await connection_of(bot)).blind_since is None


@on_postgresql
async def test_one_key_registered_by_two_at_once_is_kept_once(
    bot: Bot, admin: Person, teams: tuple[Team, Team], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is second learns that a team has it, as they would a minute later."""
    await bot.connections.register_key(admin, teams[0].id, KEY)
    found = await beside(
        monkeypatch,
        (Credentials, "add"),
        bot.connections.register_key(admin, teams[0].id, SECOND_KEY),
        bot.connections.register_key(admin, teams[1].id, SECOND_KEY),
        database_url,
    )
    assert [one.code for one in found if isinstance(one, Refusal)] == [RefusalCode.KEY_ALREADY_REGISTERED]
    async with bot.storage.reading() as store:
        assert [one.ends_with for one in await store.credentials.all(WORKSPACE)] == ["abc1", "abc2"]


@on_postgresql
async def test_an_organization_without_an_id_is_connected_once_by_two_at_once(
    bot: Bot,
    openai: LittleOpenAI,
    admin: Person,
    teams: tuple[Team, Team],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only its projects tell that both keys are of one: connected twice, its bill would be counted twice."""
    nameless = Organization(None, None, {"proj_x": "x"})
    openai.keys |= {KEY: Key(nameless), SECOND_KEY: Key(nameless)}
    one, other = await beside(
        monkeypatch,
        (Connections, "create"),
        bot.connections.register_key(admin, teams[0].id, KEY),
        bot.connections.register_key(admin, teams[1].id, SECOND_KEY),
        database_url,
    )
    assert (one.is_shared, other.is_shared) == (False, True)
    assert (await connection_of(bot)).id == one.connection.id == other.connection.id


@pytest.mark.parametrize(
    ("how", "database_kind"),
    [("replaced", "postgresql"), ("enabled", "sqlite"), ("disabled", "postgresql"), ("deleted", "sqlite")],
)
async def test_a_key_that_somebody_deletes_meanwhile_is_told_to_be_gone(
    bot: Bot, admin: Person, teams: tuple[Team, Team], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It was there as somebody asked whether they may, and gone as they changed it: no fault of ours, and no act."""
    one, _ = await two_keys(bot, admin, teams)
    change = {
        "replaced": lambda: bot.connections.replace_key(admin, one, KEY),
        "enabled": lambda: bot.connections.enable(admin, one),
        "disabled": lambda: bot.connections.disable(admin, one),
        "deleted": lambda: bot.connections.delete(admin, one),
    }
    refused, _ = await beside(
        monkeypatch, (type(bot.teams), "require_manager"), change[how](), bot.connections.delete(admin, one)
    )
    assert isinstance(refused, Refusal)
    assert refused.code is RefusalCode.UNKNOWN_CREDENTIAL
    async with bot.storage.reading() as store:
        acts = [row.entry.action async for row in store.audit.all(WORKSPACE) if row.entry.action.startswith("key.")]
    assert acts == ["key.registered", "key.registered", "key.deleted"]


@on_both_databases
async def test_a_bill_read_to_its_end_with_a_key_that_was_switched_off_is_the_last(
    bot: Bot, openai: LittleOpenAI, admin: Person, teams: tuple[Team, Team], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks from then on, however late the reading ends that had begun with it."""
    one = (await bot.connections.register_key(admin, teams[0].id, KEY)).credential.id
    await bot.projects.register(admin, teams[0].id, ["proj_chat"])
    _, changed = await beside(monkeypatch, (Collector, "_read"), worked(bot), bot.connections.disable(admin, one))
    assert not changed.still_collected
    assert (await connection_of(bot)).blind_reason == OutageCode.KEYS_DISABLED


@pytest.mark.parametrize(("how", "database_kind"), [("replaced", "postgresql"), ("registered", "sqlite")])
async def test_a_bill_is_read_on_with_a_key_that_took_the_place_of_one_revoked_meanwhile(
    bot: Bot,
    openai: LittleOpenAI,
    admin: Person,
    teams: tuple[Team, Team],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """Who rotates a key as a bill is read did nothing wrong: nobody is told that it was refused."""
    one = (await bot.connections.register_key(admin, teams[0].id, KEY)).credential.id
    await bot.projects.register(admin, teams[0].id, ["proj_chat"])

    async def rotated() -> None:
        if how == "replaced":
            await bot.connections.replace_key(admin, one, SECOND_KEY)
        else:
            await bot.connections.register_key(admin, teams[1].id, SECOND_KEY)
        openai.keys[KEY].is_revoked = True

    told, _ = await beside(monkeypatch, (Collector, "_prepared"), worked(bot), rotated())
    assert [type(each) for each in told if not isinstance(each, Progress)] == [Finished]
    assert (await connection_of(bot)).blind_since is None


@pytest.mark.parametrize(("sense", "database_kind"), [("costs", "sqlite"), ("usage", "postgresql")])
async def test_a_key_that_is_revoked_once_it_was_switched_off_alarms_nobody(
    bot: Bot,
    openai: LittleOpenAI,
    admin: Person,
    teams: tuple[Team, Team],
    monkeypatch: pytest.MonkeyPatch,
    sense: str,
) -> None:
    """What was asked with it was under way: that the provider refuses it is what somebody wanted."""
    one = (await bot.connections.register_key(admin, teams[0].id, KEY)).credential.id
    await bot.projects.register(admin, teams[0].id, ["proj_chat"])

    async def given_up() -> None:
        await bot.connections.disable(admin, one)
        openai.keys[KEY].is_revoked = True

    reading: Coroutine[Any, Any, Any] = worked(bot)
    place: tuple[type, str] = Collector, "_prepared"
    if sense == "usage":
        await reading
        reading, place = bot.watching.poll(await connection_of(bot)), (Usage, "reads")
    await beside(monkeypatch, place, reading, given_up())
    assert (await connection_of(bot)).blind_reason == OutageCode.KEYS_DISABLED
    assert await blind_told(bot) == []


@on_both_databases
async def test_a_key_that_is_replaced_while_it_is_asked_with_alarms_nobody(
    bot: Bot, openai: LittleOpenAI, admin: Person, teams: tuple[Team, Team], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next reading asks with the new one."""
    one = (await bot.connections.register_key(admin, teams[0].id, KEY)).credential.id
    await bot.projects.register(admin, teams[0].id, ["proj_chat"])
    await worked(bot)

    async def rotated() -> None:
        await bot.connections.replace_key(admin, one, SECOND_KEY)
        openai.keys[KEY].is_revoked = True

    await beside(monkeypatch, (Usage, "reads"), bot.watching.poll(await connection_of(bot)), rotated())
    assert (await connection_of(bot)).blind_since is None
    assert await blind_told(bot) == []
