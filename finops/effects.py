"""Effects: whether spending changed after an action, against what it would have been, with an interval and a placebo.

The rule is published in docs/effects.md; change both together:

1. Compared are the fourteen days after the action with the twenty-eight before; the day itself is in neither.
2. What it would have been follows the project's own weekdays and the other projects, which saw the same days.
3. The interval is of 95 %, for days that resemble the day before them (first-order autocorrelation).
4. The same calculation is done where nothing happened: for the other projects, and for the project itself earlier. The
   interval is widened until it would not have found much there.
5. An interval that holds zero says that the effect cannot be told from chance, and that is an answer.

Logarithms of costs are floats, amounts never are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from statistics import fmean, median, pvariance
from typing import NamedTuple, Protocol

from finops.frozen import frozen
from finops.money import EXACT, Money
from finops.periods import Period

BEFORE_DAYS, AFTER_DAYS = 28, 14
LEAST_BEFORE, LEAST_AFTER = 14, 7
CONFIDENCE = 0.95
MOST_CONTROLS = 30
# Placebo runs: their spread at this rank is what chance does here.
_PLACEBO_RANK = 0.9
_LEAST_PLACEBOS = 5
# A cost under this share of the usual counts as this share: a logarithm has no zero.
_FLOOR = 0.01
# Bills repeat themselves to the cent in quiet projects; nobody knows an effect that exactly.
_LEAST_ERROR = 0.0025
_DAY = timedelta(days=1)
_CENT = Decimal("0.000000001")
_STEP = Decimal("0.0001")

Costs = Mapping[date, Decimal]
"""What one project cost by charge day; a day that is missing cost nothing."""


class EffectState(StrEnum):
    """What can be said of an effect."""

    LOWER = "lower"
    HIGHER = "higher"
    INDISTINCT = "indistinct"  # 구분할 수 없음
    EARLY = "early"  # too few days since
    NO_HISTORY = "no_history"  # too few days of anything before
    UNREAD = "unread"  # days since were never read: of those nobody knows the cost


class Fit(NamedTuple):
    """A least-squares fit: coefficients and their standard errors in the order of the columns, and what is left."""

    coefficients: Sequence[float]
    errors: Sequence[float]
    residuals: Sequence[float]
    freedom: int


class Statistics(Protocol):
    """What a library of statistics does for us."""

    def fit(self, outcome: Sequence[float], columns: Sequence[Sequence[float]]) -> Fit:
        """Ordinary least squares; columns that say the same as others get a coefficient of their share."""
        ...

    def critical(self, confidence: float, freedom: int) -> float:
        """Student's t: the two-sided critical value."""
        ...


@frozen
class Effect:
    """What changed. `change` is by how much costs differ from what they would have been (-0.2: a fifth lower).

    `saved` is that in money over `period`, negative where more was spent. `placebo_ratio` is how much larger the effect
    is than what chance did where nothing happened (below one: no larger); None without enough to compare with.
    """

    state: EffectState
    period: Period
    change: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    saved: Money | None = None
    saved_low: Money | None = None
    saved_high: Money | None = None
    placebo_ratio: Decimal | None = None
    controls: int = 0


class SavingState(StrEnum):
    """What became of an expected saving."""

    EXPECTED = "expected"  # too early, or not all bills are settled
    VERIFIED = "verified"
    FAILED = "failed"  # as much was spent as before, or more
    INDISTINCT = "indistinct"  # chance explains it as well


@frozen
class Saving:
    """One line of the ledger: what an action was to save over `period`, and what the settled bills say of it.

    `expected` is None where nobody said what it would be worth. `verified` lies between `low` and `high`.
    """

    action_id: int
    state: SavingState
    period: Period
    currency: str = "USD"
    expected: Money | None = None
    verified: Money | None = None
    low: Money | None = None
    high: Money | None = None
    checked_at: datetime | None = None
    placebo_ratio: Decimal | None = None


