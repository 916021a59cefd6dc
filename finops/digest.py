"""Monday's digest: where money bought value, where it did not, why it moved, and the one next step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from finops.axes import Axes
from finops.estimates import Spent
from finops.exchange import Converter
from finops.figures import Breakdown, DayFigure, Figure, Scope, ScopeKind
from finops.frozen import frozen
from finops.money import EXACT, Money
from finops.periods import Period
from finops.value import NO_VALUE, Interval, ValueFigure, ValueSource
from finops.why import Why

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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


@frozen
class Runaway:
    """What a project spent `beyond` its usual on `days` of the week; `day` is the dearest of them.

    Of days that are over (stopped, or ended by themselves) no change of habits could win it back; of the week's last
    days, which nobody stopped, it may go on. Either way it is part of the week's cost, and not one of every week.
    """

    day: date
    beyond: Money
    days: int = 1
    is_stopped: bool = False
    is_restored: bool = False

    @property
    def daily(self) -> Money:
        """What one of its days cost beyond the usual, on average."""
        return Money(EXACT.divide(self.beyond.amount, Decimal(self.days)), self.beyond.currency)


@frozen
class Advice:
    """What to do next, about which project (None: the whole scope), and what it could be worth a week.

    `burning` is what ran away and may go on: worth something each day while it does, and nothing each week.
    """

    kind: AdviceKind
    project_id: int | None = None
    project_name: str = ""
    worth: Money | None = None
    burning: Runaway | None = None


class Unranked(StrEnum):
    """Why a project is not ranked."""

    NO_VALUE = "no_value"  # 성과 기록 없음
    FEW_OUTCOMES = "few_outcomes"  # 판단하기엔 표본 부족
    NO_PRICE = "no_price"  # outcomes enough, and nobody knows what their calls cost
    SMALL_SPEND = "small_spend"  # under one percent of the spend
    NO_BASELINE = "no_baseline"  # nothing to compare with yet: its first weeks
    NO_SPEND = "no_spend"
    UNREAD = "unread"  # some day of its week was never read, and of the others no cost is known
    RESTED = "rested"  # ranked, and neither among the best nor among those to improve


@frozen
class DigestProject:
    """One project's week. `ratio` is its successes weighted by feedback, by dollar, by its baseline (1.2: a fifth
    better), with its interval at 95 %. `runaway` is over, `burning` may go on.
    """

    project_id: int
    name: str
    team_name: str
    cost: Money
    previous: Money | None
    value: ValueFigure = NO_VALUE
    baseline: Baseline = Baseline.NONE
    ratio: Decimal | None = None
    ratio_interval: Interval | None = None
    unranked: Unranked | None = None
    why: Why | None = None
    advice: Advice | None = None
    runaway: Runaway | None = None
    burning: Runaway | None = None


@frozen
class Digest:
    """A week of one scope, with the figures as they were at `computed_at`.

    `best` and `improve` share no project and are at most three each; `others` are all the rest, dearest first.
    `total` includes what is of no registered project, which is `unallocated`. `is_first`: there is no week before.
    `exchange` is how the total is told in another currency as well, at the rate of then; None where nobody asked.
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
    exchange: Converter | None = None
    other_currencies: tuple[Money, ...] = ()

    @property
    def projects(self) -> tuple[DigestProject, ...]:
        """Every project of the week, each once."""
        return self.best + self.improve + self.others


class DigestVersion(StrEnum):
    """For whom the same facts are told."""

    TEAM = "team"  # 실무: who does something about it
    BRIEF = "brief"  # 보고: one page for the boss, 보고서체


@frozen
class DigestShown:
    """A digest to be read: as it was then; `now` beside it where it is asked for again and has moved since."""

    digest: Digest
    version: DigestVersion
    now: Digest | None = None
    # Kept when it was told; False: computed for this question, because that week was never told.
    is_kept: bool = True


@frozen
class DigestChannel:
    """Where, how and when a scope's digest is told.

    `channel_id` '' is the usual place: a team's channel as it is now, the administrators for the workspace. `locale`
    '' is the usual language: the team's, else the workspace's. The digest of a week is told at the hour of `cron`
    (five fields, read in `timezone`, weekday named), but never before the week's last charge day has ended.
    `is_mailed` counts for the workspace's digest alone; `is_daily` also tells yesterday every morning at the same hour.
    `last_week` and `last_day` are what was told there last.
    """

    id: int
    workspace_id: str
    channel_id: str
    scope: ScopeKind
    scope_id: int | None
    version: DigestVersion
    locale: str
    cron: str
    timezone: str
    is_enabled: bool
    is_mailed: bool
    is_daily: bool
    created_by: str
    created_at: datetime
    last_week: date | None = None
    last_day: date | None = None


@frozen
class DailyCard:
    """Yesterday of one scope beside what it bought, and today so far; `today` is None before any usage was read.

    `trend` are the last days up to yesterday, oldest first. `exchange` is as in a digest.
    """

    scope: Scope
    figure: Figure
    previous: Figure
    increase: Decimal | None
    value: ValueFigure
    breakdown: Breakdown
    trend: tuple[DayFigure, ...] = ()
    today: Spent | None = None
    today_value: ValueFigure = NO_VALUE
    exchange: Converter | None = None
    other_currencies: tuple[Money, ...] = ()


def has_moved(then: Digest, now: Digest) -> bool:
    """Whether a reader would see another figure or another ranking; states and times alone are no news."""
    return _seen(then) != _seen(now)


def _seen(digest: Digest) -> object:
    def of(projects: Iterable[DigestProject]) -> list[object]:
        return [(one.project_id, one.cost, _bought(one.value), one.unranked) for one in projects]

    whole = (digest.total.amount, digest.total.unread_days, digest.previous.amount, digest.unallocated)
    return (whole, of(digest.best), of(digest.improve), sorted(of(digest.others), key=repr))


def _bought(value: ValueFigure) -> object:
    """Outcomes, and what people said: they rate a week after it was told."""
    rated = (value.raters, value.feedback) if value.source is ValueSource.RATINGS else None
    return value.successes, value.outcomes, rated
