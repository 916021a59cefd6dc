"""Rows of usage in the database: read and written in bulk, by the shortest way into each of the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from finops.usage import Width
from storage.usage_rollups import KEY, NANO, VALUES, Row

TABLES = {Width.MINUTE: "usage_minutes", Width.HOUR: "usage_hours", Width.DAY: "usage_days"}
_MOST_PARAMETERS = 999  # what every SQLite accepts in one statement
_SHARED = ("workspace_id", "connection_id", "endpoint")
_TEXT = ("sub_account_id", "model", "api_key_id", "service_tier")
_CONFLICT = "workspace_id, start, connection_id, endpoint, sub_account_id, model, api_key_id, service_tier, is_batch"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


class Whose(NamedTuple):
    """What all rows at hand share."""

    workspace_id: str
    connection_id: int
    endpoint: str


class UsageRows:
    """The three tables of usage, in one transaction. Statements are ours: no value is ever part of their text."""

    def __init__(self, db: AsyncConnection) -> None:
        self._db = db
        self._is_sqlite = db.dialect.name == "sqlite"

    async def held(self, width: Width, whose: Whose, starts: Sequence[int]) -> list[Row]:
        """What is held of some buckets."""
        return [
            row for part in _parts(starts) for row in await self._read(", ".join((*KEY, *VALUES)), width, whose, part)
        ]

    async def whole(self, width: Width, whose: Whose, starts: Sequence[int]) -> set[int]:
        """Which of some buckets the provider told as one."""
        found: set[int] = set()
        for part in _parts(starts):
            rows = await self._read("DISTINCT start", width, whose, part, "AND is_whole")
            found.update(row[0] for row in rows)
        return found

    async def some(self, width: Width, whose: Whose, start: int, end: int) -> set[int]:
        """The buckets of [start, end) of which anything is held."""
        where = "workspace_id = ? AND start >= ? AND start < ? AND connection_id = ? AND endpoint = ?"
        values = [whose.workspace_id, start, end, whose.connection_id, whose.endpoint]
        rows = await self._fetch(f"SELECT DISTINCT start FROM {TABLES[width]} WHERE {where}", values)  # noqa: S608
        return {row[0] for row in rows}

    async def put(self, width: Width, whose: Whose, rows: Sequence[Row]) -> None:
        """Let rows take the place of what is held under their keys. Hours and days put so are whole."""
        await self._insert(width, whose, rows, is_added=False)

    async def add(self, width: Width, whose: Whose, rows: Sequence[Row]) -> None:
        """Add rows to what is held under their keys, which stays what it is: whole or not."""
        await self._insert(width, whose, rows, is_added=True)

    async def remove(self, width: Width, whose: Whose, keys: Sequence[Row]) -> None:
        """Drop what is held under some keys."""
        if not keys:
            return
        shared = " AND ".join(f"{name} = ?" for name in _SHARED)
        if self._is_sqlite:
            each = " AND ".join(f"{name} = ?" for name in KEY)
            driver = await self._driver()
            sql = f"DELETE FROM {TABLES[width]} WHERE {shared} AND {each}"  # noqa: S608
            await driver.executemany(sql, [(*whose, *key) for key in keys])
            return
        each = " AND ".join(f"{TABLES[width]}.{name} = told.{name}" for name in KEY)
        sql = f"DELETE FROM {TABLES[width]} USING {_unnested(KEY)} WHERE {shared} AND {each}"  # noqa: S608
        columns = _arrays(KEY, list(zip(*keys, strict=True)))
        await self._execute(sql, [*columns, *whose])

    async def remove_nothings(self, width: Width, whose: Whose, starts: Sequence[int]) -> None:
        """Drop rows of some buckets in which every count has come to nothing."""
        nothing = " AND ".join(f"{name} = 0" for name in VALUES)
        for part in _parts(starts):
            where, values = self._where(whose, part)
            await self._execute(f"DELETE FROM {TABLES[width]} WHERE {where} AND {nothing}", values)  # noqa: S608

    async def call_whole(self, width: Width, whose: Whose, starts: Sequence[int], *, is_whole: bool) -> None:
        """Say of buckets whether the provider told them as one."""
        for part in _parts(starts):
            where, values = self._where(whose, part)
            await self._execute(
                f"UPDATE {TABLES[width]} SET is_whole = ? WHERE {where} AND is_whole <> ?",  # noqa: S608
                [is_whole, *values, is_whole],
            )

    async def _read(self, told: str, width: Width, whose: Whose, starts: Sequence[int], more: str = "") -> list[Row]:
        where, values = self._where(whose, starts)
        return await self._fetch(f"SELECT {told} FROM {TABLES[width]} WHERE {where} {more}", values)  # noqa: S608

    def _where(self, whose: Whose, starts: Sequence[int]) -> tuple[str, list[Any]]:
        within = f"IN ({', '.join('?' * len(starts))})" if self._is_sqlite else "= ANY(?)"
        given: list[Any] = [*starts] if self._is_sqlite else [list(starts)]
        return (
            f"workspace_id = ? AND start {within} AND connection_id = ? AND endpoint = ?",
            [whose.workspace_id, *given, whose.connection_id, whose.endpoint],
        )

    async def _insert(self, width: Width, whose: Whose, rows: Sequence[Row], *, is_added: bool) -> None:
        """One statement for many rows; a column in which they have nothing is a constant and crosses for nothing."""
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        names = (*KEY, *VALUES)
        filled = tuple(name for at, name in enumerate(names) if name in KEY or any(columns[at]))
        crossing = [columns[names.index(name)] for name in filled]
        driver = await self._driver()
        if self._is_sqlite:
            at_once = (_MOST_PARAMETERS - len(whose)) // len(filled)
            step = at_once * len(filled)
            values = list(chain.from_iterable(zip(*crossing, strict=True)))
            whole = len(values) - len(values) % step
            if whole:
                groups = ([*whose, *values[at : at + step]] for at in range(0, whole, step))
                await driver.executemany(_statement(width, filled, at_once, is_added), groups)
            if rest := values[whole:]:
                await driver.execute(_statement(width, filled, len(rest) // len(filled), is_added), [*whose, *rest])
            return
        await self._execute(_statement(width, filled, 0, is_added), [*whose, *_arrays(filled, crossing)])

    async def _driver(self) -> Any:
        return (await self._db.get_raw_connection()).driver_connection

    async def _fetch(self, sql: str, values: Sequence[Any]) -> list[Row]:
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
        told = ", ".join(f"told.{name}" for name in filled)
        source = f"SELECT {', '.join(['?'] * len(_SHARED) + [told, *nothing])} FROM {_unnested(filled)}"  # noqa: S608
    changes = (
        _additions(table, filled) if is_added else [f"{name} = excluded.{name}" for name in names if name not in KEY]
    )
    return (
        f"INSERT INTO {table} ({', '.join(names)}) {source} "
        f"ON CONFLICT ({_CONFLICT}) DO UPDATE SET {', '.join(changes)}"
    )


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
    kinds = ", ".join(
        f"?::{'text' if name in _TEXT else 'boolean' if name == 'is_batch' else 'bigint'}[]" for name in names
    )
    return f"unnest({kinds}) AS told({', '.join(names)})"


def _arrays(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> list[str]:
    """Columns as PostgreSQL reads arrays. Names repeat: each is looked at once."""
    return [f"{{{','.join(_as_text(name, column))}}}" for name, column in zip(names, columns, strict=True)]


def _as_text(name: str, column: Sequence[Any]) -> Iterable[str]:
    if name not in _TEXT:
        return map(str, column)
    known = {each: f'"{each.translate(_ESCAPES)}"' for each in set(column)}
    return [known[each] for each in column]
