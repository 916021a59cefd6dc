"""Budgets: who may decide, what is refused and why, what history recommends, and files."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from bot import Bot, Policy
from bot.budgets import BudgetWish, terms_of
from bot.errors import Refusal, RefusalCode
from finops.budget_report import OPERATOR, BudgetsReport, BudgetStanding, FileMistake
from finops.budgets import DEFAULT_LEVELS, Budget, BudgetPeriod, BudgetScope
from finops.charges import FigureState
from finops.incidents import CloseReason, EventKind
from finops.money import Money
from finops.registry import Person, Role
from storage import Storage
from storage.engine import normalised, open_engines
from tests.conftest import FakeClock
from tests.databases import WORKSPACE, a_tenant, on_both_databases
from tests.integration.live_world import JIHOON, World, a_runaway, neighbour_of

FILE = 'version: 1\nbudgets:\n  - {scope: "team:마케팅팀", period: day, amount: 800}\n'


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_runaway(storage, clock)


def a_wish(world: World, **changed: object) -> BudgetWish:
    """$500 a day for chatbot-experiment."""
    wish = BudgetWish(f"project:{world.project.id}", "day", "500", DEFAULT_LEVELS)
    return replace(wish, **changed)  # type: ignore[arg-type]


async def refused(call: object) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await call  # type: ignore[misc]
    return refusal.value


async def kept(world: World) -> list[Budget]:
    async with world.storage.reading() as store:
        return await store.budgets.all(WORKSPACE)


def named(report: BudgetsReport) -> list[tuple[str, str, int | None]]:
    return [(one.scope.key.split(":")[0], one.scope.name, one.percent) for one in report.budgets]


# --- what was typed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code", "values"),
    [
        ({"scope": ""}, RefusalCode.BUDGET_SCOPE_MISSING, {}),
        ({"scope": "planet:1"}, RefusalCode.BUDGET_SCOPE_MISSING, {}),
        ({"scope": "workspace:1"}, RefusalCode.BUDGET_SCOPE_MISSING, {}),
        ({"period": "hour"}, RefusalCode.BUDGET_SCOPE_MISSING, {}),
        ({"amount": ""}, RefusalCode.BUDGET_AMOUNT, {"mistake": "missing"}),
        ({"amount": "abc"}, RefusalCode.BUDGET_AMOUNT, {"mistake": "unreadable"}),
        ({"amount": "0"}, RefusalCode.BUDGET_AMOUNT, {"mistake": "not_positive"}),
        ({"amount": "-5"}, RefusalCode.BUDGET_AMOUNT, {"mistake": "not_positive"}),
        ({"amount": "500원"}, RefusalCode.BUDGET_AMOUNT, {"mistake": "currency"}),
        ({"amount": "9" * 12}, RefusalCode.BUDGET_AMOUNT, {"mistake": "too_large"}),
        ({"floor": "-1"}, RefusalCode.BUDGET_FLOOR, {"mistake": "not_positive"}),
        ({"floor": "500.01"}, RefusalCode.BUDGET_FLOOR, {"mistake": "above"}),
        ({"levels": ()}, RefusalCode.BUDGET_LEVELS, {}),
        ({"levels": (50, 50)}, RefusalCode.BUDGET_LEVELS, {}),
        ({"levels": (-1,)}, RefusalCode.BUDGET_LEVELS, {}),
        ({"scope": "workspace"}, RefusalCode.BUDGET_CHANNEL_MISSING, {}),
    ],
)
def test_what_makes_no_budget_is_refused_with_its_reason(
    changed: dict[str, Any], code: RefusalCode, values: dict[str, object]
) -> None:
    """Before anything is looked up."""
    with pytest.raises(Refusal) as refusal:
        terms_of(replace(BudgetWish("team:1", "day", "500", DEFAULT_LEVELS), **changed))
    assert (refusal.value.code, refusal.value.values) == (code, values)


async def test_a_refused_budget_leaves_nothing_behind(world: World) -> None:
    """Whether it is the amount, the scope, or a team that is nobody's."""
    for changed in ({"amount": "0"}, {"scope": "planet:1"}, {"scope": "team:99"}, {"scope": "project:99"}):
        await refused(world.bot.budgets.create(world.admin, a_wish(world, **changed)))
    assert await kept(world) == [world.budget]


