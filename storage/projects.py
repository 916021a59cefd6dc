"""Projects: provider projects that a team registered, and all those a provider told us of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final, Protocol

from sqlalchemy import Select, Update, and_, bindparam, delete, func, or_, select, update

from finops.holds import ACTIVE
from finops.registry import KnownProject, Project
from finops.written import visible
from storage.errors import AlreadyHeld, NotFound
from storage.repository import Insert, Repository, compared, inserting
from storage.tables import connections, known_projects, projects, teams
from storage.tables_stops import holds

# Organizations have thousands of projects, and databases take so many values in one statement.
_AT_ONCE = 1000


class Unchanged(Enum):
    """Stands for "leave it as it is" where None means "nothing"."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


class DiscoveredProject(Protocol):
    """What a provider tells of one of its projects."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_archived(self) -> bool: ...


class Projects(Repository):
    """Registered projects; each belongs to one team, and the database itself refuses a second."""

    async def register(
        self,
        workspace_id: str,
        *,
        connection_id: int,
        team_id: int,
        projects: Sequence[tuple[str, str]],
        registered_by: str,
        at: datetime,
    ) -> tuple[list[Project], list[KnownProject]]:
        """Give provider projects (id, name) to a team: those it now has, and those that another team has.

        Registering one's own project again changes nothing and answers it. NotFound for a connection or a team of
        another workspace.
        """
        provider = await self._provider(workspace_id, connection_id, team_id)
        owners = await self._claim(
            workspace_id,
            provider,
            {
                provider_project_id: {
                    "workspace_id": workspace_id,
                    "connection_id": connection_id,
                    "team_id": team_id,
                    "provider": provider,
                    "provider_project_id": provider_project_id,
                    "name": name,
                    "excluded": False,
                    "registered_by": registered_by,
                    "registered_at": at,
                }
                for provider_project_id, name in dict(projects).items()
            },
        )
        ours: list[Project] = []
        taken: list[KnownProject] = []
        for provider_project_id, owner in owners:
            if owner.team_id == team_id:
                ours.append(_project(owner))
            else:
                taken.append(
                    KnownProject(
                        owner.connection_id,
                        provider_project_id,
                        owner.name,
                        is_archived=False,
                        team_id=owner.team_id,
                        team_name=owner.team_name,
                    )
                )
        return ours, taken

    async def all(self, workspace_id: str) -> list[Project]:
        """Every registered project, by name."""
        return await self._many(_ALL, workspace_id)

    async def of_team(self, workspace_id: str, team_id: int) -> list[Project]:
        """A team's projects, by name."""
        return await self._many(_OF_TEAM, workspace_id, team=team_id)

    async def get(self, workspace_id: str, project_id: int) -> Project | None:
        """The project, or None when this workspace has none of that id."""
        found = await self._many(_ONE, workspace_id, this=project_id)
        return found[0] if found else None

    async def update(
        self,
        workspace_id: str,
        project_id: int,
        *,
        name: str | Unchanged = UNCHANGED,
        environment: str | Unchanged | None = UNCHANGED,
        service: str | Unchanged | None = UNCHANGED,
        cost_center: str | Unchanged | None = UNCHANGED,
        lead_user_id: str | Unchanged | None = UNCHANGED,
        excluded: bool | Unchanged = UNCHANGED,
    ) -> Project:
        """Change what is given; None empties a field. NotFound."""
        given = {
            "name": name,
            "environment": environment,
            "service": service,
            "cost_center": cost_center,
            "lead_user_id": lead_user_id,
            "excluded": excluded,
        }
        values = {key: value for key, value in given.items() if value is not UNCHANGED}
        if values:
            await self._db.execute(
                update(projects)
                .where(projects.c.workspace_id == workspace_id, projects.c.id == project_id)
                .values(values)
            )
        project = await self.get(workspace_id, project_id)
        if project is None:
            raise NotFound("project", project_id)
        return project

    async def unregister(self, workspace_id: str, project_id: int) -> bool:
        """Let a project go: its costs become unallocated. False when there is none.

        Raises AlreadyHeld while something of ours stands at its provider, or may: it is put back first, by whoever
        answers for the project. Nobody takes hold of it from here to the end of the transaction.
        """
        mine = projects.c.workspace_id == workspace_id, projects.c.id == project_id
        project = (await self._db.execute(select(projects).where(*mine).with_for_update())).one_or_none()
        if project is None:
            return False
        held = await self._db.execute(
            select(holds.c.id, holds.c.lever).where(
                holds.c.workspace_id == workspace_id,
                holds.c.connection_id == project.connection_id,
                holds.c.provider_project_id == project.provider_project_id,
                holds.c.state.in_(sorted(ACTIVE)),
            )
        )
        standing = held.first()
        if standing is not None:
            raise AlreadyHeld(standing.lever, project.name, standing.id)
        return (await self._db.execute(delete(projects).where(*mine))).rowcount == 1

    async def _provider(self, workspace_id: str, connection_id: int, team_id: int) -> str:
        provider = await self._db.scalar(_PROVIDER, {"of_workspace": workspace_id, "this": connection_id})
        if provider is None:
            raise NotFound("connection", connection_id)
        team = await self._db.scalar(_TEAM, {"of_workspace": workspace_id, "this": team_id})
        if team is None:
            raise NotFound("team", team_id)
        return str(provider)

    async def _claim(
        self, workspace_id: str, provider: str, wanted: dict[str, dict[str, Any]]
    ) -> list[tuple[str, Any]]:
        """The row that owns each project after our attempt: ours, or the one that was there first. In their order."""
        ids = list(wanted)
        owners: dict[str, Any] = {}
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            await self._db.execute(_claiming(self._db.dialect.name), [wanted[one] for one in some])
            asked = {"of_workspace": workspace_id, "of_provider": provider, "these": some}
            rows = await self._db.execute(_OWNED, asked)
            owners |= {row.provider_project_id: row for row in rows}
        return [(one, owners[one]) for one in ids]

    async def _many(self, query: Select[Any], workspace_id: str, **asked: Any) -> list[Project]:
        rows = await self._db.execute(query, {"of_workspace": workspace_id, **asked})
        return [Project(*row) for row in rows]


