"""Claims: the database decides who acts, so that retries, double clicks and replicas do a thing once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from storage.repository import Repository, across_workspaces, inserting
from storage.tables import claims, job_runs

_RUNNING, _DONE = "running", "done"
_FURTHEST_AHEAD = timedelta(minutes=15)
# Later than any sweep asks about.
FOR_GOOD = datetime(9999, 1, 1, tzinfo=UTC)
_CLAIMED = select(claims.c.key).where(
    claims.c.workspace_id == bindparam("of_workspace"), claims.c.key == bindparam("this")
)


@lru_cache(maxsize=4)
def _claiming(dialect: str) -> ReturningInsert[Any]:
    """Take a key that nobody took before, and tell it. Put together once: that takes longer than asking."""
    first = inserting(dialect, claims).on_conflict_do_nothing(index_elements=["workspace_id", "key"])
    return first.returning(claims.c.key)


class Claims(Repository):
    """Unique rows: whoever inserts one may act."""

    async def once(self, workspace_id: str, key: str, at: datetime) -> bool:
        """True for exactly one of all who ever ask with this key."""
        claim = {"workspace_id": workspace_id, "key": key, "claimed_at": at}
        return (await self._db.execute(_claiming(self._db.dialect.name), claim)).one_or_none() is not None

    async def newest(self, workspace_id: str, prefix: str, before: datetime | None = None) -> datetime | None:
        """When a key that begins so was claimed last (before that moment, where given); None where none is kept."""
        mine = [claims.c.workspace_id == workspace_id, claims.c.key.startswith(prefix, autoescape=True)]
        mine += [] if before is None else [claims.c.claimed_at < before]
        newest: datetime | None = await self._db.scalar(select(func.max(claims.c.claimed_at)).where(*mine))
        return newest

    async def last(self, workspace_id: str, prefix: str) -> tuple[str, datetime] | None:
        """The key that begins so and was claimed last, and when; None where none is kept."""
        mine = claims.c.workspace_id == workspace_id, claims.c.key.startswith(prefix, autoescape=True)
        newest = (
            select(claims.c.key, claims.c.claimed_at).where(*mine).order_by(claims.c.claimed_at.desc(), claims.c.key)
        )
        row = (await self._db.execute(newest.limit(1))).one_or_none()
        return None if row is None else (row.key, row.claimed_at)

    async def keep(self, workspace_id: str, key: str) -> None:
        """Claim a key for good: no sweep forgets it. Asked again, nothing changes."""
        claim = {"workspace_id": workspace_id, "key": key, "claimed_at": FOR_GOOD}
        await self._db.execute(_claiming(self._db.dialect.name), claim)

    async def has(self, workspace_id: str, key: str) -> bool:
        """Whether somebody claimed this key, as far as it is kept."""
        return await self._db.scalar(_CLAIMED, {"of_workspace": workspace_id, "this": key}) is not None

    async def take_back(self, workspace_id: str, key: str) -> None:
        """Let somebody ask with this key again: what it was asked for came to nothing."""
        await self._db.execute(delete(claims).where(claims.c.workspace_id == workspace_id, claims.c.key == key))

    async def forget_ahead(self, workspace_id: str, prefix: str, at: datetime) -> int:
        """Drop claims whose keys begin so and that were made later than `at`, by a clock that was wrong; how many."""
        mine = claims.c.workspace_id == workspace_id, claims.c.key.startswith(prefix, autoescape=True)
        return (await self._db.execute(delete(claims).where(*mine, claims.c.claimed_at > at))).rowcount

    @across_workspaces("old claims are swept everywhere: Slack's retries end within the hour")
    async def forget_before(self, at: datetime) -> int:
        """Drop claims made before `at`; tells how many."""
        return (await self._db.execute(delete(claims).where(claims.c.claimed_at < at))).rowcount

    @across_workspaces("a job runs once for all workspaces")
    async def run(self, job: str, slot: str, worker: str, now: datetime, lease: timedelta) -> bool:
        """Take one slot of a job: True for one worker, and for another once `lease` has passed and it is not `done`.

        One taken from a quarter of an hour ahead on is free: that clock has been put back since.
        """
        taken_at = job_runs.c.heartbeat_at
        is_free = or_(taken_at <= now - lease, taken_at > now + _FURTHEST_AHEAD)
        insert = self._insert(job_runs).values(job=job, slot=slot, worker=worker, state=_RUNNING, heartbeat_at=now)
        statement = insert.on_conflict_do_update(
            index_elements=["job", "slot"],
            set_={"worker": worker, "state": _RUNNING, "heartbeat_at": now},
            where=and_(job_runs.c.state != _DONE, is_free),
        ).returning(job_runs.c.worker)
        return (await self._db.execute(statement)).one_or_none() is not None

    @across_workspaces("a job runs once for all workspaces")
    async def done(self, job: str, slot: str, at: datetime) -> None:
        """Close a slot for good."""
        await self._db.execute(
            update(job_runs).where(job_runs.c.job == job, job_runs.c.slot == slot).values(state=_DONE, heartbeat_at=at)
        )
