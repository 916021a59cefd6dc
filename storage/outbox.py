"""The outbox: what people must be told, kept with the decision that says so, until Slack confirms it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select, update

from finops.trials import KIND as TRIAL
from storage import outbox_sql as sql
from storage.records_live import NOTHING_TO_SAY, OutboxMessage, OutboxState
from storage.repository import Lock, Repository, across_workspaces
from storage.tables_live import outbox

_UNSENT = sql.UNSENT
_COPY = "@"
# What waits or is leased for longer than this was stamped by a clock that ran ahead: Slack's longest wait is shorter.
_FURTHEST_AHEAD = timedelta(minutes=15)


def copy_key(key: str, user_id: str) -> str:
    """The name of one person's copy of a message that could not be told in its channel."""
    return f"{key}{_COPY}{user_id}"


class Outbox(Repository):
    """One row per message in its desired form. At least once to Slack; a key makes it once to people."""

    async def want(
        self,
        workspace_id: str,
        key: str,
        kind: str,
        subject: Mapping[str, Any],
        channel_id: str | None,
        recipients: Sequence[str],
        *,
        thread_key: str | None = None,
        is_broadcast: bool = False,
        urgency: int = 0,
        at: datetime,
        detected_at: datetime | None = None,
        available_at: datetime | None = None,
        is_prompt: bool = False,
    ) -> None:
        """Ask for a message, or for its present form when it was asked for before: that is an edit once it stands.

        Call it inside the transaction of the decision. The two clocks are those of the first asking. An urgent line
        of a thread hurries the lines before it, for a thread is told in order. `is_prompt`: somebody waits for this
        edit, so it is not held back to be told together with later ones.
        """
        fresh = {
            "workspace_id": workspace_id,
            "key": key,
            "kind": kind,
            "subject": dict(subject),
            "channel_id": channel_id,
            "recipients": list(recipients),
            "thread_key": thread_key,
            "is_broadcast": is_broadcast,
            "urgency": urgency,
            "is_prompt": is_prompt,
            "version": 1,
            "state": OutboxState.WAITING.value,
            "is_uncertain": False,
            "attempts": 0,
            "next_at": at,
            "first_wanted_at": at,
            "wanted_at": at,
            "detected_at": detected_at,
            "available_at": available_at,
        }
        await self._db.execute(sql.wanting(self._db.dialect.name), fresh)
        whose = {"of_workspace": workspace_id, "of_root": thread_key or key}
        if thread_key is None:
            await self._db.execute(sql.REVIVE_LINES, whose | {"at": at})
        elif urgency:
            await self._db.execute(sql.HURRY_THREAD, whose | {"how_urgent": urgency})

    async def get(self, workspace_id: str, key: str) -> OutboxMessage | None:
        """The message under this key, or None when nobody asked for it."""
        found = await self._messages(sql.ONE, {"of_workspace": workspace_id, "this": key})
        return found[0] if found else None

    async def beginning(self, workspace_id: str, prefix: str) -> list[OutboxMessage]:
        """The messages whose keys begin so, in the order of first wanting; without the copies told to single people."""
        mine = outbox.c.workspace_id == workspace_id, outbox.c.key.startswith(prefix, autoescape=True)
        return await self._messages(sql.WITH_ROOT.where(*mine, ~outbox.c.key.contains(_COPY)).order_by(outbox.c.id))

    async def newest_of(self, workspace_id: str, kind: str, most: int) -> list[OutboxMessage]:
        """The messages of a kind that were wanted last, at most so many, the newest first. Looks at all it keeps."""
        mine = outbox.c.workspace_id == workspace_id, outbox.c.kind == kind
        query = sql.WITH_ROOT.where(*mine).order_by(outbox.c.wanted_at.desc(), outbox.c.id.desc()).limit(most)
        return await self._messages(query)

    @across_workspaces("a worker sends the next messages of any workspace; the row says whose it is")
    async def lease(
        self,
        worker: str,
        now: datetime,
        lease: timedelta,
        limit: int,
        busy_channels: Collection[str] = (),
        edit_gap: timedelta = timedelta(0),
        *,
        no_posts_in: Collection[str] = (),
        no_edits_in: Collection[str] = (),
        settling: timedelta = timedelta(),
    ) -> list[OutboxMessage]:
        """Take what may be sent now: urgent first, then what was wanted first; at most one for each channel.

        In the workspaces of `no_posts_in` and `no_edits_in` nothing is posted or edited now: Slack said so.

        Each goes to one worker until `lease` passes in silence. A line of a thread waits for its root, and for the
        lines before it. A message that stands is edited again `edit_gap` after the last time, unless somebody waits.

        What a silent worker holds is taken from it and goes to nobody for `settling`: with another clock than ours it
        may be alive, and saying it this very moment.
        """
        # One at a time decides who sends what, or two would both find a channel free.
        await self._alone(Lock.SENDING)
        asked = {
            "now": now,
            "ahead": now + _FURTHEST_AHEAD,
            "edited_by": now - edit_gap,
            "busy": list(busy_channels),
            "no_posts_in": list(no_posts_in),
            "no_edits_in": list(no_edits_in),
            "most": limit,
        }
        ids = (await self._db.scalars(sql.NEXT, asked)).all()
        if not ids:
            return []
        # A row that a decision is changing this very moment is left for the next time.
        states = {row.id: row.state for row in await self._db.execute(sql.FREE_OF, {"these": ids})}
        if settling and (left := [each for each, state in states.items() if state == OutboxState.SENDING]):
            taken = {"state": OutboxState.WAITING, "worker": None, "leased_until": None, "is_uncertain": True}
            await self._db.execute(
                update(outbox).where(outbox.c.id.in_(left)).values(taken | {"next_at": now + settling})
            )
            states = {each: state for each, state in states.items() if each not in left}
        if not (free := list(states)):
            return []
        await self._db.execute(sql.TAKE, {"these": free, "who": worker, "until": now + lease})
        found = await self._messages(sql.EACH, {"these": free})
        return sorted(found, key=lambda message: (-message.urgency, message.id))

    async def is_leased(self, workspace_id: str, key: str, worker: str, attempts: int) -> bool:
        """Whether it is still `worker`'s, and this its last attempt: nobody has taken it over since."""
        asked = {"of_workspace": workspace_id, "this": key, "who": worker, "which": attempts}
        return await self._db.scalar(sql.IS_LEASED, asked) is not None

    async def sent(
        self, workspace_id: str, key: str, worker: str, version: int, channel_id: str, ts: str, at: datetime
    ) -> bool:
        """Slack has this version of it there. Wanted again meanwhile, it waits for its edit.

        False when another worker has taken it over; where it stands is kept even so, for it does stand there, unless
        the other has put it somewhere already.
        """
        row = await self._held(workspace_id, key)
        if row is None:
            return False
        where = {"ts": ts, "posted_channel_id": channel_id, "sent_version": version, "sent_at": at}
        if row.worker != worker or row.state != OutboxState.SENDING:
            if row.ts is None:
                await self._set(workspace_id, key, where | {"delivered_at": at})
            return False
        is_newest = row.version == version
        await self._set(
            workspace_id,
            key,
            where
            | {
                "delivered_at": row.delivered_at or at,
                "state": OutboxState.SENT if is_newest else OutboxState.WAITING,
                "is_prompt": False if is_newest else row.is_prompt,
                "is_uncertain": False,
                "next_at": at,
                "attempts": 0,
                "worker": None,
                "leased_until": None,
                "last_error": None,
            },
        )
        return True

    async def retry(
        self,
        workspace_id: str,
        key: str,
        worker: str,
        next_at: datetime,
        error: str | None,
        *,
        is_uncertain: bool = False,
    ) -> bool:
        """Give it back until `next_at`; `is_uncertain` when it may have reached Slack. False when it was not ours."""
        row = await self._held(workspace_id, key)
        if row is None or row.worker != worker or row.state != OutboxState.SENDING:
            return False
        await self._set(
            workspace_id,
            key,
            {
                "state": OutboxState.WAITING,
                "worker": None,
                "leased_until": None,
                "next_at": next_at,
                "last_error": error,
                "is_uncertain": row.is_uncertain or is_uncertain,
            },
        )
        return True

    async def dead(self, workspace_id: str, key: str, worker: str, error: str) -> bool:
        """Give it up, and with it the lines that wait for it to begin their thread. False when it was not ours."""
        row = await self._held(workspace_id, key)
        if row is None or row.worker != worker or row.state != OutboxState.SENDING:
            return False
        ended = {"state": OutboxState.DEAD, "worker": None, "leased_until": None, "last_error": error}
        await self._set(workspace_id, key, ended)
        if row.ts is None:
            await self._db.execute(
                update(outbox)
                .where(outbox.c.workspace_id == workspace_id, outbox.c.thread_key == key)
                .where(outbox.c.state == OutboxState.WAITING)
                .values(ended)
            )
        return True

    async def mailed(self, workspace_id: str, key: str, at: datetime) -> bool:
        """It goes by e-mail as well: True for exactly one of all who ask."""
        result = await self._db.execute(
            update(outbox)
            .where(outbox.c.workspace_id == workspace_id, outbox.c.key == key, outbox.c.mailed_at.is_(None))
            .values(mailed_at=at)
        )
        return result.rowcount == 1

    @across_workspaces("whoever delivers, delivers for every workspace")
    async def unmailed_urgent(self, wanted_before: datetime) -> list[OutboxMessage]:
        """Urgent messages that stand nowhere yet, were first wanted by then, and did not go by e-mail; oldest first.

        Copies are not among them: somebody else has the message.
        """
        query = sql.WITH_ROOT.where(
            outbox.c.urgency > 0,
            outbox.c.delivered_at.is_(None),
            outbox.c.mailed_at.is_(None),
            outbox.c.first_wanted_at <= wanted_before,
            ~outbox.c.key.contains(_COPY),
        )
        return await self._messages(query.order_by(outbox.c.id))

    @across_workspaces("a measurement of the whole program")
    async def waiting_count(self) -> int:
        """How many messages are not as they should be."""
        return int(await self._db.scalar(sql.WAITING) or 0)

    @across_workspaces("a measurement of the whole program")
    async def oldest_waiting(self) -> datetime | None:
        """Since when the one that has waited longest waits; None when nothing does."""
        found: datetime | None = await self._db.scalar(sql.OLDEST)
        return found

    async def standing(self, workspace_id: str, since: datetime) -> tuple[int, datetime | None, int]:
        """How many messages of a workspace wait, since when the oldest does, and how many were given up since then.

        What reached somebody by e-mail is not given up, nor is a copy whose like reached others, nor what became
        pointless before it was said; and a test alert is told about on its own.
        """
        mine = outbox.c.workspace_id == workspace_id
        waiting = select(func.count(), func.min(outbox.c.wanted_at)).where(mine, outbox.c.state.in_(_UNSENT))
        dead = (
            select(func.count())
            .where(mine, outbox.c.state == OutboxState.DEAD, outbox.c.wanted_at >= since)
            .where(outbox.c.mailed_at.is_(None), ~outbox.c.key.contains(_COPY), outbox.c.kind != TRIAL)
            .where(outbox.c.last_error.is_distinct_from(NOTHING_TO_SAY))
        )
        count, oldest = (await self._db.execute(waiting)).one()
        return int(count), oldest, int(await self._db.scalar(dead) or 0)

    @across_workspaces("old messages are swept everywhere")
    async def forget_before(self, at: datetime) -> int:
        """Drop what was last wanted before `at` and is sent or given up.

        Roots stay as long as a line of theirs waits, or was wanted since.
        """
        line = outbox.alias("line")
        needed = exists().where(
            line.c.workspace_id == outbox.c.workspace_id,
            line.c.thread_key == outbox.c.key,
            or_(line.c.state.in_(_UNSENT), line.c.wanted_at >= at),
        )
        over = delete(outbox).where(outbox.c.state.not_in(_UNSENT), outbox.c.wanted_at < at, ~needed)
        return (await self._db.execute(over)).rowcount

    async def _held(self, workspace_id: str, key: str) -> Any:
        """The row, and nobody changes it until our transaction ends."""
        return (await self._db.execute(sql.HELD, {"of_workspace": workspace_id, "this": key})).one_or_none()

    async def _set(self, workspace_id: str, key: str, values: dict[str, Any]) -> None:
        await self._db.execute(sql.CHANGE, values | {"of_workspace": workspace_id, "this": key})

    async def _messages(self, query: Select[Any], asked: dict[str, Any] | None = None) -> list[OutboxMessage]:
        return [_message(row) for row in await self._db.execute(query, asked)]


def _message(row: Any) -> OutboxMessage:
    told = dict(row._mapping)
    told |= {"recipients": tuple(row.recipients), "state": OutboxState(row.state)}
    return OutboxMessage(**told)
