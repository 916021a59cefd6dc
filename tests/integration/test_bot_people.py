"""Who administers, and for how long: every gain and every loss of the role, and that nobody is locked out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from finops.registry import Person, Role
from storage import Storage
from storage.people import People
from storage.workspaces import Workspaces
from tests.conftest import FakeClock
from tests.integration.bot_world import JIHOON, MINSU, SEOYEON, WORKSPACE, LittleOpenAI, a_bot

NAME = "한빛소프트"
GUEST, GONE, STRANGER = {"is_guest": True}, {"is_deactivated": True}, {"is_bot": True}


@pytest.fixture
def database_kind() -> str:
    """What is asked of the database is asked of both in test_storage_registry.py."""
    return "sqlite"


@pytest.fixture
async def openai() -> AsyncIterator[LittleOpenAI]:
    async with LittleOpenAI().running() as server:
        yield server


class House:
    """One database, and bots on it that were started with this or that in FINOPS_ADMINS."""

    def __init__(self, storage: Storage, openai: LittleOpenAI, clock: FakeClock) -> None:
        self.storage = storage
        self._given = (storage, openai, clock)

    def bot(self, *named: Profile) -> AbstractAsyncContextManager[Bot]:
        return a_bot(*self._given, Policy(first_admins=frozenset(one.user_id for one in named)))

    async def installed_by(self, who: Profile) -> None:
        async with self.storage.writing() as store:
            at = self._given[2]()
            await store.workspaces.ensure(
                WORKSPACE, name=NAME, locale="ko", timezone="Asia/Seoul", installed_by=who.user_id, at=at
            )
            await store.workspaces.set_installer(WORKSPACE, who.user_id)

    async def trail(self) -> list[tuple[str, str, Any]]:
        """Every gain and loss of the role, as it was written down."""
        async with self.storage.reading() as store:
            rows = [row.entry async for row in store.audit.all(WORKSPACE)]
        told = [one for one in rows if one.action.startswith("admin.")]
        return [(one.action, one.subject.removeprefix("person:"), one.details["why"]) for one in told]


@pytest.fixture
def house(storage: Storage, openai: LittleOpenAI, clock: FakeClock) -> House:
    return House(storage, openai, clock)


async def meets(bot: Bot, who: Profile, *, asks: bool = False, **changes: Any) -> Person:
    return await bot.people.meet(WORKSPACE, NAME, replace(who, **changes), asks_setup=asks)


async def present(bot: Bot, who: Profile) -> Person:
    person = await bot.people.present(WORKSPACE, who.user_id)
    assert person is not None
    return person


async def test_a_slack_admin_who_is_none_any_more_administers_no_longer_and_the_place_is_free(house: House):
    """Written down both times; the next Slack admin who asks for set-up takes the place, the former one does not."""
    async with house.bot() as bot:
        assert (await meets(bot, JIHOON, asks=True)).role is Role.ADMIN_FIRST
        former = await meets(bot, JIHOON, is_workspace_admin=False)
        assert not former.is_admin
        with pytest.raises(Refusal) as refused:
            await bot.people.require_admin(former)
        assert refused.value.code is RefusalCode.NO_ADMIN_YET
        assert not (await meets(bot, JIHOON, asks=True, is_workspace_admin=False)).is_admin
        assert (await meets(bot, MINSU, asks=True, is_workspace_admin=True)).is_admin
        with pytest.raises(Refusal) as told:
            await bot.people.require_admin(await present(bot, JIHOON))
        assert (told.value.code, told.value.values) == (RefusalCode.NOT_ADMIN, {"admins": (MINSU.user_id,)})
    assert await house.trail() == [
        ("admin.appointed", JIHOON.user_id, "first"),
        ("admin.removed", JIHOON.user_id, "no_slack_admin"),
        ("admin.appointed", MINSU.user_id, "first"),
    ]


@pytest.mark.parametrize(("change", "why"), [(GUEST, "guest"), (GONE, "deactivated"), (STRANGER, "bot")])
async def test_whoever_turns_into_an_outsider_has_no_rights_whatever_gave_them(
    house: House, change: dict[str, bool], why: str
):
    """Named by the operator, who installed the app, or a team's lead: all of it sleeps until Slack says otherwise."""
    await house.installed_by(MINSU)
    async with house.bot(JIHOON, MINSU) as bot:
        admin = await meets(bot, JIHOON)
        team = await bot.teams.create(admin, "데이터팀", SEOYEON, "C0DATA0001")
        assert (await meets(bot, MINSU)).is_admin
        assert await bot.teams.managed_by(await meets(bot, SEOYEON)) == [team]
        for who in (MINSU, SEOYEON):
            outsider = await meets(bot, who, **change)
            assert outsider.role is Role.OUTSIDER
            assert await bot.teams.managed_by(await present(bot, who)) == []
            with pytest.raises(Refusal) as refused:
                await bot.teams.require_manager(outsider, team.id)
            assert refused.value.code is RefusalCode.NOT_TEAM_MANAGER
            assert refused.value.values["admins"] == (JIHOON.user_id,)
        assert (await meets(bot, MINSU)).is_admin, "back as a member, and still named"
        assert await bot.teams.managed_by(await meets(bot, SEOYEON)) == [team]
    assert [row for row in await house.trail() if row[1] == MINSU.user_id] == [
        ("admin.appointed", MINSU.user_id, "named"),
        ("admin.removed", MINSU.user_id, why),
        ("admin.appointed", MINSU.user_id, "named"),
    ]


