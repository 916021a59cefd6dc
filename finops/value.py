"""Value: what the money bought, as the applications themselves recorded it, and what one success cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import add
from typing import NamedTuple

from finops.frozen import frozen
from finops.money import EXACT, Money, from_units

# A whole score in the database: scores are kept as whole thousandths, so that sums of them are exact.
SCORE_UNITS = 1000
# From half of the calls on, what was recorded speaks for the bill; below it, only for the calls that were recorded.
ENOUGH_COVERAGE = Decimal("0.5")
# The two-sided 95 % of the normal distribution.
_Z = Decimal("1.959963984540054")
_ONE = Decimal(1)


class Outcome(StrEnum):
    """How a call ended for whoever asked; a call nobody told the end of has none."""

    SUCCESS = "success"
    FAILURE = "failure"


class ValueSums(NamedTuple):
    """What was recorded of some calls: counts that add up, each call once.

    `scored` calls have a feedback score, `score_sum` is the sum of those in thousandths (0 to 1000 each), and
    `priced` of the calls have an estimated cost, which is `cost_nano` and `cost_rest` together (finops.money). A call
    without an outcome is in `calls` alone. `latency_ms` is the sum over the `timed` calls.
    """

    calls: int = 0
    successes: int = 0
    failures: int = 0
    scored: int = 0
    score_sum: int = 0
    timed: int = 0
    latency_ms: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    priced: int = 0
    cost_nano: int = 0
    cost_rest: int = 0


def added(sums: Iterable[ValueSums]) -> ValueSums:
    """All of them together."""
    whole = ValueSums()
    for one in sums:
        whole = ValueSums._make(map(add, whole, one))
    return whole


class ValueRow(NamedTuple):
    """What one project recorded of one charge day, for one task, experiment, segment and model ('' where unnamed)."""

    project_id: int
    day: date
    task: str
    experiment: str
    segment: str
    model: str
    sums: ValueSums


class ValueSource(StrEnum):
    """Where the knowledge of value comes from."""

    EVENTS = "events"  # recorded by the application, call by call
    RATINGS = "ratings"  # asked of people once a week
    NONE = "none"  # 성과 기록 없음


@frozen
class Interval:
    """Between what and what, at 95 %; `high` is None where no upper end can be told."""

    low: Decimal
    high: Decimal | None


@frozen
class MoneyInterval:
    """The same of an amount."""

    low: Money
    high: Money | None


@frozen
class ValueFigure:
    """What the money of one scope and period bought; it stands beside every cost.

    `outcomes` are successes and failures together. `success_ratio`, `feedback` (0 to 1) and `cost_per_success` are
    None where nothing was recorded that tells them. `coverage` is recorded calls by calls the provider saw; None when
    the provider told of none. `raters` people rated the project in the week (source RATINGS).
    """

    source: ValueSource
    successes: int = 0
    outcomes: int = 0
    calls: int = 0
    success_ratio: Decimal | None = None
    success_interval: Interval | None = None
    feedback: Decimal | None = None
    raters: int = 0
    cost_per_success: Money | None = None
    cost_per_success_interval: MoneyInterval | None = None
    coverage: Decimal | None = None
    as_of: datetime | None = None
    scored: int = 0


NO_VALUE = ValueFigure(ValueSource.NONE)


class Dimension(StrEnum):
    """By what a project's value is told apart."""

    TASK = "task"
    EXPERIMENT = "experiment"
    SEGMENT = "segment"
    MODEL = "model"


@frozen
class NamedValue:
    """One task, experiment, segment or model of a project ('' where its calls name none).

    `cost` is the estimated cost of the recorded calls; None while no price is known for any of them.
    """

    name: str
    value: ValueFigure
    cost: Money | None


def wilson(successes: int, outcomes: int) -> Interval | None:
    """Between what shares of success the true one lies, at 95 %; None without any outcome.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927): unlike the
    textbook's interval it neither leaves 0 to 1 nor claims certainty after three successes of three.
    """
    if not outcomes:
        return None
    n = Decimal(outcomes)
    share = EXACT.divide(Decimal(successes), n)
    z2_by_n = EXACT.divide(EXACT.multiply(_Z, _Z), n)
    spread = EXACT.divide(EXACT.multiply(share, _ONE - share), n) + EXACT.divide(z2_by_n, 4 * n)
    half = EXACT.multiply(_Z, EXACT.sqrt(spread))
    middle, scale = share + z2_by_n / 2, _ONE + z2_by_n
    low, high = EXACT.divide(middle - half, scale), EXACT.divide(middle + half, scale)
    # Nobody who succeeded always or never is told a share beside that by a digit's rounding.
    return Interval(
        Decimal(0) if not successes else max(Decimal(0), low),
        _ONE if successes == outcomes else min(_ONE, high),
    )


class Part(NamedTuple):
    """What one project recorded of a period, what it cost there (None: nobody knows) and how many calls it made.

    `asked` is as many as the provider saw, None where it told of none.
    """

    sums: ValueSums
    cost: Money | None = None
    asked: int | None = None


def figure(
    sums: ValueSums,
    cost: Money | None = None,
    asked: int | None = None,
    ratings: Collection[tuple[str, int]] = (),
    as_of: datetime | None = None,
) -> ValueFigure:
    """What the money of one project bought.

    `cost` is what the project cost in the period, as shown beside this, None where nobody knows; `asked` how many calls
    the provider saw, None where it told of none. `ratings` are people's (user id, score in thousandths), and speak only
    where no call was recorded. The rule of cost per success stands at `spent_on`.
    """
    return together([Part(sums, cost, asked)], asked, ratings, as_of)


