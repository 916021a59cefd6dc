"""Writing the ledger fast: a day's charges as sorted rows, and the shortest way into each database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.charges import ChargedDay, merged
from finops.money import Money, from_units, to_units
from storage.errors import AmountOutOfRange
from storage.tables import charges, daily_costs, daily_totals

Row = tuple[Any, ...]
Units = tuple[int, int]

LARGEST = 2**63 - 1
_NANO = 10**9
_COPY_CHUNK_ROWS = 2_000
# COPY's text form ends a field with a tab and a row with a newline; a backslash makes them letters.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class PreparedDay:
    """One day as it will stand in the ledger, in the order of the key: sorted writes are three times faster."""

    charges: list[Row]
    costs: dict[tuple[str, str], Units]
    totals: dict[str, Units]

    def facts(self) -> list[Row]:
        """What the day says, without whose it is: compared with the stored day to see whether anything moved."""
        return [row[3:] for row in self.charges]


def prepare(workspace_id: str, connection_id: int, charged: ChargedDay) -> PreparedDay:
    """Rows and sums of one day. Pure and slow for large days: call it in a thread."""
    day = charged.day.isoformat()
    rows: list[Row] = []
    costs: dict[tuple[str, str], list[int]] = {}
    for charge in merged(charged.charges):
        charge_day, sub_account_id, sku_id, billed_cost, currency, quantity, unit = charge
        if charge_day != charged.day:
            raise ValueError(f"a charge of {charge_day} cannot stand in the reading of {charged.day}")
        nano, rest = to_units(billed_cost)
        account = sub_account_id or ""
        amount = None if quantity is None else str(quantity)
        rows.append((workspace_id, connection_id, day, account, sku_id or "", currency, nano, rest, amount, unit))
        found = costs.get((account, currency))
        if found is None:
            costs[account, currency] = [nano, rest]
        else:
            found[0] += nano
            found[1] += rest
    sums = {key: _carried(nano, rest) for key, (nano, rest) in costs.items()}
    totals: dict[str, Units] = {}
    for (_, currency), (nano, rest) in sums.items():
        before = totals.get(currency, (0, 0))
        totals[currency] = _carried(before[0] + nano, before[1] + rest)
    nanos = [row[6] for row in rows] + [nano for nano, _ in (*sums.values(), *totals.values())]
    if nanos and max(max(nanos), -min(nanos)) > LARGEST:
        raise AmountOutOfRange(f"the charges of {day} exceed what the ledger holds exactly (9.2 billion units)")
    return PreparedDay(rows, sums, totals)


def money(nano: int | Decimal, rest: int | Decimal, currency: str) -> Money:
    """Money from two summed columns; PostgreSQL sums integers into Decimals."""
    return Money(from_units(int(nano), int(rest)), currency)


async def write_day(
    connection: AsyncConnection, workspace_id: str, connection_id: int, day: date, prepared: PreparedDay
) -> None:
    """Put the rows and both roll-ups of one day where nothing of that day stands."""
    text = day.isoformat()
    costs = [
        (workspace_id, text, connection_id, account, currency, nano, rest)
        for (account, currency), (nano, rest) in sorted(prepared.costs.items())
    ]
    totals = [
        (workspace_id, text, connection_id, currency, nano, rest)
        for currency, (nano, rest) in sorted(prepared.totals.items())
    ]
    for table, rows in ((charges, prepared.charges), (daily_costs, costs), (daily_totals, totals)):
        if rows:
            await _bulk_insert(connection, table, rows)


async def _bulk_insert(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows given in the order of the table's columns."""
    columns = ", ".join(column.name for column in table.c)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.c))
        await connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))  # noqa: S608 - our own names
        return
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    async with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for chunk in _copy_text(rows):
            await copy.write(chunk)


def _copy_text(rows: Sequence[Row]) -> Iterator[bytes]:
    for start in range(0, len(rows), _COPY_CHUNK_ROWS):
        lines = ["\t".join(map(_field, row)) for row in rows[start : start + _COPY_CHUNK_ROWS]]
        lines.append("")
        yield "\n".join(lines).encode()


def _field(value: str | int | None) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)


def _carried(nano: int, rest: int) -> Units:
    more, rest = divmod(rest, _NANO)
    return nano + more, rest
