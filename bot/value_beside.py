"""Value beside cost: reports as they are shown, with what each of their amounts bought."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.picture import CURRENCY, Picture, account_of, money_of
from bot.value import Gathered, costs_of, gathered, of_all, projects_of
from finops.budget_report import BudgetStanding
from finops.budgets import BudgetScope, period_of
from finops.figures import Breakdown, Figure, HomeReport, HomeValues, Scope, StatusReport, spoken_for
from finops.incident_report import IncidentShown, LiveReport
from finops.money import Money
from finops.periods import Period, charge_day
from finops.queries import ScopeKind
from finops.registry import Project
from finops.value import ValueFigure
from storage import Store
from storage.records import ProjectTotal

_WEEK = timedelta(days=7)
_REMEMBERED_FOR = timedelta(minutes=1)
_REMEMBERED = 64


async def beside(
    store: Store, workspace_id: str, report: StatusReport, projects: Sequence[Project], today: Sequence[ProjectTotal],
    open_day: date,
) -> StatusReport:  # fmt: skip
    """A report with what each of its amounts bought. `today` are the estimates of the day that is open, as far as all
    that was used has a price.

    Where days of the period could not be read, the bill is too small for what was recorded of them: then cost per
    success rests on the estimates of the recorded calls.
    """
    shown, is_everything = report.figure, report.scope.kind is ScopeKind.WORKSPACE
    estimates = costs_of(today, projects)
    costs = estimates if shown.is_estimated else _by_bill(shown)
    found = await gathered(store, workspace_id, spoken_for(shown), projects, costs, is_everything=is_everything)
    live = await _today(store, workspace_id, report.live, projects, estimates, open_day, is_everything=is_everything)
    return replace(report, value=found.whole(), breakdown=valued(report.breakdown, found), live=live)


class AtHome:
    """Puts beside the amounts of the Home tab what they bought.

    What was recorded of days that are over hardly moves, and to add it up is dear where thousands of projects record:
    it is remembered for a minute. The open day is asked for each time.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, Period, Period], tuple[datetime, HomeValues, Gathered]] = OrderedDict()

    async def beside(
        self,
        store: Store,
        workspace_id: str,
        report: HomeReport,
        projects: Sequence[Project],
        top: Figure,
        today: Sequence[ProjectTotal],
        now: datetime,
    ) -> HomeReport:
        """The Home tab with its value; `top` is what the days of its largest projects came to."""
        months = Period(report.last_month.period.start, report.month_to_date.period.end)
        rated = Period(months.start - _WEEK, months.end)
        if not await store.value.tells_anything(workspace_id, months) and not await store.ratings.between(
            workspace_id, rated
        ):
            return report
        values, of_top = await self._of_closed_days(store, workspace_id, report, projects, top, now)
        live = await _today(
            store, workspace_id, report.live, projects, costs_of(today, projects), charge_day(now), is_everything=True
        )
        return replace(report, value=values, top=valued(report.top, of_top), live=live)

    async def _of_closed_days(
        self,
        store: Store,
        workspace_id: str,
        report: HomeReport,
        projects: Sequence[Project],
        top: Figure,
        now: datetime,
    ) -> tuple[HomeValues, Gathered]:
        key = (workspace_id, top.period, report.month_to_date.period)
        held = self._known.get(key)
        if held is not None and timedelta(0) <= now - held[0] < _REMEMBERED_FOR:
            return held[1], held[2]
        shown = (report.yesterday, report.last_week, report.last_month, report.month_to_date)
        values = HomeValues(
            *[
                await of_all(store, workspace_id, spoken_for(one), projects, _by_bill(one), is_everything=True)
                for one in shown
            ]
        )
        of_top = await gathered(store, workspace_id, spoken_for(top), projects, _by_bill(top))
        self._known[key] = now, values, of_top
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return values, of_top


def _by_bill(shown: Figure) -> Mapping[int, Money] | None:
    """What projects cost as the bill says (None), or nobody knows: where days were not read, it is too small."""
    return {} if shown.unread_days else None


async def _today(
    store: Store,
    workspace_id: str,
    live: LiveReport | None,
    projects: Sequence[Project],
    estimates: Mapping[int, Money],
    day: date,
    *,
    is_everything: bool,
) -> LiveReport | None:
    """What is known of the open day, with what it bought so far."""
    if live is None or live.today is None:
        return live
    period = Period(day, day + timedelta(days=1))
    return replace(
        live, value=await of_all(store, workspace_id, period, projects, estimates, is_everything=is_everything)
    )


def valued(breakdown: Breakdown, found: Gathered) -> Breakdown:
    """The parts of a whole with what each of them bought."""
    return replace(breakdown, shares=tuple(replace(one, value=found.of(one.project_id)) for one in breakdown.shares))


async def of_budgets(
    store: Store, workspace_id: str, standings: Sequence[BudgetStanding], picture: Picture
) -> list[BudgetStanding]:
    """Budgets as they stand, with what the amount spent of each bought; the picture has their present periods."""
    found: dict[Period, Gathered] = {}
    told = []
    for one in standings:
        window = period_of(one.budget.period, picture.today)
        if window not in found:
            projects = list(picture.projects.values())
            costs = _spent(picture, window, projects)
            found[window] = await gathered(store, workspace_id, window, projects, costs, is_everything=True)
        scope = one.fullest
        if one.spent is None:
            told.append(one)
        elif scope is not None:
            told.append(replace(one, value=found[window].at(scope.kind, scope.id)))
        elif one.scope.kind is not BudgetScope.EVERY_PROJECT:
            told.append(replace(one, value=found[window].at(ScopeKind(one.scope.kind.value), one.scope.id)))
        else:
            told.append(one)
    return told


def _spent(picture: Picture, period: Period, projects: Sequence[Project]) -> dict[int, Money]:
    """What each project has spent in a period so far, bills and estimates together, where all it used has a price."""
    sums, owners = picture.sums(period), {account_of(one): one.id for one in projects}
    known = ((account, units) for account, units in sums.totals.items() if account not in sums.unpriced)
    return {owners[account]: money_of(units) for account, units in known if account in owners}


async def of_incident(store: Store, shown: IncidentShown) -> ValueFigure:
    """What the amount an incident speaks of bought so far."""
    incident = shown.incident
    scope = Scope(incident.scope_kind, incident.scope_id, shown.scope.name)
    projects = await projects_of(store, incident.workspace_id, scope)
    # Of a wider scope no bill tells yet what each of its projects has cost in the open period: the calls themselves do.
    # Nor does what is known to be spent where a part of it has no price.
    is_own = scope.kind is ScopeKind.PROJECT and shown.spent.amount.currency == CURRENCY and not shown.spent.unpriced
    costs = {one.id: shown.spent.amount for one in projects} if is_own else {}
    is_everything = scope.kind is ScopeKind.WORKSPACE
    return await of_all(store, incident.workspace_id, incident.window, projects, costs, is_everything=is_everything)
