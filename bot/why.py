"""Why it moved: two periods of any scope set side by side, in a handful of queries whatever its size."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from bot.desk import Desk
from bot.picture import Account, Picture, account_of, money_of
from bot.reports import Reports
from bot.spending import Spending
from bot.why_usual import Grouped, against_usual, corrected, side_by_side
from finops.decomposition import UsageOfBoth, explained_together
from finops.figures import Scope, StatusReport
from finops.money import Money
from finops.periods import Period, minute_of, starts_at
from finops.prices import PriceList
from finops.queries import ScopeKind, previous_period
from finops.registry import Person
from finops.usage import MINUTES_PER_DAY
from finops.why import Mover, Why, WhyReport
from storage import Store

MOVERS = 5


class Whys:
    """Answers `/finops why`, and tells the digest, the windows and the alerts the same."""

    def __init__(self, desk: Desk, spending: Spending, reports: Reports) -> None:
        self._desk = desk
        self._spending = spending
        self._reports = reports

    async def asked(self, workspace_id: str, person: Person, text: str) -> WhyReport:
        """Why spending moved, as asked in words: `[team|project] [period]`. Refuses words it cannot place."""
        return await self._report(workspace_id, await self._reports.status(workspace_id, person, text))

    async def asked_again(
        self, workspace_id: str, kind: ScopeKind, scope_id: int | None, period_name: str
    ) -> WhyReport:
        """The same for a scope and period named by a button; refused when the team or project is gone."""
        return await self._report(
            workspace_id, await self._reports.status_of(workspace_id, kind, scope_id, period_name)
        )

    async def of_scope(self, store: Store, workspace_id: str, scope: Scope, period: Period) -> Why:
        """Why a scope's spending moved; compared with the period of equal length before, today with the usual."""
        why, _ = await self._of_scope(store, workspace_id, scope, period, None, movers=0)
        return why

    async def of_projects(
        self, store: Store, workspace_id: str, project_ids: Collection[int], period: Period, compared: Period
    ) -> dict[int, Why]:
        """Why each of these projects moved, in a handful of queries for all; one that is gone is absent."""
        picture = await self._spending.picture(store, workspace_id, [period, compared], as_billed=True)
        known = {one: picture.projects[one] for one in project_ids if one in picture.projects}
        accounts = {account_of(one): id_ for id_, one in known.items()}
        if not accounts:
            return {}
        found = await self._of_accounts(store, workspace_id, picture, accounts, period, compared)
        return {accounts[account]: why for account, why in found.items()}

    async def _report(self, workspace_id: str, status: StatusReport) -> WhyReport:
        """A report of spending, and why it is not what it was."""
        today = self._desk.today()
        named, scope = status.query, status.scope
        is_usual = self._closed(named.period) is None
        async with self._desk.storage.reading() as store:
            compared = None if is_usual else previous_period(named, today)
            count = 0 if scope.kind is ScopeKind.PROJECT or is_usual else MOVERS
            why, movers = await self._of_scope(store, workspace_id, scope, named.period, compared, movers=count)
        return WhyReport(scope, named, status.figure, status.previous, why, movers, status.value, is_usual)

    def _closed(self, period: Period) -> Period | None:
        """The days of a period that are over; None when today is all there is."""
        end = min(period.end, self._desk.today())
        return Period(period.start, end) if end > period.start else None

    async def _of_scope(
        self,
        store: Store,
        workspace_id: str,
        scope: Scope,
        period: Period,
        compared: Period | None,
        *,
        movers: int,
    ) -> tuple[Why, tuple[Mover, ...]]:
        closed = self._closed(period)
        if closed is None:
            return await self._against_usual(store, workspace_id, scope), ()
        before = compared or closed.before()
        picture = await self._spending.picture(store, workspace_id, [closed, before], as_billed=True)
        accounts = picture.accounts(scope.kind, scope.id)
        prices = await self._desk.prices.fresh()
        now_used, before_used = await self._used(store, workspace_id, picture, accounts, closed, before)
        spent = [picture.spent(scope.kind, scope.id, one).amount for one in (closed, before)]
        why = await _explained(closed, before, spent[0], spent[1], side_by_side(now_used, before_used), prices)
        if not movers:
            return why, ()
        chosen = _movers(picture, accounts, closed, before)[:movers]
        names = await _names(store, workspace_id, picture, chosen)
        whys = await self._each(picture, chosen, closed, before, now_used, before_used, prices)
        return why, tuple(Mover(*names[account], whys[account]) for account in chosen)

    async def _of_accounts(
        self,
        store: Store,
        workspace_id: str,
        picture: Picture,
        accounts: Collection[Account],
        period: Period,
        compared: Period,
    ) -> dict[Account, Why]:
        prices = await self._desk.prices.fresh()
        used = await self._used(store, workspace_id, picture, accounts, period, compared)
        return await self._each(picture, accounts, period, compared, *used, prices)

    async def _used(
        self,
        store: Store,
        workspace_id: str,
        picture: Picture,
        accounts: Collection[Account] | None,
        period: Period,
        compared: Period,
    ) -> tuple[Grouped, Grouped]:
        both = [await store.usage.grouped(workspace_id, one, accounts) for one in (period, compared)]
        return corrected(both[0], picture.taught), corrected(both[1], picture.taught)

    async def _each(
        self,
        picture: Picture,
        accounts: Iterable[Account],
        period: Period,
        compared: Period,
        now_used: Grouped,
        before_used: Grouped,
        prices: PriceList,
    ) -> dict[Account, Why]:
        """Every provider project for itself."""
        now, before = picture.sums(period).totals, picture.sums(compared).totals
        return {
            account: await _explained(
                period,
                compared,
                money_of(now.get(account, 0)),
                money_of(before.get(account, 0)),
                [(now_used.get(account, ()), before_used.get(account, ()))],
                prices,
            )
            for account in accounts
        }

    async def _against_usual(self, store: Store, workspace_id: str, scope: Scope) -> Why:
        """Today so far against the same hours of the seven days before; against nothing where there were none."""
        today = self._desk.today()
        midnight = minute_of(starts_at(today))
        picture = await self._spending.picture(store, workspace_id, [Period(today, today + timedelta(days=1))])
        accounts = picture.accounts(scope.kind, scope.id)
        concerned = (
            {one.id for one in picture.house.connections} if accounts is None else {each[0] for each in accounts}
        )
        newest = [
            read.newest_data
            for one in sorted(concerned)
            for read in (await store.usage.reads(workspace_id, one)).values()
            if read.newest_data is not None
        ]
        end = min(max(newest, default=midnight) + 1, midnight + MINUTES_PER_DAY)
        prices = await self._desk.prices.fresh()
        found = await against_usual(
            store, workspace_id, accounts, (midnight, max(end, midnight)), today, picture.taught, prices
        )
        if found is not None:
            return found
        day = Period(today, today + timedelta(days=1))
        spent = picture.spent(scope.kind, scope.id, day).amount
        return await _explained(day, day.before(), spent, Money.zero(spent.currency), [], prices)


