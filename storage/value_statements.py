"""The statements about recorded calls that are asked all the time, made once: making one takes longer than asking."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, case, func, select, tuple_
from sqlalchemy.sql.dml import ReturningInsert

from finops.events import Call
from storage.repository import Insert, inserting
from storage.tables import projects
from storage.tables_value import SUMS, value_calls, value_days, value_event_ids, value_users, value_weeks

CALL = Call._fields


def within(table: Table, *, of_some: bool) -> tuple[ColumnElement[bool], ...]:
    """Of the workspace `of_workspace`, the days from `first` until before `after`; of some `projects`, if asked."""
    day = table.c.week if table is value_weeks else table.c.charge_day
    where = table.c.workspace_id == bindparam("of_workspace"), day >= bindparam("first"), day < bindparam("after")
    return (*where, table.c.project_id.in_(bindparam("projects", expanding=True))) if of_some else where


@cache
def summing(table: Table, *, of_some: bool) -> Select[Any]:
    """The sums of each project."""
    sums = (func.sum(table.c[name]) for name in SUMS)
    return select(table.c.project_id, *sums).where(*within(table, of_some=of_some)).group_by(table.c.project_id)


TELLS_ANYTHING = select(value_days.c.project_id).where(*within(value_days, of_some=False)).limit(1)
HOLD_PROJECT = (
    select(projects.c.id)
    .where(projects.c.workspace_id == bindparam("of_workspace"), projects.c.id == bindparam("this"))
    .with_for_update(key_share=True)
)


@cache
def taken(dialect: str) -> ReturningInsert[Any]:
    """Take event ids that nobody took before, and tell which."""
    return inserting(dialect, value_event_ids).on_conflict_do_nothing().returning(value_event_ids.c.event_id)


@cache
def kept(dialect: str) -> Insert:
    """Keep calls as they are known now."""
    insert = inserting(dialect, value_calls)
    changing = {name: insert.excluded[name] for name in ("charge_day", *CALL)}
    return insert.on_conflict_do_update(index_elements=list(value_calls.primary_key), set_=changing)


@cache
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
