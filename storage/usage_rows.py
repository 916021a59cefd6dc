"""Rows of usage in the database: read and written in bulk, by the shortest way into each of the two."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from finops.usage import Width
from storage.usage_rollups import KEY, NANO, VALUES, Block, Group, Row

TABLES = {Width.MINUTE: "usage_minutes", Width.HOUR: "usage_hours", Width.DAY: "usage_days"}
_MOST_PARAMETERS = 999  # what every SQLite accepts in one statement
_SHARED = ("workspace_id", "read_id")
_GROUP = ("sub_account_id", "model", "api_key_id", "service_tier", "is_batch")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


class Whose(NamedTuple):
    """What all rows at hand share: one endpoint of one connection."""

    workspace_id: str
    read_id: int


class UsageRows:
    """The tables of usage for one endpoint, in one transaction. No value is ever part of a statement's text."""

    def __init__(self, db: AsyncConnection, whose: Whose) -> None:
        self._db = db
        self._whose = whose
        self._is_sqlite = db.dialect.name == "sqlite"

    async def groups(self) -> dict[Group, int]:
        """Every group there is, by what the provider calls it."""
        told = f"SELECT {', '.join(_GROUP)}, id FROM usage_groups WHERE workspace_id = ? AND read_id = ?"  # noqa: S608
        rows = await self._fetch(told, self._whose)
        return {(account, model, key, tier, bool(batch)): number for account, model, key, tier, batch, number in rows}

    async def add_groups(self, groups: Collection[Group]) -> None:
        """Give numbers to groups that have none."""
        columns = [*zip(*sorted(groups), strict=True)]
        names = ", ".join((*_SHARED, *_GROUP))
        if self._is_sqlite:
            marks = ", ".join("?" * (len(_SHARED) + len(_GROUP)))
            driver = await self._driver()
            rows = ((*self._whose, *group) for group in zip(*columns, strict=True))
            await driver.executemany(f"INSERT INTO usage_groups ({names}) VALUES ({marks})", rows)  # noqa: S608
            return
        kinds = ", ".join(["?::text[]"] * 4 + ["?::boolean[]"])
        arrays = [_array(column) for column in columns]
        await self._execute(
            f"INSERT INTO usage_groups ({names}) SELECT ?, ?, told.* FROM unnest({kinds}) AS told",  # noqa: S608
            [*self._whose, *arrays],
        )

    async def held(self, width: Width, start: int, end: int, likely: Collection[int] = ()) -> Block:
        """What is held of the buckets in [start, end), sorted.

        `likely` are the places in VALUES that may hold something: the others are read in one, and apart where they do.
        """
        asked = sorted(likely) or range(len(VALUES))
        others = [name for at, name in enumerate(VALUES) if at not in asked]
        told = [*KEY, *(VALUES[at] for at in asked), f"({' | '.join(others)})" if others else "0"]
        rows = await self._read(", ".join(told), width, start, end, f"ORDER BY {', '.join(KEY)}")
        if any(map(itemgetter(-1), rows)):
            return await self.held(width, start, end)
        starts, groups, *columns = (list(map(itemgetter(n), rows)) for n in range(len(told) - 1))
        return Block(starts, groups, {at: column for at, column in zip(asked, columns, strict=True) if any(column)})

    async def whole(self, width: Width, start: int, end: int) -> set[int]:
        """Which of the buckets in [start, end) the provider told as one."""
        return {row[0] for row in await self._read("DISTINCT start", width, start, end, "AND is_whole")}

    async def some(self, width: Width, start: int, end: int) -> set[int]:
        """The buckets in [start, end) of which anything is held."""
        return {row[0] for row in await self._read("DISTINCT start", width, start, end)}

    async def put(self, width: Width, block: Block) -> None:
        """Let rows take the place of what is held under their keys. Hours and days put so are whole."""
        await self._insert(width, block, is_added=False)

    async def add(self, width: Width, block: Block) -> None:
        """Add rows to what is held under their keys, which stays what it is: whole or not."""
        await self._insert(width, block, is_added=True)

    async def remove(self, width: Width, keys: Sequence[Row]) -> None:
        """Drop what is held under some keys."""
        if not keys:
            return
        if self._is_sqlite:
            each = " AND ".join(f"{name} = ?" for name in (*_SHARED, *KEY))
            driver = await self._driver()
            rows = [(*self._whose, *key) for key in keys]
            await driver.executemany(f"DELETE FROM {TABLES[width]} WHERE {each}", rows)  # noqa: S608
            return
        arrays = [_array(column) for column in zip(*keys, strict=True)]
        await self._execute(
            f"DELETE FROM {TABLES[width]} AS held USING {_unnested(KEY)} WHERE held.workspace_id = ? "  # noqa: S608
            f"AND held.read_id = ? AND held.start = told.start AND held.group_id = told.group_id",
            [*arrays, *self._whose],
        )

    async def remove_nothings(self, width: Width, starts: Sequence[int]) -> None:
        """Drop rows of some buckets in which every count has come to nothing."""
        nothing = " AND ".join(f"{name} = 0" for name in VALUES)
        for part in _parts(starts):
            where, values = self._in(part)
            await self._execute(f"DELETE FROM {TABLES[width]} WHERE {where} AND {nothing}", values)  # noqa: S608

    async def call_whole(self, width: Width, starts: Sequence[int], *, is_whole: bool) -> None:
        """Say of buckets whether the provider told them as one."""
        for part in _parts(starts):
            where, values = self._in(part)
            change = f"UPDATE {TABLES[width]} SET is_whole = ? WHERE {where} AND is_whole <> ?"  # noqa: S608
            await self._execute(change, [is_whole, *values, is_whole])

    async def _read(self, told: str, width: Width, start: int, end: int, more: str = "") -> list[Row]:
        where = "workspace_id = ? AND read_id = ? AND start >= ? AND start < ?"
        return await self._fetch(f"SELECT {told} FROM {TABLES[width]} WHERE {where} {more}", [*self._whose, start, end])  # noqa: S608

    def _in(self, starts: Sequence[int]) -> tuple[str, list[Any]]:
        within = f"IN ({', '.join('?' * len(starts))})" if self._is_sqlite else "= ANY(?)"
        given: list[Any] = [*starts] if self._is_sqlite else [list(starts)]
        return f"workspace_id = ? AND read_id = ? AND start {within}", [*self._whose, *given]

    async def _insert(self, width: Width, block: Block, *, is_added: bool) -> None:
        """One statement for many rows; a column in which they have nothing is a constant and crosses for nothing."""
        if not block.size:
            return
        filled = (*KEY, *(VALUES[at] for at in block.values))
        crossing = [block.starts, block.groups, *block.values.values()]
        if not self._is_sqlite:
            arrays = [_array(column) for column in crossing]
            await self._execute(_statement(width, filled, 0, is_added), [*self._whose, *arrays])
            return
        driver = await self._driver()
        at_once = (_MOST_PARAMETERS - len(_SHARED)) // len(filled)
        step = at_once * len(filled)
        values = list(chain.from_iterable(zip(*crossing, strict=True)))
        full = len(values) - len(values) % step
        if full:
            groups = ([*self._whose, *values[at : at + step]] for at in range(0, full, step))
            await driver.executemany(_statement(width, filled, at_once, is_added), groups)
        if rest := values[full:]:
            await driver.execute(_statement(width, filled, len(rest) // len(filled), is_added), [*self._whose, *rest])

    async def _driver(self) -> Any:
        return (await self._db.get_raw_connection()).driver_connection

    async def _fetch(self, sql: str, values: Sequence[Any]) -> list[Any]:
        driver = await self._driver()
        if self._is_sqlite:
            return list(await driver.execute_fetchall(sql, values))
        async with driver.cursor() as cursor:
            await cursor.execute(sql.replace("?", "%s"), values)
            return list(await cursor.fetchall())

    async def _execute(self, sql: str, values: Sequence[Any]) -> None:
        driver = await self._driver()
        await driver.execute(sql if self._is_sqlite else sql.replace("?", "%s"), values)


def _parts(starts: Sequence[int]) -> Iterator[Sequence[int]]:
    most = _MOST_PARAMETERS - len(_SHARED) - 2
    return (starts[at : at + most] for at in range(0, len(starts), most))


@lru_cache(maxsize=256)
def _statement(width: Width, filled: tuple[str, ...], rows: int, is_added: bool) -> str:
    """INSERT … ON CONFLICT for rows given as parameters (SQLite) or, with `rows` 0, as arrays (PostgreSQL)."""
    table = TABLES[width]
    empty = tuple(name for name in VALUES if name not in filled)
    nothing = ["0"] * len(empty)
    names = [*_SHARED, *filled, *empty]
    if width is not Width.MINUTE:
        names.append("is_whole")
        nothing.append("FALSE" if is_added else "TRUE")
    if rows:
        first = len(_SHARED) + 1
        shared = ", ".join(f"?{n + 1}" for n in range(len(_SHARED)))
        source = "VALUES " + ", ".join(
            f"({', '.join([shared, *(f'?{n}' for n in range(at, at + len(filled))), *nothing])})"
            for at in range(first, first + rows * len(filled), len(filled))
        )
    else:
        told = ["?"] * len(_SHARED) + [f"told.{name}" for name in filled] + nothing
        source = f"SELECT {', '.join(told)} FROM {_unnested(filled)}"  # noqa: S608 - our own names
    key = (*_SHARED, *KEY)
    changes = (
        _additions(table, filled) if is_added else [f"{name} = excluded.{name}" for name in names if name not in key]
    )
    conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"
    return f"INSERT INTO {table} ({', '.join(names)}) {source} {conflict}"


def _additions(table: str, filled: Sequence[str]) -> list[str]:
    """What adding means for each column; both rests are below 1e9, so one is all there ever is to carry."""
    changes = [
        f"{name} = {table}.{name} + excluded.{name}"
        for name in filled
        if name not in KEY and not name.startswith("estimate_")
    ]
    rests = f"({table}.estimate_rest + excluded.estimate_rest)"
    return [
        *changes,
        f"estimate_nano = {table}.estimate_nano + excluded.estimate_nano + {rests} / {NANO}",
        f"estimate_rest = {rests} - {rests} / {NANO} * {NANO}",
    ]


def _unnested(names: Sequence[str]) -> str:
    return f"unnest({', '.join(['?::bigint[]'] * len(names))}) AS told({', '.join(names)})"


def _array(column: Sequence[Any]) -> str:
    """A column as PostgreSQL reads an array."""
    if isinstance(column[0], str):
        return f"{{{','.join(f'{chr(34)}{each.translate(_ESCAPES)}{chr(34)}' for each in column)}}}"
    return f"{{{','.join(map(str, column))}}}"
