"""What happens to an incident or to a stop, as rows: alike but for whose they are, and each kept once."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from finops.incidents import IncidentEvent
from finops.stops import StopEvent
from storage.repository import inserting


async def keep_event(
    db: AsyncConnection, events: Table, workspace_id: str, owner: str, owner_id: int, event: IncidentEvent | StopEvent
) -> bool:
    """Keep what happened to whom the column `owner` names; False when its key is there already."""
    statement = (
        inserting(db.dialect.name, events)
        .values(
            {"workspace_id": workspace_id, owner: owner_id}
            | {"key": event.key, "kind": event.kind, "at": event.at, "values": dict(event.values)}
            | {"is_loud": event.is_loud, "is_said": event.is_said}
        )
        .on_conflict_do_nothing(index_elements=["workspace_id", owner, "key"])
        .returning(events.c.id)
    )
    return (await db.execute(statement)).one_or_none() is not None
