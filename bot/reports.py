"""Reports: what was spent, by whom and when, from sums kept beforehand. No question costs a query per project."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from bot import value_beside
from bot.actions import recent
from bot.audience import not_left
from bot.axes import axes_of_accounts
from bot.billed import Billed
from bot.collector import progress_of
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.exchange import converter_at
from bot.flights import Flights
from bot.ledger import ledger_of, spanning
from bot.live import Live, Look, with_today
from bot.naming import begun, unknown
from bot.people import takes_first
from bot.picture import House
from bot.setup import set_up
from bot.spending import house_of
from bot.trials import is_proved
from finops.allocation import (
    SubAccountCost,
    allocate,
    in_currency,
    in_other_currencies,
    project_shares,
)
from finops.figures import (
    BlindConnection,
    Breakdown,
    HomeReport,
    Scope,
    SetupProgress,
    StatusReport,
    breakdown_of,
    increase,
)
from finops.frozen import frozen
from finops.periods import Period
from finops.queries import (
    DEFAULT_PERIOD,
    EVERYTHING,
    NamedPeriod,
    PeriodName,
    ScopeKind,
    StatusQuery,
    UnknownPeriod,
    parse_status,
    period_named,
    previous_period,
)
from finops.registry import Person, Project
from finops.written import compared, squeezed
from storage import Store
from storage.records import ProjectTotal

log = logging.getLogger(__name__)

HOME_TREND_DAYS = 14
TOP = 5
# Of a week or more it is told what kind of thing was paid for.
_LONG_DAYS, _LONG_NAMES = 7, (PeriodName.THIS_WEEK, PeriodName.THIS_MONTH)
_AT_HOME = (PeriodName.YESTERDAY, PeriodName.LAST_WEEK, PeriodName.LAST_MONTH, PeriodName.THIS_MONTH)


@frozen
class _HomeFacts:
    """What everybody's Home tab has in common, and what the rest is made from."""

    house: House
    report: HomeReport
    takes_first: bool


