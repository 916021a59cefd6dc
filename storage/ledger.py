"""Writing the ledger fast: the shortest way of a day's lines and sums into each database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice, repeat, starmap
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from finops.money import Money, from_units
from storage.day_lines import Lines
from storage.day_sums import DaySums
from storage.sheets import Sheet

# What SQLite accepts in one statement; beyond a thousand rows, more in one are no faster.
_MOST_PARAMETERS = 7_003 if sqlite3.sqlite_version_info >= (3, 32) else 999
_COPY_CHUNK_LINES = 1_000
# COPY's text form ends a field with a tab and a row with a newline; a backslash makes them letters.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_OF_DAY = ("workspace_id", "connection_id", "charge_day")
_AMOUNT = ("billed_cost_nano", "billed_cost_rest")
_LINE = ("sub_account_id", "billing_currency", "sku_id", *_AMOUNT, "consumed_quantity", "consumed_unit")

Columns = Sequence[Sequence[Any]]


def money(nano: int | Decimal, rest: int | Decimal, currency: str) -> Money:
    """Money from two columns, or from the sums of two columns."""
    return Money(from_units(nano, rest), currency)


async def write_day(
    connection: AsyncConnection,
    workspace_id: str,
    connection_id: int,
    day: date,
    lines: Lines,
    adding: Awaitable[DaySums],
) -> None:
    """Put the lines of one day, and all roll-ups of it, where nothing of that day stands.

    The lines go first: what they come to is not needed before they are in, and may be added up meanwhile.
    """
    if not lines.accounts:
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    insert = _insert if connection.dialect.name == "sqlite" else _copy
    whose = (workspace_id, connection_id, day.isoformat())
    await insert(driver, "charges", _LINE, whose, lines)
    sums = await adding
    by_currency = "billing_currency"
    for table, names, columns in (
        ("daily_costs", ("sub_account_id", by_currency, *_AMOUNT), (*_apart(sums.costs), *_apart(sums.costs.values()))),
        ("daily_items", (by_currency, "sku_id", *_AMOUNT), (*_apart(sums.items), *_apart(sums.items.values()))),
        ("daily_totals", (by_currency, *_AMOUNT), (tuple(sums.totals), *_apart(sums.totals.values()))),
        ("daily_sheets", (by_currency, "accounts", "amounts"), (tuple(sums.sheets), *_apart(sums.sheets.values()))),
    ):
        await insert(driver, table, names, whose, columns)


def _apart(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows as columns."""
    return zip(*rows, strict=True)


async def read_sheets(
    connection: AsyncConnection, query: Select[tuple[int, str, date, bytes, bytes]], asked: Mapping[str, Any]
) -> list[Sheet]:
    """The sheets a query asks for. PostgreSQL would spell their bytes out as text, three times as slow, if let."""
    if connection.dialect.name == "sqlite":
        return list(starmap(Sheet, await connection.execute(query, asked)))
    driver: Any = (await connection.get_raw_connection()).driver_connection
    compiled = query.compile(dialect=connection.dialect)
    assert isinstance(compiled, SQLCompiler)
    spelled = compiled.construct_expanded_state(dict(asked))
    async with driver.cursor(binary=True) as cursor:
        await cursor.execute(spelled.statement, spelled.parameters)
        return list(starmap(Sheet, await cursor.fetchall()))


async def _insert(driver: Any, table: str, names: Sequence[str], whose: tuple[str, int, str], columns: Columns) -> None:
    """SQLite: many rows in one statement cost half of a statement each; one call crosses to the driver's thread."""
    rows, at_once = len(columns[0]), (_MOST_PARAMETERS - len(whose)) // len(columns)
    whole = rows - rows % at_once
    # Generators, so that the rows are strung together on the driver's thread.
    if whole:
        groups = _groups(whose, columns, range(0, whole, at_once), at_once)
        await driver.executemany(_insertion(table, tuple(names), at_once), groups)
    if rows > whole:
        groups = _groups(whose, columns, range(whole, rows, at_once), at_once)
        await driver.executemany(_insertion(table, tuple(names), rows - whole), groups)


def _groups(whose: tuple[str, int, str], columns: Columns, starts: range, size: int) -> Iterator[list[Any]]:
    """The parameters of one statement after another: what all rows share, then row by row."""
    for at in starts:
        rows = zip(*(column[at : at + size] for column in columns), strict=True)
        yield [*whose, *chain.from_iterable(rows)]


@lru_cache(maxsize=64)
def _insertion(table: str, names: tuple[str, ...], rows: int) -> str:
    """INSERT of many rows that share their first three values."""
    width = len(names)
    shared = ", ".join(f"?{n + 1}" for n in range(len(_OF_DAY)))
    first = len(_OF_DAY) + 1
    marks = (
        f"({shared}, {', '.join(f'?{n}' for n in range(at, at + width))})"
        for at in range(first, first + rows * width, width)
    )
    return f"INSERT INTO {table} ({', '.join((*_OF_DAY, *names))}) VALUES {', '.join(marks)}"  # noqa: S608 - our own names


async def _copy(driver: Any, table: str, names: Sequence[str], whose: tuple[str, int, str], columns: Columns) -> None:
    """PostgreSQL: COPY, as text, which is spelled in a thread."""
    if len(columns[0]) > _COPY_CHUNK_LINES:
        chunks = await asyncio.to_thread(list, _copied(whose, columns))
    else:
        chunks = list(_copied(whose, columns))
    statement = f"COPY {table} ({', '.join((*_OF_DAY, *names))}) FROM STDIN"
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in chunks:
            await copy.write(chunk)


def _copied(whose: tuple[str, int, str], columns: Columns) -> Iterator[bytes]:
    """The rows as COPY reads them, some at a time."""
    shared = "\t".join(map(str, whose))
    rows = map("\t".join, zip(repeat(shared), *map(_as_text, columns), strict=False))  # repeat() never ends
    while chunk := list(islice(rows, _COPY_CHUNK_LINES)):
        yield ("\n".join(chunk) + "\n").encode()


def _as_text(column: Sequence[Any]) -> Iterable[str]:
    """A column as COPY reads it. A bill repeats its names: each is looked at once."""
    if isinstance(column[0], int):
        return map(str, column)
    if isinstance(column[0], bytes):
        return [f"\\\\x{each.hex()}" for each in column]
    known = {each: "\\N" if each is None else each.translate(_ESCAPES) for each in set(column)}
    return [known[each] for each in column]
