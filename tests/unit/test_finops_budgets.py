"""Budgets: levels are reached exactly, one calendar, honest medians, friendly recommendations."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.budgets import (
    DEFAULT_LEVELS,
    HISTORY_DAYS,
    LARGEST_AMOUNT,
    Budget,
    BudgetAction,
    BudgetMistake,
    BudgetOn,
    BudgetPeriod,
    BudgetRefused,
    BudgetScope,
    BudgetTerms,
    Usual,
    UsualMethod,
    breach_at,
    effective,
    is_loud,
    median,
    percent_floor,
    period_of,
    reached,
    recommended,
    usual,
)
from finops.figures import Scope
from finops.money import CurrencyMismatch, Money, total
from finops.periods import Period, charge_day, starts_at
from finops.queries import ScopeKind
from finops.registry import Project, Team
from tests.unit.breaching import NOW, TODAY, a_budget

amounts = st.decimals("0.01", "100000", places=2).map(Money)
spendings = st.decimals("-10", "400000", places=9).map(Money)
level_lists = st.sets(st.integers(1, 1000), min_size=1, max_size=10).map(lambda found: tuple(sorted(found)))
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))


# --- what a budget may be --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "mistake"),
    [
        ({"amount": Money.of(0)}, BudgetMistake.AMOUNT),
        ({"amount": Money.of("-0.01")}, BudgetMistake.AMOUNT),
        ({"amount": Money.of(LARGEST_AMOUNT + 1)}, BudgetMistake.AMOUNT),
        ({"levels": ()}, BudgetMistake.LEVELS),
        ({"levels": (50, 50)}, BudgetMistake.LEVELS),
        ({"levels": (75, 50)}, BudgetMistake.LEVELS),
        ({"levels": (0, 50)}, BudgetMistake.LEVELS),
        ({"levels": (50, 1001)}, BudgetMistake.LEVELS),
        ({"levels": (True,)}, BudgetMistake.LEVELS),
        ({"floor": Money.of("-0.01")}, BudgetMistake.FLOOR),
        ({"floor": Money.of(1, "KRW")}, BudgetMistake.FLOOR),
        ({"scope_id": None}, BudgetMistake.SCOPE),
        ({"scope_kind": BudgetScope.WORKSPACE}, BudgetMistake.SCOPE),
        ({"scope_kind": BudgetScope.EVERY_PROJECT}, BudgetMistake.SCOPE),
    ],
)
def test_an_impossible_budget_is_refused_and_says_what_is_wrong(wrong: dict[str, Any], mistake: BudgetMistake):
    """At birth, as a budget and as the terms a person typed."""
    with pytest.raises(BudgetRefused) as refusal:
        a_budget(**wrong)
    assert refusal.value.mistake is mistake
    typed = {"scope_kind": BudgetScope.TEAM, "scope_id": 1, "period": BudgetPeriod.DAY, "amount": Money.of(500)}
    with pytest.raises(BudgetRefused) as refusal:
        BudgetTerms(**typed | wrong)
    assert refusal.value.mistake is mistake


def test_terms_are_what_a_person_decides():
    """No floor and a floor of zero are the same silence: none."""
    assert a_budget().terms == BudgetTerms(
        BudgetScope.TEAM, 1, BudgetPeriod.DAY, Money.of(500), DEFAULT_LEVELS, BudgetAction.NOTIFY, Money.zero()
    )
    typed = BudgetTerms(BudgetScope.WORKSPACE, None, BudgetPeriod.MONTH, Money.of(9, "KRW"))
    assert (typed.levels, typed.action, typed.silent_below) == (
        (50, 75, 90, 100, 150, 200, 300), BudgetAction.NOTIFY, Money.zero("KRW"),
    )  # fmt: skip


# --- levels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spent", "of", "percent"),
    [
        ("742", "500", 148),
        ("499.999999999", "500", 99),
        ("500", "500", 100),
        ("0", "500", 0),
        ("-0.01", "500", -1),
        ("1", "3", 33),
        ("3", "3", 100),
        ("2" + "9" * 79, "3" + "0" * 79, 99),
        ("0." + "9" * 70, "1", 99),
    ],
)
def test_per_cents_are_rounded_down(spent: str, of: str, percent: int):
    """742 of 500 is 148 %; a hundred is not shown before a hundred is reached, however near."""
    assert percent_floor(Money.of(spent), Money.of(of)) == percent


def test_742_against_50_is_1384_per_cent_more():
    """Never 1,484 %; and against nothing, or the unknown, there is no increase."""
    assert Usual(Money.of(50), 28, UsualMethod.DAYS).increase(Money.of(742)) == Decimal("13.84")
    assert Usual(Money.of(50), 28, UsualMethod.DAYS).increase(Money.of(25)) == Decimal("-0.5")
    for unknown in (None, Money.zero(), Money.of(-1), Money.of(50, "KRW")):
        assert Usual(unknown, 0, UsualMethod.DAYS).increase(Money.of(742)) is None


def test_of_nothing_there_are_no_per_cents():
    """A budget is above zero, so this is somebody's mistake."""
    with pytest.raises(ValueError, match="zero"):
        percent_floor(Money.of(1), Money.zero())


