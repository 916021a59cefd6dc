"""Misses: budget periods that went over their limit while nobody was told before they ended.

Published in docs/effects.md; change both together. A period is judged by its bill, once its days are closed. What a
budget was before it was last changed is not kept, so only periods that began after that can be judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from finops.budgets import WHOLE, Budget, BudgetOn, BudgetPeriod, reached
from finops.charges import SETTLES_AFTER, FigureState
from finops.figures import Scope
from finops.frozen import frozen
from finops.incidents import EventKind, IncidentEvent
from finops.money import Money
from finops.periods import Period, starts_at

# A crossing seen after its period is recorded in its last instant: that was in time for nobody.
_INSTANT = timedelta(microseconds=1)
_LOUD = (EventKind.CROSSED, EventKind.SILENCE_ENDED)


class Judgement(StrEnum):
    """What became of one budget in one period that is over."""

    WITHIN = "within"  # below the limit or the floor, or the budget is not to tell of its limit at all
    TOLD = "told"
    SILENCED = "silenced"  # a person asked for silence just then
    MISSED = "missed"
    EARLY = "early"  # its bill is still being written
    BLIND = "blind"  # the bill of one of its days was never read to its end
    CHANGED = "changed"  # the budget, or whom it limits, changed since the period began


@frozen
class Ended:
    """One budget on one scope in one period that is over, and what was spent in it by the bill.

    `state` is that of the amount: only provisional and settled ones are bills. `since` is when the budget, or whom it
    limits, changed last; `at` is when it is looked at.
    """

    on: BudgetOn
    window: Period
    spent: Money
    state: FigureState
    since: datetime
    at: datetime


@frozen
class Miss:
    """A limit that was passed in silence."""

    scope: Scope
    period: BudgetPeriod
    window: Period
    spent: Money
    limit: Money


@frozen
class Misses:
    """The misses of a time, newest first; how many periods were judged, and how many could not be and why."""

    missed: tuple[Miss, ...] = ()
    judged: int = 0
    early: int = 0
    blind: int = 0
    changed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every period could be judged, and there was any: only then may it be said that there was no miss."""
        return self.judged > 0 and not (self.early or self.blind or self.changed)


def is_bill(state: FigureState) -> bool:
    """Whether an amount of closed days is what was billed, not what was estimated or never seen."""
    return state in (FigureState.PROVISIONAL, FigureState.SETTLED)


def tells(budget: Budget) -> bool:
    """Whether people want to hear of the whole limit: a budget may have other levels only."""
    return WHOLE in budget.told_levels


def judge(ended: Ended, events: Sequence[IncidentEvent]) -> Judgement:
    """What became of it; `events` are those of its incident in order, none where it has no incident."""
    if ended.since >= starts_at(ended.window.start):
        return Judgement.CHANGED
    if not is_bill(ended.state):
        is_young = ended.at - starts_at(ended.window.end) < SETTLES_AFTER
        return Judgement.EARLY if is_young and ended.state is FigureState.ESTIMATE else Judgement.BLIND
    if WHOLE not in reached(ended.on.budget, ended.spent):
        return Judgement.WITHIN
    end = starts_at(ended.window.end) - _INSTANT
    in_time = [one for one in events if one.at < end]
    if any(one.is_loud and one.kind in _LOUD and _level(one) >= WHOLE for one in in_time):
        return Judgement.TOLD
    return Judgement.SILENCED if _was_silenced(in_time, end) else Judgement.MISSED


def miss(ended: Ended) -> Miss:
    """The same, as people are told of it."""
    budget = ended.on.budget
    return Miss(ended.on.scope, budget.period, ended.window, ended.spent, budget.amount)


def _was_silenced(events: Sequence[IncidentEvent], end: datetime) -> bool:
    """Whether the whole limit was reached in silence, or the silence lasted until the end."""
    until: datetime | None = None
    for one in events:
        if one.kind is EventKind.CROSSED and not one.is_said and _level(one) >= WHOLE:
            return True
        if one.kind is EventKind.SILENCED:
            until = datetime.fromisoformat(str(one.values["until"]))
        elif one.kind is EventKind.SILENCE_ENDED:
            until = None
    return until is not None and until > end


def _level(event: IncidentEvent) -> int:
    level = event.values.get("level")
    return level if isinstance(level, int) else 0