async def test_the_settings_give_and_take_the_role_from_the_next_start_on(house: House):
    """Without anybody being asked: who was taken out is no admin even before they click, who was put in is one."""
    async with house.bot(JIHOON) as bot:
        assert (await meets(bot, JIHOON)).is_admin
        assert not (await meets(bot, SEOYEON)).is_admin
    async with house.bot(SEOYEON) as bot:
        assert not (await present(bot, JIHOON)).is_admin, "at the click, whether or not the start looked"
        await bot.people.settle()
        assert await bot.people.admins(WORKSPACE) == (SEOYEON.user_id,)
        assert not (await meets(bot, JIHOON, asks=True)).is_admin, "a Slack admin, but the settings name somebody"
    assert await house.trail() == [
        ("admin.appointed", JIHOON.user_id, "named"),
        ("admin.removed", JIHOON.user_id, "unnamed"),
        ("admin.appointed", SEOYEON.user_id, "named"),
    ]


async def test_the_installer_stays_whatever_slack_and_the_settings_say(house: House):
    """Until deactivated; and whoever installs the app again takes nothing over while there is an admin."""
    await house.installed_by(MINSU)
    async with house.bot() as bot:
        assert (await meets(bot, MINSU)).role is Role.ADMIN_INSTALLED
        await house.installed_by(SEOYEON)
        assert not (await meets(bot, SEOYEON)).is_admin
    async with house.bot(JIHOON) as bot:
        await bot.people.settle()
        assert (await meets(bot, MINSU)).is_admin
        assert not (await meets(bot, SEOYEON)).is_admin
    async with house.bot() as bot:
        await bot.people.settle()
        assert not (await meets(bot, MINSU, **GONE)).is_admin
        assert (await meets(bot, SEOYEON)).role is Role.ADMIN_INSTALLED, "the last who installed, now that nobody is"


async def test_whom_the_settings_named_stays_when_it_was_them_who_installed(house: House):
    await house.installed_by(JIHOON)
    async with house.bot(JIHOON) as bot:
        assert (await meets(bot, JIHOON)).role is Role.ADMIN_NAMED
    async with house.bot(SEOYEON) as bot:
        await bot.people.settle()
        assert (await present(bot, JIHOON)).role is Role.ADMIN_INSTALLED
    assert await house.trail() == [("admin.appointed", JIHOON.user_id, "named")], "neither lost nor gained"


async def test_a_workspace_whose_installer_has_left_begins_anew_with_a_slack_admin(house: House):
    await house.installed_by(MINSU)
    async with house.bot() as bot:
        assert (await meets(bot, MINSU)).is_admin
        assert not (await meets(bot, JIHOON, asks=True)).is_admin
        await meets(bot, MINSU, **GONE)
        assert (await meets(bot, JIHOON, asks=True)).role is Role.ADMIN_FIRST


async def test_an_admin_of_whom_nobody_heard_for_a_while_is_asked_about(house: House, clock: FakeClock):
    async with house.bot() as bot:
        await meets(bot, JIHOON, asks=True)
        assert await bot.people.unseen_admins(WORKSPACE, but="U0ANY") == ()
        clock.advance(hours=2)
        assert await bot.people.unseen_admins(WORKSPACE, but="U0ANY") == (JIHOON.user_id,)
        assert await bot.people.unseen_admins(WORKSPACE, but=JIHOON.user_id) == ()
        clock.moment -= timedelta(hours=9)  # put right: it had met him at an hour that is still to come
        assert await bot.people.unseen_admins(WORKSPACE, but="U0ANY") == (JIHOON.user_id,)


