"""Teams, projects and budgets that two people change in one moment: both are answered, and the trail tells it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import Bot
from bot.errors import Refusal, RefusalCode
from bot.results import ProjectsRegistered
from finops.incidents import Fact
from finops.queries import ScopeKind
from finops.registry import Person, Team
from storage import Storage
from storage.budgets import Budgets
from storage.digests import DigestChannels
from storage.projects import Projects
from storage.teams import Teams
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.at_once import beside
from tests.integration.bot_world import (
    KEY,
    SECOND_KEY,
    WORKSPACE,
    a_team,
)
from tests.integration.live_world import World, a_runaway

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers take turns


@pytest.fixture
def days() -> int:
    return 2


@pytest.fixture
async def teams(bot: Bot, admin: Person) -> tuple[Team, Team]:
    return await a_team(bot, admin), await a_team(bot, admin, "데이터팀", "C0DATA0001")


async def acts(bot: Bot, action: str) -> list[dict[str, Fact]]:
    """The facts of every act of a kind on the trail, oldest first."""
    async with bot.storage.reading() as store:
        return [dict(row.entry.details) async for row in store.audit.all(WORKSPACE) if row.entry.action == action]


@on_postgresql
@pytest.mark.parametrize("how", ["created", "renamed"])
async def test_a_name_that_two_teams_are_given_at_once_is_one_team_s(
    bot: Bot,
    admin: Person,
    teams: tuple[Team, Team],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """Whoever is second is told that it is taken; the database's own refusal was told as a fault of ours."""
    first, place = bot.teams.update(admin, teams[1].id, name="재무팀"), "update"
    if how == "created":
        first.close()
        first, place = a_team(bot, admin, "재무팀", "C0FINANCE1"), "create"
    second = bot.teams.update(admin, teams[0].id, name=" 재무팀")
    team, refused = await beside(monkeypatch, (Teams, place), first, second, database_url)
    assert team.name == "재무팀"
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.values) == (RefusalCode.TEAM_NAME_TAKEN, {"team": "재무팀"})


@on_postgresql
async def test_two_who_change_a_team_at_once_are_each_told_of_with_what_was_before(
    bot: Bot, admin: Person, teams: tuple[Team, Team], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trail read as if the second one had never seen the first, and nobody could tell who took what back."""
    one, other = "C0ONE00001", "C0OTHER001"
    await beside(
        monkeypatch,
        (Teams, "get"),
        bot.teams.update(admin, teams[0].id, channel_id=one),
        bot.teams.update(admin, teams[0].id, channel_id=other),
        database_url,
    )
    told = [(each["channel_before"], each["channel_after"]) for each in await acts(bot, "team.changed")]
    assert told == [("C0MARKET01", one), (one, other)]


@on_both_databases
async def test_two_who_leave_a_project_out_at_once_leave_it_out_once(
    bot: Bot, admin: Person, teams: tuple[Team, Team], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was so already is no act."""
    await bot.connections.register_key(admin, teams[0].id, KEY)
    [project] = (await bot.projects.register(admin, teams[0].id, ["proj_chat"])).registered
    found = await beside(
        monkeypatch,
        (type(bot.teams), "require_manager"),
        bot.projects.exclude(admin, project.id),
        bot.projects.exclude(admin, project.id),
    )
    assert [one.excluded for one in found] == [True, True]
    assert len(await acts(bot, "project.excluded")) == 1


@on_postgresql
async def test_two_teams_that_take_projects_crosswise_share_them_out(
    bot: Bot, admin: Person, teams: tuple[Team, Team], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waited for the project that the other had begun to take, until the database gave one of them up."""
    await bot.connections.register_key(admin, teams[0].id, KEY)
    await bot.connections.register_key(admin, teams[1].id, SECOND_KEY)
    one, other = await beside(
        monkeypatch,
        (Projects, "_claim"),
        bot.projects.register(admin, teams[0].id, ["proj_chat", "proj_search"]),
        bot.projects.register(admin, teams[1].id, ["proj_search", "proj_chat"]),
        database_url,
    )
    assert isinstance(one, ProjectsRegistered)
    assert isinstance(other, ProjectsRegistered)
    names = ["chatbot-experiment", "검색"]
    assert ([each.name for each in one.registered], [each.name for each in one.taken]) == (names, [])
    assert ([each.name for each in other.registered], [each.name for each in other.taken]) == ([], names[::-1])


@on_postgresql
@pytest.mark.parametrize("how", ["change", "add"])
async def test_a_channel_that_two_digests_of_a_team_are_given_at_once_is_one_s(
    bot: Bot,
    admin: Person,
    teams: tuple[Team, Team],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """Whoever is second is told that it is told there already; that was told as a fault of ours."""
    every = await bot.digests.channels.of(admin)
    [usual] = [one for one in every if one.scope is ScopeKind.TEAM and one.scope_id == teams[0].id]
    second = await bot.digests.channels.configure(admin, replace(usual, id=0, channel_id="C0SECOND01"))
    wanted = replace(usual, id=usual.id if how == "change" else 0, channel_id="C0FINANCE1")
    kept, refused = await beside(
        monkeypatch,
        (DigestChannels, how),
        bot.digests.channels.configure(admin, wanted),
        bot.digests.channels.configure(admin, replace(second, channel_id="C0FINANCE1")),
        database_url,
    )
    assert kept.channel_id == "C0FINANCE1"
    assert isinstance(refused, Refusal)
    assert refused.code is RefusalCode.DIGEST_CHANNEL_TAKEN


@on_postgresql
async def test_a_budget_that_is_deleted_as_it_is_switched_off_is_both(
    storage: Storage, clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who came to switch it off was told of a fault of ours."""
    world: World = await a_runaway(storage, clock)
    budgets, by = world.bot.budgets, world.admin
    switched, deleted = await beside(
        monkeypatch,
        (Budgets, "get"),
        budgets.switch(by, world.budget.id, is_enabled=False),
        budgets.delete(by, world.budget.id),
        database_url,
        time=2,  # first of all it was asked who may
    )
    assert not switched.budget.is_enabled
    assert deleted.budget.id == world.budget.id
    async with storage.reading() as store:
        assert await store.budgets.all(WORKSPACE) == []
