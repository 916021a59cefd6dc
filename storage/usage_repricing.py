"""Pricing history again: the finest rows that are held, and the roll-ups by exactly what those moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.periods import Period, minute_of, starts_at
from finops.usage import MINUTES_PER_DAY, UsageRow, Width
from storage.tables_live import usage_days, usage_reads
from storage.usage_moving import Rollups
from storage.usage_rollups import NANO, VALUES, Block, Group, uncounted, usage_row
from storage.usage_rows import UsageRows, Whose

Pricer = Callable[[Sequence[UsageRow]], Sequence[tuple[UsageRow, int, bool]]]
Units = tuple[int, int]


async def reprice_days(
    db: AsyncConnection, workspace_id: str, connection_id: int, period: Period, price: Pricer
) -> tuple[int, Units, Units]:
    """Price some days again: how many rows moved, and the nano-units and rest of all of them before and after."""
    first, last = (minute_of(starts_at(day)) for day in (period.start, period.end))
    mine = usage_reads.c.workspace_id == workspace_id, usage_reads.c.connection_id == connection_id
    reads = (await db.execute(select(usage_reads.c.id, usage_reads.c.endpoint).where(*mine))).all()
    ids = [row.id for row in reads]
    before = await _total(db, workspace_id, ids, first, last)
    changed = 0
    for read_id, endpoint in reads:
        rows = UsageRows(db, Whose(workspace_id, read_id))
        days = sorted(await rows.some(Width.DAY, first, last))
        if days:
            groups = {number: group for group, number in (await rows.groups()).items()}
            history = _History(rows, endpoint, groups, price)
            for day in days:
                changed += await history.day(day)
    return changed, before, await _total(db, workspace_id, ids, first, last)


class _History:
    """What is held of one endpoint."""

    def __init__(self, rows: UsageRows, endpoint: str, groups: dict[int, Group], price: Pricer) -> None:
        self._rows = rows
        self._rollups = Rollups(rows)
        self._endpoint = endpoint
        self._groups = groups
        self._price = price

    async def day(self, day: int) -> int:
        """Minutes first, an hour of them at a time; then hours and days that are not the sum of finer rows."""
        tomorrow = day + MINUTES_PER_DAY
        changed, told_finer = 0, set()
        for hour in range(day, tomorrow, Width.HOUR):
            minutes = await self._rows.held(Width.MINUTE, hour, hour + Width.HOUR)
            if minutes.size:
                told_finer.add(hour)
                changed += await self._again(Width.MINUTE, minutes)
        told_finer -= await self._rows.whole(Width.HOUR, day, tomorrow)
        hours = await self._rows.held(Width.HOUR, day, tomorrow)
        changed += await self._again(Width.HOUR, hours.only(set(hours.starts) - told_finer))
        if not hours.size or await self._rows.whole(Width.DAY, day, tomorrow):
            changed += await self._again(Width.DAY, await self._rows.held(Width.DAY, day, tomorrow))
        return changed

    async def _again(self, width: Width, held: Block) -> int:
        if not held.size:
            return 0
        priced = await asyncio.to_thread(self._priced, held)
        return (await self._rollups.repriced(width, held, priced)).fresh.size

    def _priced(self, held: Block) -> Block:
        told = [usage_row(row, self._endpoint, self._groups[row[1]]) for row in held.rows()]
        prices = self._price(told)
        nanos, rests = [atto // NANO for _, atto, _ in prices], [atto % NANO for _, atto, _ in prices]
        unpriced = [0 if is_priced else uncounted(row) for row, (_, _, is_priced) in zip(told, prices, strict=True)]
        priced = zip(("estimate_nano", "estimate_rest", "unpriced"), (nanos, rests, unpriced), strict=True)
        return held._replace(values={**held.values, **{VALUES.index(name): column for name, column in priced}})


async def _total(db: AsyncConnection, workspace_id: str, read_ids: Sequence[int], first: int, last: int) -> Units:
    nano, rest = (
        await db.execute(
            select(func.sum(usage_days.c.estimate_nano), func.sum(usage_days.c.estimate_rest)).where(
                usage_days.c.workspace_id == workspace_id,
                usage_days.c.read_id.in_(read_ids),
                usage_days.c.start >= first,
                usage_days.c.start < last,
            )
        )
    ).one()
    more, rest = divmod(int(rest or 0), NANO)
    return int(nano or 0) + more, rest