def checked(saving: Saving, effect: Effect, at: datetime) -> Saving:
    """The line as the settled bills say; an effect that is too early leaves it as it was."""
    if effect.state is EffectState.EARLY:
        return saving
    state = {EffectState.LOWER: SavingState.VERIFIED, EffectState.HIGHER: SavingState.FAILED}.get(
        effect.state, SavingState.INDISTINCT
    )
    return replace(
        saving,
        state=state,
        verified=effect.saved,
        low=effect.saved_low,
        high=effect.saved_high,
        checked_at=at,
        placebo_ratio=effect.placebo_ratio,
    )


class _Estimate(NamedTuple):
    effect: float
    error: float
    freedom: int
    floor: float


def readable(day: date, until: date, unread: Collection[date] = ()) -> Period:
    """The days around one that an effect is measured by: as many as there are before `until` and between `unread`."""
    end = min([until, day + _DAY * (1 + AFTER_DAYS), *(one for one in unread if one > day)])
    start = max([day - _DAY * BEFORE_DAYS, *(one + _DAY for one in unread if one < day)])
    return Period(start, max(start, end))


def effect_of(
    target: Costs,
    controls: Mapping[int, Costs],
    day: date,
    until: date,
    library: Statistics,
    currency: str = "USD",
    unread: Collection[date] = (),
) -> Effect:
    """The effect on `target` of what happened on `day`, as known before `until`; `controls` did nothing that week.

    Of the days in `unread` nobody knows what they cost, which is not nothing: only those between them are looked at.
    """
    looked_at = readable(day, until, unread)
    after = Period(day + _DAY, max(day + _DAY, looked_at.end))
    before = Period(min(day, looked_at.start), day)
    if after.days < LEAST_AFTER:
        is_late = readable(day, until).end >= day + _DAY * (1 + LEAST_AFTER)
        return Effect(EffectState.UNREAD if is_late else EffectState.EARLY, after)
    used = [one for one in before if target.get(one, 0) > 0]
    if len(used) < LEAST_BEFORE:
        return Effect(EffectState.NO_HISTORY, after)
    before = Period(used[0], day)
    chosen = _chosen(controls, before, after)
    found = _estimate(target, list(chosen.values()), before, after, library)
    placebos = _placebos(target, chosen, before, after, library)
    ratio, widest = _against_placebos(found, placebos)
    half = found.error * max(library.critical(CONFIDENCE, found.freedom), widest)
    low, high = found.effect - half, found.effect + half
    state = EffectState.LOWER if high < 0 else EffectState.HIGHER if low > 0 else EffectState.INDISTINCT
    return Effect(
        state,
        after,
        change=_ratio(found.effect),
        low=_ratio(low),
        high=_ratio(high),
        saved=_saved(target, found, found.effect, after, currency),
        saved_low=_saved(target, found, high, after, currency),
        saved_high=_saved(target, found, low, after, currency),
        placebo_ratio=ratio,
        controls=len(chosen),
    )


def _estimate(
    target: Costs, controls: Sequence[Costs], before: Period, after: Period, library: Statistics
) -> _Estimate:
    """The step after the action, in logarithms: own weekdays and the others' course taken out, autocorrelation in."""
    days = [*before, *after]
    outcome, floor = _logs(target, before, days)
    columns: list[list[float]] = [[1.0] * len(days)]
    columns += [[float(day.weekday() == weekday) for day in days] for weekday in range(1, 7)]
    if controls:
        # Taken off whole, not as far as it explains the days before: a fall that everybody saw may be the first one.
        outcome = [mine - others for mine, others in zip(outcome, _course(controls, before, days), strict=True)]
    columns.append([float(day in after) for day in days])
    fit = library.fit(outcome, columns)
    rho = _autocorrelation(fit.residuals, len(columns))
    if rho > 0:
        gap = before.days
        fit = library.fit(_whitened(outcome, rho, gap), [_whitened(column, rho, gap) for column in columns])
    return _Estimate(fit.coefficients[-1], max(fit.errors[-1], _LEAST_ERROR), fit.freedom, floor)


def _autocorrelation(residuals: Sequence[float], columns: int) -> float:
    """How far a day resembles the day before; raised for what fitting hides in a short series."""
    total = sum(each * each for each in residuals)
    if total <= 0:
        return 0.0
    told = sum(a * b for a, b in pairwise(residuals)) / total
    length = len(residuals)
    raised = (told * length + 0.5 * columns) / max(1.0, length - 1.5 * columns) if told > -0.2 else told
    return min(0.8, max(0.0, raised))


