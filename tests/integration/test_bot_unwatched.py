"""After the bot itself was away, each channel with a budget is told once from when until when nobody looked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from bot import Bot, unwatched
from bot.metrics import Metrics
from bot.results import FindingCode, Level
from finops.budgets import BudgetScope
from finops.money import Money
from finops.periods import minute_of
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from jobs.watcher import Watcher
from providers.contract import Unavailable
from storage import Storage
from storage.outbox import Outbox
from storage.usage_healths import UsageHealths
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.at_once import beside
from tests.integration.bot_world import SEOYEON, WORKSPACE, a_team, blind_told
from tests.integration.outbox_world import CHANNEL, OTHER_CHANNEL, Office, OneSlack, a_slack
from tests.integration.quiet_world import ADMIN_KEY, QuietWorld, a_quiet_world
from tests.integration.watch_world import CHATBOT, WRITER, a_watched_world

AWAY = Unavailable("the provider is away")
NOTHING = timedelta(0)


@pytest.fixture
def database_kind() -> str:
    """What is told does not depend on the database; that two replicas tell it once does, and asks for both."""
    return "sqlite"


@pytest.fixture
async def unbudgeted(storage: Storage, clock: FakeClock) -> AsyncIterator[QuietWorld]:
    async with a_quiet_world(storage, clock) as made:
        yield made


@pytest.fixture
async def world(unbudgeted: QuietWorld) -> QuietWorld:
    """With a budget that nobody comes near."""
    await unbudgeted.a_budget(BudgetScope.TEAM, unbudgeted.team.id)
    return unbudgeted


async def test_who_comes_back_says_what_was_not_seen_and_what_it_cost(quick_storage: Storage, clock: FakeClock) -> None:
    """Once, in the channel, without urgency; counted; known to the check-up for a week, and asked about for a day."""
    clock.moment = clock.moment.replace(hour=0, minute=10)
    metrics = Metrics()
    async with a_watched_world(quick_storage, clock) as world, a_slack(clock) as slack:
        await world.a_budget(BudgetScope.TEAM, world.team.id, "900")
        await world.polled()
        since = clock()
        clock.advance(minutes=75)
        bot = Bot(quick_storage, {"openai": world.provider}, clock, world.bot.policy, world.prices)
        watcher = Watcher(bot, metrics, clock)
        await watcher.look()
        await watcher.drained()
        office = Office(bot, slack, clock, OneSlack(slack))
        await office.deliverer().deliver_due()
        until, spent = clock(), sum(world.happened(one, since, clock()) for one in (CHATBOT, WRITER))
        clock.advance(minutes=5)
        await bot.watching.poll_due()
        await office.deliverer().deliver_due()
        findings = await bot.doctor.examine(WORKSPACE)
        clock.advance(days=1)
        findings += await bot.doctor.examine(WORKSPACE)
    [message] = slack.messages(CHANNEL)
    amount = Decimal(spent).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert amount > 1
    assert message["text"].startswith("09:10부터 10:25(KST)까지 75분 동안 지출을 보지 못했습니다.")
    assert f"그 사이의 사용량은 지금 다시 읽었고, 비용은 *${amount}*" in message["text"]
    assert "한빛소프트" in str(message["blocks"])
    assert [office.calls("chat.update"), slack.complaints] == [[], []]
    name = {"connection": str(world.connection.id)}
    assert metrics.registry.get_sample_value("finops_unwatched_seconds_total", name) == 75 * 60
    found = [(one.level, one.values) for one in findings if one.code is FindingCode.UNWATCHED]
    values = {"since": since, "until": until}
    assert found == [(Level.WARN, values), (Level.OK, values)]


@on_both_databases
async def test_two_replicas_that_come_back_together_tell_it_once(world: QuietWorld) -> None:
    """Even where both read, as after a slot of another length: one finds what the other has kept."""
    world.clock.advance(minutes=75)
    replicas = [world.started_again() for _ in range(2)]
    each = await asyncio.gather(*(bot.watching.poll(world.connection) for bot in replicas))
    assert sorted(one.unwatched for one in each if one is not None) == [NOTHING, timedelta(minutes=75)]
    [row] = await world.unwatched()
    assert (row.channel_id, row.urgency, row.version, row.detected_at) == (CHANNEL, 0, 1, None)


@pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers take turns
async def test_who_comes_back_as_the_last_key_is_switched_off_waits_for_nobody_crosswise(
    world: QuietWorld, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading held the connection and asked for the workspace, whoever changed the key the other way round."""
    [key] = await world.bot.connections.of_team(WORKSPACE, world.team.id)
    world.clock.advance(minutes=75)
    polled, changed = await beside(
        monkeypatch,
        (UsageHealths, "mark_read"),
        world.started_again().watching.poll(world.connection),
        world.bot.connections.disable(world.admin, key.id),
        database_url,
    )
    assert not isinstance(polled, Exception), polled
    assert not isinstance(changed, Exception), changed
    assert (polled.unwatched, changed.still_collected) == (timedelta(minutes=75), False)


