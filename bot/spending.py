"""Spending: what a scope has spent in a period so far, by bills where they were read, else by corrected estimates."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.desk import Desk
from bot.flights import Flights
from bot.picture import CURRENCY, Account, Facts, House, Picture, Taught
from finops.charges import LATE_BILL, DayReading
from finops.estimates import SAMPLE_DAYS, Drift, DriftSample, Spent, drift
from finops.estimates import corrections as corrections_of
from finops.money import to_atto
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from storage import Store
from storage.records_live import Estimate, UsageHealth

# A bill that was read sooner after its day is not written to its end: until it is read again, usage may know of more.
_WRITTEN_AFTER = timedelta(hours=6)
_LEARNED_FOR = timedelta(minutes=10)
_REMEMBERED = 64


class Spending:
    """Knows what every scope of a workspace has spent, from bills and from estimates."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._closed: OrderedDict[tuple[object, ...], Mapping[Account, int]] = OrderedDict()
        self._taught: dict[str, tuple[tuple[date, int], datetime, Mapping[int, Taught], Drift | None]] = {}
        self._flights = Flights(self._of_today)

    async def spent(self, workspace_id: str, kind: ScopeKind, scope_id: int | None, period: Period) -> Spent:
        """What a scope has spent in a period: bills where they were read, else usage times price, corrected."""
        async with self._desk.storage.reading() as store:
            picture = await self.picture(store, workspace_id, [period])
        return picture.spent(kind, scope_id, period)

    async def today(self, workspace_id: str) -> Picture:
        """The open day of the whole workspace; many who ask at the same moment share the answer."""
        return await self._flights.get(workspace_id)

    async def drift(self, workspace_id: str) -> Drift | None:
        """How far estimates of the last 14 days lay from the bills; None before any was compared."""
        async with self._desk.storage.reading() as store:
            await self._teachings(store, workspace_id)
        return self._taught[workspace_id][3]

    async def taught(self, store: Store, workspace_id: str) -> Mapping[int, Taught]:
        """What bills taught about each connection's estimates."""
        return await self._teachings(store, workspace_id)

    async def picture(
        self,
        store: Store,
        workspace_id: str,
        periods: Sequence[Period],
        *,
        as_billed: bool = False,
        healths: Sequence[UsageHealth] | None = None,
    ) -> Picture:
        """Everything spent in each of the periods; of those that reach beyond today, up to now.

        `as_billed`: as reports tell it, where a bill that was read stands as it was told, though usage knows of more.
        `healths`: how readings go, from whoever has asked within this transaction.
        """
        now, today = self._desk.now(), self._desk.today()
        house = await house_of(store, workspace_id)
        taught = await self._teachings(store, workspace_id)
        past = Period(min((one.start for one in periods), default=today), today)
        readings = await store.charges.readings(workspace_id, past)
        billed = await store.charges.billed_days(workspace_id, past)
        if as_billed:
            billed |= {(id_, day) for id_, days in readings.items() for day in days}
        estimated = {
            one.id: _estimated_days(one.id, past, readings.get(one.id, {}), billed, now) | {today}
            for one in house.connections
        }
        health = await store.healths.all(workspace_id) if healths is None else healths
        usage_read_at = {one.connection_id: one.read_at for one in health if one.read_at is not None}
        unwritten = {
            id_: _unwritten_days(days, usage_read_at.get(id_)) for id_, days in readings.items() if not as_billed
        }
        estimated = {id_: days | unwritten.get(id_, frozenset()) for id_, days in estimated.items()}
        opened, unpriced = await self._open(store, workspace_id, estimated, taught)
        marks = tuple(sorted((id_, day, one.changed_at) for id_, days in readings.items() for day, one in days.items()))
        for day in sorted(set().union(*unwritten.values())):
            bills = await self._bills(store, workspace_id, Period(day, day + timedelta(days=1)), today, marks)
            opened[day] = {
                account: max(0, units - bills.get(account, 0)) if day in unwritten.get(account[0], ()) else units
                for account, units in opened.get(day, {}).items()
            }
        facts = Facts(
            now=now,
            closed={one: await self._bills(store, workspace_id, one, today, marks) for one in periods},
            open=opened,
            unpriced=unpriced,
            readings=readings,
            estimated_days=estimated,
            usage_read_at=usage_read_at,
            stale_after=self._desk.policy.stale_after,
        )
        return Picture(today, house, facts, taught)

    async def _of_today(self, workspace_id: str) -> Picture:
        today = self._desk.today()
        async with self._desk.storage.reading() as store:
            return await self.picture(store, workspace_id, [Period(today, today + timedelta(days=1))])

    async def _open(
        self, store: Store, workspace_id: str, estimated: Mapping[int, frozenset[date]], taught: Mapping[int, Taught]
    ) -> tuple[dict[date, dict[Account, int]], dict[date, frozenset[Account]]]:
        days = sorted(set().union(*estimated.values()))
        rows = await store.usage.open_estimates(workspace_id, days)
        return await asyncio.to_thread(corrected, rows, estimated, taught)

    async def _bills(
        self, store: Store, workspace_id: str, period: Period, today: date, marks: tuple[object, ...]
    ) -> Mapping[Account, int]:
        """The bills of the closed days of a period, summed up; asked for again when one of them was read anew."""
        closed = Period(period.start, max(period.start, min(period.end, today)))
        key = (workspace_id, closed.start, closed.end, marks)
        if key not in self._closed:
            self._closed[key] = {
                (row.connection_id, row.sub_account_id or ""): to_atto(row.amount.amount)
                for row in await store.charges.project_totals(workspace_id, closed)
                if row.amount.currency == CURRENCY
            }
            while len(self._closed) > _REMEMBERED:
                self._closed.popitem(last=False)
        self._closed.move_to_end(key)
        return self._closed[key]

    async def _teachings(self, store: Store, workspace_id: str) -> Mapping[int, Taught]:
        """What bills taught about estimates; learned anew when a bill was compared, here or on another replica."""
        today, now, lesson = self._desk.today(), self._desk.now(), self._desk.lessons[workspace_id]
        known = self._taught.get(workspace_id)
        if known is None or known[0] != (today, lesson) or abs(now - known[1]) > _LEARNED_FOR:
            samples = await store.drifts.since(workspace_id, today - timedelta(days=SAMPLE_DAYS))
            known = ((today, lesson), now, *await asyncio.to_thread(_learned, samples, today))
            self._taught[workspace_id] = known
        return known[2]


