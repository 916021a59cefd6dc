"""The ledger's statements that are asked for every day and every figure, put together once: that takes longer than
answering them."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import ColumnElement, Table, bindparam, select

from storage.repository import Insert, inserting
from storage.tables import daily_totals, day_readings


def _mine_within(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Of the workspace `of_workspace`, the days from `first` until before `after`."""
    day = table.c.charge_day
    return table.c.workspace_id == bindparam("of_workspace"), day >= bindparam("first"), day < bindparam("after")


READING = select(day_readings).where(
    day_readings.c.workspace_id == bindparam("of_workspace"),
    day_readings.c.connection_id == bindparam("of_connection"),
    day_readings.c.charge_day == bindparam("day"),
)
READINGS = select(day_readings).where(*_mine_within(day_readings))
BILLED_DAYS = (
    select(daily_totals.c.connection_id, daily_totals.c.charge_day).where(*_mine_within(daily_totals)).distinct()
)


@lru_cache(maxsize=4)
def keeping(dialect: str) -> Insert:
    """Keep when a day was read, and when it last moved."""
    insert = inserting(dialect, day_readings)
    moved = {name: insert.excluded[name] for name in ("read_at", "changed_at", "unchanged_reads")}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "connection_id", "charge_day"], set_=moved)
