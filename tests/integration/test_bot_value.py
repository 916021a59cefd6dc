"""Value beside cost: what applications recorded, at what the bill says it cost; tokens, ratings, targets and caps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from bot import Bot
from bot.errors import Refusal, RefusalCode
from bot.value import by_name, caps_seen, of_all, of_projects, projects_of
from finops.audit import AuditKind, filter_of
from finops.caps import written
from finops.events import RecordedCall, token_hash
from finops.figures import Scope
from finops.keys import contains_key
from finops.money import Money, to_units
from finops.periods import Period, minute_of, starts_at
from finops.queries import ScopeKind
from finops.registry import Person, Project, Team
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from finops.value import Dimension, Outcome, ValueFigure, ValueSource
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.beginnings import begun
from tests.integration.bot_world import (
    KEY,
    SEOYEON,
    WORKSPACE,
    LittleOpenAI,
    a_team,
    worked,
)

TODAY = date(2026, 7, 6)  # a Monday
YESTERDAY = TODAY - timedelta(days=1)
WEEK = Period(TODAY - timedelta(days=7), TODAY)


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
def days() -> int:
    return 14


@pytest.fixture
async def member(bot: Bot, admin: Person) -> Person:
    return await bot.people.meet(WORKSPACE, "한빛", SEOYEON)


@pytest.fixture
async def team(bot: Bot, admin: Person, days: int) -> Team:
    async def lived() -> Team:
        made = await a_team(bot, admin)
        await bot.connections.register_key(admin, made.id, KEY)
        await bot.projects.register(admin, made.id, ["proj_chat", "proj_search"])
        await worked(bot)
        return made

    return await begun(bot.storage, (admin, "proj_chat", "proj_search", days), lived)


@pytest.fixture
async def chat(bot: Bot, team: Team) -> Project:
    return next(one for one in await bot.projects.of_team(WORKSPACE, team.id) if one.provider_project_id == "proj_chat")


def a_call(number: int, day: date = YESTERDAY, *, good: bool = True, cost: str = "0.01", **more: str) -> RecordedCall:
    nano, rest = to_units(Decimal(cost))
    outcome = Outcome.SUCCESS if good else Outcome.FAILURE
    at = starts_at(day) + timedelta(hours=1)
    name = f"{day}-{number}"
    return RecordedCall(
        name, name, at, **{"task": "summary", "model": "m", **more}, outcome=outcome, cost_nano=nano, cost_rest=rest
    )  # type: ignore[arg-type]


async def recorded(bot: Bot, project: Project, calls: Sequence[RecordedCall]) -> None:
    async with bot.storage.writing() as store:
        await store.value.record(WORKSPACE, project.id, calls)


async def seen_by_provider(bot: Bot, project: Project, day: date, requests: int, at: datetime) -> None:
    start = minute_of(starts_at(day))
    row = UsageRow(start, "completions", "proj_chat", "m", "key", "default", is_batch=False, requests=requests)
    reading = UsageReading(Endpoint.COMPLETIONS, Width.DAY, start, start + Width.DAY, (UsageBucket(start, (row,)),))
    async with bot.storage.writing() as store:
        await store.usage.replace(WORKSPACE, project.connection_id, reading, [(row, 0, True)], at, reading.end)


@on_both_databases
async def test_a_report_says_what_the_money_bought(bot: Bot, admin: Person, chat: Project):
    """Four successes of five calls whose estimates are two cents each: 2.5 cents a success, in the table as well."""
    await recorded(bot, chat, [a_call(n, good=n > 0, cost="0.02") for n in range(5)])
    report = await bot.reports.status(WORKSPACE, admin, "7d")
    assert (report.value.successes, report.value.outcomes) == (4, 5)
    assert report.value.cost_per_success == Money.of("0.025")
    [share] = [one for one in report.breakdown.shares if one.project_id == chat.id]
    assert share.value.successes == 4
    assert {one.value.source for one in report.breakdown.shares if one.project_id != chat.id} == {ValueSource.NONE}
    home = await bot.reports.home(WORKSPACE, admin)
    assert home.value.yesterday.successes == home.value.last_week.successes == 4
    assert home.value.last_month.source is ValueSource.NONE


async def value_of(bot: Bot, scope: Scope, period: Period) -> ValueFigure:
    """What a scope's money bought, by its bills."""
    async with bot.storage.reading() as store:
        projects = await projects_of(store, WORKSPACE, scope)
        is_everything = scope.kind is ScopeKind.WORKSPACE
        return await of_all(store, WORKSPACE, period, projects, is_everything=is_everything)


async def value_by_project(bot: Bot) -> dict[int, ValueFigure]:
    """The same of every registered project in the week."""
    async with bot.storage.reading() as store:
        return await of_projects(store, WORKSPACE, WEEK, await store.projects.all(WORKSPACE))


