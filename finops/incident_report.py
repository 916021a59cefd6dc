"""Reports of an incident: everything a message about it says, read fresh; the amounts are values, never words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal

from finops.budgets import Budget, BudgetOn, Usual
from finops.estimates import Correction, Drift, Spent
from finops.exchange import Converter
from finops.figures import Breakdown, DayFigure, Scope
from finops.frozen import frozen
from finops.incidents import Incident, IncidentEvent
from finops.money import Money
from finops.periods import Period
from finops.registry import Team
from finops.stop_report import AffectedKey, StopShown
from finops.value import NO_VALUE, ValueFigure
from finops.why import Why


@frozen
class StopUnder:
    """A stop of another alert, or of none, of which only that is told which concerns this incident's projects.

    `on` is the other alert's budget and `window` its period, None outside of any alert. `place` is where the message
    that speaks for the stop stands, channel and time stamp; None as long as it stands nowhere, or before one person.
    """

    stop: StopShown
    on: BudgetOn | None = None
    window: Period | None = None
    place: tuple[str, str] | None = None


@frozen
class HeldElsewhere:
    """What others hold of an incident's projects, at least one of `parts`; `whole` is all of it as if it were one stop.

    `is_all`: of what can be stopped nothing is left to stop. `speaks`: it is what the first line is about, for
    whoever spends most is held, or nobody is left who spends; a project that nobody registered may be.
    """

    whole: StopShown
    parts: tuple[StopUnder, ...]
    is_all: bool
    speaks: bool


@frozen
class IncidentShown:
    """What the root message says: the present of one budget in one period.

    `headline_project` is the project itself, or the largest spender of a wider scope. `percent` is `spent` of the
    limit, rounded down. `increase` 13.84 is 1,384 % more than usual; None when there is no honest comparison.
    `breach_at` is when the limit, `next_at` when `next_level` will be reached at this speed: None when not within the
    period.
    `names` are those of the people who did something, by user id. `other_budgets` are reached as well.
    `stop` is what was done about the spending itself, if anything was. `value` is what the amount bought.
    `may_stop` is False where none of our keys is known to have the right to stop what is concerned. `stranger` names
    who spends most where no stop reaches it, for it is not registered or left out of collection; '' for nobody.
    `exchange` is how the amount is told in another currency as well, at the rate of then once it is closed.
    `elsewhere` is what another alert, or nobody's, holds of the same projects. `is_period_over`: the amount is that of
    a period that is over, for an incident outlives it while something is held, and until its last minutes are known.
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
    cause: Why | None = None
    trend: tuple[DayFigure, ...] = ()
    other_budgets: tuple[BudgetOn, ...] = ()
    events: tuple[IncidentEvent, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    stop: StopShown | None = None
    value: ValueFigure = NO_VALUE
    may_stop: bool = True
    stranger: str = ""
    exchange: Converter | None = None
    elsewhere: HeldElsewhere | None = None
    is_period_over: bool = False

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
        reached = [level for level in self.budget.told_levels if level <= self.percent]
        return max(reached, default=None)


@frozen
class IncidentDetail:
    """What the window behind "details" says, beside what the message says: of `day`, the last one of the incident.

    `hours` are oldest first. `models` and `keys` split the day's estimate of the scope, as do `projects` when the scope
    is wider than one. `holders` are those keys by id, as far as the provider told them. `lateness_seconds` is within
    what time 95 % of this provider's usage arrived; None when not yet measured.
    """

    shown: IncidentShown
    day: date
    hours: tuple[tuple[datetime, Money], ...] = ()
    models: Breakdown | None = None
    keys: Breakdown | None = None
    holders: Mapping[str, AffectedKey] = field(default_factory=dict)
    projects: Breakdown | None = None
    requests: int | None = None
    tokens: int | None = None
    provider_project_id: str | None = None
    correction: Correction | None = None
    lateness_seconds: float | None = None
    unpriced: tuple[str, ...] = ()


@frozen
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
