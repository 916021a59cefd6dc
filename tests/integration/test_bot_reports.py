"""Reports say true figures with their state and time, in a handful of queries whatever the size."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from blocks import doctor
from bot import Bot
from bot.errors import Refusal, RefusalCode
from bot.results import FindingCode, Level, SlackCheck
from finops.charges import FigureState
from finops.periods import Period
from finops.queries import ScopeKind
from finops.registry import Person, Team
from storage import KeyRing, open_storage
from tests.conftest import FakeClock
from tests.databases import on_both_databases, statements
from tests.integration.beginnings import begun
from tests.integration.bot_world import (
    KEY,
    MINSU,
    WORKSPACE,
    Key,
    LittleOpenAI,
    Organization,
    a_bot,
    a_team,
    worked,
)
from tests.integration.test_storage_secrets import an_installation
from tests.unit.saying import reader

TODAY = date(2026, 7, 6)  # a Monday


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
def days() -> int:
    """How many days of bill there are: the last seven, and the seven before to compare with."""
    return 14


@pytest.fixture
async def team(bot: Bot, admin: Person, days: int) -> Team:
    async def lived() -> Team:
        made = await a_team(bot, admin)
        await bot.connections.register_key(admin, made.id, KEY)
        await bot.projects.register(admin, made.id, ["proj_chat"])
        await worked(bot)
        return made

    return await begun(bot.storage, (admin, "proj_chat", days), lived)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@on_both_databases
@pytest.mark.parametrize("days", [36])  # back to the first of June
async def test_home_says_yesterday_last_week_last_month_and_this_month(
    bot: Bot, company: Organization, admin: Person, team: Team
):
    """Every figure equals the bill of its days, and says its state, its time and what is not in it."""
    home = await bot.reports.home(WORKSPACE, admin)
    assert home.yesterday.amount is not None
    assert home.yesterday.amount.amount == company.by_day(days_ago(1))
    assert home.last_week.amount is not None
    assert home.last_week.amount.amount == company.total(date(2026, 6, 29), TODAY)
    assert home.last_month.amount is not None
    assert home.last_month.amount.amount == company.total(date(2026, 6, 1), date(2026, 7, 1))
    assert home.month_to_date.amount is not None
    assert home.month_to_date.amount.amount == company.total(date(2026, 7, 1), TODAY)
    assert home.month_to_date.open_days == 1
    for figure in (home.yesterday, home.last_week, home.last_month, home.month_to_date):
        assert figure.state is FigureState.PROVISIONAL
        assert figure.as_of == bot.clock()
        assert figure.unread_days == 0
    assert len(home.trend) == 14
    assert home.trend[-1].amount == home.yesterday.amount
    assert home.top.total.amount == company.total(days_ago(7), TODAY)
    assert (home.last_7_days.amount, home.last_7_days.period) == (home.top.total, Period(days_ago(7), TODAY))
    assert (home.team_count, home.project_count, home.is_admin) == (1, 1, True)
    assert home.other_currencies == ()


async def test_today_is_not_yet_collected_rather_than_zero(bot: Bot, admin: Person, team: Team):
    report = await bot.reports.status(WORKSPACE, admin, "오늘")
    assert report.figure.amount is None
    assert report.figure.is_not_yet_collected


async def test_before_anything_was_read_nothing_is_zero(bot: Bot, admin: Person):
    home = await bot.reports.home(WORKSPACE, admin)
    assert home.yesterday.amount is None
    assert home.yesterday.state is FigureState.BLIND
    assert not home.setup.has_charges


async def test_status_compares_with_the_period_before(bot: Bot, company: Organization, admin: Person, team: Team):
    report = await bot.reports.status(WORKSPACE, admin, "지난주")
    assert report.previous.amount is not None
    assert report.previous.amount.amount == company.total(date(2026, 6, 22), date(2026, 6, 29))
    assert report.increase is not None
    assert report.increase < 0  # the company spends less every day
    # The same week by its date, in words and in what a button of an old message carries.
    named = f"week:{report.query.period.start}"
    for same in (
        await bot.reports.status(WORKSPACE, admin, "{}-W{:02}".format(*report.query.period.start.isocalendar())),
        await bot.reports.status_of(WORKSPACE, ScopeKind.WORKSPACE, None, named),
    ):
        assert same.query.name == named
        assert (same.figure, same.previous) == (report.figure, report.previous)


async def test_a_scope_is_found_by_its_words(bot: Bot, admin: Person, team: Team):
    for words, kind in {
        "": ScopeKind.WORKSPACE,
        "마케팅팀": ScopeKind.TEAM,
        "팀 마케팅팀 지난주": ScopeKind.TEAM,
        "chatbot-experiment 7d": ScopeKind.PROJECT,
        "CHATBOT-EXPERIMENT": ScopeKind.PROJECT,
        "project proj_chat last week": ScopeKind.PROJECT,
    }.items():
        report = await bot.reports.status(WORKSPACE, admin, words)
        assert report.scope.kind is kind
        same = await bot.reports.status_of(WORKSPACE, report.scope.kind, report.scope.id, report.query.name)
        assert same == report
        assert report.figure.amount == report.breakdown.total


async def test_a_project_is_charged_its_own_lines_only(bot: Bot, company: Organization, admin: Person, team: Team):
    report = await bot.reports.status(WORKSPACE, admin, "chatbot-experiment yesterday")
    own = [Decimal(amount) for project, _, amount in company.bill[days_ago(1)] if project == "proj_chat"]
    assert report.figure.amount is not None
    assert report.figure.amount.amount == sum(own)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("chatbot", "chatbot-experiment"),
        ("project CHAT", "chatbot-experiment"),
        ("마케팅", "마케팅팀"),
        ("팀 마", "마케팅팀"),
    ],
)
async def test_a_beginning_that_no_other_name_has_is_a_name(bot: Bot, admin: Person, team: Team, words: str, name: str):
    """As the help writes it; a period may stand beside it."""
    assert (await bot.reports.status(WORKSPACE, admin, f"{words} yesterday")).scope.name == name
    kind, _, id_ = (await bot.stopping.named(WORKSPACE, words)).scope.partition(":")
    assert (await bot.reports.status_of(WORKSPACE, ScopeKind(kind), int(id_), "today")).scope.name == name


@pytest.mark.parametrize("words", ["전체", "Everything", "all", "全体 今日", "지난달 전체"])
async def test_what_the_answer_calls_everything_may_be_typed_back(bot: Bot, admin: Person, team: Team, words: str):
    """Unless a team is called so."""
    assert (await bot.reports.status(WORKSPACE, admin, words)).scope.kind is ScopeKind.WORKSPACE
    await bot.teams.create(admin, "전체", MINSU, "C0DATA0001")
    named = await bot.reports.status(WORKSPACE, admin, words)
    assert (named.scope.kind is ScopeKind.TEAM) == ("전체" in words)


async def test_unknown_words_are_refused_with_a_guess(bot: Bot, admin: Person, team: Team):
    with pytest.raises(Refusal) as refused:
        await bot.reports.status(WORKSPACE, admin, "마캐팅팀")
    assert refused.value.code is RefusalCode.UNKNOWN_SCOPE
    assert refused.value.values == {
        "words": "마캐팅팀",
        "suggestion": "마케팅팀",
        "choices": ("마케팅팀", "chatbot-experiment"),
    }
    with pytest.raises(Refusal) as refused:
        await bot.reports.status(WORKSPACE, admin, "지닌주")
    assert refused.value.code is RefusalCode.UNKNOWN_PERIOD


async def test_a_team_without_projects_and_a_vanished_scope_are_calm(bot: Bot, admin: Person, team: Team):
    await bot.teams.create(admin, "데이터팀", MINSU, "C0DATA0001")
    report = await bot.reports.status(WORKSPACE, admin, "데이터팀")
    assert report.figure.amount is None
    assert report.breakdown.shares == ()
    with pytest.raises(Refusal) as refused:
        await bot.reports.status_of(WORKSPACE, ScopeKind.TEAM, 999, "last_7_days")
    assert refused.value.code is RefusalCode.UNKNOWN_TEAM


async def test_a_second_connection_without_a_reading_makes_its_missing_days_unread(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    """Of two organizations one was not read this morning: the sum is shown, and it says that a day is missing."""
    other = Organization("org-other", None, {"proj_x": "x"})
    key = KEY[:-1] + "9"
    openai.keys[key] = Key(other)
    await bot.connections.register_key(admin, team.id, key)
    await bot.projects.register(admin, team.id, ["proj_x"])
    await worked(bot)
    openai.keys[key].is_revoked = True
    clock.advance(days=1)
    await bot.collecting.due(clock())
    await worked(bot)
    report = await bot.reports.status(WORKSPACE, admin, "yesterday")
    assert report.figure.unread_days == 1
    assert report.figure.blind_since == clock()


async def test_a_period_is_told_the_same_everywhere_when_a_connection_is_left(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    """The days without a key are missing beside those that were read with it; afterwards nobody waits for them."""
    other, key = Organization("org-other", None, {"proj_x": "x"}), KEY[:-1] + "9"
    for back in range(20):
        other.charge(days_ago(back), "proj_x", "1")
    openai.keys[key] = Key(other)
    registered = await bot.connections.register_key(admin, team.id, key)
    await bot.projects.register(admin, team.id, ["proj_x"])
    await worked(bot)
    await bot.watching.poll_due()
    await bot.connections.delete(admin, registered.credential.id)
    today = {}
    for back in range(0, -3, -1):
        home = await bot.reports.home(WORKSPACE, admin)
        shown = (home.yesterday, home.last_week, home.last_month, home.month_to_date)
        for figure, words in zip(shown, ("yesterday", "last week", "last month", "month"), strict=True):
            assert (back, words, (await bot.reports.status(WORKSPACE, admin, words)).figure) == (back, words, figure)
            assert (back, words, (await bot.exporting.bill(admin, words))[1]) == (back, words, figure)
        spent = await bot.spending.spent(
            WORKSPACE, ScopeKind.WORKSPACE, None, Period(days_ago(back), days_ago(back - 1))
        )
        today[back] = (home.yesterday.unread_days, home.yesterday.blind_since is not None, spent.state)
        clock.advance(days=1)
        await bot.collecting.due(clock())
        await worked(bot)
        await bot.watching.poll_due()
    assert today == {
        0: (0, True, FigureState.ESTIMATE),
        -1: (1, True, FigureState.ESTIMATE),
        -2: (0, False, FigureState.ESTIMATE),
    }


async def test_an_organization_whose_keys_were_all_deleted_is_no_longer_waited_for(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team
):
    """Its line stood on Home for good, and the check-up warned of it each time; one that is switched off is told."""
    other, key = Organization("org-other", None, {"proj_x": "x"}), KEY[:-1] + "9"
    openai.keys[key] = Key(other)
    registered = await bot.connections.register_key(admin, team.id, key)
    await bot.projects.register(admin, team.id, ["proj_x"])
    await worked(bot)

    async def told() -> tuple[list[str], list[str], list[str], list[str]]:
        blind = [one.name for one in (await bot.reports.home(WORKSPACE, admin)).blind]
        found = await bot.doctor.examine(WORKSPACE)
        judged = (FindingCode.CONNECTION, FindingCode.KEYS)
        warned = [one.code.value for one in found if one.code in judged and one.level is not Level.OK]
        started = await bot.collecting.start_manual(admin)
        without_key = [one.organization_id or "" for one in started.without_key]
        left = [doctor.words(one, reader("en")) for one in found if one.level is Level.OK and one.code == "connection"]
        return blind, warned, without_key, left

    await bot.connections.disable(admin, registered.credential.id)
    assert await told() == (["org-other"], ["keys", "connection"], ["org-other"], [])
    await bot.connections.delete(admin, registered.credential.id)
    left = ["*org-other* is no longer collected: its keys were deleted. What was read of it stays."]
    assert await told() == ([], [], [], left)
    [last] = await bot.connections.of_team(WORKSPACE, team.id)
    await bot.connections.delete(admin, last.id)
    # Where nobody has a key any more, that is why nothing is known.
    blind, warned, without_key, _ = await told()
    assert (len(blind), warned, len(without_key)) == (2, ["keys", "connection", "connection"], 2)


async def test_no_question_costs_a_query_per_project_or_team(bot: Bot, admin: Person, team: Team):
    """The number of statements is the same for one project and for many."""

    async def queries() -> list[int]:
        counts = []
        for ask in (
            lambda: bot.reports.home(WORKSPACE, admin),
            lambda: bot.reports.status(WORKSPACE, admin, "30d"),
            lambda: bot.reports.status(WORKSPACE, admin, "마케팅팀 30d"),
        ):
            with statements() as seen:
                await ask()
            counts.append(len([one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]))
        return counts

    await queries()  # what bills taught about estimates is learned once a day
    few = await queries()
    for n in range(5):
        await bot.teams.create(admin, f"team {n}", MINSU, "C1")
    await bot.projects.register(admin, team.id, ["proj_search", "proj_batch"])
    assert await queries() == few
    assert max(few) <= 21


# --- the doctor ------------------------------------------------------------------------------------------------------

HEALTHY = SlackCheck(bot_token_ok=True, app_token_ok=True, clock_skew_seconds=0.2)


async def test_a_healthy_house_has_nothing_but_good_findings(bot: Bot, admin: Person, team: Team, clock: FakeClock):
    async with bot.storage.writing() as store:
        for connection in await store.connections.all(WORKSPACE):
            await store.healths.mark_read(WORKSPACE, connection.id, clock())
    tried = await bot.trials.send(admin, team.id)
    await bot.trials.press(WORKSPACE, MINSU.user_id, tried.key, None)
    findings = await bot.doctor.examine(WORKSPACE, HEALTHY)
    assert {finding.level for finding in findings} == {Level.OK}
    assert {finding.code for finding in findings} == set(FindingCode) - {FindingCode.CONNECTION}


async def test_the_doctor_finds_what_is_wrong_the_worst_first(
    bot: Bot, openai: LittleOpenAI, admin: Person, team: Team, clock: FakeClock
):
    openai.keys[KEY].is_revoked = True
    clock.advance(days=3)
    await bot.collecting.due(clock())
    await worked(bot)
    slack = SlackCheck(bot_token_ok=True, missing_scopes=("chat:write",), clock_skew_seconds=-400.0)
    findings = await bot.doctor.examine(WORKSPACE, slack)
    levels = [finding.level for finding in findings]
    assert levels == sorted(levels, key=[Level.FAIL, Level.WARN, Level.OK].index)
    failed = {finding.code: finding.values for finding in findings if finding.level is Level.FAIL}
    assert set(failed) == {
        FindingCode.SLACK_SCOPES,
        FindingCode.CLOCK,
        FindingCode.CONNECTION,
        FindingCode.COLLECTION,
    }
    assert failed[FindingCode.CONNECTION]["code"] == "key_rejected"
    assert failed[FindingCode.COLLECTION]["age_minutes"] == 72 * 60


async def test_the_doctor_knows_old_and_foreign_master_keys(
    bot: Bot, database_url: str, ring: KeyRing, openai: LittleOpenAI, clock: FakeClock, admin: Person, team: Team
):
    """What a former master key sealed is a warning, tokens of Slack and the trail's end, too: only where there is none
    left may the former key be taken away. What nobody can open is a failure."""
    async with open_storage(database_url, ring) as storage, storage.writing() as store:
        await store.installations.save(an_installation())

    async def sealed(other: KeyRing) -> tuple[Level, dict[str, object]]:
        async with open_storage(database_url, other) as storage, a_bot(storage, openai, clock) as twin:
            found = {one.code: one for one in await twin.doctor.examine(WORKSPACE)}
            assert FindingCode.SLACK_TOKEN not in found
            return found[FindingCode.KEYS_SEALED].level, found[FindingCode.KEYS_SEALED].values

    rotated = KeyRing.from_text(f"{KeyRing.generate('k2').to_text()},{ring.to_text()}")
    assert await sealed(rotated) == (Level.WARN, {"old": 4, "unreadable": 0})
    assert await sealed(KeyRing.generate("k9")) == (Level.FAIL, {"old": 3, "unreadable": 1})
    async with open_storage(database_url, rotated) as storage, storage.writing() as store:
        await store.credentials.reseal_all()
        assert await store.sealed_by_older_keys(WORKSPACE) == 3
    assert (await sealed(rotated))[0] is Level.WARN
    async with open_storage(database_url, rotated) as storage, storage.writing() as store:
        assert await store.reseal_all() == 3
    assert (await sealed(rotated))[0] is Level.OK
    whole = an_installation(enterprise_id="E0HANBIT01", team_id=None, is_enterprise_install=True)
    async with open_storage(database_url, ring) as storage, storage.writing() as store:
        await store.installations.save(whole)  # by a copy that does not know the new key yet
    assert await sealed(rotated) == (Level.WARN, {"old": 2, "unreadable": 0})