@on_both_databases
async def test_killed_before_it_is_kept_it_is_found_again(world: QuietWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading that ends the stretch and the message about it are one transaction."""
    since = world.clock()

    async def killed(*_: object, **__: object) -> None:
        raise ZeroDivisionError("kill -9")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "want", killed)
        with pytest.raises(ZeroDivisionError):
            await world.back_after(75)
    assert await world.unwatched() == []
    assert (await world.back_after(5)).unwatched == timedelta(minutes=80)
    [row] = await world.unwatched()
    assert row.subject["since"] == since.isoformat()


async def test_a_short_restart_is_not_worth_a_word(world: QuietWorld) -> None:
    assert (await world.back_after(15)).unwatched == NOTHING
    assert await world.unwatched() == []


async def test_where_nothing_is_watched_nobody_is_told(unbudgeted: QuietWorld) -> None:
    """Not where no budget is in force, though the check-up knows of it; and not at the first reading ever."""
    assert (await unbudgeted.back_after(75)).unwatched == timedelta(minutes=75)
    await unbudgeted.a_budget(BudgetScope.TEAM, unbudgeted.team.id)
    other = await a_team(unbudgeted.bot, unbudgeted.admin, "데이터팀", OTHER_CHANNEL)
    await unbudgeted.connect(other, "자회사", ADMIN_KEY + "2", is_read=False)
    await unbudgeted.a_budget(BudgetScope.TEAM, other.id)
    unbudgeted.clock.advance(minutes=5)
    assert [one.unwatched for one in await unbudgeted.started_again().watching.poll_due()] == [NOTHING, NOTHING]
    assert await unbudgeted.unwatched() == []


async def test_a_clock_that_was_set_is_no_downtime_and_a_machine_that_slept_is_one(
    world: QuietWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that read before knows how long ago that really was. Set back, nothing is said either."""
    passed = 1_000.0
    monkeypatch.setattr(unwatched, "seconds_passed", lambda: passed)
    await world.polled(5)
    passed += 300
    assert (await world.polled(75)).unwatched == NOTHING
    world.clock.moment -= timedelta(hours=1)
    assert (await world.back_after(0)).unwatched == NOTHING
    assert (await world.polled(5)).unwatched == NOTHING
    assert await world.unwatched() == []
    passed += 75 * 60
    assert (await world.polled(75)).unwatched == timedelta(minutes=75)


async def test_a_clock_that_was_set_back_leaves_nobody_waiting_for_its_turns_to_come_again(world: QuietWorld) -> None:
    """The turns of the next hour were taken before; what is read now counts, and not only what was read then."""
    for _ in range(7):
        await world.polled(5)
    world.clock.moment -= timedelta(minutes=30)
    assert await world.bot.watching.poll_due() == []
    for _ in range(2):
        assert (await world.polled(5)).result == "read"
        async with world.bot.storage.reading() as store:
            reads = await store.usage.reads(WORKSPACE, world.connection.id)
        assert {one.read_at for one in reads.values()} == {world.clock()}


async def test_a_wrong_clock_after_a_start_is_said_as_that(world: QuietWorld) -> None:
    world.provider.skew = timedelta(minutes=-75)
    polled = await world.back_after(75)
    assert (polled.result, polled.unwatched) == ("clock_skew", NOTHING)
    assert await world.unwatched() == []


async def test_a_key_that_was_off_was_somebodys_wish(world: QuietWorld) -> None:
    [credential] = await world.bot.connections.of_team(WORKSPACE, world.team.id)
    await world.bot.connections.disable(world.admin, credential.id)
    world.clock.advance(hours=30)
    await world.bot.connections.enable(world.admin, credential.id)
    assert (await world.back_after(1)).unwatched == NOTHING
    assert await world.unwatched() == []


async def test_a_provider_that_was_borne_for_minutes_was_watched_all_the_time(world: QuietWorld) -> None:
    world.provider.trouble = AWAY
    for _ in range(3):
        await world.polled(5)
    world.provider.trouble = None
    assert (await world.back_after(5)).unwatched == NOTHING
    assert await world.unwatched() == []


async def test_trouble_that_was_borne_when_the_bot_went_down_is_told_whole(world: QuietWorld) -> None:
    since = world.clock()
    world.provider.trouble = AWAY
    await world.polled(5)
    world.provider.trouble = None
    assert (await world.back_after(16)).unwatched == timedelta(minutes=21)
    [row] = await world.unwatched()
    assert row.subject["since"] == since.isoformat()


async def test_what_cannot_be_read_after_a_downtime_is_blind_since_the_last_reading(world: QuietWorld) -> None:
    """At once: for a quarter of an hour nothing is known already. One story, told and ended in one message."""
    since = world.clock()
    world.provider.trouble = AWAY
    polled = await world.back_after(75)
    assert (polled.newly_blind, polled.unwatched) == (True, timedelta(minutes=75))
    world.provider.trouble = None
    polled = await world.back_after(75)
    assert (polled.recovered_since, polled.unwatched) == (since, NOTHING)
    [blind] = await blind_told(world.bot)
    assert (blind.subject["since"], blind.subject["until"]) == (since.isoformat(), world.clock().isoformat())
    assert await world.unwatched() == []


async def test_failing_begins_anew_where_the_clock_was_set_back(world: QuietWorld) -> None:
    """A quarter of an hour is a quarter of an hour, not one and what the clock was wrong by."""
    world.provider.trouble = AWAY
    await world.polled(5)
    world.clock.moment -= timedelta(hours=1)
    assert [(await world.polled(5)).newly_blind for _ in range(4)] == [False, False, False, True]


async def test_one_message_for_each_channel_however_many_budgets_and_connections(world: QuietWorld) -> None:
    """Two budgets of a team, one of everything; a second organization that was left alone at the same time."""
    [project] = await world.bot.projects.all(WORKSPACE)
    await world.a_budget(BudgetScope.PROJECT, project.id)
    await world.a_budget(BudgetScope.WORKSPACE, None, channel_id=OTHER_CHANNEL)
    data = await a_team(world.bot, world.admin, "데이터팀", "C0FINOPS01")
    other = await world.connect(data, "자회사", ADMIN_KEY + "2")
    world.clock.advance(minutes=75)
    assert [one.unwatched for one in await world.started_again().watching.poll_due()] == [timedelta(minutes=75)] * 2
    rows = {row.channel_id: row.subject["connection_ids"] for row in await world.unwatched()}
    assert rows == {CHANNEL: [world.connection.id], OTHER_CHANNEL: [world.connection.id, other.id]}


async def test_many_teams_are_told_each_in_its_channel(unbudgeted: QuietWorld) -> None:
    """Of being away, and then of being blind."""
    await unbudgeted.more_teams(12)
    await unbudgeted.a_budget(BudgetScope.EVERY_PROJECT, None)
    await unbudgeted.back_after(75)
    unbudgeted.provider.trouble = AWAY
    await unbudgeted.back_after(75)
    for rows in await unbudgeted.unwatched(), await blind_told(unbudgeted.bot):
        assert len({row.channel_id for row in rows}) == len(rows) == 13


async def test_two_organizations_of_one_channel_are_told_to_the_leads_of_both(world: QuietWorld) -> None:
    """Where the channel takes nothing they are told directly: the second reading left out the lead of the first."""
    data = await world.bot.teams.create(world.admin, "데이터팀", SEOYEON, CHANNEL)
    await world.connect(data, "자회사", ADMIN_KEY + "2")
    await world.a_budget(BudgetScope.TEAM, data.id)
    world.clock.advance(minutes=75)
    await world.started_again().watching.poll_due()
    [row] = await world.unwatched()
    assert {world.team.lead_user_id, data.lead_user_id} <= set(row.recipients)


async def test_only_what_nobody_looked_at_is_summed_up(world: QuietWorld) -> None:
    """Another organization was read all the time, by another replica: what it cost was seen."""
    data = await a_team(world.bot, world.admin, "데이터팀", OTHER_CHANNEL)
    other = await world.connect(data, "자회사", ADMIN_KEY + "2")
    await world.a_budget(BudgetScope.WORKSPACE, None, channel_id=CHANNEL)
    minute, read_at = minute_of(world.clock()) + 30, world.clock() + timedelta(minutes=74)
    row = UsageRow(minute, "completions", "proj_자회사", "gpt-4o", "key", "default", is_batch=False, requests=1)
    reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, minute, minute + 1, (UsageBucket(minute, (row,)),))
    async with world.bot.storage.writing() as store:
        await store.usage.replace(WORKSPACE, other.id, reading, [(row, 3 * 10**18, True)], read_at, reading.end)
        await store.healths.mark_read(WORKSPACE, other.id, read_at)
    world.clock.advance(minutes=75)
    await world.started_again().watching.poll(world.connection)
    [wanted] = [one for one in await world.unwatched() if one.channel_id == CHANNEL]
    told = await world.bot.unwatched.told(wanted)
    assert (told.connections, told.amount) == (("한빛소프트",), Money.of("0"))