def test_touching_a_level_is_reaching_it():
    """A billionth less is not."""
    budget = a_budget()
    assert reached(budget, Money.of("249.999999999")) == ()
    assert reached(budget, Money.of(250)) == (50,)
    assert reached(budget, Money.of("499.999999999")) == (50, 75, 90)
    assert reached(budget, Money.of(500)) == (50, 75, 90, 100)
    assert reached(budget, Money.of(742)) == (50, 75, 90, 100)
    assert reached(budget, Money.of(1500)) == DEFAULT_LEVELS
    assert reached(budget, Money.of(-500)) == ()
    with pytest.raises(CurrencyMismatch):
        reached(budget, Money.of(500, "KRW"))


def test_below_the_floor_nothing_is_reached():
    """A tiny project may triple its budget in peace; at the floor it speaks."""
    tiny = a_budget(amount="0.5", floor=Money.of(5))
    assert reached(tiny, Money.of("4.999999999")) == ()
    assert reached(tiny, Money.of(5)) == DEFAULT_LEVELS


@settings(max_examples=50)
@given(amounts, level_lists, st.decimals("0", "1000", places=2), spendings, spendings)
def test_more_spending_never_reaches_fewer_levels(
    amount: Money, levels: tuple[int, ...], floor: Decimal, one: Money, other: Money
):
    """And what is reached is exactly what the shown per cent says, above the floor."""
    budget = a_budget(amount.amount, levels=levels, floor=Money(floor))
    less, more = sorted((one, other))
    assert set(reached(budget, less)) <= set(reached(budget, more))
    percent = percent_floor(more, amount)
    expected = tuple(level for level in levels if level <= percent)
    assert reached(budget, more) == (expected if budget.floor <= more else ())


def test_half_a_budget_is_no_news_to_a_channel_unless_it_is_the_last_word():
    """Below 75 is quiet; a budget that has nothing above speaks with its highest level."""
    assert [level for level in DEFAULT_LEVELS if is_loud(a_budget(), level)] == [75, 90, 100, 150, 200, 300]
    assert [level for level in (10, 50) if is_loud(a_budget(levels=(10, 50)), level)] == [50]


# --- the calendar ----------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.sampled_from(BudgetPeriod), days)
def test_periods_tile_the_calendar(period: BudgetPeriod, day: date):
    """Every day is in one period; the next begins where it ends; weeks start on Monday, months on the first."""
    window = period_of(period, day)
    assert day in window
    assert {period_of(period, each) for each in window} == {window}
    following = period_of(period, window.end)
    assert following.start == window.end
    match period:
        case BudgetPeriod.DAY:
            assert window.days == 1
        case BudgetPeriod.WEEK:
            assert (window.days, window.start.weekday()) == (7, 0)
        case BudgetPeriod.MONTH:
            assert (window.start.day, following.start.day) == (1, 1)
            assert (window.start.year, window.start.month) == (day.year, day.month)


