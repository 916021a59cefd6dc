"""The ledger: what each charge day cost, replaced a day at a time, summed exactly in SQL."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import func, select

from finops.charges import Charge, ChargedDay, DayReading
from finops.money import Money, from_units
from finops.periods import Period
from finops.restatement import changes
from storage import charge_statements as statements
from storage.connections import hold_connection
from storage.day_lines import Lines, prepare
from storage.day_sums import DaySums, summed
from storage.ledger import money, read_sheets, write_day
from storage.line_items import by_line_item
from storage.records import DayChange, DayProjectTotal, DayTotal, ProjectTotal, Restated
from storage.repository import OVERTAKEN_AT_MOST, Repository
from storage.restatements import remember_restatements
from storage.sheets import BYTES_FOR_ONE, Adding, Sheet, by_day
from storage.tables import charges, day_readings

P = ParamSpec("P")
T = TypeVar("T")

Account = tuple[int, str | None]
"""A provider project as the bill names it: connection id and sub-account id (None: the bill named none)."""

# Up to this many lines or sums are worked on at once; more in a thread.
_SMALL = 200
# Up to this many (day, project) pairs are looked up one by one in the key; more are faster in the days' sheets.
_MOST_LOOKUPS = 500
_SHEETS_AT_ONCE = 31


class Charges(Repository):
    """Charges and their sums. Every sum is exact to 1e-18 of a unit, on both databases."""

    async def replace_day(
        self, workspace_id: str, connection_id: int, charged: ChargedDay, read_at: datetime
    ) -> DayChange:
        """Let one reading of one day take the place of the last, with its sums, restatements and time of reading.

        All or nothing with the transaction around it. An empty reading of a day that has charges keeps them (a late
        page, not a refund), and so does a reading older than the one we hold: neither counts as a reading. NotFound
        for another workspace's connection.
        """
        size = len(charged.charges)
        lines = await _unhurried(size, prepare, charged)
        await hold_connection(self._db, workspace_id, connection_id)
        day = charged.day
        reading = await self._reading(workspace_id, connection_id, day)
        if reading is not None:
            totals = await self._totals(workspace_id, connection_id, day)
            if _was_overtaken(read_at, reading) or (totals and not size):
                return DayChange(day, is_changed=False, kept=True, restated=(), totals=totals)
            if await self._is_stored(workspace_id, connection_id, day, lines):
                unchanged = reading.unchanged_reads + (read_at > reading.read_at)
                await self._keep(workspace_id, connection_id, DayReading(day, read_at, reading.changed_at, unchanged))
                return DayChange(day, is_changed=False, kept=False, restated=(), totals=totals)
        async with _meanwhile(size, summed, lines) as adding:
            restated: tuple[Restated, ...] = ()
            if reading is not None:
                restated = await self._moved(workspace_id, connection_id, day, await adding, read_at)
                await remember_restatements(self._db, workspace_id, restated)
                for forget in statements.FORGET_DAY:
                    await self._db.execute(forget, _this_day(workspace_id, connection_id, day))
            await write_day(self._db, workspace_id, connection_id, day, lines, adding)
            await self._keep(workspace_id, connection_id, DayReading(day, read_at, read_at, 0))
            return DayChange(day, is_changed=True, kept=False, restated=restated, totals=_totals(await adding))

    async def totals(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[DayProjectTotal]:
        """Sums per day and provider project; of the named projects only, when given."""
        found = await self._sums(workspace_id, period, accounts, "charge_day", "sub_account_id")
        return [
            DayProjectTotal(row[0], connection_id, row[1] or None, money(row[2], row[3], currency))
            for connection_id, currency, rows in found
            for row in rows
        ]

    async def project_totals(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[ProjectTotal]:
        """Sums per provider project over the period; of the named projects only, when given."""
        named = _named(accounts)
        if accounts is not None and period.days * len(accounts) <= _MOST_LOOKUPS:
            found = await self._sums(workspace_id, period, accounts, "sub_account_id")
            return [
                ProjectTotal(connection_id, row[0] or None, money(row[1], row[2], currency))
                for connection_id, currency, rows in found
                for row in rows
            ]
        adding = Adding()
        async for sheets in self._sheets(workspace_id, period, named):
            await _unhurried(_size(sheets), adding.add, sheets)
        return [
            ProjectTotal(each.connection_id, each.account or None, money(each.nano, each.rest, each.currency))
            for each in adding.sums(named)
        ]

    async def daily_totals(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[DayTotal]:
        """Sums per day: of the whole workspace, or of the named projects. Days without charges are absent."""
        units: dict[tuple[date, str], list[tuple[int, int]]] = defaultdict(list)
        if accounts is None:
            for row in await self._db.execute(statements.TOTALS, _within(workspace_id, period)):
                units[row.charge_day, row.billing_currency].append((row.billed_cost_nano, row.billed_cost_rest))
        elif period.days * len(accounts) <= _MOST_LOOKUPS:
            for _, currency, found in await self._sums(workspace_id, period, accounts, "charge_day"):
                for day, nano, rest in found:
                    units[day, currency].append((int(nano), int(rest)))
        else:
            named = _named(accounts) or {}
            async for sheets in self._sheets(workspace_id, period, named):
                for key, parts in (await _unhurried(_size(sheets), by_day, sheets, named)).items():
                    units[key] += parts
        return [
            DayTotal(day, money(sum(nano for nano, _ in parts), sum(rest for _, rest in parts), currency))
            for (day, currency), parts in sorted(units.items())
        ]

    async def readings(self, workspace_id: str, period: Period) -> dict[int, dict[date, DayReading]]:
        """When each day was read and last moved, per connection; a day never read is absent."""
        rows = await self._db.execute(statements.READINGS, _within(workspace_id, period))
        found: dict[int, dict[date, DayReading]] = defaultdict(dict)
        for row in rows:
            found[row.connection_id][row.charge_day] = _day_reading(row)
        return dict(found)

    async def billed_days(self, workspace_id: str, period: Period) -> set[tuple[int, date]]:
        """The connections and days with charges: a day that was read and is not here had an empty bill."""
        rows = await self._db.execute(statements.BILLED_DAYS, _within(workspace_id, period))
        return {(row.connection_id, row.charge_day) for row in rows}

    async def lines(
        self, workspace_id: str, period: Period, connection_id: int, sub_account_id: str | None
    ) -> list[Charge]:
        """The bill's own lines of one provider project, by day and line item."""
        rows = await self._db.execute(
            select(charges)
            .where(
                charges.c.workspace_id == workspace_id,
                charges.c.connection_id == connection_id,
                charges.c.sub_account_id == (sub_account_id or ""),
                charges.c.charge_day.in_(list(period)),
            )
            .order_by(charges.c.charge_day, charges.c.sku_id, charges.c.billing_currency)
        )
        return [charge_of(row) for row in rows]

    async def by_line_item(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> list[tuple[str | None, Money]]:
        """What each line item of the bill came to over a period, in the order of their names, currencies apart.

        Of the whole workspace, or of the named projects; None is what the bill gave no name.
        """
        return await by_line_item(self._db, workspace_id, period, _named(accounts))

    async def of_day(self, workspace_id: str, connection_id: int, day: date) -> list[Charge]:
        """The whole bill of one day of a connection, line by line, in no promised order."""
        rows = await self._db.execute(statements.LINES_OF_DAY, _this_day(workspace_id, connection_id, day))
        return [charge_of(row) for row in rows]

    async def first_day(self, workspace_id: str) -> date | None:
        """The earliest day with charges; None before the first."""
        found: date | None = await self._db.scalar(statements.FIRST_DAY, {"of_workspace": workspace_id})
        return found

    async def last_read_day(self, workspace_id: str, connection_id: int) -> date | None:
        """The latest day we have read of a connection; None before the first."""
        found: date | None = await self._db.scalar(
            select(func.max(day_readings.c.charge_day)).where(
                day_readings.c.workspace_id == workspace_id, day_readings.c.connection_id == connection_id
            )
        )
        return found

    async def _sums(
        self,
        workspace_id: str,
        period: Period,
        accounts: Collection[Account] | None,
        *told: str,
    ) -> list[tuple[int, str, Sequence[Any]]]:
        """Rows of the columns told, nano and rest, for each connection and currency that has costs in the period.

        Asked apart, for few and short columns to group by take half the time of many.
        """
        named = _named(accounts) or {}
        bills = await self._db.execute(statements.BILLS, _within(workspace_id, period))
        query = statements.summing(*told, of_some=accounts is not None)
        found = []
        for connection_id, currency in bills.all():
            if accounts is not None and connection_id not in named:
                continue
            asked = {"of_workspace": workspace_id, "of_connection": connection_id, "currency": currency}
            asked |= {"days": list(period), "accounts": sorted(named.get(connection_id, ()))}
            found.append((connection_id, str(currency), (await self._db.execute(query, asked)).all()))
        return found

    async def _sheets(
        self, workspace_id: str, period: Period, named: Collection[int] | None
    ) -> AsyncIterator[list[Sheet]]:
        """The sheets of a period, some days at a time; of the named connections only, when given."""
        start = period.start
        while start < period.end:
            some = Period(start, min(period.end, start + timedelta(days=_SHEETS_AT_ONCE)))
            start = some.end
            asked = _within(workspace_id, some)
            if named is None:
                yield await read_sheets(self._db, statements.SHEETS, asked)
            else:
                yield await read_sheets(self._db, statements.SHEETS_OF, asked | {"connections": sorted(named)})

    async def _reading(self, workspace_id: str, connection_id: int, day: date) -> DayReading | None:
        this_day = _this_day(workspace_id, connection_id, day)
        row = (await self._db.execute(statements.READING, this_day)).one_or_none()
        return None if row is None else _day_reading(row)

    async def _keep(self, workspace_id: str, connection_id: int, reading: DayReading) -> None:
        values = {
            "workspace_id": workspace_id,
            "connection_id": connection_id,
            "charge_day": reading.day,
            "read_at": reading.read_at,
            "changed_at": reading.changed_at,
            "unchanged_reads": reading.unchanged_reads,
        }
        await self._db.execute(statements.keeping(self._db.dialect.name), values)

    async def _is_stored(self, workspace_id: str, connection_id: int, day: date, lines: Lines) -> bool:
        """Whether the ledger says the same of this day already, to the last line."""
        stored = await self._db.execute(statements.STORED_OF_DAY, _this_day(workspace_id, connection_id, day))
        return await _unhurried(len(lines.nanos), _agree, stored.all(), lines)

    async def _moved(
        self, workspace_id: str, connection_id: int, day: date, sums: DaySums, at: datetime
    ) -> tuple[Restated, ...]:
        """What the new reading says differently of each project, before the stored sums go."""
        rows = await self._db.execute(statements.COSTS_OF_DAY, _this_day(workspace_id, connection_id, day))
        old = {(row.sub_account_id, row.billing_currency): (row.billed_cost_nano, row.billed_cost_rest) for row in rows}
        # Only those that differ become Money: of a large bill, few.
        before = {key: money(*old[key], key[1]) for key in old if sums.costs.get(key) != old[key]}
        after = {key: money(*units, key[1]) for key, units in sums.costs.items() if old.get(key) != units}
        return tuple(
            Restated(connection_id, day, each.sub_account_id, each.old, each.new, at) for each in changes(before, after)
        )

    async def _totals(self, workspace_id: str, connection_id: int, day: date) -> tuple[Money, ...]:
        rows = await self._db.execute(statements.TOTALS_OF_DAY, _this_day(workspace_id, connection_id, day))
        return tuple(money(row.billed_cost_nano, row.billed_cost_rest, row.billing_currency) for row in rows)


def _totals(sums: DaySums) -> tuple[Money, ...]:
    return tuple(money(*units, currency) for currency, units in sorted(sums.totals.items()))


def _within(workspace_id: str, period: Period) -> dict[str, Any]:
    return {"of_workspace": workspace_id, "first": period.start, "after": period.end}


def _named(accounts: Collection[Account] | None) -> dict[int, set[str]] | None:
    """The projects asked about, by connection, named as they are stored; None for all."""
    if accounts is None:
        return None
    named: dict[int, set[str]] = {}
    for connection_id, sub_account_id in accounts:
        named.setdefault(connection_id, set()).add(sub_account_id or "")
    return named


async def _unhurried(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do something on the spot when it is small, else in a thread, so that nobody else waits."""
    if size <= _SMALL:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


@asynccontextmanager
async def _meanwhile(
    size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[asyncio.Future[T]]:
    """Do something as `_unhurried` does, beside what the block waits for; at the end of the block it has ended."""
    working = asyncio.ensure_future(_unhurried(size, work, *args, **kwargs))
    try:
        yield working
    finally:
        await asyncio.wait([working])


def _size(sheets: Iterable[Sheet]) -> int:
    return sum(len(sheet.amounts) for sheet in sheets) // BYTES_FOR_ONE


def _agree(stored: Iterable[Any], lines: Lines) -> bool:
    """As sets, for the two databases sort texts differently; no line stands twice."""
    return set(map(tuple, stored)) == set(lines.each())


def _this_day(workspace_id: str, connection_id: int, day: date) -> dict[str, Any]:
    return {"of_workspace": workspace_id, "of_connection": connection_id, "day": day}


def _day_reading(row: Any) -> DayReading:
    return DayReading(row.charge_day, row.read_at, row.changed_at, row.unchanged_reads)


def charge_of(row: Any) -> Charge:
    """A row of the ledger as the charge it was."""
    return Charge(
        row.charge_day,
        row.sub_account_id or None,
        row.sku_id or None,
        from_units(row.billed_cost_nano, row.billed_cost_rest),
        row.billing_currency,
        None if row.consumed_quantity is None else Decimal(row.consumed_quantity),
        row.consumed_unit,
    )


def _was_overtaken(read_at: datetime, held: DayReading) -> bool:
    return read_at < held.read_at < read_at + OVERTAKEN_AT_MOST