async def test_a_scope_has_the_value_of_its_own_projects(bot: Bot, chat: Project, team: Team):
    await recorded(bot, chat, [a_call(1), a_call(2)])
    whole = await value_of(bot, Scope(ScopeKind.WORKSPACE, None, ""), WEEK)
    mine = await value_of(bot, Scope(ScopeKind.TEAM, team.id, team.name), WEEK)
    each = await value_by_project(bot)
    assert whole == mine == each[chat.id]
    assert [one.source for id_, one in each.items() if id_ != chat.id] == [ValueSource.NONE]
    nobody = await value_of(bot, Scope(ScopeKind.TEAM, team.id + 1, ""), WEEK)
    assert nobody.source is ValueSource.NONE


async def test_tasks_and_experiments_are_told_apart(bot: Bot, chat: Project):
    calls = [a_call(1, task="reply", cost="0.3"), a_call(2, experiment="short-prompt", cost="0.1", good=False)]
    await recorded(bot, chat, calls)
    async with bot.storage.reading() as store:
        rows = await store.value.days(WORKSPACE, WEEK, [chat.id])
    tasks = by_name(rows, Dimension.TASK)
    assert [(one.name, one.cost) for one in tasks] == [("reply", Money.of("0.3")), ("summary", Money.of("0.1"))]
    experiments = by_name(rows, Dimension.EXPERIMENT)
    assert {one.name: one.value.successes for one in experiments} == {"": 1, "short-prompt": 0}


async def test_what_passes_a_cap_is_seen(bot: Bot, chat: Project):
    calls = [a_call(1, user_key="a", segment="sales", cost="0.03"), a_call(2, user_key="b", segment="sales")]
    await recorded(bot, chat, calls)
    async with bot.storage.reading() as store:
        [seen] = await caps_seen(store, WORKSPACE, WEEK)
    assert (seen.project_id, seen.segment, seen.users, seen.dearest_call) == (chat.id, "sales", 1, Money.of("0.03"))


async def test_a_token_is_told_once_found_by_its_hash_and_revoked_for_good(bot: Bot, admin: Person, chat: Project):
    """Who made and revoked it is on the trail; the token itself is nowhere."""
    made = await bot.event_tokens.make(admin, chat.id, "  web   backend ")
    token = made.token.reveal()
    assert token.startswith("fin_")
    assert len(token) == 47
    assert contains_key(f"curl -H {token}")
    assert made.shown.name == "web backend"
    async with bot.storage.reading() as store:
        found = await store.event_tokens.find(token_hash(token))
        assert found is not None
        assert found.project_id == chat.id
    await bot.event_tokens.revoke(admin, chat.id, made.shown.id)
    with pytest.raises(Refusal) as twice:
        await bot.event_tokens.revoke(admin, chat.id, made.shown.id)
    assert twice.value.code is RefusalCode.UNKNOWN_TOKEN
    assert await bot.event_tokens.of_project(admin, chat.id) == []
    async with bot.storage.reading() as store:
        assert await store.event_tokens.find(token_hash(token)) is None
        rows = await store.audit.page(WORKSPACE, filter_of(AuditKind.PROJECTS), limit=2)
    assert [row.entry.action for row in rows] == ["token.revoked", "token.made"]
    assert token not in str(rows)


async def test_only_who_answers_for_a_project_makes_and_sees_its_tokens(bot: Bot, member: Person, chat: Project):
    for wish in (
        bot.event_tokens.make(member, chat.id, "x"),
        bot.event_tokens.of_project(member, chat.id),
        bot.event_tokens.revoke(member, chat.id, 1),
        bot.project_details.set_target(member, chat.id, "1"),
    ):
        with pytest.raises(Refusal) as refusal:
            await wish
        assert refusal.value.code is RefusalCode.NOT_TEAM_MANAGER
    report = await bot.project_details.of(member, chat.id, "last_7_days")
    assert report.tokens is None
    with pytest.raises(Refusal) as caps:
        await bot.project_details.set_caps(member, "*: 1 / 2")
    assert caps.value.code is RefusalCode.NOT_ADMIN


async def test_a_token_of_another_project_is_not_revoked_through_this_one(
    bot: Bot, admin: Person, chat: Project, team: Team
):
    other = next(one for one in await bot.projects.of_team(WORKSPACE, team.id) if one.id != chat.id)
    made = await bot.event_tokens.make(admin, other.id, "x")
    with pytest.raises(Refusal) as refusal:
        await bot.event_tokens.revoke(admin, chat.id, made.shown.id)
    assert refusal.value.code is RefusalCode.UNKNOWN_TOKEN


