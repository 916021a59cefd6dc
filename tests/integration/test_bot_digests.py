"""Digests: computed once, kept as they were told, told once whoever asks; and every week that is not as weeks are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from bot.digest_channels import due_day, due_week, usual_channel
from bot.errors import Refusal, RefusalCode
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import FigureState
from finops.digest import AdviceKind, DigestVersion, Unranked
from finops.digest_thread import thread_keys
from finops.money import Money
from finops.periods import Period, minute_of, starts_at
from finops.queries import ScopeKind
from finops.secret import Secret
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import Storage
from storage.records import CollectionKind, CollectionState
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, on_both_databases
from tests.integration.digest_world import MONDAY_NINE, WEEK, World, a_week
from tests.integration.live_world import MINSU, SEOYEON

TEAM, WHOLE = ScopeKind.TEAM, ScopeKind.WORKSPACE


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@on_both_databases
async def test_on_monday_at_nine_the_team_and_the_admins_are_told_once(storage: Storage, clock: FakeClock):
    """Two replicas at the same moment, then both again: one root and one thread for each place, never an edit."""
    world = await a_week(storage, clock)
    replicas = (world.bot, world.replica())
    counts = await asyncio.gather(*(one.digests.due() for one in replicas))
    assert sum(counts) == 2
    assert [await one.digests.due() for one in replicas] == [0, 0]
    for kind in (TEAM, WHOLE):
        root = await world.row(world.root(kind))
        digest_id = int(root.subject["digest_id"])
        shown = await world.bot.digests.told(WORKSPACE, digest_id, DigestVersion(root.subject["version"]))
        lines = await world.wanted(f"{root.key}:{name}" for name in thread_keys(shown))
        assert lines
        assert all(line is not None and line.version == 1 and line.thread_key == root.key for line in lines)
        assert root.version == 1
    team, whole = await world.row(world.root(TEAM)), await world.row(world.root(WHOLE))
    assert (team.channel_id, team.recipients) == ("C0MARKET01", (MINSU.user_id, world.admin.user_id))
    assert (whole.channel_id, whole.recipients) == (None, (world.admin.user_id,))
    assert (team.subject["version"], whole.subject["version"]) == ("team", "brief")


async def test_a_week_says_where_money_bought_results_and_where_it_did_not(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock)
    await world.bot.digests.due()
    digest = (await world.bot.digests.report(world.admin, "지난주")).digest
    assert (digest.week, digest.total.amount, digest.previous.amount) == (WEEK, Money.of("777"), Money.of("777"))
    assert (digest.increase, digest.unallocated) == (0, Money.of("7"))
    assert digest.total.state is FigureState.PROVISIONAL
    assert [one.name for one in digest.best] == ["doc-summary", "search"]
    assert [one.name for one in digest.improve] == ["chatbot"]
    [worst] = digest.improve
    assert worst.ratio is not None
    assert round(worst.ratio, 3) == Decimal("0.4")
    assert worst.advice is not None
    assert worst.advice.kind is AdviceKind.LOOK_AT_FAILURES
    assert digest.advice == worst.advice
    assert worst.advice.worth is not None
    assert round(worst.advice.worth.amount) == 210  # three fifths of 350
    assert [(one.name, one.unranked) for one in digest.others] == [("meeting-notes", Unranked.NO_VALUE)]
    assert len(digest.trend) == 14
    assert (digest.value.successes, digest.value.outcomes) == (80, 120)
    assert digest.axes is not None
    assert digest.why is not None


async def test_what_was_told_stays_and_what_became_of_it_stands_beside(storage: Storage, clock: FakeClock):
    """A bill that is restated after Monday: as then, as now."""
    world = await a_week(storage, clock)
    await world.bot.digests.due()
    told = await world.bot.digests.report(world.admin, "")
    assert (told.is_kept, told.now) == (True, None)
    clock.advance(hours=30)
    await world.bill(date(2026, 7, 5), {"proj_chatbot": "150", "proj_doc-summary": "30", None: "1"})
    shown = await world.bot.digests.report(world.admin, "2026-W27")
    assert shown.digest == told.digest
    assert shown.now is not None
    assert shown.now.total.amount == Money.of("847")
    assert shown.now.computed_at == clock()


async def test_what_people_say_of_a_week_moves_it(storage: Storage, clock: FakeClock):
    """The team was asked before the whole workspace is told; who answers otherwise afterwards has moved the week."""
    world = await a_week(storage, clock)
    project_id = world.projects["meeting-notes"]
    await world.bot.ratings.rate(world.admin, project_id, WEEK.start, 1000)
    await world.bot.digests.due()
    assert (await world.bot.digests.report(world.admin, "")).now is None
    await world.bot.ratings.rate(world.admin, project_id, WEEK.start, 0)
    shown = await world.bot.digests.report(world.admin, "")
    assert shown.now is not None
    then, now = (next(one for one in each.others if one.name == "meeting-notes") for each in (shown.digest, shown.now))
    assert (then.value.feedback, now.value.feedback) == (1, 0)


async def test_a_week_that_was_never_told_is_computed_when_asked_for(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock)
    shown = await world.bot.digests.report(world.admin, "마케팅팀 지지난주")
    assert (shown.is_kept, shown.now, shown.digest.scope.name) == (False, None, "마케팅팀")
    assert shown.digest.week.start == date(2026, 6, 22)
    assert shown.digest.unallocated is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("이번주", RefusalCode.WEEK_OPEN),
        ("2026-12-31", RefusalCode.WEEK_OPEN),
        ("lats week", RefusalCode.UNKNOWN_PERIOD),
        ("영업팀", RefusalCode.UNKNOWN_SCOPE),
    ],
)
async def test_what_cannot_be_told_is_refused(storage: Storage, clock: FakeClock, words: str, code: RefusalCode):
    world = await a_week(storage, clock, with_value=False, with_bills=False)
    with pytest.raises(Refusal) as refused:
        await world.bot.digests.report(world.admin, words)
    assert refused.value.code is code


async def test_a_weekend_nobody_could_look_at_is_said_and_never_counted_as_nothing(storage: Storage, clock: FakeClock):
    """Blind since Saturday: five days are known, the comparison is not made, and the ranking rests on estimates."""
    weekend = (date(2026, 7, 4), date(2026, 7, 5))
    world = await a_week(storage, clock, unread=weekend)
    async with storage.writing() as store:
        await store.connections.mark_blind(WORKSPACE, world.tenant.connection.id, starts_at(weekend[0]), "unavailable")
    assert await world.bot.digests.due() == 2
    digest = (await world.bot.digests.report(world.admin, "")).digest
    assert (digest.total.amount, digest.total.unread_days) == (Money.of("555"), 2)
    assert digest.total.blind_since == starts_at(weekend[0])
    assert digest.increase is None
    assert digest.value.outcomes == 120


async def asked(world: World, requests: Sequence[int]) -> None:
    """So many calls of each project that records seen by the provider: in the week, in the one before, and so on."""
    each = {minute_of(starts_at(WEEK.start) - timedelta(days=7 * back)): count for back, count in enumerate(requests)}
    buckets = tuple(
        UsageBucket(start, tuple(
            UsageRow(start, "completions", f"proj_{name}", "gpt-5.4", "key", "default", is_batch=False, requests=count)
            for name in ("chatbot", "doc-summary", "search")
        ))
        for start, count in sorted(each.items())
    )  # fmt: skip
    reading = UsageReading(Endpoint.COMPLETIONS, Width.HOUR, buckets[0].start, buckets[-1].start + 60, buckets)
    async with world.storage.writing() as store:
        priced = [(row, 0, True) for bucket in buckets for row in bucket.rows]
        connection_id = world.tenant.connection.id
        await store.usage.replace(WORKSPACE, connection_id, reading, priced, world.clock(), reading.end)


async def test_a_week_of_which_little_is_recorded_is_compared_with_the_same_calls_before(
    storage: Storage, clock: FakeClock
):
    """After a runaway, most of whose calls nobody recorded, a project of many weeks was said to have no baseline."""
    world = await a_week(storage, clock)
    await asked(world, [400, 40, 40])
    digest = (await world.bot.digests.report(world.admin, "")).digest
    ratios = {one.name: round(one.ratio, 3) for one in digest.projects if one.ratio is not None}
    assert ratios == {"chatbot": Decimal("0.4"), "doc-summary": Decimal("1.8"), "search": Decimal(1)}


@pytest.mark.parametrize(
    "unread", [date(2026, 7, 4), date(2026, 6, 24)], ids=["a day of the week", "a day of one before"]
)
async def test_a_week_is_ranked_by_the_bill_or_by_estimates_now_and_before(
    storage: Storage, clock: FakeClock, unread: date
):
    """Every call is recorded, at a hundredth of what the bill says: one half by either would be a hundredfold."""
    world = await a_week(storage, clock, unread=[unread])
    await asked(world, [40, 40, 40])
    digest = (await world.bot.digests.report(world.admin, "")).digest
    ratios = {one.name: one.ratio for one in digest.projects if one.ratio is not None}
    if unread in WEEK:
        assert {name: round(each, 3) for name, each in ratios.items()} == {
            "chatbot": Decimal("0.4"), "doc-summary": Decimal("1.8"), "search": Decimal(1),
        }  # fmt: skip
    else:
        # One week is left to compare with: a median of one is that week.
        assert ratios == {}
        assert {one.unranked for one in digest.projects} == {Unranked.NO_BASELINE, Unranked.NO_VALUE}


async def test_the_mornings_collection_is_waited_for_but_not_for_ever(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, unread=[date(2026, 7, 5)])
    async with storage.writing() as store:
        await store.credentials.add(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=world.tenant.team_id,
            secret=Secret("sk-" + "admin-" + "x" * 20), rights=("all",), registered_by="U0", at=MOMENT,
        )  # fmt: skip
    assert await world.bot.digests.due() == 0
    assert await world.bot.digests.waiting() == [WORKSPACE]
    clock.advance(minutes=3)
    await world.bill(date(2026, 7, 5), {"proj_chatbot": "50", None: "1"})
    assert await world.bot.digests.due() == 2
    assert await world.bot.digests.waiting() == []


async def test_a_provider_that_does_not_answer_holds_the_digest_for_a_quarter_of_an_hour(
    storage: Storage, clock: FakeClock
):
    world = await a_week(storage, clock, unread=[date(2026, 7, 5)], with_value=False)
    async with storage.writing() as store:
        await store.credentials.add(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=world.tenant.team_id,
            secret=Secret("sk-" + "admin-" + "x" * 20), rights=("all",), registered_by="U0", at=MOMENT,
        )  # fmt: skip
    for minutes in (0, 14):
        clock.advance(minutes=minutes)
        assert await world.bot.digests.due() == 0
    clock.advance(minutes=1)
    assert await world.bot.digests.due() == 2


async def test_whoever_was_away_on_monday_waits_for_what_was_not_collected_either(storage: Storage, clock: FakeClock):
    """Started again on Wednesday: what is read a moment later belongs into the week, for a kept week stays as it is."""
    weekend = (date(2026, 7, 4), date(2026, 7, 5))
    world = await a_week(storage, clock, unread=weekend, with_value=False)
    async with storage.writing() as store:
        await store.credentials.add(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=world.tenant.team_id,
            secret=Secret("sk-" + "admin-" + "x" * 20), rights=("all",), registered_by="U0", at=MOMENT,
        )  # fmt: skip
    clock.advance(days=2)
    restarted = world.replica()
    assert await restarted.digests.due() == 0
    clock.advance(minutes=1)
    for day in weekend:
        await world.bill(day, {"proj_chatbot": "50"})
    assert await restarted.digests.due() == 2
    total = (await restarted.digests.report(world.admin, "")).digest.total
    assert (total.amount, total.unread_days) == (Money.of("655"), 0)


@pytest.mark.parametrize("is_read", [True, False], ids=["read", "slow"])
async def test_a_first_collection_is_read_to_its_end_before_a_week_of_it_is_told(
    storage: Storage, clock: FakeClock, is_read: bool
):
    """Its newest week comes first: told then, it would be the first there is. Not waited for for ever."""
    world = await a_week(storage, clock, with_value=False)
    async with storage.writing() as store:
        await store.collections.add(
            WORKSPACE, connection_id=world.tenant.connection.id, kind=CollectionKind.BACKFILL, slot="first",
            period=Period(date(2026, 1, 7), WEEK.end), requested_by="U0", at=clock(),
        )  # fmt: skip
        running = await store.collections.claim("w1", clock(), timedelta(minutes=1))
    assert running is not None
    clock.advance(seconds=30)
    assert await world.bot.digests.due() == 0
    if is_read:
        async with storage.writing() as store:
            await store.collections.finish(running.id, "w1", CollectionState.DONE, None, clock())
    else:
        clock.advance(minutes=15)
    assert await world.bot.digests.due() == 2


@pytest.mark.parametrize(("late", "told"), [(timedelta(days=5, hours=23), 2), (timedelta(days=6), 0)])
async def test_what_was_missed_is_told_late_for_six_days(
    storage: Storage, clock: FakeClock, late: timedelta, told: int
):
    world = await a_week(storage, clock, with_value=False)
    clock.moment = MONDAY_NINE + late
    assert await world.bot.digests.due() == told


async def test_a_new_place_is_first_told_what_comes_next(storage: Storage, clock: FakeClock):
    """Installed on a Wednesday, nothing is told of the Monday before; the next Monday is."""
    world = await a_week(storage, clock, with_value=False)
    clock.advance(days=2)
    other = await world.bot.teams.create(world.admin, "영업팀", MINSU, "C0SALES001")
    async with storage.writing() as store:
        await store.projects.register(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=other.id, projects=[("proj_sales", "sales")],
            registered_by="U0", at=clock(),
        )  # fmt: skip
    assert await world.bot.digests.due() == 2  # late, for the team and the workspace that were there on Monday
    clock.moment = MONDAY_NINE + timedelta(days=7, minutes=15)
    assert await world.bot.digests.due() == 3
    week = Period(WEEK.end, WEEK.end + timedelta(days=7))
    assert await world.wanted([f"digest:{week.start}:team:{other.id}:C0SALES001"]) != [None]


async def test_a_workspace_that_was_never_billed_is_told_nothing(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False, with_bills=False)
    clock.advance(hours=1)
    assert await world.bot.digests.due() == 0


async def test_a_week_without_any_cost_is_told_as_such(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False, with_bills=False)
    for number in range(14):
        await world.bill(WEEK.end - timedelta(days=number + 1), {})
    await world.bill(date(2026, 6, 1), {"proj_chatbot": "1"})
    assert await world.bot.digests.due() == 2
    digest = (await world.bot.digests.report(world.admin, "")).digest
    assert digest.total.amount == Money.of("0")
    assert (digest.best, digest.improve, digest.increase) == ((), (), None)
    assert digest.advice.kind is AdviceKind.NONE


async def test_the_first_week_is_compared_with_nothing(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False, with_bills=False)
    for day in WEEK:
        await world.bill(day, {"proj_chatbot": "50"})
    digest = (await world.bot.digests.report(world.admin, "")).digest
    assert (digest.is_first, digest.increase, digest.why, digest.previous.amount) == (True, None, None, None)
    assert [(one.unranked, one.previous) for one in digest.others] == [(Unranked.NO_VALUE, None)]
    assert digest.advice.kind is AdviceKind.CONNECT_EVENTS


async def test_a_week_after_one_that_nobody_could_read_is_not_the_first(storage: Storage, clock: FakeClock):
    before = WEEK.before()
    world = await a_week(storage, clock, unread=before)
    digest = (await world.bot.digests.report(world.admin, "")).digest
    assert (digest.previous.amount, digest.is_first, digest.increase) == (None, False, None)
    assert {one.previous for one in digest.projects} == {None}


async def test_a_budget_that_is_switched_off_watches_nothing(storage: Storage, clock: FakeClock):
    """Neither does one of a project that is taken out of collecting: a budget is proposed all the same."""
    world = await a_week(storage, clock, with_value=False, with_bills=False)
    for number in range(14):
        await world.bill(WEEK.end - timedelta(days=number + 1), {None: "50"})

    async def step() -> AdviceKind:
        return (await world.bot.digests.report(world.admin, "")).digest.advice.kind

    chatbot, search = world.projects["chatbot"], world.projects["search"]
    async with storage.writing() as store:
        for project_id in (chatbot, search):
            terms = BudgetTerms(BudgetScope.PROJECT, project_id, BudgetPeriod.DAY, Money.of("15"))
            budget = await store.budgets.create(WORKSPACE, terms, by="U1", at=MOMENT)
    assert await step() is AdviceKind.NONE
    await world.bot.projects.exclude(world.admin, chatbot)
    assert await step() is AdviceKind.NONE
    async with storage.writing() as store:
        await store.budgets.update(WORKSPACE, budget.id, is_enabled=False, by="U1", at=clock())
    assert await step() is AdviceKind.SET_BUDGET


async def test_a_project_that_another_team_registers_keeps_its_cost_and_nothing_else(
    storage: Storage, clock: FakeClock
):
    """As the window asks before it is unregistered: its week is the other team's, and begins without outcomes."""
    world = await a_week(storage, clock)
    await world.bot.digests.due()
    await world.bot.projects.unregister(world.admin, world.projects["chatbot"])
    whole = await world.bot.digests.report(world.admin, "")
    assert whole.now is not None
    assert whole.now.unallocated == Money.of("357")
    other = await world.bot.teams.create(world.admin, "영업팀", MINSU, "C0SALES001")
    async with storage.writing() as store:
        await store.projects.register(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=other.id,
            projects=[("proj_chatbot", "chatbot")], registered_by="U0", at=clock(),
        )  # fmt: skip
    shown = {words: await world.bot.digests.report(world.admin, words) for words in ("", "마케팅팀", "영업팀")}
    [moved] = shown["영업팀"].digest.projects
    assert (moved.cost, moved.previous, moved.unranked) == (Money.of("350"), Money.of("350"), Unranked.NO_VALUE)
    whole_now, team_now = shown[""].now, shown["마케팅팀"].now
    assert whole_now is not None
    assert team_now is not None
    assert (team_now.total.amount, whole_now.total.amount) == (Money.of("420"), Money.of("777"))
    assert whole_now.unallocated == Money.of("7")