async def told_in(world: QuietWorld) -> dict[str, list[str]]:
    """What the channels are told once Slack takes what waits."""
    async with a_slack(world.clock) as slack:
        await Office(world.bot, slack, world.clock, OneSlack(slack)).deliverer().deliver_due()
        return {one: [each["text"] for each in slack.messages(one)] for one in (CHANNEL, OTHER_CHANNEL)}


@on_both_databases
async def test_a_team_that_moves_while_it_waits_is_told_in_its_new_channel(world: QuietWorld) -> None:
    """Once, by whichever replica looks first, and with the amount; what was told stays where it stands."""
    await world.back_after(75)
    assert await world.bot.unwatched.everywhere() == 0
    await world.bot.teams.update(world.admin, world.team.id, channel_id=OTHER_CHANNEL)
    replicas = [world.started_again() for _ in range(2)]
    assert sum(await asyncio.gather(*(one.unwatched.everywhere() for one in replicas))) == 1
    told = await told_in(world)
    assert (told[CHANNEL], len(told[OTHER_CHANNEL]), "비용은" in told[OTHER_CHANNEL][0]) == ([], 1, True)
    await world.bot.teams.update(world.admin, world.team.id, channel_id=CHANNEL)
    assert await world.bot.unwatched.everywhere() == 0


