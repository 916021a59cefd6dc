"""Moving the roll-ups: a reading at one width changes its own table, and by the exact difference the coarser ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from finops.frozen import frozen
from finops.usage import Width
from storage.usage_rollups import (
    NOTHING,
    UNCHANGED,
    Block,
    Differences,
    Moves,
    Stretch,
    Told,
    differences,
    moved,
)
from storage.usage_rows import UsageRows

# Below this rows are worked on on the spot; above, in a thread, so that nobody else waits.
_FEW = 500
_FINER = {Width.HOUR: Width.MINUTE, Width.DAY: Width.HOUR}

P = ParamSpec("P")
T = TypeVar("T")


async def beside(count: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what takes long for many rows in a thread."""
    if count > _FEW:
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


@frozen
class Covered:
    """What has been read without a gap: by minutes, and by hours or finer."""

    minutes: Stretch | None
    hours: Stretch | None

    def by_finer(self, width: Width, start: int) -> bool:
        """Whether finer readings cover the whole of a bucket."""
        stretch = self.minutes if width is Width.HOUR else self.hours
        return stretch is not None and stretch.covers(start, width)


@frozen
class Rollups:
    """The three tables of one endpoint of one connection, kept equal: hours to minutes, days to hours."""

    rows: UsageRows

    async def numbered(self, told: Told) -> Block:
        """What a reading told, as rows; groups that are new get their numbers."""
        if not told.groups:
            return NOTHING
        wanted = set(told.groups)
        known = await self.rows.groups()
        if missing := wanted - known.keys():
            await self.rows.add_groups(missing)
            known = await self.rows.groups()
        return await beside(len(told.starts), told.numbered, known)

    async def by_minute(self, told: Block, start: int, end: int, covered: Covered) -> tuple[Differences, Block]:
        """Keep what a reading of [start, end) told by minutes. Tells what changed, and what was held of them."""
        changed, held = await self._write(Width.MINUTE, told)
        hours = await beside(changed.fresh.size + changed.gone.size, moved, changed, Width.HOUR)
        hours = await self._follow(Width.HOUR, hours, start, end, covered)
        await self._follow(Width.DAY, hours.widened(Width.DAY), start, end, covered)
        return changed, held

    async def by_hour(self, told: Block, start: int, end: int, covered: Covered) -> Differences:
        """Keep hours that the provider told as one, but for those that minutes tell wholly."""
        changed = await self._tell_whole(Width.HOUR, told, covered)
        days = await beside(changed.fresh.size + changed.gone.size, moved, changed, Width.DAY)
        await self._follow(Width.DAY, days, start, end, covered)
        return changed

    async def by_day(self, told: Block, covered: Covered) -> Differences:
        """Keep days that the provider told as one, but for those that hours tell wholly."""
        return await self._tell_whole(Width.DAY, told, covered)

    async def repriced(self, width: Width, held: Block, priced: Block) -> Differences:
        """Keep other prices of rows that are held, and move what is the sum of them."""
        changed = await beside(held.size, differences, priced, held)
        await self.rows.put(width, changed.fresh)
        nowhere = Covered(None, None)
        if width is Width.MINUTE:
            hours = await beside(held.size, moved, changed, Width.HOUR)
            hours = await self._follow(Width.HOUR, hours, 0, 0, nowhere)
            await self._follow(Width.DAY, hours.widened(Width.DAY), 0, 0, nowhere)
        elif width is Width.HOUR:
            days = await beside(held.size, moved, changed, Width.DAY)
            await self._follow(Width.DAY, days, 0, 0, nowhere)
        return changed

    async def _tell_whole(self, width: Width, told: Block, covered: Covered) -> Differences:
        starts = [start for start in told.buckets if not covered.by_finer(width, start)]
        if not starts:
            return UNCHANGED
        changed, _ = await self._write(width, told.only(set(starts)))
        await self.rows.call_whole(width, starts, is_whole=True)
        return changed

    async def _write(self, width: Width, told: Block) -> tuple[Differences, Block]:
        """Let rows take the place of what is held of the same buckets; what is the same stays untouched."""
        if not told.size:
            return UNCHANGED, NOTHING
        held = await self.rows.held(width, told.starts[0], told.starts[-1] + 1, told.values)
        held = held.only(set(told.starts))
        changed = await beside(told.size, differences, told, held)
        await self.rows.remove(width, changed.removed)
        await self.rows.put(width, changed.fresh)
        return changed, held

    async def _follow(self, width: Width, moves: Moves, start: int, end: int, covered: Covered) -> Moves:
        """Let the coarser table follow, but for buckets told as one; tells what really moved there.

        Buckets told as one that finer readings of [start, end) have come to cover are summed from those instead.
        """
        read = range(start - start % width, end, width)
        touched = moves.buckets | {each for each in read if covered.by_finer(width, each)}
        if not touched:
            return moves
        whole = touched & await self.rows.whole(width, min(touched), max(touched) + 1)
        moves = moves.without(whole)
        await self._add(width, moves)
        for each in sorted(whole):
            if covered.by_finer(width, each):
                moves = moves.and_also(await self._sum_anew(width, each))
        return moves

    async def _sum_anew(self, width: Width, start: int) -> Moves:
        """Make a bucket that was told as one the sum of its finer rows."""
        told = await self.rows.held(_FINER[width], start, start + width)
        held = await self.rows.held(width, start, start + 1)
        moves = await beside(told.size, moved, Differences(told, held, ()), width)
        await self.rows.call_whole(width, [start], is_whole=False)
        await self._add(width, moves)
        return moves

    async def _add(self, width: Width, moves: Moves) -> None:
        await self.rows.add(width, await beside(len(moves.places), moves.block))
        if moves.shrinks:
            await self.rows.remove_nothings(width, sorted(moves.buckets))