async def test_a_team_without_a_channel_is_told_through_its_lead(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False)
    async with storage.writing() as store:
        await store.teams.update(WORKSPACE, world.tenant.team_id, channel_id="")
    assert await world.bot.digests.due() == 2
    root = await world.row(world.root(TEAM, place="admins"))
    assert (root.channel_id, root.recipients[0]) == (None, MINSU.user_id)


async def test_a_team_that_moves_takes_its_digest_along(storage: Storage, clock: FakeClock):
    """The usual place is where the team is told now, not where it was when the place was made."""
    world = await a_week(storage, clock, with_value=False)
    async with storage.writing() as store:
        await store.teams.update(WORKSPACE, world.tenant.team_id, channel_id="C0ELSE0001")
    await world.bot.digests.due()
    assert (await world.row(world.root(TEAM, place="C0ELSE0001"))).channel_id == "C0ELSE0001"


async def test_a_channel_that_is_named_twice_is_told_once(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False)
    async with storage.writing() as store:
        usual = await world.place(TEAM)
        assert await store.digest_channels.add(WORKSPACE, replace(usual, id=0, channel_id="C0MARKET01"))
    assert await world.bot.digests.due() == 2
    assert (await world.row(world.root(TEAM))).version == 1


async def test_the_daily_card_is_told_where_it_was_asked_for_once_a_day(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock)
    usual = await world.place(TEAM)
    clock.moment = MONDAY_NINE - timedelta(hours=1)
    await world.bot.digests.channels.configure(world.admin, replace(usual, is_daily=True, is_enabled=False))
    assert await world.bot.digests.due() == 0
    clock.moment = MONDAY_NINE + timedelta(minutes=1)
    assert await world.bot.digests.due() == 2  # the card, and the whole workspace's digest
    assert await world.bot.digests.due() == 0
    card = await world.bot.digests.daily(WORKSPACE, TEAM, world.tenant.team_id, date(2026, 7, 5))
    assert card is not None
    assert (card.figure.amount, card.increase, len(card.trend)) == (Money.of("110"), 0, 14)
    assert card.value.outcomes > 0
    root = await world.row(f"daily:2026-07-05:team:{world.tenant.team_id}:C0MARKET01")
    assert root.subject["day"] == "2026-07-05"
    clock.advance(days=1)
    assert await world.bot.digests.daily(WORKSPACE, TEAM, world.tenant.team_id, date(2026, 7, 5)) is None


