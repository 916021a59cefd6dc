"""Discovery: which projects a provider knows, so that nobody types ids and every cost has a name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from bot.desk import Desk
from finops.periods import Period
from finops.registry import Connection, Credential
from finops.secret import Secret
from providers.contract import MANAGEMENT_READ, CredentialRejected, Provider, ProviderError, ProviderProject

log = logging.getLogger(__name__)

STALE_AFTER = timedelta(hours=1)
_BATCH = 100  # a provider's page: stored as it comes, so that a cut-off listing is not a lost one
_COSTS_LOOK_BACK = timedelta(days=30)


async def is_stale(desk: Desk, connection: Connection) -> bool:
    """Whether the list of projects is older than an hour, or was never made."""
    async with desk.storage.reading() as store:
        refreshed_at = await store.known_projects.refreshed_at(connection.workspace_id, connection.id)
    return refreshed_at is None or desk.now() - refreshed_at >= STALE_AFTER


async def discover(
    desk: Desk, connection: Connection, keys: Sequence[tuple[Credential, Secret]], *, within_seconds: float
) -> bool:
    """Refresh the list of projects. False when it could not be finished: the list we had stays, and nothing is lost."""
    provider = desk.providers[connection.provider]
    for credential, key in sorted(keys, key=lambda pair: MANAGEMENT_READ not in pair[0].rights):
        try:
            async with asyncio.timeout(within_seconds):
                if MANAGEMENT_READ in credential.rights:
                    await _from_listing(desk, connection, provider, key)
                else:
                    await _from_costs(desk, connection, provider, key)
        except CredentialRejected:
            continue
        except (ProviderError, TimeoutError) as error:
            log.warning(
                "projects not listed",
                extra={"connection_id": connection.id, "error": type(error).__name__},
            )
            return False
        return True
    return False


async def _from_listing(desk: Desk, connection: Connection, provider: Provider, key: Secret) -> None:
    batch: list[ProviderProject] = []
    async for project in provider.projects(key, include_archived=True):
        batch.append(project)
        if len(batch) >= _BATCH:
            await _remember(desk, connection, batch)
            batch = []
    await _remember(desk, connection, batch)


async def _from_costs(desk: Desk, connection: Connection, provider: Provider, key: Secret) -> None:
    """A key that may only read costs cannot list projects: the bill itself names their ids."""
    today = desk.today()
    ids: set[str] = set()
    async for day in provider.charges(key, Period(today - _COSTS_LOOK_BACK, today)):
        ids.update(charge.sub_account_id for charge in day.charges if charge.sub_account_id)
    async with desk.storage.reading() as store:
        known = await store.known_projects.all(connection.workspace_id)
    named = {project.provider_project_id for project in known if project.connection_id == connection.id}
    await _remember(desk, connection, [ProviderProject(id=one, name=one) for one in sorted(ids - named)])


async def _remember(desk: Desk, connection: Connection, projects: Sequence[ProviderProject]) -> None:
    if not projects:
        return
    async with desk.storage.writing() as store:
        await store.known_projects.remember(connection.workspace_id, connection.id, projects, desk.now())
