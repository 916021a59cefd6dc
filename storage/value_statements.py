"""The statements that write recorded calls, made once for each database: making one takes longer than running it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Table, case, tuple_
from sqlalchemy.sql.dml import ReturningInsert

from finops.events import Call
from storage.repository import Insert, inserting
from storage.tables_value import SUMS, value_calls, value_event_ids, value_users, value_weeks

CALL = Call._fields


@lru_cache(maxsize=4)
def taken(dialect: str) -> ReturningInsert[Any]:
    """Take event ids that nobody took before, and tell which."""
    return inserting(dialect, value_event_ids).on_conflict_do_nothing().returning(value_event_ids.c.event_id)


@lru_cache(maxsize=4)
def kept(dialect: str) -> Insert:
    """Keep calls as they are known now."""
    insert = inserting(dialect, value_calls)
    changing = {name: insert.excluded[name] for name in ("charge_day", *CALL)}
    return insert.on_conflict_do_update(index_elements=list(value_calls.primary_key), set_=changing)


@lru_cache(maxsize=16)
def added(dialect: str, table: Table) -> Insert:
    """Add rows to the sums held under their keys: of days, of weeks, or of users."""
    insert = inserting(dialect, table)
    sums = ("calls", "cost_nano", "cost_rest") if table is value_users else SUMS
    changes: dict[str, Any] = {name: table.c[name] + insert.excluded[name] for name in sums}
    if table is value_weeks:
        told_at = insert.excluded.newest_at
        changes["newest_at"] = case((told_at > table.c.newest_at, told_at), else_=table.c.newest_at)
    if table is value_users:
        segment, dearest = insert.excluded.segment, ("dearest_call_nano", "dearest_call_rest")
        held, offered = (tuple_(*(whose[name] for name in dearest)) for whose in (table.c, insert.excluded))
        changes["segment"] = case((segment != "", segment), else_=table.c.segment)
        changes |= {name: case((offered > held, insert.excluded[name]), else_=table.c[name]) for name in dearest}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)
