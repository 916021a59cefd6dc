"""Event tokens: who may record calls, and for which project. Only a token's hash is kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from storage.errors import NotFound
from storage.records_value import EventToken
from storage.repository import Repository, across_workspaces
from storage.tables import projects
from storage.tables_value import event_tokens

# How old `last_used_at` may be before a use is written down: one write for many requests.
USE_NOTED_EVERY = timedelta(minutes=10)
_OF_PROJECT = and_(projects.c.workspace_id == event_tokens.c.workspace_id, projects.c.id == event_tokens.c.project_id)


class EventTokens(Repository):
    """The tokens of the applications of this workspace's projects."""

    async def add(
        self, workspace_id: str, *, project_id: int, name: str, token_hash: str, ends_with: str, by: str, at: datetime
    ) -> EventToken:
        """Keep a new token by its hash; NotFound when this workspace has no such project."""
        mine = select(projects.c.id).where(projects.c.workspace_id == workspace_id, projects.c.id == project_id)
        if (await self._db.execute(mine)).one_or_none() is None:
            raise NotFound("project", project_id)
        values = {
            "workspace_id": workspace_id,
            "project_id": project_id,
            "name": name,
            "token_hash": token_hash,
            "ends_with": ends_with,
            "created_by": by,
            "created_at": at,
        }
        statement = self._insert(event_tokens).values(values).returning(*event_tokens.c)
        return _token((await self._db.execute(statement)).one())

    async def of_project(self, workspace_id: str, project_id: int) -> list[EventToken]:
        """A project's tokens, oldest first, revoked ones too."""
        rows = await self._db.execute(
            select(event_tokens)
            .where(event_tokens.c.workspace_id == workspace_id, event_tokens.c.project_id == project_id)
            .order_by(event_tokens.c.id)
        )
        return [_token(row) for row in rows]

    async def revoke(self, workspace_id: str, token_id: int, *, by: str, at: datetime) -> EventToken | None:
        """Take it out of force for good and tell of it; None when it is not there or was revoked before."""
        statement = (
            update(event_tokens)
            .where(event_tokens.c.workspace_id == workspace_id, event_tokens.c.id == token_id)
            .where(event_tokens.c.revoked_at.is_(None))
            .values(revoked_at=at, revoked_by=by)
            .returning(*event_tokens.c)
        )
        row = (await self._db.execute(statement)).one_or_none()
        return None if row is None else _token(row)

    @across_workspaces("the token says whose it is: nobody else who asks has said so yet")
    async def find(self, token_hash: str) -> EventToken | None:
        """The token in force with this hash, of a project that is still registered."""
        row = (
            await self._db.execute(
                select(event_tokens)
                .join(projects, _OF_PROJECT)
                .where(event_tokens.c.token_hash == token_hash, event_tokens.c.revoked_at.is_(None))
            )
        ).one_or_none()
        return None if row is None else _token(row)

    @across_workspaces("the tokens of one transaction may be of several workspaces")
    async def in_force(self, token_ids: Collection[int]) -> set[int]:
        """Which of some tokens still record: not revoked, and of a project that is registered."""
        rows = await self._db.scalars(
            select(event_tokens.c.id)
            .join(projects, _OF_PROJECT)
            .where(event_tokens.c.id.in_(sorted(token_ids)), event_tokens.c.revoked_at.is_(None))
        )
        return set(rows)

    async def used(self, workspace_id: str, token_id: int, at: datetime) -> None:
        """Note that it was used, unless that was noted a moment ago (USE_NOTED_EVERY)."""
        await self._db.execute(
            update(event_tokens)
            .where(event_tokens.c.workspace_id == workspace_id, event_tokens.c.id == token_id)
            .where(or_(event_tokens.c.last_used_at.is_(None), event_tokens.c.last_used_at <= at - USE_NOTED_EVERY))
            .values(last_used_at=at)
        )


def _token(row: Any) -> EventToken:
    return EventToken(**{name: value for name, value in row._mapping.items() if name != "token_hash"})