async def _explained(
    period: Period, compared: Period, now: Money, before: Money, usages: list[UsageOfBoth], prices: PriceList
) -> Why:
    # Some milliseconds for each model of each project: not on the spot, where everybody else waits.
    return await asyncio.to_thread(explained_together, period, compared, now, before, usages, prices)


def _movers(picture: Picture, accounts: Collection[Account] | None, period: Period, compared: Period) -> list[Account]:
    """The provider projects of a scope whose cost moved, by how much it did."""
    now, before = picture.sums(period).totals, picture.sums(compared).totals
    moved = {
        account: abs(now.get(account, 0) - before.get(account, 0))
        for account in ({*now, *before} if accounts is None else accounts)
    }
    return sorted((one for one in moved if moved[one]), key=lambda account: (-moved[account], account))


async def _names(
    store: Store, workspace_id: str, picture: Picture, accounts: Iterable[Account]
) -> Mapping[Account, tuple[int | None, str]]:
    """What each is called: as it was registered, else as its provider calls it."""
    registered = {account_of(one): one for one in picture.projects.values()}
    names: dict[Account, tuple[int | None, str]] = {}
    for account in accounts:
        project = registered.get(account)
        if project is not None:
            names[account] = (project.id, project.name)
        else:
            known = await store.known_projects.get(workspace_id, *account)
            names[account] = (None, known.name if known is not None else account[1])
    return names