def test_no_day_is_longer_for_a_summer_time():
    """Charge days are UTC days: where Berlin's clocks jump, a day still has 24 hours."""
    jump = datetime(2026, 3, 29, 3, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    window = period_of(BudgetPeriod.DAY, charge_day(jump))
    assert window == Period(date(2026, 3, 29), date(2026, 3, 30))
    assert starts_at(window.end) - starts_at(window.start) == timedelta(hours=24)
    assert period_of(BudgetPeriod.WEEK, charge_day(jump)) == Period(date(2026, 3, 23), date(2026, 3, 30))


# --- which budget works where ----------------------------------------------------------------------------------------


def a_team(id_: int = 1) -> Team:
    return Team(id_, "T1", f"team-{id_}", "U1", f"C{id_}", "ko", (), "U1", NOW)


def a_project(id_: int, team_id: int = 1, *, excluded: bool = False) -> Project:
    return Project(id_, "T1", 1, team_id, f"proj_{id_}", f"p{id_}", None, None, None, None, excluded, "U1", NOW)


def default_for_projects(id_: int, period: BudgetPeriod = BudgetPeriod.DAY, **rest: Any) -> Budget:
    return a_budget(id=id_, scope_kind=BudgetScope.EVERY_PROJECT, scope_id=None, period=period, **rest)


def of_project(id_: int, project_id: int, **rest: Any) -> Budget:
    return a_budget(id=id_, scope_kind=BudgetScope.PROJECT, scope_id=project_id, **rest)


def working(*budgets: Budget, projects: list[Project]) -> list[tuple[int, int | None]]:
    return [(on.budget.id, on.scope.id) for on in effective(budgets, [a_team()], projects)]


def test_every_budget_works_on_its_own_scope():
    """Workspace, team and project side by side, each with the team that hears of it."""
    workspace = a_budget(id=3, scope_kind=BudgetScope.WORKSPACE, scope_id=None)
    found = effective([workspace, of_project(2, 7), a_budget(id=1)], [a_team()], [a_project(7)])
    assert found == [
        BudgetOn(a_budget(id=1), Scope(ScopeKind.TEAM, 1, "team-1"), a_team()),
        BudgetOn(of_project(2, 7), Scope(ScopeKind.PROJECT, 7, "p7"), a_team()),
        BudgetOn(workspace, Scope(ScopeKind.WORKSPACE, None, ""), None),
    ]


def test_a_default_works_on_projects_without_a_budget_of_their_own():
    """Per period: an own daily budget leaves the weekly default; a budget that is switched off replaces nothing."""
    projects = [a_project(7), a_project(8)]
    weekly = default_for_projects(2, BudgetPeriod.WEEK)
    assert working(default_for_projects(1), weekly, of_project(3, 7), projects=projects) == [
        (1, 8), (2, 7), (2, 8), (3, 7),
    ]  # fmt: skip
    assert working(default_for_projects(1), of_project(3, 7, is_enabled=False), projects=projects) == [(1, 7), (1, 8)]
    assert working(default_for_projects(1, is_enabled=False), projects=projects) == []


def test_what_is_gone_or_excluded_has_no_budget():
    """Nobody answers for it, so nothing can be said."""
    projects = [a_project(7, excluded=True)]
    gone = (of_project(1, 7), of_project(2, 9), a_budget(id=3, scope_id=99), default_for_projects(4))
    assert working(*gone, projects=projects) == []


# --- what is usual ---------------------------------------------------------------------------------------------------


def ago(*amounts_by_day: object) -> dict[date, Money]:
    """Amounts of yesterday, the day before, and so on."""
    return {
        TODAY - timedelta(days=n): Money.of(str(amount)) for n, amount in enumerate(amounts_by_day, 1) if amount != "?"
    }


def test_a_usual_day_is_the_median_of_28():
    """The middle of what was read, not the mean; today and the day before those do not count."""
    daily = ago(*[50] * 27, 9000, 9000) | {TODAY: Money.of(742)}
    assert usual(daily, [*daily], BudgetPeriod.DAY, TODAY) == Usual(Money.of(50), 28, UsualMethod.DAYS)
    three = ago(10, 20, 60)
    assert usual(three, [*three], BudgetPeriod.DAY, TODAY) == Usual(Money.of(20), 3, UsualMethod.DAYS)


def test_of_an_even_number_the_median_lies_in_the_middle_exactly():
    """Half of a billionth is not lost."""
    four = ago("1", "2.000000001", "2.000000002", "100")
    assert usual(four, [*four], BudgetPeriod.DAY, TODAY).amount == Money.of("2.0000000015")


def test_without_history_nothing_is_usual():
    """Fewer than three days, two weeks, one month; unread days and the time before the first cost are no history."""
    two = ago(50, 50)
    assert usual(two, [*two], BudgetPeriod.DAY, TODAY) == Usual(None, 2, UsualMethod.DAYS)
    month = [TODAY - timedelta(days=n) for n in range(1, 29)]
    assert usual(two, month, BudgetPeriod.DAY, TODAY) == Usual(None, 2, UsualMethod.DAYS)
    assert usual({}, month, BudgetPeriod.DAY, TODAY) == Usual(None, 0, UsualMethod.DAYS)
    four = ago(50, 50, 50, 50)
    assert usual(four, [*four][:2], BudgetPeriod.DAY, TODAY) == Usual(None, 2, UsualMethod.DAYS)
    assert usual({}, month, BudgetPeriod.WEEK, TODAY, "JPY") == Usual(None, 0, UsualMethod.WEEKS)


def test_a_read_day_without_cost_is_a_true_zero():
    """A project that runs on weekdays only has zeros in its history."""
    daily = ago(0, 0, 60, 50, 40)
    assert usual({day: each for day, each in daily.items() if each}, [*daily], BudgetPeriod.DAY, TODAY) == Usual(
        Money.of(40), 5, UsualMethod.DAYS
    )


def test_weeks_and_months_count_when_they_were_read_as_a_whole():
    """Friday 3 July: the weeks before Monday 29 June, the months before July."""
    read = list(Period(date(2026, 4, 1), TODAY))
    daily = {day: Money.of(day.month) for day in read}
    # 1 June is a Monday: four weeks of 6 dollars a day.
    assert usual(daily, read, BudgetPeriod.WEEK, TODAY) == Usual(Money.of(42), 28, UsualMethod.WEEKS)
    assert usual(daily, read, BudgetPeriod.MONTH, TODAY) == Usual(Money.of(155), 91, UsualMethod.MONTHS)
    hole = [day for day in read if day not in (date(2026, 6, 10), date(2026, 5, 20))]
    assert usual(daily, hole, BudgetPeriod.WEEK, TODAY) == Usual(Money.of(42), 21, UsualMethod.WEEKS)
    assert usual(daily, hole, BudgetPeriod.MONTH, TODAY) == Usual(Money.of(120), 30, UsualMethod.MONTHS)
    one_week = list(Period(date(2026, 6, 22), TODAY))
    assert usual(daily, one_week, BudgetPeriod.WEEK, TODAY) == Usual(None, 7, UsualMethod.WEEKS)


@settings(max_examples=50)
@given(days, st.sampled_from(BudgetPeriod))
def test_nothing_before_the_days_of_history_says_what_is_usual(today: date, period: BudgetPeriod):
    """Whoever reads the days of HISTORY_DAYS before any day of a period has all of it, and more tells nothing."""
    far = Period(today - timedelta(days=200), today)
    near = Period(today - timedelta(days=HISTORY_DAYS[period]), today)
    daily = {day: Money.of(day.toordinal()) for day in far}
    assert usual(daily, [*near], period, today) == usual(daily, [*far], period, today)


@settings(max_examples=50)
@given(st.lists(spendings, min_size=1, max_size=30))
def test_a_median_has_as_much_on_either_side(found: list[Money]):
    """At least half of the amounts are no larger, at least half no smaller, in whatever order they come."""
    middle = median(found)
    assert 2 * sum(each <= middle for each in found) >= len(found)
    assert 2 * sum(middle <= each for each in found) >= len(found)
    assert median(found[::-1]) == middle
    with pytest.raises(ValueError, match="nothing"):
        median([])


# --- recommendation and breach ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("median_amount", "limit"),
    [
        ("48", "75"), ("50", "75"), ("50.01", "100"), ("0", "1"), ("-3", "1"), ("0.3", "1"), ("0.8", "1.25"),
        ("1", "1.5"), ("6.5", "10"), ("66.67", "125"), ("300", "500"), ("1234.5", "2000"), ("1000000", "1500000"),
    ],
)  # fmt: skip
def test_a_recommendation_is_a_friendly_number(median_amount: str, limit: str):
    """$48 a day gives $75, as a person would write it."""
    found = recommended(Money.of(median_amount))
    assert (found, str(found.amount)) == (Money.of(limit), limit)


