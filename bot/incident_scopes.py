"""Whom an incident concerns: its scope by name, the team and projects in it, and whom to tell directly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from bot import telling
from bot.picture import Account, account_of
from finops.figures import Scope
from finops.frozen import frozen
from finops.queries import ScopeKind
from finops.registry import Project, Team
from storage import Store


@frozen
class Whose:
    """Whom an incident concerns. `accounts` None: everything there is in the workspace."""

    scope: Scope
    team: Team | None = None
    projects: tuple[Project, ...] = ()
    accounts: list[Account] | None = field(default_factory=list)


async def whose(store: Store, workspace_id: str, kind: ScopeKind, scope_id: int | None) -> Whose:
    """The scope with its name, team and provider projects; what is gone has neither a name nor projects."""
    if kind is ScopeKind.WORKSPACE:
        return Whose(Scope(kind, None, ""), accounts=None)
    if kind is ScopeKind.TEAM:
        team = await store.teams.get(workspace_id, scope_id or 0)
        owned = tuple(one for one in await store.projects.of_team(workspace_id, scope_id or 0) if not one.excluded)
        return Whose(Scope(kind, scope_id, team.name if team else ""), team, owned, _accounts(owned))
    project = await store.projects.get(workspace_id, scope_id or 0)
    if project is None:
        return Whose(Scope(kind, scope_id, ""))
    team = await store.teams.get(workspace_id, project.team_id)
    return Whose(Scope(kind, project.id, project.name), team, (project,), _accounts([project]))


async def recipients_of(store: Store, workspace_id: str, found: Whose) -> tuple[str, ...]:
    """Whom to tell directly where the channel cannot be used: whoever leads it, then the administrators."""
    project = found.projects[0] if found.scope.kind is ScopeKind.PROJECT and found.projects else None
    return telling.recipients(project, found.team, await store.people.admins(workspace_id))


def _accounts(projects: Iterable[Project]) -> list[Account]:
    return [account_of(one) for one in projects]
