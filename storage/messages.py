"""Messages: each business key is said once, and we remember where, to edit it later."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, select, update

from storage.records import PostedMessage
from storage.repository import Repository
from storage.tables import messages


class Messages(Repository):
    """What we have told whom. A claim is a lease: a rare repeat is better than a lost alert."""

    async def claim(self, workspace_id: str, key: str, channel_id: str, at: datetime, lease: timedelta) -> bool:
        """True when the caller should send it: nobody has, or someone claimed it and was silent for `lease`."""
        insert = self._insert(messages).values(workspace_id=workspace_id, key=key, channel_id=channel_id, claimed_at=at)
        statement = insert.on_conflict_do_update(
            index_elements=["workspace_id", "key"],
            set_={"claimed_at": at, "channel_id": channel_id},
            where=and_(messages.c.sent_at.is_(None), messages.c.claimed_at <= at - lease),
        ).returning(messages.c.key)
        return (await self._db.execute(statement)).one_or_none() is not None

    async def sent(self, workspace_id: str, key: str, channel_id: str, ts: str, at: datetime) -> None:
        """Slack confirmed it: keep where it stands."""
        await self._db.execute(
            update(messages)
            .where(messages.c.workspace_id == workspace_id, messages.c.key == key)
            .values(channel_id=channel_id, ts=ts, sent_at=at)
        )

    async def get(self, workspace_id: str, key: str) -> PostedMessage | None:
        """The message under this key, or None when nobody claimed it."""
        row = (
            await self._db.execute(
                select(messages).where(messages.c.workspace_id == workspace_id, messages.c.key == key)
            )
        ).one_or_none()
        return None if row is None else PostedMessage(**row._mapping)
