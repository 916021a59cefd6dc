"""Reports of an incident: everything a message about it says, read fresh; the amounts are values, never words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from finops.budgets import Budget, BudgetOn, Usual
from finops.causes import Activity, Cause, cause
from finops.estimates import Correction, Drift, Spent
from finops.figures import Breakdown, DayFigure, Scope
from finops.incidents import Incident, IncidentEvent
from finops.money import ATTO_PLACES, EXACT, Money
from finops.registry import Team
from finops.stop_report import StopShown
from finops.value import NO_VALUE, ValueFigure

MINUTES_PER_HOUR, MINUTES_PER_DAY = 60, 1440
COMPARED_DAYS = 7


@dataclass(frozen=True, slots=True)
class IncidentShown:
    """What the root message says: the present of one budget in one period.

    `headline_project` is the project itself, or the largest spender of a wider scope. `percent` is `spent` of the
    limit, rounded down. `increase` 13.84 is 1,384 % more than usual; None when there is no honest comparison.
    `breach_at` is when the limit, `next_at` when `next_level` will be reached at this speed: None when not within the
    period.
    `names` are those of the people who did something, by user id. `other_budgets` are reached as well.
    `stop` is what was done about the spending itself, if anything was. `value` is what the amount bought.
    """

    incident: Incident
    budget: Budget
    scope: Scope
    team: Team | None
    headline_project: Scope | None
    spent: Spent
    percent: int
    usual: Usual
    increase: Decimal | None
    since: datetime
    breach_at: datetime | None = None
    next_level: int | None = None
    next_at: datetime | None = None
    cause: Cause | None = None
    trend: tuple[DayFigure, ...] = ()
    other_budgets: tuple[BudgetOn, ...] = ()
    events: tuple[IncidentEvent, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    stop: StopShown | None = None
    value: ValueFigure = NO_VALUE

    @property
    def limit(self) -> Money:
        """The limit that holds now."""
        return self.incident.limit

    @property
    def is_exceeded(self) -> bool:
        """Whether more than the limit is spent; amounts of two currencies cannot be compared, and so are not."""
        spent, limit = self.spent.amount, self.limit
        return spent.currency == limit.currency and limit < spent

    @property
    def level_now(self) -> int | None:
        """The highest level the present amount reaches; lower than the highest ever when the amount was restated."""
        reached = [level for level in self.budget.levels if level <= self.percent]
        return max(reached, default=None)


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """What the window behind "details" says, beside what the message says: of `day`, the last one of the incident.

    `hours` are oldest first. `models` and `keys` split the day's estimate of the scope, as do `projects` when the scope
    is wider than one. `lateness_seconds` is within what time 95 % of this provider's usage arrived; None when not yet
    measured.
    """

    shown: IncidentShown
    day: date
    hours: tuple[tuple[datetime, Money], ...] = ()
    models: Breakdown | None = None
    keys: Breakdown | None = None
    projects: Breakdown | None = None
    requests: int | None = None
    tokens: int | None = None
    provider_project_id: str | None = None
    correction: Correction | None = None
    lateness_seconds: float | None = None
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What is known of the day that is still open, beside the figures of the bill.

    `today` is None before any usage was read; `value` is what it bought. `incidents` are the first of `incident_count`
    open ones, amounts only. `unpriced` names what was used today and has no known price.
    """

    today: Spent | None = None
    drift: Drift | None = None
    incidents: tuple[IncidentShown, ...] = ()
    incident_count: int = 0
    unpriced: tuple[str, ...] = ()
    value: ValueFigure = NO_VALUE


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was asked in a stretch of time, and its estimate in atto-dollars (1e-18)."""

    requests: int = 0
    tokens: int = 0
    atto: int = 0

    def __add__(self, other: Stretch) -> Stretch:
        return Stretch(self.requests + other.requests, self.tokens + other.tokens, self.atto + other.atto)

    def __mul__(self, times: int) -> Stretch:
        return Stretch(self.requests * times, self.tokens * times, self.atto * times)

    def activity(self) -> Activity:
        """The same, with its cost as money."""
        return Activity(self.requests, self.tokens, Money(Decimal(self.atto).scaleb(-ATTO_PLACES, EXACT)))


def cause_of(present: Stretch, hours: Mapping[int, Stretch], start: int, end: int) -> Cause | None:
    """Why [start, end) in epoch minutes differs from the same minutes of the seven days before.

    `hours` are the earlier hours by their first minute; of an hour that is compared in part, its part is taken. Days
    without any usage say nothing about a usual day and are left out. None when there is nothing to compare.
    """
    usual, days = Stretch(), 0
    for number in range(1, COMPARED_DAYS + 1):
        first, last = start - number * MINUTES_PER_DAY, end - number * MINUTES_PER_DAY
        midnight = first - first % MINUTES_PER_DAY
        if not any(hour in hours for hour in range(midnight, midnight + MINUTES_PER_DAY, MINUTES_PER_HOUR)):
            continue
        days += 1
        for hour in range(first - first % MINUTES_PER_HOUR, last, MINUTES_PER_HOUR):
            minutes = min(hour + MINUTES_PER_HOUR, last) - max(hour, first)
            usual += hours.get(hour, Stretch()) * minutes
    if not days:
        return None
    # Both sides in sixtieths of all those days together: whole numbers, so that nothing small is rounded away.
    return cause((present * MINUTES_PER_HOUR * days).activity(), usual.activity())
