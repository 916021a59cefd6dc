"""Runaways of a week: what a project spent beyond its usual on days that were stopped, over by themselves, or open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from bot.picture import CURRENCY, Account, account_of
from finops.budgets import HISTORY_DAYS, BudgetPeriod, usual
from finops.charges import DayReading
from finops.digest import Runaway
from finops.holds import Hold
from finops.levers import Lever
from finops.money import EXACT, Money, total
from finops.periods import Period, charge_day
from finops.queries import ScopeKind
from finops.ranking import LEAST_SHARE
from finops.registry import Project
from storage import Store
from storage.records import ProjectTotal

_DAY = timedelta(days=1)
_HISTORY = timedelta(days=HISTORY_DAYS[BudgetPeriod.DAY])


class Ran(NamedTuple):
    """What ran away in a project's week: what is over, and what may go on."""

    over: Runaway | None
    burning: Runaway | None


async def of_week(
    store: Store,
    workspace_id: str,
    projects: Iterable[Project],
    week: Period,
    readings: Mapping[int, Mapping[date, DayReading]],
    costs: Iterable[ProjectTotal],
) -> dict[int, Ran]:
    """By project, what ran away in the week; absent where nothing did, or its usual is unknown.

    Alerts of a team or of everything count for the projects that cost a hundredth of the week's `costs` and, on the
    day of the alert, twice their usual or more. Three queries, whatever the number of projects.
    """
    stopped: dict[int, list[Hold]] = defaultdict(list)
    for hold in await store.stops.set_within(workspace_id, week, Lever.STOP):
        stopped[hold.project_id].append(hold)
    alerted: dict[tuple[ScopeKind, int | None], set[date]] = defaultdict(set)
    for one in await store.incidents.of_windows(workspace_id, list(week)):
        if one.period is BudgetPeriod.DAY:
            alerted[one.scope_kind, one.scope_id].add(one.window.start)
    own = {id_: days for (kind, id_), days in alerted.items() if kind is ScopeKind.PROJECT and id_ is not None}
    dear, everywhere = _dear(costs), alerted.get((ScopeKind.WORKSPACE, None), set())
    wide = {
        one.id: everywhere | alerted.get((ScopeKind.TEAM, one.team_id), set())
        for one in projects
        if account_of(one) in dear
    }
    known = {account_of(one): one for one in projects if one.id in stopped or one.id in own or wide.get(one.id)}
    daily: dict[int, dict[date, Money]] = defaultdict(dict)
    if known:
        for row in await store.charges.totals(workspace_id, Period(week.start - _HISTORY, week.end), sorted(known)):
            project = known.get((row.connection_id, row.sub_account_id or ""))
            if project is not None and row.amount.currency == CURRENCY:
                daily[project.id][row.day] = row.amount
    found = {}
    for project in known.values():
        told = _told(
            stopped.get(project.id, ()),
            own.get(project.id, set()),
            wide.get(project.id, set()),
            week,
            daily.get(project.id, {}),
            readings.get(project.connection_id, {}),
        )
        if any(told):
            found[project.id] = told
    return found


def _told(
    holds: Sequence[Hold],
    alerted: Collection[date],
    wide: Collection[date],
    week: Period,
    daily: Mapping[date, Money],
    read_days: Collection[date],
) -> Ran:
    stops = {charge_day(one.set_at) for one in holds if one.set_at is not None}
    # A wide alert does not say whose it is.
    days = {*alerted, *stops, *_far(wide, daily, read_days)}
    # A run is not over because nobody was told of its next day: nobody looked, or somebody raised the limit.
    after = [day for day in week if day - _DAY not in stops]
    for day in _far(after, daily, read_days):
        if day - _DAY in days:
            days.add(day)
    ended = _ended(days, stops, week)
    over, burning = (_beyond(some, daily, read_days) for some in (ended, days - ended))
    counted = [one for one in holds if one.set_at is not None and charge_day(one.set_at) in over]
    return Ran(
        _runaway(
            over, is_stopped=bool(counted), is_restored=bool(counted) and not any(one.is_active for one in counted)
        ),
        _runaway(burning),
    )


def _far(days: Iterable[date], daily: Mapping[date, Money], read_days: Collection[date]) -> list[date]:
    """Those that cost at least as much beyond the usual as usually, in order."""
    return [day for day, beyond in _beyond(days, daily, read_days).items() if daily[day] - beyond <= beyond]


def _dear(costs: Iterable[ProjectTotal]) -> set[Account]:
    """Who cost a hundredth of the whole or more: a hundred at most."""
    each = {
        (one.connection_id, one.sub_account_id or ""): one.amount.amount
        for one in costs
        if one.amount.currency == CURRENCY
    }
    least = EXACT.multiply(sum(each.values(), Decimal(0)), LEAST_SHARE)
    return {account for account, amount in each.items() if amount > 0 and amount >= least}


def _beyond(days: Iterable[date], daily: Mapping[date, Money], read_days: Collection[date]) -> dict[date, Money]:
    """By how much each of the days was dearer than usual; absent where it was not, or nobody knows."""
    found = {}
    for day in days:
        middle = usual(daily, read_days, BudgetPeriod.DAY, day, CURRENCY).amount
        spent = daily.get(day)
        if middle is not None and spent is not None and middle < spent:
            found[day] = spent - middle
    return found


def _runaway(beyond: Mapping[date, Money], *, is_stopped: bool = False, is_restored: bool = False) -> Runaway | None:
    if not beyond:
        return None
    dearest = max(beyond, key=lambda day: (beyond[day].amount, day))
    return Runaway(dearest, total(beyond.values(), CURRENCY), len(beyond), is_stopped, is_restored)


def _ended(days: Collection[date], stops: Collection[date], week: Period) -> set[date]:
    """The days of the runs that were stopped on their last day, or ended before the week did; the others may go on."""
    found, run = set[date](), list[date]()
    for day in sorted(days):
        run.append(day)
        if day + _DAY in days:
            continue
        if day in stops or day + _DAY < week.end:
            found |= {*run}
        run = []
    return found