async def test_an_admin_from_before_the_reasons_were_kept_is_judged_by_what_is_known(house: House):
    """A Slack admin stays one; who was named and is not any more does not."""
    async with house.bot() as bot:
        for who in (JIHOON, MINSU):
            await meets(bot, who)
            async with house.storage.writing() as store:
                await store.people.set_role(WORKSPACE, who.user_id, Role.ADMIN)
        await bot.people.settle()
        assert (await present(bot, JIHOON)).role is Role.ADMIN_FIRST
        assert (await present(bot, MINSU)).role is Role.MEMBER
    assert await house.trail() == [("admin.removed", MINSU.user_id, "no_reason")]


async def test_two_replicas_that_see_it_at_once_write_it_down_once(house: House):
    async with house.bot() as one, house.bot() as other:
        await meets(one, JIHOON, asks=True)
        before = await present(other, JIHOON)
        await meets(one, JIHOON, **GONE)
        async with house.storage.writing() as store:
            assert not await store.people.set_role(WORKSPACE, JIHOON.user_id, Role.MEMBER, before.role)
        assert not (await meets(other, JIHOON, **GONE)).is_admin
    assert [action for action, *_ in await house.trail()] == ["admin.appointed", "admin.removed"]


@pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers take turns
async def test_two_admins_who_lose_the_role_at_one_moment_leave_the_place_free(
    house: House, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    """Neither transaction sees that the other ends a role: each left the place to the other, and it stayed taken for
    the week a claim is kept."""
    async with house.bot(MINSU, SEOYEON) as before:
        for one in MINSU, SEOYEON:
            await before.people.meet(WORKSPACE, NAME, one)
    async with house.storage.writing() as store:
        assert await store.claims.once(WORKSPACE, "first-admin", clock())
    # Whoever is first goes on once the other has ended a role as well, or waits for its turn.
    reached: dict[str, int] = {}
    both, set_role, hold = asyncio.Event(), People.set_role, Workspaces.hold

    def reach(what: str) -> None:
        reached[what] = reached.get(what, 0) + 1
        if reached[what] == 2:
            both.set()

    async def ended(*given: Any) -> bool:
        done = await set_role(*given)
        reach("ended")
        await both.wait()
        return done

    async def held(*given: Any) -> None:
        reach("held")
        await hold(*given)

    monkeypatch.setattr(People, "set_role", ended)
    monkeypatch.setattr(Workspaces, "hold", held)
    async with house.bot() as bot, asyncio.timeout(20):
        found = await asyncio.gather(*(bot.people.present(WORKSPACE, one.user_id) for one in (MINSU, SEOYEON)))
    assert both.is_set(), "both were in the midst of it"
    assert [one and one.is_admin for one in found] == [False, False]
    async with house.storage.reading() as store:
        assert not await store.claims.has(WORKSPACE, "first-admin")


async def test_a_refusal_names_only_who_still_could(house: House) -> None:
    """A lead who became a guest is no more sent to themselves than others are sent to them."""
    async with house.bot() as bot:
        admin = await meets(bot, JIHOON, asks=True, is_workspace_admin=True)
        lead, member = [await meets(bot, one) for one in (MINSU, SEOYEON)]
        team = await bot.teams.create(admin, "마케팅팀", MINSU, "C0MARKET01")

        async def refused(person: Person) -> tuple[RefusalCode, object, object]:
            with pytest.raises(Refusal) as said:
                await bot.teams.require_manager(person, team.id)
            return said.value.code, said.value.values.get("lead"), said.value.values.get("admins")

        admins = (admin.user_id,)
        assert await refused(member) == (RefusalCode.NOT_TEAM_MANAGER, lead.user_id, admins)
        lead = await meets(bot, MINSU, **GUEST)
        for person in lead, member:
            assert await refused(person) == (RefusalCode.NOT_TEAM_MANAGER, None, admins)
        await meets(bot, JIHOON, **GONE)
        assert await refused(lead) == (RefusalCode.NO_ADMIN_YET, None, None)
