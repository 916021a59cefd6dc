"""Moving the roll-ups: a reading at one width changes its own table, and by the exact difference the coarser ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from finops.usage import Width
from storage.usage_rollups import (
    Differences,
    Moves,
    Row,
    Stretch,
    covered_by,
    differences,
    moved,
    widened,
)
from storage.usage_rows import UsageRows, Whose

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


@dataclass(frozen=True, slots=True)
class Covered:
    """What has been read without a gap: by minutes, and by hours or finer."""

    minutes: Stretch | None
    hours: Stretch | None

    def finer_than(self, width: Width, start: int) -> bool:
        """Whether finer readings cover the whole of a bucket."""
        return covered_by(self.minutes if width is Width.HOUR else self.hours, start, width)


@dataclass(frozen=True, slots=True)
class Rollups:
    """The three tables of one endpoint of one connection, kept equal: hours to minutes, days to hours."""

    rows: UsageRows
    whose: Whose

    async def by_minute(
        self, told: Sequence[Row], start: int, end: int, covered: Covered
    ) -> tuple[Differences, set[int]]:
        """Keep what a reading of minutes told. Tells what changed, and of which minutes anything was held before."""
        held = await self.rows.held(Width.MINUTE, self.whose, _starts(told))
        changed = await self._write(Width.MINUTE, told, held)
        hours = await self._follow(Width.HOUR, await beside(len(told), moved, changed, Width.HOUR), start, end, covered)
        await self._follow(Width.DAY, widened(hours, Width.DAY), start, end, covered)
        return changed, {row[0] for row in held}

    async def by_hour(self, told: Sequence[Row], start: int, end: int, covered: Covered) -> Differences:
        """Keep hours that the provider told as one, but for those that minutes tell wholly."""
        changed = await self._tell_whole(Width.HOUR, told, covered)
        days = await beside(len(told), moved, changed, Width.DAY)
        await self._follow(Width.DAY, days, start, end, covered)
        return changed

    async def by_day(self, told: Sequence[Row], covered: Covered) -> Differences:
        """Keep days that the provider told as one, but for those that hours tell wholly."""
        return await self._tell_whole(Width.DAY, told, covered)

    async def repriced(self, width: Width, held: Sequence[Row], priced: Sequence[Row]) -> Differences:
        """Keep other prices of rows that are held, and move what is the sum of them."""
        changed = await self._write(width, priced, held)
        coarser = await beside(len(held), moved, changed, Width.HOUR if width is Width.MINUTE else Width.DAY)
        nothing = Covered(None, None)
        if width is Width.MINUTE:
            coarser = widened(await self._follow(Width.HOUR, coarser, 0, 0, nothing), Width.DAY)
        if width is not Width.DAY:
            await self._follow(Width.DAY, coarser, 0, 0, nothing)
        return changed

    async def _tell_whole(self, width: Width, told: Sequence[Row], covered: Covered) -> Differences:
        finer = {start for start in _starts(told) if covered.finer_than(width, start)}
        told = [row for row in told if row[0] not in finer]
        starts = _starts(told)
        if not starts:
            return Differences((), (), ())
        changed = await self._write(width, told, await self.rows.held(width, self.whose, starts))
        await self.rows.call_whole(width, self.whose, starts, is_whole=True)
        return changed

    async def _write(self, width: Width, told: Sequence[Row], held: Sequence[Row]) -> Differences:
        changed = await beside(len(told), differences, told, held)
        await self.rows.remove(width, self.whose, changed.removed)
        await self.rows.put(width, self.whose, changed.fresh)
        return changed

    async def _follow(self, width: Width, moves: Moves, start: int, end: int, covered: Covered) -> Moves:
        """Let the coarser table follow, but for buckets told as one; tells what really moved there.

        Buckets told as one that finer readings of [start, end) have come to cover are summed from those instead.
        """
        touched = {*moves.starts, *range(start - start % width, end, width)}
        if not touched:
            return moves
        whole = await self.rows.whole(width, self.whose, sorted(touched))
        outgrown = sorted(each for each in whole if covered.finer_than(width, each))
        moves = moves.without(whole)
        await self._add(width, moves)
        for each in outgrown:
            moves = _joined(moves, await self._sum_anew(width, each))
        return moves

    async def _sum_anew(self, width: Width, start: int) -> Moves:
        """Make a bucket that was told as one the sum of its finer rows."""
        finer = _FINER[width]
        told = await self.rows.held(finer, self.whose, range(start, start + width, finer))
        held = await self.rows.held(width, self.whose, [start])
        moves = await beside(len(told), moved, Differences(told, held, ()), width)
        await self.rows.call_whole(width, self.whose, [start], is_whole=False)
        await self._add(width, moves)
        return moves

    async def _add(self, width: Width, moves: Moves) -> None:
        if not moves.by:
            return
        rows = moves.rows()
        await self.rows.add(width, self.whose, rows)
        if any(value < 0 for values in moves.by.values() for value in values):
            await self.rows.remove_nothings(width, self.whose, sorted(moves.starts))


def _starts(rows: Collection[Row]) -> list[int]:
    return sorted({row[0] for row in rows})


def _joined(one: Moves, other: Moves) -> Moves:
    """Moves of different buckets as one."""
    columns = tuple(sorted({*one.columns, *other.columns}))

    def spread(moves: Moves) -> dict[Row, tuple[int, ...]]:
        at: dict[int, Any] = {column: place for place, column in enumerate(moves.columns)}
        return {
            key: tuple(values[at[column]] if column in at else 0 for column in columns)
            for key, values in moves.by.items()
        }

    return Moves(columns, spread(one) | spread(other))
