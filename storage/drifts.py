"""Drifts: what each day was estimated at and what it was billed, so that the next estimates are better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, delete, insert, select

from finops.estimates import DriftSample
from finops.money import from_units, to_units
from storage.connections import hold_connection
from storage.repository import Repository
from storage.tables_live import drifts

# Asked with every look at usage, and put together once: that takes longer than answering them.
_MINE = drifts.c.workspace_id == bindparam("of_workspace"), drifts.c.billing_currency == bindparam("currency")
_SINCE = (
    select(
        drifts.c.connection_id,
        drifts.c.charge_day,
        drifts.c.sub_account_id,
        drifts.c.model,
        drifts.c.estimated_nano,
        drifts.c.estimated_rest,
        drifts.c.billed_nano,
        drifts.c.billed_rest,
    )
    .where(*_MINE, drifts.c.charge_day >= bindparam("day"))
    .order_by(drifts.c.charge_day, drifts.c.connection_id, drifts.c.sub_account_id, drifts.c.model)
)
_ADD = insert(drifts)
_FORGET_DAY = delete(drifts).where(
    *_MINE, drifts.c.charge_day == bindparam("day"), drifts.c.connection_id == bindparam("of_connection")
)


class Drifts(Repository):
    """Estimate against bill, by day, project and model."""

    async def replace_day(
        self,
        workspace_id: str,
        connection_id: int,
        day: date,
        samples: Sequence[DriftSample],
        at: datetime,
        currency: str = "USD",
    ) -> None:
        """Let one comparison of a day take the place of the last. NotFound for another workspace's connection."""
        await hold_connection(self._db, workspace_id, connection_id)
        whose = {"of_workspace": workspace_id, "of_connection": connection_id, "currency": currency}
        await self._db.execute(_FORGET_DAY, whose | {"day": day})
        rows = []
        for sample in sorted(samples, key=lambda each: (each.sub_account_id, each.model)):
            if sample.day != day:
                raise ValueError(f"a comparison of {day} cannot hold a sample of {sample.day}")
            (estimated, estimated_rest), (billed, billed_rest) = to_units(sample.estimated), to_units(sample.billed)
            rows.append(
                {
                    "workspace_id": workspace_id,
                    "charge_day": day,
                    "connection_id": connection_id,
                    "sub_account_id": sample.sub_account_id,
                    "model": sample.model,
                    "billing_currency": currency,
                    "estimated_nano": estimated,
                    "estimated_rest": estimated_rest,
                    "billed_nano": billed,
                    "billed_rest": billed_rest,
                    "compared_at": at,
                }
            )
        if rows:
            await self._db.execute(_ADD, rows)

    async def since(self, workspace_id: str, day: date, currency: str = "USD") -> dict[int, list[DriftSample]]:
        """The samples of that day and later, per connection, by day: thousands a day, so ask once a day."""
        rows = await self._db.execute(_SINCE, {"of_workspace": workspace_id, "day": day, "currency": currency})
        found: dict[int, list[DriftSample]] = defaultdict(list)
        for connection_id, charge_day, account, model, *units in rows:
            estimated, billed = from_units(units[0], units[1]), from_units(units[2], units[3])
            found[connection_id].append(DriftSample(charge_day, account, model, estimated, billed))
        return dict(found)

    async def compared_days(self, workspace_id: str, connection_id: int, day: date) -> set[date]:
        """Which days from that one on have been held against the bill."""
        rows = await self._db.scalars(
            select(drifts.c.charge_day)
            .where(
                drifts.c.workspace_id == workspace_id,
                drifts.c.charge_day >= day,
                drifts.c.connection_id == connection_id,
            )
            .distinct()
        )
        return set(rows)
