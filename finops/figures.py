"""Figures: amounts a person may be shown, each with its period, its state and its time; parts that make the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from finops.axes import Axes
from finops.charges import DayReading, FigureState, day_state, weakest
from finops.exchange import Converter
from finops.frozen import frozen
from finops.money import Money, total
from finops.periods import Period, charge_day, week_of
from finops.queries import NamedPeriod
from finops.queries import ScopeKind as ScopeKind  # the word of a report and of a question
from finops.value import NO_VALUE, ValueFigure

if TYPE_CHECKING:  # what happens live is told in these figures' own terms
    from finops.incident_report import LiveReport
    from finops.learning import ActionShown

TREND_POINTS = 20
UNALLOCATED = "unallocated"


@frozen
class Figure:
    """What was spent in a period, as far as we know.

    `state` is the weakest state of the days the amount covers, and never settled where it lacks a closed day. `amount`
    is None only when no day of the period could be read. `as_of` is when the provider last told us about any of them.
    `unread_days` are closed days we never read, `open_days` days that have not ended yet and are not collected: the
    amount covers all the others.
    """

    amount: Money | None
    period: Period
    state: FigureState
    as_of: datetime | None
    unread_days: int = 0
    blind_since: datetime | None = None
    open_days: int = 0

    @property
    def is_estimated(self) -> bool:
        """Whether it is the open day, by our estimates, which no bill tells of: blind where nobody can look."""
        return self.state is FigureState.ESTIMATE or (self.state is FigureState.BLIND and self.as_of is not None)

    @property
    def is_not_yet_collected(self) -> bool:
        """Nothing to say yet because the period has only just begun; that is not blindness."""
        return self.amount is None and self.unread_days == 0 and self.open_days > 0


@frozen
class DayFigure:
    """One point of a trend: `span_days` days from `day` on, of which `unread_days` were never read."""

    day: date
    amount: Money | None
    state: FigureState
    span_days: int = 1
    unread_days: int = 0


@frozen
class Share:
    """One part of a whole, and what it bought. `ratio` is None when no share exists (the whole is zero or negative)."""

    name: str
    key: str
    amount: Money
    ratio: Decimal | None = None
    team_name: str | None = None
    is_unallocated: bool = False
    project_id: int | None = None
    value: ValueFigure = NO_VALUE


@frozen
class Breakdown:
    """A whole and its largest parts: the shares and `others` add up to `total` exactly."""

    shares: tuple[Share, ...]
    others: Money | None
    others_count: int
    total: Money

    @property
    def amounts(self) -> list[Money]:
        """Every part: the shares', and the others' last."""
        return [*(share.amount for share in self.shares), *([] if self.others is None else [self.others])]


@frozen
class Scope:
    """Whose spending: the workspace (no id), one team or one project."""

    kind: ScopeKind
    id: int | None
    name: str


@frozen
class StatusReport:
    """The answer to "what was spent": by whom, when, compared with what, and what it bought.

    `increase` 0.5 is half as much again. `value` is of the days that `figure` speaks for. `axes` are what kind of
    thing a week or more was paid for; None of a shorter period, and where nothing was billed. `exchange` is how the
    amount is told in another currency as well; None where nobody asked for one. `is_connected` is False as long as
    there is no provider whose bill could be read.
    """

    scope: Scope
    query: NamedPeriod
    figure: Figure
    previous: Figure
    increase: Decimal | None
    breakdown: Breakdown
    trend: tuple[DayFigure, ...]
    other_currencies: tuple[Money, ...] = ()
    live: LiveReport | None = None
    value: ValueFigure = NO_VALUE
    axes: Axes | None = None
    exchange: Converter | None = None
    is_connected: bool = True


class SetupStep(StrEnum):
    """The next thing a workspace needs before it sees its bill."""

    TEAM = "team"
    KEY = "key"
    PROJECTS = "projects"
    TRIAL = "trial"
    WAIT = "wait"
    DONE = "done"


@frozen
class SetupProgress:
    """How far set-up has come; `team_id` is the team the next step is about.

    `is_proved`: the button of a test alert was pressed, so alerts arrive and clicks come back. `lacks` is what that
    team has not got, KEY or PROJECTS, where this person may give it to them; also when others have all they need.
    """

    has_team: bool
    has_key: bool
    has_projects: bool
    has_charges: bool
    team_id: int | None = None
    is_proved: bool = True
    lacks: SetupStep | None = None

    @property
    def next_step(self) -> SetupStep:
        """The first step not done, in the order a person takes them."""
        if not self.has_team:
            return SetupStep.TEAM
        if not self.has_key:
            return SetupStep.KEY
        if not self.has_projects:
            return SetupStep.PROJECTS
        if not self.is_proved:
            return SetupStep.TRIAL
        return SetupStep.DONE if self.has_charges else SetupStep.WAIT


@frozen
class BlindConnection:
    """A connection we cannot read: since when, and why as a reason code."""

    name: str
    since: datetime
    reason: str | None = None


@frozen
class CollectionProgress:
    """How far one collection has come; `total` is what was read so far, None before the first day."""

    id: int
    connection_name: str
    kind: str
    days_done: int
    days_total: int
    state: str
    total: Money | None = None
    told_to: str | None = None  # the user id of who asked for it, None: nobody did


@frozen
class HomeValues:
    """What each amount of the Home tab bought."""

    yesterday: ValueFigure = NO_VALUE
    last_week: ValueFigure = NO_VALUE
    last_month: ValueFigure = NO_VALUE
    month_to_date: ValueFigure = NO_VALUE


@frozen
class HomeReport:
    """Everything the Home tab says; `top` is of `last_7_days`. `actions` are what was done last.

    `may_begin` is whether the reader may set things up: as an admin, or because asking for it makes them the first one.
    `exchange` is how its amounts are told in another currency as well; None where nobody asked for one.
    """

    yesterday: Figure
    last_week: Figure
    last_month: Figure
    month_to_date: Figure
    last_7_days: Figure
    top: Breakdown
    trend: tuple[DayFigure, ...]
    setup: SetupProgress
    blind: tuple[BlindConnection, ...] = ()
    collections: tuple[CollectionProgress, ...] = ()
    other_currencies: tuple[Money, ...] = ()
    is_admin: bool = False
    may_begin: bool = False
    team_count: int = 0
    project_count: int = 0
    live: LiveReport | None = None
    value: HomeValues = HomeValues()
    actions: tuple[ActionShown, ...] = ()
    exchange: Converter | None = None


def figure_of(
    period: Period,
    cells: Mapping[date, Money],
    readings: Mapping[date, DayReading],
    now: datetime,
    currency: str = "USD",
    blind_since: datetime | None = None,
) -> Figure:
    """The figure of a period from its daily amounts and what we know about reading those days.

    A read day without an amount is a true zero. A day without a reading is unknown, never zero; an amount that is
    there all the same (one of several connections was read) counts, and the day stays unread.
    """
    today = charge_day(now)
    covered = [readings[day] for day in period if day in readings]
    missing = [day for day in period if day not in readings]
    known = [cells[day] for day in period if day in cells]
    return Figure(
        amount=total(known, currency) if covered or known else None,
        period=period,
        state=_state_of(covered, known, now, is_whole=not any(day < today for day in missing)),
        as_of=max((reading.read_at for reading in covered), default=None),
        unread_days=sum(day < today for day in missing),
        blind_since=blind_since,
        open_days=sum(day >= today for day in missing),
    )


def spoken_for(shown: Figure) -> Period:
    """The days a shown amount speaks for: those its value is compared with. Days still open are not among them."""
    end = shown.period.end - timedelta(days=shown.open_days)
    return Period(shown.period.start, max(end, shown.period.start))


def _state_of(covered: list[DayReading], known: list[Money], now: datetime, *, is_whole: bool) -> FigureState:
    if not covered:
        return FigureState.PROVISIONAL if known else FigureState.BLIND
    # What lacks a day will move once that is read.
    least = () if is_whole else (FigureState.PROVISIONAL,)
    return weakest([*(day_state(reading, now) for reading in covered), *least])


def readings_of_all(connections: Iterable[Mapping[date, DayReading]]) -> dict[date, DayReading]:
    """One reading per day from those of several connections: a day counts as read when every one of them was read.

    The oldest time of reading, the latest change and the fewest unchanged reads speak for the day.
    """
    each = list(connections)
    if not each:
        return {}
    days = set(each[0]).intersection(*each[1:])
    return {
        day: DayReading(
            day,
            min(readings[day].read_at for readings in each),
            max(readings[day].changed_at for readings in each),
            min(readings[day].unchanged_reads for readings in each),
        )
        for day in sorted(days)
    }


def breakdown_of(parts: Iterable[Share], top: int = 5, currency: str = "USD") -> Breakdown:
    """The `top` largest parts and the rest as one; what nobody owns is always among the shares, never in the rest.

    Largest first, ties by name, the unowned last. Parts of zero are left out. Ratios are shares of the total, None
    unless it is above zero: credits can turn a whole around, and a share of that says nothing.
    """
    ordered = sorted(
        (part for part in parts if part.amount), key=lambda part: (-part.amount.amount, part.name, part.key)
    )
    whole = total((part.amount for part in ordered), currency)
    owned = [part for part in ordered if not part.is_unallocated]
    # "and 1 other" hides one name to save one line: show the name.
    kept = set(owned if len(owned) == top + 1 else owned[:top])
    # Largest first, and what nobody owns last: it is a task, not a project.
    shares = [part for part in owned if part in kept] + [part for part in ordered if part.is_unallocated]
    rest = [part for part in owned if part not in kept]
    return Breakdown(
        shares=tuple(replace(part, ratio=_share(part.amount, whole)) for part in shares),
        others=total((part.amount for part in rest), currency) if rest else None,
        others_count=len(rest),
        total=whole,
    )


def _share(part: Money, whole: Money) -> Decimal | None:
    return part.ratio_of(whole) if whole.amount > 0 else None


def trend_of(
    period: Period,
    cells: Mapping[date, Money],
    readings: Mapping[date, DayReading],
    now: datetime,
    currency: str = "USD",
) -> tuple[DayFigure, ...]:
    """The period as at most TREND_POINTS figures, oldest first: its days, else its weeks, else its months.

    Weeks (Monday to Sunday) and months are those of the calendar, so that each ties to what is told of it elsewhere;
    the first and the last may be cut by the period. Days that have not ended and are not collected do not appear.
    """
    today = charge_day(now)
    days = list(period)
    while days and days[-1] >= today and days[-1] not in readings and days[-1] not in cells:
        days.pop()
    if not days:
        return ()
    if len(days) > TREND_POINTS:
        groups = _grouped(days, lambda day: week_of(day).start)
        if len(groups) > TREND_POINTS:
            groups = _grouped(days, lambda day: day.replace(day=1))
    else:
        groups = [Period(day, day + timedelta(days=1)) for day in days]
    return tuple(_point(group, cells, readings, now, currency) for group in groups)


def _grouped(days: Sequence[date], begins: Callable[[date], date]) -> list[Period]:
    """Consecutive days that begin with the same one, together."""
    groups = [list(each) for _, each in groupby(days, begins)]
    return [Period(each[0], each[-1] + timedelta(days=1)) for each in groups]


def _point(
    group: Period, cells: Mapping[date, Money], readings: Mapping[date, DayReading], now: datetime, currency: str
) -> DayFigure:
    figure = figure_of(group, cells, readings, now, currency)
    return DayFigure(group.start, figure.amount, figure.state, group.days, figure.unread_days + figure.open_days)


def is_comparable(now: Figure, before: Figure) -> bool:
    """Whether two amounts say how spending moved: both are known, and neither lacks a day that was never read."""
    return now.amount is not None and before.amount is not None and not now.unread_days and not before.unread_days


def increase(now: Figure, before: Figure) -> Decimal | None:
    """By what ratio spending rose (0.5 is half as much again; negative when it fell), or None.

    None when no honest comparison exists: something unknown in either period, an open day in the earlier one, other
    currencies, nothing spent before, or more credited than spent now: of that no share says anything.
    """
    if now.amount is None or before.amount is None or now.amount.currency != before.amount.currency:
        return None
    if now.unread_days or before.unread_days or before.open_days or before.amount.amount <= 0 or now.amount.amount < 0:
        return None
    difference = now.amount - before.amount
    return difference.ratio_of(before.amount)
