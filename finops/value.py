"""Value: what the money bought, as the applications themselves recorded it, and what one success cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import add
from typing import NamedTuple

from finops.money import Money

# A whole score in the database: scores are kept as whole thousandths, so that sums of them are exact.
SCORE_UNITS = 1000


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


@dataclass(frozen=True, slots=True)
class Interval:
    """Between what and what, at 95 %; `high` is None where no upper end can be told."""

    low: Decimal
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class MoneyInterval:
    """The same of an amount."""

    low: Money
    high: Money | None


@dataclass(frozen=True, slots=True)
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


NO_VALUE = ValueFigure(ValueSource.NONE)


class Dimension(StrEnum):
    """By what a project's value is told apart."""

    TASK = "task"
    EXPERIMENT = "experiment"
    SEGMENT = "segment"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class NamedValue:
    """One task, experiment, segment or model of a project ('' where its calls name none).

    `cost` is the estimated cost of the recorded calls; None while no price is known for any of them.
    """

    name: str
    value: ValueFigure
    cost: Money | None