def _whitened(series: Sequence[float], rho: float, gap: int) -> list[float]:
    """Prais and Winsten's transformation; the day left out between before and after makes two steps there."""
    scale = math.sqrt(1 - rho * rho)
    told = [scale * series[0]]
    for i in range(1, len(series)):
        step = rho * rho if i == gap else rho
        size = scale / math.sqrt(1 - step * step)
        told.append(size * (series[i] - step * series[i - 1]))
    return told


def _chosen(controls: Mapping[int, Costs], before: Period, after: Period) -> dict[int, Costs]:
    """Who was there all the time: the dearest of those that spent something on nearly every day."""
    days = [*before, *after]
    least = (9 * len(days)) // 10
    there = {
        key: costs for key, costs in controls.items() if sum(costs.get(day, Decimal(0)) > 0 for day in days) >= least
    }
    ranked = sorted(there, key=lambda key: (-sum((there[key].get(day, Decimal(0)) for day in before), Decimal(0)), key))
    return {key: there[key] for key in ranked[:MOST_CONTROLS]}


def _course(controls: Sequence[Costs], before: Period, days: Sequence[date]) -> list[float]:
    """How the others went: the mean of their logarithms, the quiet ones first (by the inverse of their variance)."""
    told, weights = [], []
    for costs in controls:
        logs, _ = _logs(costs, before, days)
        usual = fmean(logs[: before.days])
        told.append([each - usual for each in logs])
        weights.append(1 / (pvariance(logs[: before.days]) + 0.01))
    whole = sum(weights)
    return [sum(w * each[i] for w, each in zip(weights, told, strict=True)) / whole for i in range(len(days))]


def _logs(costs: Costs, before: Period, days: Sequence[date]) -> tuple[list[float], float]:
    positive = [float(costs[day]) for day in before if costs.get(day, 0) > 0]
    floor = _FLOOR * median(positive) if positive else 1.0
    return [math.log(max(float(costs.get(day, 0)), floor)) for day in days], floor


def _placebos(
    target: Costs, controls: Mapping[int, Costs], before: Period, after: Period, library: Statistics
) -> list[float]:
    """How far from zero, in standard errors, the same comes out where nothing happened."""
    found = []
    for key, costs in controls.items():
        others = [each for other, each in controls.items() if other != key]
        found.append(_estimate(costs, others, before, after, library))
    if before.days >= LEAST_BEFORE + LEAST_AFTER:
        middle = before.start + timedelta(days=before.days // 2)
        earlier, later = Period(before.start, middle), Period(middle + timedelta(days=1), before.end)
        if sum(target.get(day, Decimal(0)) > 0 for day in earlier) * 2 >= earlier.days:
            found.append(_estimate(target, list(controls.values()), earlier, later, library))
    return [abs(each.effect) / each.error for each in found]


def _against_placebos(found: _Estimate, placebos: Sequence[float]) -> tuple[Decimal | None, float]:
    if len(placebos) < _LEAST_PLACEBOS:
        return None, 0.0
    chance = sorted(placebos)[min(len(placebos) - 1, math.ceil(_PLACEBO_RANK * len(placebos)) - 1)]
    ratio = abs(found.effect) / found.error / max(chance, 1e-6)
    return Decimal(repr(min(ratio, 999.0))).quantize(Decimal("0.01")), chance


def _saved(costs: Costs, found: _Estimate, shift: float, after: Period, currency: str) -> Money:
    """What was not spent, had costs been shifted by this: what it would have been less what it was."""
    floor = Decimal(repr(found.floor))
    would = sum((max(costs.get(day, Decimal(0)), floor) for day in after), Decimal(0))
    was = sum((costs.get(day, Decimal(0)) for day in after), Decimal(0))
    factor = Decimal(repr(math.exp(max(-10.0, min(10.0, -shift)))))
    return Money(EXACT.subtract(EXACT.multiply(would, factor), was).quantize(_CENT, None, EXACT), currency)


def _ratio(shift: float) -> Decimal:
    return Decimal(repr(math.expm1(max(-20.0, min(20.0, shift))))).quantize(_STEP, None, EXACT)
