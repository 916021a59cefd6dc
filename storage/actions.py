"""Actions: what people did about their spending, each once, whatever found it and however often."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from finops.behaviour import Action, ActionKind, ActionSource, Preceded, Told
from finops.periods import Period
from storage.repository import Repository
from storage.tables_learning import actions


class Actions(Repository):
    """Rows are added and never changed: what was done stays done."""

    async def add(self, workspace_id: str, found: Iterable[Action]) -> list[Action]:
        """Keep those whose key is not there yet; tells them, with their ids."""
        kept = []
        for action in found:
            statement = (
                self._insert(actions)
                .values({"workspace_id": workspace_id, **_values(action)})
                .on_conflict_do_nothing(index_elements=["workspace_id", "key"])
                .returning(*actions.c)
            )
            row = (await self._db.execute(statement)).one_or_none()
            if row is not None:
                kept.append(_action(row))
        return kept

    async def get(self, workspace_id: str, action_id: int) -> Action | None:
        """One action, or None."""
        mine = actions.c.workspace_id == workspace_id, actions.c.id == action_id
        row = (await self._db.execute(select(actions).where(*mine))).one_or_none()
        return None if row is None else _action(row)

    async def of_days(self, workspace_id: str, period: Period) -> list[Action]:
        """Every action of these charge days, oldest first."""
        rows = await self._db.execute(
            select(actions)
            .where(actions.c.workspace_id == workspace_id)
            .where(actions.c.charge_day >= period.start, actions.c.charge_day < period.end)
            .order_by(actions.c.at, actions.c.id)
        )
        return [_action(row) for row in rows]

    async def newest(
        self, workspace_id: str, limit: int, project_id: int | None = None, before: datetime | None = None
    ) -> list[Action]:
        """The newest actions, newest first: of one project, or of all."""
        query = select(actions).where(actions.c.workspace_id == workspace_id)
        if project_id is not None:
            query = query.where(actions.c.project_id == project_id)
        if before is not None:
            query = query.where(actions.c.at < before)
        rows = await self._db.execute(query.order_by(actions.c.at.desc(), actions.c.id.desc()).limit(limit))
        return [_action(row) for row in rows]

    async def near(
        self, workspace_id: str, kinds: Collection[ActionKind], first: date, last: date
    ) -> set[tuple[ActionKind, int]]:
        """Which kinds were found for which projects from one day to another, both included."""
        rows = await self._db.execute(
            select(actions.c.kind, actions.c.project_id)
            .where(actions.c.workspace_id == workspace_id, actions.c.kind.in_(sorted(kinds)))
            .where(actions.c.charge_day >= first, actions.c.charge_day <= last, actions.c.project_id.is_not(None))
        )
        return {(ActionKind(kind), int(project_id)) for kind, project_id in rows}


def _values(action: Action) -> dict[str, Any]:
    told = action.preceded
    return {
        "at": action.at,
        "charge_day": action.day,
        "kind": action.kind.value,
        "project_id": action.project_id,
        "team_id": action.team_id,
        "actor": action.actor,
        "source": action.source.value,
        "key": action.key,
        "details": dict(action.details),
        "preceded_kind": None if told is None else told.kind.value,
        "preceded_id": None if told is None else told.id,
        "preceded_at": None if told is None else told.at,
    }


def _action(row: Any) -> Action:
    told = None
    if row.preceded_kind is not None:
        told = Told(Preceded(row.preceded_kind), row.preceded_id, row.preceded_at)
    return Action(
        at=row.at,
        day=row.charge_day,
        kind=ActionKind(row.kind),
        source=ActionSource(row.source),
        key=row.key,
        project_id=row.project_id,
        team_id=row.team_id,
        actor=row.actor,
        details=row.details,
        preceded=told,
        id=row.id,
    )