@on_both_databases
async def test_what_was_typed_is_kept_to_the_last_digit(world: World) -> None:
    """Levels in order, a floor of nothing is none, the channel beside it."""
    wish = a_wish(
        world, amount="$1,000.50", levels=[100, 50], floor="0", action="stop", channel_id="C0FINANCE1", period="month"
    )
    made = await world.bot.budgets.create(world.admin, wish)
    assert made in await kept(world)
    assert (made.amount, made.levels, made.floor, made.action, made.channel_id, made.period) == (
        Money.of("1000.50"), (50, 100), Money.zero(), "stop", "C0FINANCE1", BudgetPeriod.MONTH,
    )  # fmt: skip


@on_both_databases
async def test_the_same_budget_twice_is_one(world: World) -> None:
    """A form that is submitted again, also at the same moment, makes no second one."""
    wish = a_wish(world)
    answers = await asyncio.gather(
        *(world.bot.budgets.create(world.admin, wish) for _ in range(4)), return_exceptions=True
    )
    assert [type(one) for one in answers].count(Budget) == 1
    assert {one.code for one in answers if isinstance(one, Refusal)} == {RefusalCode.BUDGET_EXISTS}
    assert len(await kept(world)) == 2
    other = await world.bot.budgets.create(world.admin, a_wish(world, amount="600"))
    assert (
        await refused(world.bot.budgets.update(world.admin, other.id, wish, other.updated_at.isoformat()))
    ).code is (RefusalCode.BUDGET_EXISTS)


# --- who may ---------------------------------------------------------------------------------------------------------


async def test_a_member_is_refused_politely_and_told_who_can(world: World) -> None:
    """Nobody is named who could not; what is everybody's is for admins."""
    mine = a_wish(world, scope=f"team:{world.tenant.team_id}")
    everything = a_wish(world, scope="workspace", channel_id="C0FINANCE1")
    at = world.budget.updated_at.isoformat()
    budgets, member, lead, budget_id = world.bot.budgets, world.member, world.lead, world.budget.id
    for call in (
        budgets.create(member, mine),
        budgets.create(member, a_wish(world)),
        budgets.update(member, budget_id, mine, at),
        budgets.switch(member, budget_id, is_enabled=False),
        budgets.delete(member, budget_id),
        budgets.open(member, budget_id),
    ):
        refusal = await refused(call)
        assert refusal.code is RefusalCode.NOT_TEAM_MANAGER
        assert refusal.values == {"team": "마케팅팀", "lead": lead.user_id, "admins": (world.admin.user_id,)}
    for call in (
        budgets.create(lead, everything),
        budgets.create(lead, replace(everything, scope="every_project")),
        budgets.update(lead, budget_id, everything, at),  # nor by moving one's own
        budgets.export_text(lead),
        budgets.import_diff(lead, FILE),
        budgets.import_apply(lead, FILE, "mark"),
    ):
        refusal = await refused(call)
        assert (refusal.code, refusal.values) == (RefusalCode.NOT_ADMIN, {"admins": (world.admin.user_id,)})
    assert await kept(world) == [world.budget]


async def test_a_lead_decides_for_the_team_and_its_projects(world: World) -> None:
    """Made, changed, switched off and on, deleted; the menu offers exactly what would be granted."""
    made = await world.bot.budgets.create(world.lead, a_wish(world))
    changed = await world.bot.budgets.update(
        world.lead, made.id, a_wish(world, amount="700"), made.updated_at.isoformat()
    )
    assert changed.amount == Money.of("700")
    off = await world.bot.budgets.switch(world.lead, made.id, is_enabled=False)
    assert not off.budget.is_enabled
    on = await world.bot.budgets.switch(world.lead, made.id, is_enabled=True)
    assert on.budget.is_enabled
    await world.bot.budgets.delete(world.lead, made.id)
    assert await kept(world) == [world.budget]
    assert (await refused(world.bot.budgets.delete(world.lead, made.id))).code is RefusalCode.UNKNOWN_BUDGET
    offered = [one.key for one in await world.bot.budgets.choices(world.lead, "")]
    assert offered == [f"team:{world.tenant.team_id}", f"project:{world.project.id}"]
    every = [one.key for one in await world.bot.budgets.choices(world.admin, "")]
    assert every == ["workspace", "every_project", *offered]
    assert await world.bot.budgets.choices(world.member, "") == []
    looked_at = await world.bot.budgets.choices(world.member, "CHATBOT", is_looking=True)
    assert [one.name for one in looked_at] == ["chatbot-experiment"]


