"""Value: what the money bought, gathered for a scope and a period; asked of daily sums, never of single calls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from bot.picture import CURRENCY, Account, account_of
from finops.caps import CapSeen, seen
from finops.figures import Scope
from finops.frozen import frozen
from finops.money import Money
from finops.periods import Period, minute_of, moment_of, monday_of, starts_at
from finops.queries import ScopeKind
from finops.registry import Project
from finops.value import Dimension, NamedValue, Part, ValueFigure, ValueRow, ValueSums, figure, named, together
from storage import Store
from storage.records import ProjectTotal


@frozen
class Gathered:
    """What some projects recorded in a period, with all that makes figures of it; asked of without a query.

    `asked` are the calls the provider saw, by account; `costs` what each project cost there, by id. Neither has what is
    `unseen`: accounts that were billed in the period for days from before their calls were read.
    """

    projects: Sequence[Project]
    sums: Mapping[int, ValueSums]
    asked: Mapping[Account, int]
    costs: Mapping[int, Money]
    ratings: Mapping[int, Sequence[tuple[str, int]]]
    unseen: frozenset[Account] = frozenset()

    def of(self, project_id: int | None) -> ValueFigure:
        """What one project's money bought; of what no registered project owns, nobody recorded anything."""
        project = next((one for one in self.projects if one.id == project_id), None)
        if project is None:
            return together((), None)
        part = self._part(project)
        return figure(part.sums, part.cost, part.asked, self.ratings.get(project.id, ()))

    def each(self) -> dict[int, ValueFigure]:
        """What each project's money bought, those without any record included."""
        found = {}
        for project in self.projects:
            part = self._part(project)
            found[project.id] = figure(part.sums, part.cost, part.asked, self.ratings.get(project.id, ()))
        return found

    def whole(self) -> ValueFigure:
        """What all their money bought together."""
        return self._together(self.projects, 0 if self.unseen else sum(self.asked.values()))

    def at(self, kind: ScopeKind, scope_id: int | None) -> ValueFigure:
        """What the money of a scope among them bought."""
        if kind is ScopeKind.WORKSPACE:
            return self.whole()
        if kind is ScopeKind.PROJECT:
            return self.of(scope_id)
        team = [one for one in self.projects if one.team_id == scope_id]
        accounts = [account_of(one) for one in team]
        asked = 0 if self.unseen.intersection(accounts) else sum(self.asked.get(one, 0) for one in accounts)
        return self._together(team, asked)

    def _together(self, projects: Sequence[Project], asked: int) -> ValueFigure:
        recording = [self._part(one) for one in projects if one.id in self.sums]
        rated = [answer for one in projects for answer in self.ratings.get(one.id, ())]
        return together(recording, asked or None, rated)

    def _part(self, project: Project) -> Part:
        account = account_of(project)
        asked = self.asked.get(account)
        return Part(self.sums.get(project.id, ValueSums()), self.costs.get(project.id), asked)


async def gathered(
    store: Store,
    workspace_id: str,
    period: Period,
    projects: Sequence[Project],
    costs: Mapping[int, Money] | None = None,
    *,
    is_everything: bool = False,
) -> Gathered:
    """What some projects recorded in a period, in a handful of queries however many they are.

    `costs` are what the projects cost in the period, by id; None: as the bill says. `is_everything`: calls of accounts
    that belong to none of the projects count as not recorded, because the whole workspace is meant.
    """
    ids = {one.id for one in projects}
    only = None if is_everything or len(ids) > _NAMED_AT_MOST else ids
    sums = {id_: of for id_, of in (await store.value.sums(workspace_id, period, only)).items() if id_ in ids}
    if costs is None:
        costs = await _billed(store, workspace_id, period, [one for one in projects if one.id in sums])
    asked = await _asked(store, workspace_id, period, projects, is_everything=is_everything) if sums else {}
    unseen = await _unseen(store, workspace_id, period, asked)
    # The bill of a month beside the calls of its last week would make every success as dear as the whole month.
    unlike = {one.id for one in projects if account_of(one) in unseen}
    return Gathered(
        projects=projects,
        sums=sums,
        asked={account: calls for account, calls in asked.items() if account not in unseen},
        costs={id_: cost for id_, cost in costs.items() if id_ not in unlike},
        ratings=await _ratings(store, workspace_id, period, ids),
        unseen=unseen,
    )


# More projects than this are asked for together with all others, and picked out here.
_NAMED_AT_MOST = 500


async def of_projects(
    store: Store,
    workspace_id: str,
    period: Period,
    projects: Sequence[Project],
    costs: Mapping[int, Money] | None = None,
) -> dict[int, ValueFigure]:
    """What each project's money bought in a period, in a handful of queries however many there are.

    `costs` are what the projects cost in the period, by id; None: as the bill says. Every project of `projects` is in
    the answer.
    """
    return (await gathered(store, workspace_id, period, projects, costs)).each()


