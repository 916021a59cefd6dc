"""What happens to an incident or to a stop, as rows: alike but for whose they are, and each kept once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from finops.incidents import IncidentEvent
from finops.stops import StopEvent
from storage.repository import inserting


async def keep_event(
    db: AsyncConnection, events: Table, workspace_id: str, owner: str, owner_id: int, event: IncidentEvent | StopEvent
) -> bool:
    """Keep what happened to whom the column `owner` names; False when its key is there already."""
    row = (
        {"workspace_id": workspace_id, owner: owner_id}
        | {"key": event.key, "kind": event.kind, "at": event.at, "values": dict(event.values)}
        | {"is_loud": event.is_loud, "is_said": event.is_said}
    )
    return (await db.execute(_keeping(db.dialect.name, events, owner), row)).one_or_none() is not None


@cache
def _keeping(dialect: str, events: Table, owner: str) -> ReturningInsert[tuple[int]]:
    """Put together once: that takes longer than doing it."""
    kept_once = inserting(dialect, events).on_conflict_do_nothing(index_elements=["workspace_id", owner, "key"])
    return kept_once.returning(events.c.id)