async def test_a_rating_is_one_answer_a_person_may_change_or_take_back(
    bot: Bot, admin: Person, member: Person, chat: Project
):
    """Two people, one of whom thinks again; it speaks for the week it is about. The same again changes nothing."""
    monday = WEEK.start
    told = [await bot.ratings.rate(admin, chat.id, monday, score) for score in (0, 1000, 1000)]
    assert [(one.was_changed, one.is_same) for one in told] == [(False, False), (True, False), (False, True)]
    await bot.ratings.rate(member, chat.id, monday, 500)
    rated = (await value_by_project(bot))[chat.id]
    assert (rated.source, rated.raters, rated.feedback) == (ValueSource.RATINGS, 2, Decimal("0.75"))
    for week in (monday + timedelta(days=1), TODAY + timedelta(days=7), monday - timedelta(weeks=20)):
        with pytest.raises(Refusal) as refusal:
            await bot.ratings.rate(admin, chat.id, week, 0)
        assert refusal.value.code is RefusalCode.RATING_TOO_OLD
        with pytest.raises(Refusal) as refusal:
            await bot.ratings.take_back(admin, chat.id, week)
        assert refusal.value.code is RefusalCode.RATING_TOO_OLD
    for _ in range(2):
        assert (await bot.ratings.take_back(admin, chat.id, monday)).id == chat.id
    rated = (await value_by_project(bot))[chat.id]
    assert (rated.raters, rated.feedback) == (1, Decimal("0.5"))
    assert not (await bot.ratings.rate(admin, chat.id, monday, 0)).was_changed


async def test_a_project_is_found_by_name_and_shown_in_detail(bot: Bot, admin: Person, chat: Project):
    """Cost, value by day and task, target and tokens of the same seven days."""
    calls = [*(a_call(n) for n in range(4)), a_call(9, WEEK.start, task="reply", experiment="b", segment="vip")]
    await recorded(bot, chat, calls)
    await bot.project_details.set_target(admin, chat.id, "$0.02")
    assert (await bot.project_details.named(admin, chat.name)).id == chat.id
    report = await bot.project_details.of(admin, chat.id, "last_7_days")
    assert report.value.successes == 5
    assert [one.successes for one in report.trend_values] == [1, 0, 0, 0, 0, 0, 4]
    assert [one.name for one in report.tasks] == ["summary", "reply"]
    assert [one.name for one in report.experiments] == ["b"]
    assert [one.name for one in report.segments] == ["vip"]
    assert report.target == Money.of("0.02")
    assert report.tokens == ()
    await bot.project_details.set_target(admin, chat.id, "")
    assert (await bot.project_details.target(admin, chat.id))[1] is None
    with pytest.raises(Refusal) as refusal:
        await bot.project_details.set_target(admin, chat.id, "much")
    assert refusal.value.code is RefusalCode.TARGET_AMOUNT


async def test_caps_of_one_line_change_that_segment_alone(bot: Bot, admin: Person):
    await bot.project_details.set_caps(admin, "sales: 0.03 / 2")
    told = written(await bot.project_details.caps(admin))
    assert told == "*: 0.05 / 5\nrnd_engineer: 0.2 / 50\nsales: 0.03 / 2"


async def test_the_largest_projects_at_home_are_not_valued_by_a_bill_that_lacks_a_day(
    bot: Bot, openai: LittleOpenAI, admin: Person, chat: Project, clock: FakeClock
):
    """A day is left out of a good answer: what was recorded of it stood beside the bill of the other six."""
    openai.is_silent_on = {TODAY}
    clock.advance(days=1)
    await bot.collecting.due(clock())
    await worked(bot)
    await seen_by_provider(bot, chat, TODAY, 5, clock())
    await recorded(bot, chat, [a_call(n, TODAY, good=n > 0, cost="0.02") for n in range(5)])
    report = await bot.reports.status(WORKSPACE, admin, "7d")
    home = await bot.reports.home(WORKSPACE, admin)
    asked, shown = [
        next(one.value for one in each.shares if one.project_id == chat.id) for each in (report.breakdown, home.top)
    ]
    assert report.figure.unread_days == 1
    assert shown == asked
    assert shown.cost_per_success == Money.of("0.025")


async def test_a_bill_that_begins_before_the_calls_were_read_does_not_value_them(
    bot: Bot, admin: Person, chat: Project, clock: FakeClock
):
    """A bill of a week stood beside the calls of its last day: last month a success cost eight times this month's."""
    await seen_by_provider(bot, chat, YESTERDAY, 5, clock())
    await recorded(bot, chat, [a_call(n, good=n > 0, cost="0.02") for n in range(5)])
    day, week = [await bot.reports.status(WORKSPACE, admin, words) for words in ("yesterday", "7d")]
    [billed] = [one for one in day.breakdown.shares if one.project_id == chat.id]
    [early] = [one for one in week.breakdown.shares if one.project_id == chat.id]
    assert (day.value.coverage, billed.value.coverage) == (1, 1)
    assert billed.value.cost_per_success == Money.of(billed.amount.amount / 4)
    assert (week.value.coverage, early.value.coverage) == (None, None), "of most of its days nobody knows"
    assert early.value.cost_per_success == week.value.cost_per_success == Money.of("0.025")
    assert (await value_of(bot, Scope(ScopeKind.TEAM, chat.team_id, ""), WEEK)) == week.value
