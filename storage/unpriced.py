"""What was used and has no known price: each told once a day, for what is not counted must at least be named."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import bindparam, select

from storage.records_live import Unpriced
from storage.repository import Repository
from storage.tables_live import unpriced

# Asked with every figure, and put together once: that takes longer than answering it.
_SINCE = (
    select(unpriced)
    .where(unpriced.c.workspace_id == bindparam("of_workspace"), unpriced.c.charge_day >= bindparam("day"))
    .order_by(unpriced.c.charge_day, unpriced.c.connection_id, unpriced.c.endpoint, unpriced.c.model)
)


class UnpricedNames(Repository):
    """Models and line items that the price list does not know."""

    async def note(
        self, workspace_id: str, connection_id: int, day: date, names: Collection[tuple[str, str]], at: datetime
    ) -> list[tuple[str, str]]:
        """Keep pairs of endpoint ('' for a line item of the bill) and model; tells those that are new on that day."""
        found = []
        for endpoint, model in sorted(set(names)):
            insert = self._insert(unpriced).values(
                workspace_id=workspace_id,
                connection_id=connection_id,
                charge_day=day,
                endpoint=endpoint,
                model=model,
                first_seen_at=at,
            )
            key = ["workspace_id", "charge_day", "connection_id", "endpoint", "model"]
            statement = insert.on_conflict_do_nothing(index_elements=key).returning(unpriced.c.model)
            if (await self._db.execute(statement)).one_or_none() is not None:
                found.append((endpoint, model))
        return found

    async def since(self, workspace_id: str, day: date) -> list[Unpriced]:
        """What had no price on that day or later, by day, endpoint and name."""
        rows = await self._db.execute(_SINCE, {"of_workspace": workspace_id, "day": day})
        return [Unpriced(row.connection_id, row.charge_day, row.endpoint, row.model, row.first_seen_at) for row in rows]
