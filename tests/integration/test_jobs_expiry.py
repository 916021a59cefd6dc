"""A key about to expire: each warning told once, directly, to those who can replace the key, in their language."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from blocks import ids
from bot import Bot
from bot.expiring import EXPIRY
from bot.results import FindingCode, Level, Profile
from demo.mail import MailSink
from demo.slack import SimulatedSlack
from finops.expiry import LAST_WARNING
from finops.registry import Person, Team
from jobs.mail import Mailer, MailServer
from jobs.outbox import KEPT
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import (
    KEY,
    MINSU,
    SECOND_KEY,
    SEOYEON,
    WORKSPACE,
    Key,
    LittleOpenAI,
    a_bot,
    a_company,
    a_team,
)
from tests.integration.outbox_desk import slack as slack
from tests.integration.outbox_world import ADMIN, LEAD, Office, OneSlack

END = datetime(2026, 7, 26, 3, 0, tzinfo=UTC)


@pytest.fixture
def database_kind() -> str:
    """That a warning is told once depends on the database; what it says does not."""
    return "sqlite"


@pytest.fixture
async def openai() -> AsyncIterator[LittleOpenAI]:
    async with LittleOpenAI().running() as little:
        company = a_company(date(2026, 7, 6), 2)
        little.keys[KEY] = Key(company, expires_at=END)
        little.keys[SECOND_KEY] = Key(company, expires_at=END + timedelta(days=90))
        yield little


@pytest.fixture
async def team(bot: Bot, admin: Person) -> Team:
    made = await a_team(bot, admin)
    await bot.connections.register_key(admin, made.id, KEY)
    return made


@pytest.fixture
def office(bot: Bot, slack: SimulatedSlack, clock: FakeClock) -> Office:
    return Office(bot, slack, clock, OneSlack(slack))


async def looked(office: Office) -> list[tuple[str, str]]:
    """Look, and tell what waits; to whom it was, and the headline. What was told before is not told again."""
    await office.bot.expiring.everywhere()
    await office.rounds(office.deliverer(), 2, 20)
    return said(office)


def said(office: Office) -> list[tuple[str, str]]:
    people = {office.dm(each): each for each in (ADMIN, LEAD, SEOYEON.user_id) if known(office, each)}
    told = [
        (people[str(call.args["channel"])], call.text.split(" | ")[0])
        for call in office.calls("chat.postMessage")
        if call.ok
    ]
    office.slack.calls.clear()
    return told


def known(office: Office, user_id: str) -> bool:
    """Whether the bot has a direct conversation with a person yet."""
    return office.slack.world.dm_between({user_id, office.slack.config.app.bot_user_id}) is not None


@on_both_databases
async def test_each_warning_is_told_once_to_the_registrar_and_the_lead(
    bot: Bot, storage: Storage, openai: LittleOpenAI, office: Office, team: Team, clock: FakeClock
) -> None:
    """Two replicas that look at once, again and again: 14, 3 and 1 days before and at the end, once each."""
    async with a_bot(storage, openai, clock, bot.policy) as twin:
        offices = office, Office(twin, office.slack, clock, office.clients)
        deliverers = [each.deliverer(name) for each, name in zip(offices, ("one", "two"), strict=True)]

        async def looked_at(moment: datetime) -> list[tuple[str, str]]:
            for seconds in (0, 60, 7200):
                clock.moment = moment + timedelta(seconds=seconds)
                await asyncio.gather(*(each.bot.expiring.everywhere() for each in offices))
                for _ in range(2):
                    await asyncio.gather(*(each.deliver_due() for each in deliverers))
            return said(office)

        assert await looked_at(END - timedelta(days=14, hours=3)) == []
        for days, words in (
            (14, "14일 뒤 만료됩니다"),
            (3, "3일 뒤 만료됩니다"),
            (1, "24시간 안에 만료됩니다"),
            (0, "만료되었습니다"),
        ):
            told = await looked_at(END - timedelta(days=days))
            assert [user_id for user_id, _ in told] == [ADMIN, LEAD]
            assert all(words in headline and "...abc1" in headline for _, headline in told), told
        assert await looked_at(END + LAST_WARNING - timedelta(days=1)) == []
    async with storage.reading() as store:
        rows = await store.outbox.newest_of(WORKSPACE, EXPIRY, 9)
    assert [(row.urgency, row.version) for row in rows if "@" not in row.key] == [(1, 1), (1, 1), (0, 1), (0, 1)]
    assert office.slack.complaints == []


async def test_of_the_warnings_missed_only_the_nearest_is_told(office: Office, team: Team, clock: FakeClock) -> None:
    """After a downtime it names the days that are really left, and offers one button that replaces this key."""
    clock.moment = END - timedelta(days=1, hours=8)
    await office.bot.expiring.everywhere()
    await office.rounds(office.deliverer(), 2)
    [call, _] = office.calls("chat.postMessage")
    assert "2일 뒤 만료됩니다" in call.text
    [button] = [one for block in call.blocks if block["type"] == "actions" for one in block["elements"]]
    assert (button["action_id"], button["value"]) == (ids.KEY_REPLACE, "1")


async def test_a_replaced_key_is_warned_of_at_its_own_end(
    bot: Bot, office: Office, admin: Person, team: Team, clock: FakeClock
) -> None:
    """The new key stands in the old one's row; its warnings are its own."""
    clock.moment = END - timedelta(days=2)
    assert len(await looked(office)) == 2
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    await bot.connections.replace_key(admin, credential.id, SECOND_KEY)
    clock.moment = END
    assert await looked(office) == []
    clock.moment = END + timedelta(days=90 - 2)
    assert ["...abc2" in headline for _, headline in await looked(office)] == [True, True]


