"""The statements about stops and holds that are asked all the time, put together once: that takes longer than answering
them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, insert, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from finops.holds import ACTIVE, HoldState, HoldTrouble
from finops.stops import OVER
from storage.repository import inserting
from storage.tables_stops import holds, stop_events, stops

_OVER = sorted(state.value for state in OVER)
_ACTIVE = sorted(state.value for state in ACTIVE)
_UNPROVED = sorted(state.value for state in ACTIVE - {HoldState.PROVED})
# What people wait for; the others stand, or were let go of, and are only looked after.
_UNDER_WAY = or_(
    holds.c.state.in_([HoldState.REQUESTED.value, HoldState.SAVED.value]),
    and_(holds.c.state.in_(_ACTIVE), holds.c.is_wanted.is_(False)),
)

STOPS = select(stops).where(stops.c.workspace_id == bindparam("of_workspace")).order_by(stops.c.id)
STOP = STOPS.where(stops.c.id == bindparam("this"))
OF_INCIDENT = STOPS.where(stops.c.incident_id == bindparam("of_incident"))
STANDING = STOPS.where(stops.c.state.not_in(_OVER))
STANDING_OF_INCIDENT = STANDING.where(stops.c.incident_id == bindparam("of_incident"))
OF_SCOPE = STANDING.where(stops.c.scope_kind == bindparam("kind"), stops.c.scope_id == bindparam("scope"))

_THIS_STOP = stops.c.workspace_id == bindparam("of_workspace"), stops.c.id == bindparam("this")
STOP_HELD = select(stops).where(*_THIS_STOP).with_for_update()
STOP_ID = select(stops.c.id).where(*_THIS_STOP)
HOLD_STOP = STOP_ID.with_for_update()
# These two take the columns besides.
ADD_STOP = insert(stops).returning(stops.c.id)
CHANGE_STOP = update(stops).where(*_THIS_STOP)
EVENTS = (
    select(stop_events)
    .where(stop_events.c.workspace_id == bindparam("of_workspace"), stop_events.c.stop_id == bindparam("of_stop"))
    .order_by(stop_events.c.id)
)

HOLDS = select(holds).where(holds.c.workspace_id == bindparam("of_workspace")).order_by(holds.c.id)
HOLD = HOLDS.where(holds.c.id == bindparam("this"))
OF_STOP = HOLDS.where(holds.c.stop_id == bindparam("of_stop"))
_OF_CONNECTION = HOLDS.where(holds.c.connection_id == bindparam("of_connection"))
HELD_ON = _OF_CONNECTION.where(or_(holds.c.state.in_(_ACTIVE), holds.c.released_at >= bindparam("since")))
_OF_LEVER = _OF_CONNECTION.where(
    holds.c.provider_project_id == bindparam("of_project"), holds.c.lever == bindparam("of_lever")
)
ONCE_HELD = _OF_LEVER.where(holds.c.state.not_in(_ACTIVE))
HELD_NOW = _OF_LEVER.where(holds.c.state.in_(_ACTIVE))
SET_WITHIN = HOLDS.where(
    holds.c.lever == bindparam("of_lever"), holds.c.set_at >= bindparam("begun"), holds.c.set_at < bindparam("ended")
)

_THIS_HOLD = holds.c.workspace_id == bindparam("of_workspace"), holds.c.id == bindparam("this")
HOLD_HELD = select(holds).where(*_THIS_HOLD).with_for_update()
CHANGE_HOLD = update(holds).where(*_THIS_HOLD)  # takes the columns besides

_OF_WORKER = holds.c.id == bindparam("this"), holds.c.worker == bindparam("who")
IS_LEASED = select(holds.c.id).where(*_OF_WORKER, holds.c.leased_until > bindparam("now"))
LET_GO = update(holds).where(*_OF_WORKER).values(worker=None, leased_until=None)
WATCHED = (
    select(holds.c.connection_id)
    .where(or_(holds.c.state.in_(_UNPROVED), holds.c.released_at > bindparam("since")))
    .distinct()
)


def _due() -> tuple[ColumnElement[bool], ...]:
    """By the moments `now`, `ahead` (leased until then is too long) and `too_late` (nobody waits until then)."""
    lease = holds.c.leased_until
    is_free = or_(lease.is_(None), lease <= bindparam("now"), lease > bindparam("ahead"))
    is_denied = holds.c.trouble.is_not_distinct_from(HoldTrouble.PROJECT_GONE.value)
    was_ahead = and_(_UNDER_WAY, ~is_denied, holds.c.next_at > bindparam("too_late"))
    # What nobody has failed at since waits for nothing: it was asked for by a clock ahead of this one.
    is_asked_for = and_(_UNDER_WAY, holds.c.attempts == 0, holds.c.next_at.is_not(None))
    return or_(holds.c.next_at <= bindparam("now"), was_ahead, is_asked_for), is_free


ANY_DUE = select(holds.c.id).where(*_due()).limit(1)
# A row that somebody is changing this very moment is left for the next time.
DUE = (
    select(holds.c.id)
    .where(*_due())
    .order_by(case((_UNDER_WAY, 0), else_=1), holds.c.next_at, holds.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
LEASE = update(holds).where(holds.c.id.in_(bindparam("these", expanding=True))).returning(holds)


@cache
def adding_hold(dialect: str) -> ReturningInsert[Any]:
    """Takes all columns; tells the id, or nothing where another is in its way."""
    return inserting(dialect, holds).on_conflict_do_nothing().returning(holds.c.id)