async def test_another_workspace_sees_and_changes_nothing(world: World) -> None:
    """An id of a neighbour's budget, team or project opens nothing."""
    await a_tenant(world.storage, "T0OTHER001", "org-2")
    stranger = neighbour_of(world.admin)
    at = world.budget.updated_at.isoformat()
    budgets = world.bot.budgets
    for call, code in (
        (budgets.open(stranger, world.budget.id), RefusalCode.UNKNOWN_BUDGET),
        (budgets.update(stranger, world.budget.id, a_wish(world), at), RefusalCode.UNKNOWN_BUDGET),
        (budgets.switch(stranger, world.budget.id, is_enabled=False), RefusalCode.UNKNOWN_BUDGET),
        (budgets.delete(stranger, world.budget.id), RefusalCode.UNKNOWN_BUDGET),
        (budgets.create(stranger, a_wish(world)), RefusalCode.BUDGET_SCOPE_GONE),
    ):
        assert (await refused(call)).code is code
    suggestion = await budgets.suggestion("T0OTHER001", f"project:{world.project.id}", "day")
    assert suggestion is not None
    assert suggestion.usual.amount is None
    assert (await budgets.report(stranger)).budgets == ()
    assert "마케팅팀" not in await budgets.export_text(stranger)
    assert await kept(world) == [world.budget]


# --- meanwhile -------------------------------------------------------------------------------------------------------


async def test_of_two_who_change_one_budget_the_second_learns_of_the_first(world: World) -> None:
    """Whether one after the other or at the same moment; nothing is lost in silence."""
    seen = world.budget.updated_at.isoformat()
    first, second = (a_wish(world, scope=f"team:{world.tenant.team_id}", amount=each) for each in ("800", "900"))
    answers = await asyncio.gather(
        world.bot.budgets.update(world.admin, world.budget.id, first, seen),
        world.bot.budgets.update(world.lead, world.budget.id, second, seen),
        return_exceptions=True,
    )
    [saved] = [one for one in answers if isinstance(one, Budget)]
    [refusal] = [one for one in answers if isinstance(one, Refusal)]
    assert refusal.code is RefusalCode.BUDGET_CHANGED
    assert refusal.values == {"person": saved.updated_by, "at": saved.updated_at}
    assert await kept(world) == [saved]
    again = await world.bot.budgets.update(world.lead, saved.id, second, saved.updated_at.isoformat())
    assert again.amount == Money.of("900")
    assert again.updated_at > saved.updated_at, "told apart by it, also when the clock stands still"


async def test_a_budget_whose_project_is_gone_does_nothing_and_can_be_deleted(world: World) -> None:
    """It stays visible, says why, and is an admin's to clear away."""
    made = await world.bot.budgets.create(world.lead, a_wish(world))
    await world.bot.projects.unregister(world.admin, world.project.id)
    assert (await refused(world.bot.budgets.create(world.admin, a_wish(world, amount="1")))).code is (
        RefusalCode.BUDGET_SCOPE_GONE
    )
    report = await world.bot.budgets.report(world.admin)
    [standing] = [one for one in report.budgets if one.budget.id == made.id]
    assert standing.scope.is_gone
    assert standing.spent is None
    assert (await refused(world.bot.budgets.delete(world.lead, made.id))).code is RefusalCode.NOT_ADMIN
    await world.bot.budgets.delete(world.admin, made.id)