def together(
    parts: Iterable[Part],
    asked: int | None,
    ratings: Collection[tuple[str, int]] = (),
    as_of: datetime | None = None,
) -> ValueFigure:
    """What the money of several projects bought: each one's calls at their own cost, divided by all successes.

    `asked` is how many calls the provider saw in the whole scope, also of projects that record nothing: it makes the
    coverage. A project that tells how less than half of its calls ended, or whose calls nobody can price, is in the
    counts and not in the cost per success: of most of what it spent nobody knows what it bought.
    """
    parts = list(parts)
    sums = added(part.sums for part in parts)
    if not sums.calls and not sums.successes and not sums.failures:
        return _rated(ratings, as_of)
    outcomes = sums.successes + sums.failures
    one, measured = _per_success(parts)
    return ValueFigure(
        source=ValueSource.EVENTS,
        successes=sums.successes,
        outcomes=outcomes,
        calls=sums.calls,
        success_ratio=EXACT.divide(Decimal(sums.successes), Decimal(outcomes)) if outcomes else None,
        success_interval=wilson(sums.successes, outcomes),
        feedback=_mean(sums.score_sum, sums.scored),
        cost_per_success=one,
        cost_per_success_interval=None if one is None else _between(one, measured),
        coverage=EXACT.divide(Decimal(sums.calls), Decimal(asked)) if asked else None,
        as_of=as_of,
        scored=sums.scored,
    )


def spent_on(part: Part) -> Money | None:
    """What the recorded calls of one project cost; None where neither the bill nor a price tells.

    Where at least half of the calls that the provider saw are recorded, they cost that share of the bill: successes
    among the others are taken to be as frequent, so that cost / (successes / coverage) is what one success cost. Else
    they cost what each was estimated to, those without a known price as much as the others. A call that failed, and
    one nobody told the end of, costs money all the same. A bill that credits turned around tells nothing of it.
    """
    sums, cost, asked = part
    coverage = EXACT.divide(Decimal(sums.calls), Decimal(asked)) if asked else None
    if cost is not None and coverage is not None and coverage >= ENOUGH_COVERAGE and cost.amount >= 0:
        return Money(EXACT.multiply(cost.amount, min(coverage, _ONE)), cost.currency)
    known = estimated(sums)
    if known is None:
        return None
    calls = Decimal(max(sums.calls, sums.priced))
    return Money(EXACT.divide(EXACT.multiply(known.amount, calls), Decimal(sums.priced)), known.currency)


def is_by_bill(figure: ValueFigure, *, is_known: bool) -> bool:
    """Whether one project's cost per success is a share of its bill (`is_known`), and not of its calls' estimates."""
    return is_known and figure.coverage is not None and figure.coverage >= ENOUGH_COVERAGE


def _per_success(parts: Iterable[Part]) -> tuple[Money | None, ValueSums]:
    """What one success cost, and the sums it is known from; None without any success whose cost is known."""
    whole: Money | None = None
    measured: list[ValueSums] = []
    for part in parts:
        spent = spent_on(part) if tells_enough(part.sums) else None
        if spent is None or (whole is not None and spent.currency != whole.currency):
            continue
        whole = spent if whole is None else whole + spent
        measured.append(part.sums)
    sums = added(measured)
    if whole is None or sums.successes <= 0:
        return None, sums
    return Money(EXACT.divide(whole.amount, Decimal(sums.successes)), whole.currency), sums


def tells_enough(sums: ValueSums) -> bool:
    """Whether the end of at least half of the recorded calls is known."""
    outcomes = sums.successes + sums.failures
    return outcomes > 0 and outcomes >= ENOUGH_COVERAGE * sums.calls


def estimated(sums: ValueSums) -> Money | None:
    """The estimated cost of the recorded calls that have one; None while none of them has."""
    return Money(from_units(sums.cost_nano, sums.cost_rest)) if sums.priced > 0 else None


def _between(one: Money, sums: ValueSums) -> MoneyInterval | None:
    """The interval of a cost per success: were more or fewer of the same calls successes, one would have cost so."""
    outcomes = sums.successes + sums.failures
    interval = wilson(sums.successes, outcomes)
    if interval is None:
        return None
    spent = EXACT.divide(EXACT.multiply(one.amount, Decimal(sums.successes)), Decimal(outcomes))
    high = interval.high if interval.high is not None else _ONE
    return MoneyInterval(
        Money(EXACT.divide(spent, high), one.currency),
        Money(EXACT.divide(spent, interval.low), one.currency) if interval.low > 0 else None,
    )


def _rated(ratings: Collection[tuple[str, int]], as_of: datetime | None) -> ValueFigure:
    if not ratings:
        return NO_VALUE
    scores = [score for _, score in ratings]
    return ValueFigure(
        ValueSource.RATINGS,
        feedback=_mean(sum(scores), len(scores)),
        raters=len({user_id for user_id, _ in ratings}),
        as_of=as_of,
    )


def _mean(score_sum: int, scored: int) -> Decimal | None:
    return EXACT.divide(Decimal(score_sum), Decimal(SCORE_UNITS * scored)) if scored > 0 else None


def named(rows: Iterable[tuple[str, ValueSums]]) -> Sequence[NamedValue]:
    """Each name's value by its own recorded calls alone, dearest first, then busiest, then by name."""
    sums: dict[str, list[ValueSums]] = {}
    for name, each in rows:
        sums.setdefault(name, []).append(each)
    found = [(name, added(each)) for name, each in sums.items()]
    values = [NamedValue(name, figure(whole), estimated(whole)) for name, whole in found]
    return sorted(values, key=_dearest)


def _dearest(one: NamedValue) -> tuple[Decimal, int, str]:
    return (-(one.cost.amount if one.cost is not None else Decimal(0)), -one.value.calls, one.name)
