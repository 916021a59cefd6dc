"""What keeps the bot from collecting blinds once and spoils no more than it has to: outages, nonsense, refused keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blocks import collection, home, status
from bot import Bot, Policy
from bot.results import Failed, Finished, Progress
from bot.telling import URGENT
from finops.periods import Period
from finops.registry import Person, Team
from locales import translator_for
from providers.openai import OpenAI
from storage import Storage
from storage.records import CollectionKind
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import (
    KEY,
    SECOND_KEY,
    WORKSPACE,
    LittleOpenAI,
    Organization,
    a_bot,
    a_team,
    an_admin,
    blind_told,
    worked,
)
from tests.integration.collecting_world import DAYS, TODAY, assert_ledger_is_the_bill, backfilled, connected
from tests.integration.collecting_world import days as days
from tests.integration.collecting_world import policy as policy


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


async def test_a_failure_blinds_once_and_recovery_is_told_with_its_beginning(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """Unavailable: retried by itself with growing patience; blind since the first failure; seen again at the end."""
    await backfilled(bot, admin, team)
    openai.status = 503
    clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    [failed] = [event for event in await worked(bot) if isinstance(event, Failed)]
    assert failed.newly_blind
    assert failed.news.code == "unavailable"
    assert failed.retry_at == clock() + timedelta(minutes=1)
    assert [(one.channel_id, one.urgency) for one in await blind_told(bot)] == [(team.channel_id, URGENT)]
    assert [alert.since for alert in await bot.blindness.alerts()] == [clock()]
    home = await bot.reports.home(WORKSPACE, admin)
    assert home.blind[0].since == clock()
    assert home.yesterday.amount is None
    assert home.yesterday.unread_days == 1

    clock.advance(seconds=59)
    assert await worked(bot) == []
    clock.advance(seconds=1)
    again = [event for event in await worked(bot) if isinstance(event, Failed)]
    assert not any(event.newly_blind for event in again)
    assert again[0].blind_since == failed.blind_since

    openai.status = 200
    clock.advance(minutes=20)
    told = await worked(bot)
    [over] = await blind_told(bot)
    assert (over.subject["since"], over.subject["until"]) == (failed.blind_since.isoformat(), clock().isoformat())
    assert await bot.blindness.alerts() == []
    assert isinstance(told[-1], Finished)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


async def test_trouble_that_passes_within_minutes_blinds_nobody(
    storage: Storage, openai: LittleOpenAI, clock: FakeClock
):
    """A provider away for some minutes is asked again in silence; away for a quarter of an hour, it is told, once."""
    async with a_bot(storage, openai, clock, Policy(backfill_days=DAYS)) as bot:
        admin = await an_admin(bot)
        await backfilled(bot, admin, await a_team(bot, admin))
        openai.status = 503
        clock.moment = began = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
        await bot.collecting.due(clock())
        news = []
        for minutes in (1, 2, 4, 8, 15):
            failed = [event for event in await worked(bot) if isinstance(event, Failed)]
            news.append(any(event.newly_blind for event in failed))
            clock.advance(minutes=minutes)
        assert news == [False, False, False, False, True]
        assert [alert.since for alert in await bot.blindness.alerts()] == [began]
        openai.status = 200
        await worked(bot)
        [over] = await blind_told(bot)
        assert (over.subject["since"], over.subject["until"]) == (began.isoformat(), clock().isoformat())


async def test_a_mistake_of_ours_is_borne_and_told_like_an_outage(
    storage: Storage, openai: LittleOpenAI, company: Organization, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    """What nobody thought of stood in the log at every try, and those who wait for the bill were never told."""
    async with a_bot(storage, openai, clock, Policy(backfill_days=DAYS)) as bot:
        admin = await an_admin(bot)
        await backfilled(bot, admin, await a_team(bot, admin))
        clock.moment = began = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)

        def stumble(*_: object) -> None:
            raise ZeroDivisionError("no share of nothing")

        news = []
        with monkeypatch.context() as patched:
            patched.setattr(OpenAI, "charges", stumble)
            await bot.collecting.due(clock())
            for minutes in (1, 2, 4, 8, 15):
                [failed] = [event for event in await worked(bot) if isinstance(event, Failed)]
                news.append((failed.news.code, failed.newly_blind))
                clock.advance(minutes=minutes)
        assert news == [("internal", False)] * 4 + [("internal", True)]
        assert [alert.since for alert in await bot.blindness.alerts()] == [began]
        await worked(bot)
        assert await bot.blindness.alerts() == []
        await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


@on_both_databases
async def test_a_name_that_no_database_keeps_stops_no_collection(
    bot: Bot, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """PostgreSQL has no room for a zero in a text: one project named so, and no bill was read any more."""
    await backfilled(bot, admin, team)
    company.projects["proj_zero"] = "new\0bot"
    clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    assert isinstance((await worked(bot))[-1], Finished)
    async with bot.storage.reading() as store:
        names = {one.provider_project_id: one.name for one in await store.known_projects.all(WORKSPACE)}
    assert names["proj_zero"] == "newbot"


async def test_a_key_that_is_refused_is_told_at_once(storage: Storage, openai: LittleOpenAI, clock: FakeClock):
    """No waiting mends a revoked key: a person has to."""
    async with a_bot(storage, openai, clock, Policy(backfill_days=DAYS)) as bot:
        admin = await an_admin(bot)
        await backfilled(bot, admin, await a_team(bot, admin))
        openai.keys[KEY].is_revoked = True
        clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
        await bot.collecting.due(clock())
        assert any(event.newly_blind for event in await worked(bot) if isinstance(event, Failed))


async def test_nonsense_for_one_day_spoils_that_day_only_and_keeps_its_old_rows(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    await backfilled(bot, admin, team)
    spoilt, fine = TODAY - timedelta(days=3), TODAY - timedelta(days=2)
    before = company.by_day(spoilt)
    company.bill[spoilt] = [("proj_chat", "gpt-5.4, input", "1")]
    company.bill[fine] = [("proj_chat", "gpt-5.4, input", "2")]
    openai.is_nonsense_on = {spoilt}
    await bot.collecting.start_manual(admin)
    [failed] = await worked(bot)
    assert isinstance(failed, Failed)
    assert failed.news.code == "unexpected_response"
    async with bot.storage.reading() as store:
        totals = await store.charges.daily_totals(WORKSPACE, Period(spoilt, TODAY))
    assert [one.amount.amount for one in totals][:2] == [before, 2]


async def test_an_answer_that_tells_no_day_is_no_bill_without_charges(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """Well-formed and empty: what was known stays, people are told once, and told when it is over."""
    await connected(bot, admin, team)
    openai.is_silent_on = set(company.bill)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    [failed] = await worked(bot)
    assert isinstance(failed, Failed)
    assert (failed.news.code, failed.news.values["pointer"], failed.newly_blind) == (
        "unexpected_response",
        "/data",
        True,
    )
    openai.is_silent_on = set()
    clock.advance(minutes=20)
    assert isinstance((await worked(bot))[-1], Finished)


async def test_a_day_left_out_of_a_good_answer_is_told_and_not_counted_as_read(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    """Nobody is blind, so nothing else would say it: the result does, and a status of that very day."""
    await connected(bot, admin, team)
    yesterday, other = TODAY - timedelta(days=1), TODAY - timedelta(days=4)
    openai.is_silent_on = {yesterday, other}
    await bot.projects.register(admin, team.id, ["proj_chat"])
    done = (await worked(bot))[-1]
    assert isinstance(done, Finished)
    assert done.unread == (other, yesterday)
    assert done.collection.days_done == done.collection.days_total - 2
    t = translator_for("ko-KR")
    names = ", ".join(map(t.short_day, done.unread))
    said = f"△ 아직 다 확인하지 못한 날: {names}. 매일 비용을 수집할 때 다시 조회합니다."
    report = await bot.reports.first_chart(WORKSPACE)
    assert said in str(collection.first_chart(done.collection, report, t, done.unread).blocks)
    assert said in str(collection.finished(done.collection, t, unread=done.unread).blocks)
    home_now = await bot.reports.home(WORKSPACE, admin)
    assert said in str(home.view(home_now, t))
    asked = await bot.reports.status(WORKSPACE, admin, "어제")
    assert "확인 불가" in str(status.message(asked, t).blocks)
    assert said.replace(names, t.short_day(yesterday)) in str(status.message(asked, t).blocks)
    openai.is_silent_on = set()
    clock.advance(days=1)
    await bot.collecting.due(clock())
    again = (await worked(bot))[-1]
    assert isinstance(again, Finished)
    assert again.unread == ()


async def test_days_from_before_there_was_an_organization_keep_no_backfill_from_its_end(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team
):
    await connected(bot, admin, team)
    openai.is_silent_on = {day for day in company.bill if day < TODAY - timedelta(days=3)}
    await bot.projects.register(admin, team.id, ["proj_chat"])
    assert isinstance((await worked(bot))[-1], Finished)


async def test_a_collection_that_keeps_failing_does_not_hold_up_the_morning(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    """A back-fill stuck on one bad day long ago is retried, and the daily reading goes first."""
    await connected(bot, admin, team)
    openai.is_nonsense_on = {TODAY - timedelta(days=DAYS)}
    await bot.projects.register(admin, team.id, ["proj_chat"])
    assert isinstance((await worked(bot))[-1], Failed)
    clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    told = await worked(bot)
    assert isinstance(told[0], Progress)
    assert told[0].told.kind is CollectionKind.DAILY


async def test_missed_days_are_made_up_for_though_an_old_day_keeps_the_backfill_from_its_end(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """Each has its own stretch: the back-fill what it never reached, catch-up what was missed since."""
    await connected(bot, admin, team)
    openai.is_nonsense_on = {TODAY - timedelta(days=DAYS)}
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await worked(bot)
    for n in range(20):
        company.charge(TODAY + timedelta(days=n), "proj_chat", f"{n}.25")
    clock.moment = datetime(2026, 7, 26, 3, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    await worked(bot)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=14), TODAY + timedelta(days=20))


async def test_a_person_who_asks_does_not_wait_for_the_next_try(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    """Blind and parked for a while: "collect now" means now, and is not queued a second time."""
    await backfilled(bot, admin, team)
    openai.status = 503
    clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    for _ in range(5):
        await worked(bot)
        clock.advance(minutes=16)
    await worked(bot)
    openai.status = 200
    clock.advance(seconds=1)
    assert await worked(bot) == []
    started = await bot.collecting.start_manual(admin)
    assert [one.kind for one in started.collections] == ["daily"]
    await worked(bot)
    assert ["until" in one.subject for one in await blind_told(bot)] == [True]
    assert await bot.collecting.progress(WORKSPACE) == ()


async def test_a_rejected_key_gives_way_to_another_of_the_same_connection(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team
):
    await connected(bot, admin, team)
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    second = await bot.connections.register_key(admin, data.id, SECOND_KEY)
    assert second.is_shared
    openai.keys[SECOND_KEY].is_revoked = True  # the newest key is tried first
    openai.asked.clear()
    await bot.projects.register(admin, team.id, ["proj_chat"])
    assert isinstance((await worked(bot))[-1], Finished)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


async def test_when_every_key_is_rejected_a_person_has_to_help_and_a_new_key_goes_on(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """The back-fill that stopped half-way goes on where it stopped, once a working key takes the old one's place."""
    await connected(bot, admin, team)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    openai.keys[KEY].is_revoked = True
    [failed] = await worked(bot)
    assert isinstance(failed, Failed)
    assert failed.news.code == "key_rejected"
    assert failed.retry_at is None
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    clock.advance(hours=1)
    replaced = await bot.connections.replace_key(admin, credential.id, SECOND_KEY)
    assert replaced.credential.ends_with == "abc2"
    await worked(bot)
    assert ["until" in one.subject for one in await blind_told(bot)] == [True]
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)
