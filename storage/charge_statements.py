"""The ledger's statements that are asked for every day and every figure, put together once: that takes longer than
answering them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, func, select

from storage.repository import Insert, inserting
from storage.tables import charges, daily_costs, daily_items, daily_sheets, daily_totals, day_readings


def _mine_within(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Of the workspace `of_workspace`, the days from `first` until before `after`."""
    day = table.c.charge_day
    return table.c.workspace_id == bindparam("of_workspace"), day >= bindparam("first"), day < bindparam("after")


def _this_day(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Of the workspace `of_workspace` and its connection `of_connection`, what belongs to `day`."""
    return (
        table.c.workspace_id == bindparam("of_workspace"),
        table.c.connection_id == bindparam("of_connection"),
        table.c.charge_day == bindparam("day"),
    )


READING = select(day_readings).where(*_this_day(day_readings))
READINGS = select(day_readings).where(*_mine_within(day_readings))
BILLED_DAYS = (
    select(daily_totals.c.connection_id, daily_totals.c.charge_day).where(*_mine_within(daily_totals)).distinct()
)
BILLS = (
    select(daily_totals.c.connection_id, daily_totals.c.billing_currency)
    .where(*_mine_within(daily_totals))
    .distinct()
    .order_by(daily_totals.c.connection_id, daily_totals.c.billing_currency)
)
FIRST_DAY = select(func.min(daily_totals.c.charge_day)).where(daily_totals.c.workspace_id == bindparam("of_workspace"))
TOTALS = select(daily_totals).where(*_mine_within(daily_totals))
TOTALS_OF_DAY = select(daily_totals).where(*_this_day(daily_totals)).order_by(daily_totals.c.billing_currency)
COSTS_OF_DAY = select(daily_costs).where(*_this_day(daily_costs))
LINES_OF_DAY = select(charges).where(*_this_day(charges))
# The same, without what all of them share.
STORED_OF_DAY = select(
    *(column for column in charges.c if column.name not in ("workspace_id", "connection_id", "charge_day"))
).where(*_this_day(charges))
FORGET_DAY = tuple(
    delete(table).where(*_this_day(table)) for table in (charges, daily_costs, daily_items, daily_sheets, daily_totals)
)
SHEETS = select(
    daily_sheets.c.connection_id,
    daily_sheets.c.billing_currency,
    daily_sheets.c.charge_day,
    daily_sheets.c.accounts,
    daily_sheets.c.amounts,
).where(*_mine_within(daily_sheets))
SHEETS_OF = SHEETS.where(daily_sheets.c.connection_id.in_(bindparam("connections", expanding=True)))


@cache
def summing(*told: str, of_some: bool) -> Select[Any]:
    """Costs by these columns, of one connection in one currency on some days; of some accounts only, when asked."""
    columns = [daily_costs.c[name] for name in told]
    sums = func.sum(daily_costs.c.billed_cost_nano), func.sum(daily_costs.c.billed_cost_rest)
    query = select(*columns, *sums).where(
        daily_costs.c.workspace_id == bindparam("of_workspace"),
        daily_costs.c.charge_day.in_(bindparam("days", expanding=True)),
        daily_costs.c.connection_id == bindparam("of_connection"),
        daily_costs.c.billing_currency == bindparam("currency"),
    )
    if of_some:
        query = query.where(daily_costs.c.sub_account_id.in_(bindparam("accounts", expanding=True)))
    return query.group_by(*columns)


@cache
def keeping(dialect: str) -> Insert:
    """Keep when a day was read, and when it last moved."""
    insert = inserting(dialect, day_readings)
    moved = {name: insert.excluded[name] for name in ("read_at", "changed_at", "unchanged_reads")}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "connection_id", "charge_day"], set_=moved)
