"""Pricing history again: the finest rows that are held, and the roll-ups by exactly what those moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.periods import Period, starts_at
from finops.usage import MINUTES_PER_DAY, UsageRow, Width
from storage.tables_live import usage_days
from storage.usage_moving import Rollups
from storage.usage_rollups import NANO, Row, repriced_row, usage_row
from storage.usage_rows import UsageRows, Whose

Pricer = Callable[[Sequence[UsageRow]], Sequence[tuple[UsageRow, int, bool]]]
Units = tuple[int, int]


async def reprice_days(
    db: AsyncConnection, workspace_id: str, connection_id: int, period: Period, price: Pricer
) -> tuple[int, Units, Units]:
    """Price some days again: how many rows moved, and the nano-units and rest of all of them before and after."""
    first, last = (int(starts_at(day).timestamp()) // 60 for day in (period.start, period.end))
    before = await _total(db, workspace_id, connection_id, first, last)
    endpoints = await db.scalars(
        select(usage_days.c.endpoint)
        .where(
            usage_days.c.workspace_id == workspace_id,
            usage_days.c.start >= first,
            usage_days.c.start < last,
            usage_days.c.connection_id == connection_id,
        )
        .distinct()
    )
    changed = 0
    for endpoint in endpoints.all():
        one = _Endpoint(Rollups(UsageRows(db), Whose(workspace_id, connection_id, endpoint)), price)
        for day in range(first, last, MINUTES_PER_DAY):
            changed += await one.day(day)
    return changed, before, await _total(db, workspace_id, connection_id, first, last)


class _Endpoint:
    """The history of one endpoint."""

    def __init__(self, rollups: Rollups, price: Pricer) -> None:
        self._rollups = rollups
        self._rows = rollups.rows
        self._price = price

    async def day(self, day: int) -> int:
        """Minutes first, an hour of them at a time; then hours and days that are not the sum of finer rows."""
        whose = self._rollups.whose
        hours = range(day, day + MINUTES_PER_DAY, Width.HOUR)
        changed, with_minutes = 0, set()
        for hour in hours:
            held = await self._rows.held(Width.MINUTE, whose, range(hour, hour + Width.HOUR))
            if held:
                with_minutes.add(hour)
                changed += await self._again(Width.MINUTE, held)
        whole = await self._rows.whole(Width.HOUR, whose, hours)
        alone = [hour for hour in hours if hour in whole or hour not in with_minutes]
        held = await self._rows.held(Width.HOUR, whose, alone)
        changed += await self._again(Width.HOUR, held)
        with_hours = with_minutes or await self._rows.some(Width.HOUR, whose, day, day + MINUTES_PER_DAY)
        if not with_hours or await self._rows.whole(Width.DAY, whose, [day]):
            changed += await self._again(Width.DAY, await self._rows.held(Width.DAY, whose, [day]))
        return changed

    async def _again(self, width: Width, held: Sequence[Row]) -> int:
        if not held:
            return 0
        priced = await asyncio.to_thread(self._priced, held)
        return len((await self._rollups.repriced(width, held, priced)).fresh)

    def _priced(self, held: Sequence[Row]) -> list[Row]:
        told = self._price([usage_row(row, self._rollups.whose.endpoint) for row in held])
        return [
            repriced_row(row, atto, is_priced=is_priced) for row, (_, atto, is_priced) in zip(held, told, strict=True)
        ]


async def _total(db: AsyncConnection, workspace_id: str, connection_id: int, first: int, last: int) -> Units:
    nano, rest = (
        await db.execute(
            select(func.sum(usage_days.c.estimate_nano), func.sum(usage_days.c.estimate_rest)).where(
                usage_days.c.workspace_id == workspace_id,
                usage_days.c.start >= first,
                usage_days.c.start < last,
                usage_days.c.connection_id == connection_id,
            )
        )
    ).one()
    more, rest = divmod(int(rest or 0), NANO)
    return int(nano or 0) + more, rest
