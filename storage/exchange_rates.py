"""Exchange rates: what administrators decided about a currency beside dollars; each decision stays."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, select

from finops.exchange import Beside, Rate, RateChange
from storage.repository import Repository
from storage.tables_exchange import exchange_rates

_rates = exchange_rates.c
# Asked with every figure, and put together once: that takes longer than answering it.
_AT = (
    select(exchange_rates)
    .where(_rates.workspace_id == bindparam("of_workspace"), _rates.set_at <= bindparam("moment"))
    .order_by(_rates.id.desc())
    .limit(1)
)


class ExchangeRates(Repository):
    """One row for each decision."""

    async def add(self, workspace_id: str, rate: Rate | None, *, by: str, at: datetime) -> RateChange:
        """Let a rate hold from now on, or dollars alone (None)."""
        values = {
            "workspace_id": workspace_id,
            "currency": None if rate is None else rate.currency.value,
            "per_dollar": None if rate is None else f"{rate.per_dollar:f}",
            "day": None if rate is None else rate.day,
            "source": "" if rate is None else rate.source,
            "set_by": by,
            "set_at": at,
        }
        row = (await self._db.execute(insert(exchange_rates).values(values).returning(*_rates))).one()
        return _change(row)

    async def at(self, workspace_id: str, moment: datetime) -> RateChange | None:
        """What held at a moment; None when nothing had been decided until then."""
        row = (await self._db.execute(_AT, {"of_workspace": workspace_id, "moment": moment})).one_or_none()
        return None if row is None else _change(row)

    async def newest(self, workspace_id: str, limit: int) -> list[RateChange]:
        """What was decided last, newest first."""
        mine = select(exchange_rates).where(_rates.workspace_id == workspace_id)
        rows = await self._db.execute(mine.order_by(_rates.id.desc()).limit(limit))
        return [_change(row) for row in rows]


def _change(row: Any) -> RateChange:
    rate = None
    if row.currency is not None:
        rate = Rate(Beside(row.currency), Decimal(row.per_dollar), row.day, row.source)
    return RateChange(rate, row.set_by, row.set_at)
