"""Unowned: the costs of a week that no team answers for, project by project, each with who most likely does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.desk import Desk
from bot.flights import Flights
from finops.allocation import SubAccountCost, allocate, in_currency, main_currency
from finops.frozen import frozen
from finops.money import Money, total
from finops.owners import Unowned, suggested
from finops.periods import Period
from finops.queries import PeriodName, period_named
from storage import Store

UNOWNED_SHOWN = 3
_REMEMBERED_FOR = timedelta(minutes=1)
_REMEMBERED = 64


@frozen
class UnownedCosts:
    """The largest of `count` provider projects without an owner, over the last seven closed days."""

    largest: tuple[Unowned, ...] = ()
    count: int = 0


@frozen
class _Sums:
    """What each provider project cost in a week, in one currency, as read at a moment; and what all of them did."""

    costs: Sequence[SubAccountCost]
    whole: Money
    read_at: datetime


class UnownedOfWeek:
    """Tells what Home lists below its largest projects. The sums of closed days are remembered for a minute, while they
    add up to what Home shows; who owns what is read each time, so that what somebody just registered is gone at once.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found = Flights(self._read)
        self._known: OrderedDict[tuple[str, Period], _Sums] = OrderedDict()

    async def of(self, workspace_id: str, whole: Money) -> UnownedCosts:
        """The costs nobody answers for, of a week that cost `whole`; many who ask at the same moment share one answer.

        While bills are being collected the week changes from one look to the next, and both must tell of the same.
        """
        return await self._found.get((workspace_id, whole))

    async def _read(self, asked: tuple[str, Money]) -> UnownedCosts:
        workspace_id, whole = asked
        week = period_named(PeriodName.LAST_7_DAYS.value, self._desk.today()).period
        async with self._desk.storage.reading() as store:
            sums = await self._sums(store, workspace_id, week, whole)
            projects = await store.projects.all(workspace_id)
            registered = (one for one in projects if not one.excluded)
            nobodys = allocate(sums.costs, registered, sums.whole.currency).unallocated
            ranked = sorted((one for one in nobodys if one.amount), key=lambda one: -one.amount.amount)
            if not ranked:
                return UnownedCosts()
            teams = {one.id: one.name for one in await store.teams.all(workspace_id)}
            keys: dict[int, set[int]] = {}
            for credential in await store.credentials.all(workspace_id):
                keys.setdefault(credential.connection_id, set()).add(credential.team_id)
            found = []
            for cost in ranked[:UNOWNED_SHOWN]:
                name = await _name(store, workspace_id, cost)
                guess = suggested(
                    (cost.connection_id, cost.sub_account_id), name, projects, keys.get(cost.connection_id, ())
                )
                team = teams.get(guess.team_id, "") if guess is not None else ""
                found.append(Unowned(name, cost.amount, guess if team else None, team))
        return UnownedCosts(tuple(found), len(ranked))

    async def _sums(self, store: Store, workspace_id: str, week: Period, whole: Money) -> _Sums:
        now, key = self._desk.now(), (workspace_id, week)
        held = self._known.get(key)
        if held is not None and held.whole == whole and timedelta(0) <= now - held.read_at < _REMEMBERED_FOR:
            return held
        totals = await store.charges.project_totals(workspace_id, week)
        currency = main_currency(row.amount for row in totals)
        costs = in_currency(
            (SubAccountCost(row.connection_id, row.sub_account_id, row.amount) for row in totals), currency
        )
        read = self._known[key] = _Sums(costs, total((one.amount for one in costs), currency), now)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return read


async def _name(store: Store, workspace_id: str, cost: SubAccountCost) -> str:
    """What the provider calls it; its id where we never heard a name, '' where the cost is of no project."""
    if cost.sub_account_id is None:
        return ""
    known = await store.known_projects.get(workspace_id, cost.connection_id, cost.sub_account_id)
    return known.name if known is not None else cost.sub_account_id