async def test_of_two_teams_in_one_channel_the_one_that_moves_is_told_where_it_is(world: QuietWorld) -> None:
    """In both channels then; of nobody else than the two teams."""
    data = await world.bot.teams.create(world.admin, "데이터팀", SEOYEON, CHANNEL)
    await world.connect(data, "자회사", ADMIN_KEY + "2")
    await world.a_budget(BudgetScope.TEAM, data.id)
    world.clock.advance(minutes=75)
    await world.started_again().watching.poll_due()
    await world.bot.teams.update(world.admin, data.id, channel_id=OTHER_CHANNEL)
    assert [await world.bot.unwatched.everywhere() for _ in range(2)] == [1, 0]
    assert [row.channel_id for row in await world.unwatched()] == [CHANNEL, OTHER_CHANNEL]


async def test_what_is_found_out_for_the_old_channel_afterwards_calls_no_message_back(world: QuietWorld) -> None:
    """The message that went along keeps its name, and the other one gets one of its own."""
    data = await world.bot.teams.create(world.admin, "데이터팀", SEOYEON, CHANNEL)
    other = await world.connect(data, "자회사", ADMIN_KEY + "2")
    await world.a_budget(BudgetScope.TEAM, data.id)
    world.clock.advance(minutes=75)
    bot = world.started_again()
    await bot.watching.poll(world.connection)
    await bot.teams.update(world.admin, world.team.id, channel_id=OTHER_CHANNEL)
    assert await bot.unwatched.everywhere() == 1
    await bot.watching.poll(other)
    told = {row.channel_id: row.subject["connection_ids"] for row in await world.unwatched()}
    assert told == {OTHER_CHANNEL: [world.connection.id], CHANNEL: [other.id]}