class KnownProjects(Repository):
    """Everything a provider told us of, registered or not: names for costs that nobody has claimed yet."""

    async def remember(
        self, workspace_id: str, connection_id: int, discovered: Iterable[DiscoveredProject], at: datetime
    ) -> int:
        """Store what the provider lists now, and rename registered projects that it renamed. Tells how many."""
        rows = [
            {
                "workspace_id": workspace_id,
                "connection_id": connection_id,
                "provider_project_id": found.id,
                "name": found.name,
                "is_archived": found.is_archived,
                "search_key": compared(f"{found.name} {found.id}"),
                "seen_at": at,
            }
            for found in {each.id: each for each in discovered}.values()
        ]
        if not rows:
            return 0
        await self._db.execute(_remembering(self._db.dialect.name), rows)
        await self._db.execute(_RENAME, {"of_workspace": workspace_id, "of_connection": connection_id})
        return len(rows)

    async def search(
        self, workspace_id: str, connection_id: int, words: str, *, limit: int = 100, include_archived: bool = False
    ) -> list[KnownProject]:
        """Projects whose name or id holds every word, by name; with the team that has each, if one has.

        A word is looked for as it is and as what is `visible` of it: it may be copied from a message of ours.
        """
        key = known_projects.c.search_key
        conditions = [known_projects.c.connection_id == connection_id]
        for word in words.split():
            spelled = sorted({compared(word), compared(visible(word))})
            conditions.append(or_(*(key.contains(one, autoescape=True) for one in spelled)))
        if not include_archived:
            conditions.append(known_projects.c.is_archived.is_(False))
        return await self._many(workspace_id, *conditions, limit=limit)

    async def get(self, workspace_id: str, connection_id: int, provider_project_id: str) -> KnownProject | None:
        """One project as the provider told it, or None."""
        found = await self._many(
            workspace_id,
            known_projects.c.connection_id == connection_id,
            known_projects.c.provider_project_id == provider_project_id,
        )
        return found[0] if found else None

    async def all(self, workspace_id: str) -> list[KnownProject]:
        """Everything known in this workspace, archived ones too: their costs remain."""
        return await self._many(workspace_id)

    async def count(self, workspace_id: str, connection_id: int) -> int:
        """How many projects this connection's provider told us of, archived ones apart."""
        return (
            await self._db.scalar(
                select(func.count()).where(
                    known_projects.c.workspace_id == workspace_id,
                    known_projects.c.connection_id == connection_id,
                    known_projects.c.is_archived.is_(False),
                )
            )
            or 0
        )

    async def refreshed_at(self, workspace_id: str, connection_id: int) -> datetime | None:
        """When the provider last listed its projects to us; None when it never did."""
        return await self._db.scalar(
            select(known_projects.c.seen_at)
            .where(known_projects.c.workspace_id == workspace_id, known_projects.c.connection_id == connection_id)
            .order_by(known_projects.c.seen_at.desc())
            .limit(1)
        )

    async def _many(self, workspace_id: str, *conditions: Any, limit: int | None = None) -> list[KnownProject]:
        query = _KNOWN.where(*conditions).limit(limit)
        rows = await self._db.execute(query, {"of_workspace": workspace_id})
        return [KnownProject(**row._mapping) for row in rows]


