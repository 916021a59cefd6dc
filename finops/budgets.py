"""Budgets: what may be spent in a day, a week or a month, at which levels to speak, and what is usual."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from finops.figures import Scope
from finops.frozen import frozen
from finops.money import EXACT, Money, total
from finops.periods import Period, week_of
from finops.queries import ScopeKind
from finops.registry import Project, Team

DEFAULT_LEVELS = (50, 75, 90, 100, 150, 200, 300)
HIGHEST_LEVEL = 1000
WHOLE = 100
"""The level at which a limit is reached, and a budget asks or stops, in per cent of its amount."""
# Levels below are told in the thread only: half a budget is no news to a channel.
FIRST_LOUD_LEVEL = 75
# What the database holds exactly as 64-bit nano-units, less room for a spending of ten times the limit.
LARGEST_AMOUNT = Decimal(900_000_000)
_MICROSECONDS_PER_MINUTE = 60_000_000


class BudgetPeriod(StrEnum):
    """How long a budget lasts before it begins anew. Charge days: UTC days, weeks from Monday, UTC months."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class BudgetAction(StrEnum):
    """What happens when the whole budget is spent: tell, ask whether to stop, or stop and ask afterwards."""

    NOTIFY = "notify"
    ASK = "ask"
    STOP = "stop"


class BudgetScope(StrEnum):
    """What a budget limits. EVERY_PROJECT limits each project alone that has no budget of its own for that period."""

    WORKSPACE = "workspace"
    TEAM = "team"
    PROJECT = "project"
    EVERY_PROJECT = "every_project"


class BudgetMistake(StrEnum):
    """What is wrong with the terms of a budget."""

    AMOUNT = "amount"  # not above zero, or too large to be kept exactly
    LEVELS = "levels"  # none, not whole per cents from 1 to 1000, not ascending, or one twice
    FLOOR = "floor"  # below zero, or in another currency than the amount
    SCOPE = "scope"  # a team or project without its id, or an id where none belongs


class BudgetRefused(ValueError):
    """No such budget can exist; `mistake` says which part of it is wrong."""

    def __init__(self, mistake: BudgetMistake, why: str) -> None:
        super().__init__(why)
        self.mistake = mistake


@frozen
class BudgetTerms:
    """What a person decides about a budget. Raises BudgetRefused.

    `levels` are per cents of the amount, ascending, each 1 to 1000. Below `floor` nothing is said at any level.
    `channel_id` None is the team's channel. `needs_two`: letting spending go on after a stop takes a second person.
    """

    scope_kind: BudgetScope
    scope_id: int | None
    period: BudgetPeriod
    amount: Money
    levels: tuple[int, ...] = DEFAULT_LEVELS
    action: BudgetAction = BudgetAction.NOTIFY
    floor: Money | None = None  # None: none
    channel_id: str | None = None
    needs_two: bool = False

    def __post_init__(self) -> None:
        check_terms(self.scope_kind, self.scope_id, self.amount, self.levels, self.floor)

    @property
    def silent_below(self) -> Money:
        """The floor as an amount: zero where there is none."""
        return Money.zero(self.amount.currency) if self.floor is None else self.floor


@frozen
class Budget:
    """A budget as kept. Raises BudgetRefused when its terms cannot be; `channel_id` None is the team's channel."""

    id: int
    workspace_id: str
    scope_kind: BudgetScope
    scope_id: int | None
    period: BudgetPeriod
    amount: Money
    levels: tuple[int, ...]
    action: BudgetAction
    floor: Money
    channel_id: str | None
    is_enabled: bool
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    needs_two: bool = False
    is_deleted: bool = False  # kept for the incidents it opened

    def __post_init__(self) -> None:
        check_terms(self.scope_kind, self.scope_id, self.amount, self.levels, self.floor)

    @property
    def terms(self) -> BudgetTerms:
        """What a person decided about it, without its id and history."""
        return BudgetTerms(
            self.scope_kind,
            self.scope_id,
            self.period,
            self.amount,
            self.levels,
            self.action,
            self.floor,
            self.channel_id,
            self.needs_two,
        )

    @property
    def told_levels(self) -> tuple[int, ...]:
        """The levels at which it speaks: those chosen and, where it asks or stops at the whole amount, that one."""
        if self.action is BudgetAction.NOTIFY or WHOLE in self.levels:
            return self.levels
        return tuple(sorted((*self.levels, WHOLE)))


@frozen
class BudgetOn:
    """A budget at work on one scope; a default for every project works on each of them. `team` owns the scope."""

    budget: Budget
    scope: Scope
    team: Team | None


def changed_at(before: Budget, now: datetime) -> datetime:
    """When a change made now counts as made: after the last one, whatever the clocks of replicas say.

    By this time changes are told apart.
    """
    return max(now, before.updated_at + timedelta(microseconds=1))


