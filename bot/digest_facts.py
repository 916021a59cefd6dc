"""Digest facts: a week of a workspace or team gathered, ranked and explained, in a fixed number of queries."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot import value
from bot.axes import axes_of_scope
from bot.digest_runaways import Ran, of_week
from bot.exchange import converter_at
from bot.ledger import ledger_of
from bot.picture import CURRENCY, account_of
from bot.why import Whys
from finops.advice import advised, one_step
from finops.allocation import Allocation, SubAccountCost, allocate, in_currency, in_other_currencies
from finops.budgets import BudgetScope
from finops.charges import DayReading
from finops.digest import Digest, DigestProject
from finops.exchange import Converter
from finops.figures import DayFigure, Figure, Scope, increase, is_comparable
from finops.frozen import frozen
from finops.money import Money
from finops.periods import Period
from finops.queries import ScopeKind
from finops.ranking import LEAST_OUTCOMES, LEAST_SHARE, TRAILING_WEEKS, Contender, Past, Ranking, past_of, ranked
from finops.registry import Connection, Credential, Project, Team
from finops.value import ValueFigure, is_by_bill
from storage import Store
from storage.records import ProjectTotal

# Of the projects that are neither best nor to improve, so many that moved most are explained as well.
EXPLAINED_OTHERS = 10
# Ranking fewer projects than this takes less than handing it to a thread.
_SMALL = 200


@frozen
class _Week:
    """What a digest of any scope is made from, read once for all scopes of a workspace."""

    period: Period
    now: datetime
    teams: Mapping[int, Team]
    projects: Sequence[Project]
    connections: Sequence[Connection]
    credentials: Sequence[Credential]
    readings: Mapping[int, Mapping[date, DayReading]]
    costs: Sequence[ProjectTotal]
    before: Sequence[ProjectTotal]
    targets: Mapping[int, Money]
    budgets: frozenset[tuple[BudgetScope, int | None]]
    runaways: Mapping[int, Ran]
    exchange: Converter | None

    def of_scope(self, scope: Scope) -> list[Project]:
        if scope.kind is ScopeKind.WORKSPACE:
            return [one for one in self.projects if not one.excluded]
        return [one for one in self.projects if one.team_id == scope.id and not one.excluded]


@frozen
class _Bills:
    """A scope's two weeks as billed, in its main currency.

    `are_first`: nothing is known of any day before them. A week that nobody could read was there all the same.
    """

    currency: str
    now: Allocation
    before: Allocation
    figure: Figure
    previous: Figure
    trend: tuple[DayFigure, ...]
    are_first: bool
    other_currencies: tuple[Money, ...]

    @property
    def are_comparable(self) -> bool:
        """Whether the week before says how this one moved: of days nobody read, nobody knows the cost."""
        return is_comparable(self.figure, self.previous)


class DigestFacts:
    """Makes digests out of what is known at this moment; keeps nothing."""

    def __init__(self, whys: Whys) -> None:
        self._whys = whys

    async def of(
        self, store: Store, workspace_id: str, scopes: Collection[Scope], week: Period, now: datetime
    ) -> dict[Scope, Digest]:
        """The week of each scope. Scopes without any project or cost are told as such."""
        read = await _read(store, workspace_id, week, now)
        return {scope: await self._digest(store, workspace_id, scope, read) for scope in scopes}

    async def _digest(self, store: Store, workspace_id: str, scope: Scope, read: _Week) -> Digest:
        projects = read.of_scope(scope)
        bills = await _billed(store, workspace_id, scope, read, projects)
        is_everything = scope.kind is ScopeKind.WORKSPACE
        # Of a week that was not read to its end, the bill is too small for what was recorded.
        costs: Mapping[int, Money] = {} if bills.figure.unread_days else bills.now.by_project
        found = await value.gathered(store, workspace_id, read.period, projects, costs, is_everything=is_everything)
        whole = bills.figure.amount or bills.now.total
        values = found.each()
        rankable = _rankable(projects, values, bills, whole)
        trailing = await _trailing(store, workspace_id, read, rankable, values, costs)
        contenders = _contenders(read, projects, values, bills, trailing)
        if len(contenders) > _SMALL:
            ranking = await asyncio.to_thread(ranked, contenders, whole)
        else:
            ranking = ranked(contenders, whole)
        ranking = await self._explained(store, workspace_id, ranking, read)
        ranking = Ranking(*(_with_runaways(each, read) for each in (ranking.best, ranking.improve, ranking.others)))
        improve, others = advised(ranking.improve, ranking.others)
        step = one_step(
            improve,
            others,
            whole,
            has_budget=_has_budget(read, projects),
            increase=increase(bills.figure, bills.previous),
        )
        return Digest(
            scope=scope,
            week=read.period,
            computed_at=read.now,
            total=bills.figure,
            previous=bills.previous,
            increase=increase(bills.figure, bills.previous),
            value=found.whole(),
            best=ranking.best,
            improve=improve,
            others=others,
            trend=bills.trend,
            axes=await axes_of_scope(store, workspace_id, scope, read.period),
            why=await self._whys.of_scope(store, workspace_id, scope, read.period) if bills.are_comparable else None,
            advice=step,
            unallocated=bills.now.unallocated_total if is_everything else None,
            is_first=bills.are_first,
            exchange=read.exchange,
            other_currencies=bills.other_currencies,
        )

    async def _explained(self, store: Store, workspace_id: str, ranking: Ranking, read: _Week) -> Ranking:
        """The ranking with the reasons of what was ranked, and of what moved most besides."""
        moved = sorted(
            (one for one in ranking.others if one.previous is not None), key=lambda one: (-_moved(one), one.project_id)
        )[:EXPLAINED_OTHERS]
        ids = {one.project_id for one in (*ranking.best, *ranking.improve, *moved) if one.previous is not None}
        if not ids:
            return ranking
        whys = await self._whys.of_projects(store, workspace_id, sorted(ids), read.period, read.period.before())

        def told(projects: Iterable[DigestProject]) -> tuple[DigestProject, ...]:
            return tuple(replace(one, why=whys[one.project_id]) if one.project_id in whys else one for one in projects)

        return Ranking(told(ranking.best), told(ranking.improve), told(ranking.others))


async def _read(store: Store, workspace_id: str, week: Period, now: datetime) -> _Week:
    back = Period(week.start - timedelta(days=7 * TRAILING_WEEKS), week.end)
    projects = await store.projects.all(workspace_id)
    readings = await store.charges.readings(workspace_id, back)
    costs = await store.charges.project_totals(workspace_id, week)
    return _Week(
        period=week,
        now=now,
        teams={one.id: one for one in await store.teams.all(workspace_id)},
        projects=projects,
        connections=await store.connections.all(workspace_id),
        credentials=await store.credentials.all(workspace_id),
        readings=readings,
        costs=costs,
        before=await store.charges.project_totals(workspace_id, week.before()),
        targets={id_: each.cost_per_success for id_, each in (await store.value_targets.all(workspace_id)).items()},
        budgets=frozenset(
            (one.terms.scope_kind, one.terms.scope_id)
            for one in await store.budgets.all(workspace_id)
            if one.is_enabled
        ),
        runaways=await of_week(store, workspace_id, projects, week, readings, costs),
        exchange=await converter_at(store, workspace_id, now),
    )


async def _billed(store: Store, workspace_id: str, scope: Scope, read: _Week, projects: Sequence[Project]) -> _Bills:
    week, both = read.period, Period(read.period.before().start, read.period.end)
    accounts = None if scope.kind is ScopeKind.WORKSPACE else [account_of(one) for one in projects]
    concerned = None if accounts is None else {connection_id for connection_id, _ in accounts}
    connections = [one for one in read.connections if concerned is None or one.id in concerned]
    rows = await store.charges.daily_totals(workspace_id, both, accounts)
    ledger = ledger_of(connections, read.credentials, rows, read.readings, read.now)
    now, before = ledger.figures(week, week.before())
    mine = None if accounts is None else set(accounts)
    return _Bills(
        ledger.currency,
        _allocated(read.costs, projects, ledger.currency, mine),
        _allocated(read.before, projects, ledger.currency, mine),
        now,
        before,
        ledger.trend(both, both),
        before.amount is None
        and not any(day < week.start for one in connections for day in read.readings.get(one.id, ())),
        in_other_currencies((row.amount for row in _of(read.costs, mine)), ledger.currency),
    )


def _allocated(
    totals: Iterable[ProjectTotal], projects: Sequence[Project], currency: str, mine: set[tuple[int, str]] | None
) -> Allocation:
    costs = [SubAccountCost(row.connection_id, row.sub_account_id, row.amount) for row in _of(totals, mine)]
    return allocate(in_currency(costs, currency), projects, currency)


def _of(totals: Iterable[ProjectTotal], mine: set[tuple[int, str]] | None) -> Iterator[ProjectTotal]:
    """What was billed to these accounts; to all where none are named."""
    return (row for row in totals if mine is None or (row.connection_id, row.sub_account_id or "") in mine)


def _rankable(
    projects: Iterable[Project], values: Mapping[int, ValueFigure], bills: _Bills, whole: Money
) -> list[Project]:
    """Whose past is worth a look: at most a hundred, for each of them spent a hundredth of the whole."""
    least = max(whole.amount * LEAST_SHARE, Decimal(0))
    return [
        one
        for one in projects
        if values[one.id].outcomes >= LEAST_OUTCOMES
        and (cost := bills.now.by_project.get(one.id)) is not None
        and cost.amount > 0
        and cost.amount >= least
    ]


async def _trailing(
    store: Store,
    workspace_id: str,
    read: _Week,
    projects: Sequence[Project],
    values: Mapping[int, ValueFigure],
    billed: Collection[int],
) -> dict[int, Past]:
    """What these projects bought by dollar in each of the weeks before, of those whose cost is known as this week's is.

    That is by the bill, where a week was read to its end and enough calls are recorded (`billed` are the projects of
    which this week's is known), else by the estimates of the recorded calls, of the weeks before as well: half by one
    and half by the other would tell the difference of the two, and of nothing that anybody did.
    """
    if not projects:
        return {}
    each: dict[int, list[tuple[ValueFigure, Money]]] = {one.id: [] for one in projects}
    accounts = [account_of(one) for one in projects]
    week = read.period
    for _ in range(TRAILING_WEEKS):
        week = week.before()
        costs = value.costs_of(await store.charges.project_totals(workspace_id, week, accounts), projects)
        used = {
            one.id: costs[one.id]
            for one in projects
            if is_by_bill(values[one.id], is_known=one.id in billed)
            and one.id in costs
            and costs[one.id].amount >= 0
            and _is_read(read.readings.get(one.connection_id, {}), week)
        }
        for id_, figure in (await value.of_projects(store, workspace_id, week, projects, used)).items():
            if is_by_bill(figure, is_known=id_ in used) is is_by_bill(values[id_], is_known=id_ in billed):
                each[id_].append((figure, costs.get(id_, Money.zero())))
    return {id_: past_of(values[id_], weeks) for id_, weeks in each.items()}


def _is_read(readings: Collection[date], week: Period) -> bool:
    return all(day in readings for day in week)


def _contenders(
    read: _Week,
    projects: Iterable[Project],
    values: Mapping[int, ValueFigure],
    bills: _Bills,
    trailing: Mapping[int, Past],
) -> list[Contender]:
    """Every project that cost or recorded anything in either week."""
    zero = Money.zero(bills.currency)
    found = []
    for one in projects:
        cost, before = bills.now.by_project.get(one.id), bills.before.by_project.get(one.id)
        if cost is None and before is None and not values[one.id].calls:
            continue
        team = read.teams.get(one.team_id)
        past = trailing.get(one.id, Past((), is_weighted=True))
        found.append(
            Contender(
                project_id=one.id,
                name=one.name,
                team_name="" if team is None else team.name,
                cost=cost or zero,
                previous=(before or zero) if bills.are_comparable else None,
                value=values[one.id],
                target=read.targets.get(one.id),
                trailing=past.per_dollar,
                is_weighted=past.is_weighted,
                is_read=_is_read(read.readings.get(one.connection_id, {}), read.period),
            )
        )
    return found


def _with_runaways(projects: Iterable[DigestProject], read: _Week) -> tuple[DigestProject, ...]:
    """The same projects, each with what ran away in it; in a digest of another currency nothing is known of that."""
    known = read.runaways
    return tuple(
        replace(one, runaway=known[one.project_id].over, burning=known[one.project_id].burning)
        if one.project_id in known and one.cost.currency == CURRENCY
        else one
        for one in projects
    )


def _has_budget(read: _Week, projects: Iterable[Project]) -> bool:
    """Whether any budget that is switched on watches a scope's projects, all or some."""
    wide = {BudgetScope.WORKSPACE, BudgetScope.EVERY_PROJECT}
    if any(kind in wide for kind, _ in read.budgets):
        return True
    mine = {whose for one in projects for whose in ((BudgetScope.PROJECT, one.id), (BudgetScope.TEAM, one.team_id))}
    return not mine.isdisjoint(read.budgets)


def _moved(project: DigestProject) -> Decimal:
    assert project.previous is not None
    return abs((project.cost - project.previous).amount)
