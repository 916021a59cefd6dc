"""Writing the ledger fast: a day as sorted columns with their sums, and the shortest way into each database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, chain, compress, islice, repeat, starmap
from operator import add, itemgetter, ne, or_, sub
from typing import Any, NamedTuple

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.charges import Charge, ChargedDay, merged
from finops.money import Money, all_to_units, from_units
from storage.errors import AmountOutOfRange
from storage.sheets import Sheet, packed

LARGEST = 2**63 - 1
_NANO = 10**9
# What SQLite accepts in one statement; beyond a thousand rows, more in one are no faster.
_MOST_PARAMETERS = 7_003 if sqlite3.sqlite_version_info >= (3, 32) else 999
_COPY_CHUNK_LINES = 1_000
# COPY's text form ends a field with a tab and a row with a newline; a backslash makes them letters.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_OF_DAY = ("workspace_id", "connection_id", "charge_day")
_AMOUNT = ("billed_cost_nano", "billed_cost_rest")
_LINE = ("sub_account_id", "billing_currency", "sku_id", *_AMOUNT, "consumed_quantity", "consumed_unit")


class Lines(NamedTuple):
    """One day's lines in the order of the ledger's key, a column each: a bill of millions makes no object per line."""

    accounts: Sequence[str]
    currencies: Sequence[str]
    skus: Sequence[str]
    nanos: Sequence[int]
    rests: Sequence[int]
    quantities: Sequence[str | None]
    units: Sequence[str | None]

    def each(self) -> Iterator[tuple[Any, ...]]:
        """The lines one by one, as tuples in the order of the columns."""
        return zip(*self, strict=True)


@dataclass(frozen=True, slots=True)
class PreparedDay:
    """One day as it will stand in the ledger: its lines, and their sums.

    `costs` are by project, `items` by line item, `totals` of all, each in its currency; with a sheet per currency.
    """

    lines: Lines
    costs: dict[tuple[str, str], tuple[int, int]]
    items: dict[tuple[str, str], tuple[int, int]]
    totals: dict[str, tuple[int, int]]
    sheets: dict[str, tuple[bytes, bytes]]


_NOTHING = PreparedDay(Lines([], [], [], [], [], [], []), {}, {}, {}, {})


def prepare(charged: ChargedDay) -> PreparedDay:
    """One day as lines of the ledger: sorted, for sorted writes are three times faster, and none of them twice.

    Pure, and slow for large days: call it in a thread.
    """
    found: Sequence[Charge] = charged.charges
    if not found:
        return _NOTHING
    if [charge[0] for charge in found].count(charged.day) < len(found):
        raise ValueError(f"a reading of {charged.day} cannot hold charges of another day")
    names = _names(found)
    places = _places(names)
    if len(set(places)) < len(places):
        # Repeated lines are rare; finding them costs less than expecting them.
        found = merged(found)
        names = _names(found)
        places = _places(names)
    order = sorted(range(len(places)), key=places.__getitem__)
    found = [found[n] for n in order]
    accounts, currencies, skus = ([column[n] for n in order] for column in names)
    nanos, rests = all_to_units(map(itemgetter(3), found))
    if sum(map(abs, nanos)) + len(nanos) > LARGEST:
        raise AmountOutOfRange(f"the charges of {charged.day} exceed what the ledger holds exactly (9.2 billion units)")
    lines = Lines(
        accounts,
        currencies,
        skus,
        nanos,
        rests,
        [None if charge[5] is None else str(charge[5]) for charge in found],
        [charge[6] for charge in found],
    )
    sums = _sums(lines)
    totals: dict[str, tuple[int, int]] = {}
    for (_, currency), (nano, rest) in sums.items():
        before = totals.get(currency, (0, 0))
        totals[currency] = _carried(before[0] + nano, before[1] + rest)
    sheets = {}
    for each in sorted(totals):
        mine = {account: units for (account, currency), units in sums.items() if currency == each}
        sheets[each] = packed(mine, mine.values())
    return PreparedDay(lines, sums, _items(lines), totals, sheets)


def _names(lines: Sequence[Charge]) -> tuple[list[str], list[str], list[str]]:
    """What makes each line itself: sub-accounts, currencies, line items."""
    return [line[1] or "" for line in lines], [line[4] for line in lines], [line[2] or "" for line in lines]


def _places(names: Sequence[Sequence[str]]) -> list[int]:
    """Where each line belongs among the others, the first column deciding first; the same place if all agree.

    A bill repeats its names: each is compared once, and the lines by number.
    """
    places, span = [0] * len(names[0]), 1
    for column in reversed(names):
        ranks = {name: rank * span for rank, name in enumerate(sorted(set(column)))}
        if len(ranks) > 1:
            mine = map(ranks.__getitem__, column)
            places = list(mine if span == 1 else map(add, places, mine))
            span *= len(ranks)
    return places


def _sums(lines: Lines) -> dict[tuple[str, str], tuple[int, int]]:
    """The sum of each project and currency. They stand together: a sum is the difference of two running totals."""
    accounts, currencies = lines.accounts, lines.currencies
    is_next: Iterable[bool] = map(ne, accounts, accounts[1:])
    if len(set(currencies)) > 1:
        is_next = map(or_, is_next, map(ne, currencies, currencies[1:]))
    borders = [0, *compress(range(1, len(accounts)), is_next), len(accounts)]
    nanos, rests = (_between(borders, column) for column in (lines.nanos, lines.rests))
    return {
        (accounts[start], currencies[start]): (nano + rest // _NANO, rest % _NANO)
        for start, nano, rest in zip(borders, nanos, rests, strict=False)  # the last border begins nothing
    }


def _items(lines: Lines) -> dict[tuple[str, str], tuple[int, int]]:
    """The sum of each line item and currency, over all projects."""
    found: dict[tuple[str, str], list[int]] = {}
    for name, nano, rest in zip(zip(lines.currencies, lines.skus, strict=True), lines.nanos, lines.rests, strict=True):
        sums = found.get(name)
        if sums is None:
            found[name] = [nano, rest]
        else:
            sums[0] += nano
            sums[1] += rest
    return {name: _carried(*sums) for name, sums in found.items()}


def _between(borders: Sequence[int], column: Sequence[int]) -> Iterator[int]:
    running = list(accumulate(column, initial=0))
    reached = [running[border] for border in borders]
    return map(sub, reached[1:], reached)


def _carried(nano: int, rest: int) -> tuple[int, int]:
    more, rest = divmod(rest, _NANO)
    return nano + more, rest


def money(nano: int | Decimal, rest: int | Decimal, currency: str) -> Money:
    """Money from two columns, or from the sums of two columns."""
    return Money(from_units(nano, rest), currency)


async def write_day(
    connection: AsyncConnection, workspace_id: str, connection_id: int, day: date, prepared: PreparedDay
) -> None:
    """Put the lines of one day, and all roll-ups of it, where nothing of that day stands."""
    if not prepared.totals:
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    insert = _insert if connection.dialect.name == "sqlite" else _copy
    whose = (workspace_id, connection_id, day.isoformat())
    costs = (*zip(*prepared.costs, strict=True), *zip(*prepared.costs.values(), strict=True))
    totals = (tuple(prepared.totals), *zip(*prepared.totals.values(), strict=True))
    await insert(driver, "charges", _LINE, whose, prepared.lines)
    await insert(driver, "daily_costs", ("sub_account_id", "billing_currency", *_AMOUNT), whose, costs)
    items = (*zip(*prepared.items, strict=True), *zip(*prepared.items.values(), strict=True))
    await insert(driver, "daily_items", ("billing_currency", "sku_id", *_AMOUNT), whose, items)
    await insert(driver, "daily_totals", ("billing_currency", *_AMOUNT), whose, totals)
    sheets = (tuple(prepared.sheets), *zip(*prepared.sheets.values(), strict=True))
    await insert(driver, "daily_sheets", ("billing_currency", "accounts", "amounts"), whose, sheets)


async def read_sheets(connection: AsyncConnection, query: Select[tuple[int, str, date, bytes, bytes]]) -> list[Sheet]:
    """The sheets a query asks for. PostgreSQL would spell their bytes out as text, three times as slow, if let."""
    if connection.dialect.name == "sqlite":
        return list(starmap(Sheet, await connection.execute(query)))
    driver: Any = (await connection.get_raw_connection()).driver_connection
    asked = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    async with driver.cursor(binary=True) as cursor:
        await cursor.execute(str(asked), asked.params)
        return list(starmap(Sheet, await cursor.fetchall()))


Columns = Sequence[Sequence[Any]]


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