class UsualMethod(StrEnum):
    """What "usual" is the median of."""

    DAYS = "days"  # the 28 days before today
    WEEKS = "weeks"  # the 4 whole weeks before this one
    MONTHS = "months"  # the 3 whole months before this one


@frozen
class Usual:
    """What is spent in a usual period; None when there is too little history. `days` is how many days it rests on."""

    amount: Money | None
    days: int
    method: UsualMethod

    def increase(self, spent: Money) -> Decimal | None:
        """By what ratio `spent` is above it: 13.84 is 1,384 % more. None where there is no honest comparison."""
        if self.amount is None or self.amount.amount <= 0 or self.amount.currency != spent.currency:
            return None
        return (spent - self.amount).ratio_of(self.amount)


def check_terms(
    scope_kind: BudgetScope, scope_id: int | None, amount: Money, levels: Sequence[int], floor: Money | None
) -> None:
    """Raise BudgetRefused when such a budget cannot exist."""
    if (scope_id is None) != (scope_kind in (BudgetScope.WORKSPACE, BudgetScope.EVERY_PROJECT)):
        raise BudgetRefused(BudgetMistake.SCOPE, f"a budget of scope {scope_kind} cannot have the id {scope_id}")
    if not 0 < amount.amount <= LARGEST_AMOUNT:
        raise BudgetRefused(BudgetMistake.AMOUNT, f"a budget is above 0 and at most {LARGEST_AMOUNT}, not {amount}")
    if not levels or any(type(level) is not int or not 1 <= level <= HIGHEST_LEVEL for level in levels):
        raise BudgetRefused(BudgetMistake.LEVELS, f"levels are per cents from 1 to {HIGHEST_LEVEL}, not {levels}")
    if any(after <= before for before, after in pairwise(levels)):
        raise BudgetRefused(BudgetMistake.LEVELS, f"levels ascend, none twice, not {levels}")
    if floor is not None and (floor.currency != amount.currency or not 0 <= floor.amount <= LARGEST_AMOUNT):
        raise BudgetRefused(BudgetMistake.FLOOR, f"a floor is an amount of the budget's currency, not {floor}")


def period_of(period: BudgetPeriod, day: date) -> Period:
    """The day, the week from Monday, or the month that a charge day belongs to."""
    match period:
        case BudgetPeriod.DAY:
            return Period(day, day + timedelta(days=1))
        case BudgetPeriod.WEEK:
            return week_of(day)
        case BudgetPeriod.MONTH:
            first = day.replace(day=1)
            return Period(first, (first + timedelta(days=31)).replace(day=1))


def effective(budgets: Iterable[Budget], teams: Iterable[Team], projects: Iterable[Project]) -> list[BudgetOn]:
    """Every enabled budget on what it limits, in order of budget and project id.

    A default for every project works on each project that has no enabled budget of its own for that period. Budgets of
    teams and projects that are gone, and of projects excluded from collection (nobody answers for those), do not work.
    """
    enabled = sorted((budget for budget in budgets if budget.is_enabled), key=lambda budget: budget.id)
    team_of = {team.id: team for team in teams}
    counted = {project.id: project for project in projects if not project.excluded}
    own = {(budget.scope_id, budget.period) for budget in enabled if budget.scope_kind is BudgetScope.PROJECT}
    result: list[BudgetOn] = []
    for budget in enabled:
        match budget.scope_kind:
            case BudgetScope.WORKSPACE:
                result.append(BudgetOn(budget, Scope(ScopeKind.WORKSPACE, None, ""), None))
            case BudgetScope.TEAM if budget.scope_id in team_of:
                team = team_of[budget.scope_id]
                result.append(BudgetOn(budget, Scope(ScopeKind.TEAM, team.id, team.name), team))
            case BudgetScope.PROJECT if budget.scope_id in counted:
                result.append(_on_project(budget, counted[budget.scope_id], team_of))
            case BudgetScope.EVERY_PROJECT:
                free = (counted[id_] for id_ in sorted(counted) if (id_, budget.period) not in own)
                result.extend(_on_project(budget, project, team_of) for project in free)
    return result


def _on_project(budget: Budget, project: Project, team_of: Mapping[int, Team]) -> BudgetOn:
    return BudgetOn(budget, Scope(ScopeKind.PROJECT, project.id, project.name), team_of.get(project.team_id))


def reached(budget: Budget, spent: Money) -> tuple[int, ...]:
    """The levels that spending has reached, ascending; touching a level is reaching it. None below the floor."""
    if spent < budget.floor:
        return ()
    hundredfold = EXACT.multiply(spent.amount, 100)
    limit = budget.amount.amount
    return tuple(level for level in budget.told_levels if EXACT.multiply(limit, level) <= hundredfold)


