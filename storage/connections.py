"""Connections: one per provider organization, collected once however many teams brought a key of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.registry import Connection
from storage.errors import AlreadyExists, NotFound
from storage.repository import Repository, across_workspaces
from storage.tables import connections, known_projects

Sense = Literal["costs", "usage"]
_REASONS = {"costs": connections.c.costs_blind_reason, "usage": connections.c.usage_blind_reason}


def _mine(workspace_id: Any, connection_id: Any) -> tuple[Any, Any]:
    return connections.c.workspace_id == workspace_id, connections.c.id == connection_id


# Asked all the time, and put together once: that takes longer than answering them.
_THIS = _mine(bindparam("of_workspace"), bindparam("this"))
_ONE = select(connections).where(*_THIS)
_ONE_HELD = _ONE.with_for_update()
_HELD = select(connections.c.id).where(*_THIS).with_for_update()
_EVERYWHERE = select(connections).order_by(connections.c.id)
_ALL = _EVERYWHERE.where(connections.c.workspace_id == bindparam("of_workspace"))


class Connections(Repository):
    """Where bills come from, and since when we cannot see one."""

    async def create(
        self,
        workspace_id: str,
        *,
        provider: str,
        organization_id: str | None,
        organization_name: str | None,
        at: datetime,
    ) -> Connection:
        """Make a connection; AlreadyExists when this organization is connected already."""
        statement = (
            self._insert(connections)
            .values(
                workspace_id=workspace_id,
                provider=provider,
                organization_id=organization_id,
                organization_name=organization_name,
                created_at=at,
            )
            .on_conflict_do_nothing(index_elements=["workspace_id", "provider", "organization_id"])
            .returning(*connections.c)
        )
        row = (await self._db.execute(statement)).one_or_none()
        if row is None:
            known = await self.matching(workspace_id, provider, organization_id, ())
            raise AlreadyExists("connection", organization_id or provider, None if known is None else known.id)
        return _connection(row)

    async def get(self, workspace_id: str, connection_id: int) -> Connection | None:
        """The connection, or None when this workspace has none of that id."""
        row = (await self._db.execute(_ONE, {"of_workspace": workspace_id, "this": connection_id})).one_or_none()
        return None if row is None else _connection(row)

    async def held(self, workspace_id: str, connection_id: int) -> Connection | None:
        """`get`, and nobody changes it until our transaction ends."""
        asked = {"of_workspace": workspace_id, "this": connection_id}
        row = (await self._db.execute(_ONE_HELD, asked)).one_or_none()
        return None if row is None else _connection(row)

    async def all(self, workspace_id: str) -> list[Connection]:
        """Every connection of the workspace, oldest first."""
        rows = await self._db.execute(_ALL, {"of_workspace": workspace_id})
        return [_connection(row) for row in rows]

    @across_workspaces("the daily collection serves every workspace")
    async def everywhere(self) -> list[Connection]:
        """Every connection of every workspace, oldest first."""
        return [_connection(row) for row in await self._db.execute(_EVERYWHERE)]

    async def matching(
        self, workspace_id: str, provider: str, organization_id: str | None, project_ids: Collection[str]
    ) -> Connection | None:
        """The connection a newly registered key belongs to.

        The same organization id decides where the provider tells one. Where either side has none, sharing a project
        does; two different ids never match, whatever they share.
        """
        here = (connections.c.workspace_id == workspace_id, connections.c.provider == provider)
        if organization_id is not None:
            row = (
                await self._db.execute(
                    select(connections).where(*here, connections.c.organization_id == organization_id)
                )
            ).one_or_none()
            if row is not None:
                return _connection(row)
        if not project_ids:
            return None
        sharing = (
            select(known_projects.c.connection_id)
            .where(
                known_projects.c.workspace_id == workspace_id,
                known_projects.c.provider_project_id.in_(sorted(project_ids)),
            )
            .distinct()
        )
        candidates = select(connections).where(*here, connections.c.id.in_(sharing)).order_by(connections.c.id)
        if organization_id is not None:
            candidates = candidates.where(connections.c.organization_id.is_(None))
        row = (await self._db.execute(candidates.limit(1))).one_or_none()
        return None if row is None else _connection(row)

    async def mark_blind(
        self, workspace_id: str, connection_id: int, at: datetime, reason: str, sense: Sense = "costs"
    ) -> bool:
        """One sense cannot look since `at`. True when nothing was blind before; a later failure keeps the moment."""
        await self._held(workspace_id, connection_id)
        values = {_REASONS[sense].name: reason, "blind_reason": reason}
        result = await self._db.execute(
            update(connections)
            .where(*_mine(workspace_id, connection_id), connections.c.blind_since.is_(None))
            .values(values | {"blind_since": at})
        )
        if result.rowcount == 1:
            return True
        await self._db.execute(update(connections).where(*_mine(workspace_id, connection_id)).values(values))
        return False

    async def mark_seen(
        self, workspace_id: str, connection_id: int, at: datetime, sense: Sense = "costs"
    ) -> datetime | None:
        """One sense looked and saw at `at`. Tells since when we had been blind once no sense is any more, else None."""
        before = await self._held(workspace_id, connection_id)
        if before is None:
            return None
        [other] = [before._mapping[column] for name, column in _REASONS.items() if name != sense]
        values: dict[str, object] = {_REASONS[sense].name: None, "blind_reason": other}
        if other is None:
            values["blind_since"] = None
        if sense == "costs":
            values["collected_at"] = at
        await self._db.execute(update(connections).where(*_mine(workspace_id, connection_id)).values(values))
        return before.blind_since if other is None else None

    async def _held(self, workspace_id: str, connection_id: int) -> Any:
        """How it stands, and nobody changes it until our transaction ends; None when there is none."""
        return (
            await self._db.execute(
                select(connections.c.blind_since, *_REASONS.values())
                .where(*_mine(workspace_id, connection_id))
                .with_for_update()
            )
        ).one_or_none()

    async def tell_organization(
        self, workspace_id: str, connection_id: int, organization_id: str, organization_name: str | None
    ) -> None:
        """Keep what the provider told late about the organization; a name we know is not forgotten."""
        values = {"organization_id": organization_id}
        if organization_name is not None:
            values["organization_name"] = organization_name
        await self._db.execute(update(connections).where(*_mine(workspace_id, connection_id)).values(values))


async def hold_connection(db: AsyncConnection, workspace_id: str, connection_id: int) -> None:
    """Prove that the connection is this workspace's, and let no one else store its data until we are done."""
    if (await db.execute(_HELD, {"of_workspace": workspace_id, "this": connection_id})).one_or_none() is None:
        raise NotFound("connection", connection_id)


def _connection(row: Any) -> Connection:
    told = dict(row._mapping)
    told |= {f"{sense}_blind": told.pop(column.name) is not None for sense, column in _REASONS.items()}
    return Connection(**told)