async def test_a_warning_that_stands_says_that_its_key_was_replaced(
    bot: Bot, office: Office, admin: Person, team: Team, clock: FakeClock
) -> None:
    """Everybody reads both in their own language; every one of it, once, with nothing left to press; nobody anew."""
    await bot.people.meet(WORKSPACE, "한빛소프트", Profile(LEAD, MINSU.name, "ja-JP", "Asia/Tokyo"))
    for days, words in ((14, ("14일 뒤 만료됩니다", "14日後")), (3, ("3일 뒤 만료됩니다", "3日後"))):
        clock.moment = END - timedelta(days=days)
        assert [word in headline for word, (_, headline) in zip(words, await looked(office), strict=True)] == [
            True,
            True,
        ]
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    await bot.connections.replace_key(admin, credential.id, SECOND_KEY)
    for _ in range(2):
        await bot.expiring.everywhere()
        await office.rounds(office.deliverer(), 2, 20)
    assert office.calls("chat.postMessage") == []
    edits = office.calls("chat.update")
    ends = {ADMIN: "Key(...abc1)를 교체했습니다", LEAD: "キー（...abc1）を置き換えました"}
    for user_id, headline in ends.items():
        mine = [one for one in edits if one.args["channel"] == office.dm(user_id)]
        assert [headline in one.text and "...abc2" in one.text for one in mine] == [True, True]
        assert all(ids.KEY_REPLACE not in str(one.blocks) for one in mine)
    assert (len(edits), await office.dead()) == (4, 0)


async def test_a_key_switched_off_or_without_an_end_is_not_warned_of(
    bot: Bot, openai: LittleOpenAI, office: Office, admin: Person, team: Team, clock: FakeClock
) -> None:
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    await bot.connections.disable(admin, credential.id)
    openai.keys[SECOND_KEY].expires_at = None
    await bot.connections.register_key(admin, team.id, SECOND_KEY)
    clock.moment = END
    assert await looked(office) == []


async def test_what_slack_does_not_take_is_told_soon_and_as_it_is_then(
    office: Office, team: Team, clock: FakeClock
) -> None:
    """Tried again like everything else; when another mark has come meanwhile, that one is told and not both."""
    clock.moment = END - timedelta(days=14)
    office.slack.fail("chat.postMessage", status=503)
    assert [user_id for user_id, _ in await looked(office)] == [ADMIN, LEAD]

    clock.moment = END - timedelta(days=3)
    office.slack.fail("*", status=503, times="always")
    assert await looked(office) == []
    clock.moment = END - timedelta(days=1, hours=12)
    office.slack.hub.faults.clear()
    told = await looked(office)
    assert [(user_id, "2일 뒤" in headline) for user_id, headline in told] == [(ADMIN, True), (LEAD, True)]

    clock.moment = END - timedelta(hours=20)
    office.slack.fail("*", status=503, times="always")
    assert await looked(office) == []
    clock.moment = END + timedelta(minutes=1)
    office.slack.hub.faults.clear()
    told = await looked(office)
    assert [(user_id, "만료되었습니다" in headline) for user_id, headline in told] == [(ADMIN, True), (LEAD, True)]
    assert await office.dead() == 0