@settings(max_examples=50)
@given(st.decimals("0", "1000000", places=4))
def test_a_recommendation_leaves_half_as_much_again_and_not_much_more(middle: Decimal):
    """At least 1.5 times the usual, at most a third above that (or one unit), and a budget may be it."""
    limit = recommended(Money(middle))
    assert limit.amount >= middle * Decimal("1.5")
    assert limit.amount <= max(Decimal(1), middle * 2)
    assert a_budget(limit.amount).amount == limit


END = starts_at(TODAY + timedelta(days=1))


def test_the_time_to_breach_is_at_the_present_burn():
    """$110 are missing, $11 go each minute: in ten minutes."""
    at = breach_at(Money.of(390), Money.of(500), Money.of(11), NOW, END)
    assert at == NOW + timedelta(minutes=10)
    seoul = NOW.astimezone(ZoneInfo("Asia/Seoul"))
    assert breach_at(Money.of(390), Money.of(500), Money.of(11), seoul, END) == at


@pytest.mark.parametrize(
    ("spent", "burn"),
    [("500", "11"), ("742", "11"), ("390", "0"), ("390", "-1"), ("390", None), ("390", "0.0000001")],
)
def test_there_is_no_time_to_breach(spent: str, burn: str | None):
    """Reached already, not burning, burn unknown, or not before the period ends."""
    assert breach_at(Money.of(spent), Money.of(500), None if burn is None else Money.of(burn), NOW, END) is None