async def test_a_team_that_vanishes_while_a_form_is_open_is_refused_in_words(world: World, database_url: str) -> None:
    """Teams are removed by nobody's button, but a form can be older than its team."""
    async with open_engines(normalised(database_url)) as engines, engines.writing.begin() as connection:
        for table in ("projects", "teams"):
            await connection.execute(text(f"DELETE FROM {table}"))
    wish = a_wish(world, scope=f"team:{world.tenant.team_id}")
    assert (await refused(world.bot.budgets.create(world.admin, wish))).code is RefusalCode.BUDGET_SCOPE_GONE
    at = world.budget.updated_at.isoformat()
    refusal = await refused(world.bot.budgets.update(world.admin, world.budget.id, wish, at))
    assert refusal.code is RefusalCode.BUDGET_SCOPE_GONE
    assert (await world.bot.budgets.choice(WORKSPACE, wish.scope)) is not None


# --- what is spent now -----------------------------------------------------------------------------------------------


async def test_the_list_says_what_is_spent_of_each_budget(world: World) -> None:
    """The fullest first; a default stands as the project nearest to it; what is off stands last."""
    budgets = world.bot.budgets
    await budgets.create(world.admin, a_wish(world, scope="workspace", amount="10000", channel_id="C0FINANCE1"))
    await budgets.create(world.admin, a_wish(world, scope="every_project", amount="1000"))
    off = await budgets.create(world.admin, a_wish(world, amount="1", period="week"))
    await budgets.switch(world.admin, off.id, is_enabled=False)
    report = await budgets.report(world.admin)
    assert named(report) == [
        ("team", "마케팅팀", 148),
        ("every_project", "", 74),
        ("workspace", "", 7),
        ("project", "chatbot-experiment", None),
    ]  # fmt: skip
    of_team, of_each = report.budgets[:2]
    assert of_team.spent is not None
    assert (of_team.spent.amount, of_team.spent.state) == (Money.of("742"), FigureState.ESTIMATE)
    assert of_each.fullest is not None
    assert (of_each.projects, of_each.fullest.name) == (1, "chatbot-experiment")
    assert all(one.may_change for one in report.budgets)
    await budgets.create(world.admin, a_wish(world, amount="2000"))
    [of_each] = [one for one in (await budgets.report(world.admin)).budgets if one.scope.key == "every_project"]
    assert (of_each.projects, of_each.spent) == (0, None), "the project has a budget of its own now"


async def test_everybody_sees_budgets_and_who_changes_them(world: World) -> None:
    """A member without a button; a lead with buttons on what is theirs."""
    await world.bot.budgets.create(world.admin, a_wish(world, scope="every_project"))
    for person, may, may_add in ((world.member, set(), False), (world.lead, {"마케팅팀"}, True)):
        report = await world.bot.budgets.report(person)
        assert len(report.budgets) == 2
        assert {one.scope.name for one in report.budgets if one.may_change} == may
        assert (report.may_add, report.is_admin) == (may_add, False)
        assert world.admin.user_id in report.changers


async def test_a_project_is_told_every_budget_with_a_say_in_it(world: World) -> None:
    """Its own, its team's, the default and the whole; and a name finds it."""
    for scope in ("workspace", "every_project", f"project:{world.project.id}"):
        await world.bot.budgets.create(world.admin, a_wish(world, scope=scope, channel_id="C0FINANCE1"))
    async with world.storage.writing() as store:
        other = await store.teams.create(
            WORKSPACE, name="데이터팀", lead_user_id=world.member.user_id, channel_id="C0DATA0001", locale="ko",
            approvers=(), created_by=world.admin.user_id, at=world.clock(),
        )  # fmt: skip
    await world.bot.budgets.create(world.member, a_wish(world, scope=f"team:{other.id}"))
    scope = await world.bot.budgets.named(WORKSPACE, " Chatbot-Experiment ")
    report = await world.bot.budgets.report(world.member, covering=scope.key)
    assert {one.scope.kind for one in report.budgets} == set(BudgetScope)
    assert "데이터팀" not in {one.scope.name for one in report.budgets}
    assert report.covering is not None
    assert (report.covering.name, report.may_add) == ("chatbot-experiment", False)
    assert report.changers == (world.lead.user_id, world.admin.user_id)
    async with world.storage.writing() as store:
        assert await store.people.set_role(WORKSPACE, world.lead.user_id, Role.OUTSIDER)
    report = await world.bot.budgets.report(world.member, covering=scope.key)
    assert report.changers == (world.admin.user_id,), "nobody is sent to a lead who left"
    refusal = await refused(world.bot.budgets.named(WORKSPACE, "chatbot-experimnet"))
    assert (refusal.code, refusal.values["suggestion"]) == (RefusalCode.UNKNOWN_SCOPE, "chatbot-experiment")


