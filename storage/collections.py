"""The queue of collections: claimed by one worker at a time, resumed by another when that one dies."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from finops.periods import Period
from storage.errors import LeaseLost
from storage.records import Collection, CollectionKind, CollectionState
from storage.repository import Lock, Repository, across_workspaces, inserting
from storage.tables import collections

# What waits for its next try has a heartbeat some minutes ahead; further ahead, a clock was wrong and is right again.
_FURTHEST_AHEAD = timedelta(hours=1)
_OPEN = (CollectionState.QUEUED, CollectionState.RUNNING)
# Asked all the time, and put together once: that takes longer than answering them.
_MINE = select(collections).where(collections.c.workspace_id == bindparam("of_workspace")).order_by(collections.c.id)
_ONE = _MINE.where(collections.c.id == bindparam("this"))
_ACTIVE = _MINE.where(collections.c.state.in_(_OPEN))
_LATEST = (
    select(collections)
    .where(collections.c.workspace_id == bindparam("of_workspace"))
    .where(collections.c.connection_id == bindparam("of_connection"))
    .order_by(collections.c.id.desc())
    .limit(1)
)
_LATEST_OF_KIND = _LATEST.where(collections.c.kind == bindparam("of_kind"))
_TOUCH = update(collections).where(
    collections.c.id == bindparam("this"),
    collections.c.worker == bindparam("who"),
    collections.c.state == CollectionState.RUNNING,
)


@cache
def _adding(dialect: str) -> ReturningInsert[Any]:
    key = ["workspace_id", "connection_id", "kind", "slot"]
    return inserting(dialect, collections).on_conflict_do_nothing(index_elements=key).returning(*collections.c)


def _claiming() -> ReturningUpdate[Any]:
    """Give a waiting collection, or one whose worker is silent, to a worker."""
    now, silent_since, impossible = (
        bindparam(name, type_=collections.c.heartbeat_at.type) for name in ("now", "silent_since", "impossible")
    )
    other = collections.alias("other")
    busy = exists().where(
        other.c.connection_id == collections.c.connection_id,
        other.c.id != collections.c.id,
        other.c.state == CollectionState.RUNNING,
        other.c.heartbeat_at > silent_since,
        other.c.heartbeat_at < impossible,
    )
    free = or_(
        collections.c.state == CollectionState.QUEUED,
        and_(
            collections.c.state == CollectionState.RUNNING,
            or_(collections.c.heartbeat_at <= silent_since, collections.c.heartbeat_at >= impossible),
        ),
    )
    # Rows that another worker is taking this very moment are passed over; on SQLite there are none.
    oldest = (
        select(collections.c.id)
        .where(free, ~busy)
        # The least tried first: one that fails again and again must not keep this morning's reading waiting.
        .order_by(collections.c.attempts, collections.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = {"state": CollectionState.RUNNING, "worker": bindparam("who"), "heartbeat_at": now}
    changed = update(collections).where(collections.c.id == oldest)
    return changed.values(taken | {"attempts": collections.c.attempts + 1}).returning(*collections.c)


# Every worker asks twice a second; putting the question together takes ten times as long as answering it.
_CLAIM = _claiming()


class Collections(Repository):
    """Readings of bills that were asked for: by the clock, by a person, by a first connection."""

    async def add(
        self,
        workspace_id: str,
        *,
        connection_id: int,
        kind: CollectionKind,
        slot: str,
        period: Period,
        requested_by: str | None,
        at: datetime,
    ) -> Collection | None:
        """Queue a collection; None when this connection already has one of that kind and slot."""
        values = {
            "workspace_id": workspace_id,
            "connection_id": connection_id,
            "kind": kind,
            "slot": slot,
            "period_start": period.start,
            "period_end": period.end,
            "next_day": period.start,
            "days_done": 0,
            "state": CollectionState.QUEUED,
            "requested_by": requested_by,
            "attempts": 0,
            "created_at": at,
        }
        row = (await self._db.execute(_adding(self._db.dialect.name), values)).one_or_none()
        return None if row is None else _collection(row)

    async def get(self, workspace_id: str, collection_id: int) -> Collection | None:
        """The collection as it stands, or None."""
        found = await self._many(_ONE, workspace_id, this=collection_id)
        return found[0] if found else None

    async def active(self, workspace_id: str) -> list[Collection]:
        """Everything queued or running, oldest first."""
        return await self._many(_ACTIVE, workspace_id)

    async def latest(
        self, workspace_id: str, connection_id: int, kind: CollectionKind | None = None
    ) -> Collection | None:
        """The newest collection of a connection, of one kind when given; None before the first."""
        whose = {"of_workspace": workspace_id, "of_connection": connection_id}
        if kind is None:
            row = (await self._db.execute(_LATEST, whose)).one_or_none()
        else:
            row = (await self._db.execute(_LATEST_OF_KIND, whose | {"of_kind": kind})).one_or_none()
        return None if row is None else _collection(row)

    async def tell(self, workspace_id: str, collection_id: int, channel_id: str, message_ts: str) -> None:
        """Keep which message speaks of this collection's progress."""
        await self._db.execute(
            update(collections)
            .where(collections.c.workspace_id == workspace_id, collections.c.id == collection_id)
            .values(channel_id=channel_id, message_ts=message_ts)
        )

    async def adopt(self, workspace_id: str, collection_id: int, requested_by: str) -> bool:
        """Make one that nobody asked for somebody's, who is told of it; False where it is over, or somebody's."""
        result = await self._db.execute(
            update(collections)
            .where(collections.c.workspace_id == workspace_id, collections.c.id == collection_id)
            .where(collections.c.state.in_(_OPEN), collections.c.requested_by.is_(None))
            .values(requested_by=requested_by)
        )
        return result.rowcount == 1

    @across_workspaces("a worker takes the next work of any workspace; the row says whose it is")
    async def claim(self, worker: str, now: datetime, lease: timedelta) -> Collection | None:
        """Take what waits, or has a worker not heard of for `lease`: what was tried least, and of that the oldest.

        Exactly one of many workers gets each. A connection is read by one worker at a time, so that two collections
        of one connection do not share its rate limit.
        """
        # One at a time decides who reads what, or two would both find a connection free.
        await self._alone(Lock.COLLECTING)
        asked = {"who": worker, "now": now, "silent_since": now - lease, "impossible": now + _FURTHEST_AHEAD}
        row = (await self._db.execute(_CLAIM, asked)).one_or_none()
        return None if row is None else _collection(row)

    @across_workspaces("a worker speaks of the row it holds")
    async def heartbeat(self, collection_id: int, worker: str, now: datetime) -> bool:
        """Say that `worker` is alive; False when the work is no longer its own."""
        return await self._touch(collection_id, worker, {"heartbeat_at": now})

    @across_workspaces("a worker speaks of the row it holds")
    async def advance(self, collection_id: int, worker: str, next_day: date, days_done: int, now: datetime) -> None:
        """Keep how far we are; raises LeaseLost, so that the day stored in the same transaction rolls back with it."""
        values = {"next_day": next_day, "days_done": days_done, "heartbeat_at": now}
        if not await self._touch(collection_id, worker, values):
            raise LeaseLost(f"collection {collection_id} is no longer {worker}'s")

    @across_workspaces("a worker speaks of the row it holds")
    async def finish(
        self, collection_id: int, worker: str, state: CollectionState, error: str | None, at: datetime
    ) -> None:
        """Close it, done or failed; raises LeaseLost when another worker has taken it over."""
        if not await self._touch(collection_id, worker, {"state": state, "error": error, "finished_at": at}):
            raise LeaseLost(f"collection {collection_id} is no longer {worker}'s")

    @across_workspaces("a worker speaks of the row it holds")
    async def release(self, collection_id: int, worker: str) -> bool:
        """Give unfinished work back to the queue (a worker shutting down); False when it was not its own."""
        return await self._touch(collection_id, worker, {"state": CollectionState.QUEUED, "worker": None})

    async def _touch(self, collection_id: int, worker: str, values: dict[str, Any]) -> bool:
        return (await self._db.execute(_TOUCH, values | {"this": collection_id, "who": worker})).rowcount == 1

    async def _many(self, query: Select[Any], workspace_id: str, **asked: Any) -> list[Collection]:
        rows = await self._db.execute(query, {"of_workspace": workspace_id, **asked})
        return [_collection(row) for row in rows]


def _collection(row: Any) -> Collection:
    told = dict(row._mapping)
    period = Period(told.pop("period_start"), told.pop("period_end"))
    return Collection(
        **(told | {"kind": CollectionKind(row.kind), "state": CollectionState(row.state), "period": period})
    )