class Reports:
    """Answers `/finops status` and fills the Home tab."""

    def __init__(self, desk: Desk, live: Live) -> None:
        self._desk = desk
        self._live = live
        self._facts = Flights(self._home)
        self._values = value_beside.AtHome()

    async def status(self, workspace_id: str, person: Person, text: str) -> StatusReport:
        """What was spent, as asked in words: `[team|project] [period]`. Refuses words it cannot place, with a guess."""
        look = await self._live.look(workspace_id)
        async with self._desk.storage.reading() as store:
            scope, named = _asked(text, self._desk.today(), look.house)
            log.info("status asked", extra={"user_id": person.user_id, "scope": scope.kind, "period": named.name})
            return await self._status(store, workspace_id, look, scope, named)

    async def billed(self, store: Store, workspace_id: str, text: str, default: PeriodName) -> Billed:
        """What the bill says of a scope and period asked for in the same words; `default` where no period is named.

        The amount is the bill's alone: what today costs by our estimate is not in it.
        """
        house = await house_of(store, workspace_id)
        scope, named = _asked(text, self._desk.today(), house, default)
        _, accounts, connections = house.concerned(scope)
        before = previous_period(named, self._desk.today())
        days = await store.charges.daily_totals(workspace_id, named.period, accounts)
        readings = await store.charges.readings(workspace_id, spanning([named.period, before]))
        ledger = ledger_of(connections, house.credentials, days, readings, self._desk.now())
        figure, _ = ledger.figures(named.period, before)
        return Billed(scope, named, figure, accounts, house.projects, house.team_names, house.connections, readings)

    async def status_of(
        self, workspace_id: str, kind: ScopeKind, scope_id: int | None, period_name: str
    ) -> StatusReport:
        """The same for a scope and period named by a button; refused when the team or project is gone."""
        look = await self._live.look(workspace_id)
        async with self._desk.storage.reading() as store:
            scope = _scope_by_id(look.house, kind, scope_id)
            try:
                period = period_named(period_name, self._desk.today())
            except UnknownPeriod as error:
                raise Refusal(RefusalCode.UNKNOWN_PERIOD, words=error.words[:40], suggestion=None) from error
            return await self._status(store, workspace_id, look, scope, period)

    async def first_chart(self, workspace_id: str) -> StatusReport:
        """The picture shown as soon as there is one: the last 30 days of the whole workspace."""
        return await self.status_of(workspace_id, ScopeKind.WORKSPACE, None, PeriodName.LAST_30_DAYS.value)

    async def home(self, workspace_id: str, person: Person) -> HomeReport:
        """Everything the Home tab says, in a handful of queries whatever the size of the workspace.

        Many who open it at the same moment share one set of figures, never older than their question.
        """
        facts = await self._facts.get(workspace_id)
        known = facts.report.setup
        setup = set_up(facts.house, person, has_charges=known.has_charges, is_proved=known.is_proved)
        may_begin = person.is_admin or (facts.takes_first and person.is_workspace_admin)
        return replace(facts.report, setup=setup, is_admin=person.is_admin, may_begin=may_begin)

    async def _home(self, workspace_id: str) -> _HomeFacts:
        """The Home tab of nobody in particular."""
        today, now = self._desk.today(), self._desk.now()

        seven = period_named(PeriodName.LAST_7_DAYS, today)
        week = seven.period
        trend = Period(today - timedelta(days=HOME_TREND_DAYS), today)
        shown = [period_named(name, today) for name in _AT_HOME]
        whole = spanning([trend, *(one.period for one in shown)])
        # As each of them is told where it is asked for by itself.
        compared = [(one.period, previous_period(one, today)) for one in shown]
        look = await self._live.look(workspace_id)
        async with self._desk.storage.reading() as store:
            house = look.house
            days = await store.charges.daily_totals(workspace_id, whole)
            totals = await store.charges.project_totals(workspace_id, week)
            readings = await store.charges.readings(workspace_id, spanning([whole, *(each[1] for each in compared)]))
            rows = await store.collections.active(workspace_id)
            first_day = await store.charges.first_day(workspace_id)
            actions = await recent(store, workspace_id)
            proved = await is_proved(store, workspace_id)
            # Where there is a team, somebody began already: Home need not ask who may.
            takes_first_admin = not house.teams and await takes_first(store, workspace_id, self._desk.policy)
            exchange = await converter_at(store, workspace_id, now)
        ledger = ledger_of(house.connections, house.credentials, days, readings, now)
        connections = {one.id: one for one in house.connections}
        of_week, _ = ledger.figures(week, previous_period(seven, today))
        yesterday, last_week, last_month, month_to_date = [ledger.figures(*both)[0] for both in compared]
        report = HomeReport(
            yesterday=yesterday,
            last_week=last_week,
            last_month=last_month,
            month_to_date=month_to_date,
            last_7_days=of_week,
            top=_breakdown(totals, house, ledger.currency),
            trend=ledger.trend(trend, trend.before()),
            setup=SetupProgress(
                bool(house.teams),
                has_key=False,
                has_projects=False,
                has_charges=first_day is not None,
                is_proved=proved,
            ),
            blind=tuple(
                BlindConnection(one.name, one.blind_since, one.blind_reason)
                for one in not_left(house.connections, house.credentials)
                if one.blind_since is not None
            ),
            collections=tuple(progress_of(row, connections[row.connection_id]) for row in rows),
            other_currencies=in_other_currencies((row.amount for row in totals), ledger.currency),
            team_count=len(house.teams),
            project_count=len(house.projects),
            live=look.at(ScopeKind.WORKSPACE, None),
            actions=actions,
            exchange=exchange,
        )
        today_so_far = look.priced(ScopeKind.WORKSPACE, None)
        async with self._desk.storage.reading() as store:
            report = await self._values.beside(store, workspace_id, report, house.counted, of_week, today_so_far, now)
        return _HomeFacts(house, report, takes_first_admin)

    async def setup(self, workspace_id: str, person: Person) -> SetupProgress:
        """How far set-up has come, and which team the next step is about."""
        async with self._desk.storage.reading() as store:
            house = await house_of(store, workspace_id)
            first_day = await store.charges.first_day(workspace_id)
            proved = await is_proved(store, workspace_id)
        return set_up(house, person, has_charges=first_day is not None, is_proved=proved)

    async def _status(
        self, store: Store, workspace_id: str, look: Look, scope: Scope, named: NamedPeriod
    ) -> StatusReport:
        house, today, now = look.house, self._desk.today(), self._desk.now()
        before = previous_period(named, today)
        whole = spanning([before, named.period])
        projects, accounts, connections = house.concerned(scope)
        days = await store.charges.daily_totals(workspace_id, whole, accounts)
        totals = await store.charges.project_totals(workspace_id, named.period, accounts)
        readings = await store.charges.readings(workspace_id, whole)
        ledger = ledger_of(connections, house.credentials, days, readings, now)
        figure, previous = ledger.figures(named.period, before)
        report = StatusReport(
            scope=scope,
            query=named,
            figure=figure,
            previous=previous,
            increase=increase(figure, previous),
            breakdown=_breakdown(totals, house, ledger.currency, projects),
            trend=ledger.trend(named.period, before),
            other_currencies=in_other_currencies((row.amount for row in totals), ledger.currency),
            axes=await axes_of_accounts(store, workspace_id, accounts, named.period, ledger.currency)
            if named.name in _LONG_NAMES or named.period.days >= _LONG_DAYS
            else None,
            exchange=await converter_at(store, workspace_id, now),
            is_connected=bool(house.connections),
        )
        today_so_far = look.priced(scope.kind, scope.id)
        report = _with_today(report, look)
        return await value_beside.beside(store, workspace_id, report, projects, today_so_far, today)


