"""Line items: what each name on the bill came to, added up where the bill stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.money import Money
from finops.periods import Period
from storage.ledger import money
from storage.tables import charges, daily_totals

# Up to this many (day, project) pairs are looked up one by one in the key; more are faster as one stretch.
_MOST_LOOKUPS = 2_000


async def by_line_item(
    db: AsyncConnection, workspace_id: str, period: Period, named: Mapping[int, Collection[str]] | None
) -> list[tuple[str | None, Money]]:
    """The sums of a period by line item and currency, in that order; of the named projects of each connection only."""
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
        names = None if named is None else sorted(named.get(connection_id, ()))
        if names == []:
            continue
        nano, rest = func.sum(charges.c.billed_cost_nano), func.sum(charges.c.billed_cost_rest)
        query = select(charges.c.sku_id, charges.c.billing_currency, nano, rest).where(
            charges.c.workspace_id == workspace_id, charges.c.connection_id == connection_id
        )
        if names is not None and period.days * len(names) <= _MOST_LOOKUPS:
            query = query.where(charges.c.charge_day.in_(list(period)), charges.c.sub_account_id.in_(names))
        else:
            query = query.where(charges.c.charge_day >= period.start, charges.c.charge_day < period.end)
            query = query if names is None else query.where(charges.c.sub_account_id.in_(names))
        for sku, currency, *sums in await db.execute(query.group_by(charges.c.sku_id, charges.c.billing_currency)):
            before = units.get((sku, currency), (0, 0))
            units[sku, currency] = before[0] + int(sums[0]), before[1] + int(sums[1])
    return [(sku or None, money(*each, currency)) for (sku, currency), each in sorted(units.items())]
