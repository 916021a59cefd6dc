"""Connections: one per provider organization, collected once however many teams brought a key of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from finops.registry import Connection
from storage.errors import AlreadyExists, NotFound
from storage.repository import Repository, across_workspaces, inserting
from storage.tables import connections, known_projects

Sense = Literal["costs", "usage"]
_REASONS = {"costs": connections.c.costs_blind_reason, "usage": connections.c.usage_blind_reason}


# Asked all the time, and put together once: that takes longer than answering them.
_THIS = connections.c.workspace_id == bindparam("of_workspace"), connections.c.id == bindparam("this")
_ONE = select(connections).where(*_THIS)
_ONE_HELD = _ONE.with_for_update()
_HELD = select(connections.c.id).where(*_THIS).with_for_update()
_SENSES_HELD = select(connections.c.blind_since, *_REASONS.values()).where(*_THIS).with_for_update()
_CHANGE = update(connections).where(*_THIS)
_CHANGE_SEEING = _CHANGE.where(connections.c.blind_since.is_(None))
_EVERYWHERE = select(connections).order_by(connections.c.id)
_ALL = _EVERYWHERE.where(connections.c.workspace_id == bindparam("of_workspace"))


@cache
def _creating(dialect: str) -> ReturningInsert[Any]:
    key = ["workspace_id", "provider", "organization_id"]
    return inserting(dialect, connections).on_conflict_do_nothing(index_elements=key).returning(*connections.c)


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
        values = {
            "workspace_id": workspace_id,
            "provider": provider,
            "organization_id": organization_id,
            "organization_name": organization_name,
            "created_at": at,
        }
        row = (await self._db.execute(_creating(self._db.dialect.name), values)).one_or_none()
        if row is None:
            known = await self.matching(workspace_id, provider, organization_id, ())
            raise AlreadyExists("connection", organization_id or provider, None if known is None else known.id)
        return _connection(row)

    async def get(self, workspace_id: str, connection_id: int) -> Connection | None:
        """The connection, or None when this workspace has none of that id."""
        row = (await self._db.execute(_ONE, _asked(workspace_id, connection_id))).one_or_none()
        return None if row is None else _connection(row)

    async def held(self, workspace_id: str, connection_id: int) -> Connection | None:
        """`get`, and nobody changes it until our transaction ends."""
        row = (await self._db.execute(_ONE_HELD, _asked(workspace_id, connection_id))).one_or_none()
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
        asked = _asked(workspace_id, connection_id)
        result = await self._db.execute(_CHANGE_SEEING, values | {"blind_since": at} | asked)
        if result.rowcount == 1:
            return True
        await self._db.execute(_CHANGE, values | asked)
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
        await self._db.execute(_CHANGE, values | _asked(workspace_id, connection_id))
        return before.blind_since if other is None else None

    async def _held(self, workspace_id: str, connection_id: int) -> Any:
        """How it stands, and nobody changes it until our transaction ends; None when there is none."""
        return (await self._db.execute(_SENSES_HELD, _asked(workspace_id, connection_id))).one_or_none()

    async def tell_organization(
        self, workspace_id: str, connection_id: int, organization_id: str, organization_name: str | None
    ) -> None:
        """Keep what the provider told late about the organization; a name we know is not forgotten."""
        values = {"organization_id": organization_id}
        if organization_name is not None:
            values["organization_name"] = organization_name
        await self._db.execute(_CHANGE, values | _asked(workspace_id, connection_id))


def _asked(workspace_id: str, connection_id: int) -> dict[str, Any]:
    return {"of_workspace": workspace_id, "this": connection_id}


async def hold_connection(db: AsyncConnection, workspace_id: str, connection_id: int) -> None:
    """Prove that the connection is this workspace's, and let no one else store its data until we are done."""
    if (await db.execute(_HELD, _asked(workspace_id, connection_id))).one_or_none() is None:
        raise NotFound("connection", connection_id)


def _connection(row: Any) -> Connection:
    told = dict(row._mapping)
    told |= {f"{sense}_blind": told.pop(column.name) is not None for sense, column in _REASONS.items()}
    return Connection(**told)
