"""Whom a connection concerns: the teams that gave it a key or own one of its projects; and whether any key is on."""

from __future__ import annotations

from collections.abc import Iterable

from finops.registry import Connection, Credential, CredentialState, Team
from storage import Store


async def teams_of(store: Store, workspace_id: str, connection_id: int) -> tuple[Team, ...]:
    """The teams to tell about a connection, by name."""
    ids = {credential.team_id for credential in await store.credentials.of_connection(workspace_id, connection_id)}
    for project in await store.projects.all(workspace_id):
        if project.connection_id == connection_id:
            ids.add(project.team_id)
    return tuple(team for team in await store.teams.all(workspace_id) if team.id in ids)


def not_left(connections: Iterable[Connection], credentials: Iterable[Credential]) -> list[Connection]:
    """The connections without those whose keys were all deleted for good: what they read stays, and nobody waits for
    more. All of them where none has a key: then that is why nothing is known."""
    found, keyed = list(connections), {one.connection_id for one in credentials}
    return [one for one in found if one.id in keyed] or found


async def has_enabled_key(store: Store, workspace_id: str, connection_id: int) -> bool:
    """Whether anybody wants this connection read. Opens no secret: one that cannot be opened is not switched off."""
    keys = await store.credentials.of_connection(workspace_id, connection_id)
    return any(key.state is CredentialState.ENABLED for key in keys)
