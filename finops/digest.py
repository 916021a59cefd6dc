"""Monday's digest: where money bought value, where it did not, why it moved, and the one next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from finops.axes import Axes
from finops.figures import DayFigure, Figure, Scope
from finops.money import Money
from finops.periods import Period
from finops.value import NO_VALUE, Interval, ValueFigure
from finops.why import Why


class Baseline(StrEnum):
    """What a project's value for money is compared with."""

    TARGET = "target"  # what its team said a success may cost
    OWN_MEDIAN = "own_median"  # its own trailing four weeks
    NONE = "none"  # its first weeks


class AdviceKind(StrEnum):
    """The one next step; each has its button."""

    CHECK_RETRIES = "check_retries"
    SHORTEN_PROMPTS = "shorten_prompts"
    CHEAPER_MODEL = "cheaper_model"
    RESTORE_CACHE = "restore_cache"
    BATCH_AGAIN = "batch_again"
    LOOK_AT_FAILURES = "look_at_failures"
    CONNECT_EVENTS = "connect_events"  # no value is recorded: connect it, or rate it
    SET_BUDGET = "set_budget"
    LOOK_WHY = "look_why"
    NONE = "none"  # nothing to do, and that is said


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next, about which project (None: the whole scope), and what it could be worth a week."""

    kind: AdviceKind
    project_id: int | None = None
    project_name: str = ""
    worth: Money | None = None


class Unranked(StrEnum):
    """Why a project is not ranked."""

    NO_VALUE = "no_value"  # 성과 기록 없음
    FEW_OUTCOMES = "few_outcomes"  # 판단하기엔 표본 부족
    SMALL_SPEND = "small_spend"  # under one percent of the spend
    NO_BASELINE = "no_baseline"  # nothing to compare with yet: its first weeks
    NO_SPEND = "no_spend"
    RESTED = "rested"  # ranked, and neither among the best nor among those to improve


@dataclass(frozen=True, slots=True)
class DigestProject:
    """One project's week. `value_per_dollar` is successes weighted by feedback, by dollar; `ratio` is that by its
    baseline (1.2: a fifth better), with its interval at 95 %.
    """

    project_id: int
    name: str
    team_name: str
    cost: Money
    previous: Money | None
    value: ValueFigure = NO_VALUE
    value_per_dollar: Decimal | None = None
    baseline: Baseline = Baseline.NONE
    baseline_per_dollar: Decimal | None = None
    ratio: Decimal | None = None
    ratio_interval: Interval | None = None
    unranked: Unranked | None = None
    why: Why | None = None
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """A week of one scope, with the figures as they were at `computed_at`.

    `best` and `improve` share no project and are at most three each; `others` are all the rest, dearest first.
    `total` includes what is of no registered project, which is `unallocated`. `is_first`: there is no week before.
    """

    scope: Scope
    week: Period
    computed_at: datetime
    total: Figure
    previous: Figure
    increase: Decimal | None
    value: ValueFigure
    best: tuple[DigestProject, ...]
    improve: tuple[DigestProject, ...]
    others: tuple[DigestProject, ...]
    trend: tuple[DayFigure, ...]
    axes: Axes | None
    why: Why | None
    advice: Advice
    unallocated: Money | None = None
    is_first: bool = False

    @property
    def projects(self) -> tuple[DigestProject, ...]:
        """Every project of the week, each once."""
        return self.best + self.improve + self.others


class DigestVersion(StrEnum):
    """For whom the same facts are told."""

    TEAM = "team"  # 실무: who does something about it
    BRIEF = "brief"  # 보고: one page for the boss, 보고서체


@dataclass(frozen=True, slots=True)
class DigestShown:
    """A digest to be read: as it was then; `now` beside it where it is asked for again and has moved since."""

    digest: Digest
    version: DigestVersion
    now: Digest | None = None
