"""Workspaces: the Slack workspaces we serve."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from finops.registry import Workspace
from storage.repository import Repository, across_workspaces, inserting
from storage.tables import workspaces

# Asked all the time, and put together once: that takes longer than answering them.
_ONE = select(workspaces).where(workspaces.c.id == bindparam("this"))
_HELD = select(workspaces.c.id).where(workspaces.c.id == bindparam("this")).with_for_update(key_share=True)
_ALL = select(workspaces).order_by(workspaces.c.created_at, workspaces.c.id)


@cache
def _ensuring(dialect: str) -> ReturningInsert[Any]:
    insert = inserting(dialect, workspaces)
    installer = func.coalesce(workspaces.c.installed_by, insert.excluded.installed_by)
    known = {"name": insert.excluded.name, "installed_by": installer}
    return insert.on_conflict_do_update(index_elements=["id"], set_=known).returning(*workspaces.c)


class Workspaces(Repository):
    """Who we serve; a workspace's id is Slack's."""

    async def hold(self, workspace_id: str) -> None:
        """Let nobody else who holds a workspace decide about what is its own before the transaction ends.

        SQLite's writers take turns anyway; on PostgreSQL they queue here, and nobody who only reads or refers waits.
        """
        await self._db.execute(_HELD, {"this": workspace_id})

    async def ensure(
        self, workspace_id: str, *, name: str, locale: str, timezone: str, installed_by: str | None, at: datetime
    ) -> Workspace:
        """Remember a workspace. One we know keeps its settings; its name is refreshed, a missing installer filled."""
        told = {
            "id": workspace_id,
            "name": name,
            "locale": locale,
            "timezone": timezone,
            "installed_by": installed_by,
            "created_at": at,
        }
        row = await self._db.execute(_ensuring(self._db.dialect.name), told)
        return Workspace(**row.one()._mapping)

    async def get(self, workspace_id: str) -> Workspace | None:
        """The workspace, or None when it never met us."""
        row = (await self._db.execute(_ONE, {"this": workspace_id})).one_or_none()
        return None if row is None else Workspace(**row._mapping)

    @across_workspaces("jobs serve every workspace")
    async def all(self) -> list[Workspace]:
        """Every workspace, oldest first."""
        rows = await self._db.execute(_ALL)
        return [Workspace(**row._mapping) for row in rows]

    async def set_installer(self, workspace_id: str, user_id: str) -> bool:
        """Name the installer; False when the workspace is unknown."""
        result = await self._db.execute(
            update(workspaces).where(workspaces.c.id == workspace_id).values(installed_by=user_id)
        )
        return result.rowcount == 1