async def test_a_changed_budget_speaks_at_once(world: World) -> None:
    """Raised, the alert says so; switched off, it closes; nobody waits for the next poll."""
    [incident] = await world.evaluate()
    assert incident.id is not None
    wish = a_wish(world, scope=f"team:{world.tenant.team_id}", amount="1000")
    changed = await world.bot.budgets.update(world.lead, world.budget.id, wish, world.budget.updated_at.isoformat())
    [incident] = await world.evaluate()
    assert incident.limit == Money.of("1000")
    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, incident.id or 0)
    [told] = [one for one in events if one.kind is EventKind.BUDGET_CHANGED]
    assert told.values["by"] == world.lead.user_id
    await world.bot.budgets.switch(world.admin, changed.id, is_enabled=False)
    assert await world.evaluate() == []
    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, incident.id or 0)
    assert events[-1].values["reason"] == CloseReason.BUDGET_DISABLED


# --- what history recommends -----------------------------------------------------------------------------------------


async def test_the_last_four_weeks_recommend_a_limit(world: World) -> None:
    """$50 a day is usual: $75 suits; for the week and the month as well, and for every project by the largest."""
    for scope in (f"project:{world.project.id}", f"team:{world.tenant.team_id}", "workspace", "every_project"):
        suggestion = await world.bot.budgets.suggestion(WORKSPACE, scope, "day")
        assert suggestion is not None
        assert (suggestion.usual.amount, suggestion.usual.days) == (Money.of("50"), 28)
        assert suggestion.recommended == Money.of("75")
        assert (suggestion.of.name if suggestion.of else None) == (
            "chatbot-experiment" if scope == "every_project" else None
        )
    week = await world.bot.budgets.suggestion(WORKSPACE, "workspace", "week")
    assert week is not None
    assert (week.usual.amount, week.recommended) == (Money.of("350"), Money.of("600"))
    month = await world.bot.budgets.suggestion(WORKSPACE, "workspace", "month")
    assert month is not None
    assert (month.usual.amount, month.recommended) == (None, None), "June was not read from its first day"


async def test_without_history_nothing_is_recommended(storage: Storage, clock: FakeClock) -> None:
    """Nor while scope or period are not chosen; the first step is still a team's day."""
    tenant = await a_tenant(storage)
    bot = Bot(storage, {}, clock, Policy())
    admin: Person = await bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    for scope in (f"team:{tenant.team_id}", "workspace", "every_project", "project:99"):
        suggestion = await bot.budgets.suggestion(WORKSPACE, scope, "day")
        assert suggestion is not None
        assert (suggestion.usual.amount, suggestion.recommended) == (None, None)
    assert await bot.budgets.suggestion(WORKSPACE, "", "day") is None
    assert await bot.budgets.suggestion(WORKSPACE, "workspace", "hour") is None
    report = await bot.budgets.report(admin)
    assert report.first is not None
    assert (report.first.scope.name, report.first.period) == ("마케팅팀", BudgetPeriod.DAY)


async def test_a_workspace_without_budgets_is_offered_a_good_first_one(world: World) -> None:
    """For the team that spends most, of those one answers for; a member is not taught what they may not do."""
    await world.bot.budgets.delete(world.admin, world.budget.id)
    for person in (world.admin, world.lead):
        first = (await world.bot.budgets.report(person)).first
        assert first is not None
        assert (first.scope.name, first.suggestion.recommended) == ("마케팅팀", Money.of("75"))
    assert (await world.bot.budgets.report(world.member)).first is None


# --- files -----------------------------------------------------------------------------------------------------------


