"""Collecting keeps its promises: exact, resumable, once, and honest when it cannot look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot import Bot
from bot.errors import Refusal, RefusalCode
from bot.results import Finished, Progress
from finops.charges import FigureState
from finops.periods import Period
from finops.registry import CredentialState, Person, Team
from storage.records import CollectionKind, CollectionState
from tests.conftest import FakeClock
from tests.databases import on_both_databases
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


@on_both_databases
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


@on_both_databases
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


@pytest.mark.parametrize("away", [20, DAYS + 20])
async def test_every_day_missed_in_a_long_downtime_is_made_up_for(
    bot: Bot, company: Organization, admin: Person, team: Team, clock: FakeClock, away: int
):
    """Nothing ran for so long, longer than a first reading reaches back, too: one look afterwards queues all of it."""
    await backfilled(bot, admin, team)
    for n in range(away):
        company.charge(TODAY + timedelta(days=n), "proj_chat", f"{n}.25")
    clock.moment = datetime(2026, 7, 6, 3, 0, tzinfo=UTC) + timedelta(days=away)
    assert await bot.collecting.due(clock()) == 2
    await worked(bot)
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY + timedelta(days=away))
    report = await bot.reports.status(WORKSPACE, admin, f"{away}d")
    assert report.figure.unread_days == 0


async def test_old_days_settle_after_two_more_mornings_and_are_left_alone_then(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    """A back-fill reads old days once; catch-up looks again until they stood still twice."""
    await backfilled(bot, admin, team)
    for morning in range(1, 4):
        clock.moment = datetime(2026, 7, 6 + morning, 0, 0, tzinfo=UTC)
        await bot.collecting.due(clock())
        await worked(bot)
    report = await bot.reports.status(WORKSPACE, admin, "2026-W26")  # all of it was read
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


async def test_keys_of_one_organization_are_collected_once(
    bot: Bot, company: Organization, admin: Person, team: Team, clock: FakeClock
):
    first = await connected(bot, admin, team)
    data = await a_team(bot, admin, "데이터팀", "C0DATA0001")
    assert await connected(bot, admin, data, SECOND_KEY) == first
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await bot.projects.register(admin, data.id, ["proj_search"])
    told = await worked(bot)
    assert len([event for event in told if isinstance(event, Finished)]) == 1
    await assert_ledger_is_the_bill(bot, company, TODAY - timedelta(days=DAYS), TODAY)


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


async def test_disabling_the_last_key_stops_collecting_and_every_figure_says_so(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
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


async def test_a_manual_reading_is_not_doubled_and_belongs_to_managers(bot: Bot, admin: Person, team: Team):
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


@pytest.mark.parametrize("is_running", [False, True])
async def test_who_asks_for_what_the_clock_began_is_told_what_came_of_it(
    bot: Bot, admin: Person, team: Team, clock: FakeClock, is_running: bool
):
    """The answer promises a message; the morning's reading waits, or runs, and was told to nobody."""
    await backfilled(bot, admin, team)
    clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    run = bot.collecting.work_one("a worker")
    told = [await anext(run)] if is_running else []
    [asked] = (await bot.collecting.start_manual(admin)).collections
    told += [event async for event in run]
    assert isinstance(told[-1], Finished)
    assert (told[-1].told.collection_id, told[-1].told.kind) == (asked.id, CollectionKind.DAILY)
    assert (told[-1].told.requested_by, asked.told_to) == (admin.user_id, admin.user_id)
    assert {event.told.requested_by for event in await worked(bot)} == {None}  # older days, which nobody asked for


async def test_everybody_who_asks_is_told_and_none_is_promised_what_another_one_gets(
    bot: Bot, admin: Person, team: Team
):
    """The first reading is told to who began it; who asks beside it has a reading of their own behind it."""
    await connected(bot, admin, team)
    first = await bot.projects.register(admin, team.id, ["proj_chat"])
    lead = await bot.people.meet(WORKSPACE, "한빛소프트", MINSU)
    second = await bot.projects.register(lead, team.id, ["proj_search"])
    assert [(one.collection_started, one.is_told) for one in (first, second)] == [(True, True), (True, False)]
    await bot.collecting.start_manual(lead)
    ends = [event.told for event in await worked(bot) if isinstance(event, Finished)]
    assert [(one.kind, one.requested_by) for one in ends] == [
        (CollectionKind.BACKFILL, admin.user_id),
        (CollectionKind.MANUAL, lead.user_id),
    ]


@on_both_databases
async def test_two_workers_never_get_the_same_collection(bot: Bot, company: Organization, admin: Person, team: Team):
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


@on_both_databases
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
