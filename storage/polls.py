"""Polls and votes: the database knows every person once in a poll, and closes each poll once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, or_, select, update

from finops.polls import Ballot, Option, Poll, PollKind
from storage.errors import NotFound
from storage.repository import Repository, across_workspaces
from storage.tables_learning import poll_votes, polls

# Asked with every click, and put together once: that takes longer than answering them.
_ONE = select(polls).where(polls.c.workspace_id == bindparam("of_workspace"), polls.c.id == bindparam("this"))
# SQLite has one writer: there the lock is the transaction itself.
_HELD, _HELD_ALONE = _ONE.with_for_update(read=True), _ONE.with_for_update()


class Polls(Repository):
    """One row for each poll, one for each vote."""

    async def add(self, workspace_id: str, poll: Poll) -> Poll | None:
        """Keep a new poll (its id is given here); None when one with its key is there already."""
        values = {name: getattr(poll, name) for name in _COPIED} | {
            "workspace_id": workspace_id,
            "kind": poll.kind.value,
            "options": _told(poll.options),
        }
        statement = self._insert(polls).values(values)
        if poll.key is not None:
            statement = statement.on_conflict_do_nothing(index_elements=["workspace_id", "key"])
        row = (await self._db.execute(statement.returning(polls.c.id))).one_or_none()
        return None if row is None else replace(poll, id=row.id, workspace_id=workspace_id)

    async def get(self, workspace_id: str, poll_id: int) -> Poll | None:
        """The poll of that id, if it is this workspace's."""
        return await self._one(workspace_id, poll_id, None)

    async def hold(self, workspace_id: str, poll_id: int, *, is_alone: bool = False) -> Poll | None:
        """The same, and nobody closes it until our transaction ends; `is_alone`: nor votes."""
        return await self._one(workspace_id, poll_id, is_alone)

    async def latest(self, workspace_id: str, most: int) -> list[Poll]:
        """What people asked, newest first; polls of the product itself are not among them."""
        rows = await self._db.execute(
            select(polls)
            .where(polls.c.workspace_id == workspace_id, polls.c.kind != PollKind.PULSE.value)
            .order_by(polls.c.id.desc())
            .limit(most)
        )
        return [_poll(row) for row in rows]

    async def set_options(self, workspace_id: str, poll_id: int, options: Sequence[Option]) -> bool:
        """Offer these from now on; False when this workspace has no such poll."""
        result = await self._db.execute(
            update(polls)
            .where(polls.c.workspace_id == workspace_id, polls.c.id == poll_id)
            .values(options=_told(options))
        )
        return result.rowcount == 1

    async def vote(
        self, workspace_id: str, poll_id: int, voter: str, options: Sequence[str], at: datetime, clicked_us: int
    ) -> bool:
        """Keep a vote in place of the voter's earlier one; False when a later click stands. Hold the poll before.

        The same again is no change, so that a click that comes twice is one. NotFound when the poll is not there.
        """
        return await self._cast(workspace_id, poll_id, voter, options, at, clicked_us)

    async def withdraw(self, workspace_id: str, poll_id: int, voter: str, at: datetime, clicked_us: int) -> bool:
        """Take a vote back; False when a later click stands. Hold the poll before.

        That it was is kept until the poll closes, and counts for nothing: an older click must not bring it back.
        """
        return await self._cast(workspace_id, poll_id, voter, (), at, clicked_us)

    async def _cast(
        self, workspace_id: str, poll_id: int, voter: str, options: Sequence[str], at: datetime, clicked_us: int
    ) -> bool:
        if await self.get(workspace_id, poll_id) is None:
            raise NotFound("poll", poll_id)
        mine = {"workspace_id": workspace_id, "poll_id": poll_id, "voter": voter}
        given = {"options": list(options), "voted_at": at, "clicked_us": clicked_us}
        made = self._insert(poll_votes).values(mine | given | {"revision": 1 if options else 0})
        stands, new = poll_votes.c, made.excluded
        differs = stands.options != new.options
        changed = stands.revision + 1 if options else 0
        found = await self._db.scalar(
            made.on_conflict_do_update(
                index_elements=list(mine),
                set_={
                    "options": new.options,
                    "voted_at": case((differs, new.voted_at), else_=stands.voted_at),
                    "revision": case((differs, changed), else_=stands.revision),
                    "clicked_us": new.clicked_us,
                },
                where=or_(stands.clicked_us.is_(None), stands.clicked_us <= new.clicked_us),
            ).returning(poll_votes.c.revision)
        )
        return found is not None

    async def ballot(self, workspace_id: str, poll_id: int, voter: str, *, is_held: bool = False) -> Ballot | None:
        """One voter's vote; `is_held`: nobody changes it until our transaction ends."""
        query = select(poll_votes).where(*_mine(workspace_id, poll_id, voter))
        row = (await self._db.execute(query.with_for_update() if is_held else query)).one_or_none()
        return None if row is None or not row.revision else _ballot(row)

    async def ballots(self, workspace_id: str, poll_id: int) -> list[Ballot]:
        """Every vote of a poll."""
        rows = await self._db.execute(
            select(poll_votes).where(*_counted(workspace_id, poll_id)).order_by(poll_votes.c.voter)
        )
        return [_ballot(row) for row in rows]

    async def voted(self, workspace_id: str, poll_id: int) -> int:
        """How many people voted."""
        query = select(func.count()).select_from(poll_votes).where(*_counted(workspace_id, poll_id))
        return int(await self._db.scalar(query) or 0)

    async def deciding(self, workspace_id: str, most: int) -> list[Poll]:
        """The polls that decide what comes next, newest first, open ones among them."""
        rows = await self._db.execute(
            select(polls)
            .where(polls.c.workspace_id == workspace_id)
            .where(or_(polls.c.kind == PollKind.NEXT_FEATURE.value, polls.c.deciding_by.is_not(None)))
            .order_by(polls.c.id.desc())
            .limit(most)
        )
        return [_poll(row) for row in rows]

    async def mark(self, workspace_id: str, poll_id: int, by: str | None) -> bool:
        """Have a poll that people asked decide what comes next, or not (None); False when it was so already."""
        is_news = polls.c.deciding_by.is_(None) if by is not None else polls.c.deciding_by.is_not(None)
        result = await self._db.execute(
            update(polls)
            .where(polls.c.workspace_id == workspace_id, polls.c.id == poll_id)
            .where(polls.c.kind == PollKind.CUSTOM.value, is_news)
            .values(deciding_by=by)
        )
        return result.rowcount == 1

    async def pulses(self, workspace_id: str, since: str, until: str) -> list[tuple[str, bool, dict[str, int]]]:
        """What was answered below digests: each poll's key (`since` is included), whether it is open, and its votes."""
        rows = await self._db.execute(
            select(polls.c.key, polls.c.closed_at, poll_votes.c.options, func.count(poll_votes.c.voter).label("votes"))
            .select_from(
                polls.outerjoin(
                    poll_votes,
                    and_(
                        poll_votes.c.workspace_id == polls.c.workspace_id,
                        poll_votes.c.poll_id == polls.c.id,
                        poll_votes.c.revision > 0,
                    ),
                )
            )
            .where(polls.c.workspace_id == workspace_id, polls.c.kind == PollKind.PULSE.value)
            .where(polls.c.key >= since, polls.c.key < until)
            .group_by(polls.c.key, polls.c.closed_at, poll_votes.c.options)
            .order_by(polls.c.key)
        )
        found: dict[str, tuple[str, bool, dict[str, int]]] = {}
        for row in rows:
            votes = found.setdefault(row.key, (row.key, row.closed_at is None, {}))[2]
            for option in row.options or ():
                votes[option] = votes.get(option, 0) + row.votes
        return list(found.values())

    async def close(self, workspace_id: str, poll_id: int, by: str, at: datetime) -> bool:
        """Close it: True for exactly one of all who try.

        With it go its salt, the times of the clicks, and what was taken back.
        """
        result = await self._db.execute(
            update(polls)
            .where(polls.c.workspace_id == workspace_id, polls.c.id == poll_id, polls.c.closed_at.is_(None))
            .values(closed_at=at, closed_by=by, remind_at=None, salt=None)
        )
        if result.rowcount != 1:
            return False
        mine = poll_votes.c.workspace_id == workspace_id, poll_votes.c.poll_id == poll_id
        await self._db.execute(delete(poll_votes).where(*mine, poll_votes.c.revision == 0))
        await self._db.execute(update(poll_votes).where(*mine).values(clicked_us=None))
        return True

    async def take_reminder(self, workspace_id: str, poll_id: int) -> bool:
        """Whether the reminder is still to be made: True for exactly one of all who ask."""
        result = await self._db.execute(
            update(polls)
            .where(polls.c.workspace_id == workspace_id, polls.c.id == poll_id)
            .where(polls.c.remind_at.is_not(None), polls.c.closed_at.is_(None))
            .values(remind_at=None)
        )
        return result.rowcount == 1

    @across_workspaces("polls end in every workspace; the row says whose it is")
    async def over(self, now: datetime) -> list[Poll]:
        """Polls that are to be closed, the first to end first."""
        rows = await self._db.execute(
            select(polls).where(polls.c.closed_at.is_(None), polls.c.closes_at <= now).order_by(polls.c.closes_at)
        )
        return [_poll(row) for row in rows]

    @across_workspaces("reminders are made in every workspace; the row says whose it is")
    async def to_remind(self, now: datetime) -> list[Poll]:
        """Open polls whose reminder is due."""
        rows = await self._db.execute(
            select(polls)
            .where(polls.c.closed_at.is_(None), polls.c.closes_at > now, polls.c.remind_at <= now)
            .order_by(polls.c.remind_at)
        )
        return [_poll(row) for row in rows]

    async def _one(self, workspace_id: str, poll_id: int, is_alone: bool | None) -> Poll | None:
        query = _ONE if is_alone is None else _HELD_ALONE if is_alone else _HELD
        row = (await self._db.execute(query, {"of_workspace": workspace_id, "this": poll_id})).one_or_none()
        return None if row is None else _poll(row)


_COPIED = (
    "channel_id", "parent_key", "question", "is_multiple", "is_anonymous", "may_add", "is_hidden", "locale",
    "timezone", "closes_at", "remind_at", "created_by", "created_at", "closed_at", "closed_by", "salt", "key",
)  # fmt: skip


def _mine(workspace_id: str, poll_id: int, voter: str) -> tuple[Any, ...]:
    return (
        poll_votes.c.workspace_id == workspace_id,
        poll_votes.c.poll_id == poll_id,
        poll_votes.c.voter == voter,
    )


def _counted(workspace_id: str, poll_id: int) -> tuple[Any, ...]:
    return poll_votes.c.workspace_id == workspace_id, poll_votes.c.poll_id == poll_id, poll_votes.c.revision > 0


def _told(options: Sequence[Option]) -> list[dict[str, str]]:
    return [{"id": option.id, "text": option.text} for option in options]


def _poll(row: Any) -> Poll:
    told = dict(row._mapping)
    options = tuple(Option(str(one["id"]), str(one["text"])) for one in row.options)
    return Poll(**told | {"kind": PollKind(row.kind), "options": options})


def _ballot(row: Any) -> Ballot:
    return Ballot(row.voter, tuple(row.options), row.voted_at, row.revision)
