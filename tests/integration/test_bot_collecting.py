"""Collecting keeps its promises on both databases: exact, resumable, once, and honest when it cannot look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.results import Failed, Finished, Progress
from bot.telling import URGENT
from finops.charges import FigureState
from finops.periods import Period
from finops.registry import CredentialState, Person, Team
from storage import Storage
from storage.records import CollectionKind, CollectionState
from tests.conftest import FakeClock
from tests.integration.bot_world import (
    KEY,
    MINSU,
    OTHER_KEY,
    SECOND_KEY,
    SEOYEON,
    WORKSPACE,
    Key,
    LittleOpenAI,
    Organization,
    a_bot,
    a_company,
    a_team,
    an_admin,
    blind_told,
    worked,
)

TODAY = date(2026, 7, 6)
# What the bot decides, and not the database; what they have to do together is proved on both.
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])
DAYS = 16  # of back-fill: two whole chunks and a short one


@pytest.fixture
async def openai() -> AsyncIterator[LittleOpenAI]:
    async with LittleOpenAI().running() as little:
        yield little


@pytest.fixture
async def bot(storage: Storage, openai: LittleOpenAI, clock: FakeClock) -> AsyncIterator[Bot]:
    async with a_bot(storage, openai, clock, Policy(backfill_days=DAYS, blind_after_minutes=0)) as made:
        yield made


@pytest.fixture
def company(openai: LittleOpenAI) -> Organization:
    made = a_company(TODAY, DAYS)
    openai.keys[KEY] = Key(made)
    return made


@pytest.fixture
async def admin(bot: Bot) -> Person:
    return await an_admin(bot)


@pytest.fixture
async def team(bot: Bot, admin: Person) -> Team:
    return await a_team(bot, admin)


async def connected(bot: Bot, admin: Person, team: Team, key: str = KEY) -> int:
    return (await bot.connections.register_key(admin, team.id, key)).connection.id


async def backfilled(bot: Bot, admin: Person, team: Team) -> int:
    connection_id = await connected(bot, admin, team)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await worked(bot)
    return connection_id


async def assert_ledger_is_the_bill(bot: Bot, company: Organization, start: date, end: date) -> None:
    async with bot.storage.reading() as store:
        totals = await store.charges.daily_totals(WORKSPACE, Period(start, end))
        per_project = await store.charges.totals(WORKSPACE, Period(start, end))
    assert {one.day: one.amount.amount for one in totals} == {
        day: company.by_day(day) for day in Period(start, end) if company.bill.get(day)
    }
    for one in totals:
        parts = [row.amount.amount for row in per_project if row.day == one.day]
        assert sum(parts) == one.amount.amount


async def test_a_backfill_reads_everything_newest_first_and_tells_its_progress(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team
):
    """180 (here 16) days arrive in chunks from yesterday backwards, and the ledger equals the bill on every day."""
    await connected(bot, admin, team)
    openai.asked.clear()
    registered = await bot.projects.register(admin, team.id, ["proj_chat", "proj_search"])
    assert registered.collection_started
    assert not registered.has_history
    assert bot.wake.is_set()

    told = await worked(bot)

    assert [event.collection.days_done for event in told if isinstance(event, Progress)] == [7, 14, 16]
    assert isinstance(told[-1], Finished)
    assert told[-1].collection.total is not None
    assert told[-1].collection.total.amount == company.total(TODAY - timedelta(days=DAYS), TODAY)
    assert not told[-1].is_empty
    ends = [end for _, _, end in openai.asked]
    assert ends[0] == TODAY
    assert ends == sorted(ends, reverse=True)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


@on_sqlite
async def test_projects_and_unallocated_add_up_to_the_provider_total(
    bot: Bot, company: Organization, admin: Person, team: Team
):
    """What nobody registered is shown as unallocated, and shares and rest are the total to the last digit."""
    await backfilled(bot, admin, team)
    report = await bot.reports.status(WORKSPACE, admin, "30d")
    assert report.breakdown.total.amount == company.total(TODAY - timedelta(days=DAYS), TODAY)
    assert sum(share.amount.amount for share in report.breakdown.shares) == report.breakdown.total.amount
    assert [share.is_unallocated for share in report.breakdown.shares] == [False, True]
    assert report.figure.amount == report.breakdown.total


@on_sqlite
async def test_an_empty_organization_is_told_as_empty_not_as_zero(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    openai.keys[KEY] = Key(Organization("org-new", None, {"proj_new": "new"}))
    await connected(bot, admin, team)
    await bot.projects.register(admin, team.id, ["proj_new"])
    finished = (await worked(bot))[-1]
    assert isinstance(finished, Finished)
    assert finished.is_empty
    assert finished.collection.total is None


async def test_the_daily_reading_is_queued_once_for_each_slot_whoever_asks(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """09:00 in Seoul; two replicas and many looks a day make one reading of the trailing 8 days."""
    await backfilled(bot, admin, team)
    clock.moment = datetime(2026, 7, 6, 23, 59, 59, tzinfo=UTC)
    assert await bot.collecting.due(clock()) == 0  # 08:59:59 in Seoul; the slot before was before the connection
    clock.advance(seconds=1)
    async with a_bot(bot.storage, openai, clock, bot.policy) as twin:
        assert await bot.collecting.due(clock()) + await twin.collecting.due(clock()) == 2  # daily and catch-up
        assert await twin.collecting.due(clock()) == 0
        openai.asked.clear()
        company.charge(TODAY, "proj_chat", "9.99")
        told = await worked(twin, "twin")
    daily = [event for event in told if isinstance(event, Finished) and event.told.kind is CollectionKind.DAILY]
    assert [event.collection.days_total for event in daily] == [8]
    assert openai.asked[0][2] == TODAY + timedelta(days=1)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY + timedelta(days=1))


@on_sqlite
async def test_every_day_missed_in_a_long_downtime_is_made_up_for(
    bot: Bot, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """Nothing ran for 20 days: one look afterwards queues all of them, and the ledger has no hole."""
    await backfilled(bot, admin, team)
    for n in range(20):
        company.charge(TODAY + timedelta(days=n), "proj_chat", f"{n}.25")
    clock.moment = datetime(2026, 7, 26, 3, 0, tzinfo=UTC)
    assert await bot.collecting.due(clock()) == 2
    await worked(bot)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY + timedelta(days=20))
    report = await bot.reports.status(WORKSPACE, admin, "30d")
    assert report.figure.unread_days == 0


@on_sqlite
async def test_old_days_settle_after_two_more_mornings_and_are_left_alone_then(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    """A back-fill reads old days once; catch-up looks again until they stood still twice."""
    await backfilled(bot, admin, team)
    for morning in range(1, 4):
        clock.moment = datetime(2026, 7, 6 + morning, 0, 0, tzinfo=UTC)
        await bot.collecting.due(clock())
        await worked(bot)
    report = await bot.reports.status(WORKSPACE, admin, "last month")
    assert report.figure.state is FigureState.SETTLED
    openai.asked.clear()
    clock.advance(days=1)
    await bot.collecting.due(clock())
    await worked(bot)
    assert min(start for _, start, _ in openai.asked) >= clock().date() - timedelta(days=9)


async def test_a_restated_day_is_replaced_and_the_old_amount_is_on_record(
    bot: Bot, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    await backfilled(bot, admin, team)
    yesterday = TODAY - timedelta(days=1)
    company.bill[yesterday] = [("proj_chat", "gpt-5.4, input", "7.5")]
    clock.advance(hours=1)
    await bot.collecting.start_manual(admin)
    finished = (await worked(bot))[-1]
    assert isinstance(finished, Finished)
    assert finished.restated_days == 1
    await assert_ledger_is_the_bill(bot, company, yesterday, TODAY)
    async with bot.storage.reading() as store:
        moved = await store.restatements.of(WORKSPACE, Period(yesterday, TODAY))
    assert {one.sub_account_id: one.new.amount for one in moved}["proj_chat"] == company.by_day(yesterday)


@on_sqlite
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


@on_sqlite
async def test_trouble_that_passes_within_minutes_blinds_nobody(
    storage: Storage, openai: LittleOpenAI, company: Organization, clock: FakeClock
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


@on_sqlite
async def test_a_key_that_is_refused_is_told_at_once(
    storage: Storage, openai: LittleOpenAI, company: Organization, clock: FakeClock
):
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


@on_sqlite
async def test_a_collection_that_keeps_failing_does_not_hold_up_the_morning(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
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


@on_sqlite
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


@on_sqlite
async def test_a_person_who_asks_does_not_wait_for_the_next_try(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
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
    assert [one.kind for one in started.collections] == ["catch_up"]
    await worked(bot)
    assert ["until" in one.subject for one in await blind_told(bot)] == [True]
    assert await bot.collecting.progress(WORKSPACE) == ()


@on_sqlite
async def test_a_rejected_key_gives_way_to_another_of_the_same_connection(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team
):
    await connected(bot, admin, team)
    openai.keys[SECOND_KEY] = Key(company)
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    second = await bot.connections.register_key(admin, data.id, SECOND_KEY)
    assert second.is_shared
    openai.keys[SECOND_KEY].is_revoked = True  # the newest key is tried first
    openai.asked.clear()
    await bot.projects.register(admin, team.id, ["proj_chat"])
    assert isinstance((await worked(bot))[-1], Finished)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


@on_sqlite
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
    openai.keys[SECOND_KEY] = Key(company)
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    clock.advance(hours=1)
    replaced = await bot.connections.replace_key(admin, credential.id, SECOND_KEY)
    assert replaced.credential.ends_with == "abc2"
    await worked(bot)
    assert ["until" in one.subject for one in await blind_told(bot)] == [True]
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


async def test_keys_of_one_organization_are_collected_once(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    first = await connected(bot, admin, team)
    openai.keys[SECOND_KEY] = Key(company)
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    assert await connected(bot, admin, data, SECOND_KEY) == first
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await bot.projects.register(admin, data.id, ["proj_search"])
    told = await worked(bot)
    assert len([event for event in told if isinstance(event, Finished)]) == 1
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


@on_sqlite
async def test_without_organization_ids_shared_projects_make_one_connection(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    nameless = a_company(TODAY, DAYS)
    nameless.id = None
    other = Organization(None, None, {"proj_elsewhere": "elsewhere"})
    openai.keys |= {KEY: Key(nameless), SECOND_KEY: Key(nameless), OTHER_KEY: Key(other)}
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    first = await connected(bot, admin, team)
    assert await connected(bot, admin, data, SECOND_KEY) == first
    assert await connected(bot, admin, data, OTHER_KEY) != first


@on_sqlite
async def test_disabling_the_last_key_stops_collecting_and_every_figure_says_so(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    await backfilled(bot, admin, team)
    [credential] = await bot.connections.of_team(WORKSPACE, team.id)
    changed = await bot.connections.disable(admin, credential.id)
    assert not changed.still_collected
    assert changed.credential.state is CredentialState.DISABLED
    openai.asked.clear()
    clock.advance(days=1)
    assert await bot.collecting.due(clock()) == 0
    assert (await bot.collecting.start_manual(admin)).without_key[0].id == changed.connection.id
    assert await worked(bot) == []
    assert openai.asked == []
    report = await bot.reports.status(WORKSPACE, admin, "7d")
    assert report.figure.blind_since is not None
    assert (await bot.reports.home(WORKSPACE, admin)).blind[0].reason == "keys_disabled"
    assert await bot.blindness.alerts() == []  # somebody's wish is no alarm

    enabled = await bot.connections.enable(admin, credential.id)
    assert enabled.collection_started
    await worked(bot)
    assert await blind_told(bot) == []
    assert (await bot.reports.status(WORKSPACE, admin, "7d")).figure.blind_since is None


@on_sqlite
async def test_a_manual_reading_is_not_doubled_and_belongs_to_managers(
    bot: Bot, company: Organization, admin: Person, team: Team
):
    await backfilled(bot, admin, team)
    first = await bot.collecting.start_manual(admin)
    second = await bot.collecting.start_manual(admin)
    assert [one.id for one in first.collections] == [one.id for one in second.collections]
    lead = await bot.people.meet(WORKSPACE, "한빛소프트", MINSU)
    assert (await bot.collecting.start_manual(lead)).collections
    member = await bot.people.meet(WORKSPACE, "한빛소프트", SEOYEON)
    with pytest.raises(Refusal) as refused:
        await bot.collecting.start_manual(member)
    assert refused.value.code is RefusalCode.NOT_ADMIN
    assert refused.value.values["admins"] == (admin.user_id,)


async def test_two_workers_never_get_the_same_collection(
    bot: Bot, openai: LittleOpenAI, company: Organization, admin: Person, team: Team
):
    """While one worker is in it, the queue has nothing for the other; what it puts down goes on at once."""
    await connected(bot, admin, team)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    first = bot.collecting.work_one("worker-1")
    assert isinstance(await anext(first), Progress)
    assert await worked(bot, "worker-2") == []
    await first.aclose()
    told = await worked(bot, "worker-2")
    assert [event.collection.days_done for event in told if isinstance(event, Progress)] == [14, 16]
    assert isinstance(told[-1], Finished)
    assert told[-1].collection.total is not None
    assert told[-1].collection.total.amount == company.total(TODAY - timedelta(days=DAYS), TODAY)


async def test_a_worker_that_lost_its_lease_stops_quietly(
    bot: Bot, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    await connected(bot, admin, team)
    await bot.projects.register(admin, team.id, ["proj_chat"])
    slow = bot.collecting.work_one("slow")
    assert isinstance(await anext(slow), Progress)
    clock.advance(seconds=bot.policy.lease_seconds + 1)
    told = await worked(bot, "quick")
    assert isinstance(told[-1], Finished)
    assert [event async for event in slow] == []
    async with bot.storage.reading() as store:
        assert (await store.collections.active(WORKSPACE)) == []
        row = await store.collections.get(WORKSPACE, told[-1].told.collection_id)
    assert row is not None
    assert row.state is CollectionState.DONE
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)
