"""The bill's own lines, one day of one connection at a time: a year of them is never held at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select

from finops.charges import Charge
from finops.periods import Period
from storage.charges import Account, charge_of
from storage.repository import Repository
from storage.tables import charges, daily_totals

# So many lines are taken over without a breath: some milliseconds, in which nobody else is heard.
_AT_ONCE = 500


class DayLines(NamedTuple):
    """The lines of one day of one connection, in the order of project, currency and line item."""

    day: date
    connection_id: int
    charges: list[Charge]


class BillLines(Repository):
    """Reads the ledger line by line, of the whole workspace or of the named provider projects."""

    async def count(self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None) -> int:
        """How many lines there are, without reading them."""
        days: dict[int, list[date]] = defaultdict(list)
        for day, connection_id in await self._billed(workspace_id, period):
            days[connection_id].append(day)
        found, named = 0, _named(accounts)
        for connection_id, billed in days.items():
            of_scope = _of_scope(connection_id, named)
            if of_scope is None:
                continue
            first, last = min(billed), max(billed)
            within = (charges.c.charge_day >= first) & (charges.c.charge_day <= last)
            query = select(func.count()).where(charges.c.workspace_id == workspace_id, within, *of_scope)
            found += int(await self._db.scalar(query) or 0)
        return found

    async def by_day(
        self, workspace_id: str, period: Period, accounts: Collection[Account] | None = None
    ) -> AsyncGenerator[DayLines, None]:
        """Every line, the oldest day first; at any time one day of one connection is held. Days without are absent."""
        named = _named(accounts)
        for day, connection_id in await self._billed(workspace_id, period):
            of_scope = _of_scope(connection_id, named)
            if of_scope is None:
                continue
            # The order is the key's own, so no database sorts anything.
            rows = await self._db.execute(
                select(charges)
                .where(charges.c.workspace_id == workspace_id, *of_scope, charges.c.charge_day == day)
                .order_by(charges.c.sub_account_id, charges.c.billing_currency, charges.c.sku_id)
            )
            lines: list[Charge] = []
            for some in rows.partitions(_AT_ONCE):
                lines += map(charge_of, some)
                await asyncio.sleep(0)
            if lines:
                yield DayLines(day, connection_id, lines)

    async def _billed(self, workspace_id: str, period: Period) -> list[tuple[date, int]]:
        """The days and connections that have a bill, from the sums kept of each day: the others are not asked."""
        rows = await self._db.execute(
            select(daily_totals.c.charge_day, daily_totals.c.connection_id)
            .where(
                daily_totals.c.workspace_id == workspace_id,
                daily_totals.c.charge_day >= period.start,
                daily_totals.c.charge_day < period.end,
            )
            .distinct()
            .order_by(daily_totals.c.charge_day, daily_totals.c.connection_id)
        )
        return [(row[0], row[1]) for row in rows]


def _named(accounts: Collection[Account] | None) -> Mapping[int, set[str]] | None:
    """The projects asked for, by connection, named as they are stored; None for all."""
    if accounts is None:
        return None
    named: dict[int, set[str]] = defaultdict(set)
    for connection_id, sub_account_id in accounts:
        named[connection_id].add(sub_account_id or "")
    return named


def _of_scope(connection_id: int, named: Mapping[int, set[str]] | None) -> tuple[ColumnElement[bool], ...] | None:
    """Which of a connection's lines are asked for; None where none are."""
    of_connection = charges.c.connection_id == connection_id
    if named is None:
        return (of_connection,)
    if connection_id not in named:
        return None
    return of_connection, charges.c.sub_account_id.in_(sorted(named[connection_id]))
