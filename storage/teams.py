"""Teams: who owns projects, who leads, where they are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from finops.registry import Team
from storage.errors import AlreadyExists, NotFound
from storage.repository import Repository, compared, inserting
from storage.tables import teams

_COLUMNS = [column for column in teams.c if column.name != "name_key"]
# Asked with every figure, and put together once: that takes longer than answering it.
_MINE = select(*_COLUMNS).where(teams.c.workspace_id == bindparam("of_workspace"))
_ALL = _MINE.order_by(teams.c.name_key)
_ONE = _MINE.where(teams.c.id == bindparam("this"))
_NAMED = _MINE.where(teams.c.name_key == bindparam("key"))
_ALIKE = (
    _MINE.where(func.replace(teams.c.name_key, " ", "") == bindparam("joined"), teams.c.id != bindparam("but"))
    .order_by(teams.c.id)
    .limit(1)
)


@cache
def _creating(dialect: str) -> ReturningInsert[Any]:
    first = inserting(dialect, teams).on_conflict_do_nothing(index_elements=["workspace_id", "name_key"])
    return first.returning(*_COLUMNS)


class Teams(Repository):
    """Teams of a workspace; two names that people would read as the same cannot both be given.

    "마케팅 팀" and "마케팅팀" are the same. Two that were called so before this was known live on, and keep theirs.
    """

    async def create(
        self,
        workspace_id: str,
        *,
        name: str,
        lead_user_id: str,
        channel_id: str,
        locale: str,
        approvers: Sequence[str],
        created_by: str,
        at: datetime,
    ) -> Team:
        """Make a team; AlreadyExists when its name is taken."""
        other = await self._alike(workspace_id, name)
        if other is not None:
            raise AlreadyExists("team", other.name, other.id)
        values = {
            "workspace_id": workspace_id,
            "name": name,
            "name_key": compared(name),
            "lead_user_id": lead_user_id,
            "channel_id": channel_id,
            "locale": locale,
            "approvers": list(approvers),
            "created_by": created_by,
            "created_at": at,
        }
        row = (await self._db.execute(_creating(self._db.dialect.name), values)).one_or_none()
        if row is None:
            await self._refuse(workspace_id, name)
        return _team(row)

    async def get(self, workspace_id: str, team_id: int) -> Team | None:
        """The team, or None when this workspace has none of that id."""
        return await self._one(_ONE, workspace_id, this=team_id)

    async def by_name(self, workspace_id: str, name: str) -> Team | None:
        """The team people would mean by this name."""
        return await self._one(_NAMED, workspace_id, key=compared(name))

    async def all(self, workspace_id: str) -> list[Team]:
        """Every team, by name."""
        rows = await self._db.execute(_ALL, {"of_workspace": workspace_id})
        return [_team(row) for row in rows]

    async def update(
        self,
        workspace_id: str,
        team_id: int,
        *,
        name: str | None = None,
        lead_user_id: str | None = None,
        channel_id: str | None = None,
        locale: str | None = None,
        approvers: Sequence[str] | None = None,
    ) -> Team:
        """Change what is given; NotFound, or AlreadyExists when another team has that name."""
        if name is not None:
            before, other = await self.get(workspace_id, team_id), await self._alike(workspace_id, name, but=team_id)
            is_its_own = before is not None and compared(before.name) == compared(name)
            if other is not None and not is_its_own:
                raise AlreadyExists("team", other.name, other.id)
        given = {"name": name, "lead_user_id": lead_user_id, "channel_id": channel_id, "locale": locale}
        values: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        if name is not None:
            values["name_key"] = compared(name)
        if approvers is not None:
            values["approvers"] = list(approvers)
        mine = (teams.c.workspace_id == workspace_id, teams.c.id == team_id)
        if values:
            await self._db.execute(update(teams).where(*mine).values(values))
        team = await self.get(workspace_id, team_id)
        if team is None:
            raise NotFound("team", team_id)
        return team

    async def _alike(self, workspace_id: str, name: str, but: int = 0) -> Team | None:
        """A team whose name differs from this one in nothing but blanks; `but` is the team that wants it."""
        return await self._one(_ALIKE, workspace_id, joined=compared(name).replace(" ", ""), but=but)

    async def _one(self, query: Select[Any], workspace_id: str, **asked: Any) -> Team | None:
        row = (await self._db.execute(query, {"of_workspace": workspace_id, **asked})).one_or_none()
        return None if row is None else _team(row)

    async def _refuse(self, workspace_id: str, name: str) -> None:
        other = await self.by_name(workspace_id, name)
        raise AlreadyExists("team", name if other is None else other.name, None if other is None else other.id)


def _team(row: Any) -> Team:
    return Team(**{**row._mapping, "approvers": tuple(row.approvers)})