def _breakdown(
    totals: Iterable[ProjectTotal], house: House, currency: str, projects: Sequence[Project] | None = None
) -> Breakdown:
    costs = [SubAccountCost(row.connection_id, row.sub_account_id, row.amount) for row in totals]
    owners = house.counted if projects is None else projects
    allocation = allocate(in_currency(costs, currency), owners, currency)
    return breakdown_of(project_shares(allocation, owners, house.team_names), TOP, currency)


def _with_today(report: StatusReport, look: Look) -> StatusReport:
    house, scope = look.house, report.scope
    owners = house.counted if scope.kind is ScopeKind.WORKSPACE else house.of_scope(scope)

    def breakdown() -> Breakdown:
        return _breakdown(look.estimates(scope.kind, scope.id), house, report.breakdown.total.currency, owners)

    return with_today(report, look.at(scope.kind, scope.id), breakdown)


def _asked(text: str, today: date, house: House, default: PeriodName = DEFAULT_PERIOD) -> tuple[Scope, NamedPeriod]:
    """Whose spending and when, in a person's words; refuses words it cannot place, with a guess."""
    names = [*(team.name for team in house.teams), *(project.name for project in house.projects)]
    try:
        query = parse_status(text, today, names, default)
    except UnknownPeriod as error:
        raise Refusal(RefusalCode.UNKNOWN_PERIOD, words=error.words, suggestion=error.suggestion) from error
    return _scope_of(query, house), query.period


def _scope_of(query: StatusQuery, house: House) -> Scope:
    """The team or project meant by the words: by name without case, projects also by their provider's id.

    Where nothing is called so, a beginning that no other name has will do.
    """
    if query.scope_words is None:
        return Scope(ScopeKind.WORKSPACE, None, "")
    readings = [(query.scope_words, None), (query.scope_name or "", query.scope_kind)]
    for words, kind in readings:
        for scope, names in _scopes(house):
            if words and (kind is None or kind is scope.kind) and compared(words) in names:
                return scope
    if squeezed(query.scope_words) in EVERYTHING:
        return Scope(ScopeKind.WORKSPACE, None, "")
    for words, kind in readings:
        those = [scope for scope, _ in _scopes(house) if kind in (None, scope.kind)]
        name = begun(words, (scope.name for scope in those))
        if name is not None:
            return next(scope for scope in those if scope.name == name)
    raise unknown(query.scope_name or query.scope_words, (scope.name for scope, _ in _scopes(house)))


def _scopes(house: House) -> list[tuple[Scope, set[str]]]:
    teams = [(Scope(ScopeKind.TEAM, one.id, one.name), {compared(one.name)}) for one in house.teams]
    projects = [
        (Scope(ScopeKind.PROJECT, one.id, one.name), {compared(one.name), compared(one.provider_project_id)})
        for one in house.projects
    ]
    return [*teams, *projects]


def _scope_by_id(house: House, kind: ScopeKind, scope_id: int | None) -> Scope:
    if kind is ScopeKind.WORKSPACE:
        return Scope(kind, None, "")
    for scope, _ in _scopes(house):
        if scope.kind is kind and scope.id == scope_id:
            return scope
    raise Refusal(RefusalCode.UNKNOWN_TEAM if kind is ScopeKind.TEAM else RefusalCode.UNKNOWN_PROJECT)
