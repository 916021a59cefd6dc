"""Levels of budgets: which budgets, in which of their periods, have something to be decided about now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.picture import Picture, Sums
from bot.surroundings import Question
from finops.budgets import Budget, BudgetOn, BudgetPeriod, is_loud, period_of
from finops.charges import FigureState
from finops.frozen import frozen
from finops.incidents import Incident, IncidentState
from finops.money import to_atto
from finops.periods import Period, charge_day, starts_at
from finops.queries import ScopeKind

# So long after its end a period is looked at again for a crossing nobody saw: we may have been away at midnight.
_LAST_LOOK = timedelta(hours=24)

Place = tuple[int, BudgetPeriod, ScopeKind, int | None]
"""A budget at work: its id and period, and the scope it works on."""


@frozen
class Look:
    """One budget at work in one period that has something to be decided about; `incident` is the period's, if any."""

    on: BudgetOn
    window: Period
    incident: Incident | None
    is_crossing: bool  # a level is reached that was not

    @property
    def question(self) -> Question:
        """What has to be known around it to decide."""
        scope = self.on.scope
        return Question(scope.kind, scope.id, self.on.budget.period, self.window.start, self.is_crossing)


def windows_looked_at(kind: BudgetPeriod, today: date, now: datetime) -> list[Period]:
    """The period that runs and, for a day after its end, the one before."""
    window = period_of(kind, today)
    if now - starts_at(window.start) >= _LAST_LOOK:
        return [window]
    return [window, period_of(kind, window.start - timedelta(days=1))]


def looks_at(
    at_work: Iterable[BudgetOn],
    incidents: Iterable[Incident],
    windows: Mapping[BudgetPeriod, Sequence[Period]],
    picture: Picture,
    now: datetime,
) -> Iterator[Look]:
    """Every budget and period that may have something to be decided about: of ten thousand, few."""
    found: dict[Place, dict[Period, Incident]] = defaultdict(dict)
    for each in incidents:
        found[place_of_incident(each)][each.window] = each
    plans: dict[int, list[_Plan]] = {}
    for on in at_work:
        budget, scope = on.budget, on.scope
        plan = plans.get(budget.id)
        if plan is None:
            plan = plans[budget.id] = [_Plan.of(budget, window, picture, now) for window in windows[budget.period]]
        known = found.get(place_of(on)) if found else None
        for one in plan:
            units = picture.units_in(one.sums, scope.kind, scope.id)
            if known is None and units < one.least:
                continue
            look = _look(on, one, units, known.get(one.window) if known else None, picture)
            if look is not None:
                yield look
        for window, incident in (known or {}).items():
            if window not in windows[budget.period] and incident.state is not IncidentState.CLOSED:
                yield Look(on, window, incident, is_crossing=False)


def _look(on: BudgetOn, plan: _Plan, units: int, incident: Incident | None, picture: Picture) -> Look | None:
    is_open = incident is not None and incident.state is not IncidentState.CLOSED
    # Of another limit than a closed incident knew, any level may be new.
    is_known = incident is not None and (is_open or incident.limit == on.budget.amount)
    needed = plan.above(incident.level if incident is not None and is_known else 0)
    # What was only kept for the thread is to be told once the budget's levels make it loud.
    is_unheard = incident is not None and not incident.has_root and units >= plan.loud
    is_crossing = is_unheard or (needed is not None and units >= needed)
    look = Look(on, plan.window, incident, is_crossing)
    if incident is not None and is_open:
        has_news = is_crossing or plan.is_over or incident.silenced_until or incident.limit != on.budget.amount
        return look if incident.has_root or has_news else None
    if incident is not None and incident.has_root and not plan.is_over and units >= plan.least:
        return look
    if not is_crossing or (plan.is_over and (incident is not None or not _was_missed(picture, on, plan.window))):
        return None
    return look


@frozen
class _Plan:
    """One budget in one period, in whole atto-units: ten thousand budgets are not worth ten thousand decimals."""

    window: Period
    is_over: bool
    sums: Sums
    levels: tuple[int, ...]
    amount: int
    floor: int
    least: int  # what reaches the first level
    loud: int  # what reaches the first level that is told to the channel

    @classmethod
    def of(cls, budget: Budget, window: Period, picture: Picture, now: datetime) -> _Plan:
        amount, floor = to_atto(budget.amount.amount), to_atto(budget.floor.amount)
        is_over = charge_day(now) >= window.end
        levels = budget.told_levels
        first_loud = next(level for level in levels if is_loud(budget, level))
        least, loud = (max(floor, -(-amount * level // 100)) for level in (levels[0], first_loud))
        return cls(window, is_over, picture.sums(window), levels, amount, floor, least, loud)

    def above(self, level: int) -> int | None:
        """The amount that reaches the next level above `level`; None where there is none."""
        following = next((each for each in self.levels if each > level), None)
        return None if following is None else max(self.floor, -(-self.amount * following // 100))


def _was_missed(picture: Picture, on: BudgetOn, window: Period) -> bool:
    """Whether a level of a period that is over can only have been missed: the budget was there, and no bill is yet."""
    is_older = on.budget.updated_at < starts_at(window.end)
    return is_older and picture.spent(on.scope.kind, on.scope.id, window).state is FigureState.ESTIMATE


def place_of(on: BudgetOn) -> Place:
    """Where a budget is at work."""
    return on.budget.id, on.budget.period, on.scope.kind, on.scope.id


def place_of_incident(incident: Incident) -> Place:
    """Where the budget of an incident was at work."""
    return incident.budget_id, incident.period, incident.scope_kind, incident.scope_id
