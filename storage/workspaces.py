"""Workspaces: the Slack workspaces we serve."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update

from finops.registry import Workspace
from storage.repository import Repository, across_workspaces
from storage.tables import workspaces

# Asked by every job, and put together once: that takes longer than answering it.
_ALL = select(workspaces).order_by(workspaces.c.created_at, workspaces.c.id)


class Workspaces(Repository):
    """Who we serve; a workspace's id is Slack's."""

    async def hold(self, workspace_id: str) -> None:
        """Let nobody else who holds a workspace decide about what is its own before the transaction ends.

        SQLite's writers take turns anyway; on PostgreSQL they queue here, and nobody who only reads or refers waits.
        """
        mine = select(workspaces.c.id).where(workspaces.c.id == workspace_id)
        await self._db.execute(mine.with_for_update(key_share=True))

    async def ensure(
        self, workspace_id: str, *, name: str, locale: str, timezone: str, installed_by: str | None, at: datetime
    ) -> Workspace:
        """Remember a workspace. One we know keeps its settings; its name is refreshed, a missing installer filled."""
        insert = self._insert(workspaces).values(
            id=workspace_id, name=name, locale=locale, timezone=timezone, installed_by=installed_by, created_at=at
        )
        known = insert.excluded
        row = await self._db.execute(
            insert.on_conflict_do_update(
                index_elements=["id"],
                set_={
                    "name": known.name,
                    "installed_by": func.coalesce(workspaces.c.installed_by, known.installed_by),
                },
            ).returning(*workspaces.c)
        )
        return Workspace(**row.one()._mapping)

    async def get(self, workspace_id: str) -> Workspace | None:
        """The workspace, or None when it never met us."""
        row = (await self._db.execute(select(workspaces).where(workspaces.c.id == workspace_id))).one_or_none()
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
