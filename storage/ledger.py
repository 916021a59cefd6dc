"""Writing the ledger fast: a day's charges as sorted rows, and the shortest way into each database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from operator import eq, itemgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.charges import Charge, ChargedDay, merged
from finops.money import Money, from_units, to_units
from storage.errors import AmountOutOfRange
from storage.tables import charges

Row = tuple[Any, ...]

LARGEST = 2**63 - 1
_COLUMNS = [column.name for column in charges.c]
# Where a row says which line it is: sub-account, currency, line item.
_LINE = itemgetter(3, 4, 5)
_NANO = itemgetter(6)
_COPY_CHUNK_ROWS = 1_000
_MOST_PARAMETERS = 999  # what every SQLite accepts in one statement
# COPY's text form ends a field with a tab and a row with a newline; a backslash makes them letters.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

# Nanos and rests are added apart; what the rests make up to whole nanos is carried over. Integers only: exact.
_SUMS = """
    CAST(SUM(billed_cost_nano) AS BIGINT) + CAST(SUM(billed_cost_rest) AS BIGINT) / 1000000000,
    CAST(SUM(billed_cost_rest) AS BIGINT) % 1000000000
"""
_DAY = "workspace_id = :workspace_id AND connection_id = :connection_id AND charge_day = :charge_day"
_ROLL_UP_PROJECTS = text(f"""
    INSERT INTO daily_costs (workspace_id, charge_day, connection_id, sub_account_id, billing_currency,
                             billed_cost_nano, billed_cost_rest)
    SELECT workspace_id, charge_day, connection_id, sub_account_id, billing_currency, {_SUMS}
    FROM charges WHERE {_DAY}
    GROUP BY workspace_id, charge_day, connection_id, sub_account_id, billing_currency
""")  # noqa: S608 - our own words
_ROLL_UP_DAY = text(f"""
    INSERT INTO daily_totals (workspace_id, charge_day, connection_id, billing_currency,
                              billed_cost_nano, billed_cost_rest)
    SELECT workspace_id, charge_day, connection_id, billing_currency, {_SUMS}
    FROM daily_costs WHERE {_DAY}
    GROUP BY workspace_id, charge_day, connection_id, billing_currency
""")  # noqa: S608 - our own words


def prepare(workspace_id: str, connection_id: int, charged: ChargedDay) -> list[Row]:
    """One day as rows of the ledger, in the order of its key: sorted writes are three times faster.

    Pure, and slow for large days: call it in a thread.
    """
    rows = _rows(workspace_id, connection_id, charged.day, charged.charges)
    lines = list(map(_LINE, rows))
    if any(map(eq, lines, islice(lines, 1, None))):
        # Repeated lines are rare; finding them costs less than expecting them.
        rows = _rows(workspace_id, connection_id, charged.day, merged(charged.charges))
    if sum(map(abs, map(_NANO, rows))) + len(rows) > LARGEST:
        raise AmountOutOfRange(f"the charges of {charged.day} exceed what the ledger holds exactly (9.2 billion units)")
    return rows


def _rows(workspace_id: str, connection_id: int, day: date, lines: Iterable[Charge]) -> list[Row]:
    iso = day.isoformat()
    rows: list[Row] = []
    add = rows.append
    for charge_day, account, sku, cost, currency, quantity, unit in lines:
        if charge_day is not day and charge_day != day:
            raise ValueError(f"a charge of {charge_day} cannot stand in the reading of {day}")
        nano, rest = to_units(cost)
        amount = None if quantity is None else str(quantity)
        add((workspace_id, connection_id, iso, account or "", currency, sku or "", nano, rest, amount, unit))
    rows.sort(key=_LINE)
    return rows


def facts(row: Row) -> Row:
    """What a row says, without whose and when: compared to see whether a day moved."""
    return row[3:]


def money(nano: int | Decimal, rest: int | Decimal, currency: str) -> Money:
    """Money from two columns, or from the sums of two columns."""
    return Money(from_units(nano, rest), currency)


async def write_day(
    connection: AsyncConnection, workspace_id: str, connection_id: int, day: date, rows: Sequence[Row]
) -> None:
    """Put the rows of one day, and both roll-ups of it, where nothing of that day stands."""
    if not rows:
        return
    await _bulk_insert(connection, rows)
    which = {
        "workspace_id": workspace_id,
        "connection_id": connection_id,
        "charge_day": day.isoformat() if connection.dialect.name == "sqlite" else day,
    }
    await connection.execute(_ROLL_UP_PROJECTS, which)
    await connection.execute(_ROLL_UP_DAY, which)


async def _bulk_insert(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Insert rows given in the order of the columns, by the driver itself."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    columns = ", ".join(_COLUMNS)
    if connection.dialect.name != "sqlite":
        async with driver.cursor() as cursor, cursor.copy(f"COPY charges ({columns}) FROM STDIN") as copy:
            for chunk in _copy_text(rows):
                await copy.write(chunk)
        return
    # Many rows in a statement cost half of as many statements; one call crosses to the driver's thread once.
    insert = f"INSERT INTO charges ({columns}) VALUES "  # noqa: S608 - our own names
    marks = f"({', '.join('?' * len(_COLUMNS))})"
    at_once = _MOST_PARAMETERS // len(_COLUMNS)
    whole = len(rows) - len(rows) % at_once
    if whole:
        groups = (tuple(chain.from_iterable(rows[n : n + at_once])) for n in range(0, whole, at_once))
        await driver.executemany(insert + ", ".join([marks] * at_once), groups)
    if rows[whole:]:
        await driver.executemany(insert + marks, rows[whole:])


def _copy_text(rows: Sequence[Row]) -> Iterator[bytes]:
    for start in range(0, len(rows), _COPY_CHUNK_ROWS):
        lines = ["\t".join(map(_field, row)) for row in rows[start : start + _COPY_CHUNK_ROWS]]
        lines.append("")
        yield "\n".join(lines).encode()


def _field(value: str | int | None) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)