@pytest.mark.parametrize("change", ["replaced", "deleted", "off and on"])
async def test_what_does_not_hold_any_more_is_not_told(
    bot: Bot, office: Office, admin: Person, team: Team, clock: FakeClock, change: str
) -> None:
    """And nobody calls that given up. Switched on again, a key is warned of after all."""
    clock.moment = END - timedelta(days=3)
    await bot.expiring.everywhere()
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    match change:
        case "replaced":
            await bot.connections.replace_key(admin, credential.id, SECOND_KEY)
        case "deleted":
            await bot.connections.delete(admin, credential.id)
        case _:
            await bot.connections.disable(admin, credential.id)
    assert await looked(office) == []
    assert await office.dead() == 0
    if change == "off and on":
        await bot.connections.enable(admin, credential.id)
        assert [user_id for user_id, _ in await looked(office)] == [ADMIN, LEAD]
        assert await looked(office) == []


async def test_who_leads_the_team_by_now_is_told_too(
    bot: Bot, office: Office, admin: Person, team: Team, clock: FakeClock
) -> None:
    """Of the same warning, and nobody else is told again."""
    clock.moment = END - timedelta(days=3)
    assert [user_id for user_id, _ in await looked(office)] == [ADMIN, LEAD]
    await bot.teams.update(admin, team.id, lead=SEOYEON)
    assert [user_id for user_id, _ in await looked(office)] == [SEOYEON.user_id]
    assert await looked(office) == []


async def test_on_the_last_day_a_mail_says_it_while_slack_is_away(office: Office, team: Team, clock: FakeClock) -> None:
    """Once for all whom it concerns, from one of two replicas; with days to go nobody is mailed."""
    async with MailSink().running() as sink:
        to = ["ops@hanbit.example"]
        server = MailServer.from_url(sink.url)
        office.mailer = Mailer(server, "finops@hanbit.example", to, clock, plaintext_hosts={"127.0.0.1"})
        office.slack.fail("*", status=503, times="always")
        alarms = [office.alarm("one"), office.alarm("two")]

        async def mailed(left: timedelta) -> list[str]:
            clock.moment = END - left
            await looked(office)
            clock.advance(minutes=2)
            await asyncio.gather(*(alarm.look() for alarm in alarms))
            return [mail.subject for mail in sink.kept]

        assert await mailed(timedelta(days=3)) == []
        [subject] = await mailed(timedelta(hours=23))
        assert "...abc1" in subject
        assert "24시간 안에 만료됩니다" in subject
        lines = sink.kept[0].text.splitlines()
        assert lines[0] == subject
        assert lines[1].startswith("마케팅팀")
        assert "제때 전달하지 못해" in lines[-1]
        office.slack.hub.faults.clear()
        assert [user_id for user_id, _ in await looked(office)] == [ADMIN, LEAD]
        assert await mailed(timedelta(hours=22)) == [subject]


async def test_what_the_outbox_forgot_is_not_told_anew(office: Office, team: Team, clock: FakeClock) -> None:
    """A key that ended is warned of for a month; what was told is kept for longer."""
    assert LAST_WARNING < KEPT
    clock.moment = END + timedelta(hours=1)
    assert len(await looked(office)) == 2
    clock.moment = END + KEPT + timedelta(days=1)
    async with office.bot.storage.writing() as store:
        assert await store.outbox.forget_before(clock() - KEPT) == 2
    assert await looked(office) == []


async def test_the_doctor_warns_of_it_too(bot: Bot, admin: Person, team: Team, clock: FakeClock):
    """All well, then a warning, then a failure."""
    found = []
    for moment in (END - timedelta(days=15), END - timedelta(days=2, hours=2), END):
        clock.moment = moment
        findings = await bot.doctor.examine(WORKSPACE)
        found += [(one.level, one.values.get("days_left")) for one in findings if one.code is FindingCode.KEY_EXPIRY]
    assert found == [(Level.OK, None), (Level.WARN, 3), (Level.FAIL, 0)]
