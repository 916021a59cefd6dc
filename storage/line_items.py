"""Line items: what each name on the bill came to, added up where the bill stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.money import Money
from finops.periods import Period
from storage.ledger import money
from storage.tables import charges, daily_items, daily_totals

# Up to this many (day, project) pairs are looked up one by one in the key; more are faster as one stretch.
_MOST_LOOKUPS = 2_000


async def by_line_item(
    db: AsyncConnection, workspace_id: str, period: Period, named: Mapping[int, Collection[str]] | None
) -> list[tuple[str | None, Money]]:
    """The sums of a period by line item and currency, in that order; of the named projects of each connection only."""
    if named is None:
        return await _of_all(db, workspace_id, period)
    bills = await db.scalars(
        select(daily_totals.c.connection_id)
        .where(
            daily_totals.c.workspace_id == workspace_id,
            daily_totals.c.charge_day >= period.start,
            daily_totals.c.charge_day < period.end,
        )
        .distinct()
    )
    units: dict[tuple[str, str], tuple[int, int]] = {}
    for connection_id in sorted(bills.all()):
        names = sorted(named.get(connection_id, ()))
        if not names:
            continue
        nano, rest = func.sum(charges.c.billed_cost_nano), func.sum(charges.c.billed_cost_rest)
        query = select(charges.c.sku_id, charges.c.billing_currency, nano, rest).where(
            charges.c.workspace_id == workspace_id, charges.c.connection_id == connection_id
        )
        query = query.where(charges.c.sub_account_id.in_(names))
        if period.days * len(names) <= _MOST_LOOKUPS:
            query = query.where(charges.c.charge_day.in_(list(period)))
        else:
            query = query.where(charges.c.charge_day >= period.start, charges.c.charge_day < period.end)
        for sku, currency, *sums in await db.execute(query.group_by(charges.c.sku_id, charges.c.billing_currency)):
            before = units.get((sku, currency), (0, 0))
            units[sku, currency] = before[0] + int(sums[0]), before[1] + int(sums[1])
    return [(sku or None, money(*each, currency)) for (sku, currency), each in sorted(units.items())]


async def _of_all(db: AsyncConnection, workspace_id: str, period: Period) -> list[tuple[str | None, Money]]:
    """The same of the whole workspace, from the sums kept of each day."""
    sku, currency = daily_items.c.sku_id, daily_items.c.billing_currency
    sums = func.sum(daily_items.c.billed_cost_nano), func.sum(daily_items.c.billed_cost_rest)
    rows = await db.execute(
        select(sku, currency, *sums)
        .where(
            daily_items.c.workspace_id == workspace_id,
            daily_items.c.charge_day >= period.start,
            daily_items.c.charge_day < period.end,
        )
        .group_by(sku, currency)
        .order_by(sku, currency)
    )
    return [(row[0] or None, money(row[2], row[3], row[1])) for row in rows]
