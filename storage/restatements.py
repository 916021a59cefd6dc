"""Restatements: what a provider changed about days we had read, kept for as long as the charges."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.money import to_units
from finops.periods import Period
from storage.ledger import money
from storage.records import Restated
from storage.repository import Repository
from storage.tables import restatements


class Restatements(Repository):
    """What providers changed about days we had read."""

    async def of(self, workspace_id: str, period: Period) -> list[Restated]:
        """Restatements of the days of a period, in the order we learned of them."""
        rows = await self._db.execute(
            select(restatements)
            .where(
                restatements.c.workspace_id == workspace_id,
                restatements.c.charge_day >= period.start,
                restatements.c.charge_day < period.end,
            )
            .order_by(restatements.c.id)
        )
        return [
            Restated(
                row.connection_id,
                row.charge_day,
                row.sub_account_id or None,
                money(row.old_cost_nano, row.old_cost_rest, row.billing_currency),
                money(row.new_cost_nano, row.new_cost_rest, row.billing_currency),
                row.restated_at,
            )
            for row in rows
        ]


async def remember_restatements(connection: AsyncConnection, workspace_id: str, moved: Iterable[Restated]) -> None:
    """Keep what moved, in the transaction that moves it."""
    rows = []
    for each in moved:
        (old_nano, old_rest), (new_nano, new_rest) = to_units(each.old.amount), to_units(each.new.amount)
        rows.append(
            {
                "workspace_id": workspace_id,
                "connection_id": each.connection_id,
                "charge_day": each.day,
                "sub_account_id": each.sub_account_id or "",
                "billing_currency": each.new.currency,
                "old_cost_nano": old_nano,
                "old_cost_rest": old_rest,
                "new_cost_nano": new_nano,
                "new_cost_rest": new_rest,
                "restated_at": each.restated_at,
            }
        )
    if rows:
        await connection.execute(insert(restatements), rows)
