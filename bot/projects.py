"""Projects: which team answers for which provider project. One owner each; nobody has to type an id."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import discovery
from bot.acts import changes_of, project_facts
from bot.audit import record
from bot.collecting import Collecting
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.picture import account_of
from bot.results import Profile, ProjectsRegistered
from bot.stop_ends import comes_back
from bot.teams import Teams, check_lead
from finops.incidents import Fact
from finops.periods import Period
from finops.registry import Connection, Credential, CredentialState, KnownProject, Person, Project, Team
from finops.secret import Secret
from providers.contract import MANAGEMENT_READ, CredentialRejected, ProviderProject
from storage import Store
from storage.errors import AlreadyHeld, NotFound

log = logging.getLogger(__name__)

SEARCH_LIMIT = 100
_SEARCH_SECONDS = 2.0  # a select menu waits three seconds for its options
_EVERY_SECONDS = 20.0  # a window says that it is being looked at
_TRY_AGAIN_AFTER = timedelta(minutes=1)
_ACTIONS = {True: "project.excluded", False: "project.included"}


class Projects:
    """Offers what providers know, registers what teams choose, and keeps one owner for each."""

    def __init__(self, desk: Desk, teams: Teams, collecting: Collecting) -> None:
        self._desk = desk
        self._teams = teams
        self._collecting = collecting
        self._asked_at: dict[int, datetime] = {}

    async def search(self, actor: Person, team_id: int, words: str, groups: Iterable[str] = ()) -> list[KnownProject]:
        """The provider projects this team may register whose name or id holds the words; at most 100, none archived.

        `team_name` says whose a project is already. The list is refreshed when it is older than an hour.
        """
        team = await self._teams.require_manager(actor, team_id, groups)
        connections = await self._connections(team)
        for connection in connections:
            await self._refreshed(connection)
        found: list[KnownProject] = []
        async with self._desk.storage.reading() as store:
            for connection in connections:
                found += await store.known_projects.search(
                    team.workspace_id, connection.id, words.strip(), limit=SEARCH_LIMIT
                )
        return sorted(found, key=lambda one: (one.name.casefold(), one.provider_project_id))[:SEARCH_LIMIT]

    async def may_list(self, team: Team) -> bool:
        """Whether the team's keys list all projects by name; the others know those alone that a bill names, by id.

        Refused where the team has no key to ask with.
        """
        connections = await self._connections(team)
        async with self._desk.storage.reading() as store:
            keys = [await store.credentials.of_connection(one.workspace_id, one.id) for one in connections]
        return all(
            any(MANAGEMENT_READ in key.rights and key.state is CredentialState.ENABLED for key in each) for each in keys
        )

    async def register(
        self, actor: Person, team_id: int, ids: Sequence[str], groups: Iterable[str] = ()
    ) -> ProjectsRegistered:
        """Give provider projects to a team. Those of another team come back as `taken`, with its name."""
        team = await self._teams.require_manager(actor, team_id, groups)
        wanted = list(dict.fromkeys(one.strip() for one in ids if one.strip()))
        if not wanted:
            raise Refusal(RefusalCode.NOTHING_CHOSEN)
        connections = await self._connections(team)
        by_connection: dict[int, list[tuple[str, str]]] = {}
        async with self._desk.storage.reading() as store:
            for project_id in wanted:
                known = await self._known(store, team, connections, project_id)
                by_connection.setdefault(known.connection_id, []).append((project_id, known.name))
        return await self._register(actor, team, by_connection)

    async def register_all(self, actor: Person, team_id: int, groups: Iterable[str] = ()) -> ProjectsRegistered:
        """Give every provider project that nobody owns yet to a team: hundreds in one step. Archived ones stay out."""
        team = await self._teams.require_manager(actor, team_id, groups)
        connections = await self._connections(team)
        for connection in connections:
            # The list we have may have been cut off: what is every project is asked now, and waited for.
            keys = await self._keys(connection)
            await discovery.discover(self._desk, connection, keys, within_seconds=_EVERY_SECONDS)
        by_connection: dict[int, list[tuple[str, str]]] = {one.id: [] for one in connections}
        async with self._desk.storage.reading() as store:
            for known in await store.known_projects.all(team.workspace_id):
                if known.connection_id in by_connection and known.team_id is None and not known.is_archived:
                    by_connection[known.connection_id].append((known.provider_project_id, known.name))
        if not any(by_connection.values()):
            raise Refusal(RefusalCode.NOTHING_CHOSEN)
        return await self._register(actor, team, by_connection)

    async def register_typed(
        self, actor: Person, team_id: int, typed_id: str, groups: Iterable[str] = ()
    ) -> ProjectsRegistered:
        """Register a project by an id a person typed, after the provider said that it exists and is in use."""
        team = await self._teams.require_manager(actor, team_id, groups)
        project_id = typed_id.strip()
        if not project_id:
            raise Refusal(RefusalCode.NOTHING_CHOSEN)
        connections = await self._connections(team)
        can_list = False
        for connection in connections:
            for credential, key in await self._keys(connection):
                if MANAGEMENT_READ not in credential.rights:
                    continue
                can_list = True
                try:
                    project = await self._desk.providers[connection.provider].project(key, project_id)
                except CredentialRejected:
                    continue
                if project is None:
                    break
                if project.is_archived:
                    raise Refusal(RefusalCode.ARCHIVED_PROJECT, project_id=project_id, project=project.name)
                await self._remember(connection, project)
                return await self._register(actor, team, {connection.id: [(project.id, project.name)]})
        if can_list:
            raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=project_id)
        return await self._register_by_costs(actor, team, connections, project_id)

    async def of_team(self, workspace_id: str, team_id: int) -> list[Project]:
        async with self._desk.storage.reading() as store:
            return await store.projects.of_team(workspace_id, team_id)

    async def all(self, workspace_id: str) -> list[Project]:
        async with self._desk.storage.reading() as store:
            return await store.projects.all(workspace_id)

    async def get(self, workspace_id: str, project_id: int) -> Project:
        """The project, or a refusal when somebody took it off meanwhile."""
        async with self._desk.storage.reading() as store:
            project = await store.projects.get(workspace_id, project_id)
        if project is None:
            raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=None)
        return project

    async def exclude(self, actor: Person, project_id: int, groups: Iterable[str] = ()) -> Project:
        """Leave a project out: its cost counts as unallocated, so that the whole still equals the provider's bill."""
        return await self._changed(actor, project_id, groups, excluded=True)

    async def include(self, actor: Person, project_id: int, groups: Iterable[str] = ()) -> Project:
        """Take an excluded project in again, with all its history."""
        return await self._changed(actor, project_id, groups, excluded=False)

    async def update(
        self,
        actor: Person,
        project_id: int,
        *,
        environment: str | None,
        service: str | None,
        cost_center: str | None,
        lead: Profile | None,
        groups: Iterable[str] = (),
    ) -> Project:
        """Say what a project is for and who leads it; None and blank mean "not said"."""
        if lead is not None:
            check_lead(lead)
        return await self._changed(
            actor,
            project_id,
            groups,
            environment=_said(environment),
            service=_said(service),
            cost_center=_said(cost_center),
            lead_user_id=None if lead is None else lead.user_id,
        )

    async def unregister(self, actor: Person, project_id: int, groups: Iterable[str] = ()) -> Project:
        """Take a project from its team. Its costs stay in the ledger, unallocated from now on.

        Refused while its spending is held: who answers for a project puts it back before they let go of it. Also while
        it may spend so much more and is then stopped again: nobody would find it then.
        """
        project = await self._managed(actor, project_id, groups)
        try:
            async with self._desk.storage.writing() as store:
                await store.workspaces.hold(actor.workspace_id)
                await store.projects.unregister(actor.workspace_id, project.id)
                # Asked now, for whoever put it back a moment ago has been waited for.
                if (agreed := await comes_back(store, project)) is not None:
                    until, ceiling = agreed.allowed_until, agreed.allowed_ceiling
                    raise Refusal(RefusalCode.PROJECT_ALLOWED, project=project.name, until=until, amount=ceiling)
                await self._recorded(store, actor, "project.unregistered", project, project_facts(project))
        except AlreadyHeld as held:
            raise Refusal(RefusalCode.PROJECT_HELD, project=project.name) from held
        log.info("project unregistered", extra={"project_id": project.id, "user_id": actor.user_id})
        return project

    async def _register(
        self, actor: Person, team: Team, by_connection: dict[int, list[tuple[str, str]]]
    ) -> ProjectsRegistered:
        desk, workspace_id = self._desk, team.workspace_id
        registered: list[Project] = []
        taken: list[KnownProject] = []
        async with desk.storage.writing() as store:
            await store.workspaces.hold(workspace_id)  # two teams crosswise would wait for each other
            for connection_id, projects in by_connection.items():
                ours, theirs = await store.projects.register(
                    workspace_id,
                    connection_id=connection_id,
                    team_id=team.id,
                    projects=projects,
                    registered_by=actor.user_id,
                    at=desk.now(),
                )
                registered += ours
                taken += theirs
            if registered:
                await self._recorded_all(store, actor, team, registered)
            for connection_id in {project.connection_id for project in registered}:
                await self._collecting.queue_backfill(store, actor, connection_id)
        log.info(
            "projects registered",
            extra={"team_id": team.id, "registered": len(registered), "taken": len(taken), "user_id": actor.user_id},
        )
        begun = [
            await self._collecting.start_backfill(actor, connection_id)
            for connection_id in {project.connection_id for project in registered}
        ]
        started = [one for one in begun if one is not None]
        is_told = any(one.told_to == actor.user_id for one in started)
        has_history = await self._have_history(workspace_id, registered)
        return ProjectsRegistered(team, tuple(registered), tuple(taken), bool(started), has_history, is_told)

    async def _have_history(self, workspace_id: str, projects: Sequence[Project]) -> bool:
        if not projects:
            return False
        today = self._desk.today()
        period = Period(today - timedelta(days=self._desk.policy.backfill_days), today)
        async with self._desk.storage.reading() as store:
            totals = await store.charges.daily_totals(workspace_id, period, [account_of(one) for one in projects])
        return bool(totals)

    async def _register_by_costs(
        self, actor: Person, team: Team, connections: list[Connection], project_id: str
    ) -> ProjectsRegistered:
        """No key may list projects: only a cost that names the id proves it."""
        async with self._desk.storage.reading() as store:
            for connection in connections:
                known = await store.known_projects.get(team.workspace_id, connection.id, project_id)
                if known is not None:
                    break
            else:
                raise Refusal(RefusalCode.PROJECT_NOT_VERIFIABLE, project_id=project_id)
        return await self._register(actor, team, {known.connection_id: [(project_id, known.name)]})

    async def _known(
        self, store: Store, team: Team, connections: Sequence[Connection], project_id: str
    ) -> KnownProject:
        for connection in connections:
            known = await store.known_projects.get(team.workspace_id, connection.id, project_id)
            if known is None:
                continue
            if known.is_archived:
                raise Refusal(RefusalCode.ARCHIVED_PROJECT, project_id=project_id, project=known.name)
            return known
        raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=project_id)

    async def _connections(self, team: Team) -> list[Connection]:
        """The connections this team has an enabled key for; a refusal when there is none to ask with."""
        async with self._desk.storage.reading() as store:
            credentials = await store.credentials.of_team(team.workspace_id, team.id)
            ids = dict.fromkeys(one.connection_id for one in credentials if one.state is CredentialState.ENABLED)
            found = [await store.connections.get(team.workspace_id, one) for one in ids]
        connections = [one for one in found if one is not None]
        if not connections:
            raise Refusal(RefusalCode.NO_KEY, team=team.name)
        return connections

    async def _keys(self, connection: Connection) -> list[tuple[Credential, Secret]]:
        async with self._desk.storage.reading() as store:
            return await store.credentials.usable(connection.workspace_id, connection.id)

    async def _refreshed(self, connection: Connection) -> None:
        """Ask the provider again when the list is old, at most once a minute and never longer than a menu can wait."""
        now, asked_at = self._desk.now(), self._asked_at.get(connection.id)
        if asked_at is not None and now - asked_at < _TRY_AGAIN_AFTER:
            return
        self._asked_at[connection.id] = now
        if await discovery.is_stale(self._desk, connection):
            keys = await self._keys(connection)
            await discovery.discover(self._desk, connection, keys, within_seconds=_SEARCH_SECONDS)

    async def _remember(self, connection: Connection, project: ProviderProject) -> None:
        async with self._desk.storage.writing() as store:
            await store.known_projects.remember(connection.workspace_id, connection.id, [project], self._desk.now())

    async def _managed(self, actor: Person, project_id: int, groups: Iterable[str]) -> Project:
        project = await self.get(actor.workspace_id, project_id)
        await self._teams.require_manager(actor, project.team_id, groups)
        return project

    async def _changed(self, actor: Person, project_id: int, groups: Iterable[str], **fields: Any) -> Project:
        project = await self._managed(actor, project_id, groups)
        try:
            async with self._desk.storage.writing() as store:
                await store.workspaces.hold(actor.workspace_id)
                before = await store.projects.get(actor.workspace_id, project.id) or project  # somebody was first
                changed = await store.projects.update(actor.workspace_id, project.id, **fields)
                changes = changes_of(project_facts(before), project_facts(changed))
                if changes:
                    action = _ACTIONS.get(changed.excluded) if before.excluded != changed.excluded else None
                    told: dict[str, Fact] = {"name": changed.name, **changes}
                    await self._recorded(store, actor, action or "project.changed", changed, told)
        except NotFound as error:
            raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=project.provider_project_id) from error
        log.info("project changed", extra={"project_id": project.id, "user_id": actor.user_id, "fields": list(fields)})
        return changed

    async def _recorded(
        self, store: Store, actor: Person, action: str, project: Project, facts: Mapping[str, Fact]
    ) -> None:
        await record(self._desk, store, actor.workspace_id, actor.user_id, action, f"project:{project.id}", facts)

    async def _recorded_all(self, store: Store, actor: Person, team: Team, projects: Sequence[Project]) -> None:
        """One row for one decision, however many projects it was about; their names as far as they fit."""
        names = ", ".join(one.name for one in projects)
        told: dict[str, Fact] = {
            "name": names,
            "projects": [one.id for one in projects],
            "count": len(projects),
            "team_id": team.id,
            "team": team.name,
        }
        subject = f"project:{projects[0].id}" if len(projects) == 1 else f"team:{team.id}"
        await record(self._desk, store, actor.workspace_id, actor.user_id, "project.registered", subject, told)


def _said(words: str | None) -> str | None:
    return " ".join(words.split()) or None if words else None