def _project(row: Any) -> Project:
    return Project(*(getattr(row, column.name) for column in _FIELDS))


# In the order of the dataclass: ten thousand are made of their rows for each look at the present.
_FIELDS = [projects.c[name] for name in Project.__dataclass_fields__]
# Asked with every figure, and put together once: that takes longer than answering it.
_ALL = (
    select(*_FIELDS)
    .where(projects.c.workspace_id == bindparam("of_workspace"))
    .order_by(projects.c.name, projects.c.id)
)
_OF_TEAM = _ALL.where(projects.c.team_id == bindparam("team"))
_ONE = _ALL.where(projects.c.id == bindparam("this"))
_ITS_TEAM = and_(teams.c.workspace_id == projects.c.workspace_id, teams.c.id == projects.c.team_id)
_OWNED = (
    select(projects, teams.c.name.label("team_name"))
    .join(teams, _ITS_TEAM)
    .where(projects.c.workspace_id == bindparam("of_workspace"), projects.c.provider == bindparam("of_provider"))
    .where(projects.c.provider_project_id.in_(bindparam("these", expanding=True)))
)
_PROVIDER = select(connections.c.provider).where(
    connections.c.workspace_id == bindparam("of_workspace"), connections.c.id == bindparam("this")
)
_TEAM = select(teams.c.id).where(teams.c.workspace_id == bindparam("of_workspace"), teams.c.id == bindparam("this"))


@cache
def _claiming(dialect: str) -> Insert:
    key = ["workspace_id", "provider", "provider_project_id"]
    return inserting(dialect, projects).on_conflict_do_nothing(index_elements=key)


def _known() -> Select[Any]:
    """Everything a workspace's providers told us of, with the team that has each, if one has."""
    owned = and_(
        projects.c.workspace_id == known_projects.c.workspace_id,
        projects.c.provider == connections.c.provider,
        projects.c.provider_project_id == known_projects.c.provider_project_id,
    )
    here = and_(
        connections.c.workspace_id == known_projects.c.workspace_id,
        connections.c.id == known_projects.c.connection_id,
    )
    told = (
        known_projects.c.connection_id,
        known_projects.c.provider_project_id,
        known_projects.c.name,
        known_projects.c.is_archived,
        projects.c.team_id,
        teams.c.name.label("team_name"),
    )
    return (
        select(*told)
        .select_from(known_projects)
        .join(connections, here)
        .outerjoin(projects, owned)
        .outerjoin(teams, _ITS_TEAM)
        .where(known_projects.c.workspace_id == bindparam("of_workspace"))
        .order_by(known_projects.c.search_key, known_projects.c.provider_project_id)
    )


_KNOWN = _known()


def _renaming() -> Update:
    """Call the registered projects of a connection what its provider calls them now."""
    their_name = (
        select(known_projects.c.name)
        .where(
            known_projects.c.workspace_id == projects.c.workspace_id,
            known_projects.c.connection_id == projects.c.connection_id,
            known_projects.c.provider_project_id == projects.c.provider_project_id,
        )
        .scalar_subquery()
    )
    mine = (
        projects.c.workspace_id == bindparam("of_workspace"),
        projects.c.connection_id == bindparam("of_connection"),
    )
    return update(projects).where(*mine, projects.c.name != their_name).values(name=their_name)


_RENAME = _renaming()


@cache
def _remembering(dialect: str) -> Insert:
    insert = inserting(dialect, known_projects)
    news = {name: insert.excluded[name] for name in ("name", "is_archived", "search_key", "seen_at")}
    key = ["workspace_id", "connection_id", "provider_project_id"]
    return insert.on_conflict_do_update(index_elements=key, set_=news)
