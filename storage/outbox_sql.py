"""The outbox's statements that are asked all the time, put together once: that took longer than answering them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from storage.records_live import OutboxState
from storage.repository import Insert, inserting
from storage.tables_live import outbox

UNSENT = (OutboxState.WAITING.value, OutboxState.SENDING.value)
_ENDED = (OutboxState.SENT.value, OutboxState.DEAD.value)
_ROOT = outbox.alias("root")
_OF_ROOT = and_(_ROOT.c.workspace_id == outbox.c.workspace_id, _ROOT.c.key == outbox.c.thread_key)
_TOLD_AGAIN = (
    "kind", "subject", "channel_id", "recipients", "thread_key", "is_broadcast", "wanted_at", "next_at",
)  # fmt: skip

# A message with the place of its root.
WITH_ROOT: Select[Any] = select(
    *outbox.c, _ROOT.c.ts.label("thread_ts"), _ROOT.c.posted_channel_id.label("thread_channel_id")
).select_from(outbox.outerjoin(_ROOT, _OF_ROOT))

_THIS = outbox.c.workspace_id == bindparam("of_workspace"), outbox.c.key == bindparam("this")
_THESE = outbox.c.id.in_(bindparam("these", expanding=True))
_SENDING = outbox.c.state == OutboxState.SENDING.value

ONE = WITH_ROOT.where(*_THIS)
EACH = WITH_ROOT.where(_THESE)
HELD = select(outbox).where(*_THIS).with_for_update()
IS_LEASED = select(outbox.c.id).where(
    *_THIS, outbox.c.worker == bindparam("who"), _SENDING, outbox.c.attempts == bindparam("which")
)
# Takes the columns that change besides.
CHANGE = update(outbox).where(*_THIS)

# Of some rows, those that nobody is changing this very moment.
FREE_OF = select(outbox.c.id, outbox.c.state).where(_THESE).with_for_update(skip_locked=True)
TAKE = (
    update(outbox)
    .where(_THESE)
    .values(
        state=OutboxState.SENDING.value,
        worker=bindparam("who"),
        leased_until=bindparam("until"),
        attempts=outbox.c.attempts + 1,
        is_uncertain=or_(outbox.c.is_uncertain, _SENDING),
    )
)

WAITING = select(func.count()).where(outbox.c.state.in_(UNSENT))
OLDEST = select(func.min(outbox.c.wanted_at)).where(outbox.c.state.in_(UNSENT))

# A root that was given up is tried anew: so are the lines that were given up with it.
REVIVE_LINES = (
    update(outbox)
    .where(outbox.c.workspace_id == bindparam("of_workspace"), outbox.c.thread_key == bindparam("of_root"))
    .where(outbox.c.ts.is_(None), outbox.c.state == OutboxState.DEAD.value)
    .where(
        exists().where(
            _ROOT.c.workspace_id == bindparam("of_workspace"), _ROOT.c.key == bindparam("of_root"), _ROOT.c.ts.is_(None)
        )
    )
    .values(state=OutboxState.WAITING.value, next_at=bindparam("at"), attempts=0)
)

# A thread is told in order: what comes before an urgent line is as urgent.
HURRY_THREAD = (
    update(outbox)
    .where(outbox.c.workspace_id == bindparam("of_workspace"))
    .where(or_(outbox.c.key == bindparam("of_root"), outbox.c.thread_key == bindparam("of_root")))
    .where(outbox.c.state.in_(UNSENT), outbox.c.ts.is_(None), outbox.c.urgency < bindparam("how_urgent"))
    .values(urgency=bindparam("how_urgent"))
)


@cache
def wanting(dialect: str) -> Insert:
    """A message is asked for, or its present form when it was asked for before. Takes all columns of a new row."""
    insert = inserting(dialect, outbox)
    given, has_ended = insert.excluded, outbox.c.state.in_(_ENDED)
    more_urgent = case((outbox.c.urgency < given.urgency, given.urgency), else_=outbox.c.urgency)
    changed: dict[str, Any] = {name: given[name] for name in _TOLD_AGAIN} | {
        "version": outbox.c.version + 1,
        "urgency": case((has_ended, given.urgency), else_=more_urgent),
        "is_prompt": or_(outbox.c.is_prompt, given.is_prompt),
        # Whoever is sending it finds the newer version afterwards.
        "state": case((has_ended, OutboxState.WAITING.value), else_=outbox.c.state),
        "attempts": case((has_ended, 0), else_=outbox.c.attempts),
        "detected_at": func.coalesce(outbox.c.detected_at, given.detected_at),
        "available_at": case((outbox.c.detected_at.is_(None), given.available_at), else_=outbox.c.available_at),
    }
    return insert.on_conflict_do_update(index_elements=["workspace_id", "key"], set_=changed)


def _next() -> Select[Any]:
    """The ids of what may be sent now: the first of each channel in which nothing is under way."""
    # Without a channel it goes to people, and stands in nobody's way.
    place = func.coalesce(outbox.c.posted_channel_id, _ROOT.c.posted_channel_id, outbox.c.channel_id, outbox.c.key)
    is_leased = and_(_SENDING, ~_has_come(outbox.c.leased_until))
    everything = (
        select(
            outbox.c.id,
            outbox.c.workspace_id,
            outbox.c.urgency,
            place.label("place"),
            is_leased.label("is_leased"),
            _may_go().label("may_go"),
        )
        .select_from(outbox.outerjoin(_ROOT, _OF_ROOT))
        .where(outbox.c.state.in_(UNSENT))
        .cte("everything")
    )
    # Joined, not asked for each row: what is under way is a handful, and what waits may be thousands.
    leased = select(everything.c.workspace_id, everything.c.place).where(everything.c.is_leased).distinct().subquery()
    same_place = and_(leased.c.workspace_id == everything.c.workspace_id, leased.c.place == everything.c.place)
    order = (everything.c.urgency.desc(), everything.c.id)
    turn = func.row_number().over(partition_by=(everything.c.workspace_id, everything.c.place), order_by=order)
    free = (
        select(everything.c.id, everything.c.urgency, turn.label("turn"))
        .select_from(everything.outerjoin(leased, same_place))
        .where(everything.c.may_go, leased.c.place.is_(None), everything.c.place.not_in(_several("busy")))
    )
    first = free.subquery("free")
    most = bindparam("most", type_=Integer)
    return select(first.c.id).where(first.c.turn == 1).order_by(first.c.urgency.desc(), first.c.id).limit(most)


def _may_go() -> ColumnElement[bool]:
    line = outbox.alias("line")
    earlier_line = exists().where(
        line.c.workspace_id == outbox.c.workspace_id,
        line.c.thread_key == outbox.c.thread_key,
        line.c.id < outbox.c.id,
        line.c.ts.is_(None),
        line.c.state.in_(UNSENT),
    )
    stands = outbox.c.ts.is_not(None)
    is_its_turn = or_(
        and_(stands, or_(outbox.c.is_prompt, _has_come(outbox.c.sent_at, "edited_by"))),
        and_(~stands, or_(outbox.c.thread_key.is_(None), and_(_ROOT.c.ts.is_not(None), ~earlier_line))),
    )
    is_free = or_(
        and_(outbox.c.state == OutboxState.WAITING.value, _has_come(outbox.c.next_at)),
        and_(_SENDING, _has_come(outbox.c.leased_until)),
    )
    is_held = or_(
        and_(stands, outbox.c.workspace_id.in_(_several("no_edits_in"))),
        and_(~stands, outbox.c.workspace_id.in_(_several("no_posts_in"))),
    )
    return and_(is_free, is_its_turn, ~is_held)


def _has_come(moment: ColumnElement[Any], by: str = "now") -> ColumnElement[bool]:
    return or_(moment <= bindparam(by), moment > bindparam("ahead"))


def _several(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


NEXT = _next()
