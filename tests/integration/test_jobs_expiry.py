"""A key about to expire: each warning said once, directly, to those who can replace the key, in their language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from blocks import ids
from bot import Bot
from bot.results import FindingCode, Level
from demo.slack import SimulatedSlack
from finops.registry import Person, Team
from jobs.announcer import Announcer
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import (
    KEY,
    MINSU,
    SECOND_KEY,
    WORKSPACE,
    Key,
    LittleOpenAI,
    a_bot,
    a_company,
    a_team,
    an_admin,
)

END = datetime(2026, 7, 26, 3, 0, tzinfo=UTC)


class OneWorkspace:
    """The clients app.py hands out, for one workspace."""

    def __init__(self, slack: SimulatedSlack) -> None:
        self._client = AsyncWebClient(token=slack.config.bot_token, base_url=slack.api_url, retry_handlers=[])

    async def of(self, workspace_id: str) -> AsyncWebClient:
        assert workspace_id == WORKSPACE
        return self._client


@pytest.fixture
def database_kind() -> str:
    """That a warning is said once depends on the database; what it says does not."""
    return "sqlite"


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock) as simulated:
        yield simulated


@pytest.fixture
async def openai() -> AsyncIterator[LittleOpenAI]:
    async with LittleOpenAI().running() as little:
        company = a_company(date(2026, 7, 6), 2)
        little.keys[KEY] = Key(company, expires_at=END)
        little.keys[SECOND_KEY] = Key(company, expires_at=END + timedelta(days=90))
        yield little


@pytest.fixture
async def bot(storage: Storage, openai: LittleOpenAI, clock: FakeClock) -> AsyncIterator[Bot]:
    async with a_bot(storage, openai, clock) as made:
        yield made


@pytest.fixture
async def admin(bot: Bot) -> Person:
    return await an_admin(bot)


@pytest.fixture
async def team(bot: Bot, admin: Person) -> Team:
    made = await a_team(bot, admin)
    await bot.connections.register_key(admin, made.id, KEY)
    return made


@pytest.fixture
def announcer(bot: Bot, slack: SimulatedSlack) -> Announcer:
    return Announcer(bot, OneWorkspace(slack))


def said(slack: SimulatedSlack) -> list[tuple[str, str]]:
    """To whom, and the headline; what was said before is not told again."""
    posted = [call for call in slack.calls if call.method == "chat.postMessage" and call.ok]
    told = [(str(call.args["channel"]), call.text.split(" | ")[0]) for call in posted]
    slack.calls.clear()
    return told


@on_both_databases
async def test_each_warning_is_said_once_to_the_registrar_and_the_lead(
    bot: Bot, storage: Storage, openai: LittleOpenAI, slack: SimulatedSlack, announcer: Announcer, admin: Person,
    team: Team, clock: FakeClock,
):  # fmt: skip
    """Two replicas that look again and again: nothing early, then 14, 3 and 1 days before and at the end, once each."""
    async with a_bot(storage, openai, clock, bot.policy) as twin:
        replicas = announcer, Announcer(twin, OneWorkspace(slack))

        async def looked_at(moment: datetime) -> list[tuple[str, str]]:
            for seconds in (0, 60, 7200):
                clock.moment = moment + timedelta(seconds=seconds)
                for replica in replicas:
                    await replica.tell_expiring()
            return said(slack)

        assert await looked_at(END - timedelta(days=14, hours=3)) == []
        for days, words in (
            (14, "14일 뒤 만료됩니다"),
            (3, "3일 뒤 만료됩니다"),
            (1, "24시간 안에 만료됩니다"),
            (0, "만료되었습니다"),
        ):
            told = await looked_at(END - timedelta(days=days))
            assert [user_id for user_id, _ in told] == [admin.user_id, MINSU.user_id]
            assert all(words in headline and "...abc1" in headline for _, headline in told), told
        assert await looked_at(END + timedelta(days=30)) == []
    assert slack.complaints == []


async def test_of_the_warnings_missed_only_the_nearest_is_said(
    slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team, clock: FakeClock
):
    """After a downtime it names the days that are really left, and offers one button that replaces this key."""
    clock.moment = END - timedelta(days=1, hours=8)
    await announcer.tell_expiring()
    [call, _] = [call for call in slack.calls if call.method == "chat.postMessage"]
    assert "2일 뒤 만료됩니다" in call.text
    [button] = [one for block in call.blocks if block["type"] == "actions" for one in block["elements"]]
    assert (button["action_id"], button["value"]) == (ids.KEY_REPLACE, "1")


async def test_a_replaced_key_is_warned_of_at_its_own_end(
    bot: Bot, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team, clock: FakeClock
):
    """The new key stands in the old one's row; its warnings are its own."""
    clock.moment = END - timedelta(days=2)
    await announcer.tell_expiring()
    assert len(said(slack)) == 2
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    await bot.connections.replace_key(admin, credential.id, SECOND_KEY)
    clock.moment = END
    await announcer.tell_expiring()
    assert said(slack) == []
    clock.moment = END + timedelta(days=90 - 2)
    await announcer.tell_expiring()
    assert ["...abc2" in headline for _, headline in said(slack)] == [True, True]


async def test_a_key_switched_off_or_without_an_end_is_not_warned_of(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team,
    clock: FakeClock,
):  # fmt: skip
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    await bot.connections.disable(admin, credential.id)
    openai.keys[SECOND_KEY].expires_at = None
    await bot.connections.register_key(admin, team.id, SECOND_KEY)
    clock.moment = END
    await announcer.tell_expiring()
    assert said(slack) == []


async def test_a_warning_slack_would_not_take_is_said_within_the_hour(
    slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team, clock: FakeClock
):
    clock.moment = END - timedelta(days=3)
    slack.fail("chat.postMessage", error="internal_error")
    await announcer.tell_expiring()
    assert [user_id for user_id, _ in said(slack)] == [MINSU.user_id]
    clock.advance(hours=1)
    await announcer.tell_expiring()
    assert [user_id for user_id, _ in said(slack)] == [admin.user_id]


async def test_the_doctor_warns_of_it_too(bot: Bot, admin: Person, team: Team, clock: FakeClock):
    """All well, then a warning, then a failure."""
    found = []
    for moment in (END - timedelta(days=15), END - timedelta(days=2, hours=2), END):
        clock.moment = moment
        findings = await bot.doctor.examine(WORKSPACE)
        found += [(one.level, one.values.get("days_left")) for one in findings if one.code is FindingCode.KEY_EXPIRY]
    assert found == [(Level.OK, None), (Level.WARN, 3), (Level.FAIL, 0)]