async def test_a_card_nobody_waits_for_any_more_is_left(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False)
    channel = replace(await world.place(TEAM), is_daily=True)
    assert due_day(channel, "Asia/Seoul", MONDAY_NINE + timedelta(hours=5, minutes=59)) is not None
    assert due_day(channel, "Asia/Seoul", MONDAY_NINE + timedelta(hours=6)) is None


async def test_who_decides_about_a_digest(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False)
    lead, member = [await world.bot.people.meet(WORKSPACE, "한빛소프트", who) for who in (MINSU, SEOYEON)]
    channels = world.bot.digests.channels
    assert [one.scope for one in await channels.of(world.admin)] == [WHOLE, TEAM]
    assert [one.scope for one in await channels.of(lead)] == [TEAM]
    assert await channels.of(member) == []
    team, whole = await world.place(TEAM), await world.place(WHOLE)
    kept = await channels.configure(lead, replace(team, locale="ja-JP", version=DigestVersion.BRIEF))
    assert (kept.locale, kept.version) == ("ja-JP", DigestVersion.BRIEF)
    for person, channel, code in (
        (member, team, RefusalCode.NOT_TEAM_MANAGER),
        (lead, whole, RefusalCode.NOT_ADMIN),
        (world.admin, replace(team, id=4711), RefusalCode.UNKNOWN_DIGEST),
        (world.admin, replace(team, scope=WHOLE, scope_id=None), RefusalCode.UNKNOWN_DIGEST),
        (world.admin, replace(team, id=0), RefusalCode.DIGEST_CHANNEL_TAKEN),
    ):
        with pytest.raises(Refusal) as refused:
            await channels.configure(person, channel)
        assert refused.value.code is code


