"""Whom a connection concerns: the teams that gave it a key or own one of its projects; and whether any key is on."""

from __future__ import annotations

from finops.registry import CredentialState, Team
from storage import Store


async def teams_of(store: Store, workspace_id: str, connection_id: int) -> tuple[Team, ...]:
    """The teams to tell about a connection, by name."""
    ids = {credential.team_id for credential in await store.credentials.of_connection(workspace_id, connection_id)}
    for project in await store.projects.all(workspace_id):
        if project.connection_id == connection_id:
            ids.add(project.team_id)
    return tuple(team for team in await store.teams.all(workspace_id) if team.id in ids)


async def has_enabled_key(store: Store, workspace_id: str, connection_id: int) -> bool:
    """Whether anybody wants this connection read. Opens no secret: one that cannot be opened is not switched off."""
    keys = await store.credentials.of_connection(workspace_id, connection_id)
    return any(key.state is CredentialState.ENABLED for key in keys)