async def house_of(store: Store, workspace_id: str) -> House:
    """Who and what a workspace consists of, read now."""
    return House(
        await store.teams.all(workspace_id),
        await store.projects.all(workspace_id),
        await store.connections.all(workspace_id),
        await store.credentials.all(workspace_id),
    )


def _learned(samples: Mapping[int, Sequence[DriftSample]], today: date) -> tuple[dict[int, Taught], Drift | None]:
    taught = {
        connection_id: Taught(corrections_of(each, today), drift(each, today))
        for connection_id, each in samples.items()
    }
    return taught, drift([one for each in samples.values() for one in each], today)


def _estimated_days(
    connection_id: int,
    past: Period,
    readings: Mapping[date, DayReading],
    billed: Collection[tuple[int, date]],
    now: datetime,
) -> frozenset[date]:
    """The closed days that no bill speaks for yet."""
    return frozenset(
        day
        for day in past
        if day not in readings
        or ((connection_id, day) not in billed and now - starts_at(day) < timedelta(days=1) + LATE_BILL)
    )


def _unwritten_days(readings: Mapping[date, DayReading], usage_read_at: datetime | None) -> frozenset[date]:
    """The closed days whose bill was read before it was written to its end, while usage was read to its end.

    Of such a day each account has spent what its bill says, or what its usage says if that is more.
    """
    return frozenset(
        day
        for day, reading in readings.items()
        if usage_read_at is not None
        and usage_read_at >= (end := starts_at(day) + timedelta(days=1))
        and reading.read_at < end + _WRITTEN_AFTER
    )


def corrected(
    rows: Iterable[Estimate],
    estimated: Mapping[int, frozenset[date]],
    taught: Mapping[int, Taught],
) -> tuple[dict[date, dict[Account, int]], dict[date, frozenset[Account]]]:
    """Estimates by day and account, each row corrected for itself, so that any sum of them is exact."""
    amounts: dict[date, dict[Account, int]] = defaultdict(dict)
    unpriced: dict[date, set[Account]] = defaultdict(set)
    ratios: dict[tuple[int, str, str], tuple[int, int]] = {}
    for connection_id, day, sub_account_id, model, units, is_unpriced, _ in rows:
        if day not in estimated.get(connection_id, ()):
            continue
        account = (connection_id, sub_account_id)
        if is_unpriced:
            unpriced[day].add(account)
        if connection_id in taught:
            key = (connection_id, sub_account_id, model)
            ratio = ratios.get(key)
            if ratio is None:
                found = taught[connection_id].corrections.of(sub_account_id, model)
                ratio = ratios[key] = found.ratio.as_integer_ratio()
            if ratio != (1, 1):
                units = _divided(units * ratio[0], ratio[1])
        of_day = amounts[day]
        of_day[account] = of_day.get(account, 0) + units
    return dict(amounts), {day: frozenset(found) for day, found in unpriced.items()}


def _divided(units: int, by: int) -> int:
    """Rounded half-even, as amounts are kept."""
    whole, rest = divmod(units, by)
    return whole + (2 * rest > by or (2 * rest == by and whole % 2 == 1))