async def test_a_file_changes_nothing_before_its_difference_was_seen(world: World) -> None:
    """Then exactly that; what was exported is imported without a change."""
    budgets = world.bot.budgets
    of_project = await budgets.create(world.admin, a_wish(world, levels=(80, 100), floor="10", action="ask"))
    exported = await budgets.export_text(world.admin)
    assert (await budgets.import_diff(world.admin, exported)).diff.is_empty
    plan = await budgets.import_diff(world.admin, FILE)
    assert [(one.before.amount, one.after.amount) for one in plan.diff.changed] == [(Money.of(500), Money.of(800))]
    assert [terms.scope_id for _, terms in plan.diff.removed] == [world.project.id]
    assert {one.name for one in plan.names.values()} == {"마케팅팀", "chatbot-experiment"}
    assert len(await kept(world)) == 2
    applied = await budgets.import_apply(world.admin, FILE, plan.mark)
    assert applied.is_applied
    [left] = await kept(world)
    assert (left.id, left.amount, left.updated_by) == (world.budget.id, Money.of(800), world.admin.user_id)
    back = await budgets.import_diff(world.admin, exported)
    assert (await budgets.import_apply(world.admin, exported, back.mark)).is_applied
    assert [one.terms for one in await kept(world)] == [world.budget.terms, of_project.terms]


async def test_an_import_is_shown_anew_when_anything_changed_meanwhile(world: World) -> None:
    """A budget, or the file itself; the old agreement counts for nothing."""
    budgets = world.bot.budgets
    plan = await budgets.import_diff(world.admin, FILE)
    await budgets.create(world.lead, a_wish(world))
    late = await budgets.import_apply(world.admin, FILE, plan.mark)
    assert not late.is_applied
    assert len(late.diff.removed) == 1
    other = await budgets.import_apply(world.admin, FILE.replace("800", "801"), late.mark)
    assert not other.is_applied
    assert len(await kept(world)) == 2
    assert (await budgets.import_apply(world.admin, FILE.replace("800", "801"), other.mark)).is_applied


@on_both_databases
async def test_two_who_apply_one_file_at_once_apply_it_once(world: World) -> None:
    """The second finds it done."""
    added = FILE + f'  - {{scope: "project:{world.project.name}", period: week, amount: 60}}\n'
    plan = await world.bot.budgets.import_diff(world.admin, added)
    answers = await asyncio.gather(*(world.bot.budgets.apply(WORKSPACE, added, plan.mark) for _ in range(3)))
    assert [one.is_applied for one in answers].count(True) == 1
    assert all(one.is_applied or one.diff.is_empty for one in answers)
    assert [(one.amount, one.updated_by) for one in await kept(world)] == [
        (Money.of(800), OPERATOR), (Money.of(60), OPERATOR),
    ]  # fmt: skip


async def test_files_leave_alone_what_is_off_or_gone(world: World) -> None:
    """An empty file deletes what is in force, and nothing else."""
    off = await world.bot.budgets.create(world.admin, a_wish(world))
    await world.bot.budgets.switch(world.admin, off.id, is_enabled=False)
    plan = await world.bot.budgets.import_diff(world.admin, "version: 1\nbudgets: []\n")
    assert (len(plan.diff.removed), plan.others) == (1, 1)
    await world.bot.budgets.import_apply(world.admin, "version: 1\nbudgets: []\n", plan.mark)
    assert [one.id for one in await kept(world)] == [off.id]


async def test_a_file_with_a_mistake_is_refused_as_a_whole(world: World) -> None:
    """With every mistake and its line."""
    wrong = FILE + "  - {scope: planet, period: day, amount: 5}\n  - {scope: workspace, period: day, amount: -5}\n"
    refusal = await refused(world.bot.budgets.import_diff(world.admin, wrong))
    assert refusal.code is RefusalCode.BUDGET_FILE
    told = refusal.values["mistakes"]
    assert isinstance(told, tuple)
    assert [(one.line, one.code) for one in told] == [
        (4, FileMistake.SCOPE), (5, FileMistake.AMOUNT), (5, FileMistake.CHANNEL_MISSING),
    ]  # fmt: skip
    assert await kept(world) == [world.budget]


async def test_an_amount_beyond_all_measure_of_the_present_is_still_a_whole_per_cent(world: World) -> None:
    """A tiny budget shows how far it is exceeded, exactly."""
    made = await world.bot.budgets.create(world.admin, a_wish(world, amount="0.01"))
    report = await world.bot.budgets.report(world.admin)
    [standing] = [one for one in report.budgets if one.budget.id == made.id]
    assert isinstance(standing, BudgetStanding)
    assert standing.percent == int(Decimal(742) / Decimal("0.01") * 100)