def is_loud(budget: Budget, level: int) -> bool:
    """Whether a level is told to the channel, not in the thread alone: 75 and above, and a budget's only or last."""
    return level >= min(FIRST_LOUD_LEVEL, budget.levels[-1])


def percent_floor(spent: Money, amount: Money) -> int:
    """Whole per cents of `amount` that are spent, rounded down: 100 is not shown before 100 is reached.

    `amount` is above zero, as a budget's is.
    """
    ratio = spent.ratio_of(amount)
    if ratio is None:
        raise ValueError("nothing is a per cent of zero")
    percent = int(EXACT.multiply(ratio, 100).to_integral_value(ROUND_FLOOR))
    # A quotient is rounded in its 80th digit: what lies that near below must not reach the next per cent.
    return percent if EXACT.multiply(amount.amount, percent) <= EXACT.multiply(spent.amount, 100) else percent - 1


class _History(NamedTuple):
    """So many periods are looked at for the usual one, so few are enough, and so many days the longest one has."""

    method: UsualMethod
    most: int
    fewest: int
    longest: int


_HISTORY = {
    BudgetPeriod.DAY: _History(UsualMethod.DAYS, 28, 3, 1),
    BudgetPeriod.WEEK: _History(UsualMethod.WEEKS, 4, 2, 7),
    BudgetPeriod.MONTH: _History(UsualMethod.MONTHS, 3, 1, 31),
}
USUAL_METHODS = {period: each.method for period, each in _HISTORY.items()}
HISTORY_DAYS = {period: (each.most + 1) * each.longest - 1 for period, each in _HISTORY.items()}
"""So many days before any day of a period hold everything its `usual` can rest on."""


def usual(
    daily: Mapping[date, Money],
    read_days: Collection[date],
    period: BudgetPeriod,
    today: date,
    currency: str = "USD",
) -> Usual:
    """The median of the same period over the last 4 weeks (months: up to 3), counting whole and fully read ones only.

    A read day without an amount is a true zero, but periods before the first cost are no history: nothing ran yet.
    None with fewer than 3 days, 2 weeks or 1 month. Today and the period it belongs to never count.
    """
    method, most, fewest, _ = _HISTORY[period]
    known: list[tuple[int, Money]] = []
    window = period_of(period, today)
    for _ in range(most):
        window = period_of(period, window.start - timedelta(days=1))
        if all(day in read_days for day in window):
            amount = total((daily[day] for day in window if day in daily), currency)
            known.append((window.days, amount))
    while known and not known[-1][1]:
        known.pop()
    days = sum(length for length, _ in known)
    middle = median([amount for _, amount in known]) if len(known) >= fewest else None
    return Usual(middle, days, method)


def median(amounts: Sequence[Money]) -> Money:
    """The middle amount; of an even number, half the sum of the middle two, exactly. There must be one at least."""
    if not amounts:
        raise ValueError("nothing has no median")
    ordered = sorted(amounts)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    both = ordered[middle - 1] + ordered[middle]
    return Money(EXACT.divide(both.amount, 2), both.currency)


# Amounts people choose: between two neighbours there is at most a third.
_FRIENDLY = tuple(Decimal(digits) for digits in ("1", "1.25", "1.5", "2", "2.5", "3", "4", "5", "6", "7.5", "10"))


def recommended(usual_amount: Money) -> Money:
    """A sensible limit for what is usual: half as much again, rounded up to a friendly number, and one unit at least.

    $48 gives $75.
    """
    wanted = EXACT.multiply(usual_amount.amount, Decimal("1.5"))
    if wanted <= 1:
        return Money(Decimal(1), usual_amount.currency)
    power = wanted.adjusted()
    friendly = next(each for each in _FRIENDLY if each.scaleb(power) >= wanted).scaleb(power)
    # 7.5E+1 is 75: plain digits, as a person would write them.
    return Money(Decimal(f"{friendly:f}"), usual_amount.currency)


def breach_at(
    spent: Money, limit: Money, burn_per_minute: Money | None, now: datetime, period_end: datetime
) -> datetime | None:
    """When `limit` will be reached if it goes on like this; None when it already is, or not before the period ends.

    Rounded up to the microsecond. More burn never means later.
    """
    if now.tzinfo is None or period_end.tzinfo is None:
        raise ValueError("a time to breach needs aware times")
    missing = limit - spent
    left = period_end - now
    if burn_per_minute is None or burn_per_minute.amount <= 0 or missing.amount <= 0 or left <= timedelta():
        return None
    minutes = missing.ratio_of(burn_per_minute) or Decimal(0)
    wait = EXACT.multiply(minutes, _MICROSECONDS_PER_MINUTE)
    microseconds = wait.to_integral_value(ROUND_CEILING)
    if microseconds >= left // timedelta(microseconds=1):
        return None
    return now + timedelta(microseconds=int(microseconds))