async def of_all(
    store: Store,
    workspace_id: str,
    period: Period,
    projects: Sequence[Project],
    costs: Mapping[int, Money] | None = None,
    *,
    is_everything: bool = False,
) -> ValueFigure:
    """The same of some projects together; `is_everything` when they are all there are."""
    return (await gathered(store, workspace_id, period, projects, costs, is_everything=is_everything)).whole()


async def weekly(store: Store, workspace_id: str, weeks: Sequence[Period]) -> dict[tuple[int, date], ValueSums]:
    """What each project recorded in each week, by (project id, Monday); a week without any record is absent."""
    return await store.value.weekly(workspace_id, weeks)


def costs_of(totals: Iterable[ProjectTotal], projects: Iterable[Project]) -> dict[int, Money]:
    """What each project cost, by id, of what accounts cost; amounts in another currency than dollars are left out."""
    owners = {account_of(one): one.id for one in projects}
    found: dict[int, Money] = {}
    for row in totals:
        owner = owners.get((row.connection_id, row.sub_account_id or ""))
        if owner is not None and row.amount.currency == CURRENCY:
            found[owner] = found[owner] + row.amount if owner in found else row.amount
    return found


def by_name(rows: Iterable[ValueRow], dimension: Dimension) -> list[NamedValue]:
    """Rows told apart by task, experiment, segment or model, dearest first."""
    return list(named((getattr(row, dimension.value), row.sums) for row in rows))


async def caps_seen(
    store: Store, workspace_id: str, period: Period, project_ids: Sequence[int] | None = None
) -> list[CapSeen]:
    """Where calls and users cost more than the caps of their segments allow, worst first."""
    caps = await store.caps.all(workspace_id)
    per_call = min((cap.per_call for cap in caps.values()), key=lambda each: each.amount)
    per_user_day = min((cap.per_user_day for cap in caps.values()), key=lambda each: each.amount)
    return seen(await store.value.users_over(workspace_id, period, per_call, per_user_day, project_ids), caps)


async def projects_of(store: Store, workspace_id: str, scope: Scope) -> list[Project]:
    """The projects that answer for a scope's cost; an excluded one answers for itself alone."""
    if scope.kind is ScopeKind.PROJECT:
        project = await store.projects.get(workspace_id, scope.id or 0)
        return [] if project is None else [project]
    if scope.kind is ScopeKind.TEAM:
        found = await store.projects.of_team(workspace_id, scope.id or 0)
    else:
        found = await store.projects.all(workspace_id)
    return [one for one in found if not one.excluded]


async def _billed(store: Store, workspace_id: str, period: Period, projects: Sequence[Project]) -> dict[int, Money]:
    """What each project cost in a period by its bills."""
    if not projects:
        return {}
    accounts = [account_of(one) for one in projects]
    only = accounts if len(accounts) <= _NAMED_AT_MOST else None
    return costs_of(await store.charges.project_totals(workspace_id, period, only), projects)


async def _asked(
    store: Store, workspace_id: str, period: Period, projects: Sequence[Project], *, is_everything: bool
) -> dict[Account, int]:
    """How many calls the provider saw of each account."""
    accounts = {account_of(one) for one in projects}
    only = None if is_everything or len(accounts) > _NAMED_AT_MOST else sorted(accounts)
    start, end = minute_of(starts_at(period.start)), minute_of(starts_at(period.end))
    found: dict[Account, int] = {}
    for row in await store.usage.activity(workspace_id, start, end, only):
        account = (row.connection_id, row.sub_account_id)
        if is_everything or account in accounts:
            found[account] = found.get(account, 0) + row.requests
    return {account: requests for account, requests in found.items() if requests}


async def _unseen(store: Store, workspace_id: str, period: Period, asked: Collection[Account]) -> frozenset[Account]:
    """Of the accounts whose calls the provider told, those billed in the period for days from before it told any."""
    if not asked:
        return frozenset()
    found = set[Account]()
    for connection_id, start in (await store.usage.first_days(workspace_id)).items():
        since = moment_of(start).date()
        if since <= period.start:
            continue
        before = Period(period.start, min(since, period.end))
        mine = [one for one in asked if one[0] == connection_id]
        billed = await store.charges.project_totals(workspace_id, before, mine if len(mine) <= _NAMED_AT_MOST else None)
        found.update((row.connection_id, row.sub_account_id or "") for row in billed if row.amount.amount)
    return frozenset(found.intersection(asked))


async def _ratings(store: Store, workspace_id: str, period: Period, ids: set[int]) -> dict[int, list[tuple[str, int]]]:
    """What people said of the weeks that a period touches, by project."""
    first = monday_of(period.start)
    found: dict[int, list[tuple[str, int]]] = {}
    for one in await store.ratings.between(workspace_id, Period(first, period.end)):
        if one.project_id in ids:
            found.setdefault(one.project_id, []).append((one.user_id, one.score))
    return found
