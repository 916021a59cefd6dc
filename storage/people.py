"""People of a workspace, as Slack last described them, with the role we gave them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from functools import cache
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from finops.registry import ADMINS, Person, Role
from storage.repository import Repository, across_workspaces, inserting
from storage.tables import people

# Asked all the time, and put together once: that takes longer than answering them.
_MINE = select(people).where(people.c.workspace_id == bindparam("of_workspace"))
_ONE = _MINE.where(people.c.user_id == bindparam("who"))
_CHANGE = update(people).where(people.c.workspace_id == bindparam("of_workspace"), people.c.user_id == bindparam("who"))
_CHANGE_FROM = _CHANGE.where(people.c.role == bindparam("was"))
_ARE_ADMINS = people.c.role.in_(sorted(ADMINS))
_ADMINS = _MINE.where(_ARE_ADMINS).order_by(people.c.name, people.c.user_id)


@cache
def _remembering(dialect: str) -> ReturningInsert[Any]:
    insert = inserting(dialect, people)
    news = {name: insert.excluded[name] for name in ("name", "locale", "timezone", "is_workspace_admin", "seen_at")}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "user_id"], set_=news).returning(*people.c)


class People(Repository):
    """Who may do what."""

    async def get(self, workspace_id: str, user_id: str) -> Person | None:
        """The person, or None when we have not met."""
        row = (await self._db.execute(_ONE, {"of_workspace": workspace_id, "who": user_id})).one_or_none()
        return None if row is None else _person(row)

    async def zones(self, workspace_id: str) -> list[str]:
        """The time zones of everybody we have met, each once, as Slack named them."""
        found = await self._db.execute(
            select(people.c.timezone).where(people.c.workspace_id == workspace_id).distinct()
        )
        return list(found.scalars())

    async def remember(self, workspace_id: str, person: Person) -> Person:
        """Store what Slack says now. The role of a person we know stays ours: Slack does not decide it."""
        told = asdict(person) | {"workspace_id": workspace_id}
        row = await self._db.execute(_remembering(self._db.dialect.name), told)
        return _person(row.one())

    async def set_role(self, workspace_id: str, user_id: str, role: Role, was: Role | None = None) -> bool:
        """Give a role; False when we have not met the person, or they no longer have the role `was`."""
        asked = {"of_workspace": workspace_id, "who": user_id, "role": role}
        if was is None:
            return (await self._db.execute(_CHANGE, asked)).rowcount == 1
        return (await self._db.execute(_CHANGE_FROM, asked | {"was": was})).rowcount == 1

    async def admins(self, workspace_id: str) -> list[Person]:
        """Everyone who may administer, by name."""
        rows = await self._db.execute(_ADMINS, {"of_workspace": workspace_id})
        return [_person(row) for row in rows]

    @across_workspaces("whom the operator names is the same for every workspace")
    async def admins_and(self, user_ids: Collection[str]) -> list[Person]:
        """Everyone who may administer anywhere, and everyone we met with one of these ids."""
        wanted = select(people).where(or_(_ARE_ADMINS, people.c.user_id.in_(sorted(user_ids))))
        return [_person(row) for row in await self._db.execute(wanted)]


def _person(row: Any) -> Person:
    return Person(**{**row._mapping, "role": Role(row.role)})