def test_a_breach_at_the_very_end_is_none():
    """The new period begins there, and in it nothing is spent."""
    minutes = (END - NOW) // timedelta(minutes=1)
    assert breach_at(Money.of(500 - minutes), Money.of(500), Money.of(1), NOW, END) is None
    almost = breach_at(Money.of("500.01") - Money.of(minutes), Money.of(500), Money.of(1), NOW, END)
    assert almost is not None
    assert almost < END
    assert breach_at(Money.of(1), Money.of(500), Money.of(1000), END, END) is None
    with pytest.raises(ValueError, match="aware"):
        breach_at(Money.of(1), Money.of(500), Money.of(1), NOW.replace(tzinfo=None), END)


@settings(max_examples=50)
@given(spendings, amounts, *[st.decimals("0", "1000", places=6).map(Money)] * 2)
def test_more_burn_never_breaches_later(spent: Money, limit: Money, one: Money, other: Money):
    """And once there is a time, more burn does not take it away."""
    slow, fast = sorted((one, other))
    later, sooner = breach_at(spent, limit, slow, NOW, END), breach_at(spent, limit, fast, NOW, END)
    if later is not None:
        assert sooner is not None
        assert NOW < sooner <= later < END
        minutes = -(-(later - NOW) // timedelta(minutes=1))
        assert limit <= spent + total([slow] * minutes)
