"""Health of readings: how reading the usage of each connection goes, since when it fails, and how late it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from storage.connections import hold_connection
from storage.records_live import UsageHealth
from storage.repository import Insert, Repository, inserting
from storage.tables_live import usage_health

_MOST_SAMPLES = 200

# Asked at every poll, and put together once: that takes longer than answering it.
_MINE: BindParameter[str] = bindparam("of_workspace")
_HEALTHS = select(usage_health).where(usage_health.c.workspace_id == _MINE).order_by(usage_health.c.connection_id)


@cache
def _setting(dialect: str, names: tuple[str, ...]) -> Insert:
    """Begin a row, or set what is named of the one there is."""
    insert = inserting(dialect, usage_health)
    news = {name: insert.excluded[name] for name in names}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "connection_id"], set_=news)


class UsageHealths(Repository):
    """One row for each connection whose usage was ever asked for."""

    async def get(self, workspace_id: str, connection_id: int) -> UsageHealth | None:
        """How reading a connection goes; None before the first try."""
        found = [each for each in await self.all(workspace_id) if each.connection_id == connection_id]
        return found[0] if found else None

    async def all(self, workspace_id: str) -> list[UsageHealth]:
        """How reading each connection goes."""
        rows = await self._db.execute(_HEALTHS, {"of_workspace": workspace_id})
        return [
            UsageHealth(
                row.connection_id,
                row.read_at,
                row.failing_since,
                row.failing_code,
                tuple(row.lateness_samples),
                row.price_version,
            )
            for row in rows
        ]

    async def mark_read(
        self,
        workspace_id: str,
        connection_id: int,
        at: datetime,
        lateness: Sequence[int] = (),
        price_version: str | None = None,
    ) -> UsageHealth | None:
        """A poll succeeded: keep its lateness samples (seconds) and price version (None: as it was).

        Tells how it stood before, None before the first try; nobody else has changed that since, nor can until our
        transaction ends. NotFound for another workspace's connection.
        """
        await hold_connection(self._db, workspace_id, connection_id)
        before = await self.get(workspace_id, connection_id)
        values: dict[str, Any] = {"read_at": at, "failing_since": None, "failing_code": None}
        if lateness:
            known = () if before is None else before.lateness_samples
            values["lateness_samples"] = [*known, *lateness][-_MOST_SAMPLES:]
        if price_version is not None:
            values["price_version"] = price_version
        await self._set(workspace_id, connection_id, values)
        return before

    async def mark_failing(self, workspace_id: str, connection_id: int, at: datetime, code: str) -> datetime:
        """A poll failed; tells since when they do: since `at` for the first, and where a clock was set back since.

        NotFound for another workspace's connection.
        """
        await hold_connection(self._db, workspace_id, connection_id)
        before = await self.get(workspace_id, connection_id)
        since = at if before is None or before.failing_since is None else min(at, before.failing_since)
        await self._set(workspace_id, connection_id, {"failing_since": since, "failing_code": code})
        return since

    async def mark_priced(self, workspace_id: str, connection_id: int, price_version: str) -> None:
        """What is stored was priced anew, by that version. NotFound for another workspace's connection."""
        await hold_connection(self._db, workspace_id, connection_id)
        await self._set(workspace_id, connection_id, {"price_version": price_version})

    async def _set(self, workspace_id: str, connection_id: int, values: dict[str, Any]) -> None:
        key = {"workspace_id": workspace_id, "connection_id": connection_id}
        first = key | {"lateness_samples": []} | values
        await self._db.execute(_setting(self._db.dialect.name, tuple(values)), first)