async def test_a_change_tells_nothing_after_the_fact_and_loses_nothing(storage: Storage, clock: FakeClock):
    world = await a_week(storage, clock, with_value=False)
    channels, team = world.bot.digests.channels, await world.place(TEAM)
    clock.moment = MONDAY_NINE + timedelta(hours=3)
    # Still to be told: a change of language keeps it.
    await channels.configure(world.admin, replace(team, locale="en-US"))
    assert await world.bot.digests.due() == 2
    # Told on Monday: Wednesday, now, does not tell the same week again, nor does switching it off and on.
    clock.moment = MONDAY_NINE + timedelta(days=2, hours=3)
    await channels.configure(world.admin, replace(await world.place(TEAM), cron="0 9 * * wed"))
    await channels.configure(world.admin, replace(await world.place(TEAM), is_enabled=False))
    await channels.configure(world.admin, replace(await world.place(TEAM), is_enabled=True))
    assert await world.bot.digests.due() == 0
    clock.moment = MONDAY_NINE + timedelta(days=9, minutes=20)
    assert await world.bot.digests.due() == 2  # Wednesday's team, Monday's workspace


@pytest.mark.parametrize(
    ("zone", "sundays"),
    [
        # Clocks go forward on 8 March and back on 1 November 2026; 02:30 does not exist, or twice.
        ("America/New_York", (date(2026, 3, 8), date(2026, 11, 1))),
        ("Europe/Berlin", (date(2026, 3, 29), date(2026, 10, 25))),
    ],
)
async def test_where_clocks_change_each_week_is_told_once(zone: str, sundays: tuple[date, date]):
    for sunday in sundays:
        channel = replace(
            usual_channel("T1", WHOLE, None, datetime(2026, 1, 1, tzinfo=UTC)), cron="30 2 * * sun", timezone=zone
        )
        told: list[date] = []
        moment = starts_at(sunday) - timedelta(days=8)
        while moment < starts_at(sunday) + timedelta(days=15):
            due = due_week(channel, "Asia/Seoul", moment)
            if due is not None:
                told.append(due.week.start)
                channel = replace(channel, last_week=due.week.start)
            moment += timedelta(hours=1)
        assert told == sorted(set(told))
        assert len(told) == 5  # one that was missed, and one for each Sunday
        assert all((after - before).days == 7 for before, after in pairwise(told))


async def test_mails_are_due_for_the_whole_workspace_once_it_was_told(storage: Storage, clock: FakeClock):
    world: World = await a_week(storage, clock, with_value=False)
    assert await world.bot.digests.mails_due() == []
    await world.bot.digests.due()
    [due] = await world.bot.digests.mails_due()
    assert (due.workspace_id, due.week, due.version, due.locale) == (WORKSPACE, WEEK.start, DigestVersion.BRIEF, "ko")
    whole = await world.place(WHOLE)
    await world.bot.digests.channels.configure(world.admin, replace(whole, is_mailed=False))
    assert await world.bot.digests.mails_due() == []
    await world.bot.digests.channels.configure(world.admin, replace(whole, is_mailed=True))
    clock.moment = MONDAY_NINE + timedelta(days=6)
    assert await world.bot.digests.mails_due() == []
